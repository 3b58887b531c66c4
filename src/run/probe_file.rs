//! A probe's tensors on disk: `probes/<step:08>.safetensors`.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors};

use crate::gradient::gram::Gram;

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
        let size = self.n.len();
        let layer = |row: usize| {
            let products = self.gram.get(row * size * size..(row + 1) * size * size)?;
            Gram::new(
                self.classes,
                &self.n,
                products,
                self.update.get(row * size..(row + 1) * size)?,
            )
        };
        let (first, rest) = rows.split_first()?;
        let mut sum = layer(*first)?;
        for &row in rest {
            sum.add(&layer(row)?);
        }
        Some(sum)
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

fn from_little_endian(bytes: &[u8]) -> Vec<f32> {
    let (words, _) = bytes.as_chunks::<4>();
    words.iter().map(|word| f32::from_le_bytes(*word)).collect()
}
