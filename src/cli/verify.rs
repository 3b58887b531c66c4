//! `verify`: whether what the ledger predicts is what happens.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;

use super::output::{Signalled, print_table, say, say_aside, say_json};
use super::train::{stop_on_signals, was_cancelled};
use crate::compare::statistics::rank_correlation;
use crate::config::DataSource;
use crate::run::event::Started;
use crate::run::log;
use crate::run::verification::Verification;
use crate::run::{BatchNorm, Run};
use crate::train::Message;
use crate::train::verify::{Request, verify as measure};

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// The run directory. It must hold checkpoints.
    run: PathBuf,
    /// The checkpoint whose network is taken.
    #[arg(long, value_enum, default_value_t = Checkpoint::Last)]
    checkpoint: Checkpoint,
    /// The run's images, where they no longer lie where it was trained on them.
    #[arg(long, value_name = "DATA")]
    data: Option<DataSource>,
    /// Training batches whose class shares are averaged.
    #[arg(long, default_value_t = 40, allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    batches: u32,
    /// Training images of each class that the probe takes, at most; by default as many as the run's probes.
    #[arg(long, allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(4..=4096))]
    probe_images: Option<u32>,
    /// Images of each class whose loss is measured, at most, of the training images and of those held out.
    #[arg(long, default_value_t = 400, allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..))]
    images: u32,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

