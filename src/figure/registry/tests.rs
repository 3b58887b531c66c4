//! Tables against the run they are of.

use anyhow::{Context as _, Result};

use super::*;
use crate::figure::kit::table::Value;
use crate::figure::kit::table::number_text;
use crate::figure::testing::{recorded, view};
use crate::run::event::Split;

/// RFC 4180 section 2: rules 5 to 7.
#[test]
fn csv_is_quoted_where_it_has_to_be() {
    let mut table = Table::new(["class", "n"]);
    table.push(["plain".into(), 3_u64.into()]);
    table.push(["a, b".into(), Value::None]);
    table.push(["say \"no\"".into(), 0.1.into()]);
    table.push(["two\nlines".into(), (-0.0).into()]);
    let csv = table.to_csv();
    assert_eq!(
        csv,
        "class,n\nplain,3\n\"a, b\",\n\"say \"\"no\"\"\",0.1\n\"two\nlines\",-0\n"
    );
    let tabs = table.to_tabs();
    assert_eq!(tabs.lines().nth(2), Some("a, b\t"));
    assert_eq!(tabs.lines().nth(4), Some("two lines\t-0"));
}

#[test]
fn numbers_read_back_as_they_are_and_are_short() -> Result<()> {
    let numbers = [
        0.1,
        1.0 / 3.0,
        1e-300,
        5e-324,
        1.797_693_134_862_315_7e308,
        123_456.0,
        0.000_123_456,
        -2.5e-7,
        f64::from(0.1_f32),
    ];
    for number in numbers {
        let text = number_text(number);
        assert_eq!(text.parse::<f64>()?.to_bits(), number.to_bits(), "{text}");
        assert!(text.len() <= 25, "{text}");
    }
    assert_eq!(number_text(123_456.0), "123456");
    assert_eq!(number_text(0.05), "0.05");
    Ok(())
}

fn column(table: &Table, name: &str) -> Result<usize> {
    let found = table.columns.iter().position(|column| column == name);
    found.with_context(|| format!("no column {name} in {:?}", table.columns))
}

#[test]
fn every_row_is_as_long_as_the_header() -> Result<()> {
    let run = recorded("solar-branch")?;
    for &kind in Kind::ALL {
        let table = table(kind, run.subject(), &[run.subject()], &view());
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

/// Against the cosines and norms that other code derives from the same tensors: the matrix of all classes, and the
/// norms that the log holds.
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
