//! The figures of a page as the panels of one figure, as papers have them: with letters, in the arrangement of the page,
//! and one line of caption below.

use std::path::Path;

use egui::{Pos2, Rect, RichText, Ui, UiBuilder, pos2, vec2};

use crate::figure::export::draw::{ExportError, MARGIN};
use crate::figure::export::figure::{Figure, file_stem};
use crate::figure::export::file::{Words, drawn};
use crate::figure::export::record::record;
use crate::figure::export::settings::{Format, Settings, Unit};
use crate::figure::look::kind::Kind;
use crate::figure::look::layout::{GAP, Part, TITLE_HEIGHT, height_on_paper};
use crate::figure::look::pages::Page;
use crate::figure::look::subject::Subject;
use crate::figure::registry::{caption, card_of, panel_ui};
use crate::run::log::write_whole;

/// Height of the caption with the space above it, in points.
const CAPTION: f32 = 20.0;
/// Space, in points, that a panel keeps to each side of its place.
const INSET: f32 = 4.0;

/// The figures of a page as one figure. Its width is that of the settings; its height follows from the arrangement.
pub(crate) struct Sheet<'a> {
    page: Page,
    figures: Vec<Figure<'a>>,
}

/// Where everything lies, in points from the upper left corner.
#[derive(Default)]
struct Layout {
    /// Indices of figures with their places, in the order in which they are read.
    panels: Vec<(usize, Rect)>,
    /// Names of runs above their figures.
    titles: Vec<(String, Rect)>,
    height: f32,
}

impl<'a> Sheet<'a> {
    /// Those of the figures, which all have something to show, that have a place on the page.
    ///
    /// # Errors
    /// A sentence, where there is none.
    pub(crate) fn new(
        page: Page,
        figures: impl IntoIterator<Item = Figure<'a>>,
    ) -> Result<Self, ExportError> {
        // The table of measures has no place among the drawn figures of its page, and a file of its own.
        let part = page.on_paper(1000.0);
        let has_place = |figure: &Figure<'_>| part.has(card_of(figure.kind));
        let figures: Vec<_> = figures.into_iter().filter(has_place).collect();
        if figures.is_empty() {
            let nothing = "the page has no figure to show of these runs";
            return Err(ExportError::Limits(nothing.to_owned()));
        }
        Ok(Self { page, figures })
    }

    /// Writes the figure, whole or not at all. An existing file is replaced.
    ///
    /// # Errors
    /// As [`Self::bytes`], or where the file cannot be written.
    pub(crate) fn write(&self, settings: &Settings, path: &Path) -> Result<(), ExportError> {
        Ok(write_whole(path, &self.bytes(settings)?)?)
    }

    /// The bytes of a file, the same from the same input. The height of the settings has no effect.
    ///
    /// # Errors
    /// Where the format is a table, a setting is out of its limits, or the figure cannot be encoded.
    pub(crate) fn bytes(&self, settings: &Settings) -> Result<Vec<u8>, ExportError> {
        let settings = self.settings(settings)?;
        let layout = self.layout(content_width(&settings));
        let first = layout
            .panels
            .first()
            .and_then(|(at, _)| self.figures.get(*at));
        let words = Words {
            title: self.page.title(),
            description: &self.caption(),
            // The record leads back to the first panel.
            record: &first.map(record).unwrap_or_default(),
        };
        drawn(&settings, &words, &mut |ui| self.ui(ui, &layout))
    }

    /// The settings with the height that follows from the width.
    ///
    /// # Errors
    /// Where the format is a table, or a setting is out of its limits.
    pub(crate) fn settings(&self, settings: &Settings) -> Result<Settings, ExportError> {
        if settings.format == Format::Csv {
            let text = "a page as one figure has no table: choose png, svg or pdf";
            return Err(ExportError::Limits(text.to_owned()));
        }
        let mut settings = *settings;
        settings.size.height = settings.size.width;
        settings.validate()?;
        let width = settings.options().size[0];
        let per_point = settings.size.width / f64::from(width);
        let layout = self.layout(content_width(&settings));
        let height = f64::from(layout.height + 2.0 * f32::from(MARGIN)) * per_point;
        let digits = if settings.size.unit == Unit::Mm {
            10.0
        } else {
            1.0
        };
        settings.size.height = (height * digits).ceil() / digits;
        settings.validate()?;
        Ok(settings)
    }

    /// Places the panels in this width: run below run or, in the overview of two runs, both together.
    fn layout(&self, width: f32) -> Layout {
        let mut layout = Layout::default();
        let Some(&Figure { shown, view, .. }) = self.figures.first() else {
            return layout;
        };
        let block =
            |top: f32, height: f32| Rect::from_min_size(pos2(0.0, top), vec2(width, height));
        if let ([_, _], true) = (shown, view.overlaid)
            && let Some(both) = self.page.both_on_paper(width)
        {
            self.place(both, shown, width, &mut layout);
        } else {
            let has_figures = |run: &&Subject<'_>| self.figures.iter().any(|x| x.subject.is(run));
            let runs: Vec<_> = shown.iter().filter(has_figures).collect();
            for &run in &runs {
                if runs.len() > 1 {
                    let title = block(layout.height, TITLE_HEIGHT);
                    layout.titles.push((self.name(*run), title));
                    layout.height = title.bottom();
                }
                let part = self.page.on_paper(width);
                self.place(part, std::slice::from_ref(run), width, &mut layout);
            }
        }
        layout.height += CAPTION;
        layout
    }

