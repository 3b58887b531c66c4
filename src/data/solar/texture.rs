//! Mixing colours, distances, and noise in the plane.

use super::scene::Colour;

/// Colour `a` where t is 0, `b` where it is 1, and a mixture between.
pub(super) fn mix(a: Colour, b: Colour, t: f64) -> Colour {
    let t = t.clamp(0.0, 1.0);
    [0, 1, 2].map(|i| a[i] + (b[i] - a[i]) * t)
}

/// 0 below −½, 1 above ½, smooth between.
pub(super) fn smooth(x: f64) -> f64 {
    let t = (x + 0.5).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Square of the distance of two points.
pub(super) fn distance_squared(a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)
}

/// Distance of a point from the segment between `a` and `b`.
pub(super) fn segment_distance(at: [f64; 2], a: [f64; 2], b: [f64; 2]) -> f64 {
    let along = [b[0] - a[0], b[1] - a[1]];
    let length = (along[0] * along[0] + along[1] * along[1]).max(1e-12);
    let t = (((at[0] - a[0]) * along[0] + (at[1] - a[1]) * along[1]) / length).clamp(0.0, 1.0);
    distance_squared(at, [a[0] + t * along[0], a[1] + t * along[1]]).sqrt()
}

/// A fixed number in [0, 1) for a lattice point.
pub(super) fn hash(at: [f64; 2], field: u64) -> f64 {
    let key = (at[0] as i64 as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ (at[1] as i64 as u64).wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    let mut z = key ^ field;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Smooth noise in [0, 1), one feature per unit.
pub(super) fn value_noise(at: [f64; 2], field: u64) -> f64 {
    let corner = at.map(f64::floor);
    let t = [at[0] - corner[0], at[1] - corner[1]].map(|t| t * t * (3.0 - 2.0 * t));
    let value = |dx: f64, dy: f64| hash([corner[0] + dx, corner[1] + dy], field);
    let top = value(0.0, 0.0) + (value(1.0, 0.0) - value(0.0, 0.0)) * t[0];
    let bottom = value(0.0, 1.0) + (value(1.0, 1.0) - value(0.0, 1.0)) * t[0];
    top + (bottom - top) * t[1]
}

/// Three octaves of noise, in [0, 1).
pub(super) fn fractal(at: [f64; 2], field: u64) -> f64 {
    let octave = |scale: f64, salt: u64| {
        value_noise([at[0] * scale, at[1] * scale], field.wrapping_add(salt))
    };
    (4.0 * octave(1.0, 0) + 2.0 * octave(2.1, 11) + octave(4.3, 23)) / 7.0
}
