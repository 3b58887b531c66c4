//! The input of a convolution on the CPU: one activation, or several side by side whose channels gates may scale. They
//! are joined and scaled in scratch memory only, image by image, and there their gradient is split among them.

use std::ops::Range;

use candle_core::{Device, Result, Tensor};
use pulp::Arch;

use crate::ops::cpu::floored;
use crate::ops::data::{Data, Values};
use crate::ops::gate::{Gate, Gates};
use crate::ops::kernels::{Plane, vectorised};
use crate::ops::memory::memory;
use crate::ops::norm_sums::{NormSums, Sums};
use crate::ops::pool::means;
use crate::ops::profile::{Work, timed};
use crate::ops::tape::Var;

/// The activations that a convolution reads, and the gates that scale them.
pub(super) struct Input {
    parts: Vec<Var>,
    /// Channels of all parts, C.
    channels: usize,
    gates: Option<Gates>,
    /// Factor of each channel, [N, C]; empty without gates.
    scale: Vec<f32>,
    /// Norm and ReLU that are left for this reader, channel by channel; none where there is one part without gates,
    /// because the part's own norm and ReLU can be applied to all channels at once.
    pending: Option<Affine>,
}

/// y = max(scale·x + shift, floor) for each channel.
struct Affine {
    scale: Vec<f32>,
    shift: Vec<f32>,
    floor: Vec<f32>,
}

/// Splits the gradient of the joined input into those of its parts and its gates.
pub(super) struct Splitter<'a> {
    input: &'a Input,
    /// Values of all hidden layers, [N, Σ hidden].
    hidden: Vec<f32>,
    /// W1 and W2 of every gate.
    weights: Vec<[Vec<f32>; 2]>,
}

impl Input {
    pub(super) fn new(parts: &[&Var], gates: &[Gate<'_>]) -> Result<Self> {
        let parts = parts.iter().map(|part| {
            let data = part.data.contiguous()?;
            Ok(Var {
                data,
                ..Var::clone(part)
            })
        });
        let parts: Vec<Var> = parts.collect::<Result<_>>()?;
        let gates = if gates.is_empty() {
            None
        } else {
            let means = parts.iter().map(means).collect::<Result<Vec<_>>>()?;
            let gates = || Gates::new(Tensor::cat(&means, 1)?, gates);
            Some(timed(Work::Gate, gates)?)
        };
        Ok(Self {
            channels: parts.iter().map(channels).sum(),
            scale: match &gates {
                Some(gates) => gates.scale.flatten_all()?.to_vec1()?,
                None => Vec::new(),
            },
            pending: (parts.len() > 1 || gates.is_some()).then(|| Affine::of(&parts)),
            parts,
            gates,
        })
    }

    /// Number of images, and their height and width.
    pub(super) fn images(&self) -> Result<(usize, usize, usize)> {
        let Some(first) = self.parts.first() else {
            candle_core::bail!("conv2d: there is no input")
        };
        let (n, h, w, _) = first.data.dims4()?;
        Ok((n, h, w))
    }

    /// The values of every part.
    pub(super) fn values(&self) -> Result<Vec<Values<'_>>> {
        self.parts.iter().map(|part| part.data.values()).collect()
    }

    /// The values of the gates, [N, channels] each.
    pub(super) fn gate_values(&self) -> Result<Vec<Tensor>> {
        match &self.gates {
            Some(gates) => gates.values(),
            None => Ok(Vec::new()),
        }
    }

    /// Whether the gradient of any part or gate is needed.
    pub(super) fn needs_grad(&self) -> bool {
        self.gates.is_some() || self.parts.iter().any(|part| part.slot.is_some())
    }

    /// Memory for the gradient of every part.
    pub(super) fn grad_memory(&self) -> Vec<Vec<f32>> {
        let parts = self.parts.iter();
        parts.map(|part| memory(part.data.elem_count())).collect()
    }

    /// The gradient of each part, in the shape of the part, with its sums for the norm before it.
    pub(super) fn grads(
        &self,
        values: Vec<Vec<f32>>,
        sums: Vec<Option<Sums>>,
    ) -> impl Iterator<Item = Data> {
        let parts = self.parts.iter().zip(values.into_iter().zip(sums));
        parts.map(|(part, (values, sums))| Data::with_norm_sums(values, part.data.dims(), sums))
    }

    /// How the sums of each part's gradient for the norm before it are taken, where that is known.
    pub(super) fn norm_sums(&self) -> impl Iterator<Item = Option<&NormSums>> {
        self.parts.iter().map(|part| part.norm_sums.as_deref())
    }

