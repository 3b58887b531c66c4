//! The command `compare` on synthetic runs, against NumPy and SciPy.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use crosscurrent::config::Attention;
use crosscurrent::run::event::{End, Event, Split};
use crosscurrent::run::log::{self, Writer};
use crosscurrent::run::{BatchNorm, Run};
use serde_json::Value;

use crate::python::python_with;

/// A small pseudo-random offset, from 0 to 0.048.
fn spread(seed: u64, item: u64) -> f64 {
    ((seed * seed * 13 + seed * 31 + item * 17 + seed * item * 7) % 97) as f64 / 2000.0
}

/// Writes a finished run with the header and the last evaluations and probe of a recorded run; scores and conflicts are
/// shifted by seed and attention.
fn write(dir: &Path, of: &Run, attention: Attention, seed: u64) -> Result<()> {
    let mut started = of.started.clone().context("no header")?;
    started.config.seed = seed;
    started.config.attention = attention;
    // A different number of threads does not make another group.
    started.config.threads = Some(1 + seed as usize % 2);
    let gain = match attention {
        Attention::None => 0.0,
        Attention::Branch => 0.02,
        Attention::Shared
        | Attention::Constant
        | Attention::Wide
        | Attention::Class
        | Attention::Experts => 0.005,
    };
    let purpose = (gain * 1000.0) as u64;
    let mut writer = Writer::create(dir)?;
    writer.write(&Event::Started(Box::new(started)))?;
    for split in [Split::Val, Split::Test] {
        let mut eval = of
            .evals_of(split)
            .next_back()
            .context("no evaluation")?
            .clone();
        for (k, f1) in eval.f1.iter_mut().enumerate() {
            let moved = 0.5 + 0.05 * k as f64 + gain + spread(seed + purpose, k as u64);
            *f1 = Some(moved);
        }
        if attention == Attention::Branch && seed == 3 {
            eval.f1[2] = None;
        }
        let defined: Vec<f64> = eval.f1.iter().flatten().copied().collect();
        eval.macro_f1 = Some(defined.iter().sum::<f64>() / defined.len() as f64);
        eval.accuracy = Some(0.7 + spread(seed + purpose, 40));
        eval.balanced_accuracy = Some(0.6 + gain + spread(seed + purpose, 41));
        writer.write(&Event::Eval(eval))?;
    }
    let mut probe = of.probes.last().context("no probe")?.clone();
    for (row, layer) in probe.layers.iter_mut().enumerate() {
        layer.interference = Some(0.1 - gain + spread(seed + purpose, 50 + row as u64));
    }
    probe.backbone.interference = Some(0.1 - gain + spread(seed + purpose, 90));
    probe.backbone.conflicting = 5 + (spread(seed + purpose, 91) * 100.0) as usize;
    probe.classifier.interference = Some(0.2 + spread(seed + purpose, 92));
    let step = probe.step;
    writer.write(&Event::Probe(probe))?;
    let message = String::new();
    writer.write(&Event::Finished(End { step, message }))?;
    Ok(())
}

/// Eight runs without attention, eight with branch attention, seven of which share a seed with the former, and six with
/// shared attention; also a second run with a seed that is taken, and a run that is not finished.
fn runs(folder: &Path) -> Result<()> {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded");
    let plain = log::load(&samples.join("solar-none"))?.run;
    let gated = log::load(&samples.join("solar-branch"))?.run;
    for seed in 0..8 {
        write(
            &folder.join(format!("none-{seed}")),
            &plain,
            Attention::None,
            seed,
        )?;
        let dir = folder.join(format!("branch-{}", seed + 1));
        write(&dir, &gated, Attention::Branch, seed + 1)?;
    }
    for seed in 0..6 {
        let dir = folder.join(format!("shared-{seed}"));
        write(&dir, &plain, Attention::Shared, seed)?;
    }
    write(&folder.join("none-0-again"), &gated, Attention::None, 0)?;
    let cut = folder.join("none-9-cut");
    write(&cut, &plain, Attention::None, 9)?;
    let text = std::fs::read_to_string(log::events_path(&cut))?;
    let kept: Vec<_> = text
        .lines()
        .filter(|line| !line.contains("finished"))
        .collect();
    std::fs::write(log::events_path(&cut), kept.join("\n") + "\n")?;
    Ok(())
}

