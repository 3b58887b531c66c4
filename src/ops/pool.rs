//! The mean over all pixels.

use candle_core::{Result, Tensor};
use rayon::prelude::*;

use super::cpu;
use super::kernels::arch;
use super::tape::{Pending, Tape, Var};

/// Mean over all pixels: [N, H, W, C] → [N, C].
///
/// # Errors
/// Where `x` is not four-dimensional.
pub fn mean_pool(tape: &Tape, x: &Var) -> Result<Var> {
    let (n, h, w, c) = x.tensor.dims4()?;
    let pixels = (h * w) as f64;
    let out = means(x)?;
    Ok(tape.record(out, &[x], move |grad| {
        let share = (grad / pixels)?.reshape((n, 1, 1, c))?;
        Ok(vec![Some(share.broadcast_as((n, h, w, c))?.contiguous()?)])
    }))
}

/// Mean over all pixels of the values of `x`, [N, C].
pub(super) fn means(x: &Var) -> Result<Tensor> {
    let (n, h, w, c) = x.tensor.dims4()?;
    if !x.is_cpu() {
        return x.values()?.reshape((n, h * w, c))?.mean(1);
    }
    let arch = arch();
    let mut out = vec![0.0; n * c];
    cpu::with(&x.tensor, |values| {
        out.par_chunks_mut(c)
            .zip(values.par_chunks(h * w * c))
            .for_each(|(out, image)| {
                arch.dispatch(
                    #[inline(always)]
                    || image_mean(image, x.pending.as_deref(), out),
                );
            });
    })?;
    Tensor::from_vec(out, (n, c), x.tensor.device())
}

#[inline(always)]
fn image_mean(image: &[f32], pending: Option<&Pending>, out: &mut [f32]) {
    let c = out.len();
    let mut pixel = vec![0.0; c];
    for values in image.chunks_exact(c) {
        match pending {
            Some(pending) => pending.apply(values, &mut pixel),
            None => pixel.copy_from_slice(values),
        }
        out.iter_mut().zip(&pixel).for_each(|(sum, x)| *sum += x);
    }
    let pixels = (image.len() / c) as f32;
    out.iter_mut().for_each(|sum| *sum /= pixels);
}
