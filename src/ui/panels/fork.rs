//! The line that offers to go on with a run that ended because a number was not finite: why it ended, fields for the
//! checkpoint and for a smaller learning rate, and a button.

use std::path::Path;

use egui::{Align, Button, Label, Layout, RichText, TextEdit, vec2};

use crate::run::Ending;
use crate::run::event::Started;
use crate::ui::state::action::Action;
use crate::ui::state::runs::{not_finite, offered_rate, step_of, with_rate};
use crate::ui::state::words::capitalised;

/// Width of the fields, in points.
const FIELD: f32 = 64.0;
/// Height of the line, in points.
const LINE: f32 = 24.0;

/// What the user typed about a fork.
#[derive(Clone)]
struct Typed {
    rate: String,
    step: String,
}

/// Draws the line, where the run in `dir` ended because a number was not finite; `started` is its header. Nothing for any
/// other run.
pub(crate) fn fork_ui(
    ui: &mut egui::Ui,
    (name, dir): (&str, &Path),
    (started, ending): (&Started, Option<&Ending>),
    actions: &mut Vec<Action>,
) {
    let Some(why) = not_finite(ending) else {
        return;
    };
    let id = egui::Id::unique(("fork", dir));
    let kept: Option<Typed> = ui.data(|data| data.get_temp(id));
    let mut typed = kept.unwrap_or_else(|| Typed {
        rate: offered_rate(&started.config),
        step: String::new(),
    });
    let config = with_rate(&started.config, &typed.rate);
    let step = step_of(&typed.step);
    let size = vec2(ui.available_width(), LINE);
    ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
        let fault = config.as_ref().err().or(step.as_ref().err());
        let help = "Train a new run that begins with this one up to the checkpoint, and goes on with this rate";
        let button = ui
            .add_enabled(fault.is_none(), Button::new("Fork"))
            .on_hover_text(help)
            .on_disabled_hover_text(fault.map_or("", String::as_str))
            .accessible_name(format!("Fork {name}"));
        if button.clicked()
            && let (Ok(config), Ok(step)) = (&config, &step)
        {
            let config = Box::new(config.clone());
            actions.push(Action::Fork(dir.to_owned(), config, *step));
        }
        // From right to left: each field, and the words before it.
        let mut field = |text: &mut String, hint: &str, is_wrong: bool, (words, label): (&str, &str), help: &str| {
            let field = TextEdit::singleline(text).desired_width(FIELD).hint_text(hint);
            let field = match is_wrong {
                true => field.text_color(ui.visuals().error_fg_color),
                false => field,
            };
            let response = ui.add(field).on_hover_text(help);
            let response = response.accessible_name(format!("{label} of a fork of {name}"));
            ui.label(words).on_hover_text(help);
            response.changed()
        };
        let mut changed = field(
            &mut typed.rate,
            "",
            config.is_err(),
            ("with learning rate", "Learning rate"),
            "The learning rate from the checkpoint on",
        );
        changed |= field(
            &mut typed.step,
            "latest",
            step.is_err(),
            ("Go on from step", "Step of the checkpoint"),
            "A run keeps two checkpoints, its last and its best one. The latest at or before this step is taken; without a \
             step, the latest whose loss is at most ten times that at the start",
        );
        if changed {
            ui.data_mut(|data| data.insert_temp(id, typed));
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let text = format!("{name}: {}.", capitalised(why));
            let text = RichText::new(text).color(ui.visuals().error_fg_color);
            ui.add(Label::new(text).truncate())
                .on_hover_text("With the same settings it would end in the same way again.");
        });
    });
}
