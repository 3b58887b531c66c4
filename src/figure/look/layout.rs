//! The places of the figures on a page, in the window and where a page is exported as one figure.

use egui::{Rect, Vec2, pos2};

use crate::figure::look::kind::Kind;
use crate::figure::look::pages::{Page, of_two};

/// Space between two figures, in points.
pub(crate) const GAP: f32 = 8.0;
/// Height of a column's title, in points.
pub(crate) const TITLE_HEIGHT: f32 = 24.0;
/// Height of the card that holds the network map, in points.
const MAP: f32 = 150.0;
/// A page of at least this width, in points, has two figures beside each other.
const MEDIUM: f32 = 700.0;
/// A page of at least this width, in points, has three or four figures beside each other.
const WIDE: f32 = 900.0;
/// Least height, in points, of the figures below the map in an overview of three beside each other: curves need room to
/// be read.
const BELOW_MAP: f32 = 660.0;
/// Height of a row of charts, in points.
const CHARTS: f32 = 216.0;
/// Greatest height of a row of matrices, in points.
const MATRICES: f32 = 460.0;
/// Greatest height of a row of layers by moments, in points.
const MAPS: f32 = 300.0;
/// Height of the row that stays in view below the page of conflicts, in points.
const DOCK: f32 = 204.0;
/// Height seen, in points, from which a row stays in view below the page of conflicts.
const DOCKED_FROM: f32 = 600.0;
/// Height of the figures of a page on paper, in their width: with a caption below, they fill a page.
const TALLEST: f32 = 1.3;

/// A figure of the first (0) or the second (1) of two runs, and its place.
pub(crate) type Card = (Kind, usize, Rect);

/// A page, or a part of it: a figure, or parts beside or below each other.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Figure {
        kind: Kind,
        /// The run that the figure is of: the first (0) or the second (1).
        run: usize,
        /// Least height in points.
        least: f32,
        /// Whether the figure takes a share of the room that is left.
        grows: bool,
    },
    /// Parts beside each other, each with its share of the width.
    Beside(Vec<(f32, Part)>),
    /// Parts below each other.
    Below(Vec<Part>),
}

/// A figure of the first run.
fn figure(kind: Kind, least: f32) -> Part {
    of_run(0, kind, least)
}

fn of_run(run: usize, kind: Kind, least: f32) -> Part {
    Part::Figure {
        kind,
        run,
        least,
        grows: true,
    }
}

/// The network map, which is as high as its blocks are.
fn map(least: f32) -> Part {
    Part::Figure {
        kind: Kind::Architecture,
        run: 0,
        least,
        grows: false,
    }
}

/// Figures of equal width and height.
fn row(figures: impl IntoIterator<Item = (usize, Kind)>, least: f32) -> Part {
    let figures = figures.into_iter();
    let part = |(run, kind)| (1.0, of_run(run, kind, least));
    Part::Beside(figures.map(part).collect())
}

/// Figures of the first run below each other.
fn column<const N: usize>(figures: [(Kind, f32); N]) -> Part {
    Part::Below(figures.map(|(kind, least)| figure(kind, least)).to_vec())
}

/// Two columns of equal width or, where that is too narrow, one with their figures by turns, since the most important
/// figure of either column is its first.
fn columns<const N: usize, const M: usize>(
    width: f32,
    left: [(Kind, f32); N],
    right: [(Kind, f32); M],
) -> Part {
    if width >= MEDIUM {
        return Part::Beside(vec![(1.0, column(left)), (1.0, column(right))]);
    }
    let by_turns = (0..N.max(M)).flat_map(|i| left.get(i).into_iter().chain(right.get(i)));
    Part::Below(by_turns.map(|&(kind, least)| figure(kind, least)).collect())
}

impl Part {
    /// Least height in points.
    pub(crate) fn least(&self) -> f32 {
        match self {
            Self::Figure { least, .. } => *least,
            Self::Beside(parts) => parts.iter().fold(0.0, |most, (_, x)| most.max(x.least())),
            Self::Below(parts) => {
                let sum: f32 = parts.iter().map(|part| part.least() + GAP).sum();
                (sum - GAP).max(0.0)
            }
        }
    }

    /// Whether a figure has a place.
    pub(crate) fn has(&self, wanted: Kind) -> bool {
        match self {
            Self::Figure { kind, .. } => *kind == wanted,
            Self::Beside(parts) => parts.iter().any(|(_, part)| part.has(wanted)),
            Self::Below(parts) => parts.iter().any(|part| part.has(wanted)),
        }
    }

    fn grows(&self) -> bool {
        match self {
            Self::Figure { grows, .. } => *grows,
            Self::Beside(parts) => parts.iter().any(|(_, part)| part.grows()),
            Self::Below(parts) => parts.iter().any(Self::grows),
        }
    }

