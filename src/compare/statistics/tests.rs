use anyhow::{Context, Result};
use serde_json::Value;

use super::*;
use crate::vectors::{numbers, section};

fn close(ours: Option<f64>, reference: &Value) -> Result<()> {
    let (ours, reference) = (ours.context("none")?, reference.as_f64().context("NaN")?);
    assert!((ours - reference).abs() < 1e-9, "{ours} != {reference}");
    Ok(())
}

/// Against SciPy.
#[test]
fn paired_statistics_are_those_of_scipy() -> Result<()> {
    let vectors = section("statistics")?;
    for case in vectors["cases"].as_array().context("cases")? {
        let (a, b) = (numbers(&case["a"])?, numbers(&case["b"])?);
        let differences = a.iter().zip(&b).map(|(a, b)| a - b).collect();
        let paired = Paired::of(differences).context("no pairs")?;
        close(Some(paired.mean), &case["mean_diff"])?;
        close(paired.sd, &case["sd_diff_ddof1"])?;
        close(paired.interval.map(|x| x[0]), &case["t_ci95"][0])?;
        close(paired.interval.map(|x| x[1]), &case["t_ci95"][1])?;
        close(paired.p, &case["sign_flip_exact_p_two_sided"])?;
        let smallest = &case["smallest_possible_p_sign_flip_or_wilcoxon"];
        close(Some(paired.smallest_p), smallest)?;
    }
    let holm_case = &vectors["holm"];
    let adjusted = holm(&numbers(&holm_case["p"])?);
    for (ours, reference) in adjusted.iter().zip(numbers(&holm_case["adjusted"])?) {
        assert!((ours - reference).abs() < 1e-12, "{adjusted:?}");
    }
    Ok(())
}

/// `scipy.stats.spearmanr([3, 1, 2, 2, 5], [10, 4, 4, 6, 5])` and `pearsonr` of the same.
#[test]
fn correlations_are_those_of_scipy() {
    let (x, y) = ([3.0, 1.0, 2.0, 2.0, 5.0], [10.0, 4.0, 4.0, 6.0, 5.0]);
    let (rank, plain) = (rank_correlation(&x, &y), correlation(&x, &y));
    assert!(
        (rank.unwrap() - 0.5526315789473686).abs() < 1e-12,
        "{rank:?}"
    );
    assert!(
        (plain.unwrap() - 0.23833221359916956).abs() < 1e-12,
        "{plain:?}"
    );
    assert_eq!(correlation(&x, &[1.0; 5]), None);
    assert_eq!(rank_correlation(&x, &[1.0; 5]), None);
}

#[test]
fn a_single_pair_has_neither_spread_nor_significance() {
    let paired = Paired::of(vec![0.1]).unwrap();
    assert_eq!((paired.sd, paired.interval), (None, None));
    assert_eq!((paired.p, paired.smallest_p), (Some(1.0), 1.0));
    assert_eq!(Paired::of(vec![]), None);
    assert_eq!(Paired::of(vec![0.1, f64::NAN]), None);
}
