//! Conflicts of rare and frequent classes on a recorded run, against products written out.

use anyhow::{Context as _, Result};

use super::*;
use crate::figure::testing::{recorded, view};

/// The rarest classes of the recorded run are 4 and 3, the most frequent 0 and 1.
const RARE: [usize; 2] = [4, 3];
const FREQUENT: [usize; 2] = [0, 1];

#[test]
fn cosines_and_effects_are_those_of_the_stored_products() -> Result<()> {
    let run = recorded("solar-branch")?;
    let subject = run.subject();
    let probe = subject.probe(&view()).context("a probe")?;
    let tensors = subject.probes.get(&probe.step).context("tensors")?;
    let size = tensors.n.len();
    let pieces = size / tensors.classes;
    let lr = learning_rate_at(subject.run, probe.step).context("a learning rate")?;
    let counts = subject.run.started.as_ref().context("a header")?;
    let total: usize = counts.train_counts.iter().sum();
    let found = all(subject, &view());
    let layers: Vec<_> = layers_with_gradients(subject).collect();
    assert_eq!(found.len(), 4 * (layers.len() - 1));
    for between in found {
        let known = layers.iter().find(|(layer, _)| layer.name == between.layer);
        let (layer, gram) = known.context("a layer")?;
        assert_eq!(layer.group, between.block);
        assert!(layer.is_in_backbone());
        let product = |a: usize, b: usize| -> f64 {
            let (mut sum, mut images) = (0.0, 0.0);
            for s in a * pieces..(a + 1) * pieces {
                for t in b * pieces..(b + 1) * pieces {
                    let n = f64::from(tensors.n[s]) * f64::from(tensors.n[t]);
                    sum += n * f64::from(tensors.gram[(gram * size + s) * size + t]);
                    images += n;
                }
            }
            sum / images
        };
        let (a, b) = (between.rare, between.frequent);
        assert!(RARE.contains(&a) && FREQUENT.contains(&b), "{a} {b}");
        let norms = [product(a, a).sqrt(), product(b, b).sqrt()];
        let close = |got: f64, wanted: f64| {
            let bound = 1e-9 * wanted.abs().max(1e-12);
            assert!((got - wanted).abs() <= bound, "{got} instead of {wanted}");
        };
        close(between.cosine, product(a, b) / (norms[0] * norms[1]));
        close(between.norms[0], norms[0]);
        close(between.norms[1], norms[1]);
        let share = counts.train_counts[b] as f64 / total as f64;
        let effect = between.effect.context("an effect")?;
        close(effect.nats, -lr * share * product(a, b));
        let error = between.standard_error.context("an error")?;
        assert_eq!(between.resolved, between.cosine.abs() > 3.0 * error);
    }
    Ok(())
}

/// The list has each pair once, in its worst layer, and counts the others.
#[test]
fn the_list_has_the_worst_layer_of_every_pair_in_conflict() -> Result<()> {
    let run = recorded("solar-branch")?;
    let subject = run.subject();
    let mut lists = 0;
    for probe in &subject.run.probes {
        let view = View {
            step: Some(probe.step),
            ..View::default()
        };
        let all = all(subject, &view);
        assert!(all.is_sorted_by(|x, y| x.cosine <= y.cosine));
        let list = strongest(&Context::default(), subject, &view);
        let list = list.map_err(anyhow::Error::msg)?;
        assert!(list.pairs.is_sorted_by(|x, y| x.0.cosine <= y.0.cosine));
        assert_eq!(list.conflicting, list.pairs.len());
        for rare in RARE {
            for frequent in FREQUENT {
                let of = |x: &&Between| (x.rare, x.frequent) == (rare, frequent);
                let conflicts = all.iter().filter(of);
                let conflicts: Vec<_> =
                    conflicts.filter(|x| x.resolved && x.cosine < 0.0).collect();
                let mut listed = list.pairs.iter().filter(|(x, _)| of(&x));
                let listed = listed.next();
                assert_eq!(listed.map(|(x, _)| x), conflicts.first().copied());
                assert_eq!(listed.map_or(0, |(_, n)| *n), conflicts.len());
                lists += usize::from(listed.is_some());
            }
        }
        assert_eq!((list.all, list.layers), (4, all.len() / 4));
    }
    assert!(lists > 0, "the run has conflicts");
    Ok(())
}

#[test]
fn nothing_is_listed_where_no_class_is_rare_or_no_probe_is_read() -> Result<()> {
    let mut run = recorded("solar-branch")?;
    let said = |subject: Subject<'_>| strongest(&Context::default(), subject, &view()).err();
    run.probes.whole.clear();
    let unread = said(run.subject()).context("a sentence")?;
    assert!(unread.contains("is being read"), "{unread}");
    assert_eq!(all(run.subject(), &view()), []);
    if let Some(started) = &mut run.run.started {
        started.train_counts.fill(100);
    }
    let equal = said(run.subject()).context("a sentence")?;
    assert!(equal.contains("equally frequent"), "{equal}");
    Ok(())
}
