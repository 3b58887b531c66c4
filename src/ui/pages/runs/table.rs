//! The table of runs: its columns, a line for each run or group of seeds.

use egui::{Align2, Color32, FontId, Rect, RichText, Sense, pos2, vec2};

use crate::run::event::Split;
use crate::run::glance::Scores;
use crate::ui::pages::runs::details::menu_ui;
use crate::ui::state::State;
use crate::ui::state::action::Action;
use crate::ui::state::draft::label_of;
use crate::ui::state::run_table::{Column, Group, Line, Order, Row, Table};
use crate::ui::state::runs::{RunState, variant_name};
use crate::ui::widgets::grouped;

const ROW_HEIGHT: f32 = 22.0;
/// Free space on both sides of a cell's text.
const CELL_MARGIN: f32 = 6.0;
/// More fields that differ are in the details only.
const FIELD_COLUMNS: usize = 6;

/// A column as it is drawn.
struct Drawn {
    column: Column,
    title: String,
    help: String,
    width: f32,
    /// Numbers are read from the right.
    is_right: bool,
}

fn columns(table: &Table, order: &Order, available: f32) -> Vec<Drawn> {
    let column = |column, title: &str, help: &str, width, is_right| Drawn {
        column,
        title: title.to_owned(),
        help: help.to_owned(),
        width,
        is_right,
    };
    let words = table
        .rows
        .iter()
        .map(|row| row.state.word().chars().count());
    let state = words
        .max()
        .unwrap_or(0)
        .max(if order.by_seed { 15 } else { 8 });
    let images = match order.split {
        Split::Test => "of test images at the step with the best validation macro-F1",
        _ => "of validation images at the newest evaluation",
    };
    let over = if order.by_seed {
        ": mean ± standard deviation over finished runs (their number)"
    } else {
        ""
    };
    let help = |what: &str| format!("{what}, from 0 to 1, {images}{over}");
    let score = if order.by_seed { 132.0 } else { 74.0 };
    let mut columns = vec![
        column(
            Column::State,
            "State",
            "What the run is doing, or how it ended",
            width_of(state),
            false,
        ),
        column(
            Column::Name,
            "Name",
            "The run's directory, or what it was renamed to",
            0.0,
            false,
        ),
    ];
    for name in table.fields.iter().take(FIELD_COLUMNS) {
        let of_runs = table
            .rows
            .iter()
            .filter_map(|row| row.field(name))
            .map(|value| shortened(value).chars().count());
        let field = Column::Field(name.clone());
        let of_group = |group| {
            group_value(table, group, &field, order.split)
                .chars()
                .count()
        };
        let longest = of_runs.chain(table.groups.iter().map(of_group)).max();
        let letters = longest.unwrap_or(0).max(title_of(name).chars().count() + 1);
        let help = format!(
            "{}, a field of the configuration in which the runs listed differ",
            title_of(name)
        );
        let width = width_of(letters).clamp(48.0, 130.0);
        let title = title_of(name);
        columns.push(column(
            Column::Field(name.clone()),
            &title,
            &help,
            width,
            false,
        ));
    }
    columns.extend([
        column(
            Column::MacroF1,
            "Macro-F1",
            &help("Mean F1 over the classes"),
            score,
            true,
        ),
        column(
            Column::Accuracy,
            "Accuracy",
            &help("Share of images that were classified rightly"),
            score,
            true,
        ),
        column(
            Column::RarestF1,
            "Rarest F1",
            &help("F1 of the class with the fewest training images"),
            score,
            true,
        ),
        column(
            Column::Steps,
            "Steps",
            "Optimiser steps done, of all",
            112.0,
            true,
        ),
        column(
            Column::Started,
            "Started",
            "Date and time at the start, in UTC",
            126.0,
            true,
        ),
    ]);
    let fixed: f32 = columns.iter().map(|column| column.width).sum();
    // A group's name has its number of runs and a button beside it.
    let least = if order.by_seed { 240.0 } else { 130.0 };
    columns[1].width = (available - fixed).clamp(least, 420.0);
    columns
}

/// Of a column with so many letters, about.
fn width_of(letters: usize) -> f32 {
    6.5 * letters as f32 + 2.0 * CELL_MARGIN
}

