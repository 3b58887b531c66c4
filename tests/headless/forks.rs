//! Forks: a new run that begins with another one's history up to a checkpoint and goes on with other settings.

use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use crosscurrent::config::RunConfig;
use crosscurrent::run::event::{Event, Split, Started};
use crosscurrent::run::glance::Glance;
use crosscurrent::run::{Ending, Run, log};
use crosscurrent::train::{self, Control, Message};

use crate::common::{config, images, resume, tensors, train, train_until};

fn fork(parent: &Path, dir: &Path, config: &RunConfig, at: Option<u64>) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    train::fork(
        parent,
        dir,
        config,
        at,
        &Control::default(),
        &mut |message| {
            if let Message::Event(event) = message {
                events.push(event);
            }
        },
    )?;
    Ok(events)
}

fn header(dir: &Path) -> Result<Started> {
    log::load(dir)?.run.started.context("header")
}

/// A run without the fields that differ between two runs of one configuration, and without its parent.
fn timeless(dir: &Path) -> Result<Run> {
    let mut run = log::load(dir)?.run;
    let started = run.started.as_mut().context("header")?;
    started.id.clear();
    started.created_unix_secs = 0;
    started.parent = None;
    run.steps.iter_mut().for_each(|step| step.wall_secs = 0.0);
    Ok(run)
}

/// A configuration with which the loss is not finite after some steps: the learning rate rises from almost nothing.
fn diverging(data: &Path) -> RunConfig {
    RunConfig {
        lr: Some(1e7),
        warmup: 1.0,
        epochs: 20,
        ..config(data)
    }
}

fn crosscurrent(directory: &Path, arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crosscurrent"));
    Ok(command
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .current_dir(directory)
        .args(arguments)
        .output()?)
}

