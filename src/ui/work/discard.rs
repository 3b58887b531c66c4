//! The system's trash and its file manager.

use std::path::Path;
use std::sync::Arc;

/// Moves a directory to the trash. An error is one sentence.
pub type Discard = Arc<dyn Fn(&Path) -> Result<(), String> + Send + Sync>;

/// The function that moves a directory to the system's trash.
pub fn trash() -> Discard {
    Arc::new(|dir| trash::delete(dir).map_err(|error| error.to_string()))
}

/// Asks the system's file manager to show a folder.
pub(super) fn reveal(dir: &Path) -> Result<(), String> {
    if !dir.is_dir() {
        return Err(format!(
            "the folder is not there any more: {}",
            dir.display()
        ));
    }
    let program = if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(windows) {
        "explorer"
    } else {
        "xdg-open"
    };
    let status = std::process::Command::new(program)
        .arg(dir)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status();
    match status {
        // Explorer's exit status does not say whether it succeeded.
        Ok(status) if status.success() || cfg!(windows) => Ok(()),
        Ok(_) => Err(format!("no file manager took it: {}", dir.display())),
        Err(error) => Err(format!(
            "{program} cannot be run ({error}): {}",
            dir.display()
        )),
    }
}
