//! The finding: its sentence, its basis, how pressing it is, and where its evidence can be seen.

use serde::Serialize;

use crate::config::{self, Field};
use crate::run::{BatchNorm, Run, Scope};

/// The subject of a finding. The kinds are ordered from the most to the least pressing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The training loss is not a number, or leaps.
    Loss,
    /// The logits of the trained network gain by an adjustment to the class frequencies.
    Adjustment,
    /// Attention makes a difference between two runs.
    Comparison,
    /// Steps raise the loss of a class.
    Unlearned,
    /// Validation scores get worse while the training loss falls.
    Overfitting,
    /// Classes are never recognised, or have no images in the evaluation.
    Score,
    /// The gradients of a pair of classes pull against each other.
    Conflict,
    /// Steps raised the loss of a class during a span of training.
    Setback,
    /// Frequent and rare classes conflict with each other more than all other classes do.
    Thirds,
    /// Attention gates do little.
    Gates,
    /// The gradient of a class is noise.
    Noise,
    /// Conflict stands out in a part of the network, or no conflict can be told from noise there.
    Depth,
    /// Adjusting the logits to the class frequencies gains nothing.
    NoAdjustment,
}

impl Kind {
    /// Every kind, the most pressing first: in the order of the variants.
    pub const ALL: &[Self] = &[
        Self::Loss,
        Self::Adjustment,
        Self::Comparison,
        Self::Unlearned,
        Self::Overfitting,
        Self::Score,
        Self::Conflict,
        Self::Setback,
        Self::Thirds,
        Self::Gates,
        Self::Noise,
        Self::Depth,
        Self::NoAdjustment,
    ];

    /// Place in the ranking of kinds, from 0 for the most pressing.
    pub fn rank(self) -> usize {
        self as usize
    }

    /// Whether findings of the kind are about class gradients.
    pub fn is_about_class_gradients(self) -> bool {
        match self {
            Self::Comparison
            | Self::Unlearned
            | Self::Conflict
            | Self::Setback
            | Self::Thirds
            | Self::Noise
            | Self::Depth => true,
            Self::Loss
            | Self::Adjustment
            | Self::Overfitting
            | Self::Score
            | Self::Gates
            | Self::NoAdjustment => false,
        }
    }

    /// The kind in one word on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Loss => "Loss",
            Self::Adjustment | Self::NoAdjustment => "Adjustment",
            Self::Comparison => "Comparison",
            Self::Unlearned => "Unlearning",
            Self::Overfitting => "Overfitting",
            Self::Score => "Score",
            Self::Conflict => "Conflict",
            Self::Setback => "Setback",
            Self::Thirds => "Head × tail",
            Self::Gates => "Gates",
            Self::Noise => "Noise",
            Self::Depth => "Depth",
        }
    }
}

/// A value for a field of a run's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// Name of the field.
    pub field: &'static str,
    /// The value, as it is written on the command line.
    pub value: String,
}

impl Setting {
    pub(super) fn new(field: &'static str, value: &str) -> Self {
        Self {
            field,
            value: value.to_owned(),
        }
    }

    /// The setting in words: the label of a choice, or that of the field with the value.
    pub fn label(&self) -> String {
        let field = Field::named(self.field);
        let choice = field.and_then(|field| {
            let config::Kind::Choice(choices) = field.kind else {
                return None;
            };
            choices.iter().find(|choice| choice.name == self.value)
        });
        match (choice, field) {
            (Some(choice), _) => choice.label.to_owned(),
            (None, Some(field)) => format!("{} {}", field.label, self.value),
            (None, None) => self.value.clone(),
        }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// The finding with its number and uncertainty, in a sentence without a full stop.
    pub sentence: String,
    /// Sentences about the basis of the finding and its limits.
    pub detail: String,
    /// The subject of the finding.
    pub kind: Kind,
    /// How pressing the finding is; findings with a higher score come first. The whole part is the place of the kind
    /// counted from the last kind, the fraction is the strength within the kind.
    pub score: f64,
    /// How batch norm was treated in the class gradients that the finding is about; `None` where it is about none.
    pub batch_norm: Option<BatchNorm>,
    /// What to change in the configuration of the run to try what the finding proposes; empty where it proposes nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<Setting>,
    /// Where the finding can be seen.
    pub evidence: Evidence,
}

/// Where the evidence of a finding can be seen. A field that does not matter to the finding is `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Evidence {
    /// Index of the run among the subjects; for a comparison of two runs, the index of the run with attention.
    pub run: usize,
    /// Part of the network.
    pub scope: Option<Scope>,
    /// Step of the probe, evaluation or logged step.
    pub step: Option<u64>,
    /// Class.
    pub class: Option<usize>,
    /// Pair of classes.
    pub pair: Option<(usize, usize)>,
}

impl Finding {
    /// A finding with a strength in [0, 1], without evidence.
    pub(super) fn new(kind: Kind, strength: f64, sentence: String, detail: String) -> Self {
        let from_below = Kind::ALL.len() - kind.rank();
        Self {
            sentence,
            detail,
            kind,
            score: from_below as f64 + 0.999 * strength.clamp(0.0, 1.0),
            batch_norm: None,
            next: Vec::new(),
            evidence: Evidence::default(),
        }
    }

    /// The finding with what to try next.
    pub(super) fn proposing(mut self, next: Vec<Setting>) -> Self {
        self.next = next;
        self
    }

    /// Names how batch norm was treated in the class gradients that the finding is about, where it is about such.
    pub(super) fn name_batch_norm(&mut self, run: &Run) {
        if self.kind.is_about_class_gradients() {
            self.batch_norm = Some(run.batch_norm());
            let text = format!(" Class gradients with {}.", run.batch_norm_in_words());
            self.detail.push_str(&text);
        }
    }

    /// The finding with its evidence.
    pub(super) fn at(mut self, evidence: Evidence) -> Self {
        self.evidence = evidence;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kind ranked after another. The match has no wildcard, so that a new kind does not compile until it has a
    /// place.
    fn next(kind: Kind) -> Option<Kind> {
        Some(match kind {
            Kind::Loss => Kind::Adjustment,
            Kind::Adjustment => Kind::Comparison,
            Kind::Comparison => Kind::Unlearned,
            Kind::Unlearned => Kind::Overfitting,
            Kind::Overfitting => Kind::Score,
            Kind::Score => Kind::Conflict,
            Kind::Conflict => Kind::Setback,
            Kind::Setback => Kind::Thirds,
            Kind::Thirds => Kind::Gates,
            Kind::Gates => Kind::Noise,
            Kind::Noise => Kind::Depth,
            Kind::Depth => Kind::NoAdjustment,
            Kind::NoAdjustment => return None,
        })
    }

    #[test]
    fn all_kinds_are_listed_in_the_order_of_their_ranks() {
        let kinds: Vec<Kind> =
            std::iter::successors(Some(Kind::Loss), |kind| next(*kind)).collect();
        assert_eq!(kinds, Kind::ALL);
        let ranks: Vec<usize> = kinds.iter().map(|kind| kind.rank()).collect();
        assert_eq!(ranks, (0..Kind::ALL.len()).collect::<Vec<_>>());
    }

    #[test]
    fn a_strong_finding_ranks_below_a_weak_one_of_a_more_pressing_kind() {
        let score =
            |kind, strength| Finding::new(kind, strength, String::new(), String::new()).score;
        for pair in Kind::ALL.windows(2) {
            assert!(score(pair[0], 0.0) > score(pair[1], 1.0), "{pair:?}");
        }
        assert!(score(Kind::Score, 0.6) > score(Kind::Score, 0.5));
    }
}
