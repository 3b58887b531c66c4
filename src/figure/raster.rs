//! Paints egui's triangles on the CPU: without a window or a graphics card, and byte for byte the same everywhere.

use std::collections::HashMap;

use egui::epaint::{ImageData, ImageDelta, Primitive, Vertex};
use egui::{ClippedPrimitive, Color32, TextureFilter, TextureId, TextureOptions, TexturesDelta};
use image::{Rgba, RgbaImage};

/// Steps of a vertex position within a pixel. Whole numbers decide exactly which pixels a triangle covers.
const SUBPIXELS: i64 = 256;

/// Vertices further away than this many pixels are brought to it, so that products of positions fit 64 bits.
const FAR: f32 = 1_000_000.0;

/// Keeps the textures of one [`egui::Context`] and paints its triangles.
///
/// Does what egui's own painters do: vertex colour times texture, blended with premultiplied alpha in gamma space.
/// Textures are clamped at their edges and sampled by their magnification filter at every size. Paint callbacks are
/// left out: they need a graphics card.
#[derive(Default)]
pub struct Rasteriser {
    textures: HashMap<TextureId, Texture>,
    /// Freed by the latest pass, whose shapes may still show them.
    freed: Vec<TextureId>,
}

struct Texture {
    size: [usize; 2],
    /// Premultiplied, row by row.
    texels: Vec<Color32>,
    options: TextureOptions,
}

impl Rasteriser {
    /// Without textures.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes over the changes of one pass and leaves `delta` empty. Every pass needs this, painted or not.
    pub fn apply(&mut self, delta: &mut TexturesDelta) {
        for id in self.freed.drain(..) {
            self.textures.remove(&id);
        }
        for (id, changes) in delta.set.drain() {
            for change in changes {
                self.change(id, &change);
            }
        }
        self.freed.extend(delta.free.drain());
    }

    fn change(&mut self, id: TextureId, change: &ImageDelta) {
        let ImageData::Color(image) = &change.image;
        match change.pos {
            None => {
                let texture = Texture {
                    size: image.size,
                    texels: image.pixels.clone(),
                    options: change.options,
                };
                self.textures.insert(id, texture);
            }
            Some([x, y]) => {
                let Some(texture) = self.textures.get_mut(&id) else {
                    return;
                };
                let rows = image.pixels.chunks_exact(image.size[0].max(1));
                for (row, from) in rows.enumerate() {
                    let start = (y + row) * texture.size[0] + x;
                    if let Some(to) = texture.texels.get_mut(start..start + from.len()) {
                        to.copy_from_slice(from);
                    }
                }
            }
        }
    }

    /// Paints `primitives` (in points, as [`egui::Context::tessellate`] gives them) over a `background`, on an image of
    /// `size_px` (width, height). Its colours are premultiplied, which shows where the background is not opaque.
    pub fn paint(
        &self,
        size_px: [usize; 2],
        pixels_per_point: f32,
        primitives: &[ClippedPrimitive],
        background: Color32,
    ) -> RgbaImage {
        let [width, height] = size_px;
        let background = Rgba(background.to_array());
        let mut image = RgbaImage::from_pixel(width as u32, height as u32, background);
        for ClippedPrimitive {
            clip_rect,
            primitive,
        } in primitives
        {
            let Primitive::Mesh(mesh) = primitive else {
                continue;
            };
            let Some(texture) = self.textures.get(&mesh.texture_id) else {
                continue;
            };
            let edge = |points: f32, end: usize| {
                (points * pixels_per_point).round().clamp(0.0, end as f32) as i64
            };
            let mut canvas = Canvas {
                pixels: image.as_chunks_mut().0,
                width,
                x: [edge(clip_rect.min.x, width), edge(clip_rect.max.x, width)],
                y: [edge(clip_rect.min.y, height), edge(clip_rect.max.y, height)],
            };
            for corners in mesh.indices.as_chunks().0 {
                let corner = |index: u32| mesh.vertices.get(index as usize);
                let [a, b, c] = corners.map(corner);
                if let (Some(a), Some(b), Some(c)) = (a, b, c) {
                    canvas.triangle([a, b, c], pixels_per_point, texture);
                }
            }
        }
        image
    }
}

