use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::*;
use crate::vectors::{numbers, section};

fn assert_close(what: &str, ours: &[f64], theirs: &Value) -> Result<()> {
    let theirs = numbers(theirs)?;
    ensure!(ours.len() == theirs.len(), "{what}");
    for (ours, theirs) in ours.iter().zip(theirs) {
        ensure!(
            (ours - theirs).abs() < 1e-9 * (1.0 + theirs.abs()),
            "{what}: {ours} {theirs}"
        );
    }
    Ok(())
}

#[test]
fn weights_and_margins_as_in_the_reference() -> Result<()> {
    let section = section("class_weights")?;
    for case in section["cases"].as_array().context("cases")? {
        let counts = numbers(&case["counts"])?;
        let counts: Vec<usize> = counts.into_iter().map(|n| n as usize).collect();
        let weights = inverse_frequency(&counts);
        assert_close("inverse", &weights, &case["inverse_frequency_sum_to_C"])?;
        let betas = case["class_balanced_sum_to_C"].as_object();
        for (beta, wanted) in betas.context("betas")? {
            let weights = effective_number(&counts, beta.parse()?);
            assert_close(beta, &weights, wanted)?;
        }
        let ours = margins(&counts, 0.5);
        assert_close("margins", &ours, &case["ldam_margins_maxm_0p5"])?;
        assert_close("priors", &log_priors(&counts), &case["log_prior"])?;
    }
    Ok(())
}

#[test]
fn shares_as_in_the_reference() -> Result<()> {
    let section = section("samplers")?;
    let counts: Vec<usize> = numbers(&section["counts"])?
        .into_iter()
        .map(|n| n as usize)
        .collect();
    for (sampler, name) in [
        (Sampler::Instance, "instance_balanced_q1"),
        (Sampler::SquareRoot, "square_root_q0p5"),
        (Sampler::Balanced, "class_balanced_q0"),
    ] {
        assert_close(name, &shares(sampler, &counts, 3, 5), &section[name])?;
    }
    let rows = section["progressive_upstream_T5"].as_array();
    for (epoch, row) in rows.context("rows")?.iter().enumerate() {
        let ours = shares(Sampler::Progressive, &counts, epoch as u64, 5);
        assert_close("progressive", &ours, row)?;
    }
    // The last step ends the last epoch, also where it is the only one.
    let all = |epoch, epochs| shares(Sampler::Progressive, &counts, epoch, epochs);
    assert_eq!(all(1, 1), shares(Sampler::Instance, &counts, 0, 1));
    assert_eq!(all(5, 5), all(4, 5));
    Ok(())
}

/// A class's share of a step: how often it is drawn times its weight.
#[test]
fn shares_of_a_step() {
    let counts = [100, 20, 5, 1];
    let plain = RunConfig::default();
    let instance = shares(Sampler::Instance, &counts, 0, 10);
    assert_eq!(step_shares(&plain, &counts, 0), instance);
    let weighted = RunConfig {
        class_weights: ClassWeights::Inverse,
        weights_from: Some(0.5),
        ..plain
    };
    assert_eq!(step_shares(&weighted, &counts, 4), instance);
    // Weights by 1/n make all classes alike.
    for share in step_shares(&weighted, &counts, 5) {
        assert!((share - 0.25).abs() < 1e-12);
    }
    // Weights from the end on never apply, and at the end of training not either.
    let never = RunConfig {
        weights_from: Some(1.0),
        ..weighted
    };
    let end = u64::from(never.epochs);
    assert_eq!(step_shares(&never, &counts, end), instance);
    let of = |share, epochs| {
        weighted_from(&RunConfig {
            weights_from: Some(share),
            epochs,
            ..never.clone()
        })
    };
    assert_eq!([of(0.58, 50), of(0.29, 100), of(0.8, 200)], [29, 29, 160]);
    assert_eq!([of(0.5, 3), of(0.2, 4)], [1, 0]);
}
