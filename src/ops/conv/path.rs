//! One direction of a convolution on the CPU, computed one way or the other, some images at a time.

use std::sync::OnceLock;

use pulp::Arch;

use crate::ops::cpu;
use crate::ops::kernels::winograd::{self, Tile, Tiles};
use crate::ops::kernels::{Panels, Plane, WeightGrad, Window, accumulate, convolve};
use crate::ops::profile::{Work, timed};
use crate::ops::tape::Packed;

use super::rule::tile;
use super::shape::Shape;

/// Tiles that a pass over the transformed weights should serve at least.
const TILES: usize = 64;

/// The convolution itself, forward or for the input's gradient.
pub(super) struct Path<'a> {
    plane: Plane,
    panels: &'a Panels,
    outputs: usize,
    lanes: usize,
    way: Way,
}

enum Way {
    Direct(Window),
    Winograd(Tiles),
}

impl Way {
    fn new(tile: Option<Tile>, shape: &Shape, plane: &Plane) -> Self {
        match tile {
            Some(tile) => Self::Winograd(Tiles::new(tile, shape.h, shape.w, shape.dilation)),
            None => Self::Direct(plane.window(shape.k, shape.dilation)),
        }
    }
}

impl<'a> Path<'a> {
    /// The forward pass. The weights [Co, Ci, k, k] are packed where `packed` does not hold them yet.
    pub(super) fn forward(arch: Arch, shape: &Shape, weight: &[f32], packed: &'a Packed) -> Self {
        let Shape { outputs, lanes, .. } = *shape;
        let tile = tile(shape, shape.inputs, outputs);
        let pack = || Panels::forward(weight, outputs, shape.taps(), lanes);
        let panels = panels(arch, tile, (&packed.forward, &packed.winograd), pack);
        Self {
            plane: shape.input(),
            panels,
            outputs,
            lanes,
            way: Way::new(tile, shape, &shape.input()),
        }
    }

    /// The gradient of the input.
    pub(super) fn adjoint(arch: Arch, shape: &Shape, weight: &[f32], packed: &'a Packed) -> Self {
        let Shape { outputs, lanes, .. } = *shape;
        let tile = tile(shape, outputs, shape.inputs);
        let pack = || Panels::adjoint(weight, outputs, shape.taps(), lanes);
        let panels = panels(
            arch,
            tile,
            (&packed.adjoint, &packed.winograd_adjoint),
            pack,
        );
        Self {
            plane: shape.output(),
            panels,
            outputs: shape.inputs,
            lanes,
            way: Way::new(tile, shape, &shape.output()),
        }
    }

    /// Images that a thread should take at a time, of `n`. Results do not depend on it.
    pub(super) fn images(&self, n: usize) -> usize {
        match &self.way {
            Way::Direct(_) => 1,
            Way::Winograd(tiles) => {
                let wanted = TILES / tiles.count().max(1);
                wanted.min(n.div_ceil(cpu::parts())).max(1)
            }
        }
    }

    /// Values of scratch memory that [`Self::run`] needs.
    pub(super) fn scratch(&self) -> usize {
        match &self.way {
            Way::Direct(_) => 0,
            Way::Winograd(tiles) => {
                winograd::scratch_len(tiles.tile, self.plane.channels, self.lanes)
            }
        }
    }

    /// Convolves images that lie in `planes`, and after which there is a register of any values, into `out` [images, H,
    /// W, channels].
    pub(super) fn run(&self, arch: Arch, planes: &[f32], scratch: &mut [f32], out: &mut [f32]) {
        let (len, each) = (
            self.plane.len(),
            self.plane.height * self.plane.width * self.outputs,
        );
        match &self.way {
            Way::Direct(window) => {
                let images = planes.chunks_exact(len).zip(out.chunks_exact_mut(each));
                for (x, out) in images {
                    convolve(arch, x, &self.plane, window, self.panels, out);
                }
            }
            Way::Winograd(tiles) => {
                let x = (planes, &self.plane, out.len() / each);
                winograd::convolve(arch, x, tiles, self.panels, scratch, out);
            }
        }
    }
}

/// The weights as `pack` gives them, or transformed for tiles, where their places do not hold them yet.
fn panels<'a>(
    arch: Arch,
    tile: Option<Tile>,
    (direct, transformed): (&'a OnceLock<Panels>, &'a [OnceLock<Panels>]),
    pack: impl FnOnce() -> Panels,
) -> &'a Panels {
    let place = tile.map_or(direct, |tile| &transformed[tile as usize]);
    if let Some(panels) = place.get() {
        return panels;
    }
    // Made outside the lock: a thread that waits here for others to pack their part takes up another piece of work meanwhile,
    // which may ask for the same panels, and would wait for the lock for ever. Whichever thread is first, the panels are equal.
    let packed = timed(Work::Pack, || match tile {
        None => pack(),
        Some(tile) => winograd::transformed(arch, tile, &pack()),
    });
    place.get_or_init(|| packed)
}

/// The products that give the weight's gradient.
pub(super) struct WeightPath {
    shape: Shape,
    way: Way,
}

impl WeightPath {
    pub(super) fn new(shape: &Shape) -> Self {
        let tile = tile(shape, shape.inputs, shape.outputs);
        Self {
            shape: *shape,
            way: Way::new(tile, shape, &shape.input()),
        }
    }

    /// The sum over no image.
    pub(super) fn zeros(&self) -> WeightGrad {
        let Shape {
            inputs,
            outputs,
            lanes,
            ..
        } = self.shape;
        match &self.way {
            Way::Direct(_) => WeightGrad::zeros(self.shape.taps() * inputs, outputs, lanes),
            Way::Winograd(tiles) => {
                WeightGrad::zeros_in_reused(tiles.tile.matrices() * inputs, outputs, lanes)
            }
        }
    }

    /// Images that should be gone through at a time at least.
    pub(super) fn images(&self) -> usize {
        match &self.way {
            Way::Direct(_) => 1,
            Way::Winograd(tiles) => TILES / tiles.count().max(1),
        }
    }

    /// Values of scratch memory that [`Self::add`] needs.
    pub(super) fn scratch(&self) -> usize {
        match &self.way {
            Way::Direct(_) => 0,
            Way::Winograd(tiles) => {
                winograd::scratch_len(tiles.tile, self.shape.inputs, self.shape.lanes)
            }
        }
    }

    /// Adds the products of `images` images, which lie in planes of their shapes, to `sum`. After the inputs there is a
    /// register of any values.
    pub(super) fn add(
        &self,
        arch: Arch,
        (inputs, grads): (&[f32], &[f32]),
        images: usize,
        scratch: &mut [f32],
        sum: &mut WeightGrad,
    ) {
        let (inner, outer) = (self.shape.input(), self.shape.output());
        match &self.way {
            Way::Direct(window) => {
                accumulate(arch, (inputs, &inner, window), (grads, &outer), images, sum);
            }
            Way::Winograd(tiles) => {
                let (x, grad) = ((inputs, &inner), (grads, &outer));
                winograd::accumulate(arch, x, grad, (tiles, images), scratch, sum);
            }
        }
    }

    /// The gradient from the sum over all images: still packed, but with the taps of the kernel.
    pub(super) fn with_taps(&self, arch: Arch, sum: WeightGrad) -> WeightGrad {
        match &self.way {
            Way::Direct(_) => sum,
            Way::Winograd(tiles) => timed(Work::Pack, || {
                let with_taps = winograd::with_taps(arch, tiles.tile, &sum);
                sum.release();
                with_taps
            }),
        }
    }
}
