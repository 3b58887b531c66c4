//! A pair of classes by layer and over time, on a recorded run and against products written out.

use super::*;
use crate::figure::Kind;
use crate::figure::conflicts::pair;
use crate::figure::testing::{clicked, recorded, says, view};
use crate::run::Scope;
use crate::run::event::Split;
use crate::run::probes::Probes;
use anyhow::{Context as _, Result};

/// The cosine of the means of the classes' pieces, weighted by their images, from the tensors themselves.
#[test]
fn cosines_are_those_of_the_stored_products() -> Result<()> {
    let run = recorded("solar-branch")?;
    let subject = run.subject();
    let table = table(subject, &view());
    let layers: Vec<_> = layers_with_gradients(subject).collect();
    assert_eq!(table.rows.len(), layers.len() * run.run.probes.len());
    let mut rows = table.rows.iter();
    for probe in &run.run.probes {
        let tensors = subject.probes.get(&probe.step).context("probe")?;
        let size = tensors.n.len();
        let pieces = size / tensors.classes;
        for (layer, gram) in &layers {
            let product = |a: usize, b: usize| -> f64 {
                let (mut sum, mut total) = (0.0, 0.0);
                for s in a * pieces..(a + 1) * pieces {
                    for t in b * pieces..(b + 1) * pieces {
                        let n = f64::from(tensors.n[s]) * f64::from(tensors.n[t]);
                        sum += n * f64::from(tensors.gram[(gram * size + s) * size + t]);
                        total += n;
                    }
                }
                sum / total
            };
            let wanted = product(0, 4) / (product(0, 0) * product(4, 4)).sqrt();
            let row = rows.next().context("row")?;
            assert_eq!(row[2], layer.name.as_str().into());
            let Value::Number(cosine) = row[6] else {
                anyhow::bail!("{row:?}");
            };
            assert!((cosine - wanted).abs() < 1e-9, "{cosine} and {wanted}");
            assert_eq!(row[10], probe_norm(product(0, 0)));
        }
    }
    Ok(())
}

fn probe_norm(square: f64) -> Value {
    square.sqrt().into()
}

#[test]
fn a_click_goes_to_a_layer_at_a_moment() -> Result<()> {
    let run = recorded("solar-branch")?;
    let picks = clicked(Kind::PairDepth, run.subject(), &view(), Cosines::NAME);
    let probes = &run.run.probes;
    let layers: Vec<_> = layers_with_gradients(run.subject()).collect();
    let [Pick::ScopeAt(Scope::Layer(layer), step)] = &picks[..] else {
        anyhow::bail!("{picks:?}");
    };
    assert_eq!(*layer, layers[layers.len() / 2].0.name);
    assert_eq!(*step, probes[probes.len() / 2].step);
    Ok(())
}

/// Where nothing was validated, confusion is that of the test images.
#[test]
fn norms_and_confusion_stand_below_the_cosine() -> Result<()> {
    let recorded = recorded("solar-branch")?;
    let parts = [
        "Norms of the selected pair",
        "Confusion of the selected pair",
    ];
    for part in parts {
        assert!(says(Kind::PairCosine, recorded.subject(), &view(), part));
        let unpaired = View::default();
        assert!(!says(Kind::PairCosine, recorded.subject(), &unpaired, part));
    }
    let mut run = recorded.run.clone();
    run.evals.retain(|eval| eval.split == Split::Test);
    let subject = Subject {
        run: &run,
        ..recorded.subject()
    };
    let view = View {
        step: None,
        ..view()
    };
    let note = pair::note(subject, &view).context("note")?;
    assert!(note.contains("test images"), "{note}");
    let table = pair::table(subject, &view);
    let last = table.rows.last().context("row")?;
    let confusion = &run.evals.last().context("evaluation")?.confusion;
    let share = |truth: usize, taken_for: usize| {
        let images: u64 = confusion[truth].iter().sum();
        Value::Number(confusion[truth][taken_for] as f64 / images as f64)
    };
    assert_eq!(last[11..], ["test".into(), share(0, 4), share(4, 0)]);
    Ok(())
}

/// A probe that is not read is a hole in the figure, and the figure says how many probes are read.
#[test]
fn figures_say_how_many_probes_are_read() -> Result<()> {
    let run = recorded("solar-branch")?;
    let all = run.run.probes.len();
    let mut probes = run.subject().probes.clone();
    let last = *probes.whole.keys().next_back().context("probe")?;
    probes.whole.remove(&last);
    let words = format!("{} of {all} probes are read.", all - 1);
    for kind in [
        Kind::PairDepth,
        Kind::PairCosine,
        Kind::LedgerTime,
        Kind::LedgerDepth,
    ] {
        let part = Subject {
            probes: &probes,
            ..run.subject()
        };
        assert!(says(kind, part, &view(), &words), "{}", kind.name());
        assert!(!says(kind, run.subject(), &view(), "probes are read."));
    }
    let none = Probes::new();
    let unread = Subject {
        probes: &none,
        ..run.subject()
    };
    assert!(layers_at(unread, last, (0, 4)).is_none());
    let unpaired = View::default();
    let sentence = "to follow two classes";
    assert!(says(Kind::PairDepth, run.subject(), &unpaired, sentence));
    assert!(table(run.subject(), &unpaired).rows.is_empty());
    Ok(())
}
