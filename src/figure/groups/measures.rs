//! How a change of configuration changes scores and conflicts, over seeds, in one table.

use egui::{Color32, RichText, Ui, vec2};

use crate::compare::Comparison;
use crate::compare::contrast::{
    Contrast, Row, difference_text, mean_text, probability, remark, with_seeds,
};
use crate::figure::facts::groups::{NOTHING, compared, compared_once, contrast_of};
use crate::figure::facts::probes::Need;
use crate::figure::kit::memo::is_exporting;
use crate::figure::kit::table::{Table, Value};
use crate::figure::kit::text::empty_ui;
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::figure::parts::figure::{At, Figure, Gradients, NEVER, Of};

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::Measures,
    name: "measures",
    title: "Paired comparison",
    subtitle: "What changes in scores and conflicts of groups, with the exact sign-flip test after Holm",
    help: "Means over seeds with their standard deviation and number, the mean difference of runs with the same seed \
           with its 95 % interval by Student's t, and p of the exact sign-flip test, alone and after Holm's correction. \
           A star marks what is significant; with few seeds nothing can be.",
    synonyms: &[
        "what changes in scores and conflicts",
        "ablation",
        "permutation test",
        "sign-flip test",
        "Holm",
        "significance",
        "p value",
        "results table",
    ],
    page: Page::Compare,
    in_place_of: None,
    lacks: NEVER,
    of: Of::Group,
    needs: Need::Nothing,
    at: At::End,
    gradients: Gradients::AsShown,
    names_part: false,
    names_step: false,
    colour_range: None,
    chart: None,
    ui: measures_ui,
    table: |_, shown, _| table(shown),
};

/// Space between columns and between rows, in points.
const SPACING: [f32; 2] = [18.0, 3.0];

/// Draws the measures of the subject's group beside those of the group of the first run shown.
pub(in crate::figure) fn measures_ui(
    ui: &mut Ui,
    subject: Subject<'_>,
    shown: &[Subject<'_>],
    _: &View,
) -> Option<Pick> {
    let found = compared_once(ui.ctx(), shown);
    let Ok(comparison) = &*found else {
        empty_ui(ui, NOTHING);
        return None;
    };
    let at = contrast_of(comparison, subject);
    let drawn = Drawn {
        comparison,
        at,
        group: comparison.others()[at],
    };
    let rows = &comparison.headline;
    ui.add(egui::Label::new(RichText::new(&rows[0].contrasts[at].sentence).strong()).wrap());
    if let Some(remark) = remark(&rows[1..], at) {
        ui.label(RichText::new(format!("The rows below macro-F1: {remark}")).weak());
    }
    ui.add_space(4.0);
    if is_exporting(ui.ctx()) {
        drawn.fitted_ui(ui, rows);
    } else {
        egui::ScrollArea::horizontal().show(ui, |ui| drawn.grid_ui(ui, rows, 1.0));
    }
    None
}

struct Drawn<'a> {
    comparison: &'a Comparison,
    /// Index of the contrast shown.
    at: usize,
    /// Index of that contrast's group.
    group: usize,
}

