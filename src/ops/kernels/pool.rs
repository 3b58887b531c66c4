//! 2×2 max-pool of two rows, after a norm and a ReLU, and its gradient.

use pulp::{Arch, Simd, WithSimd};

use super::simd::{load, store};

/// Two rows of pixels of one image, and the norm and ReLU that are applied to them first: max(scale·x + shift, floor).
#[derive(Clone, Copy)]
pub(in crate::ops) struct Rows<'a> {
    /// Both rows.
    pub(in crate::ops) values: &'a [f32],
    /// Pixels of a row.
    pub(in crate::ops) width: usize,
    /// Scale of each channel.
    pub(in crate::ops) scale: &'a [f32],
    /// Shift of each channel.
    pub(in crate::ops) shift: &'a [f32],
    pub(in crate::ops) floor: f32,
}

impl Rows<'_> {
    /// Where the four pixels of a pooled one begin, in row-major order.
    #[inline(always)]
    fn corners(&self, column: usize) -> [usize; 4] {
        let c = self.scale.len();
        let (upper, lower) = (2 * column * c, (self.width + 2 * column) * c);
        [upper, upper + c, lower, lower + c]
    }

    /// The four values of the channels `from..to` of a pooled pixel.
    #[inline(always)]
    fn load<S: Simd>(
        &self,
        simd: S,
        corners: [usize; 4],
        (from, to): (usize, usize),
    ) -> [S::f32s; 4] {
        let scale = load(simd, &self.scale[from..to]);
        let shift = load(simd, &self.shift[from..to]);
        let floor = simd.splat_f32s(self.floor);
        // A loop instead of `array::from_fn`, which is not always inlined: every operation would then be a call.
        let mut values = [floor; 4];
        for (value, corner) in values.iter_mut().zip(corners) {
            let x = load(simd, &self.values[corner + from..corner + to]);
            let normed = simd.add_f32s(simd.mul_f32s(x, scale), shift);
            *value = simd.select_f32s(simd.less_than_f32s(normed, floor), floor, normed);
        }
        values
    }
}

/// The larger values of two registers: the first of equal values, and NaN only where the first value is NaN.
#[inline(always)]
fn larger<S: Simd>(simd: S, x: S::f32s, y: S::f32s) -> S::f32s {
    simd.select_f32s(simd.less_than_f32s(x, y), y, x)
}

/// Writes the pooled row `out`.
pub(in crate::ops) fn max_pool(arch: Arch, rows: Rows<'_>, out: &mut [f32]) {
    struct Forward<'a>(Rows<'a>, &'a mut [f32]);
    impl WithSimd for Forward<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let Self(rows, out) = self;
            let c = rows.scale.len();
            for (column, out) in out.chunks_exact_mut(c).enumerate() {
                let corners = rows.corners(column);
                for from in (0..c).step_by(S::F32_LANES) {
                    let to = (from + S::F32_LANES).min(c);
                    let [a, b, d, e] = rows.load(simd, corners, (from, to));
                    let top = larger(simd, larger(simd, a, b), larger(simd, d, e));
                    // A comparison with NaN is false and may lose the NaN; a sum keeps it.
                    let sum = simd.add_f32s(simd.add_f32s(a, b), simd.add_f32s(d, e));
                    let value = simd.select_f32s(simd.equal_f32s(sum, sum), top, sum);
                    store(simd, &mut out[from..to], value);
                }
            }
        }
    }
    arch.dispatch(Forward(rows, out));
}

/// Sends the gradient `grad` of a pooled row to the first largest of the four values of each, where that is above the
/// floor: into `out`, two rows.
pub(in crate::ops) fn max_pool_grad(arch: Arch, rows: Rows<'_>, grad: &[f32], out: &mut [f32]) {
    struct Gradient<'a>(Rows<'a>, &'a [f32], &'a mut [f32]);
    impl WithSimd for Gradient<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let Self(rows, grad, out) = self;
            let c = rows.scale.len();
            let zero = simd.splat_f32s(0.0);
            let floor = simd.splat_f32s(rows.floor);
            for (column, grad) in grad.chunks_exact(c).enumerate() {
                let corners = rows.corners(column);
                for from in (0..c).step_by(S::F32_LANES) {
                    let to = (from + S::F32_LANES).min(c);
                    let values = rows.load(simd, corners, (from, to));
                    let [a, b, d, e] = values;
                    let top = larger(simd, larger(simd, a, b), larger(simd, d, e));
                    let mut rest = load(simd, &grad[from..to]);
                    rest = simd.select_f32s(simd.less_than_f32s(floor, top), rest, zero);
                    // The first of equal values takes the gradient; those after it get 0.
                    for (&corner, &value) in corners.iter().zip(&values) {
                        let is_top = simd.equal_f32s(value, top);
                        let own = simd.select_f32s(is_top, rest, zero);
                        rest = simd.select_f32s(is_top, zero, rest);
                        store(simd, &mut out[corner + from..corner + to], own);
                    }
                }
            }
        }
    }
    arch.dispatch(Gradient(rows, grad, out));
}
