//! A ledger's prediction against a step that is actually taken.

use anyhow::{Context, Result};
use candle_core::{Device, Tensor};

use crate::config::{Attention, RunConfig, Width};
use crate::data::batches::eval_batch;
use crate::gradient::surgery;
use crate::model::{Classifier, Mode, Net, Spec};
use crate::train::probe::probe;

/// A real network, trained for a few steps on the built-in images. All pieces of a class hold the same images, so that
/// the products of different pieces, which the ledger reads, are products of the gradients that the step is made of. A
/// plain step with other weights, and a step with gradients changed where they conflict, then change every class's loss
/// as the ledger predicts.
#[test]
fn an_actual_step_does_what_the_ledger_says() -> Result<()> {
    const PIECES: usize = 4;
    const IMAGES: usize = 6;
    let data = crate::data::load(&RunConfig::default(), &|_, _| true)?.dataset;
    let normalise = data.normalise();
    let classes = data.classes.len();
    let spec = Spec {
        image: [data.height, data.width, data.channels],
        classes,
        width: Width::Quarter,
        attention: Attention::Branch,
        classifier: Classifier::Linear,
    };
    let images = |indices: &[u32]| {
        let shape = (indices.len(), data.height, data.width, data.channels);
        Tensor::from_vec(eval_batch(&data, indices, &normalise), shape, &Device::Cpu)
    };
    let mut net = Net::new(spec, 3, &Device::Cpu)?;
    for batch in data.train.chunks(64).take(12) {
        let labels: Vec<u32> = batch
            .iter()
            .map(|&i| u32::from(data.labels[i as usize]))
            .collect();
        let mut out = net.forward(&net.weights(), &images(batch)?, Mode::Train)?;
        let norms = std::mem::take(&mut out.norms);
        let grads = out.cross_entropy(&labels)?.backward()?;
        let params = net.params().values().iter().zip(&grads);
        let after = params.map(|(param, grad)| param - (grad * 0.05)?);
        let after = after.collect::<candle_core::Result<_>>()?;
        net.params_mut().set(after)?;
        net.update_norms(&norms);
    }

    let chosen = data.probe_indices(IMAGES, 0);
    let batches: Vec<Tensor> = chosen
        .iter()
        .map(|own| images(own))
        .collect::<candle_core::Result<_>>()?;
    let measure = |net: &Net, k: usize| {
        let out = net.forward(&net.weights(), &batches[k], Mode::Probe)?;
        out.cross_entropy(&[k as u32; IMAGES])
    };
    let counts = vec![IMAGES; classes * PIECES];
    let tensors = probe(&net, &counts, |row| Ok(batches[row / PIECES].clone()), None)?;
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
            let loss = measure(&net, k)?;
            before.push(loss.value);
            for (param, grad) in after.iter_mut().zip(loss.backward()?) {
                *param = (&*param - (grad * (lr * c))?)?;
            }
        }
        let mut moved = net.clone();
        moved.params_mut().set(after)?;
        let mut largest = 0.0_f64;
        for (k, before) in before.iter().enumerate() {
            let measured = measure(&moved, k)?.value - before;
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
