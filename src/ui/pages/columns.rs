//! The centre: the map of the network, and the figures of one run or of two side by side.

use egui::{Rect, RichText, UiBuilder, Vec2, pos2, vec2};

use crate::figure::pages::kind_shown;
use crate::figure::{Kind, Order, Pick, Subject, View, figure_ui};
use crate::run::event::{Split, Started};
use crate::run::{CLASSIFIER, Scope};
use crate::ui::pages::compare as compare_panel;
use crate::ui::pages::data as data_panel;
use crate::ui::pages::mistakes as images_panel;
use crate::ui::pages::overview as findings_panel;
use crate::ui::pages::runs::page as browser_panel;
use crate::ui::state::State;
use crate::ui::state::action::Action;
use crate::ui::state::page::{GAP, Page};
use crate::ui::state::runs::{RunEntry, RunState, variant_name};
use crate::ui::widgets::problem_ui;

/// Kept free on the right, so that the scroll bar covers no figure.
const SCROLL_BAR: f32 = 4.0;

pub(crate) fn figures_ui(ui: &mut egui::Ui, state: &mut State, actions: &mut Vec<Action>) {
    match state.view.page {
        Page::Overview => findings_panel::findings_ui(ui, state, actions),
        Page::Compare => return compare_panel::compare_ui(ui, state, actions),
        Page::Data => return data_panel::data_ui(ui, state, actions),
        Page::Runs => return browser_panel::browser_ui(ui, state, actions),
        Page::Mistakes => images_panel::images_ui(ui, state, actions),
        Page::Conflicts | Page::Class | Page::Gates => {}
    }
    let state = &*state;
    let shown = state.view.shown();
    let entries: Vec<&RunEntry> = shown.iter().filter_map(|&id| state.runs.get(id)).collect();
    if entries.is_empty() {
        empty_ui(ui);
        return;
    }
    scope_ui(ui, state.view.page, &entries, &state.view.figure, actions);
    let view_height = ui.available_height();
    let columns = Columns::of(state.view.page, ui.available_size(), &entries);
    // A page begins at its top, wherever another one was left.
    egui::ScrollArea::vertical()
        .id_salt(state.view.page)
        .auto_shrink(false)
        .show(ui, |ui| {
            let size = vec2(columns.total_width(), columns.height);
            let (rect, _) = ui.allocate_exact_size(size, egui::Sense::hover());
            let subjects: Vec<_> = entries.iter().map(|entry| entry.subject()).collect();
            for (index, entry) in entries.iter().enumerate() {
                let left = rect.left() + index as f32 * (columns.width + GAP);
                let min = pos2(left, rect.top());
                let column = Rect::from_min_size(min, vec2(columns.width, columns.height));
                let panel = Column {
                    entry,
                    subjects: &subjects,
                    view: &state.view.figure,
                    page: state.view.page,
                    index,
                    view_height,
                };
                ui.push_id(entry.id, |ui| panel.show(ui, column, actions));
            }
        });
}

fn empty_ui(ui: &mut egui::Ui) {
    ui.vertical_centered(|ui| {
        ui.add_space(ui.available_height() * 0.35);
        ui.label(RichText::new("Watch how classes pull a network against each other").heading());
        ui.add_space(6.0);
        let text = "Press Start to train a baseline and a network with branch attention on the built-in images,\nor choose an image folder, or open a run.";
        ui.label(RichText::new(text).weak());
    });
}

