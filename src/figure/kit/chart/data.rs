//! What a chart shows: curves, areas behind them, and its axes.

use std::collections::BTreeSet;
use std::sync::Arc;

use egui::Color32;
use egui_plot::PlotPoint;

use crate::figure::kit::palette;
use crate::figure::look::clock::Clock;
use crate::figure::look::view::{View, place_in};

/// With more curves of classes than this they are thin, so that they hide each other less.
const MANY_CLASSES: usize = 24;

/// Everything a chart shows of a run, in plot coordinates. On a logarithmic axis y is already log10.
#[derive(Clone, Debug, Default)]
pub(in crate::figure) struct Chart {
    pub(in crate::figure) name: &'static str,
    pub(in crate::figure) y_label: String,
    pub(in crate::figure) x: Axis,
    pub(in crate::figure) log_y: bool,
    /// Whether y is [`signed_log`] of the values, which have both signs and many orders of magnitude.
    pub(in crate::figure) signed_log: bool,
    /// Bounds of y that do not depend on the data.
    pub(in crate::figure) fixed_y: Option<(f64, f64)>,
    /// Least and largest y at all moments, for a chart of a single moment: its scale stays when the cursor moves.
    pub(in crate::figure) range_y: Option<(f64, f64)>,
    /// The y that values are held against, drawn as a line across.
    pub(in crate::figure) level: Option<f64>,
    pub(in crate::figure) curves: Vec<Curve>,
    /// Areas behind the curves.
    pub(in crate::figure) bands: Vec<Band>,
    /// Whether the curves are of runs that are at different steps at one x.
    pub(in crate::figure) has_other_clocks: bool,
    /// Whether the chart is of several runs, which have no moment in common: a click then selects no moment.
    pub(in crate::figure) of_many_runs: bool,
    /// The sentence in place of the chart where there is nothing to draw.
    pub(in crate::figure) empty: String,
}

impl Chart {
    /// The charts of two runs in one: the curves of the first, and those of the second, dashed, over them. Areas behind
    /// the curves are those of the first. Classes are those of the first run, by the names in `classes`.
    pub(in crate::figure) fn overlaid(
        first: &Self,
        second: &Self,
        classes: [&[String]; 2],
    ) -> Self {
        let mut chart = first.clone();
        // Where both have the same axis of time, no point is moved.
        let place: Option<Box<dyn Fn(f64) -> f64>> = match (&first.x, &second.x) {
            (Axis::Layers(own), Axis::Layers(other)) => {
                let all = all_layers(own, other);
                let place_of = |names: &[String]| -> Vec<f64> {
                    let places = names.iter();
                    let places = places.filter_map(|name| all.iter().position(|x| x == name));
                    places.map(|place| place as f64).collect()
                };
                let (own, other) = (place_of(own), place_of(other));
                let at = |places: &[f64], x: f64| {
                    places
                        .get(x.round().max(0.0) as usize)
                        .copied()
                        .unwrap_or(x)
                };
                let curves = chart.curves.into_iter();
                chart.curves = curves.map(|curve| curve.at(|x| at(&own, x))).collect();
                let xs = chart.bands.iter_mut().flat_map(|band| &mut band.x);
                xs.for_each(|x| *x = at(&own, *x));
                chart.x = Axis::Layers(all);
                Some(Box::new(move |x| at(&other, x)))
            }
            (Axis::Time(own), Axis::Time(other)) => {
                chart.has_other_clocks = !own.agrees_with(other);
                None
            }
            (_, _) => None,
        };
        chart
            .curves
            .iter_mut()
            .for_each(|curve| curve.side = Some(Side::A));
        let others = second.curves.iter().cloned();
        chart.curves.extend(others.map(|curve| {
            Curve {
                side: Some(Side::B),
                ..match &place {
                    Some(place) => curve.at(place),
                    None => curve,
                }
                .in_classes(classes)
            }
        }));
        chart.range_y = first
            .range_y
            .into_iter()
            .chain(second.range_y)
            .reduce(joined);
        chart
    }

    /// Whether there are more classes than can be told apart, of which there may be several curves each.
    pub(in crate::figure::kit::chart) fn has_many_classes(&self, view: &View) -> bool {
        let classes = self.shown(view).filter_map(|curve| curve.class);
        // Most charts have so few curves that their classes need not be counted.
        classes.clone().nth(MANY_CLASSES).is_some()
            && classes.collect::<BTreeSet<usize>>().len() > MANY_CLASSES
    }

