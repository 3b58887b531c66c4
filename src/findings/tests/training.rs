//! The findings about losses and scores.

use super::*;
use crate::findings::training::leap;

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

/// What is said of several classes holds for the one with the fewest images.
#[test]
fn the_bound_of_several_classes_is_that_of_the_fewest_images() {
    let mut sample = Made {
        f1: |_, k| Some(if k == 5 || k == 3 { 0.0 } else { 0.6 }),
        ..Made::default()
    }
    .sample();
    for eval in &mut sample.run.evals {
        eval.support[3] = 10;
    }
    let found = sample.of(Kind::Score);
    let words = "Truck and Cat are never recognised (F1 0, recall below 30 %)";
    assert_says(&found[0], &[words]);
    let detail = &found[0].detail;
    let words = "Cat has the fewest validation images, 10, none of which is right";
    assert!(detail.contains(words), "{detail}");
}

/// Two validations are needed, and one test, since a run may be tested at its end alone.
#[test]
fn one_validation_does_not_tell_that_a_class_is_never_right() {
    let mut sample = Made {
        f1: |_, k| Some(if k == 5 { 0.0 } else { 0.6 }),
        ..Made::default()
    }
    .sample();
    let evals = &mut sample.run.evals;
    evals.drain(..evals.len() - 1);
    assert_eq!(sample.of(Kind::Score), []);
    sample.run.evals[0].split = Split::Test;
    let found = sample.of(Kind::Score);
    assert_says(&found[0], &["Truck is never recognised"]);
    assert!(!found[0].detail.contains("the one before"), "{found:?}");
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

/// A class with a few images, none of which is recognised, is neither passed over nor said to be never recognised.
#[test]
fn a_class_with_few_images_is_too_few_to_tell() {
    for (images, words) in [
        (0, "Cat has 0 validation images, so nothing tells"),
        (
            1,
            "Cat has at most 1 validation image, not recognised: too few to tell",
        ),
        (
            5,
            "Cat has at most 5 validation images, none recognised: too few to tell",
        ),
        (6, "Cat is never recognised"),
    ] {
        let mut sample = Made::default().sample();
        for eval in &mut sample.run.evals {
            eval.support[3] = images;
            eval.f1[3] = Some(0.0);
        }
        let found = sample.of(Kind::Score);
        assert_eq!(found.len(), 1, "{images}");
        assert_says(&found[0], &[words]);
        assert_eq!(found[0].evidence.class, Some(3));
    }
}

/// Steps without a loss do not move the leap to another step.
#[test]
fn a_leap_is_at_its_step_where_earlier_steps_have_no_loss() {
    let mut sample = Made {
        loss: |step| Some(if step == 350 { 3.0 } else { 0.8 }),
        ..Made::default()
    }
    .sample();
    sample.run.steps[3].loss = None;
    sample.run.steps[60].loss = None;
    let started = sample
        .run
        .started
        .clone()
        .unwrap_or_else(|| Made::default().started());
    let found = leap(&sample.run, &started);
    assert_eq!(found.and_then(|x| x.evidence.step), Some(350));
}

/// Mixed batches have a higher loss than others, which is no leap; what is far above all of them is one.
#[test]
fn a_leap_among_mixed_batches_is_above_all_of_them() {
    let mixed: fn(u64) -> Option<f64> = |step| Some(if step % 3 == 0 { 2.0 } else { 0.8 });
    let made = Made {
        loss: mixed,
        probes: 24,
        ..Made::default()
    };
    let mut started = made.started();
    (started.config.mixup, started.config.cutmix) = (None, Some(1.0));
    let mut run = made.sample().run;
    assert_eq!(leap(&run, &started), None);
    let at = run.steps.len() - 10;
    // The range is 1.2 and ends at 2, but for some noise.
    run.steps[at].loss = Some(2.9);
    assert_eq!(leap(&run, &started), None);
    run.steps[at].loss = Some(3.6);
    let found = leap(&run, &started).expect("a leap");
    assert_says(&found, &["leaps from between ", " to 3.60 at epoch "]);
    assert_eq!(found.evidence.step, Some(run.steps[at].step));
    // Where few batches are mixed much, those before may all be others.
    for (mixup, cutmix, share) in [
        (Some(0.05), None, None),
        (None, Some(1.0), Some(0.1)),
        (None, Some(0.05), None),
    ] {
        (started.config.mixup, started.config.cutmix) = (mixup, cutmix);
        started.config.cutmix_prob = share;
        assert_eq!(leap(&run, &started), None);
    }
    started.config.mixup = Some(0.2);
    assert!(leap(&run, &started).is_some());
}

/// Losses with class weights are not compared with those without, and other programs may mix their images.
#[test]
fn a_leap_is_not_one_of_another_loss() {
    let made = Made {
        loss: |step| Some(if step < 400 { 0.8 } else { 2.8 }),
        probes: 24,
        ..Made::default()
    };
    let mut started = made.started();
    let run = made.sample().run;
    assert!(leap(&run, &started).is_some());
    started.config.epochs = 24;
    started.config.class_weights = crate::config::ClassWeights::Effective;
    // Step 400 begins epoch 8.
    started.config.weights_from = Some(0.34);
    assert_eq!(leap(&run, &started), None);
    let mixed = Made {
        loss: |step| Some(if step % 400 == 0 { 2.8 } else { 0.8 }),
        ..made
    };
    let run = mixed.sample().run;
    let mut started = mixed.started();
    assert!(leap(&run, &started).is_some());
    started.recorder = Some(Box::default());
    started.config = RunConfig::default();
    let found = leap(&run, &started);
    assert!(found.is_none_or(|x| x.sentence.contains("between")));
}

/// The F1 of a class without images, which images of other classes are taken for, does not tell of overfitting.
#[test]
fn overfitting_is_measured_over_the_classes_that_its_error_covers() {
    let mut sample = Made {
        loss: |step| Some(1.5 - 0.002 * step as f64),
        ..Made::default()
    }
    .sample();
    for (at, eval) in sample.run.evals.iter_mut().enumerate() {
        eval.f1 = vec![Some(0.6); 6];
        eval.f1[5] = Some(0.9 - 0.09 * at as f64);
        eval.support[5] = 0;
        let sum: f64 = eval.f1.iter().flatten().sum();
        eval.macro_f1 = Some(sum / 6.0);
    }
    assert_eq!(sample.of(Kind::Overfitting), []);
    for (at, eval) in sample.run.evals.iter_mut().enumerate() {
        eval.f1[4] = Some(0.9 - 0.09 * at as f64);
        eval.f1[3] = eval.f1[4];
    }
    let found = sample.of(Kind::Overfitting);
    assert_eq!(found.len(), 1);
    // (3 · 0.6 + 2 · 0.45) / 5 and (3 · 0.6 + 2 · 0.09) / 5.
    assert_says(&found[0], &["0.540 → 0.396 ±"]);
    assert!(
        found[0].detail.contains("over the 5 classes"),
        "{}",
        found[0].detail
    );
}
