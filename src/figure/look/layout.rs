//! The places of the figures on a page, in the window and where a page is exported as one figure.

use egui::Rect;

use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;

/// Space between two figures, in points.
pub(crate) const GAP: f32 = 8.0;
/// Height of the card that holds the network map, in points.
const MAP_HEIGHT: f32 = 150.0;
/// A column of at least this width, in points, has two figures beside each other.
const MEDIUM: f32 = 700.0;
/// A column of the overview of at least this width, in points, has three figures beside each other.
const WIDE: f32 = 900.0;
/// Least heights, in points and without the map, of an overview with two or with three figures beside each other: curves
/// need room to be read. A lower overview scrolls.
const MEDIUM_MIN_HEIGHT: f32 = 800.0;
const WIDE_MIN_HEIGHT: f32 = 660.0;

/// Height of the figures of a page on paper, in their width: with a caption below, they fill a page.
const TALLEST: f32 = 1.3;

/// Height of a column's title, in points.
pub(crate) const TITLE_HEIGHT: f32 = 24.0;

impl Page {
    /// The figures of a page in columns from left to right, each with its share of the height. The overview and the
    /// page of gates have layouts of their own.
    fn columns(self) -> [Vec<(Kind, f32)>; 2] {
        match self {
            Self::Conflicts => {
                let right = vec![
                    (Kind::ConflictMatrix, 0.39),
                    (Kind::RareConflicts, 0.17),
                    (Kind::PairCosine, 0.24),
                    (Kind::PairDepth, 0.2),
                ];
                let left = vec![
                    (Kind::Architecture, 0.11),
                    (Kind::DepthTime, 0.25),
                    (Kind::Layer, 0.17),
                    (Kind::DepthProfile, 0.16),
                    (Kind::ThirdsTime, 0.16),
                    (Kind::ConflictTime, 0.15),
                ];
                [left, right]
            }
            Self::Class => [
                vec![
                    (Kind::Ledger, 0.4),
                    (Kind::LedgerTime, 0.3),
                    (Kind::LedgerDepth, 0.3),
                ],
                vec![
                    (Kind::WhatIf, 0.42),
                    (Kind::Verified, 0.32),
                    (Kind::PairCosine, 0.26),
                ],
            ],
            Self::Mistakes => [
                vec![(Kind::Confusion, 0.55), (Kind::ClassScores, 0.45)],
                vec![
                    (Kind::ConflictMatrix, 0.55),
                    (Kind::ConflictConfusion, 0.45),
                ],
            ],
            Self::Compare => [
                vec![(Kind::ClassDifference, 0.4), (Kind::PairDifference, 0.6)],
                vec![
                    (Kind::LayerDifference, 0.4),
                    (Kind::GroupScores, 0.3),
                    (Kind::GroupConflict, 0.3),
                ],
            ],
            Self::Overview | Self::Gates => [vec![], vec![]],
        }
    }

    /// Height in points that the figures need in a column of this width, of which `seen` points are seen without
    /// scrolling.
    pub(crate) fn least_height(self, width: f32, seen: f32) -> f32 {
        if self == Self::Gates {
            let rows = if width >= MEDIUM { 1.0 } else { 3.0 };
            return GATES_HEIGHT + rows * (self.least_row() + GAP);
        }
        if self != Self::Overview {
            let columns = self.columns().map(|column| column.len());
            let rows = if width >= MEDIUM {
                columns.into_iter().max().unwrap_or(0)
            } else {
                columns.into_iter().sum()
            };
            return rows as f32 * self.least_row();
        }
        if width >= WIDE {
            MAP_HEIGHT + GAP + WIDE_MIN_HEIGHT
        } else if width >= MEDIUM {
            MAP_HEIGHT + GAP + MEDIUM_MIN_HEIGHT
        } else {
            let rows = narrow_rows(width, seen);
            rows.iter().map(|(_, height)| height + GAP).sum()
        }
    }

    /// Height in points of the page as one figure of this width: that of the window or, in two columns, at most so much
    /// that a page of paper has room for it.
    pub(in crate::figure) fn height_on_paper(self, width: f32) -> f32 {
        let least = self.least_height(width, WIDE_MIN_HEIGHT);
        if width < MEDIUM {
            return least;
        }
        least.min(TALLEST * width)
    }

