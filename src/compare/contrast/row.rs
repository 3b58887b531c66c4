//! One measure in every group, its paired differences from the baseline, and the correction of p values for their
//! number.

use serde::Serialize;

use crate::compare::statistics::{Paired, holm, mean, mean_sd};

/// A difference is significant where its corrected p is at most this.
pub const LEVEL: f64 = 0.05;

/// One measure in every group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Name of the measure, the class or the layer.
    pub name: String,
    /// A sentence that explains the measure.
    pub help: String,
    /// Number of decimals shown.
    pub digits: usize,
    /// Whether a higher value is better; `None` where neither direction is.
    pub more_is_better: Option<bool>,
    /// The measure in every group, in the order of the groups.
    pub values: Vec<Values>,
    /// The contrast of every group but the baseline, in the order of the groups.
    pub contrasts: Vec<Contrast>,
}

/// One measure over the seeds of a group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Values {
    /// The measure in every run, in the order of the seeds; `None` where it is undefined.
    pub by_seed: Vec<Option<f64>>,
    /// Mean of the defined values.
    pub mean: Option<f64>,
    /// Standard deviation (n − 1) of the defined values; `None` with fewer than two.
    pub sd: Option<f64>,
    /// Number of defined values.
    pub n: usize,
}

/// One measure of a group against the baseline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contrast {
    /// Index of the group compared.
    pub group: usize,
    /// Seeds that both groups have and for which the measure is defined in both runs.
    pub seeds: Vec<u64>,
    /// Statistics of the differences group − baseline, one for each of `seeds`; `None` without a pair, or where the
    /// measure is not tested.
    pub paired: Option<Paired>,
    /// Number of pairs that are left out because the measure is undefined in one of their runs.
    pub undefined_pairs: usize,
    /// p after Holm's correction within the family; `None` where the difference has no p value.
    pub corrected_p: Option<f64>,
    /// The smallest value that `corrected_p` can take with so many pairs.
    pub smallest_corrected_p: Option<f64>,
    /// Least number of pairs with which `corrected_p` can be at most [`LEVEL`].
    pub pairs_needed: usize,
    /// Whether the difference is significant; `None` where no difference can be significant with so many pairs.
    pub significant: Option<bool>,
    /// The result in a sentence.
    pub sentence: String,
}

/// The values of a measure over the runs of a group, given as (seed, value).
pub(in crate::compare) fn summed(values: &[(u64, Option<f64>)]) -> Values {
    let defined: Vec<_> = values.iter().filter_map(|(_, value)| *value).collect();
    Values {
        by_seed: values.iter().map(|(_, value)| *value).collect(),
        mean: mean(&defined),
        sd: mean_sd(&defined).map(|(_, sd)| sd),
        n: defined.len(),
    }
}

/// The contrast of a group with the baseline. The values of both are given as (seed, value). The p value is not yet
/// corrected, and the sentence is empty.
pub(in crate::compare) fn contrast(
    group: usize,
    values: &[(u64, Option<f64>)],
    base: &[(u64, Option<f64>)],
) -> Contrast {
    let mut seeds = Vec::new();
    let mut differences = Vec::new();
    let mut undefined_pairs = 0;
    for (seed, value) in values {
        let Some((_, before)) = base.iter().find(|(other, _)| other == seed) else {
            continue;
        };
        match (value, before) {
            (Some(after), Some(before)) => {
                seeds.push(*seed);
                differences.push(after - before);
            }
            _ => undefined_pairs += 1,
        }
    }
    Contrast {
        group,
        seeds,
        paired: Paired::of(differences),
        undefined_pairs,
        corrected_p: None,
        smallest_corrected_p: None,
        pairs_needed: 0,
        significant: None,
        sentence: String::new(),
    }
}

/// Corrects the p values of all contrasts in `rows` as one family, after Holm, and decides which differences are
/// significant.
pub(in crate::compare) fn correct(rows: &mut [Row]) {
    let tested = |x: &&mut Contrast| x.paired.as_ref().is_some_and(|x| x.p.is_some());
    let mut family: Vec<_> = rows
        .iter_mut()
        .flat_map(|row| &mut row.contrasts)
        .filter(tested)
        .collect();
    let p: Vec<_> = family.iter().filter_map(|x| x.paired.as_ref()?.p).collect();
    // With n pairs p is at least 2/2ⁿ, and Holm's correction multiplies the smallest of m p values by m.
    let pairs_needed = (2.0 * p.len() as f64 / LEVEL).log2().ceil().max(1.0) as usize;
    // A corrected p never falls where any p of the family rises: all are smallest where each p is as small as it can be.
    let smallest = family.iter().filter_map(|x| x.paired.as_ref());
    let smallest: Vec<_> = smallest.map(|paired| paired.smallest_p).collect();
    let corrected = holm(&p).into_iter().zip(holm(&smallest));
    for (contrast, (corrected, smallest)) in family.iter_mut().zip(corrected) {
        contrast.corrected_p = Some(corrected);
        contrast.smallest_corrected_p = Some(smallest);
        contrast.pairs_needed = pairs_needed;
        contrast.significant = (smallest <= LEVEL).then_some(corrected <= LEVEL);
    }
}
