//! The page of runs, the queue, and runs that another process writes.

use super::*;
use crosscurrent::run::log::events_path;

/// A window with the page of runs open.
fn runs_page(options: Options) -> Window {
    let mut window = window(options);
    window.get_by_label("Runs").click();
    settle(&mut window);
    window
}

/// Writes three runs into the folder that new runs go to: one without attention, one with, and one whose log is
/// damaged. None of them is open.
fn three_runs(parent: &Path) -> anyhow::Result<Options> {
    for (name, attention) in [("one", Attention::None), ("two", Attention::Branch)] {
        Constructed { attention, ..SHORT }.write(&parent.join(name), |_| false)?;
    }
    let damaged = parent.join("three");
    std::fs::create_dir(&damaged)?;
    std::fs::write(events_path(&damaged), "{\"event\":\n")?;
    Ok(Options {
        output: parent.to_owned(),
        ..Options::default()
    })
}

/// The line of a run in the table.
fn line<'a>(window: &'a Window, name: &str) -> egui_kittest::Node<'a> {
    let start = format!("{name}: ");
    window.get_by(move |node| node.label().is_some_and(|label| label.starts_with(&start)))
}

fn says(window: &Window, name: &str, words: &[&str]) {
    let label = line(window, name)
        .accesskit_node()
        .label()
        .unwrap_or_default();
    for word in words {
        assert!(label.contains(word), "{word}: {label}");
    }
}

fn choose(window: &mut Window, name: &str) {
    line(window, name).click();
    settle(window);
}

#[test]
fn runs_are_listed_sorted_and_filtered() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let mut window = runs_page(three_runs(parent.path())?);
    says(
        &window,
        "one",
        &["finished", "Attention none", "Steps 40 / 40"],
    );
    says(&window, "two", &["finished", "Attention branch"]);
    says(&window, "three", &["damaged", "Macro-F1 –"]);
    ensure!(has(&window, "3 runs"));

    let above = |window: &Window, a, b| line(window, a).rect().top() < line(window, b).rect().top();
    click(&mut window, "Sort by Macro-F1");
    ensure!(
        above(&window, "two", "one"),
        "attention helps, and the best comes first"
    );
    click(&mut window, "Sort by Macro-F1");
    ensure!(above(&window, "one", "two") && above(&window, "two", "three"));

    window.get_by_label("Filter runs").focus();
    window.run();
    window
        .get_by_label("Filter runs")
        .type_text("attention=branch");
    settle(&mut window);
    ensure!(has(&window, "1 of 3 runs") && !has(&window, "one: "));
    Ok(())
}

#[test]
fn a_run_is_opened_shown_and_closed() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let mut window = runs_page(three_runs(parent.path())?);
    choose(&mut window, "one");
    ensure!(has(&window, "All epochs were trained.") && has(&window, "Configuration"));
    click(&mut window, "Show left");
    choose(&mut window, "two");
    click(&mut window, "Show right");
    ensure!(is_on(&window, "Show one on the left") && is_on(&window, "Show two on the right"));
    click(&mut window, "Close");
    ensure!(!has(&window, "Show two on the right") && has(&window, "two: "));

    choose(&mut window, "three");
    ensure!(has(&window, "damaged file"));
    let show = window.get_by_label("Show left");
    ensure!(show.accesskit_node().is_disabled());
    Ok(())
}

/// A path can name a run or a folder of runs; a sentence says if it holds no run.
#[test]
fn a_path_opens_a_run_or_a_folder_of_runs() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let folder = parent.path().join("several");
    for name in ["a", "b"] {
        SHORT.write(&folder.join(name), |_| false)?;
    }
    let mut window = window(Options {
        runs: vec![folder],
        output: parent.path().join("new"),
        ..Options::default()
    });
    settle(&mut window);
    ensure!(is_on(&window, "Show a on the left") && has(&window, "Show b on the right"));
    let open = |window: &mut Window, path: &Path| {
        let field = window.get_by_label("Path of a run to open");
        field.focus();
        window.run();
        let path = path.display().to_string();
        window
            .get_by_label("Path of a run to open")
            .type_text(&path);
        window.run();
        press(window, egui::Modifiers::NONE, egui::Key::Enter);
    };
    open(&mut window, &parent.path().join("nowhere"));
    ensure!(has(&window, "There is no such directory; check the path"));
    std::fs::create_dir(parent.path().join("empty"))?;
    open(&mut window, &parent.path().join("empty"));
    ensure!(has(&window, "This is not a run"));
    Ok(())
}

