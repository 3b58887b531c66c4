//! An order of classes by how far their gradients agree, and steps as times.

use crate::figure::look::clock::{Clock, TimeAxis};
use crate::figure::look::subject::Subject;
use crate::figure::look::view::{Order, View};
use crate::run::Run;

/// A search for an order of the classes that puts those beside each other whose gradients agree, in the selected scope
/// at the cursor; `None` where the probe is not read. The search takes tens of milliseconds with 100 classes. It finds
/// no order where the probe lacks a layer.
pub fn similarity_order(
    subject: Subject<'_>,
    view: &View,
) -> Option<impl FnOnce() -> Option<Order> + Send + use<>> {
    let rows = subject.run.gram_rows(&view.scope);
    let tensors = subject.probes.get(&subject.probe(view)?.step)?.clone();
    let names = subject.classes().to_vec();
    Some(move || {
        let order = crate::gradient::order::by_similarity(&tensors.gram_of(&rows)?);
        let names = order.iter().filter_map(|&k| names.get(k).cloned());
        Some(Order::Similarity(names.collect()))
    })
}

/// Where a step of a run lies on a time axis, in its unit.
pub(crate) fn time_at(run: &Run, axis: TimeAxis, step: u64) -> f64 {
    Clock::new(run, axis).at(step as f64)
}
