//! Channel attention: the gates, and joining and gating by candle operations on other devices. On the CPU a convolution
//! reads the parts and applies the gates itself.

use std::iter::once;

use candle_core::{D, Result, Tensor};

use super::pool::means;
use super::tape::{Tape, Var};

/// Weights of one gate over C channels: s = σ(W2 · relu(W1 · mean(x))), x ← s ⊙ x (Hu et al. 2018, without biases).
#[derive(Clone, Copy, Debug)]
pub struct Gate<'a> {
    /// W1, [hidden, C].
    pub fc1: &'a Var,
    /// W2, [C, hidden].
    pub fc2: &'a Var,
}

impl Gate<'_> {
    /// Number of channels that the gate scales; none where the shapes of its weights do not fit together.
    pub(super) fn channels(&self) -> Option<usize> {
        match (self.fc1.data.dims(), self.fc2.data.dims()) {
            (&[hidden, channels], &[outputs, inputs])
                if outputs == channels && inputs == hidden =>
            {
                Some(channels)
            }
            _ => None,
        }
    }
}

/// Gates side by side over C channels in all, with the values of the forward pass.
pub(super) struct Gates {
    layers: Vec<Layer>,
    /// Mean over all pixels, [N, C].
    means: Tensor,
    /// Factor of each channel, [N, C].
    pub(super) scale: Tensor,
    /// Values of all hidden layers side by side, after the ReLU, [N, Σ hidden].
    pub(super) hidden: Tensor,
}

/// One gate.
pub(super) struct Layer {
    pub(super) fc1: Tensor,
    pub(super) fc2: Tensor,
    /// Its first channel.
    start: usize,
    pub(super) channels: usize,
    /// Its first value in the hidden layers.
    hidden_start: usize,
    pub(super) hidden: usize,
}

