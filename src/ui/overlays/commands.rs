//! Everything that can be done, by name: keys, and a list to search (Ctrl+K).

mod keyboard;
mod list;
mod palette;

use egui::{Key, KeyboardShortcut, Modifiers};

use crate::ui::state::State;
use crate::ui::state::action::Action;
use list::commands;
pub(crate) use palette::Palette;

/// Something that can be done now.
struct Command {
    text: String,
    shortcut: Option<&'static Shortcut>,
    action: Action,
}

/// Keys, and what they do.
#[derive(Debug, PartialEq)]
struct Shortcut {
    keys: KeyboardShortcut,
    help: &'static str,
}

impl Shortcut {
    /// With Ctrl, or the key of that meaning.
    const fn command(key: Key, help: &'static str) -> Self {
        Self::new(Modifiers::COMMAND, key, help)
    }

    /// With Alt.
    const fn alt(key: Key, help: &'static str) -> Self {
        Self::new(Modifiers::ALT, key, help)
    }

    /// A key alone.
    const fn plain(key: Key, help: &'static str) -> Self {
        Self::new(Modifiers::NONE, key, help)
    }

    const fn new(modifiers: Modifiers, key: Key, help: &'static str) -> Self {
        let keys = KeyboardShortcut::new(modifiers, key);
        Self { keys, help }
    }

    /// Whether it belongs to the widget that has the keyboard, if any.
    fn is_of_widgets(&self) -> bool {
        let is_function = matches!(self.keys.logical_key, Key::F1 | Key::F5);
        self.keys.modifiers == Modifiers::NONE && !is_function
    }

    /// The keys as they are written on them.
    fn text(&self, ctx: &egui::Context) -> String {
        match self.keys.logical_key {
            Key::Questionmark => "?".to_owned(),
            _ => ctx.format_shortcut(&self.keys),
        }
    }
}

/// All of them, in the order they are listed in.
static SHORTCUTS: [&Shortcut; 26] = [
    &PALETTE,
    &KEYBOARD,
    &HELP,
    &PAGES[0],
    &PAGES[1],
    &PAGES[2],
    &PAGES[3],
    &PAGES[4],
    &PAGES[5],
    &PAGES[6],
    &PAGES[7],
    &BACK,
    &FORWARD,
    &EARLIER,
    &LATER,
    &FIRST,
    &LIVE,
    &NEXT_CLASS,
    &PREVIOUS_CLASS,
    &CLEAR,
    &SIDE_BY_SIDE,
    &EXPORT,
    &START,
    &PAUSE,
    &STOP,
    &THEME,
];

static PALETTE: Shortcut = Shortcut::command(Key::K, "Search everything that can be done or seen");
static KEYBOARD: Shortcut = Shortcut::plain(Key::F1, "This list of keys");
static HELP: Shortcut = Shortcut::plain(Key::Questionmark, "This list of keys");
static PAGES: [Shortcut; 8] = [
    Shortcut::command(Key::Num1, "Page Overview"),
    Shortcut::command(Key::Num2, "Page Conflicts"),
    Shortcut::command(Key::Num3, "Page One class"),
    Shortcut::command(Key::Num4, "Page Mistakes"),
    Shortcut::command(Key::Num5, "Page Gates"),
    Shortcut::command(Key::Num6, "Page Compare"),
    Shortcut::command(Key::Num7, "Page Data"),
    Shortcut::command(Key::Num8, "Page Runs"),
];
static BACK: Shortcut = Shortcut::alt(Key::ArrowLeft, "Back to what was looked at before");
static FORWARD: Shortcut = Shortcut::alt(Key::ArrowRight, "Forward again");
static EARLIER: Shortcut = Shortcut::plain(Key::ArrowLeft, "An earlier moment");
static LATER: Shortcut = Shortcut::plain(Key::ArrowRight, "A later moment, and on to the newest");
static FIRST: Shortcut = Shortcut::plain(Key::Home, "The first moment");
static LIVE: Shortcut = Shortcut::plain(Key::End, "Follow the newest moment (live)");
static NEXT_CLASS: Shortcut = Shortcut::alt(Key::ArrowDown, "Select the next class");
static PREVIOUS_CLASS: Shortcut = Shortcut::alt(Key::ArrowUp, "Select the class before");
static CLEAR: Shortcut = Shortcut::plain(Key::Escape, "Select no class, no pair and no cell");
static SIDE_BY_SIDE: Shortcut = Shortcut::command(Key::D, "One run, or two side by side");
static EXPORT: Shortcut =
    Shortcut::command(Key::E, "Export the page's main figure, or all of them");
static START: Shortcut = Shortcut::plain(Key::F5, "Train the experiment as set up");
static PAUSE: Shortcut = Shortcut::command(Key::P, "Pause training, or resume it");
static STOP: Shortcut = Shortcut::command(Key::Period, "Stop training");
static THEME: Shortcut = Shortcut::command(Key::L, "Light or dark colours");

/// What the keys pressed since the last frame ask for.
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
    for command in commands(state, ctx) {
        let Some(shortcut) = command.shortcut else {
            continue;
        };
        if (is_free || !shortcut.is_of_widgets()) && is_pressed(shortcut) {
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

/// The windows over everything else that are open: commands, keys, and how to read a figure.
pub(crate) fn windows_ui(ctx: &egui::Context, state: &mut State, actions: &mut Vec<Action>) {
    keyboard::keyboard_ui(ctx, state, actions);
    keyboard::explanation_ui(ctx, state, actions);
    palette::palette_ui(ctx, state, actions);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_shortcuts_are_the_same() {
        for (i, shortcut) in SHORTCUTS.iter().enumerate() {
            for other in &SHORTCUTS[..i] {
                assert_ne!(
                    shortcut.keys, other.keys,
                    "{} and {}",
                    shortcut.help, other.help
                );
            }
        }
    }

    #[test]
    fn every_command_with_keys_is_on_the_list_of_keys() {
        let app = crate::ui::App::new(crate::ui::Options::default());
        let commands = commands(&app.state, &egui::Context::default());
        let shortcuts = commands.iter().filter_map(|command| command.shortcut);
        for shortcut in shortcuts {
            assert!(SHORTCUTS.contains(&shortcut), "{}", shortcut.help);
        }
        for (page, shortcut) in crate::ui::state::page::Page::ALL.iter().zip(&PAGES) {
            assert_eq!(shortcut.help, format!("Page {}", page.title()));
        }
    }
}
