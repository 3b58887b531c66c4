//! The sample images on the page of data, as far as they were read.

use std::path::PathBuf;

use egui::TextureHandle;

use super::located::Located;
use super::place::Page;
use super::runs::{RunId, Runs};
use crate::config::{DataSource, RunConfig};
use crate::samples::{Samples, Which};

/// The time without a change of the configuration, in seconds, before other images are read.
const DELAY_SECS: f64 = 0.4;

/// Identifies the samples to show: every field of the configuration that they depend on, the kind of images, and the
/// run that recorded its images, if any.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key {
    pub(crate) config: RunConfig,
    pub(crate) which: Which,
    pub(crate) run: Option<Recorded>,
}

/// A run that recorded which images it has: its directory and its classes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Recorded {
    pub(crate) dir: PathBuf,
    pub(crate) classes: Vec<String>,
}

/// The state of the page of data.
#[derive(Default)]
pub(crate) struct Data {
    /// The run whose images are shown; `None` for those of the new experiment.
    pub(crate) source: Option<RunId>,
    pub(crate) which: Which,
    pub(crate) read: Option<(Key, Result<Samples, String>)>,
    /// For each class, the texture that holds its images side by side, once they were drawn.
    pub(crate) strips: Vec<Option<TextureHandle>>,
    pub(crate) wanted: Option<Key>,
    wanted_since: f64,
    pub(crate) under_way: bool,
}

impl Data {
    /// Says when to read these images: `Ok` for now, `Err(Some(seconds))` for later, `Err(None)` if they were read or a
    /// thread is reading images.
    pub(crate) fn ask(&mut self, key: &Key, now: f64) -> Result<(), Option<f64>> {
        if self.read.as_ref().is_some_and(|(read, _)| read == key) {
            return Err(None);
        }
        if self.wanted.as_ref() != Some(key) {
            self.wanted = Some(key.clone());
            self.wanted_since = now;
        }
        if self.under_way {
            return Err(None);
        }
        let wait = self.wanted_since + DELAY_SECS - now;
        // A change of the configuration may be typed or dragged, so that reading waits until it is over; another kind
        // of images is read at once.
        let changes = self
            .read
            .as_ref()
            .is_some_and(|(read, _)| read.which == key.which);
        if changes && wait > 0.0 {
            return Err(Some(wait));
        }
        self.under_way = true;
        Ok(())
    }

    /// Lets go of the samples when another page is open.
    pub(crate) fn forget(&mut self) {
        self.wanted = None;
        self.read = None;
        self.strips.clear();
    }

    /// Takes in the samples that a thread read.
    pub(crate) fn take(&mut self, key: Key, read: Result<Samples, String>) {
        self.under_way = false;
        self.read = Some((key, read));
        self.strips.clear();
    }

    /// The images that the page of data shows, where `config` is that of the new experiment; `None` if another page is
    /// open, no folder is chosen yet, or the header of the chosen run was not read.
    pub(crate) fn wanted(
        &self,
        (runs, located): (&Runs, &Located),
        page: Page,
        config: &RunConfig,
    ) -> Option<Key> {
        if page != Page::Data {
            return None;
        }
        let entry = self.source.and_then(|id| runs.get(id));
        let started = entry.and_then(|entry| entry.run.started.as_ref());
        // The images of a run that another program trained are not known.
        let is_known = started.is_some_and(|started| started.recorder.is_none());
        if self.source.is_some() && !is_known {
            return None;
        }
        let of_run = started.map(|started| located.config(started));
        let config = of_run.as_ref().unwrap_or(config);
        let has_source =
            !matches!(&config.data, DataSource::Folder(path) if path.as_os_str().is_empty());
        let config = RunConfig {
            data: config.data.clone(),
            size: config.size,
            channels: config.channels,
            splits: config.splits.clone(),
            image_column: config.image_column.clone(),
            label_column: config.label_column.clone(),
            skip_unreadable: config.skip_unreadable,
            imbalance: config.imbalance,
            profile: config.profile,
            val: config.val,
            data_seed: config.data_seed,
            probe_images: config.probe_images,
            seed: config.seed,
            crop_padding: config.crop_padding,
            flip: config.flip,
            cutout: config.cutout,
            ..RunConfig::default()
        };
        let recorded = entry.zip(started).map(|(entry, started)| Recorded {
            dir: entry.dir.clone(),
            classes: started.classes.clone(),
        });
        has_source.then_some(Key {
            config,
            which: self.which,
            run: recorded,
        })
    }
}

#[cfg(test)]
mod tests;
