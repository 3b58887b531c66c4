//! The ledger of a class: how the share of every class in one gradient step changes the loss of this class.
//!
//! A ledger needs only those entries of a Gram matrix that involve the class's own pieces, so that following one class
//! over hundreds of probes costs little.

use super::standard_error::{Effect, jackknife_variance};

/// Inner products of the gradients of one class's pieces with those of the pieces of all classes, over one layer or a
/// sum of layers.
///
/// For coefficients c_j, the argument `steps` of the functions below, a plain gradient step is Δθ = −lr Σ c_j g_j, and
/// it changes the loss of the ledger's class k by −lr Σ c_j ⟨g_j, g_k⟩ to first order. In training, c_j is π_j, the
/// share of class j in the training loss.
#[derive(Clone, Debug, PartialEq)]
pub struct Ledger {
    class: usize,
    pieces: usize,
    /// Number of images of each piece of all classes, `[K·S]`.
    counts: Vec<f64>,
    /// ⟨`g[k,s]`, `g[j,t]`⟩, `[S, K·S]`.
    products: Vec<f64>,
    /// ⟨`g[k,s]`, Δθ⟩ for the change Δθ of the weights in the last optimiser step, `[S]`.
    update: Vec<f64>,
}

impl Ledger {
    /// The ledger of `class`: the sum over some layers of the products `[S, K·S]` and updates `[S]` of its pieces.
    /// `counts` are the numbers of images of the pieces of all classes, `[K·S]`. `None` where the lengths do not fit
    /// together or there is no such class.
    pub fn sum<'a, T: Copy + Into<f64> + 'a>(
        class: usize,
        classes: usize,
        counts: &[T],
        layers: impl IntoIterator<Item = (&'a [T], &'a [T])>,
    ) -> Option<Self> {
        let size = counts.len();
        if class >= classes || size == 0 || !size.is_multiple_of(classes) {
            return None;
        }
        let pieces = size / classes;
        let mut ledger = Self {
            class,
            pieces,
            counts: counts.iter().map(|&n| n.into()).collect(),
            products: vec![0.0; pieces * size],
            update: vec![0.0; pieces],
        };
        for (products, update) in layers {
            if products.len() != pieces * size || update.len() != pieces {
                return None;
            }
            let sums = ledger.products.iter_mut().zip(products);
            sums.for_each(|(sum, &x)| *sum += x.into());
            let sums = ledger.update.iter_mut().zip(update);
            sums.for_each(|(sum, &x)| *sum += x.into());
        }
        Some(ledger)
    }

    /// Number of probe images of class `j`.
    pub fn images(&self, j: usize) -> f64 {
        self.weights(j).iter().sum()
    }

    /// −lr c_j ⟨g_j, g_k⟩: the change of this class's loss in nats that class j's share of the step causes, with the
    /// standard error of the product (delete-one jackknife over the pieces of both classes). For j = k only products of
    /// different pieces are used, since noise inflates ‖g_k‖². `None` where a class has no images, or for j = k a
    /// single piece.
    pub fn share(&self, lr: f64, steps: &[f64], j: usize) -> Option<Effect> {
        if j >= self.classes() {
            return None;
        }
        let factor = -lr * steps.get(j)?;
        let own = self.weights(self.class);
        let variance = if j == self.class {
            self.variance(j, |weights| self.own_square_without(weights))
        } else {
            let over_j = self.variance(j, |weights| self.dot(own, j, weights));
            let over_k = self.variance(self.class, |weights| self.dot(weights, j, self.weights(j)));
            over_j.zip(over_k).map(|(a, b)| a + b)
        };
        Some(Effect {
            nats: factor * self.product(j)?,
            standard_error: variance.map(|variance| factor.abs() * variance.sqrt()),
        })
    }

    /// The sum of the effects ([`Self::share`]) of all classes, with a jackknife standard error over the pieces of
    /// every class. `None` where this class has no images or a single piece.
    pub fn net(&self, lr: f64, steps: &[f64]) -> Option<Effect> {
        let present: Vec<usize> = (0..steps.len().min(self.classes()))
            .filter(|&j| self.images(j) > 0.0)
            .collect();
        let mut nats = 0.0;
        for &j in &present {
            nats -= lr * steps[j] * self.product(j)?;
        }
        // Deleting a piece of this class changes every share; the shares of other classes are linear in its pieces.
        let others = || present.iter().filter(|&&j| j != self.class);
        let of_piece = |s: usize| -> f64 {
            let share = |&j: &usize| lr * steps[j] * self.piece_with(s, j);
            others().map(share).sum()
        };
        let of_pieces: Vec<f64> = (0..self.pieces).map(of_piece).collect();
        let own = self.weights(self.class);
        let own_step = steps.get(self.class).map_or(0.0, |step| lr * step);
        let mut variance = self.variance(self.class, |weights| {
            let total: f64 = weights.iter().sum();
            let terms = weights.iter().zip(&of_pieces).map(|(n, x)| n * x);
            Some(own_step * self.own_square_without(weights)? + terms.sum::<f64>() / total)
        });
        // Deleting a piece of another class changes the share of that class alone.
        let images: f64 = own.iter().sum();
        for &j in others() {
            let with_class = |t: usize| {
                let rows = self.products.chunks_exact(self.counts.len()).zip(own);
                let terms = rows.map(|(row, n)| n * row[j * self.pieces + t]);
                lr * steps[j] * terms.sum::<f64>() / images
            };
            let of_j = mean_variance(self.weights(j), with_class);
            variance = variance.zip(of_j).map(|(sum, more)| sum + more);
        }
        Some(Effect {
            nats,
            standard_error: variance.map(f64::sqrt),
        })
    }

