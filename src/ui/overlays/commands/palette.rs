//! The list of all commands, to be searched (Ctrl+K).

use egui::{Key, Modifiers, RichText};

use super::command::Command;
use super::list::commands;
use crate::ui::state::State;
use crate::ui::state::action::Action;
use crate::ui::state::command_palette::Palette;

/// The number of lines of the list that are seen at once.
const LINES: usize = 12;
const WIDTH: f32 = 520.0;

/// Shows a search field, and the commands that match the words in it. Gives back the changed palette; `None` if it is
/// closed.
pub(crate) fn palette_ui(
    ctx: &egui::Context,
    state: &State,
    mut palette: Palette,
    actions: &mut Vec<Action>,
) -> Option<Palette> {
    let found: Vec<Command> = commands(state, ctx)
        .into_iter()
        .filter(|command| command.matches(&palette.query))
        .collect();
    let count = |key| ctx.input_mut(|input| input.count_and_consume_key(Modifiers::NONE, key));
    let (up, down) = (count(Key::ArrowUp), count(Key::ArrowDown));
    let last = found.len().saturating_sub(1);
    palette.selected = (palette.selected + down).saturating_sub(up).min(last);
    let mut chosen = (count(Key::Enter) > 0).then_some(palette.selected);
    let area = egui::Modal::default_area(egui::Id::unique("commands"))
        .anchor(egui::Align2::CENTER_TOP, egui::vec2(0.0, 64.0));
    let modal = egui::Modal::new(egui::Id::unique("commands")).area(area);
    let modal = modal.show(ctx, |ui| {
        ui.set_width(WIDTH);
        let edit = egui::TextEdit::singleline(&mut palette.query)
            .hint_text("What would you like to do or see?")
            .desired_width(f32::INFINITY);
        let typed = ui.add(edit).accessible_name("Search commands");
        typed.request_focus();
        if typed.changed() {
            palette.selected = 0;
        }
        ui.add_space(4.0);
        if found.is_empty() {
            ui.weak("Nothing is called that. Try a page, a class, a layer or a run.");
        }
        let row = ui.spacing().interact_size.y;
        ui.spacing_mut().item_spacing.y = 0.0;
        egui::ScrollArea::vertical()
            .max_height(LINES as f32 * row)
            .show(ui, |ui| {
                for (i, command) in found.iter().enumerate() {
                    let response = line_ui(ui, command, i == palette.selected);
                    if i == palette.selected && up + down > 0 {
                        response.scroll_to_me(None);
                    }
                    if response.clicked() {
                        chosen = Some(i);
                    }
                }
            });
    });
    if let Some(command) = chosen.and_then(|chosen| found.into_iter().nth(chosen)) {
        actions.push(command.action);
        return None;
    }
    (!modal.should_close()).then_some(palette)
}

fn line_ui(ui: &mut egui::Ui, command: &Command, selected: bool) -> egui::Response {
    let keys = command.shortcut.map(|shortcut| shortcut.text(ui.ctx()));
    let mut button = egui::Button::selectable(selected, command.text.as_str())
        .min_size(egui::vec2(
            ui.available_width(),
            ui.spacing().interact_size.y,
        ))
        .truncate();
    if let Some(keys) = keys {
        button = button.shortcut_text(RichText::new(keys).weak());
    }
    ui.add(button)
}