    /// Copies image `n` into scratch memory, and applies norm, ReLU and gates on the way.
    pub(super) fn load(
        &self,
        arch: Arch,
        parts: &[&[f32]],
        n: usize,
        plane: &Plane,
        scratch: &mut [f32],
    ) {
        let pixels = plane.height * plane.width;
        if let Some(pending) = &self.pending {
            let own = pending.scaled(self.scale.chunks_exact(self.channels).nth(n));
            let mut start = 0;
            plane.clear(scratch);
            for (part, values) in self.parts.iter().zip(parts) {
                let c = channels(part);
                let image = &values[n * pixels * c..][..pixels * c];
                vectorised(
                    arch,
                    #[inline(always)]
                    || own.load(image, start..start + c, plane, scratch),
                );
                start += c;
            }
            return;
        }
        let image = pixels * self.channels;
        for (part, values) in self.parts.iter().zip(parts) {
            let image = &values[n * image..][..image];
            match part.pending.as_deref() {
                None => plane.fill(image, scratch, |from, to| to.copy_from_slice(from)),
                Some(pending) => vectorised(
                    arch,
                    #[inline(always)]
                    || {
                        plane.fill(
                            image,
                            scratch,
                            #[inline(always)]
                            |from, to| pending.apply(from, to),
                        );
                    },
                ),
            }
        }
    }

    /// Splits the gradient of this input; none where there is one part without gates, whose gradient it already is.
    pub(super) fn splitter(&self) -> Result<Option<Splitter<'_>>> {
        if self.pending.is_none() {
            return Ok(None);
        }
        let mut splitter = Splitter {
            input: self,
            hidden: Vec::new(),
            weights: Vec::new(),
        };
        if let Some(gates) = &self.gates {
            splitter.hidden = gates.hidden.flatten_all()?.to_vec1()?;
            for layer in gates.layers() {
                let values = |weight: &Tensor| weight.flatten_all()?.to_vec1();
                splitter
                    .weights
                    .push([values(&layer.fc1)?, values(&layer.fc2)?]);
            }
        }
        Ok(Some(splitter))
    }

    /// Gradients of every W1 and W2, from the rows that [`Splitter::split`] appended for all images in order.
    pub(super) fn gate_weight_grads(&self, rows: Vec<f32>) -> Result<Vec<Data>> {
        let Some(gates) = &self.gates else {
            return Ok(Vec::new());
        };
        timed(Work::Gate, || {
            let (n, hidden) = gates.hidden.dims2()?;
            let rows = Tensor::from_vec(rows, (n, self.channels + hidden), &Device::Cpu)?;
            let (logits, hidden) = (
                rows.narrow(1, 0, self.channels)?,
                rows.narrow(1, self.channels, hidden)?,
            );
            let grads = gates.weight_grads(&logits, &hidden)?;
            Ok(grads.into_iter().map(Data::from).collect())
        })
    }
}

impl Splitter<'_> {
    /// Splits the gradient `grad` [H, W, C] of image `n`, whose values lie in the plane `image` as they were loaded.
    /// The gradients of the parts are written to `to`; those of the gates' logits and of the inputs of their ReLUs are
    /// appended to `rows`.
    pub(super) fn split(
        &self,
        arch: Arch,
        n: usize,
        grad: &[f32],
        (image, plane): (&[f32], &Plane),
        to: &mut [&mut [f32]],
        rows: &mut Vec<f32>,
    ) {
        let total = self.input.channels;
        let scale = self.input.scale.chunks_exact(total).nth(n);
        let share = scale.map(|scale| {
            let mut sums = vec![0.0; total];
            vectorised(
                arch,
                #[inline(always)]
                || {
                    for (row, grad) in grad.chunks_exact(plane.width * total).enumerate() {
                        let image = &image[plane.row(row)..][..grad.len()];
                        let pixels = image.chunks_exact(total).zip(grad.chunks_exact(total));
                        pixels.for_each(|(x, grad)| add_products(&mut sums, x, grad));
                    }
                },
            );
            // x is scaled already, so the gradient of the scale s is Σ grad·x/s. Multiplied by σ' = s(1 − s), it is the
            // gradient of the logit, (1 − s)·Σ grad·x.
            let terms = sums.iter_mut().zip(scale);
            terms.for_each(|(sum, scale)| *sum *= 1.0 - scale);
            rows.extend_from_slice(&sums);
            let mut share = self.mean_grad(arch, n, &sums, rows);
            let pixels = (plane.height * plane.width) as f32;
            share.iter_mut().for_each(|share| *share /= pixels);
            share
        });
        let mut start = 0;
        for (part, to) in self.input.parts.iter().zip(to) {
            let own = start..start + channels(part);
            start = own.end;
            let factors = scale.zip(share.as_deref());
            let factors = factors.map(|(scale, share)| (&scale[own.clone()], &share[own.clone()]));
            vectorised(
                arch,
                #[inline(always)]
                || {
                    let pixels = to.chunks_exact_mut(own.len()).zip(grad.chunks_exact(total));
                    for (to, grad) in pixels {
                        let grad = &grad[own.clone()];
                        match factors {
                            Some((scale, share)) => spread(to, grad, scale, share),
                            None => to.copy_from_slice(grad),
                        }
                    }
                },
            );
        }
    }

    /// The gradient of the channels' means, from that of the gates' logits. The gradient of the inputs of the ReLUs,
    /// which is found on the way, is appended to `rows`.
    fn mean_grad(&self, arch: Arch, n: usize, logits: &[f32], rows: &mut Vec<f32>) -> Vec<f32> {
        let layers = self.input.gates.as_ref().map_or(&[][..], Gates::layers);
        let width: usize = layers.iter().map(|layer| layer.hidden).sum();
        let mut open = &self.hidden[n * width..];
        let (mut means, mut start) = (vec![0.0; logits.len()], 0);
        for (layer, [fc1, fc2]) in layers.iter().zip(&self.weights) {
            let own = start..start + layer.channels;
            start = own.end;
            let mut hidden = vec![0.0; layer.hidden];
            vectorised(
                arch,
                #[inline(always)]
                || {
                    add_rows(&mut hidden, &logits[own.clone()], fc2);
                    mask(&mut hidden, open);
                    add_rows(&mut means[own.clone()], &hidden, fc1);
                },
            );
            open = &open[layer.hidden..];
            rows.extend(hidden);
        }
        means
    }
}

