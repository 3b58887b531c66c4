//! A chart of curves: what it shows, and its scales.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::{Color32, Context};
use egui_plot::PlotPoint;
use serde::{Deserialize, Serialize};

use super::time::Clock;
use super::{Kind, Subject, TimeAxis, View, curves};

mod axes;
mod draw;
mod header;
mod pointer;
mod thin;

pub(super) use axes::{nice_marks, plain_number, power_of_ten, signed_log};
pub(super) use draw::{Place, chart_ui, part_ui};

/// Everything a chart shows of a run, in plot coordinates. On a logarithmic axis y is already log10.
#[derive(Debug, Default)]
pub(super) struct Chart {
    pub(super) name: &'static str,
    pub(super) y_label: String,
    pub(super) x: Axis,
    pub(super) log_y: bool,
    /// Whether y is [`signed_log`]: of both signs and many sizes.
    pub(super) signed_log: bool,
    /// Bounds of y that do not depend on the data.
    pub(super) fixed_y: Option<(f64, f64)>,
    /// Least and largest y at all moments, where the chart is of a single one: scrubbing leaves its scale alone.
    pub(super) range_y: Option<(f64, f64)>,
    pub(super) curves: Vec<Curve>,
    /// Areas behind the curves.
    pub(super) bands: Vec<Band>,
    /// What to say where there is nothing to draw.
    pub(super) empty: String,
}

impl Chart {
    /// The largest x of any point.
    fn last_x(&self) -> Option<f64> {
        let curves = self.curves.iter();
        curves.filter_map(|curve| curve.last_x).reduce(f64::max)
    }

    /// The least and the largest y; none without a finite one.
    fn range_y(&self) -> Option<(f64, f64)> {
        let curves = self.curves.iter().filter_map(|curve| curve.range_y);
        curves.chain(self.range_y).reduce(joined)
    }

    /// The curves that are not switched off.
    fn shown<'a>(&'a self, view: &'a View) -> impl Iterator<Item = &'a Curve> + Clone {
        let curves = self.curves.iter();
        curves.filter(|curve| !view.hidden.contains(&curve.name))
    }
}

/// An area between two curves. It goes with the curves of its name.
#[derive(Debug)]
pub(super) struct Band {
    pub(super) name: String,
    pub(super) color: Color32,
    /// As many as of the others.
    pub(super) x: Vec<f64>,
    pub(super) low: Vec<f64>,
    pub(super) high: Vec<f64>,
}

/// The range that holds two ranges.
fn joined(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (a.0.min(b.0), a.1.max(b.1))
}

#[derive(Debug)]
pub(super) enum Axis {
    /// Time, as the clock has it.
    Time(Clock),
    /// Layers by position.
    Layers(Vec<String>),
}

impl Default for Axis {
    fn default() -> Self {
        Self::Time(Clock::default())
    }
}

/// A curve, made ready to be drawn many times.
#[derive(Debug)]
pub(super) struct Curve {
    pub(super) name: String,
    pub(super) color: Color32,
    pub(super) look: Look,
    /// The class it is of, if it is of one.
    class: Option<usize>,
    /// What stands where there is no y.
    gap: Gap,
    /// Points between two that have no y, in order; none of these pieces is empty.
    segments: Vec<Vec<PlotPoint>>,
    /// The x of every point that has no y.
    undefined: Vec<f64>,
    /// Largest x, with y or without.
    last_x: Option<f64>,
    /// Least and largest finite y.
    range_y: Option<(f64, f64)>,
}

