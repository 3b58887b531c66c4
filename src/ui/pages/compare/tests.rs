use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use crate::figure::{Kind, style};
use crate::run::Ending;
use crate::run::event::Event;
use crate::run::log::{self, Writer};
use crate::ui::state::place::Page;
use crate::ui::state::runs::RunEntry;
use crate::ui::work::{Made, copy_job};
use crate::ui::{App, Options};

type Window = Harness<'static, App>;

/// Makes a copy of a recorded run with another seed and only the probe file of its last step.
fn copy(parent: &Path, variant: &str, seed: u64) -> Result<std::path::PathBuf> {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded");
    let run = log::load(&samples.join(format!("solar-{variant}")))?.run;
    let mut started = run.started.clone().context("no header")?;
    started.config.seed = seed;
    started.id.push_str(&seed.to_string());
    let dir = parent.join(format!("{variant}-{seed}"));
    let mut writer = Writer::create(&dir)?;
    writer.write(&Event::Started(Box::new(started)))?;
    let last = run.last_step();
    for mut eval in run.evals.iter().filter(|x| x.step == last).cloned() {
        eval.macro_f1 = eval.macro_f1.map(|x| x - 0.01 * seed as f64);
        writer.write(&Event::Eval(eval))?;
    }
    for probe in run.probes.iter().filter(|x| x.step == last) {
        let file = dir.join(&probe.file);
        std::fs::create_dir_all(file.parent().context("no folder")?)?;
        std::fs::copy(
            samples.join(format!("solar-{variant}")).join(&probe.file),
            file,
        )?;
        writer.write(&Event::Probe(probe.clone()))?;
    }
    let Some(Ending::Finished(end)) = &run.ending else {
        anyhow::bail!("the sample is not finished");
    };
    writer.write(&Event::Finished(end.clone()))?;
    Ok(dir)
}

fn window(runs: Vec<std::path::PathBuf>) -> Result<Window> {
    let options = Options {
        runs,
        ..Options::default()
    };
    let mut app = App::new(options);
    app.state.view.page = Page::Compare;
    let mut window = Harness::builder()
        .with_size(egui::vec2(1280.0, 900.0))
        .with_max_steps(40)
        .with_context_setup(style::install)
        .build_ui_state(
            |ui, app: &mut App| {
                app.logic(ui.ctx());
                app.ui(ui);
            },
            app,
        );
    let patience = Instant::now() + Duration::from_secs(20);
    loop {
        window.run();
        if !window.state().is_busy() {
            break;
        }
        ensure!(
            Instant::now() < patience,
            "work in the background does not end"
        );
        std::thread::yield_now();
    }
    window.run();
    Ok(window)
}

fn has(window: &Window, text: &str) -> bool {
    window.query_all_by_label_contains(text).next().is_some()
}

#[test]
fn the_page_compares_all_open_runs() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let mut runs = Vec::new();
    for seed in 0..3 {
        runs.push(copy(parent.path(), "branch", seed)?);
        runs.push(copy(parent.path(), "none", seed)?);
    }
    runs.push(copy(parent.path(), "none", 7)?);
    let mut window = window(runs)?;
    // Both samples lose the same score with every seed, so that all differences are alike.
    assert!(has(
        &window,
        "The difference of macro-F1 between attention branch and attention none is"
    ));
    assert!(has(&window, "p cannot be below 0.25; 6 seeds would do"));
    assert!(has(&window, "rarest class F1"));
    window.get_by_label("1 note: what was left out").click();
    window.run();
    assert!(has(
        &window,
        "Seed 7 is in no pair: attention none has it, attention branch has not."
    ));

    // A click in a figure of this page changes the selection that all figures follow.
    let title = Kind::ClassDifference.title();
    let figure = window
        .get_by_role_and_label(egui::Role::Image, title)
        .rect();
    let at = figure.lerp_inside(egui::vec2(0.7, 0.02));
    for pressed in [true, false] {
        window.event(egui::Event::PointerMoved(at));
        window.event(egui::Event::PointerButton {
            pos: at,
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: egui::Modifiers::NONE,
        });
        window.step();
    }
    window.run();
    assert_eq!(window.state().state.view.figure.class, Some(0));

    window
        .get_by_role_and_label(egui::Role::ComboBox, "Baseline")
        .click();
    window.run();
    window.get_by_label("attention branch (3 seeds)").click();
    window.run();
    assert!(has(
        &window,
        "The difference of macro-F1 between attention none and attention branch is"
    ));
    Ok(())
}

