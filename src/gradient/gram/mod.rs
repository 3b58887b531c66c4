//! The Gram matrix of class gradients, and the quantities derived from it: norms, conflict, cancellation, influence.
//!
//! The probe images of a class are cut into pieces, and `g[k,s]` is the gradient of the mean cross-entropy of piece s
//! of class k. The class gradient g_k is the mean of its pieces' gradients, weighted by their numbers of images. A
//! probe stores for every layer all inner products ⟨`g[a,s]`, `g[b,t]`⟩. They add over layers, so the Gram matrix of a
//! block, a branch or the whole network is the sum of its layers' matrices.

use serde::{Deserialize, Serialize};

use super::ledger::Ledger;
use super::standard_error::jackknife_variance;
pub use super::standard_error::{Effect, RESOLVED_STANDARD_ERRORS};

/// Inner products between the gradients of all pieces, S pieces for each of K classes, over one layer or a sum of
/// layers.
#[derive(Clone, Debug, PartialEq)]
pub struct Gram {
    classes: usize,
    pieces: usize,
    /// Number of images of each piece, `[K·S]`.
    counts: Vec<f64>,
    /// ⟨`g[a,s]`, `g[b,t]`⟩, `[K·S, K·S]`, row a·S+s.
    products: Vec<f64>,
    /// ⟨`g[a,s]`, Δθ⟩ for the change Δθ of the weights in the last optimiser step, `[K·S]`.
    update: Vec<f64>,
}

/// One cell of the conflict matrix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// cos(g_a, g_b) in [−1, 1]; `None` where a norm is 0 or a class has no images.
    pub cosine: Option<f64>,
    /// Whether ⟨g_a, g_b⟩ differs from 0 by more than [`RESOLVED_STANDARD_ERRORS`] standard errors.
    pub resolved: bool,
}

/// A summary of the Gram matrix of a layer or a sum of layers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ConflictSummary {
    /// ‖g_k‖ of every class, `[K]`; `None` for a class without images.
    pub norm: Vec<Option<f64>>,
    /// Interference: mean of max(0, −cos(g_a, g_b)) over the class pairs with a defined cosine, in [0, 1]; `None`
    /// without such a pair.
    pub interference: Option<f64>,
    /// Noise floor of the interference: the same mean, in which every g_k in the inner products is replaced by an
    /// estimate of its noise, half the difference between the mean gradients of two halves of the class's pieces.
    pub floor: Option<f64>,
    /// Number of class pairs with a defined cosine.
    pub pairs: usize,
    /// Number of those pairs whose inner product is resolved from 0.
    pub resolved: usize,
    /// Number of those pairs whose inner product is resolved from 0 and negative.
    pub conflicting: usize,
    /// ‖Σ π_j g_j‖ / Σ π_j ‖g_j‖ in [0, 1] with the shares π_j of the classes in the training loss: 1 where classes
    /// agree, 0 where they cancel; `None` where every gradient is 0.
    pub cancellation: Option<f64>,
    /// The same over the pairs within and between the frequent and the rare third of the classes; `None` where there
    /// are no thirds, and in logs of versions that did not record them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thirds: Option<Box<ThirdsConflict>>,
}

/// Conflict within and between the frequent third of the classes (head) and the rare one (tail).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ThirdsConflict {
    /// Pairs of a frequent and a rare class.
    pub head_tail: PairsConflict,
    /// Pairs of rare classes.
    pub tail_tail: PairsConflict,
    /// Pairs of frequent classes.
    pub head_head: PairsConflict,
}

/// Conflict over some pairs of classes; the fields are those of [`ConflictSummary`], over these pairs alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PairsConflict {
    /// Mean of max(0, −cos(g_a, g_b)), in [0, 1]; `None` without a pair.
    pub interference: Option<f64>,
    /// Noise floor of the interference.
    pub floor: Option<f64>,
    /// Number of pairs with a defined cosine.
    pub pairs: usize,
    /// Number of those pairs whose inner product is resolved from 0.
    pub resolved: usize,
    /// Number of those pairs whose inner product is resolved from 0 and negative.
    pub conflicting: usize,
}

impl Gram {
    /// The Gram matrix of one layer from stored tensors: `counts` `[K·S]`, `products` `[K·S, K·S]`, `update` `[K·S]`.
    /// `None` where the lengths do not fit together.
    pub fn new(classes: usize, counts: &[f32], products: &[f32], update: &[f32]) -> Option<Self> {
        Self::sum(classes, counts, [(products, update)])
    }

    /// The Gram matrix of several layers together: the sums of their products `[K·S, K·S]` and updates `[K·S]`. `None`
    /// where the lengths do not fit together.
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

    /// Adds the matrix of another layer of the same probe.
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

