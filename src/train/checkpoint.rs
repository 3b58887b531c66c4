//! Checkpoints: everything that training needs to go on bit-exactly, in one safetensors file.
//!
//! Parameters and batch-norm buffers have PyTorch's names and shapes; the optimiser's state is under `optimiser/`. Where the
//! weights are averaged, these names hold the averages, which are evaluated; the trained weights and buffers, which training
//! goes on with, are under `training/`.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{Device, Tensor};
use safetensors::tensor::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

use crate::model::{Net, ParamSpec, Running};
use crate::run::event::LogitGradients;
use crate::run::log::{RunError, read_tensors, write_tensors};

use super::ema::Ema;
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
    /// How hard images have pulled at the logits so far. `None` with smoothed labels, and in checkpoints written before
    /// these were summed: what is missing there cannot be made up for later.
    #[serde(default)]
    pub logit_gradients: Option<LogitGradients>,
}

const OPTIMISER: &str = "optimiser/";
const TRAINING: &str = "training/";

/// A tensor as a checkpoint holds it.
type Stored = (String, Dtype, Vec<usize>, Vec<u8>);

/// Writes a checkpoint whole. The previous one stays until the new one is complete. `ema`: the average of the weights, where
/// there is one.
///
/// # Errors
/// Where a tensor cannot be read or the file not written.
pub fn save(
    path: &Path,
    net: &Net,
    ema: Option<&Ema>,
    optimiser: &dyn Optimiser,
    progress: &Progress,
) -> Result<(), TrainError> {
    let mut tensors = Vec::new();
    let specs = net.params().specs();
    if let Some(ema) = ema {
        push_params(&mut tensors, "", specs, &ema.params)?;
        push_norms(&mut tensors, "", &ema.norms);
        push_params(&mut tensors, TRAINING, specs, net.params().values())?;
        push_norms(&mut tensors, TRAINING, net.norms());
    } else {
        push_params(&mut tensors, "", specs, net.params().values())?;
        push_norms(&mut tensors, "", net.norms());
    }
    for (kept, state) in optimiser.kept().iter().zip(optimiser.state()) {
        push_params(&mut tensors, &format!("{OPTIMISER}{kept}"), specs, &state)?;
    }
    let progress = serde_json::to_string(progress).map_err(|e| RunError::damaged(path, e))?;
    let metadata = HashMap::from([("progress".to_owned(), progress)]);
    Ok(write_tensors(path, &tensors, Some(metadata))?)
}

fn stored(name: String, shape: &[usize], values: &[f32]) -> Stored {
    let bytes = values.iter().flat_map(|value| value.to_le_bytes());
    (name, Dtype::F32, shape.to_vec(), bytes.collect())
}

/// Adds a tensor for each parameter, with `prefix` before its name; none before the first step, where there is none.
fn push_params(
    tensors: &mut Vec<Stored>,
    prefix: &str,
    specs: &[ParamSpec],
    values: &[Tensor],
) -> Result<(), TrainError> {
    for (spec, value) in specs.iter().zip(values) {
        let values: Vec<f32> = value.flatten_all()?.to_vec1()?;
        let name = format!("{prefix}{}", spec.name);
        tensors.push(stored(name, &spec.shape, &values));
    }
    Ok(())
}

