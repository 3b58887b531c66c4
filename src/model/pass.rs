//! The forward pass, layer by layer.

use candle_core::{Result, Tensor};

use crate::config::{GatePlace, NormKind};
use crate::network::CLASSIFIER;
use crate::ops::{self, BatchStats, Conv, Gate, GroupNorm, Method, Norm, Stats, Tape, Var};

use super::attention::{Head, Place, Scaling};
use super::layout::GROUPS;
use super::params::{Params, Running};
use super::spec::{ATTENTION, Classifier, FUSE, Spec};
use super::table::norm_name;

/// How a forward pass treats batch norm, and whether gradients can be asked for afterwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode<'a> {
    /// Batch statistics, gradients.
    Train,
    /// Statistics of the batch in which each image counts with its share `[N]`, gradients: class gradients with batch
    /// norm as in training are measured in this mode. The shares sum to 1.
    Mixed(&'a [f64]),
    /// Running statistics, gradients: class gradients with batch norm frozen are measured in this mode.
    Probe,
    /// Running statistics, no gradients.
    Eval,
}

/// A network's parameters in the form that forward passes read. Each weight is packed for the kernels once, for all
/// passes.
#[derive(Clone, Debug)]
pub struct Weights(pub(super) Vec<Var>);

/// One forward pass under way.
pub(super) struct Pass<'a> {
    spec: &'a Spec,
    params: &'a Params,
    norms: &'a [Running],
    method: Method,
    weights: &'a Weights,
    tape: &'a Tape,
    mode: Mode<'a>,
    /// Values of the gates by layer name, [N, channels] each; of class attention the shares of each branch by its
    /// name, [N, K, 1].
    pub(super) gates: Vec<(String, Tensor)>,
    /// Logits of each branch, [N, K] each, where each has a classifier of its own.
    pub(super) experts: Vec<Var>,
    /// Statistics of the batch norms with their names, in the order in which they were computed.
    pub(super) stats: Vec<(String, BatchStats)>,
}

/// Kind and names of the layers that scale channels.
type Scaled = Option<(Scaling, Vec<String>)>;

/// A convolution with norm and ReLU, and perhaps a max-pool.
#[derive(Clone, Copy)]
struct Layer<'a> {
    group: &'a str,
    /// Name of the convolution in its group.
    conv: &'a str,
    dilation: usize,
    pool: bool,
}

