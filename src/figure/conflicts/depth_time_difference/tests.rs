use super::*;
use crate::figure::look::view::Quantity;
use crate::figure::testing::{recorded, says, view};

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        Value::None => None,
        other @ Value::Text(_) => panic!("{other:?} is no number"),
    }
}

fn row<'a>(table: &'a Table, step: &Value, layer: &Value) -> &'a [Value] {
    let mut rows = table.rows.iter();
    rows.find(|row| row[0] == *step && row[2] == *layer)
        .unwrap()
}

/// Every cell is that of the second run minus that of the first, as each run's own figure has them.
#[test]
fn cells_are_the_second_run_minus_the_first() -> anyhow::Result<()> {
    let (first, second) = (recorded("solar-none")?, recorded("solar-branch")?);
    let shown = [first.subject(), second.subject()];
    for (quantity, column) in [(Quantity::Interference, 4), (Quantity::TailShare, 9)] {
        let view = View { quantity, ..view() };
        let table = table(shown[1], &shown, &view);
        assert!(table.rows.len() > 100);
        let own = |run| crate::figure::conflicts::depth_time::table(run, &view);
        let (before, after) = (own(shown[0]), own(shown[1]));
        let mut defined = 0;
        for difference in &table.rows {
            let after = row(&after, &difference[1], &difference[3]);
            let layer = &difference[3];
            // Layers that only the network with attention has are undefined.
            let Some(before) = before
                .rows
                .iter()
                .find(|row| row[2] == *layer && row[0] == difference[0])
            else {
                assert_eq!(difference[7], Value::None);
                continue;
            };
            let both = number(&before[column]).zip(number(&after[column]));
            let expected = both.map(|(before, after)| after - before);
            let found = number(&difference[7]);
            assert_eq!(found.is_some(), expected.is_some());
            if let (Some(found), Some(expected)) = (found, expected) {
                defined += 1;
                assert!((found - expected).abs() < 1e-12);
            }
        }
        assert!(defined > 100);
    }
    Ok(())
}

/// A run does not differ from a copy of itself, and the difference of a pair is resolved only beyond its error.
#[test]
fn a_pair_has_the_difference_of_its_cosines() -> anyhow::Result<()> {
    let (first, second) = (recorded("solar-none")?, recorded("solar-branch")?);
    let view = View {
        one_pair: true,
        pair: Some((0, 3)),
        ..view()
    };
    let shown = [first.subject(), second.subject()];
    let changed = table(shown[1], &shown, &view);
    let own = |run| crate::figure::conflicts::pair_depth::table(run, &view);
    let (before, after) = (own(shown[0]), own(shown[1]));
    let mut defined = 0;
    for difference in changed.rows.iter().filter(|row| row[7] != Value::None) {
        let before = number(&row(&before, &difference[0], &difference[3])[6]);
        let after = number(&row(&after, &difference[1], &difference[3])[6]);
        let expected = after.unwrap() - before.unwrap();
        assert!((number(&difference[7]).unwrap() - expected).abs() < 1e-12);
        defined += 1;
    }
    assert!(defined > 100);
    let copy = recorded("solar-branch")?;
    let same = [second.subject(), copy.subject()];
    let table = table(same[1], &same, &view);
    let is_none = |row: &Vec<Value>| number(&row[7]).is_none_or(|x| x == 0.0);
    assert!(table.rows.iter().all(is_none));
    assert!(table.rows.iter().all(|row| row[8] != Value::from(true)));
    Ok(())
}

/// A single run, or runs of which no moments lie near each other, have no difference, and say so.
#[test]
fn moments_far_apart_are_not_compared() -> anyhow::Result<()> {
    let (first, second) = (recorded("solar-none")?, recorded("solar-branch")?);
    let alone = [second.subject()];
    let words = "A difference needs two runs: show a second one side by side.";
    assert!(says(Kind::DepthTimeDifference, alone[0], &view(), words));
    let mut late = second.run.clone();
    let shift = 2 * late.probes.last().map_or(0, |probe| probe.step) + 1000;
    for probe in &mut late.probes {
        probe.step += shift;
    }
    let late = Subject {
        run: &late,
        ..second.subject()
    };
    let both = Both::of(first.subject(), late, &view());
    assert_eq!(both.alone(), late.run.probes.len());
    let shown = [first.subject(), late];
    assert!(table(late, &shown, &view()).rows.is_empty());
    Ok(())
}

/// Moments are paired by epoch, of which a run with other batches has another number of steps.
#[test]
fn moments_are_paired_by_epoch() -> anyhow::Result<()> {
    let recorded = recorded("solar-none")?;
    let mut slow = recorded.run.clone();
    if let Some(started) = &mut slow.started {
        started.steps_per_epoch *= 4;
    }
    for probe in &mut slow.probes {
        probe.step *= 4;
    }
    let slow = Subject {
        run: &slow,
        ..recorded.subject()
    };
    let both = Both::of(slow, recorded.subject(), &view());
    let all: Vec<_> = (0..recorded.run.probes.len()).map(Some).collect();
    assert_eq!(both.probes, all);
    Ok(())
}

/// Where other classes are frequent and rare, no difference of their conflict is made; the pull is that of one class.
#[test]
fn quantities_of_other_classes_are_not_compared() -> anyhow::Result<()> {
    let recorded = recorded("solar-none")?;
    let mut turned = recorded.run.clone();
    if let Some(started) = &mut turned.started {
        started.train_counts.reverse();
    }
    let turned = Subject {
        run: &turned,
        ..recorded.subject()
    };
    let shown = [turned, recorded.subject()];
    let rows = |quantity| {
        let view = View { quantity, ..view() };
        table(shown[1], &shown, &view).rows
    };
    assert!(rows(Quantity::HeadAgainstTail).is_empty());
    assert!(!rows(Quantity::Interference).is_empty());
    let norms = rows(Quantity::ClassNorm);
    let is_0 = |row: &Vec<Value>| number(&row[7]).is_none_or(|x| x == 0.0);
    assert!(!norms.is_empty() && norms.iter().all(is_0));
    Ok(())
}
