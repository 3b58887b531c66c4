use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use egui_kittest::Harness;

use super::command::Command;
use super::list::commands;
use super::shortcuts::{EXPORT, PAGES, SHORTCUTS};
use crate::figure::style;
use crate::run::event::{End, Event};
use crate::ui::state::action::Action;
use crate::ui::state::place::Page;
use crate::ui::state::runs::RunState;

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

/// The page Compare knows groups of finished runs alone.
#[test]
fn only_finished_runs_are_offered_for_comparison() {
    let mut app = crate::ui::App::new(crate::ui::Options::default());
    for name in ["whole", "cut"] {
        let dir = Path::new(name).to_owned();
        let id = app.state.runs.add(dir, RunState::Interrupted);
        let message = String::new();
        if let Some(entry) = app.state.runs.get_mut(id).filter(|_| name == "whole") {
            entry.apply(&Event::Finished(End { step: 1, message }));
        }
    }
    let commands = commands(&app.state, &egui::Context::default());
    let has = |text: &str| commands.iter().any(|command| command.text == text);
    assert!(has("Compare: runs like whole") && has("Compare: to runs like whole"));
    assert!(!has("Compare: runs like cut") && !has("Compare: to runs like cut"));
}

/// The figures of the page Compare are of the group that is compared, whichever run other pages show on the left.
#[test]
fn on_compare_the_figures_of_the_compared_group_are_exported() -> Result<()> {
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded");
    let mut app = crate::ui::App::new(crate::ui::Options {
        runs: ["solar-none", "solar-branch"]
            .map(|name| recorded.join(name))
            .to_vec(),
        ..crate::ui::Options::default()
    });
    app.state.view.page = Page::Compare;
    let mut window = Harness::builder()
        .with_max_steps(40)
        .with_context_setup(style::install)
        .build_ui_state(
            |ui, app: &mut crate::ui::App| {
                app.logic(ui.ctx());
                app.ui(ui);
            },
            app,
        );
    let patience = Instant::now() + Duration::from_secs(20);
    loop {
        window.run();
        if !window.state().is_busy() {
            break;
        }
        ensure!(Instant::now() < patience, "the runs are not opened");
        std::thread::yield_now();
    }
    let state = &window.state().state;
    let name = |id| state.runs.get(id).map(|entry| entry.name.as_str());
    ensure!(state.view.left.and_then(name) == Some("solar-none"));
    let list = commands(state, &window.ctx);
    let export = list
        .iter()
        .find(|command| command.shortcut == Some(&EXPORT));
    let Action::AskExport(_, id, _) = &export.context("no command to export")?.action else {
        bail!("the keys do something else");
    };
    ensure!(name(*id) == Some("solar-branch"));
    Ok(())
}
