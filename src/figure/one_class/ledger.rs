//! The ledger of a class at one moment: which classes' gradients lower its loss, and which raise it.

use egui::{
    Align2, Color32, Context, FontId, Rangef, Rect, RichText, Role, Sense, Stroke, Ui, WidgetInfo,
    pos2, vec2,
};

use crate::figure::facts::ledger::{
    Account, BEYOND_FIRST_ORDER, Moment, TOO_LARGE, account, measured_on, no_shares, not_predicted,
};
use crate::figure::facts::probes::Need;
use crate::figure::facts::unmeasured;
use crate::figure::kit::memo::is_exporting;
use crate::figure::kit::numerals::three_figures;
use crate::figure::kit::palette;
use crate::figure::kit::table::{Table, Value};
use crate::figure::kit::text::{empty_ui, fitted};
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::{Subject, class_of};
use crate::figure::look::view::View;
use crate::figure::parts::bars::{AXIS_HEIGHT, BarAxis, color_of, with_error};
use crate::figure::parts::figure::{At, Figure, Gradients, NEVER, Of};
use crate::gradient::gram::Effect;

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::Ledger,
    name: "ledger",
    title: "Class influence",
    subtitle: "Who helps and who hurts the class: first-order change of its loss by each class’s share of a step, in nats",
    help: "What each class's share of one plain gradient step does to the loss of the selected class, to first order, \
           in nats. Bars to the left lower its loss: that class helps; bars to the right raise it: that class hurts. \
           Hollow bars are not significant (3 SE).",
    synonyms: &[
        "who helps and who hurts the class",
        "ledger",
        "influence",
        "first-order change",
        "transference",
        "helps and hurts",
    ],
    page: Page::Class,
    in_place_of: None,
    lacks: NEVER,
    of: Of::Run,
    needs: Need::Change,
    at: At::Probe,
    gradients: Gradients::AsShown,
    names_part: true,
    names_step: true,
    colour_range: None,
    chart: None,
    ui: ledger_ui,
    table: |subject, _, view| table(subject, view),
};

/// Least and largest height of a row, in points.
const ROW: (f32, f32) = (15.0, 28.0);
/// Width from which on the numbers stand beside the bars.
const NUMBERS_FROM: f32 = 330.0;
const NUMBERS_WIDTH: f32 = 104.0;

/// Draws the ledger; a click on a bar picks the pair.
pub(in crate::figure) fn ledger_ui(
    ui: &mut Ui,
    subject: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
) -> Option<Pick> {
    let account = account(ui.ctx(), subject, view);
    let pick = class_ui(ui, subject, view, account.as_deref().ok());
    let account = match account {
        Ok(account) => account,
        Err(sentence) => {
            match moment_at_cursor(subject, view) {
                Some(moment) if no_shares(subject.run).is_some() => {
                    measured_ui(ui, &sentence, subject, &moment);
                }
                _ => empty_ui(ui, &sentence),
            }
            return pick;
        }
    };
    let all: Vec<_> = shown
        .iter()
        .filter_map(|other| self::account(ui.ctx(), *other, view).ok())
        .collect();
    let ends = all.iter().chain([&account]).flat_map(|account| {
        let effects = account.shares.iter().map(|(_, effect)| effect);
        let ends = |effect: &Effect| {
            let error = effect.standard_error.unwrap_or(0.0);
            [effect.nats - error, effect.nats + error]
        };
        effects.chain([&account.net]).flat_map(ends)
    });
    let names = subject.classes();
    let area = ui.available_rect_before_wrap();
    let picture = Picture::new(ui, area, (names, account.class), ends);
    let clicked = picture.draw(ui, &account, names, view);
    ui.allocate_rect(area, Sense::hover());
    pick.or(clicked)
}

