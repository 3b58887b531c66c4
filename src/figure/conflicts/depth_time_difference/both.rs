//! Two runs, and which moments and layers of the first stand for those of the second.

use crate::figure::facts::network::{layers_with_gradients, summary_of};
use crate::figure::facts::quantity::Classes;
use crate::figure::look::subject::{Subject, class_of};
use crate::figure::look::view::{Quantity, View};
use crate::run::comparable;

/// Both runs, with the probes and the layers of the first that stand for those of the second.
pub(super) struct Both<'a> {
    pub(super) first: Subject<'a>,
    pub(super) second: Subject<'a>,
    /// Index of the first run's probe for every probe of the second; `None` where none is near enough.
    pub(super) probes: Vec<Option<usize>>,
    /// Gram row of the first run's layer of the same name, for every Gram row of the second.
    pub(super) rows: Vec<Option<usize>>,
    pub(super) classes: [Classes; 2],
}

impl<'a> Both<'a> {
    pub(super) fn of(first: Subject<'a>, second: Subject<'a>, view: &View) -> Self {
        let know_epochs = first.run.has_epochs() && second.run.has_epochs();
        let probes = second.run.probes.iter().map(|probe| {
            // The nearest in epochs, where both know them: an epoch need not have as many steps in the other run.
            let step = match know_epochs {
                true => second.run.epoch_of(probe.step) * first.run.steps_per_epoch(),
                false => probe.step as f64,
            };
            let at = first.run.probe_at(step.round() as u64)?;
            let nearest = first.run.probes.get(at)?.step;
            let moments = [
                (first.name, first.run, nearest),
                (second.name, second.run, probe.step),
            ];
            comparable(moments).ok().map(|()| at)
        });
        let count = layers_with_gradients(second).map(|(_, row)| row + 1).max();
        let mut rows = vec![None; count.unwrap_or(0)];
        for (layer, row) in layers_with_gradients(second) {
            let mut others = layers_with_gradients(first);
            let found = others.find(|(other, _)| other.name == layer.name);
            rows[row] = found.map(|(_, row)| row);
        }
        // Both runs have the same classes, but need not have the same rarest one.
        let classes = [first, second].map(|run| Classes {
            one: class_of(second, view),
            ..Classes::of(run, view)
        });
        Self {
            first,
            second,
            probes: probes.collect(),
            rows,
            classes,
        }
    }

    /// Why the quantity is of other pairs of classes in the first run than in the second.
    pub(super) fn refusal(&self, quantity: Quantity) -> Option<&'static str> {
        let is_of_thirds = quantity.is_of_thirds()
            || matches!(quantity, Quantity::TailShare | Quantity::HeadToTail);
        let [first, second] = [self.first, self.second].map(|of| of.run.thirds());
        (is_of_thirds && !first.have_the_ends_of(&second))
            .then_some("Other classes are frequent and rare in the first run than in the second.")
    }

    /// The quantity in words, with the class that it is of.
    pub(super) fn words(&self, quantity: Quantity) -> String {
        let label = quantity.label();
        let class = self.classes[1]
            .one
            .and_then(|k| self.second.classes().get(k));
        match class.filter(|_| quantity == Quantity::ClassNorm) {
            Some(class) => format!("{label} {class}"),
            None => label.to_owned(),
        }
    }

    /// The values of the view's quantity in the first and the second run, in the layer with this Gram row of the second,
    /// or the backbone, at a probe of the second.
    pub(super) fn values(
        &self,
        view: &View,
        row: Option<usize>,
        column: usize,
    ) -> Option<[f64; 2]> {
        let first = self.first.run.probes.get((*self.probes.get(column)?)?)?;
        let second = self.second.run.probes.get(column)?;
        let row_of_first = match row {
            Some(row) => Some((*self.rows.get(row)?)?),
            None => None,
        };
        let summaries = [summary_of(first, row_of_first)?, summary_of(second, row)?];
        let [a, b] = &self.classes;
        let value = |classes: &Classes, at: usize| classes.value(view.quantity, summaries[at]);
        Some([value(a, 0)?, value(b, 1)?])
    }

    /// The number of probes of the second run that have no partner.
    pub(super) fn alone(&self) -> usize {
        self.probes.iter().filter(|probe| probe.is_none()).count()
    }
}
