//! A probe's tensors on disk: `probes/<step:08>.safetensors`.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors};

use crate::gradient::gram::Gram;
use crate::gradient::ledger::Ledger;

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
        let pieces = self.n.len().checked_div(self.classes)?;
        if a >= self.classes || b >= self.classes {
            return None;
        }
        let of = |k: usize| k * pieces..(k + 1) * pieces;
        let kept: Vec<usize> = of(a).chain(of(b)).collect();
        let take = |values: &[f32]| kept.iter().map(|&row| values[row]).collect::<Vec<_>>();
        let layers: Vec<_> = self
            .layers_of(rows)?
            .into_iter()
            .map(|(products, update)| {
                let lines = kept.iter().map(|&row| &products[row * self.n.len()..]);
                (lines.flat_map(take).collect::<Vec<_>>(), take(update))
            })
            .collect();
        let layers = layers.iter().map(|(x, y)| (x.as_slice(), y.as_slice()));
        Gram::sum(2, &take(&self.n), layers)
    }

    /// What every class's share of a gradient step does to class k, summed over some layers; none where `rows` is empty
    /// or out of range, or there is no such class.
    pub fn ledger_of(&self, rows: &[usize], k: usize) -> Option<Ledger> {
        Ledger::sum(k, self.classes, &self.n, self.layers_of(rows)?)
    }

    /// Mean cross-entropy of class k's probe images, in nats; none where it has none.
    pub fn class_loss(&self, k: usize) -> Option<f64> {
        let pieces = self.n.len().checked_div(self.classes)?;
        let own = k * pieces..(k + 1) * pieces;
        let (n, loss) = (self.n.get(own.clone())?, self.loss.get(own)?);
        let present = || n.iter().zip(loss).filter(|(n, _)| **n > 0.0);
        let total: f64 = present().map(|(n, _)| f64::from(*n)).sum();
        let sum: f64 = present().map(|(n, x)| f64::from(*n) * f64::from(*x)).sum();
        (total > 0.0).then(|| sum / total)
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

fn from_little_endian(bytes: &[u8]) -> Vec<f32> {
    let (words, _) = bytes.as_chunks::<4>();
    words.iter().map(|word| f32::from_le_bytes(*word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn a_pair_has_the_cell_it_has_among_all_classes() {
        let (classes, pieces, layers) = (5, 3, 4);
        let size = classes * pieces;
        let mut random = Random::new(0, "pair", 0, 0);
        let mut numbers =
            |len: usize| -> Vec<f32> { (0..len).map(|_| random.normal() as f32).collect() };
        let mut probe = ProbeTensors {
            classes,
            gram: numbers(layers * size * size),
            update: numbers(layers * size),
            n: vec![8.0; size],
            ..ProbeTensors::default()
        };
        // Squares are positive, and class 4 lacks a piece.
        for layer in 0..layers {
            (0..size).for_each(|row| probe.gram[(layer * size + row) * size + row] = 9.0);
        }
        probe.n[4 * pieces + 1] = 0.0;
        let rows = [0, 2, 3];
        let all = probe.gram_of(&rows).unwrap();
        for (a, b) in [(0, 1), (3, 2), (4, 0)] {
            let pair = probe.gram_of_pair(&rows, a, b).unwrap();
            assert_eq!(pair.cell(0, 1), all.cell(a, b));
            assert_eq!([pair.norm(0), pair.norm(1)], [all.norm(a), all.norm(b)]);
            assert_eq!(pair.update_effect(1), all.update_effect(b));
        }
        assert!(probe.gram_of_pair(&rows, 0, 5).is_none());
        assert!(
            probe.gram_of_pair(&[], 0, 1).is_none() && probe.gram_of_pair(&[4], 0, 1).is_none()
        );
    }
}
