//! Rules about losses and scores, from the log alone: a loss that is not finite or leaps, overfitting, and classes that
//! are never recognised.

use std::fmt::Write as _;

use crate::class_balance::weighted_from;
use crate::run::Run;
use crate::run::event::{Eval, Split, Started, Step};

use super::finding::{Evidence, Finding, Kind};
use super::words::{class, listed, moment};
use crate::compare::statistics::mean_sd;

/// Number of evaluations in a row over which scores must fall: scores in random order do so once in 5! = 120 times.
const FALLING: usize = 5;
/// A leap is this many robust standard deviations above the median of the losses before it.
const LEAP_DEVIATIONS: f64 = 12.0;
/// A leap is at least this share of ln K, the loss of guessing among K classes, above that median.
const LEAP_SHARE: f64 = 0.25;
/// Number of preceding logged losses with which a leap is compared.
const BEFORE: usize = 40;
/// The same in a run that mixes images. With the two bounds below, chance leaves less than one in 100,000 windows of this
/// length without a batch that is mixed much.
const BEFORE_MIXED: usize = 100;
/// Least α of mixup or CutMix, and least share of the batches that are mixed, with which leaps are looked for: with less,
/// hardly any batch is mixed much.
const LEAST_ALPHA: f64 = 0.2;
const LEAST_MIXED: f64 = 0.5;
/// Fewest images of a class in an evaluation for which the finding that none is recognised is worth stating.
const LEAST_SUPPORT: u64 = 6;

pub(super) fn findings(run: &Run, started: &Started) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(no_number(run).or_else(|| leap(run, started)));
    found.extend(overfitting(run));
    found.extend(never_right(run, started));
    found
}

/// The finding about a logged training loss that is not finite.
fn no_number(run: &Run) -> Option<Finding> {
    let bad = |step: &&Step| run.has_no_number(step);
    let first = run.steps.iter().find(bad)?;
    let count = run.steps.iter().filter(bad).count();
    let sentence = format!(
        "The training loss is not a number since {} ({count} of {} logged steps)",
        moment(run, first.epoch),
        run.steps.len()
    );
    let detail = format!(
        "First at step {}, with a learning rate of {:.2e}. A smaller learning rate, or a longer warm-up, usually helps; \
         nothing after that step can be trusted.",
        first.step, first.lr
    );
    Some(
        Finding::new(Kind::Loss, 1.0, sentence, detail).at(Evidence {
            step: Some(first.step),
            ..Evidence::default()
        }),
    )
}

/// The finding about the newest leap of the training loss after the first epoch.
pub(super) fn leap(run: &Run, started: &Started) -> Option<Finding> {
    let guessing = (started.classes.len() as f64).ln();
    let with_loss = run.steps.iter().filter_map(|step| Some((step, step.loss?)));
    let (steps, losses): (Vec<&Step>, Vec<f64>) = with_loss.unzip();
    let after = steps.partition_point(|step| step.epoch < 1.0);
    let usual = Usual::of(started)?;
    // Losses with class weights are compared with such alone.
    let weighted_from = match &started.recorder {
        Some(_) => 0,
        None => weighted_from(&started.config),
    };
    let weighted = steps.partition_point(|step| step.epoch < weighted_from as f64);
    let least = LEAP_SHARE * guessing;
    let leaps = |index: &usize| usual.is_passed(&losses[..*index], losses[*index], least);
    let is_of_one_loss = |index: &usize| *index < weighted || *index >= weighted + usual.window();
    let at: Vec<usize> = (usual.window().max(after)..losses.len())
        .filter(is_of_one_loss)
        .filter(leaps)
        .collect();
    let last = *at.last()?;
    let step = steps[last];
    let often = match at.len() {
        1 => String::new(),
        n => format!(", one of {n} such steps"),
    };
    let (before, against) = usual.words(&losses[..last]);
    let sentence = format!(
        "The training loss leaps from {before} to {:.2} at {}{often}",
        losses[last],
        moment(run, step.epoch)
    );
    let mut detail = format!("The batch of step {} against {against}", step.step);
    if run.minimises_cross_entropy() {
        let classes = started.classes.len();
        let _ = write!(
            detail,
            "; guessing among {classes} classes has a cross-entropy of {guessing:.2}"
        );
    }
    detail.push('.');
    Some(
        Finding::new(Kind::Loss, 0.5, sentence, detail).at(Evidence {
            step: Some(step.step),
            ..Evidence::default()
        }),
    )
}

