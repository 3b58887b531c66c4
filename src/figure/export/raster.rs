//! Paints egui's triangles on the CPU: without a window or a graphics card, and byte for byte the same everywhere.

use std::collections::HashMap;

use egui::epaint::{ImageData, ImageDelta, Primitive};
use egui::{ClippedPrimitive, Color32, TextureId, TexturesDelta};
use image::{Rgba, RgbaImage};

use crate::figure::export::triangle::{Canvas, Texture};

/// Keeps the textures of one [`egui::Context`] and paints its triangles.
///
/// Does what egui's own painters do: vertex colour times texture, blended with premultiplied alpha in gamma space.
/// Textures are clamped at their edges and sampled by their magnification filter at every size. Paint callbacks are
/// left out: they need a graphics card.
#[derive(Default)]
pub struct Rasteriser {
    textures: HashMap<TextureId, Texture>,
    /// Textures freed by the latest pass, whose shapes may still show them.
    freed: Vec<TextureId>,
}

impl Rasteriser {
    /// A rasteriser without textures.
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

    /// Paints `primitives` (in points, as [`egui::Context::tessellate`] gives them) over a `background`, on an image
    /// of `size_px` (width, height). Colours of the image are premultiplied, which matters where the background is not
    /// opaque.
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
mod tests;
