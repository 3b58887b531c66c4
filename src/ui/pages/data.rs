//! The page of data: the number of images of each class, and samples of them.

use egui::{Color32, ColorImage, Rect, RichText, Sense, TextureHandle, TextureOptions, pos2, vec2};

use super::mistakes::locate_ui;
use crate::figure::{Pick, View, fitted, order_of_classes, palette};
use crate::samples::{Sample, Samples, Which};
use crate::text::grouped;
use crate::ui::panels::selection_bar::order_ui;
use crate::ui::state::action::Action;
use crate::ui::state::draft::Checked;
use crate::ui::state::runs::{RunId, Runs};
use crate::ui::state::samples::Data;
use crate::ui::state::words::capitalised;
use crate::ui::widgets::{enlarged, missing_image_ui, problem_ui};

/// Width of the names and counts, in points.
const COUNTS: f32 = 230.0;
/// Least height of a row, in points: it holds name, bar and counts.
const ROW: f32 = 46.0;
/// Space between images and between rows, in points.
const GAP: f32 = 6.0;
/// Greatest height of the list of images with the same pixels, in points; longer ones scroll.
const PAIRS_HEIGHT: f32 = 160.0;

/// Draws the page of data. `found` is what a check of all images of the new experiment has found.
pub(super) fn data_ui(
    ui: &mut egui::Ui,
    (runs, found): (&Runs, Option<&Checked>),
    view: &View,
    data: &mut Data,
    actions: &mut Vec<Action>,
) {
    if data.source.is_some_and(|id| runs.get(id).is_none()) {
        data.source = None;
    }
    choose_ui(ui, runs, view, data, actions);
    match &data.read {
        _ if data.wanted.is_none() => {
            ui.weak("Choose the folder that holds one subfolder of images per class.");
        }
        None => {
            ui.horizontal(|ui| {
                ui.spinner();
                ui.weak("The images are being read…");
            });
        }
        Some((_, Err(sentence))) => {
            problem_ui(ui, Some(sentence));
            if let Some(entry) = data.source.and_then(|id| runs.get(id)) {
                locate_ui(ui, entry, actions);
            }
        }
        Some((_, Ok(samples))) => {
            notes_ui(ui, samples, found.filter(|_| data.source.is_none()));
            data.strips.resize(samples.classes.len(), None);
            rows_ui(ui, samples, view, &mut data.strips, actions);
        }
    }
}

/// What is to be known of the images: how those of a run differ today, and how those of a new experiment were read.
fn notes_ui(ui: &mut egui::Ui, samples: &Samples, found: Option<&Checked>) {
    let Some(found) = found else {
        for note in &samples.notes {
            problem_ui(ui, Some(note));
        }
        return;
    };
    let notes = if found.notes.is_empty() {
        &samples.notes
    } else {
        &found.notes
    };
    for note in notes {
        ui.weak(format!("{}.", capitalised(note)));
    }
    for note in &found.repeated {
        ui.colored_label(
            ui.visuals().warn_fg_color,
            format!("{}.", capitalised(note)),
        );
    }
    if !found.pairs.is_empty() {
        egui::CollapsingHeader::new("Images with the same pixels").show(ui, |ui| {
            let height = ui.text_style_height(&egui::TextStyle::Body);
            egui::ScrollArea::vertical()
                .max_height(PAIRS_HEIGHT)
                .auto_shrink([false, true])
                .show_rows(ui, height, found.pairs.len(), |ui, rows| {
                    for pair in &found.pairs[rows] {
                        ui.add(egui::Label::new(pair.to_string()).truncate());
                    }
                });
        });
    }
}

/// Chooses the run whose images are shown and the kind of images, and tells how many there are.
fn choose_ui(
    ui: &mut egui::Ui,
    runs: &Runs,
    view: &View,
    data: &mut Data,
    actions: &mut Vec<Action>,
) {
    let name = |id: Option<RunId>| {
        let entry = id.and_then(|id| runs.get(id));
        entry.map_or("New experiment".to_owned(), |entry| entry.name.clone())
    };
    let mut source = data.source;
    let mut which = data.which;
    ui.horizontal_wrapped(|ui| {
        let label = ui.label("Images of");
        let combo = egui::ComboBox::from_id_salt("images of")
            .selected_text(name(source))
            .width(180.0)
            .show_ui(ui, |ui| {
                ui.selectable_value(&mut source, None, "New experiment");
                for entry in runs.iter().filter(|entry| entry.is_own()) {
                    ui.selectable_value(&mut source, Some(entry.id), &entry.name);
                }
            });
        combo
            .response
            .labelled_by(label.id)
            .on_hover_text("The images that Start would train on, or those of an open run");
        for (value, text, help) in CHOICES {
            ui.selectable_value(&mut which, value, text)
                .on_hover_text(help);
        }
        let read = data.read.as_ref().and_then(|(_, read)| read.as_ref().ok());
        let classes = read.map_or(&[][..], |samples| &samples.classes);
        order_ui(ui, classes, view, actions);
        if data.under_way && data.read.is_some() {
            ui.spinner();
        }
    });
    if let Some((_, Ok(samples))) = &data.read {
        ui.weak(totals(samples));
    }
    let (_, _, help) = CHOICES[which as usize];
    ui.weak(help);
    ui.add_space(2.0);
    data.source = source;
    data.which = which;
}

