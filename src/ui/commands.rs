//! Everything that can be done, by name: shortcuts, and a list to search (Ctrl+K).

use egui::{Key, KeyboardShortcut, Modifiers, RichText};

use super::action::Action;
use super::app::App;
use super::page::Page;
use super::setup_panel::choose_sweep;
use crate::figure::{Pick, Quantity, TimeAxis};

/// Lines of the list that are seen at once.
const LINES: usize = 12;
const WIDTH: f32 = 520.0;

/// Something that can be done.
struct Command {
    text: String,
    shortcut: Option<KeyboardShortcut>,
    action: Action,
}

const PALETTE: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::K);
const BACK: KeyboardShortcut = KeyboardShortcut::new(Modifiers::ALT, Key::ArrowLeft);
const FORWARD: KeyboardShortcut = KeyboardShortcut::new(Modifiers::ALT, Key::ArrowRight);
const SIDE_BY_SIDE: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::D);
const THEME: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::L);
const LIVE: KeyboardShortcut = KeyboardShortcut::new(Modifiers::NONE, Key::End);
const FIRST: KeyboardShortcut = KeyboardShortcut::new(Modifiers::NONE, Key::Home);
const DIGITS: [Key; 9] = [
    Key::Num1,
    Key::Num2,
    Key::Num3,
    Key::Num4,
    Key::Num5,
    Key::Num6,
    Key::Num7,
    Key::Num8,
    Key::Num9,
];

/// The list while it is open.
#[derive(Debug, Default)]
pub(crate) struct Palette {
    query: String,
    /// Position among what matches.
    selected: usize,
}

/// What the keys pressed since the last frame ask for. Keys without a modifier belong to the widget that has the
/// keyboard, if any.
pub(crate) fn keys(ctx: &egui::Context, app: &App) -> Vec<Action> {
    let is_key = |event: &egui::Event| matches!(event, egui::Event::Key { .. });
    if !ctx.input(|input| input.events.iter().any(is_key)) {
        return Vec::new();
    }
    let is_free = ctx.memory(|memory| memory.focused().is_none());
    let mut actions = Vec::new();
    if ctx.input_mut(|input| input.consume_shortcut(&PALETTE)) {
        actions.push(Action::TogglePalette);
    }
    if app.palette.is_some() || app.export.is_some() {
        return actions;
    }
    for command in commands(app, ctx.theme()) {
        let Some(shortcut) = command.shortcut else {
            continue;
        };
        let usable = is_free || shortcut.modifiers != Modifiers::NONE;
        if usable && ctx.input_mut(|input| input.consume_shortcut(&shortcut)) {
            actions.push(command.action);
        }
    }
    if is_free {
        let count = |key| ctx.input(|input| input.num_presses(key)) as isize;
        let steps = count(Key::ArrowRight) - count(Key::ArrowLeft);
        if steps != 0 && ctx.input(|input| input.modifiers.is_none()) {
            actions.push(Action::StepBy(steps));
        }
    }
    actions
}

/// Everything that can be done now.
fn commands(app: &App, theme: egui::Theme) -> Vec<Command> {
    let mut commands = Vec::new();
    let mut add = |text: String, shortcut: Option<KeyboardShortcut>, action: Action| {
        commands.push(Command {
            text,
            shortcut,
            action,
        });
    };
    for (&page, key) in Page::ALL.iter().zip(DIGITS) {
        let shortcut = KeyboardShortcut::new(Modifiers::COMMAND, key);
        let text = format!("Page: {}", page.title());
        add(text, Some(shortcut), Action::Show(page));
    }
    add(
        "Back to what was looked at before".to_owned(),
        Some(BACK),
        Action::Back,
    );
    add("Forward again".to_owned(), Some(FORWARD), Action::Forward);
    add(
        "Time: follow the newest (live)".to_owned(),
        Some(LIVE),
        Action::GoTo(None),
    );
    let first = app.steps().first().copied();
    add(
        "Time: first probe".to_owned(),
        Some(FIRST),
        Action::GoTo(first),
    );
    for axis in TimeAxis::ALL {
        let text = format!("Time: measure in {}", axis.unit());
        add(text, None, Action::SetTime(axis));
    }
    let on = !app.view.side_by_side;
    let text = if on {
        "Two runs side by side"
    } else {
        "One run alone"
    };
    add(text.to_owned(), Some(SIDE_BY_SIDE), Action::SideBySide(on));
    let (name, other) = match theme {
        egui::Theme::Dark => ("light", egui::Theme::Light),
        egui::Theme::Light => ("dark", egui::Theme::Dark),
    };
    add(
        format!("Colours: {name}"),
        Some(THEME),
        Action::SetTheme(other),
    );
    training(app, &mut add);
    selections(app, &mut add);
    commands
}

type Add<'a> = dyn FnMut(String, Option<KeyboardShortcut>, Action) + 'a;

fn training(app: &App, add: &mut Add<'_>) {
    if app.is_training() {
        add(
            "Training: add the experiment as set up to what waits".to_owned(),
            None,
            Action::Start,
        );
        for (text, action) in [
            ("Training: pause", Action::Pause),
            ("Training: resume", Action::Resume),
            ("Training: stop", Action::Stop),
        ] {
            add(text.to_owned(), None, action);
        }
    } else {
        add(
            "Training: start the experiment as set up".to_owned(),
            None,
            Action::Start,
        );
    }
    add("Training: run a sweep…".to_owned(), None, choose_sweep());
}