impl Curve {
    /// `points` in order; one without y breaks the line.
    pub(super) fn new(
        name: String,
        color: Color32,
        look: Look,
        points: impl Iterator<Item = (f64, Option<f64>)>,
    ) -> Self {
        let mut curve = Self {
            name,
            color,
            look,
            class: None,
            gap: Gap::default(),
            segments: Vec::new(),
            undefined: Vec::new(),
            last_x: None,
            range_y: None,
        };
        let mut goes_on = false;
        for (x, y) in points {
            curve.last_x = Some(curve.last_x.map_or(x, |last| last.max(x)));
            match y {
                Some(y) if goes_on => {
                    if let Some(segment) = curve.segments.last_mut() {
                        segment.push(PlotPoint::new(x, y));
                    }
                }
                Some(y) => curve.segments.push(vec![PlotPoint::new(x, y)]),
                None => curve.undefined.push(x),
            }
            goes_on = y.is_some();
            if let Some(y) = y.filter(|y| y.is_finite()) {
                curve.range_y = Some(curve.range_y.map_or((y, y), |range| joined(range, (y, y))));
            }
        }
        curve
    }

    /// The same curve, which is of class `k`.
    pub(super) fn of_class(mut self, k: usize) -> Self {
        self.class = Some(k);
        self
    }

    /// The same curve, with its gaps marked.
    pub(super) fn with_gaps(mut self, gap: Gap) -> Self {
        self.gap = gap;
        self
    }

    /// The same curve at other places.
    pub(super) fn at(mut self, place: impl Fn(f64) -> f64) -> Self {
        let points = self.segments.iter_mut().flatten();
        points.for_each(|point| point.x = place(point.x));
        self.undefined.iter_mut().for_each(|x| *x = place(*x));
        self.last_x = self.last_x.map(place);
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.segments.is_empty() && self.undefined.is_empty()
    }

    /// Whether anything of it but gaps is seen; a value that is not finite is seen.
    fn is_drawn(&self) -> bool {
        let is_marked = self.gap == Gap::NotFinite && !self.undefined.is_empty();
        !self.segments.is_empty() || is_marked
    }

    /// Points with y and without.
    fn len(&self) -> usize {
        self.segments.iter().map(Vec::len).sum::<usize>() + self.undefined.len()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// A line with its points where they are few.
    Line,
    /// A thin, pale line.
    Thin,
    /// A line that stands for many.
    Thick { dashed: bool },
    /// Points alone, diamonds.
    Points,
    /// Points alone, circles.
    Dots { filled: bool },
}

/// What stands where a point has no y.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Gap {
    /// Nothing: the line breaks.
    #[default]
    Unmarked,
    /// A cross at the upper edge: it should be a number, and is none.
    NotFinite,
    /// A small ring at the lower edge; the words say why it is undefined.
    Undefined(&'static str),
}

impl Gap {
    /// What is said of such a point.
    fn words(self) -> &'static str {
        match self {
            Self::Unmarked => "",
            Self::NotFinite => "is not finite",
            Self::Undefined(why) => why,
        }
    }
}

/// Bounds that were chosen for the charts of a kind, in every run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// Least and largest x; none leaves it to the data.
    pub x: Option<(f64, f64)>,
    /// Least and largest y, as the axis has it (log10 where it is logarithmic); none leaves it to the data.
    pub y: Option<(f64, f64)>,
    /// What time was measured in: where it is something else, x says nothing.
    pub time: TimeAxis,
}

/// Ranges that keep y as it is in every chart of these runs; what was chosen before stays.
pub fn locked(ctx: &Context, subjects: &[Subject<'_>], view: &View) -> BTreeMap<Kind, Range> {
    let lock = |&kind: &Kind| {
        let charts = subjects
            .iter()
            .map(|subject| curves::chart(ctx, kind, *subject, view));
        let charts: Vec<_> = charts.collect();
        let mut curves = charts.iter().flat_map(|chart| &chart.curves);
        // What shows nothing yet has no scale to keep.
        if !curves.any(Curve::is_drawn) {
            return None;
        }
        let before = view.ranges.get(&kind).copied();
        let range = before.unwrap_or(Range {
            time: view.time,
            ..Range::default()
        });
        let y = range.y.unwrap_or_else(|| Scales::holding(&charts).y);
        let y = Some(y);
        Some((kind, Range { y, ..range }))
    };
    let charts = Kind::ALL.iter().filter(|kind| kind.is_chart());
    charts.filter_map(lock).collect()
}

/// Axis bounds that figures of several runs share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scales {
    x: (f64, f64),
    y: (f64, f64),
}

