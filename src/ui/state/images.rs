//! The images behind the selected cell of the confusion matrix, as far as they were read.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use egui::{ColorImage, TextureHandle};

use super::located::Located;
use super::place::{Page, Place};
use super::runs::{RunEntry, RunId, Runs};
use crate::config::RunConfig;
use crate::data::Reader;
use crate::figure;
use crate::run::event::Split;
use crate::run::predictions::Predicted;

/// A cell of the confusion matrix of an evaluation of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) run: RunId,
    pub(crate) step: u64,
    pub(crate) split: Split,
    /// True class and predicted class.
    pub(crate) cell: (usize, usize),
}

/// The reader of the data source that was read last. It is kept because some data sources hold many images in one file,
/// which is read as a whole.
pub(crate) type Kept = Arc<Mutex<Option<Arc<Reader>>>>;

/// The images to read, with everything that a thread needs to read them.
pub(crate) struct Wanted {
    pub(crate) key: Key,
    pub(crate) dir: PathBuf,
    pub(crate) config: Box<RunConfig>,
    pub(crate) shape: [usize; 3],
    pub(crate) kept: Kept,
    /// Why there are no images to read, where that is known before.
    pub(crate) none: Option<String>,
}

/// The images that a thread read.
pub(crate) struct Read {
    /// Number of images in the cell.
    pub(crate) total: usize,
    /// The first of these images. An image that cannot be read is replaced by a sentence that says why.
    pub(crate) images: Vec<(Predicted, Result<ColorImage, String>)>,
}

/// The images of the selected cell.
#[derive(Default)]
pub(crate) struct Images {
    /// The images by run shown, each with the cell that they belong to.
    pub(crate) cells: BTreeMap<RunId, (Key, Cell)>,
    kept: Kept,
}

/// The images of a cell, as far as they were read.
pub(crate) enum Cell {
    Loading,
    /// The images that were read, and their textures once they were drawn: `None` for an image that cannot be read.
    Read(Read, Vec<Option<TextureHandle>>),
    Failed(String),
}

impl Images {
    /// Gives those of the wanted images that are to be read, and lets go of images that are no longer wanted.
    pub(crate) fn ask(&mut self, wanted: Vec<Wanted>) -> Vec<Wanted> {
        self.cells
            .retain(|_, (key, _)| wanted.iter().any(|wanted| wanted.key == *key));
        let mut missing = Vec::new();
        for wanted in wanted {
            if let Entry::Vacant(vacant) = self.cells.entry(wanted.key.run) {
                let cell = wanted.none.clone().map_or(Cell::Loading, Cell::Failed);
                let is_to_be_read = matches!(cell, Cell::Loading);
                vacant.insert((wanted.key.clone(), cell));
                missing.extend(is_to_be_read.then_some(wanted));
            }
        }
        missing
    }

    /// Lets go of the data source when another page is open, unless a thread is reading from it.
    fn forget_source(&self) {
        if Arc::strong_count(&self.kept) == 1 {
            *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    /// Reads all images again, since they may be found elsewhere now.
    pub(crate) fn read_again(&mut self) {
        self.cells.clear();
    }

    /// Takes in the images that a thread read, unless other images are wanted by now.
    pub(crate) fn take(&mut self, key: &Key, read: Result<Read, String>) {
        if let Some((wanted, cell)) = self.cells.get_mut(&key.run)
            && wanted == key
        {
            *cell = match read {
                Ok(read) => Cell::Read(read, Vec::new()),
                Err(sentence) => Cell::Failed(sentence),
            };
        }
    }

    /// The images to show on the page of mistakes: those of the selected cell, for every run shown.
    pub(crate) fn wanted(&self, runs: &Runs, view: &Place, located: &Located) -> Vec<Wanted> {
        if view.page != Page::Mistakes {
            self.forget_source();
            return Vec::new();
        }
        let shown = view.shown();
        let entries = || shown.iter().filter_map(|&id| runs.get(id));
        let figure = view.figure.together(entries().map(|entry| &*entry.run));
        let of = |entry: &RunEntry| {
            let started = entry.run.started.as_ref()?;
            let cell = figure.in_classes(&started.classes).confused?;
            let eval = figure::evaluation(entry.subject(), &figure)?;
            let classes = started.classes.len();
            let none = || {
                let recorder = started.recorder.as_ref()?;
                let number = match eval.confusion.get(cell.0)?.get(cell.1)? {
                    1 => "1 image".to_owned(),
                    number => format!("{number} images"),
                };
                Some(format!(
                    "{number} at step {}. {} recorded this run, and its log holds the numbers without the images.",
                    eval.step, recorder.name
                ))
            };
            (cell.0 < classes && cell.1 < classes).then(|| Wanted {
                key: Key {
                    run: entry.id,
                    step: eval.step,
                    split: eval.split,
                    cell,
                },
                dir: entry.dir.clone(),
                config: Box::new(located.config(started)),
                shape: started.image,
                kept: self.kept.clone(),
                none: none(),
            })
        };
        entries().filter_map(of).collect()
    }
}
