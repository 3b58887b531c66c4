use super::*;

fn config(share: f64) -> RunConfig {
    RunConfig {
        probe_share: share,
        ..RunConfig::default()
    }
}

#[test]
fn a_probe_costs_what_its_passes_cost() {
    // Four mixed batches of 10 × 8 images, each with one forward and ten backward passes, and one pass of 320 images
    // with batch norm frozen.
    let cadence = Cadence::of(&config(0.1), &[100; 10]);
    let mixed = 320.0 * (1.0 + 2.0 * 10.0);
    let wanted = (mixed + 3.0 * 320.0) / (3.0 * 128.0);
    assert!((cadence.steps_per_probe - wanted).abs() < 1e-12);
    assert_eq!(cadence.every, Some((9.0 * wanted).ceil() as u64));
    // A step of SAM takes twice as long, so that a probe is half as many of them.
    let sam = RunConfig {
        sam_rho: Some(0.05),
        ..config(0.1)
    };
    let sam = Cadence::of(&sam, &[100; 10]);
    assert!((sam.steps_per_probe - wanted / 2.0).abs() < 1e-12);
}

#[test]
fn probes_take_at_most_their_share_of_the_time() {
    for (share, classes) in [(0.05, 2), (0.1, 6), (0.3, 20), (0.1, 100), (0.9, 3)] {
        let cadence = Cadence::of(&config(share), &vec![500; classes]);
        let every = cadence.every.unwrap_or(0) as f64;
        let taken = cadence.steps_per_probe / (every + cadence.steps_per_probe);
        assert!(
            taken <= share && taken > 0.75 * share,
            "{share} {classes} {taken}"
        );
    }
}

#[test]
fn a_fixed_number_of_steps_goes_before_the_share() {
    let fixed = RunConfig {
        probe_every: Some(7),
        ..config(0.1)
    };
    assert_eq!(Cadence::of(&fixed, &[50; 4]).every, Some(7));
    assert_eq!(Cadence::of(&config(0.0), &[50; 4]).every, None);
}

#[test]
fn beyond_twenty_classes_the_cost_stays_that_of_twenty() {
    let cost = |classes| Cadence::of(&config(0.1), &vec![500; classes]).steps_per_probe;
    // Twenty classes take the backward passes; the others lend a few images to the statistics.
    assert!(cost(100) < 2.0 * cost(20));
}
