use super::command::Command;
use super::list::commands;
use super::shortcuts::{PAGES, SHORTCUTS};
use crate::ui::state::action::Action;
use crate::ui::state::place::Page;

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
    for (page, shortcut) in Page::ALL.iter().zip(&PAGES) {
        assert_eq!(shortcut.help, format!("Page {}", page.title()));
    }
}

#[test]
fn a_command_is_found_by_its_synonyms_too() {
    let command = |synonyms| Command {
        text: "How to read: Conflict matrix".to_owned(),
        synonyms,
        shortcut: None,
        action: Action::ExplainFigure(None),
    };
    assert!(command(&["cosine similarity"]).matches("read COSINE"));
    assert!(!command(&["cosine similarity"]).matches("read angle"));
    assert!(!command(&[]).matches("read cosine"));
}
