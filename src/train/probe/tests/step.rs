//! What a probe says of a step, against a step that is actually taken.

use anyhow::{Context, Result};
use candle_core::{Device, Tensor};

use crate::config::{Attention, Optimizer, RunConfig, Width};
use crate::data::Dataset;
use crate::data::batches::eval_batch;
use crate::gradient::surgery;
use crate::model::{Classifier, Layout, Loss, Mode, Net, Spec};
use crate::network::Normalise;
use crate::train::optimiser;
use crate::train::probe::probe;

/// Images of each class that are probed.
const IMAGES: usize = 6;

/// A real network, trained for a few steps on the built-in images, and the probe images of each class.
struct Trained {
    data: Dataset,
    normalise: Normalise,
    net: Net,
    probed: Vec<Tensor>,
}

impl Trained {
    fn new() -> Result<Self> {
        let data = crate::data::load(&RunConfig::default(), &|_, _| true)?.dataset;
        let spec = Spec {
            image: [data.height, data.width, data.channels],
            classes: data.classes.len(),
            width: Width::Quarter,
            attention: Attention::Branch,
            layout: Layout::default(),
            classifier: Classifier::Linear,
        };
        let mut trained = Self {
            normalise: data.normalise(),
            data,
            net: Net::new(spec, 3, &Device::Cpu)?,
            probed: Vec::new(),
        };
        let batches: Vec<Vec<u32>> = trained.batches().take(12).collect();
        for batch in batches {
            let (grads, norms) = trained.gradient(&batch)?;
            let params = trained.net.params().values().iter().zip(&grads);
            let after = params.map(|(param, grad)| param - (grad * 0.05)?);
            let after = after.collect::<candle_core::Result<_>>()?;
            trained.net.params_mut().set(after)?;
            trained.net.update_norms(&norms);
        }
        let chosen = trained.data.probe_indices(IMAGES, 0);
        trained.probed = chosen
            .iter()
            .map(|own| trained.images(own))
            .collect::<candle_core::Result<_>>()?;
        Ok(trained)
    }

    fn batches(&self) -> impl Iterator<Item = Vec<u32>> {
        self.data.train.chunks(64).map(<[u32]>::to_vec)
    }

    fn images(&self, indices: &[u32]) -> candle_core::Result<Tensor> {
        let data = &self.data;
        let shape = (indices.len(), data.height, data.width, data.channels);
        let values = eval_batch(data, indices, &self.normalise);
        Tensor::from_vec(values, shape, &Device::Cpu)
    }

    /// The gradient of a training batch, and the batch's statistics.
    fn gradient(&self, batch: &[u32]) -> Result<(Vec<Tensor>, crate::model::NormUpdate)> {
        let labels = batch.iter().map(|&i| self.data.labels[i as usize].into());
        let labels: Vec<u32> = labels.collect();
        let net = &self.net;
        let mut out = net.forward(&net.weights(), &self.images(batch)?, Mode::Train)?;
        let norms = std::mem::take(&mut out.norms);
        Ok((out.cross_entropy(&labels)?.backward()?, norms))
    }

    /// The loss of a class on its probe images in a network.
    fn loss(&self, net: &Net, class: usize) -> candle_core::Result<Loss> {
        let out = net.forward(&net.weights(), &self.probed[class], Mode::Probe)?;
        out.cross_entropy(&[class as u32; IMAGES])
    }
}

