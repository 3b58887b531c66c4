//! Out of memory: how much a step needs, how much the device has, and which batch would fit.

use std::fmt;

use candle_core::Device;

use crate::config::{NormKind, Optimizer, RunConfig};
use crate::model::Spec;
use crate::ops::COLUMN_VALUES;

const VALUE_BYTES: u64 = 4;
/// Share of the free memory that is counted on: the allocator rounds up, and cuBLAS takes some for itself.
const USABLE: f64 = 0.9;

/// Memory that one forward and backward pass over a batch takes on a device, in bytes: an upper estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// Bytes for parameters, gradients and the optimiser's state, independent of the batch.
    fixed: u64,
    /// Bytes for each image: activations kept for the backward pass, and the largest temporaries.
    per_image: u64,
    /// Bytes for each image: a convolution's unfolded input.
    columns: u64,
    /// Most bytes of unfolded input that are held at a time, unless one image needs more.
    columns_limit: u64,
}

impl Need {
    /// The need of a network that is trained with `config`, from the sizes of its layers.
    pub fn of(spec: &Spec, config: &RunConfig) -> Self {
        let mut kept: usize = spec.image.iter().product();
        // Values of the largest convolution, the one that unfolds most.
        let mut largest = 0;
        for layer in spec.layers() {
            let values: usize = layer.shape.iter().product();
            if layer.kind == "conv" {
                largest = largest.max(values);
            }
            kept += match layer.kind.as_str() {
                // Without norm, what the bias is added to is kept beside the sum.
                "conv" if spec.layout.norm == NormKind::None => 2 * values,
                // The normalised values, and those after scale, shift and ReLU.
                "group_norm" => 2 * values,
                "conv" | "batch_norm" | "max_pool" | "concat" | "gate" => values,
                _ => 0,
            };
        }
        let params: usize = spec.layers().iter().map(|layer| layer.params).sum();
        let bytes = |values: usize| values as u64 * VALUE_BYTES;
        // Values of the image that unfolds most: a large kernel may unfold more of the stem's output than 3×3 neighbourhoods
        // of the largest layer.
        let [h, w, _] = spec.image;
        let kernel = spec.layout.largest_kernel().pow(2);
        let unfolded = (9 * largest).max(kernel * (h / 2) * (w / 2) * spec.channels()[0]);
        Self {
            fixed: bytes(copies(config) * params),
            // Beside the activations that are kept, a few tensors of the size of a layer come and go.
            per_image: bytes(kept + 3 * largest),
            // Unfolded neighbourhoods, once in parts and once as a whole.
            columns: bytes(2 * unfolded),
            columns_limit: bytes(2 * COLUMN_VALUES),
        }
    }

    /// Bytes for a batch of `images`.
    pub fn bytes(&self, images: usize) -> u64 {
        let images = images as u64;
        let columns = self.columns.saturating_mul(images);
        self.per_image
            .saturating_mul(images)
            .saturating_add(columns.min(self.columns_limit.max(self.columns)))
            .saturating_add(self.fixed)
    }

    /// The largest batch that should fit into `free_bytes`; 0 where not even one image fits.
    pub fn images_in(&self, free_bytes: u64) -> usize {
        let usable = (free_bytes as f64 * USABLE) as u64;
        let (mut fits, mut too_many) = (0, usable / self.per_image.max(1) + 1);
        while too_many - fits > 1 {
            let middle = fits + (too_many - fits) / 2;
            if self.bytes(middle as usize) <= usable {
                fits = middle;
            } else {
                too_many = middle;
            }
        }
        fits as usize
    }
}

/// How many times as many values as there are parameters are held during a step.
fn copies(config: &RunConfig) -> usize {
    // Tensors that the optimiser keeps for each parameter.
    let kept = match config.optimizer {
        Optimizer::Sgd => 1,
        Optimizer::Adam | Optimizer::AdamW => 3,
    };
    // The old and the new average of the weights, and the weights that SAM moves to with the gradient that led there.
    let averages = if config.ema_decay.is_some() { 2 } else { 0 };
    let moved = if config.sam_rho.is_some() { 2 } else { 0 };
    // Gradients, old and new parameters, and the optimiser's old and new state.
    3 + 2 * kept + averages + moved
}