impl Affine {
    /// The norms and ReLUs that the parts leave for their reader, side by side.
    fn of(parts: &[Var]) -> Self {
        let mut all = Self {
            scale: Vec::new(),
            shift: Vec::new(),
            floor: Vec::new(),
        };
        for part in parts {
            let c = channels(part);
            let (scale, shift, floor) = match part.pending.as_deref() {
                Some(pending) => (
                    pending.scale[..c].to_vec(),
                    pending.shift[..c].to_vec(),
                    pending.floor,
                ),
                None => (vec![1.0; c], vec![0.0; c], f32::NEG_INFINITY),
            };
            all.scale.extend(scale);
            all.shift.extend(shift);
            all.floor.extend(vec![floor; c]);
        }
        all
    }

    /// The same norms and ReLUs, whose results are multiplied by a factor above 0 for each channel.
    fn scaled(&self, by: Option<&[f32]>) -> Self {
        let scaled = |values: &[f32]| match by {
            Some(by) => values.iter().zip(by).map(|(x, by)| x * by).collect(),
            None => values.to_vec(),
        };
        Self {
            scale: scaled(&self.scale),
            shift: scaled(&self.shift),
            floor: self.floor.clone(),
        }
    }

    /// Applies the norm and ReLU of some channels to an image of these channels, on its way into the plane `to`.
    #[inline(always)]
    fn load(&self, image: &[f32], channels: Range<usize>, plane: &Plane, to: &mut [f32]) {
        let (scale, shift, floor) = (
            &self.scale[channels.clone()],
            &self.shift[channels.clone()],
            &self.floor[channels.clone()],
        );
        for (row, from) in image.chunks_exact(plane.width * channels.len()).enumerate() {
            let to = &mut to[plane.row(row)..][..plane.width * plane.channels];
            let pixels = to
                .chunks_exact_mut(plane.channels)
                .zip(from.chunks_exact(channels.len()));
            for (to, from) in pixels {
                apply(&mut to[channels.clone()], from, (scale, shift), floor);
            }
        }
    }
}

/// Channels of a part.
fn channels(part: &Var) -> usize {
    part.data.dims().last().copied().unwrap_or(0)
}

// Each loop is a function, because the compiler then knows that the slice it writes overlaps none that it reads.

/// max(scale·x + shift, floor).
#[inline(always)]
fn apply(to: &mut [f32], from: &[f32], (scale, shift): (&[f32], &[f32]), floor: &[f32]) {
    let constants = scale.iter().zip(shift).zip(floor);
    for ((to, from), ((scale, shift), floor)) in to.iter_mut().zip(from).zip(constants) {
        *to = floored(from * scale + shift, *floor);
    }
}

/// Σ grad·x over the pixels of an image, for every channel.
#[inline(always)]
fn add_products(sums: &mut [f32], x: &[f32], grad: &[f32]) {
    sums.iter_mut()
        .zip(x.iter().zip(grad))
        .for_each(|(sum, (x, grad))| *sum += x * grad);
}

/// grad·scale + share.
#[inline(always)]
fn spread(out: &mut [f32], grad: &[f32], scale: &[f32], share: &[f32]) {
    let terms = grad.iter().zip(scale.iter().zip(share));
    out.iter_mut()
        .zip(terms)
        .for_each(|(out, (grad, (scale, share)))| *out = grad * scale + share);
}

/// The gradient where the value is above 0, else 0.
#[inline(always)]
fn mask(grad: &mut [f32], values: &[f32]) {
    for (grad, value) in grad.iter_mut().zip(values) {
        *grad = if *value > 0.0 { *grad } else { 0.0 };
    }
}

/// Adds the rows of a matrix, each times a factor: out ← out + factorsᵀ · matrix.
#[inline(always)]
fn add_rows(out: &mut [f32], factors: &[f32], matrix: &[f32]) {
    for (factor, row) in factors.iter().zip(matrix.chunks_exact(out.len())) {
        // About half of the factors are 0, because a ReLU shut them.
        if *factor != 0.0 {
            out.iter_mut()
                .zip(row)
                .for_each(|(out, x)| *out += factor * x);
        }
    }
}
