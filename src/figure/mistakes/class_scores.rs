//! Precision, recall and F1 of every class and of the frequent and the rare ones together, at the cursor.

use egui::{Align2, Color32, FontId, Rect, RichText, Role, Sense, Stroke, Ui, pos2, vec2};

use crate::compare::statistics::mean;
use crate::figure::facts::mistakes::{evaluation, missing, word};
use crate::figure::facts::probes::Need;
use crate::figure::kit::palette;
use crate::figure::kit::table::{Table, Value};
use crate::figure::kit::text::{empty_ui, fitted, named};
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::{Subject, order_of};
use crate::figure::look::view::View;
use crate::figure::parts::figure::{At, Figure, Gradients, NEVER, Of};
use crate::run::event::Eval;
use crate::run::{Thirds, comparable};

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::ClassScores,
    name: "class-scores",
    title: "Per-class precision, recall and F1",
    subtitle: "Scores of every class at one step, 0 to 1",
    help: "Precision, recall and F1 of every class, from 0 to 1, with the images they come from; a dash is undefined. \
           Below, their means over the frequent third of the classes by training images, the middle, the rarest third, \
           and all (macro). Click a class to select it everywhere.",
    synonyms: &[
        "scores of each class",
        "precision",
        "recall",
        "F1 score",
        "many, medium and few shot",
        "classification report",
    ],
    page: Page::Mistakes,
    in_place_of: None,
    lacks: NEVER,
    of: Of::Run,
    needs: Need::Nothing,
    at: At::Evaluation,
    gradients: Gradients::No,
    names_part: false,
    names_step: false,
    colour_range: None,
    chart: None,
    ui: class_scores_ui,
    table,
};

/// Least and largest height of a row.
const ROW: (f32, f32) = (14.0, 24.0);
const HEADER: f32 = 18.0;
/// Width of a column of counts.
const COUNT: f32 = 52.0;
/// Width of a score with its bar, in points, below which the counts have no room.
const SCORE: f32 = 54.0;

/// A row: a class or a group of classes.
struct Row {
    name: String,
    class: Option<usize>,
    /// Number of training images, and of images evaluated.
    counts: [u64; 2],
    /// Precision, recall, F1; `None` where undefined.
    scores: [Option<f64>; 3],
    /// Change of F1 from the first run shown.
    change: Option<f64>,
}

/// Classes in the order chosen, then the groups. Changes are taken from `first`.
fn rows(subject: Subject<'_>, view: &View, eval: &Eval, first: Option<&Eval>) -> Vec<Row> {
    let names = subject.classes();
    let started = subject.run.started.as_ref();
    let train = started.map_or(&[][..], |started| &started.train_counts);
    let of = |scores: &[Option<f64>], k: usize| scores.get(k).copied().flatten();
    let scores = |k: usize| [&eval.precision, &eval.recall, &eval.f1].map(|x| of(x, k));
    let counts = |k: usize| {
        let train = train.get(k).map_or(0, |n| *n as u64);
        [train, eval.support.get(k).copied().unwrap_or(0)]
    };
    let class = |k: usize| Row {
        name: names[k].clone(),
        class: Some(k),
        counts: counts(k),
        scores: scores(k),
        change: (|| Some(of(&eval.f1, k)? - of(&first?.f1, k)?))(),
    };
    let group = |name: &str, classes: &[usize]| {
        let mean_of = |scores: &[Option<f64>]| {
            let defined = classes.iter().filter_map(|&k| of(scores, k));
            mean(&defined.collect::<Vec<_>>())
        };
        let sum = |i: usize| classes.iter().map(|&k| counts(k)[i]).sum();
        Row {
            name: format!("{name} ({})", classes.len()),
            class: None,
            counts: [sum(0), sum(1)],
            scores: [&eval.precision, &eval.recall, &eval.f1].map(|x| mean_of(x)),
            change: (|| Some(mean_of(&eval.f1)? - mean_of(&first?.f1)?))(),
        }
    };
    let mut rows: Vec<Row> = order_of(subject, view).into_iter().map(class).collect();
    let all: Vec<usize> = (0..names.len()).collect();
    let Thirds { head, medium, tail } = subject.run.thirds();
    for (name, classes) in [
        ("Frequent third", head),
        ("Middle", medium),
        ("Rarest third", tail),
    ] {
        if !classes.is_empty() && classes.len() < names.len() {
            rows.push(group(name, &classes));
        }
    }
    rows.push(group("All", &all));
    rows
}