    /// Whether the chart has the curves of two runs.
    pub(in crate::figure::kit::chart) fn is_of_two(&self) -> bool {
        self.curves.iter().any(|curve| curve.side.is_some())
    }

    /// Whether the chart draws anything.
    pub(in crate::figure) fn is_drawn(&self) -> bool {
        self.curves.iter().any(Curve::is_drawn)
    }

    /// The largest x of any point.
    pub(in crate::figure::kit::chart) fn last_x(&self) -> Option<f64> {
        let curves = self.curves.iter();
        curves.filter_map(|curve| curve.last_x).reduce(f64::max)
    }

    /// The least and the largest y; `None` without a finite y.
    pub(in crate::figure::kit::chart) fn range_y(&self) -> Option<(f64, f64)> {
        let curves = self.curves.iter().filter_map(|curve| curve.range_y);
        curves.chain(self.range_y).reduce(joined)
    }

    /// The curves that are not switched off.
    pub(in crate::figure::kit::chart) fn shown<'a>(
        &'a self,
        view: &'a View,
    ) -> impl Iterator<Item = &'a Curve> + Clone {
        let curves = self.curves.iter();
        curves.filter(|curve| !view.hidden.contains(&curve.name))
    }
}

/// The layers of two networks in one order, which keeps that of either: variants need not have the same layers. A layer
/// that only the second has follows its predecessor there.
fn all_layers(own: &[String], other: &[String]) -> Vec<String> {
    let mut all = own.to_vec();
    let first_common = own.iter().position(|name| other.contains(name));
    let mut next = first_common.unwrap_or(own.len());
    for name in other {
        match all.iter().position(|x| x == name) {
            Some(at) => next = at + 1,
            None => {
                all.insert(next, name.clone());
                next += 1;
            }
        }
    }
    all
}

/// An area between two curves. It is hidden and shown with the curves of its name.
#[derive(Clone, Debug)]
pub(in crate::figure) struct Band {
    pub(in crate::figure) name: String,
    pub(in crate::figure) color: Color32,
    /// The x of its points, as many as values in `low` and `high`.
    pub(in crate::figure) x: Vec<f64>,
    pub(in crate::figure) low: Vec<f64>,
    pub(in crate::figure) high: Vec<f64>,
}

/// The range that holds two ranges.
pub(in crate::figure::kit::chart) fn joined(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (a.0.min(b.0), a.1.max(b.1))
}

#[derive(Clone, Debug)]
pub(in crate::figure) enum Axis {
    /// Time, in the unit of the clock.
    Time(Clock),
    /// Layers, by position.
    Layers(Vec<String>),
}

impl Default for Axis {
    fn default() -> Self {
        Self::Time(Clock::default())
    }
}

/// A curve, made ready to be drawn many times.
#[derive(Clone, Debug)]
pub(in crate::figure) struct Curve {
    pub(in crate::figure) name: String,
    pub(in crate::figure) color: Color32,
    pub(in crate::figure) look: Look,
    /// The run that the curve is of, where a chart has the curves of two runs; those of the second are dashed.
    pub(in crate::figure::kit::chart) side: Option<Side>,
    /// The class that the curve is of; `None` for any other curve.
    pub(in crate::figure::kit::chart) class: Option<usize>,
    /// The mark at points that have no y.
    pub(in crate::figure::kit::chart) gap: Gap,
    /// The curve in pieces that end where a point has no y, in order; no piece is empty. Charts of two runs share them
    /// with the chart of each.
    pub(in crate::figure::kit::chart) segments: Arc<Vec<Vec<PlotPoint>>>,
    /// The x of every point that has no y.
    pub(in crate::figure::kit::chart) undefined: Vec<f64>,
    /// Largest x, with y or without.
    pub(in crate::figure::kit::chart) last_x: Option<f64>,
    /// Least and largest finite y.
    pub(in crate::figure::kit::chart) range_y: Option<(f64, f64)>,
}

