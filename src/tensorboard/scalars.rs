//! The numbers of a run and their tags. TensorBoard puts tags with the same first part into one section.

use std::collections::BTreeMap;

use super::records::{Content, Value};
use super::tags::parts;
use crate::gradient::gram::ConflictSummary;
use crate::run::event::{Eval, Probe, Split, Started, Step};
use crate::run::{BatchNorm, CLASSIFIER};
use crate::text::one_or_more;

/// Most charts of one kind: TensorBoard gets slow with more, and nobody looks at them.
pub(super) const MOST_CHARTS: usize = 5_000;

/// The tags of a run's numbers.
pub(super) struct Scalars {
    /// Parts of tags that are the classes, `[K]`; empty where there are too many.
    classes: Vec<String>,
    /// Tags of the norms of the training gradient, by the layer's row in the Gram tensors; empty where there are too many.
    layers: Vec<String>,
    /// The parts of the network whose class gradients are written, beside the backbone, each with the rows of its layers.
    of_classes: Vec<(String, Vec<usize>)>,
    /// Part of the tags of class gradients that says how batch norm was treated in them; empty where it was as in training,
    /// or makes no difference.
    measure: &'static str,
    /// Sentences about what is too many to be written.
    pub(super) left_out: Vec<String>,
}

/// The network is divided by layers, by blocks, or not at all but for the classifier.
enum Division {
    Layers,
    Blocks,
    Classifier,
}

impl Scalars {
    /// The tags of a run that is shown in this way of treating batch norm.
    pub(super) fn new(started: &Started, batch_norm: BatchNorm) -> Self {
        let classes = started.classes.len();
        let fits = |parts: usize| classes.saturating_mul(parts) <= MOST_CHARTS;
        let names = named(rows(started, &Division::Layers));
        let blocks = named(rows(started, &Division::Blocks));
        let mut left_out = Vec::new();
        let mut leave_out = |what: &str, instead: &str| {
            let classes = one_or_more(classes, "class", "classes");
            let layers = one_or_more(names.len(), "layer", "layers");
            left_out.push(format!(
                "with {classes} and {layers}, TensorBoard gets {what} {instead}"
            ));
        };
        let of_classes = if fits(names.len() + 1) {
            names.clone()
        } else if fits(blocks.len() + 1) {
            leave_out("norms of class gradients", "by block, not by layer");
            blocks
        } else {
            leave_out(
                "norms of class gradients",
                "of the backbone and the classifier alone",
            );
            named(rows(started, &Division::Classifier))
        };
        let is_few = fits(2);
        if !is_few {
            leave_out("no F1 and no gradient norms", "of single classes");
        }
        let mut layers = vec![String::new(); names.len()];
        for (part, rows) in &names {
            let at = rows.first().and_then(|row| layers.get_mut(*row));
            at.into_iter()
                .for_each(|tag| *tag = format!("grad_norm/{part}"));
        }
        if layers.len() > MOST_CHARTS {
            leave_out("no gradient norms", "of single layers");
            layers.clear();
        }
        Self {
            classes: match is_few {
                true => parts(started.classes.iter().map(String::as_str)),
                false => Vec::new(),
            },
            layers,
            of_classes,
            measure: match batch_norm {
                BatchNorm::Frozen if started.mixes_images() => "_frozen_batch_norm",
                BatchNorm::Frozen | BatchNorm::AsInTraining => "",
            },
            left_out,
        }
    }

    /// Numbers of a training step.
    pub(super) fn of_step(&self, step: &Step, values: &mut Vec<Value>) {
        push(values, || "epoch".to_owned(), Some(step.epoch));
        push(values, || "learning_rate".to_owned(), Some(step.lr));
        push(values, || "loss/training_batch".to_owned(), step.loss);
        for (tag, norm) in self.layers.iter().zip(&step.grad_norms) {
            push(values, || tag.clone(), *norm);
        }
    }

    /// Numbers of an evaluation.
    pub(super) fn of_eval(&self, eval: &Eval, values: &mut Vec<Value>) {
        let split = match eval.split {
            Split::Train => "train",
            Split::Val => "validation",
            Split::Test => "test",
        };
        for (score, value) in [
            ("loss", eval.loss),
            ("macro_f1", eval.macro_f1),
            ("accuracy", eval.accuracy),
            ("balanced_accuracy", eval.balanced_accuracy),
        ] {
            push(values, || format!("{score}/{split}"), value);
        }
        for (class, f1) in self.classes.iter().zip(&eval.f1) {
            push(values, || format!("f1_{split}/{class}"), *f1);
        }
    }

    /// Numbers of a probe, of the way of treating batch norm that the run is shown in.
    pub(super) fn of_probe(&self, probe: &Probe, values: &mut Vec<Value>) {
        let measure = self.measure;
        for (part, summary) in [
            ("backbone", &probe.backbone),
            (CLASSIFIER, &probe.classifier),
        ] {
            let (value, floor) = (summary.interference, summary.floor);
            let tag = format!("interference{measure}/{part}");
            push(values, || tag.clone(), value);
            push(values, || format!("{tag}_noise_floor"), floor);
        }
        let backbone = ("backbone", vec![&probe.backbone]);
        let parts = self.of_classes.iter().map(|(part, rows)| {
            let summaries = rows.iter().filter_map(|row| probe.layers.get(*row));
            (part.as_str(), summaries.collect::<Vec<_>>())
        });
        for (part, summaries) in std::iter::once(backbone).chain(parts) {
            for (k, class) in self.classes.iter().enumerate() {
                let tag = || format!("class_grad_norm{measure}.{part}/{class}");
                push(values, tag, norm(&summaries, k));
            }
        }
    }
}

/// Norm of the gradient of class k over several layers: squares add. `None` where it is undefined in all of them.
fn norm(summaries: &[&ConflictSummary], k: usize) -> Option<f64> {
    let norms = summaries
        .iter()
        .filter_map(|summary| summary.norm.get(k).copied().flatten());
    norms.reduce(f64::hypot)
}

/// The parts of a network, in order of their first layer, each with the rows of its layers in the Gram tensors.
fn rows(started: &Started, division: &Division) -> Vec<(String, Vec<usize>)> {
    let mut places = BTreeMap::new();
    let mut parts: Vec<(String, Vec<usize>)> = Vec::new();
    for layer in &started.layers {
        let Some(row) = layer.gram else { continue };
        let is_classifier = layer.group == CLASSIFIER;
        let name = match division {
            // Two layers of one name are two parts.
            Division::Layers => {
                parts.push((layer.name.clone(), vec![row]));
                continue;
            }
            Division::Classifier if !is_classifier => continue,
            Division::Blocks | Division::Classifier => &layer.group,
        };
        let place = *places.entry(name).or_insert(parts.len());
        match parts.get_mut(place) {
            Some((_, rows)) => rows.push(row),
            None => parts.push((name.clone(), vec![row])),
        }
    }
    parts
}

/// The same parts under names that can be parts of tags; none is called as the backbone is.
fn named(network: Vec<(String, Vec<usize>)>) -> Vec<(String, Vec<usize>)> {
    let names = network.iter().map(|(name, _)| name.as_str());
    let names = parts(std::iter::once("backbone").chain(names));
    let rows = network.into_iter().map(|(_, rows)| rows);
    names.into_iter().skip(1).zip(rows).collect()
}

/// Adds a number under its tag, where it is defined.
fn push(values: &mut Vec<Value>, tag: impl FnOnce() -> String, value: Option<f64>) {
    values.extend(value.map(|value| Value {
        tag: tag(),
        content: Some(Content::Scalar(value as f32)),
    }));
}
