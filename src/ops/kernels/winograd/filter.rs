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

/// F(2, 3), from the points 0, 1 and −1.
pub(super) struct Two;

impl Filter<2, 4> for Two {
    #[inline(always)]
    fn inputs<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 4] {
        [
            simd.sub_f32s(a, c),
            simd.add_f32s(b, c),
            simd.sub_f32s(c, b),
            simd.sub_f32s(d, b),
        ]
    }

    #[inline(always)]
    fn outputs<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 2] {
        [
            simd.add_f32s(a, simd.add_f32s(b, c)),
            simd.add_f32s(simd.sub_f32s(b, c), d),
        ]
    }

    #[inline(always)]
    fn output_gradients<S: Simd>(simd: S, [a, b]: [S::f32s; 2]) -> [S::f32s; 4] {
        [a, simd.add_f32s(a, b), simd.sub_f32s(a, b), b]
    }

    #[inline(always)]
    fn taps<S: Simd>(simd: S, [a, b, c]: [S::f32s; 3]) -> [S::f32s; 4] {
        let half = simd.splat_f32s(0.5);
        let outer = simd.mul_f32s(half, simd.add_f32s(a, c));
        let b = simd.mul_f32s(half, b);
        [a, simd.add_f32s(outer, b), simd.sub_f32s(outer, b), c]
    }

    #[inline(always)]
    fn tap_gradients<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 3] {
        let half = simd.splat_f32s(0.5);
        let sum = simd.mul_f32s(half, simd.add_f32s(b, c));
        let difference = simd.mul_f32s(half, simd.sub_f32s(b, c));
        [simd.add_f32s(a, sum), difference, simd.add_f32s(sum, d)]
    }
}

/// F(4, 3), from the points 0, ±3/4 and ±3/2. With the usual points 0, ±1 and ±2 the errors are twice as large.
pub(super) struct Four;

/// The points, and their squares: A² + B² = 45/16 and A²·B² = 81/64. Every constant of B and A is exact in f32.
const A: f32 = 0.75;
const B: f32 = 1.5;
const A2: f32 = A * A;
const B2: f32 = B * B;
/// 1 over the product of the differences of a point to the others: 0, ±A and ±B.
const SHARE_0: f32 = 64.0 / 81.0;
const SHARE_A: f32 = -128.0 / 243.0;
const SHARE_B: f32 = 32.0 / 243.0;

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

impl Filter<4, 6> for Four {
    #[inline(always)]
    fn inputs<S: Simd>(simd: S, d: [S::f32s; 6]) -> [S::f32s; 6] {
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
        let [sum_a, difference_a] = both(simd, m[1], m[2]);
        let [sum_b, difference_b] = both(simd, m[3], m[4]);
        [
            simd.add_f32s(m[0], simd.add_f32s(sum_a, sum_b)),
            fma(simd, difference_a, A, times(simd, difference_b, B)),
            fma(simd, sum_a, A2, times(simd, sum_b, B2)),
            fma(simd, difference_a, A * A2, fma(simd, difference_b, B * B2, m[5])),
        ]
    }

    #[inline(always)]
    fn output_gradients<S: Simd>(simd: S, y: [S::f32s; 4]) -> [S::f32s; 6] {
        let even_a = fma(simd, y[2], A2, y[0]);
        let even_b = fma(simd, y[2], B2, y[0]);
        let odd_a = fma(simd, y[3], A * A2, times(simd, y[1], A));
        let odd_b = fma(simd, y[3], B * B2, times(simd, y[1], B));
        let ([a, minus_a], [b, minus_b]) = (both(simd, even_a, odd_a), both(simd, even_b, odd_b));
        [y[0], a, minus_a, b, minus_b, y[3]]
    }

    #[inline(always)]
    fn taps<S: Simd>(simd: S, g: [S::f32s; 3]) -> [S::f32s; 6] {
        let even_a = times(simd, fma(simd, g[2], A2, g[0]), SHARE_A);
        let even_b = times(simd, fma(simd, g[2], B2, g[0]), SHARE_B);
        let [a, minus_a] = both(simd, even_a, times(simd, g[1], A * SHARE_A));
        let [b, minus_b] = both(simd, even_b, times(simd, g[1], B * SHARE_B));
        [times(simd, g[0], SHARE_0), a, minus_a, b, minus_b, g[2]]
    }

    #[inline(always)]
    fn tap_gradients<S: Simd>(simd: S, m: [S::f32s; 6]) -> [S::f32s; 3] {
        let [sum_a, difference_a] = both(simd, m[1], m[2]);
        let [sum_b, difference_b] = both(simd, m[3], m[4]);
        let (sum_a, sum_b) = (times(simd, sum_a, SHARE_A), times(simd, sum_b, SHARE_B));
        [
            fma(simd, m[0], SHARE_0, simd.add_f32s(sum_a, sum_b)),
            fma(simd, difference_a, A * SHARE_A, times(simd, difference_b, B * SHARE_B)),
            fma(simd, sum_a, A2, fma(simd, sum_b, B2, m[5])),
        ]
    }
}
