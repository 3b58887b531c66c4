//! The tiles of an image, and groups of them.

use crate::ops::kernels::planes::Plane;

/// Values of scratch memory for the transformed inputs of a group of tiles.
const GROUP_VALUES: usize = 3 << 15;
/// Most tiles of a group, and least.
const GROUP_TILES: (usize, usize) = (24, 96);

/// How many outputs a tile has along a side. More outputs take fewer multiplications, and larger transforms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tile {
    /// 3×3 outputs from 5×5 inputs, with 25 multiplications instead of 81: for sides that are no multiples of 4.
    Three,
    /// 4×4 outputs from 6×6 inputs, with 36 multiplications instead of 144.
    Four,
}

impl Tile {
    /// Both sizes, in the order of their numbers.
    pub const ALL: [Self; 2] = [Self::Three, Self::Four];

    /// Outputs along a side.
    pub(in crate::ops) const fn outputs(self) -> usize {
        match self {
            Self::Three => 3,
            Self::Four => 4,
        }
    }

    /// Multiplications, which become as many products of matrices.
    pub(in crate::ops) const fn matrices(self) -> usize {
        let inputs = self.outputs() + 2;
        inputs * inputs
    }

    /// Tiles along a side of `len` pixels, on the sub-lattices of the pixels that are `dilation` apart.
    fn along(self, len: usize, dilation: usize) -> usize {
        let firsts = 0..dilation.min(len);
        let own = firsts.map(|first| (len - first).div_ceil(self.outputs() * dilation));
        own.sum()
    }

    /// Tiles of an image of `height`×`width` pixels.
    pub(in crate::ops) fn count(self, height: usize, width: usize, dilation: usize) -> usize {
        self.along(height, dilation) * self.along(width, dilation)
    }
}

/// The tiles of one image.
#[derive(Clone, Debug)]
pub(in crate::ops) struct Tiles {
    pub(in crate::ops) tile: Tile,
    /// Row and column of the first of each tile's outputs.
    places: Vec<[usize; 2]>,
    pub(super) dilation: usize,
    pub(super) height: usize,
    pub(super) width: usize,
}

impl Tiles {
    /// The tiles of images of `height`×`width` pixels, on the sub-lattices of the pixels that are `dilation` apart.
    pub(in crate::ops) fn new(tile: Tile, height: usize, width: usize, dilation: usize) -> Self {
        let firsts = |len: usize, from: usize| (from..len).step_by(tile.outputs() * dilation);
        let mut places = Vec::new();
        for row in 0..dilation {
            for y in firsts(height, row) {
                for column in 0..dilation {
                    places.extend(firsts(width, column).map(|x| [y, x]));
                }
            }
        }
        Self {
            tile,
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

    /// Image and place of the tiles `from..to` of several images.
    pub(super) fn range(
        &self,
        from: usize,
        to: usize,
    ) -> impl Iterator<Item = (usize, [usize; 2])> {
        let images = from / self.count()..;
        let all = images.flat_map(|image| self.places.iter().map(move |&place| (image, place)));
        all.skip(from % self.count()).take(to - from)
    }

    /// Where the `N` rows and columns of a tile begin in the images, which lie in planes. What would lie beyond the border
    /// is read from its last row or column: the outputs that depend on it lie outside of the image.
    #[inline(always)]
    pub(super) fn lines<const N: usize>(
        &self,
        (image, [y, x]): (usize, [usize; 2]),
        plane: &Plane,
    ) -> ([usize; N], [usize; N]) {
        let beyond = 2 * self.dilation - 1;
        let (last_row, last_column) = (self.height + beyond, self.width + beyond);
        let (mut rows, mut columns) = ([0; N], [0; N]);
        for i in 0..N {
            let (row, column) = (y + i * self.dilation, x + i * self.dilation);
            rows[i] = image * plane.len() + row.min(last_row) * plane.pitch();
            columns[i] = column.min(last_column) * plane.channels;
        }
        (rows, columns)
    }
}

/// Sizes of a group of tiles in scratch memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    /// Most tiles.
    pub(super) tiles: usize,
    /// Values from one transformed tile to the next: the channels, filled up to whole registers.
    pub(super) stride: usize,
    /// Values from one matrix to the next. Not a power of 2, or all would share a few lines of the cache.
    pub(super) matrix: usize,
}

impl Group {
    pub(super) fn new(tile: Tile, channels: usize, lanes: usize) -> Self {
        let stride = channels.next_multiple_of(lanes);
        let tiles = GROUP_VALUES / (tile.matrices() * stride);
        let tiles = tiles.clamp(GROUP_TILES.0, GROUP_TILES.1);
        Self {
            tiles,
            stride,
            matrix: tiles * stride + PADDING,
        }
    }

    /// The groups of `total` tiles, evenly large.
    pub(super) fn ranges(&self, total: usize) -> impl Iterator<Item = (usize, usize)> {
        let count = total.div_ceil(self.tiles);
        (0..count).map(move |i| (i * total / count, (i + 1) * total / count))
    }

    /// Values from one matrix to the next of those that belong to a block of `width` output channels.
    pub(super) fn block(&self, width: usize) -> usize {
        self.tiles * width + PADDING
    }
}

/// Values between two matrices: one register or several, on every instruction set.
const PADDING: usize = 16;

/// Values of scratch memory that a convolution of `channels` channels needs.
pub(in crate::ops) fn scratch_len(tile: Tile, channels: usize, lanes: usize) -> usize {
    let group = Group::new(tile, channels, lanes);
    let (inputs, block) = (group.matrix, group.block(2 * lanes));
    tile.matrices() * (inputs + block) + 2 * PADDING
}
