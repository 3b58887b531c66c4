//! The export that the open dialog asks about, and the settings of the last export.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::place::Page;
use super::runs::RunId;
use crate::figure::Kind;
use crate::figure::export::{
    Format, PRESETS, Preset, Settings, SheetSize, Unit, file_name, file_stem, page_file_name,
};
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

/// The settings of a page as one figure, at first: as wide as a paper.
fn on_paper() -> Settings {
    let [
        _,
        Preset {
            size, dpi, text, ..
        },
        _,
    ] = PRESETS;
    Settings {
        format: Format::Pdf,
        size,
        dpi,
        text,
        ..Settings::default()
    }
}

/// What is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// The figure that the dialog was opened for.
    Figure,
    /// Every figure of the page, in files of their own.
    Each,
    /// The page as one figure.
    AsOne,
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
    what: What,
    /// The settings of a page as one figure while something else is exported, and the other way round.
    aside: Settings,
    /// The formats that all figures of the page are exported in.
    pub(crate) formats: Vec<Format>,
    /// The file of a single figure.
    pub(crate) file: String,
    /// The folder of all figures of the page.
    pub(crate) folder: String,
    /// The file of the page as one figure.
    pub(crate) page_file: String,
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
            what: What::Figure,
            aside: on_paper(),
            formats: vec![settings.format],
            file: file_name(run_name, kind, settings.format),
            folder: format!("{}-figures", file_stem(run_name)),
            page_file: page.of_figures().map_or_else(String::new, |page| {
                page_file_name(run_name, page, Format::Pdf)
            }),
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
        self.aside.dark = self.settings.dark;
        self.formats = vec![habit.settings.format];
        self.set_format(habit.settings.format);
        self
    }

    /// The settings to remember for the next export.
    pub(crate) fn habit(&self, theme: egui::Theme) -> Habit {
        // A page as one figure has a size that hardly suits single figures.
        let settings = match self.what {
            What::Figure | What::Each => self.settings,
            What::AsOne => self.aside,
        };
        Habit {
            settings,
            is_as_on_screen: self.is_as_on_screen(settings),
            has_window_colours: settings.dark == (theme == egui::Theme::Dark),
        }
    }

    pub(crate) fn what(&self) -> What {
        self.what
    }

    /// Chooses what is exported. A page as one figure has settings of its own.
    pub(crate) fn choose(&mut self, what: What) {
        if (what == What::AsOne) != (self.what == What::AsOne) {
            std::mem::swap(&mut self.settings, &mut self.aside);
        }
        self.what = what;
    }

    /// The size that a figure of the page has on screen.
    pub(crate) fn on_screen(&self, kind: Kind) -> SheetSize {
        let mut cards = self.cards.iter();
        let found = cards.find(|(card, _)| *card == card_of(kind));
        found.map_or(Settings::default().size, |(_, size)| *size)
    }

    fn is_as_on_screen(&self, Settings { size, dpi, .. }: Settings) -> bool {
        let usual = Settings::default().dpi;
        size == self.on_screen(self.kind) && dpi.to_bits() == usual.to_bits()
    }

    /// The size that a figure of the page is exported in.
    pub(crate) fn size_of(&self, kind: Kind) -> SheetSize {
        if self.is_as_on_screen(self.settings) {
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
        match self.what {
            What::Figure => &mut self.file,
            What::Each => &mut self.folder,
            What::AsOne => &mut self.page_file,
        }
    }

    /// Chooses another format, and gives the file the ending of that format.
    pub(crate) fn set_format(&mut self, format: Format) {
        self.settings.format = format;
        let file = match self.what {
            What::Figure | What::Each => &mut self.file,
            What::AsOne => &mut self.page_file,
        };
        let path = PathBuf::from(file.trim());
        if Format::of(&path).is_some() {
            let path = path.with_extension(format.extension());
            *file = path.display().to_string();
        }
    }

    /// Whether size and colours have an effect: a table has neither.
    pub(crate) fn is_drawn(&self) -> bool {
        match self.what {
            What::Figure => self.settings.format != Format::Csv,
            What::Each => self.formats.iter().any(|format| *format != Format::Csv),
            What::AsOne => true,
        }
    }

    /// Why the settings cannot be used, apart from the file or folder.
    pub(crate) fn problem(&self) -> Option<String> {
        if self.what == What::Each && self.formats.is_empty() {
            return Some("choose a format".to_owned());
        }
        let settings = Settings {
            format: if self.is_drawn() {
                Format::Png
            } else {
                Format::Csv
            },
            size: self.limited_size(),
            ..self.settings
        };
        settings.validate().err().map(|error| error.to_string())
    }

    /// The size that has to be within the limits: the height of a page as one figure follows from its width.
    fn limited_size(&self) -> SheetSize {
        let size = self.settings.size;
        match self.what {
            What::Figure | What::Each => size,
            What::AsOne => SheetSize {
                height: size.width,
                ..size
            },
        }
    }

    /// Why the file or folder cannot be written.
    pub(crate) fn path_problem(&self) -> Option<String> {
        if self.what == What::Each {
            return self
                .folder
                .trim()
                .is_empty()
                .then(|| "name a folder".to_owned());
        }
        let path = match self.what {
            What::Figure | What::Each => self.file.trim(),
            What::AsOne => self.page_file.trim(),
        };
        let ending = self.settings.format.extension();
        if path.is_empty() {
            return Some("name a file".to_owned());
        }
        let ends = path.to_lowercase().ends_with(&format!(".{ending}"));
        (!ends).then(|| format!("the name must end in .{ending}"))
    }
}
