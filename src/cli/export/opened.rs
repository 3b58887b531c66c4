//! The runs that are exported, and what of them is looked at.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::arguments::ExportArguments;
use crate::cli::output::{Usage, fail};
use crate::figure::export::Restored;
use crate::figure::{Subject, View};
use crate::run::event::{Split, Started};
use crate::run::notes::{Notes, distinct};
use crate::run::probes::Probes;
use crate::run::{Run, Scope, log};

/// A run with the probe tensors that its figures need.
pub(super) struct Opened {
    /// The same name as in the window, where the same runs are open in the same order.
    pub(super) name: String,
    pub(super) run: Run,
    pub(super) probes: Probes,
}

impl Opened {
    fn open(dir: &Path) -> anyhow::Result<Self> {
        let run = log::load(dir)?.run;
        run.started
            .as_ref()
            .with_context(|| format!("the run has no header: {}", dir.display()))?;
        let notes = Notes::load(dir).unwrap_or_else(|error| {
            // Figures can be drawn without the notes, which only give the run its name.
            fail(&error);
            Notes::default()
        });
        Ok(Self {
            name: notes.name_of(dir),
            run,
            probes: Probes::new(),
        })
    }

    pub(super) fn subject(&self) -> Subject<'_> {
        Subject {
            name: &self.name,
            run: &self.run,
            probes: &self.probes,
        }
    }
}

pub(super) fn open_all(dirs: &[&PathBuf]) -> anyhow::Result<Vec<Opened>> {
    let opened = dirs.iter().map(|dir| Opened::open(dir));
    let mut opened = opened.collect::<anyhow::Result<Vec<_>>>()?;
    let names = distinct(opened.iter().map(|opened| opened.name.clone()));
    for (opened, name) in opened.iter_mut().zip(names) {
        opened.name = name;
    }
    Ok(opened)
}

/// The view to draw: that of the exported image `restored`, where one is given, changed by the arguments that are
/// given. A layer or a class may be in any of the runs: it is looked up in those that are drawn before the one that they
/// are compared with.
pub(super) fn view(
    arguments: &ExportArguments,
    restored: Option<&Restored>,
    opened: &[Opened],
) -> anyhow::Result<View> {
    let (compared, drawn) = opened.split_at(usize::from(arguments.against.is_some()));
    let headers: Vec<_> = drawn
        .iter()
        .chain(compared)
        .filter_map(|opened| opened.run.started.as_ref())
        .collect();
    // The classes and parts that an image counts are those of its own run.
    let header_of = |image: &Restored| {
        let mut own = headers.iter().filter(|header| header.id == image.run.id);
        own.next().or(headers.first()).copied()
    };
    let before = restored.map(|image| image.view_of(header_of(image)));
    let mut view = before.unwrap_or_default();
    if let Some(layer) = &arguments.layer {
        view.scope = scope(layer, &headers)?;
    }
    view.step = arguments.step.or(view.step);
    view.order = arguments.order.clone().unwrap_or(view.order);
    if let Some(split) = arguments.split {
        view.split = (split == Split::Test).then_some(split);
    }
    view.quantity = arguments.quantity.unwrap_or(view.quantity);
    view.one_pair |= arguments.one_pair;
    view.time = arguments.time.unwrap_or(view.time);
    view.batch_norm = arguments.batch_norm.batch_norm.unwrap_or(view.batch_norm);
    let named = || arguments.pair.iter().flatten().chain(&arguments.class);
    let has_all = |header: &&&Started| named().all(|name| header.classes.contains(name));
    // Classes are counted in those of one run, and found in the others by name.
    let counted = headers.iter().find(has_all).or(headers.first());
    if let Some(header) = counted {
        view = view.in_classes(&header.classes).into_owned();
    }
    let class = |name: &String| class(name, counted.copied(), &headers);
    if let Some([a, b]) = arguments.pair.as_deref() {
        view.pair = Some((class(a)?, class(b)?));
    }
    if let Some(name) = &arguments.class {
        view.class = Some(class(name)?);
    }
    Ok(view)
}

fn scope(name: &str, headers: &[&Started]) -> anyhow::Result<Scope> {
    let found = headers
        .iter()
        .find_map(|started| Scope::find(name, started));
    let scope = found.ok_or_else(|| {
        let layers = headers.iter().flat_map(|started| &started.layers);
        let mut names: Vec<&str> = Vec::new();
        for layer in layers.filter(|layer| layer.gram.is_some()) {
            if !names.contains(&layer.name.as_str()) {
                names.push(&layer.name);
            }
        }
        Usage(format!(
            "`{name}` is no layer of this run; there are {}, and the blocks, backbone, network",
            names.join(", ")
        ))
    })?;
    Ok(scope)
}

/// A class of the run `counted`, by its name or its number; the sentence for an unknown one names the classes of all runs.
fn class(name: &str, counted: Option<&Started>, headers: &[&Started]) -> anyhow::Result<usize> {
    let classes = counted.map_or(&[][..], |started| &started.classes);
    let by_name = classes.iter().position(|class| class == name);
    let number = name.parse().ok();
    let by_number = || number.filter(|&k| k < classes.len());
    Ok(by_name.or_else(by_number).ok_or_else(|| {
        let mut names: Vec<&str> = Vec::new();
        for class in headers.iter().flat_map(|started| &started.classes) {
            if !names.contains(&class.as_str()) {
                names.push(class);
            }
        }
        Usage(format!(
            "`{name}` is no class of this run; there are {}",
            names.join(", ")
        ))
    })?)
}
