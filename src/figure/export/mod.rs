//! Figures as files: drawn in a private [`egui::Context`], without a window, the same bytes from the same input.

mod draw;
mod figure;
mod file;
mod pdf;
mod png;
pub mod raster;
mod record;
mod settings;
mod sheet;
mod svg;
mod triangle;

pub use draw::{ExportError, Options};
pub use figure::{Figure, file_name, file_stem};
pub use file::write;
pub use png::{encode_png, figure_png, figure_png_among, png, write_png};
pub use record::{Restored, RunRef, read_view, record};
pub(crate) use settings::TEXT;
pub use settings::{Format, PRESETS, Preset, Settings, SheetSize, Unit};
pub(crate) use sheet::{Sheet, page_file_name};

#[cfg(test)]
mod tests;
