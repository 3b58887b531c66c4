//! The finding about conflict between frequent and rare classes.

use super::*;

/// From epoch 4 on, frequent classes (0 and 1 of six) and rare ones (4 and 5) pull against each other in branch2.conv1.
fn head_against_tail(probe: u64, layer: &str, class: usize) -> Vec<f64> {
    let mut gradient = own(probe, layer, class);
    if layer == "branch2.conv1" && probe >= 4 {
        gradient[WEIGHTS - 1] = match class {
            0 | 1 => 2.0,
            4 | 5 => -2.0,
            _ => 0.0,
        };
    }
    gradient
}

#[test]
fn conflict_of_frequent_and_rare_classes_is_named_with_its_layer_and_time() {
    let found = Made {
        signal: head_against_tail,
        ..Made::default()
    }
    .sample()
    .of(Kind::Thirds);
    assert_eq!(found.len(), 1);
    assert_says(
        &found[0],
        &[
            "in branch2.conv1 since epoch 4",
            "interference 0.",
            "among all other pairs 0.0",
            "noise floor 0.0",
        ],
    );
    let detail = &found[0].detail;
    for words in [
        "Frequent are Airplane and Car, rare Truck and Deer",
        "4 of their 4 pairs are in resolved conflict",
        "in 1 of 6 layers",
    ] {
        assert!(detail.contains(words), "`{words}` is missing in: {detail}");
    }
    let evidence = &found[0].evidence;
    let layer = Scope::Layer("branch2.conv1".to_owned());
    assert_eq!(evidence.scope, Some(layer));
    assert_eq!(evidence.step, Some(9 * STEPS_PER_EPOCH));
    let (rare, frequent) = evidence.pair.unwrap_or_default();
    assert!(rare > 3 && frequent < 2, "{:?}", evidence.pair);
}

/// The same gradients where all classes are equally frequent, or where the frequent classes are others.
#[test]
fn classes_that_are_not_frequent_or_rare_give_no_finding() {
    let silent = |made: Made| assert_eq!(made.sample().of(Kind::Thirds), []);
    silent(Made {
        signal: head_against_tail,
        counts: vec![500; 6],
        ..Made::default()
    });
    // Frequent are now 2 and 3: classes of the middle fight the rare ones.
    silent(Made {
        signal: head_against_tail,
        counts: vec![400, 200, 2000, 900, 100, 40],
        ..Made::default()
    });
    // A single pair pulls apart: that is a finding about the pair.
    silent(Made {
        signal: opposed,
        ..Made::default()
    });
    // The conflict is over.
    silent(Made {
        signal: |probe, layer, class| head_against_tail(9 - probe, layer, class),
        ..Made::default()
    });
}

/// Every class pulls against every other one equally strongly, as near a stationary point.
#[test]
fn conflict_of_all_classes_is_none_of_frequent_and_rare_ones() {
    let all: Signal = |_, _, class| {
        let mut gradient = vec![0.0; WEIGHTS];
        (0..6).for_each(|k| gradient[k] = if k == class { 5.0 } else { -1.0 });
        gradient
    };
    let sample = Made {
        signal: all,
        ..Made::default()
    }
    .sample();
    assert_eq!(sample.of(Kind::Thirds), []);
}

#[test]
fn noise_gives_no_finding_at_any_number_of_classes() {
    for (classes, pieces) in [(6, 4), (10, 4), (24, 2)] {
        for seed in 0..8 {
            let sample = Made {
                seed: 100 * classes + seed,
                counts: (0..classes).map(|k| 2000 - 50 * k as usize).collect(),
                pieces,
                signal: none,
                noise: |_| 1.0,
                is_frozen: seed % 2 == 0,
                ..Made::default()
            }
            .sample();
            assert_eq!(sample.of(Kind::Thirds), [], "{classes} classes");
        }
    }
}