impl<'a> Pass<'a> {
    /// A pass through a network of these parameters, running statistics and convolutions.
    pub(super) fn new(
        (spec, params, norms, method): (&'a Spec, &'a Params, &'a [Running], Method),
        weights: &'a Weights,
        tape: &'a Tape,
        mode: Mode<'a>,
    ) -> Self {
        Self {
            spec,
            params,
            norms,
            method,
            weights,
            tape,
            mode,
            gates: Vec::new(),
            experts: Vec::new(),
            stats: Vec::new(),
        }
    }

    /// The whole network, from images to logits.
    pub(super) fn network(&mut self, x: &Var) -> Result<Var> {
        let spec = self.spec;
        let layer = |conv, pool| Layer {
            group: "stem",
            conv,
            dilation: 1,
            pool,
        };
        let x = self.joined(&[x], None, layer("conv1", false))?;
        let stem = self.joined(&[&x], None, layer("conv2", true))?;
        let names = spec.branch_names();
        let mut branches = Vec::with_capacity(names.len());
        for (group, branch) in names.iter().zip(&spec.layout.branches) {
            branches.push(self.branch(&stem, group, branch.dilation)?);
        }
        match spec.head() {
            Head::Joined => {}
            Head::ClassAttention => return self.by_class(&branches, &names),
            Head::Experts => return self.by_experts(&branches, &names),
        }
        let branches: Vec<&Var> = branches.iter().collect();
        let layer = Layer {
            group: FUSE,
            conv: "conv",
            dilation: 1,
            pool: false,
        };
        let ends = spec.scaling(Place::Branch(GatePlace::End), &names);
        let all = || spec.scaling(Place::Fused, &[FUSE.to_owned()]);
        let x = self.joined(&branches, ends.or_else(all), layer)?;
        let features = ops::mean_pool(self.tape, &x)?;
        let weight = self.param(&format!("{CLASSIFIER}.weight"))?;
        match spec.classifier {
            Classifier::Linear => {
                let bias = self.param(&format!("{CLASSIFIER}.bias"))?;
                ops::linear(self.tape, &features, weight, bias)
            }
            Classifier::Cosine(scale) => ops::cosine(self.tape, &features, weight, scale),
        }
    }

    /// The logits of classes that attend over the ends of the branches.
    fn by_class(&mut self, branches: &[Var], names: &[String]) -> Result<Var> {
        let features = self.features(branches, names)?;
        let (logits, shares) = ops::class_attention(
            self.tape,
            &features,
            self.param(&format!("{ATTENTION}.query"))?,
            self.param(&format!("{CLASSIFIER}.weight"))?,
            self.param(&format!("{CLASSIFIER}.bias"))?,
        )?;
        for (b, group) in names.iter().enumerate() {
            let own = shares.narrow(2, b, 1)?;
            self.gates.push((group.clone(), own));
        }
        Ok(logits)
    }

    /// The mean of the logits of all branches, each with a classifier of its own.
    fn by_experts(&mut self, branches: &[Var], names: &[String]) -> Result<Var> {
        let features = self.features(branches, names)?;
        for (features, name) in features.iter().zip(self.spec.expert_names()) {
            let weight = self.param(&format!("{CLASSIFIER}.{name}.weight"))?;
            let bias = self.param(&format!("{CLASSIFIER}.{name}.bias"))?;
            let logits = ops::linear(self.tape, features, weight, bias)?;
            self.experts.push(logits);
        }
        ops::sum(self.tape, &self.experts, 1.0 / self.experts.len() as f64)
    }

    /// The features [N, F] of each branch, which no convolution joins.
    fn features(&mut self, branches: &[Var], names: &[String]) -> Result<Vec<Var>> {
        let mut features = Vec::with_capacity(branches.len());
        for (branch, group) in branches.iter().zip(names) {
            let layer = Layer {
                group,
                conv: "conv3",
                dilation: 1,
                pool: false,
            };
            let x = self.joined(&[branch], None, layer)?;
            features.push(ops::mean_pool(self.tape, &x)?);
        }
        Ok(features)
    }

    /// The two convolutions of the branch `group`. The gate at its end is left to the convolution that reads it.
    fn branch(&mut self, stem: &Var, group: &str, dilation: usize) -> Result<Var> {
        let groups = [group.to_owned()];
        let at = |place| self.spec.scaling(Place::Branch(place), &groups);
        let (before, between) = (at(GatePlace::Stem), at(GatePlace::Middle));
        let first = Layer {
            group,
            conv: "conv1",
            dilation,
            pool: true,
        };
        let second = Layer {
            conv: "conv2",
            dilation: 1,
            pool: false,
            ..first
        };
        let x = self.joined(&[stem], before, first)?;
        self.joined(&[&x], between, second)
    }

    /// A convolution with norm and ReLU over several inputs side by side. Where `scaling` is given, its layers scale the
    /// channels of the inputs first.
    fn joined(&mut self, x: &[&Var], scaling: Scaled, layer: Layer<'_>) -> Result<Var> {
        let name = format!("{}.{}", layer.group, layer.conv);
        let mut weight = self.param(&format!("{name}.weight"))?;
        let scaled;
        let gates = match scaling {
            None => Vec::new(),
            Some((Scaling::Gate, layers)) => layers,
            Some((Scaling::Constant, layers)) => {
                let logit = |layer: &String| self.param(&format!("{layer}.logit"));
                let logits = layers.iter().map(logit).collect::<Result<Vec<_>>>()?;
                scaled = ops::constant_gate(self.tape, weight, &logits)?;
                weight = &scaled;
                Vec::new()
            }
        };
        let gate = |name: &String| {
            Ok(Gate {
                fc1: self.param(&format!("{name}.fc1.weight"))?,
                fc2: self.param(&format!("{name}.fc2.weight"))?,
            })
        };
        let all = gates.iter().map(gate).collect::<Result<Vec<_>>>()?;
        let norm = format!("{}.{}", layer.group, norm_name(layer.conv));
        let kind = self.spec.layout.norm;
        let unscaled;
        let conv = Conv {
            dilation: layer.dilation,
            norm: match kind {
                NormKind::Batch => Some(self.batch_norm(&norm)?),
                NormKind::Group => None,
                NormKind::None => {
                    let bias = self.param(&format!("{name}.bias"))?;
                    unscaled = Var::constant(bias.values()?.ones_like()?);
                    Some(Norm {
                        weight: &unscaled,
                        bias,
                        stats: Stats::Unit,
                    })
                }
            },
            relu: kind != NormKind::Group,
            pool: layer.pool && kind != NormKind::Group,
            method: self.method,
        };
        let joined = ops::join_conv2d(self.tape, x, &all, weight, &conv)?;
        self.gates.extend(gates.into_iter().zip(joined.gates));
        let stats = joined.stats.map(|stats| (norm.clone(), stats));
        self.stats.extend(stats);
        if kind != NormKind::Group {
            return Ok(joined.out);
        }
        let norm = GroupNorm {
            weight: self.param(&format!("{norm}.weight"))?,
            bias: self.param(&format!("{norm}.bias"))?,
            groups: GROUPS,
            pool: layer.pool,
        };
        ops::group_norm(self.tape, &joined.out, &norm)
    }

    /// The batch norm called `name`, with the statistics of this pass.
    fn batch_norm(&self, name: &str) -> Result<Norm<'a>> {
        let stats = match self.mode {
            Mode::Train => Stats::Batch,
            Mode::Mixed(shares) => Stats::Weighted(shares),
            Mode::Probe | Mode::Eval => {
                let running = self.norms.iter().find(|running| running.name == name);
                let Some(Running { mean, variance, .. }) = running else {
                    candle_core::bail!("the network has no batch norm `{name}`");
                };
                Stats::Running { mean, variance }
            }
        };
        Ok(Norm {
            weight: self.param(&format!("{name}.weight"))?,
            bias: self.param(&format!("{name}.bias"))?,
            stats,
        })
    }

    fn param(&self, name: &str) -> Result<&'a Var> {
        let position = self.params.position(name)?;
        match self.weights.0.get(position) {
            Some(var) => Ok(var),
            None => {
                candle_core::bail!("the weights given are not this network's: `{name}` is missing")
            }
        }
    }
}
