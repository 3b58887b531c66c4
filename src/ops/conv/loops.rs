//! Loops over values on their way back through ReLU and norm.

use crate::ops::pending_norm::Pending;

// Each loop is a function, because the compiler then knows that the slice it writes overlaps none that it reads.

/// The gradient where the value is above the floor, else 0.
#[inline(always)]
pub(super) fn mask(passed: &mut [f32], raw: &[f32], grad: &[f32], pending: &Pending) {
    let constants = pending.scale.iter().zip(&pending.shift);
    for (((passed, raw), grad), (scale, shift)) in
        passed.iter_mut().zip(raw).zip(grad).zip(constants)
    {
        *passed = if raw * scale + shift > pending.floor {
            *grad
        } else {
            0.0
        };
    }
}

/// Σg and Σg·(x − mean).
#[inline(always)]
pub(super) fn add_terms(
    plain: &mut [f32],
    weighted: &mut [f32],
    raw: &[f32],
    passed: &[f32],
    mean: &[f32],
) {
    let sums = plain.iter_mut().zip(weighted);
    for ((plain, weighted), ((raw, passed), mean)) in sums.zip(raw.iter().zip(passed).zip(mean)) {
        *plain += passed;
        *weighted += passed * (raw - mean);
    }
}

/// scale·(g − a − b·(x − mean)).
#[inline(always)]
pub(super) fn subtract(
    out: &mut [f32],
    passed: &[f32],
    raw: &[f32],
    (scale, mean): (&[f32], &[f32]),
    (a, b): (&[f32], &[f32]),
) {
    let constants = scale.iter().zip(mean).zip(a.iter().zip(b));
    for ((out, (passed, raw)), ((scale, mean), (a, b))) in
        out.iter_mut().zip(passed.iter().zip(raw)).zip(constants)
    {
        *out = scale * (passed - a - b * (raw - mean));
    }
}

/// scale·g.
#[inline(always)]
pub(super) fn scaled(out: &mut [f32], passed: &[f32], scale: &[f32]) {
    for (out, (passed, scale)) in out.iter_mut().zip(passed.iter().zip(scale)) {
        *out = scale * passed;
    }
}
