//! What the program found, ranked, with a click to the evidence: a strip above the overview, and the whole list.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use egui::{Align, Color32, Layout, RichText, vec2};

use crate::figure::palette;
use crate::findings::{self, Finding, HISTORY, Kind, Subject};
use crate::run::Run;
use crate::run::probe_file::ProbeTensors;
use crate::ui::state::State;
use crate::ui::state::action::Action;
use crate::ui::state::page::Page;
use crate::ui::state::runs::{RunEntry, RunId, RunState, variant_name};

/// Findings in the strip.
const IN_STRIP: usize = 3;
/// Height of a line of the strip.
const LINE: f32 = 20.0;
/// Space for the kind of a finding, so that sentences start below each other.
const KIND_WIDTH: f32 = 84.0;
/// While a run goes on, its findings are looked for again at most this often.
const AGAIN_AFTER_SECS: f64 = 1.0;

/// The runs that findings are about, and how often what they rest on has changed.
pub(crate) type Key = Vec<(RunId, u64, u64, bool)>;

/// What was found in the runs shown.
#[derive(Default)]
pub(crate) struct Findings {
    found: Option<(Key, Vec<Finding>)>,
    under_way: bool,
    asked_at: f64,
    is_list_open: bool,
}

impl Findings {
    /// Whether the runs are to be looked through now; otherwise, if they are to be later, after how many seconds.
    pub(crate) fn ask(&mut self, key: &Key, now: f64) -> Result<(), Option<f64>> {
        let same_runs = |old: &Key| old.iter().map(|x| x.0).eq(key.iter().map(|x| x.0));
        let mut wait = 0.0;
        match &self.found {
            Some((old, _)) if old == key => return Err(None),
            // The old findings of a run stay until there are new ones, those of other runs do not.
            Some((old, _)) if same_runs(old) => wait = self.asked_at + AGAIN_AFTER_SECS - now,
            _ => self.found = None,
        }
        if self.under_way {
            return Err(None);
        }
        if wait > 0.0 {
            return Err(Some(wait));
        }
        self.under_way = true;
        self.asked_at = now;
        Ok(())
    }

    /// What was found in the runs shown, each with the way to its evidence.
    pub(crate) fn ways(&self, shown: &[RunId]) -> impl Iterator<Item = (&str, Action)> {
        let of_these = |key: &Key| key.iter().map(|x| x.0).eq(shown.iter().copied());
        let found = self.found.as_ref().filter(|(key, _)| of_these(key));
        let found = found
            .into_iter()
            .flat_map(|(key, found)| found.iter().map(move |x| (key, x)));
        found.filter_map(|(key, finding)| {
            let run = key.get(finding.evidence.run)?.0;
            let way = Action::ShowEvidence(run, page(finding.kind), finding.evidence.clone());
            Some((finding.sentence.as_str(), way))
        })
    }

    /// Takes in what a thread found.
    pub(crate) fn take(&mut self, key: Key, found: Vec<Finding>) {
        self.under_way = false;
        self.found = Some((key, found));
    }
}

/// What is known of the runs, as far as findings rest on it; none while one is being read.
pub(crate) fn key<'a>(entries: impl Iterator<Item = &'a RunEntry>) -> Option<Key> {
    let of = |entry: &RunEntry| {
        let run = &entry.run;
        let is_read = entry.state != RunState::Opening && run.started.is_some();
        let (probes, evals) = (run.revisions.probes, run.revisions.evals);
        is_read.then(|| (entry.id, probes, evals, run.ending.is_some()))
    };
    entries.map(of).collect()
}

/// A run to look through on another thread.
pub(crate) struct Source {
    run: Run,
    dir: PathBuf,
    probes: BTreeMap<u64, Arc<ProbeTensors>>,
}

impl Source {
    pub(crate) fn new(entry: &RunEntry) -> Self {
        let loaded = entry.probes.whole.iter().rev().take(HISTORY);
        Self {
            run: findings::excerpt(&entry.run),
            dir: entry.dir.clone(),
            probes: loaded.map(|(step, probe)| (*step, probe.clone())).collect(),
        }
    }

    /// Reads the probe files that are not in memory. What cannot be read is left out: the matrix says why.
    fn read(&mut self) {
        let classes = self.run.started.as_ref().map_or(0, |x| x.classes.len());
        for probe in &self.run.probes {
            if !self.probes.contains_key(&probe.step)
                && let Ok(tensors) = ProbeTensors::load(&self.dir.join(&probe.file), classes)
            {
                self.probes.insert(probe.step, Arc::new(tensors));
            }
        }
    }
}

/// Looks through runs: what the thread does.
pub(crate) fn find(mut sources: Vec<Source>) -> Vec<Finding> {
    sources.iter_mut().for_each(Source::read);
    let subjects = sources.iter().map(|source| Subject {
        run: &source.run,
        probes: &source.probes,
    });
    findings::find(&subjects.collect::<Vec<_>>())
}

