//! The difference between two runs of what layers show by moment: a quantity, or the cosine of the selected pair.
//!
//! both   the moments and the layers of the first run that stand for those of the second

mod both;

use std::sync::Arc;

use egui::{Color32, Label, Rect, RichText, Ui, UiBuilder};

use crate::figure::conflicts::matrix_difference::other;
use crate::figure::conflicts::pair_depth::cosine_scale_ui;
use crate::figure::facts::conflict::Change;
use crate::figure::facts::network::layers_with_gradients;
use crate::figure::facts::pair::{Layers, PairCell, layers_at, made_by_layer};
use crate::figure::facts::probes::{Made, Need};
use crate::figure::facts::unread::{NO_PROBE, THIS_PROBE};
use crate::figure::kit::numerals::{signed, three_figures};
use crate::figure::kit::palette;
use crate::figure::kit::table::{Table, Value};
use crate::figure::kit::text::empty_ui;
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::{Subject, pair_of};
use crate::figure::look::view::View;
use crate::figure::parts::figure::{At, Figure, Gradients, NEVER, Of};
use crate::figure::parts::lanes::{Cells, cells_ui, header};
use crate::figure::parts::quantity_scale::Scale;
use both::Both;

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::DepthTimeDifference,
    name: "depth-time-difference",
    title: "Interference by layer and time, B − A",
    subtitle: "Where and when a second run differs: its interference, or another quantity, minus the first's",
    help: "What “Interference by layer and time” shows of the second run minus that of the first, at the nearest moments \
           of both, in the colours of the same scale. Red: more conflict (or a higher value) in the second run; blue: \
           less. Of a single pair of classes, low cells are not significant (3 SE of the difference). Grey is undefined \
           in one of the runs, or has no moment of the first run within half an epoch.",
    synonyms: &[
        "what changes between two runs",
        "difference",
        "comparison of runs",
        "heat map",
        "gradient conflict",
        "did attention change it",
    ],
    page: Page::Conflicts,
    in_place_of: Some(Kind::DepthTime),
    lacks: NEVER,
    of: Of::TwoRuns,
    needs: Need::History,
    at: At::Probe,
    gradients: Gradients::AsShown,
    names_part: false,
    names_step: false,
    colour_range: Some(|shown, view| {
        let end = Scale::range(shown, view)[1];
        let end = if view.one_pair { 1.0 } else { end };
        [-end, end]
    }),
    chart: None,
    ui: difference_ui,
    table,
};

/// The second minus the first or, of a logarithmic quantity, log10 of their ratio.
fn difference([first, second]: [f64; 2], view: &View) -> f64 {
    if view.quantity.is_logarithmic() {
        (second / first).log10()
    } else {
        second - first
    }
}

/// Draws the difference of `subject` from the first of `shown`; a click picks layer and moment.
fn difference_ui(
    ui: &mut Ui,
    subject: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
) -> Option<Pick> {
    let first = match other(subject, shown) {
        Ok(first) => first,
        Err(sentence) => {
            empty_ui(ui, &sentence);
            return None;
        }
    };
    let area = ui.available_rect_before_wrap();
    let both = Both::of(first, subject, view);
    if both.alone() == both.probes.len() {
        let none = "No moment of the second run lies within half an epoch of one of the first.";
        empty_ui(
            ui,
            if both.probes.is_empty() {
                NO_PROBE
            } else {
                none
            },
        );
        return None;
    }
    if !view.one_pair {
        if let Some(sentence) = both.refusal(view.quantity) {
            empty_ui(ui, sentence);
            return None;
        }
        heading_ui(ui, area, &both, &both.words(view.quantity));
        let scale = Scale::of(ui, shown, view);
        return cells_ui(ui, area, subject, view, &Quantities { both, view, scale });
    }
    let Some(pair @ (a, b)) = pair_of(subject, view) else {
        empty_ui(ui, "Click a cell of the matrix to follow two classes.");
        return None;
    };
    let names = subject.classes();
    heading_ui(ui, area, &both, &format!("{} and {}", names[a], names[b]));
    let pairs = [first, subject].map(|run| made_by_layer(ui.ctx(), run, pair));
    cells_ui(ui, area, subject, view, &Cosines { both, pairs })
}

/// Says what is compared, and how many moments are not.
fn heading_ui(ui: &mut Ui, area: Rect, both: &Both<'_>, of: &str) {
    let alone = match both.alone() {
        0 => String::new(),
        n => format!("{n} of {} moments have no near one · ", both.probes.len()),
    };
    let text = format!(
        "{alone}{of}: {} minus {}",
        both.second.name, both.first.name
    );
    ui.scope_builder(UiBuilder::new().max_rect(header(area)), |ui| {
        let label = Label::new(RichText::new(&text).size(11.5).weak()).truncate();
        ui.add(label);
    });
}

