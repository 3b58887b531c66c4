//! What a network consists of: its layer table and its parameters, without any numbers in them.

use crate::config::{Attention, Width};
use crate::run::CLASSIFIER;
use crate::run::event::Layer;

use super::BRANCHES;

/// The shape of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Input height, width and channels.
    pub image: [usize; 3],
    /// Number of classes K.
    pub classes: usize,
    /// Scale of the channel counts.
    pub width: Width,
    /// The gate.
    pub attention: Attention,
    /// The last layer.
    pub classifier: Classifier,
}

/// What makes logits of the features.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Classifier {
    /// W x + b.
    #[default]
    Linear,
    /// This scale times the cosines of x and the rows of W (LDAM's normalised classifier).
    Cosine(f64),
}

/// One trained parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamSpec {
    /// Name as in a PyTorch state dict, such as `branch2.conv1.weight`.
    pub name: String,
    /// Shape as in PyTorch: convolutions [Co, Ci, k, k], linear layers [out, in].
    pub shape: Vec<usize>,
    /// How it starts.
    pub init: Init,
}

/// How a parameter starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Init {
    /// Normal with standard deviation √(2/fan-in) (He et al. 2015).
    KaimingNormal {
        /// Inputs of one output value.
        fan_in: usize,
    },
    /// Uniform in ±1/√fan-in, PyTorch's default for linear layers.
    Uniform {
        /// Inputs of one output value.
        fan_in: usize,
    },
    /// All ones.
    Ones,
    /// All zeros.
    Zeros,
}

impl Spec {
    /// Channels of the stem, of a branch's first and second convolution, and after fusing.
    pub fn channels(&self) -> [usize; 4] {
        let [stem, first, second, fused] =
            [64, 96, 384, 128].map(|reference| self.width.scale(reference));
        if self.attention != Attention::Wide {
            return [stem, first, second, fused];
        }
        // As many channels more as cost what the gates cost: each is fed by a 3×3 convolution in every branch, has a
        // scale and a shift, and feeds the 1×1 convolution.
        let gates = BRANCHES * 2 * second * self.gate_hidden();
        let channel = BRANCHES * (9 * first + 2 + fused);
        [stem, first, second + (gates + channel / 2) / channel, fused]
    }

    /// Channels between the two layers of a gate.
    pub fn gate_hidden(&self) -> usize {
        self.width.scale(192)
    }

    /// The layer table, in forward order.
    pub fn layers(&self) -> Vec<Layer> {
        let [stem, first, second, fused] = self.channels();
        let [h, w, _] = self.image;
        let mut table = Table::default();
        table.add("stem", "conv1", "conv", [h, w, stem], &[]);
        table.chain("stem", "bn1", "batch_norm", [h, w, stem]);
        table.chain("stem", "conv2", "conv", [h, w, stem]);
        table.chain("stem", "bn2", "batch_norm", [h, w, stem]);
        let (h, w) = (h / 2, w / 2);
        table.chain("stem", "pool", "max_pool", [h, w, stem]);
        let mut ends = Vec::new();
        for branch in 1..=BRANCHES {
            let group = format!("branch{branch}");
            table.add(
                &group,
                "conv1",
                "conv",
                [h, w, first],
                &["stem.pool".to_owned()],
            );
            table.chain(&group, "bn1", "batch_norm", [h, w, first]);
            table.chain(&group, "pool", "max_pool", [h / 2, w / 2, first]);
            table.chain(&group, "conv2", "conv", [h / 2, w / 2, second]);
            table.chain(&group, "bn2", "batch_norm", [h / 2, w / 2, second]);
            if self.attention == Attention::Branch {
                table.chain(&group, "gate", "gate", [h / 2, w / 2, second]);
            }
            if self.attention == Attention::Constant {
                table.chain(&group, "scale", "scale", [h / 2, w / 2, second]);
            }
            ends.extend(table.last_name());
        }
        let (h, w) = (h / 2, w / 2);
        table.add("fuse", "concat", "concat", [h, w, BRANCHES * second], &ends);
        if self.attention == Attention::Shared {
            table.chain("fuse", "gate", "gate", [h, w, BRANCHES * second]);
        }
        table.chain("fuse", "conv", "conv", [h, w, fused]);
        table.chain("fuse", "bn", "batch_norm", [h, w, fused]);
        table.chain("fuse", "pool", "mean_pool", [1, 1, fused]);
        let pool = table.last_name();
        table.rows.push(Layer {
            name: CLASSIFIER.to_owned(),
            group: CLASSIFIER.to_owned(),
            kind: match self.classifier {
                Classifier::Linear => "linear",
                Classifier::Cosine(_) => "cosine",
            }
            .to_owned(),
            shape: vec![self.classes],
            params: 0,
            inputs: pool.into_iter().collect(),
            gram: None,
        });
        self.count_parameters(table.rows)
    }

