//! The images with which a run trained, validated, tested and probed, as the run recorded them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors};

use crate::run::bytes::{read_tensors, write_tensors};
use crate::run::error::RunError;
use crate::run::event::Split;
use crate::run::inside::stays_inside;
use crate::run::paths::data_path;
use crate::text::visible;

/// The contents of a run's `data.safetensors`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordedData {
    /// Class of every image, `[N]`.
    pub labels: Vec<u16>,
    /// File of every image relative to the source, `[N]`; `None` where the source has no files.
    pub files: Option<Vec<String>>,
    /// Numbers of the training images.
    pub train: Vec<u32>,
    /// Numbers of the validation images.
    pub val: Vec<u32>,
    /// Numbers of the test images.
    pub test: Vec<u32>,
    /// Numbers of the images that class gradients are measured on.
    pub probe: Vec<u32>,
    path: PathBuf,
}

impl RecordedData {
    /// Reads the recorded data of the run in a directory.
    ///
    /// # Errors
    /// Where the file cannot be read, is damaged, or names an image that does not exist.
    pub fn read(run: &Path) -> Result<Self, RunError> {
        let path = data_path(run);
        let bytes = read(&path)?;
        let whole = [Dtype::U16, Dtype::U32];
        let labels = values(&path, &bytes, "labels", &whole)?;
        if let Some(beyond) = labels.iter().find(|label| **label > u32::from(u16::MAX)) {
            let text = format!("`labels` holds class {beyond}, and there are fewer");
            return Err(RunError::damaged(&path, text));
        }
        let is_there = |index: &u32| (*index as usize) < labels.len();
        // A split without a tensor is empty.
        let split = |name: &str| -> Result<Vec<u32>, RunError> {
            if !has(&path, &bytes, name)? {
                return Ok(Vec::new());
            }
            let indices = values(&path, &bytes, name, &whole)?;
            match indices.iter().find(|index| !is_there(index)) {
                Some(index) => {
                    let text = format!("image {index} has no label");
                    Err(RunError::damaged(&path, text))
                }
                None => Ok(indices),
            }
        };
        let files = files(&path, &bytes)?;
        if files
            .as_ref()
            .is_some_and(|files| files.len() != labels.len())
        {
            return Err(RunError::damaged(&path, "files and labels do not match"));
        }
        Ok(Self {
            train: split("train")?,
            val: split("val")?,
            test: split("test")?,
            probe: split("probe")?,
            // Checked above, so that the cast loses nothing.
            labels: labels.iter().map(|label| *label as u16).collect(),
            files,
            path,
        })
    }

    /// Asserts that all images are of one of so many classes.
    ///
    /// # Errors
    /// Where a label is beyond them.
    pub fn check_labels(&self, classes: usize) -> Result<(), RunError> {
        match self
            .labels
            .iter()
            .find(|label| usize::from(**label) >= classes)
        {
            None => Ok(()),
            Some(label) => {
                let text = format!("`labels` holds class {label} of {classes} classes");
                Err(RunError::damaged(&self.path, text))
            }
        }
    }

    /// Numbers of the images of a split.
    pub fn split(&self, split: Split) -> &[u32] {
        match split {
            Split::Train => &self.train,
            Split::Val => &self.val,
            Split::Test => &self.test,
        }
    }

    /// Class of an image, by its number.
    ///
    /// # Errors
    /// Where there is no such image.
    pub(super) fn label(&self, index: u32) -> Result<usize, RunError> {
        let label = self.labels.get(index as usize).copied();
        let missing = || RunError::damaged(&self.path, format!("image {index} has no label"));
        label.map(usize::from).ok_or_else(missing)
    }

    /// File of an image by its number; `None` where the source has no files, or there is no such image.
    pub fn file(&self, index: u32) -> Option<&str> {
        let files = self.files.as_ref()?;
        files.get(index as usize).map(String::as_str)
    }
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, RunError> {
    read_tensors(path).map_err(|source| RunError::io("read", path, source))
}

/// Whether a file has a tensor called `name`.
pub(super) fn has(path: &Path, bytes: &[u8], name: &str) -> Result<bool, RunError> {
    let file = SafeTensors::deserialize(bytes).map_err(|e| RunError::damaged(path, e))?;
    Ok(file.tensor(name).is_ok())
}

/// The values of a tensor of one of the types in `types`: u16 or u32, or f32, of which the bits are given.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the format has more number types than a run stores, and may get further ones"
)]
pub(super) fn values(
    path: &Path,
    bytes: &[u8],
    name: &str,
    types: &[Dtype],
) -> Result<Vec<u32>, RunError> {
    let file = SafeTensors::deserialize(bytes).map_err(|e| RunError::damaged(path, e))?;
    let tensor = file.tensor(name).map_err(|e| RunError::damaged(path, e))?;
    if !types.contains(&tensor.dtype()) {
        let text = format!("`{name}` has type {:?}", tensor.dtype());
        return Err(RunError::damaged(path, text));
    }
    match tensor.dtype() {
        Dtype::U16 => {
            let (words, _) = tensor.data().as_chunks::<2>();
            Ok(words
                .iter()
                .map(|x| u32::from(u16::from_le_bytes(*x)))
                .collect())
        }
        Dtype::U32 | Dtype::F32 => {
            let (words, _) = tensor.data().as_chunks::<4>();
            Ok(words.iter().map(|x| u32::from_le_bytes(*x)).collect())
        }
        other => Err(RunError::damaged(
            path,
            format!("`{name}` has type {other:?}"),
        )),
    }
}

/// Files of all images; `None` where the source has no files.
fn files(path: &Path, bytes: &[u8]) -> Result<Option<Vec<String>>, RunError> {
    let (_, metadata) =
        SafeTensors::read_metadata(bytes).map_err(|e| RunError::damaged(path, e))?;
    let metadata = metadata.metadata().as_ref();
    let files = metadata.and_then(|metadata| metadata.get("files"));
    let parsed = files.map(|files| serde_json::from_str(files));
    let files: Option<Vec<String>> = parsed.transpose().map_err(|e| RunError::damaged(path, e))?;
    match files.iter().flatten().find(|file| !stays_inside(file)) {
        Some(file) => Err(RunError::damaged(
            path,
            format!("the image `{}` lies outside of the source", visible(file)),
        )),
        None => Ok(files),
    }
}

/// Writes labels u16 `[N]` and split indices u32 with their metadata.
///
/// # Errors
/// Where the file cannot be written.
pub fn write_data(
    path: &Path,
    labels: &[u16],
    splits: &[(&str, &Vec<u32>)],
    metadata: HashMap<String, String>,
) -> Result<(), RunError> {
    let bytes = |values: &[u32]| {
        values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    let mut tensors = vec![(
        "labels",
        Dtype::U16,
        labels.len(),
        labels.iter().flat_map(|x| x.to_le_bytes()).collect(),
    )];
    tensors.extend(
        splits
            .iter()
            .map(|(name, values)| (*name, Dtype::U32, values.len(), bytes(values))),
    );
    let tensors: Vec<_> = tensors
        .into_iter()
        .map(|(name, dtype, len, bytes)| (name, dtype, vec![len], bytes))
        .collect();
    write_tensors(path, &tensors, Some(metadata))
}
