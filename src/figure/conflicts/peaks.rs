//! The layers and the moments at which conflict, or another quantity, peaks: a list in which each is a click.

use std::sync::Arc;

use egui::{Color32, FontId, Label, Rect, RichText, Role, ScrollArea, Sense, Ui, pos2, vec2};

use crate::figure::facts::network;
use crate::figure::facts::pair::{layers_at, made_by_layer};
use crate::figure::facts::peaks::{Peak, of_pair, of_quantity};
use crate::figure::facts::probes::{Made, Need};
use crate::figure::facts::quantity::Classes;
use crate::figure::facts::unmeasured;
use crate::figure::facts::unread::{NO_PROBE, NO_SUMMARIES};
use crate::figure::kit::memo::remembered;
use crate::figure::kit::numerals::{signed, three_figures};
use crate::figure::kit::table::{Table, Value};
use crate::figure::kit::text::{empty_ui, fitted, fitted_end, named};
use crate::figure::look::clock::Clock;
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::{Subject, class_of, pair_of};
use crate::figure::look::view::{Quantity, View};
use crate::figure::parts::figure::{At, Figure, Gradients, NEVER, Of};
use crate::run::Scope;

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::Peaks,
    name: "peaks",
    title: "Peaks by layer",
    subtitle: "Each layer with the moment at which its conflict is strongest, the strongest first",
    help: "For every layer of the backbone, the moment at which the quantity of the figure “Interference by layer and \
           time” is highest, or the cosine of the selected pair lowest. Interference counts where at least one pair is \
           in significant conflict (3 SE), a cosine where it is significant; beside it are the noise floor, or the \
           standard error, and the pairs in significant conflict. Click to go to the layer and the moment.",
    synonyms: &[
        "strongest conflict",
        "when and where",
        "worst layer",
        "worst epoch",
        "gradient conflict",
        "maxima",
    ],
    page: Page::Conflicts,
    in_place_of: None,
    lacks: NEVER,
    of: Of::Run,
    needs: Need::History,
    at: At::Probe,
    gradients: Gradients::AsShown,
    names_part: false,
    names_step: false,
    colour_range: None,
    chart: None,
    ui: |ui, subject, _, view| peaks_ui(ui, subject, view),
    table: |subject, _, view| table(subject, view),
};

/// Height of a row, in points.
const ROW: f32 = 18.0;
/// Widths of the columns after the layer's name, in points: moment, value, floor, pairs.
const WIDTHS: [f32; 4] = [58.0, 52.0, 48.0, 54.0];
/// Least width of a layer's name, in points, and the width that is kept for long ones before the last columns.
const NAME: f32 = 78.0;
const LONG_NAME: f32 = 132.0;
/// Width of a letter of a name, in points.
const LETTER: f32 = 6.0;

/// The peaks of what the view selects, computed once.
fn shown(ui: &Ui, subject: Subject<'_>, view: &View) -> Result<Arc<Vec<Peak>>, String> {
    if subject.run.probes.is_empty() {
        return Err(NO_PROBE.to_owned());
    }
    let id = subject.run.started.as_ref().map(|started| &started.id);
    let name = ("peaks", subject.identity());
    if view.one_pair {
        let pair = pair_of(subject, view)
            .ok_or("Click a cell of the matrix to see where and when two classes conflict most.")?;
        let pairs = made_by_layer(ui.ctx(), subject, pair);
        let key = (id, pairs.key());
        return Ok(remembered(ui.ctx(), name, key, || {
            Arc::new(of_pair(subject, &pairs))
        }));
    }
    let classes = Classes::of(subject, view);
    let key = (id, subject.run.revisions.probes, view.quantity, classes.one);
    Ok(remembered(ui.ctx(), name, key, || {
        Arc::new(of_quantity(subject, view.quantity, &classes))
    }))
}

/// What the peaks are of, in words.
fn words(subject: Subject<'_>, view: &View) -> String {
    let names = subject.classes();
    match (pair_of(subject, view), view.one_pair, view.quantity) {
        (Some((a, b)), true, _) => format!("Lowest cosine of {} and {}", names[a], names[b]),
        (None, true, _) => "Lowest cosine of a pair".to_owned(),
        (_, false, Quantity::HeadAgainstTail) => "Interference, rare × frequent pairs".to_owned(),
        (_, false, Quantity::Interference) => "Interference, all pairs".to_owned(),
        (_, false, quantity) => quantity.label().to_owned(),
    }
}

/// The columns that have room beside the names.
struct Columns {
    width: f32,
    count: usize,
    font: FontId,
}