/// The image and the part of it that may be painted on, as half-open ranges of pixels.
struct Canvas<'a> {
    pixels: &'a mut [[u8; 4]],
    width: usize,
    x: [i64; 2],
    y: [i64; 2],
}

impl Canvas<'_> {
    fn triangle(&mut self, corners: [&Vertex; 3], pixels_per_point: f32, texture: &Texture) {
        let Some(triangle) = Triangle::new(corners, pixels_per_point, texture) else {
            return;
        };
        let [top, bottom] = triangle.rows();
        for y in top.max(self.y[0])..bottom.min(self.y[1]) {
            let [start, end] = triangle.span(y, self.x);
            if start >= end {
                continue;
            }
            let row = y as usize * self.width;
            let pixels = &mut self.pixels[row + start as usize..row + end as usize];
            match triangle.flat {
                Some(colour) => pixels.iter_mut().for_each(|pixel| blend(pixel, colour)),
                None => triangle.shade(pixels, start, y, texture),
            }
        }
    }
}

/// `colour` (premultiplied, 0 to 255) over a pixel (premultiplied).
fn blend(pixel: &mut [u8; 4], colour: [f32; 4]) {
    let rest = 1.0 - colour[3] / 255.0;
    for (under, over) in pixel.iter_mut().zip(colour) {
        *under = (over + rest * f32::from(*under) + 0.5) as u8;
    }
}

/// What is interpolated over a triangle: premultiplied colour 0 to 255, and texture position in texels.
type Attributes = [f32; 6];

struct Triangle {
    /// Corners in subpixels, clockwise on screen.
    corners: [[i64; 2]; 3],
    /// Twice the area, in square subpixels.
    area: i64,
    attributes: [Attributes; 3],
    /// Change of the attributes from one pixel to its right neighbour.
    step: Attributes,
    /// The colour of the whole triangle, where it has only one.
    flat: Option<[f32; 4]>,
    filter: TextureFilter,
}

impl Triangle {
    /// None where it covers nothing, or has a corner that is no number.
    fn new(corners: [&Vertex; 3], pixels_per_point: f32, texture: &Texture) -> Option<Self> {
        if corners
            .iter()
            .any(|corner| !corner.pos.is_finite() || !corner.uv.is_finite())
        {
            return None;
        }
        let mut corners = corners;
        let fixed = |points: f32| {
            let pixels = (points * pixels_per_point).clamp(-FAR, FAR);
            (pixels * SUBPIXELS as f32).round() as i64
        };
        let mut positions = corners.map(|corner| [fixed(corner.pos.x), fixed(corner.pos.y)]);
        let [a, b, c] = positions;
        let area = edge(a, b, c);
        if area == 0 {
            return None;
        }
        if area < 0 {
            positions.swap(1, 2);
            corners.swap(1, 2);
        }
        let size = texture.size.map(|side| side as f32);
        let attributes = corners.map(|corner| {
            let [r, g, b, a] = corner.color.to_array().map(f32::from);
            [r, g, b, a, corner.uv.x * size[0], corner.uv.y * size[1]]
        });
        let mut triangle = Self {
            corners: positions,
            area: area.abs(),
            attributes,
            step: Attributes::default(),
            flat: None,
            filter: texture.options.magnification,
        };
        let [a, b, c] = positions;
        // Not as a difference of two far-away values: in a long thin triangle that would lose all precision.
        let share = |from: [i64; 2], to: [i64; 2]| triangle.share((from[1] - to[1]) * SUBPIXELS);
        triangle.step = triangle.along([share(c, a), share(a, b)]);
        let look = corners.map(|corner| (corner.color, corner.uv));
        if look[0] == look[1] && look[0] == look[2] {
            triangle.flat = Some(texture.tint(&attributes[0], triangle.filter));
        }
        Some(triangle)
    }

