//! How far the gradients of every pair of classes agree, between groups of runs.

use super::Comparison;
use super::contrast::{Row, contrast, correct, put_in_words, summed};
use crate::gradient::gram::Gram;

/// The cosine of every pair of classes in every group, and its paired differences; corrected for the number of pairs.
/// `grams` are those of the runs, by group and in the order of their seeds; none where a run's is not there.
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

/// Which of the rows of [`cosines`] is that of two of `classes` classes; none of a class with itself.
pub fn row_of(classes: usize, a: usize, b: usize) -> Option<usize> {
    let (a, b) = (a.min(b), a.max(b));
    // Class i comes first in classes − 1 − i pairs.
    (a < b && b < classes).then(|| a * (2 * classes - a - 1) / 2 + b - a - 1)
}

#[cfg(test)]
mod tests;
