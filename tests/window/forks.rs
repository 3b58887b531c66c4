//! What the window offers where a run ended because a number was not finite, and what it does when a signal comes.

use super::*;

const WHY: &str =
    "the loss is not a finite number at step 21 with learning rate 0.1; try a smaller `lr`";

/// A run in a folder that failed after step 20 for a reason.
fn failed(dir: &Path, message: &str) -> anyhow::Result<()> {
    SHORT.write(dir, |event| {
        event.step() > 20 || matches!(event, Event::Finished(_))
    })?;
    let end = End {
        step: 20,
        message: message.to_owned(),
    };
    Ok(Writer::append(dir)?.write(&Event::Failed(end))?)
}

/// Types a text into a field in place of what stands there; whether the run `wild` can be forked with it.
fn can_fork_with(window: &mut Window, field: &str, text: &str) -> bool {
    window.get_by_label(field).focus();
    window.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::A);
    window.get_by_label(field).type_text(text);
    settle(window);
    let fork = window.get_by_label("Fork wild");
    !fork.accesskit_node().is_disabled()
}

#[test]
fn a_run_that_was_not_finite_is_forked_with_the_rate_that_was_typed() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let (dir, other) = (parent.path().join("wild"), parent.path().join("other"));
    failed(&dir, WHY)?;
    failed(&other, "the disk is full")?;
    let (trainer, jobs) = refusing_trainer();
    let mut window = window(Options {
        runs: vec![other, dir.clone()],
        trainer,
        ..Options::default()
    });
    // Both are shown side by side.
    ensure!(!has(&window, "Fork other") && has(&window, "Fork wild"));
    ensure!(has(
        &window,
        "wild: The loss is not a finite number at step 21"
    ));

    let rate = "Learning rate of a fork of wild";
    ensure!(!can_fork_with(&mut window, rate, "fast"));
    ensure!(can_fork_with(&mut window, rate, "0.02"));
    let step = "Step of the checkpoint of a fork of wild";
    ensure!(!can_fork_with(&mut window, step, "the best"));
    ensure!(can_fork_with(&mut window, step, "12"));
    click(&mut window, "Fork wild");
    wait_for_end(&mut window);
    let jobs = jobs.lock().unwrap_or_else(PoisonError::into_inner);
    let [
        Job::Fork {
            parent: of,
            dir: to,
            config,
            at,
        },
    ] = jobs.as_slice()
    else {
        anyhow::bail!("{jobs:?}");
    };
    let header = load(&dir)?.run.started.context("header")?;
    let wanted = crosscurrent::config::RunConfig {
        lr: Some(0.02),
        ..header.config
    };
    ensure!(*of == dir && *to == parent.path().join("wild-fork") && **config == wanted);
    ensure!(*at == Some(12));
    Ok(())
}

/// Whether the window asked to be closed in its newest frame.
fn closes(window: &Window) -> bool {
    let viewports = window.output().viewport_output.values();
    let mut commands = viewports.flat_map(|viewport| &viewport.commands);
    commands.any(|command| *command == egui::ViewportCommand::Close)
}

#[test]
fn a_signal_closes_an_idle_window_at_once() {
    let mut window = window(Options::default());
    let close = window.state().closer();
    close("stopped by the signal TERM".to_owned());
    window.step();
    assert!(closes(&window));
}

#[test]
fn a_signal_stops_training_with_a_checkpoint_before_the_window_closes() -> anyhow::Result<()> {
    let output = tempfile::tempdir()?;
    let reasons: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = reasons.clone();
    let (started, has_started) = unbounded();
    let (permit, permitted) = unbounded::<()>();
    let trainer: Trainer = Arc::new(move |_, control, _| {
        let _ = started.send(());
        // The checkpoint takes a while.
        let _ = permitted.recv();
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.extend(control.stopped_for());
        Ok(())
    });
    let mut window = window(Options {
        output: output.path().to_owned(),
        trainer,
        ..Options::default()
    });
    window.get_by_label("Start").click();
    window.step();
    has_started.recv_timeout(PATIENCE)?;
    let close = window.state().closer();
    close("stopped by the signal HUP".to_owned());
    for _ in 0..3 {
        window.step();
        ensure!(!closes(&window), "the checkpoint is not written yet");
    }
    ensure!(has(
        &window,
        "the window closes when its checkpoint is written"
    ));
    ensure!(has(&window, "Close it again not to wait."));
    permit.send(())?;
    drop(permit);
    let patience = std::time::Instant::now() + PATIENCE;
    while !closes(&window) {
        ensure!(
            std::time::Instant::now() < patience,
            "the window does not close"
        );
        window.step();
        std::thread::yield_now();
    }
    let reasons = reasons.lock().unwrap_or_else(PoisonError::into_inner);
    ensure!(
        *reasons == ["stopped by the signal HUP"],
        "no further job is begun: {reasons:?}"
    );
    Ok(())
}
