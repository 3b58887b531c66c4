//! A command of the list of commands, and the words by which it is found.

use super::shortcuts::Shortcut;
use crate::text::{has_words, words};
use crate::ui::state::action::Action;

/// An action that is possible now, with its name.
pub(super) struct Command {
    /// The name of the command, as the list shows it.
    pub(super) text: String,
    /// Further words by which the command is found.
    pub(super) synonyms: &'static [&'static str],
    /// The keys that have the same effect, if there are any.
    pub(super) shortcut: Option<&'static Shortcut>,
    pub(super) action: Action,
}

impl Command {
    /// Whether every word of the query occurs in the command's name or its synonyms.
    pub(super) fn matches(&self, query: &str) -> bool {
        let known = format!("{} {}", self.text, self.synonyms.join(" "));
        has_words(&known, &words(query))
    }
}