    /// Number of probe images of class `k`.
    pub fn images(&self, k: usize) -> f64 {
        self.weights(k).iter().sum()
    }

    /// ⟨g_a, g_b⟩; `None` where a class has no images.
    pub fn dot(&self, a: usize, b: usize) -> Option<f64> {
        self.bilinear((a, self.weights(a)), (b, self.weights(b)))
    }

    /// ‖g_k‖ ≥ 0; `None` where the class has no images.
    pub fn norm(&self, k: usize) -> Option<f64> {
        self.dot(k, k).map(|square| square.max(0.0).sqrt())
    }

    /// cos(g_a, g_b) in [−1, 1]; `None` where a norm is 0 or a class has no images.
    pub fn cosine(&self, a: usize, b: usize) -> Option<f64> {
        let norms = self.norm(a)? * self.norm(b)?;
        if norms > 0.0 && norms.is_finite() {
            let cosine = if a == b { 1.0 } else { self.dot(a, b)? / norms };
            Some(cosine.clamp(-1.0, 1.0))
        } else {
            None
        }
    }

    /// Standard error of ⟨g_a, g_b⟩: the root of the sum of two delete-one jackknife variances (Efron & Tibshirani
    /// 1993, eq. 11.5), over the pieces of `a` and over those of `b`. `None` where either class has fewer than two
    /// pieces.
    pub fn standard_error(&self, a: usize, b: usize) -> Option<f64> {
        let over_a = jackknife_variance(self.weights(a), |weights| {
            self.bilinear((a, weights), (b, self.weights(b)))
        })?;
        let over_b = jackknife_variance(self.weights(b), |weights| {
            self.bilinear((a, self.weights(a)), (b, weights))
        })?;
        Some((over_a + over_b).sqrt())
    }

    /// Standard error of cos(g_a, g_b) here minus that in `other`, where both are of the same images cut into the same
    /// pieces: the jackknife of [`Self::standard_error`] over the difference, so that what the pieces have in common in
    /// both cancels. Errors of the norms are left out; they hardly matter near a cosine of 0. `None` where a norm is 0
    /// or undefined, or a class has fewer than two pieces.
    pub fn paired_error(&self, other: &Self, a: usize, b: usize) -> Option<f64> {
        let norms = |gram: &Self| Some(gram.norm(a)? * gram.norm(b)?).filter(|x| *x > 0.0);
        let (here, there) = (norms(self)?, norms(other)?);
        let difference = |u: &[f64], v: &[f64]| {
            let product = |gram: &Self| gram.bilinear((a, u), (b, v));
            Some(product(self)? / here - product(other)? / there)
        };
        let (of_a, of_b) = (self.weights(a), self.weights(b));
        let over_a = jackknife_variance(of_a, |weights| difference(weights, of_b))?;
        let over_b = jackknife_variance(of_b, |weights| difference(of_a, weights))?;
        Some((over_a + over_b).sqrt())
    }

    /// One cell of the conflict matrix. The cosine on the diagonal is 1 by definition and counts as resolved.
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

    /// The summary over all class pairs, without that over thirds of the classes ([`Self::thirds`]). `shares` are the
    /// shares π_j of the classes in the training loss, `[K]`.
    pub fn summary(&self, shares: &[f64]) -> ConflictSummary {
        let all = (0..self.classes).flat_map(|a| (0..a).map(move |b| (a, b)));
        let all = self.conflict_of(all);
        ConflictSummary {
            norm: (0..self.classes).map(|k| self.norm(k)).collect(),
            interference: all.interference,
            floor: all.floor,
            pairs: all.pairs,
            resolved: all.resolved,
            conflicting: all.conflicting,
            cancellation: self.cancellation(shares),
            thirds: None,
        }
    }

    /// Conflict within and between the frequent classes `head` and the rare classes `tail`, which have no class in
    /// common; `None` where either is empty.
    pub fn thirds(&self, head: &[usize], tail: &[usize]) -> Option<ThirdsConflict> {
        let within = |classes: &[usize]| {
            let pairs = classes.iter().enumerate();
            let pairs = pairs.flat_map(|(i, &a)| classes[..i].iter().map(move |&b| (a, b)));
            self.conflict_of(pairs)
        };
        let between = head.iter().flat_map(|&a| tail.iter().map(move |&b| (a, b)));
        (!head.is_empty() && !tail.is_empty()).then(|| ThirdsConflict {
            head_tail: self.conflict_of(between),
            tail_tail: within(tail),
            head_head: within(head),
        })
    }

