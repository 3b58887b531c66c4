use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use super::*;
use crate::figure::{Kind, Order, figure_ui, style};
use crate::run::Run;
use crate::run::event::{Event, Split};
use crate::run::probes::Probes;

fn recorded() -> anyhow::Result<Run> {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recorded/solar-none");
    Ok(crate::run::log::load(std::path::Path::new(dir))?.run)
}

fn with_subject<T>(run: &Run, read: impl FnOnce(Subject<'_>) -> T) -> T {
    let probes = Probes::new();
    read(Subject {
        name: "run",
        run,
        probes: &probes,
    })
}

#[test]
fn rows_are_shares_of_the_true_class() -> anyhow::Result<()> {
    let run = recorded()?;
    with_subject(&run, |subject| {
        let eval = evaluation(subject, &View::default()).unwrap();
        assert_eq!((eval.split, eval.step), (Split::Val, run.last_step()));
        for truth in 0..6 {
            let total: f64 = (0..6).filter_map(|k| cell(eval, truth, k).1).sum();
            assert!((total - 1.0).abs() < 1e-12);
            // The share on the diagonal is the recall that the log has.
            let recall = eval.recall[truth].unwrap();
            assert!((cell(eval, truth, truth).1.unwrap() - recall).abs() < 1e-12);
        }
    });
    Ok(())
}

#[test]
fn the_cursor_goes_back_and_the_table_follows_the_order() -> anyhow::Result<()> {
    let run = recorded()?;
    with_subject(&run, |subject| {
        let view = View {
            step: Some(100),
            order: Order::Frequency,
            ..View::default()
        };
        let eval = evaluation(subject, &view).unwrap();
        assert!(eval.step <= 100);
        let table = table(subject, &view);
        assert_eq!(table.rows.len(), 36);
        assert_eq!(table.rows[0][2], Value::from("Clean"));
        assert_eq!(table.rows[35][2], Value::from("Physical-damage"));
    });
    Ok(())
}

/// The test images are those of the best and the last step: before them a sentence says so.
#[test]
fn the_test_images_are_shown_from_their_first_evaluation_on() -> anyhow::Result<()> {
    let run = recorded()?;
    let steps: Vec<u64> = run.evals_of(Split::Test).map(|eval| eval.step).collect();
    let (first, last) = (steps[0], run.last_step());
    with_subject(&run, |subject| {
        let view = |step| View {
            step,
            split: Some(Split::Test),
            ..View::default()
        };
        for (step, expected) in [(None, last), (Some(first), first)] {
            let eval = evaluation(subject, &view(step)).unwrap();
            assert_eq!((eval.split, eval.step), (Split::Test, expected));
        }
        // Half an epoch before them they are near enough.
        assert!(evaluation(subject, &view(Some(first - 1))).is_some());
        let before = view(Some(first - run.steps_per_epoch() as u64));
        assert!(evaluation(subject, &before).is_none());
        assert!(missing(subject, &before).ends_with(&format!("at step {first}.")));
    });
    Ok(())
}

#[test]
fn a_click_picks_the_cell_under_any_order() -> anyhow::Result<()> {
    let run = recorded()?;
    let probes = Probes::new();
    let subject = Subject {
        name: "run",
        run: &run,
        probes: &probes,
    };
    let reversed = subject.classes().iter().rev().cloned().collect();
    for order in [Order::Listed, Order::Similarity(reversed)] {
        let reversed = order != Order::Listed;
        let view = View {
            order,
            ..View::default()
        };
        let mut harness = Harness::builder()
            .with_size(egui::vec2(500.0, 400.0))
            .with_context_setup(style::install)
            .build_ui_state(
                |ui: &mut Ui, picks: &mut Vec<Pick>| {
                    picks.extend(figure_ui(ui, Kind::Confusion, subject, &[subject], &view));
                },
                Vec::new(),
            );
        harness.run();
        let names = subject.classes();
        let cell = |a: usize, b: usize| {
            let label = format!("{} taken for {}", names[a], names[b]);
            harness.get_by_label(&label).rect().center()
        };
        // The first row's last cell lies at the upper right, whatever the order.
        let (first, last) = if reversed { (5, 0) } else { (0, 5) };
        let at = cell(first, last);
        assert!(at.x > cell(first, first).x && at.y < cell(last, last).y);
        for pressed in [true, false] {
            harness.event(egui::Event::PointerMoved(at));
            harness.event(egui::Event::PointerButton {
                pos: at,
                button: egui::PointerButton::Primary,
                pressed,
                modifiers: egui::Modifiers::NONE,
            });
            harness.step();
        }
        assert_eq!(harness.state()[..], [Pick::Confused(first, last)]);
    }
    Ok(())
}

#[test]
fn without_an_evaluation_a_sentence_says_so() -> anyhow::Result<()> {
    let mut run = recorded()?;
    run.evals.clear();
    with_subject(&run, |subject| {
        assert!(table(subject, &View::default()).rows.is_empty());
    });
    // A class without images has no shares.
    let mut eval = recorded()?.evals[0].clone();
    eval.confusion[2].iter_mut().for_each(|count| *count = 0);
    run.apply(&Event::Eval(eval.clone()));
    assert_eq!(cell(&eval, 2, 2), (0, None));
    Ok(())
}
