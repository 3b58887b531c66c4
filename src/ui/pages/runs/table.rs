//! The table of runs.

use egui::{Rect, RichText, Sense, pos2, vec2};

use super::cells::{ROW_HEIGHT, arrow_ui, cell_ui, focus_ui};
use super::columns::{Drawn, columns};
use super::lines::Lines;
use super::open::Open;
use crate::ui::state::action::Action;
use crate::ui::state::run_table::{Browser, Column, Order, Table};

/// Draws the table, which scrolls in both directions below its header.
pub(super) fn table_ui(
    ui: &mut egui::Ui,
    open: &Open<'_>,
    browser: &mut Browser,
    table: &Table,
    actions: &mut Vec<Action>,
) {
    if table.rows.is_empty() {
        empty_ui(ui, browser, table);
        return;
    }
    let columns = columns(table, &browser.order, ui.available_width() - 8.0);
    let width: f32 = columns.iter().map(|column| column.width).sum();
    egui::ScrollArea::horizontal()
        .auto_shrink(false)
        .show(ui, |ui| {
            ui.set_width(width);
            ui.spacing_mut().item_spacing.y = 0.0;
            header_ui(ui, &columns, &mut browser.order);
            egui::ScrollArea::vertical().auto_shrink(false).show_rows(
                ui,
                ROW_HEIGHT,
                table.lines.len(),
                |ui, range| {
                    let lines = Lines {
                        open,
                        table,
                        columns: &columns,
                        split: browser.order.split,
                    };
                    for at in range {
                        lines.line_ui(ui, browser, at, actions);
                    }
                },
            );
        });
}

fn empty_ui(ui: &mut egui::Ui, browser: &Browser, table: &Table) {
    ui.vertical_centered(|ui| {
        ui.add_space(ui.available_height() * 0.3);
        let text = if table.total > 0 {
            "No run matches the filter."
        } else if browser.looked_at.is_none() || browser.is_looking {
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
                // Numbers are sorted in descending order at first, so that the best and the newest runs lead; texts in
                // ascending order.
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
