//! The window, driven through the accessible names of its widgets, without a display.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use crossbeam_channel::{Receiver, Sender, unbounded};
use crosscurrent::config::Attention;
use crosscurrent::figure::Kind;
use crosscurrent::run::event::{End, Event};
use crosscurrent::run::log::{Writer, load};
use crosscurrent::run::{Ending, Run};
use crosscurrent::train::{Control, Message};
use crosscurrent::ui::{App, Job, Options, Trainer};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use egui_kittest::{Harness, HarnessBuilder};

mod constructed;
use constructed::Constructed;

/// A test that waits longer than this has failed.
const PATIENCE: Duration = Duration::from_secs(20);

const SHORT: Constructed = Constructed {
    attention: Attention::None,
    classes: 6,
    steps: 40,
    step_every: 5,
    eval_every: 10,
    probe_every: 10,
    has_training: true,
};

type Window = Harness<'static, App>;

fn window(options: Options) -> Window {
    window_of(Harness::builder(), options)
}

/// A window of 1280 by 800 points. What `builder` says of the size does not count.
fn window_of(builder: HarnessBuilder<App>, options: Options) -> Window {
    let mut window = builder
        .with_size(egui::vec2(1280.0, 800.0))
        .with_max_steps(40)
        .with_context_setup(crosscurrent::figure::style::install)
        .build_ui_state(
            |ui, app: &mut App| {
                app.logic(ui.ctx());
                app.ui(ui);
            },
            App::new(options),
        );
    settle(&mut window);
    window
}

/// A trainer that refuses every job, and the jobs that it was given.
fn refusing_trainer() -> (Trainer, Arc<Mutex<Vec<Job>>>) {
    let jobs: Arc<Mutex<Vec<Job>>> = Arc::default();
    let seen = jobs.clone();
    let trainer: Trainer = Arc::new(move |job: &Job, _, _| {
        seen.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(job.clone());
        Err("not today".to_owned())
    });
    (trainer, jobs)
}

/// Runs frames until nothing is read or written in the background any more.
fn settle(window: &mut Window) {
    let patience = std::time::Instant::now() + PATIENCE;
    // A spinner asks for frames for as long as it turns, so that `try_run` gives up with an error.
    while window.state().is_busy() || window.try_run().is_err() || window.state().is_busy() {
        assert!(
            std::time::Instant::now() < patience,
            "work in the background does not end"
        );
        window.step();
        std::thread::yield_now();
    }
}

fn click(window: &mut Window, label: &str) {
    window.get_by_label(label).click();
    settle(window);
}

/// The value of the first matrix that assistive technology reads out.
fn summary(window: &Window) -> Option<String> {
    let mut found = window.query_all_by_label_contains("Interference 0.");
    found.next()?.accesskit_node().value()
}

fn has(window: &Window, text: &str) -> bool {
    window.query_all_by_label_contains(text).next().is_some()
}

fn value(window: &Window, label: &str) -> Option<f64> {
    window.get_by_label(label).accesskit_node().numeric_value()
}

/// A trainer that writes the events of a constructed run, one for each permit, and acknowledges each of them.
struct Script {
    permits: Sender<()>,
    written: Receiver<()>,
}

impl Script {
    fn new() -> (Self, Trainer) {
        let (permits, permitted) = unbounded::<()>();
        let (acknowledge, written) = unbounded();
        let trainer: Trainer = Arc::new(move |job: &Job, control, emit| {
            let next = || permitted.recv().is_ok() && control.wait();
            let told = || {
                let _ = acknowledge.send(());
            };
            perform(job, control, &next, emit, &told).map_err(|error| error.to_string())
        });
        (Self { permits, written }, trainer)
    }

    /// Lets the trainer go on by `count` events and waits until they are written.
    fn go_on(&self, window: &mut Window, count: usize) -> anyhow::Result<()> {
        for _ in 0..count {
            self.permits.send(())?;
            self.written
                .recv_timeout(PATIENCE)
                .context("the trainer waits")?;
        }
        settle(window);
        Ok(())
    }

    fn is_silent(&self) -> bool {
        self.written.is_empty()
    }
}

