//! Recognises the meshes of triangles that SVG has a counterpart for.

use egui::epaint::{Mesh, Vertex};
use egui::{Color32, Pos2, Rect};

/// Colours that change along one axis of a rectangle.
pub(super) struct Gradient {
    pub(super) rect: Rect,
    pub(super) vertical: bool,
    /// Positions from 0 to 1 with their colours, from left to right or from top to bottom.
    pub(super) stops: Vec<(f32, Color32)>,
}

impl Gradient {
    /// The gradient that a mesh draws; `None` where the mesh draws anything else.
    pub(super) fn of(mesh: &Mesh) -> Option<Self> {
        let rect = mesh.calc_bounds();
        let covered: f32 = triangles(mesh).map(twice_the_area).sum();
        if !rect.is_positive() || (covered / 2.0 - rect.area()).abs() > 1e-3 * rect.area() {
            return None;
        }
        let stops =
            |along: fn(Pos2) -> f32, across: fn(Pos2) -> f32| -> Option<Vec<(f32, Color32)>> {
                let (start, end) = (along(rect.min), along(rect.max));
                let edges = [across(rect.min), across(rect.max)];
                let mut stops: Vec<(f32, Color32)> = Vec::new();
                for vertex in &mesh.vertices {
                    let is_on_edge = edges
                        .iter()
                        .any(|edge| (edge - across(vertex.pos)).abs() < 1e-3);
                    let at = (along(vertex.pos) - start) / (end - start);
                    match stops.iter().find(|(other, _)| (other - at).abs() < 1e-5) {
                        _ if !is_on_edge => return None,
                        Some((_, color)) if *color != vertex.color => return None,
                        Some(_) => {}
                        None => stops.push((at, vertex.color)),
                    }
                }
                stops.sort_by(|a, b| a.0.total_cmp(&b.0));
                Some(stops)
            };
        if let Some(stops) = stops(|pos| pos.y, |pos| pos.x) {
            return Some(Self {
                rect,
                vertical: true,
                stops,
            });
        }
        let stops = stops(|pos| pos.x, |pos| pos.y)?;
        Some(Self {
            rect,
            vertical: false,
            stops,
        })
    }
}

/// Whether a mesh has no texture, and no colours but those of whole triangles or of a gradient.
pub(super) fn is_plain(mesh: &Mesh) -> bool {
    let is_white = |vertex: &Vertex| vertex.uv == egui::epaint::WHITE_UV;
    mesh.texture_id == egui::TextureId::default()
        && mesh.vertices.iter().all(is_white)
        && (is_flat(mesh) || Gradient::of(mesh).is_some())
}

/// Whether every triangle has one colour.
pub(super) fn is_flat(mesh: &Mesh) -> bool {
    triangles(mesh).all(|[a, b, c]| a.color == b.color && a.color == c.color)
}

fn triangles(mesh: &Mesh) -> impl Iterator<Item = [&Vertex; 3]> {
    let starts = (0..mesh.indices.len()).step_by(3);
    starts.filter_map(|at| corners(mesh, at))
}

fn twice_the_area([a, b, c]: [&Vertex; 3]) -> f32 {
    let (ab, ac) = (b.pos - a.pos, c.pos - a.pos);
    (ab.x * ac.y - ab.y * ac.x).abs()
}

/// The corners of the triangle whose indices begin at `at`.
pub(super) fn corners(mesh: &Mesh, at: usize) -> Option<[&Vertex; 3]> {
    let indices = mesh.indices.get(at..at + 3)?;
    let vertex = |i: usize| mesh.vertices.get(indices[i] as usize);
    Some([vertex(0)?, vertex(1)?, vertex(2)?])
}

/// The rectangle of one colour that the two triangles from index `at` on make, as egui adds rectangles; `None` where
/// they make none.
pub(super) fn rectangle(mesh: &Mesh, at: usize) -> Option<Rect> {
    let (first, second) = (corners(mesh, at)?, corners(mesh, at + 3)?);
    let all = || first.iter().chain(&second);
    let rect = Rect::from_points(&all().map(|vertex| vertex.pos).collect::<Vec<_>>());
    let is_corner = |vertex: &Vertex| {
        let [x, y] = [rect.x_range(), rect.y_range()];
        [x.min, x.max].contains(&vertex.pos.x) && [y.min, y.max].contains(&vertex.pos.y)
    };
    let area = rect.area();
    let covers = [first, second]
        .map(twice_the_area)
        .iter()
        .all(|twice| (twice - area).abs() <= 1e-3 * area);
    let same = all().all(|vertex| vertex.color == first[0].color);
    // Four different corners: the triangles are both halves of the rectangle, and not one half twice.
    let corners: std::collections::BTreeSet<_> = all()
        .map(|vertex| [vertex.pos.x.to_bits(), vertex.pos.y.to_bits()])
        .collect();
    (same && covers && corners.len() == 4 && all().all(|vertex| is_corner(vertex))).then_some(rect)
}
