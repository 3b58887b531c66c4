//! The rule about two runs that differ in attention alone: one of them has branch or shared attention, the other has
//! none.

use crate::config::Attention;
use crate::run::event::{Eval, Split};
use crate::run::{Run, Scope};

use super::finding::{Evidence, Finding, Kind};
use super::subject::{tail, trained_probes};
use super::training::mean_f1;
use super::words::{class, listed};
use crate::compare::statistics::mean_sd;
use crate::text::signed;

/// Most probes that are compared: the newest ones at steps at which both runs have a probe.
const COMPARED: usize = 8;
/// Fewest probes at common steps from which a change of interference is computed.
const LEAST: usize = 4;
/// A change of interference counts where it exceeds this many standard deviations over probes. Standard errors are not
/// used, since successive probes of a run are not independent.
const DEVIATIONS: f64 = 2.0;
/// A change of F1 counts where it exceeds this many standard errors.
const ERRORS: f64 = 3.0;

/// A change with its uncertainty.
struct Change {
    mean: f64,
    uncertainty: f64,
    is_clear: bool,
}

/// The finding about the effect of attention on the conflict in the backbone and on the F1 of rare classes; `None`
/// where neither change can be distinguished from noise. With fewer than [`LEAST`] common probes it is about F1 alone.
pub(super) fn finding(a: &Run, b: &Run) -> Option<Finding> {
    let (first, second) = (a.started.as_ref()?, b.started.as_ref()?);
    let (base, other, compared) = match (first.attention(), second.attention()) {
        (Attention::None, Attention::Branch | Attention::Shared) => (a, b, 1),
        (Attention::Branch | Attention::Shared, Attention::None) => (b, a, 0),
        _ => return None,
    };
    if !first.differs_in_attention_alone(second) {
        return None;
    }
    let started = base.started.as_ref()?;
    let interference = interference(base, other);
    let rare = tail(started);
    let f1 = rare_f1(base, other, &rare);
    let is_f1_clear = f1.as_ref().is_some_and(|(change, _)| change.is_clear);
    let is_conflict_clear = interference.as_ref().is_some_and(|(x, _)| x.is_clear);
    if !is_conflict_clear && !is_f1_clear {
        return None;
    }
    let name = other.started.as_ref()?.config.attention.label();
    let sentence = sentence(
        name,
        interference.as_ref().map(|(change, _)| change),
        f1.as_ref().map(|(change, _)| change),
    );
    let rare_names: Vec<_> = rare.iter().map(|&k| class(started, k)).collect();
    let mut detail = match &interference {
        Some((_, probes)) => format!(
            "Mean over class pairs of max(0, −cosine) in the backbone, relative to the baseline's: mean ± standard \
             deviation over the last {probes} probes that both runs have."
        ),
        None => format!(
            "Conflict is not compared: that takes {LEAST} probes at steps at which both runs have one."
        ),
    };
    if let Some((_, split)) = &f1 {
        detail.push_str(&format!(
            " F1 of {} on {split} images, ± standard error that their number leaves.",
            listed(&rare_names)
        ));
    }
    detail.push_str(
        " One run each: another seed may give another difference; the page Compare takes several.",
    );
    // Comparisons are ranked by the change of conflict; without one, the finding is of middling strength.
    let strength = interference.map_or(0.5, |(change, _)| (change.mean.abs() / 0.5).min(1.0));
    let step = trained_probes(other).last().map(|probe| probe.step);
    Some(
        Finding::new(Kind::Comparison, strength, sentence, detail).at(Evidence {
            run: compared,
            scope: Some(Scope::Backbone),
            step,
            ..Evidence::default()
        }),
    )
}