fn perform(
    job: &Job,
    control: &Control,
    next: &dyn Fn() -> bool,
    emit: &mut (dyn FnMut(Message) + Send),
    told: &dyn Fn(),
) -> anyhow::Result<()> {
    let dir = job.dir();
    let (mut writer, run, events) = match job {
        Job::Train { config, .. } => {
            let run = Constructed {
                attention: config.attention,
                ..SHORT
            };
            (Writer::create(dir)?, run, run.events())
        }
        Job::Resume { .. } | Job::Fork { .. } => {
            let known = load(dir)?.run;
            let step = known.last_step();
            let mut events = vec![Event::Resumed { step }];
            events.extend(
                SHORT
                    .events()
                    .into_iter()
                    .filter(|event| event.step() > step),
            );
            (Writer::append(dir)?, SHORT, events)
        }
    };
    let mut step = 0;
    for event in events {
        let goes_on = next();
        let event = if goes_on {
            event
        } else {
            let message = "stopped by the test".to_owned();
            Event::Stopped(End { step, message })
        };
        step = event.step();
        run.write_event(&mut writer, dir, &event)?;
        emit(Message::Event(event));
        if !goes_on {
            ensure!(control.is_stopped(), "the script was dropped");
            told();
            return Ok(());
        }
        told();
    }
    Ok(())
}

/// Waits until the training thread is done.
fn wait_for_end(window: &mut Window) {
    let patience = std::time::Instant::now() + PATIENCE;
    while window.state().is_training() {
        window.run();
        assert!(
            std::time::Instant::now() < patience,
            "training does not end"
        );
        std::thread::yield_now();
    }
    settle(window);
}

fn written_runs(output: &Path) -> anyhow::Result<Vec<Run>> {
    let mut dirs: Vec<_> = std::fs::read_dir(output)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    // Reverse order puts the baseline, `solar-none`, before `solar-branch`.
    dirs.sort();
    dirs.reverse();
    dirs.iter().map(|dir| Ok(load(dir)?.run)).collect()
}

fn two_runs(parent: &Path) -> anyhow::Result<Options> {
    let mut runs = Vec::new();
    for (name, attention) in [("baseline", Attention::None), ("branch", Attention::Branch)] {
        let dir = parent.join(name);
        let run = Constructed { attention, ..SHORT };
        run.write(&dir, |_| false)?;
        runs.push(dir);
    }
    Ok(Options {
        runs,
        output: parent.join("new"),
        ..Options::default()
    })
}

#[test]
fn an_empty_window_says_what_to_do() {
    let window = window(Options::default());
    assert!(has(&window, "Press Start to train a baseline"));
    assert!(has(&window, "None yet."));
    assert!(
        window
            .get_by_label("Moment shown")
            .accesskit_node()
            .is_disabled()
    );
    assert!(
        window
            .get_by_label("Two runs side by side")
            .accesskit_node()
            .is_disabled()
    );
}

#[test]
fn a_pair_is_started_paused_resumed_and_stopped() -> anyhow::Result<()> {
    let output = tempfile::tempdir()?;
    let (script, trainer) = Script::new();
    let mut window = window(Options {
        output: output.path().to_owned(),
        trainer,
        ..Options::default()
    });
    click(&mut window, "Start");
    script.go_on(&mut window, 12)?;
    assert!(has(&window, "Run 1 of 2: Baseline") && has(&window, "Baseline · running"));
    assert!(has(&window, "Add once more") && has(&window, "1 run waits"));

    click(&mut window, "Pause");
    assert!(has(&window, "Baseline · paused") && has(&window, "paused: Resume goes on"));
    assert!(!has(&window, " s left"), "a paused run has no time left");
    script.permits.send(())?;
    settle(&mut window);
    assert!(script.is_silent(), "a paused run goes on");
    click(&mut window, "Resume");
    script.written.recv_timeout(PATIENCE)?;
    settle(&mut window);
    assert!(has(&window, "Baseline · running"));

    // The trainer writes the rest of the baseline, and 10 events of the second run.
    let rest = SHORT.events().len() - 13;
    script.go_on(&mut window, rest)?;
    script.go_on(&mut window, 10)?;
    assert!(
        has(&window, "Run 2 of 2: CSBA (branch attention)") && has(&window, "Baseline · finished")
    );
    click(&mut window, "Stop");
    script.go_on(&mut window, 1)?;
    wait_for_end(&mut window);
    assert!(has(&window, "CSBA (branch attention) · stopped"));
    assert!(!window.get_by_label("Start").accesskit_node().is_disabled());

    let runs = written_runs(output.path())?;
    ensure!(runs.len() == 2);
    assert!(matches!(runs[0].ending, Some(Ending::Finished(_))));
    assert!(matches!(runs[1].ending, Some(Ending::Stopped(_))));
    Ok(())
}

