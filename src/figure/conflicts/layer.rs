//! The selected part of the network by itself: what the layer is, how strongly each class pulls it, and its conflict, at
//! the cursor and at the first probe.

use std::sync::Arc;

use egui::{Align2, Context, FontId, Rect, RichText, Role, Sense, Stroke, Ui, pos2, vec2};

use crate::figure::facts::network;
use crate::figure::facts::probes::Need;
use crate::figure::facts::quantity::summary_of;
use crate::figure::facts::unread::{NO_PROBE, no_parameters, not_read};
use crate::figure::kit::numerals::three_figures;
use crate::figure::kit::palette;
use crate::figure::kit::table::Table;
use crate::figure::kit::text::{empty_ui, fitted, named};
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::{Subject, order_of};
use crate::figure::look::view::View;
use crate::figure::parts::figure::{At, Figure, Gradients, NEVER, Of};
use crate::gradient::gram::ConflictSummary;
use crate::run::Scope;
use crate::run::event::Layer;

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::Layer,
    name: "layer",
    title: "Selected layer",
    subtitle: "What the layer is, how strongly each class pulls it, and its conflict now and at the start",
    help: "The selected layer, block or backbone: its shape, kernel and parameters; interference and pairs in conflict at \
           the cursor, with the change since the first probe; and below a bar for every class, the norm of its gradient \
           there. The upright mark is the norm at the first probe. Bars have a logarithmic scale. Walk through the layers \
           with the arrow keys once a layer of the map is clicked.",
    synonyms: &[
        "layer card",
        "layer details",
        "kernel",
        "parameters",
        "gradient norm",
    ],
    page: Page::Conflicts,
    in_place_of: None,
    lacks: NEVER,
    of: Of::Run,
    needs: Need::Moment,
    at: At::Probe,
    gradients: Gradients::AsShown,
    names_part: true,
    names_step: true,
    colour_range: None,
    chart: None,
    ui: layer_ui,
    table: |subject, _, view| table(subject, view),
};

/// Least and largest height of a row, in points.
const ROW: (f32, f32) = (13.0, 20.0);
/// Width of a norm in figures, in points.
const NUMBER: f32 = 54.0;

/// The summary of the selected part at the cursor and at the first probe.
struct Moments<'a> {
    now: Arc<ConflictSummary>,
    /// `None` where the cursor is on the first probe, and for a part that the log does not have: it has single layers
    /// and the backbone.
    start: Option<&'a ConflictSummary>,
}

fn moments<'a>(ctx: &Context, subject: Subject<'a>, view: &View) -> Result<Moments<'a>, String> {
    let probe = subject.probe(view).ok_or(NO_PROBE)?;
    let rows = subject.run.gram_rows(&view.scope);
    if rows.is_empty() {
        return Err(no_parameters(subject.run, &view.scope));
    }
    let now = summary_of(ctx, subject, probe, &view.scope);
    let first = subject.run.probes.first();
    let first = first.filter(|first| first.step < probe.step);
    Ok(Moments {
        now: now.ok_or_else(|| not_read(probe.step))?,
        start: first.and_then(|first| match (&view.scope, &rows[..]) {
            (Scope::Backbone, _) => network::summary_of(first, None),
            (_, [row]) => network::summary_of(first, Some(*row)),
            (_, _) => None,
        }),
    })
}

