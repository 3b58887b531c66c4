//! `export`: figures as files, and runs for TensorBoard.
//!
//! `arguments` has the arguments and `names` the names that they know; `opened` opens the runs and finds what of them is
//! looked at. `figures` chooses figures, which `write` writes; `tensorboard` writes runs.

mod arguments;
mod figures;
mod names;
mod opened;
mod tensorboard;
mod write;

pub use arguments::ExportArguments;

pub(super) fn export(arguments: &ExportArguments) -> anyhow::Result<()> {
    match names::of_figures(&arguments.format)? {
        Some(formats) => figures::export(arguments, &formats),
        None => tensorboard::export(arguments),
    }
}
