//! The line that offers to go on with a run that ended because a number was not finite: why it ended, a field for a
//! smaller learning rate, and a button.

use std::path::Path;

use egui::{Align, Button, Label, Layout, RichText, TextEdit, vec2};

use crate::run::Ending;
use crate::run::event::Started;
use crate::ui::state::action::Action;
use crate::ui::state::runs::{not_finite, offered_rate, with_rate};
use crate::ui::state::words::capitalised;

/// Width of the field for the learning rate, in points.
const FIELD: f32 = 64.0;
/// Height of the line, in points.
const LINE: f32 = 24.0;

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
    let id = egui::Id::unique(("rate of a fork", dir));
    let kept: Option<String> = ui.data(|data| data.get_temp(id));
    let mut rate = kept.unwrap_or_else(|| offered_rate(&started.config));
    let config = with_rate(&started.config, &rate);
    let size = vec2(ui.available_width(), LINE);
    ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
        let help = "Train a new run that begins with this one up to its last checkpoint, and goes on with this rate";
        let button = ui
            .add_enabled(config.is_ok(), Button::new("Fork"))
            .on_hover_text(help)
            .on_disabled_hover_text(config.as_ref().err().map_or("", String::as_str))
            .accessible_name(format!("Fork {name}"));
        if button.clicked()
            && let Ok(config) = &config
        {
            actions.push(Action::Fork(dir.to_owned(), Box::new(config.clone())));
        }
        let field = TextEdit::singleline(&mut rate).desired_width(FIELD);
        let colour = config.is_err().then_some(ui.visuals().error_fg_color);
        let field = match colour {
            Some(colour) => field.text_color(colour),
            None => field,
        };
        let field = ui
            .add(field)
            .on_hover_text(help)
            .accessible_name(format!("Learning rate of a fork of {name}"));
        if field.changed() {
            ui.data_mut(|data| data.insert_temp(id, rate.clone()));
        }
        ui.label("Go on with learning rate").on_hover_text(help);
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let text = format!("{name}: {}.", capitalised(why));
            let text = RichText::new(text).color(ui.visuals().error_fg_color);
            ui.add(Label::new(text).truncate())
                .on_hover_text("With the same settings it would end in the same way again.");
        });
    });
}