    /// The conflict over some pairs of different classes.
    fn conflict_of(&self, pairs: impl Iterator<Item = (usize, usize)>) -> PairsConflict {
        let mut conflict = PairsConflict::default();
        let (mut negative, mut floor, mut floor_pairs) = (0.0, 0.0, 0_usize);
        for (a, b) in pairs {
            let cell = self.cell(a, b);
            let Some(cosine) = cell.cosine else { continue };
            conflict.pairs += 1;
            conflict.resolved += usize::from(cell.resolved);
            conflict.conflicting += usize::from(cell.resolved && cosine < 0.0);
            negative += (-cosine).max(0.0);
            if let Some(noise) = self.noise_cosine(a, b) {
                floor_pairs += 1;
                floor += (-noise).max(0.0);
            }
        }
        conflict.interference = (conflict.pairs > 0).then(|| negative / conflict.pairs as f64);
        conflict.floor = (floor_pairs > 0).then(|| floor / floor_pairs as f64);
        conflict
    }

    /// ‖Σ π_j g_j‖ / Σ π_j ‖g_j‖ over the classes with images, in [0, 1], for `shares` π_j; `None` where every gradient
    /// is 0.
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

    /// The ledger of class `k`: how the share of every class in a gradient step changes class k's loss. `None` where
    /// there is no such class.
    pub fn ledger(&self, k: usize) -> Option<Ledger> {
        let (own, size) = (k * self.pieces..(k + 1) * self.pieces, self.counts.len());
        let products = self.products.get(own.start * size..own.end * size)?;
        let own = (products, self.update.get(own)?);
        Ledger::sum(k, self.classes, &self.counts, [own])
    }

    /// −lr · π_j ⟨g_j, g_k⟩: the change of class k's loss in nats, to first order, that class j's share of one plain
    /// SGD step causes. For j = k only products of different pieces are used, since noise inflates ‖g_k‖². `None` where
    /// a class has no images, or for j = k a single piece.
    pub fn influence(&self, lr: f64, shares: &[f64], j: usize, k: usize) -> Option<f64> {
        let share = self.ledger(k)?.share(lr, shares, j)?;
        Some(share.nats)
    }

    /// The sum of the influences of all classes on class k's loss, with a jackknife standard error over the pieces of
    /// every class. `None` where class k has no images or a single piece.
    pub fn net_influence(&self, lr: f64, shares: &[f64], k: usize) -> Option<Effect> {
        self.ledger(k)?.net(lr, shares)
    }

    /// First-order change of class k's loss in nats under the optimiser step that was taken before the probe; `None`
    /// where the class has no images.
    pub fn update_effect(&self, k: usize) -> Option<f64> {
        let weights = self.weights(k);
        let total: f64 = weights.iter().sum();
        let mean = (total > 0.0).then(|| {
            weights
                .iter()
                .enumerate()
                .map(|(s, w)| w * self.update[k * self.pieces + s])
                .sum::<f64>()
                / total
        });
        mean.filter(|mean| mean.is_finite())
    }

    /// Two estimates of the cosine: between the first halves of the two classes' pieces, and between their second
    /// halves. Both rest on fewer images than the cosine itself, so noise draws them towards 0; their difference shows
    /// how much noise there is. `None` where a class has fewer than two pieces or the norm of a half is 0.
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

    /// ⟨d_a, d_b⟩ / (‖g_a‖ ‖g_b‖) for the noise d_k of two classes, estimated by [`Self::half_difference`].
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

    /// Coefficients `[S]` of a class's pieces in half the difference between the mean gradients of its two halves.
    fn half_difference(&self, k: usize) -> Option<Vec<f64>> {
        let [first, second] = self.halves(k)?;
        let total = |half: &[f64]| half.iter().sum::<f64>();
        let (n, m) = (total(&first), total(&second));
        let difference = |(x, y): (&f64, &f64)| 0.5 * (x / n - y / m);
        Some(first.iter().zip(&second).map(difference).collect())
    }

    /// Weights `[S]` of the pieces in each of the two halves of a class: the first half of its non-empty pieces, and
    /// the others. `None` with fewer than two non-empty pieces.
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

    /// Number of standard errors by which ‖g_k‖² exceeds 0. ‖g_k‖² is estimated from products of different pieces,
    /// which noise does not inflate, so the number is small where the class's images do not agree on a direction.
    /// `None` with fewer than three pieces, or where the standard error is 0.
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

    /// ⟨Σ_s u_s `g[a,s]`, Σ_t v_t `g[b,t]`⟩ for weights normalised to sum 1; `None` where all weights of a class are 0.
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

    /// Number of images of each piece of class k, `[S]`.
    fn weights(&self, k: usize) -> &[f64] {
        &self.counts[k * self.pieces..(k + 1) * self.pieces]
    }

    /// ⟨`g[a,s]`, `g[b,t]`⟩.
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
