//! The images behind a cell of the confusion matrix, with how sure the network was of them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::PathBuf;

use egui::{ColorImage, RichText, TextureHandle, TextureOptions};

use super::action::Action;
use super::app::App;
use super::page::Page;
use super::runs::{RunEntry, RunId, variant_name};
use super::widgets::enlarged;
use crate::config::RunConfig;
use crate::data;
use crate::figure;
use crate::run::event::Split;
use crate::run::predictions::{Predicted, predicted};

/// Images shown of a cell; the surest come first.
const MOST: usize = 60;

/// Which images: an evaluation of a run and a cell of its confusion matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) run: RunId,
    step: u64,
    split: Split,
    /// True class and predicted class.
    cell: (usize, usize),
}

/// What a thread needs to read them.
pub(crate) struct Wanted {
    pub(crate) key: Key,
    dir: PathBuf,
    config: Box<RunConfig>,
    shape: [usize; 3],
}

/// What it read.
pub(crate) struct Read {
    /// Images in the cell.
    total: usize,
    /// The first of them.
    images: Vec<(Predicted, ColorImage)>,
}

/// Reads the images of a cell. An error is a sentence.
pub(crate) fn read(wanted: &Wanted) -> Result<Read, String> {
    let Key {
        step, split, cell, ..
    } = wanted.key;
    let mut found = predicted(&wanted.dir, (step, split), cell.0, cell.1)
        .map_err(|error| format!("Which images these are is not known: {error}"))?;
    let total = found.len();
    found.truncate(MOST);
    let [height, width, channels] = wanted.shape;
    let gone = |error| format!("The run's images are no longer where they were: {error}");
    let reader = data::Reader::open(&wanted.config).map_err(gone)?;
    let image = |found: Predicted| {
        let pixels = reader.pixels(found.index, found.file.as_deref(), wanted.shape)?;
        let size = [width, height];
        let image = if channels == 1 {
            ColorImage::from_gray(size, &pixels)
        } else {
            ColorImage::from_rgb(size, &pixels)
        };
        Ok((found, image))
    };
    let images = found.into_iter().map(image);
    let images = images.collect::<Result<_, data::DataError>>();
    images.map(|images| Read { total, images }).map_err(gone)
}

/// The images of the selected cell, by run shown.
#[derive(Default)]
pub(crate) struct Images(BTreeMap<RunId, (Key, State)>);

enum State {
    Loading,
    Read(Read, Vec<TextureHandle>),
    Failed(String),
}

impl Images {
    /// What is to be read now that it is these that are wanted.
    pub(crate) fn ask(&mut self, wanted: Vec<Wanted>) -> Vec<Wanted> {
        self.0
            .retain(|_, (key, _)| wanted.iter().any(|wanted| wanted.key == *key));
        let mut missing = Vec::new();
        for wanted in wanted {
            if let Entry::Vacant(vacant) = self.0.entry(wanted.key.run) {
                vacant.insert((wanted.key.clone(), State::Loading));
                missing.push(wanted);
            }
        }
        missing
    }

    /// Takes in what a thread read, unless something else is wanted by now.
    pub(crate) fn take(&mut self, key: &Key, read: Result<Read, String>) {
        if let Some((wanted, state)) = self.0.get_mut(&key.run)
            && wanted == key
        {
            *state = match read {
                Ok(read) => State::Read(read, Vec::new()),
                Err(sentence) => State::Failed(sentence),
            };
        }
    }
}

/// The images that the window shows now: those of the selected cell, on the page of mistakes.
pub(crate) fn wanted(app: &App) -> Vec<Wanted> {
    let view = &app.view.figure;
    let (Some(cell), Page::Mistakes) = (view.confused, app.view.page) else {
        return Vec::new();
    };
    let of = |entry: &RunEntry| {
        let started = entry.run.started.as_ref()?;
        let eval = figure::evaluation(entry.subject(), view)?;
        let classes = started.classes.len();
        (cell.0 < classes && cell.1 < classes).then(|| Wanted {
            key: Key {
                run: entry.id,
                step: eval.step,
                split: eval.split,
                cell,
            },
            dir: entry.dir.clone(),
            config: Box::new(started.config.clone()),
            shape: started.image,
        })
    };
    let shown = app.view.shown();
    let entries = shown.iter().filter_map(|&id| app.runs.get(id));
    entries.filter_map(of).collect()
}

