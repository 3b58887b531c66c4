//! In windows of every size, no text covers another, and none is cut off where it cannot be scrolled to.

use anyhow::{Result, ensure};
use crosscurrent::config::Attention;
use crosscurrent::ui::{Options, Page};
use egui::accesskit::Role;
use egui::{Pos2, Rect, vec2};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::texts::{Text, overlap, recorded, texts};
use super::{SHORT, Window, click, settle, window};
use crate::constructed::Constructed;

/// The smallest window that there can be, and common sizes of screens, in points.
const SIZES: [(f32, f32); 6] = [
    (800.0, 560.0),
    (1280.0, 720.0),
    (1440.0, 900.0),
    (1920.0, 1080.0),
    (2200.0, 1238.0),
    (2560.0, 1440.0),
];
/// A screen of 3840 × 2160 pixels at two pixels to a point.
const FINE: (f32, f32) = (1920.0, 1080.0);
/// By as many points as this, the boxes around two texts may overlap, and a letter may reach over an edge.
const SLACK: f32 = 1.5;

/// The corners of the part of a text that is seen.
fn seen(text: &Text) -> [Pos2; 4] {
    let rect = text.rect.intersect(text.clip);
    let is_upright = (text.corners[0] - text.rect.min).length() < 0.1;
    if is_upright {
        let [a, b] = [rect.right_top(), rect.left_bottom()];
        [rect.min, a, rect.max, b]
    } else {
        text.corners
    }
}

fn covered(texts: &[Text]) -> Vec<String> {
    let mut found = Vec::new();
    let corners: Vec<_> = texts.iter().map(seen).collect();
    for (i, a) in texts.iter().enumerate() {
        for (j, b) in texts[..i].iter().enumerate() {
            let by = overlap(&corners[i], &corners[j]);
            let [both, rects] = [a.clip.intersect(b.clip), a.rect.intersect(b.rect)];
            let is_seen = both.intersect(rects).size().min_elem() > SLACK;
            if by > SLACK && is_seen {
                found.push(format!(
                    "{:?} covers {:?} by {by:.1} at {:?}",
                    a.words, b.words, a.rect
                ));
            }
        }
    }
    found
}

/// The texts that are cut off although no scroll bar brings the rest of them into sight.
fn cut(window: &Window, texts: &[Text]) -> Vec<String> {
    let nodes = window.query_all_by_role(Role::ScrollBar);
    let bars: Vec<Rect> = nodes.map(|node| node.rect()).collect();
    let scrolls = |clip: Rect, is_vertical: bool| {
        bars.iter().any(|bar| {
            let (length, across) = (bar.height(), bar.width());
            (length > across) == is_vertical && clip.expand(24.0).intersects(*bar)
        })
    };
    let is_cut = |text: &&Text| {
        let (rect, clip) = (text.rect, text.clip.expand(SLACK));
        let x = rect.left() < clip.left() || rect.right() > clip.right();
        let y = rect.top() < clip.top() || rect.bottom() > clip.bottom();
        x && !scrolls(text.clip, false) || y && !scrolls(text.clip, true)
    };
    let describe = |text: &Text| {
        format!(
            "{:?} at {:?} is cut by {:?}",
            text.words, text.rect, text.clip
        )
    };
    texts.iter().filter(is_cut).map(describe).collect()
}

/// The names of widgets that every page needs and that are not wholly inside the window.
fn out_of_reach(window: &Window) -> Vec<&'static str> {
    let screen = window.ctx.content_rect().expand(0.5);
    let is_inside = |name: &&str| {
        let mut found = window.query_all_by_label(name);
        found.any(|node| screen.contains_rect(node.rect()))
    };
    let names = [
        "Back",
        "Forward",
        "Commands",
        "Two runs side by side",
        "Live",
        "Time axis",
        "Moment shown",
        "Pause",
        "Stop",
        "Start",
    ];
    let titles = Page::ALL.iter().map(|page| page.title());
    let all = names.into_iter().chain(titles);
    all.filter(|name| !is_inside(name)).collect()
}

/// The faults on all pages in a window of this size.
fn faults(window: &mut Window, size: (f32, f32), what: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    window.set_size(vec2(size.0, size.1));
    for &page in Page::ALL {
        window.state_mut().show(page);
        settle(window);
        let texts = texts(window);
        ensure!(texts.len() > 20, "there are {} texts", texts.len());
        let place = format!("{} × {}, {what}, {}", size.0, size.1, page.title());
        let missing = out_of_reach(window);
        ensure!(missing.is_empty(), "{place}: {missing:?} cannot be reached");
        let all = covered(&texts).into_iter().chain(cut(window, &texts));
        found.extend(all.map(|text| format!("{place}: {text}")));
    }
    Ok(found)
}

#[test]
fn texts_neither_cover_each_other_nor_are_cut() -> Result<()> {
    let mut found = Vec::new();
    for count in [1, 2] {
        let mut window = window(recorded(count));
        if count == 2 {
            let button = window.get_by_label("Two runs side by side");
            if button.accesskit_node().toggled() != Some(egui::accesskit::Toggled::True) {
                click(&mut window, "Two runs side by side");
            }
        }
        let what = format!("{count} runs");
        for size in SIZES {
            found.extend(faults(&mut window, size, &what)?);
        }
        window.set_pixels_per_point(2.0);
        found.extend(faults(&mut window, FINE, &what)?);
    }
    ensure!(found.is_empty(), "{} texts: {found:#?}", found.len());
    Ok(())
}

/// As above, for two runs of few and of very many classes.
#[test]
fn texts_of_many_classes_neither_cover_each_other_nor_are_cut() -> Result<()> {
    let mut found = Vec::new();
    for classes in [2, 10, 12, 100] {
        let parent = tempfile::tempdir()?;
        let mut runs = Vec::new();
        for (name, attention) in [("baseline", Attention::None), ("branch", Attention::Branch)] {
            let run = Constructed {
                attention,
                classes,
                ..SHORT
            };
            let dir = parent.path().join(name);
            run.write(&dir, |_| false)?;
            runs.push(dir);
        }
        let mut window = window(Options {
            runs,
            ..Options::default()
        });
        let what = format!("{classes} classes");
        for size in [SIZES[0], SIZES[2], SIZES[5]] {
            found.extend(faults(&mut window, size, &what)?);
        }
    }
    ensure!(found.is_empty(), "{} texts: {found:#?}", found.len());
    Ok(())
}
