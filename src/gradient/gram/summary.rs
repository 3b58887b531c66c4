//! The few numbers that sum up the conflict in a Gram matrix: over all pairs of classes, and over the pairs within and
//! between frequent and rare classes.

use serde::{Deserialize, Serialize};

use super::Gram;

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
}

#[cfg(test)]
mod tests;