/// A setting that only CUDA has is offered only in builds with CUDA, and enabled only if CUDA is chosen.
#[test]
fn rounded_products_are_offered_for_cuda_alone() {
    const TF32: &str = "Faster, rounded products (TF32)";
    let mut window = window(Options::default());
    click(&mut window, "More");
    if !cfg!(feature = "cuda") {
        assert!(!has(&window, TF32) && !has(&window, "CUDA"));
        return;
    }
    assert!(window.get_by_label(TF32).accesskit_node().is_disabled());
    click(&mut window, "CUDA");
    assert!(!window.get_by_label(TF32).accesskit_node().is_disabled());
}

#[test]
fn stopping_the_first_run_of_a_pair_starts_no_second() -> anyhow::Result<()> {
    let output = tempfile::tempdir()?;
    let (script, trainer) = Script::new();
    let mut window = window(Options {
        output: output.path().to_owned(),
        trainer,
        ..Options::default()
    });
    click(&mut window, "Start");
    script.go_on(&mut window, 8)?;
    click(&mut window, "Stop");
    script.go_on(&mut window, 1)?;
    wait_for_end(&mut window);
    assert_eq!(written_runs(output.path())?.len(), 1);
    Ok(())
}

#[test]
fn an_interrupted_run_is_continued() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let dir = parent.path().join("killed");
    SHORT.write(&dir, |event| event.step() > 20)?;
    let (script, trainer) = Script::new();
    let mut window = window(Options {
        runs: vec![dir.clone()],
        output: parent.path().join("new"),
        trainer,
        ..Options::default()
    });
    assert!(has(&window, "Baseline · interrupted"));
    click(&mut window, "Continue killed");
    let rest = SHORT
        .events()
        .iter()
        .filter(|event| event.step() > 20)
        .count();
    script.go_on(&mut window, 1 + rest)?;
    wait_for_end(&mut window);
    assert!(has(&window, "Baseline · finished"));
    assert!(matches!(load(&dir)?.run.ending, Some(Ending::Finished(_))));
    Ok(())
}

#[test]
fn a_trainer_that_fails_or_panics_leaves_a_sentence() -> anyhow::Result<()> {
    let fails: Trainer = Arc::new(|_, _, _| Err("the folder holds no images".to_owned()));
    let panics: Trainer = Arc::new(|_, _, _| {
        // `panic!` would print a report that looks like a failed test.
        std::panic::resume_unwind(Box::new("off by one"))
    });
    for (trainer, sentence) in [
        (fails, "the folder holds no images"),
        (panics, "off by one"),
    ] {
        let output = tempfile::tempdir()?;
        let mut window = window(Options {
            output: output.path().to_owned(),
            trainer,
            ..Options::default()
        });
        click(&mut window, "Start");
        wait_for_end(&mut window);
        assert!(has(&window, sentence), "{sentence}");
        click(&mut window, "Dismiss");
        assert!(!has(&window, sentence), "{sentence}");
    }
    Ok(())
}

#[test]
fn a_damaged_run_is_one_sentence() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let damaged = parent.path().join("damaged");
    std::fs::create_dir(&damaged)?;
    std::fs::write(damaged.join("events.jsonl"), "{\"event\":\n")?;
    let good = parent.path().join("good");
    SHORT.write(&good, |_| false)?;
    std::fs::write(good.join("probes/00000040.safetensors"), "torn")?;
    let mut window = window(Options {
        runs: vec![good, damaged.clone()],
        ..Options::default()
    });
    assert!(has(&window, "damaged file") && has(&window, &damaged.display().to_string()));
    // The good run is shown. Its damaged probe is reported in the matrix; its other probes are whole.
    let torn = "00000040.safetensors";
    assert!(has(&window, torn));
    click(&mut window, "Earlier probe");
    assert!(!has(&window, torn));
    Ok(())
}

#[test]
fn a_typed_value_is_checked_at_once() -> anyhow::Result<()> {
    let mut window = window(Options::default());
    let epochs = window.get_by_role_and_label(egui::accesskit::Role::TextInput, "Epochs");
    epochs.focus();
    settle(&mut window);
    window
        .get_by_role_and_label(egui::accesskit::Role::TextInput, "Epochs")
        .type_text("x");
    settle(&mut window);
    assert!(has(&window, "write a whole number"));
    assert!(window.get_by_label("Start").accesskit_node().is_disabled());
    Ok(())
}

