//! Mean gates by class and channel.

use std::sync::Arc;

use egui::{
    Align2, FontId, Mesh, Rect, RichText, Role, Sense, Shape, Stroke, StrokeKind, Ui, pos2, vec2,
};

use crate::figure::facts::gates;
use crate::figure::facts::gates::{Branch, Shown, short, shown};
use crate::figure::facts::probes::Need;
use crate::figure::kit::memo::remembered;
use crate::figure::kit::palette;
use crate::figure::kit::scale::numbers_upright;
use crate::figure::kit::table::{Table, Value};
use crate::figure::kit::text::{empty_ui, fitted, named};
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::{Subject, order_of};
use crate::figure::look::view::View;
use crate::figure::parts::figure::{At, Figure, Gradients, Of};

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::Gates,
    name: "gates",
    title: "Attention gates by class and channel",
    subtitle: "Mean gate by class and channel, 0 to 1",
    help: "Mean gate of every class (rows) in every channel (columns), from 0 to 1, channels sorted by how much classes \
           differ in them at the newest probe. Columns of one colour treat all classes alike; a row that stands out is \
           a class the gate tells apart. With class attention the share that a class gives to a branch is shown as its \
           gate.",
    synonyms: &[
        "gates by class and channel",
        "attention",
        "channel attention",
        "CSBA",
        "squeeze and excitation",
        "gates",
    ],
    page: Page::Gates,
    in_place_of: None,
    lacks: gates::lacks,
    of: Of::Run,
    needs: Need::Gates,
    at: At::Probe,
    gradients: Gradients::No,
    names_part: false,
    names_step: true,
    colour_range: Some(|_, _| [0.0, 1.0]),
    chart: None,
    ui: |ui, subject, _, view| gates_ui(ui, subject, view),
    table: |subject, _, view| table(subject, view),
};

/// Rows at least this high, in points, have their class's name beside them.
const NAMED_ROW: f32 = 9.0;
/// Height of the figure, in points, below which it has no notes under the strips.
const LOW: f32 = 150.0;
/// Height of the branches' names above the strips.
const HEADER: f32 = 18.0;
/// Space between strips.
const GAP: f32 = 10.0;
/// Width of the colour bar with its numbers.
const BAR: f32 = 44.0;

/// The numbers of the figure: a row for every gate at the moment looked at.
pub(in crate::figure) fn table(subject: Subject<'_>, view: &View) -> Table {
    let mut table = Table::new(["step", "epoch", "branch", "class", "channel", "gate"]);
    let Some(probe) = subject.probe(view) else {
        return table;
    };
    let Some(tensors) = subject.probes.get(&probe.step) else {
        return table;
    };
    for branch in Shown::new(tensors).branches {
        for k in order_of(subject, view) {
            for channel in 0..branch.channels.len() {
                table.push([
                    probe.step.into(),
                    probe.epoch.into(),
                    branch.name.as_str().into(),
                    subject.classes()[k].as_str().into(),
                    channel.into(),
                    Value::from(branch.gate(k, channel)),
                ]);
            }
        }
    }
    table
}

