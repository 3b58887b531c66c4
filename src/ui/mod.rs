//! The window.

use std::path::PathBuf;

/// stub
///
/// # Errors
/// stub
pub fn open(_: Vec<PathBuf>) -> Result<(), String> {
    Err("not there yet".to_owned())
}
