//! The bar at the top: the program's name, back and forward, the pages, the list of commands, two runs side by side,
//! and the theme.

use crate::ui::state::State;
use crate::ui::state::action::Action;
use crate::ui::state::place::Page;

pub(crate) fn top_bar_ui(ui: &mut egui::Ui, state: &State, actions: &mut Vec<Action>) {
    ui.add_space(2.0);
    ui.horizontal(|ui| {
        ui.label(egui::RichText::new("Crosscurrent").heading().strong());
        ui.add_space(8.0);
        way_ui(ui, state, actions);
        for &page in Page::ALL {
            let tab = ui
                .selectable_label(state.view.page == page, page.title())
                .on_hover_text(page.help());
            if tab.clicked() {
                actions.push(Action::Show(page));
            }
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            theme_ui(ui, actions);
            side_by_side_ui(ui, state, actions);
            let commands = ui.button("Commands").on_hover_text(
                "Search everything that can be done or seen (Ctrl+K); F1 lists all keys",
            );
            if commands.clicked() {
                actions.push(Action::TogglePalette);
            }
        });
    });
    ui.add_space(2.0);
}

fn way_ui(ui: &mut egui::Ui, state: &State, actions: &mut Vec<Action>) {
    let ways = [
        (
            "←",
            "Back",
            "Alt+←",
            state.history.can_go_back(),
            Action::Back,
        ),
        (
            "→",
            "Forward",
            "Alt+→",
            state.history.can_go_forward(),
            Action::Forward,
        ),
    ];
    for (sign, name, keys, can, action) in ways {
        let response = ui
            .add_enabled(can, egui::Button::new(sign).frame(false))
            .on_hover_text(format!("{name} through what was looked at ({keys})"))
            .accessible_name(name);
        if response.clicked() {
            actions.push(action);
        }
    }
}

fn theme_ui(ui: &mut egui::Ui, actions: &mut Vec<Action>) {
    let (text, other) = match ui.theme() {
        egui::Theme::Dark => ("Light", egui::Theme::Light),
        egui::Theme::Light => ("Dark", egui::Theme::Dark),
    };
    let help = format!("Switch to {} colours", text.to_lowercase());
    if ui.button(text).on_hover_text(&help).clicked() {
        actions.push(Action::SetTheme(other.into()));
    }
}

fn side_by_side_ui(ui: &mut egui::Ui, state: &State, actions: &mut Vec<Action>) {
    let can = state.runs.iter().count() > 1;
    let on = state.view.side_by_side;
    let button = egui::Button::selectable(on, "Two runs side by side");
    let response = ui
        .add_enabled(can, button)
        .on_hover_text("Show two runs next to each other, with the same scales")
        .on_disabled_hover_text("Train or open a second run to compare two");
    if response.clicked() {
        actions.push(Action::SideBySide(!on));
    }
}
