//! The rule about post-hoc logit adjustment: what it would give if the logits of the trained network were lowered by
//! τ·ln π of their class, where π is its share of the training images (Menon et al. 2021, arXiv 2007.07314). It costs no
//! training, so that a user should know what it gives before anything else is tried.
//!
//! τ is chosen on validation images and judged on test images. Theory gives τ = 1 where all classes are equally frequent
//! in the end, and τ = 0 where they are as frequent as in training.

mod images;
mod logits;

use std::fmt::Write as _;

use super::finding::{Evidence, Finding, Kind, Setting};
use super::words::{class, listed};
use crate::class_balance::log_priors;
use crate::config::{ClassWeights, Prior, RunConfig, Sampler};
use crate::run::Run;
use crate::run::event::{Split, Started};
use crate::text::signed;

use images::{Images, Scores};

pub use logits::EndLogits;

/// Number of steps of τ between 0 and [`STRONGEST`].
const STEPS: usize = 8;
/// Strongest adjustment that validation images may choose.
const STRONGEST: f64 = 2.0;
/// Below this ratio of the largest to the smallest class there is nothing to adjust.
const LEAST_IMBALANCE: f64 = 1.5;
/// Images whose most frequent class is at most so many times as frequent as their rarest are balanced.
const BALANCED: f64 = 1.2;
/// Number of classes whose F1 changes most that are named.
const NAMED: usize = 3;

/// Whether two strengths of adjustment are the same step of the scale.
fn is_same(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

/// What chose τ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chosen {
    /// Validation images, which others than judge.
    Validation,
    /// Theory, for images that are balanced.
    Theory,
    /// The images that also judge it.
    Same,
}

/// An adjustment and what it gives.
struct Trial<'a> {
    started: &'a Started,
    chosen: Chosen,
    /// The split whose images judge.
    split: Split,
    /// τ of the run itself, 0 without, and the τ that is tried.
    taus: (f64, f64),
    scores: (Scores, Scores),
    /// 95 % interval of the change of macro-F1, for other images with as many of every class.
    interval: (f64, f64),
    /// Macro-F1 with τ = 1, which theory gives for equally frequent classes where training does nothing about the imbalance.
    balanced: Option<f64>,
}

/// The finding about a run that has ended, whose training images are imbalanced and whose logits were kept. `logits` are
/// those of its last step.
pub(super) fn finding(run: &Run, started: &Started, logits: &EndLogits) -> Option<Finding> {
    // A recorder's configuration does not say how its logits were adjusted.
    if started.recorder.is_some() {
        return None;
    }
    let counts = started.train_counts.iter().copied();
    let (least, most) = (
        counts.clone().filter(|n| *n > 0).min()?,
        counts.max().unwrap_or(0),
    );
    if (most as f64) < LEAST_IMBALANCE * least as f64 {
        return None;
    }
    let trial = Trial::of(started, logits)?;
    let last = run.evals_of(trial.split).map(|eval| eval.step).max();
    let found = if trial.gains() {
        Finding::new(
            Kind::Adjustment,
            trial.change() / 0.2,
            trial.gain(),
            trial.detail(),
        )
        .proposing(next(&started.config, trial.taus.1))
    } else {
        Finding::new(Kind::NoAdjustment, 0.5, trial.no_gain(), trial.detail())
    };
    Some(found.at(Evidence {
        step: last,
        ..Evidence::default()
    }))
}

/// Whether training does nothing about the imbalance, so that theory says how to adjust its logits.
fn is_plain(config: &RunConfig) -> bool {
    config.minimises_cross_entropy()
        && config.class_weights == ClassWeights::None
        && config.sampler == Sampler::Instance
}

/// A number with a typographic minus.
fn typographic(tau: f64) -> String {
    tau.to_string().replace('-', "−")
}

/// The strengths that are tried, in words.
fn range(config: &RunConfig) -> String {
    let least = if is_plain(config) { 0.0 } else { -STRONGEST };
    format!("from {} to {STRONGEST}", typographic(least))
}