/// A field's name in words: as where it is set up, if it is.
pub(super) fn title_of(field: &str) -> String {
    let label = label_of(field);
    if label != field {
        return label.to_owned();
    }
    let text = field.replace('_', " ");
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// Of a path, its last part.
pub(super) fn shortened(value: &str) -> &str {
    value
        .rsplit(['/', '\\'])
        .next()
        .filter(|_| value.contains(':'))
        .unwrap_or(value)
}

pub(super) fn table_ui(
    ui: &mut egui::Ui,
    state: &mut State,
    table: &Table,
    actions: &mut Vec<Action>,
) {
    if table.rows.is_empty() {
        empty_ui(ui, state, table);
        return;
    }
    let columns = columns(table, &state.browser.order, ui.available_width() - 8.0);
    let width: f32 = columns.iter().map(|column| column.width).sum();
    egui::ScrollArea::horizontal()
        .auto_shrink(false)
        .show(ui, |ui| {
            ui.set_width(width);
            ui.spacing_mut().item_spacing.y = 0.0;
            header_ui(ui, &columns, &mut state.browser.order);
            egui::ScrollArea::vertical().auto_shrink(false).show_rows(
                ui,
                ROW_HEIGHT,
                table.lines.len(),
                |ui, range| {
                    for at in range {
                        line_ui(ui, state, table, &columns, at, actions);
                    }
                },
            );
        });
}

fn empty_ui(ui: &mut egui::Ui, state: &State, table: &Table) {
    ui.vertical_centered(|ui| {
        ui.add_space(ui.available_height() * 0.3);
        let text = if table.total > 0 {
            "No run matches the filter."
        } else if state.browser.looked_at.is_none() || state.browser.is_looking {
            "Looking for runs…"
        } else {
            "No runs yet. Press Start, drop a folder of runs on the window, or add one under Folders."
        };
        ui.label(RichText::new(text).weak());
    });
}

fn header_ui(ui: &mut egui::Ui, columns: &[Drawn], order: &mut Order) {
    let width: f32 = columns.iter().map(|column| column.width).sum();
    let (rect, _) = ui.allocate_exact_size(vec2(width, ROW_HEIGHT), Sense::hover());
    let mut left = rect.left();
    for column in columns {
        let cell = Rect::from_min_size(pos2(left, rect.top()), vec2(column.width, ROW_HEIGHT));
        left += column.width;
        let is_sorted = order.sort == column.column;
        let response = ui
            .interact(cell, ui.scope_id().with(&column.title), Sense::click())
            .on_hover_text(format!("{}. Click to sort by it.", column.help));
        response.widget_info(|| {
            let text = format!("Sort by {}", column.title);
            egui::WidgetInfo::selected(egui::Role::Button, true, is_sorted, text)
        });
        if response.clicked() {
            order.descending = if is_sorted {
                !order.descending
            } else {
                // The best and the newest first, names from A on.
                column.is_right
            };
            order.sort = column.column.clone();
        }
        let is_field = matches!(column.column, Column::Field(_));
        let visuals = ui.visuals();
        let colour = if response.hovered() || is_sorted {
            visuals.strong_text_color()
        } else if is_field {
            visuals.hyperlink_color
        } else {
            visuals.weak_text_color()
        };
        let arrow = if is_sorted { 10.0 } else { 0.0 };
        let text_cell = match column.is_right {
            true => cell.with_min_x(cell.left() + arrow),
            false => cell.with_max_x(cell.right() - arrow),
        };
        let end = cell_ui(ui, text_cell, &column.title, colour, column.is_right);
        if is_sorted {
            let x = if column.is_right {
                end.left() - 8.0
            } else {
                end.right() + 8.0
            };
            arrow_ui(ui, pos2(x, cell.center().y), order.descending, colour);
        }
        if response.has_focus() {
            focus_ui(ui, cell);
        }
    }
    let line = ui.visuals().widgets.noninteractive.bg_stroke;
    ui.painter()
        .hline(rect.x_range(), rect.bottom() - 0.5, line);
}

/// A triangle that points down or up.
fn arrow_ui(ui: &egui::Ui, at: egui::Pos2, down: bool, colour: Color32) {
    let sign = if down { 1.0 } else { -1.0 };
    let points = [(-3.5, -2.0), (3.5, -2.0), (0.0, 3.0)];
    let points = points.map(|(x, y)| at + vec2(x, sign * y));
    let shape = egui::Shape::convex_polygon(points.to_vec(), colour, egui::Stroke::NONE);
    ui.painter().add(shape);
}

fn focus_ui(ui: &egui::Ui, rect: Rect) {
    let stroke = ui.visuals().selection.stroke;
    ui.painter()
        .rect_stroke(rect.shrink(1.0), 2.0, stroke, egui::StrokeKind::Inside);
}

/// Text in a cell, cut where it is too long; returns where it lies.
fn cell_ui(ui: &egui::Ui, cell: Rect, text: &str, colour: Color32, is_right: bool) -> Rect {
    let font = FontId::proportional(12.5);
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, colour);
    job.wrap = egui::text::TextWrapping::truncate_at_width(cell.width() - 2.0 * CELL_MARGIN);
    let galley = ui.painter().layout_job(job);
    let anchor = if is_right {
        Align2::RIGHT_CENTER
    } else {
        Align2::LEFT_CENTER
    };
    let inner = cell.shrink2(vec2(CELL_MARGIN, 0.0));
    let at = match is_right {
        true => inner.right_center(),
        false => inner.left_center(),
    };
    let rect = anchor.anchor_size(at, galley.size());
    ui.painter().galley(rect.min, galley, colour);
    rect
}

