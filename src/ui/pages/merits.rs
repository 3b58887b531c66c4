//! The figures of merit above the overview: the scores of the run shown or, where two are shown, of both and the change
//! from A to B. They take as many lines as the width asks for.

use std::sync::Arc;

use egui::{Align, Galley, Layout, TextStyle, vec2};

use crate::figure::{self, Subject, View, fitted};
use crate::run::comparable;
use crate::run::event::{Eval, Split};
use crate::text::signed;
use crate::ui::state::runs::RunEntry;

/// Height of a line, in points.
const LINE: f32 = 22.0;
/// Space between two words, in points.
const SPACE: f32 = 5.0;
/// Room for the separator between two figures of merit, in points.
const SEPARATOR: f32 = 6.0;
/// Most width of a name, in points: a class may have a long one.
const NAME_WIDTH: f32 = 200.0;

/// A figure of merit of the runs shown.
struct Merit {
    name: String,
    help: String,
    /// The value of each run; `None` where it is undefined.
    values: Vec<Option<f64>>,
    /// What stands behind the values, such as the noise floors.
    note: String,
    /// Whether the change may be given: not between moments that are far apart.
    is_comparable: bool,
}

/// Draws the lines.
pub(super) fn merits_ui(ui: &mut egui::Ui, entries: &[&RunEntry], view: &View) {
    let merits: Vec<(Merit, Laid)> = merits(entries, view)
        .into_iter()
        .map(|merit| {
            let laid = Laid::new(ui, &merit);
            (merit, laid)
        })
        .collect();
    let widths: Vec<f32> = merits.iter().map(|(_, laid)| laid.width()).collect();
    let mut rest = &merits[..];
    for count in lines(&widths, ui.available_width()) {
        let (line, others) = rest.split_at(count);
        rest = others;
        let size = vec2(ui.available_width(), LINE);
        ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_height(LINE);
            ui.spacing_mut().item_spacing.x = SPACE;
            for (at, (merit, laid)) in line.iter().enumerate() {
                if at > 0 {
                    ui.add(egui::Separator::default().spacing(SEPARATOR));
                }
                let words = ui.scope(|ui| {
                    for galley in &laid.0 {
                        ui.label(galley.clone());
                    }
                });
                words.response.on_hover_text(&merit.help);
            }
        });
    }
}

/// How many of the figures of merit of these widths, in points, stand in each line: as many as have room, at least one.
fn lines(widths: &[f32], room: f32) -> Vec<usize> {
    let mut counts: Vec<usize> = Vec::new();
    let mut used = f32::INFINITY;
    for width in widths {
        let beside = used + SEPARATOR + 2.0 * SPACE + width;
        match counts.last_mut() {
            Some(count) if beside <= room => {
                *count += 1;
                used = beside;
            }
            _ => {
                counts.push(1);
                used = *width;
            }
        }
    }
    counts
}

/// The words of a figure of merit, laid out: its name, its values and what stands behind them.
struct Laid(Vec<Arc<Galley>>);

impl Laid {
    fn new(ui: &egui::Ui, merit: &Merit) -> Self {
        let (body, small) = (
            TextStyle::Body.resolve(ui.style()),
            TextStyle::Small.resolve(ui.style()),
        );
        let (weak, strong) = (
            ui.visuals().weak_text_color(),
            ui.visuals().strong_text_color(),
        );
        let painter = ui.painter();
        let mut galleys = vec![
            fitted(painter, &merit.name, &body, weak, NAME_WIDTH),
            painter.layout_no_wrap(merit.words(), body, strong),
        ];
        if !merit.note.is_empty() {
            galleys.push(painter.layout_no_wrap(merit.note.clone(), small, weak));
        }
        Self(galleys)
    }

    /// Width in points.
    fn width(&self) -> f32 {
        let words: f32 = self.0.iter().map(|galley| galley.size().x).sum();
        words + SPACE * (self.0.len() - 1) as f32
    }
}

impl Merit {
    /// The values and their change: `0.412 → 0.455 (+0.043)`.
    fn words(&self) -> String {
        let number = |value: &Option<f64>| value.map_or("–".to_owned(), |x| format!("{x:.3}"));
        let values: Vec<String> = self.values.iter().map(number).collect();
        let mut words = values.join(" → ");
        if let [Some(a), Some(b)] = self.values[..]
            && self.is_comparable
        {
            words.push_str(&format!(" ({})", signed(b - a, 3)));
        }
        words
    }
}

fn merits(entries: &[&RunEntry], view: &View) -> Vec<Merit> {
    let subjects: Vec<_> = entries.iter().map(|entry| entry.subject()).collect();
    let mut merits = of_evaluations(&subjects, view);
    merits.extend(head_against_tail(&subjects, view));
    merits
}

