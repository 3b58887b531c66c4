//! The moment that is shown: a slider over all probes, which moves every figure. On the page of mistakes, the slider
//! has evaluations, too.

use crate::figure::{TimeAxis, time_at};
use crate::text::grouped;
use crate::ui::state::State;
use crate::ui::state::action::Action;
use crate::ui::state::place::Page;
use crate::ui::state::place::moments::position;
use crate::ui::state::runs::RunEntry;
use crate::ui::state::words::duration;

/// Least width of the slider, in points.
const LEAST_SLIDER: f32 = 40.0;

pub(crate) fn time_ui(ui: &mut egui::Ui, state: &State, actions: &mut Vec<Action>) {
    let steps = state.steps();
    let held = state.view.figure.step;
    let step = state.view_of_runs().step;
    let at = position(&steps, step);
    ui.add_space(4.0);
    ui.add_enabled_ui(steps.len() > 1, |ui| {
        ui.horizontal(|ui| {
            ui.label("Time").on_hover_text(
                "The moment that every figure shows. The arrow keys step through it, too.",
            );
            let what = match state.view.page {
                Page::Mistakes => "evaluation or probe",
                Page::Overview
                | Page::Conflicts
                | Page::Class
                | Page::Gates
                | Page::Compare
                | Page::Data
                | Page::Runs => "probe",
            };
            for (text, way, count) in [("‹", "Earlier", -1), ("›", "Later", 1)] {
                let name = format!("{way} {what}");
                let button = ui.button(text).on_hover_text(&name).accessible_name(name);
                if button.clicked() {
                    actions.push(Action::StepBy(count));
                }
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                live_ui(ui, held.is_none(), actions);
                axis_ui(ui, state, actions);
                let word = match (held, step) {
                    (Some(_), _) => "held",
                    (None, Some(_)) => "last of both",
                    (None, None) => "newest",
                };
                moment_ui(ui, state, steps.get(at).copied(), word);
                slider_ui(ui, &steps, at, actions);
            });
        });
    });
    ui.add_space(4.0);
}

fn live_ui(ui: &mut egui::Ui, is_live: bool, actions: &mut Vec<Action>) {
    let button = ui
        .selectable_label(is_live, "Live")
        .on_hover_text("Follow the newest probe, or the last that both runs have; off while a moment of the past is held");
    if button.clicked() {
        actions.push(Action::GoTo(None));
    }
}

/// Draws the list from which the user chooses the unit of the figures' time axes. Units that the run shown does not know are
/// shown in steps.
fn axis_ui(ui: &mut egui::Ui, state: &State, actions: &mut Vec<Action>) {
    let shown = state.view.shown();
    let run = shown.iter().find_map(|&id| state.runs.get(id));
    let known = |axis: TimeAxis| run.map_or(axis, |entry| axis.known_to(&entry.run));
    let axis = known(state.view.figure.time);
    let help = "What time is measured in, in every figure";
    let combo = egui::ComboBox::from_id_salt("time axis")
        .selected_text(format!("in {}", axis.unit()))
        .width(96.0)
        .show_ui(ui, |ui| {
            for other in TimeAxis::ALL {
                let text = format!("in {}", other.unit());
                let label = ui.add_enabled_ui(known(other) == other, |ui| {
                    ui.selectable_label(axis == other, text)
                });
                let label = label.inner.on_disabled_hover_text(
                    "Whoever recorded this run has not said how many steps an epoch or how many images a step has",
                );
                if label.clicked() {
                    actions.push(Action::SetTime(other));
                }
            }
        });
    combo
        .response
        .on_hover_text(help)
        .accessible_name("Time axis");
}

fn moment_ui(ui: &mut egui::Ui, state: &State, step: Option<u64>, word: &str) {
    let shown = state.view.shown();
    let first = shown.iter().find_map(|&id| state.runs.get(id));
    let text = match (step, first) {
        (Some(step), Some(entry)) => {
            format!("{} · {word}", moment(entry, state.view.figure.time, step))
        }
        _ => "no probe yet".to_owned(),
    };
    let width: f32 = match state.view.figure.time {
        TimeAxis::Epoch | TimeAxis::Step => 210.0,
        TimeAxis::Images | TimeAxis::WallTime => 320.0,
    };
    // In a small window the words are cut, and the slider keeps its least width.
    let width = width.min((ui.available_width() - LEAST_SLIDER - 24.0).max(0.0));
    let size = egui::vec2(width, ui.spacing().interact_size.y);
    ui.allocate_ui_with_layout(
        size,
        egui::Layout::right_to_left(egui::Align::Center),
        |ui| {
            ui.set_min_width(size.x);
            let label = egui::Label::new(text).truncate();
            ui.add(label).on_hover_text(
                "Optimiser steps taken and epochs done at the moment shown, and the time in the unit of the axes",
            );
        },
    );
}

/// A step in words, with its epoch; with the images seen or the time taken by then if that is the unit of the time
/// axes.
fn moment(entry: &RunEntry, axis: TimeAxis, step: u64) -> String {
    let time = |axis| time_at(&entry.run, axis, step);
    let words = entry.run.moment_of(step);
    match axis {
        TimeAxis::Epoch | TimeAxis::Step => words,
        TimeAxis::Images => format!("{words} · {} images", grouped(time(axis).round() as u64)),
        TimeAxis::WallTime => format!("{words} · {}", duration(60.0 * time(axis))),
    }
}

fn slider_ui(ui: &mut egui::Ui, steps: &[u64], at: usize, actions: &mut Vec<Action>) {
    // With a single probe there is nothing to choose; the handle then stands at the end.
    let mut index = if steps.len() > 1 { at } else { 1 };
    ui.spacing_mut().slider_width = (ui.available_width() - 8.0).max(LEAST_SLIDER);
    let last = steps.len().saturating_sub(1).max(1);
    let slider = egui::Slider::new(&mut index, 0..=last)
        .show_value(false)
        .trailing_fill(true);
    let response = ui.add(slider).accessible_name("Moment shown");
    if response.changed()
        && let Some(&step) = steps.get(index)
    {
        actions.push(Action::GoTo(Some(step)));
    }
}