fn said(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

#[test]
fn a_fork_without_changes_ends_with_the_same_bits_as_the_resumed_run() -> Result<()> {
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    let config = config(&root.path().join("data"));
    let (dir, child) = (root.path().join("run"), root.path().join("child"));
    train_until(&dir, &config, 9)?;
    let before = std::fs::read(log::events_path(&dir))?;
    let events = fork(&dir, &child, &config, None)?;
    assert_eq!(
        std::fs::read(log::events_path(&dir))?,
        before,
        "the parent stays as it is"
    );
    resume(&dir)?;
    for which in ["last", "best"] {
        assert_eq!(tensors(&dir, which)?, tensors(&child, which)?, "{which}");
    }
    assert!(timeless(&dir)? == timeless(&child)?, "one history");
    // What a window sees while it trains is what the log holds.
    assert!(Run::replay(&events) == log::load(&child)?.run);
    for folder in ["probes", "predictions"] {
        for file in std::fs::read_dir(dir.join(folder))? {
            let file = file?;
            let copy = child.join(folder).join(file.file_name());
            assert_eq!(
                std::fs::read(file.path())?,
                std::fs::read(&copy)?,
                "{}",
                copy.display()
            );
        }
    }
    let (parent, started) = (header(&dir)?, header(&child)?);
    let known = started.parent.context("parent")?;
    assert_eq!((&known.run, known.step), (&parent.id, 9));
    assert!(known.changed.is_empty() && started.id != parent.id);
    Ok(())
}

#[test]
fn a_run_whose_loss_was_not_finite_is_trained_to_its_end_with_a_smaller_rate() -> Result<()> {
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    let config = diverging(&root.path().join("data"));
    let dir = root.path().join("run");
    let error = train(&dir, &config).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("is not a finite number at step"), "{error}");
    assert!(error.contains("crosscurrent fork RUN --lr 0.1"), "{error}");
    let run = log::load(&dir)?.run;
    let Some(Ending::Failed(end)) = &run.ending else {
        panic!("{:?}", run.ending);
    };
    assert!(end.is_not_finite() && end.step > 2, "{end:?}");
    for (_, bytes) in tensors(&dir, "last")?
        .iter()
        .filter(|(name, _)| !name.contains("tracked"))
    {
        let (words, _) = bytes.as_chunks::<4>();
        assert!(
            words.iter().all(|x| f32::from_le_bytes(*x).is_finite()),
            "the checkpoint before stays"
        );
    }

    // Resumed with the same settings, it ends at the same step, and that is said before.
    let mut notices = Vec::new();
    let again = train::resume(&dir, &Control::default(), &mut |message| {
        if let Message::Notice(text) = message {
            notices.push(text);
        }
    });
    assert_eq!(again.unwrap_err().to_string(), error);
    assert!(
        notices[0].contains("ends as before, because") && notices[0].contains("fork"),
        "{notices:?}"
    );

    let slower = RunConfig {
        lr: Some(0.03),
        warmup: 0.05,
        ..config
    };
    let best = run.best().context("best")?.step;
    for (name, at) in [("default", None), ("best", Some(best))] {
        let child = root.path().join(name);
        fork(&dir, &child, &slower, at)?;
        let run = log::load(&child)?.run;
        let started = run.started.as_ref().context("header")?;
        assert!(
            matches!(run.ending, Some(Ending::Finished(_))),
            "{name}: {:?}",
            run.ending
        );
        assert_eq!(run.last_step(), started.total_steps, "{name}");
        let parent = started.parent.as_ref().context("parent")?;
        assert!(at.is_none_or(|at| parent.step == at), "{name}");
        // The curves of the parent up to the fork are the child's, and the rate changes there.
        let (before, after): (Vec<_>, Vec<_>) =
            run.steps.iter().partition(|x| x.step <= parent.step);
        let parents = log::load(&dir)?.run.steps;
        assert!(before.iter().zip(&parents).all(|(x, y)| *x == y), "{name}");
        assert_eq!(before.len() as u64, parent.step, "{name}");
        assert!(after.iter().all(|step| step.lr <= 0.03), "{name}");
        let changed: Vec<_> = parent
            .changed
            .iter()
            .map(|x| (&*x.field, &*x.from, &*x.to))
            .collect();
        assert_eq!(
            changed,
            [("lr", "10000000", "0.03"), ("warmup", "1", "0.05")]
        );
        assert!(!started.is_of_one_piece());
        assert!(Glance::read(&child)?.ending.is_some());
    }
    // A fork of that fork knows both, although the settings of its own begin at its end.
    let longer = RunConfig {
        epochs: slower.epochs + 1,
        ..slower
    };
    let (child, grandchild) = (root.path().join("default"), root.path().join("longer"));
    fork(&child, &grandchild, &longer, None)?;
    let (before, after) = (header(&child)?, header(&grandchild)?);
    let parent = after.parent.context("parent")?;
    assert_eq!(parent.changed.len(), 1);
    assert_eq!(parent.earlier.as_deref(), before.parent.as_ref());
    assert_eq!((&parent.run, parent.step), (&before.id, before.total_steps));
    // The test at the end of the fork that it was made of is none of its own.
    let run = log::load(&grandchild)?.run;
    let own = [Some(run.last_step()), run.best().map(|best| best.step)];
    let mut tests = run.evals_of(Split::Test);
    ensure!(tests.all(|eval| own.contains(&Some(eval.step))));
    ensure!(own.iter().all(|step| *step != Some(parent.step)), "{own:?}");
    Ok(())
}

#[test]
fn a_fork_that_is_not_possible_is_refused_in_a_sentence_and_leaves_nothing_behind() -> Result<()> {
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    let data = root.path().join("data");
    let (config, dir, child) = (
        config(&data),
        root.path().join("run"),
        root.path().join("child"),
    );
    train_until(&dir, &config, 9)?;
    let refused = |config: &RunConfig, at: Option<u64>, words: &[&str]| {
        let error = fork(&dir, &child, config, at)
            .map(|_| ())
            .expect_err("a refusal");
        let said = error.to_string();
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(!child.exists(), "{said}");
    };
    let with = |change: &dyn Fn(&mut RunConfig)| {
        let mut config = config.clone();
        change(&mut config);
        config
    };
    refused(
        &with(&|x| x.batch = 10),
        None,
        &["`batch`", "cannot change"],
    );
    refused(&with(&|x| x.seed = 1), None, &["`seed`", "cannot change"]);
    refused(
        &with(&|x| x.imbalance = 2.0),
        None,
        &["`imbalance`", "images"],
    );
    refused(
        &with(&|x| x.width = crosscurrent::config::Width::Half),
        None,
        &["`width`", "network"],
    );
    refused(
        &with(&|x| x.sampler = crosscurrent::config::Sampler::SquareRoot),
        None,
        &["`sampler`"],
    );
    refused(&with(&|x| x.lr = Some(-1.0)), None, &["lr"]);
    refused(
        &with(&|x| x.epochs = 2),
        None,
        &["nothing is left to train of 2 epochs"],
    );
    std::fs::remove_file(data.join("across/03.png"))?;
    refused(&config, None, &["have changed"]);
    // The checkpoint of step 0 is the best one only where no later one was better.
    let steps = ["best", "last"].map(|which| {
        let progress = train::checkpoint::progress_if_finite(&log::checkpoint_path(&dir, which));
        progress.unwrap().unwrap().step
    });
    if steps[0] > 0 {
        let wanted = format!("those of step {} and step {}", steps[0], steps[1]);
        refused(
            &config,
            Some(steps[0] - 1),
            &["no checkpoint at or before step", &wanted],
        );
    }
    std::fs::remove_dir_all(dir.join("checkpoints"))?;
    refused(&config, None, &["no checkpoint with finite weights"]);
    Ok(())
}

