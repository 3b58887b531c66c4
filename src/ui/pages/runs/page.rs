//! Lays out the page of runs: filter and folders above the table, and the details of a run beside or below it.

use std::path::PathBuf;

use egui::RichText;

use super::details::details_ui;
use super::open::Open;
use super::table::table_ui;
use super::trash::trash_ui;
use crate::run::event::Split;
use crate::ui::state::action::{Action, Purpose};
use crate::ui::state::run_table::{Browser, Table};
use crate::ui::state::words::count;

/// The details lie beside the table if the page is at least this wide, in points, and below it otherwise.
const WIDE: f32 = 1150.0;
const DETAILS_WIDTH: f32 = 360.0;
const DETAILS_HEIGHT: f32 = 230.0;
/// The greatest number of runs that are opened with one click, since each is read whole.
const OPENED_AT_ONCE: usize = 100;

/// Draws the page of runs.
pub(crate) fn runs_page_ui(
    ui: &mut egui::Ui,
    open: &Open<'_>,
    browser: &mut Browser,
    actions: &mut Vec<Action>,
) {
    browser.update(open.runs);
    let table = browser.table.clone();
    tools_ui(ui, browser, &table, actions);
    let is_wide = ui.available_width() >= WIDE;
    let frame = egui::Frame::NONE.inner_margin(egui::Margin::same(8));
    if browser.selected_row().is_some() {
        if is_wide {
            egui::Panel::right("run details")
                .exact_size(DETAILS_WIDTH)
                .frame(frame)
                .show(ui, |ui| details_ui(ui, open, browser, &table, actions));
        } else {
            egui::Panel::bottom("run details")
                .exact_size(DETAILS_HEIGHT)
                .frame(frame)
                .show(ui, |ui| details_ui(ui, open, browser, &table, actions));
        }
    }
    egui::CentralPanel::default()
        .frame(egui::Frame::NONE)
        .show(ui, |ui| table_ui(ui, open, browser, &table, actions));
    trash_ui(ui.ctx(), browser, actions);
}

/// Draws the controls for filter, grouping, split and folders.
fn tools_ui(ui: &mut egui::Ui, browser: &mut Browser, table: &Table, actions: &mut Vec<Action>) {
    ui.horizontal_wrapped(|ui| {
        let edit = egui::TextEdit::singleline(&mut browser.order.filter)
            .hint_text("Filter, such as branch seed=1")
            .desired_width(200.0);
        ui.add(edit)
            .on_hover_text("Lists the runs in whose name, state, configuration, notes or path every word occurs")
            .accessible_name("Filter runs");
        ui.checkbox(&mut browser.order.by_seed, "Group seeds")
            .on_hover_text("One line for all runs that differ in nothing but the seed, with mean ± standard deviation over those that are finished (their number)");
        ui.separator();
        let splits = [
            (Split::Val, "Validation", "Scores of the newest evaluation on the validation images"),
            (Split::Test, "Test at best step", "Scores on the test images at the step with the best validation macro-F1, measured when a run ends; the page Compare takes those of the last step"),
        ];
        for (split, text, help) in splits {
            let on = browser.order.split == split;
            let button = ui.selectable_label(on, text).on_hover_text(help);
            if button.accessible_name(format!("Scores: {text}")).clicked() {
                browser.order.split = split;
            }
        }
        ui.separator();
        let shown = table.rows.len();
        let count = if shown == table.total {
            count(shown)
        } else {
            format!("{shown} of {}", count(table.total))
        };
        ui.label(RichText::new(count).weak());
        open_all_ui(ui, &browser.unopened(), actions);
        folders_ui(ui, browser, actions);
    });
    ui.add_space(2.0);
}

/// Draws the button that opens all runs that are listed and not open.
fn open_all_ui(ui: &mut egui::Ui, unopened: &[PathBuf], actions: &mut Vec<Action>) {
    let why = match unopened.len() {
        0 => Some("Every run listed is open, or cannot be read".to_owned()),
        n if n > OPENED_AT_ONCE => Some(format!(
            "{n} runs at once are too many; filter the list to {OPENED_AT_ONCE} at most"
        )),
        _ => None,
    };
    let help = format!(
        "Open {} that are listed and not open, to compare them",
        count(unopened.len())
    );
    let button = ui
        .add_enabled(why.is_none(), egui::Button::new("Open all listed"))
        .on_hover_text(help)
        .on_disabled_hover_text(why.unwrap_or_default());
    if button.clicked() {
        actions.push(Action::OpenAll(unopened.to_vec()));
    }
}

/// Draws the list of the folders that are searched for runs, and a field to add one.
fn folders_ui(ui: &mut egui::Ui, browser: &mut Browser, actions: &mut Vec<Action>) {
    let button = ui
        .button("Folders…")
        .on_hover_text("Which folders are looked through for runs");
    egui::Popup::from_toggle_button_response(&button)
        .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside)
        .show(|ui| {
            ui.set_width(380.0);
            ui.label(
                "Runs are looked for where new ones are saved, beside those that are open, and in",
            );
            if browser.folders.is_empty() {
                ui.weak("no other folder");
            }
            for folder in &browser.folders {
                ui.horizontal(|ui| {
                    let forget = ui
                        .add(egui::Button::new("×").small().frame(false))
                        .on_hover_text("Look through it no longer; its files stay")
                        .accessible_name(format!("Forget {}", folder.display()));
                    if forget.clicked() {
                        actions.push(Action::ForgetFolder(folder.clone()));
                    }
                    let path = folder.display().to_string();
                    ui.add(egui::Label::new(&path).truncate())
                        .on_hover_text(path);
                });
            }
            ui.horizontal(|ui| {
                if ui.button("Add folder…").clicked() {
                    let start = PathBuf::from(browser.folder_to_add.trim());
                    actions.push(Action::Choose(Purpose::FolderOfRuns, start));
                }
                let edit = egui::TextEdit::singleline(&mut browser.folder_to_add)
                    .hint_text("or its path")
                    .desired_width(f32::INFINITY);
                let typed = ui.add(edit).accessible_name("Path of a folder of runs");
                let entered =
                    typed.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
                if entered && !browser.folder_to_add.trim().is_empty() {
                    let path = PathBuf::from(browser.folder_to_add.trim());
                    actions.push(Action::AddFolder(path));
                    browser.folder_to_add.clear();
                }
            });
        });
}
