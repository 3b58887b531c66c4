//! The network, its forward pass and its losses.

use std::collections::BTreeMap;

use candle_core::{Device, Result, Tensor};

use crate::ops::{self, BatchStats, Criterion, Mean, Method, Part, Pulls, Record, Tape, Var};

use super::params::{Params, Running};
use super::pass::{Mode, Pass, Weights};
use super::spec::Spec;

/// Weight of a new batch in the running statistics, as in PyTorch.
const MOMENTUM: f32 = 0.1;

/// A network with its parameters and running statistics.
#[derive(Clone, Debug)]
pub struct Net {
    spec: Spec,
    params: Params,
    norms: Vec<Running>,
    method: Method,
}

/// The result of a forward pass over N images.
#[derive(Debug)]
pub struct Forward {
    /// Logits, [N, K].
    pub logits: Tensor,
    /// Values of the gates by layer name, [N, channels] each; of class attention the share that each class gives to each
    /// branch, by the name of the branch, [N, K, 1]. Empty without either.
    pub gates: Vec<(String, Tensor)>,
    /// Batch statistics, in training mode; to be given to [`Net::update_norms`].
    pub norms: NormUpdate,
    out: Var,
    /// Logits of each branch, where each has a classifier of its own; the network's logits are their mean.
    experts: Vec<Var>,
    tape: Tape,
}

/// The loss of a forward pass.
#[derive(Debug)]
pub struct Loss {
    /// Mean over the images, in nats.
    pub value: f64,
    /// How hard the images pull at the logit of each class.
    pub pulls: Pulls,
    out: Var,
    tape: Tape,
}

impl Forward {
    /// Mean cross-entropy with the classes `labels` `[N]`.
    ///
    /// # Errors
    /// Where the labels do not fit the logits.
    pub fn cross_entropy(self, labels: &[u32]) -> Result<Loss> {
        self.loss(labels, &Criterion::default())
    }

    /// Mean over the images of the loss `criterion` with the classes `labels` `[N]`.
    ///
    /// # Errors
    /// Where the labels or the criterion do not fit the logits.
    pub fn loss(self, labels: &[u32], criterion: &Criterion) -> Result<Loss> {
        self.mixed_loss(&[(1.0, labels)], std::slice::from_ref(criterion))
    }

    /// The sum over `parts` of share · mean over the images of the loss: for images that have several classes. The loss is
    /// that of the logits where there is one criterion, else the sum of those of the experts, each with a criterion of its
    /// own.
    ///
    /// # Errors
    /// Where the labels or the criteria do not fit the logits.
    pub fn mixed_loss(self, parts: &[Part<'_>], criteria: &[Criterion]) -> Result<Loss> {
        let (out, pulls) = self.losses(parts, criteria)?;
        Ok(Loss {
            value: f64::from(out.values()?.to_scalar::<f32>()?),
            pulls,
            out,
            tape: self.tape,
        })
    }
}

impl Forward {
    /// The loss of each image that [`Self::mixed_loss`] says, `[N]`, but for class weights and smoothing.
    ///
    /// # Errors
    /// Where the labels or the criteria do not fit the logits.
    pub fn image_losses(&self, labels: &[u32], criteria: &[Criterion]) -> Result<Vec<f64>> {
        if let [criterion] = criteria {
            return ops::image_losses(&self.logits, labels, criterion);
        }
        let mut sums = vec![0.0; labels.len()];
        for (expert, criterion) in self.experts_with(criteria)? {
            let own = ops::image_losses(&expert.values()?, labels, criterion)?;
            sums.iter_mut().zip(own).for_each(|(sum, x)| *sum += x);
        }
        Ok(sums)
    }

    /// The logits of each expert with its criterion.
    fn experts_with<'a>(
        &'a self,
        criteria: &'a [Criterion],
    ) -> Result<impl Iterator<Item = (&'a Var, &'a Criterion)>> {
        if criteria.len() != self.experts.len() {
            let experts = self.experts.len();
            candle_core::bail!("{} losses for {experts} experts", criteria.len());
        }
        Ok(self.experts.iter().zip(criteria))
    }