/// The cells of the figure for a quantity of all classes.
struct Quantities<'a> {
    both: Both<'a>,
    view: &'a View,
    scale: Scale,
}

impl Quantities<'_> {
    fn color_of(&self, ui: &Ui, row: Option<usize>, column: usize) -> Color32 {
        let values = self.both.values(self.view, row, column);
        let difference = values.map(|values| difference(values, self.view));
        let finite = difference.filter(|x| x.is_finite());
        finite.map_or_else(
            || palette::undefined(ui),
            |difference| self.scale.difference_color(difference),
        )
    }

    fn values_ui(&self, ui: &mut Ui, row: Option<usize>, column: usize) {
        let label = self.both.words(self.view.quantity);
        let Some(values) = self.both.values(self.view, row, column) else {
            ui.label(
                "undefined in one of the runs, or no moment of the first within half an epoch",
            );
            return;
        };
        let [first, second] = values.map(three_figures);
        ui.strong(format!("{label}: {first} → {second}"));
        ui.label(if self.view.quantity.is_logarithmic() {
            format!("{} times", three_figures(values[1] / values[0]))
        } else {
            format!("changes by {:+.3}", values[1] - values[0])
        });
        for (name, run, step) in moments(&self.both, column) {
            ui.weak(format!("{name}: {}", run.moment_of(step)));
        }
    }
}

/// The moments of both runs in a column.
fn moments<'a>(
    both: &Both<'a>,
    column: usize,
) -> impl Iterator<Item = (&'a str, &'a crate::run::Run, u64)> {
    let at = both.probes.get(column).copied().flatten();
    let first = at.and_then(|at| both.first.run.probes.get(at));
    let second = both.second.run.probes.get(column);
    let of = |subject: Subject<'a>, probe: Option<&crate::run::event::Probe>| {
        probe.map(|probe| (subject.name, subject.run, probe.step))
    };
    let both = [of(both.first, first), of(both.second, second)];
    both.into_iter().flatten()
}

impl Cells for Quantities<'_> {
    const NAME: &'static str = "Difference of layers by moment";

    fn key(&self) -> String {
        let first = self.both.first;
        let id = first.run.started.as_ref().map(|started| &started.id);
        format!(
            "{:?} {:?} {id:?} {}",
            self.both.classes, self.scale, first.run.revisions.probes
        )
    }

    fn color(&self, ui: &Ui, gram: usize, column: usize) -> Option<Color32> {
        Some(self.color_of(ui, Some(gram), column))
    }

    fn words_ui(&self, ui: &mut Ui, gram: usize, column: usize) {
        self.values_ui(ui, Some(gram), column);
    }

    fn scale_ui(&self, ui: &Ui, bar: Rect) {
        self.scale.difference_ui(ui, bar);
    }

    const BACKBONE: bool = true;

    fn backbone_color(&self, ui: &Ui, column: usize) -> Option<Color32> {
        Some(self.color_of(ui, None, column))
    }

    fn backbone_words_ui(&self, ui: &mut Ui, column: usize) {
        self.values_ui(ui, None, column);
    }
}

/// The cells of the figure for the selected pair.
struct Cosines<'a> {
    both: Both<'a>,
    /// The pair in the first and the second run.
    pairs: [Arc<Made<Layers>>; 2],
}

impl Cosines<'_> {
    /// The pair in both runs; the outer `None` where a probe is not read.
    fn cells(&self, gram: usize, column: usize) -> Option<Option<[&PairCell; 2]>> {
        let [first, second] = &self.pairs;
        let (Some(Some(at)), Some(Some(row))) =
            (self.both.probes.get(column), self.both.rows.get(gram))
        else {
            return Some(None);
        };
        let first = first.cell(self.both.first.run, *row, *at)?;
        let second = second.cell(self.both.second.run, gram, column)?;
        Some(first.zip(second).map(|(first, second)| [first, second]))
    }

    fn change(&self, gram: usize, column: usize) -> Option<Change> {
        Some(change(self.cells(gram, column)??))
    }
}

/// The change of a pair's cosine between two runs, whose errors are independent.
fn change([first, second]: [&PairCell; 2]) -> Change {
    let cosines = second.cell.cosine.zip(first.cell.cosine);
    let errors = second.error.zip(first.error);
    Change {
        difference: cosines.map(|(second, first)| second - first),
        standard_error: errors.map(|(second, first)| second.hypot(first)),
    }
}

