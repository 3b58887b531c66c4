//! The bar above the figures of a page, with the selection that all of them follow: the part of the network, the class,
//! the order of classes and the pair.

use egui::RichText;

use crate::figure::{Kind, Order, Pairs, Pick, View};
use crate::run::event::{Split, Started};
use crate::run::{Agreement, BatchNorm, Scope};
use crate::ui::state::action::Action;
use crate::ui::state::choices::{ORDERS, SPLITS, scope_name, scopes};
use crate::ui::state::place::Page;
use crate::ui::state::runs::RunEntry;

const SIMILARITY_HELP: &str = "Classes whose gradients agree stand beside each other: clustered once, in the part of the network and at the moment looked at, and kept for all times and runs. Choose it again to cluster anew.";

/// Widths of the lists to choose from, in points: what follows them stays where it is, whatever is chosen.
const PART_WIDTH: f32 = 205.0;
const CLASS_WIDTH: f32 = 110.0;
const ORDER_WIDTH: f32 = 96.0;

/// Draws the selection that all figures follow: the part of the network by name, which a click in the map selects, too;
/// the class; the order of classes; and the pair.
pub(crate) fn scope_ui(
    ui: &mut egui::Ui,
    page: Page,
    (entries, agreement): (&[&RunEntry], &Agreement),
    view: &View,
    actions: &mut Vec<Action>,
) {
    ui.horizontal_wrapped(|ui| {
        let help = "Gradients are shown for this part of the network. The classifier pulls classes apart by construction, so the backbone (all other layers) is the fairer summary.";
        let label = ui.label("Part").on_hover_text(help);
        // The run with the most layers has all the names that the other runs have.
        let headers = entries.iter().filter_map(|entry| entry.run.started.as_ref());
        let Some(started) = headers.max_by_key(|started| started.layers.len()) else {
            ui.label(RichText::new("waits for the first run to begin").weak());
            return;
        };
        let combo = egui::ComboBox::from_id_salt("scope")
            .selected_text(scope_name(&view.scope))
            .width(PART_WIDTH)
            .truncate()
            .height(420.0)
            .show_ui(ui, |ui| {
                for scope in scopes(started) {
                    let indent = if matches!(scope, Scope::Layer(_)) { "    " } else { "" };
                    let text = format!("{indent}{}", scope_name(&scope));
                    if ui.selectable_label(view.scope == scope, text).clicked() {
                        actions.push(Action::Pick(Pick::Scope(scope)));
                    }
                }
            });
        combo.response.labelled_by(label.id).on_hover_text(help);
        // The selected class and pair are counted in the classes of the run on the left.
        let left = entries.iter().find_map(|entry| entry.run.started.as_ref());
        let classes = left.map_or(&started.classes, |left| &left.classes);
        class_ui(ui, classes, view, actions);
        order_ui(ui, classes, view, actions);
        if page == Page::Conflicts {
            pairs_ui(ui, view, actions);
        }
        if page == Page::Mistakes {
            split_ui(ui, entries, view, actions);
        }
        let mut on = !view.ranges.is_empty();
        let help = "Keeps the scales of all charts as they are now, over time and for other runs; off, they hold all there is. A box drawn in a chart fixes its scale alone.";
        if ui.checkbox(&mut on, "Lock scales").on_hover_text(help).changed() {
            actions.push(Action::LockScales(on));
        }
        // Where two runs stand together, they have the difference beside both matrices.
        if entries.len() > 1 && !page.shows_both() {
            let mut on = view.difference;
            let help = "Shows the second run's conflict and confusion matrices minus the first's, on scales of their own";
            if ui.checkbox(&mut on, "As difference").on_hover_text(help).changed() {
                actions.push(Action::Pick(Pick::Difference(on)));
            }
        }
        if page.kinds().iter().any(|kind| kind.shows_class_gradients()) {
            batch_norm_ui(ui, entries, view, actions);
        }
        if page.shows(Kind::BatchNormDifference) {
            through_batch_norm_ui(ui, entries, view, actions);
        }
        if let Some((a, b)) = view.pair
            && let (Some(a), Some(b)) = (classes.get(a), classes.get(b))
        {
            ui.separator();
            pair_ui(ui, format!("Pair {a} × {b}"), actions);
        }
    });
    if page.kinds().iter().any(|kind| kind.shows_class_gradients()) {
        agreement_ui(ui, agreement);
    }
}

