//! Every widget that can be clicked or focused has a name for assistive technology.

use anyhow::{Result, ensure};
use crosscurrent::ui::{Options, Page};
use egui::accesskit::{Action, Role};
use egui::{Key, Modifiers};
use egui_kittest::kittest::{AccessKitNode, By, NodeT as _, Queryable as _};

use super::{Window, click, has, press, settle, two_runs, window};

/// The widgets without a name that can be clicked or focused.
fn nameless(window: &Window) -> Vec<String> {
    let is_nameless = |node: &AccessKitNode<'_>| {
        let acts = [Action::Focus, Action::Click].map(|action| node.data().supports_action(action));
        let name = node.label().or_else(|| node.value());
        // A scroll bar needs no name: its role says what it is.
        if node.role() == Role::ScrollBar {
            return false;
        }
        acts.contains(&true) && name.is_none_or(|name| name.trim().is_empty())
    };
    let found = window.query_all(By::new().predicate(is_nameless));
    let describe = |node: egui_kittest::Node<'_>| {
        let role = node.accesskit_node().role();
        format!("{role:?} at {:?}", node.rect())
    };
    found.map(describe).collect()
}

/// Adds the widgets without a name to those that were found elsewhere.
fn look(window: &Window, place: &str, found: &mut Vec<String>) {
    let nameless = nameless(window).into_iter();
    found.extend(nameless.map(|node| format!("{place}: {node}")));
}

#[test]
fn every_widget_has_a_name() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let mut window = window(two_runs(parent.path())?);
    let mut found = Vec::new();
    for &page in Page::ALL {
        window.state_mut().show(page);
        settle(&mut window);
        look(&window, page.title(), &mut found);
    }
    window.state_mut().show(Page::Mistakes);
    settle(&mut window);
    click(&mut window, "More");
    look(&window, "all of the setup", &mut found);
    press(&mut window, Modifiers::NONE, Key::F1);
    ensure!(has(&window, "This list of keys"));
    look(&window, "the keys", &mut found);
    press(&mut window, Modifiers::NONE, Key::Escape);
    ensure!(!has(&window, "This list of keys"));
    press(&mut window, Modifiers::COMMAND, Key::E);
    ensure!(has(&window, "Single column"), "the dialog is open");
    look(&window, "the export dialog", &mut found);
    press(&mut window, Modifiers::NONE, Key::Escape);
    press(&mut window, Modifiers::COMMAND, Key::K);
    look(&window, "the commands", &mut found);
    ensure!(found.is_empty(), "{found:#?}");
    Ok(())
}

/// Every widget of a window without runs has a name, too.
#[test]
fn an_empty_window_has_names() -> Result<()> {
    let mut window = window(Options::default());
    let mut found = Vec::new();
    for &page in Page::ALL {
        window.state_mut().show(page);
        settle(&mut window);
        look(&window, page.title(), &mut found);
    }
    ensure!(found.is_empty(), "{found:#?}");
    Ok(())
}
