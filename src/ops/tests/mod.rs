//! Every operation against PyTorch's numbers and finite differences, and the CPU path against the portable path.

use anyhow::{Context, Result};
use candle_core::{Device, Tensor};

mod conv;
mod differences;
mod head;
mod join;
mod norm_sums;
mod products;
mod winograd;

use super::*;
use crate::random::Random;
use crate::vectors::{assert_close, nhwc, numbers, section, tensor, vector};

/// Runs a check on the CPU's path with every instruction set, and on the path of other devices.
fn everywhere(check: impl Fn() -> Result<()>) -> Result<()> {
    for arch in kernels::archs() {
        kernels::FORCED.set(Some(arch));
        let result = check();
        kernels::FORCED.set(None);
        result?;
    }
    on_portable_path(check)
}

fn random(shape: &[usize], seed: u64) -> Result<Tensor> {
    let mut random = Random::new(seed, "test", 0, 0);
    let values: Vec<f32> = (0..shape.iter().product())
        .map(|_| random.normal() as f32)
        .collect();
    Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
}

/// Gradients of ⟨f(inputs), upstream⟩ in every input, and f(inputs).
fn run(
    inputs: &[Tensor],
    upstream: impl FnOnce(&Tensor) -> Result<Tensor>,
    f: impl FnOnce(&Tape, &[Var]) -> candle_core::Result<Var>,
) -> Result<(Tensor, Vec<Tensor>)> {
    let vars: Vec<Var> = inputs
        .iter()
        .enumerate()
        .map(|(i, x)| Tape::leaf(x, i))
        .collect();
    let tape = Tape::new(inputs.len());
    let out = f(&tape, &vars)?;
    let values = out.values()?;
    let grads = tape.backward(&out, upstream(&values)?)?;
    let grads = grads
        .into_iter()
        .map(|grad| grad.context("every input has a gradient"));
    Ok((values, grads.collect::<Result<_>>()?))
}

/// A convolution with nothing after it.
fn plain(dilation: usize) -> Conv<'static> {
    Conv {
        dilation,
        norm: None,
        relu: false,
        pool: false,
        method: Method::ByShape,
    }
}

/// A 1×1 convolution that changes nothing, for what follows it: [C, C, 1, 1].
fn identity(channels: usize) -> Result<Tensor> {
    Ok(
        Tensor::eye(channels, candle_core::DType::F32, &Device::Cpu)?
            .reshape((channels, channels, 1, 1))?,
    )
}

/// The gates whose W1 and W2 follow each other in `weights`.
fn gates_of(weights: &[Var]) -> Vec<Gate<'_>> {
    let pairs = weights.chunks_exact(2);
    pairs
        .map(|pair| Gate {
            fc1: &pair[0],
            fc2: &pair[1],
        })
        .collect()
}

/// Asserts that no value is off by more than `tolerance` times the largest value wanted.
fn assert_close_to_scale(got: &Tensor, wanted: &Tensor, tolerance: f32, what: &str) -> Result<()> {
    assert_eq!(got.dims(), wanted.dims(), "{what}");
    let scale = wanted.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>()?;
    let worst = (got - wanted)?
        .abs()?
        .flatten_all()?
        .max(0)?
        .to_scalar::<f32>()?;
    assert!(
        worst <= tolerance * scale.max(1e-4),
        "{what}: off by {worst} at {scale}"
    );
    Ok(())
}