    /// Adds the figures of these runs below those that are there. Where a card has no figure, its neighbours take its
    /// room.
    fn place(&self, part: Part, runs: &[Subject<'_>], width: f32, layout: &mut Layout) {
        let find = |kind, run: usize| self.find(kind, *runs.get(run)?);
        let Some(part) = part.with(&|kind, run| find(kind, run).is_some()) else {
            return;
        };
        let size = vec2(width, height_on_paper(&part, width));
        let place = Rect::from_min_size(pos2(0.0, layout.height), size);
        let cards = part.cards(place).into_iter();
        let panels = cards.filter_map(|(kind, run, rect)| Some((find(kind, run)?, rect)));
        let mut panels: Vec<(usize, Rect)> = panels.collect();
        panels.sort_by_key(|(_, rect)| (rect.top().round() as i64, rect.left().round() as i64));
        layout.panels.append(&mut panels);
        layout.height = place.bottom() + GAP;
    }

    /// Index of the figure of a run that stands on the card of a kind.
    fn find(&self, kind: Kind, run: Subject<'_>) -> Option<usize> {
        let position = |is: &dyn Fn(Kind) -> bool| {
            let mut figures = self.figures.iter();
            figures.position(|figure| figure.subject.is(&run) && is(figure.kind))
        };
        position(&|own| own == kind).or_else(|| position(&|own| card_of(own) == kind))
    }

    /// The name of a run, after its letter in titles such as “B − A” where there are two.
    fn name(&self, run: Subject<'_>) -> String {
        let shown = self.figures.first().map_or(&[][..], |figure| figure.shown);
        match shown {
            [first, _] if first.is(&run) => format!("A: {}", run.name),
            [_, second] if second.is(&run) => format!("B: {}", run.name),
            _ => run.name.to_owned(),
        }
    }

    /// Runs, part of the network, moment and treatment of batch norm in all panels.
    fn caption(&self) -> String {
        let shown = self.figures.first().map_or(&[][..], |figure| figure.shown);
        let is_overlaid = self.figures.iter().any(|figure| figure.view.overlaid);
        let mut names: Vec<String> = Vec::new();
        let mut rests: Vec<String> = Vec::new();
        for run in shown {
            let own = self.figures.iter().filter(|figure| figure.subject.is(run));
            let captions = own.map(|x| caption(x.kind, x.subject, x.view));
            // The figure that depends on most has the longest caption; it tells of the others as well.
            let Some(longest) = captions.max_by_key(|text| (text.chars().count(), text.clone()))
            else {
                continue;
            };
            let rest = longest.strip_prefix(run.name);
            if rest.is_some() {
                names.push(self.name(*run));
            }
            let rest = rest.unwrap_or(&longest).to_owned();
            if !rests.contains(&rest) {
                rests.push(rest);
            }
        }
        match &rests[..] {
            [rest] => format!("{}{rest}", names.join(", ")),
            [first, ..] if is_overlaid => format!("{}{first}", names.join(", ")),
            _ if names.len() == rests.len() => {
                let both = names.iter().zip(&rests);
                let both: Vec<_> = both.map(|(name, rest)| format!("{name}{rest}")).collect();
                both.join("; ")
            }
            _ => rests.join("; "),
        }
    }

    fn ui(&self, ui: &mut Ui, layout: &Layout) {
        let origin = ui.max_rect().min.to_vec2();
        let width = ui.max_rect().width();
        let at = |rect: Rect| UiBuilder::new().max_rect(rect.translate(origin));
        for (name, rect) in &layout.titles {
            ui.scope_builder(at(*rect), |ui| {
                let name = RichText::new(name).strong().size(15.0);
                ui.add(egui::Label::new(name).truncate());
            });
        }
        for (number, &(index, rect)) in layout.panels.iter().enumerate() {
            let Some(figure) = self.figures.get(index) else {
                continue;
            };
            let rect = rect.shrink(INSET);
            ui.scope_builder(at(rect).id_salt(number), |ui| {
                ui.shrink_clip_rect(rect.translate(origin).expand(INSET));
                let Figure {
                    kind,
                    subject,
                    shown,
                    view,
                } = *figure;
                panel_ui(ui, &letter(number), kind, (subject, shown), view);
            });
        }
        let line = pos2(0.0, layout.height - CAPTION + 4.0);
        let line = Rect::from_min_size(line, vec2(width, CAPTION - 4.0));
        ui.scope_builder(at(line), |ui| {
            let caption = RichText::new(self.caption()).small().weak();
            ui.add(egui::Label::new(caption).truncate());
        });
        ui.advance_cursor_after_rect(Rect::from_min_size(
            Pos2::ZERO + origin,
            vec2(width, layout.height),
        ));
    }
}

/// Width that the panels have in an image of these settings, in points.
fn content_width(settings: &Settings) -> f32 {
    settings.options().size[0] - 2.0 * f32::from(MARGIN)
}

/// The letter of a panel: a to z, then aa, ab and so on.
fn letter(number: usize) -> String {
    let last = char::from(b'a' + (number % 26) as u8);
    match number / 26 {
        0 => last.to_string(),
        more => format!("{}{last}", letter(more - 1)),
    }
}

/// Name of the file of a page as one figure.
pub(crate) fn page_file_name(run: &str, page: Page, format: Format) -> String {
    let stem = file_stem(run);
    format!("{stem}-{}-page.{}", page.name(), format.extension())
}

#[cfg(test)]
mod tests;