/// The sentence of the finding, such as
/// `CSBA (branch attention) lowers the backbone's conflict by 14 ± 5 % and raises the rare classes' F1 by 0.120 ± 0.031`.
fn sentence(name: &str, interference: Option<&Change>, f1: Option<&Change>) -> String {
    let link = match (interference, f1) {
        (Some(conflict), Some(f1)) if conflict.is_clear != f1.is_clear => " but ",
        (_, _) => " and ",
    };
    let parts = [interference.map(conflict_words), f1.map(f1_words)];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    format!("{name} {}", parts.join(link))
}

/// What attention does to the backbone's conflict, beginning with the verb.
fn conflict_words(interference: &Change) -> String {
    let percent = 100.0 * interference.uncertainty;
    let change = 100.0 * interference.mean;
    let digits = usize::from(percent < 1.0);
    if interference.is_clear {
        let verb = if change < 0.0 { "lowers" } else { "raises" };
        format!(
            "{verb} the backbone's conflict by {:.digits$} ± {percent:.digits$} %",
            change.abs()
        )
    } else {
        format!(
            "does not change the backbone's conflict beyond noise ({} ± {percent:.digits$} %)",
            signed(change, digits)
        )
    }
}

/// What attention does to the F1 of rare classes, beginning with the verb.
fn f1_words(f1: &Change) -> String {
    if f1.is_clear {
        let verb = if f1.mean > 0.0 { "raises" } else { "lowers" };
        format!(
            "{verb} the rare classes' F1 by {:.3} ± {:.3}",
            f1.mean.abs(),
            f1.uncertainty
        )
    } else {
        format!(
            "does not change the rare classes' F1 beyond noise ({} ± {:.3})",
            signed(f1.mean, 3),
            f1.uncertainty
        )
    }
}

/// Relative change of the backbone's interference from `base` to `other` over the newest probes that both runs have,
/// and the number of these probes.
fn interference(base: &Run, other: &Run) -> Option<(Change, usize)> {
    let mut of_base = Vec::new();
    let mut differences = Vec::new();
    let mut floors = Vec::new();
    for probe in trained_probes(base).iter().rev() {
        let others = trained_probes(other);
        let Ok(at) = others.binary_search_by_key(&probe.step, |x| x.step) else {
            continue;
        };
        let (x, y) = (&probe.backbone, &others[at].backbone);
        if let (Some(before), Some(after)) = (x.interference, y.interference) {
            of_base.push(before);
            differences.push(after - before);
            floors.push(x.floor?.max(y.floor?));
        }
        if differences.len() == COMPARED {
            break;
        }
    }
    if differences.len() < LEAST {
        return None;
    }
    let (difference, sd) = mean_sd(&differences)?;
    let (level, _) = mean_sd(&of_base)?;
    let (floor, _) = mean_sd(&floors)?;
    // The interference that noise alone makes does not average out, since all probes share their images.
    let is_clear = difference.abs() > DEVIATIONS * sd && difference.abs() > floor;
    let change = Change {
        mean: difference / level,
        uncertainty: sd / level,
        is_clear,
    };
    (level > 0.0).then_some((change, differences.len()))
}

/// Change of the mean F1 of the classes `rare` at the last evaluation that both runs have, and the name of the split:
/// test, or validation where there is no such test.
fn rare_f1(base: &Run, other: &Run, rare: &[usize]) -> Option<(Change, &'static str)> {
    let common = |split| -> Option<(&Eval, &Eval)> {
        base.evals_of(split)
            .rev()
            .find_map(|x| Some((x, other.evals_of(split).find(|y| y.step == x.step)?)))
    };
    let (split, (x, y)) = match common(Split::Test) {
        Some(pair) => ("test", pair),
        None => ("validation", common(Split::Val)?),
    };
    let ((before, error_before), (after, error_after)) = (mean_f1(x, rare)?, mean_f1(y, rare)?);
    let uncertainty = error_before.hypot(error_after);
    let mean = after - before;
    let change = Change {
        mean,
        uncertainty,
        is_clear: mean.abs() > ERRORS * uncertainty,
    };
    Some((change, split))
}
