//! The class that a run predicted for every image, as an evaluation recorded it.

use std::path::Path;

use safetensors::tensor::Dtype;

use super::recorded_data::{RecordedData, has, read, values};
use crate::run::bytes::{little_endian, write_tensors};
use crate::run::error::RunError;
use crate::run::event::Split;
use crate::run::paths::predictions_file;

/// Number of likeliest classes that are listed for an image.
const LIKELIEST: usize = 3;

/// An image with its prediction.
#[derive(Clone, Debug, PartialEq)]
pub struct Predicted {
    /// Number of the image in the data set.
    pub index: u32,
    /// File of the image relative to the source, where the source has files.
    pub file: Option<String>,
    /// Softmax probability of the predicted class, in [0, 1].
    pub confidence: f32,
    /// The likeliest classes with their softmax probabilities, the likeliest first; empty where the evaluation kept no
    /// logits.
    pub likeliest: Vec<(usize, f32)>,
}

/// The images of class `truth` for which the evaluation of `split` at `step` predicted class `predicted`, ordered by
/// falling confidence.
///
/// # Errors
/// Where the run's files cannot be read or do not fit each other.
pub fn predicted(
    run: &Path,
    (step, split): (u64, Split),
    truth: usize,
    predicted: usize,
) -> Result<Vec<Predicted>, RunError> {
    let data = RecordedData::read(run)?;
    let path = run.join(predictions_file(step, split));
    let bytes = read(&path)?;
    let indices = data.split(split);
    let classes = values(&path, &bytes, "class")?;
    let confidences = values(&path, &bytes, "confidence")?;
    if classes.len() != indices.len() || confidences.len() != indices.len() {
        let text = format!("{} predictions of {} images", classes.len(), indices.len());
        return Err(RunError::damaged(&path, text));
    }
    let logits = if has(&path, &bytes, "logits")? {
        values(&path, &bytes, "logits")?
    } else {
        Vec::new()
    };
    let width = logits.len() / indices.len().max(1);
    let mut found = Vec::new();
    for (at, &index) in indices.iter().enumerate() {
        if data.label(index)? == truth && classes[at] as usize == predicted {
            found.push(Predicted {
                index,
                file: data.file(index).map(str::to_owned),
                confidence: f32::from_bits(confidences[at]),
                likeliest: likeliest(&logits[at * width..(at + 1) * width]),
            });
        }
    }
    found.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    Ok(found)
}

/// The likeliest classes by the softmax of an image's logits, which are given as the bits of f32 numbers.
fn likeliest(logits: &[u32]) -> Vec<(usize, f32)> {
    let logits: Vec<f64> = logits
        .iter()
        .map(|x| f64::from(f32::from_bits(*x)))
        .collect();
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = logits.iter().map(|x| (x - largest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    let mut shares: Vec<_> = powers
        .iter()
        .map(|x| (x / sum) as f32)
        .enumerate()
        .collect();
    shares.sort_by(|a, b| b.1.total_cmp(&a.1));
    shares.truncate(LIKELIEST);
    shares
}

/// Writes predicted classes u16 `[N]`, confidences f32 `[N]` and, where they are given, logits f32 `[N, K]`.
///
/// # Errors
/// Where the file cannot be written.
pub fn write_predictions(
    path: &Path,
    class: &[u16],
    confidence: &[f32],
    logits: Option<&[f32]>,
) -> Result<(), RunError> {
    let n = class.len();
    let classes = class.iter().flat_map(|class| class.to_le_bytes()).collect();
    let mut tensors = vec![
        ("class", Dtype::U16, vec![n], classes),
        ("confidence", Dtype::F32, vec![n], little_endian(confidence)),
    ];
    if let Some(logits) = logits {
        tensors.push((
            "logits",
            Dtype::F32,
            vec![n, logits.len() / n.max(1)],
            little_endian(logits),
        ));
    }
    write_tensors(path, &tensors, None)
}

#[cfg(test)]
mod tests;