/// Draws a strip of classes and channels for every branch; a click selects a class.
pub(in crate::figure) fn gates_ui(ui: &mut Ui, subject: Subject<'_>, view: &View) -> Option<Pick> {
    let shown = match shown(ui.ctx(), subject, view) {
        Ok(shown) => shown,
        Err(sentence) => {
            empty_ui(ui, &sentence);
            return None;
        }
    };
    let order = order_of(subject, view);
    let whole = ui.available_rect_before_wrap();
    let (notes, lines) = notes(&shown);
    let has_notes = whole.height() >= LOW && whole.width() > 200.0;
    let foot = if has_notes { 20.0 * lines + 8.0 } else { 2.0 };
    let area = Rect::from_min_max(
        whole.min,
        pos2(whole.right(), (whole.bottom() - foot).max(whole.top())),
    );
    let grid = Grid::new(ui, area, subject, shown.branches.len(), order.len());
    let mut pick = None;
    if grid.strips.height() >= 1.0 && grid.strip(0).width() >= 1.0 && !order.is_empty() {
        let mesh = grid.mesh(ui, &shown, subject, view, &order);
        ui.painter().add(Shape::Mesh(mesh));
        pick = grid.names_ui(ui, subject, view, &order);
        for (at, branch) in shown.branches.iter().enumerate() {
            pick = grid
                .strip_ui(ui, at, branch, subject, view, &order)
                .or(pick);
        }
        grid.paint_order(ui, &shown);
        grid.paint_bar(ui);
    }
    ui.allocate_rect(area, Sense::hover());
    if has_notes {
        for (note, help) in notes {
            let note = RichText::new(note).size(11.5);
            ui.add(egui::Label::new(note).truncate())
                .on_hover_text(help);
        }
    }
    pick
}

