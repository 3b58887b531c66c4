//! Pages as one figure: where the panels lie, and what the file holds.

use anyhow::{Context as _, Result};
use resvg::usvg::roxmltree::{Document, Node};

use super::*;
use crate::figure::export::SheetSize;
use crate::figure::registry::kind_shown;
use crate::figure::testing::{Recorded, groups, recorded, view};
use crate::figure::{Kind, View};

/// The full width of a paper; the height has no effect.
const PAPER: Settings = Settings {
    format: Format::Svg,
    size: SheetSize {
        width: 180.0,
        height: 1.0,
        unit: Unit::Mm,
    },
    dpi: 192.0,
    text: 0.75,
    dark: false,
    transparent: false,
};

fn sheet<'a>(page: Page, shown: &'a [Subject<'a>], view: &'a View) -> Result<Sheet<'a>> {
    let figures = shown.iter().enumerate().flat_map(|(at, &subject)| {
        let kinds = page.figures().iter();
        kinds.map(move |&kind| Figure {
            kind: kind_shown(kind, view, at),
            subject,
            shown,
            view,
        })
    });
    Ok(Sheet::new(page, figures.filter(Figure::has_subject))?)
}

fn texts(svg: &str) -> Result<Vec<String>> {
    let document = Document::parse(svg)?;
    let texts = document
        .descendants()
        .filter(|node| node.has_tag_name("text"));
    let whole = |node: Node<'_, '_>| -> String {
        let inner = node.descendants().filter(Node::is_text);
        inner.filter_map(|inner| inner.text()).collect()
    };
    Ok(texts.map(whole).collect())
}

/// The pages of one run.
const PAGES: [Page; 5] = [
    Page::Overview,
    Page::Conflicts,
    Page::Class,
    Page::Mistakes,
    Page::Gates,
];

#[test]
fn a_page_has_every_panel_once_with_its_letter_and_one_caption() -> Result<()> {
    let run = recorded("solar-branch")?;
    let (shown, view) = ([run.subject()], view());
    for page in PAGES {
        let sheet = sheet(page, &shown, &view)?;
        look(page, "one", &sheet)?;
        let bytes = sheet.bytes(&PAPER)?;
        assert!(
            bytes == sheet.bytes(&PAPER)?,
            "{page:?}: the same bytes each time"
        );
        let svg = String::from_utf8(bytes)?;
        let texts = texts(&svg)?;
        let count = |text: &str| texts.iter().filter(|other| *other == text).count();
        let drawn = sheet.figures.len();
        for number in 0..drawn {
            assert!(
                count(&letter(number)) >= 1,
                "{page:?}: no {} in {texts:?}",
                letter(number)
            );
        }
        assert_eq!(count(&letter(drawn)), 0, "{page:?}");
        for figure in &sheet.figures {
            let title = figure.kind.title();
            // A long title is cut where its panel is narrow.
            let start: String = title.chars().take(12).collect();
            assert!(
                texts.iter().any(|text| text.starts_with(&start)),
                "{page:?}: no {title}"
            );
        }
        assert_eq!(count(&sheet.caption()), 1, "{page:?}: {}", sheet.caption());
        assert!(svg.contains(&format!("<title>{}</title>", page.title())));
    }
    Ok(())
}

/// Writes the pages for a person to look at, where `FIGURE_SHOTS` names a folder.
/// Distance, in points, up to which edges are taken for one.
const EDGE: f32 = 1.0;

fn look(page: Page, runs: &str, sheet: &Sheet<'_>) -> Result<()> {
    let Some(folder) = std::env::var_os("FIGURE_SHOTS").map(std::path::PathBuf::from) else {
        return Ok(());
    };
    std::fs::create_dir_all(&folder)?;
    for format in [Format::Png, Format::Pdf] {
        let name = format!("page-{}-{runs}.{}", page.name(), format.extension());
        let settings = Settings { format, ..PAPER };
        std::fs::write(folder.join(name), sheet.bytes(&settings)?)?;
    }
    Ok(())
}

/// Panels lie within the page, do not overlap, and are read from the top down and from the left to the right.
#[test]
fn panels_share_the_page() -> Result<()> {
    let runs = [recorded("solar-none")?, recorded("solar-branch")?];
    let subjects = runs.each_ref().map(Recorded::subject);
    let overlaid = View {
        overlaid: true,
        ..view()
    };
    for (shown, view) in [
        (&subjects[..1], &view()),
        (&subjects, &view()),
        (&subjects, &overlaid),
    ] {
        for page in PAGES.into_iter().chain([Page::Compare]) {
            let Ok(sheet) = sheet(page, shown, view) else {
                assert!(page == Page::Compare, "{page:?}");
                continue;
            };
            for width in [400.0, 720.0, 950.0] {
                let layout = sheet.layout(width);
                let whole = Rect::from_min_size(Pos2::ZERO, vec2(width, layout.height));
                let panels = &layout.panels;
                for (at, (index, rect)) in panels.iter().enumerate() {
                    assert!(whole.expand(EDGE).contains_rect(*rect), "{page:?} {width}");
                    let others = || panels[..at].iter();
                    assert!(others().all(|(_, other)| !rect.intersect(*other).is_positive()));
                    assert!(others().all(|(other, _)| other != index));
                }
                assert!(
                    panels.is_sorted_by_key(|(_, rect)| rect.top().round() as i64)
                        || shown.len() > 1
                );
            }
        }
    }
    Ok(())
}