impl Scales {
    /// Bounds that hold what `kind` shows of all `subjects`.
    pub fn of(ctx: &Context, kind: Kind, subjects: &[Subject<'_>], view: &View) -> Self {
        let charts = subjects
            .iter()
            .map(|subject| curves::chart(ctx, kind, *subject, view));
        Self::holding(&charts.collect::<Vec<_>>())
    }

    /// With the times of others as well.
    pub(super) fn with_times_of(mut self, others: &[Self]) -> Self {
        let times = others.iter().map(|other| other.x);
        self.x = times.fold(self.x, joined);
        self
    }

    /// With y up to `high` at least.
    pub(super) fn at_least_to(mut self, high: f64) -> Self {
        self.y.1 = self.y.1.max(high);
        self
    }

    /// Bounds that hold these charts.
    pub(super) fn holding(charts: &[Arc<Chart>]) -> Self {
        let mut scales = Self {
            x: (0.0, 1.0),
            y: (0.0, 1.0),
        };
        scales.x = match charts.first().map(|chart| &chart.x) {
            // Two variants need not have the same layers: the longer table sets the scale.
            Some(Axis::Layers(_)) => {
                let layers = charts.iter().map(|chart| match &chart.x {
                    Axis::Layers(names) => names.len(),
                    Axis::Time(_) => 0,
                });
                (-0.5, layers.max().unwrap_or(0) as f64 - 0.5)
            }
            _ => {
                // In its first moments a run is shown on a scale that has readable marks.
                let ends = charts.iter().filter_map(|chart| chart.last_x());
                let last = ends.fold(0.1, f64::max);
                // A little room, so that the first and the last point are not cut.
                (-0.01 * last, 1.015 * last)
            }
        };
        scales.y = match charts.iter().find_map(|chart| chart.fixed_y) {
            // A little room, so that a curve on the bound is not cut.
            Some((low, high)) => (low - 0.02 * (high - low), high + 0.02 * (high - low)),
            None => {
                let log = charts.iter().any(|chart| chart.log_y);
                let ranges = charts.iter().filter_map(|chart| chart.range_y());
                match (ranges.reduce(joined), log) {
                    (None, _) => (0.0, 1.0),
                    (Some((low, high)), true) => ((low - 0.05).floor(), (high + 0.05).ceil()),
                    (Some((low, high)), false) if low < 0.0 => {
                        let room = 0.05 * (high.max(0.0) - low);
                        (low - room, high.max(0.0) + room)
                    }
                    (Some((_, high)), false) => (0.0, 1.05 * high.max(1e-6)),
                }
            }
        };
        scales
    }

    /// The bounds chosen for these charts in their place, where there are any.
    fn within(self, range: Option<&Range>, chart: &Chart, view: &View) -> Self {
        let Some(range) = range else { return self };
        let is_same_axis = matches!(chart.x, Axis::Layers(_)) || range.time == view.time;
        Self {
            x: range.x.filter(|_| is_same_axis).unwrap_or(self.x),
            y: range.y.unwrap_or(self.y),
        }
    }

    /// How many points of a chart lie beyond the bounds.
    fn outside(&self, chart: &Chart, view: &View) -> usize {
        let is_beyond = |value: f64, (low, high): (f64, f64)| value < low || value > high;
        let points = chart
            .shown(view)
            .flat_map(|curve| &curve.segments)
            .flatten();
        points
            .filter(|point| is_beyond(point.x, self.x) || is_beyond(point.y, self.y))
            .count()
    }
}

#[cfg(test)]
mod tests;