#[test]
fn the_command_forks_and_says_from_where() -> Result<()> {
    let root = tempfile::tempdir()?;
    let at = root.path();
    images(&at.join("data"))?;
    let config = config(&at.join("data"));
    train_until(&at.join("run"), &config, 9)?;
    let fork = crosscurrent(at, &["fork", "run", "--lr", "0.02", "--epochs", "5"])?;
    let text = said(&fork);
    ensure!(fork.status.success(), "{text}");
    for word in [
        "run-fork",
        "goes on from the checkpoint of step 9 (last)",
        "resumed after step 9",
        "finished after step 20",
    ] {
        assert!(text.contains(word), "`{word}` is missing in: {text}");
    }
    assert!(
        !text.contains("step 2 epoch"),
        "the parent's evaluations are not told again: {text}"
    );
    let summary = said(&crosscurrent(at, &["summary", "run-fork"])?);
    assert!(
        summary.contains("goes on from step 9 of run")
            && summary.contains("up to there with epochs 4, lr 0.1"),
        "{summary}"
    );

    let refused = crosscurrent(at, &["fork", "run", "--batch", "10"])?;
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        said(&refused).contains("cannot change `batch`"),
        "{}",
        said(&refused)
    );
    let help = said(&crosscurrent(at, &["fork", "--help"])?);
    assert!(
        help.contains("--lr") && help.contains("--at") && !help.contains("--batch "),
        "{help}"
    );
    // A second fork gets a name of its own.
    let second = crosscurrent(at, &["fork", "run", "--lr", "0.01"])?;
    assert!(said(&second).contains("run-fork-2"), "{}", said(&second));
    // Forks are no runs of their configuration, and are not paired with such.
    let compare = said(&crosscurrent(
        at,
        &["compare", "run", "run-fork", "run-fork-2"],
    )?);
    assert!(compare.contains("forked"), "{compare}");
    Ok(())
}

/// A fork that was stopped goes on like any other run.
#[test]
fn a_fork_can_be_stopped_and_resumed() -> Result<()> {
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    let config = config(&root.path().join("data"));
    let dir = root.path().join("run");
    train_until(&dir, &config, 6)?;
    let slower = RunConfig {
        lr: Some(0.02),
        ..config
    };
    let (whole, cut) = (root.path().join("whole"), root.path().join("cut"));
    fork(&dir, &whole, &slower, None)?;
    let control = Control::default();
    train::fork(&dir, &cut, &slower, None, &control, &mut |message| {
        if matches!(&message, Message::Event(Event::Step(step)) if step.step >= 9) {
            control.stop();
        }
    })?;
    resume(&cut)?;
    assert_eq!(tensors(&whole, "last")?, tensors(&cut, "last")?);
    assert!(timeless(&whole)? == timeless(&cut)?);
    Ok(())
}

/// A parent that is trained on while the fork reads its images has another checkpoint than the fork was planned with.
#[test]
fn a_parent_that_is_trained_on_meanwhile_is_not_forked() -> Result<()> {
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    let config = config(&root.path().join("data"));
    let [dir, later, child] = ["run", "later", "child"].map(|name| root.path().join(name));
    train_until(&dir, &config, 5)?;
    train_until(&later, &config, 7)?;
    let [from, to] = [&later, &dir].map(|run| log::checkpoint_path(run, "last"));
    let control = Control::default();
    let result = train::fork(&dir, &child, &config, None, &control, &mut |message| {
        if matches!(&message, Message::Notice(text) if text.contains("goes on from the checkpoint"))
        {
            std::fs::copy(&from, &to).expect("a copy");
        }
    });
    let error = result.unwrap_err().to_string();
    assert!(error.contains("another process is writing"), "{error}");
    assert!(!child.exists(), "nothing is left behind");
    Ok(())
}