/// What all figures follow: the part of the network, by name (clicking in the map does the same), the class, the order
/// of classes and the pair.
pub(crate) fn scope_ui(
    ui: &mut egui::Ui,
    page: Page,
    entries: &[&RunEntry],
    view: &View,
    actions: &mut Vec<Action>,
) {
    ui.horizontal_wrapped(|ui| {
        let help = "Gradients are shown for this part of the network. The classifier pulls classes apart by construction, so the backbone (all other layers) is the fairer summary.";
        let label = ui.label("Part of the network").on_hover_text(help);
        // The run with the most layers knows every name the others know.
        let headers = entries.iter().filter_map(|entry| entry.run.started.as_ref());
        let Some(started) = headers.max_by_key(|started| started.layers.len()) else {
            ui.label(RichText::new("waits for the first run to begin").weak());
            return;
        };
        let combo = egui::ComboBox::from_id_salt("scope")
            .selected_text(scope_name(&view.scope))
            .height(420.0)
            .show_ui(ui, |ui| {
                for scope in scopes(started) {
                    let indent = if matches!(scope, Scope::Layer(_)) { "    " } else { "" };
                    let text = format!("{indent}{}", scope_name(&scope));
                    if ui.selectable_label(view.scope == scope, text).clicked() {
                        actions.push(Action::Pick(Pick::Scope(scope)));
                    }
                }
            });
        combo.response.labelled_by(label.id).on_hover_text(help);
        class_ui(ui, &started.classes, view, actions);
        order_ui(ui, &started.classes, view, actions);
        if page == Page::Mistakes {
            split_ui(ui, entries, view, actions);
        }
        let mut on = !view.ranges.is_empty();
        let help = "Keeps the scales of all charts as they are now, over time and for other runs; off, they hold all there is. A box drawn in a chart fixes its scale alone.";
        if ui.checkbox(&mut on, "Lock scales").on_hover_text(help).changed() {
            actions.push(Action::LockScales(on));
        }
        if entries.len() > 1 {
            let mut on = view.difference;
            let help = "Shows the second run's conflict matrix minus the first's, on a scale of its own";
            if ui.checkbox(&mut on, "As difference").on_hover_text(help).changed() {
                actions.push(Action::Pick(Pick::Difference(on)));
            }
        }
        if let Some((a, b)) = view.pair
            && let (Some(a), Some(b)) = (started.classes.get(a), started.classes.get(b))
        {
            ui.separator();
            pair_ui(ui, format!("Pair {a} × {b}"), actions);
        }
    });
}

/// The selected pair with its button, on one line.
fn pair_ui(ui: &mut egui::Ui, text: String, actions: &mut Vec<Action>) {
    let (font, color) = (
        egui::TextStyle::Body.resolve(ui.style()),
        ui.visuals().text_color(),
    );
    let words = ui.painter().layout_no_wrap(text, font, color);
    let size = egui::vec2(words.size().x + 30.0, ui.spacing().interact_size.y);
    ui.allocate_ui_with_layout(size, egui::Layout::left_to_right(egui::Align::Center), |ui| {
        ui.label(words).on_hover_text(
            "The pair of classes whose cosine is drawn over time; click a cell of the matrix to choose another",
        );
        let clear = ui
            .small_button("×")
            .on_hover_text("No class and no pair (Esc)");
        if clear.accessible_name("Clear the selection").clicked() {
            actions.push(Action::ClearSelection);
        }
    });
}

/// Chooses the class that is lit up everywhere; many are searched by name.
fn class_ui(ui: &mut egui::Ui, names: &[String], view: &View, actions: &mut Vec<Action>) {
    let label = ui.label("Class");
    let chosen = view.class.and_then(|class| names.get(class));
    let id = ui.scope_id().with("class search");
    let combo = egui::ComboBox::from_id_salt("class")
        .selected_text(chosen.map_or("none", String::as_str))
        .height(420.0)
        .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside)
        .show_ui(ui, |ui| {
            let mut query: String = ui.data(|data| data.get_temp(id)).unwrap_or_default();
            if names.len() > SEARCHED_FROM {
                let edit = egui::TextEdit::singleline(&mut query).hint_text("Search");
                ui.add(edit).accessible_name("Search classes");
            }
            let wanted = query.to_lowercase();
            if ui.selectable_label(view.class.is_none(), "none").clicked() {
                actions.push(Action::NoClass);
                ui.close();
            }
            for (k, name) in names.iter().enumerate() {
                let found = name.to_lowercase().contains(&wanted);
                if found && ui.selectable_label(view.class == Some(k), name).clicked() {
                    actions.push(Action::Pick(Pick::Class(k)));
                    query.clear();
                    ui.close();
                }
            }
            ui.data_mut(|data| data.insert_temp(id, query));
        });
    combo.response.labelled_by(label.id).on_hover_text(
        "The class that is lit up in every figure; a click on its name does the same",
    );
}

/// From this many classes on there is a field to search them.
const SEARCHED_FROM: usize = 12;

/// Chooses the order of the classes in matrices and lists.
pub(crate) fn order_ui(
    ui: &mut egui::Ui,
    classes: &[String],
    view: &View,
    actions: &mut Vec<Action>,
) {
    let label = ui.label("Order");
    let order = if view.order.applies_to(classes) {
        &view.order
    } else {
        &Order::Listed
    };
    let name = match order {
        Order::Listed => "as listed",
        Order::Frequency => "by frequency",
        Order::Name => "by name",
        Order::Similarity(_) => "by similarity",
    };
    let combo = egui::ComboBox::from_id_salt("order")
        .selected_text(name)
        .show_ui(ui, |ui| {
            for (other, name) in ORDERS {
                if ui.selectable_label(*order == other, name).clicked() {
                    actions.push(Action::Pick(Pick::Order(other)));
                }
            }
            let is_similarity = matches!(order, Order::Similarity(_));
            if ui
                .selectable_label(is_similarity, "by similarity")
                .on_hover_text(SIMILARITY_HELP)
                .clicked()
            {
                actions.push(Action::OrderBySimilarity);
            }
        });
    combo
        .response
        .labelled_by(label.id)
        .on_hover_text("Order of the classes in matrices and lists");
}

