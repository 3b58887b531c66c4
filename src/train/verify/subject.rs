//! The network of a checkpoint, with its data and its configuration.

use std::path::Path;
use std::sync::Arc;

use candle_core::{Device, Tensor};

use crate::class_balance;
use crate::config::{Attention, DataSource, RunConfig};
use crate::data::Dataset;
use crate::data::batches::eval_batch;
use crate::model::{Layout, Net, Spec};
use crate::network::Normalise;
use crate::ops::Criterion;
use crate::run::event::Started;
use crate::run::log;

use super::super::checkpoint::{self, Progress};
use super::super::control::{Control, Emit};
use super::super::ema::Ema;
use super::super::error::TrainError;
use super::super::start::load_data;
use super::super::trainer::is_data_of;
use super::super::{criterion, device, optimiser};

/// The network of a checkpoint with its data.
pub(super) struct Subject {
    pub(super) config: RunConfig,
    pub(super) data: Arc<Dataset>,
    pub(super) normalise: Normalise,
    pub(super) device: Device,
    pub(super) net: Net,
    pub(super) progress: Progress,
    /// Training images of each class, `[K]`.
    pub(super) counts: Vec<usize>,
}

impl Subject {
    pub(super) fn read(
        dir: &Path,
        started: Started,
        source: Option<&DataSource>,
        checkpoint: &str,
        control: &Control,
        emit: Emit<'_>,
    ) -> Result<Option<Self>, TrainError> {
        let mut config = started.config.clone();
        if let Some(data) = source {
            config.data = data.clone();
        }
        let device = device::open(config.device, config.tf32).map_err(|reason| {
            TrainError::Device(format!("{reason}, and this run was trained on one"))
        })?;
        let data = match load_data(&config, control, emit) {
            Err(_) if control.is_stopped() => return Ok(None),
            loaded => Arc::new(loaded?.dataset),
        };
        if !is_data_of(&data, &started) {
            return Err(TrainError::DataChanged(config.data.to_string()));
        }
        let spec = Spec {
            image: [data.height, data.width, data.channels],
            classes: data.classes.len(),
            width: config.width,
            attention: config.attention,
            layout: Layout::of(&config),
            classifier: criterion::classifier(&config),
        };
        let net = Net::new(spec, config.seed, &device)?;
        let mut net = net.with_exact_convolutions(config.exact_convolutions);
        let mut optimiser = optimiser::of(&config, net.params().specs());
        let path = log::checkpoint_path(dir, checkpoint);
        let mut ema = config.ema_decay.map(|decay| Ema::new(&net, decay));
        let progress = checkpoint::load(&path, &mut net, ema.as_mut(), &mut *optimiser, &device)?;
        Ok(Some(Self {
            counts: data.counts(&data.train),
            normalise: data.normalise(),
            config,
            data,
            device,
            net,
            progress,
        }))
    }

    /// The loss that the run minimises.
    pub(super) fn loss_in_words(&self) -> String {
        if self.config.attention == Attention::Experts {
            return "the losses of three experts".to_owned();
        }
        self.config.loss.to_string()
    }

    /// Share of each class in the gradient of a step, `[K]`.
    pub(super) fn step_shares(&self) -> Vec<f64> {
        class_balance::step_shares(&self.config, &self.counts, self.progress.epoch)
    }

    /// The losses that training minimises, as [`criterion::criteria`] gives them.
    pub(super) fn criteria(&self) -> Vec<Criterion> {
        criterion::criteria(&self.config, &self.counts, self.progress.epoch)
    }

    /// Images as the network sees them, not augmented: [n, H, W, C].
    pub(super) fn images(&self, indices: &[u32]) -> candle_core::Result<Tensor> {
        self.tensor(
            eval_batch(&self.data, indices, &self.normalise),
            indices.len(),
        )
    }

    pub(super) fn tensor(&self, values: Vec<f32>, images: usize) -> candle_core::Result<Tensor> {
        let [h, w, c] = self.net.spec().image;
        Tensor::from_vec(values, (images, h, w, c), &self.device)
    }
}
