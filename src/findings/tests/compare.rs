//! The finding about the effect of attention between two runs.

use super::*;
use crate::run::BatchNorm;

/// A run without attention, with an interference of about 0.4, and a run with branch attention and an interference of
/// about `after`. `f1` gives the F1 of their classes, by probe and class.
fn pair(after: f64, f1: [fn(u64, usize) -> Option<f64>; 2]) -> [Sample; 2] {
    let made = |attention, f1| Made {
        attention,
        f1,
        signal: none,
        noise: |_| 1.0,
        ..Made::default()
    };
    let mut both = [
        made(Attention::None, f1[0]).sample(),
        made(Attention::Branch, f1[1]).sample(),
    ];
    for (sample, level) in both.iter_mut().zip([0.4, after]) {
        for (index, probe) in sample.run.probes.iter_mut().enumerate() {
            probe.backbone.interference = Some(level + 0.01 * ((index * 7) % 3) as f64);
            probe.backbone.floor = Some(0.02);
        }
    }
    both
}

fn compared(samples: &[Sample; 2]) -> Vec<Finding> {
    let [a, b] = samples;
    let found = find(&[a.subject(), b.subject()]);
    found
        .into_iter()
        .filter(|x| x.kind == Kind::Comparison)
        .collect()
}

#[test]
fn the_effect_of_attention_is_said_with_its_uncertainty() {
    let even: fn(u64, usize) -> Option<f64> = |_, _| Some(0.6);
    let better: fn(u64, usize) -> Option<f64> = |_, k| Some(if k >= 4 { 0.95 } else { 0.6 });
    let found = compared(&pair(0.3, [even, even]));
    assert_says(
        &found[0],
        &[
            "CSBA (branch attention) lowers the backbone's conflict by 2",
            "± 0",
            "but does not change the rare classes' F1 beyond noise",
        ],
    );
    assert_eq!(found[0].evidence.run, 1);
    assert!(found[0].detail.contains("One run each"));
    let found = compared(&pair(0.3, [even, better]));
    assert_says(
        &found[0],
        &[
            "lowers the backbone's conflict",
            "and raises the rare classes' F1 by 0.",
        ],
    );
    let found = compared(&pair(0.4, [even, better]));
    assert_says(
        &found[0],
        &[
            "does not change the backbone's conflict beyond noise",
            "but raises",
        ],
    );
    // No finding where nothing changes, nor where the runs differ in more than attention.
    assert_eq!(compared(&pair(0.4, [even, even])), []);
    let mut other = pair(0.3, [even, even]);
    if let Some(started) = &mut other[1].run.started {
        started.config.seed = 1;
    }
    assert_eq!(compared(&other), []);
}

/// The runs may come in any order, as in the window: the baseline is the run without attention.
#[test]
fn the_baseline_is_the_one_without_attention() {
    let even: fn(u64, usize) -> Option<f64> = |_, _| Some(0.6);
    let [a, b] = pair(0.3, [even, even]);
    let found = compared(&[b, a]);
    assert_says(&found[0], &["CSBA (branch attention) lowers"]);
    assert_eq!(found[0].evidence.run, 0);
}

/// Runs whose class gradients were measured in two ways are not compared with each other.
#[test]
fn measures_are_not_mixed() {
    let even: fn(u64, usize) -> Option<f64> = |_, _| Some(0.6);
    let mut both = pair(0.3, [even, even]);
    let found = compared(&both);
    assert_eq!(found[0].batch_norm, Some(BatchNorm::Frozen));
    assert!(
        found[0]
            .detail
            .ends_with("Class gradients with batch norm frozen.")
    );
    if let Some(started) = &mut both[0].run.started {
        started.probe.training = vec![0];
    }
    assert!(compared(&both).is_empty());
}

/// With fewer common probes than a change of conflict takes, the change of F1 is said alone.
#[test]
fn few_common_probes_do_not_hide_a_difference_of_scores() {
    let even: fn(u64, usize) -> Option<f64> = |_, _| Some(0.6);
    let better: fn(u64, usize) -> Option<f64> = |_, k| Some(if k >= 4 { 0.95 } else { 0.6 });
    for kept in [0, 1, 3] {
        let mut few = pair(0.3, [even, better]);
        few[1].run.probes.truncate(kept);
        let found = compared(&few);
        assert_says(
            &found[0],
            &["CSBA (branch attention) raises the rare classes' F1 by 0."],
        );
        assert!(
            !found[0].sentence.contains("conflict"),
            "{}",
            found[0].sentence
        );
        assert!(found[0].detail.contains("Conflict is not compared"));
        let mut nothing = pair(0.3, [even, even]);
        nothing[1].run.probes.truncate(kept);
        assert_eq!(compared(&nothing), []);
    }
}
