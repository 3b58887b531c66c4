//! The arguments of `export`.

use std::path::PathBuf;

use clap::Args;

use super::names::{
    Written, figures_help, named, order_help, page_help, parse_order, parse_quantity, parse_split,
    parse_time, quantity_help, time_help,
};
use super::write::{Width, usage};
use crate::cli::batch_norm::BatchNormArguments;
use crate::figure::export::{Format, Settings, SheetSize};
use crate::figure::pages::{PAGES, Page};
use crate::figure::{Kind, Order, Quantity, TimeAxis};
use crate::run::event::Split;

/// Arguments of `export`.
#[derive(Debug, Args)]
pub struct ExportArguments {
    /// Run directories; several share their scales, as side by side in the window.
    #[arg(required = true)]
    pub(super) runs: Vec<PathBuf>,
    /// Which figure, or `all`.
    #[arg(long, value_name = "NAME", long_help = figures_help(), value_parser = parse_figures, required_unless_present_any = ["page", "view", "format"])]
    pub(super) figure: Option<Figures>,
    /// All figures of a page of the window.
    #[arg(long, value_name = "NAME", help = page_help(), value_parser = parse_page, conflicts_with = "figure")]
    pub(super) page: Option<Figures>,
    /// The figures of the page as the panels of one figure, in the arrangement of the page.
    #[arg(long, requires = "page")]
    pub(super) as_one: bool,
    /// A PNG that was exported before: shows what it shows, its figure where no other is named, its moment and all that
    /// was selected. Options beside it change single parts of that.
    #[arg(long, value_name = "PNG")]
    pub(super) view: Option<PathBuf>,
    /// A run to compare with: differences are from it, and scales hold it as well.
    #[arg(long, value_name = "RUN")]
    pub(super) against: Option<PathBuf>,
    /// Layer, block (such as `branch2`), `backbone` or `network`; the backbone by default.
    #[arg(long)]
    pub(super) layer: Option<String>,
    /// Step to look at; the last one by default.
    #[arg(allow_negative_numbers = true, long)]
    pub(super) step: Option<u64>,
    /// The selected pair of classes, by name or number.
    #[arg(long, num_args = 2, value_names = ["A", "B"])]
    pub(super) pair: Option<Vec<String>>,
    /// The selected class, by name or number.
    #[arg(long)]
    pub(super) class: Option<String>,
    /// Order of classes.
    #[arg(long, help = order_help(), value_parser = parse_order)]
    pub(super) order: Option<Order>,
    /// Which images confusion, scores and scatter are of: validation (the default, where there is a validation split) or
    /// test.
    #[arg(long, value_parser = parse_split)]
    pub(super) split: Option<Split>,
    /// What the network is coloured by.
    #[arg(long, help = quantity_help(), value_parser = parse_quantity)]
    pub(super) quantity: Option<Quantity>,
    /// Layers by moment, and their peaks, show the cosine of the pair that --pair selects in place of a quantity.
    #[arg(long, requires = "pair")]
    pub(super) one_pair: bool,
    /// What time is measured in.
    #[arg(long, help = time_help(), value_parser = parse_time)]
    pub(super) time: Option<TimeAxis>,
    #[command(flatten)]
    pub(super) batch_norm: BatchNormArguments,
    /// Such as 85mmx60mm, 1200x800px, or 800x600 in points (96 to an inch).
    #[arg(long, default_value = "800x600", conflicts_with = "as_one")]
    pub(super) size: SheetSize,
    /// Width of a page as one figure, such as 180mm, 1200px, or 800 in points; 180mm by default. Its height follows from
    /// the arrangement.
    #[arg(long, value_name = "WIDTH", value_parser = Width::parse, requires = "as_one")]
    pub(super) width: Option<Width>,
    /// Pixels to an inch; 192 by default.
    #[arg(allow_negative_numbers = true, long, conflicts_with = "scale")]
    pub(super) dpi: Option<f64>,
    /// Pixels to a point: another way to say the resolution.
    #[arg(allow_negative_numbers = true, long)]
    pub(super) scale: Option<f64>,
    /// Size of text and lines in percent of that on screen, 50 to 200: less for small figures in print. By default 100, and
    /// 75 for a page as one figure.
    #[arg(allow_negative_numbers = true, long, value_name = "PERCENT")]
    pub(super) text: Option<f64>,
    /// Light on dark.
    #[arg(long)]
    pub(super) dark: bool,
    /// Without a background.
    #[arg(long)]
    pub(super) transparent: bool,
    /// png, svg or pdf (text stays text) or csv (the numbers); by default what the file's name ends in. Several with
    /// commas between them. Or tensorboard: each run itself, with its numbers and its conflict matrices, in a folder of
    /// its own.
    #[arg(long, value_delimiter = ',')]
    pub(super) format: Vec<Written>,
    /// The file to write, or the folder where there are several.
    #[arg(long, value_name = "FILE|DIR")]
    pub(super) out: PathBuf,
}

/// The figures that the arguments ask for.
#[derive(Clone, Debug)]
pub(super) enum Figures {
    /// Several figures: those among them that have anything to show are written.
    Some(&'static [Kind]),
    One(Kind),
}

impl Figures {
    pub(super) fn kinds(&self) -> &[Kind] {
        match self {
            Self::Some(kinds) => kinds,
            Self::One(kind) => std::slice::from_ref(kind),
        }
    }

    /// The page whose figures these are.
    pub(super) fn page(&self) -> Option<Page> {
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

impl ExportArguments {
    /// The runs that are named.
    pub(in crate::cli) fn runs_mut(&mut self) -> &mut Vec<PathBuf> {
        &mut self.runs
    }

    /// The run that they are compared with.
    pub(in crate::cli) fn against_mut(&mut self) -> Option<&mut PathBuf> {
        self.against.as_mut()
    }

    /// How the files look.
    pub(super) fn settings(&self, format: Format) -> anyhow::Result<Settings> {
        let dpi = self.scale.map(Settings::dpi_of_scale);
        let width = self.width.filter(|_| self.as_one);
        let usual = if self.as_one { 75.0 } else { 100.0 };
        let settings = Settings {
            format,
            size: match width.unwrap_or(Width::PAPER) {
                Width(size) if self.as_one => size,
                _ => self.size,
            },
            dpi: dpi.or(self.dpi).unwrap_or(Settings::default().dpi),
            text: self.text.unwrap_or(usual) / 100.0,
            dark: self.dark,
            transparent: self.transparent,
        };
        settings.validate().map_err(usage)?;
        Ok(settings)
    }
}
