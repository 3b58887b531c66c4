//! Effects of steps on a class by layer and moment: where in the network and when the class is learned or unlearned.

use std::sync::Arc;

use egui::{Color32, Context, Rect, Ui};

use crate::figure::facts::ledger::{learning_rate_at, not_predicted};
use crate::figure::facts::network::layers_with_gradients;
use crate::figure::facts::probes::{Made, Need, of_probes};
use crate::figure::facts::unmeasured;
use crate::figure::facts::unread::{NO_PROBE, THIS_PROBE};
use crate::figure::kit::numerals::round_up;
use crate::figure::kit::palette;
use crate::figure::kit::palette::undefined;
use crate::figure::kit::scale::numbers_upright;
use crate::figure::kit::table::{Table, Value};
use crate::figure::kit::text::empty_ui;
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::{Subject, class_of};
use crate::figure::look::view::View;
use crate::figure::parts::bars::with_error;
use crate::figure::parts::figure::{At, Figure, Gradients, NEVER, Of};
use crate::figure::parts::lanes::{Cells, cells_ui, header};
use crate::figure::parts::unread::header_ui;
use crate::gradient::gram::Effect;
use crate::run::Run;

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::LedgerDepth,
    name: "ledger-depth",
    title: "Class influence by layer and time",
    subtitle: "Where steps help and hurt the class: first-order change of its loss through every layer, by step, in nats",
    help: "What one plain step does to the loss of the selected class through every layer (from the input down) at \
           every probe (from left to right), to first order, in nats: blue lowers it, red raises it (there the class is \
           unlearned), low is not significant (3 SE), grey is undefined. The layers of a moment add up to the ledger's \
           sum of the whole network. Where the steps of a run are no sums of class gradients, as those of Adam or \
           on another loss than cross-entropy, it is the step actually taken.",
    synonyms: &[
        "where steps help and hurt the class",
        "ledger",
        "unlearning",
        "forgetting",
        "heat map",
        "layers",
    ],
    page: Page::Class,
    in_place_of: None,
    lacks: NEVER,
    of: Of::Run,
    needs: Need::History,
    at: At::Probe,
    gradients: Gradients::AsShown,
    names_part: false,
    names_step: true,
    colour_range: None,
    chart: None,
    ui: ledger_depth_ui,
    table: |subject, _, view| table(subject, view),
};

/// Effects this many times smaller than the largest are coloured in proportion, larger effects by their power of ten.
const BEND: f64 = 144.0;

/// Effects of a step on a class through every layer, by Gram row.
type Layers = Vec<Option<Effect>>;

/// Words for the steps that are shown: those predicted or, where they are not predicted, those taken.
fn steps_shown(subject: Subject<'_>) -> &'static str {
    if not_predicted(subject.run).is_none() {
        "one plain step"
    } else {
        "the step actually taken"
    }
}

/// Effects of steps on the class at every probe, and the size of the largest in nats per step; `None` where there is
/// no class.
fn effects(ctx: &Context, subject: Subject<'_>, view: &View) -> Option<(Arc<Made<Layers>>, f64)> {
    let class = class_of(subject, view)?;
    let name = ("ledger by depth", subject.identity() ^ (class as u64 + 1));
    // Until the first step no learning rate is known.
    let key = (class, subject.run.revisions.steps.min(1));
    let made = of_probes(ctx, name, (subject, &[class]), key, |step| {
        effects_at(subject, step, class)
    });
    let effects = made.by_step.values().flat_map(|layers| layers.iter());
    let sizes = effects.flatten().map(|effect| effect.nats.abs());
    let largest = sizes.fold(0.0, f64::max);
    Some((made, largest))
}

/// Effects of a step on the class through every layer at one probe; `None` while the probe is not read.
fn effects_at(subject: Subject<'_>, step: u64, class: usize) -> Option<Layers> {
    let run = subject.run;
    let rows = subject.probes.rows_of(step, class)?;
    let (lr, shares) = (learning_rate_at(run, step), run.shares(step));
    let is_predicted = not_predicted(run).is_none();
    let of = |gram: usize| {
        let ledger = rows.ledger(&[gram])?;
        if is_predicted {
            ledger.net(lr?, &shares)
        } else {
            // Before the first step there is no step taken.
            ledger.taken().filter(|_| step > 0)
        }
    };
    let layers = layers_with_gradients(subject).map(|(_, gram)| gram + 1);
    Some((0..layers.max().unwrap_or(0)).map(of).collect())
}

/// Draws the effects of a step on the class through every layer at every moment; a click picks layer and moment.
pub(in crate::figure) fn ledger_depth_ui(
    ui: &mut Ui,
    subject: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
) -> Option<Pick> {
    let made = effects(ui.ctx(), subject, view);
    let (Some(class), Some((effects, largest))) = (class_of(subject, view), made) else {
        empty_ui(ui, NO_PROBE);
        return None;
    };
    if let Some(sentence) = unmeasured::sentence(subject, &[class]) {
        empty_ui(ui, &sentence);
        return None;
    }
    let others = shown
        .iter()
        .filter_map(|other| self::effects(ui.ctx(), *other, view));
    let end = others.fold(largest, |end, (_, other)| end.max(other));
    let area = ui.available_rect_before_wrap();
    let text = format!(
        "{}: {}, nats",
        subject.classes()[class],
        steps_shown(subject)
    );
    header_ui(ui, header(area), &text, subject, &[class]);
    let cells = Shown {
        run: subject.run,
        effects: &effects,
        scale: Scale::to(end),
    };
    cells_ui(ui, area, subject, view, &cells)
}

/// Colours of effects, from the largest that helps over 0 to the largest that hurts.
struct Scale {
    end: f64,
}

impl Scale {
    /// A scale to the next end that is 1, 2 or 5 times a power of ten.
    fn to(largest: f64) -> Self {
        let largest = largest.max(1e-12);
        Self {
            end: round_up(largest).unwrap_or(largest),
        }
    }

    /// Where an effect lies on the scale, from −1 to 1: near 0 in proportion, beyond by its power of ten.
    fn share(&self, nats: f64) -> f64 {
        let bend = |x: f64| (BEND * x).asinh();
        bend(nats / self.end) / bend(1.0)
    }

    fn ui(&self, ui: &Ui, bar: Rect) {
        let dark = ui.visuals().dark_mode;
        palette::paint_scale(ui.painter(), bar, true, |t| {
            palette::diverging(2.0 * t - 1.0, dark)
        });
        let mark = |nats: f64| {
            let text = if (1e-3..1e4).contains(&nats.abs()) {
                let decimals = -nats.abs().log10().floor().min(0.0);
                format!("{nats:+.*}", decimals as usize)
            } else {
                format!("{nats:+.0e}")
            };
            let text = text.replace('-', "−");
            (0.5 + 0.5 * self.share(nats), text)
        };
        let (end, tenth) = (self.end, self.end / 10.0);
        let mut marks = [end, tenth, -tenth, -end].map(mark).to_vec();
        marks.push((0.5, "0".to_owned()));
        numbers_upright(ui, bar, &marks);
    }
}

/// The cells of the figure: effects by layer and probe.
struct Shown<'a> {
    run: &'a Run,
    effects: &'a Made<Layers>,
    scale: Scale,
}

