use anyhow::{Context as _, Result};

use super::*;
use crate::compare::Member;
use crate::compare::contrast::tests::run;
use crate::config::Attention;

const CLASSES: usize = 3;
const PIECES: usize = 2;
const SEEDS: u64 = 6;

/// The gradients that `tests/peers/numpy_pairs.py` makes.
fn gram(group: u64, seed: u64) -> Option<Gram> {
    let size = CLASSES * PIECES;
    let gradient = |row: usize| -> Vec<f64> {
        let (k, s) = (row / PIECES, row % PIECES);
        let at = |i: usize| 1 + 3 * group + 5 * seed + (7 * k + 11 * s + 13 * i * (1 + k)) as u64;
        (0..5).map(|i| (at(i) as f64).sin()).collect()
    };
    let mut products = Vec::new();
    for a in 0..size {
        for b in 0..size {
            let (x, y) = (gradient(a), gradient(b));
            products.push(x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>() as f32);
        }
    }
    Gram::new(CLASSES, &vec![4.0; size], &products, &vec![0.0; size])
}

fn comparison() -> Result<Comparison> {
    let mut runs = Vec::new();
    for attention in [Attention::None, Attention::Branch] {
        for seed in 0..SEEDS {
            let mut run = run(attention, seed, [Some(0.5); 2]);
            let started = run.started.as_mut().context("a header")?;
            started.classes.push("third".to_owned());
            started.train_counts.push(1);
            runs.push((format!("{attention}-{seed}"), run));
        }
    }
    let members: Vec<_> = runs
        .iter()
        .map(|(name, run)| Member { name, run })
        .collect();
    Ok(Comparison::of(&members, None)?)
}

#[test]
fn differences_of_cosines_are_those_of_scipy() -> Result<()> {
    let comparison = comparison()?;
    let grams: Vec<Vec<_>> = (0..2)
        .map(|group| (0..SEEDS).map(|seed| gram(group, seed)).collect())
        .collect();
    let rows = cosines(&comparison, &grams);
    let peer: Vec<serde_json::Value> =
        serde_json::from_str(include_str!("../../../tests/peers/numpy_pairs.json"))?;
    assert_eq!((rows.len(), peer.len()), (3, 3));
    for (row, peer) in rows.iter().zip(&peer) {
        let contrast = &row.contrasts[0];
        let paired = contrast.paired.as_ref().context("no pairs")?;
        let [low, high] = paired.interval.context("no interval")?;
        let ours = [
            ("mean", Some(paired.mean)),
            ("sd", paired.sd),
            ("low", Some(low)),
            ("high", Some(high)),
            ("p", paired.p),
            ("corrected_p", contrast.corrected_p),
        ];
        for (name, value) in ours {
            let (ours, theirs) = (value.context(name)?, peer[name].as_f64().context(name)?);
            // Products are kept in single precision.
            assert!((ours - theirs).abs() < 1e-6, "{name}: {ours} and {theirs}");
        }
    }
    Ok(())
}

#[test]
fn a_run_without_a_probe_leaves_out_its_pair() -> Result<()> {
    let comparison = comparison()?;
    let mut grams: Vec<Vec<_>> = (0..2)
        .map(|group| (0..SEEDS).map(|seed| gram(group, seed)).collect())
        .collect();
    grams[0][4] = None;
    let rows = cosines(&comparison, &grams);
    assert_eq!(rows[0].contrasts[0].seeds, [0, 1, 2, 3, 5]);
    // With five pairs the smallest corrected p is 3 · 2/2⁵.
    assert_eq!(rows[0].contrasts[0].significant, None);
    Ok(())
}

#[test]
fn every_pair_has_its_row() {
    let mut next = 0;
    for a in 0..7 {
        for b in a + 1..7 {
            assert_eq!(row_of(7, a, b), Some(next));
            assert_eq!(row_of(7, b, a), Some(next));
            next += 1;
        }
    }
    assert_eq!((row_of(7, 3, 3), row_of(7, 3, 7)), (None, None));
}
