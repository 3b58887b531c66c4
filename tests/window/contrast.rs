//! Every text can be read, and every mark of a chart seen: the contrast of a text to what is drawn below it is at least
//! 4.5 to 1, that of a curve, a point or a bar to what is around it at least 3 to 1, as WCAG 2 asks (criteria 1.4.3 and
//! 1.4.11).

use std::collections::HashMap;

use anyhow::{Result, ensure};
use crosscurrent::figure::palette;
use crosscurrent::figure::raster::Rasteriser;
use crosscurrent::ui::Page;
use egui::epaint::ColorMode;
use egui::{Color32, Rect, Rgba, Shape, TexturesDelta, Theme};
use egui_kittest::Harness;
use egui_kittest::kittest::{AccessKitNode, By, Queryable as _};
use image::RgbaImage;

use super::texts::{Text, recorded, texts, without_texts};
use super::{Window, settle, window_of};

/// WCAG 2.1 asks less of large text, of which there is none here, and nothing of disabled widgets.
const LEAST: f32 = 4.5;

/// The least contrast of a curve, a point or a bar.
const LEAST_OF_MARK: f32 = 3.0;

/// Draws a window without its texts.
#[derive(Default)]
struct Background(Rasteriser);

impl egui_kittest::TestRenderer for Background {
    fn handle_delta(&mut self, delta: &mut TexturesDelta) {
        self.0.apply(delta);
    }

    fn render(
        &mut self,
        ctx: &egui::Context,
        output: &egui::FullOutput,
    ) -> Result<RgbaImage, String> {
        let size = ctx.content_rect().size();
        let primitives = ctx.tessellate(without_texts(&output.shapes), 1.0);
        let background = ctx.global_style().visuals.panel_fill;
        let size_px = [size.x.round() as usize, size.y.round() as usize];
        Ok(self.0.paint(size_px, 1.0, &primitives, background))
    }
}

/// The commonest colour of a part of an image; `None` if it is empty.
fn commonest(image: &RgbaImage, rect: Rect) -> Option<Color32> {
    let end = |x: f32, most: u32| (x.max(0.0) as u32).min(most);
    let mut counts: HashMap<[u8; 4], usize> = HashMap::new();
    for y in end(rect.top().floor(), image.height())..end(rect.bottom().ceil(), image.height()) {
        for x in end(rect.left().floor(), image.width())..end(rect.right().ceil(), image.width()) {
            *counts.entry(image.get_pixel(x, y).0).or_default() += 1;
        }
    }
    let most = counts.into_iter().max_by_key(|&(color, n)| (n, color));
    most.map(|([r, g, b, _], _)| Color32::from_rgb(r, g, b))
}

fn luminance(color: Color32) -> f32 {
    let rgba = Rgba::from(color);
    0.2126 * rgba.r() + 0.7152 * rgba.g() + 0.0722 * rgba.b()
}

/// The contrast of two opaque colours (WCAG 2), from 1 to 21.
fn contrast(a: Color32, b: Color32) -> f32 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// The least contrast of a text's colours to what is below it.
fn contrast_of(text: &Text, image: &RgbaImage) -> Option<(f32, Color32, Color32)> {
    let below = commonest(image, text.rect.intersect(text.clip))?;
    let all = text.colors.iter().map(|&color| {
        let seen = below.blend(color);
        (contrast(seen, below), seen, below)
    });
    all.min_by(|a, b| a.0.total_cmp(&b.0))
}

/// The texts of a window, other than those of disabled widgets, that have too little contrast.
fn faint(window: &mut Window) -> Result<Vec<String>> {
    let image = window.render().map_err(anyhow::Error::msg)?;
    let is_disabled = |node: &AccessKitNode<'_>| node.is_disabled();
    let disabled = window.query_all(By::new().predicate(is_disabled));
    let disabled: Vec<Rect> = disabled.map(|node| node.rect()).collect();
    let texts = texts(window);
    ensure!(texts.len() > 20, "there are {} texts", texts.len());
    let mut faint = Vec::new();
    for text in &texts {
        if disabled.iter().any(|x| x.contains(text.rect.center())) {
            continue;
        }
        if let Some((ratio, color, below)) = contrast_of(text, &image)
            && ratio < LEAST
        {
            faint.push(format!(
                "{:?}: {ratio:.2}, {color:?} on {below:?}",
                text.words
            ));
        }
    }
    Ok(faint)
}

