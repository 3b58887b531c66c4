//! A figure of a run in a given view.

use egui::Ui;
use image::RgbaImage;

use crate::figure::export::draw::shapes;
use crate::figure::export::settings::{Format, Settings};
use crate::figure::facts::groups::{stands_for_all, stands_for_group};
use crate::figure::kit::table::Table;
use crate::figure::look::kind::Kind;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::figure::parts::figure::{Gradients, Of};
use crate::figure::registry;
use crate::figure::registry::page_ui;
use crate::run::BatchNorm;
use crate::run::notes::distinct;

/// A figure of a run in a given view.
#[derive(Clone, Copy)]
pub struct Figure<'a> {
    /// Which figure.
    pub kind: Kind,
    /// The run it shows.
    pub subject: Subject<'a>,
    /// All runs on screen, the one shown among them: they share scales, and differences are taken from the first.
    pub shown: &'a [Subject<'a>],
    /// The cursor and what is selected.
    pub view: &'a View,
}

impl Figure<'_> {
    /// The pixels, with straight alpha.
    pub fn image(&self, settings: &Settings) -> RgbaImage {
        let draw = &mut |ui: &mut Ui| self.page_ui(ui);
        shapes(&settings.options(), settings.transparent, draw).pixels()
    }

    /// The numbers.
    pub fn table(&self) -> Table {
        registry::table(self.kind, self.subject, self.shown, self.view)
    }

    /// Whether the figure has anything to show for its run: the figure of a pair needs a selected pair, a difference
    /// needs a run other than the first on screen, or one that is shown as in training and has the frozen measure beside
    /// it. A comparison of groups is drawn for the first run of each compared
    /// group, a figure of all groups for one run in all.
    pub fn has_subject(&self) -> bool {
        match registry::figure(self.kind).of {
            Of::Run => {
                let needs_both = registry::figure(self.kind).gradients == Gradients::Both;
                !needs_both || self.subject.run.batch_norm() == BatchNorm::AsInTraining
            }
            Of::Pair => {
                let view = self.view.in_classes(self.subject.classes());
                view.pair.is_some()
            }
            Of::TwoRuns => {
                let first = self.shown.first();
                first.is_some_and(|first| !first.is(&self.subject))
            }
            Of::Group => stands_for_group(self.subject, self.shown),
            Of::AllGroups => stands_for_all(self.subject, self.shown),
        }
    }

    /// Whether the figure has anything to show where figures of its run alone are exported: a figure of all groups, which
    /// [`Self::has_subject`] restricts to one run in all, is the same for every run.
    pub fn has_content(&self) -> bool {
        match registry::figure(self.kind).of {
            Of::AllGroups => {
                let mut shown = self.shown.iter();
                shown.any(|run| stands_for_all(*run, self.shown))
            }
            Of::Run | Of::Pair | Of::TwoRuns | Of::Group => self.has_subject(),
        }
    }

    pub(in crate::figure::export) fn page_ui(&self, ui: &mut Ui) {
        page_ui(ui, self.kind, self.subject, self.shown, self.view);
    }

    /// Name of the figure's file in a folder of figures, distinct from that of every other run on screen.
    pub fn file_name(&self, format: Format) -> String {
        let stems = distinct(self.shown.iter().map(|shown| file_stem(shown.name)));
        let at = self.shown.iter().position(|shown| shown.is(&self.subject));
        let stem = at.and_then(|at| stems.get(at));
        named(stem.map_or("run", String::as_str), self.kind, format)
    }

    /// Least and largest value of the colour scale; `None` where colours stand for no number.
    pub(in crate::figure) fn colour_range(&self) -> Option<[f64; 2]> {
        let of = registry::figure(self.kind).colour_range?;
        Some(of(self.shown, self.view))
    }
}

/// Default name of a figure's file.
pub fn file_name(run: &str, kind: Kind, format: Format) -> String {
    named(&file_stem(run), kind, format)
}

fn named(stem: &str, kind: Kind, format: Format) -> String {
    format!("{stem}-{}.{}", kind.name(), format.extension())
}

/// The name of a run as part of a file's name, valid on every system: without path separators or a leading dot, and
/// short.
pub fn file_stem(run: &str) -> String {
    let is_kept = |c: char| !(c.is_control() || r#"/\:*?"<>|"#.contains(c));
    let kept = run.chars().take(LONGEST_STEM);
    let stem: String = kept.map(|c| if is_kept(c) { c } else { '_' }).collect();
    let stem = stem.trim();
    match stem.strip_prefix('.') {
        Some(rest) => format!("_{rest}"),
        None if stem.is_empty() => "run".to_owned(),
        None => stem.to_owned(),
    }
}

/// Names of files have at most 255 bytes, and a character has up to four.
const LONGEST_STEM: usize = 50;
