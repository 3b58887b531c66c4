//! The findings in the runs shown, ranked, each with a button that shows its evidence. A line above the overview, always
//! of one height, has the first of them, and a window the whole list.

use egui::{Align, Color32, Layout, RichText, vec2};

use crate::figure::palette;
use crate::findings::{Finding, Kind};
use crate::ui::state::action::Action;
use crate::ui::state::findings::{Findings, page};
use crate::ui::state::place::Place;
use crate::ui::state::runs::{RunEntry, RunId, Runs};

/// Height of the line, in points.
const LINE: f32 = 22.0;
/// Width of the kind of a finding, in points, so that all sentences start below each other.
const KIND_WIDTH: f32 = 84.0;
/// Width from which on the line has room for more than one button, in points.
const WIDE: f32 = 640.0;

/// Draws the line above the overview, and the whole list if it is open.
pub(crate) fn findings_ui(
    ui: &mut egui::Ui,
    runs: &Runs,
    view: &Place,
    findings: &mut Findings,
    actions: &mut Vec<Action>,
) {
    let shown = view.shown();
    let names = names(runs, &shown);
    if names.is_empty() {
        return;
    }
    let entries = shown.iter().filter_map(|&id| runs.get(id));
    let as_shown: Vec<_> = entries
        .map(|entry| (entry.id, entry.run.batch_norm()))
        .collect();
    let Some(found) = findings.of(&as_shown) else {
        // The line keeps its place, so that no figure moves once there are findings.
        let text = if findings.under_way {
            "Looking for what stands out…"
        } else {
            ""
        };
        let size = vec2(ui.available_width(), LINE);
        ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_height(LINE);
            ui.label(RichText::new(text).weak());
        });
        return;
    };
    let list = List {
        found,
        runs: &shown,
        names: &names,
    };
    let mut open = findings.is_list_open;
    let size = vec2(ui.available_width(), LINE);
    ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_height(LINE);
        list.line_ui(ui, &mut open, actions);
    });
    if open {
        list.window_ui(ui.ctx(), &mut open, actions);
    }
    findings.is_list_open = open;
}

/// The names by which the findings call the runs shown: their attention variants if these differ, otherwise the names
/// of the runs. A single run needs no name: it is empty.
fn names(runs: &Runs, shown: &[RunId]) -> Vec<String> {
    let entries: Vec<_> = shown.iter().filter_map(|&id| runs.get(id)).collect();
    let variant = RunEntry::variant;
    match entries.as_slice() {
        [_] => vec![String::new()],
        [a, b] if variant(a) == variant(b) => vec![a.name.clone(), b.name.clone()],
        _ => entries.into_iter().map(variant).collect(),
    }
}

/// Whether two findings say the same of two runs.
fn is_same(a: &Finding, b: &Finding) -> bool {
    let place = |x: &Finding| (x.kind, x.evidence.class, x.evidence.pair);
    a.evidence.run != b.evidence.run && place(a) == place(b) && a.evidence.scope == b.evidence.scope
}

/// The findings, with the runs that they are about.
struct List<'a> {
    found: &'a [Finding],
    runs: &'a [RunId],
    names: &'a [String],
}

