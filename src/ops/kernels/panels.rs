//! Weights in the order in which the kernels read them.

use rayon::prelude::*;

use crate::ops::memory::{Reused, memory};

/// Values that a thread adds up at a time.
const TASK: usize = 1 << 15;

/// Weights packed for one register width: for each block of output channels (two registers, the last perhaps one) all
/// taps, all input channels, the block's channels, filled up with zeros.
#[derive(Debug)]
pub(in crate::ops) struct Panels {
    values: Reused,
    /// Taps times input channels.
    rows: usize,
    /// Output channels.
    pub(super) outputs: usize,
    lanes: usize,
}

/// One block of output channels.
pub(super) struct Block<'a> {
    /// Its first channel.
    pub(super) first: usize,
    /// Registers: 1 or 2.
    pub(super) registers: usize,
    /// [taps · input channels][registers · lanes].
    pub(super) values: &'a [f32],
}

/// First channel and registers of every block.
fn blocks(outputs: usize, lanes: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..outputs.div_ceil(2 * lanes)).map(move |block| {
        let first = block * 2 * lanes;
        (first, if outputs - first > lanes { 2 } else { 1 })
    })
}

/// Values of all panels.
fn packed_len(rows: usize, outputs: usize, lanes: usize) -> usize {
    rows * outputs.div_ceil(lanes) * lanes
}

impl Panels {
    /// Packs `weight` [Co, Ci, k, k] (`taps` = k²) for the forward pass.
    pub(in crate::ops) fn forward(
        weight: &[f32],
        outputs: usize,
        taps: usize,
        lanes: usize,
    ) -> Self {
        let inputs = weight.len() / (outputs * taps).max(1);
        Self::pack(taps, inputs, outputs, lanes, |tap, i, o| {
            weight[(o * inputs + i) * taps + tap]
        })
    }

    /// Packs `weight` [Co, Ci, k, k] for the gradient of the input: the adjoint of a "same" convolution is the
    /// convolution with the flipped kernel, input and output channels exchanged.
    pub(in crate::ops) fn adjoint(
        weight: &[f32],
        outputs: usize,
        taps: usize,
        lanes: usize,
    ) -> Self {
        let inputs = weight.len() / (outputs * taps).max(1);
        Self::pack(taps, outputs, inputs, lanes, |tap, i, o| {
            weight[(i * inputs + o) * taps + taps - 1 - tap]
        })
    }

    fn pack(
        taps: usize,
        inputs: usize,
        outputs: usize,
        lanes: usize,
        weight: impl Fn(usize, usize, usize) -> f32 + Sync,
    ) -> Self {
        let rows = taps * inputs;
        let mut values = Reused::any(packed_len(rows, outputs, lanes));
        // All blocks but the last are two registers wide.
        values
            .par_chunks_mut((rows * 2 * lanes).max(1))
            .enumerate()
            .for_each(|(index, block)| {
                let first = index * 2 * lanes;
                let width = block.len() / rows;
                // All taps of an input channel lie side by side in the weight.
                for i in 0..inputs {
                    for tap in 0..taps {
                        let panel = &mut block[(tap * inputs + i) * width..][..width];
                        for (value, o) in panel.iter_mut().zip(first..) {
                            *value = if o < outputs { weight(tap, i, o) } else { 0.0 };
                        }
                    }
                }
            });
        Self {
            values,
            rows,
            outputs,
            lanes,
        }
    }

    /// The panels of weights with `to` taps instead of `from`, block by block by `map(from, to)`: [taps, input channels,
    /// block].
    pub(super) fn mapped(
        &self,
        from: usize,
        to: usize,
        map: impl Fn(&[f32], &mut [f32]) + Sync,
    ) -> Self {
        let rows = self.rows / from * to;
        let mut values = Reused::any(packed_len(rows, self.outputs, self.lanes));
        let block = 2 * self.lanes;
        values
            .par_chunks_mut((rows * block).max(1))
            .zip(self.values.par_chunks((self.rows * block).max(1)))
            .for_each(|(to, from)| map(from, to));
        Self {
            values,
            rows,
            outputs: self.outputs,
            lanes: self.lanes,
        }
    }

