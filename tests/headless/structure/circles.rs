//! Circles in a graph of arrows: Tarjan's strongly connected components, and the shortest circle within a component.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A graph of arrows: a map from each point to the points to which its arrows lead.
pub(super) type Arrows = BTreeMap<usize, BTreeSet<usize>>;

/// The strongly connected components of more than one point: sets of points from each of which every other point of the
/// set is reached, each in ascending order. Tarjan, Depth-first search and linear graph algorithms, SIAM J. Comput. 1,
/// 1972.
pub(super) fn components(arrows: &Arrows) -> Vec<Vec<usize>> {
    let mut search = Search {
        arrows,
        order: BTreeMap::new(),
        lowest: BTreeMap::new(),
        stack: Vec::new(),
        found: Vec::new(),
    };
    for point in arrows.keys() {
        if !search.order.contains_key(point) {
            search.visit(*point);
        }
    }
    search.found.sort();
    search.found
}

struct Search<'a> {
    arrows: &'a Arrows,
    /// The order in which the points were first seen.
    order: BTreeMap<usize, usize>,
    /// For each point, the place in that order of the earliest point on the stack that it reaches.
    lowest: BTreeMap<usize, usize>,
    stack: Vec<usize>,
    found: Vec<Vec<usize>>,
}

impl Search<'_> {
    fn visit(&mut self, point: usize) {
        let order = self.order.len();
        self.order.insert(point, order);
        self.lowest.insert(point, order);
        self.stack.push(point);
        for next in self.arrows.get(&point).into_iter().flatten() {
            let reached = if !self.order.contains_key(next) {
                self.visit(*next);
                self.lowest[next]
            } else if self.stack.contains(next) {
                self.order[next]
            } else {
                continue;
            };
            let lowest = self.lowest[&point].min(reached);
            self.lowest.insert(point, lowest);
        }
        if self.lowest[&point] == order {
            let mut component = Vec::new();
            while let Some(member) = self.stack.pop() {
                component.push(member);
                if member == point {
                    break;
                }
            }
            if component.len() > 1 {
                component.sort_unstable();
                self.found.push(component);
            }
        }
    }
}

/// The shortest circle within a component; its first point is not repeated at its end.
pub(super) fn way_round(arrows: &Arrows, component: &[usize]) -> Vec<usize> {
    let rounds = component.iter().filter_map(|start| round(arrows, *start));
    rounds.min_by_key(Vec::len).unwrap_or_default()
}

/// The shortest way from a point back to itself, if there is one, by breadth-first search.
fn round(arrows: &Arrows, start: usize) -> Option<Vec<usize>> {
    let mut before = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(point) = queue.pop_front() {
        for next in arrows.get(&point).into_iter().flatten() {
            if *next == start {
                let mut way = vec![point];
                while let Some(earlier) = way.last().and_then(|last| before.get(last)) {
                    way.push(*earlier);
                }
                way.reverse();
                return Some(way);
            }
            if !before.contains_key(next) {
                before.insert(*next, point);
                queue.push_back(*next);
            }
        }
    }
    None
}
