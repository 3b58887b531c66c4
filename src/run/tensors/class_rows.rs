//! The part of a probe's tensors that concerns one class. Reading this small part of the file makes it possible to
//! follow a class or a pair of classes over hundreds of probes of a hundred classes.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use safetensors::tensor::{Dtype, Metadata};

use super::checks::Checks;
use super::measure::{Measure, spread_columns};
use crate::files;
use crate::gradient::gram::Gram;
use crate::gradient::ledger::Ledger;
use crate::network::BatchNorm;
use crate::run::bytes::from_little_endian;
use crate::run::error::RunError;

/// Bytes at the beginning of a safetensors file that give the length of its header.
const HEADER_LENGTH_BYTES: u64 = 8;

/// Length in bytes of the longest header that is accepted; a longer one counts as damage.
const HEADER_MOST_BYTES: u64 = 1 << 20;

/// The rows of one class in the tensors of one probe. L layers with parameters, K classes, S pieces.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassRows {
    /// The class.
    pub class: usize,
    /// Number of classes K.
    pub classes: usize,
    /// Inner products of the gradients of the class's pieces with those of all classes' pieces, `[L, S, K·S]`.
    pub gram: Vec<f32>,
    /// ⟨`g[k,s]`, Δθ⟩ for the change Δθ of the weights in the last optimiser step, `[L, S]`.
    pub update: Vec<f32>,
    /// Mean cross-entropy of each piece of every class in nats, `[K·S]`.
    pub loss: Vec<f32>,
    /// Images of each piece of every class, `[K·S]`.
    pub n: Vec<f32>,
}

impl ClassRows {
    /// Reads the rows of the classes `wanted` from a probe's file, measured with batch norm as `batch_norm` says; other
    /// rows are not read.
    ///
    /// # Errors
    /// Where the file is missing or cut short, or does not hold the tensors of a probe of `classes` classes.
    pub fn load(
        path: &Path,
        classes: usize,
        wanted: &[usize],
        batch_norm: BatchNorm,
    ) -> Result<Vec<Self>, RunError> {
        let mut file = Tensors::open(path)?;
        let checks = Checks(path);
        let n = file.whole("n")?;
        checks.images(&n)?;
        let size = n.len();
        if classes == 0 || size == 0 || !size.is_multiple_of(classes) {
            let text = format!("`n` has {size} numbers, which are not those of {classes} classes");
            return Err(checks.damaged(text));
        }
        let (measure, suffix) = match batch_norm {
            BatchNorm::Frozen => (Measure::all(classes, size), ""),
            BatchNorm::AsInTraining => {
                let bytes = file.bytes("classes.training")?;
                let measure = Measure::of(&bytes, classes, size);
                let unfit = "`classes.training` does not hold ascending classes";
                let measure = measure.ok_or_else(|| checks.damaged(unfit))?;
                (measure, ".training")
            }
        };
        let name = |tensor: &str| format!("{tensor}{suffix}");
        let (loss, updates) = (file.whole(&name("loss"))?, file.whole(&name("update"))?);
        let (pieces, measured) = (size / classes, measure.rows.len());
        let layers = updates.len().checked_div(measured).unwrap_or(0);
        for (tensor, wanted) in [
            ("gram", &[layers, measured, measured][..]),
            ("update", &[layers, measured]),
            ("loss", &[measured]),
        ] {
            checks.shape(&name(tensor), file.shape(&name(tensor)), wanted)?;
        }
        checks.effects(&name("update"), &updates)?;
        let of_measured: Vec<f32> = measure.rows.iter().map(|&row| n[row]).collect();
        checks.losses(&name("loss"), &loss, &of_measured)?;
        let loss = spread_columns(&loss, &measure, f32::NAN);
        let n = measure.images(&n);
        let mut rows = Vec::with_capacity(wanted.len());
        for &class in wanted {
            if class >= classes {
                return Err(checks.damaged(format!("it has no class {class}")));
            }
            let (mut gram, mut update) = (Vec::new(), Vec::new());
            match measure.position(class) {
                None => {
                    gram.resize(layers * pieces * size, 0.0);
                    update.resize(layers * pieces, 0.0);
                }
                Some(place) => {
                    for layer in 0..layers {
                        let first = layer * measured + place * pieces;
                        let (from, len) = (first * measured, pieces * measured);
                        let read = gram.len();
                        file.read(&name("gram"), from, len, &mut gram)?;
                        let rows = gram.get(read..).unwrap_or_default();
                        checks.rows(&name("gram"), rows, (place * pieces, pieces), layer)?;
                        update.extend_from_slice(&updates[first..first + pieces]);
                    }
                    gram = spread_columns(&gram, &measure, 0.0);
                }
            }
            rows.push(Self {
                class,
                classes,
                gram,
                update,
                loss: loss.clone(),
                n: n.clone(),
            });
        }
        Ok(rows)
    }

