//! How a change of configuration changes the conflict between every pair of classes, over seeds: the mean difference
//! of their cosines at the last step.

use std::sync::Arc;

use egui::{RichText, Sense, Ui};

use crate::compare::Comparison;
use crate::compare::contrast::{
    Contrast, Row, difference_text, mean_text, probability, remark, with_seeds,
};
use crate::compare::pairs::{cosines, row_of};
use crate::figure::facts::conflict::Change;
use crate::figure::facts::groups::{
    NOTHING, compared, compared_once, comparison_key, contrast_of, runs_of,
};
use crate::figure::facts::probes::Need;
use crate::figure::kit::memo::remembered;
use crate::figure::kit::palette;
use crate::figure::kit::square::{Cells, Grid, Look, Number, diagonal};
use crate::figure::kit::table::{Table, Value};
use crate::figure::kit::text::{above, empty_ui};
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::{Subject, order_of};
use crate::figure::look::view::View;
use crate::figure::parts::figure::{At, Figure, Gradients, NEVER, Of};
use crate::gradient::gram::Gram;
use crate::run::Scope;
use crate::text::one_or_more;

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::PairDifference,
    name: "pair-difference",
    title: "Gradient Conflict Matrix, change between groups",
    subtitle: "What changes between classes: mean paired difference of every pair’s cosine",
    help: "Difference of every pair's cosine at the last step between two groups of runs, paired by seed: the mean over \
           seeds. Blue: the classes pull less against each other than in the baseline; red: more. Low: the 95 % \
           interval by Student's t holds 0 (of a single seed: within 3 standard errors); hatched: undefined.",
    synonyms: &[
        "what changes between classes",
        "ablation",
        "GCM",
        "cosine similarity",
        "paired test",
        "seeds",
    ],
    page: Page::Compare,
    in_place_of: None,
    lacks: NEVER,
    of: Of::Group,
    needs: Need::Last,
    at: At::End,
    gradients: Gradients::AsShown,
    names_part: true,
    names_step: false,
    colour_range: None,
    chart: None,
    ui: pair_difference_ui,
    table,
};

/// The differences of every pair between a group and the baseline.
struct Means {
    rows: Vec<Row>,
    /// Index of the contrast shown.
    at: usize,
    /// For every row, whether its difference is told apart from 0.
    resolved: Vec<bool>,
    /// Number of runs whose last probe is read, and of all runs that take part.
    probes: [usize; 2],
}

impl Means {
    fn of(comparison: &Comparison, at: usize, shown: &[Subject<'_>], scope: &Scope) -> Self {
        let grams = grams(comparison, shown, scope);
        let rows = cosines(comparison, &grams);
        let group = comparison.others()[at];
        let resolved = rows.iter().map(|row| {
            let contrast = &row.contrasts[at];
            match contrast.paired.as_ref().and_then(|paired| paired.interval) {
                Some([low, high]) => low > 0.0 || high < 0.0,
                None => false,
            }
        });
        let mut means = Self {
            resolved: resolved.collect(),
            rows,
            at,
            probes: [0, 0],
        };
        for group in [comparison.baseline, group] {
            means.probes[0] += grams[group].iter().flatten().count();
            means.probes[1] += grams[group].len();
        }
        means.resolve_single(comparison, &grams);
        means
    }

    /// A single pair of runs has no interval over seeds: its differences are resolved by the errors within each run.
    fn resolve_single(&mut self, comparison: &Comparison, grams: &[Vec<Option<Gram>>]) {
        let k = comparison.classes.len();
        let gram = |group: usize, seed: u64| {
            let seeds = &comparison.groups[group].seeds;
            let at = seeds.iter().position(|&other| other == seed)?;
            grams[group][at].as_ref()
        };
        for a in 0..k {
            for b in a + 1..k {
                let Some(row) = row_of(k, a, b) else { continue };
                let contrast = &self.rows[row].contrasts[self.at];
                let [seed] = contrast.seeds[..] else { continue };
                let runs = gram(comparison.baseline, seed).zip(gram(contrast.group, seed));
                self.resolved[row] =
                    runs.is_some_and(|(before, after)| Change::of(before, after, a, b).resolved());
            }
        }
    }

    fn contrast(&self, row: usize) -> &Contrast {
        &self.rows[row].contrasts[self.at]
    }

    fn difference(&self, row: usize) -> Option<f64> {
        self.contrast(row).paired.as_ref().map(|paired| paired.mean)
    }

    /// The largest number of seeds that any pair of classes has.
    fn seeds(&self) -> usize {
        let seeds = (0..self.rows.len()).map(|row| self.contrast(row).seeds.len());
        seeds.max().unwrap_or(0)
    }
}

/// Gram matrices at the last step of every run that is compared, in the selected part of the network.
fn grams(comparison: &Comparison, shown: &[Subject<'_>], scope: &Scope) -> Vec<Vec<Option<Gram>>> {
    let of = |subject: Subject<'_>| {
        let probe = subject.run.probes.last()?;
        let tensors = subject.probes.get(&probe.step)?;
        tensors.gram_of(&subject.run.gram_rows(scope))
    };
    let groups = 0..comparison.groups.len();
    groups
        .map(|group| {
            let runs = runs_of(&comparison.groups[group], shown);
            runs.into_iter().map(of).collect()
        })
        .collect()
}

struct Differences<'a> {
    comparison: &'a Comparison,
    means: &'a Means,
    /// End of the colour scale, as a difference of cosines.
    end: f64,
}