impl List<'_> {
    /// Draws the first finding, with the same finding about the other run if there is one, and a button for the list.
    fn line_ui(&self, ui: &mut egui::Ui, open: &mut bool, actions: &mut Vec<Action>) {
        let Some(finding) = self.found.first() else {
            ui.label(RichText::new("Nothing stands out beyond noise so far.").weak())
                .on_hover_text("Findings are sentences that the numbers of a run bear out beyond their noise: classes that are unlearned, pairs that keep pulling apart, gates that do little, training in trouble.");
            return;
        };
        let text = format!("All findings ({})…", self.found.len());
        let help = "Everything that stands out beyond noise, with what it rests on";
        if ui.button(text).on_hover_text(help).clicked() {
            *open = !*open;
        }
        let twin = self.found[1..].iter().find(|other| is_same(finding, other));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            self.show_button_ui(ui, finding, actions);
            // In a narrow window the sentence needs the room; the list has the button, too.
            if ui.available_width() > WIDE {
                self.try_button_ui(ui, finding, actions);
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                kind_ui(ui, finding.kind);
                match twin {
                    Some(_) => {
                        // The sentence gives the numbers of one of the two runs.
                        let name = self.name(finding);
                        ui.label(RichText::new(format!("Both runs, here {name}")).weak());
                    }
                    None => self.run_ui(ui, finding),
                }
                let label = egui::Label::new(&finding.sentence)
                    .truncate()
                    .sense(egui::Sense::hover());
                ui.add(label).on_hover_ui(|ui| {
                    ui.set_max_width(420.0);
                    ui.label(RichText::new(&finding.sentence).strong());
                    ui.label(&finding.detail);
                    if let Some(twin) = twin {
                        ui.add_space(4.0);
                        ui.label(format!("{}: {}", self.name(twin), twin.sentence));
                    }
                });
            });
        });
    }

    /// Names the run that a finding is about; a comparison is about both runs and names neither.
    fn run_ui(&self, ui: &mut egui::Ui, finding: &Finding) {
        let name = self.name(finding);
        if !name.is_empty() && finding.kind != Kind::Comparison {
            ui.label(RichText::new(name).weak());
        }
    }

    /// The name of the run that a finding is about; empty if a single run is shown.
    fn name(&self, finding: &Finding) -> &str {
        let name = self.names.get(finding.evidence.run);
        name.map_or("", String::as_str)
    }

    fn show_button_ui(&self, ui: &mut egui::Ui, finding: &Finding, actions: &mut Vec<Action>) {
        let Some(&run) = self.runs.get(finding.evidence.run) else {
            return;
        };
        let page = page(finding.kind);
        let help = format!(
            "Turn to the page {} at the class, the part of the network and the moment that this is about",
            page.title()
        );
        let button = ui
            .button("Show")
            .on_hover_text(help)
            .accessible_name(format!("Show {}", finding.sentence));
        if button.clicked() {
            actions.push(Action::ShowEvidence(run, page, finding.evidence.clone()));
        }
    }

    /// Draws a button that sets up the experiment that a finding proposes, if it proposes one.
    fn try_button_ui(&self, ui: &mut egui::Ui, finding: &Finding, actions: &mut Vec<Action>) {
        let run = self.runs.get(finding.evidence.run);
        let (Some(&run), Some(first)) = (run, finding.next.first()) else {
            return;
        };
        let help = "Set up a run like this one with this setting; Start then trains it";
        let button = ui
            .button(format!("Try {}", first.label()))
            .on_hover_text(help);
        if button.clicked() {
            actions.push(Action::SetUp(run, finding.next.clone()));
        }
    }

    /// Draws the whole list, each finding with its evidence in words.
    fn window_ui(&self, ctx: &egui::Context, open: &mut bool, actions: &mut Vec<Action>) {
        let size = ctx.content_rect().size();
        egui::Window::new("All findings")
            .open(open)
            .collapsible(false)
            .default_width((0.6 * size.x).min(760.0))
            .max_height(0.8 * size.y)
            .pivot(egui::Align2::CENTER_CENTER)
            .default_pos(ctx.content_rect().center())
            .vscroll(true)
            .show(ctx, |ui| {
                for (index, finding) in self.found.iter().enumerate() {
                    if index > 0 {
                        ui.separator();
                    }
                    ui.horizontal(|ui| {
                        kind_ui(ui, finding.kind);
                        self.run_ui(ui, finding);
                        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                            self.show_button_ui(ui, finding, actions);
                            self.try_button_ui(ui, finding, actions);
                        });
                    });
                    ui.label(RichText::new(&finding.sentence).strong());
                    ui.label(&finding.detail);
                }
            });
    }
}

/// Draws the kind of a finding in one word on its colour: red for harm, blue for other news, grey for noise.
fn kind_ui(ui: &mut egui::Ui, kind: Kind) {
    let dark = ui.visuals().dark_mode;
    let fill = match kind {
        Kind::Loss
        | Kind::Unlearned
        | Kind::Overfitting
        | Kind::Score
        | Kind::Conflict
        | Kind::Setback
        | Kind::Thirds => palette::diverging(-1.0, dark),
        Kind::Adjustment | Kind::Comparison | Kind::Gates | Kind::Depth | Kind::NoAdjustment => {
            palette::diverging(1.0, dark)
        }
        Kind::Noise => Color32::from_gray(0x70),
    };
    let size = vec2(KIND_WIDTH, 16.0);
    let (rect, response) = ui.allocate_exact_size(size, egui::Sense::hover());
    let font = egui::TextStyle::Small.resolve(ui.style());
    ui.painter().rect_filled(rect, 8, fill);
    ui.painter().text(
        rect.center(),
        egui::Align2::CENTER_CENTER,
        kind.word(),
        font,
        palette::text_on(fill),
    );
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, kind.word()));
}

#[cfg(test)]
mod tests;