fn line_ui(
    ui: &mut egui::Ui,
    state: &mut State,
    table: &Table,
    columns: &[Drawn],
    at: usize,
    actions: &mut Vec<Action>,
) {
    let width: f32 = columns.iter().map(|column| column.width).sum();
    let (rect, response) = ui.allocate_exact_size(vec2(width, ROW_HEIGHT), Sense::click());
    match &table.lines[at] {
        Line::Group(group) => {
            let group = &table.groups[*group];
            let unfolded = &mut state.browser.order.unfolded;
            let is_unfolded = unfolded.contains(&group.key);
            if response.clicked() && !unfolded.remove(&group.key) {
                unfolded.insert(group.key.clone());
            }
            background_ui(ui, rect, &response, false, at);
            group_ui(
                ui,
                state,
                table,
                columns,
                group,
                rect,
                is_unfolded,
                &response,
            );
            compare_ui(ui, table, columns, group, rect, actions);
        }
        Line::Run(row, is_within) => {
            let row = &table.rows[*row];
            let is_selected = state.browser.selected.as_ref() == Some(&row.dir);
            if response.clicked() || response.has_focus() && !is_selected && response.gained_focus()
            {
                select(state, row, actions);
            }
            if response.double_clicked() {
                actions.push(Action::ShowDir(row.dir.clone(), false));
            }
            background_ui(ui, rect, &response, is_selected, at);
            row_ui(
                ui,
                state,
                columns,
                row,
                rect,
                *is_within,
                is_selected,
                &response,
            );
            response.context_menu(|ui| menu_ui(ui, state, row, actions));
        }
    }
}

/// Shows the details of a run. What is typed about another is kept.
fn select(state: &mut State, row: &Row, actions: &mut Vec<Action>) {
    if state.browser.selected.as_ref() == Some(&row.dir) {
        return;
    }
    let unsaved = state.browser.unsaved();
    actions.extend(unsaved.map(|edit| Action::SaveNotes(edit.dir, edit.notes)));
    state.browser.selected = Some(row.dir.clone());
}

fn background_ui(
    ui: &egui::Ui,
    rect: Rect,
    response: &egui::Response,
    is_selected: bool,
    at: usize,
) {
    let visuals = ui.visuals();
    let fill = if is_selected {
        visuals.selection.bg_fill.gamma_multiply(0.6)
    } else if response.hovered() {
        visuals.widgets.hovered.weak_bg_fill.gamma_multiply(0.6)
    } else if at % 2 == 1 {
        visuals.faint_bg_color
    } else {
        Color32::TRANSPARENT
    };
    ui.painter().rect_filled(rect, 2.0, fill);
    if response.has_focus() {
        focus_ui(ui, rect);
    }
}

/// Each column with its cell, from left to right.
fn cells(columns: &[Drawn], rect: Rect) -> impl Iterator<Item = (&Drawn, Rect)> {
    let mut left = rect.left();
    columns.iter().map(move |column| {
        let cell = Rect::from_min_size(pos2(left, rect.top()), vec2(column.width, rect.height()));
        left += column.width;
        (column, cell)
    })
}

