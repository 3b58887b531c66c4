//! The transforms that belong to each size of tiles, along one side of a tile.

use pulp::Simd;

/// Minimal filtering F(M, 3): M outputs of three taps from N = M + 2 inputs with N multiplications,
/// y = Aᵀ[(G g) ⊙ (Bᵀ d)] for taps g and inputs d. The matrices follow from N − 1 points and infinity (Lavin & Gray,
/// arXiv 1509.09308). The gradients are those of this form: Bᵀ d again, A of the outputs' gradients, and Gᵀ.
pub(super) trait Filter<const M: usize, const N: usize> {
    /// Bᵀ d of inputs.
    fn inputs<S: Simd>(simd: S, d: [S::f32s; N]) -> [S::f32s; N];

    /// Aᵀ m of products.
    fn outputs<S: Simd>(simd: S, m: [S::f32s; N]) -> [S::f32s; M];

    /// A y of gradients of outputs.
    fn output_gradients<S: Simd>(simd: S, y: [S::f32s; M]) -> [S::f32s; N];

    /// G g of taps.
    fn taps<S: Simd>(simd: S, g: [S::f32s; 3]) -> [S::f32s; N];

    /// Gᵀ m of sums of products.
    fn tap_gradients<S: Simd>(simd: S, m: [S::f32s; N]) -> [S::f32s; 3];
}

/// The value of an even part plus an odd part at a point, and at the opposite point.
#[inline(always)]
fn both<S: Simd>(simd: S, even: S::f32s, odd: S::f32s) -> [S::f32s; 2] {
    [simd.add_f32s(even, odd), simd.sub_f32s(even, odd)]
}

/// x·factor + y.
#[inline(always)]
fn fma<S: Simd>(simd: S, x: S::f32s, factor: f32, y: S::f32s) -> S::f32s {
    simd.mul_add_e_f32s(x, simd.splat_f32s(factor), y)
}

/// x·factor.
#[inline(always)]
fn times<S: Simd>(simd: S, x: S::f32s, factor: f32) -> S::f32s {
    simd.mul_f32s(x, simd.splat_f32s(factor))
}

/// A transform along both sides of a tile: `along` of each column of the values that `read(row, column)` gives, then of
/// each row.
#[allow(
    clippy::needless_range_loop,
    reason = "the loops run over rows and columns, which index several arrays"
)]
#[inline(always)]
pub(super) fn both_sides<V: Copy, const A: usize, const B: usize>(
    zero: V,
    read: impl Fn(usize, usize) -> V,
    along: impl Fn([V; A]) -> [V; B],
    mut write: impl FnMut(usize, usize, V),
) {
    // Loops instead of `array::from_fn`, which is not always inlined.
    let mut half = [[zero; A]; B];
    for column in 0..A {
        let mut values = [zero; A];
        for row in 0..A {
            values[row] = read(row, column);
        }
        let values = along(values);
        for row in 0..B {
            half[row][column] = values[row];
        }
    }
    for row in 0..B {
        let values = along(half[row]);
        for column in 0..B {
            write(row, column, values[column]);
        }
    }
}

/// F(3, 3), from the points ±1/2 and ±3/2: with the point 0 the errors are twice as large.
pub(super) struct Three;

/// The constants of [`Three`]: its points, their squares, and the shares of the points.
mod three {
    pub(super) const A: f32 = 0.5;
    pub(super) const B: f32 = 1.5;
    pub(super) const A2: f32 = A * A;
    pub(super) const B2: f32 = B * B;
    /// 1 over the product of the differences of a point to the others.
    pub(super) const SHARE_A: f32 = -0.5;
    pub(super) const SHARE_B: f32 = 1.0 / 6.0;
}

