//! Stochastic gradient descent with momentum and weight decay, in PyTorch's order of operations.

use candle_core::{Result, Tensor};

use crate::ops;

/// Optimiser state.
#[derive(Clone, Debug)]
pub struct Sgd {
    momentum: f64,
    weight_decay: f64,
    /// Weight decay of each parameter, where they differ; else empty.
    decays: Vec<f64>,
    /// Momentum buffers in parameter order; empty before the first step.
    buffers: Vec<Tensor>,
    /// Learning rate of the last step.
    last_lr: f64,
}

impl Sgd {
    /// An optimiser that has taken no step.
    pub fn new(momentum: f64, weight_decay: f64) -> Self {
        Self {
            momentum,
            weight_decay,
            decays: Vec::new(),
            buffers: Vec::new(),
            last_lr: 0.0,
        }
    }

    /// With a weight decay for each parameter, in parameter order.
    pub fn with_decays(mut self, decays: Vec<f64>) -> Self {
        self.decays = decays;
        self
    }

    /// One step: g ← g + wd·p; buf ← g at the first step, else μ·buf + g; p ← p − lr·buf. Gives the parameters after it.
    ///
    /// # Errors
    /// Where shapes differ or the device is out of memory.
    pub fn step(&mut self, params: &[Tensor], grads: &[Tensor], lr: f64) -> Result<Vec<Tensor>> {
        let mut after = Vec::with_capacity(params.len());
        let mut buffers = Vec::with_capacity(params.len());
        for (i, (param, grad)) in params.iter().zip(grads).enumerate() {
            let decay = self.decays.get(i).copied().unwrap_or(self.weight_decay);
            let hyper = (self.momentum, decay, lr);
            let (param, buffer) = ops::sgd_step(param, grad, self.buffers.get(i), hyper)?;
            after.push(param);
            buffers.push(buffer);
        }
        self.buffers = buffers;
        self.last_lr = lr;
        Ok(after)
    }

    /// Δθ of the last step, in parameter order; none before the first.
    ///
    /// # Errors
    /// Where the device is out of memory.
    pub fn last_update(&self) -> Result<Option<Vec<Tensor>>> {
        if self.buffers.is_empty() {
            return Ok(None);
        }
        self.buffers
            .iter()
            .map(|buffer| buffer * -self.last_lr)
            .collect::<Result<_>>()
            .map(Some)
    }

    /// Momentum buffers and last learning rate, for a checkpoint.
    pub fn state(&self) -> (&[Tensor], f64) {
        (&self.buffers, self.last_lr)
    }

    /// Takes up the state of a checkpoint.
    pub fn restore(&mut self, buffers: Vec<Tensor>, last_lr: f64) {
        self.buffers = buffers;
        self.last_lr = last_lr;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{assert_close, numbers, section, vector};

    /// A parameter with a decay of its own moves as it would alone under an optimiser with that decay.
    #[test]
    fn parameters_can_decay_differently() -> anyhow::Result<()> {
        let device = candle_core::Device::Cpu;
        let x = Tensor::new(&[1.0f32, -2.0, 0.5], &device)?;
        let grad = Tensor::new(&[0.3f32, 0.1, -0.2], &device)?;
        let two_steps = |mut sgd: Sgd, params: &[Tensor], grads: &[Tensor]| {
            let once = sgd.step(params, grads, 0.1)?;
            let twice = sgd.step(&once, grads, 0.1)?;
            twice
                .iter()
                .map(Tensor::to_vec1::<f32>)
                .collect::<Result<Vec<_>>>()
        };
        let (params, grads) = ([x.clone(), x], [grad.clone(), grad]);
        let alone = |decay| two_steps(Sgd::new(0.9, decay), &params[..1], &grads[..1]);
        let both = Sgd::new(0.9, 0.5).with_decays(vec![0.5, 0.0]);
        let both = two_steps(both, &params, &grads)?;
        assert_eq!(both[0], alone(0.5)?[0]);
        assert_eq!(both[1], alone(0.0)?[0]);
        assert_ne!(both[0], both[1]);
        Ok(())
    }

    /// f = ½ Σ a (x − b)², whose gradient is a (x − b); trajectories from PyTorch.
    #[test]
    fn trajectories_of_pytorch() -> anyhow::Result<()> {
        let section = section("optimizers")?;
        let (a, b) = (vector(&section["a"])?, vector(&section["b"])?);
        let mut checked = 0;
        for case in section["cases"].as_array().unwrap() {
            let name = case["name"].as_str().unwrap();
            let hyper = &case["hyper"];
            if !name.starts_with("sgd")
                || hyper.get("nesterov").is_some()
                || hyper.get("dampening").is_some()
            {
                continue;
            }
            let of = |key: &str| {
                hyper
                    .get(key)
                    .and_then(serde_json::Value::as_f64)
                    .unwrap_or(0.0)
            };
            let mut sgd = Sgd::new(of("momentum"), of("weight_decay"));
            let mut x = vector(&section["x0"])?;
            assert!(sgd.last_update()?.is_none());
            for (step, lr) in case["steps"]
                .as_array()
                .unwrap()
                .iter()
                .zip(numbers(&case["lrs"])?)
            {
                let before = x.clone();
                let grad = a.mul(&x.sub(&b)?)?;
                x = sgd.step(&[x], &[grad], lr)?.remove(0);
                assert_close(&x, &vector(&step["param_after"])?, name)?;
                let moved = sgd.last_update()?.unwrap().remove(0);
                assert_close(&moved, &x.sub(&before)?, "last update")?;
            }
            checked += 1;
        }
        assert_eq!(checked, 4);
        Ok(())
    }
}