#[test]
fn seeds_are_grouped_and_unfolded() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let mut window = runs_page(three_runs(parent.path())?);
    click(&mut window, "Group seeds");
    ensure!(!has(&window, "one: ") && has(&window, "Baseline, 1 run"));
    let group = window.get_by(|node| {
        node.label()
            .is_some_and(|label| label.starts_with("Group") && label.contains("Baseline"))
    });
    group.click();
    settle(&mut window);
    ensure!(has(&window, "one: ") && !has(&window, "two: "));
    Ok(())
}

#[test]
fn a_run_is_renamed_and_its_log_left_alone() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let mut options = three_runs(parent.path())?;
    let dir = parent.path().join("one");
    options.runs = vec![dir.clone()];
    let log = std::fs::read(events_path(&dir))?;
    let mut window = runs_page(options);
    choose(&mut window, "one");
    let field = |window: &Window| {
        let role = egui::accesskit::Role::TextInput;
        window.get_by_role_and_label(role, "Name").focus();
    };
    field(&window);
    window.run();
    let role = egui::accesskit::Role::TextInput;
    window
        .get_by_role_and_label(role, "Name")
        .type_text("Best so far");
    window.run();
    window.key_press(egui::Key::Enter);
    settle(&mut window);
    says(&window, "Best so far", &["finished"]);
    ensure!(has(&window, "Show Best so far on the left"));
    let notes = std::fs::read_to_string(dir.join("notes.json"))?;
    ensure!(notes.contains("Best so far"), "{notes}");
    ensure!(std::fs::read(events_path(&dir))? == log);
    Ok(())
}

/// The search for runs follows no links: what is known of this run is what was read as it was opened.
#[cfg(unix)]
#[test]
fn a_run_behind_a_link_keeps_its_notes_when_it_is_renamed() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let (real, link) = (parent.path().join("a/b/c/d/e"), parent.path().join("link"));
    SHORT.write(&real, |_| false)?;
    let file = real.join("notes.json");
    std::fs::write(&file, r#"{"name": "Mine", "notes": "Warm-up"}"#)?;
    std::os::unix::fs::symlink(&real, &link)?;
    let mut window = runs_page(Options {
        runs: vec![link],
        output: parent.path().join("new"),
        ..Options::default()
    });
    choose(&mut window, "Mine");
    let role = egui::accesskit::Role::TextInput;
    window.get_by_role_and_label(role, "Name").focus();
    window.run();
    window.get_by_role_and_label(role, "Name").type_text("!");
    window.run();
    window.key_press(egui::Key::Enter);
    settle(&mut window);
    let notes = std::fs::read_to_string(&file)?;
    ensure!(notes.contains("Mine") && notes.contains('!'), "{notes}");
    ensure!(notes.contains("Warm-up"), "{notes}");
    Ok(())
}

/// Saving would replace the file, in which the user may still find what was written.
#[test]
fn notes_in_a_damaged_file_cannot_be_edited() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let options = three_runs(parent.path())?;
    std::fs::write(parent.path().join("one/notes.json"), "{")?;
    let mut window = runs_page(options);
    choose(&mut window, "one");
    ensure!(has(&window, "once the file is repaired or removed"));
    let role = egui::accesskit::Role::TextInput;
    ensure!(window.query_by_role_and_label(role, "Name").is_none());
    Ok(())
}