impl Differences<'_> {
    fn row(&self, a: usize, b: usize) -> Option<usize> {
        row_of(self.comparison.classes.len(), a, b)
    }
}

impl Cells for Differences<'_> {
    const NAME: &'static str = "Mean difference of conflict matrices";

    fn look(&self, ui: &Ui, a: usize, b: usize) -> Look {
        let Some(row) = self.row(a, b) else {
            return diagonal(ui);
        };
        let Some(difference) = self.means.difference(row) else {
            return Look::undefined(ui);
        };
        let resolved = self.means.resolved[row];
        let color = palette::diverging(difference / self.end, ui.visuals().dark_mode);
        Look {
            color,
            hatched: false,
            number: Number::Decimal(difference),
            significant: resolved,
        }
    }

    fn name(&self, a: usize, b: usize) -> String {
        let classes = &self.comparison.classes;
        format!("{} × {}", classes[a], classes[b])
    }

    fn words_ui(&self, ui: &mut Ui, a: usize, b: usize) {
        ui.set_max_width(420.0);
        ui.strong(self.name(a, b));
        let Some(row) = self.row(a, b) else { return };
        let contrast = self.means.contrast(row);
        for group in [self.comparison.baseline, contrast.group] {
            let values = mean_text(&self.means.rows[row].values[group], 2);
            let name = &self.comparison.groups[group].name;
            ui.label(format!("cosine {values}, {name}"));
        }
        let difference = difference_text(contrast.paired.as_ref(), 2);
        ui.label(format!("difference {difference}"));
        let p = contrast.paired.as_ref().and_then(|paired| paired.p);
        if let (Some(p), Some(corrected)) = (p, contrast.corrected_p) {
            let (p, corrected) = (probability(p), probability(corrected));
            ui.label(format!("exact p {p}, by Holm {corrected}"));
        }
        ui.label(RichText::new(&contrast.sentence).weak());
    }

    fn pick(&self, a: usize, b: usize) -> Option<Pick> {
        (a != b).then_some(Pick::Pair(a, b))
    }
}