impl Gates {
    /// Computes the gates from the channels' means.
    pub(super) fn new(means: Tensor, gates: &[Gate<'_>]) -> Result<Self> {
        let mut layers: Vec<Layer> = Vec::with_capacity(gates.len());
        let (mut hidden, mut scale) = (Vec::new(), Vec::new());
        let (mut start, mut hidden_start) = (0, 0);
        for gate in gates {
            let (fc1, fc2) = (gate.fc1.data.tensor()?, gate.fc2.data.tensor()?);
            let (inner, channels) = fc1.dims2()?;
            let layer = means.narrow(1, start, channels)?.matmul(&fc1.t()?)?;
            let layer = layer.mul(&layer.gt(0.0)?.to_dtype(layer.dtype())?)?;
            let logits = layer.matmul(&fc2.t()?)?;
            scale.push((logits.neg()?.exp()? + 1.0)?.recip()?);
            hidden.push(layer);
            layers.push(Layer {
                fc1: fc1.contiguous()?,
                fc2: fc2.contiguous()?,
                start,
                channels,
                hidden_start,
                hidden: inner,
            });
            start += channels;
            hidden_start += inner;
        }
        Ok(Self {
            layers,
            means,
            scale: Tensor::cat(&scale, 1)?,
            hidden: Tensor::cat(&hidden, 1)?,
        })
    }

    pub(super) fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The values of each gate, [N, channels] each.
    pub(super) fn values(&self) -> Result<Vec<Tensor>> {
        self.layers
            .iter()
            .map(|layer| {
                self.scale
                    .narrow(1, layer.start, layer.channels)?
                    .contiguous()
            })
            .collect()
    }

    /// Gradients of the means, [N, C], and of every W1 and W2, from the gradient of the scale [N, C].
    fn backward(&self, grad: &Tensor) -> Result<(Tensor, Vec<Tensor>)> {
        // σ' = σ(1 − σ)
        let logits = grad.mul(&self.scale)?.mul(&(1.0 - &self.scale)?)?;
        let open = self.hidden.gt(0.0)?.to_dtype(grad.dtype())?;
        let (mut hidden, mut means) = (Vec::new(), Vec::new());
        for layer in &self.layers {
            let open = open.narrow(1, layer.hidden_start, layer.hidden)?;
            let own = logits.narrow(1, layer.start, layer.channels)?;
            let own = own.matmul(&layer.fc2)?.mul(&open)?;
            means.push(own.matmul(&layer.fc1)?);
            hidden.push(own);
        }
        let weights = self.weight_grads(&logits, &Tensor::cat(&hidden, 1)?)?;
        Ok((Tensor::cat(&means, 1)?, weights))
    }

    /// Gradients of every W1 and W2, from those of the gates' logits [N, C] and of the inputs of the ReLUs
    /// [N, Σ hidden].
    pub(super) fn weight_grads(&self, logits: &Tensor, hidden: &Tensor) -> Result<Vec<Tensor>> {
        let mut grads = Vec::with_capacity(2 * self.layers.len());
        for layer in &self.layers {
            let channels = |x: &Tensor| x.narrow(1, layer.start, layer.channels);
            let inner = |x: &Tensor| x.narrow(1, layer.hidden_start, layer.hidden);
            grads.push(inner(hidden)?.t()?.matmul(&channels(&self.means)?)?);
            grads.push(channels(logits)?.t()?.matmul(&inner(&self.hidden)?)?);
        }
        Ok(grads)
    }
}

/// The parts side by side, [N, H, W, C], each channel scaled by its gate if there are any, and the values of the gates.
pub(super) fn join(tape: &Tape, parts: &[&Var], gates: &[Gate<'_>]) -> Result<(Var, Vec<Tensor>)> {
    let values = parts.iter().map(|part| part.values());
    let values = values.collect::<Result<Vec<_>>>()?;
    let channels = values.iter().map(|part| part.dim(D::Minus1));
    let channels = channels.collect::<Result<Vec<_>>>()?;
    let out = Tensor::cat(&values, D::Minus1)?;
    let joined = tape.record_tensors(out, parts, move |grad| {
        let mut start = 0;
        let part = |&channels: &usize| {
            let part = grad.narrow(D::Minus1, start, channels)?.contiguous()?;
            start += channels;
            Ok(Some(part))
        };
        channels.iter().map(part).collect()
    });
    if gates.is_empty() {
        return Ok((joined, Vec::new()));
    }
    scaled(tape, &joined, gates)
}

fn scaled(tape: &Tape, x: &Var, gates: &[Gate<'_>]) -> Result<(Var, Vec<Tensor>)> {
    let (n, h, w, c) = x.data.dims4()?;
    let values = x.values()?;
    let mut inputs = vec![x];
    inputs.extend(gates.iter().flat_map(|gate| [gate.fc1, gate.fc2]));
    let gates = Gates::new(means(x)?, gates)?;
    let scale = gates.scale.reshape((n, 1, 1, c))?;
    let out = values.broadcast_mul(&scale)?;
    let gate_values = gates.values()?;
    let out = tape.record_tensors(out, &inputs, move |grad| {
        let products = values.mul(&grad)?.reshape((n, h * w, c))?.sum(1)?;
        let (means, weights) = gates.backward(&products)?;
        // The gradient of a mean is spread evenly over the pixels.
        let share = (means / (h * w) as f64)?.reshape((n, 1, 1, c))?;
        let grad = grad.broadcast_mul(&scale)?.broadcast_add(&share)?;
        Ok(once(grad).chain(weights).map(Some).collect())
    });
    Ok((out, gate_values))
}

/// The weight w [O, C, k, k] of a convolution whose input channels are scaled by learned constants: w ⊙ σ(`logits`),
/// where the logits are `[C]` in all. To scale an input channel is to scale its weights.
///
/// # Errors
/// Where the shapes do not fit together.
pub fn constant_gate(tape: &Tape, weight: &Var, logits: &[&Var]) -> Result<Var> {
    let values = weight.values()?;
    let parts = logits.iter().map(|part| part.values());
    let parts = parts.collect::<Result<Vec<_>>>()?;
    let lengths = parts.iter().map(|part| part.dim(0));
    let lengths = lengths.collect::<Result<Vec<_>>>()?;
    let channels: usize = lengths.iter().sum();
    let scale = (Tensor::cat(&parts, 0)?.neg()?.exp()? + 1.0)?.recip()?;
    let scale = scale.reshape((1, channels, 1, 1))?;
    let out = values.broadcast_mul(&scale)?;
    let mut inputs = vec![weight];
    inputs.extend(logits);
    Ok(tape.record_tensors(out, &inputs, move |grad| {
        // σ' = σ(1 − σ)
        let slope = scale.mul(&(1.0 - &scale)?)?;
        let own = values.mul(&grad)?.sum_keepdim(0)?;
        let own = own.sum_keepdim((2, 3))?.mul(&slope)?;
        let own = own.reshape(channels)?;
        let mut start = 0;
        let mut part = |&length: &usize| {
            let part = own.narrow(0, start, length)?.contiguous()?;
            start += length;
            Ok(Some(part))
        };
        let parts: Result<Vec<_>> = lengths.iter().map(&mut part).collect();
        let mut grads = vec![Some(grad.broadcast_mul(&scale)?)];
        grads.extend(parts?);
        Ok(grads)
    }))
}
