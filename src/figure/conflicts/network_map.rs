//! Where the blocks and layers of the network map lie, and which layer lies next to another.

use std::collections::BTreeMap;

use egui::epaint::CubicBezierShape;
use egui::{Color32, Painter, Rect, Stroke, pos2, vec2};

use crate::run::Scope;
use crate::run::event::{Layer, Started};

/// Height of a block's name above its boxes.
const LABEL: f32 = 15.0;
/// Width of a block's name beside its boxes, where lanes are too low to carry it above.
const SIDE_LABEL: f32 = 50.0;
/// Lanes lower than this have their names beside them.
const LOW: f32 = 40.0;
const GAP: f32 = 5.0;

/// Width of a layer of weight 1, at least; where it would be less, blocks are folded.
const LEAST_UNIT: f32 = 5.0;
/// Width of a folded block, at least and at most, and the gap beside it.
const FOLDED: (f32, f32, f32) = (10.0, 44.0, 6.0);

/// Width of a layer's box beside that of others.
fn weight(layer: &Layer) -> f32 {
    match layer.kind.as_str() {
        "conv" | "linear" | "gate" | "class_attention" => 2.0,
        "batch_norm" | "group_norm" | "layer_norm" => 1.0,
        _ => 0.7,
    }
}

/// Where blocks and layers lie: blocks in columns by depth, parallel blocks below each other.
pub(in crate::figure::conflicts) struct Map {
    /// Whether the names of blocks stand beside their lanes.
    pub(in crate::figure::conflicts) low: bool,
    /// Whether blocks are folded.
    pub(in crate::figure::conflicts) folded: bool,
    pub(in crate::figure::conflicts) lanes: BTreeMap<String, Rect>,
    pub(in crate::figure::conflicts) boxes: BTreeMap<String, Rect>,
}

impl Map {
    /// The map of a network in an area. Where the layers do not fit beside each other, blocks are folded, each into a
    /// pile of its layers, but for the block of the selected part ([`Self::folded`]).
    pub(in crate::figure::conflicts) fn new(started: &Started, area: Rect, scope: &Scope) -> Self {
        let columns = columns(started);
        let layers_of = |group: &str| {
            started
                .layers
                .iter()
                .filter(|layer| layer.group == group)
                .collect::<Vec<_>>()
        };
        let length = |group: &str| {
            layers_of(group)
                .iter()
                .map(|layer| weight(layer))
                .sum::<f32>()
        };
        // A column is as wide as the longest block in it.
        let widths: Vec<f32> = columns
            .iter()
            .map(|groups| groups.iter().map(|group| length(group)).fold(0.0, f32::max))
            .collect();
        let lanes_at_most = columns.iter().map(Vec::len).max().unwrap_or(1) as f32;
        let lowest = (area.height() - GAP * (lanes_at_most - 1.0)) / lanes_at_most;
        let low = lowest < LOW;
        let (above, beside) = if low {
            (0.0, SIDE_LABEL)
        } else {
            (LABEL + 1.0, 0.0)
        };
        let gutter = 22.0;
        let fixed = gutter * (columns.len().max(1) - 1) as f32 + beside * columns.len() as f32;
        let unit = (area.width() - fixed) / widths.iter().sum::<f32>().max(1.0);
        if unit < LEAST_UNIT {
            return Self::folded(started, area, scope);
        }
        let unit = unit.min(60.0);
        let mut map = Self {
            low,
            folded: false,
            lanes: BTreeMap::new(),
            boxes: BTreeMap::new(),
        };
        let mut left = area.left();
        for (groups, width) in columns.iter().zip(&widths) {
            let count = groups.len() as f32;
            // A block that stands alone may be twice as high as parallel ones.
            let lane_height = ((area.height() + GAP) / count - GAP)
                .min(2.0 * lowest)
                .min(90.0);
            let height = count * (lane_height + GAP) - GAP;
            let mut top = area.center().y - height / 2.0;
            for group in groups {
                let size = vec2(beside + width * unit, lane_height);
                let lane = Rect::from_min_size(pos2(left, top), size);
                map.lanes.insert(group.clone(), lane);
                let mut x = left + beside;
                for layer in layers_of(group) {
                    let width = weight(layer) * unit;
                    let min = pos2(x, top + above);
                    let rect = Rect::from_min_max(min, pos2(x + width - 2.0, lane.bottom()));
                    map.boxes.insert(layer.name.clone(), rect);
                    x += width;
                }
                top += lane_height + GAP;
            }
            left += beside + width * unit + gutter;
        }
        map
    }

