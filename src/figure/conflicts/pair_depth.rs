//! Cosine of a pair of classes in every layer at every moment.

use egui::{Color32, Rect, Ui};

use crate::figure::facts::network::layers_with_gradients;
use crate::figure::facts::pair::{Layers, layers_at, made_by_layer};
use crate::figure::facts::probes::{Made, Need};
use crate::figure::facts::unmeasured;
use crate::figure::facts::unread::THIS_PROBE;
use crate::figure::kit::numerals::{decimal, three_figures};
use crate::figure::kit::palette;
use crate::figure::kit::palette::undefined;
use crate::figure::kit::scale::numbers_upright;
use crate::figure::kit::table::{Table, Value};
use crate::figure::kit::text::empty_ui;
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::{Subject, pair_of};
use crate::figure::look::view::View;
use crate::figure::parts::figure::{At, Figure, Gradients, NEVER, Of};
use crate::figure::parts::lanes::{Cells, cells_ui, header};
use crate::figure::parts::unread::header_ui;
use crate::run::Run;

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::PairDepth,
    name: "pair-depth",
    title: "Selected pair by layer and time",
    subtitle: "Cosine of the gradients of two classes by layer and step, −1 to 1",
    help: "Cosine between the gradients of the two selected classes in every layer (from the input down) at every probe \
           (from left to right), in the colours of the matrix: red pulls apart, blue together, low is not significant \
           (3 SE), grey is undefined. Click to go to a layer and a moment.",
    synonyms: &[
        "the selected pair in every layer",
        "cosine similarity",
        "gradient conflict",
        "heat map",
        "layers",
    ],
    page: Page::Conflicts,
    in_place_of: Some(Kind::DepthTime),
    lacks: NEVER,
    of: Of::Pair,
    needs: Need::History,
    at: At::Probe,
    gradients: Gradients::AsShown,
    names_part: false,
    names_step: true,
    colour_range: Some(|_, _| [-1.0, 1.0]),
    chart: None,
    ui: |ui, subject, _, view| pair_depth_ui(ui, subject, view),
    table: |subject, _, view| table(subject, view),
};

/// Draws the cosine of the selected pair in every layer at every moment; a click picks layer and moment.
pub(in crate::figure) fn pair_depth_ui(
    ui: &mut Ui,
    subject: Subject<'_>,
    view: &View,
) -> Option<Pick> {
    let Some((a, b)) = pair_of(subject, view) else {
        empty_ui(
            ui,
            "Click a cell of the matrix, or a bar of a class's ledger, to follow two classes.",
        );
        return None;
    };
    if let Some(sentence) = unmeasured::sentence(subject, &[a, b]) {
        empty_ui(ui, &sentence);
        return None;
    }
    let area = ui.available_rect_before_wrap();
    let names = subject.classes();
    let text = format!("{} and {}", names[a], names[b]);
    header_ui(ui, header(area), &text, subject, &[a, b]);
    let pairs = made_by_layer(ui.ctx(), subject, (a, b));
    let cells = Cosines {
        run: subject.run,
        pairs: &pairs,
        names: [&names[a], &names[b]],
    };
    cells_ui(ui, area, subject, view, &cells)
}

/// The cells of the figure: the cosine of the pair by layer and probe.
struct Cosines<'a> {
    run: &'a Run,
    pairs: &'a Made<Layers>,
    names: [&'a str; 2],
}

impl Cells for Cosines<'_> {
    const NAME: &'static str = "The pair by layer and moment";

    fn key(&self) -> String {
        self.pairs.key()
    }

    fn color(&self, ui: &Ui, gram: usize, column: usize) -> Option<Color32> {
        let cell = self
            .pairs
            .cell(self.run, gram, column)?
            .map(|pair| pair.cell);
        let Some(cosine) = cell.and_then(|cell| cell.cosine) else {
            return Some(undefined(ui));
        };
        let color = palette::diverging(cosine, ui.visuals().dark_mode);
        Some(color)
    }

    fn is_significant(&self, gram: usize, column: usize) -> bool {
        let cell = self.pairs.cell(self.run, gram, column).flatten();
        cell.is_none_or(|pair| pair.cell.resolved)
    }

    fn words_ui(&self, ui: &mut Ui, gram: usize, column: usize) {
        let Some(pair) = self.pairs.cell(self.run, gram, column) else {
            ui.label(THIS_PROBE);
            return;
        };
        let cosine = pair.and_then(|pair| pair.cell.cosine);
        let (Some(pair), Some(cosine)) = (pair, cosine) else {
            ui.label("undefined: a class has no probe images, or its gradient is 0");
            return;
        };
        let word = match (pair.cell.resolved, cosine < 0.0) {
            (true, true) => "in conflict",
            (true, false) => "agree",
            (false, _) => "not significant (3 SE)",
        };
        ui.strong(format!("cosine {} (−1 to 1), {word}", decimal(cosine)));
        if let Some([first, second]) = pair.halves {
            let (first, second) = (decimal(first), decimal(second));
            ui.label(format!("from each half of the images {first} and {second}"));
        }
        for (name, norm) in self.names.iter().zip(pair.norms) {
            if let Some(norm) = norm {
                ui.label(format!("‖g‖ of {name} {}", three_figures(norm)));
            }
        }
    }

    fn scale_ui(&self, ui: &Ui, bar: Rect) {
        cosine_scale_ui(ui, bar);
    }
}

/// Paints the scale of cosines upright, from −1 at the foot to +1.
pub(super) fn cosine_scale_ui(ui: &Ui, bar: Rect) {
    let dark = ui.visuals().dark_mode;
    palette::paint_scale(ui.painter(), bar, true, |t| {
        palette::diverging(1.0 - 2.0 * t, dark)
    });
    let marks = [(0.0, "−1"), (0.5, "0"), (1.0, "+1")];
    numbers_upright(ui, bar, &marks.map(|(at, text)| (at, text.to_owned())));
}

/// The numbers of the figure: a row for every layer at every probe.
pub(in crate::figure) fn table(subject: Subject<'_>, view: &View) -> Table {
    let mut table = Table::new([
        "step",
        "epoch",
        "layer",
        "block",
        "class_a",
        "class_b",
        "cosine",
        "resolved",
        "cosine_first_half",
        "cosine_second_half",
        "grad_norm_a",
        "grad_norm_b",
    ]);
    let Some((a, b)) = pair_of(subject, view) else {
        return table;
    };
    let names = subject.classes();
    for probe in &subject.run.probes {
        let pairs = layers_at(subject, probe.step, (a, b));
        for (layer, row) in layers_with_gradients(subject) {
            let pair = pairs.as_ref().and_then(|pairs| pairs.get(row)?.as_ref());
            let half = |i: usize| pair.and_then(|pair| pair.halves).map(|halves| halves[i]);
            let norm = |i: usize| pair.and_then(|pair| pair.norms[i]);
            table.push([
                probe.step.into(),
                probe.epoch.into(),
                layer.name.as_str().into(),
                layer.group.as_str().into(),
                names[a].as_str().into(),
                names[b].as_str().into(),
                pair.and_then(|pair| pair.cell.cosine).into(),
                pair.map_or(Value::None, |pair| pair.cell.resolved.into()),
                half(0).into(),
                half(1).into(),
                norm(0).into(),
                norm(1).into(),
            ]);
        }
    }
    table
}

#[cfg(test)]
mod tests;