    /// Least height of a row of figures on pages other than the overview, in points and on average.
    fn least_row(self) -> f32 {
        match self {
            // The figures of the pair hold three charts, one above the other.
            Self::Conflicts => 260.0,
            Self::Overview | Self::Class | Self::Mistakes | Self::Gates | Self::Compare => 250.0,
        }
    }

    /// The places of the figures in a column, of which `seen` points are seen without scrolling.
    pub(crate) fn cards(self, rect: Rect, seen: f32) -> Vec<(Kind, Rect)> {
        if self == Self::Gates {
            return gates(rect);
        }
        if self != Self::Overview {
            return in_columns(rect, self.columns());
        }
        if rect.width() >= WIDE {
            wide(rect)
        } else if rect.width() >= MEDIUM {
            medium(rect)
        } else {
            narrow(rect, seen)
        }
    }
}

/// Least height of the figure with the gates of all classes, in points.
const GATES_HEIGHT: f32 = 290.0;

/// Places the gates of all classes on top, and the figures that follow from them below, beside each other if there is
/// room.
fn gates(rect: Rect) -> Vec<(Kind, Rect)> {
    let below = [Kind::GateDistance, Kind::GatesTime, Kind::GatesAlike];
    if rect.width() < MEDIUM {
        let shares = below.map(|kind| (kind, 0.23));
        return stacked(rect, &[&[(Kind::Gates, 0.31)], &shares[..]].concat());
    }
    let (top, mut rest) = split_y(rect, 0.55 * (rect.height() - GAP));
    let mut cards = vec![(Kind::Gates, top)];
    let width = (rest.width() - 2.0 * GAP) / 3.0;
    for kind in below {
        let (card, right) = split_x(rest, width);
        cards.push((kind, card));
        rest = right;
    }
    cards
}

/// Places the figures in two columns, or in one column if two would be too narrow.
fn in_columns(rect: Rect, [left, right]: [Vec<(Kind, f32)>; 2]) -> Vec<(Kind, Rect)> {
    if right.is_empty() {
        return stacked(rect, &left);
    }
    if rect.width() < MEDIUM {
        // The figures come row by row, since the most important figure of either column is its first.
        let rows = left.len().max(right.len());
        let row = |i: usize| left.get(i).into_iter().chain(right.get(i));
        let all = (0..rows).flat_map(row);
        let all: Vec<_> = all.map(|&(kind, share)| (kind, share / 2.0)).collect();
        return stacked(rect, &all);
    }
    let (a, b) = split_x(rect, (rect.width() - GAP) / 2.0);
    let mut cards = stacked(a, &left);
    cards.extend(stacked(b, &right));
    cards
}

/// Places figures one below the other; their shares of the height add up to 1.
fn stacked(mut rect: Rect, figures: &[(Kind, f32)]) -> Vec<(Kind, Rect)> {
    let free = rect.height() - GAP * (figures.len().max(1) - 1) as f32;
    let place = |(kind, share): &(Kind, f32)| {
        let (card, rest) = split_y(rect, share * free);
        rect = rest;
        (*kind, card)
    };
    figures.iter().map(place).collect()
}

/// Places the map on top, curves below it on the left, and the matrix and the selected pair on the right.
fn wide(rect: Rect) -> Vec<(Kind, Rect)> {
    let (map, rest) = split_y(rect, MAP_HEIGHT);
    let matrix_width = (0.46 * rest.width()).min(0.78 * rest.height());
    let (left, right) = split_x(rest, rest.width() - matrix_width - GAP);
    let (top, below) = split_y(left, 0.35 * left.height());
    let (upper, lower) = split_y(below, 0.5 * (below.height() - GAP));
    let half = 0.5 * (left.width() - GAP);
    let (f1, ratio) = split_x(top, half);
    let ((norms, depth), (scores, loss)) = (split_x(upper, half), split_x(lower, half));
    let (matrix, pair) = split_y(right, 0.67 * right.height());
    vec![
        (Kind::Architecture, map),
        (Kind::ClassF1, f1),
        (Kind::GradientRatio, ratio),
        (Kind::GradNorms, norms),
        (Kind::DepthProfile, depth),
        (Kind::Scores, scores),
        (Kind::Loss, loss),
        (Kind::ConflictMatrix, matrix),
        (Kind::PairCosine, pair),
    ]
}