/// Draws the part; a click picks a class.
fn layer_ui(ui: &mut Ui, subject: Subject<'_>, _: &[Subject<'_>], view: &View) -> Option<Pick> {
    let Moments {
        now: summary,
        start,
    } = match moments(ui.ctx(), subject, view) {
        Ok(moments) => moments,
        Err(sentence) => {
            empty_ui(ui, &sentence);
            return None;
        }
    };
    let mut pick = heading_ui(ui, subject, &view.scope);
    let conflict = conflict_words(&summary, start);
    ui.add(egui::Label::new(RichText::new(conflict).size(11.5).weak()).truncate());
    let order = order_of(subject, view);
    let norm = |summary: &ConflictSummary, k: usize| {
        let norm = summary.norm.get(k).copied().flatten();
        norm.filter(|norm| *norm > 0.0)
    };
    let both = [Some(&*summary), start];
    let all = both.into_iter().flatten();
    let all = all.flat_map(|summary| order.iter().filter_map(|&k| norm(summary, k)));
    let logs: Vec<f64> = all.map(f64::log10).collect();
    let low = logs.iter().copied().fold(f64::INFINITY, f64::min).floor();
    let high = logs
        .iter()
        .copied()
        .fold(f64::NEG_INFINITY, f64::max)
        .ceil();
    let share = |norm: f64| ((norm.log10() - low) / (high - low).max(1.0)) as f32;
    let height = (ui.available_height() / order.len().max(1) as f32).clamp(ROW.0, ROW.1);
    let width = ui.available_width();
    let names = (0.3 * width).min(110.0);
    let spacing = std::mem::replace(&mut ui.spacing_mut().item_spacing.y, 0.0);
    egui::ScrollArea::vertical()
        .auto_shrink([false, true])
        .show_rows(ui, height, order.len(), |ui, seen| {
            for &k in &order[seen] {
                let (rect, response) = ui.allocate_exact_size(vec2(width, height), Sense::click());
                let name = &subject.classes()[k];
                named(&response, Role::Button, &format!("Gradient norm of {name}"));
                row_ui(ui, rect, (name, k), names, view);
                let bars = Rect::from_min_max(
                    pos2(rect.left() + names + 6.0, rect.top() + 2.0),
                    pos2(rect.right() - NUMBER, rect.bottom() - 2.0),
                );
                let at = |norm| bars.left() + share(norm) * bars.width();
                let font = FontId::proportional(11.0);
                let text = ui.visuals().text_color();
                if let Some(norm) = norm(&summary, k) {
                    let bar = bars.with_max_x(at(norm).max(bars.left() + 1.0));
                    ui.painter().rect_filled(bar, 1.0, palette::class(k));
                }
                if let Some(norm) = start.and_then(|start| norm(start, k)) {
                    let stroke = Stroke::new(1.5, ui.visuals().strong_text_color());
                    ui.painter().vline(at(norm), bars.y_range(), stroke);
                }
                let words = norm(&summary, k).map_or("–".to_owned(), three_figures);
                let place = rect.right_center() - vec2(2.0, 0.0);
                ui.painter()
                    .text(place, Align2::RIGHT_CENTER, words, font, text);
                if response.clicked() {
                    pick = pick.take().or(Some(Pick::Class(k)));
                }
                let at_start = start.and_then(|start| norm(start, k));
                response.on_hover_text(hover(name, norm(&summary, k), at_start));
            }
        });
    ui.spacing_mut().item_spacing.y = spacing;
    pick
}

/// The name of a class, lit where the class is selected.
fn row_ui(ui: &Ui, rect: Rect, (name, k): (&str, usize), width: f32, view: &View) {
    let text = ui.visuals().text_color();
    if view.class == Some(k) {
        ui.painter()
            .rect_filled(rect, 2.0, text.gamma_multiply(0.08));
    }
    let font = FontId::proportional(11.0);
    let galley = fitted(ui.painter(), name, &font, text, width);
    let at = pos2(
        rect.left() + width - galley.size().x,
        rect.center().y - galley.size().y / 2.0,
    );
    ui.painter().galley(at, galley, text);
}

fn hover(name: &str, now: Option<f64>, start: Option<f64>) -> String {
    let number = |norm: Option<f64>| norm.map_or("undefined".to_owned(), three_figures);
    match start {
        Some(_) => format!(
            "‖g‖ of {name} {}, {} at the first probe",
            number(now),
            number(start)
        ),
        None => format!("‖g‖ of {name} {}", number(now)),
    }
}