impl Curve {
    /// A curve through `points` (x, y) in order; a point without y breaks the line.
    pub(in crate::figure) fn new(
        name: String,
        color: Color32,
        look: Look,
        points: impl Iterator<Item = (f64, Option<f64>)>,
    ) -> Self {
        let mut curve = Self {
            name,
            color,
            look,
            side: None,
            class: None,
            gap: Gap::default(),
            segments: Arc::default(),
            undefined: Vec::new(),
            last_x: None,
            range_y: None,
        };
        let mut segments: Vec<Vec<PlotPoint>> = Vec::new();
        let mut goes_on = false;
        for (x, y) in points {
            curve.last_x = Some(curve.last_x.map_or(x, |last| last.max(x)));
            match y {
                Some(y) if goes_on => {
                    if let Some(segment) = segments.last_mut() {
                        segment.push(PlotPoint::new(x, y));
                    }
                }
                Some(y) => segments.push(vec![PlotPoint::new(x, y)]),
                None => curve.undefined.push(x),
            }
            goes_on = y.is_some();
            if let Some(y) = y.filter(|y| y.is_finite()) {
                curve.range_y = Some(curve.range_y.map_or((y, y), |range| joined(range, (y, y))));
            }
        }
        curve.segments = Arc::new(segments);
        curve
    }

    /// The name of the curve, and the run that it is of where there are two.
    pub(in crate::figure::kit::chart) fn full_name(&self) -> String {
        match self.side {
            None => self.name.clone(),
            Some(Side::A) => format!("{} · A", self.name),
            Some(Side::B) => format!("{} · B", self.name),
        }
    }

    /// The same curve, which is of class `k`.
    pub(in crate::figure) fn of_class(mut self, k: usize) -> Self {
        self.class = Some(k);
        self
    }

    /// The curve of a run with the classes `from`, among those of a run with the classes `to`: it has the colour that its
    /// class has there. A class that is not there cannot be selected, and has a colour after those of all others.
    fn in_classes(mut self, [to, from]: [&[String]; 2]) -> Self {
        let Some(k) = self.class.filter(|_| to != from) else {
            return self;
        };
        self.class = place_in(from, to, k);
        let own = palette::class(k);
        if self.color == own {
            self.color = palette::class(self.class.unwrap_or(to.len() + k));
        }
        self
    }

    /// The same curve, with its gaps marked.
    pub(in crate::figure) fn with_gaps(mut self, gap: Gap) -> Self {
        self.gap = gap;
        self
    }

    /// The same curve, every x moved to `place(x)`.
    pub(in crate::figure) fn at(mut self, place: impl Fn(f64) -> f64) -> Self {
        let points = Arc::make_mut(&mut self.segments).iter_mut().flatten();
        points.for_each(|point| point.x = place(point.x));
        self.undefined.iter_mut().for_each(|x| *x = place(*x));
        self.last_x = self.last_x.map(place);
        self
    }

    pub(in crate::figure) fn is_empty(&self) -> bool {
        self.segments.is_empty() && self.undefined.is_empty()
    }

    /// Whether the curve draws anything but gaps; the mark of a value that is not finite counts as drawn.
    pub(in crate::figure::kit::chart) fn is_drawn(&self) -> bool {
        let is_marked = self.gap == Gap::NotFinite && !self.undefined.is_empty();
        !self.segments.is_empty() || is_marked
    }

    /// Whether a piece is a single point, which has no line to be seen by.
    pub(in crate::figure::kit::chart) fn has_lone_points(&self) -> bool {
        self.segments.iter().any(|segment| segment.len() == 1)
    }

    /// Number of points, with y and without.
    pub(in crate::figure::kit::chart) fn len(&self) -> usize {
        self.segments.iter().map(Vec::len).sum::<usize>() + self.undefined.len()
    }
}

/// One of two runs side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::figure) enum Side {
    A,
    B,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::figure) enum Look {
    /// A line with its points where they are few.
    Line,
    /// A thin line.
    Thin,
    /// A thick line, for a curve that sums up many others.
    Thick { dashed: bool },
    /// Points alone, as diamonds.
    Points,
    /// Points alone, as circles.
    Dots { filled: bool },
}

/// The mark at points that have no y.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::figure) enum Gap {
    /// Nothing: the line breaks.
    #[default]
    Unmarked,
    /// A cross at the upper edge: the value should be a number, and is none.
    NotFinite,
    /// A small ring at the lower edge; the words say why the value is undefined.
    Undefined(&'static str),
}

impl Gap {
    /// The words for a point that has no y; empty where it has no mark.
    pub(in crate::figure::kit::chart) fn words(self) -> &'static str {
        match self {
            Self::Unmarked => "",
            Self::NotFinite => "is not finite",
            Self::Undefined(why) => why,
        }
    }
}