#[test]
fn the_slider_moves_all_views() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let mut window = window(two_runs(parent.path())?);
    assert!(has(&window, "step 40 · epoch 4.0 · newest"));
    window.get_by_label("Moment shown").set_value_accesskit(1.0);
    settle(&mut window);
    assert!(has(&window, "step 10 · epoch 1.0 · held"));
    click(&mut window, "Later probe");
    assert_eq!(value(&window, "Moment shown"), Some(2.0));
    window.key_press(egui::Key::ArrowLeft);
    settle(&mut window);
    assert_eq!(value(&window, "Moment shown"), Some(1.0));
    click(&mut window, "Live");
    assert!(has(&window, "step 40 · epoch 4.0 · newest"));
    Ok(())
}

/// Two thirds along the time axis lies step 28, which is nearer to the probe of step 30 than to that of step 20. The
/// click is low in the chart, where no line is near.
#[test]
fn a_click_in_a_time_chart_goes_to_the_nearest_probe() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let mut options = two_runs(parent.path())?;
    options.runs.truncate(1);
    let mut window = window(options);
    let chart = window.get_by_role_and_label(egui::accesskit::Role::Image, "Per-class F1");
    let place = chart.rect().lerp_inside(egui::vec2(0.69, 0.95));
    window.hover_at(place);
    for pressed in [true, false] {
        window.event(egui::Event::PointerButton {
            pos: place,
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: egui::Modifiers::NONE,
        });
    }
    settle(&mut window);
    let moment = window.query_all_by_label_contains(" · epoch ").next();
    let moment = moment.and_then(|node| node.accesskit_node().value());
    assert_eq!(moment.as_deref(), Some("step 30 · epoch 3.0 · held"));
    Ok(())
}

#[test]
fn runs_change_sides_and_leave_the_list() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let mut window = window(two_runs(parent.path())?);
    click(&mut window, "Conflicts");
    let titles = |window: &Window| window.query_all_by_label("Peaks by layer").count();
    assert_eq!(titles(&window), 2, "two runs are shown side by side");
    click(&mut window, "Show branch on the left");
    assert_eq!(titles(&window), 2);
    click(&mut window, "Two runs side by side");
    assert_eq!(titles(&window), 1);
    click(&mut window, "Remove branch");
    assert!(!has(&window, "Show branch on the left") && has(&window, "Show baseline on the left"));
    click(&mut window, "Remove baseline");
    assert!(has(&window, "None yet."));
    Ok(())
}

#[test]
fn a_layer_and_a_cell_are_selected_by_a_click() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let mut options = two_runs(parent.path())?;
    options.runs.truncate(1);
    let mut window = window(options);
    let backbone = summary(&window).context("the matrix has a summary")?;
    click(&mut window, "branch2.conv1");
    let layer = summary(&window).context("the matrix has a summary")?;
    assert_ne!(backbone, layer, "the matrix follows the layer");
    click(&mut window, "Backbone");
    assert_eq!(summary(&window), Some(backbone));

    // In a low window the figure of the pair is scrolled out of sight, and then it is not drawn.
    window.set_size(egui::vec2(1280.0, 1300.0));
    settle(&mut window);
    press(&mut window, egui::Modifiers::NONE, egui::Key::Escape);
    assert!(has(&window, "Click a cell of the matrix"));
    click(&mut window, "Dusty × Physical-damage");
    assert!(has(&window, "Pair Dusty × Physical-damage"));
    assert!(!has(&window, "Click a cell of the matrix"));
    Ok(())
}

#[test]
fn the_matrix_follows_the_slider() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let mut options = two_runs(parent.path())?;
    options.runs.truncate(1);
    let mut window = window(options);
    let newest = summary(&window);
    window.get_by_label("Moment shown").set_value_accesskit(0.0);
    settle(&mut window);
    assert!(newest.is_some() && summary(&window).is_some());
    assert_ne!(summary(&window), newest);
    Ok(())
}

/// The button that opens the export dialog for the matrix of the first run.
const EXPORT_MATRIX: &str = "Export… Gradient Conflict Matrix, baseline";

/// The same for a card that is seen without scrolling, even beside another run.
const EXPORT_F1: &str = "Export… Per-class F1, baseline";

fn type_path(window: &mut Window, label: &str, path: &Path) {
    let field = window.get_by_role_and_label(egui::accesskit::Role::TextInput, label);
    field.set_text_value_accesskit(&path.display().to_string());
    settle(window);
}

