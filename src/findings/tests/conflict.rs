//! The finding about the pair of classes that pulls apart.

use super::*;

#[test]
fn the_pair_that_pulls_apart_is_named_with_its_layer_and_time() {
    let sample = Made {
        signal: opposed,
        ..Made::default()
    }
    .sample();
    let found = sample.of(Kind::Conflict);
    assert_eq!(found.len(), 1);
    assert_says(
        &found[0],
        &[
            "Truck and Airplane",
            "most in branch2.conv1",
            "since epoch 4",
            "cosine −0.",
        ],
    );
    let evidence = &found[0].evidence;
    assert_eq!(evidence.pair, Some((5, 0)));
    assert_eq!(evidence.scope, Some(Scope::Backbone));
    assert_eq!(evidence.step, Some(9 * STEPS_PER_EPOCH));
}

/// Cars and birds fight harder than trucks and airplanes, but both are frequent.
#[test]
fn a_rare_class_against_a_frequent_one_comes_first() {
    let signal: Signal = |probe, layer, class| {
        let mut gradient = opposed(probe, layer, class);
        if layer == "fuse.conv" {
            gradient[WEIGHTS - 2] = match class {
                1 => 6.0,
                2 => -6.0,
                _ => 0.0,
            };
        }
        gradient
    };
    let found = Made {
        signal,
        ..Made::default()
    }
    .sample()
    .of(Kind::Conflict);
    assert_eq!(found[0].evidence.pair, Some((5, 0)));
    assert!(
        found[0].detail.contains("So do Bird × Car"),
        "{}",
        found[0].detail
    );
}

/// A conflict that has ended is not reported as lasting.
#[test]
fn conflict_that_is_over_is_not_found() {
    let signal: Signal = |probe, layer, class| opposed(9 - probe, layer, class);
    let sample = Made {
        signal,
        ..Made::default()
    }
    .sample();
    assert_eq!(sample.of(Kind::Conflict), []);
    assert_eq!(sample.of(Kind::Unlearned), []);
}