impl Columns {
    fn new(width: f32, letters: usize, (has_pairs, has_floor): (bool, bool)) -> Self {
        let most = match (has_floor, has_pairs) {
            (_, true) => 4,
            (true, false) => 3,
            (false, false) => 2,
        };
        let name = (LETTER * letters as f32).clamp(NAME, LONG_NAME);
        let fits = |count: &usize| name + WIDTHS[..*count].iter().sum::<f32>() <= width;
        Self {
            width,
            count: (2..=most).rev().find(fits).unwrap_or(2),
            font: FontId::proportional(12.0),
        }
    }

    /// Writes the cells of a row; numbers stand at the right edge of their columns.
    fn row_ui(&self, ui: &Ui, rect: Rect, cells: [(&str, Color32); 5]) {
        let [(name, color), rest @ ..] = cells;
        let widths = &WIDTHS[..self.count];
        let names = self.width - widths.iter().sum::<f32>();
        let galley = fitted_end(
            ui.painter(),
            name,
            &self.font,
            color,
            (names - 6.0).max(1.0),
        );
        let y = |height: f32| rect.center().y - height / 2.0;
        let at = pos2(rect.left() + 2.0, y(galley.size().y));
        ui.painter().galley(at, galley, color);
        let mut right = rect.left() + names;
        for (width, (text, color)) in widths.iter().zip(rest) {
            right += width;
            let galley = fitted(ui.painter(), text, &self.font, color, *width);
            let at = pos2(right - galley.size().x - 2.0, y(galley.size().y));
            ui.painter().galley(at, galley, color);
        }
    }
}

/// Draws the list; a click picks layer and moment.
fn peaks_ui(ui: &mut Ui, subject: Subject<'_>, view: &View) -> Option<Pick> {
    let peaks = match shown(ui, subject, view) {
        Ok(peaks) => peaks,
        Err(sentence) => {
            empty_ui(ui, &sentence);
            return None;
        }
    };
    if peaks.is_empty() {
        empty_ui(ui, &nothing(subject, view));
        return None;
    }
    let text = RichText::new(words(subject, view)).size(11.0).weak();
    ui.add(Label::new(text).truncate());
    let has = |of: fn(&Peak) -> bool| peaks.iter().any(of);
    let letters = peaks.iter().map(|peak| peak.layer.chars().count());
    let columns = Columns::new(
        ui.available_width(),
        letters.max().unwrap_or(0),
        (
            has(|peak| peak.pairs.is_some()),
            has(|peak| peak.floor.is_some()),
        ),
    );
    let clock = Clock::new(subject.run, view.time);
    let (text, weak) = (ui.visuals().text_color(), ui.visuals().weak_text_color());
    let (header, _) = ui.allocate_exact_size(vec2(columns.width, ROW), Sense::hover());
    let of = if view.one_pair { "cosine" } else { "peak" };
    let floor = if view.one_pair { "± SE" } else { "floor" };
    let titles = ["layer", clock.label(), of, floor, "pairs"];
    columns.row_ui(ui, header, titles.map(|title| (title, weak)));
    let mut pick = None;
    let gap = ui.spacing().item_spacing.y;
    let area = ScrollArea::vertical().auto_shrink([false, true]);
    area.show_rows(ui, ROW - gap, peaks.len(), |ui, seen| {
        for peak in &peaks[seen] {
            let size = vec2(columns.width, ROW - gap);
            let (rect, response) = ui.allocate_exact_size(size, Sense::click());
            let Some(probe) = subject.run.probes.get(peak.probe) else {
                continue;
            };
            let at = subject.probe(view).map(|probe| probe.step);
            let is_selected = view.scope.name() == peak.layer && at == Some(probe.step);
            if is_selected || response.hovered() {
                ui.painter()
                    .rect_filled(rect, 2.0, text.gamma_multiply(0.08));
            }
            let moment = time_text(clock.at(probe.step as f64));
            let [value, floor, pairs] = numbers(peak, view);
            let cells = [
                (&*peak.layer, text),
                (&*moment, text),
                (&*value, text),
                (&*floor, weak),
                (&*pairs, weak),
            ];
            columns.row_ui(ui, rect, cells);
            let name = format!("{} at step {}", peak.layer, probe.step);
            named(&response, Role::Button, &name);
            if response.clicked() {
                let scope = Scope::Layer(peak.layer.clone());
                pick = Some(Pick::ScopeAt(scope, probe.step));
            }
            response.on_hover_ui_at_pointer(|ui| {
                let moment = subject.run.moment(probe.epoch, 2);
                words_ui(ui, peak, view, &format!("{name}, {moment}"));
            });
        }
    });
    pick
}

