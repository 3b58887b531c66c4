//! The CPU's forward pass: one image or a few at a time in scratch memory, images on all threads.

use std::sync::Arc;

use candle_core::Result;
use pulp::Arch;
use rayon::prelude::*;

use crate::ops::cpu::{image_moments, repeated, with_scratch};
use crate::ops::data::Data;
use crate::ops::gate::Gate;
use crate::ops::kernels::{arch, lanes, max_pool, vectorised};
use crate::ops::memory::memory;
use crate::ops::norm_sums::NormSums;
use crate::ops::pending_norm::Pending;
use crate::ops::profile::{Work, timed};
use crate::ops::tape::{Tape, Var};

use super::affine::Affine;
use super::backward::Backward;
use super::input::Input;
use super::layer::{BatchStats, Conv, Joined, Stats};
use super::path::Path;
use super::shape::{After, Shape, Source};

/// The operation [`super::join_conv2d`], whose shapes have been checked.
pub(super) fn conv2d(
    tape: &Tape,
    parts: &[&Var],
    gates: &[Gate<'_>],
    weight: &Var,
    conv: &Conv<'_>,
) -> Result<Joined> {
    let arch = arch();
    let input = Input::new(parts, gates)?;
    let (n, h, w) = input.images()?;
    let (outputs, inputs, k, _) = weight.data.dims4()?;
    let shape = Shape {
        n,
        h,
        w,
        inputs,
        outputs,
        k,
        dilation: conv.dilation,
        lanes: lanes(arch),
        method: conv.method,
    };
    let stats = conv.norm.as_ref().map(|norm| norm.stats);
    let take_moments = matches!(stats, Some(Stats::Batch | Stats::Weighted(_)));
    let (raw, moments) = forward(arch, &shape, &input, weight, take_moments)?;
    let (after, stats) = what_follows(conv, &shape, &moments)?;
    let raw = Data::host(raw, &[n, h, w, outputs]);
    let out = if conv.pool {
        pool(arch, &shape, &raw, &after)?
    } else {
        raw.clone()
    };
    let mut inputs = parts.to_vec();
    inputs.extend(gates.iter().flat_map(|gate| [gate.fc1, gate.fc2]));
    inputs.push(weight);
    if let Some(norm) = &conv.norm {
        inputs.extend([norm.weight, norm.bias]);
    }
    let pending = (!conv.pool && (conv.relu || conv.norm.is_some())).then(|| after.pending.clone());
    let norm_sums = norm_sums(conv, &after)?.map(Arc::new);
    let gates = input.gate_values()?;
    let backward = Backward {
        arch,
        shape,
        input,
        weight: weight.data.clone(),
        packed: weight.packed.clone(),
        raw,
        after,
    };
    let mut out = tape.record(out, &inputs, move |grad| backward.run(&grad));
    (out.pending, out.norm_sums) = (pending, norm_sums);
    Ok(Joined { out, gates, stats })
}

/// Norm, ReLU and pool as `conv` asks for them, and the batch's statistics where the norm takes them from the batch:
/// from the moments of its images, [N, 2, Co].
fn what_follows(
    conv: &Conv<'_>,
    shape: &Shape,
    moments: &[f32],
) -> Result<(Arc<After>, Option<BatchStats>)> {
    let pixels = shape.h * shape.w;
    let (mut stats, mut source) = (None, Source::Constants);
    let affine = match &conv.norm {
        None => Affine::identity(shape.outputs),
        Some(norm) => match norm.stats {
            Stats::Batch => {
                let even = vec![1.0 / shape.n as f64; shape.n];
                let (mean, variance) = merge(moments, shape.outputs, pixels, &even);
                stats = Some(BatchStats::on_cpu(&mean, &variance, shape.n * pixels)?);
                source = Source::Batch;
                Affine::new(norm, &mean, &variance)?
            }
            Stats::Weighted(shares) => {
                let (mean, variance) = merge(moments, shape.outputs, pixels, shares);
                source = Source::Shares(shares.to_vec());
                Affine::new(norm, &mean, &variance)?
            }
            Stats::Running { mean, variance } => Affine::new(norm, &widen(mean), &widen(variance))?,
            Stats::Unit => Affine::unit(norm, shape.outputs)?,
        },
    };
    let pending = Pending {
        scale: repeated(&affine.scale),
        shift: repeated(&affine.shift),
        floor: if conv.relu { 0.0 } else { f32::NEG_INFINITY },
    };
    let after = After {
        affine,
        pending: Arc::new(pending),
        pool: conv.pool,
        stats: source,
        norm: conv.norm.is_some(),
    };
    Ok((Arc::new(after), stats))
}

/// How the reader of the output takes the sums that the norm's backward pass needs; none where it needs none, or where
/// the output does not tell.
fn norm_sums(conv: &Conv<'_>, after: &After) -> Result<Option<NormSums>> {
    let Some(norm) = conv
        .norm
        .as_ref()
        .filter(|_| after.stats != Source::Constants)
    else {
        return Ok(None);
    };
    let floor = after.pending.floor;
    if conv.pool {
        let values = |var: &Var| var.data.tensor()?.to_vec1::<f32>();
        let (weight, bias) = (values(norm.weight)?, values(norm.bias)?);
        return Ok(NormSums::pooled(&weight, &bias, floor));
    }
    let Affine {
        scale,
        shift,
        mean,
        inverse,
    } = &after.affine;
    Ok(Some(NormSums::raw((scale, shift), floor, (mean, inverse))))
}

fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// The convolution alone, [N, H, W, Co]; with `moments` also mean and summed squared deviations of each image,
/// [N, 2, Co].
fn forward(
    arch: Arch,
    shape: &Shape,
    input: &Input,
    weight: &Var,
    moments: bool,
) -> Result<(Vec<f32>, Vec<f32>)> {
    let (plane, outputs) = (shape.input(), shape.outputs);
    let packed = weight.packed.clone();
    let path = weight
        .data
        .with(|values| Path::forward(arch, shape, values, &packed))?;
    let mut raw = memory(shape.n * shape.raw());
    let mut partial = vec![
        0.0;
        if moments {
            shape.n * 2 * outputs
        } else {
            shape.n
        }
    ];
    let each = partial.len() / shape.n.max(1);
    let values = input.values()?;
    let parts: Vec<&[f32]> = values.iter().map(|part| &**part).collect();
    let group = path.images(shape.n);
    raw.par_chunks_mut((group * shape.raw()).max(1))
        .zip(partial.par_chunks_mut((group * each).max(1)))
        .enumerate()
        .for_each(|(i, (out, partial))| {
            let loaded = group * plane.len() + shape.lanes;
            with_scratch(loaded + path.scratch(), |scratch| {
                let (images, scratch) = scratch.split_at_mut(loaded);
                let own = i * group..shape.n.min((i + 1) * group);
                for (n, image) in own.zip(images.chunks_exact_mut(plane.len())) {
                    timed(Work::Load, || input.load(arch, &parts, n, &plane, image));
                }
                timed(Work::Forward, || path.run(arch, images, scratch, out));
            });
            if !moments {
                return;
            }
            let images = out.chunks_exact(shape.raw().max(1));
            for (out, partial) in images.zip(partial.chunks_exact_mut(each.max(1))) {
                let (mean, squares) = partial.split_at_mut(outputs);
                timed(Work::Moments, || {
                    vectorised(
                        arch,
                        #[inline(always)]
                        || image_moments(out, mean, squares),
                    );
                });
            }
        });
    Ok((raw, partial))
}

/// Mean and biased variance of a batch from those of its images (Chan et al. 1983), in f64: Σ w m and
/// Σ w (v + (m − mean)²) for images of mean m and variance v that have the shares w, which sum to 1.
fn merge(moments: &[f32], channels: usize, pixels: usize, shares: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let images = || moments.chunks_exact(2 * channels).zip(shares);
    let mut mean = vec![0.0; channels];
    for (image, share) in images() {
        mean.iter_mut()
            .zip(image)
            .for_each(|(sum, x)| *sum += f64::from(*x) * share);
    }
    let mut variance = vec![0.0; channels];
    for (image, share) in images() {
        let (means, squares) = image.split_at(channels);
        for ((sum, mean), (own, squares)) in variance
            .iter_mut()
            .zip(&mean)
            .zip(means.iter().zip(squares))
        {
            let apart = f64::from(*own) - mean;
            *sum += share * (f64::from(*squares) / pixels as f64 + apart * apart);
        }
    }
    (mean, variance)
}

/// Norm, ReLU and pool of the convolution's output.
fn pool(arch: Arch, shape: &Shape, raw: &Data, after: &After) -> Result<Data> {
    let Shape {
        n,
        h,
        w,
        outputs: c,
        ..
    } = *shape;
    let (oh, ow) = (h / 2, w / 2);
    let mut out = memory(n * oh * ow * c);
    raw.with(|raw| {
        out.par_chunks_mut(ow * c)
            .enumerate()
            .for_each(|(row, out)| {
                let (image, y) = (row / oh, row % oh);
                let rows = &raw[(image * h + 2 * y) * w * c..][..2 * w * c];
                timed(Work::Pool, || max_pool(arch, after.rows(rows, w), out));
            });
    })?;
    Ok(Data::host(out, &[n, oh, ow, c]))
}