impl VerifyArguments {
    /// The run that is named.
    pub(super) fn run(&self) -> &Path {
        &self.run
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Checkpoint {
    Last,
    Best,
}

/// How well a prediction agrees with what was measured, over all pairs of two classes.
#[derive(Clone, Copy)]
struct Agreement {
    /// Spearman's rank correlation.
    rank: Option<f64>,
    /// Share of the pairs with the same sign.
    sign: Option<f64>,
}

pub(super) fn verify(arguments: &VerifyArguments) -> anyhow::Result<()> {
    let request = Request {
        checkpoint: match arguments.checkpoint {
            Checkpoint::Last => "last".to_owned(),
            Checkpoint::Best => "best".to_owned(),
        },
        data: arguments.data.clone(),
        batches: arguments.batches as usize,
        probe_images: arguments.probe_images.map(|n| n as usize),
        images: arguments.images as usize,
    };
    let run = log::load(&arguments.run)?.run;
    let (control, received) = stop_on_signals();
    let bar = indicatif::ProgressBar::new(0);
    // JSON on stdout is for another program, which could not read sentences before it.
    let aside = |line: String| match arguments.json {
        true => say_aside(line),
        false => say(line),
    };
    let notice = &mut |message: Message| {
        if let Message::Notice(text) = message {
            aside(format!("note: {text}"));
        }
    };
    let report = &mut |done: usize, parts: usize| {
        bar.set_length(parts as u64);
        bar.set_position(done as u64);
    };
    let found = measure(&arguments.run, &request, &control, notice, report);
    bar.finish_and_clear();
    let found = match found {
        Err(error) if was_cancelled(&error) => None,
        found => found?,
    };
    match found {
        None => {
            aside("stopped; nothing was written".to_owned());
            if let Some(signal) = received.first() {
                return Err(Signalled(signal).into());
            }
        }
        Some(found) if arguments.json => say_json(&as_json(&run, &found))?,
        Some(found) => print(&run, &found),
    }
    Ok(())
}

/// The predictions with their names; those of the probe are one where images of a batch do not mix.
fn predictions<'a>(run: &Run, found: &'a Verification) -> Vec<(&'static str, &'a [f32])> {
    let training = found.predicted(BatchNorm::AsInTraining);
    let mut all = match mixes_images(run) {
        true => vec![
            ("probe, batch norm as in training", training),
            (
                "probe, batch norm frozen",
                found.predicted(BatchNorm::Frozen),
            ),
        ],
        false => vec![("probe, no batch norm", training)],
    };
    all.push(("the shares of the batches themselves", &found.shares));
    all
}

fn mixes_images(run: &Run) -> bool {
    run.started.as_ref().is_none_or(Started::mixes_images)
}

fn agreement(found: &Verification, predicted: &[f32], measured: &[f32]) -> Agreement {
    let (x, y) = found.pairs(predicted, measured);
    let same = x.iter().zip(&y).filter(|(x, y)| *x * *y > 0.0).count();
    Agreement {
        rank: rank_correlation(&x, &y),
        sign: (!x.is_empty()).then(|| same as f64 / x.len() as f64),
    }
}

fn print(run: &Run, found: &Verification) {
    let facts = &found.facts;
    say(format!(
        "step {}: each class's share of {} training batches was applied alone, and the loss of up to {} images of each \
         class measured; the probe takes up to {} images of each class",
        facts.step, facts.batches, facts.images, facts.probe_images
    ));
    let config = run.started.as_ref().map(|started| &started.config);
    if config.is_some_and(|config| config.ema_decay.is_some()) {
        say("the weights are those that are trained, not their average, which is evaluated");
    }
    say(
        "rank correlation of predicted and measured effects of each class on every other, and how often the sign is right",
    );
    let held_out = match facts.held_out.as_str() {
        "" => String::new(),
        split => format!("{split} images"),
    };
    let mut rows = vec![[
        "predicted by".to_owned(),
        "training images".to_owned(),
        held_out,
    ]];
    for (name, predicted) in predictions(run, found) {
        let cell = |measured: &[f32]| {
            let Agreement { rank, sign } = agreement(found, predicted, measured);
            match (rank, sign) {
                (Some(rank), Some(sign)) => format!("{rank:.2}  {:.0} %", 100.0 * sign),
                _ => "–".to_owned(),
            }
        };
        let held_out = if found.held_out.is_empty() {
            String::new()
        } else {
            cell(&found.held_out)
        };
        rows.push([name.to_owned(), cell(&found.train), held_out]);
    }
    print_table(&rows);
    if let Some(halves) = halves(found) {
        say(format!(
            "two halves of the probe's images agree with rank correlation {halves:.2}: how much of a difference is noise"
        ));
    }
    if let Some((class, sentence)) = hurts_the_rarest(run, found) {
        say(format!(
            "the loss of the rarest class, {class}, is raised most by: {sentence}"
        ));
    }
    say(format!("written to {}", log::verification_file(facts.step)));
}

/// Rank correlation of what the two halves of the probe's pieces predict as in training.
fn halves(found: &Verification) -> Option<f64> {
    let (x, y) = found.pairs(&found.halves[0], &found.halves[1]);
    rank_correlation(&x, &y)
}

/// The rarest class, and the classes that raise its loss most, as measured and as predicted.
fn hurts_the_rarest(run: &Run, found: &Verification) -> Option<(String, String)> {
    let started = run.started.as_ref()?;
    let counts = started.train_counts.iter().enumerate();
    let (rarest, _) = counts.filter(|(_, n)| **n > 0).min_by_key(|(_, n)| **n)?;
    let most = |effects: &[f32]| {
        let effect = |j: usize| effects.get(j * found.classes + rarest).copied();
        let others = (0..found.classes).filter(|&j| j != rarest);
        if !others.clone().filter_map(effect).any(f32::is_finite) {
            return "unknown".to_owned();
        }
        let mut harm: Vec<(usize, f32)> = others
            .filter_map(|j| Some((j, effect(j).filter(|x| *x > 0.0)?)))
            .collect();
        harm.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        let names = harm
            .iter()
            .take(3)
            .map(|(j, _)| started.classes[*j].clone());
        let names: Vec<String> = names.collect();
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    };
    let (measured, training) = (most(&found.train), most(&found.as_in_training));
    let sentence = match mixes_images(run) {
        true => format!(
            "{measured} (measured), {training} (predicted as in training), {} (predicted with batch norm frozen)",
            most(&found.frozen)
        ),
        false => format!("{measured} (measured), {training} (predicted)"),
    };
    Some((started.classes[rarest].clone(), sentence))
}

fn as_json(run: &Run, found: &Verification) -> serde_json::Value {
    let rows = |values: &[f32]| -> Vec<Vec<Option<f32>>> {
        let defined = |x: &f32| x.is_finite().then_some(*x);
        let rows = values.chunks(found.classes.max(1));
        rows.map(|row| row.iter().map(defined).collect()).collect()
    };
    let of = |predicted: &[f32], measured: &[f32]| {
        let Agreement { rank, sign } = agreement(found, predicted, measured);
        json!({"rank_correlation": rank, "same_sign": sign})
    };
    let predictions = [
        ("as_in_training", &found.as_in_training),
        ("frozen", &found.frozen),
        ("shares", &found.shares),
    ];
    let predictions: serde_json::Map<String, serde_json::Value> = predictions
        .into_iter()
        .map(|(name, predicted)| {
            let value = json!({
                "train": of(predicted, &found.train),
                "held_out": of(predicted, &found.held_out),
                "nats_per_learning_rate": rows(predicted),
            });
            (name.to_owned(), value)
        })
        .collect();
    json!({
        "classes": run.started.as_ref().map(|started| &started.classes),
        "facts": found.facts,
        "predicted": predictions,
        "halves_rank_correlation": halves(found),
        "measured": {
            "train_nats_per_learning_rate": rows(&found.train),
            "held_out_nats_per_learning_rate": rows(&found.held_out),
        },
    })
}
