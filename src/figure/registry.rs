//! The list of figures, and what follows from their descriptions: names, captions, scales, tables.
//!
//! Imports the page folders. A new figure is a file in one of them, a variant of [`Kind`] and a line in [`figure`].

use std::collections::BTreeMap;
use std::path::Path;

use egui::{Context, RichText, Ui};

use crate::figure::facts::probes::{self, Need};
use crate::figure::facts::unmeasured;
use crate::figure::kit::chart::Scales;
use crate::figure::kit::table::Table;
use crate::figure::look::kind::Kind;
use crate::figure::look::marks::Range;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::figure::parts::figure::{Figure, Gradients, Of};
use crate::figure::{conflicts, gates, groups, mistakes, one_class, overview};
use crate::run::Run;
use crate::run::log::RunError;
use crate::run::probes::Probes;

/// The description of a figure.
pub(in crate::figure) const fn figure(kind: Kind) -> &'static Figure {
    match kind {
        Kind::ClassF1 => &overview::class_f1::FIGURE,
        Kind::GradientRatio => &overview::gradient_ratio::FIGURE,
        Kind::Scores => &overview::scores::FIGURE,
        Kind::Loss => &overview::loss::FIGURE,
        Kind::GradNorms => &overview::grad_norms::FIGURE,
        Kind::DepthProfile => &overview::depth_profile::FIGURE,
        Kind::ConflictMatrix => &conflicts::matrix::FIGURE,
        Kind::PairCosine => &conflicts::pair::FIGURE,
        Kind::PairDepth => &conflicts::pair_depth::FIGURE,
        Kind::Architecture => &conflicts::network::FIGURE,
        Kind::Layer => &conflicts::layer::FIGURE,
        Kind::DepthTime => &conflicts::depth_time::FIGURE,
        Kind::DepthTimeDifference => &conflicts::depth_time_difference::FIGURE,
        Kind::Peaks => &conflicts::peaks::FIGURE,
        Kind::ConflictTime => &conflicts::conflict_time::FIGURE,
        Kind::ThirdsTime => &conflicts::thirds_time::FIGURE,
        Kind::RareConflicts => &conflicts::rare_conflicts::FIGURE,
        Kind::Ledger => &one_class::ledger::FIGURE,
        Kind::LedgerTime => &one_class::ledger_time::FIGURE,
        Kind::LedgerDepth => &one_class::ledger_depth::FIGURE,
        Kind::Verified => &one_class::verified::FIGURE,
        Kind::WhatIf => &one_class::what_if::FIGURE,
        Kind::Gates => &gates::strips::FIGURE,
        Kind::GatesTime => &gates::over_time::FIGURE,
        Kind::GatesAlike => &gates::alike::FIGURE,
        Kind::GateDistance => &gates::distance::FIGURE,
        Kind::Confusion => &mistakes::confusion::FIGURE,
        Kind::ConfusionDifference => &mistakes::confusion_difference::FIGURE,
        Kind::ConflictDifference => &conflicts::matrix_difference::FIGURE,
        Kind::BatchNormDifference => &conflicts::batch_norm_difference::FIGURE,
        Kind::ConflictConfusion => &mistakes::scatter::FIGURE,
        Kind::ClassScores => &mistakes::class_scores::FIGURE,
        Kind::ClassDifference => &groups::class_difference::FIGURE,
        Kind::LayerDifference => &groups::layer_difference::FIGURE,
        Kind::PairDifference => &groups::pair_difference::FIGURE,
        Kind::Measures => &groups::measures::FIGURE,
        Kind::GroupScores => &groups::scores::FIGURE,
        Kind::GroupConflict => &groups::conflict::FIGURE,
    }
}

/// A figure that is forgotten in [`PAGES`](crate::figure::pages::PAGES), or stands beside another kind's variant in
/// [`figure`], does not compile.
const _: () = {
    let mut at = 0;
    while at < Kind::ALL.len() {
        let figure = figure(Kind::ALL[at]);
        assert!(
            figure.kind as usize == at,
            "a figure's kind is not that of its line"
        );
        let kind = match figure.in_place_of {
            Some(kind) => kind,
            None => figure.kind,
        };
        let (page, mut place) = (figure.page.figures(), 0);
        while place < page.len() && page[place] as usize != kind as usize {
            place += 1;
        }
        assert!(
            place < page.len(),
            "a figure is not among those of its page in PAGES"
        );
        at += 1;
    }
};