/// Says in one line why the runs are not shown as chosen, where they are not.
pub(crate) fn agreement_ui(ui: &mut egui::Ui, agreement: &Agreement) {
    if let Some(sentence) = agreement.sentence() {
        let text = RichText::new(sentence).small();
        ui.add(egui::Label::new(text).truncate());
    }
}

/// Draws the choice of the pairs of classes whose conflict is shown by layer and moment, in one piece.
fn pairs_ui(ui: &mut egui::Ui, view: &View, actions: &mut Vec<Action>) {
    let layout = egui::Layout::left_to_right(egui::Align::Center);
    let size = egui::vec2(PAIRS_WIDTH, ui.spacing().interact_size.y);
    ui.allocate_ui_with_layout(size, layout, |ui| {
        ui.label("Pairs").on_hover_text(
            "The pairs of classes whose conflict is shown by layer and epoch, and listed by its peaks",
        );
        for pairs in Pairs::ALL {
            let button = ui
                .selectable_label(view.pairs() == Some(pairs), pairs.label())
                .on_hover_text(pairs.help())
                .accessible_name(format!("Pairs {}", pairs.label()));
            if button.clicked() {
                actions.push(Action::Pick(Pick::Pairs(pairs)));
            }
        }
    });
}

/// Width of that choice, in points.
const PAIRS_WIDTH: f32 = 206.0;

/// Draws the switch between the two ways of treating batch norm in the class gradients shown, in one piece; in its place
/// two words, where no network shown has batch norm.
pub(crate) fn batch_norm_ui(
    ui: &mut egui::Ui,
    entries: &[&RunEntry],
    view: &View,
    actions: &mut Vec<Action>,
) {
    let mut headers = entries
        .iter()
        .filter_map(|entry| entry.run.started.as_ref());
    if headers.clone().next().is_some() && headers.all(|started| !started.mixes_images()) {
        ui.label(RichText::new("No batch norm").weak()).on_hover_text(
            "In these networks the images of a batch do not mix, so that the class gradients that training feels are \
             those of the evaluated network: there is one measure",
        );
        return;
    }
    let layout = egui::Layout::left_to_right(egui::Align::Center);
    let size = egui::vec2(BATCH_NORM_WIDTH, ui.spacing().interact_size.y);
    ui.allocate_ui_with_layout(size, layout, |ui| {
        ui.label("Batch norm").on_hover_text(
            "How batch norm is treated in the class gradients that all figures are made from. The two measures differ, \
             and are never mixed",
        );
        for batch_norm in BatchNorm::ALL {
            let is_chosen = view.batch_norm == batch_norm;
            let button = ui
                .selectable_label(is_chosen, batch_norm.label())
                .on_hover_text(batch_norm.help())
                .accessible_name(format!("Batch norm {}", batch_norm.label()));
            if button.clicked() {
                actions.push(Action::Pick(Pick::BatchNorm(batch_norm)));
            }
        }
    });
}

/// Width of the switch between the two ways of treating batch norm, in points.
const BATCH_NORM_WIDTH: f32 = 230.0;

/// Draws the choice to show each run's conflict matrix as the difference between both measures, where a run has both.
fn through_batch_norm_ui(
    ui: &mut egui::Ui,
    entries: &[&RunEntry],
    view: &View,
    actions: &mut Vec<Action>,
) {
    let mut on = view.through_batch_norm;
    let has_both = |entry: &&RunEntry| {
        let started = entry.run.started.as_ref();
        entry.run.records_training() && started.is_some_and(Started::mixes_images)
    };
    if !on && !entries.iter().any(has_both) {
        return;
    }
    let help = "Shows the conflict that comes through batch statistics: each run's conflict matrix with batch norm as in training minus that with batch norm frozen";
    let checkbox = ui
        .checkbox(&mut on, "Matrix minus frozen")
        .on_hover_text(help);
    if checkbox.changed() {
        actions.push(Action::Pick(Pick::ThroughBatchNorm(on)));
    }
}

