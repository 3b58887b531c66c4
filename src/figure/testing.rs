//! Recorded runs for tests, and clicks in their figures.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use egui::{Context, Ui, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use crate::figure::kit::chart::{Chart, Scales};
use crate::figure::parts::charts;
use crate::figure::registry::figure;
use crate::figure::{Kind, Pick, Subject, View, figure_ui, style};
use crate::run::event::{Event, LogitGradients, Summaries};
use crate::run::probe_file::ProbeTensors;
use crate::run::probes::Probes;
use crate::run::verification::{Facts, Verification};
use crate::run::{CLASSIFIER, Run, Scope, log};

/// A run with all of its probe tensors.
pub(in crate::figure) struct Recorded {
    name: &'static str,
    pub(in crate::figure) run: Run,
    pub(in crate::figure) probes: Probes,
}

impl Recorded {
    pub(in crate::figure) fn subject(&self) -> Subject<'_> {
        Subject {
            name: self.name,
            run: &self.run,
            probes: &self.probes,
        }
    }

    /// A step of a probe in the middle of the run.
    pub(in crate::figure) fn middle(&self) -> u64 {
        self.run.probes[self.run.probes.len() / 2].step
    }
}

pub(in crate::figure) fn directory(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/recorded")
        .join(name)
}

pub(in crate::figure) fn recorded(name: &'static str) -> Result<Recorded> {
    let dir = directory(name);
    let mut run = log::load(&dir)?.run;
    let classes = run.started.as_ref().map_or(0, |x| x.classes.len());
    // The recorded runs are of format 1, which lacks these sums.
    for step in &mut run.steps {
        let images = step.images as f64;
        step.logit_gradients.get_or_insert_with(|| LogitGradients {
            positive: vec![images; classes],
            negative: (0..classes).map(|k| images * (0.8 + k as f64)).collect(),
        });
    }
    let mut probes = Probes::new();
    for probe in &run.probes {
        let tensors = ProbeTensors::load(&dir.join(&probe.file), classes, run.batch_norm())?;
        probes.insert(probe.step, Arc::new(tensors));
    }
    let last = probes.whole.keys().next_back().copied().unwrap_or_default();
    probes
        .verified
        .insert(last, Arc::new(verification(classes, last)));
    Ok(Recorded { name, run, probes })
}

/// A verification of made-up effects, of which the prediction with batch norm as in training comes close.
pub(in crate::figure) fn verification(classes: usize, step: u64) -> Verification {
    let effect = |j: usize, k: usize| {
        let sign = if j == k || (j + k).is_multiple_of(3) {
            -1.0
        } else {
            1.0
        };
        sign * (1 + (3 * j + 5 * k) % 7) as f32 / (j + 1) as f32
    };
    let matrix = |of: &dyn Fn(usize, usize) -> f32| -> Vec<f32> {
        let pairs = (0..classes).flat_map(|j| (0..classes).map(move |k| (j, k)));
        pairs.map(|(j, k)| of(j, k)).collect()
    };
    Verification {
        facts: Facts {
            step,
            lr: 0.05,
            ..Facts::default()
        },
        classes,
        train: matrix(&effect),
        held_out: matrix(&|j, k| 1.1 * effect(j, k)),
        as_in_training: matrix(&|j, k| effect(j, k) + 0.1),
        frozen: matrix(&|j, k| effect(k, j)),
        shares: matrix(&effect),
        halves: [matrix(&effect), matrix(&effect)],
    }
}

/// A recorded run as if it had the measure with batch norm as in training, too: there, the gradients of the frozen
/// measure are taken to be those of the class before, so that the two measures differ in everything.
pub(in crate::figure) fn both_ways(name: &'static str) -> Result<Recorded> {
    let mut of = recorded(name)?;
    let Some(mut started) = of.run.started.clone() else {
        return Ok(of);
    };
    let (classes, pieces) = (started.classes.len(), started.probe.pieces);
    started.probe.training = (0..classes).collect();
    let recorded = of.run.recorded().to_vec();
    let (steps, evals) = (of.run.steps.clone(), of.run.evals.clone());
    of.run.apply(&Event::Started(Box::new(started)));
    (of.run.steps, of.run.evals) = (steps, evals);
    let turned = |row: usize| (row + pieces) % (classes * pieces);
    for mut probe in recorded {
        let Some(frozen) = of.probes.whole.get(&probe.step).cloned() else {
            continue;
        };
        let size = frozen.n.len();
        let by_row = |values: &[f32]| -> Vec<f32> {
            let rows = values.chunks_exact(size);
            rows.flat_map(|row| (0..size).map(|at| row[turned(at)]))
                .collect()
        };
        let layers = frozen.gram.chunks_exact(size * size);
        let rows =
            layers.flat_map(|layer| (0..size).flat_map(|at| &layer[turned(at) * size..][..size]));
        let gram: Vec<f32> = rows.copied().collect();
        let tensors = ProbeTensors {
            gram: by_row(&gram),
            update: by_row(&frozen.update),
            loss: by_row(&frozen.loss),
            frozen: Some(Box::new((*frozen).clone())),
            ..(*frozen).clone()
        };
        let summary = |rows: &[usize]| {
            let gram = tensors.gram_of(rows);
            gram.map(|gram| of.run.summary_of(&gram, probe.step))
                .unwrap_or_default()
        };
        probe.training = Some(Summaries {
            layers: (0..tensors.layers()).map(|row| summary(&[row])).collect(),
            backbone: summary(&of.run.gram_rows(&Scope::Backbone)),
            classifier: summary(&of.run.gram_rows(&Scope::Group(CLASSIFIER.to_owned()))),
        });
        of.probes.insert(probe.step, Arc::new(tensors));
        of.run.apply(&Event::Probe(probe));
    }
    Ok(of)
}