/// A moment on the axis of time in few figures.
fn time_text(time: f64) -> String {
    match time {
        time if time >= 1000.0 || time.fract() == 0.0 => format!("{time:.0}"),
        time if time >= 100.0 => format!("{time:.1}"),
        time => format!("{time:.2}"),
    }
}

/// The value of a peak, its floor, and its pairs in significant conflict.
fn numbers(peak: &Peak, view: &View) -> [String; 3] {
    let number = |value: f64| match (view.one_pair, view.quantity.is_logarithmic()) {
        (true, _) => signed(value),
        (false, true) => three_figures(value),
        (false, false) => format!("{value:.3}"),
    };
    let floor = peak
        .floor
        .map_or(String::new(), |floor| match view.one_pair {
            true => format!("{floor:.2}"),
            false => number(floor),
        });
    let pairs = peak.pairs.map(|(some, all)| format!("{some} of {all}"));
    [number(peak.value), floor, pairs.unwrap_or_default()]
}

/// Why there is no peak, in words.
fn nothing(subject: Subject<'_>, view: &View) -> String {
    let of = match (view.one_pair, view.quantity) {
        (true, _) => pair_of(subject, view).map(|(a, b)| vec![a, b]),
        (false, Quantity::ClassNorm) => class_of(subject, view).map(|class| vec![class]),
        (false, _) => None,
    };
    if let Some(sentence) = of.and_then(|classes| unmeasured::sentence(subject, &classes)) {
        return sentence;
    }
    if !view.one_pair && network::lacks_summaries(subject) {
        return NO_SUMMARIES.to_owned();
    }
    if view.one_pair {
        return "The two classes are in no significant conflict (3 SE) in any layer at any moment that is read.".to_owned();
    }
    if view.quantity.is_of_thirds() {
        let lacks = crate::figure::facts::thirds::lacks_in_log(subject);
        return lacks.map_or_else(|| NO_PEAK.to_owned(), str::to_owned);
    }
    NO_PEAK.to_owned()
}

const NO_PEAK: &str =
    "No pair of classes is in significant conflict (3 SE) in any layer at any moment.";

/// Writes everything about a peak: the text of its tooltip.
fn words_ui(ui: &mut Ui, peak: &Peak, view: &View, title: &str) {
    ui.set_max_width(320.0);
    ui.strong(title);
    let [value, floor, _] = numbers(peak, view);
    let (of, noise) = match view.one_pair {
        true => ("cosine", "standard error"),
        false => (view.quantity.label(), "noise floor"),
    };
    ui.label(match peak.floor {
        Some(_) => format!("{of} {value} ({noise} {floor})"),
        None => format!("{of} {value}"),
    });
    if let Some((some, all)) = peak.pairs {
        ui.label(format!(
            "{some} of {all} pairs in significant conflict (3 SE)"
        ));
    }
    ui.weak("Click to go to the layer and the moment.");
}

/// The numbers of the figure: a row for every layer that has a peak.
fn table(subject: Subject<'_>, view: &View) -> Table {
    let mut table = Table::new([
        "layer",
        "block",
        "step",
        "epoch",
        "quantity",
        "value",
        "noise_floor",
        "standard_error",
        "conflicting",
        "pairs",
    ]);
    let peaks = match (view.one_pair, pair_of(subject, view)) {
        (true, None) => Vec::new(),
        (true, Some(pair)) => {
            let steps = subject.run.probes.iter().map(|probe| probe.step);
            let pairs = Made::of(steps, |step| layers_at(subject, step, pair));
            of_pair(subject, &pairs)
        }
        (false, _) => of_quantity(subject, view.quantity, &Classes::of(subject, view)),
    };
    let words = words(subject, view);
    for peak in peaks {
        let Some(probe) = subject.run.probes.get(peak.probe) else {
            continue;
        };
        let count =
            |of: fn((usize, usize)) -> usize| peak.pairs.map_or(Value::None, |x| of(x).into());
        let [floor, error] = match view.one_pair {
            true => [None, peak.floor],
            false => [peak.floor, None],
        };
        table.push([
            peak.layer.as_str().into(),
            peak.block.as_str().into(),
            probe.step.into(),
            probe.epoch.into(),
            words.as_str().into(),
            peak.value.into(),
            floor.into(),
            error.into(),
            count(|(some, _)| some),
            count(|(_, all)| all),
        ]);
    }
    table
}

#[cfg(test)]
mod tests;
