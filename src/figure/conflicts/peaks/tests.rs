use super::*;
use crate::figure::testing::{picked, recorded, says, view};

fn number(value: &Value) -> f64 {
    match value {
        Value::Number(number) => *number,
        other => panic!("{other:?} is no number"),
    }
}

fn of(quantity: Quantity) -> View {
    View { quantity, ..view() }
}

/// No other moment of a layer has more interference, and the layers come by their peaks. The classifier is left out.
#[test]
fn each_layer_stands_at_its_highest_moment() -> anyhow::Result<()> {
    let recorded = recorded("solar-branch")?;
    let run = &recorded.run;
    for quantity in [Quantity::Interference, Quantity::TailShare] {
        let view = of(quantity);
        let classes = Classes::of(recorded.subject(), &view);
        let peaks = of_quantity(recorded.subject(), quantity, &classes);
        assert!(peaks.len() > 5);
        assert!(peaks.is_sorted_by(|a, b| a.value >= b.value));
        assert!(peaks.iter().all(|peak| peak.layer != "classifier"));
        for peak in &peaks {
            let rows = run.gram_rows(&Scope::Layer(peak.layer.clone()));
            let value = |probe: usize| classes.value(quantity, &run.probes[probe].layers[rows[0]]);
            assert_eq!(value(peak.probe), Some(peak.value));
            let has_pairs = quantity == Quantity::Interference;
            assert_eq!(peak.pairs.is_some(), has_pairs);
            assert!(peak.pairs.is_none_or(|(some, all)| some > 0 && some <= all));
            // A higher value elsewhere would be one without a significant pair.
            for probe in 0..run.probes.len() {
                let summary = &run.probes[probe].layers[rows[0]];
                let is_higher = value(probe).is_some_and(|value| value > peak.value);
                assert!(!is_higher || (has_pairs && summary.conflicting == 0));
            }
        }
    }
    Ok(())
}

/// The peaks of a pair are its lowest significant cosines, those that the figure of the pair by layer has.
#[test]
fn peaks_of_a_pair_are_its_lowest_significant_cosines() -> anyhow::Result<()> {
    let recorded = recorded("solar-branch")?;
    let mut found = 0;
    for b in 1..6 {
        let view = View {
            one_pair: true,
            pair: Some((0, b)),
            ..view()
        };
        let peaks = table(recorded.subject(), &view);
        let cells = crate::figure::conflicts::pair_depth::table(recorded.subject(), &view);
        for peak in &peaks.rows {
            found += 1;
            let of_layer = cells.rows.iter().filter(|row| row[2] == peak[0]);
            let lowest = of_layer
                .filter(|row| row[7] == Value::from(true) && row[3] != Value::from("classifier"))
                .map(|row| number(&row[6]))
                .fold(0.0, f64::min);
            assert!((lowest - number(&peak[5])).abs() < 1e-12);
        }
    }
    assert!(found > 0);
    Ok(())
}

#[test]
fn a_click_goes_to_the_layer_and_the_moment() -> anyhow::Result<()> {
    let view = of(Quantity::Interference);
    let recorded = recorded("solar-branch")?;
    let classes = Classes::of(recorded.subject(), &view);
    let peaks = of_quantity(recorded.subject(), view.quantity, &classes);
    let step = recorded.run.probes[peaks[0].probe].step;
    let name = format!("{} at step {step}", peaks[0].layer);
    let picks = picked(Kind::Peaks, &view, &[&name])?;
    let layer = Scope::Layer(peaks[0].layer.clone());
    assert_eq!(picks, [Pick::ScopeAt(layer, step)]);
    Ok(())
}

#[test]
fn no_peaks_give_a_sentence() -> anyhow::Result<()> {
    let recorded = recorded("solar-branch")?;
    let view = View {
        one_pair: true,
        pair: None,
        ..view()
    };
    let words = "Click a cell of the matrix to see where and when two classes conflict most.";
    assert!(says(Kind::Peaks, recorded.subject(), &view, words));
    let empty = crate::run::Run::default();
    let probes = crate::run::probes::Probes::new();
    let subject = Subject {
        name: "empty",
        run: &empty,
        probes: &probes,
    };
    assert!(says(Kind::Peaks, subject, &view, NO_PROBE));
    Ok(())
}