/// Runs, classes and parts of the network.
fn selections(app: &App, add: &mut Add<'_>) {
    for entry in app.runs.iter() {
        let name = &entry.name;
        add(
            format!("Run: show {name} on the left"),
            None,
            Action::ShowLeft(entry.id),
        );
        add(
            format!("Run: show {name} on the right"),
            None,
            Action::ShowRight(entry.id),
        );
    }
    for (order, name) in super::figures_panel::ORDERS {
        let text = format!("Order of classes: {name}");
        add(text, None, Action::Pick(Pick::Order(order)));
    }
    add(
        "Order of classes: by similarity of their gradients".to_owned(),
        None,
        Action::OrderBySimilarity,
    );
    add(
        "Matrices: show all classes".to_owned(),
        None,
        Action::Pick(Pick::Sight(None)),
    );
    let on = !app.view.figure.difference;
    let text = if on { "as difference" } else { "of each run" };
    add(
        format!("Matrices: the second {text}"),
        None,
        Action::Pick(Pick::Difference(on)),
    );
    for (quantity, name) in [
        (Quantity::Interference, "interference"),
        (Quantity::ConflictRate, "share of pairs in conflict"),
        (Quantity::ClassNorm, "pull of the selected class"),
        (Quantity::TailShare, "share of the rarest classes"),
    ] {
        add(
            format!("Colour the network by {name}"),
            None,
            Action::Pick(Pick::Quantity(quantity)),
        );
    }
    let shown = app.view.shown();
    let Some(started) = shown
        .iter()
        .find_map(|&id| app.runs.get(id)?.run.started.as_ref())
    else {
        return;
    };
    for (k, name) in started.classes.iter().enumerate() {
        add(format!("Class: {name}"), None, Action::Pick(Pick::Class(k)));
    }
    for scope in super::figures_panel::scopes(started) {
        add(
            format!("Part of the network: {}", scope.name()),
            None,
            Action::Pick(Pick::Scope(scope)),
        );
    }
}

/// The list over everything else, with what is typed and what matches it.
pub(crate) fn palette_ui(ctx: &egui::Context, app: &mut App, actions: &mut Vec<Action>) {
    let Some(mut palette) = app.palette.take() else {
        return;
    };
    let found: Vec<Command> = commands(app, ctx.theme())
        .into_iter()
        .filter(|command| matches(&command.text, &palette.query))
        .collect();
    let count = |key| ctx.input_mut(|input| input.count_and_consume_key(Modifiers::NONE, key));
    let (up, down) = (count(Key::ArrowUp), count(Key::ArrowDown));
    let last = found.len().saturating_sub(1);
    palette.selected = (palette.selected + down).saturating_sub(up).min(last);
    let mut chosen = (count(Key::Enter) > 0).then_some(palette.selected);
    let area = egui::Modal::default_area(egui::Id::unique("commands"))
        .anchor(egui::Align2::CENTER_TOP, egui::vec2(0.0, 64.0));
    let modal = egui::Modal::new(egui::Id::unique("commands")).area(area);
    let modal = modal.show(ctx, |ui| {
        ui.set_width(WIDTH);
        let edit = egui::TextEdit::singleline(&mut palette.query)
            .hint_text("What would you like to do or see?")
            .desired_width(f32::INFINITY);
        let typed = ui.add(edit).accessible_name("Search commands");
        typed.request_focus();
        if typed.changed() {
            palette.selected = 0;
        }
        ui.add_space(4.0);
        if found.is_empty() {
            ui.weak("Nothing is called that. Try a page, a class, a layer or a run.");
        }
        let row = ui.spacing().interact_size.y;
        ui.spacing_mut().item_spacing.y = 0.0;
        egui::ScrollArea::vertical()
            .max_height(LINES as f32 * row)
            .show(ui, |ui| {
                for (i, command) in found.iter().enumerate() {
                    let response = line_ui(ui, command, i == palette.selected);
                    if i == palette.selected && up + down > 0 {
                        response.scroll_to_me(None);
                    }
                    if response.clicked() {
                        chosen = Some(i);
                    }
                }
            });
    });
    if let Some(command) = chosen.and_then(|chosen| found.into_iter().nth(chosen)) {
        actions.push(command.action);
    } else if !modal.should_close() {
        app.palette = Some(palette);
    }
}

fn line_ui(ui: &mut egui::Ui, command: &Command, selected: bool) -> egui::Response {
    let keys = command.shortcut.map(|keys| ui.ctx().format_shortcut(&keys));
    let mut button = egui::Button::selectable(selected, command.text.as_str())
        .min_size(egui::vec2(
            ui.available_width(),
            ui.spacing().interact_size.y,
        ))
        .truncate();
    if let Some(keys) = keys {
        button = button.shortcut_text(RichText::new(keys).weak());
    }
    ui.add(button)
}

/// Whether every word of the query occurs in the text.
fn matches(text: &str, query: &str) -> bool {
    let text = text.to_lowercase();
    query
        .to_lowercase()
        .split_whitespace()
        .all(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_match_in_any_order() {
        let text = "Part of the network: branch2.conv1";
        assert!(matches(text, "conv1 network"));
        assert!(matches(text, "BRANCH2"));
        assert!(matches(text, ""));
        assert!(!matches(text, "branch2 conv2"));
    }
}
