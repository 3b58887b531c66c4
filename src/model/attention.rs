//! What each attention variant puts into the network: the one place of this module that knows the variants.

use crate::config::{Attention, GatePlace};

use super::param_spec::{Init, ParamSpec, push};

/// How a variant differs from the baseline.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// How channels are scaled, and whose; none where the variant scales no channels.
    pub(super) scaling: Option<(Scaling, Scope)>,
    /// Whether the branches get more channels instead, so that the network has about as many parameters as with gates.
    pub(super) is_widened: bool,
    /// How logits are made of the ends of the branches.
    pub(super) head: Head,
}

/// How logits are made of the ends of the branches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// One convolution joins the branches.
    Joined,
    /// Each branch has features of its own, and each class attends over them with a query of its own.
    ClassAttention,
    /// Each branch has features and a classifier of its own, and the logits are the mean of theirs.
    Experts,
}

/// The baseline.
const PLAIN: Plan = Plan {
    scaling: None,
    is_widened: false,
    head: Head::Joined,
};

/// How channels are scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scaling {
    /// By a gate that looks at the channels' means (Hu et al. 2018).
    Gate,
    /// By a learned constant for each channel.
    Constant,
}

/// Whose channels are scaled together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Those of every branch by itself, at the place that the layout gives.
    EachBranch,
    /// After the concatenation of the branches, all channels together.
    Fused,
}

/// Where channels can be scaled: the inputs of which convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Of one in a branch, or at the end of the branch.
    Branch(GatePlace),
    /// Of the one that joins the branches, all channels together.
    Fused,
}

/// What a variant puts into the network.
pub(super) fn plan(attention: Attention) -> Plan {
    let scaled = |scaling, scope| Plan {
        scaling: Some((scaling, scope)),
        ..PLAIN
    };
    match attention {
        Attention::None => PLAIN,
        Attention::Branch => scaled(Scaling::Gate, Scope::EachBranch),
        Attention::Shared => scaled(Scaling::Gate, Scope::Fused),
        Attention::Constant => scaled(Scaling::Constant, Scope::EachBranch),
        Attention::Wide => Plan {
            is_widened: true,
            ..PLAIN
        },
        Attention::Class => Plan {
            head: Head::ClassAttention,
            ..PLAIN
        },
        Attention::Experts => Plan {
            head: Head::Experts,
            ..PLAIN
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
