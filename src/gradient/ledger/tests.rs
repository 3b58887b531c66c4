use anyhow::{Context, Result};
use serde_json::Value;

use super::*;
use crate::gradient::gram::Gram;
use crate::random::Random;
use crate::vectors::numbers;

/// The gradients that tests/peers/numpy_ledger_surgery_order.py makes.
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

/// Against NumPy, from explicit gradients: tests/peers/numpy_ledger_surgery_order.py.
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

/// Over many draws of noise around the same gradients, the mean squared standard error is the variance of the net
/// effect. This holds for four pieces, and for two, where deleting one piece leaves no product of different pieces.
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
fn shares_of_absent_classes_are_undefined() {
    let pieces = peer_gradients(6, 4);
    // Class 1 has one piece, class 2 none.
    let gram = gram_of(3, &[2.0, 2.0, 1.0, 0.0, 0.0, 0.0], &pieces);
    let priors = [0.5, 0.3, 0.2];
    let of = |k: usize| gram.ledger(k).unwrap();
    assert!(of(0).share(0.1, &priors, 2).is_none() && of(2).net(0.1, &priors).is_none());
    assert!(of(1).net(0.1, &priors).is_none() && of(1).share(0.1, &priors, 1).is_none());
    // A class with a single piece has a product with another class, but no standard error.
    let share = of(0).share(0.1, &priors, 1).unwrap();
    assert!(share.standard_error.is_none() && !share.resolved());
    let net = of(0).net(0.1, &priors).unwrap();
    assert!(net.standard_error.is_none() && !net.resolved());
    assert_eq!(of(2).taken(), None);
    assert_eq!(of(0).share(0.1, &priors, 7), None);
    assert!(gram.ledger(3).is_none());
    assert!(Ledger::sum::<f32>(0, 2, &[], []).is_none());
    assert!(
        Ledger::sum(
            0,
            2,
            &[1.0_f32; 4],
            [(&[0.0_f32; 8][..], &[0.0_f32; 3][..])]
        )
        .is_none()
    );
}