/// All pieces of a class hold the same images, so that the products of different pieces, which the ledger reads, are
/// products of the gradients that the step is made of. A plain step with other weights, and a step with gradients changed
/// where they conflict, then change every class's loss as the ledger predicts.
#[test]
fn an_actual_step_does_what_the_ledger_says() -> Result<()> {
    const PIECES: usize = 4;
    let trained = Trained::new()?;
    let (net, classes) = (&trained.net, trained.data.classes.len());
    let counts = vec![IMAGES; classes * PIECES];
    let piece = |row: usize| Ok(trained.probed[row / PIECES].clone());
    let tensors = probe(net, &counts, piece, None)?;
    let rows: Vec<usize> = (0..tensors.layers()).collect();
    let gram = tensors.gram_of(&rows).context("gram")?;

    // Factors of the class gradients in the step: as given by weights, and as PCGrad changes them.
    let weighted = [0.4, 0.05, 0.25, 0.02, 0.2, 0.08];
    let orders: Vec<Vec<usize>> = (0..classes).map(|_| (0..classes).collect()).collect();
    let coefficients = surgery::pcgrad(&surgery::contributions(&gram, &weighted), &orders);
    let operated: Vec<f64> = weighted
        .iter()
        .zip(&coefficients)
        .map(|(c, a)| c * a)
        .collect();
    assert!(
        operated.iter().zip(&weighted).any(|(x, y)| x - y > 0.01),
        "no conflict to operate on"
    );
    let lr = 2e-4;
    for steps in [weighted.to_vec(), operated] {
        let mut after = net.params().values().to_vec();
        let mut before = Vec::new();
        for (k, c) in steps.iter().enumerate() {
            let loss = trained.loss(net, k)?;
            before.push(loss.value);
            for (param, grad) in after.iter_mut().zip(loss.backward()?) {
                *param = (&*param - (grad * (lr * c))?)?;
            }
        }
        let mut moved = net.clone();
        moved.params_mut().set(after)?;
        let mut largest = 0.0_f64;
        for (k, before) in before.iter().enumerate() {
            let measured = trained.loss(&moved, k)?.value - before;
            let own = tensors.rows_of(k).context("class")?;
            let ledger = own.ledger(&rows).context("ledger")?;
            let predicted = ledger.net(lr, &steps).context("net")?.nats;
            largest = largest.max(predicted.abs());
            // The tolerance covers terms of second order, and the rounding of a loss in f32, some 1e-7.
            assert!(
                (measured - predicted).abs() < 0.01 * predicted.abs() + 1e-6,
                "class {k}: {measured} instead of {predicted}"
            );
        }
        assert!(
            largest > 3e-4,
            "too small a step to say anything: {largest}"
        );
    }
    Ok(())
}

/// The products of class gradients with the last update sum to what the step did to every class, whichever optimiser took
/// it: its second step, in which what it keeps has a part.
#[test]
fn the_update_of_every_optimiser_is_the_step_it_took() -> Result<()> {
    const PIECES: usize = 2;
    for &optimizer in Optimizer::ALL {
        let mut trained = Trained::new()?;
        let config = RunConfig {
            optimizer,
            weight_decay: Some(0.1),
            ..RunConfig::default()
        };
        let mut optimiser = optimiser::of(&config, trained.net.params().specs());
        let lr = if optimizer.is_adam() { 5e-6 } else { 3e-4 };
        let mut before = Vec::new();
        let batches: Vec<Vec<u32>> = trained.batches().skip(12).take(2).collect();
        for batch in batches {
            let losses = (0..trained.probed.len()).map(|k| trained.loss(&trained.net, k));
            let losses = losses.map(|loss| loss.map(|loss| loss.value));
            before = losses.collect::<candle_core::Result<Vec<f64>>>()?;
            let (grads, _) = trained.gradient(&batch)?;
            let after = optimiser.step(trained.net.params().values(), &grads, lr)?;
            trained.net.params_mut().set(after)?;
        }
        let counts = vec![IMAGES; before.len() * PIECES];
        let piece = |row: usize| Ok(trained.probed[row / PIECES].clone());
        let update = optimiser.last_update()?;
        let tensors = probe(&trained.net, &counts, piece, update.as_deref())?;
        let mut largest = 0.0_f64;
        for (k, before) in before.iter().enumerate() {
            let measured = trained.loss(&trained.net, k)?.value - before;
            let layers = tensors.update.chunks(counts.len());
            let predicted: f64 = layers.map(|layer| f64::from(layer[k * PIECES])).sum();
            largest = largest.max(predicted.abs());
            assert!(
                (measured - predicted).abs() < 0.02 * predicted.abs() + 2e-6,
                "{optimizer}, class {k}: {measured} instead of {predicted}"
            );
        }
        assert!(
            largest > 1e-4,
            "{optimizer}: too small a step to say anything: {largest}"
        );
    }
    Ok(())
}
