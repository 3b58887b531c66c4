//! The findings about losses and scores.

use super::*;

#[test]
fn a_class_that_is_never_right_is_named() {
    let found = Made {
        f1: |at, k| match k {
            5 => Some(if at < 3 { 0.5 } else { 0.0 }),
            3 => None,
            _ => Some(0.6),
        },
        ..Made::default()
    }
    .sample()
    .of(Kind::Score);
    assert_eq!(found.len(), 2);
    assert_says(
        &found[0],
        &["Truck is never recognised", "(F1 0,", "recall below 3.0 %"],
    );
    assert_eq!(found[0].evidence.class, Some(5));
    assert_says(&found[1], &["Cat has 0 validation images"]);
}

#[test]
fn overfitting_needs_falling_scores_and_a_falling_loss() {
    let falling: fn(u64, usize) -> Option<f64> = |at, _| {
        Some(if at < 5 {
            0.9
        } else {
            0.9 - 0.15 * (at - 5) as f64
        })
    };
    let learning: fn(u64) -> Option<f64> = |step| Some(1.5 - 0.002 * step as f64);
    let overfitted = Made {
        f1: falling,
        loss: learning,
        ..Made::default()
    };
    let found = overfitted.sample().of(Kind::Overfitting);
    assert_eq!(found.len(), 1);
    assert_says(
        &found[0],
        &[
            "Validation macro-F1 falls since epoch 5",
            "while the training loss falls",
        ],
    );
    let no_learning = Made {
        f1: falling,
        ..Made::default()
    };
    assert_eq!(no_learning.sample().of(Kind::Overfitting), []);
    let no_fall = Made {
        loss: learning,
        ..Made::default()
    };
    assert_eq!(no_fall.sample().find(), []);
}

#[test]
fn a_loss_in_trouble_comes_first() {
    let lost = Made {
        signal: opposed,
        loss: |step| (step < 300).then_some(0.8),
        ..Made::default()
    };
    let found = lost.sample().find();
    assert_says(&found[0], &["not a number since epoch 6"]);
    assert_eq!(found[0].evidence.step, Some(300));
    let leap = Made {
        loss: |step| Some(if step == 350 { 3.0 } else { 0.8 }),
        ..Made::default()
    };
    let found = leap.sample().find();
    assert_eq!(found.len(), 1);
    assert_says(&found[0], &["leaps from 0.8", "to 2.9", "at epoch 7"]);
}
