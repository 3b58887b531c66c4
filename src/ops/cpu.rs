//! Helpers of every loop on the CPU: reading tensors, scratch memory, and sharing work among threads.

use std::cell::{Cell, RefCell};

use candle_core::{Device, Result, Storage, Tensor};
use rayon::prelude::*;

/// Values that a thread takes at a time in a plain loop.
pub(super) const TASK: usize = 1 << 15;

/// Whether a tensor is on the CPU, where the loops and kernels run.
pub(super) fn is_cpu(x: &Tensor) -> bool {
    #[cfg(test)]
    if PORTABLE.get() {
        return false;
    }
    x.device().is_cpu()
}

#[cfg(test)]
thread_local! {
    /// Makes the operations of this thread take the path of other devices, so that it is tested without one.
    pub(super) static PORTABLE: Cell<bool> = const { Cell::new(false) };
}

/// Reads the values of an f32 CPU tensor.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "candle has storages beside that of the CPU, and not all in every build"
)]
pub(super) fn with<T>(x: &Tensor, read: impl FnOnce(&[f32]) -> T) -> Result<T> {
    let x = x.contiguous()?;
    let (storage, layout) = x.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => {
            let start = layout.start_offset();
            Ok(read(
                &storage.as_slice::<f32>()?[start..start + layout.shape().elem_count()],
            ))
        }
        _ => candle_core::bail!("a CPU loop was given a tensor on another device"),
    }
}

thread_local! {
    /// Whether this thread does a whole piece of work by itself, while other threads do other pieces.
    static ALONE: Cell<bool> = const { Cell::new(false) };
}

/// Number of parts into which an operation cuts a sum: one for each thread that works on it.
pub(super) fn parts() -> usize {
    if ALONE.get() {
        1
    } else {
        rayon::current_num_threads()
    }
}

/// Bytes that pieces of work may take at the same time.
const MOST_BYTES: usize = 2 << 30;

/// Does independent pieces of work with tensors of `device`. The results are in the order of the pieces. On the CPU, if
/// there are at least as many pieces as threads, each piece is done by one thread: on small batches, threads that share
/// every operation wait for each other and have to add up their sums of the gradients of all weights.
pub fn pieces<T: Send>(device: &Device, count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    if !device.is_cpu() || is_forced() || count < rayon::current_num_threads() {
        return (0..count).map(work).collect();
    }
    struct Back(bool);
    impl Drop for Back {
        fn drop(&mut self) {
            ALONE.set(self.0);
        }
    }
    let alone = |piece| {
        let _back = Back(ALONE.replace(true));
        work(piece)
    };
    (0..count)
        .into_par_iter()
        .with_max_len(1)
        .map(alone)
        .collect()
}

/// As [`pieces`], where each piece takes about so many bytes: pieces that together would take more than 2 GiB are done one
/// after the other.
pub fn pieces_of<T: Send>(
    device: &Device,
    (count, bytes): (usize, usize),
    work: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    if bytes.saturating_mul(rayon::current_num_threads()) > MOST_BYTES {
        return (0..count).map(work).collect();
    }
    pieces(device, count, work)
}

/// Whether a test has forced a path or an instruction set on this thread. The setting would not reach other threads.
fn is_forced() -> bool {
    #[cfg(test)]
    return PORTABLE.get() || super::kernels::FORCED.get().is_some();
    #[cfg(not(test))]
    false
}

/// Hands out `len` values of memory that the thread keeps from call to call. The values are those that the last call
/// left.
pub(super) fn with_scratch<T>(len: usize, work: impl FnOnce(&mut [f32]) -> T) -> T {
    thread_local! {
        static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
    }
    // The memory is taken out during the work: while the work waits for other threads, this thread may take up another
    // task that needs scratch memory.
    let mut scratch = SCRATCH.take();
    if scratch.len() < len {
        scratch.resize(len, 0.0);
    }
    let result = work(&mut scratch[..len]);
    SCRATCH.set(scratch);
    result
}

/// Values that a loop over whole pixels takes at a time, or a little more.
const STRETCH: usize = 512;

/// A value for each channel, repeated over as many pixels as make a stretch, because a loop over the few channels of
/// one pixel is too short to be fast. Chunks of the result's length begin with a pixel; the last may be shorter.
pub(super) fn repeated(channels: &[f32]) -> Vec<f32> {
    channels.repeat(STRETCH.div_ceil(channels.len().max(1)))
}

/// Sums of a stretch of pixels, for each of the `channels` channels.
#[inline(always)]
pub(super) fn folded(stretch: &[f32], channels: usize) -> Vec<f32> {
    let mut sums = vec![0.0; channels];
    for pixel in stretch.chunks_exact(channels) {
        sums.iter_mut().zip(pixel).for_each(|(sum, x)| *sum += x);
    }
    sums
}

/// max(value, floor) that keeps NaN: `f32::max` would hide a run that diverged.
#[inline(always)]
pub(super) fn floored(value: f32, floor: f32) -> f32 {
    if value < floor { floor } else { value }
}

/// Mean and summed squared deviations of an image's channels: in two passes, because one pass over squares loses the
/// digits that a large mean leaves to the variance.
#[inline(always)]
pub(super) fn image_moments(image: &[f32], mean: &mut [f32], squares: &mut [f32]) {
    let channels = mean.len();
    let pixels = (image.len() / channels) as f32;
    let mut sums = repeated(mean);
    for stretch in image.chunks(sums.len()) {
        sums.iter_mut().zip(stretch).for_each(|(sum, x)| *sum += x);
    }
    mean.copy_from_slice(&folded(&sums, channels));
    mean.iter_mut().for_each(|sum| *sum /= pixels);
    let means = repeated(mean);
    sums.fill(0.0);
    for stretch in image.chunks(sums.len()) {
        for ((sum, x), mean) in sums.iter_mut().zip(stretch).zip(&means) {
            *sum += (x - mean) * (x - mean);
        }
    }
    squares.copy_from_slice(&folded(&sums, channels));
}
