//! The texts of a window as they are drawn.

use std::path::Path;

use crosscurrent::ui::Options;
use egui::emath::Rot2;
use egui::epaint::text::PlacedRow;
use egui::epaint::{ClippedShape, TextShape};
use egui::{Color32, Pos2, Rect, Shape, Vec2};

use super::Window;

/// A line of text as it is drawn.
pub(crate) struct Text {
    pub(crate) words: String,
    /// The corners of the smallest rectangle around its letters, turned as the text is.
    pub(crate) corners: [Pos2; 4],
    /// The smallest upright rectangle around its letters.
    pub(crate) rect: Rect,
    /// Nothing is drawn outside of this.
    pub(crate) clip: Rect,
    /// Its colours, premultiplied by their opacity.
    pub(crate) colors: Vec<Color32>,
}

impl Text {
    fn new(shape: &TextShape, row: &PlacedRow, clip: Rect) -> Self {
        let bounds = row.visuals.mesh_bounds.translate(row.pos.to_vec2());
        let turn = Rot2::from_angle(shape.angle);
        let corners = [
            bounds.left_top(),
            bounds.right_top(),
            bounds.right_bottom(),
            bounds.left_bottom(),
        ];
        let corners = corners.map(|corner| shape.pos + turn * corner.to_vec2());
        let color = |color: Color32| {
            let color = match (shape.override_text_color, color) {
                (Some(color), _) => color,
                (None, Color32::PLACEHOLDER) => shape.fallback_color,
                (None, color) => color,
            };
            color.gamma_multiply(shape.opacity_factor)
        };
        let sections = &shape.galley.job.sections;
        Self {
            words: row.text().trim().to_owned(),
            corners,
            rect: Rect::from_points(&corners),
            clip,
            colors: sections.iter().map(|x| color(x.format.color)).collect(),
        }
    }

    /// Whether any of it is seen.
    fn is_seen(&self) -> bool {
        let seen = self.rect.intersect(self.clip);
        !self.words.is_empty() && seen.is_positive() && self.colors.iter().any(|x| x.a() > 0)
    }
}

/// The texts that are seen, in the order in which they are painted.
pub(crate) fn texts(window: &Window) -> Vec<Text> {
    let mut found = Vec::new();
    for clipped in &window.output().shapes {
        collect(&clipped.shape, clipped.clip_rect, &mut found);
    }
    found.retain(Text::is_seen);
    found
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all other shapes have no text"
)]
fn collect(shape: &Shape, clip: Rect, found: &mut Vec<Text>) {
    match shape {
        Shape::Vec(shapes) => shapes.iter().for_each(|shape| collect(shape, clip, found)),
        Shape::Text(text) => {
            let rows = text.galley.rows.iter();
            found.extend(rows.map(|row| Text::new(text, row, clip)));
        }
        _ => {}
    }
}

/// The shapes of a window without its texts.
pub(crate) fn without_texts(shapes: &[ClippedShape]) -> Vec<ClippedShape> {
    let rest = shapes.iter().map(|clipped| ClippedShape {
        shape: without_text(&clipped.shape),
        ..clipped.clone()
    });
    rest.collect()
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all other shapes have no text"
)]
fn without_text(shape: &Shape) -> Shape {
    match shape {
        Shape::Vec(shapes) => Shape::Vec(shapes.iter().map(without_text).collect()),
        Shape::Text(_) => Shape::Noop,
        other => other.clone(),
    }
}

/// How far two convex shapes overlap: the least distance by which one would have to be moved so that they do not.
pub(crate) fn overlap(a: &[Pos2; 4], b: &[Pos2; 4]) -> f32 {
    let mut least = f32::INFINITY;
    for corners in [a, b] {
        for i in 0..2 {
            let side: Vec2 = (corners[i + 1] - corners[i]).normalized();
            let range = |corners: &[Pos2; 4]| {
                let along = corners.map(|corner| side.dot(corner.to_vec2()));
                let low = along.into_iter().fold(f32::INFINITY, f32::min);
                (low, along.into_iter().fold(f32::NEG_INFINITY, f32::max))
            };
            let ((a_low, a_high), (b_low, b_high)) = (range(a), range(b));
            least = least.min(a_high.min(b_high) - a_low.max(b_low));
        }
    }
    least
}

/// The two recorded runs, or the first of them.
pub(crate) fn recorded(count: usize) -> Options {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded");
    let runs = ["solar-none", "solar-branch"].map(|name| root.join(name));
    Options {
        runs: runs.into_iter().take(count).collect(),
        ..Options::default()
    }
}