impl Kind {
    /// Name on the command line.
    pub fn name(self) -> &'static str {
        figure(self).name
    }

    /// Heading in plain words.
    pub fn title(self) -> &'static str {
        figure(self).title
    }

    /// The field's term and what is drawn, with its range, in a line of a list.
    pub fn subtitle(self) -> &'static str {
        figure(self).subtitle
    }

    /// How to read it.
    pub fn help(self) -> &'static str {
        figure(self).help
    }

    /// The field's terms for the figure, under which it is found.
    pub fn synonyms(self) -> &'static [&'static str] {
        figure(self).synonyms
    }

    /// Whether it compares groups of runs: `shown` are then all of their runs, and the subject is a run of the group
    /// that is compared to that of the first.
    pub fn compares_groups(self) -> bool {
        matches!(figure(self).of, Of::Group | Of::AllGroups)
    }

    /// Whether it shows all groups of runs at once.
    pub fn is_of_all_groups(self) -> bool {
        figure(self).of == Of::AllGroups
    }

    /// Whether it is made from class gradients, so that it depends on how batch norm is treated in them.
    pub fn shows_class_gradients(self) -> bool {
        figure(self).gradients != Gradients::No
    }

    /// Whether it is a chart of one run, whose scale can be locked.
    pub fn is_chart(self) -> bool {
        figure(self).chart.is_some()
    }
}

/// The kind of figure that stands in the place of `kind` for the run at `index` from the left, where runs are side by
/// side.
pub fn kind_shown(kind: Kind, view: &View, index: usize) -> Kind {
    let is_chosen = |other: &Kind| match figure(*other).of {
        Of::TwoRuns => view.difference && index > 0,
        Of::Pair => view.one_pair,
        Of::Run | Of::Group | Of::AllGroups => view.through_batch_norm,
    };
    let others = Kind::ALL.iter().copied();
    let others = others.filter(|other| figure(*other).in_place_of == Some(kind));
    // The difference of two runs goes before another figure of one run.
    let chosen = others.filter(is_chosen);
    let chosen = chosen.max_by_key(|other| figure(*other).of == Of::TwoRuns);
    chosen.unwrap_or(kind)
}

/// The kind of figure in whose place `kind` is shown; `kind` itself where it has a place of its own.
pub fn card_of(kind: Kind) -> Kind {
    figure(kind).in_place_of.unwrap_or(kind)
}

/// Why a figure has nothing to show of a run, whatever is selected; `None` where it has something, or may have later.
pub fn lacks(kind: Kind, subject: Subject<'_>) -> Option<&'static str> {
    (figure(kind).lacks)(subject)
}

/// Draws a figure into the space that is left and returns what was clicked. `shown` are all runs on screen: they share
/// scales, and differences are taken from the first. Classes go by name: those of the view, and of what was clicked, are
/// counted in [`View::classes`], whichever run the figure is of.
pub fn figure_ui(
    ui: &mut Ui,
    kind: Kind,
    subject: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
) -> Option<Pick> {
    let own = view.in_classes(subject.classes());
    let own = own.timed_for(shown.iter().map(|subject| subject.run));
    // Figures of one kind stand side by side where two runs are compared, so ids have the run's name.
    let draw = |ui: &mut Ui| (figure(kind).ui)(ui, subject, shown, &own);
    let pick = ui.push_id((kind, subject.name), draw).inner;
    pick?.in_classes(subject.classes(), &view.classes)
}

/// A figure with its heading, as it is exported.
pub(in crate::figure) fn page_ui(
    ui: &mut Ui,
    kind: Kind,
    subject: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
) {
    ui.label(RichText::new(kind.title()).strong().size(16.0));
    let mut caption = caption(kind, subject, view);
    if let [first, second] = shown
        && view.overlaid
        && first.is(&subject)
        && (figure(kind).chart.is_some() || kind == Kind::Architecture)
    {
        let rest = caption.split_off(subject.name.len());
        let mut other = self::caption(kind, *second, view);
        let other = other.split_off(second.name.len());
        caption = if rest == other {
            format!("A: {}, B: {}{rest}", first.name, second.name)
        } else {
            format!("A: {}{rest}; B: {}{other}", first.name, second.name)
        };
    }
    let caption = RichText::new(caption).small().weak();
    ui.add(egui::Label::new(caption).truncate());
    ui.add_space(6.0);
    figure_ui(ui, kind, subject, shown, view);
}

/// A figure as one of several panels: its letter and its heading in a line, and the figure below them. `shown` are all
/// runs on screen.
pub(in crate::figure) fn panel_ui(
    ui: &mut Ui,
    letter: &str,
    kind: Kind,
    (subject, shown): (Subject<'_>, &[Subject<'_>]),
    view: &View,
) {
    ui.horizontal(|ui| {
        // Of the fonts there are, this one has the boldest letters.
        ui.label(RichText::new(letter).strong().monospace().size(17.0));
        let title = RichText::new(kind.title()).strong().size(13.0);
        ui.add(egui::Label::new(title).truncate());
    });
    figure_ui(ui, kind, subject, shown, view);
}

