//! Sample images of a configuration's data, or of a run as it recorded them. Imports data, run and config.

use std::path::Path;

use crate::config::RunConfig;
use crate::data::samples::{Recorded, samples_of};
use crate::data::{DataError, Dataset};
use crate::run::recorded_data::RecordedData;

pub use crate::data::samples::{Sample, Samples, Which, samples};

/// As [`samples`], for the images that a run recorded in its directory `run`; `classes` are the names of the run's
/// classes. Where the record cannot be read, images are chosen anew, and a note says so.
///
/// # Errors
/// Where the source cannot be used.
pub fn samples_of_run(
    run: &Path,
    classes: &[String],
    config: &RunConfig,
    which: Which,
    per_class: usize,
) -> Result<Samples, DataError> {
    let read = RecordedData::read(run);
    let read = read.and_then(|recorded| recorded.check_labels(classes.len()).map(|()| recorded));
    let recorded = match read {
        Ok(recorded) => recorded,
        Err(error) => {
            let mut found = samples(config, which, per_class)?;
            found.notes.push(format!(
                "What the run recorded of its images cannot be read, so these are chosen anew: {error}"
            ));
            return Ok(found);
        }
    };
    let dataset = Dataset {
        labels: recorded.labels,
        classes: classes.to_vec(),
        files: recorded.files,
        train: recorded.train,
        val: recorded.val,
        test: recorded.test,
        ..Dataset::default()
    };
    let recorded = Recorded {
        dataset,
        probe: recorded.probe,
    };
    samples_of(recorded, config, which, per_class)
}

#[cfg(test)]
mod tests;
