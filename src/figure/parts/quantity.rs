//! The quantities that parts of the network are coloured by: their values in words and tables, and their colours.

use egui::{Align, ComboBox, FontId, Label, Layout, Rect, RichText, Role, Ui, UiBuilder, vec2};

use crate::figure::facts::network;
use crate::figure::facts::network::layers_with_gradients;
use crate::figure::facts::quantity::{Classes, between_thirds, summary_of};
use crate::figure::facts::thirds::{NO_THIRDS, NOT_IN_LOG, has_thirds, missing};
use crate::figure::kit::memo::is_exporting;
use crate::figure::kit::numerals::three_figures;
use crate::figure::kit::table::{Table, Value};
use crate::figure::kit::text::{fitted, named};
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::{Subject, class_of};
use crate::figure::look::view::{Quantity, View};
use crate::gradient::gram::{ConflictSummary, PairsConflict};
use crate::run::Scope;
use crate::run::event::Probe;

/// The choice between colours that are fitted to the runs shown and colours that are the same for all runs. An image
/// shows the scale alone.
pub(in crate::figure) fn fit_ui(ui: &mut Ui, rect: Rect, view: &View) -> Option<Pick> {
    if is_exporting(ui.ctx()) || view.quantity.is_logarithmic() {
        return None;
    }
    let mut pick = None;
    let layout = Layout::left_to_right(Align::Center);
    ui.scope_builder(UiBuilder::new().max_rect(rect).layout(layout), |ui| {
        ui.spacing_mut().button_padding = vec2(4.0, 0.0);
        ui.spacing_mut().item_spacing.x = 1.0;
        ui.spacing_mut().interact_size.y = rect.height();
        for (fit, text_of, help) in [
            (
                true,
                "fit",
                "Colours end at the greatest value in the backbone of the runs shown",
            ),
            (false, "fixed", "Colours end at the same value for all runs"),
        ] {
            let text = RichText::new(text_of).size(11.0);
            let label = ui.selectable_label(view.fit == fit, text);
            named(&label, Role::Button, &format!("Colours: {text_of}"));
            if label.on_hover_text(help).clicked() {
                pick = Some(Pick::Fit(fit));
            }
        }
    });
    pick
}

/// Width of [`fit_ui`], in points.
pub(in crate::figure) const FIT_WIDTH: f32 = 62.0;

/// A list to choose the quantity from; an image names the chosen one instead.
pub(in crate::figure) fn selector_ui(
    ui: &mut Ui,
    rect: Rect,
    subject: Subject<'_>,
    view: &View,
) -> Option<Pick> {
    let quantity = view.quantity;
    let class = class_of(subject, view).and_then(|k| subject.classes().get(k));
    let text = match (quantity, class) {
        (Quantity::ClassNorm, Some(class)) => format!("Pull of {class}"),
        _ => quantity.label().to_owned(),
    };
    if is_exporting(ui.ctx()) {
        let (font, color) = (FontId::proportional(11.5), ui.visuals().text_color());
        let galley = fitted(ui.painter(), &text, &font, color, rect.width());
        let at = rect.left_center() - vec2(0.0, galley.size().y / 2.0);
        ui.painter().galley(at, galley, color);
        return None;
    }
    let mut pick = None;
    ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| {
        ui.spacing_mut().interact_size.y = rect.height();
        ui.spacing_mut().button_padding.y = 0.0;
        let combo = ComboBox::from_id_salt("quantity")
            .selected_text(RichText::new(text).size(11.5))
            .width(rect.width())
            .truncate()
            .show_ui(ui, |ui| {
                for other in Quantity::ALL {
                    let label = ui.selectable_label(quantity == other, other.label());
                    if label.on_hover_text(other.help()).clicked() {
                        pick = Some(Pick::Quantity(other));
                    }
                }
            });
        let response = combo.response.on_hover_ui(|ui| {
            ui.label(quantity.help());
            if let Some(why) = undefined(subject, view, subject.probe(view)) {
                ui.label(why);
            }
        });
        response.accessible_name("Coloured by");
    });
    pick
}

