use super::*;
use crate::figure::table::Value;
use crate::figure::testing::{recorded, view};
use crate::run::event::Event;

fn number(value: &Value) -> f64 {
    match value {
        Value::Number(number) => *number,
        other => panic!("{other:?} is no number"),
    }
}

/// Differences are those of the cosines of the two runs' own matrices, and a run does not differ from itself.
#[test]
fn every_pair_has_the_difference_of_its_cosines() -> anyhow::Result<()> {
    let (first, second) = (recorded("solar-none")?, recorded("solar-branch")?);
    let shown = [first.subject(), second.subject()];
    let view = view();
    let table = table(shown[1], &shown, &view);
    assert_eq!(table.rows.len(), 15);
    let own = |subject: Subject<'_>| crate::figure::conflicts::matrix::table(subject, &view);
    let (before, after) = (own(shown[0]), own(shown[1]));
    for ((row, before), after) in table.rows.iter().zip(&before.rows).zip(&after.rows) {
        assert_eq!((&row[0], &row[1]), (&before[0], &after[0]), "the steps");
        assert_eq!((&row[5], &row[6]), (&before[4], &after[4]));
        let difference = number(&after[4]) - number(&before[4]);
        assert!((number(&row[7]) - difference).abs() < 1e-12);
        // Errors add in squares, so no run's own error is larger than that of the difference.
        let error = |row: &[Value]| number(&row[7]);
        let norms = |row: &[Value]| (number(&row[6]) / number(&row[4])).abs();
        let (a, b) = (error(before) / norms(before), error(after) / norms(after));
        assert!((number(&row[8]) - a.hypot(b)).abs() < 1e-9 * (1.0 + a + b));
    }
    Ok(())
}

/// A change beyond its error is resolved, one within it is not.
#[test]
fn small_changes_are_not_resolved() -> anyhow::Result<()> {
    let recorded = recorded("solar-branch")?;
    let gram = conflict::shown(&egui::Context::default(), recorded.subject(), &view())
        .map_err(anyhow::Error::msg)?;
    for a in 0..6 {
        for b in 0..a {
            let change = Change::of(&gram.gram, &gram.gram, a, b);
            assert_eq!(change.difference, Some(0.0));
            assert!(!change.resolved());
        }
    }
    let change = |difference, error| Change {
        difference: Some(difference),
        standard_error: error,
    };
    assert!(change(-0.31, Some(0.1)).resolved());
    assert!(!change(-0.29, Some(0.1)).resolved());
    assert!(!change(-0.31, None).resolved());
    Ok(())
}

#[test]
fn one_run_or_different_classes_give_a_sentence() -> anyhow::Result<()> {
    let (first, second) = (recorded("solar-none")?, recorded("solar-branch")?);
    let alone = [second.subject()];
    assert!(both(alone[0], &alone, &view()).is_err_and(|text| text.contains("two runs")));
    assert!(table(alone[0], &alone, &view()).rows.is_empty());
    let mut other = first.run.clone();
    let mut started = other.started.clone().unwrap();
    started.classes[0] = "Other".to_owned();
    other.apply(&Event::Started(Box::new(started)));
    let other = Subject {
        run: &other,
        ..first.subject()
    };
    let text = both(second.subject(), &[other, second.subject()], &view())
        .err()
        .unwrap_or_default();
    assert_eq!(
        text,
        "solar-none and solar-branch have different classes, so their pairs cannot be compared."
    );
    Ok(())
}

/// A run that was interrupted earlier has no probe near the end of the other one: there is no difference, not even in
/// the table, until a moment that both have is chosen.
#[test]
fn moments_that_are_far_apart_give_a_sentence() -> anyhow::Result<()> {
    let (mut first, second) = (recorded("solar-none")?, recorded("solar-branch")?);
    first.run.probes.truncate(4);
    let shown = [first.subject(), second.subject()];
    let at = |step| View { step, ..view() };
    let last = first.run.probes[3].step;
    let text = both(shown[1], &shown, &at(None)).err().unwrap_or_default();
    assert!(text.contains("more than half an epoch apart"), "{text}");
    assert!(table(shown[1], &shown, &at(None)).rows.is_empty());
    assert!(both(shown[1], &shown, &at(Some(last))).is_ok());
    // In a view of both, the newest moment is the last that both have.
    let first_only_probes = {
        let mut run = first.run.clone();
        run.evals.clear();
        run
    };
    let together = at(None).together([&first_only_probes, &second.run]);
    assert_eq!(together.step, Some(last));
    Ok(())
}
