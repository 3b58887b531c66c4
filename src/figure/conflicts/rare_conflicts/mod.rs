//! The strongest conflicts of a rare and a frequent class at the cursor, over all layers: a list in which each is a
//! click.

use egui::{Label, RichText, Role, ScrollArea, Sense, Ui, vec2};

use crate::figure::conflicts::rare_conflicts::columns::{Columns, cosine_text};
use crate::figure::facts::ledger::not_predicted;
use crate::figure::facts::probes::Need;
use crate::figure::facts::thirds;
use crate::figure::facts::thirds::strongest::{Between, Strongest, all, strongest};
use crate::figure::kit::numerals::three_figures;
use crate::figure::kit::table::Table;
use crate::figure::kit::text::{empty_ui, named};
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::{Subject, pair_of};
use crate::figure::look::view::View;
use crate::figure::parts::bars::with_error;
use crate::figure::parts::figure::{At, Figure, Gradients, Of};
use crate::run::Scope;

mod columns;

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::RareConflicts,
    name: "rare-conflicts",
    title: "Strongest rare × frequent conflicts",
    subtitle: "Who fights the rare classes: significant conflicts of a rare and a frequent class, by cosine, −1 to 0",
    help: "Every pair of a class of the rarest third and one of the frequent third whose gradients are in conflict \
           beyond 3 standard errors, in the layer where their cosine is lowest; the classifier, where classes conflict \
           by construction, is left out. At the right, what the frequent class's share of a plain step does to the \
           rare class's loss through that layer. Click to follow the pair and go to the layer.",
    synonyms: &[
        "who fights the rare classes",
        "worst pairs",
        "who fights whom",
        "rare against frequent",
        "head and tail",
        "long tail",
        "gradient conflict",
    ],
    page: Page::Conflicts,
    in_place_of: None,
    lacks: thirds::lacks,
    of: Of::Run,
    needs: Need::Moment,
    at: At::Probe,
    gradients: Gradients::AsShown,
    names_part: false,
    names_step: true,
    colour_range: None,
    chart: None,
    ui: |ui, subject, _, view| rare_conflicts_ui(ui, subject, view),
    table: |subject, _, view| table(subject, view),
};

/// Height of a row, in points.
const ROW: f32 = 18.0;

/// Draws the list; a click picks the pair and the layer.
pub(in crate::figure) fn rare_conflicts_ui(
    ui: &mut Ui,
    subject: Subject<'_>,
    view: &View,
) -> Option<Pick> {
    let found = match strongest(ui.ctx(), subject, view) {
        Ok(found) => found,
        Err(sentence) => {
            empty_ui(ui, &sentence);
            return None;
        }
    };
    if found.pairs.is_empty() {
        empty_ui(ui, &nothing(&found));
        return None;
    }
    let text = RichText::new(counts(&found)).size(11.0).weak();
    ui.add(Label::new(text).truncate()).on_hover_text(
        "Resolved: the product of the two gradients is negative by more than 3 standard errors.",
    );
    let names = subject.classes();
    let width = ui.available_width();
    let columns = Columns::new(ui, width, names, &found);
    let (header, _) = ui.allocate_exact_size(vec2(width, ROW), Sense::hover());
    columns.header_ui(ui, header);
    let mut pick = None;
    let area = ScrollArea::vertical().auto_shrink([false, true]);
    let gap = ui.spacing().item_spacing.y;
    area.show_rows(ui, ROW - gap, found.pairs.len(), |ui, seen| {
        for (conflict, layers) in &found.pairs[seen] {
            let size = vec2(width, ROW - gap);
            let (rect, response) = ui.allocate_exact_size(size, Sense::click());
            let is_selected = is_selected(subject, view, conflict);
            columns.row_ui(
                ui,
                rect,
                (conflict, *layers),
                is_selected,
                response.hovered(),
            );
            let (rare, frequent) = (&names[conflict.rare], &names[conflict.frequent]);
            let name = format!("{rare} against {frequent} in {}", conflict.layer);
            named(&response, Role::Button, &name);
            if response.clicked() {
                let layer = Scope::Layer(conflict.layer.clone());
                pick = Some(Pick::PairIn(conflict.rare, conflict.frequent, layer));
            }
            response.on_hover_ui_at_pointer(|ui| {
                words_ui(ui, subject, &name, (conflict, *layers), found.layers);
            });
        }
    });
    pick
}