/// Why the quantity, being one of frequent and rare classes, is undefined at some of these probes; `None` where it is
/// known at all of them.
fn undefined<'a>(
    subject: Subject<'_>,
    view: &View,
    probes: impl IntoIterator<Item = &'a Probe>,
) -> Option<String> {
    if !view.quantity.is_of_thirds() {
        return None;
    }
    if !has_thirds(subject.run) {
        return Some(NO_THIRDS.to_owned());
    }
    let (mut all, mut unknown) = (0, 0);
    for probe in probes {
        all += 1;
        unknown += usize::from(probe.backbone.thirds.is_none());
    }
    match (unknown, all) {
        (0, _) => None,
        (1, 1) => Some(NOT_IN_LOG.to_owned()),
        (_, _) => Some(format!("{unknown} of {all} probes: {NOT_IN_LOG}")),
    }
}

/// Says why the quantity is undefined at some of these probes, where it is.
pub(in crate::figure) fn undefined_ui<'a>(
    ui: &mut Ui,
    rect: Rect,
    subject: Subject<'_>,
    view: &View,
    probes: impl IntoIterator<Item = &'a Probe>,
) {
    if let Some(why) = undefined(subject, view, probes)
        && rect.width() > 60.0
    {
        let layout = Layout::left_to_right(Align::Center);
        ui.scope_builder(UiBuilder::new().max_rect(rect).layout(layout), |ui| {
            let text = RichText::new(&why).size(11.5).weak();
            ui.add(Label::new(text).truncate()).on_hover_text(why);
        });
    }
}

/// Writes all values of a part of the network at the moment looked at.
pub(in crate::figure) fn part_ui(ui: &mut Ui, subject: Subject<'_>, scope: &Scope, view: &View) {
    let Some(probe) = subject.probe(view) else {
        return;
    };
    match summary_of(ui.ctx(), subject, probe, scope) {
        Some(summary) => values_ui(ui, subject, &summary, view),
        None => {
            ui.weak("Its values appear when the probe is read.");
        }
    }
}

/// Writes all values of a part of the network; the value that gives the colour stands out.
pub(in crate::figure) fn values_ui(
    ui: &mut Ui,
    subject: Subject<'_>,
    summary: &ConflictSummary,
    view: &View,
) {
    let classes = Classes::of(subject, view);
    let number =
        |value: Option<f64>| value.map_or_else(|| "undefined".to_owned(), |x| format!("{x:.3}"));
    let name = |k: usize| subject.classes().get(k).map_or("the class", String::as_str);
    for quantity in Quantity::ALL {
        let value = classes.value(quantity, summary);
        let line = match quantity {
            Quantity::Interference => format!(
                "interference {} (noise floor {})",
                number(value),
                number(summary.floor)
            ),
            Quantity::ConflictRate => format!(
                "{} of {} class pairs in conflict, {} significant (3 SE): share {}",
                summary.conflicting,
                summary.pairs,
                summary.resolved,
                number(value)
            ),
            Quantity::ClassNorm => {
                let value = value.map_or_else(|| "undefined".to_owned(), three_figures);
                format!("‖g‖ of {} {value}", classes.one.map_or("the class", name))
            }
            Quantity::TailShare => format!(
                "share of the rarest classes ({}) {}",
                list(&classes.tail, name),
                number(value)
            ),
            Quantity::HeadToTail => format!(
                "pull of the frequent classes ({}) {} times that of the rarest",
                list(&classes.head, name),
                number(value)
            ),
            Quantity::HeadAgainstTail | Quantity::TailAgainstTail | Quantity::HeadAgainstHead => {
                match between_thirds(quantity, summary) {
                    Some(pairs) => of_pairs(quantity, pairs),
                    // One line says it for all three.
                    None if quantity == Quantity::HeadAgainstTail => {
                        let why = missing(subject.run, summary).unwrap_or(NO_THIRDS);
                        format!("frequent against rare classes: {why}")
                    }
                    None => continue,
                }
            }
        };
        if quantity == view.quantity {
            ui.strong(line);
        } else {
            ui.label(line);
        }
    }
}

