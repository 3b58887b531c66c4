//! Sharpness-aware minimisation (SAM, Foret et al. 2021): the gradient of a step is that at weights moved uphill.

use candle_core::{Result, Tensor};

/// Added to the norm of the gradient, as in the implementations of SAM in PyTorch: a gradient of 0 moves nothing.
const TINY: f64 = 1e-12;

/// The weights w + ρ·g/‖g‖, where ‖g‖ is the norm of the gradient over all weights together.
///
/// # Errors
/// Where shapes differ or the device is out of memory.
pub(super) fn uphill(params: &[Tensor], grads: &[Tensor], rho: f64) -> Result<Vec<Tensor>> {
    let squares = grads.iter().map(|grad| grad.sqr()?.sum_all());
    // Read at once, because every reading makes a device wait.
    let squares = Tensor::stack(&squares.collect::<Result<Vec<_>>>()?, 0)?;
    let squares = squares.to_vec1::<f32>()?.into_iter().map(f64::from);
    let scale = rho / (squares.sum::<f64>().sqrt() + TINY);
    let moved = params.iter().zip(grads);
    moved.map(|(param, grad)| param + (grad * scale)?).collect()
}

#[cfg(test)]
mod tests;
