//! The columns of the list of conflicts between rare and frequent classes.

use egui::{Align2, Color32, FontId, Rect, Sense, Ui, pos2, vec2};

use crate::figure::facts::thirds::strongest::{Between, Strongest};
use crate::figure::kit::numerals::signed;
use crate::figure::kit::palette;
use crate::figure::kit::text::fitted;
use crate::figure::parts::bars::with_error;

/// Width of the cosine's bar, in points, and of its number.
const BAR: f32 = 46.0;
const COSINE: f32 = 82.0;
/// Width of the number of layers.
const LAYERS: f32 = 52.0;
/// Width of the effect on the loss.
const EFFECT: f32 = 130.0;
/// Width of the mark in a class's colour.
const SWATCH: f32 = 15.0;
/// Titles of the rare class, the frequent class and the layer.
const NAMES: [&str; 3] = ["rare class", "frequent class", "lowest in"];

/// Where the columns lie, from the left edge, in points.
pub(super) struct Columns<'a> {
    /// Widths of the rare class, the frequent class and the layer.
    names: [f32; 3],
    bar: bool,
    layers: bool,
    effect: bool,
    class_names: &'a [String],
    of: usize,
    font: FontId,
}

impl<'a> Columns<'a> {
    /// The columns that have room in `width` beside the names: the effect first, then the number of layers, then the bar.
    pub(super) fn new(ui: &Ui, width: f32, names: &'a [String], found: &Strongest) -> Self {
        let font = FontId::proportional(12.0);
        let measure = |text: &str| {
            let painter = ui.painter();
            let galley = painter.layout_no_wrap(text.to_owned(), font.clone(), Color32::WHITE);
            galley.size().x + 12.0
        };
        let longest = |title: &str, of: fn(&Between) -> Result<usize, &str>| {
            let widths = found.pairs.iter().map(|(conflict, _)| match of(conflict) {
                Ok(class) => measure(&names[class]) + SWATCH,
                Err(layer) => measure(layer),
            });
            widths.fold(measure(title), f32::max)
        };
        let [rare, frequent, layer] = NAMES;
        let wanted = [
            longest(rare, |x| Ok(x.rare)),
            longest(frequent, |x| Ok(x.frequent)),
            longest(layer, |x| Err(&x.layer)),
        ];
        let mut room = width - COSINE - wanted.iter().sum::<f32>();
        let mut fits = |column: f32| {
            let fits = room >= column;
            room -= if fits { column } else { 0.0 };
            fits
        };
        let (effect, layers, bar) = (fits(EFFECT), fits(LAYERS), fits(BAR));
        // Where not even the names have room, they share it as they need it.
        let scale = (1.0 + room.min(0.0) / wanted.iter().sum::<f32>()).max(0.0);
        Self {
            names: wanted.map(|width| width * scale),
            bar,
            layers,
            effect,
            class_names: names,
            of: found.layers,
            font,
        }
    }

    /// Left edges of the layer, the cosine, the number of layers and the effect.
    fn lefts(&self) -> [f32; 4] {
        let layer = self.names[0] + self.names[1];
        let cosine = layer + self.names[2];
        let layers = cosine + COSINE + if self.bar { BAR } else { 0.0 };
        let effect = layers + if self.layers { LAYERS } else { 0.0 };
        [layer, cosine, layers, effect]
    }

    pub(super) fn header_ui(&self, ui: &Ui, rect: Rect) {
        let [layer, cosine, layers, effect] = self.lefts();
        let font = FontId::proportional(11.0);
        let weak = ui.visuals().weak_text_color();
        let title = |x: f32, width: f32, title: &str, help: &str| {
            let galley = fitted(ui.painter(), title, &font, weak, width - 4.0);
            let at = pos2(rect.left() + x, rect.center().y - galley.size().y / 2.0);
            ui.painter().galley(at, galley, weak);
            let at = Rect::from_min_size(rect.min + vec2(x, 0.0), vec2(width, rect.height()));
            let response = ui.interact(at, ui.scope_id().with(title), Sense::hover());
            response.on_hover_text(help);
        };
        title(
            0.0,
            self.names[0],
            NAMES[0],
            "A class of the rarest third by training images",
        );
        title(
            self.names[0],
            self.names[1],
            NAMES[1],
            "A class of the frequent third by training images",
        );
        title(
            layer,
            self.names[2],
            NAMES[2],
            "The layer in which the cosine of the pair is lowest",
        );
        let width = COSINE + if self.bar { BAR } else { 0.0 };
        title(
            cosine,
            width,
            "cosine",
            "Cosine of the two gradients, −1 to 1, with its standard error",
        );
        if self.layers {
            title(
                layers,
                LAYERS,
                "layers",
                "In how many layers the pair is in resolved conflict",
            );
        }
        if self.effect {
            title(
                effect,
                EFFECT,
                "effect, nats per step",
                "What the frequent class's share of a plain step does to the rare class's loss through this layer, to \
                 first order: above 0 it hurts",
            );
        }
    }

    pub(super) fn row_ui(
        &self,
        ui: &Ui,
        rect: Rect,
        (conflict, in_layers): (&Between, usize),
        is_selected: bool,
        is_hovered: bool,
    ) {
        let painter = ui.painter();
        let (text, weak) = (ui.visuals().text_color(), ui.visuals().weak_text_color());
        if is_selected || is_hovered {
            painter.rect_filled(rect, 2.0, text.gamma_multiply(0.08));
        }
        let y = rect.center().y;
        let [layer, cosine, layers, effect] = self.lefts();
        let name = |x: f32, width: f32, words: &str, color: Color32| {
            let galley = fitted(painter, words, &self.font, color, width - 8.0);
            let at = pos2(rect.left() + x, y - galley.size().y / 2.0);
            painter.galley(at, galley, color);
        };
        for (i, class) in [conflict.rare, conflict.frequent].into_iter().enumerate() {
            let left = if i == 0 { 0.0 } else { self.names[0] };
            let at = pos2(rect.left() + left + 6.0, y);
            let mark = Rect::from_center_size(at, vec2(9.0, 9.0));
            painter.rect_filled(mark, 2.0, palette::class(class));
            name(
                left + SWATCH,
                self.names[i] - SWATCH,
                &self.class_names[class],
                text,
            );
        }
        name(layer, self.names[2], &conflict.layer, text);
        let mut left = cosine;
        if self.bar {
            let full = (BAR - 8.0) * conflict.cosine.abs().min(1.0) as f32;
            let min = pos2(rect.left() + left, rect.top() + 3.0);
            let bar = Rect::from_min_size(min, vec2(full, rect.height() - 6.0));
            let dark = ui.visuals().dark_mode;
            painter.rect_filled(bar, 1.0, palette::diverging(conflict.cosine, dark));
            left += BAR;
        }
        name(left, COSINE, &cosine_text(conflict), text);
        if self.layers {
            name(layers, LAYERS, &format!("{in_layers} of {}", self.of), weak);
        }
        if let Some(of) = conflict.effect.filter(|_| self.effect) {
            let color = if of.resolved() { text } else { weak };
            name(effect, EFFECT, &with_error(&of), color);
        } else if self.effect {
            let at = pos2(rect.left() + effect, y);
            painter.text(at, Align2::LEFT_CENTER, "–", self.font.clone(), weak);
        }
    }
}

/// Cosine with its standard error: `−0.31 ± 0.04`.
pub(super) fn cosine_text(conflict: &Between) -> String {
    let cosine = signed(conflict.cosine);
    match conflict.standard_error {
        Some(error) => format!("{cosine} ± {error:.2}"),
        None => cosine,
    }
}
