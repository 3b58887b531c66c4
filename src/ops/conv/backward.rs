//! The CPU's backward pass: image by image the gradient passes back through pool, ReLU and norm into scratch memory.
//! The convolution that gives the input's gradient and the products that give the weight's gradient read it there.

use std::ops::Range;
use std::sync::Arc;

use candle_core::Result;
use pulp::Arch;
use rayon::prelude::*;

use crate::ops::cpu::{parts, with_scratch};
use crate::ops::data::Data;
use crate::ops::kernels::WeightGrad;
use crate::ops::norm_sums::{self, Sums};
use crate::ops::profile::{Work, timed};
use crate::ops::tape::Packed;

use super::input::{Input, Splitter};
use super::norm_grad::{Offsets, WayBack};
use super::path::{Path, WeightPath};
use super::shape::{After, Shape};

/// Gradients of weights up to this many values are summed in several parts for each thread, so that no thread waits
/// long for another.
const SMALL_WEIGHT: usize = 1 << 16;
/// Values of scratch memory that several small images share, so that the sums of a large weight's gradient are read
/// from memory once for all of these images.
const GROUP: usize = 3 << 16;

/// Everything that the backward pass needs of the forward pass.
pub(super) struct Backward {
    pub(super) arch: Arch,
    pub(super) shape: Shape,
    pub(super) input: Input,
    pub(super) weight: Data,
    pub(super) packed: Arc<Packed>,
    pub(super) raw: Data,
    pub(super) after: Arc<After>,
}

/// Values that the gradients are computed from.
struct Source<'a> {
    parts: Vec<&'a [f32]>,
    splitter: Option<Splitter<'a>>,
    raw: &'a [f32],
    grad: &'a [f32],
    offsets: Offsets,
    /// Gives the input's gradient.
    path: Path<'a>,
    weight_path: WeightPath,
}

/// Sums over some images.
struct Sum {
    weight: WeightGrad,
    /// Sums of the norm, where its statistics are constants.
    norm: Sums,
    /// Sums for the norms before the parts of the input, where this reader takes them.
    parts: Vec<Option<Sums>>,
    /// Gradients of the gates, one row for every image: the rows are not summed yet.
    gates: Vec<f32>,
}

impl Sum {
    /// The sums over these images and the next images together.
    fn with(mut self, next: Self) -> Self {
        self.weight.add(&next.weight);
        norm_sums::add(&mut self.norm, &next.norm);
        for (sums, next) in self.parts.iter_mut().zip(&next.parts) {
            if let (Some(sums), Some(next)) = (sums, next) {
                norm_sums::add(sums, next);
            }
        }
        self.gates.extend(next.gates);
        self
    }
}

impl Backward {
    /// Gradients of the parts of the input, the gates' W1 and W2, the weight, and the norm's weight and bias.
    pub(super) fn run(&self, grad: &Data) -> Result<Vec<Option<Data>>> {
        let shape = &self.shape;
        let from = grad.contiguous()?;
        let (raw, grad) = (self.raw.values()?, from.values()?);
        // The batch's statistics depend on every image, so their sums must be complete before the first gradient.
        let way = self.way_back();
        let sums = way.through_batch().then(|| match from.norm_sums() {
            Some(sums) => sums.clone(),
            None => way.all_sums(&raw, &grad),
        });
        let mut inputs = self.input.needs_grad().then(|| self.input.grad_memory());
        let sum = self.sum((&raw, &grad), sums.as_ref(), inputs.as_deref_mut())?;
        let mut grads: Vec<Option<Data>> = match inputs {
            Some(inputs) => self.input.grads(inputs, sum.parts).map(Some).collect(),
            None => vec![None],
        };
        grads.extend(
            self.input
                .gate_weight_grads(sum.gates)?
                .into_iter()
                .map(Some),
        );
        let weight = timed(Work::Pack, || sum.weight.unpack(shape.taps()));
        grads.push(Some(Data::host(weight, self.weight.dims())));
        if self.after.norm {
            let sums = sums.unwrap_or(sum.norm);
            let channel = |i: usize| sums.iter().map(|sum| sum[i] as f32).collect();
            grads.extend([1, 0].map(|i| Some(Data::host(channel(i), &[shape.outputs]))));
        }
        Ok(grads)
    }

    /// Sums of the gradients over all images, some images at a time. The gradients of the parts of the input are
    /// written to `inputs`, if given.
    fn sum(
        &self,
        (raw, grad): (&[f32], &[f32]),
        sums: Option<&Sums>,
        inputs: Option<&mut [Vec<f32>]>,
    ) -> Result<Sum> {
        let shape = &self.shape;
        let values = self.input.values()?;
        let source = Source {
            parts: values.iter().map(|part| &**part).collect(),
            splitter: self.input.splitter()?,
            raw,
            grad,
            offsets: self
                .way_back()
                .offsets(sums.unwrap_or(&vec![[0.0; 2]; shape.outputs])),
            path: self
                .weight
                .with(|values| Path::adjoint(self.arch, shape, values, &self.packed))?,
            weight_path: WeightPath::new(shape),
        };
        let threads = parts();
        let rows = shape.taps() * shape.inputs;
        let stretches = if rows * shape.outputs <= SMALL_WEIGHT {
            4 * threads
        } else {
            threads
        };
        let each = shape.n.div_ceil(stretches).max(1);
        let mut pieces: Vec<Vec<&mut [f32]>> = Vec::new();
        pieces.resize_with(shape.n.div_ceil(each), Vec::new);
        for input in inputs.into_iter().flatten() {
            let image = input.len() / shape.n;
            let own = input.chunks_mut((each * image).max(1));
            pieces
                .iter_mut()
                .zip(own)
                .for_each(|(piece, own)| piece.push(own));
        }
        let sums: Vec<Sum> = pieces
            .into_par_iter()
            .enumerate()
            .map(|(i, inputs)| self.stretch(i * each..shape.n.min((i + 1) * each), &source, inputs))
            .collect();
        let Some(sum) = sums.into_iter().reduce(Sum::with) else {
            candle_core::bail!("conv2d: the batch is empty")
        };
        Ok(sum)
    }

