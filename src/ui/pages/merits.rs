//! The figures of merit above the overview: a line, of one height, that scrolls to the side if it is too long, with the scores of the run shown or, where two are
//! shown, of both and the change from A to B.

use egui::{Align, Layout, RichText, ScrollArea, vec2};

use crate::figure::{self, Subject, View};
use crate::run::comparable;
use crate::run::event::{Eval, Split};
use crate::text::signed;
use crate::ui::state::runs::RunEntry;

/// Height of the line, in points.
const LINE: f32 = 22.0;

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

/// Draws the line.
pub(super) fn merits_ui(ui: &mut egui::Ui, entries: &[&RunEntry], view: &View) {
    let size = vec2(ui.available_width(), LINE);
    let merits = merits(entries, view);
    ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_height(LINE);
        ui.spacing_mut().item_spacing.x = 5.0;
        let scroll = ScrollArea::horizontal().id_salt("figures of merit");
        scroll.show(ui, |ui| {
            for (at, merit) in merits.iter().enumerate() {
                if at > 0 {
                    ui.separator();
                }
                merit.show(ui);
            }
        });
    });
}

impl Merit {
    fn show(&self, ui: &mut egui::Ui) {
        let response = ui.scope(|ui| {
            ui.label(RichText::new(&self.name).weak());
            ui.label(RichText::new(self.words()).strong());
            if !self.note.is_empty() {
                ui.label(RichText::new(&self.note).small().weak());
            }
        });
        response.response.on_hover_text(&self.help);
    }

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
        let help = format!("F1 of the rarest class, with {images} training images");
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