#[test]
fn a_run_goes_to_the_trash_when_that_is_confirmed() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let discarded = Arc::new(Mutex::new(Vec::new()));
    let log = discarded.clone();
    let mut options = three_runs(parent.path())?;
    options.runs = vec![parent.path().join("one")];
    options.discard = Arc::new(move |dir| {
        if let Ok(mut log) = log.lock() {
            log.push(dir.to_owned());
        }
        std::fs::remove_dir_all(dir).map_err(|error| error.to_string())
    });
    let mut window = runs_page(options);
    choose(&mut window, "one");
    click(&mut window, "Move to trash…");
    click(&mut window, "Keep it");
    ensure!(parent.path().join("one").is_dir() && has(&window, "one: "));
    click(&mut window, "Move to trash…");
    click(&mut window, "Move to trash");
    ensure!(!has(&window, "one: ") && !has(&window, "Show one on the left"));
    ensure!(has(&window, "Moved to the trash: "));
    ensure!(
        discarded
            .lock()
            .is_ok_and(|log| *log == [parent.path().join("one")])
    );

    // A run that a process is writing by now stays.
    choose(&mut window, "two");
    click(&mut window, "Move to trash…");
    let _writer = Writer::append(&parent.path().join("two"))?;
    click(&mut window, "Move to trash");
    ensure!(has(&window, "the run is being written"));
    ensure!(parent.path().join("two").is_dir());
    Ok(())
}

/// Lets this many seconds pass in the window.
pub(super) fn wait(window: &mut Window, secs: f64) {
    let time = window.ctx.input(|input| input.time) + secs;
    window.input_mut().time = Some(time);
    settle(window);
}

#[test]
fn several_runs_of_other_processes_are_followed() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let mut writers = Vec::new();
    for (name, attention) in [("first", Attention::None), ("second", Attention::Branch)] {
        let dir = parent.path().join(name);
        let run = Constructed { attention, ..SHORT };
        let mut events = run.events().into_iter();
        let mut writer = Writer::create(&dir)?;
        for event in events.by_ref().take(6) {
            run.write_event(&mut writer, &dir, &event)?;
        }
        writers.push((dir, run, writer, events));
    }
    let runs = writers.iter().map(|(dir, ..)| dir.clone()).collect();
    let mut window = runs_page(Options {
        runs,
        output: parent.path().join("new"),
        ..Options::default()
    });
    says(&window, "first", &["running elsewhere"]);
    let steps = |window: &Window, name| -> Option<String> {
        let label = line(window, name).accesskit_node().label()?;
        Some(label.split("Steps ").nth(1)?.split(" /").next()?.to_owned())
    };
    let before = (steps(&window, "first"), steps(&window, "second"));
    for (dir, run, writer, events) in &mut writers {
        for event in events.by_ref().take(8) {
            run.write_event(writer, dir, &event)?;
        }
    }
    wait(&mut window, 2.5);
    let after = (steps(&window, "first"), steps(&window, "second"));
    ensure!(
        before.0 != after.0 && before.1 != after.1,
        "{before:?} {after:?}"
    );

    // One run ends, and the other's folder is moved away.
    let mut writers = writers.into_iter();
    let (dir, run, mut writer, events) = writers.next().context("two runs")?;
    for event in events {
        run.write_event(&mut writer, &dir, &event)?;
    }
    drop(writer);
    let (second, ..) = writers.next().context("two runs")?;
    let away = parent.path().join("away");
    std::fs::rename(&second, &away)?;
    wait(&mut window, 2.5);
    says(&window, "first", &["finished", "Steps 40 / 40"]);
    says(&window, "second", &["out of reach"]);
    ensure!(has(&window, "second is shown as it was last read"));
    ensure!(steps(&window, "second") == after.1);
    std::fs::rename(&away, &second)?;
    wait(&mut window, 2.5);
    ensure!(!has(&window, "out of reach"), "it is back");
    Ok(())
}

