//! `export`: figures as files, and runs for TensorBoard. Here are the arguments, the runs and the view; `names` has the names
//! that the options know, `write` writes the files of figures, `tensorboard` those of runs.

mod names;
mod tensorboard;
mod write;

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::batch_norm::BatchNormArguments;
use super::output::{Usage, fail, say};
use crate::figure::export::{self, Figure, Format, Restored, Settings, SheetSize};
use crate::figure::pages::{PAGES, Page, kind_shown, of_two};
use crate::figure::{
    self, Kind, Order, Quantity, Subject, TimeAxis, View, read_probes, similarity_order,
};
use crate::run::event::{Split, Started};
use crate::run::notes::{Notes, distinct};
use crate::run::probes::Probes;
use crate::run::{Run, Scope, log};
use names::{
    Written, figures_help, named, of_figures, order_help, page_help, parse_order, parse_quantity,
    parse_split, parse_time, quantity_help, time_help,
};
use write::{Files, Width, usage, write_all, write_page};

/// Arguments of `export`.
#[derive(Debug, Args)]
pub struct ExportArguments {
    /// Run directories; several share their scales, as side by side in the window.
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// Which figure, or `all`.
    #[arg(long, value_name = "NAME", long_help = figures_help(), value_parser = parse_figures, required_unless_present_any = ["page", "view", "format"])]
    figure: Option<Figures>,
    /// All figures of a page of the window.
    #[arg(long, value_name = "NAME", help = page_help(), value_parser = parse_page, conflicts_with = "figure")]
    page: Option<Figures>,
    /// The figures of the page as the panels of one figure, in the arrangement of the page.
    #[arg(long, requires = "page")]
    as_one: bool,
    /// A PNG that was exported before: shows what it shows, its figure where no other is named, its moment and all that
    /// was selected. Options beside it change single parts of that.
    #[arg(long, value_name = "PNG")]
    view: Option<PathBuf>,
    /// A run to compare with: differences are from it, and scales hold it as well.
    #[arg(long, value_name = "RUN")]
    against: Option<PathBuf>,
    /// Layer, block (such as `branch2`), `backbone` or `network`; the backbone by default.
    #[arg(long)]
    layer: Option<String>,
    /// Step to look at; the last one by default.
    #[arg(allow_negative_numbers = true, long)]
    step: Option<u64>,
    /// The selected pair of classes, by name or number.
    #[arg(long, num_args = 2, value_names = ["A", "B"])]
    pair: Option<Vec<String>>,
    /// The selected class, by name or number.
    #[arg(long)]
    class: Option<String>,
    /// Order of classes.
    #[arg(long, help = order_help(), value_parser = parse_order)]
    order: Option<Order>,
    /// Which images confusion, scores and scatter are of: validation (the default, where there is a validation split) or
    /// test.
    #[arg(long, value_parser = parse_split)]
    split: Option<Split>,
    /// What the network is coloured by.
    #[arg(long, help = quantity_help(), value_parser = parse_quantity)]
    quantity: Option<Quantity>,
    /// Layers by moment, and their peaks, show the cosine of the pair that --pair selects in place of a quantity.
    #[arg(long, requires = "pair")]
    one_pair: bool,
    /// What time is measured in.
    #[arg(long, help = time_help(), value_parser = parse_time)]
    time: Option<TimeAxis>,
    #[command(flatten)]
    batch_norm: BatchNormArguments,
    /// Such as 85mmx60mm, 1200x800px, or 800x600 in points (96 to an inch).
    #[arg(long, default_value = "800x600", conflicts_with = "as_one")]
    size: SheetSize,
    /// Width of a page as one figure, such as 180mm, 1200px, or 800 in points; 180mm by default. Its height follows from
    /// the arrangement.
    #[arg(long, value_name = "WIDTH", value_parser = Width::parse, requires = "as_one")]
    width: Option<Width>,
    /// Pixels to an inch; 192 by default.
    #[arg(allow_negative_numbers = true, long, conflicts_with = "scale")]
    dpi: Option<f64>,
    /// Pixels to a point: another way to say the resolution.
    #[arg(allow_negative_numbers = true, long)]
    scale: Option<f64>,
    /// Size of text and lines in percent of that on screen, 50 to 200: less for small figures in print. By default 100, and
    /// 75 for a page as one figure.
    #[arg(allow_negative_numbers = true, long, value_name = "PERCENT")]
    text: Option<f64>,
    /// Light on dark.
    #[arg(long)]
    dark: bool,
    /// Without a background.
    #[arg(long)]
    transparent: bool,
    /// png, svg or pdf (text stays text) or csv (the numbers); by default what the file's name ends in. Several with
    /// commas between them. Or tensorboard: each run itself, with its numbers and its conflict matrices, in a folder of
    /// its own.
    #[arg(long, value_delimiter = ',')]
    format: Vec<Written>,
    /// The file to write, or the folder where there are several.
    #[arg(long, value_name = "FILE|DIR")]
    out: PathBuf,
}

