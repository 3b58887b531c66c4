use super::*;
use crate::figure::look::subject::Subject;
use crate::figure::table::Value;
use crate::figure::testing::{both_ways, recorded, view};
use crate::run::BatchNorm;

fn number(value: &Value) -> f64 {
    match value {
        Value::Number(number) => *number,
        other => panic!("{other:?} is no number"),
    }
}

/// Every difference is that of the cosines of the run's own matrices, each shown alone.
#[test]
fn every_pair_has_the_difference_of_its_cosines() -> anyhow::Result<()> {
    let (training, mut frozen) = (both_ways("solar-none")?, both_ways("solar-none")?);
    frozen.run.show(BatchNorm::Frozen);
    for tensors in frozen.probes.whole.values_mut() {
        *tensors = std::sync::Arc::new(*tensors.frozen.clone().unwrap());
    }
    let own = |subject: Subject<'_>| crate::figure::conflicts::matrix::table(subject, &view());
    let (before, after) = (own(frozen.subject()), own(training.subject()));
    let table = table(training.subject(), &view());
    assert_eq!(
        table.columns[4..6],
        ["cosine_frozen", "cosine_as_in_training"]
    );
    assert_eq!(table.rows.len(), 15);
    for ((row, before), after) in table.rows.iter().zip(&before.rows).zip(&after.rows) {
        assert_eq!(row[0], before[0], "the step");
        assert_eq!((&row[4], &row[5]), (&before[4], &after[4]));
        let difference = number(&after[4]) - number(&before[4]);
        assert!((number(&row[6]) - difference).abs() < 1e-12);
        let is_resolved = difference.abs() > 3.0 * number(&row[7]);
        assert_eq!(number(&row[8]), f64::from(u8::from(is_resolved)));
    }
    assert!(table.rows.iter().any(|row| number(&row[6]).abs() > 0.1));
    Ok(())
}

/// A run of which one measure is known, or shown, says so.
#[test]
fn a_run_without_both_measures_says_what_is_missing() -> anyhow::Result<()> {
    let said = |subject: Subject<'_>| {
        let found = in_both_ways(&egui::Context::default(), subject, &view());
        found.err().unwrap_or_default()
    };
    let old = recorded("solar-none")?;
    assert_eq!(
        said(old.subject()),
        "`solar-none` recorded only the frozen measure, so it is not known what comes through batch statistics."
    );
    assert!(table(old.subject(), &view()).rows.is_empty());
    let mut new = both_ways("solar-none")?;
    assert_eq!(said(new.subject()), "");
    new.run.show(BatchNorm::Frozen);
    assert_eq!(
        said(new.subject()),
        "`solar-none` is shown with batch norm frozen; the difference shows where it is shown as in training."
    );
    Ok(())
}