    pub(super) fn blocks(&self) -> impl Iterator<Item = Block<'_>> {
        let mut rest = &*self.values;
        blocks(self.outputs, self.lanes).map(move |(first, registers)| {
            let (values, after) = rest.split_at(self.rows * registers * self.lanes);
            rest = after;
            Block {
                first,
                registers,
                values,
            }
        })
    }
}

/// The gradient of a weight while it is summed, packed as the forward panels are.
#[derive(Debug)]
pub(in crate::ops) struct WeightGrad {
    values: Vec<f32>,
    rows: usize,
    outputs: usize,
    lanes: usize,
}

/// One block of output channels of a weight's gradient.
pub(super) struct BlockMut<'a> {
    pub(super) first: usize,
    pub(super) registers: usize,
    pub(super) values: &'a mut [f32],
}

impl WeightGrad {
    /// Zeros for `outputs` channels and `rows` = taps × input channels.
    pub(in crate::ops) fn zeros(rows: usize, outputs: usize, lanes: usize) -> Self {
        Self {
            values: vec![0.0; packed_len(rows, outputs, lanes)],
            rows,
            outputs,
            lanes,
        }
    }

    /// Likewise in memory that is used again, to which [`Self::release`] gives it back on the same thread.
    pub(in crate::ops) fn zeros_in_reused(rows: usize, outputs: usize, lanes: usize) -> Self {
        let mut values = memory(packed_len(rows, outputs, lanes));
        values.fill(0.0);
        Self {
            values,
            rows,
            outputs,
            lanes,
        }
    }

    /// Gives the memory back.
    pub(in crate::ops) fn release(self) {
        drop(Reused::from(self.values));
    }

    pub(super) fn blocks_mut(&mut self) -> impl Iterator<Item = BlockMut<'_>> {
        let (rows, lanes) = (self.rows, self.lanes);
        let mut rest = self.values.as_mut_slice();
        blocks(self.outputs, self.lanes).map(move |(first, registers)| {
            let (values, after) = std::mem::take(&mut rest).split_at_mut(rows * registers * lanes);
            rest = after;
            BlockMut {
                first,
                registers,
                values,
            }
        })
    }

    /// Likewise with `to` taps instead of `from`: see [`Panels::mapped`].
    pub(super) fn mapped(
        &self,
        from: usize,
        to: usize,
        mut map: impl FnMut(&[f32], &mut [f32]),
    ) -> Self {
        let rows = self.rows / from * to;
        let mut out = Self::zeros(rows, self.outputs, self.lanes);
        let block = 2 * self.lanes;
        let blocks = out.values.chunks_mut((rows * block).max(1));
        for (to, from) in blocks.zip(self.values.chunks((self.rows * block).max(1))) {
            map(from, to);
        }
        out
    }

    /// Adds another sum over the same weights.
    pub(in crate::ops) fn add(&mut self, other: &Self) {
        self.values
            .par_chunks_mut(TASK)
            .zip(other.values.par_chunks(TASK))
            .for_each(|(sums, values)| {
                sums.iter_mut().zip(values).for_each(|(sum, x)| *sum += x);
            });
    }

    /// The gradient in PyTorch's order, [Co, Ci, k, k].
    pub(in crate::ops) fn unpack(&self, taps: usize) -> Vec<f32> {
        let (inputs, block) = (self.rows / taps, 2 * self.lanes);
        let mut weight = vec![0.0; self.rows * self.outputs];
        weight
            .par_chunks_mut((self.rows * block).max(1))
            .zip(self.values.par_chunks((self.rows * block).max(1)))
            .for_each(|(out, values)| {
                let width = values.len() / self.rows;
                for i in 0..inputs {
                    for tap in 0..taps {
                        let values = &values[(tap * inputs + i) * width..][..width];
                        let outs = out[i * taps + tap..].iter_mut().step_by(self.rows);
                        outs.zip(values).for_each(|(out, value)| *out = *value);
                    }
                }
            });
        weight
    }
}
