//! Which images a run took for which class, as an evaluation recorded it.

use std::fs;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors};

use super::event::Split;
use super::log::{RunError, data_path, predictions_file};

/// An image that was evaluated.
#[derive(Clone, Debug, PartialEq)]
pub struct Predicted {
    /// Its number in the data set.
    pub index: u32,
    /// Its file relative to the source, where the source has files.
    pub file: Option<String>,
    /// Softmax probability of the predicted class, 0 to 1.
    pub confidence: f32,
}

/// The images of `truth` that the evaluation of `split` at `step` took for `predicted`, the surest first.
///
/// # Errors
/// Where the run's files cannot be read or do not fit each other.
pub fn predicted(
    run: &Path,
    (step, split): (u64, Split),
    truth: usize,
    predicted: usize,
) -> Result<Vec<Predicted>, RunError> {
    let data_path = data_path(run);
    let data = read(&data_path)?;
    let path = run.join(predictions_file(step, split));
    let predictions = read(&path)?;
    let (labels, files) = (
        values(&data_path, &data, "labels")?,
        files(&data_path, &data)?,
    );
    let name = match split {
        Split::Train => "train",
        Split::Val => "val",
        Split::Test => "test",
    };
    let indices = values(&data_path, &data, name)?;
    let classes = values(&path, &predictions, "class")?;
    let confidences = values(&path, &predictions, "confidence")?;
    if classes.len() != indices.len() || confidences.len() != indices.len() {
        let text = format!("{} predictions of {} images", classes.len(), indices.len());
        return Err(RunError::damaged(&path, text));
    }
    let mut found = Vec::new();
    for ((&index, &class), &confidence) in indices.iter().zip(&classes).zip(&confidences) {
        let Some(&label) = labels.get(index as usize) else {
            let text = format!("image {index} has no label");
            return Err(RunError::damaged(&data_path, text));
        };
        if label as usize == truth && class as usize == predicted {
            found.push(Predicted {
                index,
                file: files.get(index as usize).cloned(),
                confidence: f32::from_bits(confidence),
            });
        }
    }
    found.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    Ok(found)
}

fn read(path: &Path) -> Result<Vec<u8>, RunError> {
    fs::read(path).map_err(|source| RunError::io("read", path, source))
}

/// The values of a tensor of integers; of one of f32, their bits.
fn values(path: &Path, bytes: &[u8], name: &str) -> Result<Vec<u32>, RunError> {
    let file = SafeTensors::deserialize(bytes).map_err(|e| RunError::damaged(path, e))?;
    let tensor = file.tensor(name).map_err(|e| RunError::damaged(path, e))?;
    match tensor.dtype() {
        Dtype::U16 => Ok(tensor
            .data()
            .as_chunks::<2>()
            .0
            .iter()
            .map(|x| u32::from(u16::from_le_bytes(*x)))
            .collect()),
        Dtype::U32 | Dtype::F32 => Ok(tensor
            .data()
            .as_chunks::<4>()
            .0
            .iter()
            .map(|x| u32::from_le_bytes(*x))
            .collect()),
        other => Err(RunError::damaged(
            path,
            format!("`{name}` has type {other:?}"),
        )),
    }
}

/// Files of all images; none where the source has no files.
fn files(path: &Path, bytes: &[u8]) -> Result<Vec<String>, RunError> {
    let (_, metadata) =
        SafeTensors::read_metadata(bytes).map_err(|e| RunError::damaged(path, e))?;
    let metadata = metadata.metadata().as_ref();
    let Some(files) = metadata.and_then(|metadata| metadata.get("files")) else {
        return Ok(Vec::new());
    };
    serde_json::from_str(files).map_err(|e| RunError::damaged(path, e))
}

#[cfg(test)]
mod tests;