impl Filter<3, 5> for Three {
    #[inline(always)]
    fn inputs<S: Simd>(simd: S, d: [S::f32s; 5]) -> [S::f32s; 5] {
        use three::{A, A2, B, B2};
        let (even_a, odd_a) = (fma(simd, d[0], -B2, d[2]), fma(simd, d[1], -B2, d[3]));
        let (even_b, odd_b) = (fma(simd, d[0], -A2, d[2]), fma(simd, d[1], -A2, d[3]));
        let (even_a, even_b) = (times(simd, even_a, A), times(simd, even_b, B));
        // Of two opposite points the second has a sign that its share would have.
        let ([a, minus_a], [b, minus_b]) = (both(simd, even_a, odd_a), both(simd, even_b, odd_b));
        let end = fma(simd, d[0], A2 * B2, fma(simd, d[2], -(A2 + B2), d[4]));
        [a, minus_a, b, minus_b, end]
    }

    #[inline(always)]
    fn outputs<S: Simd>(simd: S, m: [S::f32s; 5]) -> [S::f32s; 3] {
        use three::{A, A2, B, B2};
        let [sum_a, difference_a] = both(simd, m[0], m[1]);
        let [sum_b, difference_b] = both(simd, m[2], m[3]);
        [
            simd.add_f32s(sum_a, sum_b),
            fma(simd, difference_a, A, times(simd, difference_b, B)),
            fma(simd, sum_a, A2, fma(simd, sum_b, B2, m[4])),
        ]
    }

    #[inline(always)]
    fn output_gradients<S: Simd>(simd: S, y: [S::f32s; 3]) -> [S::f32s; 5] {
        use three::{A, A2, B, B2};
        let (even_a, even_b) = (fma(simd, y[2], A2, y[0]), fma(simd, y[2], B2, y[0]));
        let [a, minus_a] = both(simd, even_a, times(simd, y[1], A));
        let [b, minus_b] = both(simd, even_b, times(simd, y[1], B));
        [a, minus_a, b, minus_b, y[2]]
    }

    #[inline(always)]
    fn taps<S: Simd>(simd: S, g: [S::f32s; 3]) -> [S::f32s; 5] {
        use three::{A, A2, B, B2, SHARE_A, SHARE_B};
        let even_a = times(simd, fma(simd, g[2], A2, g[0]), SHARE_A);
        let even_b = times(simd, fma(simd, g[2], B2, g[0]), SHARE_B);
        let [a, minus_a] = both(simd, even_a, times(simd, g[1], A * SHARE_A));
        let [b, minus_b] = both(simd, even_b, times(simd, g[1], B * SHARE_B));
        [a, minus_a, b, minus_b, g[2]]
    }

    #[inline(always)]
    fn tap_gradients<S: Simd>(simd: S, m: [S::f32s; 5]) -> [S::f32s; 3] {
        use three::{A, A2, B, B2, SHARE_A, SHARE_B};
        let [sum_a, difference_a] = both(simd, m[0], m[1]);
        let [sum_b, difference_b] = both(simd, m[2], m[3]);
        let (sum_a, sum_b) = (times(simd, sum_a, SHARE_A), times(simd, sum_b, SHARE_B));
        let (first, second) = (A * SHARE_A, B * SHARE_B);
        [
            simd.add_f32s(sum_a, sum_b),
            fma(simd, difference_a, first, times(simd, difference_b, second)),
            fma(simd, sum_a, A2, fma(simd, sum_b, B2, m[4])),
        ]
    }
}

/// F(4, 3), from the points 0, ±3/4 and ±3/2. With the usual points 0, ±1 and ±2 the errors are twice as large.
pub(super) struct Four;

/// The constants of [`Four`], likewise. Those of B and A are exact in f32.
mod four {
    pub(super) const A: f32 = 0.75;
    pub(super) const B: f32 = 1.5;
    pub(super) const A2: f32 = A * A;
    pub(super) const B2: f32 = B * B;
    pub(super) const SHARE_0: f32 = 64.0 / 81.0;
    pub(super) const SHARE_A: f32 = -128.0 / 243.0;
    pub(super) const SHARE_B: f32 = 32.0 / 243.0;
}