    /// The Gram matrix of two classes, summed over `layers`: this class becomes class 0, the class of `other` class 1.
    /// `None` where `layers` is empty or out of range, or `other` is from another probe.
    pub fn gram_with(&self, other: &Self, layers: &[usize]) -> Option<Gram> {
        if self.n != other.n || self.classes != other.classes {
            return None;
        }
        let (size, pieces) = (self.n.len(), self.pieces());
        let take = |row: &[f32]| -> Vec<f32> {
            let of = |k: usize| row[k * pieces..(k + 1) * pieces].iter().copied();
            of(self.class).chain(of(other.class)).collect()
        };
        let mut sums = Vec::with_capacity(layers.len());
        for &layer in layers {
            let ((products, update), (more, other_update)) =
                (self.layer(layer)?, other.layer(layer)?);
            let rows = products.chunks_exact(size).chain(more.chunks_exact(size));
            let products: Vec<f32> = rows.flat_map(take).collect();
            sums.push((products, [update, other_update].concat()));
        }
        let sums = sums.iter().map(|(x, y)| (x.as_slice(), y.as_slice()));
        (!layers.is_empty()).then(|| Gram::sum(2, &take(&self.n), sums))?
    }

    /// The ledger of the class, summed over `layers`: how the share of every class in a gradient step changes this
    /// class's loss. `None` where `layers` is empty or out of range.
    pub fn ledger(&self, layers: &[usize]) -> Option<Ledger> {
        let of = layers.iter().map(|&layer| self.layer(layer));
        let of: Vec<_> = of.collect::<Option<_>>()?;
        (!of.is_empty()).then(|| Ledger::sum(self.class, self.classes, &self.n, of))?
    }

    /// Bytes that the rows take in memory.
    pub fn bytes(&self) -> usize {
        let values = self.gram.len() + self.update.len() + self.loss.len() + self.n.len();
        values * size_of::<f32>()
    }

    fn pieces(&self) -> usize {
        self.n.len().checked_div(self.classes).unwrap_or(0)
    }

    /// Products `[S, K·S]` and updates `[S]` of a layer.
    fn layer(&self, layer: usize) -> Option<(&[f32], &[f32])> {
        let (pieces, row) = (self.pieces(), self.pieces() * self.n.len());
        let products = self.gram.get(layer * row..(layer + 1) * row)?;
        Some((
            products,
            self.update.get(layer * pieces..(layer + 1) * pieces)?,
        ))
    }
}

/// Mean cross-entropy of a class's probe images, in nats, from the numbers of images and the losses of the pieces of
/// all classes, `[K·S]` each. `None` where the class has no images.
pub(super) fn class_loss(classes: usize, n: &[f32], loss: &[f32], class: usize) -> Option<f64> {
    let pieces = n.len().checked_div(classes)?;
    let own = class * pieces..(class + 1) * pieces;
    let (n, loss) = (n.get(own.clone())?, loss.get(own)?);
    let present = || n.iter().zip(loss).filter(|(n, _)| **n > 0.0);
    let total: f64 = present().map(|(n, _)| f64::from(*n)).sum();
    let sum: f64 = present().map(|(n, x)| f64::from(*n) * f64::from(*x)).sum();
    (total > 0.0).then(|| sum / total)
}

