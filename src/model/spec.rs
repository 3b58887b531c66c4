//! The shape of a network: its layer table and its parameters, without their values.

use crate::config::{Attention, Width};
use crate::network::{CLASSIFIER, Layer};

use super::attention::{Place, Scaling, plan};
use super::param_spec::{Init, ParamSpec, conv, norm, push};

/// Number of parallel branches; branch b has dilation b, counted from 1.
pub const BRANCHES: usize = 3;

/// Name of the group that joins the branches.
const FUSE: &str = "fuse";

/// The shape of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Input height, width and channels.
    pub image: [usize; 3],
    /// Number of classes K.
    pub classes: usize,
    /// Factor by which the channel counts of the reference network are multiplied.
    pub width: Width,
    /// The attention variant.
    pub attention: Attention,
    /// The last layer.
    pub classifier: Classifier,
}

/// The layer that makes logits of the features.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Classifier {
    /// W x + b.
    #[default]
    Linear,
    /// The given scale times the cosines of x and the rows of W (LDAM's normalised classifier).
    Cosine(f64),
}

impl Spec {
    /// Channels of the stem, of the first and the second convolution of a branch, and after the branches are fused.
    pub fn channels(&self) -> [usize; 4] {
        let [stem, first, second, fused] =
            [64, 96, 384, 128].map(|reference| self.width.scale(reference));
        if !plan(self.attention).is_widened {
            return [stem, first, second, fused];
        }
        // The additional channels have about as many parameters as the gates would have. One channel more in each
        // branch costs the weights of the 3×3 convolution that feeds it, a scale and a shift, and the weights of the
        // 1×1 convolution that reads it.
        let gates = BRANCHES * 2 * second * self.gate_hidden();
        let channel = BRANCHES * (9 * first + 2 + fused);
        [stem, first, second + (gates + channel / 2) / channel, fused]
    }

    /// Channels between the two layers of a gate.
    pub fn gate_hidden(&self) -> usize {
        self.width.scale(192)
    }

    /// Kind and names of the layers that scale the channels of the branches: one layer at the end of each branch, or
    /// one layer over all branches; none where the variant scales no channels.
    pub(super) fn scaling(&self) -> Option<(Scaling, Vec<String>)> {
        let (scaling, place) = plan(self.attention).scaling?;
        let groups: Vec<String> = match place {
            Place::EachBranch => (1..=BRANCHES).map(branch_name).collect(),
            Place::Fused => vec![FUSE.to_owned()],
        };
        let layer = |group: String| format!("{group}.{}", scaling.layer());
        Some((scaling, groups.into_iter().map(layer).collect()))
    }

    /// The layer table, in forward order.
    pub fn layers(&self) -> Vec<Layer> {
        let [stem, first, second, fused] = self.channels();
        let [h, w, _] = self.image;
        let scaling = plan(self.attention).scaling;
        let mut table = Table::default();
        table.add("stem", "conv1", "conv", [h, w, stem], &[]);
        table.chain("stem", "bn1", "batch_norm", [h, w, stem]);
        table.chain("stem", "conv2", "conv", [h, w, stem]);
        table.chain("stem", "bn2", "batch_norm", [h, w, stem]);
        let (h, w) = (h / 2, w / 2);
        table.chain("stem", "pool", "max_pool", [h, w, stem]);
        let mut ends = Vec::new();
        for branch in 1..=BRANCHES {
            let group = branch_name(branch);
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
            if let Some((scaling, Place::EachBranch)) = scaling {
                let layer = scaling.layer();
                table.chain(&group, layer, layer, [h / 2, w / 2, second]);
            }
            ends.extend(table.last_name());
        }
        let (h, w) = (h / 2, w / 2);
        table.add("fuse", "concat", "concat", [h, w, BRANCHES * second], &ends);
        if let Some((scaling, Place::Fused)) = scaling {
            let layer = scaling.layer();
            table.chain(FUSE, layer, layer, [h, w, BRANCHES * second]);
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
        let (scaling, hidden) = (plan(self.attention).scaling, self.gate_hidden());
        let mut params = Vec::new();
        conv(&mut params, "stem.conv1", stem, self.image[2], 3);
        norm(&mut params, "stem.bn1", stem);
        conv(&mut params, "stem.conv2", stem, stem, 3);
        norm(&mut params, "stem.bn2", stem);
        for branch in 1..=BRANCHES {
            let group = branch_name(branch);
            conv(&mut params, &format!("{group}.conv1"), first, stem, 3);
            norm(&mut params, &format!("{group}.bn1"), first);
            conv(&mut params, &format!("{group}.conv2"), second, first, 3);
            norm(&mut params, &format!("{group}.bn2"), second);
            if let Some((scaling, Place::EachBranch)) = scaling {
                let layer = format!("{group}.{}", scaling.layer());
                scaling.add_params(&mut params, &layer, second, hidden);
            }
        }
        if let Some((scaling, Place::Fused)) = scaling {
            let layer = format!("{FUSE}.{}", scaling.layer());
            scaling.add_params(&mut params, &layer, BRANCHES * second, hidden);
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

/// Name of the group of a branch, which is counted from 1.
pub(super) fn branch_name(branch: usize) -> String {
    format!("branch{branch}")
}

/// The layer table under construction.
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