/// Draws the selected pair with its button, on one line.
fn pair_ui(ui: &mut egui::Ui, text: String, actions: &mut Vec<Action>) {
    let (font, color) = (
        egui::TextStyle::Body.resolve(ui.style()),
        ui.visuals().text_color(),
    );
    let words = ui.painter().layout_no_wrap(text, font, color);
    let size = egui::vec2(words.size().x + 30.0, ui.spacing().interact_size.y);
    ui.allocate_ui_with_layout(size, egui::Layout::left_to_right(egui::Align::Center), |ui| {
        ui.label(words).on_hover_text(
            "The pair of classes whose cosine is drawn over time; click a cell of the matrix to choose another",
        );
        let clear = ui
            .small_button("×")
            .on_hover_text("No class and no pair (Esc)");
        if clear.accessible_name("Clear the selection").clicked() {
            actions.push(Action::ClearSelection);
        }
    });
}

/// Draws the list from which the user chooses the class that is highlighted everywhere; with many classes, it has a
/// field to search them.
fn class_ui(ui: &mut egui::Ui, names: &[String], view: &View, actions: &mut Vec<Action>) {
    let label = ui.label("Class");
    let chosen = view.class.and_then(|class| names.get(class));
    let id = ui.scope_id().with("class search");
    let combo = egui::ComboBox::from_id_salt("class")
        .selected_text(chosen.map_or("none", String::as_str))
        .width(CLASS_WIDTH)
        .truncate()
        .height(420.0)
        .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside)
        .show_ui(ui, |ui| {
            let mut query: String = ui.data(|data| data.get_temp(id)).unwrap_or_default();
            if names.len() > SEARCHED_FROM {
                let edit = egui::TextEdit::singleline(&mut query).hint_text("Search");
                ui.add(edit).accessible_name("Search classes");
            }
            let wanted = query.to_lowercase();
            if ui.selectable_label(view.class.is_none(), "none").clicked() {
                actions.push(Action::NoClass);
                ui.close();
            }
            for (k, name) in names.iter().enumerate() {
                let found = name.to_lowercase().contains(&wanted);
                if found && ui.selectable_label(view.class == Some(k), name).clicked() {
                    actions.push(Action::Pick(Pick::Class(k)));
                    query.clear();
                    ui.close();
                }
            }
            ui.data_mut(|data| data.insert_temp(id, query));
        });
    combo.response.labelled_by(label.id).on_hover_text(
        "The class that is lit up in every figure; a click on its name does the same",
    );
}

/// With more classes than this, there is a field to search them.
const SEARCHED_FROM: usize = 12;

/// Draws the list from which the user chooses the order of the classes in matrices and lists.
pub(crate) fn order_ui(
    ui: &mut egui::Ui,
    classes: &[String],
    view: &View,
    actions: &mut Vec<Action>,
) {
    let label = ui.label("Order");
    let order = if view.order.applies_to(classes) {
        &view.order
    } else {
        &Order::Listed
    };
    let name = match order {
        Order::Listed => "as listed",
        Order::Frequency => "by frequency",
        Order::Name => "by name",
        Order::Similarity(_) => "by similarity",
    };
    let combo = egui::ComboBox::from_id_salt("order")
        .selected_text(name)
        .width(ORDER_WIDTH)
        .show_ui(ui, |ui| {
            for (other, name) in ORDERS {
                if ui.selectable_label(*order == other, name).clicked() {
                    actions.push(Action::Pick(Pick::Order(other)));
                }
            }
            let is_similarity = matches!(order, Order::Similarity(_));
            if ui
                .selectable_label(is_similarity, "by similarity")
                .on_hover_text(SIMILARITY_HELP)
                .clicked()
            {
                actions.push(Action::OrderBySimilarity);
            }
        });
    combo
        .response
        .labelled_by(label.id)
        .on_hover_text("Order of the classes in matrices and lists");
}

/// Lets the user choose the split whose mistakes are counted, if the runs have both validation and test images.
fn split_ui(ui: &mut egui::Ui, entries: &[&RunEntry], view: &View, actions: &mut Vec<Action>) {
    let has = |split| {
        entries
            .iter()
            .any(|entry| entry.run.evals_of(split).next().is_some())
    };
    if !has(Split::Val) || !(has(Split::Test) || view.split == Some(Split::Test)) {
        return;
    }
    let is_test = view.split == Some(Split::Test);
    ui.label("Images");
    for (name, split, help) in SPLITS {
        let is_chosen = is_test == (split == Some(Split::Test));
        if ui
            .selectable_label(is_chosen, name)
            .on_hover_text(help)
            .clicked()
        {
            actions.push(Action::Pick(Pick::Split(split)));
        }
    }
}
