//! Tables of figures against the run that they are of.

use anyhow::{Context as _, Result};

use super::*;
use crate::figure::kit::table::Value;
use crate::figure::testing::{both_ways, groups, recorded, says, view};
use crate::run::BatchNorm;
use crate::run::event::Split;

fn column(table: &Table, name: &str) -> Result<usize> {
    let found = table.columns.iter().position(|column| column == name);
    found.with_context(|| format!("no column {name} in {:?}", table.columns))
}

#[test]
fn every_figure_has_rows_each_as_long_as_its_header() -> Result<()> {
    let runs = groups()?;
    let all: Vec<Subject<'_>> = runs.iter().map(|run| run.subject()).collect();
    for &kind in Kind::ALL {
        let two = [all[0], all[3]];
        let shown = if kind.compares_groups() {
            &all[..]
        } else {
            &two
        };
        let table = table(kind, all[3], shown, &view());
        // A run of format 1 lacks one of the measures that the difference is between.
        let is_empty = kind == Kind::BatchNormDifference;
        assert_eq!(table.rows.is_empty(), is_empty, "{}", kind.name());
        for row in &table.rows {
            assert_eq!(row.len(), table.columns.len(), "{}", kind.name());
        }
    }
    Ok(())
}

#[test]
fn f1_is_that_of_the_log_and_undefined_is_empty() -> Result<()> {
    let mut run = recorded("solar-branch")?;
    run.run.evals[0].f1[2] = None;
    let table = table(Kind::ClassF1, run.subject(), &[], &view());
    let (step, split) = (column(&table, "step")?, column(&table, "split")?);
    let (class, f1) = (column(&table, "class")?, column(&table, "f1")?);
    let shown = |eval: &&crate::run::event::Eval| eval.split != Split::Train;
    let evals: Vec<_> = run.run.evals.iter().filter(shown).collect();
    assert_eq!(table.rows.len(), evals.len() * 6);
    for eval in evals {
        let name = if eval.split == Split::Val {
            "validation"
        } else {
            "test"
        };
        for (k, wanted) in eval.f1.iter().enumerate() {
            let is_it = |row: &&Vec<Value>| {
                row[step] == eval.step.into()
                    && row[split] == name.into()
                    && row[class] == run.subject().classes()[k].as_str().into()
            };
            let row = table.rows.iter().find(is_it).context("no row")?;
            assert_eq!(row[f1], (*wanted).into());
        }
    }
    assert!(
        table
            .to_csv()
            .lines()
            .nth(3)
            .is_some_and(|line| line.ends_with(','))
    );
    Ok(())
}

/// A pair against the cosines and norms that other code derives from the same tensors: the matrix of all classes, and
/// the norms that the log holds.
#[test]
fn a_pair_over_time_agrees_with_the_matrix_and_the_log() -> Result<()> {
    let run = recorded("solar-none")?;
    let (subject, view) = (run.subject(), view());
    let table = table(Kind::PairCosine, subject, &[], &view);
    assert_eq!(table.rows.len(), subject.probes.whole.len());
    let at = |name| column(&table, name);
    let (step, cosine, norm_b) = (at("step")?, at("cosine")?, at("grad_norm_b")?);
    let row = run.run.gram_rows(&view.scope)[0];
    for cells in &table.rows {
        let Value::Number(step) = cells[step] else {
            anyhow::bail!("no step");
        };
        let probe = run
            .run
            .probes
            .iter()
            .find(|probe| probe.step == step as u64);
        let probe = probe.context("no probe")?;
        let gram = subject.probes.whole[&probe.step]
            .gram_of(&[row])
            .context("no gram")?;
        assert_eq!(cells[cosine], gram.matrix()[0][4].cosine.into());
        let Value::Number(norm) = cells[norm_b] else {
            anyhow::bail!("no norm");
        };
        let logged = probe.layers[row].norm[4].context("no logged norm")?;
        assert!(
            (norm - logged).abs() <= 1e-5 * logged,
            "{norm} and {logged}"
        );
    }
    Ok(())
}

/// Texts that lists and the palette show for every figure: distinct names, and words that say more than the title.
#[test]
fn every_figure_is_described() {
    for (at, &kind) in Kind::ALL.iter().enumerate() {
        let name = kind.name();
        let others = Kind::ALL[..at].iter();
        let is_new = others.clone().all(|other| {
            other.name() != name
                && other.title() != kind.title()
                && other.subtitle() != kind.subtitle()
        });
        assert!(is_new, "{name} is described as another figure is");
        assert!(kind.help().ends_with('.'), "{name}");
        assert!(!kind.subtitle().ends_with('.'), "{name}");
        assert!(kind.synonyms().len() > 1, "{name}");
    }
}