    /// The rows it may cover.
    fn rows(&self) -> [i64; 2] {
        let y = self.corners.map(|[_, y]| y);
        let [a, b, c] = y;
        [
            a.min(b).min(c).div_euclid(SUBPIXELS),
            a.max(b).max(c).div_euclid(SUBPIXELS) + 1,
        ]
    }

    /// Pixels of row `y` within `[start, end)` whose centres are inside. A centre on an edge belongs to the triangle
    /// only where the edge is a top or a left one, so that of two triangles that share an edge exactly one has it.
    fn span(&self, y: i64, [mut start, mut end]: [i64; 2]) -> [i64; 2] {
        for i in 0..3 {
            let (from, to) = (self.corners[i], self.corners[(i + 1) % 3]);
            let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
            let owned = dy < 0 || (dy == 0 && dx > 0);
            let at_zero = edge(from, to, centre(0, y)) - i64::from(!owned);
            // Inside where at_zero + step x >= 0.
            let step = -dy * SUBPIXELS;
            if step > 0 {
                start = start.max(-at_zero.div_euclid(step));
            } else if step < 0 {
                end = end.min(at_zero.div_euclid(-step) + 1);
            } else if at_zero < 0 {
                end = start;
            }
        }
        [start, end]
    }

    /// Attributes at the centre of a pixel.
    fn attributes_at(&self, x: i64, y: i64) -> Attributes {
        let [a, b, c] = self.corners;
        let at = centre(x, y);
        let from_first = self.along([self.share(edge(c, a, at)), self.share(edge(a, b, at))]);
        std::array::from_fn(|i| self.attributes[0][i] + from_first[i])
    }

    /// A part of the triangle's area.
    fn share(&self, twice_area: i64) -> f32 {
        (twice_area as f64 / self.area as f64) as f32
    }

    /// Change of the attributes on the way from the first corner by shares of the ways to the second and the third.
    fn along(&self, [second, third]: [f32; 2]) -> Attributes {
        let [first, to_second, to_third] = self.attributes;
        std::array::from_fn(|i| {
            second * (to_second[i] - first[i]) + third * (to_third[i] - first[i])
        })
    }

    fn shade(&self, pixels: &mut [[u8; 4]], start: i64, y: i64, texture: &Texture) {
        let first = self.attributes_at(start, y);
        for (x, pixel) in pixels.iter_mut().enumerate() {
            let at = std::array::from_fn(|i| first[i] + self.step[i] * x as f32);
            blend(pixel, texture.tint(&at, self.filter));
        }
    }
}

fn centre(x: i64, y: i64) -> [i64; 2] {
    [x, y].map(|pixels| pixels * SUBPIXELS + SUBPIXELS / 2)
}

/// Twice the area of the triangle `from`, `to`, `point`: positive where the three run clockwise on screen.
fn edge(from: [i64; 2], to: [i64; 2], point: [i64; 2]) -> i64 {
    (to[0] - from[0]) * (point[1] - from[1]) - (to[1] - from[1]) * (point[0] - from[0])
}

impl Texture {
    /// Vertex colour times texture, premultiplied, 0 to 255.
    fn tint(&self, &[r, g, b, a, u, v]: &Attributes, filter: TextureFilter) -> [f32; 4] {
        let texel = match filter {
            TextureFilter::Nearest => self.texel(u.floor() as i64, v.floor() as i64),
            TextureFilter::Linear => self.between(u, v),
        };
        let vertex = [r, g, b, a];
        std::array::from_fn(|i| (vertex[i] * texel[i] / 255.0).clamp(0.0, 255.0))
    }

    /// The four texels around a position, by their nearness.
    fn between(&self, u: f32, v: f32) -> [f32; 4] {
        let (u, v) = (u - 0.5, v - 0.5);
        let (column, row) = (u.floor(), v.floor());
        let (right, down) = (u - column, v - row);
        let (column, row) = (column as i64, row as i64);
        let mix = |from: [f32; 4], to: [f32; 4], share: f32| -> [f32; 4] {
            std::array::from_fn(|i| from[i] + share * (to[i] - from[i]))
        };
        let line = |row| {
            let (left_texel, right_texel) = (self.texel(column, row), self.texel(column + 1, row));
            mix(left_texel, right_texel, right)
        };
        mix(line(row), line(row + 1), down)
    }

