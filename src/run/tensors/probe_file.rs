//! A probe's tensors on disk: `probes/<step:08>.safetensors`.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors};

use crate::gradient::gram::Gram;

use super::class_rows::ClassRows;
use crate::run::bytes::{from_little_endian, little_endian, write_tensors};
use crate::run::error::RunError;

/// The tensors of one probe. L layers with parameters, K classes, S pieces.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProbeTensors {
    /// Number of classes K.
    pub classes: usize,
    /// Inner products of the gradients of all pieces, layer by layer: `[L, K·S, K·S]`, row a·S+s for piece s of class
    /// a.
    pub gram: Vec<f32>,
    /// ⟨`g[a,s]`, Δθ⟩ for the change Δθ of the weights in the last optimiser step, `[L, K·S]`; zeros before the first
    /// step.
    pub update: Vec<f32>,
    /// Mean cross-entropy of each piece in nats, `[K·S]`; NaN for an empty piece.
    pub loss: Vec<f32>,
    /// Number of images of each piece, `[K·S]`.
    pub n: Vec<f32>,
    /// Mean gates by the name of their branch, `[K, channels]` each; NaN for a class without images. Empty without
    /// attention.
    pub gates: BTreeMap<String, Vec<f32>>,
}

impl ProbeTensors {
    /// The Gram matrix summed over the layers `rows`; `None` where `rows` is empty or out of range.
    pub fn gram_of(&self, rows: &[usize]) -> Option<Gram> {
        Gram::sum(self.classes, &self.n, self.layers_of(rows)?)
    }

    /// The Gram matrix of two classes alone, summed over the layers `rows`: `a` becomes class 0, `b` class 1. `None`
    /// where `rows` is empty or out of range, or there is no such class.
    pub fn gram_of_pair(&self, rows: &[usize], a: usize, b: usize) -> Option<Gram> {
        self.rows_of(a)?.gram_with(&self.rows_of(b)?, rows)
    }

    /// The rows of one class; `None` where there is no such class or the tensors' shapes do not fit together.
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

    /// Bytes that the tensors take in memory.
    pub fn bytes(&self) -> usize {
        let gates: usize = self.gates.values().map(Vec::len).sum();
        let values = self.gram.len() + self.update.len() + self.loss.len() + self.n.len() + gates;
        values * size_of::<f32>()
    }

    /// Products `[K·S, K·S]` and updates `[K·S]` of the layers `rows`.
    fn layers_of(&self, rows: &[usize]) -> Option<Vec<(&[f32], &[f32])>> {
        let size = self.n.len();
        let layer = |&row: &usize| {
            let products = self.gram.get(row * size * size..(row + 1) * size * size)?;
            Some((products, self.update.get(row * size..(row + 1) * size)?))
        };
        let layers: Option<Vec<_>> = rows.iter().map(layer).collect();
        layers.filter(|layers| !layers.is_empty())
    }

    /// Number of layers with parameters L.
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
        write_tensors(path, &tensors, None)
    }

    /// Reads the tensors of a probe of `classes` classes.
    ///
    /// # Errors
    /// Where the file is missing or cut short, or does not hold the tensors of such a probe.
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
