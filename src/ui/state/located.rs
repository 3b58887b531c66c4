//! The folders where the images of runs were found on this machine: a run names the folder that it was trained on, which
//! may lie elsewhere here.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::config::{DataSource, RunConfig};
use crate::run::event::Started;

/// Folders of images by the fingerprint of the data, for all runs that were trained on the same data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Located(BTreeMap<String, PathBuf>);

impl Located {
    /// The configuration of a run, with its images where they are on this machine.
    pub(crate) fn config(&self, started: &Started) -> RunConfig {
        let mut config = started.config.clone();
        if let Some(folder) = self.0.get(&started.data_fingerprint) {
            config.data = DataSource::Folder(folder.clone());
        }
        config
    }

    /// Keeps where the images with a fingerprint are.
    pub(crate) fn keep(&mut self, fingerprint: String, folder: PathBuf) {
        self.0.insert(fingerprint, folder);
    }
}

/// Whether the images of a run can be looked for: the built-in ones are always there.
pub(crate) fn can_be_located(started: &Started) -> bool {
    started.recorder.is_none() && matches!(started.config.data, DataSource::Folder(_))
}
