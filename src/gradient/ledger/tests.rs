use anyhow::{Context, Result};
use candle_core::{Device, Tensor};
use serde_json::Value;

use super::*;
use crate::config::{Attention, RunConfig, Width};
use crate::data::batches::eval_batch;
use crate::gradient::gram::Gram;
use crate::gradient::{probe, surgery};
use crate::model::{Mode, Net, Spec};
use crate::random::Random;
use crate::train::sgd::Sgd;
use crate::vectors::numbers;

/// The gradients of tests/peers/numpy_ledger_surgery_order.py.
pub(in crate::gradient) fn peer_gradients(rows: usize, dimensions: usize) -> Vec<Vec<f64>> {
    let value = |row: f64, d: f64| (1.0 + 7.0 * row + 1.3 * d * (row + 1.0)).sin();
    (0..rows)
        .map(|row| {
            (0..dimensions)
                .map(|d| value(row as f64, d as f64))
                .collect()
        })
        .collect()
}

/// One section of the peer's output.
pub(in crate::gradient) fn peer(section: &str) -> Result<Value> {
    let text = include_str!("../../../tests/peers/numpy_ledger_surgery_order.json");
    let mut file: Value = serde_json::from_str(text)?;
    Ok(file[section].take())
}

/// The Gram matrix of explicit pieces, [K·S][D].
pub(in crate::gradient) fn gram_of(classes: usize, counts: &[f32], pieces: &[Vec<f64>]) -> Gram {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>() as f32;
    let products: Vec<f32> = pieces
        .iter()
        .flat_map(|a| pieces.iter().map(move |b| dot(a, b)))
        .collect();
    Gram::new(classes, counts, &products, &vec![0.0; counts.len()]).unwrap()
}

fn assert_close(got: Effect, nats: f64, error: f64, what: &str) {
    let near = |got: f64, wanted: f64| (got - wanted).abs() <= 2e-5 * wanted.abs() + 1e-8;
    assert!(near(got.nats, nats), "{what}: {got:?} instead of {nats}");
    let got_error = got.standard_error.unwrap_or(f64::NAN);
    assert!(
        near(got_error, error),
        "{what}: {got:?} instead of an error of {error}"
    );
}

/// NumPy, from explicit gradients: tests/peers/numpy_ledger_surgery_order.py.
#[test]
fn shares_and_net_are_those_of_explicit_gradients() -> Result<()> {
    let peer = peer("ledger")?;
    let counts: Vec<f32> = numbers(&peer["counts"])?
        .iter()
        .map(|&n| n as f32)
        .collect();
    let (priors, lr) = (
        numbers(&peer["priors"])?,
        peer["lr"].as_f64().context("lr")?,
    );
    let mut pieces = peer_gradients(12, 9);
    pieces[..4].iter_mut().flatten().for_each(|x| *x += 0.7);
    pieces[4..8].iter_mut().flatten().for_each(|x| *x -= 0.4);
    let gram = gram_of(3, &counts, &pieces);
    let number = |value: &Value, name: &str| value[name].as_f64().context("a number");
    for case in peer["shares"].as_array().context("shares")? {
        let (k, j) = (number(case, "k")? as usize, number(case, "j")? as usize);
        let share = gram.ledger(k).context("ledger")?.share(lr, &priors, j);
        let share = share.context("share")?;
        let what = format!("{j} on {k}");
        assert_close(share, number(case, "nats")?, number(case, "error")?, &what);
        assert_eq!(gram.influence(lr, &priors, j, k), Some(share.nats));
    }
    for (k, case) in peer["nets"].as_array().context("nets")?.iter().enumerate() {
        let net = gram.net_influence(lr, &priors, k).context("net")?;
        let what = format!("net of {k}");
        assert_close(net, number(case, "nats")?, number(case, "error")?, &what);
    }
    Ok(())
}

