//! Marks of a chart's axes, and the numbers beside them.

use crate::figure::kit::numerals::{power_of_ten, round_up, three_figures};
use egui_plot::{GridInput, GridMark};

/// Average width of a character of a label, in points.
const CHARACTER_WIDTH: f64 = 7.0;

/// Grid lines at 1, 2 or 5 times a power of ten, as many as have room for a label.
pub(in crate::figure) fn nice_marks(input: GridInput, spacing: f64) -> Vec<GridMark> {
    let (low, high) = input.bounds;
    // `base_step_size` is the step at which lines would be 8 points apart.
    let least = (input.base_step_size * spacing).max((high - low) / 10.0);
    let Some(step) = round_up(least) else {
        return Vec::new();
    };
    let first = (low / step).ceil() as i64;
    let last = (high / step).floor() as i64;
    (first..=last.min(first + 100))
        .map(|i| GridMark {
            value: i as f64 * step,
            step_size: step,
        })
        .collect()
}

/// A mark's value with as many decimals as its step needs.
pub(in crate::figure) fn plain_number(mark: GridMark) -> String {
    let decimals = (-mark.step_size.log10()).ceil().clamp(0.0, 9.0) as usize;
    // Rounding may leave a zero with a sign.
    let text = format!("{:.decimals$}", mark.value + 0.0);
    text.replace('-', "−")
}

/// The step of marks at 2…9 between decades, which have no number.
const BETWEEN_DECADES: f64 = 0.1;

/// Grid lines of a log10 axis: decades, and thinner ones at 2…9 between them. Where the axis holds no decade, there would
/// be no number: the marks between have numbers then, or, where it holds hardly one of these either, marks at any values.
pub(in crate::figure) fn decades(input: GridInput) -> Vec<GridMark> {
    let (low, high) = input.bounds;
    let decade = low.floor();
    if low.ceil() > high {
        // As far apart as decades are at least.
        let step_size = 3.5 * input.base_step_size;
        let mut marks: Vec<GridMark> = Vec::new();
        for value in (2..10).map(|i| decade + f64::from(i).log10()) {
            let is_far = marks.last().is_none_or(|x| value - x.value >= step_size);
            if is_far && (low..=high).contains(&value) {
                marks.push(GridMark { value, step_size });
            }
        }
        return match marks.len() {
            0 | 1 => nice_marks(input, 3.5),
            _ => marks,
        };
    }
    // At least 28 points apart, or they would have no numbers; `base_step_size` is 8 points.
    let every = ((high - low) / 6.0).max(3.5 * input.base_step_size);
    let every = every.ceil().max(1.0);
    let mut marks = Vec::new();
    let mut decade = (low / every).floor() * every;
    while decade <= high && marks.len() < 400 {
        // The plot writes the number of a mark below its lower edge, too.
        if decade >= low - 1e-9 {
            marks.push(GridMark {
                value: decade,
                step_size: every,
            });
        }
        if every < 1.5 {
            marks.extend((2..10).map(|i| GridMark {
                value: decade + f64::from(i).log10(),
                step_size: BETWEEN_DECADES,
            }));
        }
        decade += every;
    }
    marks
}

/// The number at a mark of a log10 axis; empty at the marks between decades.
pub(in crate::figure) fn log_number(mark: GridMark) -> String {
    if is_whole(mark.value) {
        power_of_ten(mark.value)
    } else if mark.step_size == BETWEEN_DECADES {
        String::new()
    } else {
        three_figures(10_f64.powf(mark.value))
    }
}

/// Middle and name of every block, from the layers' names (`block.layer`), shortened to the room that `width` points
/// leave it between its neighbours.
pub(in crate::figure) fn blocks(layers: &[String], width: f32) -> Vec<(f64, String)> {
    let block = |name: &String| name.split('.').next().unwrap_or(name).to_owned();
    let mut blocks: Vec<(f64, String)> = Vec::new();
    let mut start = 0;
    while start < layers.len() {
        let name = block(&layers[start]);
        let len = layers[start..]
            .iter()
            .take_while(|layer| block(layer) == name)
            .count();
        blocks.push((start as f64 + (len as f64 - 1.0) / 2.0, name));
        start += len;
    }
    let points_per_layer = f64::from(width) / layers.len().max(1) as f64;
    let edges = [-0.5, layers.len() as f64 - 0.5];
    let middles: Vec<f64> = blocks.iter().map(|(middle, _)| *middle).collect();
    for (i, (middle, name)) in blocks.iter_mut().enumerate() {
        // Half the way to a neighbour is free, and all of it to the edge.
        let before = i.checked_sub(1).map(|i| (*middle - middles[i]) / 2.0);
        let after = middles.get(i + 1).map(|next| (next - *middle) / 2.0);
        let left = before.unwrap_or(*middle - edges[0] + 1.0);
        let right = after.unwrap_or(edges[1] - *middle + 0.3);
        let room = (2.0 * left.min(right) * points_per_layer / CHARACTER_WIDTH) as usize;
        if name.chars().count() > room {
            // A letter or two would say nothing.
            *name = match room {
                0..4 => String::new(),
                _ => name.chars().take(room - 1).chain(['…']).collect(),
            };
        }
    }
    blocks
}

/// Unit of a signed logarithmic axis: a value well below it is drawn in proportion, a value well above it by its power
/// of ten.
const SIGNED_LOG_UNIT: f64 = 2e-3;

/// Where a value lies on a signed logarithmic axis: about ±log10(|value| / 0.001), through 0 without a step.
pub(in crate::figure) fn signed_log(value: f64) -> f64 {
    (value / SIGNED_LOG_UNIT).asinh() / std::f64::consts::LN_10
}

pub(in crate::figure) fn signed_log_inverse(y: f64) -> f64 {
    (y * std::f64::consts::LN_10).sinh() * SIGNED_LOG_UNIT
}

/// Grid lines of a signed logarithmic axis: 0, and powers of ten from 0.01 on to both sides, as many as have room.
pub(in crate::figure) fn signed_decades(input: GridInput) -> Vec<GridMark> {
    let (low, high) = input.bounds;
    // At least 28 points apart, as those of [`decades`].
    let every = ((high - low) / 6.0).max(3.5 * input.base_step_size);
    let every = every.ceil().max(1.0) as usize;
    let powers = (-2..12).step_by(every).map(|power| 10_f64.powi(power));
    let values = powers.flat_map(|value| [value, -value]).chain([0.0]);
    values
        .map(signed_log)
        .filter(|y| (low..=high).contains(y))
        .map(|value| GridMark {
            value,
            step_size: every as f64,
        })
        .collect()
}

/// The power of ten at a mark of a signed logarithmic axis.
pub(in crate::figure) fn plain_decade(mark: f64) -> String {
    let value = signed_log_inverse(mark);
    if value.abs() < 1e-9 {
        return "0".to_owned();
    }
    let decimals = (-value.abs().log10().round()).max(0.0) as usize;
    format!("{value:.decimals$}").replace('-', "−")
}

pub(in crate::figure) fn is_whole(value: f64) -> bool {
    (value - value.round()).abs() < 1e-9
}