    /// First-order change of the class's loss under the optimiser step that was taken before the probe, with a
    /// jackknife standard error over the class's pieces. `None` where the class has no images.
    pub fn taken(&self) -> Option<Effect> {
        let mean = |weights: &[f64]| {
            let total: f64 = weights.iter().sum();
            let terms = weights.iter().zip(&self.update).map(|(n, x)| n * x);
            // A recorder does not always know the step that was taken before a probe; the products are then NaN.
            let mean = terms.sum::<f64>() / total;
            (total > 0.0 && mean.is_finite()).then_some(mean)
        };
        Some(Effect {
            nats: mean(self.weights(self.class))?,
            standard_error: self.variance(self.class, mean).map(f64::sqrt),
        })
    }

    fn classes(&self) -> usize {
        self.counts.len().checked_div(self.pieces).unwrap_or(0)
    }

    /// ⟨g_j, g_k⟩; for j = k estimated from products of different pieces.
    fn product(&self, j: usize) -> Option<f64> {
        let own = self.weights(self.class);
        if j == self.class {
            self.own_square(own)
        } else {
            self.dot(own, j, self.weights(j))
        }
    }

    /// ⟨Σ_s u_s `g[k,s]`, Σ_t v_t `g[j,t]`⟩ for weights normalised to sum 1; `None` where all weights of a class are 0.
    fn dot(&self, u: &[f64], j: usize, v: &[f64]) -> Option<f64> {
        let total = u.iter().sum::<f64>() * v.iter().sum::<f64>();
        let mut sum = 0.0;
        for (row, x) in self.products.chunks_exact(self.counts.len()).zip(u) {
            let row = &row[j * self.pieces..(j + 1) * self.pieces];
            sum += x * row
                .iter()
                .zip(v)
                .map(|(product, y)| product * y)
                .sum::<f64>();
        }
        (total > 0.0).then(|| sum / total)
    }

    /// ⟨`g[k,s]`, g_j⟩ for piece s of this class and another class j, which must have images.
    fn piece_with(&self, s: usize, j: usize) -> f64 {
        let (row, weights) = (&self.products[s * self.counts.len()..], self.weights(j));
        let terms = row[j * self.pieces..].iter().zip(weights);
        terms.map(|(product, n)| product * n).sum::<f64>() / weights.iter().sum::<f64>()
    }

    /// Unbiased estimate of ‖g_k‖²: the weighted mean of ⟨`g[k,s]`, `g[k,t]`⟩ over s ≠ t. `None` with a single piece.
    fn own_square(&self, weights: &[f64]) -> Option<f64> {
        let (mut sum, mut total) = (0.0, 0.0);
        let rows = self.products.chunks_exact(self.counts.len());
        for (s, (row, x)) in rows.zip(weights).enumerate() {
            let row = &row[self.class * self.pieces..(self.class + 1) * self.pieces];
            for (t, (product, y)) in row.iter().zip(weights).enumerate() {
                if s != t {
                    sum += x * y * product;
                    total += x * y;
                }
            }
        }
        (total > 0.0).then(|| sum / total)
    }

    /// [`Self::own_square`] where `weights` leave out a piece. Where only one of two pieces remains, it has no partner
    /// for a product; the square is then linearised about g_k: 2⟨g, g_k⟩ − ‖g_k‖², with g the gradient of the remaining
    /// piece.
    fn own_square_without(&self, weights: &[f64]) -> Option<f64> {
        self.own_square(weights).or_else(|| {
            let all = self.weights(self.class);
            let square = self.dot(all, self.class, all)?;
            Some(2.0 * self.dot(weights, self.class, all)? - square)
        })
    }

    /// [`jackknife_variance`] of a statistic over the pieces of class `j`.
    fn variance(&self, j: usize, statistic: impl Fn(&[f64]) -> Option<f64>) -> Option<f64> {
        jackknife_variance(self.weights(j), statistic)
    }

    /// Number of images of each piece of class j, `[S]`.
    fn weights(&self, j: usize) -> &[f64] {
        &self.counts[j * self.pieces..(j + 1) * self.pieces]
    }
}

/// The delete-one jackknife variance of the weighted mean of `value` over the non-empty pieces of a class. It equals
/// [`jackknife_variance`] but takes linear time: the ledgers of a hundred classes are computed in every layer of
/// hundreds of probes.
fn mean_variance(weights: &[f64], value: impl Fn(usize) -> f64) -> Option<f64> {
    let present = || (0..weights.len()).filter(|&t| weights[t] > 0.0);
    let n = present().count() as f64;
    if n < 2.0 {
        return None;
    }
    let total: f64 = weights.iter().sum();
    let sum: f64 = present().map(|t| weights[t] * value(t)).sum();
    let without = |t: usize| (sum - weights[t] * value(t)) / (total - weights[t]);
    let mean = present().map(without).sum::<f64>() / n;
    let squares = present().map(|t| (without(t) - mean).powi(2));
    Some((n - 1.0) / n * squares.sum::<f64>())
}

#[cfg(test)]
pub(super) mod tests;