impl Cells for Cosines<'_> {
    const NAME: &'static str = "Difference of the pair by layer and moment";

    fn key(&self) -> String {
        let [first, second] = &self.pairs;
        format!("{} {}", first.key(), second.key())
    }

    fn color(&self, ui: &Ui, gram: usize, column: usize) -> Option<Color32> {
        let cells = self.cells(gram, column)?;
        let difference = cells.and_then(|cells| change(cells).difference);
        let dark = ui.visuals().dark_mode;
        Some(difference.map_or_else(
            || palette::undefined(ui),
            |difference| palette::diverging(difference, dark),
        ))
    }

    fn is_significant(&self, gram: usize, column: usize) -> bool {
        let change = self.change(gram, column);
        change.is_none_or(|change| change.resolved())
    }

    fn words_ui(&self, ui: &mut Ui, gram: usize, column: usize) {
        let Some(cells) = self.cells(gram, column) else {
            ui.label(THIS_PROBE);
            return;
        };
        let both = cells.and_then(|cells| {
            let [first, second] = cells.map(|cell| cell.cell.cosine);
            Some((first?, second?, change(cells)))
        });
        let Some((first, second, change)) = both else {
            ui.label(
                "undefined in one of the runs, or no moment of the first within half an epoch",
            );
            return;
        };
        ui.strong(format!("cosine {} → {}", signed(first), signed(second)));
        let error = change.standard_error.map(|error| format!(" ± {error:.2}"));
        let word = match change.resolved() {
            true => "significant (3 SE)",
            false => "not significant (3 SE)",
        };
        ui.label(format!(
            "changes by {}{}, {word}",
            signed(second - first),
            error.unwrap_or_default()
        ));
        for (name, run, step) in moments(&self.both, column) {
            ui.weak(format!("{name}: {}", run.moment_of(step)));
        }
    }

    fn scale_ui(&self, ui: &Ui, bar: Rect) {
        cosine_scale_ui(ui, bar);
    }
}

/// The values of a cell in the first and the second run, their difference, and whether it is resolved; `None` for the
/// backbone of a single pair.
fn cell_values(
    both: &Both<'_>,
    cosines: Option<&Cosines<'_>>,
    view: &View,
    row: Option<usize>,
    column: usize,
) -> Option<([Option<f64>; 2], Option<f64>, Value)> {
    let Some(cosines) = cosines else {
        let values = both.values(view, row, column);
        let difference = values.map(|[first, second]| second - first);
        let values = values.map_or([None, None], |values| values.map(Some));
        return Some((values, difference, Value::None));
    };
    let cells = cosines.cells(row?, column).flatten();
    let change = cells.map(change);
    Some((
        cells.map_or([None, None], |cells| cells.map(|x| x.cell.cosine)),
        change.and_then(|change| change.difference),
        change.map_or(Value::None, |change| change.resolved().into()),
    ))
}

/// The numbers of the figure: a row for the backbone and every layer at every probe of the second run that has a moment
/// of the first run near it.
fn table(subject: Subject<'_>, shown: &[Subject<'_>], view: &View) -> Table {
    let mut table = Table::new([
        "step_first",
        "step_second",
        "epoch",
        "layer",
        "quantity",
        "first",
        "second",
        "difference",
        "resolved",
    ]);
    let Ok(first) = other(subject, shown) else {
        return table;
    };
    let both = Both::of(first, subject, view);
    let pair = pair_of(subject, view).filter(|_| view.one_pair);
    let is_refused = !view.one_pair && both.refusal(view.quantity).is_some();
    if is_refused || (view.one_pair && pair.is_none()) {
        return table;
    }
    let pairs = pair.map(|pair| {
        let read = |run: Subject<'_>| {
            let steps = run.run.probes.iter().map(|probe| probe.step);
            Arc::new(Made::of(steps, |step| layers_at(run, step, pair)))
        };
        [read(first), read(subject)]
    });
    let names = subject.classes();
    let quantity = pair.map_or_else(
        || both.words(view.quantity),
        |(a, b)| format!("cosine of {} and {}", names[a], names[b]),
    );
    let cosines = pairs.map(|pairs| Cosines {
        both: Both::of(first, subject, view),
        pairs,
    });
    let rows = layers_with_gradients(subject).map(|(layer, row)| (&*layer.name, Some(row)));
    let rows: Vec<_> = std::iter::once(("backbone", None)).chain(rows).collect();
    for (column, probe) in subject.run.probes.iter().enumerate() {
        let Some(at) = both.probes[column] else {
            continue;
        };
        for &(name, row) in &rows {
            let Some(values) = cell_values(&both, cosines.as_ref(), view, row, column) else {
                continue;
            };
            let ([before, after], difference, resolved) = values;
            table.push([
                first.run.probes[at].step.into(),
                probe.step.into(),
                probe.epoch.into(),
                name.into(),
                quantity.as_str().into(),
                before.into(),
                after.into(),
                difference.into(),
                resolved,
            ]);
        }
    }
    table
}

#[cfg(test)]
mod tests;
