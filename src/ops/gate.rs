//! Channel attention and the concatenation of what it scaled.

use candle_core::{D, Device, Result, Tensor};
use rayon::prelude::*;

use super::data::{Data, memory};
use super::kernels::{arch, vectorised};
use super::pool::means;
use super::profile::{Work, timed};
use super::tape::{Pending, Tape, Var};

/// One of the inputs of [`concat()`].
#[derive(Debug)]
pub struct Part<'a> {
    /// Activations, [N, H, W, C].
    pub x: &'a Var,
    /// Weights W1 [hidden, C] and W2 [C, hidden] of its gate: s = σ(W2 · relu(W1 · mean(x))), x ← s ⊙ x (Hu et al. 2018,
    /// without biases).
    pub gate: Option<(&'a Var, &'a Var)>,
}

/// The parts side by side, each scaled by its gate: [N, H, W, ΣC]; and the gates, [N, C] each.
///
/// # Errors
/// Where the shapes do not fit together.
pub fn concat(tape: &Tape, parts: &[Part<'_>]) -> Result<(Var, Vec<Tensor>)> {
    timed(Work::Gate, || record(tape, parts))
}

fn record(tape: &Tape, parts: &[Part<'_>]) -> Result<(Var, Vec<Tensor>)> {
    let mut gates = Vec::new();
    let mut saved = Vec::new();
    let mut inputs = Vec::new();
    for part in parts {
        inputs.push(part.x);
        let gate = match part.gate {
            Some((fc1, fc2)) => {
                inputs.extend([fc1, fc2]);
                let gate = Gate::new(part.x, fc1, fc2)?;
                gates.push(gate.value.clone());
                Some(gate)
            }
            None => None,
        };
        saved.push(Saved {
            x: part.x.clone(),
            gate,
        });
    }
    let out = forward(&saved)?;
    let out = tape.record(out, &inputs, move |grad| {
        timed(Work::Gate, || {
            let mut start = 0;
            let mut grads = Vec::new();
            for part in saved {
                grads.extend(part.backward(&grad, start)?.map(Some));
                start += part.channels();
            }
            Ok(grads)
        })
    });
    Ok((out, gates))
}

/// A part as the backward pass needs it.
struct Saved {
    x: Var,
    gate: Option<Gate>,
}

/// One gate's way from the mean to its value.
struct Gate {
    fc1: Tensor,
    fc2: Tensor,
    /// Mean over all pixels, [N, C].
    squeezed: Tensor,
    /// After the ReLU, [N, hidden].
    hidden: Tensor,
    /// The gate, [N, C].
    value: Tensor,
}

impl Gate {
    fn new(x: &Var, fc1: &Var, fc2: &Var) -> Result<Self> {
        let squeezed = means(x)?;
        let hidden = squeezed.matmul(&fc1.data.tensor()?.t()?)?;
        let hidden = hidden.mul(&hidden.gt(0.0)?.to_dtype(hidden.dtype())?)?;
        let logits = hidden.matmul(&fc2.data.tensor()?.t()?)?;
        let value = (logits.neg()?.exp()? + 1.0)?.recip()?;
        Ok(Self {
            fc1: fc1.data.tensor()?,
            fc2: fc2.data.tensor()?,
            squeezed,
            hidden,
            value,
        })
    }

    /// From the gradient of the gate: those of the mean, W1 and W2.
    fn backward(&self, grad: &Tensor) -> Result<[Tensor; 3]> {
        // σ' = σ(1 − σ)
        let grad = grad.mul(&self.value)?.mul(&(1.0 - &self.value)?)?;
        let fc2 = grad.t()?.matmul(&self.hidden)?;
        let open = self.hidden.gt(0.0)?.to_dtype(grad.dtype())?;
        let grad = grad.matmul(&self.fc2)?.mul(&open)?;
        let fc1 = grad.t()?.matmul(&self.squeezed)?;
        Ok([grad.matmul(&self.fc1)?, fc1, fc2])
    }
}

fn forward(parts: &[Saved]) -> Result<Data> {
    let Some(first) = parts.first() else {
        candle_core::bail!("concat: there is nothing to concatenate")
    };
    if !first.x.is_cpu() {
        let scaled = parts
            .iter()
            .map(Saved::scaled)
            .collect::<Result<Vec<_>>>()?;
        return Ok(Tensor::cat(&scaled, D::Minus1)?.into());
    }
    let arch = arch();
    let (n, h, w, _) = first.x.data.dims4()?;
    let total: usize = parts.iter().map(Saved::channels).sum();
    let mut out = memory(n * h * w * total);
    let mut start = 0;
    for part in parts {
        let c = part.channels();
        let gate = part.gate_values()?;
        part.x.data.with(|x| {
            let images = out
                .par_chunks_mut(h * w * total)
                .zip(x.par_chunks(h * w * c));
            images.enumerate().for_each(|(i, (out, image))| {
                let gate = gate.get(i * c..(i + 1) * c);
                let pending = part.x.pending.as_deref();
                vectorised(
                    arch,
                    #[inline(always)]
                    || {
                        for (out, pixel) in out.chunks_exact_mut(total).zip(image.chunks_exact(c)) {
                            let out = &mut out[start..start + c];
                            load(pixel, pending, out);
                            if let Some(gate) = gate {
                                out.iter_mut()
                                    .zip(gate)
                                    .for_each(|(out, gate)| *out *= gate);
                            }
                        }
                    },
                );
            });
        })?;
        start += c;
    }
    Ok(Data::host(out, &[n, h, w, total]))
}

#[inline(always)]
fn load(pixel: &[f32], pending: Option<&Pending>, out: &mut [f32]) {
    match pending {
        Some(pending) => pending.apply(pixel, out),
        None => out.copy_from_slice(pixel),
    }
}

/// Σ grad·x over the pixels of an image, for every channel.
#[inline(always)]
fn add_products(sums: &mut [f32], x: &[f32], grad: &[f32]) {
    sums.iter_mut()
        .zip(x.iter().zip(grad))
        .for_each(|(sum, (x, grad))| *sum += x * grad);
}

/// grad·gate + share.
#[inline(always)]
fn spread(out: &mut [f32], grad: &[f32], gate: &[f32], share: &[f32]) {
    let terms = grad.iter().zip(gate.iter().zip(share));
    out.iter_mut()
        .zip(terms)
        .for_each(|(out, (grad, (gate, share)))| *out = grad * gate + share);
}

impl Saved {
    fn channels(&self) -> usize {
        self.x.data.dims().last().copied().unwrap_or(0)
    }

    /// The values times the gate, by tensor operations.
    fn scaled(&self) -> Result<Tensor> {
        let (n, _, _, c) = self.x.data.dims4()?;
        match &self.gate {
            Some(gate) => self
                .x
                .values()?
                .broadcast_mul(&gate.value.reshape((n, 1, 1, c))?),
            None => self.x.values(),
        }
    }

    fn gate_values(&self) -> Result<Vec<f32>> {
        match &self.gate {
            Some(gate) => gate.value.flatten_all()?.to_vec1(),
            None => Ok(Vec::new()),
        }
    }

    /// Gradients of the values, and of W1 and W2 where there is a gate, from those of the whole, in which this part's
    /// channels begin at `start`.
    fn backward(&self, grad: &Data, start: usize) -> Result<std::vec::IntoIter<Data>> {
        let mut grads = Vec::new();
        match &self.gate {
            None => grads.push(self.input_gradient(grad, start, None)?),
            Some(gate) => {
                let [mean, fc1, fc2] = gate.backward(&self.gate_gradient(grad, start)?)?;
                grads.push(self.input_gradient(grad, start, Some((gate, &mean)))?);
                grads.extend([fc1.into(), fc2.into()]);
            }
        }
        Ok(grads.into_iter())
    }

    /// Gradient of the gate: for every image and channel Σ grad·x over the pixels, [N, C].
    fn gate_gradient(&self, grad: &Data, start: usize) -> Result<Tensor> {
        let (n, h, w, c) = self.x.data.dims4()?;
        if !self.x.is_cpu() {
            let products = self.x.values()?.mul(&grad.tensor()?.narrow(3, start, c)?)?;
            return products.reshape((n, h * w, c))?.sum(1);
        }
        let (arch, total) = (arch(), grad.dims4()?.3);
        let mut out = vec![0.0; n * c];
        self.x.data.with(|x| {
            grad.with(|grad| {
                let images = x.par_chunks(h * w * c).zip(grad.par_chunks(h * w * total));
                out.par_chunks_mut(c)
                    .zip(images)
                    .for_each(|(out, (image, grad))| {
                        let mut values = vec![0.0; c];
                        let pending = self.x.pending.as_deref();
                        vectorised(
                            arch,
                            #[inline(always)]
                            || {
                                for (pixel, grad) in
                                    image.chunks_exact(c).zip(grad.chunks_exact(total))
                                {
                                    load(pixel, pending, &mut values);
                                    add_products(out, &values, &grad[start..start + c]);
                                }
                            },
                        );
                    });
            })
        })??;
        Tensor::from_vec(out, (n, c), &Device::Cpu)
    }

    /// Gradient of the values: this part of `grad`, times the gate, and with what came by way of the mean, spread over
    /// the pixels.
    fn input_gradient(
        &self,
        grad: &Data,
        start: usize,
        gate: Option<(&Gate, &Tensor)>,
    ) -> Result<Data> {
        let (n, h, w, c) = self.x.data.dims4()?;
        let pixels = (h * w) as f64;
        if !self.x.is_cpu() {
            let part = grad.tensor()?.narrow(3, start, c)?;
            let Some((gate, mean)) = gate else {
                return Ok(part.contiguous()?.into());
            };
            let share = (mean / pixels)?.reshape((n, 1, 1, c))?;
            let gate = gate.value.reshape((n, 1, 1, c))?;
            return Ok(part.broadcast_mul(&gate)?.broadcast_add(&share)?.into());
        }
        let gate = match gate {
            Some((_, mean)) => Some((
                self.gate_values()?,
                (mean / pixels)?.flatten_all()?.to_vec1::<f32>()?,
            )),
            None => None,
        };
        let (arch, total) = (arch(), grad.dims4()?.3);
        let mut out = memory(n * h * w * c);
        grad.with(|grad| {
            let images = out
                .par_chunks_mut(h * w * c)
                .zip(grad.par_chunks(h * w * total));
            images.enumerate().for_each(|(i, (out, grad))| {
                let own = gate
                    .as_ref()
                    .map(|(gate, share)| (&gate[i * c..(i + 1) * c], &share[i * c..(i + 1) * c]));
                vectorised(
                    arch,
                    #[inline(always)]
                    || {
                        for (out, grad) in out.chunks_exact_mut(c).zip(grad.chunks_exact(total)) {
                            let grad = &grad[start..start + c];
                            match own {
                                Some((gate, share)) => spread(out, grad, gate, share),
                                None => out.copy_from_slice(grad),
                            }
                        }
                    },
                );
            });
        })?;
        Ok(Data::host(out, &[n, h, w, c]))
    }
}
