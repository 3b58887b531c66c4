//! The Gram matrix of class-gradient pieces, and everything derived from it: norms, conflict, cancellation, influence.
//!
//! Plain numbers, no tensors. A class gradient g_k is the mean of its pieces `g[k,s]`, weighted by their image counts;
//! a probe stores, per layer, all products ⟨`g[a,s]`, `g[b,t]`⟩. Products add over layers, so a block, a branch or the
//! whole network is the sum of its layers' matrices.

use serde::{Deserialize, Serialize};

/// A cell is resolved where |⟨g_a, g_b⟩| exceeds this many standard errors.
pub const RESOLVED_STANDARD_ERRORS: f64 = 3.0;

/// Products of class-gradient pieces over one layer or any sum of layers.
#[derive(Clone, Debug, PartialEq)]
pub struct Gram {
    classes: usize,
    pieces: usize,
    /// Images of each piece, [K·S].
    counts: Vec<f64>,
    /// ⟨g[a,s], g[b,t]⟩, [K·S, K·S], row a·S+s.
    products: Vec<f64>,
    /// ⟨g[a,s], Δθ⟩ of the last optimiser step, [K·S].
    update: Vec<f64>,
}

/// One cell of the conflict matrix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// cos(g_a, g_b) in [−1, 1]; none where a norm is 0 or a class has no images.
    pub cosine: Option<f64>,
    /// Whether the product differs from 0 by more than [`RESOLVED_STANDARD_ERRORS`].
    pub resolved: bool,
}

/// What a layer's (or a block's) Gram matrix says in a few numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ConflictSummary {
    /// ‖g_k‖ per class; none for a class without images.
    pub norm: Vec<Option<f64>>,
    /// Mean over class pairs of max(0, −cos); none without a defined pair.
    pub interference: Option<f64>,
    /// What noise alone would make of it: the same mean over half-differences of the class gradients.
    pub floor: Option<f64>,
    /// Class pairs with a defined cosine.
    pub pairs: usize,
    /// Those whose product is resolved from 0.
    pub resolved: usize,
    /// Those resolved and negative.
    pub conflicting: usize,
    /// ‖Σ π_j g_j‖ / Σ π_j ‖g_j‖ in [0, 1]: 1 where classes agree, 0 where they cancel.
    pub cancellation: Option<f64>,
}

/// First-order effect of one plain SGD step on one class's loss, with its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effect {
    /// Nats per step; negative means the loss falls.
    pub nats: f64,
    /// Standard error of `nats`; none where a class has a single piece.
    pub standard_error: Option<f64>,
}

impl Effect {
    /// Whether the effect differs from 0 by more than [`RESOLVED_STANDARD_ERRORS`].
    pub fn resolved(&self) -> bool {
        self.standard_error
            .is_some_and(|error| self.nats.abs() > RESOLVED_STANDARD_ERRORS * error)
    }
}

impl Gram {
    /// From stored tensors: `counts` `[K·S]`, `products` `[K·S, K·S]`, `update` `[K·S]`. None where the lengths
    /// disagree.
    pub fn new(classes: usize, counts: &[f32], products: &[f32], update: &[f32]) -> Option<Self> {
        Self::sum(classes, counts, [(products, update)])
    }