/// Of several draws of noise around the same gradients, the mean squared standard error is the variance: for four
/// pieces, and for two, of which deleting one leaves no product of different pieces.
#[test]
fn the_standard_error_is_that_of_the_net() -> Result<()> {
    for pieces in [4, 2] {
        let (mut nets, mut squares) = (Vec::new(), 0.0);
        let draws = 800_u64;
        for seed in 0..draws {
            let mut random = Random::new(seed, "net", 0, pieces as u64);
            let gradients: Vec<Vec<f64>> = (0..3 * pieces)
                .map(|row| {
                    let axis = [1.0, -0.6, 0.2][row / pieces];
                    (0..12).map(|_| axis + 0.5 * random.normal()).collect()
                })
                .collect();
            let gram = gram_of(3, &vec![8.0; 3 * pieces], &gradients);
            let net = gram
                .net_influence(1.0, &[0.5, 0.3, 0.2], 1)
                .context("net")?;
            nets.push(net.nats);
            squares += net.standard_error.context("error")?.powi(2) / draws as f64;
        }
        let mean = nets.iter().sum::<f64>() / draws as f64;
        let variance = nets.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (draws - 1) as f64;
        assert!(
            (0.8..1.35).contains(&(squares / variance)),
            "{pieces} pieces: {squares} against {variance}"
        );
    }
    Ok(())
}

#[test]
fn what_is_missing_stays_undefined() {
    let pieces = peer_gradients(6, 4);
    // Class 1 has one piece, class 2 none.
    let gram = gram_of(3, &[2.0, 2.0, 1.0, 0.0, 0.0, 0.0], &pieces);
    let priors = [0.5, 0.3, 0.2];
    let of = |k: usize| gram.ledger(k).unwrap();
    assert!(of(0).share(0.1, &priors, 2).is_none() && of(2).net(0.1, &priors).is_none());
    assert!(of(1).net(0.1, &priors).is_none() && of(1).share(0.1, &priors, 1).is_none());
    // A single piece has a product with another class, but no error.
    let share = of(0).share(0.1, &priors, 1).unwrap();
    assert!(share.standard_error.is_none() && !share.resolved());
    let net = of(0).net(0.1, &priors).unwrap();
    assert!(net.standard_error.is_none() && !net.resolved());
    assert_eq!(of(2).update_effect(), None);
    assert_eq!(of(0).share(0.1, &priors, 7), None);
    assert!(gram.ledger(3).is_none());
    assert!(Ledger::sum::<f32>(0, 2, &[], []).is_none());
    assert!(
        Ledger::sum(
            0,
            2,
            &[1.0_f32; 4],
            [(&[0.0_f32; 16][..], &[0.0_f32; 3][..])]
        )
        .is_none()
    );
}

/// A real network, trained for a few steps on the built-in images. Each class has four times the same images for its
/// pieces, so that products of different pieces are those that the step itself is made of. Then a plain step with
/// other weights, and with gradients changed where they conflict, does to every class's loss what the ledger says.
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
    };
    let images = |indices: &[u32]| {
        let shape = (indices.len(), data.height, data.width, data.channels);
        Tensor::from_vec(eval_batch(&data, indices, &normalise), shape, &Device::Cpu)
    };
    let mut net = Net::new(spec, 3, &Device::Cpu)?;
    let mut sgd = Sgd::new(0.9, 5e-4);
    for batch in data.train.chunks(64).take(12) {
        let labels: Vec<u32> = batch
            .iter()
            .map(|&i| u32::from(data.labels[i as usize]))
            .collect();
        let mut out = net.forward(&net.weights(), &images(batch)?, Mode::Train)?;
        let norms = std::mem::take(&mut out.norms);
        let grads = out.cross_entropy(&labels)?.backward()?;
        let after = sgd.step(net.params().values(), &grads, 0.02)?;
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
        out.cross_entropy(&vec![k as u32; IMAGES])
    };
    let counts = vec![IMAGES; classes * PIECES];
    let tensors = probe::probe(&net, &counts, |row| Ok(batches[row / PIECES].clone()), None)?;
    let rows: Vec<usize> = (0..tensors.layers()).collect();
    let gram = tensors.gram_of(&rows).context("gram")?;

    // Shares of the step, as weights would have them, and as PCGrad makes of them.
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
            let ledger = tensors.ledger_of(&rows, k).context("ledger")?;
            let predicted = ledger.net(lr, &steps).context("net")?.nats;
            largest = largest.max(predicted.abs());
            // Beside the second order, a loss in f32 is known to some 1e-7.
            assert!(
                (measured - predicted).abs() < 0.01 * predicted.abs() + 1e-6,
                "class {k}: {measured} instead of {predicted}"
            );
        }
        assert!(
            largest > 1e-3,
            "too small a step to say anything: {largest}"
        );
    }
    Ok(())
}
