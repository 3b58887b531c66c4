//! The ordered parameter store. (candle's `VarMap` is a hash map, whose order is random.)

use candle_core::{Device, Result, Tensor};

use crate::random::Random;

use super::param_spec::{Init, ParamSpec};
use super::spec::Spec;

/// Parameters in forward order.
#[derive(Clone, Debug)]
pub struct Params {
    specs: Vec<ParamSpec>,
    values: Vec<Tensor>,
}

/// Running statistics of one batch-norm layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Running {
    /// Layer name.
    pub name: String,
    /// Running mean, `[C]`.
    pub mean: Vec<f32>,
    /// Running unbiased variance, `[C]`.
    pub variance: Vec<f32>,
    /// Number of training batches taken in by [`super::Net::update_norms`]; the batches of [`super::Net::set_norms`] do
    /// not count.
    pub batches: u64,
}

impl Params {
    /// Draws every parameter by its name from `seed`, so that the parameters which two variants share start identical.
    ///
    /// # Errors
    /// Where the device is out of memory.
    pub fn init(spec: &Spec, seed: u64, device: &Device) -> Result<Self> {
        let specs = spec.params();
        let draw = |param: &ParamSpec| {
            let values = draw(param, seed);
            Tensor::from_vec(values, param.shape.as_slice(), device)
        };
        let values = specs.iter().map(draw).collect::<Result<_>>()?;
        Ok(Self { specs, values })
    }

    /// Description of every parameter, in forward order.
    pub fn specs(&self) -> &[ParamSpec] {
        &self.specs
    }

    /// The parameters, in the order of [`Self::specs`].
    pub fn values(&self) -> &[Tensor] {
        &self.values
    }

    /// Replaces all parameters.
    ///
    /// # Errors
    /// Where the number or the shapes of the values are not those of the parameters.
    pub fn set(&mut self, values: Vec<Tensor>) -> Result<()> {
        let fit = values
            .iter()
            .zip(&self.specs)
            .all(|(value, spec)| value.dims() == spec.shape.as_slice());
        if values.len() != self.specs.len() || !fit {
            candle_core::bail!("the parameters given are those of another network");
        }
        self.values = values;
        Ok(())
    }

    /// Position of the parameter called `name`.
    ///
    /// # Errors
    /// Where the network has no parameter of that name.
    pub fn position(&self, name: &str) -> Result<usize> {
        match self.specs.iter().position(|param| param.name == name) {
            Some(position) => Ok(position),
            None => candle_core::bail!("the network has no parameter `{name}`"),
        }
    }

    /// Number of trained values.
    pub fn count(&self) -> usize {
        self.values.iter().map(Tensor::elem_count).sum()
    }
}

fn draw(param: &ParamSpec, seed: u64) -> Vec<f32> {
    let len = param.shape.iter().product();
    let mut random = Random::new(seed, &param.name, 0, 0);
    match param.init {
        Init::KaimingNormal { fan_in } => {
            let deviation = (2.0 / fan_in as f64).sqrt();
            (0..len)
                .map(|_| (deviation * random.normal()) as f32)
                .collect()
        }
        Init::Uniform { fan_in } => {
            let bound = 1.0 / (fan_in as f64).sqrt();
            (0..len)
                .map(|_| random.range(-bound, bound) as f32)
                .collect()
        }
        Init::Ones => vec![1.0; len],
        Init::Zeros => vec![0.0; len],
    }
}
