//! The instruction set that is used, its registers, and helpers for loops over them.

use pulp::{Arch, Simd, WithSimd};

/// The instruction set to use: the best that this machine has.
pub(in crate::ops) fn arch() -> Arch {
    #[cfg(test)]
    if let Some(arch) = FORCED.get() {
        return arch;
    }
    Arch::new()
}

#[cfg(test)]
thread_local! {
    /// Makes the operations of this thread use another instruction set, so that each is tested.
    pub(in crate::ops) static FORCED: std::cell::Cell<Option<Arch>> = const { std::cell::Cell::new(None) };
}

/// Runs a loop compiled for the instruction set. The closure and what it calls must be `#[inline(always)]`, and it must
/// change something that it borrows: other closures are called by way of a shim that is compiled for any machine.
pub(in crate::ops) fn vectorised(arch: Arch, body: impl FnMut()) {
    struct Body<F>(F);
    impl<F: FnMut()> WithSimd for Body<F> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(mut self, _: S) {
            (self.0)();
        }
    }
    arch.dispatch(Body(body));
}

/// Every instruction set this machine has, the scalar one first.
#[cfg(test)]
pub(in crate::ops) fn archs() -> Vec<Arch> {
    let mut archs = vec![Arch::Scalar];
    #[cfg(target_arch = "x86_64")]
    archs.extend(pulp::x86::V3::try_new().map(Arch::V3));
    if lanes(Arch::new()) > archs.last().map_or(0, |&arch| lanes(arch)) {
        archs.push(Arch::new());
    }
    archs
}

/// f32 values in a register.
pub(in crate::ops) fn lanes(arch: Arch) -> usize {
    struct Lanes;
    impl WithSimd for Lanes {
        type Output = usize;
        fn with_simd<S: Simd>(self, _: S) -> usize {
            S::F32_LANES
        }
    }
    arch.dispatch(Lanes)
}

/// Number of output pixels (or, for the weight gradient, of input values) in a tile with `R` registers for each of
/// them: as many as let all sums stay in registers.
pub(super) const fn tile_len<S: Simd, const R: usize>() -> usize {
    match (S::REGISTER_COUNT >= 32, R) {
        (true, 1) => 16,
        (true, _) => 12,
        (false, 1) => 8,
        (false, _) => 4,
    }
}

/// A register of values; zeros where there are fewer values.
#[inline(always)]
pub(super) fn load<S: Simd>(simd: S, values: &[f32]) -> S::f32s {
    match S::as_simd_f32s(values).0.first() {
        Some(&register) => register,
        None => simd.partial_load_f32s(values),
    }
}

/// Writes as many values as there is room for, a register at most.
#[inline(always)]
pub(super) fn store<S: Simd>(simd: S, to: &mut [f32], values: S::f32s) {
    match S::as_mut_simd_f32s(to).0.first_mut() {
        Some(register) => *register = values,
        None => simd.partial_store_f32s(to, values),
    }
}

/// The values from the first one that begins a line of the cache, because a register that spans two lines takes twice
/// the time. Up to 15 values are left out.
pub(super) fn aligned(values: &mut [f32]) -> &mut [f32] {
    let start = values.as_ptr().align_offset(64).min(values.len());
    &mut values[start..]
}

/// Calls `$call` with `$n` as a constant.
macro_rules! with_constant {
    ($n:expr, $name:ident => $call:expr) => {
        match $n {
            1 => {
                const $name: usize = 1;
                $call
            }
            2 => {
                const $name: usize = 2;
                $call
            }
            3 => {
                const $name: usize = 3;
                $call
            }
            4 => {
                const $name: usize = 4;
                $call
            }
            5 => {
                const $name: usize = 5;
                $call
            }
            6 => {
                const $name: usize = 6;
                $call
            }
            7 => {
                const $name: usize = 7;
                $call
            }
            8 => {
                const $name: usize = 8;
                $call
            }
            9 => {
                const $name: usize = 9;
                $call
            }
            10 => {
                const $name: usize = 10;
                $call
            }
            11 => {
                const $name: usize = 11;
                $call
            }
            12 => {
                const $name: usize = 12;
                $call
            }
            13 => {
                const $name: usize = 13;
                $call
            }
            14 => {
                const $name: usize = 14;
                $call
            }
            15 => {
                const $name: usize = 15;
                $call
            }
            _ => {
                const $name: usize = 16;
                $call
            }
        }
    };
}
pub(super) use with_constant;
