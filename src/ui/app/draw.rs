//! Draws the window: its panels, the page between them, and the overlays.

use egui::{CentralPanel, Color32, Context, Frame, Margin, Panel, ScrollArea};

use super::App;
use crate::ui::overlays::commands::{explanation_ui, keyboard_ui, keys, palette_ui};
use crate::ui::overlays::{export_ui, hovering_ui, notice_ui};
use crate::ui::pages::centre_ui;
use crate::ui::panels::{open_runs_ui, progress_ui, setup_ui, time_ui, top_bar_ui, training_ui};
use crate::ui::state::action::Action;

impl App {
    /// Draws the whole window and does the actions that were asked for in it.
    pub fn ui(&mut self, ui: &mut egui::Ui) {
        let mut actions = keys(ui.ctx(), &self.state);
        // The window is cleared in the colour of panels already. If the processor draws, and not a graphics card,
        // filling the panels once more would be half the work of a frame.
        let clear = Color32::TRANSPARENT;
        let panel = Frame::side_top_panel(ui.style()).fill(clear);
        let central = Frame::central_panel(ui.style()).fill(clear);
        Panel::top("top").frame(panel).show(ui, |ui| {
            top_bar_ui(ui, &self.state, &mut actions);
        });
        Panel::bottom("progress").frame(panel).show(ui, |ui| {
            progress_ui(ui, &self.state, &mut actions);
        });
        let width = self.settings.panel.unwrap_or(316.0);
        let left = Panel::left("setup")
            .default_size(width.clamp(280.0, 440.0))
            .size_range(280.0..=440.0)
            .frame(panel)
            .show(ui, |ui| self.left_ui(ui, &mut actions));
        self.settings.panel = Some(left.response.rect.width());
        Panel::bottom("time").frame(panel).show(ui, |ui| {
            time_ui(ui, &self.state, &mut actions);
        });
        CentralPanel::default().frame(central).show(ui, |ui| {
            centre_ui(ui, &mut self.state, &mut actions);
        });
        self.overlays_ui(ui.ctx(), &mut actions);
        for action in actions {
            self.apply(action, ui.ctx());
        }
        self.remember(ui.ctx());
    }

    /// Draws the left panel: the open runs and the new experiment, and below them the training under way, which never
    /// scrolls out of sight.
    fn left_ui(&mut self, ui: &mut egui::Ui, actions: &mut Vec<Action>) {
        let state = &mut self.state;
        Panel::bottom("training")
            .frame(Frame::NONE)
            .show(ui, |ui| training_ui(ui, state, actions));
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            // The scroll bar floats over the panel: without a margin it would cover the numbers.
            let margin = Margin {
                right: 8,
                ..Margin::ZERO
            };
            Frame::NONE.inner_margin(margin).show(ui, |ui| {
                let is_training = state.is_training();
                let path = &mut state.run_to_open;
                open_runs_ui(ui, &state.runs, &state.view, is_training, path, actions);
                ui.separator();
                setup_ui(ui, &mut state.draft, actions);
            });
        });
    }

    /// Draws dialogs and the notice over the page, and hands an image or a text that was copied to the clipboard.
    fn overlays_ui(&mut self, ctx: &Context, actions: &mut Vec<Action>) {
        if let Some(export) = &mut self.state.export {
            export_ui(ctx, export, actions);
        }
        if let Some(copied) = self.copied.take() {
            ctx.send_cmd(copied);
        }
        notice_ui(ctx, &mut self.state.notice, self.now, actions);
        hovering_ui(ctx);
        keyboard_ui(ctx, &self.state, actions);
        explanation_ui(ctx, &self.state, actions);
        if let Some(palette) = self.state.palette.take() {
            self.state.palette = palette_ui(ctx, &self.state, palette, actions);
        }
    }
}