impl ExportArguments {
    /// The runs that are named.
    pub(super) fn runs_mut(&mut self) -> &mut Vec<PathBuf> {
        &mut self.runs
    }

    /// The run that they are compared with.
    pub(super) fn against_mut(&mut self) -> Option<&mut PathBuf> {
        self.against.as_mut()
    }
}

/// The figures that the arguments ask for.
#[derive(Clone, Debug)]
enum Figures {
    /// Several figures: those among them that have anything to show are written.
    Some(&'static [Kind]),
    One(Kind),
}

impl Figures {
    fn kinds(&self) -> &[Kind] {
        match self {
            Self::Some(kinds) => kinds,
            Self::One(kind) => std::slice::from_ref(kind),
        }
    }

    /// The page whose figures these are.
    fn page(&self) -> Option<Page> {
        let mut pages = Page::ALL.iter().copied();
        pages.find(|page| page.figures() == self.kinds())
    }
}

fn parse_figures(name: &str) -> Result<Figures, String> {
    if name == "all" {
        return Ok(Figures::Some(Kind::ALL));
    }
    let found = Kind::ALL.iter().find(|kind| kind.name() == name);
    found.map(|kind| Figures::One(*kind)).ok_or_else(|| {
        let names: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        format!("no such figure; there are {}, and all", names.join(", "))
    })
}

fn parse_page(name: &str) -> Result<Figures, String> {
    named(name, &PAGES).map(Figures::Some)
}

/// A run with the probe tensors that its figures need.
struct Opened {
    /// The same name as in the window, where the same runs are open in the same order.
    name: String,
    run: Run,
    probes: Probes,
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

    fn subject(&self) -> Subject<'_> {
        Subject {
            name: &self.name,
            run: &self.run,
            probes: &self.probes,
        }
    }
}

pub(super) fn export(arguments: &ExportArguments) -> anyhow::Result<()> {
    let Some(formats) = of_figures(&arguments.format)? else {
        return tensorboard::export(arguments);
    };
    let dirs: Vec<&PathBuf> = arguments.against.iter().chain(&arguments.runs).collect();
    let mut opened = open_all(&dirs)?;
    let image = arguments.view.as_deref().map(restored).transpose()?;
    let named = arguments.figure.as_ref().or(arguments.page.as_ref());
    let in_image = image.as_ref().map(|image| Figures::One(image.figure));
    let figures = named.or(in_image.as_ref());
    let figures = figures.ok_or_else(|| Usage("say with --figure what to write".to_owned()))?;
    let view = view(arguments, image.as_ref(), &opened)?;
    let mut view = view.together(opened.iter().map(|opened| &opened.run));
    if let Some(page) = &arguments.page {
        let are_two = opened.len() == 2 && arguments.against.is_none();
        view.overlaid = are_two && page.page().and_then(of_two).is_some();
    }
    let runs = opened.iter_mut().map(|x| (x.name.as_str(), &mut x.run));
    let lacking = arguments.batch_norm.show(runs, view.batch_norm);
    let mut needed = figures.kinds().to_vec();
    if let Some(Order::Similarity(_)) = arguments.order {
        needed.push(Kind::ConflictMatrix);
    }
    for (dir, opened) in dirs.iter().zip(&mut opened) {
        read_probes(dir, &opened.run, &needed, &view, &mut opened.probes)?;
    }
    // As in the window, all figures use the order that follows from the first run.
    if let (Some(Order::Similarity(_)), Some(first)) = (&arguments.order, opened.first()) {
        let found = similarity_order(first.subject(), &view).and_then(|find| find());
        view.order = found.unwrap_or_default();
    }
    let shown: Vec<_> = opened.iter().map(Opened::subject).collect();
    // An exported image shows a single run, even where other runs were open beside it.
    let alone = image.as_ref().filter(|_| named.is_none());
    let chosen = choose(arguments, figures, alone, &shown, &view);
    if chosen.is_empty() {
        let nothing = "these runs cannot be compared".to_owned();
        let reason = figure::difference::compared(&shown).err();
        anyhow::bail!(reason.map_or(nothing, |error| error.to_string()));
    }
    let is_of_gradients = |figure: &Figure<'_>| figure.kind.shows_class_gradients();
    if chosen.iter().any(is_of_gradients) {
        lacking.iter().for_each(say);
    }
    let files = Files {
        out: &arguments.out,
        formats: &formats,
        settings: &|format| settings(arguments, format),
    };
    if let Some(page) = arguments.page.as_ref().filter(|_| arguments.as_one) {
        return write_page(&files, page.page(), &chosen);
    }
    write_all(&files, &chosen, matches!(figures, Figures::Some(_)))
}