/// A fork that is killed before its checkpoints are copied holds what another run recorded with other settings: it does not
/// begin anew, nor does it go on from a checkpoint before the one that it was made of.
#[test]
fn a_fork_without_its_checkpoint_does_not_go_on() -> Result<()> {
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    let config = config(&root.path().join("data"));
    let (dir, child) = (root.path().join("run"), root.path().join("child"));
    train_until(&dir, &config, 3)?;
    fork(&dir, &child, &config, None)?;
    let events = log::events_path(&child);
    let text = std::fs::read_to_string(&events)?;
    let lines = text.split_inclusive('\n');
    let before: String = lines
        .take_while(|line| !line.contains("\"event\":\"resumed\""))
        .collect();
    std::fs::write(&events, &before)?;
    std::fs::remove_dir_all(child.join("checkpoints"))?;
    let is_refused = || -> Result<()> {
        let error = resume(&child).map(|_| ()).unwrap_err().to_string();
        ensure!(error.contains("checkpoint of this run is gone"), "{error}");
        let after = std::fs::read_to_string(&events)?;
        ensure!(after == before, "the log is kept as it is");
        Ok(())
    };
    is_refused()?;
    std::fs::create_dir(child.join("checkpoints"))?;
    let [from, to] = [&dir, &child].map(|run| log::checkpoint_path(run, "best"));
    std::fs::copy(from, to)?;
    is_refused()
}

/// The step of the checkpoint `best`.
fn best_step(dir: &Path) -> Result<u64> {
    let path = log::checkpoint_path(dir, "best");
    let progress = train::checkpoint::progress_if_finite(&path)?;
    Ok(progress.context("a finite checkpoint")?.step)
}

/// A copy of a part of the folder may lack the weights of the best step; the best of what follows takes their place.
#[test]
fn a_run_whose_best_weights_are_gone_is_resumed_and_forked_to_its_end() -> Result<()> {
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    let config = config(&root.path().join("data"));
    let (dir, child) = (root.path().join("run"), root.path().join("child"));
    // No step with an odd number is evaluated.
    train_until(&dir, &config, 13)?;
    std::fs::remove_file(log::checkpoint_path(&dir, "best"))?;
    let control = Control::default();
    let mut notices = Vec::new();
    let mut listen = |message: Message| {
        if let Message::Notice(text) = message {
            notices.push(text);
        }
    };
    train::fork(&dir, &child, &config, None, &control, &mut listen)?;
    train::resume(&dir, &control, &mut listen)?;
    let gone = notices.iter().filter(|text| text.contains("are gone"));
    assert_eq!(gone.count(), 2, "{notices:?}");
    for run in [&dir, &child] {
        let best = best_step(run)?;
        let run = log::load(run)?.run;
        assert!(matches!(run.ending, Some(Ending::Finished(_))));
        let mut tests = run.evals_of(Split::Test);
        assert!(best > 13 && tests.any(|eval| eval.step == best), "{best}");
    }
    assert_eq!(tensors(&dir, "best")?, tensors(&child, "best")?);
    Ok(())
}

/// A process that is killed between the last checkpoint and that of the best step, which are of one state, loses nothing.
#[test]
fn the_best_checkpoint_is_made_of_the_last_where_they_are_one() -> Result<()> {
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    let config = config(&root.path().join("data"));
    let dir = root.path().join("run");
    let control = Control::default();
    // The first evaluation, before the first step, is the best one so far.
    train::run(&dir, &config, &control, &mut |message| {
        if matches!(message, Message::Event(Event::Eval(_))) {
            control.stop();
        }
    })?;
    let best = log::checkpoint_path(&dir, "best");
    std::fs::remove_file(&best)?;
    let mut found = None;
    train::resume(&dir, &Control::default(), &mut |message| match message {
        Message::Event(Event::Resumed { step }) => found = Some((step, best_step(&dir).ok())),
        Message::Notice(text) => assert!(!text.contains("are gone"), "{text}"),
        Message::Event(_) | Message::Loading { .. } => {}
    })?;
    assert_eq!(found, Some((0, Some(0))));
    Ok(())
}
