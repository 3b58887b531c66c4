//! Finds out whether a folder holds the images that a run was trained on.

use std::path::PathBuf;

use crate::config::{DataSource, RunConfig};
use crate::data;
use crate::run::event::Started;

/// The folder, where the images in it are those that a run was trained on, pixel by pixel. An error is a sentence.
pub(crate) fn locate(started: &Started, folder: PathBuf) -> Result<PathBuf, String> {
    let config = RunConfig {
        data: DataSource::Folder(folder.clone()),
        ..started.config.clone()
    };
    let loaded = data::load(&config, &|_, _| true)
        .map_err(|error| format!("The images in {} cannot be read: {error}", folder.display()))?;
    if loaded.dataset.fingerprint() != started.data_fingerprint {
        return Err(format!(
            "{} holds other images than those that the run was trained on",
            folder.display()
        ));
    }
    Ok(folder)
}
