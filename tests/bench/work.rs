//! The work that is measured: a training step, an evaluation, a probe in both ways of treating batch norm, and single
//! convolutions.

use anyhow::Result;
use candle_core::{Device, Tensor};
use crosscurrent::config::{Attention, Width};
use crosscurrent::model::{Classifier, Layout, Mode, Net, Spec, Weights};
use crosscurrent::ops::profile::{self, Work};
use crosscurrent::ops::{self, Conv, Method, Tape, Tile, Var};
use crosscurrent::random::Random;
use crosscurrent::train::optimiser::{Optimiser as _, Sgd};
use crosscurrent::train::probe;

use crate::median;

/// Images of each class in a probe.
pub(crate) const PROBE_IMAGES: usize = 32;

/// A network and images for it, 32×32×3.
pub(crate) struct Case {
    net: Net,
    sgd: Sgd,
    images: Tensor,
    labels: Vec<u32>,
    weights: Weights,
    counts: Vec<usize>,
    probe_images: Vec<Tensor>,
    /// Numbers of the images of each piece, [K·S], in `all_images`.
    pieces: Vec<Vec<u32>>,
    all_images: Tensor,
    classes: usize,
}

impl Case {
    pub(crate) fn new(
        width: Width,
        attention: Attention,
        classes: usize,
        batch: usize,
    ) -> Result<Self> {
        let spec = Spec {
            image: [32, 32, 3],
            classes,
            width,
            attention,
            layout: Layout::default(),
            classifier: Classifier::Linear,
        };
        let net = Net::new(spec, 0, &Device::Cpu)?;
        let pieces = probe::pieces_for(classes);
        let counts = vec![PROBE_IMAGES / pieces; classes * pieces];
        let probe_images = counts
            .iter()
            .map(|&n| random(&[n, 32, 32, 3]))
            .collect::<Result<Vec<_>>>()?;
        let each = PROBE_IMAGES / pieces;
        let numbers = (0..classes * pieces).map(|row| (row * each) as u32);
        Ok(Self {
            pieces: numbers
                .map(|first| (first..first + each as u32).collect())
                .collect(),
            all_images: Tensor::cat(&probe_images, 0)?,
            classes,
            weights: net.weights(),
            sgd: Sgd::new(0.9, vec![5e-4; net.params().specs().len()]),
            net,
            images: random(&[batch, 32, 32, 3])?,
            labels: (0..batch as u32).map(|i| i % classes as u32).collect(),
            counts,
            probe_images,
        })
    }

    /// One training step.
    pub(crate) fn step(&mut self) -> Result<()> {
        let mut out = self
            .net
            .forward(&self.net.weights(), &self.images, Mode::Train)?;
        let norms = std::mem::take(&mut out.norms);
        let grads = out.cross_entropy(&self.labels)?.backward()?;
        let params = self.sgd.step(self.net.params().values(), &grads, 0.01)?;
        self.net.params_mut().set(params)?;
        self.net.update_norms(&norms);
        Ok(())
    }

    /// Logits of the images.
    pub(crate) fn eval(&mut self) -> Result<()> {
        let out = self.net.forward(&self.weights, &self.images, Mode::Eval)?;
        std::hint::black_box(out.logits);
        Ok(())
    }

    /// One probe of `PROBE_IMAGES` images of each class.
    pub(crate) fn probe(&mut self) -> Result<()> {
        let tensors = probe::probe(
            &self.net,
            &self.counts,
            |piece| Ok(self.probe_images[piece].clone()),
            None,
        )?;
        std::hint::black_box(tensors);
        Ok(())
    }
}

impl Case {
    /// Class gradients with batch norm as in training, of the same images.
    pub(crate) fn mixed(&mut self) -> Result<()> {
        let shares: Vec<f64> = (0..self.classes).map(|k| 1.0 / (k + 1) as f64).collect();
        let measured: Vec<usize> = (0..self.classes).collect();
        let mix = probe::Mix {
            pieces: &self.pieces,
            shares: &shares,
            measured: &measured,
        };
        let images = |numbers: &[u32]| {
            let numbers = Tensor::new(numbers, &Device::Cpu)?;
            self.all_images.index_select(&numbers, 0)
        };
        let tensors = probe::mixed(&self.net, &mix, images, None)?;
        std::hint::black_box(tensors);
        Ok(())
    }
}

