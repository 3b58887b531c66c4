//! Gate mean and spread over time, of constructed and recorded probes.

use super::*;
use crate::figure::gates::alike;
use crate::figure::testing::{recorded, tensors};

/// Two branches of four classes: mean, spread and correlation by hand.
#[test]
fn moments_are_those_of_their_definitions() {
    // The second branch tells classes apart as the first does, half as far.
    let first = vec![0.1, 0.3, 0.7, 0.5];
    let second = first.iter().map(|x| 0.2 + x / 2.0).collect();
    let moment = Moment::new(&tensors(
        4,
        &[("branch1.gate", first), ("branch2.gate", second)],
    ));
    let near = |x: Option<f64>, y: f64| x.is_some_and(|x| (x - y).abs() < 1e-6);
    let (name, mean, spread) = &moment.branches[0];
    assert_eq!(name, "branch1");
    assert!(near(*mean, 0.4));
    // Squares of the distances from 0.4 are 0.09, 0.01, 0.09 and 0.01.
    assert!(near(*spread, (0.2_f64 / 3.0).sqrt()));
    assert!(near(moment.pair((0, 1)), 1.0));
    // Classes 0 and 2 are 0.6 apart in one channel and 0.3 in the other.
    assert!(near(
        Some(moment.farthest),
        ((0.36 + 0.09) / 2.0_f64).sqrt()
    ));
}

#[test]
fn probes_that_are_not_read_break_the_lines() -> anyhow::Result<()> {
    let recorded = recorded("solar-branch")?;
    let context = Context::default();
    let whole = over_time(&context, recorded.subject());
    assert_eq!(whole.curves.len(), 6);
    assert!(whole.curves.iter().all(|curve| !curve.is_empty()));
    let mut fewer = recorded.subject().probes.clone();
    let middle = recorded.run.probes[recorded.run.probes.len() / 2].step;
    fewer.whole.remove(&middle);
    let subject = Subject {
        probes: &fewer,
        ..recorded.subject()
    };
    let broken = over_time(&context, subject);
    assert_ne!(format!("{whole:?}"), format!("{broken:?}"));
    // Values kept from before equal values computed anew.
    let anew = over_time(&Context::default(), subject);
    assert_eq!(format!("{anew:?}"), format!("{broken:?}"));
    let probes = recorded.subject().probes.whole.len();
    assert_eq!(
        (
            table(recorded.subject()).rows.len(),
            alike::table(recorded.subject()).rows.len()
        ),
        (3 * probes, 3 * probes)
    );
    Ok(())
}