    /// The part with those figures alone that have something to show; the others' room goes to their neighbours. `None`
    /// where there is none.
    pub(crate) fn with(self, has: &dyn Fn(Kind, usize) -> bool) -> Option<Self> {
        match self {
            Self::Figure { kind, run, .. } => has(kind, run).then_some(self),
            Self::Beside(parts) => {
                let parts = parts.into_iter();
                let parts = parts.filter_map(|(share, part)| Some((share, part.with(has)?)));
                let parts: Vec<_> = parts.collect();
                (!parts.is_empty()).then_some(Self::Beside(parts))
            }
            Self::Below(parts) => {
                let parts = parts.into_iter().filter_map(|part| part.with(has));
                let parts: Vec<_> = parts.collect();
                (!parts.is_empty()).then_some(Self::Below(parts))
            }
        }
    }

    /// The places of the figures in a rectangle. Room beyond the least height goes to those that grow, in proportion to
    /// their least height; if there is less room, they shrink likewise.
    pub(crate) fn cards(&self, rect: Rect) -> Vec<Card> {
        let mut cards = Vec::new();
        self.place(rect, &mut cards);
        cards
    }

    fn place(&self, rect: Rect, cards: &mut Vec<Card>) {
        match self {
            Self::Figure { kind, run, .. } => cards.push((*kind, *run, rect)),
            Self::Beside(parts) => {
                let shares: f32 = parts.iter().map(|(share, _)| share).sum();
                let room = rect.width() - GAP * (parts.len().max(1) - 1) as f32;
                let mut left = rect.left();
                for (share, part) in parts {
                    let width = room * share / shares;
                    let min = pos2(left, rect.top());
                    let size = Vec2::new(width, rect.height());
                    part.place(Rect::from_min_size(min, size), cards);
                    left += width + GAP;
                }
            }
            Self::Below(parts) => {
                let growing = parts.iter().filter(|part| part.grows());
                let growing: f32 = growing.map(Self::least).sum();
                let more = (rect.height() - self.least()) / growing.max(1.0);
                let mut top = rect.top();
                for part in parts {
                    let stretch = if part.grows() { 1.0 + more } else { 1.0 };
                    let bottom = top + part.least() * stretch;
                    let place = Rect::from_x_y_ranges(rect.x_range(), top..=bottom);
                    part.place(place, cards);
                    top = bottom + GAP;
                }
            }
        }
    }
}

impl Page {
    /// The arrangement of a page for one run in a column of this width, of which `seen` points of height are seen without
    /// scrolling. A row that stays in view, as [`Self::dock`] has it, is left out.
    pub(crate) fn of_one(self, width: f32, seen: f32) -> Part {
        match self {
            Self::Overview if width >= WIDE => wide(width, seen),
            Self::Overview if width >= MEDIUM => medium(),
            Self::Overview => narrow(width, seen),
            Self::Conflicts => self.conflicts(width, seen),
            Self::Class => columns(
                width,
                [
                    (Kind::Ledger, 300.0),
                    (Kind::LedgerTime, 225.0),
                    (Kind::LedgerDepth, 225.0),
                ],
                [
                    (Kind::WhatIf, 315.0),
                    (Kind::Verified, 240.0),
                    (Kind::PairCosine, 195.0),
                ],
            ),
            Self::Mistakes => columns(
                width,
                [(Kind::Confusion, 275.0), (Kind::ClassScores, 225.0)],
                [
                    (Kind::ConflictMatrix, 275.0),
                    (Kind::ConflictConfusion, 225.0),
                ],
            ),
            Self::Gates if width >= MEDIUM => Part::Below(vec![
                figure(Kind::Gates, 290.0),
                row(
                    [Kind::GateDistance, Kind::GatesTime, Kind::GatesAlike].map(|kind| (0, kind)),
                    250.0,
                ),
            ]),
            Self::Gates => column([
                (Kind::Gates, 290.0),
                (Kind::GateDistance, 250.0),
                (Kind::GatesTime, 250.0),
                (Kind::GatesAlike, 250.0),
            ]),
            Self::Compare => columns(
                width,
                [
                    (Kind::ClassDifference, 300.0),
                    (Kind::PairDifference, 450.0),
                ],
                [
                    (Kind::LayerDifference, 300.0),
                    (Kind::GroupScores, 225.0),
                    (Kind::GroupConflict, 225.0),
                ],
            ),
        }
    }

