//! The findings about where in the network conflict is, and where no pair is resolved.

use super::*;

#[test]
fn the_layer_in_which_conflict_exceeds_noise_most_is_named() {
    // All classes but the first two pull apart along one axis in branch1.conv2; fuse.conv is noise.
    let signal: Signal = |probe, layer, class| match layer {
        "branch1.conv2" => {
            let mut gradient = own(probe, layer, class);
            gradient[WEIGHTS - 1] = if class % 2 == 0 { 3.0 } else { -3.0 };
            gradient
        }
        "fuse.conv" => none(probe, layer, class),
        _ => own(probe, layer, class).iter().map(|x| 10.0 * x).collect(),
    };
    let sample = Made {
        signal,
        seed: 3,
        ..Made::default()
    }
    .sample();
    let found = sample.of(Kind::Depth);
    assert_says(
        &found[0],
        &["most in branch1.conv2", "interference 0.", "noise floor 0."],
    );
    assert_eq!(
        found[0].evidence.scope,
        Some(Scope::Layer("branch1.conv2".to_owned()))
    );
}

#[test]
fn the_layer_in_which_nothing_is_resolved_is_named() {
    let mut sample = Made {
        signal: |probe, layer, class| {
            let mut gradient = own(probe, layer, class);
            gradient[WEIGHTS - 1] = if class % 2 == 0 { 3.0 } else { -3.0 };
            gradient
        },
        ..Made::default()
    }
    .sample();
    for probe in &mut sample.run.probes {
        (probe.layers[5].resolved, probe.layers[5].conflicting) = (0, 0);
    }
    let found = sample.of(Kind::Depth);
    assert_says(
        &found[0],
        &["in the backbone as a whole, where no single layer stands out"],
    );
    assert_says(
        &found[1],
        &["Nothing is resolved in fuse.conv: 0 of 15 pairs"],
    );
    // A layer without gradients, as one that is frozen, has no pairs.
    for probe in &mut sample.run.probes {
        probe.layers[5].pairs = 0;
    }
    let found = sample.of(Kind::Depth);
    assert!(!found.iter().any(|x| x.sentence.contains("Nothing")));
}
