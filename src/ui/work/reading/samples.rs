//! Reads sample images of the data.

use crate::samples::{Samples, Which, samples, samples_of_run};
use crate::ui::state::samples::Key;

/// The greatest number of training images that are read of a class.
const PER_CLASS: usize = 32;
/// The greatest number of probe images that are read of a class; a run may have more.
const MOST_PROBES: usize = 128;
/// Reads images. An error is a sentence.
pub(crate) fn read_samples(key: &Key) -> Result<Samples, String> {
    let (config, which) = (&key.config, key.which);
    let per_class = match which {
        Which::Probe => config.probe_images.min(MOST_PROBES),
        Which::Training | Which::Augmented => PER_CLASS,
    };
    let read = match &key.run {
        Some(run) => samples_of_run(&run.dir, &run.classes, config, which, per_class),
        None => samples(config, which, per_class),
    };
    read.map_err(|error| error.to_string())
}
