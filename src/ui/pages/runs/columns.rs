//! The columns of the table.

use super::values::group_value;
use crate::run::event::Split;
use crate::ui::state::run_table::{Column, Order, Table, shortened, title_of};

/// Free space on both sides of a cell's text, in points.
pub(super) const CELL_MARGIN: f32 = 6.0;
/// The greatest number of columns for fields in which the runs differ; the details list all such fields.
const FIELD_COLUMNS: usize = 6;

/// A column as it is drawn.
pub(super) struct Drawn {
    pub(super) column: Column,
    pub(super) title: String,
    pub(super) help: String,
    pub(super) width: f32,
    /// Whether the text is aligned to the right, as numbers are.
    pub(super) is_right: bool,
}

impl Drawn {
    fn new(column: Column, title: &str, help: &str, width: f32, is_right: bool) -> Self {
        Self {
            column,
            title: title.to_owned(),
            help: help.to_owned(),
            width,
            is_right,
        }
    }
}

/// All columns, from left to right. Each is as wide as its text needs, and the column of names takes the rest.
pub(super) fn columns(table: &Table, order: &Order, available: f32) -> Vec<Drawn> {
    let mut columns = Vec::from(of_runs(table, order));
    let differing = table.fields.iter().take(FIELD_COLUMNS);
    columns.extend(differing.map(|name| of_field(table, order, name)));
    columns.extend(of_scores(order));
    columns.extend(of_time());
    let fixed: f32 = columns.iter().map(|column| column.width).sum();
    // The name of a group has its number of runs and a button beside it.
    let least = if order.by_seed { 240.0 } else { 130.0 };
    columns[1].width = (available - fixed).clamp(least, 420.0);
    columns
}

/// The columns of the state and the name of a run.
fn of_runs(table: &Table, order: &Order) -> [Drawn; 2] {
    let rows = table.rows.iter();
    let longest = rows.map(|row| row.state.word().chars().count()).max();
    let letters = longest.unwrap_or(0).max(if order.by_seed { 15 } else { 8 });
    let help = "What the run is doing, or how it ended";
    let state = Drawn::new(Column::State, "State", help, width_of(letters), false);
    let help = "The run's directory, or what it was renamed to";
    [state, Drawn::new(Column::Name, "Name", help, 0.0, false)]
}

/// The column of a field of the configuration in which the runs listed differ.
fn of_field(table: &Table, order: &Order, name: &str) -> Drawn {
    let of_runs = table
        .rows
        .iter()
        .filter_map(|row| row.field(name))
        .map(|value| shortened(value).chars().count());
    let field = Column::Field(name.to_owned());
    let of_group = |group| {
        let value = group_value(table, group, &field, order.split);
        value.chars().count()
    };
    let of_groups = table.groups.iter().map(of_group);
    let longest = of_runs.chain(of_groups).max().unwrap_or(0);
    let title = title_of(name);
    let letters = longest.max(title.chars().count() + 1);
    let help = format!("{title}, a field of the configuration in which the runs listed differ");
    let width = width_of(letters).clamp(48.0, 130.0);
    Drawn::new(field, &title, &help, width, false)
}

/// The columns of the scores on the split that was chosen.
fn of_scores(order: &Order) -> [Drawn; 3] {
    let images = match order.split {
        Split::Test => "of test images at the step with the best validation macro-F1",
        Split::Train | Split::Val => "of validation images at the newest evaluation",
    };
    let over = if order.by_seed {
        ": mean ± standard deviation over finished runs (their number)"
    } else {
        ""
    };
    let width = if order.by_seed { 132.0 } else { 74.0 };
    let score = |column, title, what| {
        let help = format!("{what}, from 0 to 1, {images}{over}");
        Drawn::new(column, title, &help, width, true)
    };
    [
        score(Column::MacroF1, "Macro-F1", "Mean F1 over the classes"),
        score(
            Column::Accuracy,
            "Accuracy",
            "Share of images that were classified rightly",
        ),
        score(
            Column::RarestF1,
            "Rarest F1",
            "F1 of the class with the fewest training images",
        ),
    ]
}

/// The columns of the steps that are done and of the time at which the run began.
fn of_time() -> [Drawn; 2] {
    let steps = "Optimiser steps done, of all";
    let started = "Date and time at the start, in UTC";
    [
        Drawn::new(Column::Steps, "Steps", steps, 112.0, true),
        Drawn::new(Column::Started, "Started", started, 126.0, true),
    ]
}

/// Estimated width in points of a column with this number of letters.
fn width_of(letters: usize) -> f32 {
    6.5 * letters as f32 + 2.0 * CELL_MARGIN
}
