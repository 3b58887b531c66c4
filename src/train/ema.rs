//! The exponential moving average (EMA) of a network's weights, which is evaluated in place of the trained weights.

use candle_core::{Result, Tensor};

use crate::model::{Net, Running};

/// Running means of a network's weights, and of the running statistics of its batch norms, which thus stay those of the
/// averaged weights.
#[derive(Clone, Debug)]
pub struct Ema {
    decay: f64,
    pub(super) params: Vec<Tensor>,
    pub(super) norms: Vec<Running>,
}

impl Ema {
    /// The average that begins with the present weights. `decay`: the share of itself that it keeps at each step.
    pub fn new(net: &Net, decay: f64) -> Self {
        Self {
            decay,
            params: net.params().values().to_vec(),
            norms: net.norms().to_vec(),
        }
    }

    /// Takes in the weights after step `step` (from 1): ē ← d·ē + (1 − d)·w with d = min(decay, (1 + step)/(10 + step)), so
    /// that the first weights, from before training, are soon forgotten (as TensorFlow's `ExponentialMovingAverage` does).
    ///
    /// # Errors
    /// Where the device is out of memory.
    pub fn update(&mut self, net: &Net, step: u64) -> Result<()> {
        let step = step as f64;
        let taken = 1.0 - self.decay.min((1.0 + step) / (10.0 + step));
        let pairs = self.params.iter().zip(net.params().values());
        let params = pairs.map(|(mean, new)| mean + ((new - mean)? * taken)?);
        self.params = params.collect::<Result<_>>()?;
        let taken = taken as f32;
        let blend = |mean: &mut [f32], new: &[f32]| {
            let values = mean.iter_mut().zip(new);
            values.for_each(|(mean, new)| *mean += taken * (new - *mean));
        };
        for (mean, new) in self.norms.iter_mut().zip(net.norms()) {
            blend(&mut mean.mean, &new.mean);
            blend(&mut mean.variance, &new.variance);
            mean.batches = new.batches;
        }
        Ok(())
    }

    /// The network with the averaged weights and statistics.
    ///
    /// # Errors
    /// Where `net` is not the network that is averaged.
    pub fn applied(&self, net: &Net) -> Result<Net> {
        let mut averaged = net.clone();
        averaged.params_mut().set(self.params.clone())?;
        averaged.norms_mut().clone_from_slice(&self.norms);
        Ok(averaged)
    }
}

#[cfg(test)]
mod tests;
