//! Asks before a run is moved to the trash.

use std::path::Path;

use egui::RichText;

use crate::ui::state::action::Action;
use crate::ui::state::run_table::Browser;

/// Asks before a run is moved to the trash.
pub(super) fn trash_ui(ctx: &egui::Context, browser: &mut Browser, actions: &mut Vec<Action>) {
    let Some(dir) = browser.to_trash.clone() else {
        return;
    };
    let modal = egui::Modal::new(egui::Id::unique("trash")).show(ctx, |ui| {
        ui.set_width(380.0);
        ui.label(RichText::new("Move this run to the trash?").heading());
        ui.add_space(4.0);
        ui.label(dir.display().to_string());
        ui.label(RichText::new(what_is_lost(&dir)).weak());
        ui.add_space(8.0);
        ui.horizontal(|ui| {
            let cancel = ui
                .button("Keep it")
                .on_hover_text("Leave everything as it is");
            if cancel.clicked() {
                browser.to_trash = None;
            }
            if ui.button("Move to trash").clicked() {
                actions.push(Action::Trash(dir.clone()));
                browser.to_trash = None;
            }
        });
    });
    if modal.should_close() {
        browser.to_trash = None;
    }
}

fn what_is_lost(dir: &Path) -> String {
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    format!(
        "Log, probes, checkpoints and notes of {name} go with it. The system's trash can put them back."
    )
}