/// Names the class of the ledger, offers the others, and states the joint effect of all classes.
fn class_ui(
    ui: &mut Ui,
    subject: Subject<'_>,
    view: &View,
    account: Option<&Account>,
) -> Option<Pick> {
    let names = subject.classes();
    let class = class_of(subject, view)?;
    let mut pick = None;
    ui.horizontal_wrapped(|ui| {
        let label = ui.label("Class");
        if is_exporting(ui.ctx()) {
            ui.strong(&names[class]);
        } else {
            let combo = egui::ComboBox::from_id_salt("class")
                .selected_text(&names[class])
                .height(320.0)
                .show_ui(ui, |ui| {
                    for (k, name) in names.iter().enumerate() {
                        if ui.selectable_label(k == class, name).clicked() {
                            pick = Some(Pick::Class(k));
                        }
                    }
                });
            combo
                .response
                .labelled_by(label.id)
                .on_hover_text("The class whose loss is looked at");
        }
        if view.class.is_none_or(|k| k >= names.len()) {
            ui.weak("the rarest")
                .on_hover_text("No class is selected: choose one here, or click a class anywhere");
        }
        match account {
            Some(account) if account.is_whole => net_text_ui(ui, &account.net),
            Some(_) => {
                let (text, hint) = match unmeasured::count(subject) {
                    Some(count) => (
                        format!("{count} are measured"),
                        "With batch norm as in training not all classes are measured: what they do together is not known"
                            .to_owned(),
                    ),
                    None => (
                        "not all classes are measured".to_owned(),
                        not_predicted(subject.run).unwrap_or_default(),
                    ),
                };
                ui.weak(text).on_hover_text(hint);
            }
            None => {}
        }
    });
    pick
}

/// The changes of the loss at the cursor.
fn moment_at_cursor(subject: Subject<'_>, view: &View) -> Option<Moment> {
    let (class, probe) = (class_of(subject, view)?, subject.probe(view)?);
    Moment::of(subject, view, class, probe.step)
}

/// Writes the measured effects of steps, for a run whose effects are not predicted.
fn measured_ui(ui: &mut Ui, sentence: &str, subject: Subject<'_>, moment: &Moment) {
    ui.add_space(4.0);
    ui.label(RichText::new(sentence).weak());
    ui.add_space(8.0);
    let step = moment.step;
    if let Some(taken) = &moment.taken {
        let nats = with_error(taken);
        ui.label(format!(
            "The step taken before step {step} changes its loss by {nats} nats, to first order."
        ));
    }
    if let Some(measured) = moment.measured {
        ui.label(format!(
            "Since the probe before, its loss changed by {} nats per step, all layers together, on {}.",
            three_figures(measured),
            measured_on(subject.run)
        ));
    }
}

fn net_text_ui(ui: &mut Ui, net: &Effect) {
    let word = match (net.resolved(), net.nats > 0.0) {
        (true, true) => "is being unlearned",
        (true, false) => "is being learned",
        (false, _) => "not told apart from standing still",
    };
    let dark = ui.visuals().dark_mode;
    let text = RichText::new(word).color(if net.resolved() {
        palette::diverging(-net.nats.signum(), dark)
    } else {
        ui.visuals().weak_text_color()
    });
    ui.label(text).on_hover_text(format!(
        "All classes together change its loss by {} nats in one plain gradient step, to first order. It is told apart \
         from 0 beyond 3 standard errors.",
        with_error(net)
    ));
}

/// The name of the class's own row in its ledger.
fn itself(name: &str) -> String {
    format!("{name} itself")
}