/// Captions, tables and records of exactly those figures that are made from class gradients name how batch norm was
/// treated in them.
#[test]
fn figures_of_class_gradients_and_no_others_name_the_measure() -> Result<()> {
    let mut run = both_ways("solar-branch")?;
    let others = [
        Kind::ClassF1,
        Kind::GradientRatio,
        Kind::Scores,
        Kind::Loss,
        Kind::Gates,
        Kind::GatesTime,
        Kind::GatesAlike,
        Kind::GateDistance,
        Kind::Confusion,
        Kind::ConfusionDifference,
        Kind::ClassScores,
        Kind::ClassDifference,
        Kind::GroupScores,
    ];
    for batch_norm in BatchNorm::ALL {
        run.run.show(batch_norm);
        for &kind in Kind::ALL {
            let (subject, view) = (run.subject(), view());
            let caption = caption(kind, subject, &view);
            let wanted = format!("batch norm {}", batch_norm.label());
            let is_of_both = kind == Kind::BatchNormDifference;
            let is_named = !others.contains(&kind);
            assert_eq!(kind.shows_class_gradients(), is_named, "{}", kind.name());
            assert_eq!(caption.contains("batch norm"), is_named, "{caption}");
            assert!(
                !is_named || is_of_both || caption.ends_with(&wanted),
                "{caption}"
            );
            let table = table(kind, subject, &[subject], &view);
            let has_column = table
                .columns
                .last()
                .is_some_and(|name| name == "batch_norm");
            assert_eq!(has_column, is_named && !is_of_both, "{}", kind.name());
            let value = Value::from(batch_norm.name());
            assert!(!has_column || table.rows.iter().all(|row| row.last() == Some(&value)));
        }
    }
    Ok(())
}

/// With batch norm frozen and as in training, every figure of class gradients shows other numbers, and no value that is
/// kept between frames is taken for the other measure's.
#[test]
fn no_kept_value_is_of_the_other_measure() -> Result<()> {
    let mut run = both_ways("solar-branch")?;
    let training = run.probes.clone();
    let ctx = Context::default();
    let view = view();
    for &kind in Kind::ALL {
        let Some(of) = figure(kind).chart else {
            continue;
        };
        run.run.show(BatchNorm::AsInTraining);
        run.probes = training.clone();
        let before = of(&ctx, run.subject(), &view);
        run.run.show(BatchNorm::Frozen);
        for tensors in run.probes.whole.values_mut() {
            *tensors = std::sync::Arc::new(*tensors.frozen.clone().context("both measures")?);
        }
        let after = of(&ctx, run.subject(), &view);
        let is_same = std::sync::Arc::ptr_eq(&before, &after);
        assert!(!kind.shows_class_gradients() || !is_same, "{}", kind.name());
    }
    Ok(())
}

/// Where only some classes are measured with batch norm as in training, captions say how many, and figures of another
/// class say why they are empty.
#[test]
fn classes_that_are_not_measured_are_said_to_be_so() -> Result<()> {
    let mut run = both_ways("solar-branch")?;
    let Some(started) = &mut run.run.started else {
        anyhow::bail!("no header");
    };
    started.probe.training = vec![0, 1, 2];
    for tensors in run.probes.whole.values_mut() {
        let tensors = std::sync::Arc::make_mut(tensors);
        let pieces = tensors.n.len() / 6;
        tensors.n[3 * pieces..].fill(0.0);
    }
    let subject = run.subject();
    let text = caption(Kind::ConflictMatrix, subject, &view());
    assert!(
        text.ends_with("batch norm as in training, measured for 3 of 6 classes"),
        "{text}"
    );
    // Class 4 is selected, and the pair of the classes 0 and 4.
    let why = "Physical-damage is not among the 3 of 6 classes that are measured with batch norm as in training";
    for kind in [
        Kind::Ledger,
        Kind::LedgerDepth,
        Kind::PairDepth,
        Kind::PairCosine,
    ] {
        assert!(says(kind, subject, &view(), why), "{}", kind.name());
    }
    assert!(says(
        Kind::ConflictMatrix,
        subject,
        &view(),
        "3 of 6 classes measured"
    ));
    // What a step of all classes does is not known, either, so no such sum is shown.
    let first = View {
        class: Some(0),
        ..view()
    };
    for kind in [Kind::LedgerTime, Kind::WhatIf] {
        let is_said = says(kind, subject, &first, "What a whole step does is not known");
        assert!(is_said, "{}", kind.name());
    }
    assert!(says(
        Kind::Ledger,
        subject,
        &first,
        "3 of 6 classes are measured"
    ));
    let table = table(Kind::Ledger, subject, &[subject], &first);
    assert_eq!(
        table.rows.last().map(|row| row[0].clone()),
        Some("all measured together".into())
    );
    run.run.show(BatchNorm::Frozen);
    assert!(!says(Kind::Ledger, run.subject(), &view(), why));
    Ok(())
}
