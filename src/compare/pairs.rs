//! The cosine between the gradients of every pair of classes, compared between groups of runs.

use super::contrast::{Comparison, Row, contrast, correct, put_in_words, summed};
use crate::gradient::gram::Gram;

/// A row for the cosine of every pair of classes: its values in every group and its paired differences, whose p values
/// are corrected for the number of class pairs and groups. `grams` are the Gram matrices of the runs, by group and
/// ordered by seed; `None` for a run whose matrix is missing.
pub fn cosines(comparison: &Comparison, grams: &[Vec<Option<Gram>>]) -> Vec<Row> {
    let classes = &comparison.classes;
    let row = |a: usize, b: usize| {
        let values: Vec<Vec<_>> = comparison
            .groups
            .iter()
            .zip(grams)
            .map(|(group, grams)| {
                let cosine = |gram: &Option<Gram>| gram.as_ref()?.cosine(a, b);
                let seeds = group.seeds.iter().copied();
                seeds.zip(grams.iter().map(cosine)).collect()
            })
            .collect();
        let base = &values[comparison.baseline];
        let others = comparison.others().into_iter();
        Row {
            name: format!("{} × {}", classes[a], classes[b]),
            help: "Cosine between the gradients of two classes, from −1 to 1.".to_owned(),
            digits: 2,
            more_is_better: Some(true),
            contrasts: others
                .map(|group| contrast(group, &values[group], base))
                .collect(),
            values: values.iter().map(|values| summed(values)).collect(),
        }
    };
    let pairs = (0..classes.len()).flat_map(|a| (a + 1..classes.len()).map(move |b| (a, b)));
    let mut rows: Vec<Row> = pairs.map(|(a, b)| row(a, b)).collect();
    correct(&mut rows);
    put_in_words(&mut rows, &comparison.groups, comparison.baseline);
    rows
}

/// Index of the pair of classes a and b among the rows of [`cosines`]; `None` for a class with itself, or where there
/// is no such class.
pub fn row_of(classes: usize, a: usize, b: usize) -> Option<usize> {
    let (a, b) = (a.min(b), a.max(b));
    // Class i is the first class of classes − 1 − i pairs.
    (a < b && b < classes).then(|| a * (2 * classes - a - 1) / 2 + b - a - 1)
}

#[cfg(test)]
mod tests;
