//! Writes the shapes of a drawing one after the other.

use std::collections::HashMap;
use std::fmt::Write as _;

use egui::emath::{GuiRounding as _, Rot2};
use egui::epaint::text::PlacedRow;
use egui::epaint::{
    BandShape, CircleShape, ClippedShape, ColorMode, EllipseShape, Mesh, PathShape, PathStroke,
    RectShape, TextShape,
};
use egui::{Color32, Pos2, Rect, Shape, Stroke, StrokeKind, Vec2};

use super::super::draw::Drawing;
use super::super::png::encode_png;
use super::letters::{Letters, rows_of};
use super::mesh::{Gradient, corners, is_flat, is_plain, rectangle};
use super::text::{Piece, Run, as_it_is, family, format_at, look};
use super::words::{
    base64, escaped, fill, hex, number, pair, place, polygon_path, rect_path, rotation, stroke,
};

/// Width of a column, in points: the points of a long curve within one column are reduced to its extremes and ends.
const COLUMN: f32 = 0.25;

/// Words about the figure that the file holds beside the drawing.
pub(in crate::figure::export) struct About<'a> {
    pub(in crate::figure::export) title: &'a str,
    pub(in crate::figure::export) description: &'a str,
    pub(in crate::figure::export) mm_per_point: f64,
    /// Run, figure and view, as JSON.
    pub(in crate::figure::export) record: &'a str,
}

/// The text of the whole file.
pub(in crate::figure::export) fn svg(drawing: &Drawing, about: &About<'_>) -> String {
    let mut writer = Writer {
        drawing,
        defs: String::new(),
        body: String::new(),
        clips: HashMap::new(),
        clip: None,
        gradients: 0,
    };
    let page = Rect::from_min_size(Pos2::ZERO, drawing.size());
    if drawing.background.a() > 0 {
        let rect = RectShape::filled(page, 0.0, drawing.background);
        writer.rect(&rect);
    }
    for shape in &drawing.shapes {
        let seen = shape.clip_rect.intersect(page);
        if seen.is_positive() {
            writer.clip_to((!seen.contains_rect(page)).then_some(seen));
            writer.shape(&shape.shape, shape.clip_rect);
        }
    }
    writer.clip_to(None);
    let (width, height) = (page.width(), page.height());
    let mut svg = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a string cannot fail.
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}mm\" height=\"{}mm\" viewBox=\"0 0 {} {}\">",
        number(width * about.mm_per_point as f32),
        number(height * about.mm_per_point as f32),
        number(width),
        number(height)
    );
    for (tag, text) in [
        ("title", about.title),
        ("desc", about.description),
        ("metadata", about.record),
    ] {
        let _ = writeln!(svg, "<{tag}>{}</{tag}>", escaped(text));
    }
    let _ = writeln!(svg, "<defs>\n{}</defs>\n{}</svg>", writer.defs, writer.body);
    svg
}

struct Writer<'a> {
    drawing: &'a Drawing,
    defs: String,
    body: String,
    /// Numbers of the clip paths, by their attributes.
    clips: HashMap<String, usize>,
    /// The clip path that is open.
    clip: Option<usize>,
    gradients: usize,
}

