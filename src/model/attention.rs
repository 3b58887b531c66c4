//! What each attention variant puts into the network: the one place of this module that knows the variants.

use crate::config::Attention;

use super::param_spec::{Init, ParamSpec, push};

/// How a variant differs from the baseline.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// How the channels of the branches are scaled, and where; none where the variant scales no channels.
    pub(super) scaling: Option<(Scaling, Place)>,
    /// Whether the branches get more channels instead, so that the network has about as many parameters as with gates.
    pub(super) is_widened: bool,
}

/// How channels are scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scaling {
    /// By a gate that looks at the channels' means (Hu et al. 2018).
    Gate,
    /// By a learned constant for each channel.
    Constant,
}

/// Where channels are scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At the end of every branch, each branch by itself.
    EachBranch,
    /// After the concatenation of the branches, all channels together.
    Fused,
}

/// What a variant puts into the network.
pub(super) fn plan(attention: Attention) -> Plan {
    let scaled = |scaling, place| Plan {
        scaling: Some((scaling, place)),
        is_widened: false,
    };
    match attention {
        Attention::None => Plan {
            scaling: None,
            is_widened: false,
        },
        Attention::Branch => scaled(Scaling::Gate, Place::EachBranch),
        Attention::Shared => scaled(Scaling::Gate, Place::Fused),
        Attention::Constant => scaled(Scaling::Constant, Place::EachBranch),
        Attention::Wide => Plan {
            scaling: None,
            is_widened: true,
        },
    }
}

impl Scaling {
    /// Name of the layer within its group; the layer table calls the layer's kind by the same name.
    pub(super) fn layer(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::Constant => "scale",
        }
    }

    /// Adds the parameters of the layer called `layer` over `channels` channels, with `hidden` channels between the two
    /// layers of a gate.
    pub(super) fn add_params(
        self,
        params: &mut Vec<ParamSpec>,
        layer: &str,
        channels: usize,
        hidden: usize,
    ) {
        match self {
            Self::Gate => {
                for (name, outputs, inputs) in [
                    ("fc1.weight", hidden, channels),
                    ("fc2.weight", channels, hidden),
                ] {
                    params.push(ParamSpec {
                        name: format!("{layer}.{name}"),
                        shape: vec![outputs, inputs],
                        init: Init::KaimingNormal { fan_in: inputs },
                        is_gate: true,
                    });
                }
            }
            // Constants decay as all other weights do.
            Self::Constant => push(params, layer, "logit", vec![channels], Init::Zeros),
        }
    }
}
