//! The list of jobs that wait: the time that all of them will take, and buttons to change their order or take one out.

use egui::RichText;

use crate::ui::state::State;
use crate::ui::state::action::Action;
use crate::ui::state::queue::{self, Job, Waiting};
use crate::ui::state::training::speed;
use crate::ui::state::words::{count, duration};

/// Greatest height of the list, in points; a longer list scrolls.
const LIST_HEIGHT: f32 = 92.0;

/// Draws the list of jobs that wait, and the number of runs that have failed, if there are any.
pub(crate) fn queue_ui(ui: &mut egui::Ui, state: &State, actions: &mut Vec<Action>) {
    let waiting = state.queue.waiting();
    if !state.failed.is_empty() {
        let text = format!("{} failed", count(state.failed.len()));
        let text = RichText::new(text)
            .small()
            .color(ui.visuals().error_fg_color);
        let lines = state
            .failed
            .iter()
            .map(|(name, why)| format!("{name}: {why}"));
        let lines: Vec<_> = lines.collect();
        ui.label(text).on_hover_text(lines.join("\n"));
    }
    if waiting.is_empty() {
        return;
    }
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        let verb = if waiting.len() == 1 { "waits" } else { "wait" };
        let text = format!("{} {verb}", count(waiting.len()));
        ui.label(RichText::new(text).strong());
        if state.is_training() {
            let (words, help) = left_in_all(state, &waiting);
            ui.label(RichText::new(words).small().weak())
                .on_hover_text(help);
            return;
        }
        let go_on = ui
            .small_button("Go on")
            .on_hover_text("Train what waits, from the top")
            .accessible_name("Go on with what waits");
        if go_on.clicked() {
            actions.push(Action::GoOn);
        }
    });
    egui::ScrollArea::vertical()
        .id_salt("queue")
        .max_height(LIST_HEIGHT)
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            for (index, job) in waiting.iter().enumerate() {
                let is_last = index + 1 == waiting.len();
                ui.push_id(job.id, |ui| job_ui(ui, job, index, is_last, actions));
            }
        });
}

fn job_ui(
    ui: &mut egui::Ui,
    waiting: &Waiting,
    index: usize,
    is_last: bool,
    actions: &mut Vec<Action>,
) {
    let words = queue::in_words(&waiting.job);
    let name = queue::name_of(waiting.job.dir());
    let id = waiting.id;
    ui.horizontal(|ui| {
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            // The scroll bar floats over the list, and would cover the buttons.
            ui.add_space(8.0);
            ui.spacing_mut().item_spacing.x = 2.0;
            let buttons = [
                (
                    "×",
                    "Do not train it",
                    true,
                    "Cancel",
                    Action::CancelJob(id),
                ),
                (
                    "↓",
                    "Train it later than the one below",
                    !is_last,
                    "Later",
                    Action::ShiftJob(id, 1),
                ),
                (
                    "↑",
                    "Train it before the one above",
                    index > 0,
                    "Earlier",
                    Action::ShiftJob(id, -1),
                ),
            ];
            for (sign, help, can, verb, action) in buttons {
                let button = egui::Button::new(sign).small().frame(false);
                let response = ui
                    .add_enabled(can, button)
                    .on_hover_text(help)
                    .accessible_name(format!("{verb} {name}"));
                if response.clicked() {
                    actions.push(action);
                }
            }
            ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                let label = egui::Label::new(RichText::new(&words).small()).truncate();
                ui.add(label).on_hover_text(details_of(&waiting.job));
            });
        });
    });
}

/// The directory of a job, and its configuration as in `run.toml`.
fn details_of(job: &Job) -> String {
    let dir = job.dir().display();
    match job {
        Job::Resume { .. } => format!("Goes on from the last checkpoint of {dir}"),
        Job::Train { config, .. } => {
            let config = toml::to_string(config.as_ref()).unwrap_or_default();
            format!("To {dir}\n\n{}", config.trim_end())
        }
        Job::Fork {
            parent, config, at, ..
        } => {
            let config = toml::to_string(config.as_ref()).unwrap_or_default();
            let (parent, up_to) = (parent.display(), up_to(*at));
            format!(
                "To {dir}, from a checkpoint{up_to} of {parent}\n\n{}",
                config.trim_end()
            )
        }
    }
}

/// " up to step 120", where a step is given.
fn up_to(step: Option<u64>) -> String {
    step.map_or_else(String::new, |step| format!(" up to step {step}"))
}

/// The time that the run under way and the jobs that wait will take together, in words, and a tooltip that says how it
/// is computed.
fn left_in_all(state: &State, waiting: &[Waiting]) -> (String, String) {
    let entry = state.run_in_training();
    let Some((run, started)) = entry.and_then(|x| Some((&x.run, x.run.started.as_ref()?))) else {
        return Default::default();
    };
    let Some((images, steps)) = speed(run) else {
        return Default::default();
    };
    let now = started.total_steps.saturating_sub(run.last_step()) as f64 / steps;
    let (then, unknown) = queue::secs_of(waiting, started, images);
    let words = format!("all done in about {}", duration(now + then));
    let mut help =
        "At the speed of the run under way, in images per second. Wider networks are slower."
            .to_owned();
    if unknown > 0 {
        help.push_str(&format!(
            "\nWithout {} on other images, or that go on, whose length is not known yet.",
            count(unknown)
        ));
    }
    let words = if unknown > 0 {
        format!("{words} or more")
    } else {
        words
    };
    (words, help)
}