    /// The arrangement of a page on which two runs stand together, as [`Self::of_one`]; `None` for a page on which each
    /// run has a column of its own.
    pub(crate) fn of_both(self, width: f32, seen: f32) -> Option<Part> {
        of_two(self)?;
        let matrices = [
            (0, Kind::ConflictMatrix),
            (1, Kind::ConflictMatrix),
            (1, Kind::ConflictDifference),
        ];
        let beside = if width >= WIDE {
            4
        } else {
            // Two figures of 300 points and more.
            1 + usize::from(width >= 620.0)
        };
        if self == Self::Conflicts {
            return Some(self.conflicts_of_both(matrices, width, seen, beside));
        }
        let charts = [
            Kind::ClassF1,
            Kind::GradNorms,
            Kind::DepthProfile,
            Kind::PairCosine,
            Kind::Scores,
            Kind::Loss,
            Kind::GradientRatio,
        ];
        let mut charts = of_both(&charts, beside);
        let mut rows = vec![map(MAP)];
        rows.extend(charts.next());
        rows.extend(three_beside(matrices, width, beside, MATRICES));
        rows.extend(charts);
        Some(Part::Below(rows))
    }

    /// Layers by moments come first, then the matrices of the cell that is clicked in them: where a row stays in view below
    /// the page, both fill what is seen.
    fn conflicts_of_both(
        self,
        matrices: [(usize, Kind); 3],
        width: f32,
        seen: f32,
        beside: usize,
    ) -> Part {
        let moments = [
            (0, Kind::DepthTime),
            (1, Kind::DepthTime),
            (1, Kind::DepthTimeDifference),
        ];
        let mut charts = vec![Kind::DepthProfile, Kind::ThirdsTime, Kind::ConflictTime];
        let mut lists = vec![Kind::Layer, Kind::RareConflicts];
        let mut heights = [MAPS, MATRICES];
        if let Some(dock) = self.dock(2, width, seen) {
            let left = seen - TITLE_HEIGHT - dock.least() - 2.0 * GAP;
            heights = [
                (0.47 * left).clamp(220.0, MAPS),
                (0.53 * left).clamp(236.0, MATRICES),
            ];
        } else {
            charts.insert(0, Kind::PairCosine);
            lists.insert(0, Kind::Peaks);
        }
        let mut rows = three_beside(moments, width, beside, heights[0]);
        rows.extend(three_beside(matrices, width, beside, heights[1]));
        rows.push(map(MAP));
        rows.extend(of_both(&charts, beside));
        for kind in lists {
            match beside {
                1 => rows.extend([of_run(0, kind, CHARTS), of_run(1, kind, CHARTS)]),
                _ => rows.push(row([(0, kind), (1, kind)], CHARTS)),
            }
        }
        Part::Below(rows)
    }

    fn conflicts(self, width: f32, seen: f32) -> Part {
        if width < MEDIUM {
            let rest = self.figures().iter();
            let rest = rest.filter(|kind| **kind != Kind::Architecture);
            let rest = rest.map(|&kind| figure(kind, 250.0));
            return Part::Below(std::iter::once(map(136.0)).chain(rest).collect());
        }
        let dock = self.dock(1, width, seen);
        let docked = dock.as_ref().map_or(0.0, |dock| dock.least() + GAP);
        let two = |a, b, least| row([(0, a), (0, b)], least);
        let left = seen - TITLE_HEIGHT - MAP - GAP - docked;
        let most = (0.5 * width).max(300.0);
        let first = two(
            Kind::DepthTime,
            Kind::ConflictMatrix,
            left.clamp(300.0, most),
        );
        let mut rows = vec![map(MAP), first];
        let is_docked = |kind| dock.as_ref().is_some_and(|dock| dock.has(kind));
        if !is_docked(Kind::Peaks) {
            rows.push(two(Kind::PairCosine, Kind::Peaks, CHARTS));
        }
        if is_docked(Kind::Layer) {
            rows.push(two(Kind::RareConflicts, Kind::DepthProfile, 230.0));
            rows.push(two(Kind::ThirdsTime, Kind::ConflictTime, CHARTS));
        } else {
            rows.push(two(Kind::Layer, Kind::RareConflicts, 230.0));
            let charts = [Kind::DepthProfile, Kind::ThirdsTime, Kind::ConflictTime];
            rows.push(row(charts.map(|kind| (0, kind)), CHARTS));
        }
        Part::Below(rows)
    }

    /// The row that stays in view below the page, of `runs` runs: what is selected, while the reader scrolls through the
    /// places where it can be selected. `None` on other pages, and where there is no room for it.
    pub(crate) fn dock(self, runs: usize, width: f32, seen: f32) -> Option<Part> {
        if self != Self::Conflicts || width < MEDIUM || seen < DOCKED_FROM {
            return None;
        }
        let mut figures = vec![(0, Kind::PairCosine), (0, Kind::Peaks)];
        match runs {
            1 if width >= WIDE => figures.push((0, Kind::Layer)),
            1 => {}
            _ => figures.push((1, Kind::Peaks)),
        }
        Some(row(figures, DOCK))
    }

