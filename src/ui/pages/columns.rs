//! Draws the figures of one run in a column, or of two runs in two columns side by side.

use egui::{Pos2, Rect, RichText, UiBuilder, Vec2, pos2, vec2};

use super::lacking::{LINE, Line, lines_ui};
use super::merits::merits_ui;
use crate::figure::pages::{GAP, Part, TITLE_HEIGHT, kind_shown, lacks};
use crate::figure::{Kind, Subject, View, figure_ui};
use crate::run::comparable;
use crate::ui::panels::fork_ui;
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
/// Width in points below which a column's title leaves out the step, so that its run keeps its name.
const NARROW_TITLE: f32 = 260.0;
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
    for entry in &entries {
        if let (Some(started), false) = (&entry.run.started, entry.state.is_ours()) {
            let of = (started, entry.run.ending.as_ref());
            fork_ui(ui, (&entry.name, &entry.dir), of, actions);
        }
    }
    let mut view = state.view_of_runs();
    apart_ui(ui, &entries, &view);
    if state.view.page == Page::Overview {
        merits_ui(ui, &entries, &view);
    }
    if entries.len() == 2 && state.view.page.shows_both() {
        // Two runs together have their differences beside them.
        view.overlaid = true;
        view.difference = false;
    }
    let subjects: Vec<_> = entries.iter().map(|entry| entry.subject()).collect();
    let shown = Shown {
        entries: &entries,
        subjects: &subjects,
        view: &view,
        page: state.view.page,
    };
    let (width, seen) = (ui.available_width() - SCROLL_BAR, ui.available_height());
    if view.overlaid {
        shown.both_ui(ui, width, seen, actions);
    } else {
        shown.columns_ui(ui, width, seen, actions);
    }
}

/// The runs shown, on a page.
struct Shown<'a> {
    entries: &'a [&'a RunEntry],
    subjects: &'a [Subject<'a>],
    view: &'a View,
    page: Page,
}