/// A safetensors file from which parts of tensors are read.
struct Tensors<'a> {
    path: &'a Path,
    file: File,
    header: Metadata,
    /// Offset of the tensors in the file, in bytes.
    start: u64,
}

impl<'a> Tensors<'a> {
    fn open(path: &'a Path) -> Result<Self, RunError> {
        let failed = |e| RunError::io("read the probe file", path, e);
        let mut file = files::open(path).map_err(failed)?;
        let there = file.metadata().map_err(failed)?.len();
        let mut length = [0; HEADER_LENGTH_BYTES as usize];
        file.read_exact(&mut length).map_err(failed)?;
        let length = u64::from_le_bytes(length);
        if length > HEADER_MOST_BYTES {
            return Err(RunError::damaged(path, "its header is too long"));
        }
        let mut header = vec![0; length as usize];
        file.read_exact(&mut header).map_err(failed)?;
        let header: Metadata =
            serde_json::from_slice(&header).map_err(|e| RunError::damaged(path, e))?;
        let start = HEADER_LENGTH_BYTES + length;
        // Memory is taken by what the header says, so that it must not say more than there is.
        let announced = start.checked_add(header.data_len() as u64);
        if announced.is_none_or(|announced| announced > there) {
            return Err(RunError::damaged(path, "it is cut short"));
        }
        Ok(Self {
            path,
            file,
            header,
            start,
        })
    }

    /// Where an f32 tensor begins and ends, in bytes from `start`.
    fn range(&self, name: &str) -> Result<(usize, usize), RunError> {
        let info = self.header.info(name);
        let info = info.filter(|info| info.dtype == Dtype::F32);
        let damaged = || RunError::damaged(self.path, format!("`{name}` is missing or not f32"));
        info.map(|info| info.data_offsets).ok_or_else(damaged)
    }

    /// The shape of a tensor; empty where there is no such tensor.
    fn shape(&self, name: &str) -> &[usize] {
        self.header.info(name).map_or(&[], |info| &info.shape)
    }

    fn len_of(&self, name: &str) -> Result<usize, RunError> {
        let (from, to) = self.range(name)?;
        Ok((to - from) / size_of::<f32>())
    }

    fn whole(&mut self, name: &str) -> Result<Vec<f32>, RunError> {
        let (mut values, len) = (Vec::new(), self.len_of(name)?);
        self.read(name, 0, len, &mut values)?;
        Ok(values)
    }

    /// The bytes of a tensor of u16 numbers.
    fn bytes(&mut self, name: &str) -> Result<Vec<u8>, RunError> {
        let info = self.header.info(name);
        let info = info.filter(|info| info.dtype == Dtype::U16);
        let damaged = || RunError::damaged(self.path, format!("`{name}` is missing or not u16"));
        let (from, to) = info.ok_or_else(damaged)?.data_offsets;
        let mut bytes = vec![0; to - from];
        self.read_bytes(from, &mut bytes)?;
        Ok(bytes)
    }

    /// Reads bytes that begin `from` bytes after the start of the tensors.
    fn read_bytes(&mut self, from: usize, to: &mut [u8]) -> Result<(), RunError> {
        let sought = self.file.seek(SeekFrom::Start(self.start + from as u64));
        sought
            .and_then(|_| self.file.read_exact(to))
            .map_err(|e| RunError::io("read the probe file", self.path, e))
    }

    /// Appends `len` numbers of a tensor to `values`, beginning with the number at index `first`.
    fn read(
        &mut self,
        name: &str,
        first: usize,
        len: usize,
        values: &mut Vec<f32>,
    ) -> Result<(), RunError> {
        let (from, to) = self.range(name)?;
        let bytes = |count: usize| count * size_of::<f32>();
        if bytes(first + len) > to - from {
            return Err(RunError::damaged(
                self.path,
                format!("`{name}` is too short"),
            ));
        }
        let mut read = vec![0; bytes(len)];
        self.read_bytes(from + bytes(first), &mut read)?;
        values.extend(from_little_endian(&read));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