    /// The loss that [`Self::mixed_loss`] says, and the sums of how hard images pull at the logits that have a criterion.
    fn losses(&self, parts: &[Part<'_>], criteria: &[Criterion]) -> Result<(Var, Pulls)> {
        let one =
            |logits: &Var, criterion| ops::loss_and_pulls(&self.tape, logits, parts, criterion);
        if let [criterion] = criteria {
            return one(&self.out, criterion);
        }
        let mut outs = Vec::with_capacity(criteria.len());
        let mut pulls = Pulls::default();
        for (expert, criterion) in self.experts_with(criteria)? {
            let (out, own) = one(expert, criterion)?;
            pulls.add(own);
            outs.push(out);
        }
        Ok((ops::sum(&self.tape, &outs, 1.0)?, pulls))
    }
}

/// The losses of single classes after one forward pass over a mixed batch.
#[derive(Debug)]
pub struct ClassLosses {
    /// Mean cross-entropy over the images of each of the classes asked for, in nats; `None` for a class without images.
    pub values: Vec<Option<f64>>,
    outs: Vec<Option<Var>>,
    record: Record,
}

impl Forward {
    /// The mean cross-entropy of the images of each of `classes` alone, for images of the classes `labels` `[N]`.
    ///
    /// # Errors
    /// Where the labels do not fit the logits.
    pub fn class_losses(self, labels: &[u32], classes: &[usize]) -> Result<ClassLosses> {
        self.class_losses_by(labels, classes, &[Criterion::default()])
    }