/// Draws the mean difference of the subject's group from the group of the first run shown; a click picks a pair.
pub(in crate::figure) fn pair_difference_ui(
    ui: &mut Ui,
    subject: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
) -> Option<Pick> {
    let found = compared_once(ui.ctx(), shown);
    let Ok(comparison) = &*found else {
        empty_ui(ui, NOTHING);
        return None;
    };
    let at = contrast_of(comparison, subject);
    let is_there = |x: &Subject<'_>| {
        let last = x.run.probes.last();
        last.is_some_and(|probe| x.probes.get(&probe.step).is_some())
    };
    let there: Vec<_> = shown.iter().map(is_there).collect();
    let key = (comparison_key(shown), there, at, view.scope.clone());
    let means = remembered(ui.ctx(), ("pair difference", 0), key, || {
        Arc::new(Means::of(comparison, at, shown, &view.scope))
    });
    let values = (0..means.rows.len()).filter_map(|row| means.difference(row));
    let values: Vec<f64> = values.collect();
    if values.is_empty() {
        empty_ui(ui, &nothing(&means, view));
        return None;
    }
    let groups = &comparison.groups;
    let (group, base) = (
        &groups[comparison.others()[at]].name,
        &groups[comparison.baseline].name,
    );
    let note = format!("{group} − {base}, {}{}", view.scope.name(), missing(&means));
    ui.add(egui::Label::new(RichText::new(note).size(11.0).weak()).truncate());
    // The order and the names of the classes are those of a run that has the classes that are compared.
    let fits = |x: &&Subject<'_>| x.classes() == comparison.classes.as_slice();
    let named = shown.iter().find(fits).copied().unwrap_or(subject);
    // Lines that the sentence below takes.
    let lines = match ui.available_width() {
        width if width < 340.0 => 3.0,
        width if width < 740.0 => 2.0,
        _ => 1.0,
    };
    let area = above(ui, lines);
    let end = scale_end(values.iter().copied());
    let (most, least) = (format!("+{end:.2}"), format!("−{end:.2}"));
    let grid = Grid::new(ui, area, named, view, [&most, "0", &least]);
    let dark = ui.visuals().dark_mode;
    grid.paint_bar(ui, |x| palette::diverging(x, dark));
    let cells = Differences {
        comparison,
        means: &means,
        end,
    };
    let marked: Vec<_> = view
        .pair
        .iter()
        .flat_map(|&(a, b)| [(a, b, 2.0), (b, a, 1.0)])
        .collect();
    let pick = grid.show(ui, view, &cells, &marked);
    ui.allocate_rect(area, Sense::hover());
    summary_ui(ui, &means);
    pick
}

/// Why there is no difference at all.
fn nothing(means: &Means, view: &View) -> String {
    match means.probes {
        [0, 0] => "No run is compared.".to_owned(),
        [there, all] if there < all => format!(
            "The probes of the last step are being read, or their files are missing: {there} of {all} are there."
        ),
        _ => format!(
            "No seed has {} in both groups, or no class has a gradient there.",
            view.scope.name()
        ),
    }
}

fn missing(means: &Means) -> String {
    match means.probes {
        [there, all] if there < all => format!(", {there} of {all} probes read"),
        _ => String::new(),
    }
}

/// How many of some pairs of classes are told apart from 0 over so many seeds: those that pull less against each other,
/// and those that pull more. The intervals are not corrected for the number of pairs, so that one in twenty excludes 0 by
/// chance.
fn summary(seeds: usize, pairs: usize, [less, more]: [usize; 2]) -> String {
    let over = with_seeds(seeds);
    let (number, s) = match less + more {
        0 => ("none".to_owned(), "s"),
        1 => ("1".to_owned(), "s"),
        number => (number.to_string(), ""),
    };
    let found = if seeds > 1 {
        let chance = match pairs as f64 / 20.0 {
            few if few < 1.0 => "less than 1".to_owned(),
            many => format!("about {many:.0}"),
        };
        let all = one_or_more(pairs, "interval", "intervals");
        let chance = match less + more {
            0 => String::new(),
            _ => format!(" (by chance {chance})"),
        };
        format!("Over {over} {number} of {all} exclude{s} 0{chance}")
    } else {
        let all = one_or_more(pairs, "pair", "pairs");
        format!("With {over} {number} of {all} differ{s} by more than 3 standard errors")
    };
    match less + more {
        0 => found,
        _ => format!("{found}: less pull in {less}, more in {more}"),
    }
}

