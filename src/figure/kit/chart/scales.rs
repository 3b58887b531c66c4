//! Axis bounds that charts of several runs share.

use std::sync::Arc;

use crate::figure::kit::chart::data::{Axis, Chart, joined};
use crate::figure::look::marks::Range;
use crate::figure::look::view::View;

/// Axis bounds that figures of several runs share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scales {
    pub(in crate::figure::kit::chart) x: (f64, f64),
    pub(in crate::figure::kit::chart) y: (f64, f64),
}

impl Scales {
    /// Least and largest y.
    pub(in crate::figure) fn y(&self) -> (f64, f64) {
        self.y
    }

    /// The same bounds, widened to hold the times of other charts.
    pub(in crate::figure) fn with_times_of(mut self, others: &[Self]) -> Self {
        let times = others.iter().map(|other| other.x);
        self.x = times.fold(self.x, joined);
        self
    }

    /// The same bounds, widened to hold the layers of a chart of two networks, which may have more than either.
    pub(in crate::figure) fn with_layers_of(mut self, chart: &Chart) -> Self {
        if let Axis::Layers(layers) = &chart.x {
            self.x = joined(self.x, (-0.5, layers.len() as f64 - 0.5));
        }
        self
    }

    /// The same bounds, with y up to `high` at least.
    pub(in crate::figure) fn at_least_to(mut self, high: f64) -> Self {
        self.y.1 = self.y.1.max(high);
        self
    }

    /// Bounds that hold these charts.
    pub(in crate::figure) fn holding(charts: &[Arc<Chart>]) -> Self {
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
                // The scale of a run in its first moments is wide enough for readable marks.
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

    /// The same bounds, replaced by those of `range`, which was chosen for these charts, where it has any.
    pub(in crate::figure::kit::chart) fn within(
        self,
        range: Option<&Range>,
        chart: &Chart,
        view: &View,
    ) -> Self {
        let Some(range) = range else { return self };
        let is_same_axis = matches!(chart.x, Axis::Layers(_)) || range.time == view.time;
        Self {
            x: range.x.filter(|_| is_same_axis).unwrap_or(self.x),
            y: range.y.unwrap_or(self.y),
        }
    }

    /// How many points of a chart lie beyond the bounds.
    pub(in crate::figure::kit::chart) fn outside(&self, chart: &Chart, view: &View) -> usize {
        let is_beyond = |value: f64, (low, high): (f64, f64)| value < low || value > high;
        let points = chart
            .shown(view)
            .flat_map(|curve| curve.segments.iter())
            .flatten();
        points
            .filter(|point| is_beyond(point.x, self.x) || is_beyond(point.y, self.y))
            .count()
    }
}
