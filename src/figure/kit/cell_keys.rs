//! The keys of a figure of cells: arrows go from cell to cell, Enter or the space bar picks.

use egui::{EventFilter, Key, Modifiers, Response, Ui};

/// The keys that were pressed in this frame.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::figure) struct Keys {
    /// Cells to go down; negative for up. `right` likewise counts cells to the right.
    down: isize,
    right: isize,
    pub(in crate::figure) picks: bool,
}

impl Keys {
    /// Takes the keys for a figure that has the keyboard focus; `None` for any other figure.
    pub(in crate::figure) fn of(ui: &Ui, figure: &Response) -> Option<Self> {
        if !figure.has_focus() {
            return None;
        }
        let arrows = EventFilter {
            horizontal_arrows: true,
            vertical_arrows: true,
            ..EventFilter::default()
        };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(figure.id, arrows));
        Some(Self {
            down: presses(ui, Key::ArrowDown) - presses(ui, Key::ArrowUp),
            right: presses(ui, Key::ArrowRight) - presses(ui, Key::ArrowLeft),
            picks: presses(ui, Key::Enter) + presses(ui, Key::Space) > 0,
        })
    }

    /// The direction of the arrows pressed: to the right and down, in units of −1, 0 and 1; `None` where none is.
    pub(in crate::figure) fn direction(self) -> Option<(isize, isize)> {
        let direction = (self.right.signum(), self.down.signum());
        (direction != (0, 0)).then_some(direction)
    }

    /// The cell that the keys lead to from another cell, in a figure of `size` rows and columns.
    pub(in crate::figure) fn from(
        self,
        (row, column): (usize, usize),
        size: (usize, usize),
    ) -> (usize, usize) {
        let moved = |from: usize, by: isize, count: usize| {
            from.saturating_add_signed(by).min(count.saturating_sub(1))
        };
        (
            moved(row, self.down, size.0),
            moved(column, self.right, size.1),
        )
    }
}

/// How often a key was pressed in this frame.
pub(in crate::figure) fn presses(ui: &Ui, key: Key) -> isize {
    ui.input_mut(|input| input.count_and_consume_key(Modifiers::NONE, key)) as isize
}
