//! `export`: figures as files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::Args;

use super::{Usage, say};
use crate::figure::export::{self, ExportError, Figure, Format, Settings, SheetSize};
use crate::figure::{self, Kind, Order, Quantity, Subject, TimeAxis, View, similarity_order};
use crate::run::event::Started;
use crate::run::probe_file::ProbeTensors;
use crate::run::{Run, Scope, log};

/// Arguments of `export`.
#[derive(Debug, Args)]
pub struct ExportArguments {
    /// Run directories; several share their scales, as side by side in the window.
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// Which figure, or `all`.
    #[arg(long, value_name = "NAME", value_parser = parse_figures)]
    figure: Figures,
    /// A run to compare with: differences are from it, and scales hold it as well.
    #[arg(long, value_name = "RUN")]
    against: Option<PathBuf>,
    /// Layer, block (such as `branch2`), `backbone` or `network`.
    #[arg(long, default_value = "backbone")]
    layer: String,
    /// Step to look at; the last one by default.
    #[arg(long)]
    step: Option<u64>,
    /// The selected pair of classes, by name or number.
    #[arg(long, num_args = 2, value_names = ["A", "B"])]
    pair: Option<Vec<String>>,
    /// The selected class, by name or number.
    #[arg(long)]
    class: Option<String>,
    /// Order of classes: listed, frequency, name, or similarity (of the gradients in the layer at the step).
    #[arg(long, default_value = "listed", value_parser = parse_order)]
    order: Order,
    /// What the network is coloured by: interference, conflict-rate, class-norm or tail-share.
    #[arg(long, default_value = "interference", value_parser = parse_quantity)]
    quantity: Quantity,
    /// What time is measured in: epoch, step, images or wall-time.
    #[arg(long, default_value = "epoch", value_parser = parse_time)]
    time: TimeAxis,
    /// Such as 85mmx60mm, 1200x800px, or 800x600 in points (96 to an inch).
    #[arg(long, default_value = "800x600")]
    size: SheetSize,
    /// Pixels to an inch; 192 by default.
    #[arg(long, conflicts_with = "scale")]
    dpi: Option<f64>,
    /// Pixels to a point: another way to say the resolution.
    #[arg(long)]
    scale: Option<f64>,
    /// Size of text and lines in percent of that on screen, 50 to 200: less for small figures in print.
    #[arg(long, value_name = "PERCENT", default_value_t = 100.0)]
    text: f64,
    /// Light on dark.
    #[arg(long)]
    dark: bool,
    /// Without a background.
    #[arg(long)]
    transparent: bool,
    /// png, svg (text stays text) or csv (the numbers); by default what the file's name ends in. Several with commas
    /// between them.
    #[arg(long, value_delimiter = ',')]
    format: Vec<Format>,
    /// The file to write, or the folder where there are several.
    #[arg(long, value_name = "FILE|DIR")]
    out: PathBuf,
}

/// What `--figure` names.
#[derive(Clone, Debug)]
enum Figures {
    All,
    One(Kind),
}

fn parse_figures(name: &str) -> Result<Figures, String> {
    if name == "all" {
        return Ok(Figures::All);
    }
    let found = Kind::ALL.iter().find(|kind| kind.name() == name);
    found.map(|kind| Figures::One(*kind)).ok_or_else(|| {
        let names: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        format!("no such figure; there are {}, and all", names.join(", "))
    })
}

/// The value called `name`, or a sentence with the names there are.
fn named<T: Clone>(name: &str, values: &[(&str, T)]) -> Result<T, String> {
    let found = values.iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| value.clone()).ok_or_else(|| {
        let names: Vec<_> = values.iter().map(|(known, _)| *known).collect();
        format!("there are {}", names.join(", "))
    })
}

fn parse_order(name: &str) -> Result<Order, String> {
    let orders = [
        ("listed", Order::Listed),
        ("frequency", Order::Frequency),
        ("name", Order::Name),
        // Found once the probe is read.
        ("similarity", Order::Similarity(Vec::new())),
    ];
    named(name, &orders)
}

