//! Settings that the window keeps from one start to the next.

use super::runs_page::wait;
use super::*;
use crosscurrent::run::Scope;

fn settings(path: &Path) -> anyhow::Result<serde_json::Value> {
    Ok(serde_json::from_slice(&std::fs::read(path)?)?)
}

/// The windows are not closed properly, as in a crash: the next window has the settings that were written meanwhile.
#[test]
fn runs_selection_and_export_are_kept_without_a_proper_end() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let file = parent.path().join("settings.json");
    let samples = vec![parent.path().join("sample")];
    SHORT.write(&samples[0], |_| false)?;
    let start = |runs: Vec<std::path::PathBuf>| {
        window(Options {
            runs,
            samples: samples.clone(),
            settings: Some(file.clone()),
            ..Options::default()
        })
    };
    let mut first = start(two_runs(parent.path())?.runs);
    ensure!(!has(&first, "Show sample on the left"));
    click(&mut first, "Show branch on the left");
    click(&mut first, "Conflicts");
    first.state_mut().figure_view().scope = Scope::Layer("branch2.conv1".to_owned());
    first
        .get_by_label("Export… Network map, branch")
        .click_accesskit();
    settle(&mut first);
    click(&mut first, "Single column");
    click(&mut first, "SVG");
    type_path(&mut first, "File", &parent.path().join("map.svg"));
    click(&mut first, "Export");
    wait(&mut first, 5.0);
    let width = settings(&file)?["panel"].clone();
    drop(first);

    let mut second = start(Vec::new());
    ensure!(is_on(&second, "Show branch on the left"));
    ensure!(is_on(&second, "Show baseline on the right"));
    ensure!(is_on(&second, "Conflicts"));
    ensure!(second.state_mut().figure_view().scope.name() == "branch2.conv1");
    second
        .get_by_label("Export… Network map, branch")
        .click_accesskit();
    settle(&mut second);
    ensure!(is_on(&second, "Single column") && is_on(&second, "SVG"));
    ensure!(has(&second, "1004 × 756 pixels") && has(&second, "File"));
    click(&mut second, "Cancel");
    click(&mut second, "Two runs side by side");
    wait(&mut second, 5.0);
    ensure!(
        settings(&file)?["panel"] == width,
        "the panel changes by itself"
    );
    drop(second);

    let mut third = start(Vec::new());
    ensure!(!is_on(&third, "Two runs side by side"));
    ensure!(is_on(&third, "Show branch on the left"));
    click(&mut third, "Two runs side by side");
    ensure!(is_on(&third, "Show baseline on the right"));
    drop(third);

    // If the runs are gone, the samples are opened instead.
    for name in ["baseline", "branch"] {
        std::fs::remove_dir_all(parent.path().join(name))?;
    }
    ensure!(has(&start(Vec::new()), "Show sample on the left"));
    Ok(())
}

/// Colours follow the system until the user chooses them.
#[test]
fn colours_follow_the_system_until_they_are_chosen() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let file = parent.path().join("settings.json");
    let mut window = window(Options {
        settings: Some(file.clone()),
        ..Options::default()
    });
    window.ctx.set_theme(egui::ThemePreference::System);
    window.step();
    wait(&mut window, 5.0);
    ensure!(settings(&file)?["light"].is_null());
    click(&mut window, "Light");
    wait(&mut window, 5.0);
    ensure!(settings(&file)?["light"] == true);
    press(&mut window, egui::Modifiers::COMMAND, egui::Key::K);
    window
        .get_by_label("Search commands")
        .type_text("as the system");
    settle(&mut window);
    press(&mut window, egui::Modifiers::NONE, egui::Key::Enter);
    wait(&mut window, 5.0);
    ensure!(settings(&file)?["light"].is_null());
    Ok(())
}

/// The jobs that wait, and the job under way before them, survive a crash.
#[test]
fn the_queue_is_kept_while_it_is_worked_on() -> anyhow::Result<()> {
    let output = tempfile::tempdir()?;
    let file = output.path().join("settings.json");
    let (script, trainer) = Script::new();
    let mut window = window(Options {
        output: output.path().join("runs"),
        settings: Some(file.clone()),
        trainer,
        ..Options::default()
    });
    click(&mut window, "Start");
    script.go_on(&mut window, 12)?;
    wait(&mut window, 5.0);
    let queue = settings(&file)?["queue"].clone();
    let jobs = queue.as_array().context("a queue")?;
    ensure!(jobs.len() == 2 && jobs[0]["job"]["resume"]["dir"].is_string());
    ensure!(jobs[1]["job"]["train"]["dir"].is_string());
    Ok(())
}

/// A job whose images are still being read is kept as it was asked for, since there is no run to continue yet. If its run
/// has begun by the next start, that one is continued.
#[test]
fn a_job_that_has_recorded_nothing_is_kept_as_it_is() -> anyhow::Result<()> {
    let output = tempfile::tempdir()?;
    let file = output.path().join("settings.json");
    let (end, ended) = unbounded::<()>();
    let trainer: Trainer = Arc::new(move |_, _, _| {
        // Images are read until the end of the test.
        let _ = ended.recv();
        Err("ended".to_owned())
    });
    let start = || {
        window(Options {
            output: output.path().join("runs"),
            settings: Some(file.clone()),
            trainer: trainer.clone(),
            ..Options::default()
        })
    };
    let mut first = start();
    click(&mut first, "Start");
    let patience = std::time::Instant::now() + PATIENCE;
    while !has(&first, "Run 1 of 2: Baseline") {
        ensure!(std::time::Instant::now() < patience, "no job begins");
        first.step();
        std::thread::yield_now();
    }
    wait(&mut first, 5.0);
    drop(first);
    let before = settings(&file)?["queue"].clone();
    let jobs = before.as_array().context("a queue")?;
    let dirs = jobs.iter().map(|job| job["job"]["train"]["dir"].as_str());
    let dirs: Vec<&str> = dirs.collect::<Option<_>>().context("jobs that train")?;
    ensure!(dirs.len() == 2, "{before}");

    SHORT.write(Path::new(dirs[0]), |event| event.step() > 20)?;
    let mut second = start();
    wait(&mut second, 5.0);
    let after = settings(&file)?["queue"].clone();
    ensure!(after[0]["job"]["resume"]["dir"] == dirs[0], "{after}");
    ensure!(after[1] == before[1], "{after}");
    drop(end);
    Ok(())
}
