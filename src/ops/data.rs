//! The values of a pass: a tensor, or on the CPU memory of our own that is used again.

use std::ops::{Deref, Range};
use std::sync::Arc;

use candle_core::{Device, Result, Storage, Tensor};
use rayon::prelude::*;

use super::cpu::{self, TASK};
use super::memory::{Reused, memory};
use super::norm_sums::Sums;

/// Values with a shape.
#[derive(Clone, Debug)]
pub(super) enum Data {
    /// On any device.
    Tensor(Tensor),
    /// On the CPU.
    Host(Arc<Host>),
}

/// Values on the CPU.
#[derive(Debug)]
pub(super) struct Host {
    values: Reused,
    shape: Vec<usize>,
    /// Where this is the whole gradient of an activation: the sums that the norm before it needs.
    norm_sums: Option<Sums>,
}

/// Values on the CPU while they are read.
pub(super) enum Values<'a> {
    Tensor(Box<dyn Deref<Target = Storage> + 'a>, Range<usize>),
    Host(&'a [f32]),
}

impl Deref for Values<'_> {
    type Target = [f32];

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "candle has storages beside that of the CPU, and not all in every build"
    )]
    fn deref(&self) -> &[f32] {
        match self {
            Self::Tensor(storage, range) => match &***storage {
                // `Data::values` has checked that the storage can be read.
                Storage::Cpu(storage) => match storage.as_slice() {
                    Ok(values) => &values[range.clone()],
                    Err(_) => &[],
                },
                _ => &[],
            },
            Self::Host(values) => values,
        }
    }
}

impl Data {
    /// Values on the CPU in row-major order.
    pub(super) fn host(values: Vec<f32>, shape: &[usize]) -> Self {
        Self::with_norm_sums(values, shape, None)
    }

    /// A gradient on the CPU, with the sums that the norm before it needs.
    pub(super) fn with_norm_sums(
        values: Vec<f32>,
        shape: &[usize],
        norm_sums: Option<Sums>,
    ) -> Self {
        Self::Host(Arc::new(Host {
            values: values.into(),
            shape: shape.to_vec(),
            norm_sums,
        }))
    }

    /// The sums that the norm before this gradient needs, where its reader has taken them.
    pub(super) fn norm_sums(&self) -> Option<&Sums> {
        match self {
            Self::Tensor(_) => None,
            Self::Host(host) => host.norm_sums.as_ref(),
        }
    }

    pub(super) fn dims(&self) -> &[usize] {
        match self {
            Self::Tensor(tensor) => tensor.dims(),
            Self::Host(host) => &host.shape,
        }
    }

    pub(super) fn dims4(&self) -> Result<(usize, usize, usize, usize)> {
        match *self.dims() {
            [n, h, w, c] => Ok((n, h, w, c)),
            ref other => candle_core::bail!("{other:?} instead of [N, H, W, C]"),
        }
    }

    pub(super) fn elem_count(&self) -> usize {
        self.dims().iter().product()
    }

    pub(super) fn is_cpu(&self) -> bool {
        match self {
            Self::Tensor(tensor) => cpu::is_cpu(tensor),
            Self::Host(_) => true,
        }
    }

    /// Reads values that are on the CPU.
    pub(super) fn with<T>(&self, read: impl FnOnce(&[f32]) -> T) -> Result<T> {
        match self {
            Self::Tensor(tensor) => cpu::with(tensor, read),
            Self::Host(host) => Ok(read(&host.values)),
        }
    }

    /// The same values in row-major order.
    pub(super) fn contiguous(&self) -> Result<Self> {
        match self {
            Self::Tensor(tensor) => Ok(tensor.contiguous()?.into()),
            Self::Host(_) => Ok(self.clone()),
        }
    }

    /// The values, which are on the CPU and contiguous, borrowed.
    pub(super) fn values(&self) -> Result<Values<'_>> {
        let tensor = match self {
            Self::Host(host) => return Ok(Values::Host(&host.values)),
            Self::Tensor(tensor) => tensor,
        };
        let (storage, layout) = tensor.storage_and_layout();
        match (&*storage, layout.contiguous_offsets()) {
            (Storage::Cpu(values), Some((start, end))) => {
                values.as_slice::<f32>()?;
                Ok(Values::Tensor(Box::new(storage), start..end))
            }
            _ => candle_core::bail!("a CPU loop was given values that it cannot read"),
        }
    }

    /// The sum with other values of the same shape.
    pub(super) fn plus(&self, other: &Self) -> Result<Self> {
        if !self.is_cpu() {
            return Ok((self.tensor()? + other.tensor()?)?.into());
        }
        let mut out = memory(self.elem_count());
        self.with(|a| {
            other.with(|b| {
                out.par_chunks_mut(TASK)
                    .zip(a.par_chunks(TASK).zip(b.par_chunks(TASK)))
                    .for_each(|(out, (a, b))| {
                        out.iter_mut()
                            .zip(a)
                            .zip(b)
                            .for_each(|((out, a), b)| *out = a + b);
                    });
            })
        })??;
        Ok(Self::host(out, self.dims()))
    }

    /// The values as a tensor. Values in memory of our own are copied.
    pub(super) fn tensor(&self) -> Result<Tensor> {
        match self {
            Self::Tensor(tensor) => Ok(tensor.clone()),
            Self::Host(host) => {
                Tensor::from_slice(&host.values, host.shape.as_slice(), &Device::Cpu)
            }
        }
    }

    /// The values as a tensor. Memory of our own is handed over where nobody else holds it, else copied.
    pub(super) fn into_tensor(self) -> Result<Tensor> {
        match self {
            Self::Tensor(tensor) => Ok(tensor),
            Self::Host(host) => match Arc::try_unwrap(host) {
                Ok(mut host) => {
                    Tensor::from_vec(host.values.take(), host.shape.as_slice(), &Device::Cpu)
                }
                Err(host) => Self::Host(host).tensor(),
            },
        }
    }
}

impl From<Tensor> for Data {
    fn from(tensor: Tensor) -> Self {
        Self::Tensor(tensor)
    }
}