/// A strip at the bottom, a row for each run shown; nothing where no cell is selected.
pub(crate) fn images_ui(ui: &mut egui::Ui, app: &mut App, actions: &mut Vec<Action>) {
    if app.images.0.is_empty() {
        return;
    }
    let shown = app.view.shown();
    let mut images = std::mem::take(&mut app.images);
    egui::Panel::bottom("images").show(ui, |ui| {
        for (row, id) in shown.iter().enumerate() {
            let (Some(entry), Some((key, state))) = (app.runs.get(*id), images.0.get_mut(id))
            else {
                continue;
            };
            ui.push_id(id, |ui| {
                ui.horizontal(|ui| {
                    heading_ui(ui, entry, key, state, shown.len() > 1);
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
                state_ui(ui, entry, key, state);
            });
        }
    });
    app.images = images;
}

/// Which cell of which run, and how many images it has.
fn heading_ui(ui: &mut egui::Ui, entry: &RunEntry, key: &Key, state: &State, is_named: bool) {
    let (truth, predicted) = (class(entry, key.cell.0), class(entry, key.cell.1));
    if is_named {
        ui.strong(entry.attention().map_or("Run", variant_name));
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
    if let State::Read(read, _) = state {
        let shown = match read.images.len() {
            n if n < read.total => format!(", the {n} surest shown"),
            _ => String::new(),
        };
        ui.weak(format!(
            "{} {split} images at step {}{shown}",
            read.total, key.step
        ))
        .on_hover_text("Under each image: the probability that the network gave its choice");
    }
}

fn state_ui(ui: &mut egui::Ui, entry: &RunEntry, key: &Key, state: &mut State) {
    match state {
        State::Loading => {
            ui.horizontal(|ui| {
                ui.spinner();
                ui.weak("The images are being read…");
            });
        }
        State::Failed(sentence) => {
            ui.label(sentence.as_str());
        }
        State::Read(read, _) if read.images.is_empty() => {
            ui.weak("No images: the network makes no such mistake here.");
        }
        State::Read(read, textures) => {
            if textures.is_empty() {
                let of = |(i, (_, image)): (usize, &(Predicted, ColorImage))| {
                    let name = format!("image {i}");
                    ui.ctx()
                        .load_texture(name, image.clone(), TextureOptions::NEAREST)
                };
                *textures = read.images.iter().enumerate().map(of).collect();
            }
            egui::ScrollArea::horizontal().show(ui, |ui| {
                ui.horizontal(|ui| {
                    for ((found, _), texture) in read.images.iter().zip(textures) {
                        image_ui(ui, entry, key, found, texture);
                    }
                });
            });
        }
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
        let name = match &found.file {
            Some(file) => file.clone(),
            None => format!("image {}", found.index),
        };
        let confidence = format!("{:.1} %", 100.0 * found.confidence);
        let predicted = class(entry, key.cell.1);
        ui.add(egui::Image::new((texture.id(), size)).sense(egui::Sense::hover()))
            .on_hover_text(format!(
                "{name}\ntruth: {}\n{predicted} with {confidence}",
                class(entry, key.cell.0)
            ))
            .accessible_name(format!("{name}: {predicted} with {confidence}"));
        ui.label(RichText::new(confidence).small().weak());
    });
}

fn class(entry: &RunEntry, k: usize) -> &str {
    let started = entry.run.started.as_ref();
    started
        .and_then(|started| started.classes.get(k))
        .map_or("?", String::as_str)
}