impl Writer<'_> {
    /// Clips the shapes that follow to a rectangle, or not at all.
    fn clip_to(&mut self, rect: Option<Rect>) {
        let next = rect.map(|rect| {
            let attributes = place(rect);
            let number = self.clips.len();
            *self.clips.entry(attributes.clone()).or_insert_with(|| {
                let defs = &mut self.defs;
                let _ = writeln!(
                    defs,
                    "<clipPath id=\"clip{number}\"><rect {attributes}/></clipPath>"
                );
                number
            })
        });
        if next == self.clip {
            return;
        }
        if self.clip.is_some() {
            self.body.push_str("</g>\n");
        }
        if let Some(number) = next {
            let _ = writeln!(self.body, "<g clip-path=\"url(#clip{number})\">");
        }
        self.clip = next;
    }

    fn element(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }

    fn shape(&mut self, shape: &Shape, clip_rect: Rect) {
        let bounds = shape.visual_bounding_rect();
        if !matches!(shape, Shape::Vec(_)) && !clip_rect.intersects(bounds) {
            return;
        }
        match shape {
            Shape::Noop | Shape::Callback(_) => {}
            Shape::Vec(shapes) => shapes.iter().for_each(|shape| self.shape(shape, clip_rect)),
            Shape::Circle(circle) => self.circle(circle),
            Shape::Ellipse(ellipse) => self.ellipse(ellipse),
            Shape::LineSegment { points, stroke } => self.line(*points, *stroke),
            Shape::Path(path) => self.path(path),
            Shape::Rect(rect) if rect.brush.is_none() && rect.blur_width <= 0.0 => self.rect(rect),
            Shape::Text(text) => self.text(text),
            Shape::Mesh(mesh) if is_plain(mesh) => self.mesh(mesh),
            Shape::QuadraticBezier(curve) => {
                let points = curve.flatten(None);
                self.curve(points, curve.closed, curve.fill, &curve.stroke);
            }
            Shape::CubicBezier(curve) => {
                let points = curve.flatten(None);
                self.curve(points, curve.closed, curve.fill, &curve.stroke);
            }
            Shape::Band(band) => self.band(band),
            Shape::Rect(_) | Shape::Mesh(_) => self.picture(shape, clip_rect),
        }
    }

    fn circle(&mut self, circle: &CircleShape) {
        let (x, y) = (circle.center.x, circle.center.y);
        let r = circle.radius + half(circle.stroke);
        let look = format!("{}{}", fill(circle.fill), stroke(circle.stroke));
        self.element(&format!(
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\"{look}/>",
            number(x),
            number(y),
            number(r)
        ));
    }

    fn ellipse(&mut self, ellipse: &EllipseShape) {
        let center = ellipse.center;
        let radius = ellipse.radius + Vec2::splat(half(ellipse.stroke));
        self.element(&format!(
            "<ellipse cx=\"{}\" cy=\"{}\" rx=\"{}\" ry=\"{}\"{}{}{}/>",
            number(center.x),
            number(center.y),
            number(radius.x),
            number(radius.y),
            fill(ellipse.fill),
            stroke(ellipse.stroke),
            rotation(ellipse.angle, center)
        ));
    }

    fn line(&mut self, points: [Pos2; 2], line: Stroke) {
        let [from, to] = points.map(|point| (number(point.x), number(point.y)));
        self.element(&format!(
            "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"{}/>",
            from.0,
            from.1,
            to.0,
            to.1,
            stroke(line)
        ));
    }

    fn path(&mut self, path: &PathShape) {
        self.curve(path.points.clone(), path.closed, path.fill, &path.stroke);
    }

    fn curve(&mut self, mut points: Vec<Pos2>, closed: bool, filled: Color32, line: &PathStroke) {
        points.retain(|point| point.is_finite());
        if points.len() < 2 {
            return;
        }
        if !closed {
            points = thinned(&points);
        }
        let color = match &line.color {
            ColorMode::Solid(color) => *color,
            // No figure has a line of several colours; one colour of it is better than none.
            ColorMode::UV(color) => color(Rect::from_points(&points), points[0]),
        };
        let look = format!("{}{}", fill(filled), stroke(Stroke::new(line.width, color)));
        let tag = if closed { "polygon" } else { "polyline" };
        let joins = if closed {
            ""
        } else {
            " stroke-linejoin=\"round\""
        };
        let points = points.iter().map(|point| pair(*point));
        let points = points.collect::<Vec<_>>().join(" ");
        self.element(&format!("<{tag} points=\"{points}\"{look}{joins}/>"));
    }

    /// Writes the band that egui draws for long curves: from the least to the greatest y, for every x.
    fn band(&mut self, band: &BandShape) {
        let turn = Rot2::from_angle(band.angle);
        let corner = |x: f32, y: f32| (turn * Vec2::new(x, y)).to_pos2();
        let points = || band.points.iter().filter(|point| point.is_finite());
        let upper = points().map(|point| corner(point.x, point.y.min));
        let lower = points().rev().map(|point| corner(point.x, point.y.max));
        let outline = upper.chain(lower).collect();
        self.curve(outline, true, band.fill, &PathStroke::from(band.stroke));
    }

    fn rect(&mut self, shape: &RectShape) {
        let half = half(shape.stroke);
        // SVG draws lines on the edge itself, half of them on either side.
        let (rect, grown) = match shape.stroke_kind {
            StrokeKind::Inside => (shape.rect.shrink(half), -half),
            StrokeKind::Middle => (shape.rect, 0.0),
            StrokeKind::Outside => (shape.rect.expand(half), half),
        };
        let radius = f32::from(shape.corner_radius.nw);
        let radius = match (radius + grown).max(0.0) {
            r if radius > 0.0 && r > 0.0 => format!(" rx=\"{}\"", number(r)),
            _ => String::new(),
        };
        self.element(&format!(
            "<rect {}{radius}{}{}{}/>",
            place(rect),
            fill(shape.fill),
            stroke(shape.stroke),
            rotation(shape.angle, shape.rect.center())
        ));
    }

    /// Writes triangles of plain colours: as rectangles, as one rectangle with a gradient, or as triangles.
    fn mesh(&mut self, mesh: &Mesh) {
        if !is_flat(mesh) {
            if let Some(gradient) = Gradient::of(mesh) {
                self.gradient(&gradient);
            }
            return;
        }
        // Neighbours of one colour share a path, so that the file of a large matrix stays small.
        let mut path = String::new();
        let mut color = Color32::TRANSPARENT;
        let mut at = 0;
        while let Some(corners) = corners(mesh, at) {
            let (outline, used) = match rectangle(mesh, at) {
                Some(rect) => (rect_path(rect), 6),
                None => (polygon_path(corners.map(|corner| corner.pos)), 3),
            };
            if corners[0].color != color {
                self.flat(&path, color);
                path.clear();
                color = corners[0].color;
            }
            path.push_str(&outline);
            at += used;
        }
        self.flat(&path, color);
    }

    /// Writes a path with sharp edges, as triangles have them: smooth edges would let the background through between
    /// neighbours.
    fn flat(&mut self, path: &str, color: Color32) {
        if !path.is_empty() && color != Color32::TRANSPARENT {
            let look = fill(color);
            self.element(&format!(
                "<path shape-rendering=\"crispEdges\" d=\"{path}\"{look}/>"
            ));
        }
    }

    fn gradient(&mut self, gradient: &Gradient) {
        let number = self.gradients;
        self.gradients += 1;
        let end = if gradient.vertical {
            "x2=\"0\" y2=\"1\""
        } else {
            "x2=\"1\" y2=\"0\""
        };
        let _ = writeln!(
            self.defs,
            "<linearGradient id=\"scale{number}\" x1=\"0\" y1=\"0\" {end}>"
        );
        for (at, color) in &gradient.stops {
            let (color, opacity) = hex(*color);
            let opacity = opacity.map_or_else(String::new, |x| format!(" stop-opacity=\"{x}\""));
            let _ = writeln!(
                self.defs,
                "<stop offset=\"{at:.4}\" stop-color=\"{color}\"{opacity}/>"
            );
        }
        self.defs.push_str("</linearGradient>\n");
        let place = place(gradient.rect);
        self.element(&format!("<rect {place} fill=\"url(#scale{number})\"/>"));
    }

    /// Writes a shape that SVG has no counterpart of, such as a texture, as an image.
    fn picture(&mut self, shape: &Shape, clip_rect: Rect) {
        let scale = self.drawing.context.pixels_per_point();
        let shapes = vec![ClippedShape::new(clip_rect, shape.clone())];
        let mut image = self.drawing.pixels_of(shapes, Color32::TRANSPARENT);
        let page = Rect::from_min_size(Pos2::ZERO, self.drawing.size());
        let seen = shape
            .visual_bounding_rect()
            .expand(1.0)
            .intersect(clip_rect)
            .intersect(page);
        let pixel = |points: f32| (points * scale).round().max(0.0) as u32;
        let (x, y) = (pixel(seen.left()), pixel(seen.top()));
        let (width, height) = (pixel(seen.right()) - x, pixel(seen.bottom()) - y);
        let part = image::imageops::crop(&mut image, x, y, width, height).to_image();
        // An image without pixels cannot be encoded, and shows nothing.
        let Ok(bytes) = encode_png(&part) else { return };
        let points = |pixels: u32| pixels as f32 / scale;
        let rect = Rect::from_min_size(
            Pos2::new(points(x), points(y)),
            Vec2::new(points(width), points(height)),
        );
        self.element(&format!(
            "<image {} preserveAspectRatio=\"none\" href=\"data:image/png;base64,{}\"/>",
            place(rect),
            base64(&bytes)
        ));
    }

    fn text(&mut self, shape: &TextShape) {
        let scale = self.drawing.context.pixels_per_point();
        let pos = shape.pos.round_to_pixels(scale);
        let rows = rows_of(&shape.galley);
        for (row, letters) in shape.galley.rows.iter().zip(rows) {
            match letters {
                Letters::Each(letters) => self.row(shape, row, &letters, pos),
                Letters::Parts(parts, ellipsis) => {
                    let text = as_it_is(shape, row, (&parts, ellipsis), pos);
                    self.element(&text);
                }
            }
        }
    }

    /// Writes a row whose glyphs stand for these characters of the text.
    fn row(
        &mut self,
        shape: &TextShape,
        row: &PlacedRow,
        letters: &[Option<(usize, char)>],
        pos: Pos2,
    ) {
        let mut run: Option<Run<'_>> = None;
        for (glyph, letter) in row.row.glyphs.iter().zip(letters) {
            let Some((byte, chr)) = *letter else {
                continue;
            };
            let Some(format) = format_at(&shape.galley.job, byte) else {
                continue;
            };
            let look = look(shape, format);
            match &mut run {
                Some(run) if run.look == look => run.push(glyph, chr),
                _ => {
                    self.run(run.take(), pos, row.pos.to_vec2(), shape.angle);
                    run = Some(Run::new(look, glyph, chr));
                }
            }
        }
        self.run(run, pos, row.pos.to_vec2(), shape.angle);
    }

    fn run(&mut self, run: Option<Run<'_>>, pos: Pos2, row: Vec2, angle: f32) {
        let Some(run) = run else { return };
        let (color, font) = run.look;
        if run.pieces.is_empty() || color == Color32::TRANSPARENT {
            return;
        }
        let at = pos + row;
        let is_spaced = run.pieces.iter().any(|piece| piece.text.contains("  "));
        let _ = write!(
            self.body,
            "<text y=\"{}\" font-size=\"{}\"{}{}{}",
            number(at.y + run.baseline),
            number(font.size),
            fill(color),
            rotation(angle, pos),
            if is_spaced {
                " xml:space=\"preserve\""
            } else {
                ""
            }
        );
        // Where another font is used, `textLength` fits its letters into the width of these.
        let place = |piece: &Piece| {
            format!(
                " x=\"{}\" textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\"{}",
                number(at.x + piece.from),
                number(piece.to - piece.from),
                family(font, piece.is_fallback)
            )
        };
        if let [piece] = &run.pieces[..] {
            let (place, text) = (place(piece), escaped(piece.text.trim_end()));
            return self.element(&format!("{place}>{text}</text>"));
        }
        self.body.push('>');
        for piece in &run.pieces {
            let (place, word) = (place(piece), piece.text.trim_end());
            // A space after a word does not count towards its length, and the next word has a position of its own.
            let space = &piece.text[word.len()..];
            let _ = write!(self.body, "<tspan{place}>{}</tspan>{space}", escaped(word));
        }
        self.element("</text>");
    }
}

/// Half the width of a line, where there is one.
fn half(stroke: Stroke) -> f32 {
    if stroke.is_empty() {
        0.0
    } else {
        stroke.width / 2.0
    }
}

/// Thins a curve: of the points that share a column, it keeps the first, the extremes and the last, in order.
pub(in crate::figure) fn thinned(points: &[Pos2]) -> Vec<Pos2> {
    let column_of = |point: &Pos2| (point.x / COLUMN).floor() as i64;
    let mut kept: Vec<Pos2> = Vec::new();
    for column in points.chunk_by(|a, b| column_of(a) == column_of(b)) {
        if column.len() <= 4 {
            kept.extend(column);
            continue;
        }
        let extreme = |highest: bool| {
            let order = |a: &usize, b: &usize| column[*a].y.total_cmp(&column[*b].y);
            let at = if highest {
                (0..column.len()).min_by(order)
            } else {
                (0..column.len()).max_by(order)
            };
            at.unwrap_or(0)
        };
        let mut wanted = [0, extreme(true), extreme(false), column.len() - 1];
        wanted.sort_unstable();
        kept.extend(wanted.map(|at| column[at]));
    }
    kept
}