    /// The map with folded blocks: each a pile of its layers that have class gradients, from the first above to the last
    /// below, in as many lines of blocks as it takes. The block of the selected part is unfolded: its layers stand beside
    /// each other.
    fn folded(started: &Started, area: Rect, scope: &Scope) -> Self {
        let open = open_block(started, scope);
        let blocks: Vec<Vec<String>> = columns(started);
        let measured = |group: &str| -> Vec<&Layer> {
            let own = started.layers.iter();
            own.filter(|layer| layer.group == group && layer.gram.is_some())
                .collect()
        };
        let (narrowest, widest, gap) = FOLDED;
        let is_open = |column: &[String]| column.iter().any(|group| Some(group.as_str()) == open);
        let length = |group: &String| measured(group).iter().map(|x| weight(x)).sum::<f32>();
        let longest = |column: &[String]| column.iter().map(length).fold(0.0, f32::max);
        // The open block takes what its layers need, but at most half a line.
        let needed = |column: &[String]| {
            let wanted = (longest(column) * 2.5 * LEAST_UNIT).min(area.width() / 2.0);
            if is_open(column) {
                wanted.max(widest)
            } else {
                0.0
            }
        };
        let wide: f32 = blocks.iter().map(|column| needed(column)).sum();
        let closed = blocks
            .iter()
            .filter(|column| !is_open(column))
            .count()
            .max(1) as f32;
        let room = |lines: f32| (lines * area.width() - wide) / closed - gap;
        let mut lines = (1..=8).map(|lines| lines as f32);
        let lines = lines.find(|&n| room(n) >= narrowest).unwrap_or(8.0);
        // The end of a line may stay empty, so that lines of several blocks do not always fill it.
        let each = room(lines).min(if lines > 1.0 {
            narrowest.max(room(lines) * 0.9)
        } else {
            widest
        });
        let each = each.clamp(narrowest / 2.0, widest);
        let line_height = ((area.height() + GAP) / lines - GAP).min(110.0);
        let mut map = Self {
            low: false,
            folded: true,
            lanes: BTreeMap::new(),
            boxes: BTreeMap::new(),
        };
        let mut min = area.min;
        for column in &blocks {
            let width = if is_open(column) {
                needed(column)
            } else {
                each
            };
            if min.x + width > area.right() + 0.5 && min.x > area.left() {
                min = pos2(area.left(), min.y + line_height + GAP);
            }
            let height = (line_height + GAP) / column.len() as f32 - GAP;
            for (number, group) in column.iter().enumerate() {
                let top = min.y + number as f32 * (height + GAP);
                let lane = Rect::from_min_size(pos2(min.x, top), vec2(width, height));
                let boxes = lane.with_min_y((top + LABEL + 1.0).min(lane.bottom()));
                let is_open = Some(group.as_str()) == open;
                map.place(&measured(group), boxes, is_open);
                map.lanes.insert(group.clone(), lane);
            }
            min.x += width + gap;
        }
        map
    }

    /// Places the layers of a block: beside each other where it is open, and piled up where it is folded.
    fn place(&mut self, layers: &[&Layer], area: Rect, is_open: bool) {
        let whole: f32 = layers.iter().map(|layer| weight(layer)).sum();
        let mut done = 0.0;
        for (number, layer) in layers.iter().enumerate() {
            let rect = if is_open {
                let left = area.left() + area.width() * done / whole;
                done += weight(layer);
                let right = area.left() + area.width() * done / whole;
                Rect::from_x_y_ranges(left..=(right - 1.0).max(left + 1.0), area.y_range())
            } else {
                let height = area.height() / layers.len() as f32;
                let top = area.top() + number as f32 * height;
                Rect::from_x_y_ranges(area.x_range(), top..=top + height)
            };
            self.boxes.insert(layer.name.clone(), rect);
        }
    }

    /// The layer with class gradients that lies next to the selected part in a direction, to the right and down in units
    /// of −1, 0 and 1: along the way of the data, or in the block above or below. `None` where there is none; where no
    /// layer is selected, the first.
    pub(in crate::figure::conflicts) fn neighbour(
        &self,
        started: &Started,
        scope: &Scope,
        (right, down): (isize, isize),
    ) -> Option<String> {
        let measured = started.layers.iter().filter(|layer| layer.gram.is_some());
        let mut boxes =
            measured.filter_map(|layer| Some((&layer.name, *self.boxes.get(&layer.name)?)));
        let from = match scope {
            Scope::Layer(name) => self.boxes.get(name).map(Rect::center),
            Scope::Group(_) | Scope::Backbone | Scope::Network => None,
        };
        let Some(from) = from else {
            return boxes.next().map(|(name, _)| name.clone());
        };
        let away = |rect: Rect| {
            let to = rect.center() - from;
            let (along, across) = match right {
                0 => (to.y * down as f32, to.x),
                _ => (to.x * right as f32, to.y),
            };
            // The nearest in the direction; of those about equally near, the one that lies straightest ahead.
            (along > 1.0).then_some(match right {
                0 => 4.0 * along + across.abs(),
                _ => along + 2.0 * across.abs(),
            })
        };
        let boxes = boxes.filter_map(|(name, rect)| Some((name, away(rect)?)));
        let nearest = boxes.min_by(|a, b| a.1.total_cmp(&b.1));
        nearest.map(|(name, _)| name.clone())
    }

