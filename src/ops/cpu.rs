//! Plain loops over CPU tensors, on all threads. Sums are taken over fixed chunks and added in order, so that their
//! bits do not depend on the number of threads.

use candle_core::{Result, Storage, Tensor};
use rayon::prelude::*;

/// Number of chunks a sum over rows is cut into, whatever the thread count.
const CHUNKS: usize = 64;

/// Whether a tensor is on the CPU, where the loops of this module run.
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
    pub(super) static PORTABLE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Reads the values of a contiguous f32 CPU tensor.
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

/// For each of the `columns` channels, `N` sums over all rows of what `terms(row, channel)` yields, in f64.
/// Rows are chunks of `columns` values.
pub(super) fn channel_sums<const N: usize>(
    rows: usize,
    columns: usize,
    accumulate: impl Fn(std::ops::Range<usize>, &mut [[f32; N]]) + Sync,
) -> Vec<[f64; N]> {
    let per_chunk = rows.div_ceil(CHUNKS).max(1);
    let partial: Vec<Vec<[f64; N]>> = (0..rows.div_ceil(per_chunk))
        .into_par_iter()
        .map(|chunk| {
            let mut sums = vec![[0.0_f64; N]; columns];
            let end = ((chunk + 1) * per_chunk).min(rows);
            let mut start = chunk * per_chunk;
            // Short f32 runs keep the loops fast; f64 across them keeps the sums accurate.
            while start < end {
                let stop = (start + 64).min(end);
                let mut short = vec![[0.0_f32; N]; columns];
                accumulate(start..stop, &mut short);
                for (sum, short) in sums.iter_mut().zip(&short) {
                    for (sum, short) in sum.iter_mut().zip(short) {
                        *sum += f64::from(*short);
                    }
                }
                start = stop;
            }
            sums
        })
        .collect();
    let mut total = vec![[0.0; N]; columns];
    for chunk in partial {
        for (total, chunk) in total.iter_mut().zip(chunk) {
            for (total, chunk) in total.iter_mut().zip(chunk) {
                *total += chunk;
            }
        }
    }
    total
}

/// A new buffer of `rows` rows of `columns` values, each row filled by `fill(row index, row)`.
pub(super) fn map_rows(
    rows: usize,
    columns: usize,
    fill: impl Fn(usize, &mut [f32]) + Sync,
) -> Vec<f32> {
    let mut out = vec![0.0; rows * columns];
    let per_task = (16_384 / columns.max(1)).max(1);
    out.par_chunks_mut(per_task * columns)
        .enumerate()
        .for_each(|(task, chunk)| {
            for (i, row) in chunk.chunks_mut(columns).enumerate() {
                fill(task * per_task + i, row);
            }
        });
    out
}