#[test]
fn experiments_wait_in_a_queue() -> anyhow::Result<()> {
    let output = tempfile::tempdir()?;
    let settings = output.path().join("settings.json");
    let (script, trainer) = Script::new();
    let options = || Options {
        output: output.path().join("runs"),
        settings: Some(settings.clone()),
        trainer: trainer.clone(),
        ..Options::default()
    };
    let mut window = window(options());
    click(&mut window, "Start");
    script.go_on(&mut window, 12)?;
    ensure!(has(&window, "1 run waits") && has(&window, "all done in about"));
    click(&mut window, "Add once more");
    ensure!(has(&window, "3 runs wait") && has(&window, "Run 1 of 4"));
    // Each job has a directory of its own, even before any of them exists.
    ensure!(has(&window, "Cancel solar-none-2") && has(&window, "Cancel solar-branch-2"));

    let above = |window: &Window, a: &str, b: &str| {
        let top = |name: &str| window.get_by_label(&format!("Cancel {name}")).rect().top();
        top(a) < top(b)
    };
    ensure!(above(&window, "solar-branch", "solar-none-2"));
    click(&mut window, "Earlier solar-none-2");
    ensure!(above(&window, "solar-none-2", "solar-branch"));
    click(&mut window, "Later solar-none-2");
    ensure!(above(&window, "solar-branch", "solar-none-2"));
    click(&mut window, "Cancel solar-branch");
    ensure!(has(&window, "2 runs wait"));

    // Stopping also holds the jobs that wait, until the user continues them.
    click(&mut window, "Stop");
    script.go_on(&mut window, 1)?;
    wait_for_end(&mut window);
    ensure!(has(&window, "2 runs wait") && script.is_silent());
    click(&mut window, "Go on with what waits");
    script.go_on(&mut window, 3)?;
    ensure!(has(&window, "Run 1 of 2") && has(&window, "1 run waits"));
    Ok(())
}

#[test]
fn a_job_that_fails_does_not_end_the_queue() -> anyhow::Result<()> {
    let output = tempfile::tempdir()?;
    let trainer: Trainer = Arc::new(|job: &Job, control, emit| {
        let is_first = job.dir().ends_with("solar-none");
        if is_first {
            return Err("the disk is full".to_owned());
        }
        perform(job, control, &|| true, emit, &|| ()).map_err(|error| error.to_string())
    });
    let mut window = window(Options {
        output: output.path().to_owned(),
        trainer,
        ..Options::default()
    });
    click(&mut window, "Start");
    wait_for_end(&mut window);
    ensure!(has(&window, "solar-none: the disk is full") && has(&window, "1 run failed"));
    ensure!(has(&window, "CSBA (branch attention) · finished"));
    click(&mut window, "Dismiss");
    ensure!(!has(&window, "1 run failed"));
    Ok(())
}

#[test]
fn waiting_jobs_are_kept_for_the_next_start() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let settings = parent.path().join("settings.json");
    let dir = parent.path().join("new");
    let config = crosscurrent::config::RunConfig {
        seed: 7,
        ..Default::default()
    };
    let job = serde_json::to_value(Job::Train {
        dir: dir.clone(),
        config: Box::new(config),
    })?;
    let queue = serde_json::json!({"queue": [{"id": 4, "job": job, "is_second": false}]});
    std::fs::write(&settings, queue.to_string())?;
    let (script, trainer) = Script::new();
    let mut window = window(Options {
        settings: Some(settings),
        trainer,
        ..Options::default()
    });
    ensure!(has(
        &window,
        "was under way or waiting when the window was closed (1 run)"
    ));
    ensure!(has(&window, "1 run waits") && has(&window, "seed 7") && script.is_silent());
    click(&mut window, "Go on with what waits");
    script.go_on(&mut window, 3)?;
    ensure!(dir.is_dir() && !has(&window, "1 run waits"));
    Ok(())
}

#[test]
fn a_dropped_sweep_is_trained() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let file = parent.path().join("lr.toml");
    let text = "name = \"lr\"\nseeds = 1\n[grid]\nlr = [0.1, 0.01]\n";
    std::fs::write(&file, text)?;
    let (trainer, jobs) = refusing_trainer();
    let mut window = window(Options {
        output: parent.path().to_owned(),
        trainer,
        ..Options::default()
    });
    let mut drop_file = || {
        drop_on(&mut window, &file);
        wait_for_end(&mut window);
    };
    drop_file();
    let expected = ["lr/lr-0.1_seed-0", "lr/lr-0.01_seed-0"].map(|dir| parent.path().join(dir));
    let dirs = || -> Vec<_> {
        let jobs = jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.iter().map(|job| job.dir().to_path_buf()).collect()
    };
    ensure!(dirs() == expected, "{:?}", dirs());
    // A run in the same directory with another configuration is in the way.
    SHORT.write(&expected[0], |_| false)?;
    drop_file();
    ensure!(dirs().len() == 2);
    ensure!(has(&window, "There is a run with another configuration"));
    Ok(())
}

