//! Long-tail profiles: how many images each class keeps.

use crate::config::Profile;

/// Counts for imbalance factor `imbalance` ≥ 1 from the classes' natural counts. The profile starts from the largest
/// class. No class gets more images than it has, and a class that has images keeps at least one. An imbalance of 1
/// changes nothing.
///
/// exp: n_j = floor(n_max·μ^(j/(K−1))); step: the first K/2 classes n_max, the others floor(n_max·μ); μ = 1/imbalance
/// (Cui et al. CVPR 2019; Cao et al. NeurIPS 2019). j is a class's rank by natural count, ties in class order, so that
/// the rarest class stays the rarest; for balanced data that is class order, as published.
pub fn counts(natural: &[usize], imbalance: f64, profile: Profile) -> Vec<usize> {
    if imbalance <= 1.0 {
        return natural.to_vec();
    }
    let classes = natural.len();
    let largest = natural.iter().copied().max().unwrap_or(0) as f64;
    let wanted = |rank: usize| match profile {
        Profile::Exp => largest * (1.0 / imbalance).powf(rank as f64 / (classes.max(2) - 1) as f64),
        Profile::Step if rank < classes / 2 => largest,
        Profile::Step => largest / imbalance,
    };
    let mut ranked: Vec<usize> = (0..classes).collect();
    ranked.sort_by_key(|&class| std::cmp::Reverse(natural[class]));
    let mut counts = vec![0; classes];
    for (rank, class) in ranked.into_iter().enumerate() {
        counts[class] = (wanted(rank) as usize).max(1).min(natural[class]);
    }
    counts
}

#[cfg(test)]
mod tests;