    /// The rectangle of the name of a lane's block.
    pub(in crate::figure::conflicts) fn label(&self, lane: Rect) -> Rect {
        let size = if self.low {
            vec2(SIDE_LABEL - 4.0, lane.height())
        } else {
            vec2(lane.width(), LABEL)
        };
        Rect::from_min_size(lane.min, size)
    }

    /// Paints the lines between layers of different blocks; layers within a block need none.
    pub(in crate::figure::conflicts) fn paint_edges(
        &self,
        painter: &Painter,
        started: &Started,
        color: Color32,
    ) {
        if self.folded {
            // Blocks that stand beside each other in the order of the data need no lines.
            return;
        }
        for layer in &started.layers {
            for input in &layer.inputs {
                let Some(source) = started.layers.iter().find(|other| other.name == *input) else {
                    continue;
                };
                if source.group == layer.group {
                    continue;
                }
                let boxes = (self.boxes.get(input), self.boxes.get(&layer.name));
                let ((Some(from), Some(to)), Some(lane)) = (boxes, self.lanes.get(&layer.group))
                else {
                    continue;
                };
                // A line ends where the block begins, whose name may stand beside its boxes, whichever of its layers reads.
                let (from, to) = (from.right_center(), pos2(lane.left(), to.center().y));
                let bend = vec2((to.x - from.x) / 2.0, 0.0);
                painter.add(CubicBezierShape::from_points_stroke(
                    [from, from + bend, to - bend, to],
                    false,
                    Color32::TRANSPARENT,
                    Stroke::new(1.2, color),
                ));
            }
        }
    }
}

/// The block of the selected part; `None` where that is no block or layer.
fn open_block<'a>(started: &'a Started, scope: &Scope) -> Option<&'a str> {
    let is_in = |layer: &&Layer| match scope {
        Scope::Layer(name) => layer.name == *name,
        Scope::Group(group) => layer.group == *group,
        Scope::Backbone | Scope::Network => false,
    };
    let layer = started.layers.iter().find(is_in);
    layer.map(|layer| layer.group.as_str())
}