fn parse_quantity(name: &str) -> Result<Quantity, String> {
    let quantities = [
        ("interference", Quantity::Interference),
        ("conflict-rate", Quantity::ConflictRate),
        ("class-norm", Quantity::ClassNorm),
        ("tail-share", Quantity::TailShare),
    ];
    named(name, &quantities)
}

fn parse_time(name: &str) -> Result<TimeAxis, String> {
    let axes = [
        ("epoch", TimeAxis::Epoch),
        ("step", TimeAxis::Step),
        ("images", TimeAxis::Images),
        ("wall-time", TimeAxis::WallTime),
    ];
    named(name, &axes)
}

/// A run with the probe tensors that its figures need.
struct Opened {
    name: String,
    run: Run,
    probes: BTreeMap<u64, Arc<ProbeTensors>>,
}

impl Opened {
    fn open(dir: &Path) -> anyhow::Result<Self> {
        let run = log::load(dir)?.run;
        run.started
            .as_ref()
            .with_context(|| format!("the run has no header: {}", dir.display()))?;
        // `.` and `..` have no name of their own.
        let named = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
        let name = named.file_name().unwrap_or(named.as_os_str());
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            run,
            probes: BTreeMap::new(),
        })
    }

    fn subject(&self) -> Subject<'_> {
        Subject {
            name: &self.name,
            run: &self.run,
            probes: &self.probes,
        }
    }
}

pub(super) fn export(arguments: &ExportArguments) -> anyhow::Result<()> {
    let dirs: Vec<&PathBuf> = arguments.against.iter().chain(&arguments.runs).collect();
    let opened = dirs.iter().map(|dir| Opened::open(dir));
    let mut opened = opened.collect::<anyhow::Result<Vec<_>>>()?;
    let mut view = view(arguments, &opened)?;
    let kinds = match arguments.figure {
        Figures::All => Kind::ALL.to_vec(),
        Figures::One(kind) => vec![kind],
    };
    let needed = match view.order {
        Order::Similarity(_) => [&kinds[..], &[Kind::ConflictMatrix]].concat(),
        _ => kinds.clone(),
    };
    for (dir, opened) in dirs.iter().zip(&mut opened) {
        opened.probes = load_probes(dir, &opened.run, &needed, &view)?;
    }
    // As in the window, the first run's order is that of all.
    if let (Order::Similarity(_), Some(first)) = (&view.order, opened.first()) {
        let found = similarity_order(first.subject(), &view);
        view.order = found.unwrap_or_default();
    }
    let shown: Vec<_> = opened.iter().map(Opened::subject).collect();
    // The run compared with gives scales and differences, but no figure of its own.
    let first = usize::from(arguments.against.is_some());
    let figures = kinds.iter().flat_map(|&kind| {
        let (view, shown) = (&view, shown.as_slice());
        shown[first..].iter().map(move |&subject| Figure {
            kind,
            subject,
            shown,
            view,
        })
    });
    let is_all = matches!(arguments.figure, Figures::All);
    let figures: Vec<_> = figures
        .filter(|figure| !(is_all || figure.kind.compares_groups()) || figure.has_subject())
        .collect();
    if figures.is_empty() {
        let shown = shown.as_slice();
        let nothing = "these runs cannot be compared".to_owned();
        let reason = figure::difference::compared(shown).err();
        anyhow::bail!(reason.map_or(nothing, |error| error.to_string()));
    }
    write_all(arguments, &figures)
}

