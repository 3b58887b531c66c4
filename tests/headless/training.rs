//! A run as a whole: it learns, it is repeatable, it can be stopped and resumed, and its log replays to the live run.

use anyhow::{Context, Result};
use crosscurrent::config::{Attention, DeviceKind, Field, RunConfig};
use crosscurrent::gradient::gram::Gram;
use crosscurrent::run::event::{Event, Probe, Split};
use crosscurrent::run::probe_file::ProbeTensors;
use crosscurrent::run::{Ending, Run, Scope, log};
use crosscurrent::train::device::open;
use crosscurrent::train::{Control, Message};
use crosscurrent::ui::{Job, trainer};

use crate::common::{config, images, resume, tensors, timeless, train, train_until};

#[test]
fn the_same_configuration_twice_gives_the_same_events() -> Result<()> {
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    let config = config(&root.path().join("data"));
    let (first, second) = (root.path().join("first"), root.path().join("second"));
    let one: Vec<Event> = train(&first, &config)?.iter().map(timeless).collect();
    let two: Vec<Event> = train(&second, &config)?.iter().map(timeless).collect();
    assert!(one == two, "the events differ");
    assert_eq!(tensors(&first, "last")?, tensors(&second, "last")?);
    let probe = |dir: &std::path::Path| std::fs::read(dir.join(log::probe_file(6)));
    assert_eq!(probe(&first)?, probe(&second)?);
    let three = RunConfig {
        threads: Some(1),
        ..config.clone()
    };
    let other = RunConfig { seed: 1, ..config };
    assert_ne!(
        one,
        train(&root.path().join("other"), &other)?
            .iter()
            .map(timeless)
            .collect::<Vec<_>>()
    );
    train(&root.path().join("single thread"), &three)?;
    Ok(())
}

/// Probes read the network and change nothing of it: running statistics, weights, the optimiser's state and the order of
/// the images are the same bits however often a run is probed.
#[test]
fn probes_change_nothing_of_the_training() -> Result<()> {
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    let rarely = RunConfig {
        probe_every: None,
        probe_share: 0.0,
        ..config(&root.path().join("data"))
    };
    let often = RunConfig {
        probe_every: Some(1),
        ..rarely.clone()
    };
    let (first, second) = (root.path().join("rarely"), root.path().join("often"));
    let trained = |events: Vec<Event>| -> Vec<Event> {
        let events = events.iter().map(timeless);
        events
            .filter(|event| matches!(event, Event::Step(_) | Event::Eval(_)))
            .collect()
    };
    let one = trained(train(&first, &rarely)?);
    let two = trained(train(&second, &often)?);
    assert!(one == two, "the steps or evaluations differ");
    for which in ["last", "best"] {
        assert_eq!(tensors(&first, which)?, tensors(&second, which)?, "{which}");
    }
    let probes = |dir: &std::path::Path| -> Result<usize> { Ok(log::load(dir)?.run.probes.len()) };
    assert!(probes(&second)? == 17 && probes(&first)? <= 3);
    Ok(())
}

#[test]
fn stop_and_resume_change_nothing() -> Result<()> {
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    let config = config(&root.path().join("data"));
    let whole = root.path().join("whole");
    let events = train(&whole, &config)?;
    for stop_at in [1, 5, 8] {
        let dir = root.path().join(format!("stopped at {stop_at}"));
        let before = train_until(&dir, &config, stop_at)?;
        assert!(
            matches!(before.last(), Some(Event::Stopped(end)) if end.step == stop_at),
            "{:?}",
            before.last()
        );
        let after = resume(&dir)?;
        assert!(matches!(after[0], Event::Resumed { step } if step == stop_at));
        assert_eq!(
            tensors(&whole, "last")?,
            tensors(&dir, "last")?,
            "stopped at {stop_at}"
        );
        assert_eq!(tensors(&whole, "best")?, tensors(&dir, "best")?);
        let timeless_run = |run: &Run| {
            let mut run = run.clone();
            if let Some(started) = &mut run.started {
                started.id.clear();
                started.created_unix_secs = 0;
            }
            run.steps.iter_mut().for_each(|step| step.wall_secs = 0.0);
            run
        };
        let resumed = log::load(&dir)?.run;
        assert!(
            timeless_run(&resumed) == timeless_run(&Run::replay(&events)),
            "stopped at {stop_at}"
        );
    }
    Ok(())
}

