//! The interface of all optimisers.

use candle_core::{Result, Tensor};

/// An optimiser: it takes steps, and its state can be saved and restored bit-exactly.
pub trait Optimiser {
    /// Takes one step from `params` with their gradients `grads`, both in parameter order, at learning rate `lr`.
    /// Returns the parameters after the step.
    ///
    /// # Errors
    /// Where shapes differ or the device is out of memory.
    fn step(&mut self, params: &[Tensor], grads: &[Tensor], lr: f64) -> Result<Vec<Tensor>>;

    /// Change Δθ of the parameters in the last step, in parameter order; none before the first step.
    ///
    /// # Errors
    /// Where the device is out of memory.
    fn last_update(&self) -> Result<Option<Vec<Tensor>>>;

    /// Names of the tensors that the optimiser keeps for every parameter from step to step. A checkpoint calls such a
    /// tensor `optimiser/{name}{parameter}`. An optimiser that keeps one tensor for each parameter may leave its name
    /// empty; other names end in `/`.
    fn kept(&self) -> &'static [&'static str];

    /// The kept tensors: for each name of [`Self::kept`] one tensor for every parameter, in parameter order and of the
    /// parameter's shape; no tensors before the first step.
    fn state(&self) -> Vec<Vec<Tensor>>;

    /// Restores the state after `steps` steps, the last of which had the learning rate `last_lr`.
    fn restore(&mut self, state: Vec<Vec<Tensor>>, steps: u64, last_lr: f64);
}
