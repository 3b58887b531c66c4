use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use super::*;
use crate::figure::facts::groups::stands_for_group;
use crate::figure::look::kind::Kind;
use crate::figure::testing::recorded;
use crate::figure::{Order, figure_ui, style};
use crate::run::Run;
use crate::run::event::Event;
use crate::run::probes::Probes;

/// The recorded pair, and the same with other seeds and scores.
fn runs(seeds: u64) -> anyhow::Result<Vec<(String, Run)>> {
    let mut runs = Vec::new();
    for (name, variant) in [("solar-none", "none"), ("solar-branch", "branch")] {
        let run = recorded(name)?.run;
        for seed in 0..seeds {
            let mut run = run.clone();
            if let Some(started) = &mut run.started {
                started.config.seed = seed;
                started.id.push_str(&seed.to_string());
            }
            for (k, f1) in run
                .evals
                .iter_mut()
                .flat_map(|x| x.f1.iter_mut().enumerate())
            {
                // A spread that grows with the number of the class, without further meaning.
                *f1 = f1.map(|f1| f1 - 0.01 * (seed * (k as u64 + 1) % 5) as f64);
            }
            runs.push((format!("{variant}-{seed}"), run));
        }
    }
    Ok(runs)
}

fn with_subjects<T>(runs: &[(String, Run)], read: impl FnOnce(&[Subject<'_>]) -> T) -> T {
    let probes = Probes::new();
    let of = |(name, run): &'_ (String, Run)| -> (String, Run) { (name.clone(), run.clone()) };
    let kept: Vec<_> = runs.iter().map(of).collect();
    let subjects: Vec<_> = kept
        .iter()
        .map(|(name, run)| Subject {
            name,
            run,
            probes: &probes,
        })
        .collect();
    read(&subjects)
}

#[test]
fn rows_of_the_table_are_differences_of_the_runs() -> anyhow::Result<()> {
    let runs = runs(3)?;
    with_subjects(&runs, |shown| {
        let view = View {
            order: Order::Frequency,
            ..View::default()
        };
        let table = table(Rows::Classes, shown[3], shown, &view);
        assert_eq!(table.rows.len(), 6 * 3);
        assert_eq!(table.rows[0][0], Value::from("Clean"));
        let f1 = |run: usize, k: usize| {
            let evals = shown[run].run.evals_of(crate::run::event::Split::Test);
            evals.last().unwrap().f1[k].unwrap()
        };
        let last = table.rows.last().unwrap();
        assert_eq!(last[0], Value::from("Physical-damage"));
        assert_eq!(
            (&last[4], &last[5]),
            (&Value::from(2.0), &Value::from(f1(5, 4) - f1(2, 4)))
        );
        // Gates are in one group alone: their layers have no difference.
        let layers = super::table(Rows::Layers, shown[3], shown, &view);
        let names: Vec<_> = layers.rows.iter().map(|row| row[0].clone()).collect();
        assert!(names.contains(&Value::from("branch2.conv1")));
        assert!(
            !names
                .iter()
                .any(|name| format!("{name:?}").contains("gate"))
        );
    });
    Ok(())
}

#[test]
fn a_click_picks_the_class_or_the_layer_under_it() -> anyhow::Result<()> {
    let runs = runs(2)?;
    let expected = [
        (Kind::ClassDifference, Pick::Class(0)),
        (
            Kind::LayerDifference,
            Pick::Scope(Scope::Layer("stem.conv1".to_owned())),
        ),
    ];
    for (kind, expected) in expected {
        with_subjects(&runs, |shown| {
            let mut harness = Harness::builder()
                .with_size(egui::vec2(500.0, 400.0))
                .with_context_setup(style::install)
                .build_ui_state(
                    |ui: &mut Ui, picks: &mut Vec<Pick>| {
                        picks.extend(figure_ui(ui, kind, shown[2], shown, &View::default()));
                    },
                    Vec::new(),
                );
            harness.run();
            let at = harness
                .get_by_label(kind.title())
                .rect()
                .lerp_inside(egui::vec2(0.8, 0.01));
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
            assert_eq!(harness.state()[..], [expected]);
        });
    }
    Ok(())
}

#[test]
fn a_single_group_says_what_to_do() -> anyhow::Result<()> {
    let mut runs = runs(1)?;
    runs.truncate(1);
    with_subjects(&runs, |shown| {
        let mut harness = Harness::builder()
            .with_context_setup(style::install)
            .build_ui(|ui| {
                figure_ui(ui, Kind::ClassDifference, shown[0], shown, &View::default());
            });
        harness.run();
        assert!(
            harness
                .query_by_label_contains("at least two configurations")
                .is_some()
        );
        assert!(
            table(Rows::Classes, shown[0], shown, &View::default())
                .rows
                .is_empty()
        );
        assert!(!stands_for_group(shown[0], shown));
    });
    Ok(())
}

/// An event that does not end a run leaves it unfinished.
#[test]
fn a_first_run_that_goes_on_leaves_the_default_baseline() -> anyhow::Result<()> {
    let mut runs = runs(2)?;
    runs.swap(0, 2);
    let step = runs[0].1.last_step();
    runs[0].1.apply(&Event::Resumed { step });
    with_subjects(&runs, |shown| {
        let found = compared(shown).unwrap();
        assert_eq!(found.groups[found.baseline].name, "attention none");
    });
    Ok(())
}