/// A row of the ledger.
enum Row<'a> {
    Share(usize, &'a Effect),
    /// All classes that have no row of their own: their number and their joint effect.
    Others(usize, Effect),
    Net(&'a Effect),
}

/// Layout of the figure.
struct Picture {
    /// Names, bars and numbers, without the axis.
    area: Rect,
    axis: BarAxis,
    font: FontId,
    numbers: bool,
}

impl Picture {
    fn new(
        ui: &Ui,
        area: Rect,
        (names, class): (&[String], usize),
        ends: impl Iterator<Item = f64>,
    ) -> Self {
        let font = FontId::proportional(12.0);
        let width = |name: &String| {
            let galley = ui
                .painter()
                .layout_no_wrap(name.clone(), font.clone(), Color32::WHITE);
            galley.size().x
        };
        let itself = itself(&names[class]);
        let longest = names.iter().chain([&itself]).map(width);
        let longest = longest.fold(60.0, f32::max);
        let numbers = area.width() >= NUMBERS_FROM;
        let left = area.left() + (longest + 22.0).min(area.width() / 3.0);
        let right = area.right() - if numbers { NUMBERS_WIDTH } else { 4.0 };
        Self {
            area: area.with_max_y(area.bottom() - 2.0 * AXIS_HEIGHT),
            axis: BarAxis::new(ends, Rangef::new(left, right.max(left + 1.0))),
            font,
            numbers,
        }
    }

    fn draw(&self, ui: &mut Ui, account: &Account, names: &[String], view: &View) -> Option<Pick> {
        let room = (self.area.height() / ROW.0).floor().max(0.0) as usize;
        let rows = rows(account, room);
        let height = (self.area.height() / rows.len().max(1) as f32).clamp(ROW.0, ROW.1);
        let used = Rect::from_min_size(
            self.area.min,
            vec2(self.area.width(), height * rows.len() as f32),
        );
        let painter = ui.painter().clone();
        let mut pick = None;
        if rows.is_empty() {
            return None;
        }
        self.axis.paint(&painter, ui, used);
        let text = format!("← helps · {} · hurts →", self.axis.unit());
        let color = ui.visuals().weak_text_color();
        let galley = painter.layout_no_wrap(text, FontId::proportional(11.0), color);
        // The text stands under 0, but not outside the figure.
        let width = galley.size().x;
        let last = (used.right() - width).max(used.left());
        let left = (self.axis.at(0.0) - width / 2.0).clamp(used.left(), last);
        painter.galley(pos2(left, used.bottom() + AXIS_HEIGHT), galley, color);
        for (i, row) in rows.iter().enumerate() {
            let min = used.min + vec2(0.0, i as f32 * height);
            let rect = Rect::from_min_size(min, vec2(used.width(), height));
            pick = self.row_ui(ui, rect, row, account, names, view).or(pick);
        }
        pick
    }

    fn row_ui(
        &self,
        ui: &Ui,
        rect: Rect,
        row: &Row<'_>,
        account: &Account,
        names: &[String],
        view: &View,
    ) -> Option<Pick> {
        let painter = ui.painter();
        let (name, label, effect) = named(row, account, names);
        let response = ui.interact(rect, ui.scope_id().with(&label), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &label));
        let is_pair = |j: usize| {
            let pair = view.pair.map(|(a, b)| (a.min(b), a.max(b)));
            pair == Some((j.min(account.class), j.max(account.class)))
        };
        let selected = matches!(row, Row::Share(j, _) if is_pair(*j));
        if selected || response.hovered() {
            painter.rect_filled(rect, 2.0, ui.visuals().text_color().gamma_multiply(0.08));
        }
        if let Row::Net(_) = row {
            let stroke = Stroke::new(1.0, ui.visuals().weak_text_color());
            painter.hline(rect.x_range(), rect.top(), stroke);
        }
        if let Row::Share(j, _) = row {
            let swatch = pos2(rect.left() + 5.0, rect.center().y);
            painter.rect_filled(
                Rect::from_center_size(swatch, vec2(9.0, 9.0)),
                2.0,
                palette::class(*j),
            );
        }
        let color = ui.visuals().text_color();
        let room = self.axis.at(f64::NEG_INFINITY) - rect.left() - 20.0;
        let galley = fitted(painter, &name, &self.font, color, room.max(8.0));
        let at = pos2(rect.left() + 14.0, rect.center().y - galley.size().y / 2.0);
        painter.galley(at, galley, color);
        let y = rect.y_range().shrink(0.18 * rect.height());
        self.axis.bar(ui, y, effect, color_of(ui, effect));
        if self.numbers {
            let color = if effect.resolved() {
                color
            } else {
                ui.visuals().weak_text_color()
            };
            let at = pos2(rect.right() - 2.0, rect.center().y);
            let font = FontId::proportional(11.0);
            painter.text(
                at,
                Align2::RIGHT_CENTER,
                self.axis.effect(effect),
                font,
                color,
            );
        }
        let clicked = response.clicked();
        response.on_hover_ui_at_pointer(|ui| row_text_ui(ui, row, effect, &label));
        match row {
            Row::Share(j, _) if clicked && *j != account.class => {
                Some(Pick::Pair(account.class, *j))
            }
            Row::Share(..) | Row::Others(..) | Row::Net(_) => None,
        }
    }
}

