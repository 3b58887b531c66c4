//! The cells that a figure puts into a square.

use egui::{Color32, Ui};

use crate::figure::kit::numerals::signed;
use crate::figure::kit::palette;
use crate::figure::look::pick::Pick;

/// How a cell looks.
pub(in crate::figure) struct Look {
    pub(in crate::figure) color: Color32,
    /// Whether the cell is hatched, as undefined cells are.
    pub(in crate::figure) hatched: bool,
    /// The number in the cell, shown where it has room.
    pub(in crate::figure) number: Number,
    /// Whether the value is significant; the cell of one that is not is drawn low, in its full colour.
    pub(in crate::figure) significant: bool,
}

/// The number in a cell: turned into text only where the cell has room for it.
#[derive(Clone, Copy)]
pub(in crate::figure) enum Number {
    None,
    Count(u64),
    /// A number with two decimals, and a minus sign (U+2212).
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
        // Cells too small for hatching are grey.
        let color = palette::blend(
            ui.visuals().panel_fill,
            ui.visuals().weak_text_color(),
            0.35,
        );
        Self {
            color,
            hatched: true,
            number: Number::None,
            significant: true,
        }
    }
}

/// The cells that a figure puts into the square.
pub(in crate::figure) trait Cells {
    /// Accessible name of the whole square.
    const NAME: &'static str;
    /// How the cell of the class of a row and the class of a column looks.
    fn look(&self, ui: &Ui, row: usize, column: usize) -> Look;
    /// Accessible name of a cell.
    fn name(&self, row: usize, column: usize) -> String;
    /// Writes everything about a cell: the text of its tooltip.
    fn words_ui(&self, ui: &mut Ui, row: usize, column: usize);
    /// The pick of a click on a cell; `None` where the click selects nothing.
    fn pick(&self, row: usize, column: usize) -> Option<Pick>;
}

/// A cell of the diagonal, which has no number.
pub(in crate::figure) fn diagonal(ui: &Ui) -> Look {
    let (background, weak) = (ui.visuals().panel_fill, ui.visuals().weak_text_color());
    Look {
        color: palette::blend(background, weak, 0.2),
        hatched: false,
        number: Number::None,
        significant: true,
    }
}