/// A folder for runs: the folder named by COMPARE_RUNS, which stays there for the script, or else a temporary one.
fn folder() -> Result<(PathBuf, Option<tempfile::TempDir>)> {
    if let Some(kept) = std::env::var_os("COMPARE_RUNS") {
        return Ok((kept.into(), None));
    }
    let folder = tempfile::tempdir()?;
    Ok((folder.path().to_owned(), Some(folder)))
}

fn compare(folder: &Path, arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crosscurrent"));
    command.arg("compare").args(arguments).current_dir(folder);
    Ok(command.output()?)
}

fn close(ours: &Value, theirs: &Value, what: &str) -> Result<()> {
    let (ours, theirs) = (
        ours.as_f64().context("none")?,
        theirs.as_f64().context("NaN")?,
    );
    assert!((ours - theirs).abs() < 1e-9, "{what}: {ours} and {theirs}");
    Ok(())
}

/// Against `python tests/peers/numpy_compare.py`, which reads the same logs: NumPy for means, scipy.stats.ttest_rel for
/// intervals, scipy.stats.permutation_test over all sign flips for p, and Holm's correction as in his paper.
#[test]
fn every_number_is_that_of_scipy() -> Result<()> {
    let (folder, _kept) = folder()?;
    runs(&folder)?;
    let output = compare(&folder, &[".", "--json"])?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    let found: Value = serde_json::from_slice(&output.stdout)?;
    let peer: Value = serde_json::from_str(include_str!("../peers/numpy_compare.json"))?;
    let peer = peer.as_array().context("no list")?;
    assert!(peer.len() > 50, "{}", peer.len());
    let mut tests = 0;
    for test in peer {
        let family = match test["family"].as_str() {
            Some("primary") => "headline",
            other => other.context("no family")?,
        };
        let rows = found[family].as_array().context("no rows")?;
        let row = rows.iter().find(|row| row["name"] == test["name"]);
        let what = format!("{} of {}", test["name"], test["group"]);
        let row = row.with_context(|| what.clone())?;
        let contrasts = row["contrasts"].as_array().context("no contrasts")?;
        let wanted = format!("attention {}", test["group"].as_str().context("no group")?);
        let is_wanted = |x: &&Value| {
            let group = x["group"].as_u64().unwrap_or(0) as usize;
            found["groups"][group]["name"] == wanted.as_str()
        };
        let contrast = contrasts.iter().find(is_wanted).context("no contrast")?;
        let paired = &contrast["paired"];
        close(&paired["mean"], &test["mean"], &what)?;
        close(&paired["sd"], &test["sd"], &what)?;
        close(&paired["interval"][0], &test["low"], &what)?;
        close(&paired["interval"][1], &test["high"], &what)?;
        close(&paired["p"], &test["p"], &what)?;
        close(&contrast["corrected_p"], &test["corrected_p"], &what)?;
        assert_eq!(contrast["seeds"], test["seeds"], "{what}");
        let group = contrast["group"].as_u64().context("no group")? as usize;
        close(&row["values"][group]["mean"], &test["group_mean"], &what)?;
        close(&row["values"][group]["sd"], &test["group_sd"], &what)?;
        assert_eq!(row["values"][group]["n"], test["group_n"], "{what}");
        tests += 1;
    }
    // Every p value of the program is also one of the script.
    let mut ours = 0;
    for family in ["headline", "per_class", "per_layer"] {
        for row in found[family].as_array().context("no rows")? {
            let contrasts = row["contrasts"].as_array().context("no contrasts")?;
            ours += contrasts
                .iter()
                .filter(|x| !x["corrected_p"].is_null())
                .count();
        }
    }
    assert_eq!(ours, tests);
    Ok(())
}