/// Run, part of the network, moment and treatment of batch norm that a figure shows.
pub(in crate::figure) fn caption(kind: Kind, subject: Subject<'_>, view: &View) -> String {
    let figure = figure(kind);
    let mut parts = vec![match figure.of {
        Of::Run | Of::Pair | Of::TwoRuns => subject.name.to_owned(),
        Of::Group => "at the last step of all runs, paired by seed".to_owned(),
        Of::AllGroups => "a curve for every configuration, over its seeds".to_owned(),
    }];
    if figure.names_part {
        parts.push(view.scope.name().to_owned());
    }
    let probe = subject.probe(view).filter(|_| figure.names_step);
    parts.extend(probe.map(|probe| format!("step {}", probe.step)));
    parts.extend(batch_norm(figure, subject));
    parts.join(" · ")
}

/// How batch norm was treated in the class gradients that a figure is made from, and in how many of the classes they
/// were measured, where that is not all; `None` for a figure that is not made from class gradients.
fn batch_norm(figure: &Figure, subject: Subject<'_>) -> Option<String> {
    let shown = match figure.gradients {
        Gradients::No => return None,
        Gradients::AsShown => subject.run.batch_norm_in_words(),
        Gradients::Both => "batch norm as in training minus frozen".to_owned(),
    };
    let other = subject.run.other_loss_measured();
    let loss = other.map(|loss| format!(", of {loss}, which this run does not minimise"));
    let loss = loss.unwrap_or_default();
    Some(match unmeasured::count(subject) {
        Some(count) => format!("{shown}{loss}, measured for {count}"),
        None => format!("{shown}{loss}"),
    })
}

/// Names of a figure's curves, which can be switched off and on; empty where it has none.
pub(crate) fn curve_names(
    ctx: &Context,
    kind: Kind,
    subject: Subject<'_>,
    view: &View,
) -> Vec<String> {
    let Some(of) = figure(kind).chart else {
        return Vec::new();
    };
    let chart = of(ctx, subject, &view.in_classes(subject.classes()));
    chart
        .curves
        .iter()
        .map(|curve| curve.name.clone())
        .collect()
}

/// The numbers that a figure shows, from the run itself. `shown` are all runs on screen: differences are taken from
/// the first. The last column of a table of class gradients says how batch norm was treated in them.
pub fn table(kind: Kind, subject: Subject<'_>, shown: &[Subject<'_>], view: &View) -> Table {
    let figure = figure(kind);
    let mut table = (figure.table)(subject, shown, &view.in_classes(subject.classes()));
    if figure.gradients == Gradients::AsShown {
        table.say_of_all("batch_norm", subject.run.batch_norm().name());
    }
    table
}

/// Reads those parts of a run's probe files that figures need and that are not in memory. Files that cannot be read
/// are left out.
///
/// # Errors
/// The error of the first file that cannot be read; the others are read nevertheless.
pub fn read_probes(
    dir: &Path,
    run: &Run,
    kinds: &[Kind],
    view: &View,
    probes: &mut Probes,
) -> Result<(), RunError> {
    let needs: Vec<Need> = kinds.iter().map(|kind| figure(*kind).needs).collect();
    probes::read(dir, run, &needs, view, probes)
}

/// Ranges that keep the scale of y in every chart of these runs; ranges that were chosen before stay.
pub fn locked(ctx: &Context, subjects: &[Subject<'_>], view: &View) -> BTreeMap<Kind, Range> {
    let lock = |&kind: &Kind| {
        let of = figure(kind).chart?;
        let charts = subjects
            .iter()
            .map(|subject| of(ctx, *subject, &view.in_classes(subject.classes())));
        let charts: Vec<_> = charts.collect();
        // A chart that shows nothing yet has no scale to keep.
        if !charts.iter().any(|chart| chart.is_drawn()) {
            return None;
        }
        let before = view.ranges.get(&kind).copied();
        let range = before.unwrap_or(Range {
            time: view.time,
            ..Range::default()
        });
        let y = range.y.unwrap_or_else(|| Scales::holding(&charts).y());
        let y = Some(y);
        Some((kind, Range { y, ..range }))
    };
    Kind::ALL.iter().filter_map(lock).collect()
}

#[cfg(test)]
mod tests;
