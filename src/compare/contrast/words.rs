//! Sentences about differences and their significance, and the text of their numbers.

use super::choose::Compared;
use super::row::{Contrast, Row, Values};
use crate::compare::statistics::Paired;
use crate::run::event::Split;
use crate::text::{counted, signed};

/// Writes the sentence of every contrast of some rows.
pub(in crate::compare) fn put_in_words(rows: &mut [Row], groups: &[Compared], baseline: usize) {
    let name = |group: usize| groups[group].name.as_str();
    for row in rows {
        for contrast in &mut row.contrasts {
            let (group, base) = (name(contrast.group), name(baseline));
            contrast.sentence = contrast.in_words(&row.name, row.digits, group, base);
        }
    }
}

impl Contrast {
    /// The result in a sentence, for a measure called `name` in the groups called `group` and `base`.
    fn in_words(&self, name: &str, digits: usize, group: &str, base: &str) -> String {
        let Some(paired) = &self.paired else {
            return if !self.seeds.is_empty() {
                format!("{name}: not tested.")
            } else if self.undefined_pairs > 0 {
                format!("{name}: undefined in every pair of runs.")
            } else {
                format!("{name}: no pair of runs to compare.")
            };
        };
        let (Some(p), Some(smallest)) = (self.corrected_p, self.smallest_corrected_p) else {
            return format!("{name}: too many pairs for the exact test.");
        };
        let difference = signed(paired.mean, digits);
        let seeds = with_seeds(paired.n());
        match self.significant {
            None => format!(
                "The difference of {name} between {group} and {base} is {difference} over {seeds}: not to be told from \
                 chance, since with so few p cannot be below {}; {} seeds would do.",
                probability(smallest),
                self.pairs_needed
            ),
            Some(true) => {
                let verb = if paired.mean < 0.0 { "lower" } else { "higher" };
                format!(
                    "{name} is {verb} with {group} than with {base}: {difference}, p = {} over {seeds}.",
                    probability(p)
                )
            }
            Some(false) => format!(
                "No significant difference of {name} between {group} and {base}: {difference}, p = {} over {seeds}.",
                probability(p)
            ),
        }
    }
}

/// Name of the images on which scores are measured.
pub(super) fn images(split: Split) -> &'static str {
    match split {
        Split::Test => "test",
        Split::Train | Split::Val => "validation",
    }
}

/// A sentence for a family in which no difference can be called significant with so few pairs; `None` where one can be.
/// `at` is the index of the contrast in every row.
pub fn remark(rows: &[Row], at: usize) -> Option<String> {
    let contrasts = rows.iter().filter_map(|row| row.contrasts.get(at));
    let tested: Vec<_> = contrasts.filter(|x| x.corrected_p.is_some()).collect();
    if tested.iter().any(|contrast| contrast.significant.is_some()) {
        return None;
    }
    let most = tested.iter().max_by_key(|contrast| contrast.seeds.len())?;
    let seeds = with_seeds(most.seeds.len());
    Some(format!(
        "With {seeds} none of these can be called significant, since corrected p cannot be below {}; {} seeds would do.",
        probability(most.smallest_corrected_p?),
        most.pairs_needed
    ))
}

/// A number of seeds in words: `1 seed`, `3 seeds`.
pub fn with_seeds(n: usize) -> String {
    counted(n, "seed")
}

/// A probability with two significant figures: `0.0078`, `0.062`, `1`; `< 0.0001` for any smaller one.
pub fn probability(p: f64) -> String {
    if p >= 0.995 {
        return "1".to_owned();
    }
    if p < 0.000_1 {
        return "< 0.0001".to_owned();
    }
    let decimals = (1.0 - p.log10().floor()).clamp(2.0, 5.0) as usize;
    format!("{p:.decimals$}")
}

/// The mean ± standard deviation (number of values): `0.595 ± 0.012 (8)`.
pub fn mean_text(values: &Values, digits: usize) -> String {
    match (values.mean, values.sd) {
        (None, _) => format!("– ({})", values.n),
        (Some(mean), None) => format!("{mean:.digits$} ({})", values.n),
        (Some(mean), Some(sd)) => format!("{mean:.digits$} ± {sd:.digits$} ({})", values.n),
    }
}

/// The mean difference with its 95 % interval: `+0.017 [+0.003, +0.031]`; a dash without a pair.
pub fn difference_text(paired: Option<&Paired>, digits: usize) -> String {
    let Some(paired) = paired else {
        return "–".to_owned();
    };
    let mean = signed(paired.mean, digits);
    match paired.interval {
        None => mean,
        Some([low, high]) => format!("{mean} [{}, {}]", signed(low, digits), signed(high, digits)),
    }
}