#[expect(
    clippy::too_many_arguments,
    reason = "a line of a table is drawn from all of these"
)]
fn row_ui(
    ui: &egui::Ui,
    state: &State,
    columns: &[Drawn],
    row: &Row,
    rect: Rect,
    is_within: bool,
    is_selected: bool,
    response: &egui::Response,
) {
    let split = state.browser.order.split;
    let (text, weak) = (ui.visuals().text_color(), ui.visuals().weak_text_color());
    let strong = ui.visuals().strong_text_color();
    let mut said = Vec::new();
    for (column, mut cell) in cells(columns, rect) {
        let value = value_of(row, &column.column, split);
        let colour = match column.column {
            Column::State if row.state.is_bad() => ui.visuals().error_fg_color,
            Column::Name if row.open.is_some() => strong,
            Column::Started => weak,
            _ if value == MISSING => weak,
            _ => text,
        };
        if column.column == Column::Name {
            if is_within {
                cell.min.x += 16.0;
            }
            if let Some(side) = side_of(state, row) {
                let badge = Rect::from_min_size(cell.min, vec2(24.0, cell.height()));
                cell_ui(ui, badge, side, ui.visuals().hyperlink_color, false);
                cell.min.x += 14.0;
            }
        }
        cell_ui(ui, cell, &value, colour, column.is_right);
        said.push(match column.column {
            Column::Name | Column::State => value,
            _ => format!("{} {value}", column.title),
        });
    }
    let said = format!("{}: {}", row.name, said.join(", "));
    response
        .widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, is_selected, &said));
}

/// L or R where a run is shown.
fn side_of(state: &State, row: &Row) -> Option<&'static str> {
    let id = row.open?;
    let shown = state.view.shown();
    if shown.first() == Some(&id) {
        Some("L")
    } else if shown.get(1) == Some(&id) {
        Some("R")
    } else {
        None
    }
}

const MISSING: &str = "–";

/// What a cell says.
fn value_of(row: &Row, column: &Column, split: Split) -> String {
    let score = |score: fn(Scores) -> Option<f64>| {
        let value = row.scores(split).and_then(score);
        value.map_or(MISSING.to_owned(), |value| format!("{value:.3}"))
    };
    let glance = row.glance.as_ref();
    let missing = || MISSING.to_owned();
    match column {
        Column::State => row.state.word().to_owned(),
        Column::Name => row.name.clone(),
        Column::Field(name) => row
            .field(name)
            .map_or_else(missing, |x| shortened(x).to_owned()),
        Column::MacroF1 => score(|scores| scores.macro_f1),
        Column::Accuracy => score(|scores| scores.accuracy),
        Column::RarestF1 => score(|scores| scores.rarest_f1),
        Column::Steps => glance.map_or_else(missing, |glance| {
            format!(
                "{} / {}",
                grouped(glance.step),
                grouped(glance.started.total_steps)
            )
        }),
        Column::Started => glance.map_or_else(missing, |x| date(x.started.created_unix_secs)),
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "a line of a table is drawn from all of these"
)]
fn group_ui(
    ui: &egui::Ui,
    state: &State,
    table: &Table,
    columns: &[Drawn],
    group: &Group,
    rect: Rect,
    is_unfolded: bool,
    response: &egui::Response,
) {
    let split = state.browser.order.split;
    let strong = ui.visuals().strong_text_color();
    let mut said = Vec::new();
    for (column, mut cell) in cells(columns, rect) {
        let value = group_value(table, group, &column.column, split);
        if column.column == Column::Name {
            let at = pos2(cell.left() + CELL_MARGIN + 4.0, cell.center().y);
            let sign = if is_unfolded {
                [(-4.0, -2.0), (4.0, -2.0), (0.0, 3.0)]
            } else {
                [(-2.0, -4.0), (3.0, 0.0), (-2.0, 4.0)]
            };
            let points = sign.map(|(x, y)| at + vec2(x, y)).to_vec();
            ui.painter().add(egui::Shape::convex_polygon(
                points,
                strong,
                egui::Stroke::NONE,
            ));
            cell.min.x += 14.0;
            cell.max.x -= COMPARE_WIDTH;
        }
        cell_ui(ui, cell, &value, strong, column.is_right);
        said.push(format!("{} {value}", column.title));
    }
    let said = format!("Group: {}", said.join(", "));
    response
        .widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, is_unfolded, &said));
}