fn summary_ui(ui: &mut Ui, means: &Means) {
    let of = |sign: f64| {
        let rows = (0..means.rows.len()).filter(|&row| means.resolved[row]);
        let values = rows.filter_map(|row| means.difference(row));
        values.filter(|x| x * sign > 0.0).count()
    };
    let known = (0..means.rows.len()).filter(|&row| means.difference(row).is_some());
    let mut text = summary(means.seeds(), known.count(), [of(1.0), of(-1.0)]);
    if remark(&means.rows, means.at).is_some() {
        let needed = (0..means.rows.len()).map(|row| means.contrast(row).pairs_needed);
        let needed = needed.max().unwrap_or(0);
        text.push_str(&format!(
            "; to call any significant takes {}",
            with_seeds(needed)
        ));
    }
    ui.add(egui::Label::new(text).wrap()).on_hover_text(
        "Pairs whose 95 % interval of the mean difference does not hold 0; of a single seed, those that differ by more \
         than 3 standard errors. None of this is corrected for the number of pairs; what is significant after \
         correction is said when a pair is hovered.",
    );
}

/// The numbers of the figure: every pair of classes, seed by seed.
pub(in crate::figure) fn table(subject: Subject<'_>, shown: &[Subject<'_>], view: &View) -> Table {
    let mut table = Table::new([
        "part",
        "class_a",
        "class_b",
        "group",
        "baseline",
        "seed",
        "cosine_difference",
        "mean",
        "low",
        "high",
        "p",
        "corrected_p",
    ]);
    let Ok(comparison) = compared(shown) else {
        return table;
    };
    let at = contrast_of(&comparison, subject);
    let means = Means::of(&comparison, at, shown, &view.scope);
    let (names, order) = (&comparison.classes, order_of(subject, view));
    for (i, &a) in order.iter().enumerate() {
        for &b in &order[i + 1..] {
            let Some(row) = row_of(names.len(), a, b) else {
                continue;
            };
            let contrast = means.contrast(row);
            let Some(paired) = &contrast.paired else {
                continue;
            };
            for (seed, difference) in contrast.seeds.iter().zip(&paired.differences) {
                table.push([
                    view.scope.name().into(),
                    names[a].as_str().into(),
                    names[b].as_str().into(),
                    comparison.groups[contrast.group].name.as_str().into(),
                    comparison.groups[comparison.baseline].name.as_str().into(),
                    (*seed).into(),
                    (*difference).into(),
                    paired.mean.into(),
                    paired.interval.map_or(Value::None, |x| x[0].into()),
                    paired.interval.map_or(Value::None, |x| x[1].into()),
                    paired.p.into(),
                    contrast.corrected_p.into(),
                ]);
            }
        }
    }
    table
}

/// Least end of the colour scale; all other ends are multiples of it.
const LEAST_END: f64 = 0.05;

/// End of the colour scale, rounded up to a multiple of [`LEAST_END`] so that it is a short number.
fn scale_end(differences: impl Iterator<Item = f64>) -> f64 {
    let largest = differences.fold(0.0, |largest: f64, x| largest.max(x.abs()));
    ((largest / LEAST_END).ceil() * LEAST_END).max(LEAST_END)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_says_how_many_intervals_exclude_0_by_chance() {
        for (seeds, pairs, directions, words) in [
            (
                8,
                45,
                [2, 1],
                "Over 8 seeds 3 of 45 intervals exclude 0 (by chance about 2): less pull in 2, more in 1",
            ),
            (
                8,
                15,
                [0, 1],
                "Over 8 seeds 1 of 15 intervals excludes 0 (by chance less than 1): less pull in 0, more in 1",
            ),
            (
                2,
                190,
                [0, 0],
                "Over 2 seeds none of 190 intervals excludes 0",
            ),
            (
                1,
                15,
                [5, 4],
                "With 1 seed 9 of 15 pairs differ by more than 3 standard errors: less pull in 5, more in 4",
            ),
        ] {
            assert_eq!(summary(seeds, pairs, directions), words);
        }
    }
}