/// Chooses the images that mistakes are counted on, where runs have two sets of them.
fn split_ui(ui: &mut egui::Ui, entries: &[&RunEntry], view: &View, actions: &mut Vec<Action>) {
    let has = |split| {
        entries
            .iter()
            .any(|entry| entry.run.evals_of(split).next().is_some())
    };
    if !has(Split::Val) || !(has(Split::Test) || view.split == Some(Split::Test)) {
        return;
    }
    let is_test = view.split == Some(Split::Test);
    ui.label("Images");
    for (name, split, help) in SPLITS {
        let is_chosen = is_test == (split == Some(Split::Test));
        if ui
            .selectable_label(is_chosen, name)
            .on_hover_text(help)
            .clicked()
        {
            actions.push(Action::Pick(Pick::Split(split)));
        }
    }
}

/// Images that evaluations can be of, by name.
pub(crate) const SPLITS: [(&str, Option<Split>, &str); 2] = [
    (
        "Validation",
        None,
        "Mistakes in the validation images, evaluated all along",
    ),
    (
        "Test",
        Some(Split::Test),
        "Mistakes in the test images, evaluated at the best and at the last step only",
    ),
];

/// The orders that need no gradients, by name.
pub(crate) const ORDERS: [(Order, &str); 3] = [
    (Order::Listed, "as listed"),
    (Order::Frequency, "by frequency"),
    (Order::Name, "by name"),
];

const SIMILARITY_HELP: &str = "Classes whose gradients agree stand beside each other: clustered once, in the part of the network and at the moment looked at, and kept for all times and runs. Choose it again to cluster anew.";

fn scope_name(scope: &Scope) -> String {
    match scope {
        Scope::Network => "Whole network".to_owned(),
        Scope::Backbone => "Backbone (all but the classifier)".to_owned(),
        Scope::Layer(name) | Scope::Group(name) => name.clone(),
    }
}

/// Everything with gradients that can be selected, from whole to part.
pub(crate) fn scopes(started: &Started) -> Vec<Scope> {
    let mut scopes = vec![Scope::Network, Scope::Backbone];
    let mut group = "";
    for layer in started.layers.iter().filter(|layer| layer.gram.is_some()) {
        if layer.group != group {
            group = &layer.group;
            scopes.push(Scope::Group(layer.group.clone()));
        }
        if layer.name != CLASSIFIER {
            scopes.push(Scope::Layer(layer.name.clone()));
        }
    }
    scopes
}

/// How the centre is cut into columns, one per run.
struct Columns {
    count: usize,
    width: f32,
    height: f32,
}

impl Columns {
    fn of(page: Page, mut available: Vec2, entries: &[&RunEntry]) -> Self {
        let count = entries.len();
        available.x -= SCROLL_BAR;
        let width = ((available.x - GAP * (count - 1) as f32) / count as f32).max(300.0);
        let least = page.least_height(width, available.y);
        let titles = if count > 1 { TITLE_HEIGHT } else { 0.0 };
        Self {
            count,
            width,
            height: available.y.max(least + titles),
        }
    }

    fn total_width(&self) -> f32 {
        self.count as f32 * (self.width + GAP) - GAP
    }
}

/// Height of a column's title, shown where there are two.
pub(crate) const TITLE_HEIGHT: f32 = 24.0;

/// One run's figures.
pub(crate) struct Column<'a> {
    pub(crate) entry: &'a RunEntry,
    /// Of all columns, for common scales.
    pub(crate) subjects: &'a [Subject<'a>],
    pub(crate) view: &'a View,
    pub(crate) page: Page,
    /// From the left.
    pub(crate) index: usize,
    /// What is seen without scrolling.
    pub(crate) view_height: f32,
}

