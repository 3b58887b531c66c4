//! The class that a run predicted for every image, as an evaluation recorded it.

use std::path::Path;

use safetensors::tensor::Dtype;

use super::checks::Checks;
use super::recorded_data::{RecordedData, has, read, values};
use crate::run::bytes::{little_endian, write_tensors};
use crate::run::error::RunError;
use crate::run::event::Split;
use crate::run::log::reader::header;
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
    let known = header(run)?.classes.len();
    let data = RecordedData::read(run)?;
    data.check_labels(known)?;
    let path = run.join(predictions_file(step, split));
    let bytes = read(&path)?;
    let indices = data.split(split);
    let Tensors {
        class,
        confidence,
        logits,
    } = Tensors::read(&path, &bytes, indices.len(), known)?;
    let mut found = Vec::new();
    for (at, &index) in indices.iter().enumerate() {
        if data.label(index)? == truth && class[at] as usize == predicted {
            let logits = logits
                .as_ref()
                .and_then(|all| all.get(at * known..(at + 1) * known));
            found.push(Predicted {
                index,
                file: data.file(index).map(str::to_owned),
                confidence: confidence[at],
                likeliest: likeliest(logits.unwrap_or_default()),
            });
        }
    }
    found.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    Ok(found)
}

/// The logits of an evaluation of N images of K classes, with the classes that the images are of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Logits {
    /// Class of every image, `[N]`.
    pub truth: Vec<u16>,
    /// Logits that the predictions were made from, [N, K].
    pub logits: Vec<f32>,
}

/// The logits of the evaluation of `split` at `step`; `None` where it kept none, as most evaluations during training.
///
/// # Errors
/// Where the run's files cannot be read or do not fit each other.
pub fn logits(run: &Path, (step, split): (u64, Split)) -> Result<Option<Logits>, RunError> {
    let known = header(run)?.classes.len();
    let data = RecordedData::read(run)?;
    data.check_labels(known)?;
    let path = run.join(predictions_file(step, split));
    let indices = data.split(split);
    let tensors = Tensors::read(&path, &read(&path)?, indices.len(), known)?;
    let Some(logits) = tensors.logits else {
        return Ok(None);
    };
    let truth = indices.iter().map(|&index| Ok(data.label(index)? as u16));
    Ok(Some(Logits {
        truth: truth.collect::<Result<_, RunError>>()?,
        logits,
    }))
}

/// The tensors of an evaluation of N images of K classes.
struct Tensors {
    /// Predicted classes, `[N]`.
    class: Vec<u32>,
    /// Softmax probabilities of these classes, `[N]`.
    confidence: Vec<f32>,
    /// `[N, K]`.
    logits: Option<Vec<f32>>,
}

impl Tensors {
    /// Reads and checks the tensors of an evaluation of `images` images of `classes` classes.
    fn read(path: &Path, bytes: &[u8], images: usize, classes: usize) -> Result<Self, RunError> {
        let checks = Checks(path);
        let numbers = |name: &str| -> Result<Vec<f32>, RunError> {
            let bits = values(path, bytes, name, &[Dtype::F32])?;
            Ok(bits.into_iter().map(f32::from_bits).collect())
        };
        let class = values(path, bytes, "class", &[Dtype::U16, Dtype::U32])?;
        let confidence = numbers("confidence")?;
        for (name, count) in [("class", class.len()), ("confidence", confidence.len())] {
            if count != images {
                return Err(checks.damaged(format!(
                    "`{name}` has {count} predictions of {images} images"
                )));
            }
        }
        if let Some(beyond) = class.iter().find(|class| **class as usize >= classes) {
            return Err(
                checks.damaged(format!("`class` holds class {beyond} of {classes} classes"))
            );
        }
        checks.finite("confidence", &confidence)?;
        checks.shares("confidence", &confidence)?;
        let logits = match has(path, bytes, "logits")? {
            true => Some(numbers("logits")?),
            false => None,
        };
        if let Some(logits) = &logits {
            let count = logits.len();
            if count != images * classes {
                let text = format!("`logits` has {count} numbers and not {images} × {classes}");
                return Err(checks.damaged(text));
            }
            checks.finite("logits", logits)?;
        }
        Ok(Self {
            class,
            confidence,
            logits,
        })
    }
}

/// The likeliest classes by the softmax of an image's logits.
fn likeliest(logits: &[f32]) -> Vec<(usize, f32)> {
    let logits: Vec<f64> = logits.iter().copied().map(f64::from).collect();
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
