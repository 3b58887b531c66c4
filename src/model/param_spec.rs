//! The description of one trained parameter: its name, its shape, its initial values, and whether it belongs to a gate.

/// One trained parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamSpec {
    /// Name as in a PyTorch state dict, such as `branch2.conv1.weight`.
    pub name: String,
    /// Shape as in PyTorch: convolutions [Co, Ci, k, k], linear layers [out, in].
    pub shape: Vec<usize>,
    /// Initial values.
    pub init: Init,
    /// Whether the parameter belongs to an attention gate. Gates may have a weight decay of their own.
    pub is_gate: bool,
}

/// Initial values of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Init {
    /// Normal with standard deviation √(2/fan-in) (He et al. 2015).
    KaimingNormal {
        /// Number of inputs of one output value.
        fan_in: usize,
    },
    /// Uniform between −1/√fan-in and 1/√fan-in, PyTorch's default for linear layers.
    Uniform {
        /// Number of inputs of one output value.
        fan_in: usize,
    },
    /// All ones.
    Ones,
    /// All zeros.
    Zeros,
}

impl ParamSpec {
    /// Whether the parameter belongs to the layer called `layer`.
    pub fn layer_is(&self, layer: &str) -> bool {
        self.name
            .strip_prefix(layer)
            .is_some_and(|rest| rest.starts_with('.'))
    }
}

/// Adds the parameter `name` of a layer.
pub(super) fn push(
    params: &mut Vec<ParamSpec>,
    layer: &str,
    name: &str,
    shape: Vec<usize>,
    init: Init,
) {
    params.push(ParamSpec {
        name: format!("{layer}.{name}"),
        shape,
        init,
        is_gate: false,
    });
}

/// Adds the weight of a `k`×`k` convolution.
pub(super) fn conv(
    params: &mut Vec<ParamSpec>,
    layer: &str,
    outputs: usize,
    inputs: usize,
    k: usize,
) {
    let init = Init::KaimingNormal {
        fan_in: inputs * k * k,
    };
    push(params, layer, "weight", vec![outputs, inputs, k, k], init);
}

/// Adds scale and shift of a batch norm.
pub(super) fn norm(params: &mut Vec<ParamSpec>, layer: &str, channels: usize) {
    push(params, layer, "weight", vec![channels], Init::Ones);
    push(params, layer, "bias", vec![channels], Init::Zeros);
}
