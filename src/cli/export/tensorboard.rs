//! `export --format tensorboard`: a folder for every run, with its event file.

use std::path::Path;

use super::arguments::ExportArguments;
use super::opened::{Opened, open_all, view};
use super::write::say_written;
use crate::cli::output::{Usage, fail, say};
use crate::figure::export::{Figure, Format, Settings, file_stem};
use crate::figure::{Kind, Order, Subject, View, read_probes, similarity_order};
use crate::run::notes::distinct;
use crate::run::probes::Probes;
use crate::run::{Run, log::RunError};
use crate::tensorboard::{Picture, other_file, path, write};

/// Conflict matrices of a run: as many as TensorBoard keeps of the images of one tag.
const PICTURES: usize = 10;

/// Options that choose figures, or a single moment of them.
fn refuse_options_of_figures(arguments: &ExportArguments) -> Result<(), Usage> {
    let given = [
        ("--figure", arguments.figure.is_some()),
        ("--page", arguments.page.is_some()),
        ("--view", arguments.view.is_some()),
        ("--against", arguments.against.is_some()),
        ("--step", arguments.step.is_some()),
    ];
    match given.iter().find(|(_, is_given)| *is_given) {
        Some((name, _)) => Err(Usage(format!(
            "{name} chooses figures, and tensorboard is the whole run: leave one of them out"
        ))),
        None => Ok(()),
    }
}

pub(super) fn export(arguments: &ExportArguments) -> anyhow::Result<()> {
    refuse_options_of_figures(arguments)?;
    let settings = arguments.settings(Format::Png)?;
    let dirs: Vec<_> = arguments.runs.iter().collect();
    let mut opened = open_all(&dirs)?;
    let mut view = view(arguments, None, &opened)?;
    let runs = opened.iter_mut().map(|x| (x.name.as_str(), &mut x.run));
    let lacking = arguments.batch_norm.show(runs, view.batch_norm);
    lacking.iter().for_each(say);
    if let (Some(Order::Similarity(_)), Some(dir), Some(first)) =
        (&arguments.order, dirs.first(), opened.first())
    {
        let probes = matrix_of(dir, &first.run, &view)?;
        let found = similarity_order(subject(first, &probes), &view).and_then(|find| find());
        view.order = found.unwrap_or_default();
    }
    let stems = distinct(opened.iter().map(|opened| file_stem(&opened.name)));
    for ((dir, opened), stem) in dirs.iter().zip(&opened).zip(stems) {
        let shown = Shown {
            dir,
            opened,
            view: &view,
            settings: &settings,
        };
        shown.write(&arguments.out.join(stem))?;
    }
    Ok(())
}

/// What a conflict matrix of a run at the view's step is drawn from.
fn matrix_of(dir: &Path, run: &Run, view: &View) -> Result<Probes, RunError> {
    let mut probes = Probes::new();
    read_probes(dir, run, &[Kind::ConflictMatrix], view, &mut probes)?;
    Ok(probes)
}

fn subject<'a>(opened: &'a Opened, probes: &'a Probes) -> Subject<'a> {
    Subject {
        name: &opened.name,
        run: &opened.run,
        probes,
    }
}

/// A run, and how its matrices are drawn.
struct Shown<'a> {
    dir: &'a Path,
    opened: &'a Opened,
    view: &'a View,
    settings: &'a Settings,
}

impl Shown<'_> {
    fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let Some(started) = &self.opened.run.started else {
            return Ok(());
        };
        let path = path(folder, started);
        if let Some(other) = other_file(&path)? {
            anyhow::bail!(
                "TensorBoard would read two runs in one folder as one; name another --out, or remove {}",
                other.display()
            );
        }
        let is_there = path.exists();
        let moments = moments(&self.opened.run);
        let left_out = write(&self.opened.run, started, &path, &mut |step| {
            let is_shown = moments.binary_search(&step).is_ok();
            is_shown.then(|| self.picture(step)).flatten()
        })?;
        left_out.iter().for_each(say);
        say_written(&path, is_there);
        Ok(())
    }

    /// The conflict matrix at a step; where it cannot be drawn, the reason is said, and the rest is written.
    fn picture(&self, step: u64) -> Option<Picture> {
        let drawn = || -> anyhow::Result<Picture> {
            let view = View {
                step: Some(step),
                ..self.view.clone()
            };
            // One probe is in memory at a time.
            let probes = matrix_of(self.dir, &self.opened.run, &view)?;
            let subject = subject(self.opened, &probes);
            let figure = Figure {
                kind: Kind::ConflictMatrix,
                subject,
                shown: &[subject],
                view: &view,
            };
            Ok(Picture {
                tag: ["conflict_matrix", view.scope.name()].map(str::to_owned),
                size: self.settings.pixels().map(|side| side as u32),
                png: figure.bytes(self.settings)?,
            })
        };
        drawn()
            .inspect_err(|error| {
                fail(&format!("no conflict matrix at step {step}: {error:#}"));
            })
            .ok()
    }
}

/// The steps of the probes that are drawn: the first, the last, and evenly between them, in order.
fn moments(run: &Run) -> Vec<u64> {
    let steps: Vec<u64> = run.probes.iter().map(|probe| probe.step).collect();
    let shown = steps.len().min(PICTURES);
    let at = |index: usize| index * (steps.len() - 1) / (shown.max(2) - 1);
    (0..shown).map(|index| steps[at(index)]).collect()
}
