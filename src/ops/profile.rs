//! Measures where the time of a pass goes, summed over all threads. It is off unless a benchmark turns it on.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

static ON: AtomicBool = AtomicBool::new(false);
static NANOS: [AtomicU64; WORK.len()] = [const { AtomicU64::new(0) }; WORK.len()];

/// A kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// The convolution's forward pass.
    Forward,
    /// The convolution that gives the input's gradient.
    InputGrad,
    /// The products that give the weight's gradient.
    WeightGrad,
    /// Copying images into scratch memory, which applies the norm and ReLU that were left for the reader.
    Load,
    /// Mean and squared deviations of each image, for the statistics of the batch.
    Moments,
    /// Norm, ReLU and max-pool.
    Pool,
    /// Sums over the gradient that the norm's backward pass needs first.
    NormSums,
    /// The gradient on its way back through pool, ReLU and norm.
    NormGrad,
    /// Gates and concatenation.
    Gate,
    /// Packing weights, and their gradients back.
    Pack,
    /// All small work: mean pooling, the classifier, the loss, the optimiser.
    Rest,
}

const WORK: [Work; 11] = [
    Work::Forward,
    Work::InputGrad,
    Work::WeightGrad,
    Work::Load,
    Work::Moments,
    Work::Pool,
    Work::NormSums,
    Work::NormGrad,
    Work::Gate,
    Work::Pack,
    Work::Rest,
];

/// Turns measuring on or off, and sets all sums to 0.
pub fn measure(on: bool) {
    NANOS.iter().for_each(|nanos| nanos.store(0, Relaxed));
    ON.store(on, Relaxed);
}

/// Time spent so far in each kind of work, over all threads.
pub fn spent() -> Vec<(Work, Duration)> {
    let nanos = NANOS
        .iter()
        .map(|nanos| Duration::from_nanos(nanos.load(Relaxed)));
    WORK.into_iter().zip(nanos).collect()
}

/// Does some work, and adds its time to the given kind of work.
#[inline(always)]
pub(super) fn timed<T>(work: Work, body: impl FnOnce() -> T) -> T {
    if !ON.load(Relaxed) {
        return body();
    }
    let start = Instant::now();
    let result = body();
    NANOS[work as usize].fetch_add(start.elapsed().as_nanos() as u64, Relaxed);
    result
}
