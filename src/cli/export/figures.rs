//! `export` of figures.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::arguments::{ExportArguments, Figures};
use super::opened::{Opened, open_all, view};
use super::write::{Files, write_all, write_page};
use crate::cli::output::{Usage, say};
use crate::figure::export::{self, Figure, Format, Restored};
use crate::figure::pages::{kind_shown, of_two};
use crate::figure::{self, Kind, Order, Subject, View, read_probes, similarity_order};

/// Writes the figures that the arguments choose, in these formats.
pub(super) fn export(arguments: &ExportArguments, formats: &[Format]) -> anyhow::Result<()> {
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
        formats,
        settings: &|format| arguments.settings(format),
    };
    if let Some(page) = arguments.page.as_ref().filter(|_| arguments.as_one) {
        return write_page(&files, page.page(), &chosen);
    }
    write_all(&files, &chosen, matches!(figures, Figures::Some(_)))
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
