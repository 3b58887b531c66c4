//! Draws the figures of one run in a column, or of two runs in two columns side by side.

use egui::{Rect, RichText, UiBuilder, Vec2, pos2, vec2};

use super::merits::merits_ui;
use crate::config::Attention;
use crate::figure::pages::{GAP, TITLE_HEIGHT, cards_of_two, height_of_two, kind_shown};
use crate::figure::{Kind, Subject, View, figure_ui};
use crate::run::comparable;
use crate::text::grouped;
use crate::ui::panels::selection_bar::scope_ui;
use crate::ui::state::State;
use crate::ui::state::action::Action;
use crate::ui::state::place::Page;
use crate::ui::state::runs::{RunEntry, RunState};

use crate::ui::widgets::problem_ui;

/// Room in points beside a figure's title from which its subtitle is shown.
const LEAST_SUBTITLE: f32 = 80.0;
/// Space between the titles of two runs, in points.
const BETWEEN_TITLES: f32 = 32.0;
/// Width in points from which a column's title has the variant of its run.
const WIDE_TITLE: f32 = 420.0;
/// Room in points after a title.
const TITLE_MARGIN: f32 = 12.0;
/// Width in points that is kept free on the right, so that the scroll bar covers no figure.
const SCROLL_BAR: f32 = 4.0;

/// Says in one line where the moments that two runs are shown at are too far apart to be compared.
fn apart_ui(ui: &mut egui::Ui, entries: &[&RunEntry], view: &View) {
    let subjects = entries.iter().map(|entry| entry.subject());
    let moments = subjects.filter_map(|x| Some((x.name, x.run, x.probe(view)?.step)));
    let moments: Vec<_> = moments.collect();
    if let [first, second] = moments[..]
        && let Err(sentence) = comparable([first, second])
    {
        let text = RichText::new(sentence).color(ui.visuals().warn_fg_color);
        ui.add(egui::Label::new(text).truncate());
    }
}

/// Draws the figures of the runs shown, which are one run or two side by side.
pub(super) fn columns_ui(ui: &mut egui::Ui, state: &State, actions: &mut Vec<Action>) {
    let shown = state.view.shown();
    let entries: Vec<&RunEntry> = shown.iter().filter_map(|&id| state.runs.get(id)).collect();
    if entries.is_empty() {
        empty_ui(ui);
        return;
    }
    let runs = (&entries[..], &state.agreement);
    scope_ui(ui, state.view.page, runs, &state.view.figure, actions);
    let view = state.view_of_runs();
    apart_ui(ui, &entries, &view);
    if state.view.page == Page::Overview {
        merits_ui(ui, &entries, &view);
    }
    let view_height = ui.available_height();
    if let ([_, _], Page::Overview) = (&entries[..], state.view.page) {
        return two_ui(ui, &entries, &view, actions);
    }
    let columns = Columns::of(state.view.page, ui.available_size(), &entries);
    // Each page has a scroll position of its own. In a small window two columns are wider than the page.
    egui::ScrollArea::both()
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
                    view: &view,
                    page: state.view.page,
                    index,
                    view_height,
                };
                ui.push_id(entry.id, |ui| panel.show(ui, column, actions));
            }
        });
}

/// Draws the overview of two runs: the map and the charts have both of them, and the matrices stand side by side.
fn two_ui(ui: &mut egui::Ui, entries: &[&RunEntry], view: &View, actions: &mut Vec<Action>) {
    let view = View {
        overlaid: true,
        difference: false,
        ..view.clone()
    };
    let subjects: Vec<_> = entries.iter().map(|entry| entry.subject()).collect();
    let view_height = ui.available_height();
    egui::ScrollArea::vertical()
        .id_salt("overview of two")
        .auto_shrink(false)
        .show(ui, |ui| {
            let width = ui.available_width() - SCROLL_BAR;
            let size = vec2(width, TITLE_HEIGHT + height_of_two(width));
            let (rect, _) = ui.allocate_exact_size(size, egui::Sense::hover());
            let (titles, rect) = rect.split_top_bottom_at_y(rect.top() + TITLE_HEIGHT);
            let cards = cards_of_two(rect);
            for (index, entry) in entries.iter().enumerate() {
                let column = Column {
                    entry,
                    subjects: &subjects,
                    view: &view,
                    page: Page::Overview,
                    index,
                    view_height,
                };
                let half = (titles.width() - BETWEEN_TITLES) / 2.0;
                let left = titles.left() + index as f32 * (half + BETWEEN_TITLES);
                let title = Rect::from_min_size(pos2(left, titles.top()), vec2(half, TITLE_HEIGHT));
                let own = cards.iter().filter(|(_, of, _)| *of == index);
                let own: Vec<_> = own.map(|&(kind, _, card)| (kind, card)).collect();
                ui.push_id(entry.id, |ui| {
                    column.title_ui(ui, title);
                    column.cards_at_ui(ui, &own, actions);
                });
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

/// The size of the columns that the centre is divided into, one for each run.
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
        Self {
            count,
            width,
            height: available.y.max(least + TITLE_HEIGHT),
        }
    }

    fn total_width(&self) -> f32 {
        self.count as f32 * (self.width + GAP) - GAP
    }
}

/// The column with the figures of one run.
pub(super) struct Column<'a> {
    pub(super) entry: &'a RunEntry,
    /// The runs of all columns, since their figures share scales.
    pub(super) subjects: &'a [Subject<'a>],
    pub(super) view: &'a View,
    pub(super) page: Page,
    /// The index of the column, counted from the left.
    pub(super) index: usize,
    /// Height in points that is seen without scrolling.
    pub(super) view_height: f32,
}

