//! The parts of a run's probe files that figures need: a figure of one moment needs one whole probe, a class or a pair
//! over time needs the rows of its classes in all probes.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use egui::{Context, Id};

use crate::figure::kit::memo::{is_exporting, keep, kept};
use crate::figure::look::subject::{Subject, class_of, pair_of};
use crate::figure::look::view::View;
use crate::run::Run;
use crate::run::class_rows::ClassRows;
use crate::run::log::RunError;
use crate::run::probe_file::ProbeTensors;
use crate::run::probes::Probes;
use crate::run::verification;

/// The classes whose rows are followed over time: those of the selected pair, and the one whose ledger is shown.
pub fn followed(run: &Run, view: &View) -> Vec<usize> {
    let nothing = Probes::new();
    let subject = Subject {
        name: "",
        run,
        probes: &nothing,
    };
    let view = &*view.in_classes(subject.classes());
    let pair = pair_of(subject, view);
    let pair = pair.into_iter().flat_map(|(a, b)| [a, b]);
    let mut classes: Vec<_> = pair.chain(class_of(subject, view)).collect();
    classes.sort_unstable();
    classes.dedup();
    classes
}

/// What a figure needs of a run's probe files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::figure) enum Need {
    /// The log is enough.
    Nothing,
    /// The whole probe at the cursor. Figures in which brushed pairs are marked need it, too.
    Moment,
    /// The rows of the followed classes at the cursor and at the previous probe, from which the change of a loss is
    /// measured.
    Change,
    /// All that `Moment` and `Change` need.
    MomentAndChange,
    /// The rows of the followed classes at every probe.
    History,
    /// The whole probe at the last step.
    Last,
    /// The gates at every probe, for which every probe is read whole.
    Gates,
    /// What `crosscurrent verify` has measured.
    Verified,
}

impl Need {
    /// Whether the whole probe is needed, and whether the rows of the followed classes are, at the probe that lies
    /// `before` probes before the cursor; `before` is `None` for a probe after the cursor.
    fn at(&self, before: Option<usize>, is_last: bool) -> (bool, bool) {
        let whole = match self {
            Self::Moment | Self::MomentAndChange => before == Some(0),
            Self::Last => is_last,
            Self::Gates => true,
            Self::Nothing | Self::Change | Self::History | Self::Verified => false,
        };
        let is_change = matches!(self, Self::Change | Self::MomentAndChange);
        let rows = is_change && before.is_some_and(|before| before < 2);
        (whole, rows || matches!(self, Self::History))
    }
}

/// Reads those parts of a run's probe files that figures need and that are not in memory. Files that cannot be read
/// are left out.
///
/// # Errors
/// The error of the first file that cannot be read; the others are read nevertheless.
pub(in crate::figure) fn read(
    dir: &Path,
    run: &Run,
    needs: &[Need],
    view: &View,
    probes: &mut Probes,
) -> Result<(), RunError> {
    let started = run.started.as_ref();
    let classes = started.map_or(0, |started| started.classes.len());
    let followed = followed(run, view);
    let cursor = run.probe_at(view.step.unwrap_or(u64::MAX));
    let mut first = Ok(());
    if needs.contains(&Need::Verified) {
        let (verified, errors) = verification::all_in(dir, classes);
        probes.verified = verified;
        first = errors.into_iter().next().map_or(Ok(()), Err);
    }
    for (index, probe) in run.probes.iter().enumerate() {
        let before = cursor.and_then(|cursor| cursor.checked_sub(index));
        let is_last = index + 1 == run.probes.len();
        let at = |need: &Need| need.at(before, is_last);
        let is_needed = |of: fn((bool, bool)) -> bool| needs.iter().any(|need| of(at(need)));
        let (path, step) = (dir.join(&probe.file), probe.step);
        let mut read = Ok(());
        if is_needed(|(whole, _)| whole) && probes.get(&step).is_none() {
            read = ProbeTensors::load(&path, classes, run.batch_norm())
                .map(|tensors| probes.insert(step, Arc::new(tensors)));
        }
        let missing = followed.iter().copied();
        let missing: Vec<_> = missing.filter(|&k| !probes.has_rows_of(step, k)).collect();
        if is_needed(|(_, rows)| rows) && !missing.is_empty() {
            let rows = ClassRows::load(&path, classes, &missing, run.batch_norm())
                .map(|rows| rows.into_iter().for_each(|x| probes.insert_rows(step, x)));
            read = read.and(rows);
        }
        first = first.and(read);
    }
    first
}

/// Time to compute values from probes in one frame on screen, for all figures together; the values left over follow in
/// the next frames.
const MADE_FOR: Duration = Duration::from_millis(4);

