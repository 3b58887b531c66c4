//! The findings about gates that do little.

use super::*;

fn gated(gates: fn(usize, usize, usize) -> f32) -> Vec<Finding> {
    Made {
        gates: Some(gates),
        ..Made::default()
    }
    .sample()
    .of(Kind::Gates)
}

/// A pseudo-random number in [0, 1) for a class and a channel.
fn dice(class: usize, channel: usize, purpose: &str) -> f32 {
    Random::new(0, purpose, class as u64, channel as u64).uniform() as f32
}

#[test]
fn gates_that_do_little_are_named() {
    let saturated = gated(|_, class, channel| {
        if channel < 12 {
            0.999
        } else {
            dice(class, channel, "")
        }
    });
    assert_says(&saturated[0], &["75 ± 0 % of the gates are saturated"]);
    let alike = gated(|branch, class, channel| {
        0.2 + 0.5 * dice(branch, channel, "channel") + 0.002 * dice(class, channel, "")
    });
    assert_says(
        &alike[0],
        &["alike", "standard deviation over classes 0.000"],
    );
    // The gates of the classes lie on a line in each branch, in the same relative positions; the branches differ only
    // in the order of channels.
    let same = gated(|branch, class, channel| {
        0.1 + 0.8 * class as f32 / 6.0 * ((channel + 5 * branch) % 16) as f32 / 16.0
    });
    assert_says(&same[0], &["all 3 branches", "correlation 1.000"]);
}

/// The share of the only branch is 1, which says nothing.
#[test]
fn the_share_of_a_single_branch_is_not_saturated() {
    let mut sample = Made {
        gates: Some(|_, _, _| 1.0),
        attention: Attention::Class,
        ..Made::default()
    }
    .sample();
    assert_eq!(sample.of(Kind::Gates).len(), 1);
    for tensors in sample.probes.values_mut() {
        let gates = &mut Arc::make_mut(tensors).gates;
        while gates.len() > 1 {
            gates.pop_last();
        }
    }
    assert_eq!(sample.of(Kind::Gates), []);
}

#[test]
fn gates_that_tell_classes_apart_give_no_finding() {
    assert_eq!(
        gated(|branch, class, channel| 0.1 + 0.8 * dice(class, channel, ["a", "b", "c"][branch])),
        []
    );
}
