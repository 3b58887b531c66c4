//! `summary`: the scores that runs reached.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::batch_norm::BatchNormArguments;
use super::output::{UNDEFINED, number, print_table, say, say_json};
use crate::config::{Attention, Width};
use crate::run::event::{Parent, Split};
use crate::run::log::{self, Loaded};
use crate::run::{BatchNorm, Ending, Run};

/// The scores that a run reached: one row of `summary`, and one object of its JSON.
#[derive(Debug, serde::Serialize)]
struct Row {
    /// The name of the run's directory; its path, where another run is called so.
    run: String,
    /// The run's directory.
    path: String,
    state: &'static str,
    data: String,
    /// The network in the words of the program that recorded the run, where that is not this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<String>,
    /// Attention, width and seed of a run of this program.
    #[serde(skip_serializing_if = "Option::is_none")]
    attention: Option<Attention>,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<Width>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    step: u64,
    /// 0 where it is not known.
    total_steps: u64,
    /// Test macro-F1 at the last step, as recorded.
    test_macro_f1: Option<f64>,
    test_accuracy: Option<f64>,
    test_balanced_accuracy: Option<f64>,
    /// Test macro-F1 at the step of the best validation macro-F1.
    best_test_macro_f1: Option<f64>,
    best_val_macro_f1: Option<f64>,
    rarest_class: String,
    /// `None` also where the test split has no image of the class: its F1 is then 0 as soon as it is predicted once.
    rarest_test_f1: Option<f64>,
    /// How batch norm is treated in the class gradients of the three numbers below.
    batch_norm: BatchNorm,
    backbone_interference: Option<f64>,
    backbone_floor: Option<f64>,
    /// Interference in the backbone between frequent and rare classes, and its noise floor.
    head_tail_interference: Option<f64>,
    head_tail_floor: Option<f64>,
    classifier_interference: Option<f64>,
    notes: Vec<String>,
}

impl Row {
    fn new(path: &Path, loaded: &Loaded) -> anyhow::Result<Self> {
        let run = &loaded.run;
        let started = run
            .started
            .as_ref()
            .with_context(|| format!("no header: {}", path.display()))?;
        let test_at = |step: u64| run.evals_of(Split::Test).find(|eval| eval.step == step);
        let last = run.evals_of(Split::Test).next_back();
        let best = run.best();
        let rarest = started.rarest();
        let probe = run.probes.last();
        let recorder = started.recorder.as_deref();
        let is_own = recorder.is_none();
        let head_tail = probe.and_then(|probe| Some(probe.backbone.thirds.as_ref()?.head_tail));
        let parent = started.parent.iter().map(Parent::in_words);
        Ok(Self {
            run: name_of(path),
            path: path.display().to_string(),
            state: state(run, loaded.running),
            data: started.data(),
            network: recorder.map(|_| started.variant()),
            attention: is_own.then_some(started.config.attention),
            width: is_own.then_some(started.config.width),
            seed: match recorder {
                Some(recorder) => recorder.config.get("seed").and(Some(started.seed())),
                None => Some(started.seed()),
            },
            step: run.last_step(),
            total_steps: started.total_steps,
            test_macro_f1: last.and_then(|eval| eval.macro_f1),
            test_accuracy: last.and_then(|eval| eval.accuracy),
            test_balanced_accuracy: last.and_then(|eval| eval.balanced_accuracy),
            best_test_macro_f1: best
                .and_then(|best| test_at(best.step))
                .and_then(|eval| eval.macro_f1),
            best_val_macro_f1: best.and_then(|best| best.macro_f1),
            rarest_class: rarest
                .and_then(|k| started.classes.get(k).cloned())
                .unwrap_or_default(),
            rarest_test_f1: last.and_then(|eval| {
                let class = rarest?;
                let f1 = *eval.f1.get(class)?;
                f1.filter(|_| eval.support.get(class) != Some(&0))
            }),
            batch_norm: run.batch_norm(),
            backbone_interference: probe.and_then(|probe| probe.backbone.interference),
            backbone_floor: probe.and_then(|probe| probe.backbone.floor),
            head_tail_interference: head_tail.and_then(|pairs| pairs.interference),
            head_tail_floor: head_tail.and_then(|pairs| pairs.floor),
            classifier_interference: probe.and_then(|probe| probe.classifier.interference),
            notes: parent.chain(loaded.notes.iter().cloned()).collect(),
        })
    }
}

/// The name of a run's directory.
fn name_of(path: &Path) -> String {
    let name = path.file_name();
    let name = name.map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| path.display().to_string())
}

/// The names of runs' directories; where several are called the same, their paths.
fn names_of(runs: &[PathBuf]) -> Vec<String> {
    let names: Vec<String> = runs.iter().map(|run| name_of(run)).collect();
    let are_equal = |name: &String| names.iter().filter(|other| *other == name).count() > 1;
    let both = runs.iter().zip(&names);
    both.map(|(run, name)| match are_equal(name) {
        true => run.display().to_string(),
        false => name.clone(),
    })
    .collect()
}