impl Drawn<'_> {
    /// Draws the table, made smaller where it does not fit: an exported image does not scroll.
    fn fitted_ui(&self, ui: &mut Ui, rows: &[Row]) {
        let font = egui::TextStyle::Body.resolve(ui.style());
        let painter = ui.painter();
        let width = |text: &str| {
            let galley = painter.layout_no_wrap(text.to_owned(), font.clone(), Color32::WHITE);
            galley.size().x + SPACING[0]
        };
        let mut widths = self.headers().map(|(text, _)| width(text));
        for row in rows {
            for (widest, text) in widths.iter_mut().zip(self.cells(row)) {
                *widest = widest.max(width(&text));
            }
        }
        let height = ui.spacing().interact_size.y + SPACING[1];
        let needed = vec2(widths.iter().sum(), height * (rows.len() + 1) as f32);
        let scale = (ui.available_size() / needed).min_elem().clamp(0.2, 1.0);
        ui.scope(|ui| {
            let style = ui.style_mut();
            let fonts = style.text_styles.values_mut();
            fonts.for_each(|font| font.size *= scale);
            style.spacing.interact_size *= scale;
            self.grid_ui(ui, rows, scale);
        });
    }

    fn grid_ui(&self, ui: &mut Ui, rows: &[Row], scale: f32) {
        let grid = egui::Grid::new("measures").striped(true).num_columns(6);
        grid.spacing(SPACING.map(|x| x * scale)).show(ui, |ui| {
            for (text, help) in self.headers() {
                hinted(ui.label(RichText::new(text).weak()), help);
            }
            ui.end_row();
            rows.iter().for_each(|row| self.row_ui(ui, row));
        });
    }

    /// The headers of the columns, each with its explanation on hover.
    fn headers(&self) -> [(&str, &str); 6] {
        let groups = &self.comparison.groups;
        let seeds = "Mean ± standard deviation over its seeds (their number)";
        [
            ("Measure", ""),
            (&groups[self.comparison.baseline].name, seeds),
            (&groups[self.group].name, seeds),
            (
                "Difference",
                "Mean of the differences of runs with the same seed, with its 95 % interval by Student's t",
            ),
            (
                "p",
                "Two-sided p of the exact sign-flip test of the paired differences, from 0 to 1",
            ),
            (
                "p, corrected",
                "p after Holm's correction: macro-F1 for the number of groups compared, the other rows together for their number as well. A star where it is at most 0.05.",
            ),
        ]
    }

    fn is_clear(&self, row: &Row) -> bool {
        row.contrasts[self.at].significant == Some(true)
    }

    fn cells(&self, row: &Row) -> [String; 6] {
        let contrast = &row.contrasts[self.at];
        let values = |group: usize| mean_text(&row.values[group], row.digits);
        let (p, mut corrected) = probabilities(contrast);
        if self.is_clear(row) {
            corrected.push_str(" *");
        }
        [
            row.name.clone(),
            values(self.comparison.baseline),
            values(self.group),
            difference_text(contrast.paired.as_ref(), row.digits),
            p,
            corrected,
        ]
    }

    fn row_ui(&self, ui: &mut Ui, row: &Row) {
        for (column, text) in self.cells(row).into_iter().enumerate() {
            let (is_clear, hint) = match column {
                0 => (false, row.help.as_str()),
                3 => (self.is_clear(row), row.contrasts[self.at].sentence.as_str()),
                _ => (false, ""),
            };
            let text = RichText::new(text);
            hinted(ui.label(if is_clear { text.strong() } else { text }), hint);
        }
        ui.end_row();
    }
}

fn hinted(label: egui::Response, hint: &str) {
    if !hint.is_empty() {
        label.on_hover_text(hint);
    }
}

/// p and corrected p, as short text.
fn probabilities(contrast: &Contrast) -> (String, String) {
    let text = |p: Option<f64>| p.map_or("–".to_owned(), probability);
    let p = contrast.paired.as_ref().and_then(|paired| paired.p);
    (text(p), text(contrast.corrected_p))
}

/// A row for every measure in every group but the baseline.
pub(in crate::figure) fn table(shown: &[Subject<'_>]) -> Table {
    compared(shown).map_or_else(|_| Table::new(COLUMNS), |comparison| measures(&comparison))
}

const COLUMNS: [&str; 17] = [
    "measure",
    "images",
    "baseline",
    "baseline_mean",
    "baseline_sd",
    "baseline_n",
    "group",
    "group_mean",
    "group_sd",
    "group_n",
    "pairs",
    "difference",
    "low",
    "high",
    "p",
    "corrected_p",
    "verdict",
];

/// The headline of a comparison: every measure in every group but the baseline.
pub fn measures(comparison: &Comparison) -> Table {
    let mut table = Table::new(COLUMNS);
    let base = comparison.baseline;
    for row in &comparison.headline {
        for contrast in &row.contrasts {
            let (before, after) = (&row.values[base], &row.values[contrast.group]);
            let paired = contrast.paired.as_ref();
            let end = |at: usize| Value::from(paired.and_then(|x| Some(x.interval?[at])));
            table.push([
                row.name.as_str().into(),
                comparison.images().into(),
                comparison.groups[base].name.as_str().into(),
                before.mean.into(),
                before.sd.into(),
                before.n.into(),
                comparison.groups[contrast.group].name.as_str().into(),
                after.mean.into(),
                after.sd.into(),
                after.n.into(),
                contrast.seeds.len().into(),
                paired.map(|x| x.mean).into(),
                end(0),
                end(1),
                paired.and_then(|x| x.p).into(),
                contrast.corrected_p.into(),
                verdict(contrast).as_str().into(),
            ]);
        }
    }
    table
}

/// Whether the difference may be called significant, in a few words.
fn verdict(contrast: &Contrast) -> String {
    match (contrast.corrected_p, contrast.significant) {
        (None, _) => "not tested".to_owned(),
        (_, Some(true)) => "significant".to_owned(),
        (_, Some(false)) => "not significant".to_owned(),
        (_, None) => format!(
            "cannot be significant with {}",
            with_seeds(contrast.seeds.len())
        ),
    }
}