    fn way_back(&self) -> WayBack<'_> {
        WayBack {
            arch: self.arch,
            shape: &self.shape,
            after: &self.after,
        }
    }

    /// The sums over no image.
    fn zeros(&self, weight_path: &WeightPath) -> Sum {
        let parts = self.input.norm_sums();
        Sum {
            weight: weight_path.zeros(),
            norm: vec![[0.0; 2]; self.shape.outputs],
            parts: parts.map(|how| Some(how?.zeros())).collect(),
            gates: Vec::new(),
        }
    }

    /// Sums of the gradients over some images. The gradients of the parts of the input are written to `inputs`, whose
    /// slices begin with the first of these images.
    fn stretch(
        &self,
        images: Range<usize>,
        source: &Source<'_>,
        mut inputs: Vec<&mut [f32]>,
    ) -> Sum {
        let Self { arch, shape, .. } = self;
        let (inner, outer) = (shape.input(), shape.output());
        let (path, weight_path) = (&source.path, &source.weight_path);
        let mut sum = self.zeros(weight_path);
        let way = self.way_back();
        let group = (GROUP / (inner.len() + outer.len()).max(1)).max(weight_path.images());
        let group = group.clamp(1, images.len().max(1));
        let joined = source.splitter.as_ref().map_or(0, |_| shape.image());
        let [inner_len, outer_len] = [&inner, &outer].map(|p| group * p.len() + shape.lanes);
        let spare = path.scratch().max(weight_path.scratch());
        with_scratch(inner_len + outer_len + joined + spare, |scratch| {
            let (loaded, scratch) = scratch.split_at_mut(inner_len);
            let (grads, scratch) = scratch.split_at_mut(outer_len);
            let (joined, spare) = scratch.split_at_mut(joined);
            for start in images.clone().step_by(group) {
                let end = images.end.min(start + group);
                for n in start..end {
                    let image = &mut loaded[(n - start) * inner.len()..][..inner.len()];
                    let out = &mut grads[(n - start) * outer.len()..][..outer.len()];
                    timed(Work::Load, || {
                        self.input.load(*arch, &source.parts, n, &inner, image);
                    });
                    let from = (source.raw, source.grad);
                    way.output_gradient(n, from, &source.offsets, &outer, out, &mut sum.norm);
                }
                let mut to: Vec<&mut [f32]> = inputs
                    .iter_mut()
                    .map(|input| {
                        let len = input.len() / images.len();
                        &mut input[(start - images.start) * len..(end - images.start) * len]
                    })
                    .collect();
                match &source.splitter {
                    None => to.iter_mut().for_each(|to| {
                        timed(Work::InputGrad, || path.run(*arch, grads, spare, to));
                    }),
                    Some(splitter) if !to.is_empty() => {
                        for n in start..end {
                            let i = n - start;
                            let grads = &grads[i * outer.len()..][..outer.len() + shape.lanes];
                            timed(Work::InputGrad, || path.run(*arch, grads, spare, joined));
                            let image = &loaded[i * inner.len()..][..inner.len()];
                            let mut to: Vec<&mut [f32]> = to
                                .iter_mut()
                                .map(|to| {
                                    let len = to.len() / (end - start);
                                    &mut to[i * len..][..len]
                                })
                                .collect();
                            timed(Work::Gate, || {
                                let image = (image, &inner);
                                let rows = &mut sum.gates;
                                splitter.split(*arch, n, joined, image, &mut to, rows);
                            });
                        }
                    }
                    Some(_) => {}
                }
                timed(Work::NormSums, || {
                    self.add_norm_sums(source, start..end, &to, &mut sum.parts);
                });
                timed(Work::WeightGrad, || {
                    let (images, sum) = (end - start, &mut sum.weight);
                    weight_path.add(*arch, (loaded, grads), images, spare, sum);
                });
            }
        });
        sum.weight = weight_path.with_taps(*arch, sum.weight);
        sum
    }

    /// Adds the sums for the norms before the parts of the input, over some images, from the gradients of the parts.
    fn add_norm_sums(
        &self,
        source: &Source<'_>,
        images: Range<usize>,
        grads: &[&mut [f32]],
        sums: &mut [Option<Sums>],
    ) {
        let parts = source.parts.iter().zip(grads);
        for ((how, sums), (values, grads)) in self.input.norm_sums().zip(sums).zip(parts) {
            let (Some(how), Some(sums)) = (how, sums) else {
                continue;
            };
            let each = (grads.len() / images.len()).max(1);
            let values = values[images.start * each..].chunks_exact(each);
            for (values, grad) in values.zip(grads.chunks_exact(each)) {
                norm_sums::add(sums, &how.of_image(self.arch, values, grad));
            }
        }
    }
}
