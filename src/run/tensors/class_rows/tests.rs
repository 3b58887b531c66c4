//! Rows of classes compared with the whole tensors from which they are taken.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use super::*;
use crate::random::Random;
use crate::run::probe_file::ProbeTensors;

const CLASSES: usize = 5;
const PIECES: usize = 3;
const LAYERS: usize = 4;

/// A probe of random numbers, symmetric, with positive squared norms; class 4 lacks a piece, and class 3 has no image.
fn probe() -> ProbeTensors {
    let size = CLASSES * PIECES;
    let mut random = Random::new(0, "pair", 0, 0);
    let mut numbers =
        |len: usize| -> Vec<f32> { (0..len).map(|_| random.normal() as f32).collect() };
    let mut probe = ProbeTensors {
        classes: CLASSES,
        gram: numbers(LAYERS * size * size),
        update: numbers(LAYERS * size),
        loss: numbers(size),
        n: (0..size).map(|row| 7.0 + (row % 2) as f32).collect(),
        gates: BTreeMap::from([("branch1".to_owned(), vec![0.25; CLASSES * 2])]),
        frozen: None,
    };
    for layer in 0..LAYERS {
        let at = |row: usize, column: usize| (layer * size + row) * size + column;
        for row in 0..size {
            (0..row).for_each(|column| probe.gram[at(row, column)] = probe.gram[at(column, row)]);
            probe.gram[at(row, row)] = 9.0;
        }
    }
    probe.n[4 * PIECES + 1] = 0.0;
    probe.n[3 * PIECES..4 * PIECES].fill(0.0);
    probe
}

#[test]
fn a_pair_has_the_cell_it_has_among_all_classes() -> Result<()> {
    let (probe, layers) = (probe(), [0, 2, 3]);
    let all = probe.gram_of(&layers).context("all")?;
    for (a, b) in [(0, 1), (2, 0), (4, 0), (3, 1)] {
        let pair = probe.gram_of_pair(&layers, a, b).context("pair")?;
        assert_eq!(pair.cell(0, 1), all.cell(a, b));
        assert_eq!(pair.half_cosines(0, 1), all.half_cosines(a, b));
        assert_eq!([pair.norm(0), pair.norm(1)], [all.norm(a), all.norm(b)]);
        assert_eq!(pair.update_effect(1), all.update_effect(b));
    }
    assert!(probe.gram_of_pair(&layers, 0, 5).is_none());
    assert!(probe.gram_of_pair(&[], 0, 1).is_none() && probe.gram_of_pair(&[4], 0, 1).is_none());
    Ok(())
}

#[test]
fn a_ledger_is_that_of_all_classes() -> Result<()> {
    let (probe, layers) = (probe(), [1, 3]);
    let all = probe.gram_of(&layers).context("all")?;
    for class in 0..CLASSES {
        let rows = probe.rows_of(class).context("rows")?;
        assert_eq!(rows.ledger(&layers), all.ledger(class));
        assert!(rows.ledger(&[]).is_none() && rows.ledger(&[4]).is_none());
        // The class loss written out: the mean over the class's images.
        let own = class * PIECES..(class + 1) * PIECES;
        let (mut sum, mut images) = (0.0, 0.0);
        for row in own {
            sum += f64::from(probe.n[row]) * f64::from(probe.loss[row]);
            images += f64::from(probe.n[row]);
        }
        let wanted = (images > 0.0).then(|| sum / images);
        assert_eq!(class_loss(CLASSES, &rows.n, &rows.loss, class), wanted);
    }
    assert!(probe.rows_of(CLASSES).is_none());
    Ok(())
}

#[test]
fn rows_read_from_a_file_are_those_of_the_whole() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("probe.safetensors");
    let probe = probe();
    probe.save(&path, None)?;
    let read = ClassRows::load(&path, CLASSES, &[3, 0, 4], BatchNorm::Frozen)?;
    let wanted = [3, 0, 4].map(|class| probe.rows_of(class));
    assert_eq!(read.into_iter().map(Some).collect::<Vec<_>>(), wanted);
    let error = ProbeTensors::load(&path, CLASSES, BatchNorm::AsInTraining);
    assert!(
        error.is_err(),
        "a file of format 1 has the frozen measure alone"
    );
    Ok(())
}

/// The tensors without NaN, which no value equals.
fn comparable(mut probe: ProbeTensors) -> ProbeTensors {
    let losses = probe.loss.iter_mut();
    losses.filter(|x| x.is_nan()).for_each(|x| *x = -1.0);
    probe
}

#[test]
fn both_ways_of_measuring_are_read_back_apart() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("probe.safetensors");
    let frozen = probe();
    let mut training = probe();
    training.gram.iter_mut().for_each(|x| *x *= 0.5);
    training.update.iter_mut().for_each(|x| *x += 1.0);
    training.gates.clear();
    // All classes are measured, then only 0, 2 and 4.
    for dropped in [None, Some(1)] {
        if let Some(class) = dropped {
            let size = CLASSES * PIECES;
            let gone = |row: usize| row / PIECES == class || row / PIECES == 3;
            for at in 0..training.gram.len() {
                if gone(at / size % size) || gone(at % size) {
                    training.gram[at] = 0.0;
                }
            }
            for at in (0..training.update.len()).filter(|at| gone(at % size)) {
                training.update[at] = 0.0;
            }
            for row in (0..size).filter(|&row| gone(row)) {
                training.n[row] = 0.0;
                training.loss[row] = f32::NAN;
            }
        }
        frozen.save(&path, Some(&training))?;
        let whole = ProbeTensors::load(&path, CLASSES, BatchNorm::AsInTraining)?;
        let wanted = ProbeTensors {
            gates: frozen.gates.clone(),
            frozen: Some(Box::new(ProbeTensors {
                gates: BTreeMap::new(),
                ..frozen.clone()
            })),
            ..training.clone()
        };
        assert_eq!(comparable(whole.clone()), comparable(wanted));
        let rows = ClassRows::load(&path, CLASSES, &[0, 1, 4], BatchNorm::AsInTraining)?;
        for rows in rows {
            let of_whole = comparable(whole.clone()).rows_of(rows.class);
            let losses = rows.loss.iter();
            let loss = losses.map(|x| if x.is_nan() { -1.0 } else { *x }).collect();
            assert_eq!(Some(ClassRows { loss, ..rows }), of_whole);
        }
        let alone = ProbeTensors::load(&path, CLASSES, BatchNorm::Frozen)?;
        assert_eq!(alone, frozen, "the frozen measure is what it was");
    }
    Ok(())
}

#[test]
fn a_file_that_is_no_probe_is_refused() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("probe.safetensors");
    let refused = |classes: usize, wanted: &[usize]| {
        ClassRows::load(&path, classes, wanted, BatchNorm::Frozen).is_err()
    };
    assert!(refused(CLASSES, &[0]), "missing");
    probe().save(&path, None)?;
    assert!(!refused(CLASSES, &[0]));
    assert!(refused(4, &[0]) && refused(0, &[]) && refused(CLASSES, &[5]));
    let whole = std::fs::read(&path)?;
    for len in [0, 5, 40, whole.len() / 2] {
        std::fs::write(&path, &whole[..len])?;
        // The end of the file holds the last class's rows, if anything.
        assert!(refused(CLASSES, &[4]), "the first {len} bytes");
    }
    std::fs::write(&path, [0xff; 64])?;
    assert!(refused(CLASSES, &[0]), "a header of unbelievable length");
    Ok(())
}
