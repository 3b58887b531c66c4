//! The list of conflicts: what a click picks, and what it says where there is none.

use anyhow::{Context as _, Result};

use super::*;
use crate::figure::testing::{clicked, recorded, says, view};

#[test]
fn a_click_picks_the_pair_and_the_layer() -> Result<()> {
    let run = recorded("solar-branch")?;
    let subject = run.subject();
    let found = strongest(&egui::Context::default(), subject, &view());
    let found = found.map_err(anyhow::Error::msg)?;
    let (first, _) = found.pairs.first().context("a conflict")?;
    let names = subject.classes();
    let label = format!(
        "{} against {} in {}",
        names[first.rare], names[first.frequent], first.layer
    );
    let picks = clicked(Kind::RareConflicts, subject, &view(), &label);
    let layer = Scope::Layer(first.layer.clone());
    assert_eq!(picks, [Pick::PairIn(first.rare, first.frequent, layer)]);
    assert!(says(
        Kind::RareConflicts,
        subject,
        &view(),
        "of 4 rare × frequent pairs in resolved conflict"
    ));
    Ok(())
}

/// Where gradients of all classes agree, the figure says with counts that there is nothing to list.
#[test]
fn a_moment_without_conflict_says_so() -> Result<()> {
    let mut run = recorded("solar-branch")?;
    for tensors in run.probes.whole.values_mut() {
        let mut agreeing = crate::run::probe_file::ProbeTensors::clone(tensors);
        agreeing.gram.fill(1.0);
        *tensors = std::sync::Arc::new(agreeing);
    }
    let words = "No rare × frequent conflict is resolved at this moment: of 4 pairs in";
    assert!(says(Kind::RareConflicts, run.subject(), &view(), words));
    assert!(says(
        Kind::RareConflicts,
        run.subject(),
        &view(),
        "0 have a negative cosine anywhere"
    ));
    Ok(())
}
