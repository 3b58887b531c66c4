//! The run that a figure is drawn from, and what of it is selected: a class, a pair, the order of its classes.

use crate::figure::look::view::{Order, View};
use crate::run::Run;
use crate::run::event::Probe;
use crate::run::probes::Probes;
use crate::text::fnv1a;

/// A run, with those of its probe tensors that are in memory: the source of a figure.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// Name on screen.
    pub name: &'a str,
    /// The reduced run.
    pub run: &'a Run,
    /// Its probe tensors. A probe that is missing here is still being read, or its file is damaged.
    pub probes: &'a Probes,
}

impl<'a> Subject<'a> {
    /// Whether both are the same run; two runs may have the same name.
    pub fn is(&self, other: &Self) -> bool {
        std::ptr::eq(self.run, other.run)
    }

    /// A number that tells the run apart from all others that are open, for values that are kept between frames. The
    /// address tells copies of one run apart, and the id of the header tells a run from an earlier one at the same
    /// address.
    pub(in crate::figure) fn identity(&self) -> u64 {
        let id = self.run.started.as_ref().map_or("", |started| &started.id);
        fnv1a(id) ^ std::ptr::from_ref(self.run).addr() as u64
    }

    /// Class names; empty before the header.
    pub fn classes(&self) -> &'a [String] {
        self.run
            .started
            .as_ref()
            .map_or(&[], |started| &started.classes)
    }

    /// The probe nearest to the cursor.
    pub fn probe(&self, view: &View) -> Option<&'a Probe> {
        let index = match view.step {
            Some(step) => self.run.probe_at(step)?,
            None => self.run.probes.len().checked_sub(1)?,
        };
        self.run.probes.get(index)
    }
}

impl Subject<'_> {
    /// The steps of the probes at which the rows of some classes are in memory.
    pub(in crate::figure) fn steps_read(&self, classes: &[usize]) -> Vec<u64> {
        let is_read = |step: u64| {
            let mut classes = classes.iter();
            classes.all(|&class| self.probes.has_rows_of(step, class))
        };
        let steps = self.run.probes.iter().map(|probe| probe.step);
        steps.filter(|&step| is_read(step)).collect()
    }
}

/// The class looked at: the one selected or, where none is, the rarest of those that have training images. Of several that
/// are equally rare, it is one that is measured in the way in which the run is shown. Classes of the view go by name.
pub(in crate::figure) fn class_of(subject: Subject<'_>, view: &View) -> Option<usize> {
    let started = subject.run.started.as_ref()?;
    let view = view.in_classes(&started.classes);
    let selected = view.class.filter(|&k| k < started.classes.len());
    selected.or_else(|| {
        let rarest = started.rarest()?;
        let counts = started.train_counts.iter().enumerate();
        let mut equal = counts.filter(|(_, count)| **count == started.train_counts[rarest]);
        let measured = equal.find(|(k, _)| subject.run.measures(*k));
        Some(measured.map_or(rarest, |(k, _)| k))
    })
}

/// The selected pair, where the run has both classes, which go by name.
pub(in crate::figure) fn pair_of(subject: Subject<'_>, view: &View) -> Option<(usize, usize)> {
    let view = view.in_classes(subject.classes());
    let classes = subject.classes().len();
    view.pair.filter(|&(a, b)| a < classes && b < classes)
}

/// The class that lies `by` places after the selected one in the order of the classes, round and round; where no class
/// is selected, the first (`by` > 0) or the last. `None` where there are no classes.
pub(crate) fn class_after(subject: Subject<'_>, view: &View, by: isize) -> Option<usize> {
    let order = order_of(subject, view);
    let selected = view
        .class
        .and_then(|class| order.iter().position(|&k| k == class));
    let from = selected.map_or(if by > 0 { -1 } else { 0 }, |place| place as isize);
    let count = isize::try_from(order.len())
        .ok()
        .filter(|count| *count > 0)?;
    order.get((from + by).rem_euclid(count) as usize).copied()
}

/// Where a class stands in the order of the classes.
pub fn place_of(subject: Subject<'_>, view: &View, class: usize) -> Option<usize> {
    let order = order_of(subject, view);
    order.iter().position(|&other| other == class)
}

/// The classes in the order they are listed in.
pub(in crate::figure) fn order_of(subject: Subject<'_>, view: &View) -> Vec<usize> {
    let started = subject.run.started.as_ref();
    let counts = started.map_or(&[][..], |started| &started.train_counts);
    order_of_classes(subject.classes(), counts, &view.order)
}

/// The classes with these names and training images, in an order.
pub(crate) fn order_of_classes(names: &[String], counts: &[usize], by: &Order) -> Vec<usize> {
    let mut order: Vec<usize> = (0..names.len()).collect();
    match by {
        Order::Listed => {}
        Order::Frequency => order.sort_by_key(|&k| std::cmp::Reverse(counts.get(k))),
        Order::Name => order.sort_by_key(|&k| names[k].to_lowercase()),
        // An order found for another data set says nothing about these classes.
        Order::Similarity(found) if by.applies_to(names) => {
            order.sort_by_cached_key(|&k| found.iter().position(|name| *name == names[k]));
        }
        Order::Similarity(_) => {}
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::testing::{both_ways, view};
    use crate::run::BatchNorm;

    /// Of equally rare classes, one that is measured is looked at; a class that is selected goes by its name.
    #[test]
    fn the_class_looked_at_is_measured_and_goes_by_its_name() -> anyhow::Result<()> {
        let recorded = both_ways("solar-none")?;
        let mut run = recorded.run.clone();
        let started = run.started.as_mut().expect("a header");
        started.train_counts[4] = 7;
        started.train_counts[5] = 7;
        started.probe.training = vec![0, 1, 5];
        let names = started.classes.clone();
        let subject = Subject {
            run: &run,
            ..recorded.subject()
        };
        let none = View {
            class: None,
            ..view()
        };
        assert_eq!(run.batch_norm(), BatchNorm::AsInTraining);
        assert_eq!(class_of(subject, &none), Some(5));
        let turned = View {
            classes: names.iter().rev().cloned().collect(),
            class: Some(0),
            pair: Some((0, 1)),
            ..view()
        };
        assert_eq!(class_of(subject, &turned), Some(5));
        assert_eq!(pair_of(subject, &turned), Some((5, 4)));
        Ok(())
    }
}