/// Places the map on top, and below it two columns: one of five curves, and one of the matrix and two curves.
fn medium(rect: Rect) -> Vec<(Kind, Rect)> {
    let (map, rest) = split_y(rect, MAP_HEIGHT);
    let (left, right) = split_x(rest, 0.5 * (rest.width() - GAP));
    let rows = rest.height() - 4.0 * GAP;
    let (first, row) = (0.24 * rows, 0.19 * rows);
    let (f1, left) = split_y(left, first);
    let (ratio, left) = split_y(left, row);
    let (norms, left) = split_y(left, row);
    let (scores, loss) = split_y(left, row);
    let (matrix, right) = split_y(right, first + GAP + row);
    let (depth, pair) = split_y(right, 0.5 * (right.height() - GAP));
    vec![
        (Kind::Architecture, map),
        (Kind::ClassF1, f1),
        (Kind::GradientRatio, ratio),
        (Kind::GradNorms, norms),
        (Kind::Scores, scores),
        (Kind::Loss, loss),
        (Kind::ConflictMatrix, matrix),
        (Kind::DepthProfile, depth),
        (Kind::PairCosine, pair),
    ]
}

/// Height of a row of charts in the overview of two runs, in points.
const CHARTS: f32 = 216.0;
/// Greatest height of the row of matrices in the overview of two runs, in points.
const MATRICES: f32 = 460.0;

/// The rows of the overview of two runs in a column of this width: their figures, each of the first (0) or the second
/// run, and their heights. The map and the charts have both runs; the three matrices are the first run's, the second's
/// and their difference.
fn rows_of_two(width: f32) -> Vec<(Vec<(Kind, usize)>, f32)> {
    let charts = [
        Kind::ClassF1,
        Kind::GradNorms,
        Kind::DepthProfile,
        Kind::PairCosine,
        Kind::Scores,
        Kind::Loss,
        Kind::GradientRatio,
    ];
    let matrices = [
        (Kind::ConflictMatrix, 0),
        (Kind::ConflictMatrix, 1),
        (Kind::ConflictDifference, 1),
    ];
    let beside = if width >= WIDE {
        4
    } else if width >= 620.0 {
        2
    } else {
        1
    };
    let mut charts = charts.chunks(beside).map(|kinds| {
        let row = kinds.iter().map(|&kind| (kind, 0)).collect();
        (row, CHARTS)
    });
    let mut rows = vec![(vec![(Kind::Architecture, 0)], MAP_HEIGHT)];
    rows.extend(charts.next());
    if beside == 4 {
        let height = (width / 3.0).min(MATRICES);
        rows.push((matrices.to_vec(), height));
    } else if beside == 2 {
        rows.push((matrices[..2].to_vec(), (width / 2.0 + 40.0).min(MATRICES)));
        rows.push((matrices[2..].to_vec(), MATRICES.min(width)));
    } else {
        rows.extend(matrices.map(|matrix| (vec![matrix], MATRICES.min(width + 40.0))));
    }
    rows.extend(charts);
    rows
}

/// Height in points of the overview of two runs in a column of this width.
pub(crate) fn height_of_two(width: f32) -> f32 {
    let rows = rows_of_two(width);
    rows.iter().map(|(_, height)| height + GAP).sum::<f32>() - GAP
}

/// The places of the figures in the overview of two runs, each of the first (0) or the second run.
pub(crate) fn cards_of_two(rect: Rect) -> Vec<(Kind, usize, Rect)> {
    let mut cards = Vec::new();
    let mut rest = rect;
    for (row, height) in rows_of_two(rect.width()) {
        let (mut line, below) = split_y(rest, height);
        rest = below;
        let width = (line.width() + GAP) / row.len() as f32 - GAP;
        for (kind, run) in row {
            let (card, right) = split_x(line, width);
            cards.push((kind, run, card));
            line = right;
        }
    }
    cards
}

