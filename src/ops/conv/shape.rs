//! Sizes, and norm, ReLU and pool after the convolution: shared by the forward and the backward pass on the CPU.

use std::sync::Arc;

use crate::ops::kernels::{Plane, Rows};
use crate::ops::pending_norm::Pending;

use super::affine::Affine;
use super::method::Method;

/// Sizes of the images and of the convolution.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Number of images.
    pub(super) n: usize,
    pub(super) h: usize,
    pub(super) w: usize,
    /// Number of input channels.
    pub(super) inputs: usize,
    /// Number of output channels.
    pub(super) outputs: usize,
    /// Side of the kernel.
    pub(super) k: usize,
    pub(super) dilation: usize,
    /// Number of values in a SIMD register.
    pub(super) lanes: usize,
    pub(super) method: Method,
}

impl Shape {
    /// Number of taps of the kernel.
    pub(super) fn taps(&self) -> usize {
        self.k * self.k
    }

    /// Number of values of an input image.
    pub(super) fn image(&self) -> usize {
        self.h * self.w * self.inputs
    }

    /// Number of values of an output image before the pool.
    pub(super) fn raw(&self) -> usize {
        self.h * self.w * self.outputs
    }

    /// An image in scratch memory, with a border as wide as the kernel reaches.
    fn plane(&self, channels: usize) -> Plane {
        let border = self.dilation * (self.k - 1) / 2;
        Plane {
            height: self.h,
            width: self.w,
            channels,
            border,
        }
    }

    /// The input in scratch memory.
    pub(super) fn input(&self) -> Plane {
        self.plane(self.inputs)
    }

    /// The output's gradient in scratch memory.
    pub(super) fn output(&self) -> Plane {
        self.plane(self.outputs)
    }
}

/// Where a norm's statistics come from, as its backward pass sees it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Source {
    /// Constants.
    Constants,
    /// The batch, all images alike.
    Batch,
    /// The batch, each image with its share, [N].
    Shares(Vec<f64>),
}

/// Norm, ReLU and pool after the convolution.
#[derive(Debug)]
pub(super) struct After {
    /// The norm; the identity without one.
    pub(super) affine: Affine,
    /// Norm and ReLU as a reader of the output applies them.
    pub(super) pending: Arc<Pending>,
    /// Whether a 2×2 max-pool follows.
    pub(super) pool: bool,
    /// Where the norm's statistics come from.
    pub(super) stats: Source,
    /// Whether there is a norm.
    pub(super) norm: bool,
}

impl After {
    /// Two rows of the convolution's output, to be pooled.
    pub(super) fn rows<'a>(&'a self, values: &'a [f32], width: usize) -> Rows<'a> {
        let Affine { scale, shift, .. } = &self.affine;
        Rows {
            values,
            width,
            scale,
            shift,
            floor: self.pending.floor,
        }
    }
}