/// The strip above the overview, and the list where it is open.
pub(crate) fn findings_ui(ui: &mut egui::Ui, state: &mut State, actions: &mut Vec<Action>) {
    let shown = state.view.shown();
    let names = names(state, &shown);
    if names.is_empty() {
        return;
    }
    let Some((key, found)) = &state.findings.found else {
        if state.findings.under_way {
            ui.label(RichText::new("Looking for what stands out…").weak());
        }
        return;
    };
    let runs: Vec<RunId> = key.iter().map(|x| x.0).collect();
    let list = List {
        found,
        runs: &runs,
        names: &names,
    };
    let mut open = state.findings.is_list_open;
    list.strip_ui(ui, &mut open, actions);
    if open {
        list.window_ui(ui.ctx(), &mut open, actions);
    }
    state.findings.is_list_open = open;
}

/// What the runs shown are called beside a finding: nothing where there is one alone.
fn names(state: &State, shown: &[RunId]) -> Vec<String> {
    let entries: Vec<_> = shown.iter().filter_map(|&id| state.runs.get(id)).collect();
    let variant = |entry: &RunEntry| entry.attention().map_or("Run", variant_name).to_owned();
    match entries.as_slice() {
        [_] => vec![String::new()],
        [a, b] if variant(a) == variant(b) => vec![a.name.clone(), b.name.clone()],
        _ => entries.into_iter().map(variant).collect(),
    }
}

/// Findings with the runs they are about.
struct List<'a> {
    found: &'a [Finding],
    runs: &'a [RunId],
    names: &'a [String],
}

impl List<'_> {
    fn strip_ui(&self, ui: &mut egui::Ui, open: &mut bool, actions: &mut Vec<Action>) {
        if self.found.is_empty() {
            ui.label(RichText::new("Nothing stands out beyond noise so far.").weak())
                .on_hover_text("Findings are sentences that the numbers of a run bear out beyond their noise: classes that are unlearned, pairs that keep pulling apart, gates that do little, training in trouble.");
            return;
        }
        ui.horizontal_top(|ui| {
            let text = format!("All findings ({})…", self.found.len());
            let help = "Everything that stands out beyond noise, with what it rests on";
            if ui.button(text).on_hover_text(help).clicked() {
                *open = !*open;
            }
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = 2.0;
                for (finding, twin) in self.strip() {
                    self.line_ui(ui, finding, twin, actions);
                }
            });
        });
    }

    /// The first findings, each with what the other run has of it: what both have stands in the strip once.
    fn strip(&self) -> Vec<(&Finding, Option<&Finding>)> {
        let same = |a: &Finding, b: &Finding| {
            let place = |x: &Finding| (x.kind, x.evidence.class, x.evidence.pair);
            place(a) == place(b) && a.evidence.scope == b.evidence.scope
        };
        let found = self.found.iter().enumerate();
        let first = found.filter(|(at, x)| !self.found[..*at].iter().any(|y| same(x, y)));
        let with_twin = |(at, x)| (x, self.found[at + 1..].iter().find(|y| same(x, y)));
        first.take(IN_STRIP).map(with_twin).collect()
    }

    fn line_ui(
        &self,
        ui: &mut egui::Ui,
        finding: &Finding,
        twin: Option<&Finding>,
        actions: &mut Vec<Action>,
    ) {
        let size = vec2(ui.available_width(), LINE);
        ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
            self.show_button_ui(ui, finding, actions);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                kind_ui(ui, finding.kind);
                match twin {
                    Some(_) => {
                        // The numbers are those of one run.
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

    /// Which run a finding is about; a comparison is about both.
    fn run_ui(&self, ui: &mut egui::Ui, finding: &Finding) {
        let name = self.name(finding);
        if !name.is_empty() && finding.kind != Kind::Comparison {
            ui.label(RichText::new(name).weak());
        }
    }

    /// What the run of a finding is called here; empty where there is one alone.
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

    /// The whole list, each with what it rests on.
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
                        });
                    });
                    ui.label(RichText::new(&finding.sentence).strong());
                    ui.label(&finding.detail);
                }
            });
    }
}

/// The kind of a finding in one word on its colour: red for harm, blue for what is worth knowing, grey for noise.
fn kind_ui(ui: &mut egui::Ui, kind: Kind) {
    let dark = ui.visuals().dark_mode;
    let fill = match kind {
        Kind::Loss | Kind::Unlearned | Kind::Overfitting | Kind::Score | Kind::Conflict => {
            palette::diverging(-1.0, dark)
        }
        Kind::Comparison | Kind::Gates | Kind::Depth => palette::diverging(1.0, dark),
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

/// The page that shows the evidence for a kind of finding.
fn page(kind: Kind) -> Page {
    match kind {
        Kind::Loss | Kind::Overfitting => Page::Overview,
        Kind::Unlearned | Kind::Noise => Page::Class,
        Kind::Score => Page::Mistakes,
        Kind::Comparison | Kind::Conflict | Kind::Depth => Page::Conflicts,
        Kind::Gates => Page::Gates,
    }
}

#[cfg(test)]
mod tests;
