//! Triangles on pixels: which pixels one covers, and in what colour.

use egui::epaint::Vertex;
use egui::{Color32, TextureFilter, TextureOptions};

/// Subpixels along the side of a pixel, to which vertices are rounded: whole numbers decide exactly which pixels a
/// triangle covers.
const SUBPIXELS: i64 = 256;

/// Vertices are clamped to within this many pixels of the origin, so that products of positions fit 64 bits.
const FAR: f32 = 1_000_000.0;

pub(in crate::figure::export) struct Texture {
    pub(in crate::figure::export) size: [usize; 2],
    /// Premultiplied colours, row by row.
    pub(in crate::figure::export) texels: Vec<Color32>,
    pub(in crate::figure::export) options: TextureOptions,
}

/// The image and the part of it that may be painted on, as half-open ranges of pixels.
pub(in crate::figure::export) struct Canvas<'a> {
    pub(in crate::figure::export) pixels: &'a mut [[u8; 4]],
    pub(in crate::figure::export) width: usize,
    pub(in crate::figure::export) x: [i64; 2],
    pub(in crate::figure::export) y: [i64; 2],
}

impl Canvas<'_> {
    pub(in crate::figure::export) fn triangle(
        &mut self,
        corners: [&Vertex; 3],
        pixels_per_point: f32,
        texture: &Texture,
    ) {
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

/// Paints `colour` (premultiplied, 0 to 255) over a pixel (premultiplied).
fn blend(pixel: &mut [u8; 4], colour: [f32; 4]) {
    let rest = 1.0 - colour[3] / 255.0;
    for (under, over) in pixel.iter_mut().zip(colour) {
        *under = (over + rest * f32::from(*under) + 0.5) as u8;
    }
}

/// Values that are interpolated over a triangle: premultiplied colour 0 to 255, and texture position in texels.
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
    /// `None` where the triangle has no area, or a corner that is not finite.
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
        // Computed from the edges, not as a difference of two far-away values, which would lose all precision in a
        // long thin triangle.
        let share = |from: [i64; 2], to: [i64; 2]| triangle.share((from[1] - to[1]) * SUBPIXELS);
        triangle.step = triangle.along([share(c, a), share(a, b)]);
        let look = corners.map(|corner| (corner.color, corner.uv));
        if look[0] == look[1] && look[0] == look[2] {
            triangle.flat = Some(texture.tint(&attributes[0], triangle.filter));
        }
        Some(triangle)
    }

    /// The rows that the triangle may cover, as a half-open range.
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

    /// An area as a share of the triangle's; both are doubled, in square subpixels.
    fn share(&self, twice_area: i64) -> f32 {
        (twice_area as f64 / self.area as f64) as f32
    }

    /// Change of the attributes from the first corner to a point, given as shares of the ways to the second and the
    /// third corner.
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

    /// Bilinear interpolation between the four texels around a position (in texels).
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
