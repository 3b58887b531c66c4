//! The Gram matrix of class-gradient pieces, and everything derived from it: norms, conflict, cancellation, influence.
//!
//! Plain numbers, no tensors. A class gradient g_k is the mean of its pieces `g[k,s]`, weighted by their image counts;
//! a probe stores, per layer, all products ⟨`g[a,s]`, `g[b,t]`⟩. Products add over layers, so a block, a branch or the
//! whole network is the sum of its layers' matrices.

use serde::{Deserialize, Serialize};

use super::ledger::Ledger;

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
        let over_a = jackknife_variance(self.weights(a), |weights| {
            self.bilinear((a, weights), (b, self.weights(b)))
        })?;
        let over_b = jackknife_variance(self.weights(b), |weights| {
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

    /// The summary over all class pairs; `shares` π_j is each class's share of the training loss.
    pub fn summary(&self, shares: &[f64]) -> ConflictSummary {
        let mut summary = ConflictSummary {
            norm: (0..self.classes).map(|k| self.norm(k)).collect(),
            cancellation: self.cancellation(shares),
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
    pub fn cancellation(&self, shares: &[f64]) -> Option<f64> {
        let defined: Vec<_> = (0..self.classes)
            .filter(|&k| self.images(k) > 0.0)
            .collect();
        let mut square = 0.0;
        let mut lengths = 0.0;
        for &a in &defined {
            lengths += shares[a] * self.norm(a)?;
            for &b in &defined {
                square += shares[a] * shares[b] * self.dot(a, b)?;
            }
        }
        (lengths > 0.0 && lengths.is_finite()).then(|| square.max(0.0).sqrt() / lengths)
    }

    /// What every class's share of a gradient step does to class k; none where there is no such class.
    pub fn ledger(&self, k: usize) -> Option<Ledger> {
        let (own, size) = (k * self.pieces..(k + 1) * self.pieces, self.counts.len());
        let products = self.products.get(own.start * size..own.end * size)?;
        let own = (products, self.update.get(own)?);
        Ledger::sum(k, self.classes, &self.counts, [own])
    }

    /// −lr · π_j ⟨g_j, g_k⟩: what class j's share of one plain SGD step does to class k's loss, to first order.
    /// The diagonal uses products of different pieces only, since ‖g_k‖² itself is inflated by noise.
    pub fn influence(&self, lr: f64, shares: &[f64], j: usize, k: usize) -> Option<f64> {
        let share = self.ledger(k)?.share(lr, shares, j)?;
        Some(share.nats)
    }

    /// The influence of all classes together on class k's loss, with a jackknife standard error over the pieces of
    /// every class. None where class k has no images or a single piece.
    pub fn net_influence(&self, lr: f64, shares: &[f64], k: usize) -> Option<Effect> {
        self.ledger(k)?.net(lr, shares)
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

    /// The cosine estimated twice: between the first halves of the two classes' pieces, and between the second. Both
    /// are of fewer images, so noise draws them towards 0; how far they lie apart shows how much there is. None where
    /// a class has fewer than two pieces or a half's norm is 0.
    pub fn half_cosines(&self, a: usize, b: usize) -> Option<[f64; 2]> {
        let (halves_a, halves_b) = (self.halves(a)?, self.halves(b)?);
        let cosine = |half: usize| {
            let (u, v) = (
                (a, halves_a[half].as_slice()),
                (b, halves_b[half].as_slice()),
            );
            let squares = self.bilinear(u, u)? * self.bilinear(v, v)?;
            let defined = squares > 0.0 && squares.is_finite();
            let cosine = self.bilinear(u, v)? / squares.sqrt();
            defined.then(|| cosine.clamp(-1.0, 1.0))
        };
        Some([cosine(0)?, cosine(1)?])
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

    /// Coefficients over a class's pieces of half the difference of its two half-class means.
    fn half_difference(&self, k: usize) -> Option<Vec<f64>> {
        let [first, second] = self.halves(k)?;
        let total = |half: &[f64]| half.iter().sum::<f64>();
        let (n, m) = (total(&first), total(&second));
        let difference = |(x, y): (&f64, &f64)| 0.5 * (x / n - y / m);
        Some(first.iter().zip(&second).map(difference).collect())
    }

    /// Piece weights of the two halves of a class: the first half of its non-empty pieces, and the rest. None with
    /// fewer than two pieces.
    fn halves(&self, k: usize) -> Option<[Vec<f64>; 2]> {
        let weights = self.weights(k);
        let present: Vec<_> = (0..self.pieces).filter(|&s| weights[s] > 0.0).collect();
        if present.len() < 2 {
            return None;
        }
        let (first, second) = present.split_at(present.len() / 2);
        Some([first, second].map(|half| {
            let mut kept = vec![0.0; self.pieces];
            half.iter().for_each(|&s| kept[s] = weights[s]);
            kept
        }))
    }

    /// How many standard errors ‖g_k‖² lies from 0, from products of different pieces, which noise does not inflate:
    /// small where the class's images do not agree on a direction. None with fewer than three pieces.
    pub fn agreement(&self, k: usize) -> Option<f64> {
        let square = |weights: &[f64]| {
            let (mut sum, mut total) = (0.0, 0.0);
            for (s, x) in weights.iter().enumerate() {
                for (t, y) in weights.iter().enumerate().filter(|&(t, _)| t != s) {
                    sum += x * y * self.product(k, s, k, t);
                    total += x * y;
                }
            }
            (total > 0.0).then(|| sum / total)
        };
        let error = jackknife_variance(self.weights(k), square)?.sqrt();
        (error > 0.0)
            .then(|| square(self.weights(k)))?
            .map(|square| square / error)
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

/// Delete-one jackknife variance over the non-empty pieces of a class of a statistic of its piece weights. None with
/// fewer than two pieces.
pub(super) fn jackknife_variance(
    weights: &[f64],
    statistic: impl Fn(&[f64]) -> Option<f64>,
) -> Option<f64> {
    let present: Vec<_> = (0..weights.len()).filter(|&s| weights[s] > 0.0).collect();
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

fn accumulate(sums: &mut [f64], values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += f64::from(*value);
    }
}

#[cfg(test)]
mod tests;