impl Column<'_> {
    fn show(&self, ui: &mut egui::Ui, mut rect: Rect, actions: &mut Vec<Action>) {
        if self.subjects.len() > 1 {
            let title = rect.with_max_y(rect.top() + TITLE_HEIGHT);
            self.title_ui(ui, title);
            rect.min.y += TITLE_HEIGHT;
        }
        if self.entry.run.started.is_none() {
            self.waiting_ui(ui, rect);
            return;
        }
        self.cards_ui(ui, rect, actions);
    }

    /// The figures of the page.
    pub(crate) fn cards_ui(&self, ui: &mut egui::Ui, rect: Rect, actions: &mut Vec<Action>) {
        self.cards_at_ui(ui, &self.page.cards(rect, self.view_height), actions);
    }

    /// Figures at their places.
    pub(crate) fn cards_at_ui(
        &self,
        ui: &mut egui::Ui,
        cards: &[(Kind, Rect)],
        actions: &mut Vec<Action>,
    ) {
        for &(kind, rect) in cards {
            let shown = kind_shown(kind, self.view, self.index);
            let asked = ui.push_id(shown, |ui| self.card_ui(ui, shown, rect, actions));
            if let Some(size) = asked.inner {
                // What a card has around its figure is the same for all.
                let around = rect.size() - size;
                let sizes = cards
                    .iter()
                    .map(|(kind, rect)| (*kind, rect.size() - around));
                let action = Action::AskExport(shown, self.entry.id, sizes.collect());
                actions.push(action);
            }
        }
    }

    fn title_ui(&self, ui: &mut egui::Ui, rect: Rect) {
        let variant = self.entry.attention().map_or("Run", variant_name);
        ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| {
            ui.horizontal(|ui| {
                ui.label(RichText::new(variant).strong().size(15.0));
                ui.add(egui::Label::new(RichText::new(&self.entry.name).weak()).truncate());
            });
        });
    }

    fn waiting_ui(&self, ui: &mut egui::Ui, rect: Rect) {
        let text = match self.entry.state {
            RunState::Opening => "The run is being read…",
            _ => "The figures appear with the first step…",
        };
        ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| {
            ui.vertical_centered(|ui| {
                ui.add_space(rect.height() * 0.3);
                ui.label(RichText::new(text).weak());
            });
        });
    }

    /// A figure with its heading; gives the figure's size where it is to be exported.
    fn card_ui(
        &self,
        ui: &mut egui::Ui,
        kind: Kind,
        rect: Rect,
        actions: &mut Vec<Action>,
    ) -> Option<Vec2> {
        let frame = egui::Frame::group(ui.style())
            .fill(ui.visuals().faint_bg_color)
            .inner_margin(8);
        let inner = rect.shrink(9.0);
        let mut asked = false;
        let mut size = Vec2::ZERO;
        ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| {
            frame.show(ui, |ui| {
                ui.set_min_size(inner.size());
                ui.set_max_size(inner.size());
                self.heading_ui(ui, kind, &mut asked);
                if matches!(kind, Kind::ConflictMatrix | Kind::ConflictDifference) {
                    problem_ui(ui, self.probe_error());
                }
                size = ui.available_size();
                if !ui.is_rect_visible(rect) {
                    // Scrolled out of sight: what is not seen costs nothing.
                    return;
                }
                let pick = figure_ui(ui, kind, self.entry.subject(), self.subjects, self.view);
                actions.extend(pick.map(Action::Pick));
            });
        });
        asked.then_some(size)
    }

    fn heading_ui(&self, ui: &mut egui::Ui, kind: Kind, export_asked: &mut bool) {
        let (title, help) = (kind.title(), kind.help());
        ui.horizontal(|ui| {
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let text = RichText::new("Export…").small().weak();
                let button = egui::Button::new(text).frame(false);
                let name = format!("Export… {title}, {}", self.entry.name);
                *export_asked = ui
                    .add(button)
                    .on_hover_text("Save exactly this figure at any size, as an image or as drawing, or its numbers")
                    .accessible_name(name)
                    .clicked();
                help_ui(ui, title, help);
                ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                    let text = RichText::new(title).strong();
                    ui.add(
                        egui::Label::new(text)
                            .truncate()
                            .sense(egui::Sense::hover()),
                    );
                });
            });
        });
    }

    /// Why the probe at the cursor could not be read.
    fn probe_error(&self) -> Option<&str> {
        let run = &self.entry.run;
        let probe = &run.probes[run.probe_at(self.view.step.unwrap_or(u64::MAX))?];
        self.entry.probe_errors.get(&probe.step).map(String::as_str)
    }
}

/// A button that opens "How to read this".
fn help_ui(ui: &mut egui::Ui, title: &str, help: &str) {
    let button = egui::Button::new(RichText::new("?").small().weak()).frame(false);
    let response = ui
        .add(button)
        .on_hover_text("How to read this")
        .accessible_name(format!("How to read this: {title}"));
    egui::Popup::from_toggle_button_response(&response).show(|ui| {
        ui.set_max_width(380.0);
        ui.label(RichText::new(title).strong());
        ui.label(help);
    });
}