fn open_all(dirs: &[&PathBuf]) -> anyhow::Result<Vec<Opened>> {
    let opened = dirs.iter().map(|dir| Opened::open(dir));
    let mut opened = opened.collect::<anyhow::Result<Vec<_>>>()?;
    let names = distinct(opened.iter().map(|opened| opened.name.clone()));
    for (opened, name) in opened.iter_mut().zip(names) {
        opened.name = name;
    }
    Ok(opened)
}

/// The figures to be written, for every run except the one compared with, which only contributes scales and
/// differences. Where an exported image is shown again, `alone` restricts them to the image's run.
fn choose<'a>(
    arguments: &ExportArguments,
    figures: &Figures,
    alone: Option<&Restored>,
    shown: &'a [Subject<'a>],
    view: &'a View,
) -> Vec<Figure<'a>> {
    let id = |subject: &Subject<'_>| Some(subject.run.started.as_ref()?.id.clone());
    let wanted = alone.map(|image| image.run.id.clone());
    let wanted = wanted.filter(|wanted| shown.iter().any(|x| id(x).as_ref() == Some(wanted)));
    let first = usize::from(arguments.against.is_some());
    let mut chosen = Vec::new();
    if let Some(both) = figures.page().and_then(of_two)
        && view.overlaid
    {
        // As the window shows two runs: the first run's figures have both.
        let chosen_for = View {
            // Two runs together have their differences beside them.
            difference: false,
            ..view.clone()
        };
        for (at, (kinds, &subject)) in both.iter().zip(shown).enumerate() {
            let figure = |&kind: &Kind| Figure {
                kind: kind_shown(kind, &chosen_for, at),
                subject,
                shown,
                view,
            };
            chosen.extend(kinds.iter().map(figure).filter(Figure::has_subject));
        }
        return chosen;
    }
    for &kind in figures.kinds() {
        for (at, &subject) in shown.iter().enumerate().skip(first) {
            if wanted.is_some() && id(&subject) != wanted {
                continue;
            }
            let figure = Figure {
                kind: match arguments.page {
                    Some(_) => kind_shown(kind, view, at),
                    None => kind,
                },
                subject,
                shown,
                view,
            };
            let needs_subject = kind.compares_groups() || matches!(figures, Figures::Some(_));
            if !needs_subject || figure.has_subject() {
                chosen.push(figure);
            }
        }
    }
    chosen
}

/// What an exported image shows.
fn restored(path: &Path) -> anyhow::Result<Restored> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let read = export::read_view(&bytes).map_err(anyhow::Error::msg);
    read.with_context(|| path.display().to_string())
}

fn settings(arguments: &ExportArguments, format: Format) -> anyhow::Result<Settings> {
    let dpi = arguments.scale.map(Settings::dpi_of_scale);
    let width = arguments.width.filter(|_| arguments.as_one);
    let usual = if arguments.as_one { 75.0 } else { 100.0 };
    let settings = Settings {
        format,
        size: match width.unwrap_or(Width::PAPER) {
            Width(size) if arguments.as_one => size,
            _ => arguments.size,
        },
        dpi: dpi.or(arguments.dpi).unwrap_or(Settings::default().dpi),
        text: arguments.text.unwrap_or(usual) / 100.0,
        dark: arguments.dark,
        transparent: arguments.transparent,
    };
    settings.validate().map_err(usage)?;
    Ok(settings)
}

/// The view to draw: that of the exported image `restored`, where one is given, changed by the arguments that are
/// given. A layer or a class may be in any of the runs: it is looked up in those that are drawn before the one that they
/// are compared with.
fn view(
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
    let before = restored.map(|image| image.view_of(headers.first().copied()));
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