    /// A texel 0 to 255; beyond an edge, the texel at the edge.
    fn texel(&self, column: i64, row: i64) -> [f32; 4] {
        let inside = |at: i64, size: usize| at.clamp(0, (size.max(1) - 1) as i64) as usize;
        let index = inside(row, self.size[1]) * self.size[0] + inside(column, self.size[0]);
        let texel = self.texels.get(index).copied().unwrap_or_default();
        texel.to_array().map(f32::from)
    }
}

#[cfg(test)]
impl egui_kittest::TestRenderer for Rasteriser {
    fn handle_delta(&mut self, delta: &mut TexturesDelta) {
        self.apply(delta);
    }

    fn render(
        &mut self,
        ctx: &egui::Context,
        output: &egui::FullOutput,
    ) -> Result<RgbaImage, String> {
        let scale = ctx.pixels_per_point();
        let size = ctx.content_rect().size() * scale;
        let primitives = ctx.tessellate(output.shapes.clone(), scale);
        let background = ctx.global_style().visuals.panel_fill;
        let size_px = [size.x.round() as usize, size.y.round() as usize];
        Ok(self.paint(size_px, scale, &primitives, background))
    }
}

#[cfg(test)]
mod tests {
    use egui::epaint::ColorImage;
    use egui::{Mesh, Pos2, Rect, pos2};
    use egui_kittest::Harness;

    use super::*;

    const WHITE: TextureId = TextureId::Managed(0);

    /// A rasteriser whose one texture is the image given.
    fn with_texture(image: ColorImage, options: TextureOptions) -> Rasteriser {
        let mut rasteriser = Rasteriser::new();
        let mut delta = TexturesDelta::default();
        delta.push(WHITE, ImageDelta::full(image, options));
        rasteriser.apply(&mut delta);
        rasteriser
    }

    fn plain() -> Rasteriser {
        with_texture(
            ColorImage::filled([1, 1], Color32::WHITE),
            TextureOptions::LINEAR,
        )
    }

    fn mesh(points: &[Pos2], indices: &[u32], color: Color32) -> Mesh {
        let vertex = |&pos: &Pos2| Vertex {
            pos,
            uv: Pos2::ZERO,
            color,
        };
        Mesh {
            indices: indices.to_vec(),
            vertices: points.iter().map(vertex).collect(),
            texture_id: WHITE,
        }
    }

    fn clipped(mesh: Mesh, clip_rect: Rect) -> Vec<ClippedPrimitive> {
        vec![ClippedPrimitive {
            clip_rect,
            primitive: Primitive::Mesh(mesh),
        }]
    }

    /// A fan of triangles around a point, with corners that are not on pixels: each pixel inside must be blended
    /// once, also where edges meet, whichever way round the triangles are listed.
    #[test]
    fn triangles_that_share_edges_cover_each_pixel_once() {
        let rim = [
            pos2(-5.0, -7.3),
            pos2(13.5, -4.0),
            pos2(71.2, -3.0),
            pos2(70.0, 33.5),
            pos2(66.6, 69.0),
            pos2(20.5, 71.7),
            pos2(-9.0, 65.1),
        ];
        let centres = [
            pos2(31.5, 20.5),
            pos2(32.0, 33.0),
            pos2(13.5, 40.123),
            pos2(8.77, 3.33),
        ];
        for centre in centres {
            let points: Vec<_> = std::iter::once(centre).chain(rim).collect();
            let count = rim.len() as u32;
            let fan = (0..count).flat_map(|i| {
                let (this, next) = (1 + i, 1 + (i + 1) % count);
                if i % 2 == 0 {
                    [0, this, next]
                } else {
                    [next, this, 0]
                }
            });
            let half = Color32::from_rgba_premultiplied(100, 100, 100, 100);
            let mesh = mesh(&points, &fan.collect::<Vec<_>>(), half);
            let image = plain().paint(
                [64, 64],
                1.0,
                &clipped(mesh, Rect::EVERYTHING),
                Color32::BLACK,
            );
            for (x, y, pixel) in image.enumerate_pixels() {
                assert_eq!(pixel.0, [100, 100, 100, 255], "at {x}, {y}");
            }
        }
    }