/// Width of the button that compares a group.
const COMPARE_WIDTH: f32 = 74.0;

/// Compares a group, at the right end of its name.
fn compare_ui(
    ui: &egui::Ui,
    table: &Table,
    columns: &[Drawn],
    group: &Group,
    rect: Rect,
    actions: &mut Vec<Action>,
) {
    let mut cells = cells(columns, rect);
    let Some((_, cell)) = cells.find(|(column, _)| column.column == Column::Name) else {
        return;
    };
    let place = cell.with_min_x(cell.right() - COMPARE_WIDTH);
    let id = ui.scope_id().with(("compare", &group.key));
    let response = ui.interact(place, id, Sense::click()).on_hover_text(
        "Open the runs of this group and compare it to the other groups that are open",
    );
    let name = group_value(table, group, &Column::Name, Split::Val);
    response.widget_info(|| {
        egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Compare {name}"))
    });
    let colour = if response.hovered() {
        ui.visuals().strong_text_color()
    } else {
        ui.visuals().hyperlink_color
    };
    cell_ui(ui, place, "Compare", colour, true);
    if response.has_focus() {
        focus_ui(ui, place);
    }
    if response.clicked() {
        let rows = group.rows.iter().map(|&row| &table.rows[row]);
        let readable = rows.filter(|row| row.glance.is_some());
        let dirs = readable.map(|row| row.dir.clone()).collect();
        actions.push(Action::CompareAll(dirs));
    }
}

/// What a cell of a group says.
fn group_value(table: &Table, group: &Group, column: &Column, split: Split) -> String {
    let rows = || group.rows.iter().map(|&row| &table.rows[row]);
    let score = |score| {
        let spread = table.spread(group, split, score);
        spread.map_or(MISSING.to_owned(), |spread| spread.in_words())
    };
    match column {
        Column::MacroF1 => score(|scores| scores.macro_f1),
        Column::Accuracy => score(|scores| scores.accuracy),
        Column::RarestF1 => score(|scores| scores.rarest_f1),
        Column::Name => {
            let variant =
                rows().find_map(|row| Some(row.glance.as_ref()?.started.config.attention));
            let variant = variant.map_or("Runs", variant_name);
            format!(
                "{variant}, {}",
                crate::ui::panels::queue::count(group.rows.len())
            )
        }
        Column::State => {
            let words = || rows().map(|row| row.state.word());
            let first = words().next().unwrap_or_default();
            if words().all(|word| word == first) {
                return first.to_owned();
            }
            let finished = words().filter(|word| *word == RunState::Finished.word());
            format!("{} of {} finished", finished.count(), group.rows.len())
        }
        // What all have in common; seeds one after the other.
        _ => {
            let mut values: Vec<String> = Vec::new();
            for row in rows() {
                let value = value_of(row, column, split);
                if !values.contains(&value) {
                    values.push(value);
                }
            }
            match (column, values.len()) {
                (Column::Steps | Column::Started, 2..) => String::new(),
                _ => {
                    if values.iter().all(|value| value.parse::<u64>().is_ok()) {
                        values.sort_by_key(|value| value.parse::<u64>().unwrap_or(0));
                    }
                    values.join(", ")
                }
            }
        }
    }
}

/// Date and time (UTC) of seconds since 1970, as "2026-11-24 01:22". The days are counted as in Howard Hinnant's
/// "chrono-compatible low-level date algorithms".
fn date(unix_secs: u64) -> String {
    let (days, secs) = (unix_secs / 86_400, unix_secs % 86_400);
    let z = days + 719_468;
    let era = z / 146_097;
    let day_of_era = z % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute) = (secs / 3_600, secs / 60 % 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As GNU `date -u -d @SECONDS` says.
    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(0), "1970-01-01 00:00");
        assert_eq!(date(951_827_696), "2000-02-29 12:34");
        assert_eq!(date(1_795_483_330), "2026-11-24 01:22");
    }

    #[test]
    fn fields_read_as_words() {
        assert_eq!(title_of("weight_decay"), "Weight decay");
        assert_eq!(shortened("folder:/data/cells"), "cells");
        assert_eq!(shortened("1/2"), "1/2");
    }
}
