//! A probe's tensors on disk: `probes/<step:08>.safetensors`.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors};

use crate::gradient::gram::Gram;

use super::class_rows::ClassRows;
use super::log::RunError;

/// The tensors of one probe. L layers with parameters, K classes, S pieces.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProbeTensors {
    /// Number of classes K.
    pub classes: usize,
    /// Gram matrices, [L, K·S, K·S], row a·S+s.
    pub gram: Vec<f32>,
    /// ⟨`g[a,s]`, Δθ⟩ of the last optimiser step, `[L, K·S]`; zeros before the first.
    pub update: Vec<f32>,
    /// Mean cross-entropy of each piece in nats, [K·S]; NaN for an empty piece.
    pub loss: Vec<f32>,
    /// Images of each piece, [K·S].
    pub n: Vec<f32>,
    /// Mean gate by branch name, [K, channels]; empty without attention. NaN for a class without images.
    pub gates: BTreeMap<String, Vec<f32>>,
}

impl ProbeTensors {
    /// The Gram matrix summed over some layers; none where `rows` is empty or out of range.
    pub fn gram_of(&self, rows: &[usize]) -> Option<Gram> {
        Gram::sum(self.classes, &self.n, self.layers_of(rows)?)
    }

    /// As [`Self::gram_of`], of two classes alone: `a` becomes class 0, `b` class 1. None also where there is no such
    /// class.
    pub fn gram_of_pair(&self, rows: &[usize], a: usize, b: usize) -> Option<Gram> {
        self.rows_of(a)?.gram_with(&self.rows_of(b)?, rows)
    }

    /// The rows of one class; none where there is no such class or the tensors do not fit together.
    pub fn rows_of(&self, class: usize) -> Option<ClassRows> {
        let (size, layers) = (self.n.len(), self.layers());
        let pieces = size.checked_div(self.classes)?;
        let fits = self.gram.len() == layers * size * size && self.update.len() == layers * size;
        if class >= self.classes || !fits {
            return None;
        }
        let first = |layer: usize| layer * size + class * pieces;
        let products = (0..layers).map(|layer| first(layer) * size);
        let products = products.flat_map(|at| &self.gram[at..at + pieces * size]);
        let updates =
            (0..layers).flat_map(|layer| &self.update[first(layer)..first(layer) + pieces]);
        Some(ClassRows {
            class,
            classes: self.classes,
            gram: products.copied().collect(),
            update: updates.copied().collect(),
            loss: self.loss.clone(),
            n: self.n.clone(),
        })
    }

    /// What it takes in memory.
    pub fn bytes(&self) -> usize {
        let gates: usize = self.gates.values().map(Vec::len).sum();
        let values = self.gram.len() + self.update.len() + self.loss.len() + self.n.len() + gates;
        values * size_of::<f32>()
    }

    /// Products [K·S, K·S] and update [K·S] of some layers.
    fn layers_of(&self, rows: &[usize]) -> Option<Vec<(&[f32], &[f32])>> {
        let size = self.n.len();
        let layer = |&row: &usize| {
            let products = self.gram.get(row * size * size..(row + 1) * size * size)?;
            Some((products, self.update.get(row * size..(row + 1) * size)?))
        };
        let layers: Option<Vec<_>> = rows.iter().map(layer).collect();
        layers.filter(|layers| !layers.is_empty())
    }

    /// Number of layers L.
    pub fn layers(&self) -> usize {
        if self.n.is_empty() {
            0
        } else {
            self.update.len() / self.n.len()
        }
    }

    /// Writes the file whole.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), RunError> {
        let (rows, layers) = (self.n.len(), self.layers());
        let entry = |name: &str, shape: Vec<usize>, values: &[f32]| {
            (name.to_owned(), Dtype::F32, shape, little_endian(values))
        };
        let mut tensors = vec![
            entry("gram", vec![layers, rows, rows], &self.gram),
            entry("update", vec![layers, rows], &self.update),
            entry("loss", vec![rows], &self.loss),
            entry("n", vec![rows], &self.n),
        ];
        for (branch, gates) in &self.gates {
            let shape = vec![self.classes, gates.len() / self.classes.max(1)];
            tensors.push(entry(&format!("gates/{branch}"), shape, gates));
        }
        super::log::write_tensors(path, &tensors, None)
    }

    /// Reads the file.
    ///
    /// # Errors
    /// Where the file is missing, cut short, or not what a probe writes.
    pub fn load(path: &Path, classes: usize) -> Result<Self, RunError> {
        let bytes =
            std::fs::read(path).map_err(|e| RunError::io("read the probe file", path, e))?;
        let file = SafeTensors::deserialize(&bytes).map_err(|e| RunError::damaged(path, e))?;
        let read = |name: &str| {
            let view = file.tensor(name).map_err(|e| RunError::damaged(path, e))?;
            if view.dtype() != Dtype::F32 {
                return Err(RunError::damaged(path, format!("`{name}` is not f32")));
            }
            Ok(from_little_endian(view.data()))
        };
        let mut probe = Self {
            classes,
            gram: read("gram")?,
            update: read("update")?,
            loss: read("loss")?,
            n: read("n")?,
            gates: BTreeMap::new(),
        };
        for name in file.names() {
            if let Some(branch) = name.strip_prefix("gates/") {
                probe.gates.insert(branch.to_owned(), read(name)?);
            }
        }
        let rows = probe.n.len();
        let fits = classes > 0
            && rows.is_multiple_of(classes)
            && probe.update.len().is_multiple_of(rows.max(1))
            && probe.gram.len() == probe.update.len() * rows
            && probe.loss.len() == rows;
        if fits {
            Ok(probe)
        } else {
            Err(RunError::damaged(
                path,
                "the tensors' shapes do not fit together",
            ))
        }
    }
}

fn little_endian(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

pub(super) fn from_little_endian(bytes: &[u8]) -> Vec<f32> {
    let (words, _) = bytes.as_chunks::<4>();
    words.iter().map(|word| f32::from_le_bytes(*word)).collect()
}
