//! The forward pass.

use candle_core::{D, Device, Result, Tensor};

use crate::config::Attention;
use crate::ops::{self, BatchStats};
use crate::run::CLASSIFIER;

use super::BRANCHES;
use super::params::{Params, Running};
use super::spec::Spec;

/// Added to variances under the root, as in PyTorch.
const EPS: f64 = 1e-5;
/// Weight of a new batch in the running statistics, as in PyTorch.
const MOMENTUM: f32 = 0.1;

/// A network with its parameters and running statistics.
#[derive(Clone, Debug)]
pub struct Net {
    spec: Spec,
    params: Params,
    norms: Vec<Running>,
}

/// How a forward pass treats batch norm, and whether gradients can be asked for afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Batch statistics, gradients.
    Train,
    /// Running statistics, gradients: class gradients are measured in this mode.
    Probe,
    /// Running statistics, no gradients.
    Eval,
}

/// The result of a forward pass over N images.
#[derive(Debug)]
pub struct Forward {
    /// Logits, [N, K].
    pub logits: Tensor,
    /// Gates by the layer they belong to, [N, channels]; empty without attention.
    pub gates: Vec<(String, Tensor)>,
    /// Batch statistics, in training mode; to be given to [`Net::update_norms`].
    pub norms: NormUpdate,
}

/// Statistics of one training batch, by batch-norm layer in forward order: mean and unbiased variance, `[C]` each.
#[derive(Clone, Debug, Default)]
pub struct NormUpdate(Vec<(Vec<f32>, Vec<f32>)>);

impl NormUpdate {
    /// Reads the statistics of all layers from the device in one go.
    fn read(layers: &[BatchStats]) -> Result<Self> {
        if layers.is_empty() {
            return Ok(Self::default());
        }
        let tensors: Vec<&Tensor> = layers
            .iter()
            .flat_map(|layer| [&layer.mean, &layer.variance])
            .collect();
        let values = Tensor::cat(&tensors, 0)?.to_vec1::<f32>()?;
        let mut rest = values.as_slice();
        let mut take = |tensor: &Tensor| {
            let (own, others) = rest.split_at(tensor.elem_count().min(rest.len()));
            rest = others;
            own.to_vec()
        };
        let read = |layer: &BatchStats| (take(&layer.mean), take(&layer.variance));
        Ok(Self(layers.iter().map(read).collect()))
    }
}

impl Net {
    /// A network that starts from `seed`.
    ///
    /// # Errors
    /// Where the device is out of memory.
    pub fn new(spec: Spec, seed: u64, device: &Device) -> Result<Self> {
        let params = Params::init(&spec, seed, device)?;
        let norms = spec.norms().into_iter().map(|(name, channels)| Running {
            name,
            mean: vec![0.0; channels],
            variance: vec![1.0; channels],
            batches: 0,
        });
        Ok(Self {
            norms: norms.collect(),
            spec,
            params,
        })
    }

    /// Its shape.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Its parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Its running statistics, in forward order.
    pub fn norms(&self) -> &[Running] {
        &self.norms
    }

    /// Its running statistics, to be restored from a checkpoint.
    pub fn norms_mut(&mut self) -> &mut [Running] {
        &mut self.norms
    }

    /// Maps images `x` [N, H, W, C] to logits.
    ///
    /// # Errors
    /// Where `x` does not have the shape of the specification, or the device is out of memory.
    pub fn forward(&self, x: &Tensor, mode: Mode) -> Result<Forward> {
        let mut pass = Pass {
            net: self,
            mode,
            gates: Vec::new(),
            stats: Vec::new(),
        };
        let logits = pass.network(x)?;
        Ok(Forward {
            logits,
            gates: pass.gates,
            norms: NormUpdate::read(&pass.stats)?,
        })
    }

    /// Moves the running statistics towards those of a training batch.
    pub fn update_norms(&mut self, update: &NormUpdate) {
        for (norm, (mean, variance)) in self.norms.iter_mut().zip(&update.0) {
            norm.batches += 1;
            blend(&mut norm.mean, mean, MOMENTUM);
            blend(&mut norm.variance, variance, MOMENTUM);
        }
    }