/// Without a selected pair its figure has nothing to show: its neighbour takes its room, so that no part of the page is
/// empty.
#[test]
fn a_panel_takes_the_room_of_a_neighbour_that_is_not_there() -> Result<()> {
    let run = recorded("solar-branch")?;
    let shown = [run.subject()];
    let without = View {
        pair: None,
        ..view()
    };
    let (with, without) = (view(), without);
    let [with, without] = [&with, &without].map(|view| sheet(Page::Conflicts, &shown, view));
    let (with, without) = (with?, without?);
    assert_eq!(with.figures.len(), without.figures.len() + 1);
    let width = |sheet: &Sheet<'_>, kind| -> Result<f32> {
        let layout = sheet.layout(900.0);
        let mut panels = layout.panels.iter();
        let found = panels.find(|(at, _)| sheet.figures[*at].kind == kind);
        Ok(found.context("no panel")?.1.width())
    };
    assert!((width(&without, Kind::Peaks)? - 900.0).abs() < EDGE);
    assert!((width(&with, Kind::Peaks)? - 446.0).abs() < EDGE);
    Ok(())
}

/// 180 mm at text of 75 % are 180/25.4·96/0.75 = 907 points.
#[test]
fn the_width_is_that_asked_for_and_the_height_follows() -> Result<()> {
    let run = recorded("solar-branch")?;
    let (shown, view) = ([run.subject()], view());
    let sheet = sheet(Page::Mistakes, &shown, &view)?;
    let settings = sheet.settings(&PAPER)?;
    assert_eq!(settings.size.width.to_bits(), 180.0_f64.to_bits());
    assert!((settings.options().size[0] - 907.1).abs() < 0.1);
    let margins = 2.0 * f32::from(MARGIN);
    let wanted = f64::from(sheet.layout(settings.options().size[0] - margins).height + margins);
    // In millimetres, rounded up to a tenth.
    let wanted = wanted * 0.75 / 96.0 * 25.4;
    assert!(
        (0.0..0.1).contains(&(settings.size.height - wanted)),
        "{settings:?} {wanted}"
    );
    let table = Settings {
        format: Format::Csv,
        ..PAPER
    };
    let refused = sheet.bytes(&table).err().map(|error| error.to_string());
    assert!(refused.is_some_and(|text| text.contains("no table")));
    Ok(())
}

/// Two runs stand below each other under their names, and the overview has both in one.
#[test]
fn two_runs_are_told_apart_by_letters_and_names() -> Result<()> {
    let runs = [recorded("solar-none")?, recorded("solar-branch")?];
    let shown = runs.each_ref().map(Recorded::subject);
    let difference = View {
        difference: true,
        ..view()
    };
    let mistakes = sheet(Page::Mistakes, &shown, &difference)?;
    look(Page::Mistakes, "two", &mistakes)?;
    let texts = texts(&String::from_utf8(mistakes.bytes(&PAPER)?)?)?;
    for name in [
        "A: solar-none",
        "B: solar-branch",
        "Confusion matrix, B − A",
        "a",
        "h",
    ] {
        assert!(
            texts.iter().any(|text| text == name),
            "no {name} in {texts:?}"
        );
    }
    assert!(
        mistakes
            .caption()
            .starts_with("A: solar-none, B: solar-branch · ")
    );
    Ok(())
}

/// Of three groups, the curves of all are on the page for either of the two that are compared with the baseline, and they are
/// on the page of one group alone, whichever of its runs was opened first.
#[test]
fn curves_of_all_groups_are_on_the_page_of_any_group() -> Result<()> {
    let (runs, mut more) = (groups()?, groups()?);
    let mut shown: Vec<_> = runs.iter().map(Recorded::subject).collect();
    for (seed, run) in more.iter_mut().enumerate() {
        let started = run.run.started.as_mut().context("no header")?;
        started.config.label_smoothing = Some(0.1);
        started.id.push_str(&format!("again-{seed}"));
    }
    for (run, name) in more[3..].iter().zip(["other-0", "other-1", "other-2"]) {
        shown.push(Subject {
            name,
            ..run.subject()
        });
    }
    let view = view();
    let kinds = |at: usize, shown: &[Subject<'_>]| -> Result<Vec<Kind>> {
        let figures = Page::Compare.figures().iter().map(|&kind| Figure {
            kind,
            subject: shown[at],
            shown,
            view: &view,
        });
        let sheet = Sheet::new(Page::Compare, figures.filter(Figure::has_content))?;
        Ok(sheet.figures.iter().map(|figure| figure.kind).collect())
    };
    let curves = [Kind::GroupScores, Kind::GroupConflict];
    for at in [3, 6] {
        let found = kinds(at, &shown)?;
        assert!(found.contains(&Kind::ClassDifference), "{at}: {found:?}");
        assert!(
            curves.iter().all(|kind| found.contains(kind)),
            "{at}: {found:?}"
        );
    }
    assert_eq!(kinds(0, &[shown[1], shown[0]])?, curves);
    Ok(())
}

#[test]
fn letters_go_on_after_z() {
    let letters = [0, 1, 25, 26, 27, 52].map(letter);
    assert_eq!(letters, ["a", "b", "z", "aa", "ab", "ba"]);
}