pub(crate) fn random(shape: &[usize]) -> Result<Tensor> {
    let mut random = Random::new(0, "bench", 0, 0);
    let values: Vec<f32> = (0..shape.iter().product())
        .map(|_| random.normal() as f32)
        .collect();
    Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
}

/// The ways to compute a convolution, with their names; last what the rule chooses.
pub(crate) const WAYS: [(&str, Method); 4] = [
    ("direct", Method::Direct),
    ("tiles of 3×3", Method::Winograd(Tile::Three)),
    ("tiles of 4×4", Method::Winograd(Tile::Four)),
    ("chosen", Method::ByShape),
];

/// One of the network's convolutions: name, image side, channels in and out, kernel, dilation.
#[derive(Clone, Copy)]
pub(crate) struct Layer {
    pub(crate) name: &'static str,
    pub(crate) side: usize,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) k: usize,
    pub(crate) dilation: usize,
    /// Number of convolutions of this shape in the network.
    pub(crate) times: usize,
}

/// The convolutions of the network at a width.
pub(crate) fn layers(width: Width) -> Vec<Layer> {
    let c = |channels: usize| width.scale(channels);
    let layer = |name, side, inputs, outputs, k, dilation, times| Layer {
        name,
        side,
        inputs,
        outputs,
        k,
        dilation,
        times,
    };
    vec![
        layer("stem.conv1", 32, 3, c(64), 3, 1, 1),
        layer("stem.conv2", 32, c(64), c(64), 3, 1, 1),
        layer("branch1.conv1", 16, c(64), c(96), 3, 1, 1),
        layer("branch2.conv1", 16, c(64), c(96), 3, 2, 1),
        layer("branch3.conv1", 16, c(64), c(96), 3, 3, 1),
        layer("branch*.conv2", 8, c(96), c(384), 3, 1, 3),
        layer("fuse.conv", 8, c(1152), c(128), 1, 1, 1),
    ]
}

impl Layer {
    /// Floating-point operations of the convolution's forward pass for an image.
    pub(crate) fn flops(&self) -> f64 {
        (2 * self.side * self.side * self.inputs * self.outputs * self.k * self.k) as f64
    }

    /// Runs the convolution forward and backward on `batch` images in each of `WAYS`, in turn, `rounds` times; returns
    /// the median seconds that one thread of `threads` spends on the output, on the gradient of the input and on that of
    /// the weight, without what comes before and after.
    pub(crate) fn run(
        &self,
        batch: usize,
        rounds: usize,
        threads: usize,
    ) -> Result<[[f64; 3]; WAYS.len()]> {
        // Nobody needs the gradient of the images themselves.
        let images = random(&[batch, self.side, self.side, self.inputs])?;
        let x = if self.inputs == 3 {
            Var::constant(images)
        } else {
            Tape::leaf(&images, 0)
        };
        let weight = Tape::leaf(&random(&[self.outputs, self.inputs, self.k, self.k])?, 1);
        let seed = random(&[batch, self.side, self.side, self.outputs])?;
        let mut secs = WAYS.map(|_| [const { Vec::new() }; 3]);
        // The first round, in which caches are cold and weights are packed, does not count.
        for round in 0..=rounds {
            for ((_, method), secs) in WAYS.into_iter().zip(&mut secs) {
                let conv = Conv {
                    dilation: self.dilation,
                    norm: None,
                    relu: false,
                    pool: false,
                    method,
                };
                let tape = Tape::new(2);
                profile::measure(true);
                let (out, _) = ops::conv2d(&tape, &x, &weight, &conv)?;
                std::hint::black_box(tape.backward(&out, seed.clone())?);
                let spent = profile::spent();
                profile::measure(false);
                let kinds = [Work::Forward, Work::InputGrad, Work::WeightGrad];
                for (secs, kind) in secs.iter_mut().zip(kinds) {
                    let own = spent.iter().filter(|(work, _)| *work == kind);
                    let own: f64 = own.map(|(_, time)| time.as_secs_f64()).sum();
                    if round > 0 {
                        secs.push(own / threads as f64);
                    }
                }
            }
        }
        Ok(secs.map(|kinds| kinds.map(median)))
    }
}

/// Floating-point operations of a training step for an image: the forward pass, and twice as many in the backward pass
/// without the gradient of the images themselves, which nobody needs.
pub(crate) fn step_flops(width: Width) -> f64 {
    let layers = layers(width);
    let all: f64 = layers
        .iter()
        .map(|layer| 3.0 * layer.times as f64 * layer.flops())
        .sum();
    all - layers[0].flops()
}