/// Runs `crosscurrent export` with these arguments and `--out`.
fn export_command(arguments: &[&str], out: &Path) -> anyhow::Result<()> {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_crosscurrent"))
        .arg("export")
        .args(arguments)
        .arg("--out")
        .arg(out)
        .output()?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{arguments:?}: {error}");
    Ok(())
}

/// The window writes the same files as `crosscurrent export` from the same run, in every format.
#[test]
fn a_figure_is_exported() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let mut options = two_runs(parent.path())?;
    options.runs.truncate(1);
    let run = parent.path().join("baseline");
    let run = run.to_str().context("path")?;
    let mut window = window(options);
    window.state_mut().figure_view().pair = Some((1, 4));
    settle(&mut window);
    for (format, card, figure) in [
        ("PNG", EXPORT_MATRIX, "conflict-matrix"),
        ("SVG", EXPORT_MATRIX, "conflict-matrix"),
        (
            "CSV",
            "Export… Selected pair over time, baseline",
            "pair-cosine",
        ),
    ] {
        let name = format!("figure.{}", format.to_lowercase());
        let file = parent.path().join(&name);
        window.get_by_label(card).scroll_to_me();
        settle(&mut window);
        click(&mut window, card);
        click(&mut window, format);
        // A table has no size.
        if format != "CSV" {
            click(&mut window, "Single column");
            assert!(has(&window, "1004 × 756 pixels"));
        }
        type_path(&mut window, "File", &file);
        click(&mut window, "Export");
        assert!(has(&window, "Exported to"), "{format}");
        click(&mut window, "Dismiss");
        let command = parent.path().join("command").join(&name);
        let size = [
            "--size",
            "85mmx64mm",
            "--dpi",
            "300",
            "--text",
            "75",
            "--dark",
        ];
        let pair = ["--pair", "1", "4"];
        export_command(
            &[&[run, "--figure", figure][..], &size, &pair].concat(),
            &command,
        )?;
        let bytes = std::fs::read(&file)?;
        assert!(bytes.len() > 500, "{format} has {} bytes", bytes.len());
        assert!(
            bytes == std::fs::read(&command)?,
            "the two differ as {format}"
        );
    }
    let image = image::open(parent.path().join("figure.png"))?;
    assert_eq!((image.width(), image.height()), (1004, 756));
    Ok(())
}

#[test]
fn all_figures_of_the_page_are_exported() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let mut window = window(two_runs(parent.path())?);
    let folder = parent.path().join("figures");
    // A moment that is held is drawn as a line, here and where the view is restored from the image.
    window.state_mut().figure_view().step = Some(20);
    settle(&mut window);
    click(&mut window, EXPORT_F1);
    click(&mut window, "All figures of “Overview”");
    click(&mut window, "SVG");
    type_path(&mut window, "Folder", &folder);
    click(&mut window, "Export");
    // Nine figures of both runs, and the second run's matrix and its difference from the first, in two formats.
    assert!(has(&window, "Exported 22 files to"));
    assert_eq!(std::fs::read_dir(&folder)?.count(), 22);
    // `crosscurrent export` makes the same image of this run over which the same other run is laid.
    let runs = ["baseline", "branch"].map(|name| parent.path().join(name));
    let [left, right] = runs.each_ref().map(|run| run.to_str().unwrap_or_default());
    let command = parent.path().join("command");
    let written = folder.join("baseline-loss.png");
    let size = std::fs::read(&written)?;
    let written = written.to_str().unwrap_or_default();
    let arguments = [left, right, "--view", written, "--dark", "--format", "png"];
    let image = image::load_from_memory(&size)?;
    let points = format!("{}x{}px", image.width(), image.height());
    let command = command.with_extension("png");
    export_command(&[&arguments[..], &["--size", &points]].concat(), &command)?;
    let both = std::fs::read(command)?;
    assert!(both == size, "the window's image is another");
    Ok(())
}

/// The scales of all charts are locked for all runs, and released again.
#[test]
fn scales_are_locked_and_given_back() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let mut window = window(two_runs(parent.path())?);
    click(&mut window, "Lock scales");
    let locked = window.state_mut().figure_view().ranges.clone();
    let has_y = |kind| locked.get(&kind).is_some_and(|range| range.y.is_some());
    assert!(has_y(Kind::Loss) && has_y(Kind::DepthProfile), "{locked:?}");
    assert!(has(&window, "Show all of Per-class F1"));
    click(&mut window, "Lock scales");
    assert!(window.state_mut().figure_view().ranges.is_empty());
    Ok(())
}

