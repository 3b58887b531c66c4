//! A probe's tensors on disk: `probes/<step:08>.safetensors`.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors};

use crate::gradient::gram::Gram;

use super::checks::Checks;
use super::class_rows::ClassRows;
use super::measure::{Measure, spread_columns, spread_rows};
use crate::network::BatchNorm;
use crate::run::bytes::{from_little_endian, little_endian, read_tensors, write_tensors};
use crate::run::error::RunError;

/// The tensors of one probe, measured with one way of treating batch norm. L layers with parameters, K classes, S
/// pieces.
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
    /// Beside tensors measured with batch norm as in training: the same probe with batch norm frozen.
    pub frozen: Option<Box<Self>>,
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
        let frozen = self.frozen.as_ref().map_or(0, |frozen| frozen.bytes());
        values * size_of::<f32>() + frozen
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

    /// Writes the file of a probe whole: these tensors, measured with batch norm frozen, and those measured as in
    /// `training`. Of the latter, classes without images there are left out of the file.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn save(&self, path: &Path, training: Option<&Self>) -> Result<(), RunError> {
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
        if let Some(training) = training {
            let pieces = rows / self.classes.max(1);
            let measured: Vec<usize> = (0..self.classes)
                .filter(|&k| {
                    let own = k * pieces..(k + 1) * pieces;
                    training.n == self.n || training.n[own].iter().any(|&n| n > 0.0)
                })
                .collect();
            let kept: Vec<usize> = measured
                .iter()
                .flat_map(|&k| k * pieces..(k + 1) * pieces)
                .collect();
            let size = kept.len();
            let vector = |values: &[f32]| -> Vec<f32> {
                let rows = values.chunks_exact(rows.max(1));
                rows.flat_map(|row| kept.iter().map(|&at| row[at]))
                    .collect()
            };
            let gram = vector(&training.gram);
            let gram: Vec<f32> = gram
                .chunks_exact((rows * size).max(1))
                .flat_map(|layer| kept.iter().flat_map(|&at| &layer[at * size..][..size]))
                .copied()
                .collect();
            tensors.push(entry("gram.training", vec![layers, size, size], &gram));
            let update = vector(&training.update);
            tensors.push(entry("update.training", vec![layers, size], &update));
            let loss = vector(&training.loss);
            tensors.push(entry("loss.training", vec![size], &loss));
            let classes = measured.iter().flat_map(|&k| (k as u16).to_le_bytes());
            let shape = vec![measured.len()];
            let name = "classes.training".to_owned();
            tensors.push((name, Dtype::U16, shape, classes.collect()));
        }
        write_tensors(path, &tensors, None)
    }

    /// Reads the tensors of a probe of `classes` classes that were measured with batch norm as `batch_norm` says; beside
    /// those as in training also the frozen ones.
    ///
    /// # Errors
    /// Where the file is missing or cut short, or does not hold the tensors of such a probe.
    pub fn load(path: &Path, classes: usize, batch_norm: BatchNorm) -> Result<Self, RunError> {
        let bytes = read_tensors(path);
        let bytes = bytes.map_err(|e| RunError::io("read the probe file", path, e))?;
        let file = SafeTensors::deserialize(&bytes).map_err(|e| RunError::damaged(path, e))?;
        let stored = Stored {
            file: &file,
            checks: Checks(path),
        };
        let n = stored.values("n", None)?;
        let rows = n.len();
        if classes == 0 || rows == 0 || !rows.is_multiple_of(classes) {
            let text = format!("`n` has {rows} numbers, which are not those of {classes} classes");
            return Err(RunError::damaged(path, text));
        }
        stored.checks.images(&n)?;
        let layers = stored.layers("update")?;
        let update = stored.values("update", Some(&[layers, rows]))?;
        let mut probe = Self {
            classes,
            gram: stored.values("gram", Some(&[layers, rows, rows]))?,
            update,
            loss: stored.values("loss", Some(&[rows]))?,
            n,
            gates: stored.gates(classes)?,
            frozen: None,
        };
        stored.checks.gram("gram", &probe.gram, rows)?;
        stored.checks.effects("update", &probe.update)?;
        stored.checks.losses("loss", &probe.loss, &probe.n)?;
        for (branch, gates) in &probe.gates {
            let name = format!("gates/{branch}");
            stored.checks.gates(&name, gates, classes, &probe.n)?;
        }
        if batch_norm == BatchNorm::Frozen {
            return Ok(probe);
        }
        let measured = file.tensor("classes.training");
        let measured = measured.map_err(|e| RunError::damaged(path, e))?;
        let unfit =
            || RunError::damaged(path, "`classes.training` does not hold ascending classes");
        let is_u16 = measured.dtype() == Dtype::U16;
        let measure = is_u16.then(|| Measure::of(measured.data(), classes, rows));
        let measure = measure.flatten().ok_or_else(unfit)?;
        let size = measure.rows.len();
        let gram = stored.values("gram.training", Some(&[layers, size, size]))?;
        let update = stored.values("update.training", Some(&[layers, size]))?;
        let loss = stored.values("loss.training", Some(&[size]))?;
        let n: Vec<f32> = measure.rows.iter().map(|&row| probe.n[row]).collect();
        stored.checks.gram("gram.training", &gram, size)?;
        stored.checks.effects("update.training", &update)?;
        stored.checks.losses("loss.training", &loss, &n)?;
        Ok(Self {
            classes,
            gram: spread_rows(&spread_columns(&gram, &measure, 0.0), &measure),
            update: spread_columns(&update, &measure, 0.0),
            loss: spread_columns(&loss, &measure, f32::NAN),
            n: measure.images(&probe.n),
            gates: std::mem::take(&mut probe.gates),
            frozen: Some(Box::new(probe)),
        })
    }
}

/// The tensors of a file as they are stored.
struct Stored<'a> {
    file: &'a SafeTensors<'a>,
    checks: Checks<'a>,
}

impl Stored<'_> {
    /// The numbers of an f32 tensor of a shape; with `None` of one dimension, however long.
    fn values(&self, name: &str, shape: Option<&[usize]>) -> Result<Vec<f32>, RunError> {
        let view = self.file.tensor(name).map_err(|e| self.checks.damaged(e))?;
        if view.dtype() != Dtype::F32 {
            return Err(self.checks.damaged(format!("`{name}` is not f32")));
        }
        let values = from_little_endian(view.data());
        let wanted = shape.map_or_else(|| vec![values.len()], <[usize]>::to_vec);
        self.checks.shape(name, view.shape(), &wanted)?;
        Ok(values)
    }

    /// Number of layers: the first dimension of a tensor.
    fn layers(&self, name: &str) -> Result<usize, RunError> {
        let view = self.file.tensor(name).map_err(|e| self.checks.damaged(e))?;
        Ok(view.shape().first().copied().unwrap_or(0))
    }

    /// Gates `[K, channels]` by the name of their branch.
    fn gates(&self, classes: usize) -> Result<BTreeMap<String, Vec<f32>>, RunError> {
        let mut gates = BTreeMap::new();
        for name in self.file.names() {
            if let Some(branch) = name.strip_prefix("gates/") {
                let view = self.file.tensor(name).map_err(|e| self.checks.damaged(e))?;
                let channels = view.shape().last().copied().unwrap_or(0);
                let values = self.values(name, Some(&[classes, channels]))?;
                gates.insert(branch.to_owned(), values);
            }
        }
        Ok(gates)
    }
}
