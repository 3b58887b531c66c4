//! The actions of the keys that work anywhere in the window.

use super::list::commands;
use super::shortcuts::{EARLIER, HELP, LATER, PALETTE, Shortcut};
use crate::ui::state::State;
use crate::ui::state::action::Action;

/// The actions of the keys that were pressed since the last frame.
pub(crate) fn keys(ctx: &egui::Context, state: &State) -> Vec<Action> {
    let is_key = |event: &egui::Event| matches!(event, egui::Event::Key { .. });
    if !ctx.input(|input| input.events.iter().any(is_key)) {
        return Vec::new();
    }
    let is_pressed =
        |shortcut: &Shortcut| ctx.input_mut(|input| input.consume_shortcut(&shortcut.keys));
    let mut actions = Vec::new();
    if is_pressed(&PALETTE) {
        actions.push(Action::TogglePalette);
    }
    let is_asking = state.export.is_some() || state.browser.to_trash.is_some();
    let is_explaining = state.is_keyboard_open || state.explained.is_some();
    if state.palette.is_some() || is_asking || is_explaining {
        return actions;
    }
    let is_free = ctx.memory(|memory| memory.focused().is_none()) && !egui::Popup::is_any_open(ctx);
    let is_typing = ctx.text_edit_focused();
    for command in commands(state, ctx) {
        let Some(shortcut) = command.shortcut else {
            continue;
        };
        let is_of_window = !(is_typing && shortcut.is_of_texts());
        if is_of_window && (is_free || !shortcut.is_of_widgets()) && is_pressed(shortcut) {
            actions.push(command.action);
        }
    }
    if is_free && is_pressed(&HELP) {
        actions.push(Action::ToggleKeyboard);
    }
    if is_free {
        let count = |key| ctx.input(|input| input.num_presses(key)) as isize;
        let steps = count(LATER.keys.logical_key) - count(EARLIER.keys.logical_key);
        if steps != 0 && ctx.input(|input| input.modifiers.is_none()) {
            actions.push(Action::StepBy(steps));
        }
    }
    actions
}
