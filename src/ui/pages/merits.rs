//! The figures of merit above the overview: a line, of one height, that scrolls to the side if it is too long, with the scores of the run shown or, where two are
//! shown, of both and the change from A to B.

use egui::{Align, Layout, RichText, ScrollArea, vec2};

use crate::figure::{self, View};
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
    let evals: Vec<Option<&Eval>> = subjects
        .iter()
        .map(|subject| figure::evaluation(*subject, view))
        .collect();
    let is_near = |steps: Vec<Option<u64>>| match (&subjects[..], &steps[..]) {
        ([a, b], [Some(of_a), Some(of_b)]) => {
            let moments = [(a.name, a.run, *of_a), (b.name, b.run, *of_b)];
            a.classes() == b.classes() && comparable(moments).is_ok()
        }
        _ => false,
    };
    let steps = evals
        .iter()
        .map(|eval| eval.map(|eval| eval.step))
        .collect();
    let is_split = evals.windows(2).all(|pair| match pair {
        [Some(a), Some(b)] => a.split == b.split,
        _ => true,
    });
    let is_comparable = is_near(steps) && is_split;
    let images = evals
        .iter()
        .flatten()
        .next()
        .map_or("", |eval| match eval.split {
            Split::Train => "training",
            Split::Val => "validation",
            Split::Test => "test",
        });
    let of_evals = |name: &str, help: &str, value: &dyn Fn(&Eval) -> Option<f64>| Merit {
        name: name.to_owned(),
        help: format!("{help}, on {images} images at the moment shown"),
        values: evals.iter().map(|eval| value((*eval)?)).collect(),
        note: String::new(),
        is_comparable,
    };
    let mut merits = vec![of_evals(
        "Macro-F1",
        "Mean F1 over classes, from 0 to 1",
        &|eval| eval.macro_f1,
    )];
    let started = subjects
        .first()
        .and_then(|subject| subject.run.started.as_ref());
    if let Some(started) = started
        && let Some(rarest) = started.rarest()
    {
        let name = format!("F1 of {}", started.classes[rarest]);
        let help = format!(
            "F1 of the rarest class, with {} training images",
            started.train_counts[rarest]
        );
        merits.push(of_evals(&name, &help, &|eval| *eval.f1.get(rarest)?));
    }
    merits.push(of_evals(
        "Accuracy",
        "Share of images classified right, from 0 to 1",
        &|eval| eval.accuracy,
    ));
    let probes = subjects.iter().map(|subject| subject.probe(view));
    let probes: Vec<_> = probes.collect();
    let thirds = probes
        .iter()
        .map(|probe| probe.and_then(|probe| probe.backbone.thirds.as_deref()));
    let thirds: Vec<_> = thirds.collect();
    if thirds.iter().any(Option::is_some) {
        let number = |value: Option<f64>| value.map_or("–".to_owned(), |x| format!("{x:.3}"));
        let floors = thirds
            .iter()
            .map(|x| number(x.and_then(|x| x.head_tail.floor)));
        let floors: Vec<_> = floors.collect();
        merits.push(Merit {
            name: "Head × tail conflict".to_owned(),
            help: "Interference in the backbone between the frequent and the rarest third of the classes: mean of \
                   max(0, −cosine) over their pairs, from 0 to 1, beside what noise alone makes of it (floor)"
                .to_owned(),
            values: thirds
                .iter()
                .map(|x| x.and_then(|x| x.head_tail.interference))
                .collect(),
            note: format!("floor {}", floors.join(" → ")),
            is_comparable: is_near(probes.iter().map(|x| x.map(|x| x.step)).collect()),
        });
    }
    merits
}