impl Column<'_> {
    fn show(&self, ui: &mut egui::Ui, mut rect: Rect, actions: &mut Vec<Action>) {
        let title = rect.with_max_y(rect.top() + TITLE_HEIGHT);
        self.title_ui(ui, title);
        rect.min.y += TITLE_HEIGHT;
        if self.entry.run.started.is_none() {
            self.waiting_ui(ui, rect);
            return;
        }
        self.cards_ui(ui, rect, actions);
    }

    /// Draws the figures of the page.
    pub(super) fn cards_ui(&self, ui: &mut egui::Ui, rect: Rect, actions: &mut Vec<Action>) {
        self.cards_at_ui(ui, &self.page.cards(rect, self.view_height), actions);
    }

    /// Draws figures at their places, and asks for an export if the user wishes one.
    pub(super) fn cards_at_ui(
        &self,
        ui: &mut egui::Ui,
        cards: &[(Kind, Rect)],
        actions: &mut Vec<Action>,
    ) {
        for &(kind, rect) in cards {
            let shown = kind_shown(kind, self.view, self.index);
            let asked = ui.push_id(shown, |ui| self.card_ui(ui, shown, rect, actions));
            if let Some(size) = asked.inner {
                // Margins and heading around a figure have the same size on all cards.
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
        let variant = self.entry.attention().map_or("Run", Attention::label);
        // The end of one title does not touch the beginning of the next.
        let rect = rect.with_max_x(rect.right() - TITLE_MARGIN);
        ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| {
            ui.horizontal(|ui| {
                if let Some(side) = ["A", "B"]
                    .get(self.index)
                    .filter(|_| self.subjects.len() > 1)
                {
                    ui.label(RichText::new(*side).strong().size(15.0));
                }
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    // The name comes first: a narrow title leaves out the variant, which the name mostly tells.
                    let is_wide = rect.width() >= WIDE_TITLE;
                    if let Some(moment) = self.moment() {
                        ui.label(RichText::new(moment).weak());
                    }
                    if is_wide {
                        ui.label(RichText::new(variant).weak());
                    }
                    ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                        let name = RichText::new(&self.entry.name).strong().size(15.0);
                        let name = ui.add(egui::Label::new(name).truncate());
                        if !is_wide {
                            name.on_hover_text(variant);
                        }
                    });
                });
            });
        });
    }

    /// The moment that the figures of this run show; `None` before its first probe.
    fn moment(&self) -> Option<String> {
        let probe = self.entry.subject().probe(self.view)?;
        let epoch = self.entry.run.epoch_of(probe.step);
        Some(format!("step {} · epoch {epoch:.1}", grouped(probe.step)))
    }

    fn waiting_ui(&self, ui: &mut egui::Ui, rect: Rect) {
        let text = match self.entry.state {
            RunState::Opening => "The run is being read…",
            RunState::Loading
            | RunState::Running
            | RunState::Paused
            | RunState::Elsewhere
            | RunState::Finished
            | RunState::Stopped(_)
            | RunState::Failed(_)
            | RunState::Interrupted
            | RunState::Unreachable(_)
            | RunState::Damaged(_) => "The figures appear with the first step…",
        };
        ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| {
            ui.vertical_centered(|ui| {
                ui.add_space(rect.height() * 0.3);
                ui.label(RichText::new(text).weak());
            });
        });
    }

    /// Draws a figure with its heading; gives the figure's size if the user asks to export it.
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
                if matches!(
                    kind,
                    Kind::ConflictMatrix | Kind::ConflictDifference | Kind::BatchNormDifference
                ) {
                    problem_ui(ui, self.probe_error());
                }
                size = ui.available_size();
                if !ui.is_rect_visible(rect) {
                    // A figure that is scrolled out of sight is not drawn.
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
                    // The plain sentence takes the room that the term leaves.
                    if ui.available_width() > LEAST_SUBTITLE {
                        let text = RichText::new(kind.subtitle()).small().weak();
                        ui.add(egui::Label::new(text).truncate());
                    }
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
