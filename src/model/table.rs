//! The layer table under construction, together with the parameters of its layers: so both are in the same order.

use crate::config::NormKind;
use crate::network::Layer;

use super::param_spec::{Init, ParamSpec, conv, norm, push};

/// Layers and their parameters, in forward order.
pub(super) struct Table {
    norm: NormKind,
    pub(super) rows: Vec<Layer>,
    pub(super) params: Vec<ParamSpec>,
}

/// The sizes of a convolution whose output is as large as its input.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    /// Height and width.
    pub(super) image: [usize; 2],
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    /// Side of the kernel.
    pub(super) kernel: usize,
}

/// Name of the norm after the convolution `conv` of the same group: `bn2` after `conv2`.
pub(super) fn norm_name(conv: &str) -> String {
    conv.replacen("conv", "bn", 1)
}

impl Table {
    pub(super) fn new(norm: NormKind) -> Self {
        Self {
            norm,
            rows: Vec::new(),
            params: Vec::new(),
        }
    }

    pub(super) fn add(
        &mut self,
        group: &str,
        name: &str,
        kind: &str,
        shape: &[usize],
        inputs: &[String],
    ) {
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

    /// A layer that is a group of its own.
    pub(super) fn single(&mut self, name: &str, kind: &str, shape: &[usize], inputs: &[String]) {
        self.add("", "", kind, shape, inputs);
        if let Some(row) = self.rows.last_mut() {
            row.name = name.to_owned();
            row.group = name.to_owned();
        }
    }

    /// A layer that reads the one before it.
    pub(super) fn chain(&mut self, group: &str, name: &str, kind: &str, shape: &[usize]) {
        self.add(group, name, kind, shape, &self.last());
    }

    /// The convolution `name` with the norm after it, or with a bias where there is no norm.
    pub(super) fn conv(&mut self, group: &str, name: &str, sizes: Sizes, inputs: &[String]) {
        let Sizes {
            image: [h, w],
            inputs: from,
            outputs,
            kernel,
        } = sizes;
        let (layer, shape) = (format!("{group}.{name}"), [h, w, outputs]);
        self.add(group, name, "conv", &shape, inputs);
        conv(&mut self.params, &layer, outputs, from, kernel);
        let kind = match self.norm {
            NormKind::Batch => "batch_norm",
            NormKind::Group => "group_norm",
            NormKind::None => {
                push(&mut self.params, &layer, "bias", vec![outputs], Init::Zeros);
                return;
            }
        };
        let own = norm_name(name);
        self.chain(group, &own, kind, &shape);
        norm(&mut self.params, &format!("{group}.{own}"), outputs);
    }

    /// Name of the last layer, as the input of the next.
    pub(super) fn last(&self) -> Vec<String> {
        self.rows
            .last()
            .map(|row| row.name.clone())
            .into_iter()
            .collect()
    }

    /// The layers, each with the number of its parameters and its row in the Gram tensors.
    pub(super) fn layers(self) -> Vec<Layer> {
        let (mut layers, params) = (self.rows, self.params);
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
}