/// The blocks by depth: the depth of a block is one more than that of the deepest block that it reads.
fn columns<'a>(started: &'a Started) -> Vec<Vec<String>> {
    let mut depth: BTreeMap<&str, usize> = BTreeMap::new();
    let mut order: Vec<&str> = Vec::new();
    let named = |layer: &'a Layer| (layer.name.as_str(), layer.group.as_str());
    let groups: BTreeMap<&str, &str> = started.layers.iter().map(named).collect();
    for layer in &started.layers {
        let group = layer.group.as_str();
        if !order.contains(&group) {
            order.push(group);
        }
        let inputs = layer.inputs.iter();
        let inputs = inputs.filter_map(|name| groups.get(name.as_str()).copied());
        let reads = inputs
            .filter(|other| *other != group)
            .filter_map(|other| depth.get(other))
            .map(|depth| depth + 1)
            .max();
        let own = depth.entry(group).or_insert(0);
        *own = (*own).max(reads.unwrap_or(0));
    }
    let mut columns = vec![Vec::new(); depth.values().max().map_or(0, |deepest| deepest + 1)];
    for group in order {
        columns[depth[group]].push(group.to_owned());
    }
    columns
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::figure::testing::recorded;

    /// The arrow keys lead along the way of the data and between branches, and to every layer from the first.
    #[test]
    fn every_layer_is_reached_by_the_arrow_keys() -> anyhow::Result<()> {
        const WAYS: [(isize, isize); 4] = [(1, 0), (-1, 0), (0, 1), (0, -1)];
        for name in ["solar-none", "solar-branch"] {
            let recorded = recorded(name)?;
            let started = recorded.run.started.clone().unwrap();
            for size in [vec2(1100.0, 130.0), vec2(500.0, 110.0), vec2(2000.0, 300.0)] {
                let map = Map::new(
                    &started,
                    Rect::from_min_size(pos2(0.0, 0.0), size),
                    &Scope::Backbone,
                );
                let to =
                    |from: &str, way| map.neighbour(&started, &Scope::Layer(from.to_owned()), way);
                assert_eq!(to("stem.conv1", (1, 0)).as_deref(), Some("stem.bn1"));
                assert_eq!(to("stem.bn1", (-1, 0)).as_deref(), Some("stem.conv1"));
                assert_eq!(
                    to("branch2.conv1", (0, -1)).as_deref(),
                    Some("branch1.conv1")
                );
                assert_eq!(
                    to("branch2.conv1", (0, 1)).as_deref(),
                    Some("branch3.conv1")
                );
                assert_eq!(to("stem.conv1", (-1, 0)), None);
                let first = map.neighbour(&started, &Scope::Backbone, (1, 0)).unwrap();
                let (mut seen, mut open) = (BTreeSet::from([first.clone()]), vec![first]);
                while let Some(from) = open.pop() {
                    for next in WAYS.into_iter().filter_map(|way| to(&from, way)) {
                        if seen.insert(next.clone()) {
                            open.push(next);
                        }
                    }
                }
                let measured = started.layers.iter().filter(|layer| layer.gram.is_some());
                let missed: Vec<_> = measured
                    .filter(|layer| !seen.contains(&layer.name))
                    .collect();
                assert!(missed.is_empty(), "{name}, {size:?}: {missed:?}");
            }
        }
        Ok(())
    }

    /// A network of so many blocks, each with a convolution, a batch norm and an addition.
    fn deep(blocks: usize) -> anyhow::Result<Started> {
        let mut started = recorded("solar-none")?.run.started.unwrap();
        started.layers.clear();
        let mut last = None;
        for block in 0..blocks {
            for (kind, gram) in [
                ("conv", Some(2 * block)),
                ("batch_norm", Some(2 * block + 1)),
                ("add", None),
            ] {
                let name = format!("layer.{block}.{kind}");
                started.layers.push(Layer {
                    name: name.clone(),
                    group: format!("layer.{block}"),
                    kind: kind.to_owned(),
                    shape: vec![4],
                    params: usize::from(gram.is_some()),
                    inputs: last.into_iter().collect(),
                    gram,
                });
                last = Some(name);
            }
        }
        Ok(started)
    }

    /// However many blocks there are, every layer with gradients has a place of its own within the area.
    #[test]
    fn hundreds_of_layers_have_places_of_their_own() -> anyhow::Result<()> {
        for (blocks, size) in [
            (10, vec2(1100.0, 130.0)),
            (60, vec2(1100.0, 130.0)),
            (60, vec2(500.0, 300.0)),
            (200, vec2(1100.0, 130.0)),
            (400, vec2(900.0, 400.0)),
        ] {
            let started = deep(blocks)?;
            let area = Rect::from_min_size(pos2(7.0, 5.0), size);
            for scope in [Scope::Backbone, Scope::Group("layer.5".to_owned())] {
                let map = Map::new(&started, area, &scope);
                assert_eq!(map.folded, blocks > 10, "{blocks} in {size:?}");
                let measured = started.layers.iter().filter(|layer| layer.gram.is_some());
                let boxes: Vec<Rect> = measured.map(|layer| map.boxes[&layer.name]).collect();
                for (at, rect) in boxes.iter().enumerate() {
                    assert!(
                        area.expand(1.0).contains_rect(*rect),
                        "{blocks}, {size:?}, {rect}"
                    );
                    assert!(
                        rect.width() > 0.5 && rect.height() > 0.5,
                        "{blocks}, {size:?}, {rect}"
                    );
                    let overlaps = |other: &&Rect| {
                        let both = rect.intersect(**other);
                        both.width() > 0.1 && both.height() > 0.1
                    };
                    assert!(
                        boxes[..at].iter().all(|other| !overlaps(&other)),
                        "{blocks}, {size:?}, {at}"
                    );
                }
            }
        }
        Ok(())
    }

    /// The block of the selected part is laid open: its layers stand beside each other, all others are piled up.
    #[test]
    fn the_selected_block_of_a_deep_network_is_open() -> anyhow::Result<()> {
        let started = deep(60)?;
        let area = Rect::from_min_size(pos2(0.0, 0.0), vec2(1100.0, 130.0));
        for scope in [
            Scope::Layer("layer.30.batch_norm".to_owned()),
            Scope::Group("layer.30".to_owned()),
        ] {
            let map = Map::new(&started, area, &scope);
            for block in [0, 29, 30, 31, 59] {
                let [conv, norm] =
                    ["conv", "batch_norm"].map(|kind| map.boxes[&format!("layer.{block}.{kind}")]);
                let is_open = conv.right() <= norm.left() + 1.0 && conv.top() == norm.top();
                let is_piled = conv.bottom() <= norm.top() + 0.1 && conv.left() == norm.left();
                assert_eq!(
                    (is_open, is_piled),
                    (block == 30, block != 30),
                    "{block}: {conv} {norm}"
                );
            }
            let to = |from: &str, way| map.neighbour(&started, &Scope::Layer(from.to_owned()), way);
            assert_eq!(
                to("layer.3.conv", (0, 1)).as_deref(),
                Some("layer.3.batch_norm")
            );
            assert_eq!(to("layer.3.conv", (1, 0)).as_deref(), Some("layer.4.conv"));
        }
        Ok(())
    }
}