/// The evaluation of the first run shown, from which the changes in `eval` of `subject` are taken: at the cursor, of the
/// same split. `None` for the first run itself.
///
/// # Errors
/// A sentence that says why there are no changes, where both evaluations are too far apart in time.
fn first<'a>(
    (subject, eval): (Subject<'a>, &Eval),
    shown: &[Subject<'a>],
    view: &View,
) -> Result<Option<&'a Eval>, String> {
    let first = shown.first().filter(|first| !first.is(&subject));
    let first = first.filter(|first| first.classes() == subject.classes());
    let of_first = first.and_then(|first| Some((first, evaluation(*first, view)?)));
    let Some((first, before)) = of_first.filter(|(_, before)| before.split == eval.split) else {
        return Ok(None);
    };
    let moment = |subject: Subject<'a>, eval: &Eval| (subject.name, subject.run, eval.step);
    comparable([moment(*first, before), moment(subject, eval)])?;
    Ok(Some(before))
}

/// Draws the table; a click picks a class.
pub(in crate::figure) fn class_scores_ui(
    ui: &mut Ui,
    subject: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
) -> Option<Pick> {
    let Some(eval) = evaluation(subject, view) else {
        empty_ui(ui, &missing(subject, view));
        return None;
    };
    let found = first((subject, eval), shown, view);
    let mut text = format!("{} images of step {}", word(eval.split), eval.step);
    match &found {
        Ok(None) => {}
        Ok(Some(_)) => text.push_str(&format!("; change of F1 from {}", shown[0].name)),
        Err(sentence) => text.push_str(&format!("; no change of F1: {sentence}")),
    }
    let first = found.ok().flatten();
    ui.add(egui::Label::new(RichText::new(text).size(11.0).weak()).truncate());
    let rows = rows(subject, view, eval, first);
    let room = ui.available_height() - HEADER;
    let height = (room / rows.len() as f32).clamp(ROW.0, ROW.1).floor();
    let width = ui.available_width();
    let mut pick = None;
    let columns = Columns::new(ui, width, &rows, first.is_some());
    let (header, _) = ui.allocate_exact_size(vec2(width, HEADER), Sense::hover());
    columns.header_ui(ui, header);
    egui::ScrollArea::vertical()
        .auto_shrink([false, true])
        .show_rows(
            ui,
            height - ui.spacing().item_spacing.y,
            rows.len(),
            |ui, seen| {
                for row in &rows[seen] {
                    let size = vec2(width, height - ui.spacing().item_spacing.y);
                    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
                    columns.row_ui(ui, rect, row, view, response.hovered());
                    named(&response, Role::Button, &format!("Scores of {}", row.name));
                    if response.clicked() {
                        pick = pick.take().or(row.class.map(Pick::Class));
                    }
                }
            },
        );
    pick
}

/// Where the columns lie, from the left edge.
struct Columns {
    names: f32,
    counts: bool,
    changes: bool,
    /// Width of one of the three bars, in points.
    bar: f32,
    font: FontId,
}

const TITLES: [(&str, &str); 3] = [
    (
        "precision",
        "TP/(TP+FP), from 0 to 1; – where the class was never predicted",
    ),
    (
        "recall",
        "TP/(TP+FN), from 0 to 1; – where there are no images of the class",
    ),
    (
        "F1",
        "2TP/(2TP+FP+FN), from 0 to 1; – where the class is neither there nor predicted",
    ),
];

impl Columns {
    fn new(ui: &Ui, width: f32, rows: &[Row], changes: bool) -> Self {
        let font = FontId::proportional(12.0);
        let measure = |row: &Row| {
            let painter = ui.painter();
            let galley = painter.layout_no_wrap(row.name.clone(), font.clone(), Color32::WHITE);
            galley.size().x
        };
        let longest = rows.iter().map(measure).fold(0.0, f32::max);
        let names = (longest + 24.0).min(width / 3.0);
        let room = width - names - if changes { COUNT } else { 0.0 } - 12.0;
        let counts = room - 2.0 * COUNT >= 3.0 * SCORE;
        let room = room - if counts { 2.0 * COUNT } else { 0.0 };
        Self {
            names,
            counts,
            changes,
            bar: (room / 3.0).max(20.0),
            font,
        }
    }

    /// Left edge of the first bar.
    fn bars(&self) -> f32 {
        self.names + if self.counts { 2.0 * COUNT } else { 0.0 } + 8.0
    }

