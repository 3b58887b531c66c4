//! The card that a new user finds above the overview: what the sample runs show, and three steps from a finding to a run
//! of their own.

use std::path::PathBuf;

use egui::{Align, Frame, Label, Layout, RichText};

use crate::findings::Finding;
use crate::ui::state::State;
use crate::ui::state::action::{Action, Purpose};
use crate::ui::state::findings::page;
use crate::ui::state::place::Page;

/// In which pair of the sample runs there is something to see, and in which there is not. The numbers behind it are in
/// `assets/experiments/second-round.md` and `assets/docs/results.md`.
const PAIRS: &str = "CIFAR-10-LT has something to see: with branch attention, frequent and rare classes conflict less early \
                     in training, on average over eight seeds, while F1 gains nothing that these can show. In Solar, with \
                     another recipe, there is little to see: F1 is alike, and of conflict one pair proves nothing.";

/// Draws the card, unless the user has put it away.
pub(super) fn first_run_ui(ui: &mut egui::Ui, state: &State, actions: &mut Vec<Action>) {
    if !state.is_first_run {
        return;
    }
    Frame::group(ui.style())
        .fill(ui.visuals().faint_bg_color)
        .show(ui, |ui| {
            ui.horizontal(|ui| {
                ui.strong("Start here: two pairs of recorded runs are open, without and with branch attention.");
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let done = ui.small_button("Got it").on_hover_text("Put this card away");
                    if done.clicked() {
                        actions.push(Action::EndFirstRun);
                    }
                });
            });
            ui.label(PAIRS);
            finding_step_ui(ui, state, actions);
            step_ui(
                ui,
                "2",
                "See where classes fight: click a layer of the map, then a cell of the matrix.",
                ("Open Conflicts", Action::Show(Page::Conflicts)),
                actions,
            );
            step_ui(
                ui,
                "3",
                "Train on your own images: choose a folder with one subfolder per class, and press Start.",
                (
                    "Choose a folder…",
                    Action::Choose(Purpose::ImageFolder, PathBuf::new()),
                ),
                actions,
            );
        });
}

/// The first step: the first finding in the runs shown.
fn finding_step_ui(ui: &mut egui::Ui, state: &State, actions: &mut Vec<Action>) {
    let shown = state.view.shown();
    let entries = shown.iter().filter_map(|&id| state.runs.get(id));
    let as_shown: Vec<_> = entries
        .map(|entry| (entry.id, entry.run.batch_norm()))
        .collect();
    let first = state.findings.of(&as_shown).and_then(<[Finding]>::first);
    let run = first.and_then(|first| shown.get(first.evidence.run));
    match first.zip(run) {
        Some((finding, &run)) => {
            let text = format!("Read what stands out: {}.", finding.sentence);
            let action = Action::ShowEvidence(run, page(finding.kind), finding.evidence.clone());
            step_ui(ui, "1", &text, ("Show it", action), actions);
        }
        None => {
            let text = "Read what stands out in these runs: it is being looked for.";
            step_ui(
                ui,
                "1",
                text,
                ("Show it", Action::Show(Page::Overview)),
                actions,
            );
        }
    }
}

fn step_ui(
    ui: &mut egui::Ui,
    number: &str,
    text: &str,
    (button, action): (&str, Action),
    actions: &mut Vec<Action>,
) {
    ui.horizontal(|ui| {
        ui.label(RichText::new(number).strong());
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.button(button).clicked() {
                actions.push(action);
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(Label::new(text).wrap());
            });
        });
    });
}