/// One value per probe at which the rows of `classes` are read, by step, made as in [`of_steps`].
pub(in crate::figure) fn of_probes<T: Send + Sync + 'static>(
    ctx: &Context,
    name: (&'static str, u64),
    (subject, classes): (Subject<'_>, &[usize]),
    key: impl Hash + Debug,
    make: impl Fn(u64) -> Option<T>,
) -> Arc<Made<T>> {
    of_steps(
        ctx,
        name,
        subject.run,
        subject.steps_read(classes),
        key,
        make,
    )
}

/// One value per probe whose tensors are in memory, by step; `read` are the steps of these probes, in order. As long as
/// `key` stays, `make` is called once for each probe; probes for which a frame has no time follow in later frames.
pub(in crate::figure) fn of_steps<T: Send + Sync + 'static>(
    ctx: &Context,
    name: (&'static str, u64),
    run: &Run,
    mut read: Vec<u64>,
    key: impl Hash + Debug,
    make: impl Fn(u64) -> Option<T>,
) -> Arc<Made<T>> {
    let id = Id::unique(name);
    let started = run.started.as_ref().map(|started| &started.id);
    let key = Id::unique((started, run.revisions.known_probes, key));
    let kept = kept::<Arc<Made<T>>>(ctx, id).filter(|made| made.key == key);
    if let Some(made) = kept.as_ref().filter(|made| made.read == read) {
        return made.clone();
    }
    let all = read.len();
    let is_made = |step: &u64| {
        let kept = kept.as_ref();
        kept.is_some_and(|made| made.read.binary_search(step).is_ok())
    };
    let (since, budget) = (Instant::now(), Budget::of(ctx));
    let mut by_step = BTreeMap::new();
    read.retain(|&step| {
        let known = || kept.as_ref()?.by_step.get(&step).cloned();
        let of = if is_made(&step) {
            known()
        } else if since.elapsed() > budget.left {
            return false;
        } else {
            make(step).map(Arc::new)
        };
        by_step.extend(of.map(|of| (step, of)));
        true
    });
    budget.spend(ctx, since.elapsed());
    if read.len() < all {
        ctx.request_repaint();
    }
    let made = Arc::new(Made { key, read, by_step });
    keep(ctx, id, made.clone());
    made
}

/// The part of [`MADE_FOR`] that is left in a frame.
#[derive(Clone, Copy)]
struct Budget {
    frame: u64,
    left: Duration,
}

impl Budget {
    fn id() -> Id {
        Id::unique("time to make something of probes")
    }

    /// The time left in this frame; unlimited outside frames and for an exported image, which is drawn only once.
    fn of(ctx: &Context) -> Self {
        let frame = ctx.cumulative_frame_nr();
        let kept = ctx.data(|data| data.get_temp::<Self>(Self::id()));
        let left = if is_exporting(ctx) || frame == 0 {
            Duration::MAX
        } else {
            MADE_FOR
        };
        let kept = kept.filter(|kept| kept.frame == frame);
        kept.unwrap_or(Self { frame, left })
    }

    fn spend(self, ctx: &Context, time: Duration) {
        let left = self.left.saturating_sub(time);
        ctx.data_mut(|data| data.insert_temp(Self::id(), Self { left, ..self }));
    }
}

/// Values computed from probes, by step.
pub(in crate::figure) struct Made<T> {
    key: Id,
    /// Steps of the probes that `make` has been called for, whether or not it gave a value.
    read: Vec<u64>,
    pub(in crate::figure) by_step: BTreeMap<u64, Arc<T>>,
}

impl<T> Made<T> {
    /// All that the values depend on, for keys of results computed from them.
    pub(in crate::figure) fn key(&self) -> String {
        format!("{:?} {:?}", self.key, self.read)
    }
}

impl<T> Made<T> {
    /// Values made at once, outside a frame.
    pub(in crate::figure) fn of(
        steps: impl Iterator<Item = u64>,
        make: impl Fn(u64) -> Option<T>,
    ) -> Self {
        let read: Vec<u64> = steps.collect();
        let made = read
            .iter()
            .filter_map(|&step| Some((step, Arc::new(make(step)?))));
        Self {
            key: Id::NULL,
            by_step: made.collect(),
            read,
        }
    }
}

impl<T> Made<Vec<Option<T>>> {
    /// The value of the layer with Gram row `gram` at the probe with index `column`. The outer `None` is a probe that
    /// is not read, the inner `None` a layer that has no value.
    pub(in crate::figure) fn cell(
        &self,
        run: &Run,
        gram: usize,
        column: usize,
    ) -> Option<Option<&T>> {
        let step = run.probes.get(column)?.step;
        let layers = self.by_step.get(&step)?;
        Some(layers.get(gram).and_then(Option::as_ref))
    }
}
