//! The ledger of a class: what every class's share of one gradient step does to its loss.
//!
//! Of all products of a Gram matrix it needs only those with the class's own pieces, so that following one class over
//! hundreds of probes costs little.

use super::gram::Effect;

/// Products of one class's gradient pieces with those of all classes, over one layer or any sum of layers.
///
/// With `steps` c_j, a plain gradient step is Δθ = −lr Σ c_j g_j, and class k's loss changes to first order by
/// −lr Σ c_j ⟨g_j, g_k⟩. As trained, c_j is π_j, the class's share of the training loss.
#[derive(Clone, Debug, PartialEq)]
pub struct Ledger {
    class: usize,
    pieces: usize,
    /// Images of each piece, [K·S].
    counts: Vec<f64>,
    /// ⟨g[k,s], g[j,t]⟩, [S, K·S].
    products: Vec<f64>,
    /// ⟨g[k,s], Δθ⟩ of the last optimiser step, [S].
    update: Vec<f64>,
}

impl Ledger {
    /// The ledger of `class` from the products `[S, K·S]` of its pieces and their updates `[S]` in some layers, with the
    /// images `[K·S]` of the pieces of all classes. None where the lengths disagree or there is no such class.
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

    /// Images of class `j` in the probe.
    pub fn images(&self, j: usize) -> f64 {
        self.weights(j).iter().sum()
    }

    /// −lr c_j ⟨g_j, g_k⟩: what class j's share of the step does to this class's loss, with the standard error of the
    /// product (delete-one jackknife over the pieces of both). Of the class itself only products of different pieces
    /// count, since ‖g_k‖² is inflated by noise. None where a class has no images, or the class itself a single piece.
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

    /// The shares of all classes together, with a jackknife standard error over the pieces of every class. None where
    /// the class has no images or a single piece.
    pub fn net(&self, lr: f64, steps: &[f64]) -> Option<Effect> {
        let present: Vec<usize> = (0..steps.len().min(self.classes()))
            .filter(|&j| self.images(j) > 0.0)
            .collect();
        let mut nats = 0.0;
        for &j in &present {
            nats -= lr * steps[j] * self.product(j)?;
        }
        // Deleting one of its own pieces moves every share; those of the others are linear in the pieces.
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
        // Deleting a piece of another class moves that class's share alone.
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

    /// First-order change of the class's loss under the optimiser step actually taken before the probe, with a jackknife
    /// standard error over its pieces. None where it has no images.
    pub fn taken(&self) -> Option<Effect> {
        let mean = |weights: &[f64]| {
            let total: f64 = weights.iter().sum();
            let terms = weights.iter().zip(&self.update).map(|(n, x)| n * x);
            (total > 0.0).then(|| terms.sum::<f64>() / total)
        };
        Some(Effect {
            nats: mean(self.weights(self.class))?,
            standard_error: self.variance(self.class, mean).map(f64::sqrt),
        })
    }

    fn classes(&self) -> usize {
        self.counts.len().checked_div(self.pieces).unwrap_or(0)
    }

    /// ⟨g_j, g_k⟩, of the class itself from different pieces.
    fn product(&self, j: usize) -> Option<f64> {
        let own = self.weights(self.class);
        if j == self.class {
            self.own_square(own)
        } else {
            self.dot(own, j, self.weights(j))
        }
    }

    /// ⟨Σ_s u_s g[k,s], Σ_t v_t g[j,t]⟩ for weights normalised to sum 1; none where all weights are 0.
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

    /// ⟨g[k,s], g_j⟩ of one of its pieces and another class that has images.
    fn piece_with(&self, s: usize, j: usize) -> f64 {
        let (row, weights) = (&self.products[s * self.counts.len()..], self.weights(j));
        let terms = row[j * self.pieces..].iter().zip(weights);
        terms.map(|(product, n)| product * n).sum::<f64>() / weights.iter().sum::<f64>()
    }

    /// Unbiased ‖g_k‖²: the weighted mean of ⟨g[k,s], g[k,t]⟩ over s ≠ t. None with a single piece.
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

    /// ‖g_k‖² with a piece deleted. The one piece that two leave behind has no product with another: there, the
    /// square is taken to be linear in the gradient, 2⟨g, g_k⟩ − ‖g_k‖².
    fn own_square_without(&self, weights: &[f64]) -> Option<f64> {
        self.own_square(weights).or_else(|| {
            let all = self.weights(self.class);
            let square = self.dot(all, self.class, all)?;
            Some(2.0 * self.dot(weights, self.class, all)? - square)
        })
    }

    /// Delete-one jackknife variance (Efron & Tibshirani 1993, eq. 11.5) over the non-empty pieces of class `j` of a
    /// statistic of its piece weights. None with fewer than two pieces.
    fn variance(&self, j: usize, statistic: impl Fn(&[f64]) -> Option<f64>) -> Option<f64> {
        super::gram::jackknife_variance(self.weights(j), statistic)
    }

    /// Images of each piece of class j, [S].
    fn weights(&self, j: usize) -> &[f64] {
        &self.counts[j * self.pieces..(j + 1) * self.pieces]
    }
}

/// The delete-one jackknife variance of a weighted mean: as [`Ledger::variance`], where a ledger of a hundred classes is
/// asked for every layer of hundreds of probes.
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