const CHOICES: [(Which, &str, &str); 3] = [
    (
        Which::Training,
        "Training images",
        "Some of the images left to train on after the long tail was cut",
    ),
    (
        Which::Probe,
        "Probe images",
        "The images that class gradients are taken of, always the same ones, without augmentation",
    ),
    (
        Which::Augmented,
        "Augmented",
        "One training image of each class: in a frame as it is, then as one epoch after the other sees it, cropped and flipped",
    ),
];

fn totals(samples: &Samples) -> String {
    let plan = &samples.plan;
    let sum = |counts: &[usize]| counts.iter().sum::<usize>();
    let most = plan.train.iter().max().copied().unwrap_or(0);
    let fewest = plan.train.iter().min().copied().unwrap_or(0).max(1);
    format!(
        "{} classes · {} of {} training images · imbalance {:.0} : 1 · {} validation · {} test",
        samples.classes.len(),
        grouped(sum(&plan.train) as u64),
        grouped(sum(&plan.natural) as u64),
        most as f64 / fewest as f64,
        grouped(sum(&plan.val) as u64),
        grouped(sum(&plan.test) as u64),
    )
}

fn rows_ui(
    ui: &mut egui::Ui,
    samples: &Samples,
    view: &View,
    strips: &mut [Option<TextureHandle>],
    actions: &mut Vec<Action>,
) {
    let mut decoded = samples.images.iter().flatten();
    let size = decoded.find_map(|sample| Some(sample.image.as_ref().ok()?.dimensions()));
    let (width, height) = size.unwrap_or((1, 1));
    let size = enlarged(vec2(width as f32, height as f32));
    let row = size.y.max(ROW);
    let most = samples.images.iter().map(Vec::len).max().unwrap_or(0);
    let needed = COUNTS + most as f32 * (size.x + GAP);
    let order = order_of_classes(&samples.classes, &samples.plan.train, &view.order);
    ui.spacing_mut().item_spacing.y = GAP;
    egui::ScrollArea::both().auto_shrink(false).show_rows(
        ui,
        row,
        samples.classes.len(),
        |ui, seen| {
            for &k in &order[seen] {
                let width = ui.available_width().max(needed);
                let (rect, _) = ui.allocate_exact_size(vec2(width, row), Sense::hover());
                let (_, images) = rect.split_left_right_at_x(rect.left() + COUNTS);
                let strip = Strip {
                    class: &samples.classes[k],
                    samples: &samples.images[k],
                    size,
                };
                strip.show(ui, images, &mut strips[k]);
                // Names and counts stay where they are while images scroll by.
                let left = ui.clip_rect().left();
                let counts = Rect::from_min_size(pos2(left, rect.top()), vec2(COUNTS, row));
                let is_selected = view.class == Some(k);
                if class_ui(ui, counts, samples, k, is_selected) {
                    actions.push(Action::Pick(Pick::Class(k)));
                }
            }
        },
    );
}

/// Draws name and counts before the images of a class; gives whether they were clicked.
fn class_ui(ui: &egui::Ui, rect: Rect, samples: &Samples, k: usize, is_selected: bool) -> bool {
    let class = &samples.classes[k];
    let response = ui
        .interact(rect, ui.scope_id().with(("class", k)), Sense::click())
        .on_hover_text(format!("{class}: click to select the class everywhere"));
    response.widget_info(|| {
        let text = format!("Select {class}");
        egui::WidgetInfo::selected(egui::Role::Button, true, is_selected, text)
    });
    let visuals = ui.visuals();
    ui.painter().rect_filled(rect, 0.0, visuals.panel_fill);
    let strength = if is_selected {
        0.35
    } else if response.hovered() || response.has_focus() {
        0.15
    } else {
        0.0
    };
    let fill = visuals.selection.bg_fill.gamma_multiply(strength);
    ui.painter()
        .rect_filled(rect.with_max_x(rect.right() - GAP), 2.0, fill);
    counts_ui(ui, rect.translate(vec2(4.0, 0.0)), samples, k);
    response.clicked()
}

