//! The tiles of an image, and groups of them.

use crate::ops::kernels::planes::Plane;

use super::MATRICES;

/// Values of scratch memory for the transformed inputs of a group of tiles.
const GROUP_VALUES: usize = 1 << 16;
/// Most tiles of a group, and least.
const GROUP_TILES: (usize, usize) = (24, 96);

/// The tiles of one image.
#[derive(Clone, Debug)]
pub(in crate::ops) struct Tiles {
    /// Row and column of the first of each tile's 2×2 outputs.
    pub(super) places: Vec<[usize; 2]>,
    pub(super) dilation: usize,
    pub(super) height: usize,
    pub(super) width: usize,
}

impl Tiles {
    /// The tiles of images of `height`×`width` pixels, on the sub-lattices of the pixels that are `dilation` apart.
    pub(in crate::ops) fn new(height: usize, width: usize, dilation: usize) -> Self {
        let firsts = |len: usize, from: usize| (from..len).step_by(2 * dilation);
        let mut places = Vec::new();
        for row in 0..dilation {
            for y in firsts(height, row) {
                for column in 0..dilation {
                    places.extend(firsts(width, column).map(|x| [y, x]));
                }
            }
        }
        Self {
            places,
            dilation,
            height,
            width,
        }
    }

    /// Number of tiles of an image.
    pub(in crate::ops) fn count(&self) -> usize {
        self.places.len()
    }

    /// Where the four rows or columns of a tile begin in the plane, in rows or columns. What would lie beyond the
    /// border is read from its last row or column: the outputs that depend on it lie outside of the image.
    pub(super) fn lines(&self, first: usize, len: usize) -> [usize; 4] {
        let last = len + 2 * self.dilation - 1;
        std::array::from_fn(|i| (first + i * self.dilation).min(last))
    }

    /// Where the 16 values of tile number `tile` of several images begin, of images in `plane`.
    pub(super) fn corners(&self, tile: usize, plane: &Plane) -> [[usize; 4]; 4] {
        let (image, [y, x]) = self.place(tile);
        let columns = self.lines(x, self.width);
        let start = image * plane.len();
        self.lines(y, self.height)
            .map(|y| columns.map(|x| start + y * plane.pitch() + x * plane.stride))
    }

    /// Image and place of tile number `tile` of several images.
    pub(super) fn place(&self, tile: usize) -> (usize, [usize; 2]) {
        let each = self.places.len();
        (tile / each, self.places[tile % each])
    }
}

/// Sizes of a group of tiles in scratch memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    /// Most tiles.
    pub(super) tiles: usize,
    /// Values from one transformed tile to the next: the channels, filled up to whole registers.
    pub(super) stride: usize,
    /// Values from one of the 16 matrices to the next. Not a power of 2, or all would share a few lines of the cache.
    pub(super) matrix: usize,
}

impl Group {
    pub(super) fn new(channels: usize, lanes: usize) -> Self {
        let stride = channels.next_multiple_of(lanes);
        let tiles = GROUP_VALUES / (MATRICES * stride);
        let tiles = tiles.clamp(GROUP_TILES.0, GROUP_TILES.1);
        Self {
            tiles,
            stride,
            matrix: tiles * stride + 16,
        }
    }

    pub(super) fn len(&self) -> usize {
        MATRICES * self.matrix
    }
}

/// Values of scratch memory that a convolution of `channels` channels needs.
pub(in crate::ops) fn scratch_len(channels: usize, lanes: usize) -> usize {
    let group = Group::new(channels, lanes);
    let block = 2 * lanes;
    group.len() + MATRICES * (group.tiles * block + 16) + 2 * 16
}