/// The name of a row beside its bar, its accessible name, and its effect.
fn named<'a>(
    row: &'a Row<'a>,
    account: &Account,
    names: &[String],
) -> (String, String, &'a Effect) {
    let subject = &names[account.class];
    match row {
        Row::Share(j, effect) if *j == account.class => {
            (itself(subject), format!("{subject} on itself"), *effect)
        }
        Row::Share(j, effect) => (
            names[*j].clone(),
            format!("{} on {subject}", names[*j]),
            *effect,
        ),
        Row::Others(n, effect) => (format!("{n} others"), "Others together".to_owned(), effect),
        Row::Net(effect) if account.is_whole => {
            ("all".to_owned(), format!("All on {subject}"), *effect)
        }
        Row::Net(effect) => (
            "all measured".to_owned(),
            format!("All measured classes on {subject}"),
            *effect,
        ),
    }
}

fn row_text_ui(ui: &mut Ui, row: &Row<'_>, effect: &Effect, label: &str) {
    ui.set_max_width(300.0);
    ui.strong(label);
    ui.label(format!("{} nats per step", with_error(effect)));
    ui.label(match (row, effect.resolved(), effect.nats > 0.0) {
        (Row::Others(..), ..) => {
            "the classes with the smallest shares; a table of the figure lists them all"
        }
        (_, false, _) => "not significant (3 SE)",
        (_, true, true) => "raises the loss: hurts",
        (_, true, false) => "lowers the loss: helps",
    });
    if effect.nats.abs() > BEYOND_FIRST_ORDER {
        ui.label(TOO_LARGE);
    }
    if let Row::Share(..) = row {
        ui.weak("Click to follow the pair over time.");
    }
}

/// As many rows as there is room for: the strongest shares from most hurtful to most helpful, the rest together, the
/// net last.
fn rows(account: &Account, room: usize) -> Vec<Row<'_>> {
    if room < 2 {
        return Vec::new();
    }
    let shares = &account.shares;
    let mut drawn: Vec<usize> = (0..shares.len()).collect();
    let mut rows = Vec::new();
    if shares.len() + 1 > room {
        drawn.sort_by(|&a, &b| shares[b].1.nats.abs().total_cmp(&shares[a].1.nats.abs()));
        let rest = drawn.split_off(room - 2);
        drawn.sort_unstable();
        let sum = rest.iter().map(|&i| shares[i].1.nats).sum();
        let together = Effect {
            nats: sum,
            standard_error: None,
        };
        rows.push(Row::Others(rest.len(), together));
    }
    let drawn = drawn
        .into_iter()
        .map(|i| Row::Share(shares[i].0, &shares[i].1));
    let mut all: Vec<_> = drawn.collect();
    all.extend(rows);
    all.push(Row::Net(&account.net));
    all
}

/// The numbers of the ledger.
pub(in crate::figure) fn table(subject: Subject<'_>, view: &View) -> Table {
    let mut table = Table::new([
        "class",
        "on_class",
        "effect_nats_per_step",
        "standard_error_nats_per_step",
        "resolved",
        "step",
    ]);
    let names = subject.classes();
    let step = subject.probe(view).map(|probe| probe.step);
    let mut push = |name: &str, class: usize, effect: &Effect| {
        table.push([
            name.into(),
            names[class].as_str().into(),
            effect.nats.into(),
            effect.standard_error.into(),
            effect.resolved().into(),
            step.map_or(Value::None, Value::from),
        ]);
    };
    // A new context, so that no value is taken that was remembered elsewhere.
    let Ok(account) = account(&Context::default(), subject, view) else {
        let moment = moment_at_cursor(subject, view).filter(|_| no_shares(subject.run).is_some());
        if let (Some(class), Some(taken)) = (class_of(subject, view), moment.and_then(|x| x.taken))
        {
            push("step taken", class, &taken);
        }
        return table;
    };
    let shares = account
        .shares
        .iter()
        .map(|(j, effect)| (names[*j].as_str(), effect));
    let all = match account.is_whole {
        true => "all together",
        false => "all measured together",
    };
    for (name, effect) in shares.chain([(all, &account.net)]) {
        push(name, account.class, effect);
    }
    table
}

#[cfg(test)]
mod tests;