    /// The mean of the loss that [`Self::mixed_loss`] says, but for its class weights, over the images of each of `classes`
    /// alone.
    ///
    /// # Errors
    /// Where the labels or the criteria do not fit the logits.
    pub fn class_losses_by(
        self,
        labels: &[u32],
        classes: &[usize],
        criteria: &[Criterion],
    ) -> Result<ClassLosses> {
        let all = self.logits.dim(1)?;
        let mut outs = Vec::with_capacity(classes.len());
        for &class in classes {
            if !labels.iter().any(|&label| label as usize == class) {
                outs.push(None);
                continue;
            }
            // A weight of 1 for the images of the class and 0 for all others, divided by the weights: the mean over the
            // class.
            let own = |criterion: &Criterion| Criterion {
                weights: (0..all).map(|k| f64::from(u8::from(k == class))).collect(),
                mean: Mean::OfWeights,
                ..criterion.clone()
            };
            let criteria: Vec<Criterion> = criteria.iter().map(own).collect();
            outs.push(Some(self.losses(&[(1.0, labels)], &criteria)?.0));
        }
        let value = |out: &Option<Var>| {
            let Some(out) = out else { return Ok(None) };
            Ok(Some(f64::from(out.values()?.to_scalar::<f32>()?)))
        };
        Ok(ClassLosses {
            values: outs.iter().map(value).collect::<Result<_>>()?,
            outs,
            record: self.tape.finish(),
        })
    }
}

impl ClassLosses {
    /// Gradients of the loss with the index `class` among those asked for, in every parameter, in parameter order; an
    /// empty list for a class without images. Several threads may ask at the same time.
    ///
    /// # Errors
    /// Where an operation fails.
    pub fn backward(&self, class: usize) -> Result<Vec<Tensor>> {
        let Some(out) = self.outs.get(class).and_then(Option::as_ref) else {
            return Ok(Vec::new());
        };
        let seed = out.values()?.ones_like()?;
        let gradients = self.record.backward(out, seed)?;
        Ok(gradients.into_iter().flatten().collect())
    }
}

impl Loss {
    /// Gradients in every parameter, in parameter order; an empty list after a pass in [`Mode::Eval`].
    ///
    /// # Errors
    /// Where an operation fails.
    pub fn backward(self) -> Result<Vec<Tensor>> {
        let seed = self.out.values()?.ones_like()?;
        Ok(self
            .tape
            .backward(&self.out, seed)?
            .into_iter()
            .flatten()
            .collect())
    }
}

/// Statistics of one training batch, by the name of the batch-norm layer: mean and unbiased variance, `[C]` each.
#[derive(Clone, Debug, Default)]
pub struct NormUpdate(BTreeMap<String, (Vec<f32>, Vec<f32>)>);

impl NormUpdate {
    /// Reads the statistics of all layers from the device in one go.
    fn read(layers: &[(String, BatchStats)]) -> Result<Self> {
        if layers.is_empty() {
            return Ok(Self::default());
        }
        let tensors: Vec<&Tensor> = layers
            .iter()
            .flat_map(|(_, layer)| [&layer.mean, &layer.variance])
            .collect();
        let values = Tensor::cat(&tensors, 0)?.to_vec1::<f32>()?;
        let mut rest = values.as_slice();
        let mut take = |tensor: &Tensor| {
            let (own, others) = rest.split_at(tensor.elem_count().min(rest.len()));
            rest = others;
            own.to_vec()
        };
        let read = |(name, layer): &(String, BatchStats)| {
            (name.clone(), (take(&layer.mean), take(&layer.variance)))
        };
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
            method: Method::ByShape,
        })
    }

    /// The same network, whose convolutions on the CPU are all computed as their definition says if `exact` is set, else
    /// by the method that takes least time.
    #[must_use]
    pub fn with_exact_convolutions(self, exact: bool) -> Self {
        let method = if exact {
            Method::Direct
        } else {
            Method::ByShape
        };
        Self { method, ..self }
    }

    /// The shape of the network.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The parameters, to be trained or restored.
    pub fn params_mut(&mut self) -> &mut Params {
        &mut self.params
    }

    /// The running statistics of all batch-norm layers, in forward order.
    pub fn norms(&self) -> &[Running] {
        &self.norms
    }

    /// Whether images of a batch mix while the network trains, by the statistics of batch norms.
    pub fn mixes_images(&self) -> bool {
        !self.norms.is_empty()
    }

    /// The running statistics, to be restored from a checkpoint.
    pub fn norms_mut(&mut self) -> &mut [Running] {
        &mut self.norms
    }

    /// The parameters in the form that passes read. They have to be made anew when the parameters change.
    pub fn weights(&self) -> Weights {
        Weights(
            self.params
                .values()
                .iter()
                .enumerate()
                .map(|(i, value)| Tape::leaf(value, i))
                .collect(),
        )
    }

    /// Maps images `x` [N, H, W, C] to logits [N, K].
    ///
    /// # Errors
    /// Where `x` does not have the shape of the specification, or the device is out of memory.
    pub fn forward(&self, weights: &Weights, x: &Tensor, mode: Mode<'_>) -> Result<Forward> {
        let tape = match mode {
            Mode::Eval => Tape::off(),
            Mode::Train | Mode::Mixed(_) | Mode::Probe => Tape::new(weights.0.len()),
        };
        let parts = (&self.spec, &self.params, self.norms.as_slice(), self.method);
        let mut pass = Pass::new(parts, weights, &tape, mode);
        let out = pass.network(&Var::constant(x.clone()))?;
        let (gates, experts) = (pass.gates, pass.experts);
        let norms = NormUpdate::read(&pass.stats)?;
        Ok(Forward {
            experts,
            logits: out.values()?,
            gates,
            norms,
            out,
            tape,
        })
    }

    /// Moves the running statistics towards those of a training batch.
    pub fn update_norms(&mut self, update: &NormUpdate) {
        for norm in &mut self.norms {
            let Some((mean, variance)) = update.0.get(&norm.name) else {
                continue;
            };
            norm.batches += 1;
            blend(&mut norm.mean, mean, MOMENTUM);
            blend(&mut norm.variance, variance, MOMENTUM);
        }
    }

    /// Sets the running statistics to the plain mean of the statistics of several training batches. To be called before
    /// the first step.
    pub fn set_norms(&mut self, updates: &[NormUpdate]) {
        for (i, update) in updates.iter().enumerate() {
            for norm in &mut self.norms {
                let Some((mean, variance)) = update.0.get(&norm.name) else {
                    continue;
                };
                let weight = 1.0 / (i + 1) as f32;
                blend(&mut norm.mean, mean, weight);
                blend(&mut norm.variance, variance, weight);
            }
        }
    }
}

/// Moves `running` towards `new` by the share `weight`.
fn blend(running: &mut [f32], new: &[f32], weight: f32) {
    for (running, new) in running.iter_mut().zip(new) {
        *running = (1.0 - weight) * *running + weight * new;
    }
}