/// Adds the buffers of each batch norm, with `prefix` before their names.
fn push_norms(tensors: &mut Vec<Stored>, prefix: &str, norms: &[Running]) {
    for norm in norms {
        let name = |buffer: &str| format!("{prefix}{}.{buffer}", norm.name);
        let channels = [norm.mean.len()];
        tensors.push(stored(name("running_mean"), &channels, &norm.mean));
        tensors.push(stored(name("running_var"), &channels, &norm.variance));
        let batches = i64::try_from(norm.batches).unwrap_or(i64::MAX);
        tensors.push((
            name("num_batches_tracked"),
            Dtype::I64,
            vec![],
            batches.to_le_bytes().to_vec(),
        ));
    }
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
pub(super) fn progress_of(path: &Path, bytes: &[u8]) -> Result<Progress, RunError> {
    let (_, metadata) =
        SafeTensors::read_metadata(bytes).map_err(|e| RunError::damaged(path, e))?;
    let progress = metadata
        .metadata()
        .as_ref()
        .and_then(|metadata| metadata.get("progress"));
    let missing = || RunError::damaged(path, "it says nothing of its progress");
    serde_json::from_str(progress.ok_or_else(missing)?).map_err(|e| RunError::damaged(path, e))
}

/// Restores a checkpoint into a network, the average of its weights where there is one, and an optimiser, all of the same
/// shape. The network gets the weights that training goes on with.
///
/// # Errors
/// Where the file is missing, cut short, or of another network.
pub fn load(
    path: &Path,
    net: &mut Net,
    ema: Option<&mut Ema>,
    optimiser: &mut dyn Optimiser,
    device: &Device,
) -> Result<Progress, TrainError> {
    let bytes = read_tensors(path).map_err(|e| RunError::io("read the checkpoint", path, e))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|e| RunError::damaged(path, e))?;
    let progress = progress_of(path, &bytes)?;
    let file = Read { path, file, device };
    let specs = net.params().specs().to_vec();
    let mut state = vec![Vec::new(); optimiser.kept().len()];
    if progress.step > 0 {
        for (kept, tensors) in optimiser.kept().iter().zip(&mut state) {
            *tensors = file.params(&format!("{OPTIMISER}{kept}"), &specs)?;
        }
    }
    let prefix = if let Some(ema) = ema {
        ema.params = file.params("", &specs)?;
        file.norms("", &mut ema.norms)?;
        TRAINING
    } else {
        ""
    };
    net.params_mut().set(file.params(prefix, &specs)?)?;
    file.norms(prefix, net.norms_mut())?;
    optimiser.restore(state, progress.step, progress.last_lr);
    Ok(progress)
}

/// A checkpoint that is read.
struct Read<'a> {
    path: &'a Path,
    file: SafeTensors<'a>,
    device: &'a Device,
}

impl Read<'_> {
    fn damaged(&self, error: &dyn std::fmt::Display) -> TrainError {
        RunError::damaged(self.path, error).into()
    }

    fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, TrainError> {
        let view = self.file.tensor(name).map_err(|e| self.damaged(&e))?;
        if view.dtype() != Dtype::F32 || view.shape() != shape {
            return Err(self.damaged(&format!("`{name}` is not f32 {shape:?}")));
        }
        let (words, _) = view.data().as_chunks::<4>();
        Ok(words.iter().map(|word| f32::from_le_bytes(*word)).collect())
    }

    /// The tensor of each parameter, with `prefix` before its name.
    fn params(&self, prefix: &str, specs: &[ParamSpec]) -> Result<Vec<Tensor>, TrainError> {
        let read = |spec: &ParamSpec| {
            let values = self.values(&format!("{prefix}{}", spec.name), &spec.shape)?;
            Ok(Tensor::from_vec(
                values,
                spec.shape.as_slice(),
                self.device,
            )?)
        };
        specs.iter().map(read).collect()
    }

    /// The buffers of each batch norm, with `prefix` before their names.
    fn norms(&self, prefix: &str, norms: &mut [Running]) -> Result<(), TrainError> {
        for norm in norms {
            let channels = [norm.mean.len()];
            let name = |buffer: &str| format!("{prefix}{}.{buffer}", norm.name);
            norm.mean = self.values(&name("running_mean"), &channels)?;
            norm.variance = self.values(&name("running_var"), &channels)?;
            let name = name("num_batches_tracked");
            let tracked = self.file.tensor(&name).map_err(|e| self.damaged(&e))?;
            let tracked = <[u8; 8]>::try_from(tracked.data())
                .map_err(|_| self.damaged(&format!("`{name}` is not i64")))?;
            norm.batches = u64::try_from(i64::from_le_bytes(tracked)).unwrap_or(0);
        }
        Ok(())
    }
}