    /// The sum over the stored products and updates of some layers. None where the lengths disagree.
    pub fn sum<'a>(
        classes: usize,
        counts: &[f32],
        layers: impl IntoIterator<Item = (&'a [f32], &'a [f32])>,
    ) -> Option<Self> {
        let rows = counts.len();
        if classes == 0 || !rows.is_multiple_of(classes) {
            return None;
        }
        let mut sum = Self {
            classes,
            pieces: rows / classes,
            counts: counts.iter().copied().map(f64::from).collect(),
            products: vec![0.0; rows * rows],
            update: vec![0.0; rows],
        };
        for (products, update) in layers {
            if products.len() != rows * rows || update.len() != rows {
                return None;
            }
            accumulate(&mut sum.products, products);
            accumulate(&mut sum.update, update);
        }
        Some(sum)
    }

    /// Number of classes K.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Adds another layer of the same probe.
    pub fn add(&mut self, other: &Self) {
        debug_assert_eq!(self.counts, other.counts);
        self.products
            .iter_mut()
            .zip(&other.products)
            .for_each(|(sum, x)| *sum += x);
        self.update
            .iter_mut()
            .zip(&other.update)
            .for_each(|(sum, x)| *sum += x);
    }

    /// Images of class `k` in the probe.
    pub fn images(&self, k: usize) -> f64 {
        self.weights(k).iter().sum()
    }

    /// ⟨g_a, g_b⟩; none where a class has no images.
    pub fn dot(&self, a: usize, b: usize) -> Option<f64> {
        self.bilinear((a, self.weights(a)), (b, self.weights(b)))
    }

    /// ‖g_k‖ ≥ 0; none where the class has no images.
    pub fn norm(&self, k: usize) -> Option<f64> {
        self.dot(k, k).map(|square| square.max(0.0).sqrt())
    }

    /// cos(g_a, g_b); none where a norm is 0 or a class has no images.
    pub fn cosine(&self, a: usize, b: usize) -> Option<f64> {
        let norms = self.norm(a)? * self.norm(b)?;
        if norms > 0.0 && norms.is_finite() {
            let cosine = if a == b { 1.0 } else { self.dot(a, b)? / norms };
            Some(cosine.clamp(-1.0, 1.0))
        } else {
            None
        }
    }

    /// Standard error of ⟨g_a, g_b⟩: delete-one jackknife over a's pieces and over b's (Efron & Tibshirani 1993,
    /// eq. 11.5), their squares added. None where either class has fewer than two pieces.
    pub fn standard_error(&self, a: usize, b: usize) -> Option<f64> {
        let over_a = self.jackknife_variance(a, |weights| {
            self.bilinear((a, weights), (b, self.weights(b)))
        })?;
        let over_b = self.jackknife_variance(b, |weights| {
            self.bilinear((a, self.weights(a)), (b, weights))
        })?;
        Some((over_a + over_b).sqrt())
    }

    /// One cell of the conflict matrix. The diagonal is 1 by definition and counts as resolved.
    pub fn cell(&self, a: usize, b: usize) -> Cell {
        let cosine = self.cosine(a, b);
        let resolved = a == b
            || match (self.dot(a, b), self.standard_error(a, b)) {
                (Some(dot), Some(error)) => dot.abs() > RESOLVED_STANDARD_ERRORS * error,
                _ => false,
            };
        Cell {
            cosine,
            resolved: resolved && cosine.is_some(),
        }
    }

    /// The conflict matrix, `[K][K]`.
    pub fn matrix(&self) -> Vec<Vec<Cell>> {
        (0..self.classes)
            .map(|a| (0..self.classes).map(|b| self.cell(a, b)).collect())
            .collect()
    }

    /// The summary over all class pairs; `priors` π_j is each class's share of the training loss.
    pub fn summary(&self, priors: &[f64]) -> ConflictSummary {
        let mut summary = ConflictSummary {
            norm: (0..self.classes).map(|k| self.norm(k)).collect(),
            cancellation: self.cancellation(priors),
            ..ConflictSummary::default()
        };
        let (mut negative, mut floor, mut floor_pairs) = (0.0, 0.0, 0_usize);
        for a in 0..self.classes {
            for b in 0..a {
                let cell = self.cell(a, b);
                let Some(cosine) = cell.cosine else { continue };
                summary.pairs += 1;
                summary.resolved += usize::from(cell.resolved);
                summary.conflicting += usize::from(cell.resolved && cosine < 0.0);
                negative += (-cosine).max(0.0);
                if let Some(noise) = self.noise_cosine(a, b) {
                    floor_pairs += 1;
                    floor += (-noise).max(0.0);
                }
            }
        }
        summary.interference = (summary.pairs > 0).then(|| negative / summary.pairs as f64);
        summary.floor = (floor_pairs > 0).then(|| floor / floor_pairs as f64);
        summary
    }

    /// ‖Σ π_j g_j‖ / Σ π_j ‖g_j‖; none where every gradient is 0.
    pub fn cancellation(&self, priors: &[f64]) -> Option<f64> {
        let defined: Vec<_> = (0..self.classes)
            .filter(|&k| self.images(k) > 0.0)
            .collect();
        let mut square = 0.0;
        let mut lengths = 0.0;
        for &a in &defined {
            lengths += priors[a] * self.norm(a)?;
            for &b in &defined {
                square += priors[a] * priors[b] * self.dot(a, b)?;
            }
        }
        (lengths > 0.0 && lengths.is_finite()).then(|| square.max(0.0).sqrt() / lengths)
    }

    /// −lr · π_j ⟨g_j, g_k⟩: what class j's share of one plain SGD step does to class k's loss, to first order.
    /// The diagonal uses products of different pieces only, since ‖g_k‖² itself is inflated by noise.
    pub fn influence(&self, lr: f64, priors: &[f64], j: usize, k: usize) -> Option<f64> {
        let dot = if j == k {
            self.cross_piece_square(k)?
        } else {
            self.dot(j, k)?
        };
        Some(-lr * priors[j] * dot)
    }

    /// The influence of all classes together on class k's loss, with a jackknife standard error over the pieces of
    /// every class. None where class k has no images or a single piece.
    pub fn net_influence(&self, lr: f64, priors: &[f64], k: usize) -> Option<Effect> {
        let mut nats = 0.0;
        let mut variance = Some(0.0);
        for j in (0..self.classes).filter(|&j| self.images(j) > 0.0) {
            nats += self.influence(lr, priors, j, k)?;
        }
        // Deleting a piece of class m moves m's own share and, where m is k, every product. What stands still adds
        // nothing to the variance and is left out.
        for m in (0..self.classes).filter(|&m| self.images(m) > 0.0) {
            let moved = if m == k { 0..self.classes } else { m..m + 1 };
            let delete = |weights: &[f64]| {
                let mut sum = 0.0;
                for j in moved.clone().filter(|&j| self.images(j) > 0.0) {
                    let weights_j = if j == m { weights } else { self.weights(j) };
                    let weights_k = if k == m { weights } else { self.weights(k) };
                    let dot = if j == k {
                        self.cross_piece_square_of(k, weights_k)?
                    } else {
                        self.bilinear((j, weights_j), (k, weights_k))?
                    };
                    sum -= lr * priors[j] * dot;
                }
                Some(sum)
            };
            variance = match (variance, self.jackknife_variance(m, delete)) {
                (Some(sum), Some(more)) => Some(sum + more),
                _ => None,
            };
        }
        Some(Effect {
            nats,
            standard_error: variance.map(f64::sqrt),
        })
    }

    /// First-order change of class k's loss under the optimiser step actually taken before the probe, in nats.
    pub fn update_effect(&self, k: usize) -> Option<f64> {
        let weights = self.weights(k);
        let total: f64 = weights.iter().sum();
        (total > 0.0).then(|| {
            weights
                .iter()
                .enumerate()
                .map(|(s, w)| w * self.update[k * self.pieces + s])
                .sum::<f64>()
                / total
        })
    }

    /// cos of the two classes' noise: d_k is half the difference of two half-class means.
    fn noise_cosine(&self, a: usize, b: usize) -> Option<f64> {
        let norms = self.norm(a)? * self.norm(b)?;
        let (half_a, half_b) = (self.half_difference(a)?, self.half_difference(b)?);
        let mut dot = 0.0;
        for (s, x) in half_a.iter().enumerate() {
            for (t, y) in half_b.iter().enumerate() {
                dot += x * y * self.product(a, s, b, t);
            }
        }
        (norms > 0.0).then(|| dot / norms)
    }

    /// Coefficients over a class's pieces of half the difference of two half-class means (first half of the
    /// non-empty pieces against the rest). None with fewer than two pieces.
    fn half_difference(&self, k: usize) -> Option<Vec<f64>> {
        let weights = self.weights(k);
        let present: Vec<_> = (0..self.pieces).filter(|&s| weights[s] > 0.0).collect();
        if present.len() < 2 {
            return None;
        }
        let (first, second) = present.split_at(present.len() / 2);
        let mut coefficients = vec![0.0; self.pieces];
        for (half, sign) in [(first, 0.5), (second, -0.5)] {
            let total: f64 = half.iter().map(|&s| weights[s]).sum();
            half.iter()
                .for_each(|&s| coefficients[s] = sign * weights[s] / total);
        }
        Some(coefficients)
    }

    /// How many standard errors ‖g_k‖² lies from 0, from products of different pieces, which noise does not inflate:
    /// small where the class's images do not agree on a direction. None with fewer than two pieces.
    pub fn agreement(&self, k: usize) -> Option<f64> {
        let variance =
            self.jackknife_variance(k, |weights| self.cross_piece_square_of(k, weights))?;
        let error = variance.sqrt();
        (error > 0.0)
            .then(|| self.cross_piece_square(k))?
            .map(|square| square / error)
    }

    fn cross_piece_square(&self, k: usize) -> Option<f64> {
        self.cross_piece_square_of(k, self.weights(k))
    }

    /// Unbiased ‖g_k‖²: the weighted mean of ⟨g[k,s], g[k,t]⟩ over s ≠ t.
    fn cross_piece_square_of(&self, k: usize, weights: &[f64]) -> Option<f64> {
        let (mut sum, mut total) = (0.0, 0.0);
        for (s, x) in weights.iter().enumerate() {
            for (t, y) in weights.iter().enumerate().filter(|&(t, _)| t != s) {
                sum += x * y * self.product(k, s, k, t);
                total += x * y;
            }
        }
        (total > 0.0).then(|| sum / total)
    }

    /// ⟨Σ_s u_s g[a,s], Σ_t v_t g[b,t]⟩ for weights normalised to sum 1; none where all weights are 0.
    fn bilinear(&self, (a, u): (usize, &[f64]), (b, v): (usize, &[f64])) -> Option<f64> {
        let total = u.iter().sum::<f64>() * v.iter().sum::<f64>();
        let mut sum = 0.0;
        for (s, x) in u.iter().enumerate() {
            for (t, y) in v.iter().enumerate() {
                sum += x * y * self.product(a, s, b, t);
            }
        }
        (total > 0.0).then(|| sum / total)
    }

    /// Delete-one jackknife variance over the non-empty pieces of class k of a statistic of its piece weights.
    fn jackknife_variance(
        &self,
        k: usize,
        statistic: impl Fn(&[f64]) -> Option<f64>,
    ) -> Option<f64> {
        let weights = self.weights(k);
        let present: Vec<_> = (0..self.pieces).filter(|&s| weights[s] > 0.0).collect();
        if present.len() < 2 {
            return None;
        }
        let mut values = Vec::with_capacity(present.len());
        let mut rest = weights.to_vec();
        for &s in &present {
            rest[s] = 0.0;
            values.push(statistic(&rest)?);
            rest[s] = weights[s];
        }
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        Some((n - 1.0) / n * values.iter().map(|x| (x - mean).powi(2)).sum::<f64>())
    }

    /// Images of each piece of class k, [S].
    fn weights(&self, k: usize) -> &[f64] {
        &self.counts[k * self.pieces..(k + 1) * self.pieces]
    }

    fn product(&self, a: usize, s: usize, b: usize, t: usize) -> f64 {
        let row = a * self.pieces + s;
        let column = b * self.pieces + t;
        self.products[row * self.counts.len() + column]
    }
}

fn accumulate(sums: &mut [f64], values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += f64::from(*value);
    }
}

#[cfg(test)]
mod tests;
