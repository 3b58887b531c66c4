//! The shape of a network: its layer table and its parameters, without their values.

use crate::config::{Attention, GatePlace, NormKind, Width};
use crate::network::{CLASS_ATTENTION, CLASSIFIER, Layer};

use super::attention::{Head, Place, Scaling, Scope, plan};
use super::layout::{GROUPS, Layout};
use super::param_spec::{Init, ParamSpec, push};
use super::table::{Sizes, Table};

/// Name of the group that joins the branches.
pub(super) const FUSE: &str = "fuse";
/// Name of the layer in which classes attend over the branches, and of its group.
pub(super) const ATTENTION: &str = "attention";

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
    /// Branches, gates and norms.
    pub layout: Layout,
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
        let [stem, first, second, fused] = self.reference_channels();
        if !plan(self.attention).is_widened {
            return [stem, first, second, fused];
        }
        // The additional channels have about as many parameters as the gates would have. One channel more in each
        // branch costs the weights of the 3×3 convolution that feeds it, a scale and a shift (without norm a bias alone),
        // and the weights of the 1×1 convolution that reads it.
        let branches = self.layout.branches.len();
        let gated = self.gated_channels();
        let gates = branches * 2 * gated * self.gate_hidden(gated);
        let affine = if self.layout.norm == NormKind::None {
            1
        } else {
            2
        };
        let channel = branches * (9 * first + affine + fused);
        let widened = second + (gates + channel / 2) / channel;
        let widened = match self.layout.norm {
            NormKind::Batch | NormKind::None => widened,
            NormKind::Group => (widened + GROUPS / 2) / GROUPS * GROUPS,
        };
        [stem, first, widened, fused]
    }

    /// [`Self::channels`] without wider branches.
    fn reference_channels(&self) -> [usize; 4] {
        [64, 96, 384, 128].map(|reference| self.width.scale(reference))
    }

    /// Channels of a branch where gates weigh them.
    fn gated_channels(&self) -> usize {
        let [stem, first, second, _] = self.reference_channels();
        match self.layout.gate_place {
            GatePlace::Stem => stem,
            GatePlace::Middle => first,
            GatePlace::End => second,
        }
    }

    /// Channels between the two layers of a gate over `channels` channels of each branch. A gate over all branches
    /// together has as many as one gate of a branch alone, and so as many parameters as the gates of all branches.
    pub fn gate_hidden(&self, channels: usize) -> usize {
        (channels / self.layout.gate_reduction.max(1)).max(1)
    }

    /// How logits are made of the ends of the branches.
    pub(super) fn head(&self) -> Head {
        plan(self.attention).head
    }

    /// Names of the groups of the branches, `branch1` and so on.
    pub(super) fn branch_names(&self) -> Vec<String> {
        let numbers = 1..=self.layout.branches.len();
        numbers.map(|branch| format!("branch{branch}")).collect()
    }

    /// Kind and names of the layers that scale channels at a place: one layer in each of `groups`; none where the variant
    /// scales no channels there.
    pub(super) fn scaling(&self, at: Place, groups: &[String]) -> Option<(Scaling, Vec<String>)> {
        let (scaling, scope) = plan(self.attention).scaling?;
        let own = match scope {
            Scope::EachBranch => Place::Branch(self.layout.gate_place),
            Scope::Fused => Place::Fused,
        };
        let layer = |group: &String| format!("{group}.{}", scaling.layer());
        (own == at).then(|| (scaling, groups.iter().map(layer).collect()))
    }

    /// The layer table, in forward order.
    pub fn layers(&self) -> Vec<Layer> {
        self.table().layers()
    }

    /// Every trained parameter, in forward order.
    pub fn params(&self) -> Vec<ParamSpec> {
        self.table().params
    }

    fn table(&self) -> Table {
        let [stem, _, _, fused] = self.channels();
        let [h, w, colours] = self.image;
        let mut table = Table::new(self.layout.norm);
        let sizes = |inputs| Sizes {
            image: [h, w],
            inputs,
            outputs: stem,
            kernel: 3,
        };
        table.conv("stem", "conv1", sizes(colours), &[]);
        table.conv("stem", "conv2", sizes(stem), &table.last());
        table.chain("stem", "pool", "max_pool", &[h / 2, w / 2, stem]);
        let stem_end = table.last();
        let mut ends = Vec::new();
        for branch in 0..self.layout.branches.len() {
            self.add_branch(&mut table, branch, &stem_end);
            ends.extend(table.last());
        }
        match self.head() {
            Head::Joined => self.add_joined(&mut table, &ends),
            Head::ClassAttention => {
                table.single(ATTENTION, CLASS_ATTENTION, &[self.classes, fused], &ends);
                let (shape, init) = (vec![self.classes, fused], Init::Uniform { fan_in: fused });
                push(&mut table.params, ATTENTION, "query", shape, init);
                self.add_classifier(&mut table, fused);
            }
            Head::Experts => self.add_experts(&mut table, &ends, fused),
        }
        table
    }

    /// Adds the layers that join the branches, which end with the layers `ends`, up to the classifier.
    fn add_joined(&self, table: &mut Table, ends: &[String]) {
        let [_, _, second, fused] = self.channels();
        let [h, w, _] = self.image;
        let image = [h / 2 / 2, w / 2 / 2];
        let joined = ends.len() * second;
        if ends.len() > 1 {
            table.add(
                FUSE,
                "concat",
                "concat",
                &[image[0], image[1], joined],
                ends,
            );
        }
        self.add_scaling(table, Place::Fused, FUSE, (image, joined));
        let sizes = Sizes {
            image,
            inputs: joined,
            outputs: fused,
            kernel: 1,
        };
        table.conv(FUSE, "conv", sizes, &table.last());
        table.chain(FUSE, "pool", "mean_pool", &[1, 1, fused]);
        self.add_classifier(table, fused);
    }

    /// Adds a classifier for each of the layers `ends`, and the mean of their logits.
    fn add_experts(&self, table: &mut Table, ends: &[String], features: usize) {
        let names = self.expert_names();
        let init = Init::Uniform { fan_in: features };
        for (end, name) in ends.iter().zip(&names) {
            let from = std::slice::from_ref(end);
            table.add(CLASSIFIER, name, "linear", &[self.classes], from);
            let layer = format!("{CLASSIFIER}.{name}");
            let shape = vec![self.classes, features];
            push(&mut table.params, &layer, "weight", shape, init);
            push(&mut table.params, &layer, "bias", vec![self.classes], init);
        }
        let experts = names.iter().map(|name| format!("{CLASSIFIER}.{name}"));
        let experts: Vec<String> = experts.collect();
        table.add(CLASSIFIER, "mean", "mean", &[self.classes], &experts);
    }

    /// Names of the classifiers of the branches in their group, `expert1` and so on.
    pub(super) fn expert_names(&self) -> Vec<String> {
        let numbers = 1..=self.layout.branches.len();
        numbers.map(|branch| format!("expert{branch}")).collect()
    }

    /// Adds the layers of the branch with this index, which reads the layer `from`.
    fn add_branch(&self, table: &mut Table, branch: usize, from: &[String]) {
        let [stem, first, second, fused] = self.channels();
        let image = [self.image[0] / 2, self.image[1] / 2];
        let group = &self.branch_names()[branch];
        // The layer that the first convolution reads: the stem, or a gate that reads the stem.
        let before = table.rows.len();
        self.add_scaling(table, Place::Branch(GatePlace::Stem), group, (image, stem));
        let mut inputs = from.to_vec();
        if let Some(gate) = table.rows.get_mut(before) {
            gate.inputs = from.to_vec();
            inputs = vec![gate.name.clone()];
        }
        let sizes = Sizes {
            image,
            inputs: stem,
            outputs: first,
            kernel: self.layout.branches[branch].kernel,
        };
        table.conv(group, "conv1", sizes, &inputs);
        let image = [image[0] / 2, image[1] / 2];
        table.chain(group, "pool", "max_pool", &[image[0], image[1], first]);
        self.add_scaling(
            table,
            Place::Branch(GatePlace::Middle),
            group,
            (image, first),
        );
        let sizes = Sizes {
            image,
            inputs: first,
            outputs: second,
            kernel: 3,
        };
        table.conv(group, "conv2", sizes, &table.last());
        self.add_scaling(table, Place::Branch(GatePlace::End), group, (image, second));
        if self.head() != Head::Joined {
            let sizes = Sizes {
                image,
                inputs: second,
                outputs: fused,
                kernel: 1,
            };
            table.conv(group, "conv3", sizes, &table.last());
            table.chain(group, "mean_pool", "mean_pool", &[1, 1, fused]);
        }
    }

    /// Adds the layer that scales the channels of the last layer, [H, W] and channels, where the variant has one at this
    /// place.
    fn add_scaling(
        &self,
        table: &mut Table,
        at: Place,
        group: &str,
        ([h, w], channels): ([usize; 2], usize),
    ) {
        let groups = [group.to_owned()];
        let Some((scaling, names)) = self.scaling(at, &groups) else {
            return;
        };
        let kind = scaling.layer();
        table.chain(group, kind, kind, &[h, w, channels]);
        let hidden = self.gate_hidden(self.gated_channels());
        for name in names {
            scaling.add_params(&mut table.params, &name, channels, hidden);
        }
    }

    fn add_classifier(&self, table: &mut Table, features: usize) {
        let classes = self.classes;
        let (kind, has_bias) = match self.classifier {
            Classifier::Linear => ("linear", true),
            Classifier::Cosine(_) => ("cosine", false),
        };
        let inputs = table.last();
        table.single(CLASSIFIER, kind, &[classes], &inputs);
        let init = Init::Uniform { fan_in: features };
        let shape = vec![classes, features];
        push(&mut table.params, CLASSIFIER, "weight", shape, init);
        if has_bias {
            push(&mut table.params, CLASSIFIER, "bias", vec![classes], init);
        }
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
