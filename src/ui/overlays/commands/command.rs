//! Something that can be done now, and what it is found by.

use super::shortcuts::Shortcut;
use crate::ui::state::action::Action;
use crate::ui::state::words::has_every_word;

/// Something that can be done now.
pub(super) struct Command {
    /// What it is called.
    pub(super) text: String,
    /// Words that it is found by although they are not in its text.
    pub(super) synonyms: &'static [&'static str],
    /// The keys that do it, too.
    pub(super) shortcut: Option<&'static Shortcut>,
    pub(super) action: Action,
}

impl Command {
    /// Whether every word of the query occurs in its text or its synonyms.
    pub(super) fn matches(&self, query: &str) -> bool {
        if self.synonyms.is_empty() {
            return has_every_word(&self.text, query);
        }
        has_every_word(&format!("{} {}", self.text, self.synonyms.join(" ")), query)
    }
}