#[test]
fn a_figure_and_its_numbers_go_to_the_clipboard() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let mut window = window(two_runs(parent.path())?);
    let mut copied = |format: &str, button: &str| {
        click(&mut window, EXPORT_F1);
        click(&mut window, format);
        window.get_by_label(button).click();
        // One of the following frames hands the copy to the clipboard.
        let patience = std::time::Instant::now() + PATIENCE;
        loop {
            window.step();
            let commands = window.output().platform_output.commands.clone();
            let is_copy =
                |command: &egui::OutputCommand| !matches!(command, egui::OutputCommand::OpenUrl(_));
            if let Some(command) = commands.into_iter().find(is_copy) {
                return Ok(command);
            }
            ensure!(std::time::Instant::now() < patience, "nothing is copied");
        }
    };
    if let egui::OutputCommand::CopyText(text) = copied("CSV", "Copy table")? {
        assert!(text.starts_with("step\tepoch\tsplit\t"));
    } else {
        anyhow::bail!("no table");
    }
    let copied = copied("PNG", "Copy image")?;
    ensure!(
        matches!(copied, egui::OutputCommand::CopyImage(image) if image.size[0] > 300),
        "no image"
    );
    Ok(())
}

/// An exported image brings its view back in a window that shows another view.
#[test]
fn an_exported_image_leads_back_to_its_view() -> anyhow::Result<()> {
    use crosscurrent::figure::export::read_view;
    use crosscurrent::run::Scope;
    let parent = tempfile::tempdir()?;
    let run = parent.path().join("branch");
    let options = two_runs(parent.path())?;
    let file = parent.path().join("matrix.png");
    let arguments = [
        "--figure",
        "conflict-matrix",
        "--layer",
        "branch2.gate",
        "--pair",
        "1",
        "4",
    ];
    let path = run.to_str().context("path")?;
    export_command(&[&[path, "--step", "5"][..], &arguments].concat(), &file)?;
    let restored = read_view(&std::fs::read(&file)?).map_err(anyhow::Error::msg)?;

    let mut window = window(options);
    window.state_mut().restore(restored.clone());
    settle(&mut window);
    assert!(has(&window, "Back to the view of branch"));
    let view = window.state_mut().figure_view().clone();
    assert_eq!(view, restored.view);
    assert_eq!(view.scope, Scope::Layer("branch2.gate".to_owned()));
    // At step 5 the probe of step 0 is shown.
    assert_eq!((view.step, view.pair), (Some(0), Some((1, 4))));
    // Only the run in the image is shown, not the other open run.
    assert!(has(&window, "Export… Gradient Conflict Matrix, branch"));
    assert!(!has(&window, "Export… Gradient Conflict Matrix, baseline"));

    // If the open page lacks the figure, another page that has it is opened. A pair and a layer that the run lacks are
    // left out.
    let mut elsewhere = restored.clone();
    elsewhere.figure = Kind::Confusion;
    elsewhere.view.pair = Some((1, 400));
    elsewhere.view.scope = Scope::Layer("no such layer".to_owned());
    window.state_mut().restore(elsewhere);
    settle(&mut window);
    assert!(has(&window, "Export… Confusion matrix, branch"));
    let view = window.state_mut().figure_view().clone();
    assert_eq!((view.pair, view.scope), (None, Scope::Backbone));

    // The image of a run that is not open changes nothing; a notice names its run.
    let mut unknown = restored;
    unknown.run.id = "another".to_owned();
    unknown.run.name = "run-of-last-week".to_owned();
    let before = window.state_mut().figure_view().clone();
    window.state_mut().restore(unknown);
    settle(&mut window);
    assert!(has(&window, "run-of-last-week, which is neither open"));
    assert_eq!(*window.state_mut().figure_view(), before);
    Ok(())
}

#[test]
fn an_image_folder_is_looked_through_as_it_is_typed() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    for (class, count) in [("cat", 9), ("dog", 4)] {
        std::fs::create_dir(parent.path().join(class))?;
        for index in 0..count {
            let image = image::RgbImage::new(16, 16);
            image.save(parent.path().join(class).join(format!("{index}.png")))?;
        }
    }
    let mut window = window(Options::default());
    click(&mut window, "Image folder");
    assert!(has(&window, "Choose the folder that holds"));
    assert!(window.get_by_label("Start").accesskit_node().is_disabled());
    for (path, expected, can_start) in [
        (parent.path().join("absent"), "absent", false),
        (parent.path().to_owned(), "dog", true),
    ] {
        let field = window.get_by_label("Path of the image folder");
        field.set_text_value_accesskit(&path.display().to_string());
        // The folder is read after a pause in typing; a step of the harness is a quarter of a second.
        window.run_steps(6);
        settle(&mut window);
        assert!(has(&window, expected), "{expected}");
        let start = window.get_by_label("Start");
        assert_eq!(
            !start.accesskit_node().is_disabled(),
            can_start,
            "{expected}"
        );
    }
    Ok(())
}

