//! A quantity of the network by layer and moment: every layer at every probe.

use egui::{Color32, Rect, Ui};

use crate::figure::facts::network;
use crate::figure::facts::probes::Need;
use crate::figure::facts::quantity::Classes;
use crate::figure::kit::palette;
use crate::figure::kit::table::Table;
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::figure::parts::figure::{At, Figure, Gradients, NEVER, Of};
use crate::figure::parts::lanes::{Cells, cells_ui, header};
use crate::figure::parts::quantity;
use crate::figure::parts::quantity_scale::Scale;
use crate::gradient::gram::ConflictSummary;

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::DepthTime,
    name: "depth-time",
    title: "Interference by layer and time",
    subtitle: "Where and when classes conflict: interference, or another quantity, by layer and step",
    help: "The backbone on top, then layers from input to output; probes from left to right, coloured by what the list \
           above them says. Rows that stand out are layers, columns moments; grey is undefined. Click to go to a layer \
           and a moment.",
    synonyms: &[
        "conflict by depth and time",
        "interference",
        "heat map",
        "layers",
        "depth",
        "gradient conflict",
        "by layer and epoch",
        "rare × frequent by layer and time",
    ],
    page: Page::Conflicts,
    in_place_of: None,
    lacks: NEVER,
    of: Of::Run,
    needs: Need::Nothing,
    at: At::Probe,
    gradients: Gradients::AsShown,
    names_part: false,
    names_step: true,
    colour_range: Some(Scale::range),
    chart: None,
    ui: depth_time_ui,
    table: |subject, _, view| table(subject, view),
};

/// The numbers of the figure: a row for the backbone and every layer at every probe.
pub(in crate::figure) fn table(subject: Subject<'_>, view: &View) -> Table {
    quantity::table(subject, view, &subject.run.probes)
}

/// Draws the selected quantity of the backbone and of every layer at every probe, below the list to choose it from.
pub(in crate::figure) fn depth_time_ui(
    ui: &mut Ui,
    subject: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
) -> Option<Pick> {
    let area = ui.available_rect_before_wrap();
    let mut pick = None;
    if !subject.run.probes.is_empty() {
        let list = header(area);
        let list = list.with_max_x(list.right().min(list.left() + 170.0));
        pick = quantity::selector_ui(ui, list, subject, view);
        let fit = header(area).with_min_x(list.right() + 8.0);
        let fit = fit.with_max_x(fit.left() + quantity::FIT_WIDTH);
        pick = quantity::fit_ui(ui, fit, view).or(pick);
        let room = header(area).with_min_x(fit.right() + 8.0);
        quantity::undefined_ui(ui, room, subject, view, &subject.run.probes);
    }
    let quantities = Quantities {
        subject,
        view,
        classes: Classes::of(subject, view),
        scale: Scale::of(ui, shown, view),
    };
    cells_ui(ui, area, subject, view, &quantities).or(pick)
}

/// The cells of the figure: the quantity that the view selects, by layer and probe.
struct Quantities<'a> {
    subject: Subject<'a>,
    view: &'a View,
    classes: Classes,
    scale: Scale,
}

impl Cells for Quantities<'_> {
    const NAME: &'static str = "Layers by moment";

    fn key(&self) -> String {
        format!("{:?} {:?}", self.classes, self.scale)
    }

    fn color(&self, ui: &Ui, gram: usize, column: usize) -> Option<Color32> {
        Some(self.color_of(ui, self.summary(Some(gram), column)))
    }

    fn words_ui(&self, ui: &mut Ui, gram: usize, column: usize) {
        match self.summary(Some(gram), column) {
            Some(summary) => quantity::values_ui(ui, self.subject, summary, self.view),
            None => {
                ui.label("not measured");
            }
        }
    }

    fn scale_ui(&self, ui: &Ui, bar: Rect) {
        self.scale.upright_ui(ui, bar);
    }

    const BACKBONE: bool = true;

    fn backbone_color(&self, ui: &Ui, column: usize) -> Option<Color32> {
        Some(self.color_of(ui, self.summary(None, column)))
    }

    fn backbone_words_ui(&self, ui: &mut Ui, column: usize) {
        if let Some(summary) = self.summary(None, column) {
            quantity::values_ui(ui, self.subject, summary, self.view);
        }
    }
}

impl Quantities<'_> {
    /// The summary of the layer with this Gram row at a probe, or of the backbone.
    fn summary(&self, row: Option<usize>, column: usize) -> Option<&ConflictSummary> {
        let probe = self.subject.run.probes.get(column)?;
        network::summary_of(probe, row)
    }

    fn color_of(&self, ui: &Ui, summary: Option<&ConflictSummary>) -> Color32 {
        let value = summary.and_then(|x| self.classes.value(self.view.quantity, x));
        value.map_or_else(|| palette::undefined(ui), |value| self.scale.color(value))
    }
}