/// Writes one file, or a folder of them.
fn write_all(arguments: &ExportArguments, figures: &[Figure<'_>]) -> anyhow::Result<()> {
    let out = &arguments.out;
    let mut formats = arguments.format.clone();
    let by_name = Format::of(out);
    let is_folder = match arguments.figure {
        Figures::All => true,
        Figures::One(_) => figures.len() > 1 || formats.len() > 1 || out.is_dir(),
    };
    if formats.is_empty() {
        let unknown = "say with --format what to write: png, svg or csv";
        let format = by_name.or(is_folder.then_some(Format::Png));
        formats.push(format.ok_or_else(|| Usage(unknown.to_owned()))?);
    }
    if is_folder && by_name.is_some() && !out.is_dir() {
        let file = out.display();
        return Err(Usage(format!(
            "there are several files to write, so --out must be a folder; it is {file}"
        ))
        .into());
    }
    for format in formats {
        let settings = settings(arguments, format)?;
        for figure in figures {
            let path = if is_folder {
                out.join(export::file_name(figure.subject.name, figure.kind, format))
            } else {
                out.clone()
            };
            export::write(figure, &settings, &path)?;
            say(format!("wrote {}", path.display()));
        }
    }
    Ok(())
}

fn settings(arguments: &ExportArguments, format: Format) -> anyhow::Result<Settings> {
    let dpi = arguments.scale.map(Settings::dpi_of_scale);
    let settings = Settings {
        format,
        size: arguments.size,
        dpi: dpi.or(arguments.dpi).unwrap_or(Settings::default().dpi),
        text: arguments.text / 100.0,
        dark: arguments.dark,
        transparent: arguments.transparent,
    };
    settings.validate().map_err(|error| match error {
        ExportError::Limits(sentence) => Usage(sentence).into(),
        error => anyhow::Error::from(error),
    })?;
    Ok(settings)
}

/// What is looked at. Names of classes and layers are those of the runs that have them.
fn view(arguments: &ExportArguments, opened: &[Opened]) -> anyhow::Result<View> {
    let headers: Vec<_> = opened
        .iter()
        .filter_map(|opened| opened.run.started.as_ref())
        .collect();
    let mut view = View {
        scope: scope(&arguments.layer, &headers)?,
        step: arguments.step,
        order: arguments.order.clone(),
        quantity: arguments.quantity,
        time: arguments.time,
        ..View::default()
    };
    let class = |name: &String| class(name, &headers);
    if let Some([a, b]) = arguments.pair.as_deref() {
        view.pair = Some((class(a)?, class(b)?));
    }
    view.class = arguments.class.as_ref().map(class).transpose()?;
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

fn class(name: &str, headers: &[&Started]) -> anyhow::Result<usize> {
    let classes = headers.first().map_or(&[][..], |started| &started.classes);
    let found = classes.iter().position(|class| class == name);
    let by_number = || name.parse().ok().filter(|&k| k < classes.len());
    Ok(found.or_else(by_number).ok_or_else(|| {
        Usage(format!(
            "`{name}` is no class of this run; there are {}",
            classes.join(", ")
        ))
    })?)
}

/// The probe tensors that figures need: none for what the log holds, the one at the cursor for a moment, and every one
/// for what runs over time.
fn load_probes(
    dir: &Path,
    run: &Run,
    kinds: &[Kind],
    view: &View,
) -> anyhow::Result<BTreeMap<u64, Arc<ProbeTensors>>> {
    let classes = run
        .started
        .as_ref()
        .map_or(0, |started| started.classes.len());
    let at_cursor = run.probe_at(view.step.unwrap_or(u64::MAX));
    let needs = |kind: &Kind, index: usize| match kind {
        Kind::ClassF1
        | Kind::Scores
        | Kind::Loss
        | Kind::GradNorms
        | Kind::DepthProfile
        | Kind::Architecture
        | Kind::ClassScores
        | Kind::Confusion
        | Kind::ClassDifference
        | Kind::LayerDifference
        | Kind::GroupScores
        | Kind::GroupConflict => false,
        Kind::PairCosine => view.pair.is_some(),
        Kind::ConflictMatrix
        | Kind::ConflictDifference
        | Kind::ConflictConfusion
        | Kind::Ledger => Some(index) == at_cursor,
        // The change of the loss is measured from the probe before.
        Kind::WhatIf => at_cursor.is_some_and(|at| index == at || index + 1 == at),
        Kind::DepthTime | Kind::LedgerTime | Kind::Gates => true,
    };
    let mut probes = BTreeMap::new();
    for (index, probe) in run.probes.iter().enumerate() {
        if kinds.iter().any(|kind| needs(kind, index)) {
            let tensors = ProbeTensors::load(&dir.join(&probe.file), classes)?;
            probes.insert(probe.step, Arc::new(tensors));
        }
    }
    Ok(probes)
}
