//! A drawing as PDF of one page: what is written as SVG, with the fonts that the figure was drawn with inside the file.

use std::sync::{Arc, LazyLock};

use krilla::geom::Size;
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla_svg::{SurfaceExt as _, SvgSettings};
use usvg::fontdb::Database;

use crate::figure::export::draw::{Drawing, ExportError};
use crate::figure::export::svg::{self, About};
use crate::figure::kit::style;

/// PDF measures in typographic points.
const PDF_POINTS_PER_MM: f64 = 72.0 / 25.4;

/// The fonts that come with the program. In letters that they have, every machine writes the same bytes.
static FONTS: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut fonts = Database::new();
    for font in style::fonts().font_data.values() {
        fonts.load_font_data((*font.font).as_ref().to_vec());
    }
    Arc::new(fonts)
});

/// The fonts that a drawing uses: those of the program and, for letters that these lack, those that were found in the system.
fn fonts_of(drawing: &Drawing) -> Arc<Database> {
    let found: Vec<Vec<u8>> = drawing.context.fonts(|fonts| {
        let found = fonts.discovered_fonts().iter();
        found
            .map(|font| (*font.data.font).as_ref().to_vec())
            .collect()
    });
    if found.is_empty() {
        return FONTS.clone();
    }
    let mut fonts = (**FONTS).clone();
    for font in found {
        fonts.load_font_data(font);
    }
    Arc::new(fonts)
}

/// The bytes of the whole file, the same from the same drawing.
///
/// # Errors
/// Where the page has no size, or a font cannot be embedded.
pub(super) fn pdf(drawing: &Drawing, about: &About<'_>) -> Result<Vec<u8>, ExportError> {
    let options = usvg::Options {
        fontdb: fonts_of(drawing),
        ..usvg::Options::default()
    };
    let tree = usvg::Tree::from_str(&svg::svg(drawing, about), &options);
    let tree = tree.map_err(|error| ExportError::Pdf(error.to_string()))?;
    let points = (about.mm_per_point * PDF_POINTS_PER_MM) as f32;
    let [width, height] = [drawing.size().x, drawing.size().y].map(|side| side * points);
    let no_size = || ExportError::Pdf("the page has no size".to_owned());
    let size = Size::from_wh(width, height).ok_or_else(no_size)?;
    let settings = PageSettings::from_wh(width, height).ok_or_else(no_size)?;
    let mut document = krilla::Document::new();
    document.set_metadata(
        Metadata::new()
            .title(about.title.to_owned())
            .description(about.description.to_owned())
            .language("en".to_owned())
            .creator("Crosscurrent".to_owned()),
    );
    let mut page = document.start_page_with(settings);
    let mut surface = page.surface();
    let drawn = surface.draw_svg(&tree, size, SvgSettings::default());
    surface.finish();
    page.finish();
    drawn.ok_or_else(no_size)?;
    let finished = document.finish();
    finished.map_err(|error| ExportError::Pdf(format!("{error:?}")))
}

#[cfg(test)]
mod tests;