    fn header_ui(&self, ui: &Ui, rect: Rect) {
        let weak = ui.visuals().weak_text_color();
        let font = FontId::proportional(11.0);
        let text = |x: f32, align: Align2, text: &str| {
            let at = pos2(rect.left() + x, rect.center().y);
            ui.painter().text(at, align, text, font.clone(), weak);
        };
        if self.counts {
            text(self.names + COUNT - 6.0, Align2::RIGHT_CENTER, "training");
            text(
                self.names + 2.0 * COUNT - 6.0,
                Align2::RIGHT_CENTER,
                "support",
            );
        }
        for (i, (title, help)) in TITLES.into_iter().enumerate() {
            let x = self.bars() + i as f32 * self.bar;
            text(x, Align2::LEFT_CENTER, title);
            let at = Rect::from_min_size(rect.min + vec2(x, 0.0), vec2(self.bar, rect.height()));
            let response = ui.interact(at, ui.scope_id().with(title), Sense::hover());
            response.on_hover_text(help);
        }
        if self.changes {
            text(rect.width() - 4.0, Align2::RIGHT_CENTER, "ΔF1");
        }
    }

    fn row_ui(&self, ui: &Ui, rect: Rect, row: &Row, view: &View, hovered: bool) {
        let painter = ui.painter();
        let (text, weak) = (ui.visuals().text_color(), ui.visuals().weak_text_color());
        if hovered || (row.class.is_some() && row.class == view.class) {
            painter.rect_filled(rect, 2.0, text.gamma_multiply(0.08));
        }
        let y = rect.center().y;
        let mut color = weak;
        match row.class {
            Some(k) => {
                color = palette::class(k);
                let mark = Rect::from_center_size(pos2(rect.left() + 6.0, y), vec2(9.0, 9.0));
                painter.rect_filled(mark, 2.0, color);
            }
            None => {
                let stroke = Stroke::new(1.0, weak.gamma_multiply(0.4));
                painter.hline(rect.x_range(), rect.top(), stroke);
            }
        }
        let name = fitted(painter, &row.name, &self.font, text, self.names - 20.0);
        let at = pos2(rect.left() + 15.0, y - name.size().y / 2.0);
        painter.galley(at, name, text);
        let number = |x: f32, align: Align2, words: String, color: Color32| {
            let at = pos2(rect.left() + x, y);
            painter.text(at, align, words, self.font.clone(), color);
        };
        if self.counts {
            for (i, count) in row.counts.iter().enumerate() {
                let x = self.names + (i as f32 + 1.0) * COUNT - 6.0;
                number(x, Align2::RIGHT_CENTER, count.to_string(), weak);
            }
        }
        for (i, score) in row.scores.iter().enumerate() {
            let x = self.bars() + i as f32 * self.bar;
            // The number has its place beside the longest bar.
            let full = (self.bar - 46.0).max(0.0);
            let Some(score) = score else {
                number(x, Align2::LEFT_CENTER, "–".to_owned(), weak);
                continue;
            };
            let length = full * score.clamp(0.0, 1.0) as f32;
            let bar = Rect::from_min_size(
                pos2(rect.left() + x, rect.top() + 3.0),
                vec2(length, rect.height() - 6.0),
            );
            painter.rect_filled(
                bar,
                1.0,
                color.gamma_multiply(if i == 2 { 1.0 } else { 0.55 }),
            );
            number(
                x + length + 4.0,
                Align2::LEFT_CENTER,
                format!("{score:.3}"),
                text,
            );
        }
        if self.changes {
            let words = row.change.map_or_else(|| "–".to_owned(), change_text);
            number(rect.width() - 4.0, Align2::RIGHT_CENTER, words, text);
        }
    }
}

fn change_text(change: f64) -> String {
    let text = format!("{:.3}", change.abs());
    match (text.as_str(), change < 0.0) {
        ("0.000", _) => text,
        (_, true) => format!("−{text}"),
        (_, false) => format!("+{text}"),
    }
}

/// The numbers of the figure: every row of it.
pub(in crate::figure) fn table(subject: Subject<'_>, shown: &[Subject<'_>], view: &View) -> Table {
    let mut table = Table::new([
        "step",
        "split",
        "class",
        "training_images",
        "support",
        "precision",
        "recall",
        "f1",
        "f1_change",
    ]);
    let Some(eval) = evaluation(subject, view) else {
        return table;
    };
    let first = first((subject, eval), shown, view).ok().flatten();
    for row in rows(subject, view, eval, first) {
        let [precision, recall, f1] = row.scores.map(Value::from);
        table.push([
            eval.step.into(),
            word(eval.split).into(),
            row.name.as_str().into(),
            row.counts[0].into(),
            row.counts[1].into(),
            precision,
            recall,
            f1,
            row.change.into(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests;