#[test]
fn every_text_can_be_read() -> Result<()> {
    let builder = Harness::builder().renderer(Background::default());
    let mut window = window_of(builder, recorded(2));
    let mut found = Vec::new();
    for theme in [Theme::Light, Theme::Dark] {
        window.ctx.set_theme(theme);
        for &page in Page::ALL {
            window.state_mut().show(page);
            settle(&mut window);
            let faint = faint(&mut window)?.into_iter();
            found.extend(faint.map(|text| format!("{theme:?}, {}: {text}", page.title())));
        }
    }
    ensure!(found.is_empty(), "{found:#?}");
    Ok(())
}

/// A curve, a point or a bar as it is drawn.
struct Mark {
    what: &'static str,
    color: Color32,
    /// The part of it that is seen.
    rect: Rect,
    /// Nothing is drawn outside of this: the chart that it stands in.
    clip: Rect,
}

/// The curves of charts (lines of more than two points), points, and bars in the colours of classes. Cells of matrices are
/// no marks: the middle of their scale is the colour of no effect.
fn marks(window: &Window) -> Vec<Mark> {
    let visuals = &window.ctx.global_style().visuals;
    // Points on lines have a ring in the colour of the ground, which sets them apart.
    let grounds = [
        visuals.panel_fill,
        visuals.extreme_bg_color,
        visuals.faint_bg_color,
    ];
    let mut found = Vec::new();
    for clipped in &window.output().shapes {
        collect(&clipped.shape, clipped.clip_rect, &mut found);
    }
    found.retain(|mark| !grounds.contains(&mark.color));
    found
}

/// Larger circles, in points, are no points of charts but buttons.
const LARGEST_POINT: f32 = 5.5;

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all other shapes are no marks of charts"
)]
fn collect(shape: &Shape, clip: Rect, found: &mut Vec<Mark>) {
    let mut add = |what, color: Color32, rect: Rect| {
        let rect = rect.intersect(clip);
        if color.a() > 0 && rect.is_positive() {
            found.push(Mark {
                what,
                color,
                rect,
                clip,
            });
        }
    };
    match shape {
        Shape::Vec(shapes) => shapes.iter().for_each(|shape| collect(shape, clip, found)),
        Shape::Path(path) if !path.closed && path.points.len() > 2 => {
            if let ColorMode::Solid(color) = path.stroke.color {
                let rect = Rect::from_points(&path.points).expand(1.0);
                add("curve", color, rect);
            }
        }
        Shape::Circle(circle) if circle.radius <= LARGEST_POINT => {
            let filled = circle.fill.a() > 0;
            let color = if filled {
                circle.fill
            } else {
                circle.stroke.color
            };
            add("point", color, circle.visual_bounding_rect());
        }
        Shape::Rect(bar) if (0..6).any(|k| palette::class(k) == bar.fill) => {
            add("bar", bar.fill, bar.rect);
        }
        _ => {}
    }
}

/// The number of marks in a window, and those that have too little contrast to the commonest colour of their chart.
fn pale(window: &mut Window) -> Result<(usize, Vec<String>)> {
    let image = window.render().map_err(anyhow::Error::msg)?;
    let marks = marks(window);
    let mut pale = Vec::new();
    for mark in &marks {
        let Some(ground) = commonest(&image, mark.clip) else {
            continue;
        };
        let seen = ground.blend(mark.color);
        let ratio = contrast(seen, ground);
        if ratio < LEAST_OF_MARK {
            let Mark { what, rect, .. } = mark;
            pale.push(format!(
                "{what} at {rect:?}: {ratio:.2}, {seen:?} on {ground:?}"
            ));
        }
    }
    Ok((marks.len(), pale))
}

#[test]
fn every_mark_of_a_chart_can_be_seen() -> Result<()> {
    let builder = Harness::builder().renderer(Background::default());
    let mut window = window_of(builder, recorded(2));
    let (mut all, mut found) = (0, Vec::new());
    for theme in [Theme::Light, Theme::Dark] {
        window.ctx.set_theme(theme);
        for &page in Page::ALL {
            window.state_mut().show(page);
            settle(&mut window);
            let (count, pale) = pale(&mut window)?;
            all += count;
            found.extend(
                pale.into_iter()
                    .map(|x| format!("{theme:?}, {}: {x}", page.title())),
            );
        }
    }
    ensure!(all > 200, "there are {all} marks");
    ensure!(found.is_empty(), "{found:#?}");
    Ok(())
}
