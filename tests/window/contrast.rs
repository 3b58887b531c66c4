//! Every text can be read: its contrast to what is drawn below it is at least 4.5 to 1, as WCAG 2 asks (criterion
//! 1.4.3).

use std::collections::HashMap;

use anyhow::{Result, ensure};
use crosscurrent::figure::raster::Rasteriser;
use crosscurrent::ui::Page;
use egui::{Color32, Rect, Rgba, TexturesDelta, Theme};
use egui_kittest::Harness;
use egui_kittest::kittest::{AccessKitNode, By, Queryable as _};
use image::RgbaImage;

use super::texts::{Text, recorded, texts, without_texts};
use super::{Window, settle, window_of};

/// WCAG 2.1 asks less of large text, of which there is none here, and nothing of disabled widgets.
const LEAST: f32 = 4.5;

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
