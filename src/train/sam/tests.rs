use anyhow::{Context as _, Result};
use candle_core::Device;

use super::*;
use crate::vectors::{numbers, recipe, sines};

/// The weights that an implementation of SAM in PyTorch moves to, by the norm of both gradients together.
#[test]
fn weights_are_moved_as_in_pytorch() -> Result<()> {
    let cases = recipe("sam")?;
    let cases = cases.as_array().context("cases")?;
    assert_eq!(cases.len(), 2);
    for case in cases {
        let tensor = |values: Vec<f64>| {
            let values: Vec<f32> = values.into_iter().map(|x| x as f32).collect();
            let len = values.len();
            Tensor::from_vec(values, len, &Device::Cpu)
        };
        let params = [tensor(sines(0, 6))?, tensor(sines(50, 4))?];
        let grads = case["gradients"].as_array().context("gradients")?;
        let grads = grads.iter().map(|grad| Ok(tensor(numbers(grad)?)?));
        let grads = grads.collect::<Result<Vec<_>>>()?;
        let moved = uphill(&params, &grads, case["rho"].as_f64().context("rho")?)?;
        let wanted = case["moved"].as_array().context("weights")?;
        for (moved, wanted) in moved.iter().zip(wanted) {
            let moved = moved.to_vec1::<f32>()?.into_iter();
            for (moved, wanted) in moved.zip(numbers(wanted)?) {
                let error = (f64::from(moved) - wanted).abs();
                assert!(error < 1e-6, "{}: off by {error}", case["rho"]);
            }
        }
    }
    Ok(())
}

#[test]
fn a_gradient_of_0_moves_nothing() -> Result<()> {
    let params = [Tensor::new(&[1.0_f32, -2.0], &Device::Cpu)?];
    let moved = uphill(&params, &[params[0].zeros_like()?], 0.05)?;
    assert_eq!(moved[0].to_vec1::<f32>()?, [1.0, -2.0]);
    Ok(())
}
