//! What follows from the fields of training together: the values of open fields, and whether the steps of a run are sums
//! of the class gradients that probes measure.

use super::choices::{Attention, Loss, Optimizer};
use super::fields::RunConfig;

/// Share of the batches that CutMix mixes where none is given, as in its authors' training on CIFAR.
const CUTMIX_PROB: f64 = 0.5;

impl RunConfig {
    /// The peak learning rate: the one given, or the usual one of the optimiser.
    pub fn learning_rate(&self) -> f64 {
        self.lr.unwrap_or(match self.optimizer {
            Optimizer::Sgd => 0.1,
            Optimizer::Adam | Optimizer::AdamW => 0.001,
        })
    }

    /// The weight decay: the one given, or the usual one of the optimiser. Those of Adam and AdamW are PyTorch's.
    pub fn decay(&self) -> f64 {
        self.weight_decay.unwrap_or(match self.optimizer {
            Optimizer::Sgd => 5e-4,
            Optimizer::Adam => 0.0,
            Optimizer::AdamW => 0.01,
        })
    }

    /// The configuration with values in place of the open fields that other fields decide. Runs are recorded so: what
    /// they were trained with does not depend on what a later version takes as usual.
    #[must_use]
    pub fn settled(&self) -> Self {
        Self {
            lr: Some(self.learning_rate()),
            weight_decay: Some(self.decay()),
            ..self.clone()
        }
    }

    /// Share ε of label smoothing in the loss that trains; 0 where labels are not smoothed.
    pub fn smoothing(&self) -> f64 {
        match self.loss {
            Loss::Focal => 0.0,
            Loss::Ce | Loss::Ldam | Loss::BalancedSoftmax | Loss::LogitAdjusted => {
                self.label_smoothing.unwrap_or(0.0)
            }
        }
    }

    /// Whether training images are mixed with each other, in some batches at least.
    pub fn mixes(&self) -> bool {
        self.mixup.is_some() || (self.cutmix.is_some() && self.cutmix_share() > 0.0)
    }

    /// Share of the batches that CutMix mixes, 0 to 1, where it is on.
    pub fn cutmix_share(&self) -> f64 {
        self.cutmix_prob.unwrap_or(CUTMIX_PROB)
    }

    /// Whether the loss is cross-entropy of the network's logits, with class weights or without.
    pub fn minimises_cross_entropy(&self) -> bool {
        self.loss == Loss::Ce && self.attention != Attention::Experts
    }

    /// Name of the loss whose class gradients are measured, where the run minimises another one: cross-entropy, or where it
    /// is the labels or the images that differ, plain cross-entropy.
    pub fn other_loss_measured(&self) -> Option<&'static str> {
        if !self.minimises_cross_entropy() {
            Some("cross-entropy")
        } else if self.smoothing() > 0.0 || self.mixes() {
            Some("plain cross-entropy")
        } else {
            None
        }
    }

    /// Why a step of the run is no sum of the class gradients that probes measure, which are those of cross-entropy, so
    /// that what each class's share of a step does cannot be told from them; `None` where it is such a sum.
    pub fn departs_from_class_gradients(&self) -> Option<String> {
        if self.loss != Loss::Ce {
            return Some(format!(
                "class gradients are those of cross-entropy, and this run minimises {}",
                self.loss
            ));
        }
        if self.attention == Attention::Experts {
            return Some(
                "class gradients are those of cross-entropy of the mean logits, and this run minimises three losses, one of \
                 each expert"
                    .to_owned(),
            );
        }
        if self.smoothing() > 0.0 {
            return Some(
                "class gradients are those of cross-entropy with unsmoothed labels, and this run smooths them"
                    .to_owned(),
            );
        }
        if self.mixes() {
            return Some(
                "class gradients are those of single images, and this run trains on mixed ones"
                    .to_owned(),
            );
        }
        if self.sam_rho.is_some() {
            return Some(
                "SAM takes the gradient of a step at other weights than those that are probed"
                    .to_owned(),
            );
        }
        if self.optimizer.is_adam() {
            return Some(format!(
                "{} divides the gradient of each weight by a scale of its own, so that a step is no sum of class gradients",
                self.optimizer.label()
            ));
        }
        None
    }
}
