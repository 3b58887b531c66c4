//! Checkpoints: everything that training needs to go on bit-exactly, in one safetensors file.
//!
//! Parameters and batch-norm buffers have PyTorch's names and shapes; the optimiser's state is under `optimiser/`.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{Device, Tensor};
use safetensors::tensor::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

use crate::model::Net;
use crate::run::event::LogitGradients;
use crate::run::log::{RunError, read_tensors, write_tensors};

use super::error::TrainError;
use super::optimiser::Optimiser;

/// How far a run has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Optimiser steps taken.
    pub step: u64,
    /// Epoch under way, from 0.
    pub epoch: u64,
    /// Steps taken in that epoch.
    pub step_in_epoch: u64,
    /// Training images seen.
    pub images: u64,
    /// Seconds of training so far.
    pub wall_secs: f64,
    /// Step of the best validation macro-F1 so far.
    pub best_step: Option<u64>,
    /// Macro-F1 at that step.
    pub best_macro_f1: Option<f64>,
    /// Learning rate of the last step.
    pub last_lr: f64,
    /// How hard images have pulled at the logits so far. `None` in checkpoints written before these were summed: what
    /// is missing there cannot be made up for later.
    #[serde(default)]
    pub logit_gradients: Option<LogitGradients>,
}

const OPTIMISER: &str = "optimiser/";

/// Writes a checkpoint whole. The previous one stays until the new one is complete.
///
/// # Errors
/// Where a tensor cannot be read or the file not written.
pub fn save(
    path: &Path,
    net: &Net,
    optimiser: &dyn Optimiser,
    progress: &Progress,
) -> Result<(), TrainError> {
    let mut tensors = Vec::new();
    let mut push = |name: String, shape: &[usize], values: &[f32]| {
        let bytes = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        tensors.push((name, Dtype::F32, shape.to_vec(), bytes));
    };
    let state = optimiser.state();
    let params = net.params();
    for (i, (spec, value)) in params.specs().iter().zip(params.values()).enumerate() {
        push(
            spec.name.clone(),
            &spec.shape,
            &value.flatten_all()?.to_vec1()?,
        );
        for (kept, tensors) in optimiser.kept().iter().zip(&state) {
            if let Some(tensor) = tensors.get(i) {
                push(
                    format!("{OPTIMISER}{kept}{}", spec.name),
                    &spec.shape,
                    &tensor.flatten_all()?.to_vec1()?,
                );
            }
        }
    }
    for norm in net.norms() {
        push(
            format!("{}.running_mean", norm.name),
            &[norm.mean.len()],
            &norm.mean,
        );
        push(
            format!("{}.running_var", norm.name),
            &[norm.variance.len()],
            &norm.variance,
        );
    }
    for norm in net.norms() {
        let bytes = i64::try_from(norm.batches)
            .unwrap_or(i64::MAX)
            .to_le_bytes()
            .to_vec();
        tensors.push((
            format!("{}.num_batches_tracked", norm.name),
            Dtype::I64,
            vec![],
            bytes,
        ));
    }
    let progress = serde_json::to_string(progress).map_err(|e| RunError::damaged(path, e))?;
    let metadata = HashMap::from([("progress".to_owned(), progress)]);
    Ok(write_tensors(path, &tensors, Some(metadata))?)
}

/// Whether all weights, statistics and numbers of the optimiser are finite.
///
/// # Errors
/// Where a tensor cannot be read.
pub fn is_finite(net: &Net, optimiser: &dyn Optimiser) -> Result<bool, TrainError> {
    let state = optimiser.state();
    for tensor in net.params().values().iter().chain(state.iter().flatten()) {
        let values: Vec<f32> = tensor.flatten_all()?.to_vec1()?;
        if !values.iter().all(|value| value.is_finite()) {
            return Ok(false);
        }
    }
    let mut norms = net
        .norms()
        .iter()
        .flat_map(|norm| norm.mean.iter().chain(&norm.variance));
    Ok(norms.all(|value| value.is_finite()))
}

