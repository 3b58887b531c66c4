//! Tables of figures against the run that they are of.

use anyhow::{Context as _, Result};

use super::*;
use crate::figure::kit::table::Value;
use crate::figure::testing::{groups, recorded, view};
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
        assert!(!table.rows.is_empty(), "{}", kind.name());
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
