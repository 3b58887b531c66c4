//! The interface of all optimisers.

use candle_core::{Result, Tensor};

/// Takes steps, and can be stopped and taken up again bit-exactly.
pub trait Optimiser {
    /// One step from `params` with their gradients `grads`, both in parameter order, at learning rate `lr`. Gives the
    /// parameters after it.
    ///
    /// # Errors
    /// Where shapes differ or the device is out of memory.
    fn step(&mut self, params: &[Tensor], grads: &[Tensor], lr: f64) -> Result<Vec<Tensor>>;

    /// Δθ of the last step, in parameter order; none before the first.
    ///
    /// # Errors
    /// Where the device is out of memory.
    fn last_update(&self) -> Result<Option<Vec<Tensor>>>;

    /// What is kept of every parameter from step to step, by name: a checkpoint has the tensors
    /// `optimiser/{name}{parameter}`. An optimiser that keeps one tensor a parameter may leave its name empty; other names
    /// end in `/`.
    fn kept(&self) -> &'static [&'static str];

    /// The tensors that are kept: for each name of [`Self::kept`] those of all parameters, in parameter order and of their
    /// shapes; no tensors before the first step.
    fn state(&self) -> Vec<Vec<Tensor>>;

    /// Takes up a state, after `steps` steps of which the last had the learning rate `last_lr`.
    fn restore(&mut self, state: Vec<Vec<Tensor>>, steps: u64, last_lr: f64);
}
