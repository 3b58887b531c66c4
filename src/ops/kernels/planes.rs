//! Images in scratch memory, with a border of zeros around them.

/// Shape of one image with its border.
#[derive(Clone, Copy, Debug)]
pub(in crate::ops) struct Plane {
    /// Rows without the border.
    pub(in crate::ops) height: usize,
    /// Pixels of a row without the border.
    pub(in crate::ops) width: usize,
    /// Channels of a pixel.
    pub(in crate::ops) channels: usize,
    /// Pixels of border on each side.
    pub(in crate::ops) border: usize,
}

/// The values that the taps of a convolution read: runs of contiguous values, whose places are relative to the upper
/// left tap of a pixel.
#[derive(Clone, Debug)]
pub(in crate::ops) struct Window {
    /// Where each run starts.
    pub(in crate::ops) starts: Vec<usize>,
    /// Values of a run: the channels of one tap, or of a row of taps where those lie side by side.
    pub(in crate::ops) len: usize,
}

impl Plane {
    /// Values from one row to the next.
    pub(in crate::ops) fn pitch(&self) -> usize {
        (self.width + 2 * self.border) * self.channels
    }

    /// Values of the whole plane.
    pub(in crate::ops) fn len(&self) -> usize {
        (self.height + 2 * self.border) * self.pitch()
    }

    /// Where the pixels of row `row` start.
    pub(in crate::ops) fn row(&self, row: usize) -> usize {
        (row + self.border) * self.pitch() + self.border * self.channels
    }

    /// The taps of a `k`×`k` kernel whose reach is the border.
    pub(in crate::ops) fn window(&self, k: usize, dilation: usize) -> Window {
        let tap =
            |tap: usize| (tap / k) * dilation * self.pitch() + (tap % k) * dilation * self.channels;
        if dilation == 1 {
            return Window {
                starts: (0..k).map(|row| tap(row * k)).collect(),
                len: k * self.channels,
            };
        }
        Window {
            starts: (0..k * k).map(tap).collect(),
            len: self.channels,
        }
    }

    /// Sets the border to 0.
    #[inline(always)]
    pub(in crate::ops) fn clear(&self, out: &mut [f32]) {
        let (pitch, side) = (self.pitch(), self.border * self.channels);
        for (row, out) in out[..self.len()].chunks_exact_mut(pitch).enumerate() {
            if (self.border..self.border + self.height).contains(&row) {
                out[..side].fill(0.0);
                out[pitch - side..].fill(0.0);
            } else {
                out.fill(0.0);
            }
        }
    }

    /// Copies an image [H, W, channels] into the plane `out`, by `copy(from, to)` row by row; the border becomes 0.
    #[inline(always)]
    pub(in crate::ops) fn fill(
        &self,
        image: &[f32],
        out: &mut [f32],
        mut copy: impl FnMut(&[f32], &mut [f32]),
    ) {
        self.clear(out);
        let len = self.width * self.channels;
        for (row, from) in image.chunks_exact(len).enumerate() {
            copy(from, &mut out[self.row(row)..][..len]);
        }
    }
}
