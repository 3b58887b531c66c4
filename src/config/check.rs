//! Checks of a configuration: errors for values that cannot work, and warnings about values that can work but are
//! probably not intended.

use super::choices::{Attention, ClassWeights, DeviceKind, GatePlace, Loss, Sampler};
use super::field::Field;
use super::fields::{FIELDS, RunConfig};

/// A learning rate of Adam so many times its usual one is more likely one of SGD.
const LARGE: f64 = 30.0;

/// A field whose value cannot work, with the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct FieldError {
    /// The field of [`RunConfig`], as written in TOML.
    pub field: &'static str,
    /// What is wrong and what would be right.
    pub message: String,
}

impl RunConfig {
    /// An error for every field whose value cannot work, in the order of [`FIELDS`]; empty where the configuration is
    /// sound.
    pub fn validate(&self) -> Vec<FieldError> {
        let error = |field: &Field<Self>| {
            Some(FieldError {
                field: field.name,
                message: field.problem(self).or_else(|| self.misfit(field.name))?,
            })
        };
        FIELDS.iter().filter_map(error).collect()
    }

    /// Why the value of a field, which by itself could work, does not fit those of other fields; `None` where it does.
    fn misfit(&self, field: &str) -> Option<String> {
        let (branches, kernels) = (self.dilations.list().len(), self.kernels.list().len());
        match field {
            "kernels" if kernels > 1 && kernels != branches => Some(format!(
                "there are {kernels} kernels, and `dilations` makes {branches} {}; give one kernel for all branches, or \
                 one for each",
                if branches == 1 { "branch" } else { "branches" }
            )),
            "attention" if self.attention == Attention::Class && self.loss == Loss::Ldam => Some(
                "with `class` the classifier is linear, and `loss` ldam needs one of cosines; choose another `loss`, or \
                 another `attention`"
                    .to_owned(),
            ),
            "attention" if self.attention == Attention::Experts && branches != 3 => Some(format!(
                "`experts` has three losses, one for each branch, and `dilations` makes {branches}; give three dilations, or \
                 choose another `attention`"
            )),
            "loss" if self.attention == Attention::Experts && self.loss != Loss::Ce => Some(
                "with `attention` experts each branch has a loss of its own, made of cross-entropy; choose `ce`, or another \
                 `attention`"
                    .to_owned(),
            ),
            "gate_place" if self.attention == Attention::Shared && self.gate_place != GatePlace::End => {
                Some(format!(
                    "with `attention` shared one gate weighs all branches together, which come together at their end \
                     alone; choose `end`, or another `attention` for `{}`",
                    self.gate_place
                ))
            }
            _ => None,
        }
    }

    /// Sentences about values that can work but are probably not intended: an imbalance that is corrected more than
    /// once, a learning rate that belongs to another optimiser, and values that have no effect.
    pub fn warnings(&self) -> Vec<String> {
        let idle = FIELDS.iter().filter_map(|field| field.idle(self));
        let all = self.overcorrection().into_iter();
        let all = all.chain(self.misfit_rate()).chain(self.without_effect());
        all.chain(idle).collect()
    }

    /// Whether class weights would begin only when training is over.
    fn never_weighted(&self) -> bool {
        self.weights_from.is_some_and(|share| share >= 1.0)
    }

    /// Sentences about values that other values leave nothing to do.
    fn without_effect(&self) -> impl Iterator<Item = String> {
        let never_mixed =
            self.mixup.is_some() && self.cutmix.is_some() && self.cutmix_share() >= 1.0;
        let never_weighted = self.class_weights != ClassWeights::None && self.never_weighted();
        let sentences = [
            (
                never_mixed,
                "`mixup` has no effect, since CutMix mixes every batch.",
            ),
            (
                self.exact_convolutions && self.device != DeviceKind::Cpu,
                "`exact_convolutions` has no effect on a GPU.",
            ),
            (
                never_weighted,
                "`class_weights` have no effect, since `weights_from` lets them begin after the last epoch.",
            ),
        ];
        let sentences = sentences.into_iter().filter(|(applies, _)| *applies);
        sentences.map(|(_, sentence)| sentence.to_owned())
    }

    /// A sentence about a learning rate that is usual for another optimiser; `None` where it suits this one.
    pub fn misfit_rate(&self) -> Option<String> {
        let usual = Self {
            lr: None,
            ..self.clone()
        };
        let (rate, usual) = (self.learning_rate(), usual.learning_rate());
        (self.optimizer.is_adam() && rate >= LARGE * usual).then(|| {
            format!(
                "A learning rate of {rate} is large for {}, whose usual one is {usual}.",
                self.optimizer.label()
            )
        })
    }

    /// A sentence that names all corrections for rare classes; `None` where there is at most one.
    pub fn overcorrection(&self) -> Option<String> {
        let corrections = [
            (
                matches!(self.loss, Loss::BalancedSoftmax | Loss::LogitAdjusted)
                    || self.attention == Attention::Experts,
                "the loss",
            ),
            (
                self.class_weights != ClassWeights::None && !self.never_weighted(),
                "class weights",
            ),
            (self.sampler != Sampler::Instance, "the sampler"),
            (
                self.post_hoc.is_some_and(|tau| tau > 0.0),
                "post-hoc adjustment",
            ),
        ];
        let used = corrections.into_iter().filter(|(used, _)| *used);
        let used: Vec<_> = used.map(|(_, name)| name).collect();
        match used.as_slice() {
            [] | [_] => None,
            [others @ .., last] => Some(format!(
                "The imbalance is corrected more than once, by {} and {last}: rare classes will be favoured too much.",
                others.join(", ")
            )),
        }
    }
}
