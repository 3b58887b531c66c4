//! How groups of runs develop over time: their means over seeds, the spread of their runs, and every single run.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::{Color32, RichText, Ui};

use crate::compare::Grouped;
use crate::compare::contrast::{CompareError, Compared};
use crate::compare::statistics::{mean, mean_sd};
use crate::figure::facts::groups::{comparison_key, members, runs_of};
use crate::figure::kit::chart::{Axis, Band, Chart, Curve, Look, Scales, chart_ui};
use crate::figure::kit::memo::{is_exporting, remembered};
use crate::figure::kit::palette;
use crate::figure::kit::table::Table;
use crate::figure::kit::text::empty_ui;
use crate::figure::look::clock::{Clock, TimeAxis};
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::{Spread, View};
use crate::figure::parts::figure::Figure;
use crate::run::Run;

/// A value of a run at a step.
pub(in crate::figure) struct Point {
    pub(in crate::figure) step: u64,
    pub(in crate::figure) epoch: f64,
    pub(in crate::figure) value: Option<f64>,
}

/// The measure that a figure shows of every run.
pub(in crate::figure) struct Measured {
    /// Its values, by step.
    pub(in crate::figure) points: fn(&Run) -> Vec<Point>,
    pub(in crate::figure) y_label: &'static str,
    /// Bounds of y that do not depend on the data.
    pub(in crate::figure) fixed_y: Option<(f64, f64)>,
    /// Name of its column in a table.
    pub(in crate::figure) column: &'static str,
}

/// Mean and spread of the runs of a group at a step.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Over {
    mean: f64,
    /// Least and largest value.
    range: [f64; 2],
    /// Standard deviation (n − 1); `None` for a single run.
    sd: Option<f64>,
}

impl Over {
    /// Lower and upper end of the band; `None` for a single run.
    fn band(&self, band: Spread) -> Option<[f64; 2]> {
        let sd = self.sd?;
        Some(match band {
            Spread::Range => self.range,
            Spread::Sd => [self.mean - sd, self.mean + sd],
        })
    }
}

/// Mean and spread of the runs at every step at which all of them have a value: nothing is interpolated between steps.
fn over_runs(runs: &[Vec<Point>]) -> BTreeMap<u64, Over> {
    let mut at: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for point in runs.iter().flatten() {
        at.entry(point.step).or_default().extend(point.value);
    }
    at.retain(|_, values| values.len() == runs.len());
    let of = |(step, values): (u64, Vec<f64>)| {
        let least = values.iter().copied().reduce(f64::min)?;
        let largest = values.iter().copied().reduce(f64::max)?;
        let over = Over {
            mean: mean(&values)?,
            range: [least, largest],
            sd: mean_sd(&values).map(|(_, sd)| sd),
        };
        Some((step, over))
    };
    at.into_iter().filter_map(of).collect()
}