    /// Sets the running statistics to the plain mean over training batches, as one pass before the first step does.
    pub fn set_norms(&mut self, updates: &[NormUpdate]) {
        for (i, update) in updates.iter().enumerate() {
            for (norm, (mean, variance)) in self.norms.iter_mut().zip(&update.0) {
                let weight = 1.0 / (i + 1) as f32;
                blend(&mut norm.mean, mean, weight);
                blend(&mut norm.variance, variance, weight);
            }
        }
    }
}

fn blend(running: &mut [f32], new: &[f32], weight: f32) {
    for (running, new) in running.iter_mut().zip(new) {
        *running = (1.0 - weight) * *running + weight * new;
    }
}

/// One forward pass under way.
struct Pass<'a> {
    net: &'a Net,
    mode: Mode,
    gates: Vec<(String, Tensor)>,
    stats: Vec<BatchStats>,
}

impl Pass<'_> {
    fn network(&mut self, x: &Tensor) -> Result<Tensor> {
        let attention = self.net.spec.attention;
        let x = self.conv_norm("stem.conv1", "stem.bn1", x, 1)?;
        let x = self.conv_norm("stem.conv2", "stem.bn2", &x, 1)?;
        let stem = ops::max_pool(&x)?;
        let mut branches = Vec::with_capacity(BRANCHES);
        for branch in 1..=BRANCHES {
            let name = |layer: &str| format!("branch{branch}.{layer}");
            let x = self.conv_norm(&name("conv1"), &name("bn1"), &stem, branch)?;
            let x = self.conv_norm(&name("conv2"), &name("bn2"), &ops::max_pool(&x)?, 1)?;
            branches.push(if attention == Attention::Branch {
                self.gate(&name("gate"), &x)?
            } else {
                x
            });
        }
        let mut x = Tensor::cat(&branches, D::Minus1)?;
        if attention == Attention::Shared {
            x = self.gate("fuse.gate", &x)?;
        }
        let x = self.conv_norm("fuse.conv", "fuse.bn", &x, 1)?;
        let features = ops::mean_pool(&x)?;
        let weight = self.param(&format!("{CLASSIFIER}.weight"))?;
        let bias = self.param(&format!("{CLASSIFIER}.bias"))?;
        features.matmul(&weight.t()?)?.broadcast_add(&bias)
    }

    /// Convolution, batch norm, ReLU.
    fn conv_norm(&mut self, conv: &str, norm: &str, x: &Tensor, dilation: usize) -> Result<Tensor> {
        let x = ops::conv2d(x, &self.param(&format!("{conv}.weight"))?, dilation)?;
        let weight = self.param(&format!("{norm}.weight"))?;
        let bias = self.param(&format!("{norm}.bias"))?;
        if self.mode == Mode::Train {
            let (x, stats) = ops::batch_norm_train(&x, &weight, &bias, EPS, true)?;
            self.stats.push(stats);
            return Ok(x);
        }
        let Some(running) = self.net.norms.iter().find(|running| running.name == norm) else {
            candle_core::bail!("the network has no batch norm `{norm}`");
        };
        ops::batch_norm_eval(
            &x,
            &weight,
            &bias,
            (&running.mean, &running.variance),
            EPS,
            true,
        )
    }

    /// s = σ(W2 · relu(W1 · mean(x))), x ← s ⊙ x (Hu et al. 2018, without biases).
    fn gate(&mut self, name: &str, x: &Tensor) -> Result<Tensor> {
        let squeezed = ops::mean_pool(x)?;
        let hidden =
            ops::relu(&squeezed.matmul(&self.param(&format!("{name}.fc1.weight"))?.t()?)?)?;
        let logits = hidden.matmul(&self.param(&format!("{name}.fc2.weight"))?.t()?)?;
        let gate = candle_nn::ops::sigmoid(&logits)?;
        self.gates.push((name.to_owned(), gate.detach()));
        ops::scale_channels(x, &gate)
    }

    fn param(&self, name: &str) -> Result<Tensor> {
        let var = self.net.params.get(name)?;
        Ok(if self.mode == Mode::Eval {
            var.detach()
        } else {
            var.as_tensor().clone()
        })
    }
}