impl<'a> Shown<'a> {
    fn column(&self, index: usize) -> Option<Column<'a>> {
        Some(Column {
            entry: self.entries.get(index)?,
            subjects: self.subjects,
            view: self.view,
            index,
        })
    }

    /// Whether a figure has something to show of the run at an index.
    fn has(&self, kind: Kind, run: usize) -> bool {
        let subject = self.subjects.get(run);
        subject.is_some_and(|subject| lacks(kind, *subject).is_none())
    }

    /// The figures of an arrangement that have something to show of the runs beginning with the one at `from`, and the
    /// reasons why others have not.
    fn arranged(&self, part: Part, from: usize) -> (Option<Part>, Vec<Line<'a>>) {
        let mut lines: Vec<Line<'a>> = Vec::new();
        for (kind, run, _) in part.cards(Rect::ZERO) {
            let subject = self.subjects.get(from + run);
            let reason = subject.and_then(|subject| Some((subject.name, lacks(kind, *subject)?)));
            let Some((run, reason)) = reason else {
                continue;
            };
            let mut known = lines.iter_mut();
            match known.find(|line| line.run == run && line.reason == reason) {
                Some(line) => line.kinds.push(kind),
                None => lines.push(Line {
                    kinds: vec![kind],
                    run,
                    reason,
                }),
            }
        }
        let part = part.with(&|kind, run| self.has(kind, from + run));
        (part, lines)
    }

    /// Draws the runs in columns, side by side. In a small window two columns are wider than the page.
    fn columns_ui(&self, ui: &mut egui::Ui, width: f32, seen: f32, actions: &mut Vec<Action>) {
        let count = self.entries.len();
        let width = ((width - GAP * (count - 1) as f32) / count as f32).max(300.0);
        let dock = self.page.dock(1, width, seen).filter(|_| count == 1);
        let dock = dock.filter(|_| self.entries.iter().all(|x| x.run.started.is_some()));
        let below = dock.as_ref().map_or(0.0, |dock| dock.least() + GAP);
        let parts = (0..count).map(|index| {
            let part = self.page.of_one(width, seen);
            part.map_or((None, Vec::new()), |part| self.arranged(part, index))
        });
        let parts: Vec<_> = parts.collect();
        let least = parts.iter().map(|(part, lines)| {
            let least = part.as_ref().map_or(0.0, Part::least);
            least + lines.len() as f32 * LINE
        });
        let least = least.fold(0.0, f32::max) + TITLE_HEIGHT;
        let height = least.max(seen - below);
        let area = egui::ScrollArea::both()
            .id_salt(self.page)
            .auto_shrink(false)
            .max_height(seen - below);
        area.show(ui, |ui| {
            let size = vec2(count as f32 * (width + GAP) - GAP, height);
            let (rect, _) = ui.allocate_exact_size(size, egui::Sense::hover());
            for (index, (part, lines)) in parts.iter().enumerate() {
                let Some(column) = self.column(index) else {
                    continue;
                };
                let left = rect.left() + index as f32 * (width + GAP);
                let place = Rect::from_min_size(pos2(left, rect.top()), vec2(width, height));
                let parts = (part.as_ref(), dock.as_ref());
                ui.push_id(column.entry.id, |ui| {
                    column.show(ui, place, parts, lines, actions);
                });
            }
        });
        if let (Some(dock), Some(column)) = (&dock, self.column(0)) {
            let rect = dock_place(ui, dock, width);
            let others = parts.first().and_then(|(part, _)| part.as_ref());
            ui.push_id(column.entry.id, |ui| {
                column.cards_ui(ui, (dock, others), rect, actions);
            });
        }
    }

    /// Draws two runs together: the map and the charts have both of them, and matrices stand side by side.
    fn both_ui(&self, ui: &mut egui::Ui, width: f32, seen: f32, actions: &mut Vec<Action>) {
        let Some(part) = self.page.of_both(width, seen) else {
            return;
        };
        let (part, lines) = self.arranged(part, 0);
        let dock = self.page.dock(2, width, seen);
        let below = dock.as_ref().map_or(0.0, |dock| dock.least() + GAP);
        let area = egui::ScrollArea::vertical()
            .id_salt(("both", self.page))
            .auto_shrink(false)
            .max_height(seen - below);
        area.show(ui, |ui| {
            let height = part.as_ref().map_or(0.0, Part::least);
            let all = TITLE_HEIGHT + height + lines.len() as f32 * LINE;
            let (rect, _) = ui.allocate_exact_size(vec2(width, all), egui::Sense::hover());
            let (titles, rect) = rect.split_top_bottom_at_y(rect.top() + TITLE_HEIGHT);
            for (index, column) in (0..2).filter_map(|index| Some((index, self.column(index)?))) {
                let half = (titles.width() - BETWEEN_TITLES) / 2.0;
                let left = titles.left() + index as f32 * (half + BETWEEN_TITLES);
                let title = Rect::from_min_size(pos2(left, titles.top()), vec2(half, TITLE_HEIGHT));
                column.title_ui(ui, title);
            }
            let (figures, rest) = rect.split_top_bottom_at_y(rect.top() + height);
            if let Some(part) = &part {
                self.both_cards_ui(ui, (part, dock.as_ref()), figures, actions);
            }
            lines_ui(ui, rest, &lines);
        });
        if let Some(dock) = &dock {
            let rect = dock_place(ui, dock, width);
            self.both_cards_ui(ui, (dock, part.as_ref()), rect, actions);
        }
    }

    /// Draws an arrangement of figures of both runs; `others` are those of the page that are drawn elsewhere.
    fn both_cards_ui(
        &self,
        ui: &mut egui::Ui,
        (part, others): (&Part, Option<&Part>),
        rect: Rect,
        actions: &mut Vec<Action>,
    ) {
        let cards = part.cards(rect);
        for (index, column) in (0..2).filter_map(|index| Some((index, self.column(index)?))) {
            let own = cards.iter().filter(|(_, of, _)| *of == index);
            let own: Vec<_> = own.map(|&(kind, _, card)| (kind, card)).collect();
            ui.push_id(column.entry.id, |ui| {
                column.cards_at_ui(ui, (&own, others), rect.width(), actions);
            });
        }
    }
}

