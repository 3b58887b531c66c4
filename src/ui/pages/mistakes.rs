//! The images behind a cell of the confusion matrix, with how sure the network was of them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use egui::{ColorImage, RichText, TextureHandle, TextureOptions};

use crate::config::{DataSource, RunConfig};
use crate::data::{DataError, Reader};
use crate::figure;
use crate::run::event::Split;
use crate::run::predictions::{Predicted, predicted};
use crate::ui::state::State;
use crate::ui::state::action::Action;
use crate::ui::state::page::Page;
use crate::ui::state::runs::{RunEntry, RunId, variant_name};
use crate::ui::widgets::enlarged;

/// Images shown of a cell; the surest come first.
const MOST: usize = 60;

/// Side of the place of an image that cannot be read, in points.
const LEAST_SIDE: f32 = 56.0;

/// Which images: an evaluation of a run and a cell of its confusion matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) run: RunId,
    step: u64,
    split: Split,
    /// True class and predicted class.
    cell: (usize, usize),
}

/// The data source that was read last: where many images share a file, reading one reads them all.
type Kept = Arc<Mutex<Option<Arc<Reader>>>>;

/// What a thread needs to read them.
pub(crate) struct Wanted {
    pub(crate) key: Key,
    dir: PathBuf,
    config: Box<RunConfig>,
    shape: [usize; 3],
    kept: Kept,
}

impl Wanted {
    /// The source of the images, opened unless it is open already.
    fn reader(&self) -> Result<Arc<Reader>, DataError> {
        // Whoever panicked with it left it whole.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reader) = kept.as_ref().filter(|reader| reader.is_of(&self.config)) {
            return Ok(reader.clone());
        }
        let reader = Arc::new(Reader::open(&self.config)?);
        *kept = Some(reader.clone());
        Ok(reader)
    }
}

/// What it read.
pub(crate) struct Read {
    /// Images in the cell.
    total: usize,
    /// The first of them, or a sentence in the place of one that cannot be read.
    images: Vec<(Predicted, Result<ColorImage, String>)>,
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
    if let DataSource::Folder(root) = &wanted.config.data
        && !root.exists()
    {
        let root = std::path::absolute(root).unwrap_or_else(|_| root.clone());
        return Err(format!(
            "The run's images are not there; they were expected in {}",
            root.display()
        ));
    }
    let reader = wanted
        .reader()
        .map_err(|error| format!("The run's images cannot be read: {error}"))?;
    let [height, width, channels] = wanted.shape;
    let image = |found: Predicted| {
        let pixels = reader.pixels(found.index, found.file.as_deref(), wanted.shape);
        let size = [width, height];
        let image = pixels.map(|pixels| {
            if channels == 1 {
                ColorImage::from_gray(size, &pixels)
            } else {
                ColorImage::from_rgb(size, &pixels)
            }
        });
        (found, image.map_err(|error| error.to_string()))
    };
    Ok(Read {
        total,
        images: found.into_iter().map(image).collect(),
    })
}

/// The images of the selected cell.
#[derive(Default)]
pub(crate) struct Images {
    /// By run shown.
    cells: BTreeMap<RunId, (Key, Cell)>,
    kept: Kept,
}

/// What is known of the images of a cell.
enum Cell {
    Loading,
    /// With a texture for every image that can be read.
    Read(Read, Vec<Option<TextureHandle>>),
    Failed(String),
}

impl Images {
    /// What is to be read now that it is these that are wanted.
    pub(crate) fn ask(&mut self, wanted: Vec<Wanted>) -> Vec<Wanted> {
        self.cells
            .retain(|_, (key, _)| wanted.iter().any(|wanted| wanted.key == *key));
        let mut missing = Vec::new();
        for wanted in wanted {
            if let Entry::Vacant(vacant) = self.cells.entry(wanted.key.run) {
                vacant.insert((wanted.key.clone(), Cell::Loading));
                missing.push(wanted);
            }
        }
        missing
    }

    /// Lets go of the data source: the page is left.
    fn forget_source(&mut self) {
        if Arc::strong_count(&self.kept) == 1 {
            *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    /// Takes in what a thread read, unless something else is wanted by now.
    pub(crate) fn take(&mut self, key: &Key, read: Result<Read, String>) {
        if let Some((wanted, cell)) = self.cells.get_mut(&key.run)
            && wanted == key
        {
            *cell = match read {
                Ok(read) => Cell::Read(read, Vec::new()),
                Err(sentence) => Cell::Failed(sentence),
            };
        }
    }
}

/// The images that the window shows now: those of the selected cell, on the page of mistakes.
pub(crate) fn wanted(state: &mut State) -> Vec<Wanted> {
    if state.view.page != Page::Mistakes {
        state.images.forget_source();
    }
    let state = &*state;
    let view = &state.view.figure;
    let (Some(cell), Page::Mistakes) = (view.confused, state.view.page) else {
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
            kept: state.images.kept.clone(),
        })
    };
    let shown = state.view.shown();
    let entries = shown.iter().filter_map(|&id| state.runs.get(id));
    entries.filter_map(of).collect()
}

/// A strip at the bottom, a row for each run shown; nothing where no cell is selected.
pub(crate) fn images_ui(ui: &mut egui::Ui, state: &mut State, actions: &mut Vec<Action>) {
    if state.images.cells.is_empty() {
        return;
    }
    let shown = state.view.shown();
    let mut images = std::mem::take(&mut state.images);
    egui::Panel::bottom("images").show(ui, |ui| {
        for (row, id) in shown.iter().enumerate() {
            let (Some(entry), Some((key, cell))) = (state.runs.get(*id), images.cells.get_mut(id))
            else {
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
                cell_ui(ui, entry, key, cell);
            });
        }
    });
    state.images = images;
}

/// Which cell of which run, and how many images it has.
fn heading_ui(ui: &mut egui::Ui, entry: &RunEntry, key: &Key, cell: &Cell, is_named: bool) {
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

fn cell_ui(ui: &mut egui::Ui, entry: &RunEntry, key: &Key, cell: &mut Cell) {
    match cell {
        Cell::Loading => {
            ui.horizontal(|ui| {
                ui.spinner();
                ui.weak("The images are being read…");
            });
        }
        Cell::Failed(sentence) => {
            ui.label(sentence.as_str());
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

/// An image that cannot be read, in its place.
fn missing_ui(ui: &mut egui::Ui, found: &Predicted, sentence: &str) {
    let weak = ui.visuals().weak_text_color();
    let side = egui::Vec2::splat(LEAST_SIDE);
    let (rect, response) = ui.allocate_exact_size(side, egui::Sense::hover());
    let stroke = egui::Stroke::new(1.0, weak);
    let inside = egui::StrokeKind::Inside;
    ui.painter().rect_stroke(rect, 0.0, stroke, inside);
    let font = egui::FontId::proportional(18.0);
    let middle = egui::Align2::CENTER_CENTER;
    ui.painter().text(rect.center(), middle, "?", font, weak);
    let name = format!("{} cannot be read", name_of(found));
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, &name));
    response.on_hover_text(sentence);
}

/// The file of an image, or its number.
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
