//! Effects by layer on a recorded run, against sums over layers that other figures make, and for runs that minimise
//! another loss.

use anyhow::{Context as _, Result};

use super::*;
use crate::config::Loss;
use crate::figure::Kind;
use crate::figure::one_class::{ledger, ledger_time, what_if};
use crate::figure::testing::{clicked, recorded, says, view};
use crate::run::{Run, Scope};

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        _ => None,
    }
}

/// −lr Σ_j π_j ⟨g_j, g_k⟩ from the tensors themselves, of the class itself from different pieces alone.
#[test]
fn a_layer_is_the_sum_of_the_stored_products() -> Result<()> {
    let run = recorded("solar-branch")?;
    let (subject, step) = (run.subject(), run.run.probes[3].step);
    let tensors = subject.probes.get(&step).context("probe")?;
    let size = tensors.n.len();
    let (class, pieces) = (4, size / tensors.classes);
    let lr = run.run.steps.iter().rfind(|x| x.step <= step);
    let lr = lr.context("learning rate")?.lr;
    let effects = effects_at(subject, step, class).context("effects")?;
    for (gram, effect) in effects.iter().enumerate() {
        let mut wanted = 0.0;
        for (j, share) in run.run.shares(step).iter().enumerate() {
            let (mut sum, mut total) = (0.0, 0.0);
            for s in class * pieces..(class + 1) * pieces {
                for t in (j * pieces..(j + 1) * pieces).filter(|t| *t != s) {
                    let n = f64::from(tensors.n[s]) * f64::from(tensors.n[t]);
                    sum += n * f64::from(tensors.gram[(gram * size + s) * size + t]);
                    total += n;
                }
            }
            wanted -= lr * share * sum / total;
        }
        let nats = effect.context("effect")?.nats;
        assert!(
            (nats - wanted).abs() < 1e-9 * wanted.abs(),
            "{nats} and {wanted}"
        );
    }
    Ok(())
}

/// The layers of a moment add up to the value of the curve for the whole network: for predicted steps or, where
/// another loss is minimised, for the steps taken.
#[test]
fn layers_add_up_to_the_curve() -> Result<()> {
    let recorded = recorded("solar-branch")?;
    let view = View {
        scope: Scope::Network,
        ..view()
    };
    for (loss, column) in [(Loss::Ce, 3), (Loss::Focal, 6)] {
        let run = minimising(&recorded.run, loss);
        let subject = Subject {
            run: &run,
            ..recorded.subject()
        };
        let (layers, curve) = (table(subject, &view), ledger_time::table(subject, &view));
        for moment in &curve.rows {
            let of = layers.rows.iter().filter(|row| row[0] == moment[0]);
            let parts: Option<Vec<f64>> = of.map(|row| number(&row[6])).collect();
            let wanted = number(&moment[column]);
            assert_eq!(parts.is_some(), wanted.is_some());
            if let Some((parts, wanted)) = parts.zip(wanted) {
                let sum: f64 = parts.iter().sum();
                assert!((sum - wanted).abs() < 1e-9, "{sum} instead of {wanted}");
            }
        }
    }
    Ok(())
}

#[test]
fn a_click_goes_to_a_layer_at_a_moment() -> Result<()> {
    let run = recorded("solar-branch")?;
    let picks = clicked(Kind::LedgerDepth, run.subject(), &view(), Shown::NAME);
    assert!(
        matches!(picks[..], [Pick::ScopeAt(Scope::Layer(_), _)]),
        "{picks:?}"
    );
    Ok(())
}

#[test]
fn the_scale_has_both_signs_and_ends_at_a_number_one_can_say() {
    let scale = Scale::to(0.0034);
    assert!((scale.end - 0.005).abs() < 1e-12);
    for (nats, share) in [(0.0, 0.0), (0.005, 1.0), (-0.005, -1.0)] {
        assert!((scale.share(nats) - share).abs() < 1e-12);
    }
    assert!(scale.share(1e-4) > 0.25 && scale.share(1e-4) < scale.share(1e-3));
    assert!(Scale::to(0.0).end > 0.0);
}

fn minimising(run: &Run, loss: Loss) -> Run {
    let mut run = run.clone();
    if let Some(started) = &mut run.started {
        started.config.loss = loss;
    }
    run
}

/// Where class gradients do not make up the steps, effects are not predicted, and measured effects stay.
#[test]
fn of_another_loss_only_the_measured_side_is_shown() -> Result<()> {
    let recorded = recorded("solar-branch")?;
    let run = minimising(&recorded.run, Loss::Focal);
    let other = Subject {
        run: &run,
        ..recorded.subject()
    };
    let view = view();
    for kind in [Kind::Ledger, Kind::LedgerTime, Kind::WhatIf] {
        let sentence = "this run minimises focal";
        assert!(says(kind, other, &view, sentence), "{}", kind.name());
        assert!(!says(kind, recorded.subject(), &view, sentence));
    }
    assert!(says(
        Kind::LedgerDepth,
        other,
        &view,
        "the step actually taken"
    ));
    // Texts of predictions, and the sliders that change them, are shown for cross-entropy alone.
    for (kind, predicted) in [
        (Kind::Ledger, "All on Physical-damage"),
        (Kind::LedgerTime, "one plain step"),
        (Kind::LedgerDepth, "one plain step"),
        (Kind::WhatIf, "Weight of Clean"),
        (Kind::WhatIf, "PCGrad"),
    ] {
        assert!(
            says(kind, recorded.subject(), &view, predicted),
            "{predicted}"
        );
        assert!(!says(kind, other, &view, predicted), "{predicted}");
    }
    assert!(says(
        Kind::Ledger,
        other,
        &view,
        "The step taken before step 288"
    ));

    // Tables: the measured side is that of the same run with cross-entropy, the predicted one is gone.
    let both = [recorded.subject(), other];
    let [before, after] = both.map(|subject| ledger_time::table(subject, &view));
    for (before, after) in before.rows.iter().zip(&after.rows) {
        assert_eq!(after[3..6], [Value::None, Value::None, Value::None]);
        assert_eq!(after[6..], before[6..]);
    }
    let [before, after] = both.map(|subject| what_if::table(subject, &view));
    assert_eq!(before.rows.len(), after.rows.len());
    for (before, after) in before.rows.iter().zip(&after.rows) {
        assert!(after[1..6].iter().all(|value| *value == Value::None));
        assert_eq!(after[6..], before[6..]);
        assert!(number(&after[6]).is_some() && number(&after[7]).is_some());
    }
    let ledger = ledger::table(other, &view);
    assert_eq!(ledger.rows.len(), 1);
    assert_eq!(ledger.rows[0][0], "step taken".into());
    Ok(())
}