/// The recorded pair of runs, without attention and with it, and copies of both with other seeds and arbitrary other
/// scores: three seeds of each.
pub(in crate::figure) fn groups() -> Result<Vec<Recorded>> {
    let names = [
        ("solar-none", ["none-0", "none-1", "none-2"]),
        ("solar-branch", ["branch-0", "branch-1", "branch-2"]),
    ];
    let mut runs = Vec::new();
    for (variant, names) in names {
        for (seed, name) in (0_u64..).zip(names) {
            let mut one = recorded(variant)?;
            one.name = name;
            if let Some(started) = &mut one.run.started {
                started.config.seed = seed;
                started.id.push_str(name);
            }
            for eval in &mut one.run.evals {
                let lower =
                    |score: f64, k: usize| score - 0.01 * (seed * (k as u64 + 1) % 5) as f64;
                eval.macro_f1 = eval.macro_f1.map(|score| lower(score, 0));
                for (k, f1) in eval.f1.iter_mut().enumerate() {
                    *f1 = f1.map(|score| lower(score, k));
                }
            }
            runs.push(one);
        }
    }
    Ok(runs)
}

/// A view in which a moment, a layer, a pair and a class are selected.
pub(in crate::figure) fn view() -> View {
    View {
        scope: Scope::Layer("branch2.conv2".to_owned()),
        step: Some(300),
        pair: Some((0, 4)),
        class: Some(4),
        ..View::default()
    }
}

/// A probe that has gates alone.
pub(in crate::figure) fn tensors(classes: usize, gates: &[(&str, Vec<f32>)]) -> ProbeTensors {
    let gates = gates
        .iter()
        .map(|(name, gates)| ((*name).to_owned(), gates.clone()));
    ProbeTensors {
        classes,
        gates: gates.collect(),
        ..ProbeTensors::default()
    }
}

/// The picks of a click into the middle of a figure's widget.
pub(in crate::figure) fn clicked(
    kind: Kind,
    subject: Subject<'_>,
    view: &View,
    label: &str,
) -> Vec<Pick> {
    let draw = |ui: &mut Ui, picks: &mut Vec<Pick>| {
        picks.extend(figure_ui(ui, kind, subject, &[subject], view));
    };
    let mut harness = Harness::builder()
        .with_size(vec2(700.0, 400.0))
        .with_context_setup(style::install)
        .build_ui_state(draw, Vec::new());
    harness.run();
    harness.get_by_label(label).click();
    harness.run();
    std::mem::take(harness.state_mut())
}

/// Whether a figure has a text that contains `words`.
pub(in crate::figure) fn says(kind: Kind, subject: Subject<'_>, view: &View, words: &str) -> bool {
    let mut harness = Harness::builder()
        .with_size(vec2(700.0, 400.0))
        .with_context_setup(style::install)
        .build_ui(|ui: &mut Ui| {
            figure_ui(ui, kind, subject, &[subject], view);
        });
    harness.run();
    harness.query_all_by_label_contains(words).next().is_some()
}

/// The picks of clicks on the widgets called `labels`, one after the other.
pub(in crate::figure) fn picked(kind: Kind, view: &View, labels: &[&str]) -> Result<Vec<Pick>> {
    let sample = recorded("solar-branch")?;
    let draw = |ui: &mut Ui, picks: &mut Vec<Pick>| {
        let subject = sample.subject();
        picks.extend(figure_ui(ui, kind, subject, &[subject], view));
    };
    let mut harness = Harness::builder()
        .with_size(vec2(760.0, 420.0))
        .with_context_setup(style::install)
        .build_ui_state(draw, Vec::new());
    harness.run();
    for label in labels {
        harness.get_by_label(label).click();
        harness.run();
    }
    Ok(std::mem::take(harness.state_mut()))
}

/// The chart of a run.
pub(in crate::figure) fn chart(
    ctx: &Context,
    kind: Kind,
    subject: Subject<'_>,
    view: &View,
) -> Arc<Chart> {
    figure(kind).chart.expect("a chart of a run")(ctx, subject, view)
}

/// The bounds that hold the charts of runs.
pub(in crate::figure) fn scales(
    ctx: &Context,
    kind: Kind,
    subjects: &[Subject<'_>],
    view: &View,
) -> Scales {
    charts::scales(
        ctx,
        figure(kind).chart.expect("a chart of a run"),
        subjects,
        view,
    )
}
