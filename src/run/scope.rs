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
    /// All layers but the classifier.
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
            Self::Backbone => layer.group != CLASSIFIER,
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

    /// The scope called `name` in a run: a layer, a block, `backbone` or `network`. `None` where there is no such part.
    pub fn find(name: &str, started: &Started) -> Option<Self> {
        match name {
            "backbone" => Some(Self::Backbone),
            "network" => Some(Self::Network),
            // A network may have several classifiers, which are one block.
            CLASSIFIER if started.layers.iter().any(|layer| layer.group == name) => {
                Some(Self::Group(name.to_owned()))
            }
            _ if started.layers.iter().any(|layer| layer.name == name) => {
                Some(Self::Layer(name.to_owned()))
            }
            _ if started.layers.iter().any(|layer| layer.group == name) => {
                Some(Self::Group(name.to_owned()))
            }
            _ => None,
        }
    }
}
