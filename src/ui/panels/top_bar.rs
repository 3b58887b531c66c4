//! The bar at the top: the program's name, back and forward, the pages, the list of commands, two runs side by side,
//! and the theme.

use crate::ui::state::State;
use crate::ui::state::action::Action;
use crate::ui::state::place::Page;
use crate::ui::state::runs::RunEntry;

/// The words on the buttons at the right end.
const COMMANDS: &str = "Commands";
const SIDE_BY_SIDE: &str = "Two runs side by side";
/// What a narrow bar says instead.
const SIDE_BY_SIDE_SHORT: &str = "Two runs";
/// Width in points below which the bar leaves out the program's name and shortens words.
const NARROW: f32 = 1040.0;

pub(crate) fn top_bar_ui(ui: &mut egui::Ui, state: &State, actions: &mut Vec<Action>) {
    ui.add_space(2.0);
    ui.horizontal(|ui| {
        let is_narrow = ui.available_width() < NARROW;
        if !is_narrow {
            ui.label(egui::RichText::new("Crosscurrent").heading().strong());
            ui.add_space(8.0);
        }
        way_ui(ui, state, actions);
        let side_by_side = if is_narrow {
            SIDE_BY_SIDE_SHORT
        } else {
            SIDE_BY_SIDE
        };
        let right = [COMMANDS, side_by_side, theme(ui).0];
        let right: f32 = right.map(|text| button_width(ui, text)).iter().sum();
        let size = egui::vec2(
            (ui.available_width() - right).max(0.0),
            ui.available_height(),
        );
        let layout = egui::Layout::left_to_right(egui::Align::Center);
        ui.allocate_ui_with_layout(size, layout, |ui| tabs_ui(ui, state, actions));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            theme_ui(ui, actions);
            side_by_side_ui(ui, side_by_side, state, actions);
            let commands = ui.button(COMMANDS).on_hover_text(
                "Search everything that can be done or seen (Ctrl+K); F1 lists all keys",
            );
            if commands.clicked() {
                actions.push(Action::TogglePalette);
            }
        });
    });
    ui.add_space(2.0);
}

/// Draws the pages' tabs, which scroll to the side where there is no room for all of them.
fn tabs_ui(ui: &mut egui::Ui, state: &State, actions: &mut Vec<Action>) {
    egui::ScrollArea::horizontal().show(ui, |ui| {
        ui.horizontal(|ui| {
            // Networks of other programs have no gates.
            let is_other = |entry: &RunEntry| entry.run.started.is_some() && !entry.is_own();
            let mut runs = state.runs.iter().peekable();
            let has_gates = runs.peek().is_none() || !runs.all(is_other);
            let pages = Page::ALL.iter();
            for &page in pages.filter(|page| has_gates || **page != Page::Gates) {
                let tab = ui
                    .selectable_label(state.view.page == page, page.title())
                    .on_hover_text(page.help());
                if tab.clicked() {
                    actions.push(Action::Show(page));
                }
            }
        });
    });
}

/// Width of a button with this text and of the space beside it, in points.
fn button_width(ui: &egui::Ui, text: &str) -> f32 {
    let font = egui::TextStyle::Button.resolve(ui.style());
    let color = ui.visuals().text_color();
    let words = ui
        .painter()
        .layout_no_wrap(text.to_owned(), font, color)
        .size();
    let spacing = ui.spacing();
    words.x + 2.0 * spacing.button_padding.x + spacing.item_spacing.x
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

/// The name of the other theme, and that theme.
fn theme(ui: &egui::Ui) -> (&'static str, egui::Theme) {
    match ui.theme() {
        egui::Theme::Dark => ("Light", egui::Theme::Light),
        egui::Theme::Light => ("Dark", egui::Theme::Dark),
    }
}

fn theme_ui(ui: &mut egui::Ui, actions: &mut Vec<Action>) {
    let (text, other) = theme(ui);
    let help = format!("Switch to {} colours", text.to_lowercase());
    if ui.button(text).on_hover_text(&help).clicked() {
        actions.push(Action::SetTheme(other.into()));
    }
}

fn side_by_side_ui(ui: &mut egui::Ui, text: &str, state: &State, actions: &mut Vec<Action>) {
    let can = state.runs.iter().count() > 1;
    let on = state.view.side_by_side;
    let button = egui::Button::selectable(on, text);
    let response = ui
        .add_enabled(can, button)
        .on_hover_text("Show two runs next to each other, with the same scales")
        .on_disabled_hover_text("Train or open a second run to compare two")
        .accessible_name(SIDE_BY_SIDE);
    if response.clicked() {
        actions.push(Action::SideBySide(!on));
    }
}
