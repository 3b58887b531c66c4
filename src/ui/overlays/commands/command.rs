//! A command, and the words that it is found by.

use super::shortcuts::Shortcut;
use crate::text::{has_words, words};
use crate::ui::state::action::Action;

/// An action that is possible now, by name.
pub(super) struct Command {
    /// Its name.
    pub(super) text: String,
    /// Further words that it is found by.
    pub(super) synonyms: &'static [&'static str],
    /// The keys that do the same.
    pub(super) shortcut: Option<&'static Shortcut>,
    pub(super) action: Action,
}

impl Command {
    /// Whether every word of the query occurs in its text or its synonyms.
    pub(super) fn matches(&self, query: &str) -> bool {
        let known = format!("{} {}", self.text, self.synonyms.join(" "));
        has_words(&known, &words(query))
    }
}