/// How far the run of a checkpoint had come; `None` where a number of the checkpoint is not finite, so that training
/// cannot go on from it.
///
/// # Errors
/// Where the file is missing or cut short.
pub fn progress_if_finite(path: &Path) -> Result<Option<Progress>, TrainError> {
    let bytes = read_tensors(path).map_err(|e| RunError::io("read the checkpoint", path, e))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|e| RunError::damaged(path, e))?;
    let progress = progress_of(path, &bytes)?;
    let is_finite = |bytes: &[u8]| {
        let (words, _) = bytes.as_chunks::<4>();
        words
            .iter()
            .all(|word| f32::from_le_bytes(*word).is_finite())
    };
    let mut numbers = file.iter().filter(|(_, view)| view.dtype() == Dtype::F32);
    Ok(numbers
        .all(|(_, view)| is_finite(view.data()))
        .then_some(progress))
}

/// How far the run of a checkpoint had come, from the bytes of its file.
fn progress_of(path: &Path, bytes: &[u8]) -> Result<Progress, RunError> {
    let (_, metadata) =
        SafeTensors::read_metadata(bytes).map_err(|e| RunError::damaged(path, e))?;
    let progress = metadata
        .metadata()
        .as_ref()
        .and_then(|metadata| metadata.get("progress"));
    let missing = || RunError::damaged(path, "it says nothing of its progress");
    serde_json::from_str(progress.ok_or_else(missing)?).map_err(|e| RunError::damaged(path, e))
}

/// Restores a checkpoint into a network and an optimiser of the same shape.
///
/// # Errors
/// Where the file is missing, cut short, or of another network.
pub fn load(
    path: &Path,
    net: &mut Net,
    optimiser: &mut dyn Optimiser,
    device: &Device,
) -> Result<Progress, TrainError> {
    let bytes = read_tensors(path).map_err(|e| RunError::io("read the checkpoint", path, e))?;
    let damaged = |error: &dyn std::fmt::Display| RunError::damaged(path, error);
    let file = SafeTensors::deserialize(&bytes).map_err(|e| damaged(&e))?;
    let progress = progress_of(path, &bytes)?;
    let read = |name: &str, shape: &[usize]| -> Result<Vec<f32>, TrainError> {
        let view = file.tensor(name).map_err(|e| damaged(&e))?;
        if view.dtype() != Dtype::F32 || view.shape() != shape {
            return Err(damaged(&format!("`{name}` is not f32 {shape:?}")).into());
        }
        let (words, _) = view.data().as_chunks::<4>();
        Ok(words.iter().map(|word| f32::from_le_bytes(*word)).collect())
    };
    let mut values = Vec::new();
    let mut state = vec![Vec::new(); optimiser.kept().len()];
    for spec in net.params().specs() {
        values.push(Tensor::from_vec(
            read(&spec.name, &spec.shape)?,
            spec.shape.as_slice(),
            device,
        )?);
        if progress.step == 0 {
            continue;
        }
        for (kept, tensors) in optimiser.kept().iter().zip(&mut state) {
            let name = format!("{OPTIMISER}{kept}{}", spec.name);
            tensors.push(Tensor::from_vec(
                read(&name, &spec.shape)?,
                spec.shape.as_slice(),
                device,
            )?);
        }
    }
    net.params_mut().set(values)?;
    for norm in net.norms_mut() {
        norm.mean = read(&format!("{}.running_mean", norm.name), &[norm.mean.len()])?;
        norm.variance = read(
            &format!("{}.running_var", norm.name),
            &[norm.variance.len()],
        )?;
        let name = format!("{}.num_batches_tracked", norm.name);
        let tracked = file.tensor(&name).map_err(|e| damaged(&e))?;
        let tracked = <[u8; 8]>::try_from(tracked.data())
            .map_err(|_| damaged(&format!("`{name}` is not i64")))?;
        norm.batches = u64::try_from(i64::from_le_bytes(tracked)).unwrap_or(0);
    }
    optimiser.restore(state, progress.step, progress.last_lr);
    Ok(progress)
}