#[test]
fn back_and_forward_return_to_earlier_places() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let mut window = one_run(parent.path())?;
    click(&mut window, "Conflicts");
    click(&mut window, "Earlier probe");
    click(&mut window, "Earlier probe");
    let at = value(&window, "Moment shown");
    press(&mut window, egui::Modifiers::ALT, egui::Key::ArrowLeft);
    ensure!(value(&window, "Moment shown") != at);
    ensure!(is_on(&window, "Conflicts"));
    click(&mut window, "Back");
    ensure!(is_on(&window, "Overview"));
    press(&mut window, egui::Modifiers::ALT, egui::Key::ArrowRight);
    click(&mut window, "Forward");
    ensure!(is_on(&window, "Conflicts") && value(&window, "Moment shown") == at);
    Ok(())
}

#[test]
fn a_command_is_found_by_its_words_and_run_by_enter() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let mut window = one_run(parent.path())?;
    press(&mut window, egui::Modifiers::COMMAND, egui::Key::K);
    window
        .get_by_label("Search commands")
        .type_text("conv1 part");
    settle(&mut window);
    ensure!(has(&window, "Part of the network: branch1.conv1"));
    ensure!(!has(&window, "Page: Gates"));
    press(&mut window, egui::Modifiers::NONE, egui::Key::ArrowDown);
    press(&mut window, egui::Modifiers::NONE, egui::Key::Enter);
    ensure!(window.query_by_label("Search commands").is_none());
    let scope = &window.state_mut().figure_view().scope;
    ensure!(
        *scope == crosscurrent::run::Scope::Layer("branch1.conv1".to_owned()),
        "{scope:?}"
    );
    press(&mut window, egui::Modifiers::COMMAND, egui::Key::Num5);
    ensure!(is_on(&window, "Gates"));
    Ok(())
}

#[test]
fn dropped_runs_and_images_are_opened() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    for name in ["runs/first", "runs/second"] {
        SHORT.write(&parent.path().join(name), |_| false)?;
    }
    let images = parent.path().join("images/cat");
    std::fs::create_dir_all(&images)?;
    let file = parent.path().join("notes.txt");
    std::fs::write(&file, "nothing to open")?;
    let mut window = window(Options::default());
    drop_on(&mut window, &parent.path().join("runs"));
    ensure!(has(&window, "first") && has(&window, "second"));
    let images = parent.path().join("images");
    drop_on(&mut window, &images);
    ensure!(has(
        &window,
        "trains on the images of the folder that was dropped"
    ));
    let field = window.get_by_label("Path of the image folder");
    ensure!(field.accesskit_node().value().as_deref() == images.to_str());
    drop_on(&mut window, &file);
    ensure!(has(&window, "Only a run folder"));
    Ok(())
}

fn one_run(parent: &Path) -> anyhow::Result<Window> {
    let dir = parent.join("run");
    SHORT.write(&dir, |_| false)?;
    Ok(window(Options {
        runs: vec![dir],
        ..Options::default()
    }))
}

fn press(window: &mut Window, modifiers: egui::Modifiers, key: egui::Key) {
    window.key_press_modifiers(modifiers, key);
    settle(window);
}

/// Whether a tab, or another button with two states, is on.
fn is_on(window: &Window, tab: &str) -> bool {
    let node = window.get_by_label(tab).accesskit_node();
    node.toggled() == Some(egui::accesskit::Toggled::True)
}

/// A file that is dropped on the window.
#[derive(Debug)]
struct Dropped(std::path::PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}

fn drop_on(window: &mut Window, path: &Path) {
    let file = Dropped(path.to_path_buf());
    window.input_mut().dropped_files.push(Arc::new(file));
    window.step();
    settle(window);
}

#[path = "window/runs_page.rs"]
mod runs_page;