/// What the losses before a step say is usual.
#[derive(Clone, Copy)]
enum Usual {
    /// Near their median.
    Median,
    /// Between the lowest and the highest: a mixed batch has a higher loss than another, by as much as it is mixed, and the
    /// log does not say how much that is.
    Range,
}

impl Usual {
    /// What is usual in a run; `None` where batches are mixed so seldom, or so little, that the losses before may be those of
    /// batches that are hardly mixed.
    fn of(started: &Started) -> Option<Self> {
        let config = &started.config;
        // What another program does with its batches is not known.
        if started.recorder.is_some() {
            return Some(Self::Range);
        }
        if !config.mixes() {
            return Some(Self::Median);
        }
        let by_cutmix = config.cutmix.map(|alpha| (alpha, config.cutmix_share()));
        // Mixup mixes what CutMix leaves.
        let mixings = config.mixup.map(|alpha| (alpha, 1.0)).or(by_cutmix);
        let (alpha, share) = mixings?;
        (alpha >= LEAST_ALPHA && share >= LEAST_MIXED).then_some(Self::Range)
    }

    /// Number of losses before a step.
    fn window(self) -> usize {
        match self {
            Self::Median => BEFORE,
            Self::Range => BEFORE_MIXED,
        }
    }

    fn newest(self, before: &[f64]) -> &[f64] {
        &before[before.len() - self.window()..]
    }

    /// Whether a loss is far above those before it, of which there are at least as many as [`Self::window`], by at least
    /// `least`.
    fn is_passed(self, before: &[f64], loss: f64, least: f64) -> bool {
        let before = self.newest(before);
        let (from, spread) = match self {
            Self::Median => {
                let (median, deviation) = median_and_deviation(before);
                (median, LEAP_DEVIATIONS * deviation)
            }
            Self::Range => {
                let (lowest, highest) = range(before);
                (highest, highest - lowest)
            }
        };
        loss - from > spread.max(least)
    }

    /// What is usual, and what that is.
    fn words(self, before: &[f64]) -> (String, String) {
        let (before, window) = (self.newest(before), self.window());
        match self {
            Self::Median => {
                let (median, deviation) = median_and_deviation(before);
                let what = format!(
                    "the median of the {window} logged steps before it (± robust standard deviation)"
                );
                (format!("{median:.2} ± {deviation:.2}"), what)
            }
            Self::Range => {
                let (lowest, highest) = range(before);
                let what = format!(
                    "the {window} logged steps before it, however much their batches are mixed"
                );
                (format!("between {lowest:.2} and {highest:.2}"), what)
            }
        }
    }
}

fn range(values: &[f64]) -> (f64, f64) {
    let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (lowest, highest)
}

/// Median and robust standard deviation. The latter is 1.4826 times the median distance from the median, which for
/// normally distributed values is the standard deviation.
fn median_and_deviation(values: &[f64]) -> (f64, f64) {
    let median = |values: &mut Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(0.0)
    };
    let middle = median(&mut values.to_vec());
    let distance = median(&mut values.iter().map(|x| (x - middle).abs()).collect());
    (middle, 1.4826 * distance)
}