/// The conflict over some pairs of classes in words.
fn of_pairs(quantity: Quantity, pairs: &PairsConflict) -> String {
    let name = quantity.label().to_lowercase();
    let (Some(interference), floor) = (pairs.interference, pairs.floor) else {
        return format!("{name} undefined: no such pair of classes has gradients");
    };
    let floor = floor.map_or_else(|| "undefined".to_owned(), |floor| format!("{floor:.3}"));
    format!(
        "{name} {interference:.3} (noise floor {floor}), {} of {} pairs in conflict, {} significant (3 SE)",
        pairs.conflicting, pairs.pairs, pairs.resolved
    )
}

/// Up to three names, and how many more.
fn list<'a>(classes: &[usize], name: impl Fn(usize) -> &'a str) -> String {
    let first: Vec<_> = classes.iter().take(3).map(|&k| name(k)).collect();
    let more = match classes.len().saturating_sub(3) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    format!("{}{more}", first.join(", "))
}

/// The pairs of classes that columns of the table are restricted to, with the beginning of their names.
const GROUPS: [(&str, Quantity); 3] = [
    ("head_tail", Quantity::HeadAgainstTail),
    ("tail_tail", Quantity::TailAgainstTail),
    ("head_head", Quantity::HeadAgainstHead),
];

/// All values of the backbone and of every layer at some probes.
pub(in crate::figure) fn table<'a>(
    subject: Subject<'_>,
    view: &View,
    probes: impl IntoIterator<Item = &'a Probe>,
) -> Table {
    let columns = [
        "step",
        "epoch",
        "layer",
        "block",
        "interference",
        "noise_floor",
        "conflict_rate",
        "class",
        "class_grad_norm",
        "tail_share",
        "head_to_tail",
    ];
    let of_groups = GROUPS.iter().flat_map(|(name, _)| {
        let columns = [
            "interference",
            "noise_floor",
            "pairs",
            "resolved",
            "conflicting",
        ];
        columns.map(|column| format!("{name}_{column}"))
    });
    let columns: Vec<String> = columns
        .map(str::to_owned)
        .into_iter()
        .chain(of_groups)
        .collect();
    let mut table = Table {
        columns,
        rows: Vec::new(),
    };
    let classes = Classes::of(subject, view);
    let class = classes.one.and_then(|k| subject.classes().get(k));
    for probe in probes {
        let layers = layers_with_gradients(subject)
            .map(|(layer, row)| (layer.name.as_str(), layer.group.as_str(), Some(row)));
        for (name, block, row) in std::iter::once(("backbone", "", None)).chain(layers) {
            let Some(summary) = network::summary_of(probe, row) else {
                continue;
            };
            let value = |quantity| Value::from(classes.value(quantity, summary));
            let mut cells = vec![
                probe.step.into(),
                probe.epoch.into(),
                name.into(),
                if block.is_empty() {
                    Value::None
                } else {
                    block.into()
                },
                value(Quantity::Interference),
                summary.floor.into(),
                value(Quantity::ConflictRate),
                class.map_or(Value::None, |name| name.as_str().into()),
                value(Quantity::ClassNorm),
                value(Quantity::TailShare),
                value(Quantity::HeadToTail),
            ];
            for (_, quantity) in GROUPS {
                cells.extend(pair_cells(between_thirds(quantity, summary)));
            }
            table.rows.push(cells);
        }
    }
    table
}

/// Conflict over some pairs of classes in the cells of a table; empty cells where it is not known.
fn pair_cells(pairs: Option<&PairsConflict>) -> [Value; 5] {
    let count = |of: fn(&PairsConflict) -> usize| pairs.map_or(Value::None, |x| of(x).into());
    [
        pairs.and_then(|x| x.interference).into(),
        pairs.and_then(|x| x.floor).into(),
        count(|x| x.pairs),
        count(|x| x.resolved),
        count(|x| x.conflicting),
    ]
}

#[cfg(test)]
mod tests;
