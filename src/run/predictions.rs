//! Which images a run took for which class, as an evaluation recorded it.

use std::path::Path;

use super::event::Split;
use super::log::{RunError, predictions_file};
use super::recorded_data::{RecordedData, has, read, values};

/// Classes that are named of an image.
const LIKELIEST: usize = 3;

/// An image that was evaluated.
#[derive(Clone, Debug, PartialEq)]
pub struct Predicted {
    /// Its number in the data set.
    pub index: u32,
    /// Its file relative to the source, where the source has files.
    pub file: Option<String>,
    /// Softmax probability of the predicted class, 0 to 1.
    pub confidence: f32,
    /// The likeliest classes with their softmax probabilities, the likeliest first; empty where the evaluation kept none.
    pub likeliest: Vec<(usize, f32)>,
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

/// The likeliest classes by the softmax of an image's logits, given as their bits.
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

#[cfg(test)]
mod tests;