/// The finding that validation macro-F1 falls over the last [`FALLING`] evaluations in a row, by more than the limited
/// number of images explains, while the training loss falls.
fn overfitting(run: &Run) -> Option<Finding> {
    let evals: Vec<&Eval> = run.evals_of(Split::Val).collect();
    let newest = &evals[evals.len().checked_sub(FALLING)?..];
    let (first, last) = (newest.first()?, newest.last()?);
    // Score and error cover the same classes at all evaluations.
    let classes = scored(newest);
    let scores: Option<Vec<(f64, f64)>> = newest.iter().map(|x| mean_f1(x, &classes)).collect();
    let (scores, errors): (Vec<f64>, Vec<f64>) = scores?.into_iter().unzip();
    let fall = scores.first()? - scores.last()?;
    let error = errors.last()?;
    let is_falling = scores.windows(2).all(|pair| pair[1] < pair[0]);
    if !is_falling || fall <= 2.0 * error {
        return None;
    }
    let losses = |from: &Eval, to: &Eval| -> Option<(f64, f64, usize)> {
        let inside = |step: &&Step| step.step > from.step && step.step <= to.step;
        let losses: Vec<f64> = run
            .steps
            .iter()
            .filter(inside)
            .filter_map(|step| step.loss)
            .collect();
        let (mean, sd) = mean_sd(&losses)?;
        Some((mean, sd, losses.len()))
    };
    let (before, sd_before, n_before) = losses(first, newest[1])?;
    let (after, sd_after, n_after) = losses(newest[FALLING - 2], last)?;
    let variance = sd_before.powi(2) / n_before as f64 + sd_after.powi(2) / n_after as f64;
    if before - after <= 3.0 * variance.sqrt() {
        return None;
    }
    let sentence = format!(
        "Validation macro-F1 falls since {}, {:.3} → {:.3} ± {error:.3}, while the training loss falls {before:.2} → {after:.2}",
        moment(run, first.epoch),
        scores[0],
        scores[FALLING - 1],
    );
    let detail = format!(
        "Each of the last {FALLING} evaluations is lower than the one before; ± is the standard error that the number of \
         validation images leaves{}. The network learns its training images by heart: what came before may be the better \
         checkpoint.",
        match classes.len() {
            n if n == last.f1.len() => String::new(),
            n => format!(", over the {n} classes that have images and an F1 at all of them"),
        }
    );
    Some(
        Finding::new(Kind::Overfitting, fall / 0.2, sentence, detail).at(Evidence {
            step: Some(first.step),
            ..Evidence::default()
        }),
    )
}

/// Classes that have images and a defined F1 in all of these evaluations.
fn scored(evals: &[&Eval]) -> Vec<usize> {
    let classes = evals.first().map_or(0, |eval| eval.f1.len());
    let has = |eval: &Eval, k: usize| {
        let images = eval.support.get(k).copied().unwrap_or(0);
        images > 0 && eval.f1.get(k).copied().flatten().is_some()
    };
    let in_all = |&k: &usize| evals.iter().all(|eval| has(eval, k));
    (0..classes).filter(in_all).collect()
}

/// Mean F1 over those of `classes` that have images and a defined F1, and its standard error from the numbers of
/// images: every F1 is treated as a proportion of its class's images. `None` without such a class.
pub(super) fn mean_f1(eval: &Eval, classes: &[usize]) -> Option<(f64, f64)> {
    let (mut sum, mut variance, mut defined) = (0.0, 0.0, 0.0);
    for &k in classes {
        let images = *eval.support.get(k)? as f64;
        if let Some(f1) = eval.f1.get(k).copied().flatten()
            && images > 0.0
        {
            // An F1 of 0 or 1 in a few images is not certain either: it may be off by about one image.
            let spread = (f1 * (1.0 - f1) / images).max(1.0 / (images + 1.0).powi(2));
            (sum, variance, defined) = (sum + f1, variance + spread, defined + 1.0);
        }
    }
    (defined > 0.0).then(|| (sum / defined, variance.sqrt() / defined))
}

/// The last two evaluations on validation images, or on test images where there are none, the newest first, with the name of
/// these images.
fn newest_evals(run: &Run) -> (&'static str, Vec<&Eval>) {
    let of = |split| run.evals_of(split).rev().take(2).collect::<Vec<_>>();
    match of(Split::Val) {
        evals if evals.is_empty() => ("test", of(Split::Test)),
        evals => ("validation", evals),
    }
}

