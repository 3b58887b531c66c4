//! The keys of the whole window.

use egui::{Key, KeyboardShortcut, Modifiers};

/// A combination of keys and its effect.
#[derive(Debug, PartialEq)]
pub(super) struct Shortcut {
    pub(super) keys: KeyboardShortcut,
    pub(super) help: &'static str,
}

impl Shortcut {
    /// A key pressed with Ctrl, or with ⌘ on macOS.
    const fn command(key: Key, help: &'static str) -> Self {
        Self::new(Modifiers::COMMAND, key, help)
    }

    /// A key pressed with Alt.
    const fn alt(key: Key, help: &'static str) -> Self {
        Self::new(Modifiers::ALT, key, help)
    }

    /// A key pressed alone.
    const fn plain(key: Key, help: &'static str) -> Self {
        Self::new(Modifiers::NONE, key, help)
    }

    const fn new(modifiers: Modifiers, key: Key, help: &'static str) -> Self {
        let keys = KeyboardShortcut::new(modifiers, key);
        Self { keys, help }
    }

    /// Whether the widget that has the keyboard takes these keys before the window does.
    pub(super) fn is_of_widgets(&self) -> bool {
        let is_function = matches!(self.keys.logical_key, Key::F1 | Key::F5);
        self.keys.modifiers == Modifiers::NONE && !is_function
    }

    /// Whether a text that is being edited takes these keys before the window does: with Alt, the arrows go by words.
    pub(super) fn is_of_texts(&self) -> bool {
        self.keys.modifiers == Modifiers::ALT
    }

    /// The keys in words, as they are written on a keyboard.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "egui has a hundred keys and a name for each"
    )]
    pub(super) fn text(&self, ctx: &egui::Context) -> String {
        match self.keys.logical_key {
            Key::Questionmark => "?".to_owned(),
            _ => ctx.format_shortcut(&self.keys),
        }
    }
}

/// All keys of the whole window, in the order of the list of keys.
pub(super) static SHORTCUTS: [&Shortcut; 26] = [
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

pub(super) static PALETTE: Shortcut =
    Shortcut::command(Key::K, "Search everything that can be done or seen");
pub(super) static KEYBOARD: Shortcut = Shortcut::plain(Key::F1, "This list of keys");
pub(super) static HELP: Shortcut = Shortcut::plain(Key::Questionmark, "This list of keys");
pub(super) static PAGES: [Shortcut; 8] = [
    Shortcut::command(Key::Num1, "Page Overview"),
    Shortcut::command(Key::Num2, "Page Conflicts"),
    Shortcut::command(Key::Num3, "Page One class"),
    Shortcut::command(Key::Num4, "Page Mistakes"),
    Shortcut::command(Key::Num5, "Page Gates"),
    Shortcut::command(Key::Num6, "Page Compare"),
    Shortcut::command(Key::Num7, "Page Data"),
    Shortcut::command(Key::Num8, "Page Runs"),
];
pub(super) static BACK: Shortcut =
    Shortcut::alt(Key::ArrowLeft, "Back to what was looked at before");
pub(super) static FORWARD: Shortcut = Shortcut::alt(Key::ArrowRight, "Forward again");
pub(super) static EARLIER: Shortcut = Shortcut::plain(Key::ArrowLeft, "An earlier moment");
pub(super) static LATER: Shortcut =
    Shortcut::plain(Key::ArrowRight, "A later moment, and on to the newest");
pub(super) static FIRST: Shortcut = Shortcut::plain(Key::Home, "The first moment");
pub(super) static LIVE: Shortcut = Shortcut::plain(Key::End, "Follow the newest moment (live)");
pub(super) static NEXT_CLASS: Shortcut = Shortcut::alt(Key::ArrowDown, "Select the next class");
pub(super) static PREVIOUS_CLASS: Shortcut = Shortcut::alt(Key::ArrowUp, "Select the class before");
pub(super) static CLEAR: Shortcut =
    Shortcut::plain(Key::Escape, "Select no class, no pair and no cell");
pub(super) static SIDE_BY_SIDE: Shortcut =
    Shortcut::command(Key::D, "One run, or two side by side");
pub(super) static EXPORT: Shortcut =
    Shortcut::command(Key::E, "Export the page's main figure, or all of them");
pub(super) static START: Shortcut = Shortcut::plain(Key::F5, "Train the experiment as set up");
pub(super) static PAUSE: Shortcut = Shortcut::command(Key::P, "Pause training, or resume it");
pub(super) static STOP: Shortcut = Shortcut::command(Key::Period, "Stop training");
pub(super) static THEME: Shortcut = Shortcut::command(Key::L, "Light or dark colours");