/// The state of a run in one word.
fn state(run: &Run, running: bool) -> &'static str {
    match &run.ending {
        _ if running => "running",
        Some(Ending::Finished(_)) => "finished",
        Some(Ending::Stopped(_)) => "stopped",
        Some(Ending::Failed(_)) => "failed",
        None => "interrupted",
    }
}

/// The rows as text, below the names of the columns.
fn table(rows: &[Row]) -> Vec<[String; 16]> {
    let word = |value: Option<String>| value.unwrap_or_else(|| UNDEFINED.to_owned());
    let mut table = vec![
        [
            "run",
            "network",
            "attention",
            "width",
            "seed",
            "state",
            "step",
            "macro-F1 test",
            "at best val",
            "best val",
            "accuracy",
            "balanced",
            "rarest class F1",
            "interference (floor)",
            "head × tail (floor)",
            "classifier",
        ]
        .map(str::to_owned),
    ];
    for row in rows {
        table.push([
            row.run.clone(),
            word(row.network.clone()),
            word(row.attention.map(|x| x.to_string())),
            word(row.width.map(|x| x.to_string())),
            word(row.seed.map(|x| x.to_string())),
            row.state.to_owned(),
            match row.total_steps {
                0 => row.step.to_string(),
                total => format!("{}/{total}", row.step),
            },
            number(row.test_macro_f1),
            number(row.best_test_macro_f1),
            number(row.best_val_macro_f1),
            number(row.test_accuracy),
            number(row.test_balanced_accuracy),
            format!("{} {}", row.rarest_class, number(row.rarest_test_f1)),
            format!(
                "{} ({})",
                number(row.backbone_interference),
                number(row.backbone_floor)
            ),
            format!(
                "{} ({})",
                number(row.head_tail_interference),
                number(row.head_tail_floor)
            ),
            number(row.classifier_interference),
        ]);
    }
    table
}

pub(super) fn summary(
    runs: &[PathBuf],
    json: bool,
    measure: BatchNormArguments,
) -> anyhow::Result<()> {
    let loaded = runs.iter().map(|run| log::load(run));
    let mut loaded = loaded.collect::<Result<Vec<_>, _>>()?;
    let names = names_of(runs);
    let shown = names.iter().zip(&mut loaded);
    let shown = shown.map(|(name, loaded)| (name.as_str(), &mut loaded.run));
    let lacking = measure.show(shown, BatchNorm::default());
    let mut rows = Vec::new();
    for ((path, run), loaded) in runs.iter().zip(names).zip(&loaded) {
        let row = Row::new(path, loaded)?;
        rows.push(Row { run, ..row });
    }
    if json {
        say_json(&rows)?;
        return Ok(());
    }
    print_table(&table(&rows));
    if let Some(first) = loaded.first() {
        let measure = first.run.batch_norm_in_words();
        say(format!(
            "Interference is that of class gradients with {measure}."
        ));
    }
    lacking.iter().for_each(say);
    for row in &rows {
        row.notes
            .iter()
            .for_each(|note| say(format!("{}: {note}", row.run)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn the_rarest_class_has_images_and_rare_against_frequent_is_told() -> anyhow::Result<()> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/solar-none");
        let mut loaded = log::load(&path)?;
        let row = Row::new(&path, &loaded)?;
        assert_eq!(row.rarest_class, "Physical-damage");
        assert_eq!(row.path, path.display().to_string());
        // The log of an older version lacks it.
        assert_eq!(row.head_tail_interference, None);
        let probe = loaded.run.probes.last_mut().context("a probe")?;
        let thirds = probe.backbone.thirds.insert(Default::default());
        thirds.head_tail.interference = Some(0.25);
        thirds.head_tail.floor = Some(0.125);
        let started = loaded.run.started.as_mut().context("a header")?;
        started.train_counts[4] = 0;
        let next = started.classes[3].clone();
        let row = Row::new(&path, &loaded)?;
        assert_eq!(row.rarest_class, next);
        let last = loaded.run.evals_of(Split::Test).next_back();
        assert_eq!(row.rarest_test_f1, last.and_then(|eval| eval.f1[3]));
        let head_tail = (row.head_tail_interference, row.head_tail_floor);
        assert_eq!(head_tail, (Some(0.25), Some(0.125)));
        // Without test images, F1 is 0 or not depending on whether the class is predicted.
        for eval in &mut loaded.run.evals {
            eval.support[3] = 0;
        }
        assert_eq!(Row::new(&path, &loaded)?.rarest_test_f1, None);
        Ok(())
    }

    #[test]
    fn runs_of_one_name_are_told_apart_by_their_paths() {
        let runs = ["a/none-0", "b/none-0", "b/none-1"].map(PathBuf::from);
        assert_eq!(names_of(&runs), ["a/none-0", "b/none-0", "none-1"]);
    }
}
