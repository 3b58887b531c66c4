//! Leaves out points of a line where the eye sees no difference: a hundred curves of five hundred points each are
//! drawn in every frame.

use egui::{Context, Rect};
use egui_plot::{PlotBounds, PlotPoint};

use crate::figure::kit::memo::is_exporting;

/// Lines of fewer points are drawn as they are.
const MANY: usize = 50;
/// How far the line may pass from a point that is left out, in points of the screen: usually, and where there are very
/// many curves.
const TOLERANCE: [f64; 2] = [0.35, 1.0];
/// Distance in x from a kept point, in points of the screen, beyond which no points are left out: the pointer finds
/// only the values of kept points.
const APART: f64 = 4.0;

/// Width in points of the screen of the columns in which very many curves keep their lowest and highest point alone.
const COLUMN: f64 = 3.0;

/// `APART`, `TOLERANCE` and `COLUMN` in units of the axes.
#[derive(Clone, Copy, Debug)]
pub(in crate::figure) struct Thin {
    apart: f64,
    tolerance: f64,
    column: f64,
}

impl Thin {
    /// The tolerance in a chart with these bounds; `None` where an image is made, which may be looked at more closely.
    pub(in crate::figure) fn new(
        ctx: &Context,
        rect: Rect,
        bounds: &PlotBounds,
        are_many: bool,
    ) -> Option<Self> {
        (!is_exporting(ctx) && rect.is_positive()).then(|| Self {
            apart: APART * bounds.width() / f64::from(rect.width()),
            column: COLUMN * bounds.width() / f64::from(rect.width()),
            tolerance: TOLERANCE[usize::from(are_many)] * bounds.height()
                / f64::from(rect.height()),
        })
    }

    /// As [`Self::kept`], for one of very many curves, whose noise within a column cannot be followed: its ends and its
    /// lowest and highest point in every column are kept, so that no extreme is lost.
    pub(in crate::figure) fn kept_of_many(self, points: &[PlotPoint]) -> Option<Vec<PlotPoint>> {
        if points.len() < MANY {
            return None;
        }
        let (first, last) = (*points.first()?, *points.last()?);
        let column = |point: &PlotPoint| (point.x / self.column).floor() as i64;
        let mut kept = vec![first];
        for points in points.chunk_by(|a, b| column(a) == column(b)) {
            let by_height = |a: &&PlotPoint, b: &&PlotPoint| a.y.total_cmp(&b.y);
            let (Some(low), Some(high)) = (
                points.iter().min_by(by_height),
                points.iter().max_by(by_height),
            ) else {
                continue;
            };
            let (early, late) = if low.x <= high.x {
                (low, high)
            } else {
                (high, low)
            };
            kept.extend([*early, *late]);
        }
        kept.push(last);
        kept.dedup();
        let fewer = self.kept(&kept);
        fewer.or_else(|| (kept.len() < points.len()).then_some(kept))
    }