#[test]
fn the_tables_fit_and_say_what_was_left_out() -> Result<()> {
    let folder = tempfile::tempdir()?;
    runs(folder.path())?;
    let output = compare(folder.path(), &["."])?;
    let text = String::from_utf8(output.stdout)?;
    println!("{text}");
    for line in text
        .lines()
        .filter(|line| line.contains('±') && line.contains('['))
    {
        assert!(line.chars().count() <= 100, "{line}");
    }
    for part in [
        "baseline  attention none  (seeds 0, 1, 2, 3, 4, 5, 6, 7)",
        "attention branch − attention none, test images, batch norm frozen, last step",
        "attention shared − attention none",
        "none-9-cut is left out: it is not finished.",
        "none-0-again is left out: it has seed 0 like none-0",
        "Seed 8 is in no pair: attention branch has it, attention none has not.",
        "Bird-drop: a pair is left out",
    ] {
        assert!(text.contains(part), "{part}");
    }
    // With two groups compared and six classes, seven pairs give a corrected p of at least 12 · 2/2⁷ = 0.19.
    let remark = "With 7 seeds none of these can be called significant, since corrected p cannot be below 0.19; 9 seeds would do.";
    assert!(text.contains(remark), "{text}");
    Ok(())
}

#[test]
fn another_baseline_is_taken_and_mistakes_are_refused() -> Result<()> {
    let folder = tempfile::tempdir()?;
    runs(folder.path())?;
    let text = |arguments: &[&str]| -> Result<(Option<i32>, String, String)> {
        let output = compare(folder.path(), arguments)?;
        let words = |bytes| String::from_utf8(bytes);
        Ok((
            output.status.code(),
            words(output.stdout)?,
            words(output.stderr)?,
        ))
    };
    for baseline in ["branch-2", "./branch-2", "attention branch"] {
        let (code, said, error) = text(&[".", "--baseline", baseline])?;
        assert_eq!(code, Some(0), "{error}");
        assert!(said.contains("attention none − attention branch"), "{said}");
    }
    let (code, _, error) = text(&[".", "--baseline", "else"])?;
    assert_eq!(code, Some(2));
    assert!(error.contains("`else` names no finished run"), "{error}");
    let (code, _, error) = text(&["none-0", "none-1"])?;
    assert_eq!((code, error.lines().count()), (Some(1), 1));
    assert!(error.contains("one group, attention none"), "{error}");
    let (code, _, error) = text(&["none-9-cut"])?;
    assert_eq!(code, Some(1));
    assert!(error.contains("no run is finished"), "{error}");
    let (code, _, error) = text(&["nowhere"])?;
    assert_eq!((code, error.lines().count()), (Some(1), 1));
    Ok(())
}

