//! Draws the page that is open.

use super::columns::columns_ui;
use super::compare::compare_ui;
use super::data::data_ui;
use super::first_run::first_run_ui;
use super::mistakes::images_ui;
use super::overview::findings_ui;
use super::runs::{Open, runs_page_ui};
use crate::ui::state::State;
use crate::ui::state::action::Action;
use crate::ui::state::place::Page;

/// Draws the page that is open. It changes only that page's own part of the state.
pub(crate) fn centre_ui(ui: &mut egui::Ui, state: &mut State, actions: &mut Vec<Action>) {
    if state.view.page == Page::Overview {
        first_run_ui(ui, state, actions);
    }
    let (runs, view) = (&state.runs, &state.view);
    match view.page {
        Page::Compare => return compare_ui(ui, state, actions),
        Page::Data => {
            let found = state.draft.found();
            return data_ui(ui, (runs, found), &view.figure, &mut state.data, actions);
        }
        Page::Runs => {
            let open = Open {
                runs,
                shown: view.shown(),
                is_training: state.training.is_some(),
            };
            return runs_page_ui(ui, &open, &mut state.browser, actions);
        }
        Page::Overview => findings_ui(ui, runs, view, &mut state.findings, actions),
        Page::Mistakes => images_ui(ui, runs, view, &mut state.images, actions),
        Page::Conflicts | Page::Class | Page::Gates => {}
    }
    columns_ui(ui, state, actions);
}
