//! A drawing as SVG: shapes as shapes, text as text, and only what has no counterpart as a small image.

use std::collections::HashMap;
use std::fmt::Write as _;

use egui::emath::GuiRounding as _;
use egui::epaint::text::Glyph;
use egui::epaint::{
    CircleShape, ClippedShape, ColorMode, EllipseShape, Mesh, PathShape, PathStroke, RectShape,
    TextShape, Vertex,
};
use egui::{Color32, FontFamily, FontId, Pos2, Rect, Shape, Stroke, StrokeKind, Vec2};

use super::{Drawing, encode_png};

/// Millimetres to a point.
const MM_PER_POINT: f32 = 25.4 / 96.0;

/// Points of a long curve that share this much of the width, in points, are told apart by their extremes alone.
const COLUMN: f32 = 0.25;

/// What a file says of itself, beside what it draws.
pub(super) struct About<'a> {
    pub(super) title: &'a str,
    pub(super) description: &'a str,
    /// Run, figure and view, as JSON.
    pub(super) record: &'a str,
}

/// The whole file.
pub(super) fn svg(drawing: &Drawing, about: &About<'_>) -> String {
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
        number(width * MM_PER_POINT),
        number(height * MM_PER_POINT),
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
    /// What follows is clipped to a rectangle, or not at all.
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
            Shape::Rect(_) | Shape::Mesh(_) | Shape::Band(_) => self.picture(shape, clip_rect),
        }
    }

    fn circle(&mut self, circle: &CircleShape) {
        let (x, y, r) = (circle.center.x, circle.center.y, circle.radius);
        let look = format!("{}{}", fill(circle.fill), stroke(circle.stroke));
        self.element(&format!(
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\"{look}/>",
            number(x),
            number(y),
            number(r)
        ));
    }

    fn ellipse(&mut self, ellipse: &EllipseShape) {
        let (center, radius) = (ellipse.center, ellipse.radius);
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
            // No figure has such a line; one colour of it is better than none.
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

    fn rect(&mut self, shape: &RectShape) {
        let half = if shape.stroke.is_empty() {
            0.0
        } else {
            shape.stroke.width / 2.0
        };
        // SVG draws lines on the edge itself.
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

    /// Triangles of plain colours: as rectangles, as one with a gradient, or as they are.
    fn mesh(&mut self, mesh: &Mesh) {
        if let Some(gradient) = Gradient::of(mesh) {
            return self.gradient(&gradient);
        }
        // Of one colour after the other, so that a large matrix stays small.
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

    /// Sharp edges, as triangles have them: smooth ones would let the background through between neighbours.
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

    /// What SVG has no counterpart of, such as a texture: as pixels.
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
        let galley = &shape.galley;
        let mut chars = galley.job.text.char_indices().peekable();
        let mut section = 0;
        for row in &galley.rows {
            let mut run: Option<Run<'_>> = None;
            for glyph in &row.row.glyphs {
                // A sign that stands for what was cut is in no section: it looks like what is before it.
                if chars
                    .peek()
                    .is_some_and(|(_, chr)| *chr == glyph.chr || !galley.elided)
                    && let Some((byte, _)) = chars.next()
                {
                    let sections = galley.job.sections.iter();
                    section = sections
                        .take_while(|section| section.byte_range.start.0 <= byte)
                        .count()
                        .saturating_sub(1);
                }
                let Some(format) = galley.job.sections.get(section).map(|x| &x.format) else {
                    continue;
                };
                let color = match (shape.override_text_color, format.color) {
                    (Some(color), _) => color,
                    (None, Color32::PLACEHOLDER) => shape.fallback_color,
                    (None, color) => color,
                };
                let look = (
                    color.gamma_multiply(shape.opacity_factor),
                    &format.font_id,
                    face(glyph),
                );
                match &mut run {
                    Some(run) if run.look == look => run.push(glyph),
                    _ => {
                        self.run(run.take(), pos, row.pos.to_vec2(), shape.angle);
                        run = Some(Run::new(look, glyph));
                    }
                }
            }
            self.run(run, pos, row.pos.to_vec2(), shape.angle);
            if row.ends_with_newline {
                chars.next();
            }
        }
    }

    fn run(&mut self, run: Option<Run<'_>>, pos: Pos2, row: Vec2, angle: f32) {
        let Some(run) = run else { return };
        let (color, font, is_fallback) = run.look;
        let text = run.text.trim_end();
        if text.is_empty() || color == Color32::TRANSPARENT {
            return;
        }
        let at = pos + row + run.from.to_vec2();
        let space = if text.contains("  ") {
            " xml:space=\"preserve\""
        } else {
            ""
        };
        self.element(&format!(
            "<text x=\"{}\" y=\"{}\"{} font-size=\"{}\" textLength=\"{}\" \
             lengthAdjust=\"spacingAndGlyphs\"{}{}{space}>{}</text>",
            number(at.x),
            number(at.y),
            family(font, is_fallback),
            number(font.size),
            number(run.to - run.from.x),
            fill(color),
            rotation(angle, pos),
            escaped(text)
        ));
    }
}

/// Colour, font, and whether the glyphs come from a fallback of that font.
type TextLook<'a> = (Color32, &'a FontId, bool);

