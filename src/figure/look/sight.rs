//! Which part of a square of classes is in sight.

use egui::Vec2;
use serde::{Deserialize, Serialize};

/// Fewer cells than this are never zoomed to.
pub(in crate::figure) const LEAST_SEEN: usize = 4;

/// The part of a square of classes that is in sight, in places of the order of classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sight {
    /// First row.
    pub row: usize,
    /// First column.
    pub column: usize,
    /// Number of rows, and of columns.
    pub count: usize,
}

impl Sight {
    /// All of `k` classes.
    pub(in crate::figure) fn all(k: usize) -> Self {
        Self {
            row: 0,
            column: 0,
            count: k,
        }
    }

    /// Moved and cut so that it lies within `k` classes.
    pub(in crate::figure) fn within(self, k: usize) -> Self {
        let count = self.count.clamp(LEAST_SEEN.min(k), k);
        Self {
            row: self.row.min(k - count),
            column: self.column.min(k - count),
            count,
        }
    }

    /// Zoomed by `factor` (> 1 shows fewer classes) around a point, given in shares of what is in sight.
    pub(in crate::figure) fn zoomed(self, factor: f32, at: Vec2, k: usize) -> Self {
        let count = (self.count as f32 / factor).round();
        // Every step of the wheel adds or removes a class, however few classes are in sight.
        let least = self.count as f32 + if factor > 1.0 { -1.0 } else { 1.0 };
        let count = if factor > 1.0 {
            count.min(least)
        } else {
            count.max(least)
        };
        let count = count.clamp(LEAST_SEEN.min(k) as f32, k as f32);
        let start = |first: usize, share: f32| {
            let fixed = first as f32 + share * self.count as f32;
            (fixed - share * count).round().max(0.0) as usize
        };
        Self {
            row: start(self.row, at.y),
            column: start(self.column, at.x),
            count: count as usize,
        }
        .within(k)
    }

    /// Moved by as little as brings a row and a column, by their places, into sight.
    pub(crate) fn showing(self, row: usize, column: usize, k: usize) -> Self {
        let into = |first: usize, place: usize| {
            let least = (place + 1).saturating_sub(self.count);
            first.clamp(least, place.max(least))
        };
        Self {
            row: into(self.row, row),
            column: into(self.column, column),
            count: self.count,
        }
        .within(k)
    }
}

#[cfg(test)]
mod tests {
    use egui::vec2;

    use super::*;

    const ALL: Sight = Sight {
        row: 0,
        column: 0,
        count: 100,
    };

    /// The point under the pointer stays where it is.
    #[test]
    fn zoom_keeps_the_point_under_the_pointer() {
        let at = vec2(0.25, 0.75);
        let near = ALL.zoomed(2.0, at, 100);
        assert_eq!((near.row, near.column, near.count), (38, 13, 50));
        let back = near.zoomed(0.5, at, 100);
        assert_eq!(back, ALL);
        // A small turn of the wheel shows one class less, or one more.
        assert_eq!(ALL.zoomed(1.001, at, 100).count, 99);
        assert_eq!(near.zoomed(0.999, at, 100).count, 51);
        let closest = (0..50).fold(ALL, |sight, _| sight.zoomed(2.0, at, 100));
        assert_eq!(closest.count, LEAST_SEEN);
        assert_eq!(Sight::all(3).zoomed(2.0, at, 3), Sight::all(3));
        assert_eq!(Sight::all(0).within(0), Sight::all(0));
    }

    #[test]
    fn a_cell_that_is_sought_comes_into_sight() {
        let sight = Sight {
            row: 10,
            column: 10,
            count: 20,
        };
        assert_eq!(sight.showing(15, 29, 100), sight);
        let moved = sight.showing(5, 40, 100);
        assert_eq!((moved.row, moved.column, moved.count), (5, 21, 20));
    }
}
