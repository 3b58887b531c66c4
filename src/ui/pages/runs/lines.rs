//! The lines of the table: a run, or a group of runs that differ in nothing but the seed.

use egui::{Rect, Sense, pos2, vec2};

use super::cells::{ROW_HEIGHT, background_ui, cell_ui, cells, focus_ui};
use super::columns::{CELL_MARGIN, Drawn};
use super::open::Open;
use super::row_actions::menu_ui;
use super::values::{MISSING, group_value, value_of};
use crate::run::event::Split;
use crate::ui::state::action::Action;
use crate::ui::state::run_table::{Browser, Column, Group, Line, Row, Table};

/// Width of the button that compares a group, in points.
const COMPARE_WIDTH: f32 = 74.0;

/// Everything from which the lines are drawn.
pub(super) struct Lines<'a> {
    pub(super) open: &'a Open<'a>,
    pub(super) table: &'a Table,
    pub(super) columns: &'a [Drawn],
    /// The split whose scores are shown.
    pub(super) split: Split,
}

impl Lines<'_> {
    /// Draws the line at a position of the table, and responds to the pointer on it.
    pub(super) fn line_ui(
        &self,
        ui: &mut egui::Ui,
        browser: &mut Browser,
        at: usize,
        actions: &mut Vec<Action>,
    ) {
        let width: f32 = self.columns.iter().map(|column| column.width).sum();
        let (rect, response) = ui.allocate_exact_size(vec2(width, ROW_HEIGHT), Sense::click());
        match &self.table.lines[at] {
            Line::Group(group) => {
                let group = &self.table.groups[*group];
                let unfolded = &mut browser.order.unfolded;
                let is_unfolded = unfolded.contains(&group.key);
                if response.clicked() && !unfolded.remove(&group.key) {
                    unfolded.insert(group.key.clone());
                }
                background_ui(ui, rect, &response, false, at);
                self.group_ui(ui, group, rect, is_unfolded, &response);
                self.compare_ui(ui, group, rect, actions);
            }
            Line::Run(row, is_within) => {
                let row = &self.table.rows[*row];
                let is_selected = browser.selected.as_ref() == Some(&row.dir);
                if response.clicked()
                    || response.has_focus() && !is_selected && response.gained_focus()
                {
                    select(browser, row, actions);
                }
                if response.double_clicked() {
                    actions.push(Action::ShowDir(row.dir.clone(), false));
                }
                background_ui(ui, rect, &response, is_selected, at);
                self.row_ui(ui, row, rect, *is_within, is_selected, &response);
                response.context_menu(|ui| menu_ui(ui, row, self.open.is_training, actions));
            }
        }
    }

    /// Draws the line of a run, and describes it for assistive technology.
    fn row_ui(
        &self,
        ui: &egui::Ui,
        row: &Row,
        rect: Rect,
        is_within: bool,
        is_selected: bool,
        response: &egui::Response,
    ) {
        let (text, weak) = (ui.visuals().text_color(), ui.visuals().weak_text_color());
        let strong = ui.visuals().strong_text_color();
        let mut said = Vec::new();
        for (column, mut cell) in cells(self.columns, rect) {
            let value = value_of(row, &column.column, self.split);
            let colour = match column.column {
                Column::State if row.state.is_bad() => ui.visuals().error_fg_color,
                Column::Name if row.open.is_some() => strong,
                Column::Started => weak,
                _ if value == MISSING => weak,
                Column::State
                | Column::Name
                | Column::Field(_)
                | Column::MacroF1
                | Column::Accuracy
                | Column::RarestF1
                | Column::Steps => text,
            };
            if column.column == Column::Name {
                if is_within {
                    cell.min.x += 16.0;
                }
                if let Some(side) = self.open.side_of(row) {
                    let badge = Rect::from_min_size(cell.min, vec2(24.0, cell.height()));
                    cell_ui(ui, badge, side, ui.visuals().hyperlink_color, false);
                    cell.min.x += 14.0;
                }
            }
            cell_ui(ui, cell, &value, colour, column.is_right);
            said.push(match column.column {
                Column::Name | Column::State => value,
                Column::Field(_)
                | Column::MacroF1
                | Column::Accuracy
                | Column::RarestF1
                | Column::Steps
                | Column::Started => format!("{} {value}", column.title),
            });
        }
        let said = format!("{}: {}", row.name, said.join(", "));
        response.widget_info(|| {
            egui::WidgetInfo::selected(egui::Role::Button, true, is_selected, &said)
        });
    }

    /// Draws the line of a group of runs, and describes it for assistive technology.
    fn group_ui(
        &self,
        ui: &egui::Ui,
        group: &Group,
        rect: Rect,
        is_unfolded: bool,
        response: &egui::Response,
    ) {
        let strong = ui.visuals().strong_text_color();
        let mut said = Vec::new();
        for (column, mut cell) in cells(self.columns, rect) {
            let value = group_value(self.table, group, &column.column, self.split);
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
        response.widget_info(|| {
            egui::WidgetInfo::selected(egui::Role::Button, true, is_unfolded, &said)
        });
    }

    /// Draws a button that compares the group, at the right end of its name.
    fn compare_ui(&self, ui: &egui::Ui, group: &Group, rect: Rect, actions: &mut Vec<Action>) {
        let mut cells = cells(self.columns, rect);
        let Some((_, cell)) = cells.find(|(column, _)| column.column == Column::Name) else {
            return;
        };
        let place = cell.with_min_x(cell.right() - COMPARE_WIDTH);
        let id = ui.scope_id().with(("compare", &group.key));
        let response = ui.interact(place, id, Sense::click()).on_hover_text(
            "Open the runs of this group and compare it to the other groups that are open",
        );
        let name = group_value(self.table, group, &Column::Name, Split::Val);
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
            actions.push(Action::CompareAll(self.table.to_compare(group)));
        }
    }
}

/// Shows the details of a run, and saves notes that were typed about the run whose details were shown before.
fn select(browser: &mut Browser, row: &Row, actions: &mut Vec<Action>) {
    if browser.selected.as_ref() == Some(&row.dir) {
        return;
    }
    let unsaved = browser.unsaved();
    actions.extend(unsaved.map(|edit| Action::SaveNotes(edit.dir, edit.notes)));
    browser.selected = Some(row.dir.clone());
}
