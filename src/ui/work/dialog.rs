//! File dialogs.

use std::path::{Path, PathBuf};

use crate::ui::state::action::Purpose;

/// Opens the dialog for a purpose, in the folder of `start`. `None` if the user cancels it or the system offers no
/// dialogs.
pub(super) fn dialog(purpose: Purpose, start: &Path) -> Option<PathBuf> {
    let folder = if start.is_dir() {
        Some(start)
    } else {
        start.parent().filter(|parent| parent.is_dir())
    };
    let mut dialog = rfd::FileDialog::new();
    if let Some(folder) = folder {
        dialog = dialog.set_directory(folder);
    }
    match purpose {
        Purpose::ImageFolder => dialog
            .set_title("Folder with one subfolder per class")
            .pick_folder(),
        Purpose::ImagesOf(_) => dialog
            .set_title("Folder where the images of the run are")
            .pick_folder(),
        Purpose::ExportedFigure => dialog
            .set_title("Exported figure")
            .add_filter("PNG", &["png"])
            .pick_file(),
        Purpose::RunFolder => dialog.set_title("Run folder").pick_folder(),
        Purpose::FolderOfRuns => dialog.set_title("Folder of runs").pick_folder(),
        Purpose::Sweep => dialog
            .set_title("Sweep")
            .add_filter("TOML", &["toml"])
            .pick_file(),
        Purpose::ExportFolder => dialog.set_title("Folder for the figures").pick_folder(),
        Purpose::ExportFile => {
            let name = start.file_name().unwrap_or_default().to_string_lossy();
            let ending = start.extension().unwrap_or_default().to_string_lossy();
            dialog
                .set_title("Export figure")
                .add_filter(ending.to_uppercase(), &[ending])
                .set_file_name(name)
                .save_file()
        }
    }
}