/// Whether the change between moments of two runs, given by their steps, may be shown: the runs have the same classes,
/// and the moments are near each other.
fn is_near(subjects: &[Subject<'_>], steps: &[Option<u64>]) -> bool {
    match (subjects, steps) {
        ([a, b], [Some(of_a), Some(of_b)]) => {
            let moments = [(a.name, a.run, *of_a), (b.name, b.run, *of_b)];
            a.classes() == b.classes() && comparable(moments).is_ok()
        }
        (_, _) => false,
    }
}

/// Macro-F1, the F1 of the first run's rarest class, and accuracy.
fn of_evaluations(subjects: &[Subject<'_>], view: &View) -> Vec<Merit> {
    let evals = subjects
        .iter()
        .map(|subject| figure::evaluation(*subject, view));
    let evals: Vec<Option<&Eval>> = evals.collect();
    let steps: Vec<_> = evals.iter().map(|eval| Some((*eval)?.step)).collect();
    let splits: Vec<Split> = evals.iter().flatten().map(|eval| eval.split).collect();
    let is_comparable =
        is_near(subjects, &steps) && splits.windows(2).all(|pair| pair[0] == pair[1]);
    let images = splits.first().map_or("", |split| match split {
        Split::Train => "training",
        Split::Val => "validation",
        Split::Test => "test",
    });
    let merit = |name: &str, help: &str, value: &dyn Fn(Subject<'_>, &Eval) -> Option<f64>| {
        let both = subjects.iter().zip(&evals);
        Merit {
            name: name.to_owned(),
            help: format!("{help}, on {images} images at the moment shown"),
            values: both.map(|(of, eval)| value(*of, (*eval)?)).collect(),
            note: String::new(),
            is_comparable,
        }
    };
    let macro_f1 = merit(
        "Macro-F1",
        "Mean F1 over classes, from 0 to 1",
        &|_, eval| eval.macro_f1,
    );
    let accuracy = merit(
        "Accuracy",
        "Share of images classified right, from 0 to 1",
        &|_, eval| eval.accuracy,
    );
    let started = subjects
        .first()
        .and_then(|first| first.run.started.as_ref());
    let rarest = started.and_then(|started| Some((started, started.rarest()?)));
    let of_rarest = rarest.map(|(started, k)| {
        let (class, images) = (&started.classes[k], started.train_counts[k]);
        let help = format!("F1 of {class}, the rarest class, with {images} training images");
        // Another run may list its classes in another order.
        merit(&format!("F1 of {class}"), &help, &|of, eval| {
            let k = of.classes().iter().position(|name| name == class)?;
            *eval.f1.get(k)?
        })
    });
    [Some(macro_f1), of_rarest, Some(accuracy)]
        .into_iter()
        .flatten()
        .collect()
}

/// Interference between the frequent and the rare classes in the backbone; `None` where no run has recorded it.
fn head_against_tail(subjects: &[Subject<'_>], view: &View) -> Option<Merit> {
    let probes: Vec<_> = subjects.iter().map(|subject| subject.probe(view)).collect();
    let thirds = probes
        .iter()
        .map(|probe| (*probe)?.backbone.thirds.as_deref());
    let thirds: Vec<_> = thirds.collect();
    thirds.iter().flatten().next()?;
    let number = |value: Option<f64>| value.map_or("–".to_owned(), |x| format!("{x:.3}"));
    let floors = thirds
        .iter()
        .map(|x| number(x.and_then(|x| x.head_tail.floor)));
    let floors: Vec<_> = floors.collect();
    let values = thirds
        .iter()
        .map(|x| x.and_then(|x| x.head_tail.interference));
    let steps: Vec<_> = probes.iter().map(|probe| Some((*probe)?.step)).collect();
    Some(Merit {
        name: "Head × tail conflict".to_owned(),
        help: "Interference in the backbone between the frequent and the rarest third of the classes: mean of \
               max(0, −cosine) over their pairs, from 0 to 1, beside what noise alone makes of it (floor)"
            .to_owned(),
        values: values.collect(),
        note: format!("floor {}", floors.join(" → ")),
        is_comparable: is_near(subjects, &steps),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_take_what_has_room() {
        assert!(lines(&[], 100.0).is_empty());
        let between = SEPARATOR + 2.0 * SPACE;
        assert_eq!(lines(&[40.0, 44.0], 84.0 + between), [2]);
        assert_eq!(lines(&[40.0, 44.0], 83.0 + between), [1, 1]);
        // What is wider than a line has one of its own.
        assert_eq!(lines(&[200.0, 20.0, 20.0], 100.0), [1, 2]);
    }
}
