use anyhow::{Context, Result};
use serde_json::Value;

use super::super::ledger::tests::{gram_of, peer, peer_gradients};
use super::*;
use crate::vectors::{numbers, section};

fn rows(value: &Value) -> Result<Vec<Vec<f64>>> {
    Ok(serde_json::from_value(value.clone())?)
}

fn products(gradients: &[Vec<f64>]) -> Vec<f64> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum();
    gradients
        .iter()
        .flat_map(|a| gradients.iter().map(move |b| dot(a, b)))
        .collect()
}

/// Σ a_k g_k.
fn direction(coefficients: &[f64], gradients: &[Vec<f64>]) -> Vec<f64> {
    let at = |d: usize| {
        coefficients
            .iter()
            .zip(gradients)
            .map(|(a, g)| a * g[d])
            .sum()
    };
    (0..gradients[0].len()).map(at).collect()
}

fn assert_near(got: &[f64], wanted: &[f64], tolerance: f64, what: &str) {
    assert_eq!(got.len(), wanted.len(), "{what}");
    let scale = wanted.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    for (got, wanted) in got.iter().zip(wanted) {
        assert!(
            (got - wanted).abs() <= tolerance * scale.max(1e-12),
            "{what}: {got} instead of {wanted}"
        );
    }
}

/// Against NumPy, after algorithm 1 of the paper: section `pcgrad` of the vectors.
#[test]
fn pcgrad_is_that_of_numpy() -> Result<()> {
    let section = section("pcgrad")?;
    for case in section["cases"].as_array().context("cases")? {
        let name = case["name"].as_str().context("name")?;
        let gradients = rows(&case["grads"])?;
        let orders: Vec<Vec<usize>> = serde_json::from_value(case["orders"].clone())?;
        let got = direction(&pcgrad(&products(&gradients), &orders), &gradients);
        assert_near(&got, &numbers(&case["merged_sum"])?, 1e-9, name);
    }
    // A gradient is not projected onto its own normal plane.
    let case = &section["self_projection_pitfall"];
    let gradients = rows(&case["grads"])?;
    let mut orders: Vec<Vec<usize>> =
        serde_json::from_value(case["orders_excluding_self"].clone())?;
    let wanted = numbers(&case["merged_sum"])?;
    for with_self in [false, true] {
        if with_self {
            orders.iter_mut().enumerate().for_each(|(i, x)| x.push(i));
        }
        let got = direction(&pcgrad(&products(&gradients), &orders), &gradients);
        assert_near(&got, &wanted, 1e-9, "self");
    }
    Ok(())
}

/// Against SamsungLabs/MTL with `min` scaling: section `gradient_surgery_alternatives` of the vectors.
#[test]
fn aligned_mtl_is_that_of_its_authors() -> Result<()> {
    let section = section("gradient_surgery_alternatives")?;
    for case in section["cases"].as_array().context("cases")? {
        let name = case["name"].as_str().context("name")?;
        let gradients = rows(&case["grads"])?;
        let wanted = &case["aligned_mtl_min"];
        let alpha = aligned_mtl(&products(&gradients), gradients.len());
        assert_near(&alpha, &numbers(&wanted["alpha"])?, 1e-6, name);
        let got = direction(&alpha, &gradients);
        assert_near(&got, &numbers(&wanted["direction"])?, 1e-6, name);
    }
    Ok(())
}

/// Against NumPy, which uses the gradients as vectors and computes Aligned-MTL from their singular values:
/// tests/peers/numpy_ledger_surgery_order.py. Here the products come from a Gram matrix of mean gradients and the
/// classes' shares of a step.
#[test]
fn surgery_is_that_of_explicit_vectors() -> Result<()> {
    let peer = peer("surgery")?;
    let shares = [3.0, 1.0, 0.5, 0.1, 0.02];
    let mut means = peer_gradients(5, 8);
    for (d, x) in means[0].clone().into_iter().enumerate() {
        means[1][d] -= 0.8 * 3.0 * x;
    }
    let pieces: Vec<_> = means.iter().flat_map(|g| [g.clone(), g.clone()]).collect();
    let gram = gram_of(5, &[4.0; 10], &pieces);
    let contributed: Vec<Vec<f64>> = means
        .iter()
        .zip(shares)
        .map(|(g, c)| g.iter().map(|x| c * x).collect())
        .collect();
    let products = contributions(&gram, &shares);
    let orders: Vec<Vec<usize>> = serde_json::from_value(peer["orders"].clone())?;
    let got = direction(&pcgrad(&products, &orders), &contributed);
    assert_near(&got, &numbers(&peer["pcgrad"])?, 1e-5, "PCGrad");
    // Gradients are 1 to 500 long, so f32 products give the shortest squared length to within about 1e-7 × 500².
    let got = direction(&aligned_mtl(&products, 5), &contributed);
    assert_near(&got, &numbers(&peer["aligned"])?, 2e-2, "Aligned-MTL");
    Ok(())
}

#[test]
fn orthogonal_zero_and_absent_gradients_are_left_as_they_are() {
    // PCGrad does not change gradients at right angles; Aligned-MTL does not either where their lengths are equal.
    let identity = [4.0, 0.0, 0.0, 4.0];
    assert_eq!(pcgrad(&identity, &[vec![1], vec![0]]), [1.0, 1.0]);
    assert_near(&aligned_mtl(&identity, 2), &[1.0, 1.0], 1e-12, "orthogonal");
    assert_eq!(aligned_mtl(&[0.0; 4], 2), [0.0, 0.0]);
    assert_eq!(pcgrad(&[0.0; 4], &[vec![1], vec![0]]), [1.0, 1.0]);
    assert!(aligned_mtl(&[], 0).is_empty() && pcgrad(&[], &[]).is_empty());
    // A class without images contributes nothing.
    let gram = gram_of(2, &[1.0, 1.0, 0.0, 0.0], &peer_gradients(4, 3));
    let products = contributions(&gram, &[0.5, 0.5]);
    assert!(products[0] > 0.0 && products[1..] == [0.0; 3]);
}