/// Sentence and detail about classes of which no image is recognised, the rarest of them first; `None` without a class.
/// `last` is the newest of the evaluations on images called `split`, which were made `when`.
fn unrecognised(
    started: &Started,
    last: &Eval,
    wrong: &[usize],
    (split, when): (&str, &str),
) -> Option<(String, String)> {
    let first = *wrong.first()?;
    let support = |k: usize| last.support.get(k).copied().unwrap_or(0);
    // Rule of three: where none of n images is recognised, the recall is below 3/n with 95 % confidence. What the class with
    // the fewest images allows holds for all of them.
    let fewest = *wrong.iter().min_by_key(|&&k| support(k))?;
    let images = support(fewest);
    let bound = 300.0 / images as f64;
    let digits = usize::from(bound < 10.0);
    let names: Vec<_> = wrong.iter().map(|&k| class(started, k)).collect();
    let (verb, whose) = match wrong {
        [_] => ("is", format!("none of its {images} {split} images")),
        _ => {
            let few = class(started, fewest);
            let whose = format!("{few} has the fewest {split} images, {images}, none of which");
            ("are", whose)
        }
    };
    let sentence = format!(
        "{} {verb} never recognised (F1 0, recall below {bound:.digits$} %)",
        listed(&names)
    );
    let detail = format!(
        "At the last evaluation, {when}. {} has {} training images; {whose} is right, which bounds its recall with 95 % \
         confidence (3/n).",
        class(started, first),
        started.train_counts[first]
    );
    Some((sentence, detail))
}

/// The findings about classes that have training images but whose F1 is 0 or undefined in the last two evaluations: one
/// finding about those with at least [`LEAST_SUPPORT`] images in the evaluation, one about those with fewer or none.
/// The evaluations are on validation images, or on test images without a validation split, of which one is enough, since they
/// may be made at the end alone. Empty in the first epoch.
fn never_right(run: &Run, started: &Started) -> Vec<Finding> {
    let (split, newest) = newest_evals(run);
    let is_enough = split == "test" || newest.len() > 1;
    let Some(last) = newest.first().filter(|x| x.epoch >= 1.0 && is_enough) else {
        return Vec::new();
    };
    let before = match newest.len() {
        1 => "",
        _ => ", and the one before",
    };
    let f1 = |eval: &Eval, k: usize| eval.f1.get(k).copied().flatten();
    let is_wrong = |&k: &usize| {
        newest
            .iter()
            .all(|eval| f1(eval, k).is_none_or(|x| x <= 0.0))
    };
    let support = |k: usize| last.support.get(k).copied().unwrap_or(0);
    let trained = (0..started.classes.len()).filter(|&k| started.train_counts[k] > 0);
    let mut wrong: Vec<usize> = trained.filter(is_wrong).collect();
    // The rarest class comes first, since it matters most.
    wrong.sort_by_key(|&k| started.train_counts[k]);
    let few = |k: &usize| support(*k) < LEAST_SUPPORT;
    let unseen: Vec<usize> = wrong.iter().copied().filter(few).collect();
    wrong.retain(|k| !few(k));
    let names = |classes: &[usize]| {
        let names: Vec<_> = classes.iter().map(|&k| class(started, k)).collect();
        listed(&names)
    };
    let share = |classes: &[usize]| classes.len() as f64 / started.classes.len() as f64;
    let mut found = Vec::new();
    let when = format!("{}{before}", moment(run, last.epoch));
    if let Some((sentence, detail)) = unrecognised(started, last, &wrong, (split, &when)) {
        let strength = 0.5 + 0.5 * share(&wrong);
        let finding = Finding::new(Kind::Score, strength, sentence, detail);
        found.push((wrong[0], finding));
    }
    if let Some(&first) = unseen.first() {
        let verb = if unseen.len() == 1 { "has" } else { "have" };
        let most = unseen.iter().map(|&k| support(k)).max().unwrap_or(0);
        let number = match most {
            0 => format!("0 {split} images, so nothing tells"),
            1 => format!("at most 1 {split} image, not recognised: too few to tell"),
            n => format!("at most {n} {split} images, none recognised: too few to tell"),
        };
        let sentence = format!(
            "{} {verb} {number} how well they are learned",
            names(&unseen)
        );
        let detail = format!(
            "F1 is undefined or 0 at {}, though {} has {} training images; macro-F1 says nothing of it.",
            moment(run, last.epoch),
            class(started, first),
            started.train_counts[first]
        );
        let strength = 0.5 * share(&unseen);
        found.push((first, Finding::new(Kind::Score, strength, sentence, detail)));
    }
    let place = |(k, finding): (usize, Finding)| {
        finding.at(Evidence {
            step: Some(last.step),
            class: Some(k),
            ..Evidence::default()
        })
    };
    found.into_iter().map(place).collect()
}