    /// Worked out by hand: centres on the left and top edge are in, those on the right and bottom edge are out.
    #[test]
    fn a_triangle_owns_its_top_and_left_edge() {
        let square = [
            pos2(1.5, 1.5),
            pos2(4.5, 1.5),
            pos2(4.5, 3.5),
            pos2(1.5, 3.5),
        ];
        let mesh = mesh(&square, &[0, 1, 2, 0, 2, 3], Color32::WHITE);
        let image = plain().paint(
            [6, 5],
            1.0,
            &clipped(mesh, Rect::EVERYTHING),
            Color32::BLACK,
        );
        for (x, y, pixel) in image.enumerate_pixels() {
            let inside = (1..4).contains(&x) && (1..3).contains(&y);
            assert_eq!(pixel[0] == 255, inside, "at {x}, {y}");
        }
    }

    #[test]
    fn nothing_is_painted_outside_the_clip_rectangle() {
        let everywhere = [pos2(-9e9, -9e9), pos2(9e9, -9e9), pos2(0.0, 9e9)];
        let clip = Rect::from_min_max(pos2(2.0, 1.0), pos2(5.0, 4.0));
        let mesh = mesh(&everywhere, &[0, 1, 2], Color32::WHITE);
        let image = plain().paint([20, 20], 2.0, &clipped(mesh, clip), Color32::BLACK);
        for (x, y, pixel) in image.enumerate_pixels() {
            let inside = (4..10).contains(&x) && (2..8).contains(&y);
            assert_eq!(pixel[0] == 255, inside, "at {x}, {y}");
        }
    }

    #[test]
    fn nonsense_is_left_out() {
        let bad = [pos2(f32::NAN, 0.0), pos2(9.0, 0.0), pos2(0.0, 9.0)];
        let good = [pos2(0.0, 0.0), pos2(9.0, 0.0), pos2(0.0, 9.0)];
        let missing_texture = Mesh {
            texture_id: TextureId::Managed(7),
            ..mesh(&good, &[0, 1, 2], Color32::WHITE)
        };
        for mesh in [
            mesh(&bad, &[0, 1, 2], Color32::WHITE),
            mesh(&good, &[0, 1, 77], Color32::WHITE),
            mesh(&good, &[0, 0, 1], Color32::WHITE),
            missing_texture,
        ] {
            let image = plain().paint(
                [4, 4],
                1.0,
                &clipped(mesh, Rect::EVERYTHING),
                Color32::BLACK,
            );
            assert!(image.pixels().all(|pixel| pixel.0 == [0, 0, 0, 255]));
        }
    }

    /// A texture of two by one texels, black and white, drawn eight pixels wide.
    fn stretched(options: TextureOptions) -> Vec<u8> {
        let texels = ColorImage::new([2, 1], vec![Color32::BLACK, Color32::WHITE]);
        let mut mesh = Mesh::with_texture(WHITE);
        let whole = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
        let rect = Rect::from_min_max(Pos2::ZERO, pos2(8.0, 1.0));
        mesh.add_rect_with_uv(rect, whole, Color32::WHITE);
        let primitives = clipped(mesh, Rect::EVERYTHING);
        let image = with_texture(texels, options).paint([8, 1], 1.0, &primitives, Color32::BLACK);
        image.pixels().map(|pixel| pixel[0]).collect()
    }

    /// By hand: pixel x has its centre at (x + 1/2)/4 texels, texel centres lie at 1/2 and 3/2.
    #[test]
    fn textures_are_sampled_as_asked() {
        let nearest = stretched(TextureOptions::NEAREST);
        assert_eq!(nearest, [0, 0, 0, 0, 255, 255, 255, 255]);
        let linear = stretched(TextureOptions::LINEAR);
        assert_eq!(linear, [0, 0, 32, 96, 159, 223, 255, 255]);
    }