/// The way from the whole network to a part: the network, the block, the layer, each with its name.
fn path(subject: Subject<'_>, scope: &Scope) -> Vec<(String, Scope)> {
    let network = || ("network".to_owned(), Scope::Network);
    let block = |group: &str| (group.to_owned(), Scope::Group(group.to_owned()));
    match scope {
        Scope::Layer(name) => {
            let mut layers = subject.run.started.iter().flat_map(|x| &x.layers);
            let Some(layer) = layers.find(|layer| layer.name == *name) else {
                return vec![network()];
            };
            let group = layer.group.as_str();
            // A layer that is a block of its own has the block's name.
            let own = name.strip_prefix(group).unwrap_or(name);
            let own = own.trim_start_matches('.');
            let mut path = vec![network(), block(group)];
            if !own.is_empty() {
                path.push((own.to_owned(), scope.clone()));
            }
            path
        }
        Scope::Group(group) => vec![network(), block(group)],
        Scope::Backbone => vec![network(), (scope.name().to_owned(), Scope::Backbone)],
        Scope::Network => vec![network()],
    }
}

/// The way to the part, of which each step is a click, and what the part is.
fn heading_ui(ui: &mut Ui, subject: Subject<'_>, scope: &Scope) -> Option<Pick> {
    let mut pick = None;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.spacing_mut().interact_size.y = 14.0;
        let path = path(subject, scope);
        for (at, (name, scope)) in path.iter().enumerate() {
            if at > 0 {
                ui.label(RichText::new("›").size(11.5).weak());
            }
            let text = RichText::new(name).size(11.5);
            if at + 1 == path.len() {
                ui.label(text.strong());
            } else if ui.link(text).clicked() {
                pick = Some(Pick::Scope(scope.clone()));
            }
        }
        let text = RichText::new(described(subject, scope)).size(11.5);
        ui.add(egui::Label::new(text).truncate());
    });
    pick
}

/// What the part is: kind, kernel, output shape and parameters of a layer; the number of layers of a larger part.
fn described(subject: Subject<'_>, scope: &Scope) -> String {
    let Some(started) = &subject.run.started else {
        return String::new();
    };
    let Scope::Layer(name) = scope else {
        let rows = subject.run.gram_rows(scope);
        let inside = |layer: &&Layer| layer.gram.is_some_and(|row| rows.contains(&row));
        let params: usize = started.layers.iter().filter(inside).map(|x| x.params).sum();
        return format!(
            "{} layers with parameters · {} parameters",
            rows.len(),
            crate::text::grouped(params as u64)
        );
    };
    let Some(layer) = started.layers.iter().find(|layer| layer.name == *name) else {
        return String::new();
    };
    let shape: Vec<String> = layer.shape.iter().map(ToString::to_string).collect();
    let kind = match kernel(layer, &started.layers) {
        Some(side) => format!("convolution {side} × {side}"),
        None => layer.kind.replace('_', " "),
    };
    format!(
        "{kind} · output {} · {} parameters",
        shape.join(" × "),
        crate::text::grouped(layer.params as u64)
    )
}

/// Side of a convolution's square kernel, from its parameters: k² · C_in · C_out, as convolutions have no bias. `None`
/// for other layers, and for one that reads the image, whose channels the layer table does not have.
fn kernel(layer: &Layer, layers: &[Layer]) -> Option<usize> {
    if layer.kind != "conv" {
        return None;
    }
    let input = layers
        .iter()
        .find(|other| layer.inputs.first() == Some(&other.name))?;
    let channels = input.shape.last()? * layer.shape.last()?;
    let area = layer.params.checked_div(channels)?;
    let side = area.isqrt();
    (side * side * channels == layer.params).then_some(side)
}

