use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use super::*;
use crate::figure::look::subject::Subject;
use crate::figure::table::Value;
use crate::figure::testing::{Recorded, recorded, view};
use crate::figure::{figure_ui, style};
use crate::run::event::{Event, Split};

/// Two runs whose evaluations have these first rows of the confusion matrix, and a second row without images in the
/// first run.
fn runs(first: [u64; 6], second: [u64; 6]) -> anyhow::Result<[Recorded; 2]> {
    let mut runs = [recorded("solar-none")?, recorded("solar-branch")?];
    for (run, row) in runs.iter_mut().zip([first, second]) {
        for eval in &mut run.run.evals {
            eval.confusion[0] = row.to_vec();
        }
    }
    for eval in &mut runs[0].run.evals {
        eval.confusion[1] = vec![0; 6];
    }
    Ok(runs)
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        _ => None,
    }
}

/// By hand: of 4 images of the class, 3 and 1 are taken for the classes 0 and 1 in the first run; of 8 in the second run,
/// 2, 5 and 1 are taken for the classes 0, 1 and 5. The changes are 2/8 − 3/4 = −0.5, 5/8 − 1/4 = 0.375, and 1/8.
#[test]
fn changes_are_shares_of_the_row_in_the_second_run_minus_those_in_the_first() -> anyhow::Result<()>
{
    let runs = runs([3, 1, 0, 0, 0, 0], [2, 5, 0, 0, 0, 1])?;
    let shown = [runs[0].subject(), runs[1].subject()];
    let table = table(shown[1], &shown, &view());
    assert_eq!(table.rows.len(), 36);
    let wanted = [-0.5, 0.375, 0.0, 0.0, 0.0, 0.125];
    for (row, wanted) in table.rows.iter().zip(wanted) {
        assert_eq!(number(&row[9]), Some(wanted), "{row:?}");
    }
    assert_eq!(
        (number(&table.rows[1][5]), number(&table.rows[1][6])),
        (Some(1.0), Some(5.0))
    );
    assert_eq!(
        (number(&table.rows[1][7]), number(&table.rows[1][8])),
        (Some(0.25), Some(0.625))
    );
    // The first run has no images of the second class.
    assert!(
        table.rows[6..12]
            .iter()
            .all(|row| number(&row[9]).is_none())
    );
    // Shares of a row add up to 1, so that their changes add up to 0.
    for row in table.rows.chunks(6) {
        let sum: f64 = row.iter().filter_map(|cells| number(&cells[9])).sum();
        assert!(sum.abs() < 1e-12);
    }
    Ok(())
}

/// Both signs share a scale that ends at half of the row, and 0 has the colour of its middle.
#[test]
fn colours_follow_the_root_of_the_change_on_both_sides() {
    for dark in [false, true] {
        let same = |difference, share| {
            assert_eq!(color(difference, dark), palette::diverging(share, dark));
        };
        same(0.0, 0.0);
        same(0.125, 0.5);
        same(-0.125, -0.5);
        same(0.5, 1.0);
        same(-0.9, -1.0);
    }
}

#[test]
fn runs_that_cannot_be_compared_give_a_sentence() -> anyhow::Result<()> {
    let [first, second] = [recorded("solar-none")?, recorded("solar-branch")?];
    let said = |first: Subject<'_>, view: &View| {
        let shown = [first, second.subject()];
        assert!(table(shown[1], &shown, view).rows.is_empty());
        both(shown[1], &shown, view).err().unwrap_or_default()
    };
    let newest = View {
        step: None,
        ..view()
    };
    assert!(said(second.subject(), &newest).contains("needs two runs"));
    let changed = |change: &dyn Fn(&mut crate::run::Run)| -> anyhow::Result<Recorded> {
        let mut other = recorded("solar-none")?;
        change(&mut other.run);
        Ok(other)
    };
    let other = changed(&|run| {
        let mut started = run.started.clone().unwrap();
        started.classes[0] = "Other".to_owned();
        run.apply(&Event::Started(Box::new(started)));
    })?;
    assert_eq!(
        said(other.subject(), &newest),
        "solar-none and solar-branch have different classes, so their mistakes cannot be compared."
    );
    let tested = changed(&|run| run.evals.retain(|eval| eval.split == Split::Test))?;
    assert_eq!(
        said(tested.subject(), &newest),
        "`solar-none` is evaluated on test images and `solar-branch` on validation images: mistakes in different images \
         are not compared."
    );
    let early = changed(&|run| run.evals.truncate(1))?;
    let text = said(early.subject(), &newest);
    assert!(text.contains("more than half an epoch apart"), "{text}");
    let empty = changed(&|run| run.evals.clear())?;
    assert!(said(empty.subject(), &newest).contains("evaluat"));
    let shown = [first.subject(), second.subject()];
    assert!(both(shown[1], &shown, &newest).is_ok());
    Ok(())
}

/// A click shows the images of the cell, as in the confusion matrix itself.
#[test]
fn a_click_picks_the_cell() -> anyhow::Result<()> {
    let [first, second] = runs([3, 1, 0, 0, 0, 0], [2, 5, 0, 0, 0, 1])?;
    let draw = move |ui: &mut Ui, picks: &mut Vec<Pick>| {
        let shown = [first.subject(), second.subject()];
        let kind = Kind::ConfusionDifference;
        picks.extend(figure_ui(ui, kind, shown[1], &shown, &view()));
    };
    let mut harness = Harness::builder()
        .with_size(egui::vec2(700.0, 420.0))
        .with_context_setup(style::install)
        .build_ui_state(draw, Vec::new());
    harness.run();
    harness.get_by_label("Clean taken for Dusty").click();
    harness.run();
    assert!(matches!(harness.state()[..], [Pick::Confused(0, _)]));
    Ok(())
}
