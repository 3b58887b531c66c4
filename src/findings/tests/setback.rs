//! The finding about classes that steps unlearned during a span of training.

use super::*;
use crate::config::Loss;
use crate::findings::setback::longest;

/// Class 5 is unlearned by class 0 at these probes, and has a direction of its own at others.
fn opposed_at(probes: &[u64], probe: u64, layer: &str, class: usize) -> Vec<f64> {
    if probes.contains(&probe) {
        opposed(4, layer, class)
    } else {
        own(probe, layer, class)
    }
}

fn setbacks(signal: Signal) -> Vec<Finding> {
    let sample = Made {
        signal,
        ..Made::default()
    }
    .sample();
    sample.of(Kind::Setback)
}

#[test]
fn a_class_unlearned_in_the_first_probes_is_named_with_their_number_and_the_worst_of_them() {
    let found = setbacks(|probe, layer, class| opposed_at(&[1, 2, 3, 4, 5], probe, layer, class));
    assert_eq!(found.len(), 1, "{found:#?}");
    println!("{}.\n{}", found[0].sentence, found[0].detail);
    assert_says(
        &found[0],
        &[
            "At the first 5 probes, up to epoch 5, the common step raised Truck's loss in the backbone (by 0.",
            "nats a step",
        ],
    );
    assert!(
        found[0]
            .detail
            .contains("At the newest probe, epoch 9, the step")
    );
    let evidence = &found[0].evidence;
    assert_eq!((evidence.class, evidence.pair), (Some(5), Some((5, 0))));
    let step = evidence.step.unwrap();
    assert!((50..=250).contains(&step), "{step}");
}

#[test]
fn a_span_within_training_has_both_ends_and_may_have_a_gap() {
    let found = setbacks(|probe, layer, class| opposed_at(&[3, 4, 5, 7], probe, layer, class));
    assert_says(
        &found[0],
        &["At 4 of 5 successive probes, from epoch 3 to 7,"],
    );
    let found = setbacks(|probe, layer, class| opposed_at(&[1, 2, 4, 5, 6], probe, layer, class));
    assert_says(&found[0], &["At 5 of the first 6 probes, up to epoch 6,"]);
    // Two probes are too few, and so are probes with too many others between them.
    for probes in [&[4, 5][..], &[1, 3, 5, 7]] {
        let signal: Signal = if probes.len() == 2 {
            |probe, layer, class| opposed_at(&[4, 5], probe, layer, class)
        } else {
            |probe, layer, class| opposed_at(&[1, 3, 5, 7], probe, layer, class)
        };
        assert_eq!(setbacks(signal), []);
    }
}

/// The probes that rules look at are not the first ones of a long run.
#[test]
fn the_first_probes_of_a_long_run_are_not_mistaken_for_those_looked_at() {
    let sample = Made {
        // The newest probes begin with that of epoch 10.
        signal: |probe, layer, class| opposed_at(&[10, 11, 12, 13], probe, layer, class),
        probes: 10 + HISTORY as u64,
        ..Made::default()
    }
    .sample();
    let found = sample.of(Kind::Setback);
    assert_says(&found[0], &["At 4 successive probes, from epoch 10 to 13,"]);
}

/// Of several classes the rarest is named in the sentence, and the others in the detail.
#[test]
fn several_classes_share_one_finding() {
    let found = setbacks(|probe, layer, class| {
        let mut gradient = own(probe, layer, class);
        if layer == "branch2.conv1" && (2..=6).contains(&probe) {
            gradient[WEIGHTS - 1] = match class {
                0 => 6.0,
                2 | 5 => -4.0,
                _ => 0.0,
            };
        }
        gradient
    });
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_says(&found[0], &["raised Truck's loss"]);
    assert!(found[0].detail.contains("The same happened to Bird."));
}

/// A class that is being unlearned now has a finding of that kind, which says since when. Gradients of other losses
/// than cross-entropy, and two pieces, tell nothing.
#[test]
fn nothing_is_said_twice_or_without_a_measure() {
    assert_eq!(setbacks(opposed), []);
    let early: Signal = |probe, layer, class| opposed_at(&[1, 2, 3, 4, 5], probe, layer, class);
    let two = Made {
        signal: early,
        pieces: 2,
        ..Made::default()
    };
    assert_eq!(two.sample().of(Kind::Setback), []);
    let mut sample = Made {
        signal: early,
        ..Made::default()
    }
    .sample();
    assert_eq!(sample.of(Kind::Setback).len(), 1);
    if let Some(started) = &mut sample.run.started {
        started.config.loss = Loss::Focal;
    }
    assert_eq!(sample.of(Kind::Setback), []);
}

#[test]
fn the_longest_span_holds_at_both_ends_and_mostly_between() {
    let holds = |text: &str| text.chars().map(|x| x == 'x').collect::<Vec<_>>();
    assert_eq!(longest(&holds("xxx....xxxx.")), Some((7, 10)));
    assert_eq!(longest(&holds("xx.xx.")), Some((0, 4)));
    assert_eq!(longest(&holds("xx.x.x")), None);
    assert_eq!(longest(&holds(".xx.")), None);
    assert_eq!(longest(&holds("xxx.xxx")), Some((0, 6)));
    assert_eq!(longest(&[]), None);
}
