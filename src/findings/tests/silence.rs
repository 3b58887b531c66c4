//! Runs in which no rule may find anything.

use super::*;

/// The number of those among `runs` synthetic runs, each with another seed, that have any finding; the first finding of
/// each is printed.
fn false_findings(runs: u64, made: impl Fn(u64) -> Made) -> u64 {
    let mut with_findings = 0;
    for seed in 0..runs {
        let found = made(seed).sample().find();
        if let Some(first) = found.first() {
            with_findings += 1;
            println!("seed {seed}: {}", first.sentence);
        }
    }
    with_findings
}

#[test]
fn pure_noise_gives_no_findings() {
    let mut total = 0;
    let mut found = 0;
    for (classes, is_frozen) in [
        (2, true),
        (3, false),
        (3, true),
        (6, false),
        (6, true),
        (10, true),
    ] {
        let runs = 40;
        let noisy = false_findings(runs, |seed| Made {
            seed: 1000 * classes + 100 * u64::from(is_frozen) + seed,
            counts: (0..classes).map(|k| 2000 >> k.min(6)).collect(),
            signal: none,
            noise: |_| 1.0,
            is_frozen,
            ..Made::default()
        });
        println!("{classes} classes, frozen {is_frozen}: {noisy} of {runs}");
        (total, found) = (total + runs, found + noisy);
    }
    assert!(
        20 * found < total,
        "{found} of {total} noise runs have findings"
    );
}

/// Gradients with directions of their own and noise that stays the same at every probe: no pair conflicts, no class is
/// unlearned.
#[test]
fn gradients_without_conflict_give_no_findings() {
    let mut total = 0;
    let mut found = 0;
    for (classes, pieces) in [(4, 4), (6, 4), (10, 4), (24, 2)] {
        let runs = if classes > 10 { 10 } else { 40 };
        let noisy = false_findings(runs, |seed| Made {
            seed: 1000 * classes + seed,
            counts: (0..classes).map(|k| 2000 >> k.min(6)).collect(),
            pieces,
            is_frozen: true,
            ..Made::default()
        });
        println!("{classes} classes: {noisy} of {runs}");
        (total, found) = (total + runs, found + noisy);
    }
    assert!(20 * found < total, "{found} of {total} runs have findings");
}

#[test]
fn too_few_probes_or_classes_give_no_findings() {
    let silent = |made: Made| assert_eq!(made.sample().find(), []);
    // A single probe, however clear its conflict.
    silent(Made {
        signal: opposed,
        probes: 1,
        ..Made::default()
    });
    // A single class; and two classes, which always pull apart near a stationary point.
    silent(Made {
        counts: vec![500],
        ..Made::default()
    });
    let two = Made {
        counts: vec![500, 100],
        signal: |_, _, class| vec![if class == 0 { 1.0 } else { -0.8 }; WEIGHTS],
        ..Made::default()
    };
    let two = two.sample();
    assert_eq!(two.of(Kind::Conflict), []);
    assert_eq!(two.of(Kind::Depth), []);
    // No run; a run without steps and evaluations; a run without a header.
    assert_eq!(find(&[]), []);
    let mut sample = Made::default().sample();
    sample.run.evals.clear();
    sample.run.steps.clear();
    assert_eq!(sample.find(), []);
    sample.run.started = None;
    assert_eq!(sample.find(), []);
}