/// Glyphs beside each other that look alike.
struct Run<'a> {
    look: TextLook<'a>,
    text: String,
    /// Baseline of the first glyph, in the row.
    from: Pos2,
    /// Right end of the last glyph that is no space.
    to: f32,
}

impl<'a> Run<'a> {
    fn new(look: TextLook<'a>, glyph: &Glyph) -> Self {
        let mut run = Self {
            look,
            text: String::new(),
            from: glyph.pos,
            to: glyph.pos.x,
        };
        run.push(glyph);
        run
    }

    fn push(&mut self, glyph: &Glyph) {
        if glyph.chr.is_whitespace() {
            if self.text.is_empty() {
                // Space before the first letter is a matter of where that stands.
                self.from.x = glyph.max_x();
                return;
            }
        } else {
            self.to = glyph.max_x();
        }
        self.text.push(glyph.chr);
    }
}

/// Whether a glyph comes from a fallback of its font.
fn face(glyph: &Glyph) -> bool {
    (glyph.font_face_ascent - glyph.font_ascent).abs() > 0.01
        || (glyph.font_face_height - glyph.font_height).abs() > 0.01
}

/// The fonts that the figure was drawn with, then what comes near them on other machines.
fn family(font: &FontId, is_fallback: bool) -> &'static str {
    match (&font.family, is_fallback) {
        (FontFamily::Monospace, false) | (_, true) => {
            " font-family=\"Hack, 'DejaVu Sans Mono', Menlo, Consolas, monospace\""
        }
        _ => {
            " font-family=\"Ubuntu, 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', sans-serif\" font-weight=\"300\""
        }
    }
}

/// Colours that change along one axis of a rectangle.
struct Gradient {
    rect: Rect,
    vertical: bool,
    /// From 0 to 1, from left to right or from top to bottom.
    stops: Vec<(f32, Color32)>,
}