impl Filter<4, 6> for Four {
    #[inline(always)]
    fn inputs<S: Simd>(simd: S, d: [S::f32s; 6]) -> [S::f32s; 6] {
        use four::{A, A2, B, B2};
        let (even_a, odd_a) = (fma(simd, d[2], -B2, d[4]), fma(simd, d[1], -B2, d[3]));
        let (even_b, odd_b) = (fma(simd, d[2], -A2, d[4]), fma(simd, d[1], -A2, d[3]));
        [
            fma(simd, d[0], A2 * B2, fma(simd, d[2], -(A2 + B2), d[4])),
            fma(simd, odd_a, A, even_a),
            fma(simd, odd_a, -A, even_a),
            fma(simd, odd_b, B, even_b),
            fma(simd, odd_b, -B, even_b),
            fma(simd, d[1], A2 * B2, fma(simd, d[3], -(A2 + B2), d[5])),
        ]
    }

    #[inline(always)]
    fn outputs<S: Simd>(simd: S, m: [S::f32s; 6]) -> [S::f32s; 4] {
        use four::{A, A2, B, B2};
        let [sum_a, difference_a] = both(simd, m[1], m[2]);
        let [sum_b, difference_b] = both(simd, m[3], m[4]);
        [
            simd.add_f32s(m[0], simd.add_f32s(sum_a, sum_b)),
            fma(simd, difference_a, A, times(simd, difference_b, B)),
            fma(simd, sum_a, A2, times(simd, sum_b, B2)),
            fma(
                simd,
                difference_a,
                A * A2,
                fma(simd, difference_b, B * B2, m[5]),
            ),
        ]
    }

    #[inline(always)]
    fn output_gradients<S: Simd>(simd: S, y: [S::f32s; 4]) -> [S::f32s; 6] {
        use four::{A, A2, B, B2};
        let even_a = fma(simd, y[2], A2, y[0]);
        let even_b = fma(simd, y[2], B2, y[0]);
        let odd_a = fma(simd, y[3], A * A2, times(simd, y[1], A));
        let odd_b = fma(simd, y[3], B * B2, times(simd, y[1], B));
        let ([a, minus_a], [b, minus_b]) = (both(simd, even_a, odd_a), both(simd, even_b, odd_b));
        [y[0], a, minus_a, b, minus_b, y[3]]
    }

    #[inline(always)]
    fn taps<S: Simd>(simd: S, g: [S::f32s; 3]) -> [S::f32s; 6] {
        use four::{A, A2, B, B2, SHARE_0, SHARE_A, SHARE_B};
        let even_a = times(simd, fma(simd, g[2], A2, g[0]), SHARE_A);
        let even_b = times(simd, fma(simd, g[2], B2, g[0]), SHARE_B);
        let [a, minus_a] = both(simd, even_a, times(simd, g[1], A * SHARE_A));
        let [b, minus_b] = both(simd, even_b, times(simd, g[1], B * SHARE_B));
        [times(simd, g[0], SHARE_0), a, minus_a, b, minus_b, g[2]]
    }

    #[inline(always)]
    fn tap_gradients<S: Simd>(simd: S, m: [S::f32s; 6]) -> [S::f32s; 3] {
        use four::{A, A2, B, B2, SHARE_0, SHARE_A, SHARE_B};
        let [sum_a, difference_a] = both(simd, m[1], m[2]);
        let [sum_b, difference_b] = both(simd, m[3], m[4]);
        let (sum_a, sum_b) = (times(simd, sum_a, SHARE_A), times(simd, sum_b, SHARE_B));
        [
            fma(simd, m[0], SHARE_0, simd.add_f32s(sum_a, sum_b)),
            fma(
                simd,
                difference_a,
                A * SHARE_A,
                times(simd, difference_b, B * SHARE_B),
            ),
            fma(simd, sum_a, A2, fma(simd, sum_b, B2, m[5])),
        ]
    }
}
