//! The strip below the page of mistakes: the images of a cell of the confusion matrix, and how sure the network was of
//! them.

use std::path::PathBuf;

use egui::{ColorImage, RichText, TextureHandle, TextureOptions};

use crate::run::event::Split;
use crate::run::predictions::Predicted;
use crate::ui::state::action::{Action, Purpose};
use crate::ui::state::images::{Cell, Images, Key};
use crate::ui::state::located::can_be_located;
use crate::ui::state::place::Place;
use crate::ui::state::runs::{RunEntry, Runs};

use crate::ui::widgets::{enlarged, missing_image_ui};

/// Side length of the square in place of an image that cannot be read, in points.
const LEAST_SIDE: f32 = 56.0;

/// Draws a strip at the bottom with a row for each run shown, if a cell is selected.
pub(crate) fn images_ui(
    ui: &mut egui::Ui,
    runs: &Runs,
    view: &Place,
    images: &mut Images,
    actions: &mut Vec<Action>,
) {
    if images.cells.is_empty() {
        return;
    }
    let shown = view.shown();
    egui::Panel::bottom("images").show(ui, |ui| {
        for (row, id) in shown.iter().enumerate() {
            let (Some(entry), Some((key, cell))) = (runs.get(*id), images.cells.get_mut(id)) else {
                continue;
            };
            ui.push_id(id, |ui| {
                ui.horizontal(|ui| {
                    heading_ui(ui, entry, key, cell, shown.len() > 1);
                    if row == 0 {
                        let layout = egui::Layout::right_to_left(egui::Align::Center);
                        ui.with_layout(layout, |ui| {
                            let close = ui.small_button("×").on_hover_text("Hide the images");
                            if close.accessible_name("Hide the images").clicked() {
                                actions.push(Action::HideImages);
                            }
                        });
                    }
                });
                cell_ui(ui, entry, (key, cell), actions);
            });
        }
    });
}

/// Names the cell and its run, and tells how many images the cell has.
fn heading_ui(ui: &mut egui::Ui, entry: &RunEntry, key: &Key, cell: &Cell, is_named: bool) {
    let (truth, predicted) = (class(entry, key.cell.0), class(entry, key.cell.1));
    if is_named {
        ui.strong(entry.variant());
    }
    ui.strong(if key.cell.0 == key.cell.1 {
        format!("{truth}, recognised")
    } else {
        format!("{truth} taken for {predicted}")
    });
    let split = match key.split {
        Split::Train => "training",
        Split::Val => "validation",
        Split::Test => "test",
    };
    if let Cell::Read(read, _) = cell {
        let shown = match read.images.len() {
            n if n < read.total => format!(", the {n} surest shown"),
            _ => String::new(),
        };
        ui.weak(format!(
            "{} {split} images at step {}{shown}",
            read.total, key.step
        ))
        .on_hover_text("Under each image: the probability that the network gave its choice");
        let missing = read.images.iter().filter_map(|(found, image)| {
            let sentence = image.as_ref().err()?;
            Some((name_of(found), sentence))
        });
        let missing: Vec<_> = missing.collect();
        if let Some((name, sentence)) = missing.first() {
            let text = match missing.len() {
                1 => format!("{name} cannot be read"),
                n => format!("{n} cannot be read, {name} among them"),
            };
            ui.label(RichText::new(text).color(ui.visuals().error_fg_color))
                .on_hover_text(sentence.as_str());
        }
    }
}

fn cell_ui(
    ui: &mut egui::Ui,
    entry: &RunEntry,
    (key, cell): (&Key, &mut Cell),
    actions: &mut Vec<Action>,
) {
    match cell {
        Cell::Loading => {
            ui.horizontal(|ui| {
                ui.spinner();
                ui.weak("The images are being read…");
            });
        }
        Cell::Failed(sentence) => {
            ui.horizontal(|ui| {
                locate_ui(ui, entry, actions);
                ui.label(sentence.as_str());
            });
        }
        Cell::Read(read, _) if read.images.is_empty() => {
            ui.weak("No images: the network makes no such mistake here.");
        }
        Cell::Read(read, textures) => {
            if textures.is_empty() {
                let of = |(i, (_, image)): (usize, &(Predicted, Result<ColorImage, String>))| {
                    let (name, image) = (format!("image {i}"), image.as_ref().ok()?.clone());
                    Some(ui.ctx().load_texture(name, image, TextureOptions::NEAREST))
                };
                *textures = read.images.iter().enumerate().map(of).collect();
            }
            egui::ScrollArea::horizontal().show(ui, |ui| {
                ui.horizontal(|ui| {
                    for ((found, image), texture) in read.images.iter().zip(textures) {
                        match (image, texture) {
                            (Ok(_), Some(texture)) => image_ui(ui, entry, key, found, texture),
                            (Err(sentence), _) => missing_ui(ui, found, sentence),
                            (Ok(_), None) => {}
                        }
                    }
                });
            });
        }
    }
}

/// A button that looks for the images of a run elsewhere; none for a run on the built-in images, which are always there.
pub(super) fn locate_ui(ui: &mut egui::Ui, entry: &RunEntry, actions: &mut Vec<Action>) {
    if !entry.run.started.as_ref().is_some_and(can_be_located) {
        return;
    }
    let button = ui.button("Locate…").on_hover_text(
        "Say in which folder the images are on this machine, for all runs trained on them",
    );
    if button.clicked() {
        actions.push(Action::Choose(Purpose::ImagesOf(entry.id), PathBuf::new()));
    }
}

fn image_ui(
    ui: &mut egui::Ui,
    entry: &RunEntry,
    key: &Key,
    found: &Predicted,
    texture: &TextureHandle,
) {
    let size = enlarged(texture.size_vec2());
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        let name = name_of(found);
        let confidence = format!("{:.1} %", 100.0 * found.confidence);
        let predicted = class(entry, key.cell.1);
        let mut likeliest = String::new();
        for (k, share) in &found.likeliest {
            likeliest.push_str(&format!("\n{} {:.1} %", class(entry, *k), 100.0 * share));
        }
        if likeliest.is_empty() {
            likeliest = format!("\n{predicted} {confidence}");
        }
        ui.add(egui::Image::new((texture.id(), size)).sense(egui::Sense::hover()))
            .on_hover_text(format!(
                "{name}\ntruth: {}{likeliest}",
                class(entry, key.cell.0)
            ))
            .accessible_name(format!(
                "{name}: {predicted} with {confidence}{}",
                likeliest.replace('\n', ", ")
            ));
        ui.label(RichText::new(confidence).small().weak());
    });
}

/// Draws a frame in place of an image that cannot be read.
fn missing_ui(ui: &mut egui::Ui, found: &Predicted, sentence: &str) {
    let side = egui::Vec2::splat(LEAST_SIDE);
    let (rect, response) = ui.allocate_exact_size(side, egui::Sense::hover());
    missing_image_ui(ui, rect);
    let name = format!("{} cannot be read", name_of(found));
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, &name));
    response.on_hover_text(sentence);
}

/// The file name of an image, or its number if it has no file of its own.
fn name_of(found: &Predicted) -> String {
    match &found.file {
        Some(file) => file.clone(),
        None => format!("image {}", found.index),
    }
}

fn class(entry: &RunEntry, k: usize) -> &str {
    let started = entry.run.started.as_ref();
    started
        .and_then(|started| started.classes.get(k))
        .map_or("?", String::as_str)
}
