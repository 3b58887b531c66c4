use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use super::*;
use crate::findings::{Evidence, Setting};
use crate::run::Scope;
use crate::ui::state::findings::{Key, key};
use crate::ui::state::place::Page;
use crate::ui::{App, Options};

fn finding(kind: Kind, sentence: &str, run: usize) -> Finding {
    Finding {
        sentence: sentence.to_owned(),
        detail: format!("What “{sentence}” rests on."),
        kind,
        score: 1.0,
        batch_norm: None,
        next: Vec::new(),
        evidence: Evidence {
            run,
            scope: Some(Scope::Layer("stem.conv1".to_owned())),
            step: Some(0),
            class: Some(1),
            pair: Some((1, 0)),
        },
    }
}

#[derive(Default)]
struct Strip {
    found: Vec<Finding>,
    is_open: bool,
    height: f32,
    actions: Vec<Action>,
}

fn strip(found: Vec<Finding>) -> Harness<'static, Strip> {
    let state = Strip {
        found,
        ..Strip::default()
    };
    Harness::builder()
        .with_size(vec2(700.0, 500.0))
        .with_context_setup(crate::figure::style::install)
        .build_ui_state(
            |ui, state: &mut Strip| {
                let names = ["Baseline".to_owned(), "Branch attention".to_owned()];
                let list = List {
                    found: &state.found,
                    runs: &[7, 8],
                    names: &names,
                };
                let top = ui.cursor().top();
                ui.horizontal(|ui| list.line_ui(ui, &mut state.is_open, &mut state.actions));
                state.height = ui.cursor().top() - top;
                if state.is_open {
                    list.window_ui(ui.ctx(), &mut state.is_open, &mut state.actions);
                }
            },
            state,
        )
}

#[test]
fn the_line_has_one_finding_and_the_list_has_all() {
    let long = "A sentence that goes on and on, ".repeat(9);
    let found = vec![
        finding(Kind::Conflict, &long, 1),
        finding(Kind::Unlearned, "Second", 1),
        finding(Kind::Gates, "Third", 1),
        finding(Kind::Depth, "Fourth", 0),
    ];
    let mut window = strip(found);
    window.run();
    assert!(window.state().height <= 32.0, "{}", window.state().height);
    assert!(window.query_by_label("Show Second").is_none());
    window.get_by_label(&format!("Show {long}")).click();
    window.run();
    let [Action::ShowEvidence(run, page, evidence)] = window.state().actions.as_slice() else {
        panic!("{:?}", window.state().actions);
    };
    assert_eq!((*run, *page, evidence.class), (8, Page::Conflicts, Some(1)));
    window.get_by_label("All findings (4)…").click();
    window.run();
    assert!(window.query_by_label("Show Fourth").is_some());
    assert!(window.query_by_label("What “Third” rests on.").is_some());
}

#[test]
fn what_a_finding_proposes_is_set_up_with_one_press() {
    let mut proposal = finding(Kind::Adjustment, "More is to be had", 1);
    let setting = |field, value: &str| Setting {
        field,
        value: value.to_owned(),
    };
    proposal.next = vec![setting("loss", "logit-adjusted"), setting("tau", "0.5")];
    let next = proposal.next.clone();
    let mut window = strip(vec![proposal, finding(Kind::Gates, "Second", 0)]);
    window.run();
    // The line is narrow here, so that the list alone has the button.
    assert!(window.query_by_label("Try Logit-adjusted").is_none());
    window.get_by_label("All findings (2)…").click();
    window.run();
    window.get_by_label("Try Logit-adjusted").click();
    window.run();
    assert_eq!(window.state().actions, [Action::SetUp(8, next)]);
}

#[test]
fn a_finding_of_both_runs_is_said_to_be_of_both() {
    let found = vec![
        finding(Kind::Score, "In the first", 0),
        finding(Kind::Score, "In the second", 1),
        finding(Kind::Depth, "Elsewhere", 1),
    ];
    let mut window = strip(found);
    window.run();
    assert!(window.query_by_label("Both runs, here Baseline").is_some());
    assert!(window.query_by_label("Show In the first").is_some());
    assert!(window.query_by_label("Show In the second").is_none());
    window.get_by_label("All findings (3)…").click();
    window.run();
    assert!(window.query_by_label("Show In the second").is_some());
}

#[test]
fn an_empty_list_says_that_nothing_stands_out() {
    let window = strip(Vec::new());
    assert!(
        window
            .query_by_label("Nothing stands out beyond noise so far.")
            .is_some()
    );
}

/// A thread looks through recorded runs once for each state of their logs, and a click on a finding shows its evidence.
#[test]
fn a_run_is_looked_through_once() -> Result<()> {
    let runs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/recorded");
    let options = Options {
        runs: vec![runs.join("solar-none"), runs.join("solar-branch")],
        ..Options::default()
    };
    let mut window = Harness::builder()
        .with_size(vec2(1280.0, 800.0))
        .with_max_steps(40)
        .with_context_setup(crate::figure::style::install)
        .build_ui_state(
            |ui, app: &mut App| {
                app.logic(ui.ctx());
                app.ui(ui);
            },
            App::new(options),
        );
    let patience = Instant::now() + Duration::from_secs(20);
    while window.state().is_busy() || window.state().state.findings.found.is_none() {
        window.run();
        ensure!(Instant::now() < patience, "the runs are not looked through");
        std::thread::yield_now();
    }
    let key = |app: &App| key(app.state.runs.iter()).unwrap_or_default();
    let app = window.state_mut();
    assert_eq!(key(app).len(), 2);
    let now = key(app);
    assert_eq!(
        app.state.findings.ask(&now, 100.0),
        Err(None),
        "nothing new"
    );
    let newer: Key = now.iter().map(|x| (x.0, x.1 + 1, x.2, x.3)).collect();
    app.state.findings.asked_at = 100.0;
    let waits = app.state.findings.ask(&newer, 100.4);
    assert!(
        matches!(waits, Err(Some(secs)) if (0.5..0.7).contains(&secs)),
        "{waits:?}"
    );
    assert_eq!(app.state.findings.ask(&newer, 101.1), Ok(()));
    assert_eq!(
        app.state.findings.ask(&newer, 109.0),
        Err(None),
        "one at a time"
    );
    app.state
        .findings
        .take(newer, vec![finding(Kind::Conflict, "Made up", 0)]);
    window.step();
    window.get_by_label("Show Made up").click();
    window.run();
    let view = &window.state().state.view;
    assert_eq!(view.page, Page::Conflicts);
    assert_eq!(view.figure.scope, Scope::Layer("stem.conv1".to_owned()));
    assert_eq!(
        (view.figure.class, view.figure.pair),
        (Some(1), Some((1, 0)))
    );
    assert_eq!(view.figure.step, Some(0));
    Ok(())
}
