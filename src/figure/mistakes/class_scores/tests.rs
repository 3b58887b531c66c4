use super::*;
use crate::figure::Order;
use crate::figure::testing::{recorded, view};

/// The means in the last row are the macro scores that training logged.
#[test]
fn all_classes_together_are_the_macro_scores() -> anyhow::Result<()> {
    let recorded = recorded("solar-branch")?;
    let subject = recorded.subject();
    let view = view();
    let eval = evaluation(subject, &view).unwrap();
    let rows = rows(subject, &view, eval, None);
    let all = rows.last().unwrap();
    assert_eq!(all.name, "All (6)");
    let close = |a: Option<f64>, b: Option<f64>| (a.unwrap() - b.unwrap()).abs() < 1e-12;
    assert!(close(all.scores[2], eval.macro_f1));
    assert!(close(all.scores[1], eval.balanced_accuracy));
    assert_eq!(all.counts[1], eval.support.iter().sum::<u64>());
    // The rarest third of six classes has two classes.
    let tail = &rows[rows.len() - 2];
    assert_eq!(tail.name, "Rarest third (2)");
    let counts = &recorded.run.started.as_ref().unwrap().train_counts;
    // The two classes are Physical-damage and Electrical-damage.
    assert_eq!([counts[4], counts[3]], [126, 450]);
    let rarest = [4, 3].map(|k| eval.f1[k].unwrap());
    assert!(close(
        tail.scores[2],
        Some(f64::midpoint(rarest[0], rarest[1]))
    ));
    Ok(())
}

/// Changes are from the first run shown, and undefined scores stay undefined.
#[test]
fn the_second_run_has_changes_from_the_first() -> anyhow::Result<()> {
    let (first, mut second) = (recorded("solar-none")?, recorded("solar-branch")?);
    for eval in &mut second.run.evals {
        eval.f1[3] = None;
        eval.recall[3] = None;
    }
    let shown = [first.subject(), second.subject()];
    let view = View {
        order: Order::Frequency,
        ..view()
    };
    let table = table(shown[1], &shown, &view);
    assert_eq!(table.columns.last().unwrap(), "f1_change");
    let f1 = |eval: &Eval, k: usize| eval.f1[k];
    let of = |subject| evaluation(subject, &view).unwrap();
    let expected = f1(of(shown[1]), 4).unwrap() - f1(of(shown[0]), 4).unwrap();
    let row = |name: &str| table.rows.iter().find(|row| row[2] == Value::from(name));
    assert_eq!(row("Physical-damage").unwrap()[8], Value::from(expected));
    let names = order_of(shown[1], &view);
    let undefined = &table.rows[names.iter().position(|k| *k == 3).unwrap()];
    assert_eq!(
        (&undefined[6], &undefined[7], &undefined[8]),
        (&Value::None, &Value::None, &Value::None)
    );
    // The first run has no changes.
    let own = super::table(shown[0], &shown, &view);
    assert!(own.rows.iter().all(|row| row[8] == Value::None));
    Ok(())
}

/// No change is given between evaluations of different times.
#[test]
fn evaluations_that_are_far_apart_give_no_change() -> anyhow::Result<()> {
    let (mut first, second) = (recorded("solar-none")?, recorded("solar-branch")?);
    first.run.evals.truncate(3);
    let last = first.run.evals[2].step;
    let shown = [first.subject(), second.subject()];
    let changes = |step| {
        let view = View { step, ..view() };
        let table = table(shown[1], &shown, &view);
        table.rows.iter().any(|row| row[8] != Value::None)
    };
    assert!(!changes(None));
    assert!(changes(Some(last)));
    Ok(())
}