    #[test]
    fn colours_blend_premultiplied_and_interpolate() {
        let over = Color32::from_rgba_premultiplied(100, 0, 0, 128);
        let corners = [pos2(0.0, 0.0), pos2(9.0, 0.0), pos2(0.0, 9.0)];
        let primitives = clipped(mesh(&corners, &[0, 1, 2], over), Rect::EVERYTHING);
        let image = plain().paint([1, 1], 1.0, &primitives, Color32::from_rgb(50, 200, 0));
        // 100 + 127/255 · 50 = 124.9, 0 + 127/255 · 200 = 99.6.
        assert_eq!(image.get_pixel(0, 0).0, [125, 100, 0, 255]);

        let mut ramp = mesh(
            &[pos2(0.0, 0.0), pos2(255.0, 0.0), pos2(0.0, 255.0)],
            &[0, 1, 2],
            Color32::BLACK,
        );
        ramp.vertices[1].color = Color32::WHITE;
        let primitives = clipped(ramp, Rect::EVERYTHING);
        let image = plain().paint([200, 2], 1.0, &primitives, Color32::GREEN);
        for x in 0..200 {
            let off = image.get_pixel(x, 1)[0].abs_diff(x as u8);
            assert!(off <= 1, "at {x}");
        }
    }

    /// As the feathered edges of long lines are.
    #[test]
    fn a_long_thin_triangle_far_out_is_shaded_precisely() {
        let mut strip = mesh(
            &[
                pos2(0.0, 1000.1),
                pos2(2000.0, 1000.1),
                pos2(2000.0, 1001.0),
                pos2(0.0, 1001.0),
            ],
            &[0, 1, 2, 0, 2, 3],
            Color32::BLACK,
        );
        strip.vertices[1].color = Color32::WHITE;
        strip.vertices[2].color = Color32::WHITE;
        let primitives = clipped(strip, Rect::EVERYTHING);
        let image = plain().paint([2000, 1001], 1.0, &primitives, Color32::GREEN);
        for x in 0..2000 {
            let wanted = (f64::from(x) + 0.5) / 2000.0 * 255.0;
            let off = f64::from(image.get_pixel(x, 1000)[0]) - wanted;
            assert!(off.abs() < 0.51, "off by {off} at {x}");
        }
    }

    #[test]
    fn textures_change_in_part_and_outlive_the_pass_that_frees_them() {
        let mut rasteriser = with_texture(
            ColorImage::filled([4, 4], Color32::BLACK),
            TextureOptions::NEAREST,
        );
        let texel = |rasteriser: &Rasteriser, x: usize, y: usize| {
            rasteriser
                .textures
                .get(&WHITE)
                .map(|texture| texture.texels[y * 4 + x])
        };
        let mut delta = TexturesDelta::default();
        let part = ColorImage::filled([2, 1], Color32::RED);
        delta.push(
            WHITE,
            ImageDelta::partial([1, 2], part, TextureOptions::NEAREST),
        );
        delta.free(WHITE);
        rasteriser.apply(&mut delta);
        assert!(delta.is_empty());
        for (x, y) in (0..4).flat_map(|y| (0..4).map(move |x| (x, y))) {
            let inside = (1..3).contains(&x) && y == 2;
            let wanted = if inside { Color32::RED } else { Color32::BLACK };
            assert_eq!(texel(&rasteriser, x, y), Some(wanted), "at {x}, {y}");
        }
        rasteriser.apply(&mut TexturesDelta::default());
        assert_eq!(texel(&rasteriser, 0, 0), None);
    }

    #[test]
    fn it_renders_for_the_test_harness() -> anyhow::Result<()> {
        let mut harness = Harness::builder()
            .with_size([120.0, 40.0])
            .with_pixels_per_point(2.0)
            .renderer(Rasteriser::new())
            .build_ui(|ui| {
                ui.label("Dusty");
            });
        harness.run();
        let image = harness.render().map_err(anyhow::Error::msg)?;
        assert_eq!(image.dimensions(), (240, 80));
        let background = *image.get_pixel(239, 79);
        let text = image.pixels().filter(|&&pixel| pixel != background);
        assert!(text.count() > 100);
        Ok(())
    }
}