/// With every option of the network somewhere: the same bits twice, and the same bits after a stop.
#[test]
fn networks_of_all_options_are_repeatable_and_resumable() -> Result<()> {
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    for (number, (attention, place, norm, dilations)) in [
        ("branch", "middle", "group", "1"),
        ("branch", "stem", "none", "1,2,3,5"),
        ("constant", "stem", "batch", "1,2"),
        ("class", "end", "group", "1,2,3"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut config = config(&root.path().join("data"));
        for (name, value) in [
            ("attention", attention),
            ("gate_place", place),
            ("norm", norm),
            ("dilations", dilations),
            ("kernels", "5"),
            ("lr", "0.02"),
        ] {
            let field = Field::named(name).context("a field")?;
            field.set(&mut config, value).map_err(anyhow::Error::msg)?;
        }
        let (whole, stopped) = (
            root.path().join(format!("whole {number}")),
            root.path().join(format!("stopped {number}")),
        );
        let events = train(&whole, &config)?;
        train_until(&stopped, &config, 5)?;
        resume(&stopped)?;
        for which in ["last", "best"] {
            assert_eq!(
                tensors(&whole, which)?,
                tensors(&stopped, which)?,
                "{norm}, {which}"
            );
        }
        let probe = |dir: &std::path::Path| std::fs::read(dir.join(log::probe_file(15)));
        assert_eq!(probe(&whole)?, probe(&stopped)?, "{norm}");
        let probes = Run::replay(&events).recorded().to_vec();
        let both = |probe: &Probe| probe.training.as_ref().map(|x| x.layers == probe.layers);
        // Without batch norm both measures are one.
        let is_one = norm != "batch";
        assert!(
            probes.iter().all(|probe| both(probe) == Some(is_one)),
            "{norm}"
        );
        let header = log::load(&whole)?.run.started.context("header")?;
        assert_eq!(header.mixes_images(), !is_one, "{norm}");
        assert_eq!(header.config.dilations.to_string(), dilations);
    }
    Ok(())
}

#[test]
fn the_log_replays_to_the_live_run() -> Result<()> {
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    let dir = root.path().join("run");
    let mut live = Run::default();
    for event in train(&dir, &config(&root.path().join("data")))? {
        live.apply(&event);
    }
    let loaded = log::load(&dir)?;
    assert!(loaded.run == live, "the replayed run is not the live one");
    assert!(!loaded.running && loaded.notes.is_empty());
    assert!(matches!(live.ending, Some(Ending::Finished(_))));
    let started = live.started.as_ref().context("header")?;
    assert_eq!((started.steps_per_epoch, started.total_steps), (4, 16));
    let probed: Vec<u64> = live.probes.iter().map(|probe| probe.step).collect();
    for step in [0, 3, 6, 9, 12, 15, 16] {
        assert!(probed.contains(&step), "no probe at {step}: {probed:?}");
    }
    let best = live.best().context("best")?.step;
    let tested: Vec<u64> = live.evals_of(Split::Test).map(|eval| eval.step).collect();
    assert!(
        tested.contains(&best) && tested.contains(&16) && probed.contains(&best),
        "best {best}: {tested:?}"
    );
    assert!(
        live.steps.last().context("steps")?.loss < live.steps[0].loss,
        "it learns"
    );
    Ok(())
}

/// The summaries in the log are those of the tensors in the probe files, and the Gram matrices of scopes add up.
#[test]
fn probe_files_hold_what_the_log_says() -> Result<()> {
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    let dir = root.path().join("run");
    train(&dir, &config(&root.path().join("data")))?;
    let run = log::load(&dir)?.run;
    for probe in &run.probes {
        let tensors = ProbeTensors::load(&dir.join(&probe.file), 3, run.batch_norm())?;
        assert_eq!(tensors.layers(), probe.layers.len());
        for (row, summary) in probe.layers.iter().enumerate() {
            let gram = tensors.gram_of(&[row]).context("gram")?;
            assert_eq!(run.summary_of(&gram, probe.step), *summary);
        }
        let backbone = tensors
            .gram_of(&run.gram_rows(&Scope::Backbone))
            .context("backbone")?;
        assert_eq!(run.summary_of(&backbone, probe.step), probe.backbone);
        assert!(probe.backbone.thirds.is_some(), "frequent and rare classes");
        let network = tensors
            .gram_of(&run.gram_rows(&Scope::Network))
            .context("network")?;
        let parts = [Scope::Backbone, Scope::Layer("classifier".to_owned())];
        let dot = |gram: &Gram| gram.dot(0, 1).unwrap();
        let sum: f64 = parts
            .iter()
            .map(|scope| dot(&tensors.gram_of(&run.gram_rows(scope)).unwrap()))
            .sum();
        assert!((dot(&network) - sum).abs() < 1e-6 * sum.abs().max(1.0));
        assert_eq!(tensors.gates.len(), 3);
        assert!(
            tensors
                .gates
                .values()
                .flatten()
                .all(|gate| (0.0..=1.0).contains(gate))
        );
        let moved = tensors.update.iter().any(|product| *product != 0.0);
        assert_eq!(
            moved,
            probe.step > 0,
            "no step was taken before the first probe"
        );
    }
    Ok(())
}

#[test]
fn without_validation_the_last_epoch_is_the_chosen_one() -> Result<()> {
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    let dir = root.path().join("run");
    let config = RunConfig {
        val: Some(0),
        attention: Attention::Shared,
        imbalance: 5.0,
        epochs: 1,
        ..config(&root.path().join("data"))
    };
    train(&dir, &config)?;
    let run = log::load(&dir)?.run;
    assert_eq!(run.evals_of(Split::Val).count(), 0);
    assert_eq!(run.evals_of(Split::Test).count(), 1);
    assert_eq!(tensors(&dir, "best")?, tensors(&dir, "last")?);
    Ok(())
}

/// On the command line, training on an absent device fails, since nobody may be there to see a notice; the window
/// trains on the processor and shows a notice.
#[test]
fn an_absent_device_fails_on_the_command_line_and_falls_back_in_the_window() -> Result<()> {
    let kinds = [DeviceKind::Metal, DeviceKind::Cuda];
    let absent = kinds.into_iter().find(|&kind| open(kind, false).is_err());
    let Some(device) = absent else {
        println!("skipped: every device is there");
        return Ok(());
    };
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    let config = RunConfig {
        device,
        epochs: 1,
        ..config(&root.path().join("data"))
    };
    let (dir, fallen_back) = (root.path().join("run"), root.path().join("window"));
    let error = train(&dir, &config).map(|_| ()).unwrap_err().to_string();
    assert!(error.ends_with("; choose the device `cpu`"), "{error}");
    assert!(!dir.exists(), "nothing is left behind");

    let job = Job::Train {
        dir: fallen_back.clone(),
        config: Box::new(config.clone()),
    };
    let mut notices = Vec::new();
    trainer()(&job, &Control::default(), &mut |message| {
        if let Message::Notice(text) = message {
            notices.push(text);
        }
    })
    .map_err(anyhow::Error::msg)?;
    assert!(
        notices.len() == 1 && notices[0].contains(device.label()),
        "{notices:?}"
    );
    let started = log::load(&fallen_back)?.run.started.context("header")?;
    assert_eq!(started.config.device, DeviceKind::Cpu);

    // According to its log, the run was trained on another machine.
    let on_cpu = RunConfig {
        device: DeviceKind::Cpu,
        epochs: 4,
        ..config
    };
    train_until(&dir, &on_cpu, 3)?;
    let events = std::fs::read_to_string(log::events_path(&dir))?;
    let elsewhere = events.replace("\"device\":\"cpu\"", &format!("\"device\":\"{device}\""));
    assert_ne!(elsewhere, events);
    std::fs::write(log::events_path(&dir), elsewhere)?;
    let error = resume(&dir).map(|_| ()).unwrap_err().to_string();
    assert!(error.ends_with("resume it where there is one"), "{error}");
    Ok(())
}

/// Gates with a stronger weight decay of their own end smaller than gates that decay like all other parameters.
#[test]
fn gates_can_decay_by_themselves() -> Result<()> {
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    let size_of_gates = |name: &str, gate_decay: Option<f64>| -> Result<f64> {
        let dir = root.path().join(name);
        let config = RunConfig {
            gate_decay,
            ..config(&root.path().join("data"))
        };
        train(&dir, &config)?;
        let gates = tensors(&dir, "last")?
            .into_iter()
            .filter(|(name, _)| name.contains(".gate.") && !name.starts_with("optimiser/"));
        let squares = gates.flat_map(|(_, bytes)| {
            let values = bytes.chunks_exact(4);
            let values: Vec<_> = values
                .filter_map(|b| b.try_into().ok().map(f32::from_le_bytes))
                .collect();
            values.into_iter().map(|x| f64::from(x).powi(2))
        });
        Ok(squares.sum())
    };
    let (alike, strong) = (size_of_gates("a", None)?, size_of_gates("b", Some(0.5))?);
    assert!(strong < 0.8 * alike, "{strong} and {alike}");
    Ok(())
}