    fn count_parameters(&self, mut layers: Vec<Layer>) -> Vec<Layer> {
        let params = self.params();
        let mut rows = 0;
        for layer in &mut layers {
            let own = params.iter().filter(|param| param.layer_is(&layer.name));
            layer.params = own.map(|param| param.shape.iter().product::<usize>()).sum();
            if layer.params > 0 {
                layer.gram = Some(rows);
                rows += 1;
            }
        }
        layers
    }

    /// Every trained parameter, in forward order.
    pub fn params(&self) -> Vec<ParamSpec> {
        let [stem, first, second, fused] = self.channels();
        let mut params = Vec::new();
        conv(&mut params, "stem.conv1", stem, self.image[2], 3);
        norm(&mut params, "stem.bn1", stem);
        conv(&mut params, "stem.conv2", stem, stem, 3);
        norm(&mut params, "stem.bn2", stem);
        for branch in 1..=BRANCHES {
            conv(
                &mut params,
                &format!("branch{branch}.conv1"),
                first,
                stem,
                3,
            );
            norm(&mut params, &format!("branch{branch}.bn1"), first);
            conv(
                &mut params,
                &format!("branch{branch}.conv2"),
                second,
                first,
                3,
            );
            norm(&mut params, &format!("branch{branch}.bn2"), second);
            if self.attention == Attention::Branch {
                gate(
                    &mut params,
                    &format!("branch{branch}.gate"),
                    second,
                    self.gate_hidden(),
                );
            }
            if self.attention == Attention::Constant {
                let layer = format!("branch{branch}.scale");
                push(&mut params, &layer, "logit", vec![second], Init::Zeros);
            }
        }
        if self.attention == Attention::Shared {
            gate(
                &mut params,
                "fuse.gate",
                BRANCHES * second,
                self.gate_hidden(),
            );
        }
        conv(&mut params, "fuse.conv", fused, BRANCHES * second, 1);
        norm(&mut params, "fuse.bn", fused);
        let init = Init::Uniform { fan_in: fused };
        push(
            &mut params,
            CLASSIFIER,
            "weight",
            vec![self.classes, fused],
            init,
        );
        if self.classifier == Classifier::Linear {
            push(&mut params, CLASSIFIER, "bias", vec![self.classes], init);
        }
        params
    }

    /// Names and channel counts of the batch-norm layers, in forward order.
    pub fn norms(&self) -> Vec<(String, usize)> {
        let layers = self.layers();
        let norms = layers
            .into_iter()
            .filter(|layer| layer.kind == "batch_norm");
        norms
            .map(|layer| (layer.name, layer.shape.last().copied().unwrap_or(0)))
            .collect()
    }
}

impl ParamSpec {
    /// Whether the parameter belongs to the layer called `layer`.
    pub fn layer_is(&self, layer: &str) -> bool {
        self.name
            .strip_prefix(layer)
            .is_some_and(|rest| rest.starts_with('.'))
    }
}

/// The layer table while it is being made.
#[derive(Default)]
struct Table {
    rows: Vec<Layer>,
}

impl Table {
    fn add(&mut self, group: &str, name: &str, kind: &str, shape: [usize; 3], inputs: &[String]) {
        self.rows.push(Layer {
            name: format!("{group}.{name}"),
            group: group.to_owned(),
            kind: kind.to_owned(),
            shape: shape.to_vec(),
            params: 0,
            inputs: inputs.to_vec(),
            gram: None,
        });
    }

    /// A layer that reads the one before it.
    fn chain(&mut self, group: &str, name: &str, kind: &str, shape: [usize; 3]) {
        let input: Vec<String> = self.last_name().into_iter().collect();
        self.add(group, name, kind, shape, &input);
    }

    fn last_name(&self) -> Option<String> {
        self.rows.last().map(|layer| layer.name.clone())
    }
}

fn push(params: &mut Vec<ParamSpec>, layer: &str, name: &str, shape: Vec<usize>, init: Init) {
    params.push(ParamSpec {
        name: format!("{layer}.{name}"),
        shape,
        init,
    });
}

fn conv(params: &mut Vec<ParamSpec>, layer: &str, outputs: usize, inputs: usize, k: usize) {
    let init = Init::KaimingNormal {
        fan_in: inputs * k * k,
    };
    push(params, layer, "weight", vec![outputs, inputs, k, k], init);
}

fn norm(params: &mut Vec<ParamSpec>, layer: &str, channels: usize) {
    push(params, layer, "weight", vec![channels], Init::Ones);
    push(params, layer, "bias", vec![channels], Init::Zeros);
}

fn gate(params: &mut Vec<ParamSpec>, layer: &str, channels: usize, hidden: usize) {
    push(
        params,
        layer,
        "fc1.weight",
        vec![hidden, channels],
        Init::KaimingNormal { fan_in: channels },
    );
    push(
        params,
        layer,
        "fc2.weight",
        vec![channels, hidden],
        Init::KaimingNormal { fan_in: hidden },
    );
}