/// What to train next where the logits gain by an adjustment: the same with that adjustment, or with a loss that has it
/// built in where the run does nothing else about the imbalance.
fn next(config: &RunConfig, tau: f64) -> Vec<Setting> {
    match is_plain(config) && config.post_hoc.is_none() {
        true if is_same(tau, 1.0) => vec![Setting::new("loss", "balanced-softmax")],
        true => vec![
            Setting::new("loss", "logit-adjusted"),
            Setting::new("tau", &tau.to_string()),
        ],
        false => vec![Setting::new("post_hoc", &tau.to_string())],
    }
}

impl<'a> Trial<'a> {
    /// The adjustment that validation images choose, judged on test images. Where there are no logits of one kind, theory
    /// chooses for balanced images, and else the images that judge.
    fn of(started: &'a Started, logits: &EndLogits) -> Option<Self> {
        let config = &started.config;
        let own = config.post_hoc.unwrap_or(0.0);
        let priors = log_priors(&started.train_counts);
        let shares = match &config.target_prior {
            Some(prior) => Some(prior.shares(&started.train_counts)?),
            None => None,
        };
        let images = |logits| Images::new(logits, priors.len(), shares.as_deref());
        let val = logits.val.as_ref().and_then(images);
        let test = logits.test.as_ref().and_then(images);
        let (split, judges) = match (&test, &val) {
            (Some(test), _) => (Split::Test, test),
            (None, Some(val)) => (Split::Val, val),
            (None, None) => return None,
        };
        let (chosen, chooser) = match (&test, &val) {
            (Some(_), Some(val)) => (Chosen::Validation, val),
            _ if is_plain(config) && judges.imbalance() <= BALANCED => (Chosen::Theory, judges),
            _ => (Chosen::Same, judges),
        };
        // The logits have the run's own adjustment already.
        let offsets = |tau: f64| -> Vec<f64> { priors.iter().map(|x| (own - tau) * x).collect() };
        let taus = (0..=STEPS).map(|step| STRONGEST * step as f64 / STEPS as f64);
        // A run that corrects the imbalance already may correct it too much.
        let negative = (1..=STEPS).map(|step| -STRONGEST * step as f64 / STEPS as f64);
        let negative = negative.filter(|_| !is_plain(config));
        let taus = taus.chain(negative);
        let tau = taus
            .filter(|tau| chosen != Chosen::Theory || is_same(*tau, 1.0))
            .filter_map(|tau| {
                Some((
                    tau,
                    chooser.scores(&chooser.classes(&offsets(tau))).macro_f1?,
                ))
            })
            // Of equals, the one nearest to what the run does.
            .min_by(|a, b| {
                let far = |tau: f64| (tau - own).abs();
                b.1.total_cmp(&a.1).then(far(a.0).total_cmp(&far(b.0)))
            })?
            .0;
        let (before, after) = (judges.classes(&offsets(own)), judges.classes(&offsets(tau)));
        let balanced = is_plain(config)
            .then(|| judges.scores(&judges.classes(&offsets(1.0))).macro_f1)
            .flatten();
        Some(Self {
            started,
            chosen,
            split,
            taus: (own, tau),
            scores: (judges.scores(&before), judges.scores(&after)),
            interval: judges.interval(&before, &after)?,
            balanced,
        })
    }

    fn change(&self) -> f64 {
        self.scores.1.macro_f1.unwrap_or(0.0) - self.scores.0.macro_f1.unwrap_or(0.0)
    }

    fn gains(&self) -> bool {
        !is_same(self.taus.0, self.taus.1) && self.interval.0 > 0.0
    }