impl Gradient {
    /// None where the mesh is anything else.
    fn of(mesh: &Mesh) -> Option<Self> {
        let rect = mesh.calc_bounds();
        let first = mesh.vertices.first()?.color;
        if !rect.is_positive() || mesh.vertices.iter().all(|vertex| vertex.color == first) {
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
fn is_plain(mesh: &Mesh) -> bool {
    let is_white = |vertex: &Vertex| vertex.uv == egui::epaint::WHITE_UV;
    let is_flat = |at: usize| {
        corners(mesh, at).is_none_or(|[a, b, c]| a.color == b.color && a.color == c.color)
    };
    mesh.texture_id == egui::TextureId::default()
        && mesh.vertices.iter().all(is_white)
        && ((0..mesh.indices.len()).step_by(3).all(is_flat) || Gradient::of(mesh).is_some())
}

/// The corners of the triangle whose indices begin at `at`.
fn corners(mesh: &Mesh, at: usize) -> Option<[&Vertex; 3]> {
    let indices = mesh.indices.get(at..at + 3)?;
    let vertex = |i: usize| mesh.vertices.get(indices[i] as usize);
    Some([vertex(0)?, vertex(1)?, vertex(2)?])
}

/// The rectangle that two triangles make, as egui adds them.
fn rectangle(mesh: &Mesh, at: usize) -> Option<Rect> {
    let (first, second) = (corners(mesh, at)?, corners(mesh, at + 3)?);
    let all = || first.iter().chain(&second);
    let rect = Rect::from_points(&all().map(|vertex| vertex.pos).collect::<Vec<_>>());
    let is_corner = |vertex: &&Vertex| {
        let [x, y] = [rect.x_range(), rect.y_range()];
        [x.min, x.max].contains(&vertex.pos.x) && [y.min, y.max].contains(&vertex.pos.y)
    };
    let doubled = |[a, b, c]: [&Vertex; 3]| {
        let (ab, ac) = (b.pos - a.pos, c.pos - a.pos);
        (ab.x * ac.y - ab.y * ac.x).abs()
    };
    let area = rect.area();
    let covers = [first, second]
        .map(doubled)
        .iter()
        .all(|twice| (twice - area).abs() <= 1e-3 * area);
    let same = all().all(|vertex| vertex.color == first[0].color);
    // Two halves of it, and not the same half twice.
    let corners: std::collections::BTreeSet<_> = all()
        .map(|vertex| [vertex.pos.x.to_bits(), vertex.pos.y.to_bits()])
        .collect();
    (same && covers && corners.len() == 4 && all().all(|x| is_corner(&x))).then_some(rect)
}

/// Of the points that share a column, the first, the extremes and the last, in order.
fn thinned(points: &[Pos2]) -> Vec<Pos2> {
    let mut kept: Vec<Pos2> = Vec::new();
    for column in points.chunk_by(|a, b| (a.x / COLUMN).floor() == (b.x / COLUMN).floor()) {
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

/// With at most two decimals: a hundredth of a point is 3 µm.
fn number(value: f32) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

fn pair(point: Pos2) -> String {
    format!("{},{}", number(point.x), number(point.y))
}

fn place(rect: Rect) -> String {
    format!(
        "x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
        number(rect.left()),
        number(rect.top()),
        number(rect.width().max(0.0)),
        number(rect.height().max(0.0))
    )
}

fn rect_path(rect: Rect) -> String {
    let (x, y) = (number(rect.left()), number(rect.top()));
    let (right, bottom) = (number(rect.right()), number(rect.bottom()));
    format!("M{x} {y}H{right}V{bottom}H{x}Z")
}

fn polygon_path([a, b, c]: [Pos2; 3]) -> String {
    format!("M{}L{}L{}Z", pair(a), pair(b), pair(c))
}

fn rotation(radians: f32, around: Pos2) -> String {
    if radians == 0.0 {
        return String::new();
    }
    let degrees = radians.to_degrees();
    format!(
        " transform=\"rotate({degrees:.3} {} {})\"",
        number(around.x),
        number(around.y)
    )
}

/// `#rrggbb`, and the opacity where it is not 1.
fn hex(color: Color32) -> (String, Option<String>) {
    let [r, g, b, a] = color.to_srgba_unmultiplied();
    let opacity = (a < 255).then(|| format!("{:.3}", f32::from(a) / 255.0));
    (format!("#{r:02x}{g:02x}{b:02x}"), opacity)
}

fn fill(color: Color32) -> String {
    if color == Color32::TRANSPARENT {
        return " fill=\"none\"".to_owned();
    }
    let (color, opacity) = hex(color);
    let opacity = opacity.map_or_else(String::new, |x| format!(" fill-opacity=\"{x}\""));
    format!(" fill=\"{color}\"{opacity}")
}

fn stroke(stroke: Stroke) -> String {
    if stroke.is_empty() {
        return String::new();
    }
    let (color, opacity) = hex(stroke.color);
    let opacity = opacity.map_or_else(String::new, |x| format!(" stroke-opacity=\"{x}\""));
    format!(
        " stroke=\"{color}\"{opacity} stroke-width=\"{}\"",
        number(stroke.width)
    )
}

/// Text for XML. What XML 1.0 cannot hold becomes the replacement character.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\t' | '\n' | '\r' => escaped.push(' '),
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = (0..3).fold(0_u32, |word, i| {
            word << 8 | u32::from(*chunk.get(i).unwrap_or(&0))
        });
        for i in 0..4 {
            let sign = SIGNS[(word >> (18 - 6 * i)) as usize & 63];
            text.push(if i <= chunk.len() {
                char::from(sign)
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests;
