//! The export that the open dialog asks about, and the settings of the last export.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::place::Page;
use super::runs::RunId;
use crate::figure::Kind;
use crate::figure::export::{Format, Settings, SheetSize, Unit, file_name, file_stem};
use crate::figure::pages::card_of;

/// Width and height, in points, that an exported image has beyond the figure on the page, for its margins and heading.
const AROUND: egui::Vec2 = egui::vec2(16.0, 64.0);

/// The settings of the last export, which are those of the next one, too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Habit {
    settings: Settings,
    /// Whether figures are exported in the size that they have on screen.
    is_as_on_screen: bool,
    /// Whether figures are exported in the colours of the window.
    has_window_colours: bool,
}

impl Default for Habit {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            is_as_on_screen: true,
            has_window_colours: true,
        }
    }
}

/// The export that the open dialog asks about.
pub(crate) struct ExportDraft {
    pub(crate) kind: Kind,
    pub(crate) run: RunId,
    /// The page that was open when the dialog was opened.
    pub(crate) page: Page,
    pub(crate) settings: Settings,
    /// The runs that are compared, if the figure shows groups of runs.
    pub(crate) compared: Vec<RunId>,
    /// The figures of the page, in the sizes that they have on screen.
    cards: Vec<(Kind, SheetSize)>,
    /// Whether all figures of the page are exported, and not just one.
    pub(crate) whole_page: bool,
    /// The formats that all figures of the page are exported in.
    pub(crate) formats: Vec<Format>,
    /// The file of a single figure.
    pub(crate) file: String,
    /// The folder of all figures of the page.
    pub(crate) folder: String,
}

impl ExportDraft {
    /// The export of a figure on a page; `sizes` holds the figures of the page with their sizes on screen, in points.
    pub(crate) fn new(
        kind: Kind,
        (run, run_name): (RunId, &str),
        page: Page,
        sizes: &[(Kind, egui::Vec2)],
    ) -> Self {
        let sheet = |size: egui::Vec2| {
            let size = (size + AROUND).round();
            SheetSize {
                width: size.x.into(),
                height: size.y.into(),
                unit: Unit::Pt,
            }
        };
        let settings = Settings::default();
        Self {
            kind,
            run,
            page,
            settings,
            compared: Vec::new(),
            cards: sizes
                .iter()
                .map(|&(kind, size)| (kind, sheet(size)))
                .collect(),
            whole_page: false,
            formats: vec![settings.format],
            file: file_name(run_name, kind, settings.format),
            folder: format!("{}-figures", file_stem(run_name)),
        }
    }

    /// The same export with the settings of the last one.
    pub(crate) fn like(mut self, habit: &Habit, theme: egui::Theme) -> Self {
        self.settings = habit.settings;
        if habit.is_as_on_screen {
            self.settings.size = self.on_screen(self.kind);
        }
        if habit.has_window_colours {
            self.settings.dark = theme == egui::Theme::Dark;
        }
        self.formats = vec![habit.settings.format];
        self.set_format(habit.settings.format);
        self
    }

    /// The settings to remember for the next export.
    pub(crate) fn habit(&self, theme: egui::Theme) -> Habit {
        Habit {
            settings: self.settings,
            is_as_on_screen: self.is_as_on_screen(),
            has_window_colours: self.settings.dark == (theme == egui::Theme::Dark),
        }
    }

    /// The size that a figure of the page has on screen.
    pub(crate) fn on_screen(&self, kind: Kind) -> SheetSize {
        let mut cards = self.cards.iter();
        let found = cards.find(|(card, _)| *card == card_of(kind));
        found.map_or(Settings::default().size, |(_, size)| *size)
    }

    fn is_as_on_screen(&self) -> bool {
        let Settings { size, dpi, .. } = self.settings;
        let usual = Settings::default().dpi;
        size == self.on_screen(self.kind) && dpi.to_bits() == usual.to_bits()
    }

    /// The size that a figure of the page is exported in.
    pub(crate) fn size_of(&self, kind: Kind) -> SheetSize {
        if self.is_as_on_screen() {
            self.on_screen(kind)
        } else {
            self.settings.size
        }
    }

    /// The same export for a figure that compares these runs to the group of the first.
    pub(crate) fn among(mut self, compared: Vec<RunId>) -> Self {
        self.compared = compared;
        self
    }

    /// Takes in the file or the folder that the user chose in a dialog.
    pub(crate) fn chosen(&mut self, path: PathBuf) {
        *self.path() = path.display().to_string();
    }

    pub(crate) fn path(&mut self) -> &mut String {
        if self.whole_page {
            &mut self.folder
        } else {
            &mut self.file
        }
    }

    /// Chooses another format, and gives the file the ending of that format.
    pub(crate) fn set_format(&mut self, format: Format) {
        self.settings.format = format;
        let path = PathBuf::from(self.file.trim());
        if Format::of(&path).is_some() {
            let path = path.with_extension(format.extension());
            self.file = path.display().to_string();
        }
    }

    /// Whether size and colours have an effect: a table has neither.
    pub(crate) fn is_drawn(&self) -> bool {
        if self.whole_page {
            self.formats.iter().any(|format| *format != Format::Csv)
        } else {
            self.settings.format != Format::Csv
        }
    }

    /// Why the settings cannot be used, apart from the file or folder.
    pub(crate) fn problem(&self) -> Option<String> {
        if self.whole_page && self.formats.is_empty() {
            return Some("choose a format".to_owned());
        }
        let settings = Settings {
            format: if self.is_drawn() {
                Format::Png
            } else {
                Format::Csv
            },
            ..self.settings
        };
        settings.validate().err().map(|error| error.to_string())
    }

    /// Why the file or folder cannot be written.
    pub(crate) fn path_problem(&self) -> Option<String> {
        if self.whole_page {
            return self
                .folder
                .trim()
                .is_empty()
                .then(|| "name a folder".to_owned());
        }
        let path = self.file.trim();
        let ending = self.settings.format.extension();
        if path.is_empty() {
            return Some("name a file".to_owned());
        }
        let ends = path.to_lowercase().ends_with(&format!(".{ending}"));
        (!ends).then(|| format!("the name must end in .{ending}"))
    }
}