/// The notes under the strips, each with its explanation on hover, and the number of lines they take.
fn notes(shown: &Shown) -> (Vec<(String, &'static str)>, f32) {
    let number = |x: Option<f64>| x.map_or_else(|| "undefined".to_owned(), |x| format!("{x:.3}"));
    let branches = shown.branches.iter().map(|branch| {
        format!(
            "{} {} (sd over classes {})",
            short(&branch.name),
            number(branch.mean),
            number(branch.spread)
        )
    });
    let mut notes = vec![(
        format!("Mean gate: {}", branches.collect::<Vec<_>>().join(" · ")),
        "Mean over classes and channels, from 0 (shut) to 1 (open); in brackets the standard deviation over classes, \
         mean over channels: 0 where all classes are treated alike.",
    )];
    if shown.branches.iter().all(Branch::is_share) {
        let shares = notes[0].0.replacen("Mean gate", "Mean share", 1);
        let help = "Mean over classes of the share of its attention that each class gives to the branch, from 0 to 1; in \
                    brackets the standard deviation over classes.";
        return (vec![(shares, help)], 1.0);
    }
    if !shown.alike.is_empty() {
        let name = |at: usize| short(&shown.branches[at].name);
        let pairs = shown.alike.iter().map(|&(a, b, correlation)| {
            let correlation = correlation.map_or_else(
                || "undefined".to_owned(),
                |x| format!("{x:.2}").replace('-', "−"),
            );
            format!("{} and {} {correlation}", name(a), name(b))
        });
        notes.push((
            format!("Branches tell classes apart alike: {}", pairs.collect::<Vec<_>>().join(" · ")),
            "Correlation between branches, from −1 to 1, of how far the gates of every two classes are apart. Near 1, \
             branches tell classes apart in the same way, and one shared gate might do as well. Undefined with fewer \
             than four classes.",
        ));
    }
    let lines = notes.len() as f32;
    (notes, lines)
}

/// Layout of the figure.
struct Grid {
    /// Left edge of the names.
    left: f32,
    /// All strips, with the gaps between them.
    strips: Rect,
    branches: usize,
    rows: usize,
}

impl Grid {
    fn new(ui: &Ui, area: Rect, subject: Subject<'_>, branches: usize, rows: usize) -> Self {
        let font = FontId::proportional(11.0);
        let width = |name: &String| {
            let color = ui.visuals().text_color();
            let galley = ui
                .painter()
                .layout_no_wrap(name.clone(), font.clone(), color);
            galley.size().x
        };
        let longest = subject.classes().iter().map(width).fold(0.0, f32::max);
        let names = (longest + 10.0).min(area.width() / 4.0);
        let bar = if area.width() > 160.0 { BAR } else { 0.0 };
        let min = area.min + vec2(names, HEADER);
        let max = pos2(area.right() - bar, area.bottom() - 14.0).max(min);
        Self {
            left: area.left(),
            strips: Rect::from_min_max(min, max),
            branches,
            rows,
        }
    }

    fn strip(&self, branch: usize) -> Rect {
        let n = self.branches as f32;
        let width = (self.strips.width() - GAP * (n - 1.0)).max(0.0) / n;
        let left = self.strips.left() + branch as f32 * (width + GAP);
        Rect::from_min_size(
            pos2(left, self.strips.top()),
            vec2(width, self.strips.height()),
        )
    }

    fn row(&self, branch: usize, row: usize) -> Rect {
        let strip = self.strip(branch);
        let height = strip.height() / self.rows as f32;
        let min = pos2(strip.left(), strip.top() + row as f32 * height);
        Rect::from_min_size(min, vec2(strip.width(), height))
    }

    /// The coloured cells, made anew only where something they show has changed.
    fn mesh(
        &self,
        ui: &Ui,
        shown: &Shown,
        subject: Subject<'_>,
        view: &View,
        order: &[usize],
    ) -> Arc<Mesh> {
        let undefined = palette::undefined(ui);
        let strips = self.strips;
        let place = [strips.min.x, strips.min.y, strips.max.x, strips.max.y].map(f32::to_bits);
        let id = subject.run.started.as_ref().map(|started| &started.id);
        let revision = subject.run.revisions.probes;
        let step = subject.probe(view).map(|probe| probe.step);
        let key = (
            (id, revision, step, shown.sorted_at),
            (place, undefined, &view.order),
        );
        remembered(ui.ctx(), ("gate strips", subject.identity()), key, || {
            let mut mesh = Mesh::default();
            for (at, branch) in shown.branches.iter().enumerate() {
                for (row, &k) in order.iter().enumerate() {
                    let rect = self.row(at, row);
                    let width = rect.width() / branch.channels.len() as f32;
                    // High rows are set apart by a gap, as readers look for a class.
                    let gap = if rect.height() > 8.0 { 1.0 } else { 0.0 };
                    for (column, &channel) in branch.channels.iter().enumerate() {
                        let min = rect.min + vec2(column as f32 * width, 0.0);
                        let cell = Rect::from_min_size(min, vec2(width, rect.height() - gap));
                        let gate = branch.gate(k, channel);
                        let color = gate.map_or(undefined, palette::sequential);
                        mesh.add_colored_rect(cell, color);
                    }
                }
            }
            Arc::new(mesh)
        })
    }

    fn names_ui(
        &self,
        ui: &Ui,
        subject: Subject<'_>,
        view: &View,
        order: &[usize],
    ) -> Option<Pick> {
        let mut pick = None;
        let height = self.strips.height() / self.rows as f32;
        // With many classes only every n-th name fits.
        let every = (NAMED_ROW / height).ceil().max(1.0) as usize;
        let font = FontId::proportional((height - 1.0).clamp(8.0, 11.0));
        for (row, &k) in order.iter().enumerate() {
            let name = &subject.classes()[k];
            let beside = self.row(0, row);
            let rect = Rect::from_min_max(
                pos2(self.left, beside.top()),
                pos2((self.strips.left() - 6.0).max(self.left), beside.bottom()),
            );
            let response = ui.interact(rect, ui.scope_id().with(("class", k)), Sense::click());
            named(&response, Role::Button, name);
            if response.clicked() {
                pick = Some(Pick::Class(k));
            }
            let is_selected = view.class == Some(k);
            if row % every == 0 || is_selected {
                let color = if is_selected || response.hovered() {
                    ui.visuals().strong_text_color()
                } else {
                    ui.visuals().text_color()
                };
                let galley = fitted(ui.painter(), name, &font, color, rect.width().max(1.0));
                let size = galley.size();
                let at = pos2(rect.right() - size.x, rect.center().y - size.y / 2.0);
                ui.painter().galley(at, galley, color);
            }
            response.on_hover_text(name);
        }
        pick
    }

    fn strip_ui(
        &self,
        ui: &Ui,
        at: usize,
        branch: &Branch,
        subject: Subject<'_>,
        view: &View,
        order: &[usize],
    ) -> Option<Pick> {
        let strip = self.strip(at);
        let painter = ui.painter();
        let font = FontId::proportional(11.0);
        let name = short(&branch.name);
        // With attention of classes, a branch has a share and no channels.
        let title = match branch.channels.len() {
            1 => name.to_owned(),
            channels => format!("{name}, {channels} channels"),
        };
        let color = ui.visuals().text_color();
        let galley = fitted(painter, &title, &font, color, strip.width());
        painter.galley(strip.left_top() - vec2(0.0, HEADER - 1.0), galley, color);
        let selected = order.iter().position(|k| view.class == Some(*k));
        let stroke = |width| Stroke::new(width, ui.visuals().strong_text_color());
        if let Some(row) = selected {
            let rect = self.row(at, row);
            painter.rect_stroke(rect, 0.0, stroke(2.0), StrokeKind::Outside);
        }
        let response = ui.interact(strip, ui.scope_id().with(("strip", at)), Sense::click());
        named(
            &response,
            Role::Image,
            &format!("Gates of {}", short(&branch.name)),
        );
        let place = response.hover_pos().or(response.interact_pointer_pos())?;
        let share = (place - strip.min) / strip.size();
        let index = |share: f32, n: usize| ((share.max(0.0) * n as f32) as usize).min(n - 1);
        let row = index(share.y, self.rows);
        let column = index(share.x, branch.channels.len());
        let (&k, &channel) = order.get(row).zip(branch.channels.get(column))?;
        let is_clicked = response.clicked();
        response.on_hover_ui_at_pointer(|ui| {
            ui.strong(&subject.classes()[k]);
            if branch.is_share() {
                ui.label(short(&branch.name));
            } else {
                ui.label(format!("{}, channel {channel}", short(&branch.name)));
            }
            ui.label(match branch.gate(k, channel) {
                Some(share) if branch.is_share() => {
                    format!("mean share {share:.3} of the class's attention, from 0 to 1")
                }
                Some(gate) => format!("mean gate {gate:.3}, from 0 (shut) to 1 (open)"),
                None => "undefined: no training image to probe".to_owned(),
            });
        });
        is_clicked.then_some(Pick::Class(k))
    }

    /// Says under the strips in what order the channels are.
    fn paint_order(&self, ui: &Ui, shown: &Shown) {
        if shown.branches.iter().all(Branch::is_share) {
            return;
        }
        let weak = ui.visuals().weak_text_color();
        let text = match shown.sorted_at {
            Some(step) => {
                format!("channels, those to the left in which classes differ most at step {step}")
            }
            None => "channels, classes differ most to the left".to_owned(),
        };
        let font = FontId::proportional(10.5);
        let galley = fitted(ui.painter(), &text, &font, weak, self.strips.width());
        let at = self.strips.left_bottom() + vec2(0.0, 1.0);
        ui.painter().galley(at, galley, weak);
    }

    fn paint_bar(&self, ui: &Ui) {
        if ui.max_rect().right() - self.strips.right() < 30.0 {
            return;
        }
        let min = self.strips.right_top() + vec2(12.0, 0.0);
        let bar = Rect::from_min_size(min, vec2(10.0, self.strips.height()));
        palette::paint_scale(ui.painter(), bar, true, |t| palette::sequential(1.0 - t));
        let marks = [0.0, 0.5, 1.0].map(|x: f64| (x, x.to_string()));
        numbers_upright(ui, bar, &marks);
        let color = ui.visuals().weak_text_color();
        let at = bar.center_top() - vec2(0.0, 4.0);
        let font = FontId::proportional(10.5);
        ui.painter()
            .text(at, Align2::CENTER_BOTTOM, "gate", font, color);
    }
}

#[cfg(test)]
mod tests;
