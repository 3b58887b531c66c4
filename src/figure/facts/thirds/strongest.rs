//! The conflicts of rare and frequent classes in single layers at one moment, the strongest first.

use std::sync::Arc;

use egui::Context;

use crate::figure::facts::ledger::learning_rate_at;
use crate::figure::facts::network::layers_with_gradients;
use crate::figure::facts::unread::{NO_PROBE, damaged, not_read};
use crate::figure::kit::memo::remembered;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::gradient::gram::{Effect, Gram};
use crate::run::Thirds;
use crate::run::event::Probe;
use crate::run::probe_file::ProbeTensors;

/// Most pairs that are kept for the list.
const MOST: usize = 50;

/// The gradients of a rare and a frequent class in one layer at one moment.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::figure) struct Between {
    pub(in crate::figure) rare: usize,
    pub(in crate::figure) frequent: usize,
    /// Name of the layer.
    pub(in crate::figure) layer: String,
    /// Name of the layer's block.
    pub(in crate::figure) block: String,
    /// cos(g_rare, g_frequent), −1 to 1.
    pub(in crate::figure) cosine: f64,
    /// Standard error of the cosine, that of the inner product over both norms.
    pub(in crate::figure) standard_error: Option<f64>,
    pub(in crate::figure) resolved: bool,
    /// ‖g‖ of the rare and of the frequent class.
    pub(in crate::figure) norms: [f64; 2],
    /// What the frequent class's share of one plain step does to the rare class's loss through this layer. `None`
    /// before the first logged step, and where the steps of the run are no sums of class gradients.
    pub(in crate::figure) effect: Option<Effect>,
}

/// The strongest conflicts of rare and frequent classes at one moment.
#[derive(Debug, Default, PartialEq)]
pub(in crate::figure) struct Strongest {
    /// Pairs of classes in resolved conflict, each in the layer in which its cosine is lowest, with the number of
    /// layers in which it is in resolved conflict; the lowest cosine first, and at most [`MOST`].
    pub(in crate::figure) pairs: Vec<(Between, usize)>,
    /// Number of pairs that are in resolved conflict in any layer.
    pub(in crate::figure) conflicting: usize,
    /// Number of pairs of a rare and a frequent class that have a cosine in any layer.
    pub(in crate::figure) all: usize,
    /// Number of these pairs that have a negative cosine in any layer.
    pub(in crate::figure) negative: usize,
    /// Number of layers looked at: all but the classifier, where classes conflict by construction.
    pub(in crate::figure) layers: usize,
}

/// All that the numbers of a moment follow from.
struct Moment<'a> {
    subject: Subject<'a>,
    tensors: &'a ProbeTensors,
    /// Frequent and rare classes.
    thirds: Thirds,
    lr: Option<f64>,
    /// Share of every class in the step, `[K]`.
    shares: Vec<f64>,
}

impl<'a> Moment<'a> {
    fn of(subject: Subject<'a>, probe: &Probe) -> Option<Self> {
        let run = subject.run;
        let lr = learning_rate_at(run, probe.step)
            .filter(|_| run.departs_from_class_gradients().is_none());
        Some(Self {
            subject,
            tensors: subject.probes.get(&probe.step)?,
            thirds: run.thirds(),
            lr,
            shares: run.shares(probe.step),
        })
    }

    /// Layers of the backbone with their blocks and Gram matrices, from input to output.
    fn layers(&self) -> impl Iterator<Item = (&str, &str, Gram)> {
        let layers = layers_with_gradients(self.subject);
        let backbone = layers.filter(|(layer, _)| layer.is_in_backbone());
        backbone.filter_map(|(layer, row)| {
            Some((&*layer.name, &*layer.group, self.tensors.gram_of(&[row])?))
        })
    }

