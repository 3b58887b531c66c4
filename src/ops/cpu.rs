//! Reading CPU tensors, scratch memory, and plain loops over them on all threads.

use std::cell::{Cell, RefCell};

use candle_core::{Device, Result, Storage, Tensor};
use rayon::prelude::*;

use super::data::{Data, memory};
use super::kernels::{arch, vectorised};
use super::tape::Pending;

/// Values that a thread takes at a time in a plain loop.
const TASK: usize = 1 << 15;

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
    /// Whether this thread works on a piece of its own, beside others that do.
    static ALONE: Cell<bool> = const { Cell::new(false) };
}

/// In how many parts an operation cuts what it has to sum.
pub(super) fn parts() -> usize {
    if ALONE.get() {
        1
    } else {
        rayon::current_num_threads()
    }
}

/// Does independent pieces of work with tensors of `device`; results are in their order. On the CPU, where there are as
/// many pieces as threads, each is done by one thread: on small batches threads that share every operation wait for each
/// other, and add up their sums of the gradients of all weights.
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

/// Whether a test has its way of computing set for this thread: others do not know of it.
fn is_forced() -> bool {
    #[cfg(test)]
    return PORTABLE.get() || super::kernels::FORCED.get().is_some();
    #[cfg(not(test))]
    false
}

/// Hands out `len` values of memory that its thread keeps from call to call; what is in them is left over.
pub(super) fn with_scratch<T>(len: usize, work: impl FnOnce(&mut [f32]) -> T) -> T {
    thread_local! {
        static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
    }
    // Taken out meanwhile: should the work wait for other threads, this one may take up another task.
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

/// A value for each channel, repeated over as many pixels as make a stretch: a loop over a stretch is long where one
/// over the channels of a pixel would be over before it is at speed. Chunks of the result's length, the last perhaps
/// shorter, begin with a pixel.
pub(super) fn repeated(channels: &[f32]) -> Vec<f32> {
    channels.repeat(STRETCH.div_ceil(channels.len().max(1)))
}

/// Sums over pixels, gathered in stretches, for each of `channels`.
#[inline(always)]
pub(super) fn folded(stretch: &[f32], channels: usize) -> Vec<f32> {
    let mut sums = vec![0.0; channels];
    for pixel in stretch.chunks_exact(channels) {
        sums.iter_mut().zip(pixel).for_each(|(sum, x)| *sum += x);
    }
    sums
}

impl Pending {
    /// Applies it to whole pixels.
    #[inline(always)]
    pub(super) fn apply(&self, from: &[f32], to: &mut [f32]) {
        let stretch = self.scale.len();
        for (from, to) in from.chunks(stretch).zip(to.chunks_mut(stretch)) {
            let constants = self.scale.iter().zip(&self.shift);
            for ((to, from), (scale, shift)) in to.iter_mut().zip(from).zip(constants) {
                *to = floored(from * scale + shift, self.floor);
            }
        }
    }
}

/// max(value, floor) that keeps NaN: `f32::max` would hide a run that diverged.
#[inline(always)]
pub(super) fn floored(value: f32, floor: f32) -> f32 {
    if value < floor { floor } else { value }
}

/// The values of `x` with what is pending applied.
pub(super) fn apply(x: &Data, pending: &Pending) -> Result<Tensor> {
    let len = TASK.div_ceil(pending.scale.len()) * pending.scale.len();
    let arch = arch();
    let mut out = vec![0.0; x.elem_count()];
    x.with(|x| {
        out.par_chunks_mut(len)
            .zip(x.par_chunks(len))
            .for_each(|(out, x)| {
                vectorised(
                    arch,
                    #[inline(always)]
                    || pending.apply(x, out),
                );
            });
    })?;
    Tensor::from_vec(out, x.dims(), &Device::Cpu)
}

/// a + b, of one shape.
pub(super) fn add(a: &Data, b: &Data) -> Result<Data> {
    if !a.is_cpu() {
        return Ok((a.tensor()? + b.tensor()?)?.into());
    }
    let mut out = memory(a.elem_count());
    a.with(|a| {
        b.with(|b| {
            out.par_chunks_mut(TASK)
                .zip(a.par_chunks(TASK).zip(b.par_chunks(TASK)))
                .for_each(|(out, (a, b))| {
                    out.iter_mut()
                        .zip(a)
                        .zip(b)
                        .for_each(|((out, a), b)| *out = a + b);
                });
        })
    })??;
    Ok(Data::host(out, a.dims()))
}