    /// The points that are kept, in order; `None` where all points are kept. x must not decrease.
    ///
    /// The next point that is kept is the last one to which a straight line passes all points in between within the
    /// tolerance (the "swinging door" of process data; Bristol 1990), but none further than `APART` where there are
    /// points before it.
    pub(in crate::figure) fn kept(self, points: &[PlotPoint]) -> Option<Vec<PlotPoint>> {
        if points.len() < MANY {
            return None;
        }
        let mut kept = vec![*points.first()?];
        let mut from = *points.first()?;
        let mut open = (f64::NEG_INFINITY, f64::INFINITY);
        for [point, next] in points.array_windows() {
            let (width, height) = (point.x - from.x, point.y - from.y);
            let tolerance = self.tolerance;
            if width > 0.0 {
                let (low, high) = ((height - tolerance) / width, (height + tolerance) / width);
                open = (open.0.max(low), open.1.min(high));
            } else if height.abs() > tolerance {
                // No line passes two points that lie above each other.
                open = (f64::INFINITY, f64::NEG_INFINITY);
            }
            let slope = (next.y - from.y) / (next.x - from.x);
            // Between two equal points the slope is NaN: the comparisons fail, and the line counts as not straight.
            let is_straight = open.0 <= slope && slope <= open.1;
            if !is_straight || next.x - from.x > self.apart {
                if *point != from {
                    kept.push(*point);
                }
                from = *point;
                open = (f64::NEG_INFINITY, f64::INFINITY);
            }
        }
        kept.extend(points.last());
        (kept.len() < points.len()).then_some(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THIN: Thin = Thin {
        apart: APART,
        tolerance: TOLERANCE[0],
        column: COLUMN,
    };

    /// The largest vertical distance of points from a line.
    fn farthest(line: &[PlotPoint], points: &[PlotPoint]) -> f64 {
        let off = |point: &PlotPoint| {
            let at = line.partition_point(|kept| kept.x < point.x).max(1);
            let (a, b) = (line[at - 1], line[at]);
            let y = a.y + (b.y - a.y) * (point.x - a.x) / (b.x - a.x);
            (y - point.y).abs()
        };
        points.iter().map(off).fold(0.0, f64::max)
    }

    #[test]
    fn a_thinned_line_passes_all_points() {
        let curve = |at: usize, noise: f64| {
            let x = at as f64 * 0.37;
            let noisy = noise * ((at * 7919 % 101) as f64 / 101.0 - 0.5);
            PlotPoint::new(x, 60.0 * (-x / 70.0).exp() + noisy)
        };
        for (noise, most) in [(0.0, 60), (0.5, 120), (3.0, 500)] {
            let points: Vec<_> = (0..500).map(|at| curve(at, noise)).collect();
            let kept = THIN.kept(&points).unwrap_or_else(|| points.clone());
            let off = farthest(&kept, &points);
            assert!(off <= THIN.tolerance + 1e-9, "{noise}: {off}");
            assert!(kept.len() <= most, "{noise}: {}", kept.len());
            let gaps = kept.array_windows().map(|[a, b]| b.x - a.x);
            assert!(
                gaps.fold(0.0, f64::max) <= APART + 1e-9,
                "values can be pointed at"
            );
            assert_eq!([kept.first(), kept.last()], [points.first(), points.last()]);
        }
    }

    /// Of very many curves there are at most two points in a column, the lowest and the highest of each among them.
    #[test]
    fn very_many_curves_keep_their_extremes() {
        let point = |at: usize| {
            let noise = (at * 7919 % 101) as f64 / 101.0;
            PlotPoint::new(0.3 * at as f64, 40.0 * noise)
        };
        let points: Vec<_> = (0..1000).map(point).collect();
        let kept = THIN.kept_of_many(&points).unwrap();
        assert!(kept.len() <= 2 * 101 + 2, "{}", kept.len());
        assert!(kept.is_sorted_by(|a, b| a.x <= b.x));
        assert_eq!([kept.first(), kept.last()], [points.first(), points.last()]);
        for column in points.chunk_by(|a, b| (a.x / COLUMN).floor() == (b.x / COLUMN).floor()) {
            let (from, to) = (column[0].x, column[column.len() - 1].x);
            let near = kept.iter().filter(|point| point.x >= from && point.x <= to);
            let near: Vec<f64> = near.map(|point| point.y).collect();
            let highest = column.iter().map(|point| point.y).fold(0.0, f64::max);
            assert!(near.iter().any(|y| highest - y <= THIN.tolerance));
        }
        assert!(THIN.kept_of_many(&points[..40]).is_none());
    }

    #[test]
    fn peaks_and_points_above_each_other_stay() {
        let mut points: Vec<_> = (0..100)
            .map(|x| PlotPoint::new(0.1 * f64::from(x), 0.0))
            .collect();
        points[50].y = 9.0;
        let above = PlotPoint::new(points[70].x, 5.0);
        points.insert(71, above);
        let kept = THIN.kept(&points).unwrap();
        assert!(kept.contains(&points[50]) && kept.contains(&above));
        assert!(kept.len() < 20, "{}", kept.len());
        assert!(
            THIN.kept(&points[..40]).is_none(),
            "few are drawn as they are"
        );
    }
}