impl Cells for Shown<'_> {
    const NAME: &'static str = "The class by layer and moment";

    fn key(&self) -> String {
        format!("{} {}", self.effects.key(), self.scale.end)
    }

    fn color(&self, ui: &Ui, gram: usize, column: usize) -> Option<Color32> {
        let Some(effect) = self.effects.cell(self.run, gram, column)? else {
            return Some(undefined(ui));
        };
        // An effect that raises the loss is red.
        let share = -self.scale.share(effect.nats);
        let color = palette::diverging(share, ui.visuals().dark_mode);
        Some(color)
    }

    fn is_significant(&self, gram: usize, column: usize) -> bool {
        let effect = self.effects.cell(self.run, gram, column).flatten();
        match effect {
            Some(effect) => effect.resolved(),
            None => true,
        }
    }

    fn words_ui(&self, ui: &mut Ui, gram: usize, column: usize) {
        let Some(effect) = self.effects.cell(self.run, gram, column) else {
            ui.label(THIS_PROBE);
            return;
        };
        let Some(effect) = effect else {
            ui.label("undefined: too few probe images of the class, or a step that is not known, as before the first one");
            return;
        };
        ui.strong(match (effect.resolved(), effect.nats > 0.0) {
            (true, true) => "raises its loss: unlearned here",
            (true, false) => "lowers its loss: learned here",
            (false, _) => "not significant (3 SE)",
        });
        let nats = with_error(effect);
        ui.label(format!("{nats} nats per step, to first order"));
    }

    fn scale_ui(&self, ui: &Ui, bar: Rect) {
        self.scale.ui(ui, bar);
    }
}

/// The numbers of the figure: a row for every layer at every probe.
pub(in crate::figure) fn table(subject: Subject<'_>, view: &View) -> Table {
    let mut table = Table::new([
        "step",
        "epoch",
        "layer",
        "block",
        "class",
        "of",
        "effect_nats_per_step",
        "standard_error_nats_per_step",
        "resolved",
    ]);
    let Some(class) = class_of(subject, view) else {
        return table;
    };
    for probe in &subject.run.probes {
        let effects = effects_at(subject, probe.step, class);
        for (layer, gram) in layers_with_gradients(subject) {
            let effect = effects.as_ref().and_then(|effects| *effects.get(gram)?);
            table.push([
                probe.step.into(),
                probe.epoch.into(),
                layer.name.as_str().into(),
                layer.group.as_str().into(),
                subject.classes()[class].as_str().into(),
                steps_shown(subject).into(),
                effect.map(|effect| effect.nats).into(),
                effect.and_then(|effect| effect.standard_error).into(),
                effect.map_or(Value::None, |effect| effect.resolved().into()),
            ]);
        }
    }
    table
}

#[cfg(test)]
mod tests;
