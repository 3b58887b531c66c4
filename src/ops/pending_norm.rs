//! A batch norm and a ReLU that are left for the reader of an activation to apply.

use candle_core::{Device, Result, Tensor};
use rayon::prelude::*;

use super::cpu::{TASK, floored};
use super::data::Data;
use super::kernels::{arch, vectorised};

/// A norm and a ReLU: y = max(scale·x + shift, floor), channel by channel.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pending {
    /// One value a channel, repeated over several pixels: see `cpu::repeated`.
    pub(super) scale: Vec<f32>,
    /// Repeated likewise.
    pub(super) shift: Vec<f32>,
    /// 0 for a ReLU, else −∞.
    pub(super) floor: f32,
}

impl Pending {
    /// Applies norm and ReLU to whole pixels.
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

    /// The values of `x`, which are on the CPU, with norm and ReLU applied.
    pub(super) fn applied(&self, x: &Data) -> Result<Tensor> {
        let len = TASK.div_ceil(self.scale.len()) * self.scale.len();
        let arch = arch();
        let mut out = vec![0.0; x.elem_count()];
        x.with(|x| {
            out.par_chunks_mut(len)
                .zip(x.par_chunks(len))
                .for_each(|(out, x)| {
                    vectorised(
                        arch,
                        #[inline(always)]
                        || self.apply(x, out),
                    );
                });
        })?;
        Tensor::from_vec(out, x.dims(), &Device::Cpu)
    }
}
