//! Long-tail profiles: how many images each class keeps.

use crate::config::Profile;

/// Counts for imbalance factor `imbalance` ≥ 1 from the classes' natural counts: the profile starts from the largest
/// class and no class gets more than it has, nor fewer than one image of those it has. An imbalance of 1 changes nothing.
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
mod tests {
    use super::*;
    use crate::vectors::section;

    /// CIFAR-10-LT as published by the LDAM and class-balanced-loss repositories.
    #[test]
    fn published_counts() {
        let balanced = [5000; 10];
        assert_eq!(
            counts(&balanced, 100.0, Profile::Exp),
            [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]
        );
        assert_eq!(
            counts(&balanced, 200.0, Profile::Exp),
            [5000, 2775, 1540, 854, 474, 263, 146, 81, 45, 25]
        );
        assert_eq!(counts(&[10, 10, 10], 2.0, Profile::Step), [10, 5, 5]);
        assert_eq!(counts(&[7, 100, 3], 1.0, Profile::Exp), [7, 100, 3]);
        assert_eq!(
            counts(&[7, 60, 100], 10.0, Profile::Exp),
            [7, 31, 100],
            "by rank, and no class gets more than it has"
        );
        assert_eq!(
            counts(&[5, 5], 1000.0, Profile::Exp),
            [5, 1],
            "nor none of what it has"
        );
    }

    #[test]
    fn counts_of_the_reference() -> anyhow::Result<()> {
        let section = section("lt_counts")?;
        for case in section["cases"].as_array().unwrap() {
            let number = |key: &str| case[key].as_f64().unwrap();
            let natural = vec![number("img_max") as usize; number("classes") as usize];
            let profile = case["profile"].as_str().unwrap().parse().unwrap();
            let wanted: Vec<usize> = serde_json::from_value(case["counts"].clone())?;
            assert_eq!(
                counts(&natural, number("imbalance_factor"), profile),
                wanted,
                "{case}"
            );
        }
        Ok(())
    }
}