/// The place of the row that stays in view below the page.
fn dock_place(ui: &mut egui::Ui, dock: &Part, width: f32) -> Rect {
    ui.add_space(GAP);
    let size = vec2(width, dock.least());
    ui.allocate_exact_size(size, egui::Sense::hover()).0
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

/// The column with the figures of one run.
pub(super) struct Column<'a> {
    pub(super) entry: &'a RunEntry,
    /// The runs of all columns, since their figures share scales.
    pub(super) subjects: &'a [Subject<'a>],
    pub(super) view: &'a View,
    /// The index of the column, counted from the left.
    pub(super) index: usize,
}

impl Column<'_> {
    /// Draws the figures of an arrangement below the title, and a line for each of those that have nothing to show.
    fn show(
        &self,
        ui: &mut egui::Ui,
        mut rect: Rect,
        (part, others): (Option<&Part>, Option<&Part>),
        lines: &[Line<'_>],
        actions: &mut Vec<Action>,
    ) {
        let title = rect.with_max_y(rect.top() + TITLE_HEIGHT);
        self.title_ui(ui, title);
        rect.min.y += TITLE_HEIGHT;
        if self.entry.run.started.is_none() {
            self.waiting_ui(ui, rect);
            return;
        }
        let (figures, rest) = match part {
            Some(_) => rect.split_top_bottom_at_y(rect.bottom() - lines.len() as f32 * LINE),
            None => rect.split_top_bottom_at_y(rect.top()),
        };
        if let Some(part) = part {
            self.cards_ui(ui, (part, others), figures, actions);
        }
        lines_ui(ui, rest, lines);
    }

    /// Draws the figures of an arrangement; `others` are those of the page that are drawn elsewhere.
    pub(super) fn cards_ui(
        &self,
        ui: &mut egui::Ui,
        (part, others): (&Part, Option<&Part>),
        rect: Rect,
        actions: &mut Vec<Action>,
    ) {
        let cards = part.cards(rect).into_iter();
        let cards: Vec<_> = cards.map(|(kind, _, card)| (kind, card)).collect();
        self.cards_at_ui(ui, (&cards, others), rect.width(), actions);
    }

    /// Draws figures at their places, and asks for an export if the user wishes one; `others` are the figures of the page
    /// that are drawn elsewhere, in this width.
    pub(super) fn cards_at_ui(
        &self,
        ui: &mut egui::Ui,
        (cards, others): (&[(Kind, Rect)], Option<&Part>),
        width: f32,
        actions: &mut Vec<Action>,
    ) {
        for &(kind, rect) in cards {
            let shown = kind_shown(kind, self.view, self.index);
            let asked = ui.push_id(shown, |ui| self.card_ui(ui, shown, rect, actions));
            if let Some(size) = asked.inner {
                // Margins and heading around a figure have the same size on all cards.
                let around = rect.size() - size;
                let others = others.map_or(Vec::new(), |part| {
                    part.cards(Rect::from_min_size(Pos2::ZERO, vec2(width, part.least())))
                });
                let others = others.into_iter().map(|(kind, _, rect)| (kind, rect));
                let all = cards.iter().copied().chain(others);
                let sizes = all.map(|(kind, rect)| (kind, rect.size() - around));
                let action = Action::AskExport(shown, self.entry.id, sizes.collect());
                actions.push(action);
            }
        }
    }

    fn title_ui(&self, ui: &mut egui::Ui, rect: Rect) {
        let variant = self.entry.variant();
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
                    if let Some(moment) = self.moment(rect.width() < NARROW_TITLE) {
                        ui.label(RichText::new(moment).weak());
                    }
                    if is_wide {
                        ui.label(RichText::new(&variant).weak());
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
    fn moment(&self, is_short: bool) -> Option<String> {
        let probe = self.entry.subject().probe(self.view)?;
        let run = &self.entry.run;
        if is_short {
            return Some(run.moment(run.epoch_of(probe.step), 1));
        }
        Some(run.moment_of(probe.step))
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