/// Draws the name, bars for the images before and after the cut to a long tail, and all counts.
fn counts_ui(ui: &egui::Ui, rect: Rect, samples: &Samples, k: usize) {
    let plan = &samples.plan;
    let of = |counts: &[usize]| counts.get(k).copied().unwrap_or(0);
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    let (text, weak) = (ui.visuals().text_color(), ui.visuals().weak_text_color());
    let words = |y: f32, text: &str, size: f32, color: Color32| {
        let font = egui::FontId::proportional(size);
        let at = pos2(rect.left(), y);
        painter.text(at, egui::Align2::LEFT_TOP, text, font, color);
    };
    let name = fitted(
        &painter,
        &samples.classes[k],
        &egui::FontId::proportional(13.0),
        text,
        COUNTS - 20.0,
    );
    painter.galley(rect.left_top(), name, text);
    let most = plan.natural.iter().max().copied().unwrap_or(1).max(1);
    let bar = |count: usize, color: Color32| {
        let width = (COUNTS - 20.0) * count as f32 / most as f32;
        let min = pos2(rect.left(), rect.top() + 18.0);
        painter.rect_filled(
            Rect::from_min_size(min, vec2(width.max(1.0), 8.0)),
            1.0,
            color,
        );
    };
    let color = palette::class(k);
    bar(of(&plan.natural), color.gamma_multiply(0.3));
    bar(of(&plan.train), color);
    let (train, natural) = (of(&plan.train), of(&plan.natural));
    let mut line = grouped(train as u64);
    if natural > train {
        line.push_str(&format!(" of {}", grouped(natural as u64)));
    }
    line.push_str(&format!(
        " training · {} val · {} test",
        grouped(of(&plan.val) as u64),
        grouped(of(&plan.test) as u64)
    ));
    words(rect.top() + 29.0, &line, 11.0, weak);
}

/// The images of a class.
struct Strip<'a> {
    class: &'a str,
    samples: &'a [Sample],
    /// Size of an image on screen, in points.
    size: egui::Vec2,
}

impl Strip<'_> {
    fn show(&self, ui: &egui::Ui, rect: Rect, texture: &mut Option<TextureHandle>) {
        let count = self.samples.len();
        if count == 0 {
            return;
        }
        let texture = &*texture.get_or_insert_with(|| self.texture(ui.ctx()));
        let drawn = (texture.size_vec2().x / self.pixel_width().max(1) as f32).round();
        for (i, sample) in self.samples.iter().enumerate() {
            let left = rect.left() + i as f32 * (self.size.x + GAP);
            let place = Rect::from_min_size(pos2(left, rect.top()), self.size);
            if !ui.is_rect_visible(place) {
                continue;
            }
            let mut name = match &sample.file {
                Some(file) => file.clone(),
                None => format!("image {}", sample.index),
            };
            if let Some(epoch) = sample.epoch {
                name.push_str(&format!(", epoch {}", epoch + 1));
            }
            let id = ui.scope_id().with((self.class, i));
            let response = ui.interact(place, id, Sense::hover());
            if sample.image.is_err() || i as f32 >= drawn {
                missing_image_ui(ui, place);
            } else {
                let (from, to) = (i as f32 / drawn, (i + 1) as f32 / drawn);
                let uv = Rect::from_min_max(pos2(from, 0.0), pos2(to, 1.0));
                ui.painter().image(texture.id(), place, uv, Color32::WHITE);
            }
            let is_original = sample.epoch.is_none();
            if is_original && self.samples.iter().any(|sample| sample.epoch.is_some()) {
                let stroke = egui::Stroke::new(2.0, ui.visuals().strong_text_color());
                let inside = egui::StrokeKind::Inside;
                ui.painter().rect_stroke(place, 1.0, stroke, inside);
            }
            let text = format!("{}, {name}", self.class);
            response
                .widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, text.clone()));
            response.on_hover_ui(|ui| {
                ui.label(text.as_str());
                if let Err(sentence) = &sample.image {
                    ui.label(RichText::new(sentence).color(ui.visuals().error_fg_color));
                }
            });
        }
    }

    fn pixel_width(&self) -> usize {
        let mut decoded = self.samples.iter();
        decoded
            .find_map(|sample| Some(sample.image.as_ref().ok()?.width() as usize))
            .unwrap_or(0)
    }

    /// A texture with the images beside each other, as many as it can hold. An image that cannot be decoded is left
    /// black.
    fn texture(&self, ctx: &egui::Context) -> TextureHandle {
        let mut images = self.samples.iter().map(|sample| sample.image.as_ref().ok());
        let first = images.clone().flatten().next();
        let (width, height) = first.map_or((1, 1), image::ImageBuffer::dimensions);
        let (width, height) = (width as usize, height as usize);
        let most = ctx.input(|input| input.max_texture_side) / width;
        let count = self.samples.len().min(most).max(1);
        let mut strip = ColorImage::filled([count * width, height], Color32::BLACK);
        for i in 0..count {
            let Some(image) = images.next().flatten() else {
                continue;
            };
            for (x, y, pixel) in image.enumerate_pixels() {
                let [r, g, b] = pixel.0;
                strip[(i * width + x as usize, y as usize)] = Color32::from_rgb(r, g, b);
            }
        }
        ctx.load_texture(
            format!("samples of {}", self.class),
            strip,
            TextureOptions::NEAREST,
        )
    }
}
