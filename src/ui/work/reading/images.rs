//! Reads the images behind a cell of the confusion matrix.

use std::sync::{Arc, PoisonError};

use egui::ColorImage;

use crate::config::DataSource;
use crate::data::{DataError, Reader};
use crate::run::predictions::{Predicted, predicted};
use crate::ui::state::images::{Key, Read, Wanted};

/// The greatest number of images that are shown of a cell; those that the network was surest of come first.
const MOST: usize = 60;

/// Reads the images of a cell. An error is a sentence.
pub(crate) fn read_images(wanted: &Wanted) -> Result<Read, String> {
    let Key {
        step, split, cell, ..
    } = wanted.key;
    let mut found = predicted(&wanted.dir, (step, split), cell.0, cell.1)
        .map_err(|error| format!("Which images these are is not known: {error}"))?;
    let total = found.len();
    found.truncate(MOST);
    if let DataSource::Folder(root) = &wanted.config.data
        && !root.exists()
    {
        let root = std::path::absolute(root).unwrap_or_else(|_| root.clone());
        return Err(format!(
            "The run's images are not there; they were expected in {}",
            root.display()
        ));
    }
    let reader =
        reader(wanted).map_err(|error| format!("The run's images cannot be read: {error}"))?;
    let [height, width, channels] = wanted.shape;
    let image = |found: Predicted| {
        let pixels = reader.pixels(found.index, found.file.as_deref(), wanted.shape);
        let size = [width, height];
        let image = pixels.map(|pixels| {
            if channels == 1 {
                ColorImage::from_gray(size, &pixels)
            } else {
                ColorImage::from_rgb(size, &pixels)
            }
        });
        (found, image.map_err(|error| error.to_string()))
    };
    Ok(Read {
        total,
        images: found.into_iter().map(image).collect(),
    })
}

/// The source of the images, opened unless it is open already.
fn reader(wanted: &Wanted) -> Result<Arc<Reader>, DataError> {
    // A panic cannot leave the reader half-written: it is replaced as a whole.
    let mut kept = wanted.kept.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(reader) = kept.as_ref().filter(|reader| reader.is_of(&wanted.config)) {
        return Ok(reader.clone());
    }
    let reader = Arc::new(Reader::open(&wanted.config)?);
    *kept = Some(reader.clone());
    Ok(reader)
}