/// All figures of a narrow column of the overview with their heights, in points. The map, the F1 curves and the matrix
/// fill the height that is seen without scrolling.
fn narrow_rows(width: f32, view_height: f32) -> [(Kind, f32); 9] {
    let map = 136.0;
    let seen = view_height - TITLE_HEIGHT - map - 2.0 * GAP;
    let f1 = (0.4 * seen).clamp(216.0, 320.0);
    let matrix = (seen - f1).clamp(300.0, 0.9 * width.max(340.0));
    [
        (Kind::Architecture, map),
        (Kind::ClassF1, f1),
        (Kind::ConflictMatrix, matrix),
        (Kind::GradientRatio, 220.0),
        (Kind::PairCosine, 210.0),
        (Kind::GradNorms, 240.0),
        (Kind::DepthProfile, 240.0),
        (Kind::Scores, 220.0),
        (Kind::Loss, 220.0),
    ]
}

/// Places all figures of the overview one below the other.
fn narrow(rect: Rect, view_height: f32) -> Vec<(Kind, Rect)> {
    let mut rest = rect;
    let place = |(kind, height)| {
        let (row, below) = split_y(rest, height);
        rest = below;
        (kind, row)
    };
    narrow_rows(rect.width(), view_height)
        .into_iter()
        .map(place)
        .collect()
}

/// Divides a rectangle into its upper `height` points and the rest below a gap.
fn split_y(rect: Rect, height: f32) -> (Rect, Rect) {
    let cut = rect.top() + height;
    (rect.with_max_y(cut), rect.with_min_y(cut + GAP))
}

/// Divides a rectangle into its left `width` points and the rest to the right of a gap.
fn split_x(rect: Rect, width: f32) -> (Rect, Rect) {
    let cut = rect.left() + width;
    (rect.with_max_x(cut), rect.with_min_x(cut + GAP))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::pages::OVERVIEW_OF_TWO;

    /// The command line exports a page by its name, without a window, so that it has a list of figures of its own.
    #[test]
    fn pages_show_the_figures_that_the_command_line_knows() {
        let sorted = |mut kinds: Vec<Kind>| {
            kinds.sort_by_key(|kind| kind.name());
            kinds
        };
        for &page in Page::ALL {
            let known = page.figures();
            for width in [0.5 * MEDIUM, MEDIUM, WIDE] {
                let rect = Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(width, WIDE));
                let cards = page.cards(rect, WIDE).into_iter();
                // The table of measures is no card, so that the layout does not place it.
                let measures = known.contains(&Kind::Measures).then_some(Kind::Measures);
                let shown = sorted(cards.map(|(kind, _)| kind).chain(measures).collect());
                assert_eq!(shown, sorted(known.to_vec()), "{page:?}, {width} points");
            }
        }
    }

    /// The overview of two runs has the figures that the command line exports of them.
    #[test]
    fn the_overview_of_two_runs_shows_the_figures_that_the_command_line_knows() {
        let sorted = |mut kinds: Vec<Kind>| {
            kinds.sort_by_key(|kind| kind.name());
            kinds
        };
        for width in [500.0, 800.0, 1400.0] {
            let rect =
                Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(width, height_of_two(width)));
            let cards = cards_of_two(rect);
            for (run, known) in OVERVIEW_OF_TWO.iter().enumerate() {
                let own = cards.iter().filter(|(_, of, _)| *of == run);
                let own = own.map(|(kind, ..)| *kind).collect();
                assert_eq!(sorted(own), sorted(known.to_vec()), "{width} points");
            }
            let bottom = cards.iter().map(|(.., card)| card.bottom());
            assert!((bottom.fold(0.0, f32::max) - rect.bottom()).abs() < 0.5);
            let overlap = |a: &Rect, b: &Rect| a.intersect(*b).is_positive();
            for (i, (.., card)) in cards.iter().enumerate() {
                assert!(rect.expand(0.5).contains_rect(*card));
                assert!(!cards[..i].iter().any(|(.., other)| overlap(card, other)));
            }
        }
    }
}