    fn images(&self) -> &'static str {
        match self.split {
            Split::Test => "test images",
            Split::Train | Split::Val => "validation images",
        }
    }

    /// "… in macro-F1 0.594 → 0.715 on the test images (+0.121, 95 % interval +0.110 to +0.132)".
    fn numbers(&self) -> String {
        let macro_f1 = |scores: &Scores| scores.macro_f1.unwrap_or(0.0);
        format!(
            "{:.3} → {:.3} on the {} ({}, 95 % interval {} to {})",
            macro_f1(&self.scores.0),
            macro_f1(&self.scores.1),
            self.images(),
            signed(self.change(), 3),
            signed(self.interval.0, 3),
            signed(self.interval.1, 3)
        )
    }

    fn gain(&self) -> String {
        let instead = match self.started.config.post_hoc {
            Some(own) => format!(" instead of {}", typographic(own)),
            None => String::new(),
        };
        format!(
            "Post-hoc logit adjustment with τ = {}{instead} raises macro-F1 without any training, {}",
            typographic(self.taus.1),
            self.numbers()
        )
    }

    fn no_gain(&self) -> String {
        let (own, tau) = self.taus;
        // Where theory chooses, no other τ was tried.
        if is_same(own, tau) && self.chosen == Chosen::Theory {
            return format!(
                "This run has the τ of post-hoc logit adjustment that theory gives, {}",
                typographic(own)
            );
        }
        if is_same(own, tau) {
            let range = range(&self.started.config);
            return match self.started.config.post_hoc {
                Some(own) => format!(
                    "Post-hoc logit adjustment gains nothing more: of τ {range}, {}, which this run has, is best",
                    typographic(own)
                ),
                None => format!(
                    "Post-hoc logit adjustment gains nothing here: no τ {range} is better than none"
                ),
            };
        }
        format!(
            "Post-hoc logit adjustment gains nothing that can be told from noise: with τ = {}, macro-F1 {}",
            typographic(tau),
            self.numbers()
        )
    }

    fn detail(&self) -> String {
        let mut said = String::from(
            "Every logit is lowered by τ·ln π of its class, π being the class's share of the training images. ",
        );
        let range = format!(
            "{} in steps of {}",
            range(&self.started.config),
            STRONGEST / STEPS as f64
        );
        said.push_str(&match self.chosen {
            Chosen::Validation => format!("The validation images chose τ {range}."),
            Chosen::Theory => {
                "Theory gives τ = 1 for images that are as balanced as these.".to_owned()
            }
            Chosen::Same => format!(
                "τ was chosen {range} on the {} themselves, so that the gain is more likely too high than too low.",
                self.images()
            ),
        });
        if let Some(balanced) = self.balanced.filter(|_| !is_same(self.taus.1, 1.0)) {
            let _ = write!(
                said,
                " With τ = 1, which theory gives where all classes are equally frequent, macro-F1 would be {balanced:.3}."
            );
        }
        let (before, after) = &self.scores;
        if let (Some(before), Some(after)) = (before.accuracy, after.accuracy)
            && !is_same(self.taus.0, self.taus.1)
        {
            let _ = write!(said, " Accuracy {before:.3} → {after:.3}.");
        }
        said.push_str(&self.by_class());
        match &self.started.config.target_prior {
            None => {}
            Some(Prior::Given(_)) => {
                said.push_str(" Classes count as often as the target frequencies of the run say.");
            }
            Some(Prior::Balanced) => {
                said.push_str(" All classes count alike, as the run's target says.");
            }
            Some(Prior::AsTrained) => {
                said.push_str(" Classes count as often as in training, as the run's target says.");
            }
        }
        said
    }

    /// The classes whose F1 rises or falls most.
    fn by_class(&self) -> String {
        let (before, after) = (&self.scores.0.f1, &self.scores.1.f1);
        let changes = before.iter().zip(after).enumerate();
        let mut changes: Vec<(usize, f64, f64)> = changes
            .filter_map(|(k, (a, b))| Some((k, (*a)?, (*b)?)))
            .filter(|(_, a, b)| (b - a).abs() >= 0.005)
            .collect();
        changes.sort_by(|x, y| (y.2 - y.1).total_cmp(&(x.2 - x.1)));
        let words =
            |(k, a, b): &(usize, f64, f64)| format!("{} {a:.2} → {b:.2}", class(self.started, *k));
        let rising: Vec<_> = changes.iter().filter(|x| x.2 > x.1).collect();
        let falling: Vec<_> = changes.iter().rev().filter(|x| x.2 < x.1).collect();
        let mut said = String::new();
        for (most, verb, rest) in [(rising, "rises", "more"), (falling, "falls", "more")] {
            let named: Vec<String> = most.iter().take(NAMED).map(|x| words(x)).collect();
            let named: Vec<&str> = named.iter().map(String::as_str).collect();
            if named.is_empty() {
                continue;
            }
            let others = most.len() - named.len();
            let _ = write!(said, " F1 {verb} most for {}", listed(&named));
            if others > 0 {
                let _ = write!(said, ", and for {others} {rest}");
            }
            said.push('.');
        }
        said
    }
}