    /// Pairs of a rare and a frequent class, the rarest first.
    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        let Thirds { head, tail, .. } = &self.thirds;
        tail.iter()
            .flat_map(|&rare| head.iter().map(move |&frequent| (rare, frequent)))
    }

    fn between(
        &self,
        (layer, block, gram): (&str, &str, &Gram),
        (rare, frequent): (usize, usize),
    ) -> Option<Between> {
        let norms = [gram.norm(rare)?, gram.norm(frequent)?];
        let error = gram.standard_error(rare, frequent);
        let effect = || gram.ledger(rare)?.share(self.lr?, &self.shares, frequent);
        let cell = gram.cell(rare, frequent);
        Some(Between {
            rare,
            frequent,
            layer: layer.to_owned(),
            block: block.to_owned(),
            cosine: cell.cosine?,
            standard_error: error.map(|error| error / (norms[0] * norms[1])),
            resolved: cell.resolved,
            norms,
            effect: effect(),
        })
    }

    fn strongest(&self) -> Strongest {
        let layers: Vec<_> = self.layers().collect();
        let mut strongest = Strongest {
            layers: layers.len(),
            ..Strongest::default()
        };
        // The lowest cosine of a pair with its layer, and the number of layers in conflict.
        let mut found: Vec<(f64, usize, (usize, usize), usize)> = Vec::new();
        for pair @ (rare, frequent) in self.pairs() {
            let (mut defined, mut negative, mut in_layers) = (false, false, 0);
            let mut lowest: Option<(f64, usize)> = None;
            for (at, (_, _, gram)) in layers.iter().enumerate() {
                let Some(cosine) = gram.cosine(rare, frequent) else {
                    continue;
                };
                defined = true;
                negative |= cosine < 0.0;
                // Standard errors take most of the time: they are computed only where they matter.
                if cosine < 0.0 && gram.cell(rare, frequent).resolved {
                    in_layers += 1;
                    if lowest.is_none_or(|(least, _)| cosine < least) {
                        lowest = Some((cosine, at));
                    }
                }
            }
            strongest.all += usize::from(defined);
            strongest.negative += usize::from(negative);
            found.extend(lowest.map(|(cosine, at)| (cosine, at, pair, in_layers)));
        }
        strongest.conflicting = found.len();
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        let pairs = found.iter().take(MOST).filter_map(|&(_, at, pair, count)| {
            let (layer, block, gram) = &layers[at];
            Some((self.between((layer, block, gram), pair)?, count))
        });
        strongest.pairs = pairs.collect();
        strongest
    }
}

/// The strongest conflicts at the cursor, computed once.
///
/// # Errors
/// A sentence that says why there are none.
pub(in crate::figure) fn strongest(
    ctx: &Context,
    subject: Subject<'_>,
    view: &View,
) -> Result<Arc<Strongest>, String> {
    let Some(probe) = subject.probe(view) else {
        return Err(NO_PROBE.to_owned());
    };
    if !super::has_thirds(subject.run) {
        return Err(super::NONE_RARE.to_owned());
    }
    let Some(moment) = Moment::of(subject, probe) else {
        return Err(not_read(probe.step));
    };
    let rows = layers_with_gradients(subject).map(|(_, row)| row);
    if rows.max().is_some_and(|row| row >= moment.tensors.layers()) {
        return Err(damaged(probe.step));
    }
    let id = subject.run.started.as_ref().map(|started| &started.id);
    let has_lr = subject.run.revisions.steps.min(1);
    let key = (id, probe.step, subject.run.revisions.probes, has_lr);
    let name = ("strongest conflicts of thirds", subject.identity());
    Ok(remembered(ctx, name, key, || Arc::new(moment.strongest())))
}

/// The pair of a rare and a frequent class in the strongest significant conflict at the cursor; `None` where there is
/// none, or its probe is not read.
pub(crate) fn strongest_pair(
    ctx: &Context,
    subject: Subject<'_>,
    view: &View,
) -> Option<(usize, usize)> {
    let found = strongest(ctx, subject, view).ok()?;
    let (first, _) = found.pairs.first()?;
    Some((first.frequent, first.rare))
}

/// Every pair of a rare and a frequent class in every layer of the backbone at the cursor, the lowest cosine first;
/// empty where the probe is not read.
pub(in crate::figure) fn all(subject: Subject<'_>, view: &View) -> Vec<Between> {
    let moment = subject
        .probe(view)
        .and_then(|probe| Moment::of(subject, probe));
    let Some(moment) = moment else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for (layer, block, gram) in moment.layers() {
        let pairs = moment.pairs();
        all.extend(pairs.filter_map(|pair| moment.between((layer, block, &gram), pair)));
    }
    all.sort_by(|a, b| a.cosine.total_cmp(&b.cosine));
    all
}

#[cfg(test)]
mod tests;
