//! Statistics of paired values, for as few pairs as a handful of seeds gives.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Most pairs for which the exact sign-flip test is computed, since it counts 2ⁿ sums.
const MOST_FLIPPED: usize = 20;

/// Mean and standard deviation (n − 1); `None` with fewer than two values.
pub fn mean_sd(values: &[f64]) -> Option<(f64, f64)> {
    if values.len() < 2 {
        return None;
    }
    let n = values.len() as f64;
    let mean = mean(values)?;
    let square = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
    Some((mean, (square / (n - 1.0)).sqrt()))
}

/// Mean; `None` without values.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Pearson's correlation of x and y; `None` where either does not vary, there are fewer than two pairs, or the lengths
/// differ.
pub fn correlation(x: &[f64], y: &[f64]) -> Option<f64> {
    if x.len() != y.len() {
        return None;
    }
    let ((mean_x, sd_x), (mean_y, sd_y)) = (mean_sd(x)?, mean_sd(y)?);
    let products = x.iter().zip(y).map(|(x, y)| (x - mean_x) * (y - mean_y));
    let covariance = products.sum::<f64>() / (x.len() as f64 - 1.0);
    (sd_x * sd_y > 0.0).then(|| covariance / (sd_x * sd_y))
}

/// Spearman's rank correlation: Pearson's correlation of the ranks, where ties share their mean rank.
pub fn rank_correlation(x: &[f64], y: &[f64]) -> Option<f64> {
    correlation(&ranks(x), &ranks(y))
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    while first < order.len() {
        let same = |&&at: &&usize| values[at].total_cmp(&values[order[first]]).is_eq();
        let ties = order[first..].iter().take_while(same).count();
        for &at in &order[first..first + ties] {
            ranks[at] = first as f64 + (ties as f64 - 1.0) / 2.0;
        }
        first += ties;
    }
    ranks
}

/// Statistics of a difference between pairs of runs with the same seed.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Paired {
    /// Difference of every pair, in the order given.
    pub differences: Vec<f64>,
    /// Mean of the differences.
    pub mean: f64,
    /// Standard deviation (n − 1) of the differences; `None` for a single pair.
    pub sd: Option<f64>,
    /// 95 % confidence interval of the mean by Student's t; `None` for a single pair.
    pub interval: Option<[f64; 2]>,
    /// Two-sided p of the exact sign-flip test: the share of the 2ⁿ sign patterns of the differences for which the mean
    /// is at least as far from 0. `None` with more than 20 pairs.
    pub p: Option<f64>,
    /// The smallest p that n pairs can give, 2/2ⁿ. Where it is above 0.05, no difference can be significant.
    pub smallest_p: f64,
}

impl Paired {
    /// The statistics of these differences of pairs; `None` without differences, or where one is not finite.
    pub fn of(differences: Vec<f64>) -> Option<Self> {
        if !differences.iter().all(|x| x.is_finite()) {
            return None;
        }
        let mean = mean(&differences)?;
        let sd = mean_sd(&differences).map(|(_, sd)| sd);
        Some(Self {
            interval: sd.and_then(|sd| interval(mean, sd, differences.len())),
            p: sign_flip(&differences),
            smallest_p: 0.5f64.powi(i32::try_from(differences.len()).unwrap_or(i32::MAX) - 1),
            differences,
            mean,
            sd,
        })
    }

    /// Number of pairs.
    pub fn n(&self) -> usize {
        self.differences.len()
    }
}

/// The 95 % confidence interval of a mean of n values: mean ± t(0.975, n − 1) · sd/√n.
fn interval(mean: f64, sd: f64, n: usize) -> Option<[f64; 2]> {
    let t = StudentsT::new(0.0, 1.0, n as f64 - 1.0).ok()?;
    let half = t.inverse_cdf(0.975) * sd / (n as f64).sqrt();
    Some([mean - half, mean + half])
}

/// Two-sided p of the exact sign-flip (paired permutation) test of the mean; `None` without differences or with more
/// than [`MOST_FLIPPED`] of them.
///
/// Every signed sum of all differences is a signed sum of their first half plus one of their second half. The 2ⁿ sums
/// are therefore counted from two lists of 2^(n/2) sums each, one of which is sorted.
fn sign_flip(differences: &[f64]) -> Option<f64> {
    let n = differences.len();
    if n == 0 || n > MOST_FLIPPED {
        return None;
    }
    // Sums of the same numbers in another order differ in the last digits, and sums equal to the bound must count.
    let slack = 1e-9 * differences.iter().map(|x| x.abs()).sum::<f64>();
    let bound = differences.iter().sum::<f64>().abs() - slack;
    if bound <= 0.0 {
        return Some(1.0);
    }
    let (first, rest) = differences.split_at(n / 2);
    let (first, mut rest) = (signed_sums(first), signed_sums(rest));
    rest.sort_by(f64::total_cmp);
    let at_least = |x: &f64| rest.len() - rest.partition_point(|y| x + y < bound);
    let above: usize = first.iter().map(at_least).sum();
    // Flipping all signs flips the sign of the sum, so as many sums lie at or below −bound as at or above bound.
    Some(2.0 * above as f64 / 2.0f64.powi(i32::try_from(n).ok()?))
}

/// The sums ±x₁ ± x₂ … for every choice of signs, `[2ⁿ]`.
fn signed_sums(values: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0];
    for value in values {
        sums = sums
            .iter()
            .flat_map(|sum| [sum + value, sum - value])
            .collect();
    }
    sums
}

/// p values corrected for their number after Holm (1979), in the order given. Of m values in ascending order, the i-th
/// (counted from 0) is multiplied by m − i, raised to the corrected value before it where it is smaller, and cut off at
/// 1.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut adjusted = vec![0.0; p.len()];
    let mut largest = 0.0f64;
    for (rank, &at) in order.iter().enumerate() {
        largest = largest.max(p[at] * (p.len() - rank) as f64);
        adjusted[at] = largest.min(1.0);
    }
    adjusted
}

#[cfg(test)]
mod tests;
