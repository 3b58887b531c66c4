//! The list of everything that can be done, to be searched (Ctrl+K).

use egui::{Key, Modifiers, RichText};

use crate::ui::overlays::commands::Command;
use crate::ui::overlays::commands::list::commands;
use crate::ui::state::State;
use crate::ui::state::action::Action;

/// Lines of the list that are seen at once.
const LINES: usize = 12;
const WIDTH: f32 = 520.0;

/// The list while it is open.
#[derive(Debug, Default)]
pub(crate) struct Palette {
    query: String,
    /// Position among what matches.
    selected: usize,
}

/// The list over everything else, with what is typed and what matches it.
pub(super) fn palette_ui(ctx: &egui::Context, state: &mut State, actions: &mut Vec<Action>) {
    let Some(mut palette) = state.palette.take() else {
        return;
    };
    let found: Vec<Command> = commands(state, ctx)
        .into_iter()
        .filter(|command| matches(&command.text, &palette.query))
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
    } else if !modal.should_close() {
        state.palette = Some(palette);
    }
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

/// Whether every word of the query occurs in the text.
fn matches(text: &str, query: &str) -> bool {
    let text = text.to_lowercase();
    query
        .to_lowercase()
        .split_whitespace()
        .all(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_match_in_any_order() {
        let text = "Part of the network: branch2.conv1";
        assert!(matches(text, "conv1 network"));
        assert!(matches(text, "BRANCH2"));
        assert!(matches(text, ""));
        assert!(!matches(text, "branch2 conv2"));
    }
}
