//! The one source of randomness: a counter-based generator, so that every draw is a pure function of
//! (seed, purpose, epoch, item) and prefetching, stopping and resuming cannot disturb it.

use crate::text::fnv1a;

/// The stream of random numbers that belongs to one (seed, purpose, epoch, item).
///
/// The first state is hashed from these four keys with the finaliser of SplitMix64 (Steele, Lea & Flood, OOPSLA 2014),
/// and SplitMix64 itself produces the stream. Streams are short: one for each item.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The stream of one item. `purpose` is a name such as `"order"` or a parameter's name.
    pub fn new(seed: u64, purpose: &str, epoch: u64, item: u64) -> Self {
        // The mixing below spreads the hash over all bits.
        let name = fnv1a(purpose);
        let state = [name, epoch, item]
            .into_iter()
            .fold(mix(seed), |state, key| mix(state ^ mix(key)));
        Self { state }
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        finalise(self.state)
    }

    /// Uniform in [0, 1), with 53 random bits.
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// Uniform in [low, high).
    pub fn range(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// Uniform in 0..n by multiply-shift, with a bias below n / 2⁶⁴; 0 where n is 0.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next_u64()) * n as u128) >> 64) as usize
    }

    /// Standard normal: the first of the two values of the Box–Muller transform.
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// From Beta(`alpha`, `alpha`), in [0, 1]: X/(X + Y) for X and Y from the gamma distribution of this shape.
    pub fn beta(&mut self, alpha: f64) -> f64 {
        let (x, y) = (self.log_gamma(alpha), self.log_gamma(alpha));
        // Of logarithms, because both numbers may be too small to be told from 0 where alpha is small.
        1.0 / (1.0 + (y - x).exp())
    }

    /// Logarithm of a number from the gamma distribution with this shape and scale 1 (Marsaglia & Tsang 2000; for shapes
    /// below 1 from the next larger one, as they propose).
    fn log_gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            return self.log_gamma(shape + 1.0) + (1.0 - self.uniform()).ln() / shape;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            let bound = x * x / 2.0 + d - d * v + d * v.max(f64::MIN_POSITIVE).ln();
            if v > 0.0 && (1.0 - self.uniform()).ln() < bound {
                return d.ln() + v.ln();
            }
        }
    }

    /// Puts the items in random order (Fisher & Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(key: u64) -> u64 {
    finalise(key.wrapping_add(GOLDEN))
}

fn finalise(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First outputs of SplitMix64 for seed 1234567, as published with the reference C code (Vigna).
    #[test]
    fn stream_is_splitmix64() {
        let mut random = Random { state: 1_234_567 };
        assert_eq!(random.next_u64(), 6_457_827_717_110_365_317);
        assert_eq!(random.next_u64(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn keys_are_independent_and_values_uniform() {
        let first = |seed, purpose, epoch, item| Random::new(seed, purpose, epoch, item).next_u64();
        let base = first(1, "order", 2, 3);
        for other in [
            first(2, "order", 2, 3),
            first(1, "crop", 2, 3),
            first(1, "order", 3, 2),
            first(1, "order", 2, 4),
        ] {
            assert_ne!(base, other);
        }
        // Across items, not along one stream: this is how the streams are used.
        let n = 20_000;
        let (mut sum, mut normal_sum, mut normal_squares) = (0.0, 0.0, 0.0);
        for item in 0..n {
            sum += Random::new(7, "test", 0, item).uniform();
            let x = Random::new(7, "test", 1, item).normal();
            normal_sum += x;
            normal_squares += x * x;
        }
        let n = n as f64;
        assert!((sum / n - 0.5).abs() < 0.01, "mean {}", sum / n);
        assert!((normal_sum / n).abs() < 0.03 && (normal_squares / n - 1.0).abs() < 0.05);
    }

    /// The mean of Beta(α, α) is 1/2, its variance 1/(4(2α + 1)); of Beta(1, 1), the uniform distribution, a tenth lies
    /// below 0.1, and of Beta(1/2, 1/2) the share 2/π·asin(√0.1) does.
    #[test]
    fn beta_has_its_moments_and_its_tails() {
        let n = 40_000;
        for (alpha, below) in [
            (0.5, Some(0.20483)),
            (1.0, Some(0.1)),
            (0.2, None),
            (4.0, None),
        ] {
            let draws = (0..n).map(|item| Random::new(5, "beta", 0, item).beta(alpha));
            let draws: Vec<f64> = draws.collect();
            let mean = draws.iter().sum::<f64>() / n as f64;
            let square = draws.iter().map(|x| (x - 0.5).powi(2)).sum::<f64>();
            let variance = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            assert!((mean - 0.5).abs() < 0.01, "{alpha}: mean {mean}");
            let ratio = square / n as f64 / variance;
            assert!((ratio - 1.0).abs() < 0.03, "{alpha}: variance {ratio}");
            if let Some(wanted) = below {
                let share = draws.iter().filter(|x| **x < 0.1).count() as f64 / n as f64;
                assert!((share - wanted).abs() < 0.01, "{alpha}: {share} below 0.1");
            }
        }
        // Shapes so small that gamma numbers underflow still give 0 or 1, and no NaN.
        let tiny = (0..1000).map(|item| Random::new(5, "beta", 1, item).beta(1e-4));
        let (low, high): (Vec<f64>, Vec<f64>) = tiny.partition(|x| *x < 0.5);
        assert!(low.len() > 400 && high.len() > 400);
        assert!(low.iter().chain(&high).all(|x| (0.0..=1.0).contains(x)));
    }

    #[test]
    fn shuffle_is_a_permutation() {
        let mut items: Vec<usize> = (0..100).collect();
        Random::new(0, "shuffle", 0, 0).shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