/// Whether the pair and the layer of a conflict are those selected.
fn is_selected(subject: Subject<'_>, view: &View, conflict: &Between) -> bool {
    let pair = pair_of(subject, view).map(|(a, b)| (a.min(b), a.max(b)));
    let (a, b) = (conflict.rare, conflict.frequent);
    pair == Some((a.min(b), a.max(b))) && view.scope.name() == conflict.layer
}

/// The sentence where no conflict is resolved.
fn nothing(found: &Strongest) -> String {
    format!(
        "No rare × frequent conflict is resolved at this moment: of {} pairs in {} layers, {} have a negative cosine \
         anywhere, and none is significant (3 SE).",
        found.all, found.layers, found.negative
    )
}

/// How many pairs are in conflict, in words.
fn counts(found: &Strongest) -> String {
    let shown = match found.pairs.len() {
        n if n < found.conflicting => format!("; the {n} strongest"),
        _ => String::new(),
    };
    format!(
        "{} of {} rare × frequent pairs in resolved conflict in any of {} layers{shown}",
        found.conflicting, found.all, found.layers
    )
}

/// Writes everything about a conflict: the text of its tooltip.
fn words_ui(
    ui: &mut Ui,
    subject: Subject<'_>,
    name: &str,
    (conflict, in_layers): (&Between, usize),
    layers: usize,
) {
    ui.set_max_width(320.0);
    ui.strong(name);
    ui.label(format!(
        "cosine {} (−1 to 1, standard error), in conflict",
        cosine_text(conflict)
    ));
    let names = subject.classes();
    let (rare, frequent) = (&names[conflict.rare], &names[conflict.frequent]);
    for (name, norm) in [rare, frequent].into_iter().zip(conflict.norms) {
        ui.label(format!("‖g‖ of {name} {}", three_figures(norm)));
    }
    ui.label(format!(
        "The pair is in resolved conflict in {in_layers} of {layers} layers; its cosine is lowest here."
    ));
    match (&conflict.effect, not_predicted(subject.run)) {
        (Some(effect), _) => {
            let word = match (effect.resolved(), effect.nats > 0.0) {
                (false, _) => "not significant (3 SE)",
                (true, true) => "it hurts",
                (true, false) => "it helps",
            };
            ui.label(format!(
                "The share of {frequent} in a plain step changes the loss of {rare} by {} nats through this layer: {word}.",
                with_error(effect)
            ));
        }
        (None, Some(sentence)) => {
            ui.label(sentence);
        }
        (None, None) => {}
    }
    ui.weak("Click to follow the pair and go to the layer.");
}

/// The numbers of the figure: every pair of a rare and a frequent class in every layer, the lowest cosine first.
pub(in crate::figure) fn table(subject: Subject<'_>, view: &View) -> Table {
    let mut table = Table::new([
        "step",
        "rare_class",
        "frequent_class",
        "layer",
        "block",
        "cosine",
        "standard_error",
        "resolved",
        "grad_norm_rare",
        "grad_norm_frequent",
        "effect_nats_per_step",
        "effect_standard_error_nats_per_step",
    ]);
    let names = subject.classes();
    let step = subject.probe(view).map_or(0, |probe| probe.step);
    for conflict in all(subject, view) {
        let effect = conflict.effect;
        table.push([
            step.into(),
            names[conflict.rare].as_str().into(),
            names[conflict.frequent].as_str().into(),
            conflict.layer.as_str().into(),
            conflict.block.as_str().into(),
            conflict.cosine.into(),
            conflict.standard_error.into(),
            conflict.resolved.into(),
            conflict.norms[0].into(),
            conflict.norms[1].into(),
            effect.map(|effect| effect.nats).into(),
            effect.and_then(|effect| effect.standard_error).into(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests;