/// Listed runs are opened together, and a group is compared without opening its runs one by one.
#[test]
fn many_runs_are_opened_with_one_click() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let mut window = runs_page(three_runs(parent.path())?);
    click(&mut window, "Open all listed");
    ensure!(has(&window, "Show one on the left") && has(&window, "Show two on the left"));
    ensure!(!has(&window, "Show three on the left"), "it cannot be read");
    let button = window.get_by_label("Open all listed");
    ensure!(button.accesskit_node().is_disabled());

    let mut window = runs_page(three_runs_again(parent.path()));
    click(&mut window, "Group seeds");
    click(&mut window, "Compare CSBA (branch attention), 1 run");
    ensure!(has(
        &window,
        "All finished runs are of one group, attention branch"
    ));
    Ok(())
}

fn three_runs_again(parent: &Path) -> Options {
    Options {
        output: parent.to_owned(),
        ..Options::default()
    }
}

/// A run that is not open can be continued, too: it is opened first.
#[test]
fn a_run_that_is_not_open_is_continued() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let dir = parent.path().join("cut");
    SHORT.write(&dir, |event| event.step() >= 20)?;
    let (script, trainer) = Script::new();
    let mut window = runs_page(Options {
        output: parent.path().to_owned(),
        trainer,
        ..Options::default()
    });
    says(&window, "cut", &["interrupted"]);
    choose(&mut window, "cut");
    click(&mut window, "Continue training");
    script.go_on(&mut window, 3)?;
    ensure!(has(&window, "Show cut on the left"));
    says(&window, "cut", &["running"]);
    Ok(())
}

/// Damage that a glance at the log misses stays in the list once it was found.
#[test]
fn damage_within_a_log_is_kept_in_the_list() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let dir = parent.path().join("one");
    let long = Constructed {
        steps: 400,
        step_every: 1,
        ..SHORT
    };
    long.write(&dir, |_| false)?;
    let text = std::fs::read_to_string(events_path(&dir))?;
    let mut lines: Vec<_> = text.lines().collect();
    lines[3] = "{\"event\": 3";
    std::fs::write(events_path(&dir), lines.join("\n") + "\n")?;
    let mut window = runs_page(Options {
        output: parent.path().to_owned(),
        ..Options::default()
    });
    says(&window, "one", &["finished"]);
    choose(&mut window, "one");
    click(&mut window, "Show left");
    says(&window, "one", &["damaged"]);
    ensure!(has(&window, "damaged file (line 4"));
    wait(&mut window, 6.0);
    says(&window, "one", &["damaged"]);
    // A repaired log is listed as finished again.
    std::fs::write(events_path(&dir), text)?;
    wait(&mut window, 6.0);
    says(&window, "one", &["finished"]);
    Ok(())
}

/// On a network's file system no lock is seen. A log that grows is taken to be in writing, and a silent log is still
/// read now and then.
#[test]
fn a_log_that_grows_is_taken_for_running() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let dirs = ["open", "closed"].map(|name| parent.path().join(name));
    let lines: Vec<String> = {
        SHORT.write(&parent.path().join("whole/run"), |_| false)?;
        let text = std::fs::read_to_string(events_path(&parent.path().join("whole/run")))?;
        text.lines().map(|line| format!("{line}\n")).collect()
    };
    std::fs::remove_dir_all(parent.path().join("whole"))?;
    let write = |count: usize| -> anyhow::Result<()> {
        for dir in &dirs {
            std::fs::create_dir_all(dir)?;
            std::fs::write(events_path(dir), lines[..count].concat())?;
        }
        Ok(())
    };
    write(6)?;
    let mut window = runs_page(Options {
        runs: vec![dirs[0].clone()],
        output: parent.path().to_owned(),
        ..Options::default()
    });
    says(&window, "open", &["interrupted"]);
    says(&window, "closed", &["interrupted"]);
    write(8)?;
    wait(&mut window, 6.0);
    says(&window, "open", &["running elsewhere"]);
    says(&window, "closed", &["running elsewhere"]);
    choose(&mut window, "closed");
    let trash = window.get_by_label("Move to trash…");
    ensure!(trash.accesskit_node().is_disabled(), "it is being written");

    // The logs do not grow for a long time, and then grow again.
    wait(&mut window, 700.0);
    says(&window, "open", &["interrupted"]);
    wait(&mut window, 3600.0);
    write(10)?;
    wait(&mut window, 31.0);
    says(&window, "open", &["running elsewhere"]);
    Ok(())
}