    /// The arrangement of the page of one run in this width on paper, where nothing stays in view.
    pub(in crate::figure) fn on_paper(self, width: f32) -> Part {
        self.of_one(width, DOCKED_FROM - 1.0)
    }

    /// The arrangement of two runs together in this width on paper.
    pub(in crate::figure) fn both_on_paper(self, width: f32) -> Option<Part> {
        self.of_both(width, DOCKED_FROM - 1.0)
    }
}

/// Height of an arrangement as one figure of this width: what it needs in the window or, in two columns, at most so much
/// that a page of paper has room for it.
pub(in crate::figure) fn height_on_paper(part: &Part, width: f32) -> f32 {
    let least = part.least();
    if width < MEDIUM {
        return least;
    }
    least.min(TALLEST * width)
}

/// Rows of charts of both runs, so many beside each other.
fn of_both(charts: &[Kind], beside: usize) -> impl Iterator<Item = Part> {
    charts.chunks(beside).map(|kinds| {
        let of_both = kinds.iter().map(|&kind| (0, kind));
        row(of_both, CHARTS)
    })
}

/// Three figures of at most this height, of which the last compares the others: beside each other, or the last below.
fn three_beside(
    [first, second, third]: [(usize, Kind); 3],
    width: f32,
    beside: usize,
    most: f32,
) -> Vec<Part> {
    let one = |(run, kind), least: f32| of_run(run, kind, least.min(most));
    match beside {
        1 => [first, second, third]
            .map(|x| one(x, width + 40.0))
            .to_vec(),
        2 => vec![
            row([first, second], (width / 2.0 + 40.0).min(most)),
            one(third, width),
        ],
        _ => vec![row([first, second, third], (width / 3.0).min(most))],
    }
}

/// The map on top, curves below it on the left, and the matrix and the selected pair on the right.
fn wide(width: f32, seen: f32) -> Part {
    let height = (seen - MAP - GAP).max(BELOW_MAP);
    let matrix = (0.46 * width).min(0.78 * height);
    let two = |kinds: [Kind; 2], least| row(kinds.map(|kind| (0, kind)), least);
    let rows = BELOW_MAP - 2.0 * GAP;
    let left = Part::Below(vec![
        two([Kind::ClassF1, Kind::GradientRatio], 0.35 * rows),
        two([Kind::GradNorms, Kind::DepthProfile], 0.325 * rows),
        two([Kind::Scores, Kind::Loss], 0.325 * rows),
    ]);
    let rows = BELOW_MAP - GAP;
    let right = column([
        (Kind::ConflictMatrix, 0.67 * rows),
        (Kind::PairCosine, 0.33 * rows),
    ]);
    let below = Part::Beside(vec![(width - matrix - GAP, left), (matrix, right)]);
    Part::Below(vec![map(MAP), below])
}

/// The map on top, and below it two columns: one of five curves, and one of the matrix and two curves.
fn medium() -> Part {
    let left = column([
        (Kind::ClassF1, 184.0),
        (Kind::GradientRatio, 146.0),
        (Kind::GradNorms, 146.0),
        (Kind::Scores, 146.0),
        (Kind::Loss, 146.0),
    ]);
    let right = column([
        (Kind::ConflictMatrix, 338.0),
        (Kind::DepthProfile, 227.0),
        (Kind::PairCosine, 227.0),
    ]);
    Part::Below(vec![
        map(MAP),
        Part::Beside(vec![(1.0, left), (1.0, right)]),
    ])
}

/// All figures of the overview one below the other. The map, the F1 curves and the matrix fill the height that is seen
/// without scrolling.
fn narrow(width: f32, seen: f32) -> Part {
    let map_height = 136.0;
    let seen = seen - TITLE_HEIGHT - map_height - 2.0 * GAP;
    let f1 = (0.4 * seen).clamp(216.0, 320.0);
    let matrix = (seen - f1).clamp(300.0, 0.9 * width.max(340.0));
    let figures = [
        (Kind::ClassF1, f1),
        (Kind::ConflictMatrix, matrix),
        (Kind::GradientRatio, 220.0),
        (Kind::PairCosine, 210.0),
        (Kind::GradNorms, 240.0),
        (Kind::DepthProfile, 240.0),
        (Kind::Scores, 220.0),
        (Kind::Loss, 220.0),
    ];
    Part::Below(vec![map(map_height), column(figures)])
}

#[cfg(test)]
mod tests;
