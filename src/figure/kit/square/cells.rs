//! What a figure puts into the cells of a square.

use egui::{Color32, Ui};

use crate::figure::kit::numerals::signed;
use crate::figure::kit::palette;
use crate::figure::look::pick::Pick;

/// How a cell looks.
pub(in crate::figure) struct Look {
    pub(in crate::figure) color: Color32,
    /// Undefined.
    pub(in crate::figure) hatched: bool,
    /// Its number, where it has room, and
    pub(in crate::figure) number: Number,
    /// whether that steps back.
    pub(in crate::figure) pale: bool,
}

/// The number in a cell: put into words only where the cell has room for it.
#[derive(Clone, Copy)]
pub(in crate::figure) enum Number {
    None,
    Count(u64),
    /// With two decimals, and a real minus.
    Decimal(f64),
}

impl Number {
    pub(in crate::figure::kit::square) fn words(self) -> String {
        match self {
            Self::None => String::new(),
            Self::Count(count) => count.to_string(),
            Self::Decimal(value) => signed(value),
        }
    }
}

impl Look {
    /// An undefined cell.
    pub(in crate::figure) fn undefined(ui: &Ui) -> Self {
        // From far away hatching is grey.
        let color = palette::blend(
            ui.visuals().panel_fill,
            ui.visuals().weak_text_color(),
            0.35,
        );
        Self {
            color,
            hatched: true,
            number: Number::None,
            pale: false,
        }
    }
}

/// The cells that a figure puts into the square.
pub(in crate::figure) trait Cells {
    /// Name of the whole, for those who cannot see it.
    const NAME: &'static str;
    /// How the cell of a row's and a column's class looks.
    fn look(&self, ui: &Ui, row: usize, column: usize) -> Look;
    /// Its name for those who cannot see it.
    fn name(&self, row: usize, column: usize) -> String;
    /// Everything about it, in words.
    fn words_ui(&self, ui: &mut Ui, row: usize, column: usize);
    /// What a click on it selects.
    fn pick(&self, row: usize, column: usize) -> Option<Pick>;
}

/// A cell of the diagonal, which says nothing.
pub(in crate::figure) fn diagonal(ui: &Ui) -> Look {
    let (background, weak) = (ui.visuals().panel_fill, ui.visuals().weak_text_color());
    Look {
        color: palette::blend(background, weak, 0.2),
        hatched: false,
        number: Number::None,
        pale: true,
    }
}