/// The sample runs fit into the list on a common screen, and none is cut off.
#[test]
fn the_sample_runs_are_seen_whole() -> anyhow::Result<()> {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_runs");
    let runs = crosscurrent::run::log::runs_in(&samples);
    let count = runs.len();
    ensure!(count == 4, "{runs:?}");
    let mut window = window(Options {
        runs,
        ..Options::default()
    });
    window.set_size(egui::vec2(1440.0, 900.0));
    settle(&mut window);
    let end = window.get_by_label("Open run…").rect().top();
    for entry in window.query_all_by_label_contains("on the left") {
        let label = entry.accesskit_node().label().unwrap_or_default();
        ensure!(entry.rect().bottom() < end, "{label} is cut");
    }
    let shown = window.query_all_by_label_contains("on the left").count();
    ensure!(shown == count, "{shown} of {count} runs are seen");
    Ok(())
}

/// The trainer tells only what follows the checkpoint that it goes on from; what came before is in the log.
#[test]
fn a_run_that_waited_is_continued_with_its_earlier_steps() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let settings = parent.path().join("settings.json");
    let dir = parent.path().join("cut");
    SHORT.write(&dir, |event| event.step() > 20)?;
    std::fs::write(dir.join("notes.json"), r#"{"name": "Mine"}"#)?;
    let job = serde_json::to_value(Job::Resume { dir })?;
    let queue = serde_json::json!({"queue": [{"id": 0, "job": job, "is_second": false}]});
    std::fs::write(&settings, queue.to_string())?;
    let (script, trainer) = Script::new();
    let mut window = window(Options {
        settings: Some(settings),
        output: parent.path().join("new"),
        trainer,
        ..Options::default()
    });
    click(&mut window, "Go on with what waits");
    script.go_on(&mut window, 2)?;
    ensure!(has(&window, "Baseline · running") && summary(&window).is_some());
    let events = SHORT.events();
    let rest = events.iter().filter(|event| event.step() > 20).count();
    script.go_on(&mut window, rest - 1)?;
    wait_for_end(&mut window);
    ensure!(has(&window, "Baseline · finished") && has(&window, "Show Mine on the left"));
    Ok(())
}

/// Two windows share their settings: the second does not take over what the first one is doing.
#[test]
fn the_queue_of_a_window_that_is_still_open_is_left_alone() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let settings = parent.path().join("settings.json");
    let dir = parent.path().join("trained");
    SHORT.write(&dir, |event| event.step() > 20)?;
    let _writer = Writer::append(&dir)?;
    let mut jobs = Vec::new();
    for (id, dir) in [dir, parent.path().join("next")].into_iter().enumerate() {
        let job = serde_json::to_value(Job::Resume { dir })?;
        jobs.push(serde_json::json!({"id": id, "job": job, "is_second": false}));
    }
    let queue = serde_json::json!({ "queue": jobs });
    std::fs::write(&settings, queue.to_string())?;
    let window = window(Options {
        settings: Some(settings),
        output: parent.path().join("new"),
        ..Options::default()
    });
    ensure!(!has(&window, "was under way or waiting"));
    ensure!(!has(&window, "2 runs wait") && !has(&window, "Go on with what waits"));
    Ok(())
}

/// With Alt, the arrows go by words while a text is edited, and back and forward elsewhere.
#[test]
fn arrows_with_alt_belong_to_the_text_that_is_edited() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let mut window = one_run(parent.path())?;
    click(&mut window, "Conflicts");
    window.get_by_label("Path of a run to open").focus();
    window.run();
    press(&mut window, egui::Modifiers::ALT, egui::Key::ArrowLeft);
    ensure!(is_on(&window, "Conflicts"));
    Ok(())
}