/// Interference with its noise floor, the pairs in conflict, and the change since the first probe.
fn conflict_words(now: &ConflictSummary, start: Option<&ConflictSummary>) -> String {
    let number = |value: Option<f64>| value.map_or("–".to_owned(), |x| format!("{x:.3}"));
    let mut words = format!(
        "interference {} (floor {}) · {} of {} pairs in conflict",
        number(now.interference),
        number(now.floor),
        now.conflicting,
        now.pairs
    );
    let change = start.and_then(|start| Some(now.interference? - start.interference?));
    if let Some(change) = change {
        let change = crate::text::signed(change, 3);
        words.push_str(&format!(" · {change} since the first probe"));
    }
    words
}

/// The numbers of the figure: a row for every class.
fn table(subject: Subject<'_>, view: &View) -> Table {
    let mut table = Table::new([
        "step",
        "part",
        "class",
        "grad_norm",
        "grad_norm_first_probe",
        "interference",
        "interference_first_probe",
    ]);
    // A new context, so that no value is taken that was remembered elsewhere.
    let found = moments(&Context::default(), subject, view);
    let (Some(probe), Ok(Moments { now, start })) = (subject.probe(view), found) else {
        return table;
    };
    for k in order_of(subject, view) {
        let norm = |summary: &ConflictSummary| summary.norm.get(k).copied().flatten();
        table.push([
            probe.step.into(),
            view.scope.name().into(),
            subject.classes()[k].as_str().into(),
            norm(&now).into(),
            start.and_then(norm).into(),
            now.interference.into(),
            start.and_then(|start| start.interference).into(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::testing::{recorded, view};

    /// The kernel follows from the parameters and the channels on both sides; for the layer that reads the image, whose
    /// channels the table does not have, nothing is said.
    #[test]
    fn kernels_follow_from_parameters() -> anyhow::Result<()> {
        let recorded = recorded("solar-branch")?;
        let layers = &recorded.run.started.as_ref().unwrap().layers;
        let side = |name: &str| {
            let layer = layers.iter().find(|layer| layer.name == name).unwrap();
            kernel(layer, layers)
        };
        assert_eq!(
            [side("stem.conv2"), side("branch3.conv1")],
            [Some(3), Some(3)]
        );
        assert_eq!([side("fuse.conv"), side("stem.conv1")], [Some(1), None]);
        assert_eq!([side("stem.bn1"), side("classifier")], [None, None]);
        let layer = Scope::Layer("branch3.conv1".to_owned());
        let words = described(recorded.subject(), &layer);
        assert!(words.starts_with("convolution 3 × 3 · output "), "{words}");
        let path = path(recorded.subject(), &layer);
        let names: Vec<&str> = path.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["network", "branch3", "conv1"]);
        let block = Scope::Group("branch3".to_owned());
        assert_eq!(path[1].1, block);
        assert_eq!(super::path(recorded.subject(), &block).len(), 2);
        Ok(())
    }

    /// Norms and interference are those of the log, at the cursor and at the first probe, where there is no change.
    #[test]
    fn the_first_probe_has_no_change() -> anyhow::Result<()> {
        let recorded = recorded("solar-branch")?;
        let probes = &recorded.run.probes;
        let at = |step| View {
            step: Some(step),
            scope: Scope::Backbone,
            ..view()
        };
        let ctx = Context::default();
        let last = probes[probes.len() - 1].step;
        let view = at(last);
        let found = moments(&ctx, recorded.subject(), &view).map_err(anyhow::Error::msg)?;
        assert_eq!(*found.now, probes[probes.len() - 1].backbone);
        assert_eq!(found.start, Some(&probes[0].backbone));
        let words = conflict_words(&found.now, found.start);
        assert!(words.ends_with("since the first probe"), "{words}");
        let view = at(0);
        let found = moments(&ctx, recorded.subject(), &view).map_err(anyhow::Error::msg)?;
        assert_eq!(found.start, None);
        assert!(!conflict_words(&found.now, None).contains("since"));
        Ok(())
    }
}
