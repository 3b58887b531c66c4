//! What follows from the fields of training together: the values of open fields, and whether the steps of a run are sums
//! of the class gradients that probes measure.

use super::choices::{Loss, Optimizer};
use super::fields::RunConfig;

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

    /// Why a step of the run is no sum of the class gradients that probes measure, which are those of cross-entropy, so
    /// that what each class's share of a step does cannot be told from them; `None` where it is such a sum.
    pub fn departs_from_class_gradients(&self) -> Option<String> {
        if self.loss != Loss::Ce {
            return Some(format!(
                "class gradients are those of cross-entropy, and this run minimises {}",
                self.loss
            ));
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