#[path = "window/batch_norm.rs"]
mod batch_norm;
#[path = "window/contrast.rs"]
mod contrast;
#[path = "window/data.rs"]
mod data;
#[path = "window/exports.rs"]
mod exports;
#[path = "window/forks.rs"]
mod forks;
#[path = "window/images.rs"]
mod images;
#[path = "window/kept.rs"]
mod kept;
#[path = "window/memory.rs"]
mod memory;
#[path = "window/names.rs"]
mod names;
#[cfg(target_os = "linux")]
#[path = "window/remote.rs"]
mod remote;
#[path = "window/selection.rs"]
mod selection;
#[path = "window/setup.rs"]
mod setup;
#[path = "window/small.rs"]
mod small;
#[path = "window/texts.rs"]
mod texts;

/// An image that cannot be decoded is named before the start, and can be left out with one click.
#[test]
fn a_broken_image_is_named_before_the_start() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let images = parent.path().join("images");
    for class in ["cat", "dog"] {
        std::fs::create_dir_all(images.join(class))?;
        for index in 0..9 {
            let image = image::RgbImage::new(16, 16);
            image.save(images.join(class).join(format!("{index}.png")))?;
        }
    }
    std::fs::write(images.join("dog/broken.png"), b"no image")?;
    let (script, trainer) = Script::new();
    let mut window = window(Options {
        output: parent.path().join("runs"),
        trainer,
        ..Options::default()
    });
    click(&mut window, "Image folder");
    let field = window.get_by_label("Path of the image folder");
    field.set_text_value_accesskit(&images.display().to_string());
    window.run_steps(6);
    let patience = std::time::Instant::now() + PATIENCE;
    while !has(&window, "1 of the images cannot be decoded") {
        settle(&mut window);
        ensure!(
            std::time::Instant::now() < patience,
            "the image is not found"
        );
    }
    click(&mut window, "Skip and train");
    script.go_on(&mut window, 3)?;
    let training = window.state().is_training();
    ensure!(training && !has(&window, "training would stop at them"));
    Ok(())
}

/// A selection goes by the names of its classes: what another run does not have is dropped.
#[test]
fn a_selection_does_not_reach_another_data_set() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let mut options = two_runs(parent.path())?;
    let other = parent.path().join("other");
    Constructed {
        classes: 12,
        ..SHORT
    }
    .write(&other, |_| false)?;
    options.runs = vec![options.runs[0].clone(), other];
    let mut window = window(options);
    click(&mut window, "Two runs side by side");
    let names = window.state_mut().figure_view().classes.clone();
    ensure!(names.len() == 6, "{names:?}");
    {
        let view = window.state_mut().figure_view();
        (view.pair, view.class) = (Some((1, 4)), Some(2));
    }
    settle(&mut window);
    click(&mut window, "Show other on the left");
    let view = window.state_mut().figure_view();
    ensure!(view.classes.len() == 12);
    let kept = |k: usize| view.classes.iter().position(|name| *name == names[k]);
    let pair = kept(1).zip(kept(4));
    ensure!(view.class == kept(2) && (view.pair == pair || pair.is_none()));
    Ok(())
}

/// Data folder, imbalance and epochs of the experiment being set up are there again at the next start.
#[test]
fn the_experiment_is_kept_for_the_next_start() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let settings = parent.path().join("settings.json");
    let options = || Options {
        settings: Some(settings.clone()),
        ..Options::default()
    };
    let mut first = window(options());
    click(&mut first, "Image folder");
    let field = first.get_by_label("Path of the image folder");
    field.set_text_value_accesskit("/data/cells");
    settle(&mut first);
    runs_page::wait(&mut first, 5.0);
    drop(first);
    let second = window(options());
    let folder = second.get_by_label("Path of the image folder");
    ensure!(folder.accesskit_node().value().as_deref() == Some("/data/cells"));
    Ok(())
}

/// The path of an exported figure, typed as that of a run, leads back to its view.
#[test]
fn the_path_of_an_exported_figure_leads_back_to_its_view() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let mut window = window(two_runs(parent.path())?);
    let file = parent.path().join("f1.png");
    window.state_mut().figure_view().step = Some(20);
    settle(&mut window);
    click(&mut window, EXPORT_F1);
    type_path(&mut window, "File", &file);
    click(&mut window, "Export");
    click(&mut window, "Dismiss");
    window.state_mut().figure_view().step = None;
    click(&mut window, "Conflicts");
    type_path(&mut window, "Path of a run to open", &file);
    window.get_by_label("Path of a run to open").focus();
    press(&mut window, egui::Modifiers::NONE, egui::Key::Enter);
    settle(&mut window);
    ensure!(is_on(&window, "Overview"));
    ensure!(window.state_mut().figure_view().step == Some(20));
    Ok(())
}