#[test]
fn a_comparison_is_exported_as_an_image() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let runs: Vec<_> = ["none", "branch"]
        .into_iter()
        .flat_map(|variant| (0..2).map(move |seed| (variant, seed)))
        .map(|(variant, seed)| copy(parent.path(), variant, seed))
        .collect::<Result<_>>()?;
    let mut window = window(runs)?;
    window
        .get_by_label("Export… Per-class F1, change between groups, branch-0")
        .click();
    window.run();
    let app = window.state_mut();
    let draft = app.state.export.take().context("no dialog")?;
    let job = copy_job(&draft, &app.state.runs, &app.state.view).map_err(anyhow::Error::msg)?;
    let copied = job().map_err(anyhow::Error::msg)?;
    assert!(matches!(copied.made, Made::Image(_)));
    Ok(())
}

#[test]
fn an_exported_comparison_leads_back_to_it() -> Result<()> {
    use crate::figure::export::{Restored, RunRef};
    let parent = tempfile::tempdir()?;
    let mut window = window(vec![
        copy(parent.path(), "none", 0)?,
        copy(parent.path(), "branch", 0)?,
    ])?;
    let app = window.state_mut();
    let reference = |entry: &RunEntry| RunRef {
        id: entry
            .run
            .started
            .as_ref()
            .map_or_else(String::new, |x| x.id.clone()),
        name: entry.name.clone(),
    };
    let runs: Vec<_> = app.state.runs.iter().map(reference).collect();
    app.state.view.page = Page::Overview;
    let left = app.state.view.left;
    app.restore(Restored {
        format: 1,
        run: runs[0].clone(),
        shown: vec![runs[1].clone(), runs[0].clone()],
        figure: Kind::LayerDifference,
        layer: "backbone".to_owned(),
        step: None,
        colour_range: None,
        view: Default::default(),
    });
    assert_eq!(
        (app.state.view.page, app.state.view.left),
        (Page::Compare, left)
    );
    window.run();
    assert!(has(&window, "between attention none and attention branch"));
    Ok(())
}

/// The matrix of mean differences is made from the probes of all runs, which are read in the background.
#[test]
fn pairs_of_classes_are_compared_over_seeds() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let mut runs = Vec::new();
    for seed in 0..2 {
        runs.push(copy(parent.path(), "none", seed)?);
        runs.push(copy(parent.path(), "branch", seed)?);
    }
    let mut window = window(runs)?;
    window.set_size(egui::vec2(1280.0, 1700.0));
    window.run();
    // Both seeds have the same probe, so that the interval is a single point and no difference lies in it.
    assert!(has(
        &window,
        "intervals exclude 0 (by chance less than 1): less pull in"
    ));
    assert!(has(&window, "to call any significant takes 10 seeds"));
    window.get_by_label("Dusty × Bird-drop").click();
    window.run();
    assert_eq!(window.state().state.view.figure.pair, Some((1, 2)));
    Ok(())
}

#[test]
fn the_table_is_copied_for_a_spreadsheet() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let mut window = window(vec![
        copy(parent.path(), "none", 0)?,
        copy(parent.path(), "branch", 0)?,
    ])?;
    window.get_by_label("Copy table").click();
    window.step();
    let copied = window.output().platform_output.commands.iter();
    let mut text = copied.filter_map(|command| match command {
        egui::OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    });
    let text = text.next_back().context("nothing was copied")?;
    let lines: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    assert_eq!((lines[0][0], lines[1][0]), ("measure", "macro-F1"));
    assert!(lines.iter().all(|line| line.len() == lines[0].len()));
    assert!(lines[1].contains(&"cannot be significant with 1 seed"));
    window.get_by_label("Export table…").click();
    window.run();
    assert!(has(&window, "Export a figure"));
    Ok(())
}

#[test]
fn a_single_group_says_what_to_do() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let mut window = window(vec![copy(parent.path(), "none", 0)?])?;
    assert!(has(
        &window,
        "Open finished runs of at least two configurations"
    ));
    assert!(has(
        &window,
        "All finished runs are of one group, attention none"
    ));
    // The curves of the group are shown all the same, with a choice of what their area means.
    assert!(has(&window, Kind::GroupScores.title()) && has(&window, "range from least to most"));
    window
        .get_all_by_label("± sd")
        .next()
        .context("no choice")?
        .click();
    window.run();
    assert!(has(&window, "mean ± standard deviation (n − 1)"));
    Ok(())
}

#[test]
fn groups_of_other_classes_are_named() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let none = copy(parent.path(), "none", 0)?;
    let branch = copy(parent.path(), "branch", 0)?;
    let path = branch.join("events.jsonl");
    let text = std::fs::read_to_string(&path)?;
    std::fs::write(&path, text.replacen("\"Dusty\"", "\"Else\"", 1))?;
    let window = window(vec![none, branch])?;
    for words in [
        "No other finished runs have the classes of attention none",
        "other classes have attention branch",
    ] {
        assert!(has(&window, words), "{words}");
    }
    Ok(())
}