/// The runs shown in groups, found once and kept until a run changes.
fn grouped_once(ctx: &egui::Context, shown: &[Subject<'_>]) -> Arc<Result<Grouped, CompareError>> {
    let key = comparison_key(shown);
    remembered(ctx, ("groups", 0), key, || {
        Arc::new(Grouped::of(&members(shown)))
    })
}

/// A colour for every group: its own, unless another group on screen has taken it.
fn colors(groups: &[Compared]) -> Vec<Color32> {
    let mut order: Vec<_> = (0..groups.len()).collect();
    order.sort_by_key(|&at| &groups[at].identity);
    let mut taken = Vec::new();
    let mut colors = vec![Color32::GRAY; groups.len()];
    for at in order {
        let own = palette::group_number(&groups[at].identity);
        let mut free = (0..palette::GROUPS).map(|next| (own + next) % palette::GROUPS);
        let number = free.find(|number| !taken.contains(number));
        let number = number.unwrap_or(taken.len());
        taken.push(number);
        colors[at] = palette::group(number);
    }
    colors
}

/// Wall time and images differ between machines and data sets, so groups are drawn over epochs or, where one of the runs
/// does not know them, over steps.
fn axis(view: &View, shown: &[Subject<'_>]) -> TimeAxis {
    let mut runs = shown.iter().map(|subject| subject.run);
    if view.time == TimeAxis::Step || !runs.all(Run::has_epochs) {
        TimeAxis::Step
    } else {
        TimeAxis::Epoch
    }
}

/// The chart, and a sentence that names the lines and areas drawn and the runs left out.
fn chart(
    title: &'static str,
    measured: &Measured,
    found: &Grouped,
    shown: &[Subject<'_>],
    view: &View,
) -> (Chart, String) {
    let mut curves = Vec::new();
    let mut bands = Vec::new();
    let mut clock = Clock::default();
    let mut has_other_clocks = false;
    let mut said = vec![words(view.spread).to_owned()];
    for (group, color) in found.groups.iter().zip(colors(&found.groups)) {
        let subjects = runs_of(group, shown);
        let Some(first) = subjects.first() else {
            continue;
        };
        let own = Clock::new(first.run, axis(view, shown));
        has_other_clocks |= !curves.is_empty() && !own.agrees_with(&clock);
        clock = own;
        let runs: Vec<_> = subjects.iter().map(|x| (measured.points)(x.run)).collect();
        for run in runs.iter().filter(|_| runs.len() > 1) {
            let place = run.iter().map(|x| (clock.at(x.step as f64), x.value));
            curves.push(Curve::new(group.name.clone(), color, Look::Thin, place));
        }
        let over = over_runs(&runs);
        let at = |step: &u64| clock.at(*step as f64);
        let means = over.iter().map(|(step, x)| (at(step), Some(x.mean)));
        curves.push(Curve::new(group.name.clone(), color, Look::Line, means));
        let ends = over
            .iter()
            .filter_map(|(step, x)| Some((at(step), x.band(view.spread)?)));
        let ends: Vec<_> = ends.collect();
        if over.is_empty() && runs.iter().any(|run| !run.is_empty()) {
            said.push(format!(
                "no mean of {}: its {} runs were measured at no common step",
                group.name,
                runs.len()
            ));
        }
        if !ends.is_empty() {
            bands.push(Band {
                name: group.name.clone(),
                color,
                x: ends.iter().map(|(x, _)| *x).collect(),
                low: ends.iter().map(|(_, y)| y[0]).collect(),
                high: ends.iter().map(|(_, y)| y[1]).collect(),
            });
        }
    }
    match found.unfinished {
        0 => {}
        1 => said.push("1 run is not finished and left out".to_owned()),
        n => said.push(format!("{n} runs are not finished and left out")),
    }
    let notes = found.notes.iter().map(|note| note.trim_end_matches('.'));
    said.extend(notes.map(str::to_owned));
    // Means are drawn over single runs.
    curves.sort_by_key(|curve| curve.look != Look::Thin);
    let chart = Chart {
        name: title,
        of_many_runs: true,
        has_other_clocks,
        y_label: measured.y_label.to_owned(),
        x: Axis::Time(clock),
        fixed_y: measured.fixed_y,
        curves,
        bands,
        empty: "Nothing was measured on the way.".to_owned(),
        ..Chart::default()
    };
    (chart, said.join("; "))
}

/// The sentence that says what the lines and the area are.
pub(in crate::figure) fn words(spread: Spread) -> &'static str {
    match spread {
        Spread::Range => "mean, range from least to most, and single runs",
        Spread::Sd => "mean ± standard deviation (n − 1), and single runs",
    }
}

/// Draws all groups of the runs shown.
pub(in crate::figure) fn group_curves_ui(
    ui: &mut Ui,
    (figure, measured): (&Figure, &Measured),
    shown: &[Subject<'_>],
    view: &View,
) -> Option<Pick> {
    let found = grouped_once(ui.ctx(), shown);
    let Ok(found) = &*found else {
        empty_ui(
            ui,
            "Open finished runs: groups of seeds are drawn once their runs have reached their last step.",
        );
        return None;
    };
    let key = (
        comparison_key(shown),
        shown.len(),
        axis(view, shown),
        view.spread,
    );
    let made = remembered(ui.ctx(), (figure.name, 0), key, || {
        let (chart, said) = chart(figure.title, measured, found, shown, view);
        (Arc::new(chart), said)
    });
    let (chart, said) = made;
    let spread = note_ui(ui, &said, view.spread);
    let scales = Scales::holding(std::slice::from_ref(&chart));
    // Several runs have no moment in common: a click can hide and show curves, and selects nothing.
    let picked = chart_ui(ui, figure.kind, &chart, &scales, None, view);
    spread.or(picked.filter(|pick| matches!(pick, Pick::Curve(_))))
}

/// Says what is drawn, with a choice of the spread that the area shows.
fn note_ui(ui: &mut Ui, said: &str, spread: Spread) -> Option<Pick> {
    let mut pick = None;
    ui.horizontal(|ui| {
        if !is_exporting(ui.ctx()) {
            for (other, text, help) in [
                (
                    Spread::Range,
                    "range",
                    "The area reaches from the least to the most of the runs",
                ),
                (
                    Spread::Sd,
                    "± sd",
                    "The area is mean ± standard deviation (n − 1) of the runs",
                ),
            ] {
                let text = RichText::new(text).size(11.0);
                let button = ui
                    .selectable_label(spread == other, text)
                    .on_hover_text(help);
                if button.clicked() {
                    pick = Some(Pick::Spread(other));
                }
            }
        }
        let label = egui::Label::new(RichText::new(said).size(11.0).weak()).truncate();
        ui.add(label).on_hover_text(said);
    });
    pick
}

/// A row for every point of every run, with the mean and the spread of its group at that step.
pub(in crate::figure) fn table(measured: &Measured, shown: &[Subject<'_>], view: &View) -> Table {
    let ends = match view.spread {
        Spread::Range => ["group_least", "group_most"],
        Spread::Sd => ["group_mean_minus_sd", "group_mean_plus_sd"],
    };
    let mut table = Table::new([
        "group",
        "run",
        "seed",
        "step",
        "epoch",
        measured.column,
        "group_mean",
        ends[0],
        ends[1],
    ]);
    let Ok(found) = Grouped::of(&members(shown)) else {
        return table;
    };
    for group in &found.groups {
        let subjects = runs_of(group, shown);
        let runs: Vec<_> = subjects.iter().map(|x| (measured.points)(x.run)).collect();
        let over = over_runs(&runs);
        for ((subject, seed), points) in subjects.iter().zip(&group.seeds).zip(runs) {
            for point in points {
                let common = over.get(&point.step);
                let band = common.and_then(|common| common.band(view.spread));
                table.push([
                    group.name.as_str().into(),
                    subject.name.into(),
                    (*seed).into(),
                    point.step.into(),
                    point.epoch.into(),
                    point.value.into(),
                    common.map(|common| common.mean).into(),
                    band.map(|band| band[0]).into(),
                    band.map(|band| band[1]).into(),
                ]);
            }
        }
    }
    table
}

#[cfg(test)]
mod tests;