/// The tables of the experiments, and the primary measure on the page that summarises them, agree with the recorded
/// logs of all seeds.
#[test]
fn the_experiments_say_what_was_recorded() -> Result<()> {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    let root = assets.join("experiments");
    let first = std::fs::read_to_string(root.join("README.md"))?;
    let second = std::fs::read_to_string(root.join("second-round.md"))?;
    let results = std::fs::read_to_string(assets.join("docs/results.md"))?;
    for (page, name) in [
        (&first, "cifar10-lt"),
        (&first, "infrared"),
        (&first, "solar"),
        (&second, "cifar10-lt-plain"),
        (&second, "solar-plain"),
        (&second, "infrared-plain"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_crosscurrent"))
            .args(["compare", "--json"])
            .arg(root.join("results").join(name))
            .output()?;
        let table: Value = serde_json::from_slice(&output.stdout)?;
        let rows = table["headline"].as_array().context("rows")?;
        for wanted in ["macro-F1", "accuracy", "tail F1", "rarest class F1"] {
            let row = rows.iter().find(|row| row["name"] == wanted);
            let row = row.context(wanted)?;
            for value in row["values"].as_array().context("values")? {
                assert_eq!(value["n"], 8);
                let (mean, sd) = (value["mean"].as_f64(), value["sd"].as_f64());
                let (mean, sd) = (mean.context("mean")?, sd.context("sd")?);
                let text = format!("{mean:.3} ± {sd:.3}");
                assert!(page.contains(&text), "{name}, {wanted}: {text}");
                let is_summed_up = wanted != "macro-F1" || results.contains(&text);
                assert!(is_summed_up, "{name}, {wanted}: {text} in results.md");
            }
        }
    }
    Ok(())
}

/// The sample runs are pairs that were measured with batch norm as in training, at the same steps but for that of the best
/// score, and in the pair with something to see conflict is lower with branch attention.
#[test]
fn the_sample_runs_are_pairs() -> Result<()> {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_runs");
    for name in ["cifar10-lt-plain", "solar"] {
        let (mut steps, mut best, mut interference) = (Vec::new(), Vec::new(), Vec::new());
        for attention in ["none", "branch"] {
            let run = log::load(&samples.join(format!("{name}-{attention}")))?.run;
            ensure!(
                run.batch_norm() == BatchNorm::AsInTraining,
                "{name}-{attention}"
            );
            best.extend(run.best().map(|eval| eval.step));
            steps.push(
                run.probes
                    .iter()
                    .map(|probe| probe.step)
                    .collect::<Vec<_>>(),
            );
            let early = run
                .probes
                .iter()
                .filter(|probe| (2.0..=10.0).contains(&probe.epoch));
            let thirds = early.filter_map(|probe| probe.backbone.thirds.as_ref());
            let values: Vec<f64> = thirds
                .filter_map(|thirds| thirds.head_tail.interference)
                .collect();
            ensure!(!values.is_empty(), "{name}-{attention}");
            interference.push(values.iter().sum::<f64>() / values.len() as f64);
        }
        for steps in &mut steps {
            steps.retain(|step| !best.contains(step));
        }
        ensure!(steps[0] == steps[1] && steps[0].len() > 8, "{steps:?}");
        let [none, branch] = interference[..] else {
            anyhow::bail!("{interference:?}");
        };
        let is_lower = branch < 0.8 * none;
        ensure!(name == "solar" || is_lower, "{interference:?}");
    }
    Ok(())
}

/// The scores of every trial for the best recipe stand on the page, those of the last step on test images.
#[test]
fn the_second_round_says_what_its_trials_gave() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/experiments");
    let page = std::fs::read_to_string(root.join("second-round.md"))?;
    let trials = log::runs_in(&root.join("results/cifar10-lt-best"));
    ensure!(trials.len() >= 3, "{trials:?}");
    for dir in trials {
        let run = log::load(&dir)?.run;
        let total = run.started.as_ref().context("no header")?.total_steps;
        let mut tests = run.evals_of(Split::Test);
        let test = tests.find(|eval| eval.step == total).context("no test")?;
        let macro_f1 = test.macro_f1.context("no macro-F1")?;
        let rarest = test.f1.last().copied().flatten().context("no F1")?;
        let accuracy = test.accuracy.context("no accuracy")?;
        let row = format!("| {macro_f1:.3} | {accuracy:.3} | {rarest:.3} |");
        ensure!(page.contains(&row), "{}: {row}", dir.display());
    }
    Ok(())
}

/// What the scripts of the second round compute from the logs stands on its page.
#[test]
fn the_second_round_says_what_its_scripts_compute() -> Result<()> {
    let Some(python) = python_with("numpy, safetensors") else {
        return Ok(());
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/experiments");
    let page = std::fs::read_to_string(root.join("second-round.md"))?;
    for (script, runs, at_least) in [
        ("foretell.py", "cifar10-lt-plain", 20),
        ("foretell.py", "solar-plain", 20),
        ("foretell.py", "infrared-plain", 20),
        ("over_time.py", "cifar10-lt-plain", 108),
        ("over_time.py", "solar-plain", 36),
        ("over_time.py", "infrared-plain", 36),
    ] {
        let output = Command::new(&python)
            .arg(root.join(script))
            .arg(root.join("results").join(runs))
            .output()?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{error}");
        let text = String::from_utf8(output.stdout)?;
        let words = text
            .split([' ', ',', '(', ')', '[', ']', '\n'])
            .filter(|word| word.contains('.'));
        let mut numbers = 0;
        for word in words {
            let Ok(value) = word.parse::<f64>() else {
                continue;
            };
            numbers += 1;
            // Corrected p have two places on the page, and a typographic minus; p before the correction are left out.
            let written = [word.replace('-', "−"), word.replace(['-', '+'], "")];
            let is_there = written.iter().any(|text| page.contains(text.as_str()));
            let is_corrected = page.contains(&format!("{value:.2} |"));
            let is_plain_p = text.contains(&format!("p = {word}, corrected"));
            ensure!(
                is_there || is_corrected || is_plain_p,
                "{runs}, {word}: {text}"
            );
        }
        ensure!(numbers >= at_least, "{script}, {runs}, {numbers}: {text}");
    }
    Ok(())
}
