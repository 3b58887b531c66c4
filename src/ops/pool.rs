//! The mean over all pixels.

use candle_core::{Device, Result, Tensor};
use rayon::prelude::*;

use super::cpu;
use super::data::Data;
use super::kernels::{arch, vectorised};
use super::memory::memory;
use super::pending_norm::Pending;
use super::tape::{Tape, Var};

/// Mean over all pixels: [N, H, W, C] → [N, C].
///
/// # Errors
/// Where `x` is not four-dimensional.
pub fn mean_pool(tape: &Tape, x: &Var) -> Result<Var> {
    let (n, h, w, c) = x.data.dims4()?;
    let pixels = (h * w) as f64;
    let out = means(x)?;
    if !x.is_cpu() {
        return Ok(tape.record_tensors(out, &[x], move |grad| {
            let share = (grad / pixels)?.reshape((n, 1, 1, c))?;
            Ok(vec![Some(share.broadcast_as((n, h, w, c))?.contiguous()?)])
        }));
    }
    Ok(tape.record(out, &[x], move |grad| {
        let mut spread = memory(n * h * w * c);
        grad.with(|grad| {
            spread
                .par_chunks_mut(h * w * c)
                .zip(grad.par_chunks(c))
                .for_each(|(image, grad)| {
                    for pixel in image.chunks_exact_mut(c) {
                        pixel
                            .iter_mut()
                            .zip(grad)
                            .for_each(|(x, grad)| *x = grad / pixels as f32);
                    }
                });
        })?;
        Ok(vec![Some(Data::host(spread, &[n, h, w, c]))])
    }))
}

/// Mean over all pixels of the values of `x`, [N, C].
pub(super) fn means(x: &Var) -> Result<Tensor> {
    let (n, h, w, c) = x.data.dims4()?;
    if !x.is_cpu() {
        return x.values()?.reshape((n, h * w, c))?.mean(1);
    }
    let arch = arch();
    let mut out = vec![0.0; n * c];
    x.data.with(|values| {
        out.par_chunks_mut(c)
            .zip(values.par_chunks(h * w * c))
            .for_each(|(out, image)| {
                vectorised(
                    arch,
                    #[inline(always)]
                    || image_mean(image, x.pending.as_deref(), out),
                );
            });
    })?;
    Tensor::from_vec(out, (n, c), &Device::Cpu)
}

#[inline(always)]
fn image_mean(image: &[f32], pending: Option<&Pending>, out: &mut [f32]) {
    let mut sums = cpu::repeated(out);
    let mut values = vec![0.0; sums.len()];
    for stretch in image.chunks(sums.len()) {
        let values = match pending {
            Some(pending) => {
                pending.apply(stretch, &mut values[..stretch.len()]);
                &values[..stretch.len()]
            }
            None => stretch,
        };
        sums.iter_mut().zip(values).for_each(|(sum, x)| *sum += x);
    }
    let pixels = (image.len() / out.len()) as f32;
    let sums = cpu::folded(&sums, out.len());
    out.iter_mut()
        .zip(sums)
        .for_each(|(out, sum)| *out = sum / pixels);
}