/// Work that ran out of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// A training step on a batch.
    Step,
    /// A probe, which computes each class in this many pieces.
    Probe {
        /// Number of pieces of a class.
        pieces: usize,
        /// Number of classes of which one piece each is computed at a time.
        classes: usize,
    },
}

/// Too little memory on a device. Its text is one sentence that says how much was needed and what would fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Shortage {
    /// The work that failed.
    pub work: Work,
    /// Number of images that the work took at a time.
    pub images: usize,
    /// Bytes that so many images need, by our estimate: neither CUDA nor Metal says how much memory was asked for.
    pub needed_bytes: u64,
    /// Bytes that are free on the device with nothing but the network on it; none where the device does not say.
    pub free_bytes: Option<u64>,
    /// Number of images at a time that should fit; none where not even the smallest batch fits.
    pub fits: Option<usize>,
}

impl Shortage {
    /// The shortage where `images` at a time did not fit.
    pub fn new(need: Need, work: Work, images: usize, free_bytes: Option<u64>) -> Self {
        // Where by the estimate the images should have fitted, the estimate is wrong: half of them is tried.
        let half = images / 2;
        let fits = match free_bytes.map(|free| need.images_in(free)) {
            Some(fits) if fits < images => fits,
            _ => half,
        };
        // A training batch is at least two images. Round numbers are easier to type.
        let fits = if fits >= 16 { fits / 8 * 8 } else { fits };
        let smallest = if work == Work::Step { 2 } else { 1 };
        Self {
            work,
            images,
            needed_bytes: need.bytes(images),
            free_bytes,
            fits: (fits >= smallest).then_some(fits),
        }
    }
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.work {
            Work::Step => "a step",
            Work::Probe { .. } => "a probe",
        };
        write!(
            f,
            "the device ran out of memory: {what} with {} images at a time needs about {}",
            self.images,
            Bytes(self.needed_bytes)
        )?;
        if let Some(free) = self.free_bytes {
            write!(f, " and {} are free", Bytes(free))?;
        }
        match (self.fits, self.work) {
            (Some(fits), Work::Step) => write!(f, "; try `batch` {fits}"),
            (Some(fits), Work::Probe { pieces, classes }) => {
                let images = fits / classes.max(1) * pieces;
                write!(f, "; try `probe_images` {}", images.max(4))
            }
            (None, _) => f.write_str(
                "; nothing smaller fits either, so free memory there, or choose a smaller `width`, a smaller `size` \
                 or the device `cpu`",
            ),
        }
    }
}

/// A number of bytes, as people read it.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mebibytes = self.0 as f64 / f64::from(1 << 20);
        if mebibytes < 1024.0 {
            write!(f, "{mebibytes:.0} MiB")
        } else {
            write!(f, "{:.1} GiB", mebibytes / 1024.0)
        }
    }
}

/// Whether an error of CUDA, cuBLAS, cuRAND or Metal says that there is no memory left.
pub(super) fn is_out_of_memory(text: &str) -> bool {
    let text = text.to_lowercase();
    [
        "out of memory",
        "out_of_memory",
        "status_alloc_failed",
        "status_allocation_failed",
        "metal resource: buffer",
    ]
    .iter()
    .any(|words| text.contains(words))
}

/// Bytes that are free on a device; none where the device cannot be asked.
pub(super) fn free_bytes(device: &Device) -> Option<u64> {
    #[cfg(feature = "cuda")]
    if let Device::Cuda(cuda) = device {
        // Memory that was freed returns to the device only after all work under way is done.
        device.synchronize().ok()?;
        let (free, _) = cuda.cuda_stream().context().mem_get_info().ok()?;
        return Some(free as u64);
    }
    let _ = device;
    None
}

#[cfg(test)]
mod tests;
