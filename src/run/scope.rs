//! Parts of the network for which gradients are shown.

use serde::{Deserialize, Serialize};

use super::event::Started;
use crate::network::{CLASSIFIER, Layer};

/// A part of the network. Its Gram matrix is the sum of its layers' Gram matrices.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// One layer, by name.
    Layer(String),
    /// All layers of a block, by the name of their group, such as `branch2`.
    Group(String),
    /// All layers but the classifier, and the queries of class attention.
    Backbone,
    /// Every layer.
    Network,
}

impl Scope {
    /// Whether a layer belongs to the scope.
    pub fn covers(&self, layer: &Layer) -> bool {
        match self {
            Self::Layer(name) => layer.name == *name,
            Self::Group(group) => layer.group == *group,
            Self::Backbone => layer.is_in_backbone(),
            Self::Network => true,
        }
    }

    /// Name on screen and on the command line.
    pub fn name(&self) -> &str {
        match self {
            Self::Layer(name) | Self::Group(name) => name,
            Self::Backbone => "backbone",
            Self::Network => "network",
        }
    }

    /// The part of a network that a layer stands for: the layer alone, or the block of all classifiers, of which another
    /// network may have several.
    pub fn of(layer: &Layer) -> Self {
        match layer.name.as_str() {
            CLASSIFIER => Self::Group(layer.group.clone()),
            name => Self::Layer(name.to_owned()),
        }
    }

    /// The scope called `name` in a run: a layer, a block, `backbone` or `network`. `None` where there is no such part.
    pub fn find(name: &str, started: &Started) -> Option<Self> {
        match name {
            "backbone" => Some(Self::Backbone),
            "network" => Some(Self::Network),
            _ => {
                let layer = started.layers.iter().find(|layer| layer.name == name);
                let is_group = || started.layers.iter().any(|layer| layer.group == name);
                let group = || is_group().then(|| Self::Group(name.to_owned()));
                layer.map(Self::of).or_else(group)
            }
        }
    }
}
