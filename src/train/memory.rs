//! Out of memory: what a step needs, what the device has, and which batch would fit.

use std::fmt;

use candle_core::Device;

use crate::model::Spec;
use crate::ops::COLUMN_VALUES;

use super::TrainError;

const VALUE_BYTES: u64 = 4;
/// Share of the free memory that is counted on: the allocator rounds up, and cuBLAS takes some for itself.
const USABLE: f64 = 0.9;

/// Memory that one forward and backward pass over a batch takes on a device, in bytes: an upper estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// Gradients and their temporaries, whatever the batch.
    fixed: u64,
    /// Activations kept for the backward pass and the largest temporaries, for each image.
    per_image: u64,
    /// A convolution's unfolded input for each image, …
    columns: u64,
    /// … of which no more than this is held at a time, or else one image's.
    columns_limit: u64,
}

impl Need {
    /// That of a network, from the sizes of its layers.
    pub fn of(spec: &Spec) -> Self {
        let mut kept: usize = spec.image.iter().product();
        // Values of the largest convolution, the one that unfolds most.
        let mut largest = 0;
        for layer in spec.layers() {
            let values: usize = layer.shape.iter().product();
            if layer.kind == "conv" {
                largest = largest.max(values);
            }
            kept += match layer.kind.as_str() {
                "conv" | "batch_norm" | "max_pool" | "concat" | "gate" => values,
                _ => 0,
            };
        }
        let params: usize = spec.layers().iter().map(|layer| layer.params).sum();
        let bytes = |values: usize| values as u64 * VALUE_BYTES;
        Self {
            // Gradients, new momentum, new parameters, and what they are made from.
            fixed: bytes(5 * params),
            // Beside what is kept, a few tensors of the size of a layer come and go.
            per_image: bytes(kept + 3 * largest),
            // Unfolded 3×3 neighbourhoods, once in parts and once as a whole.
            columns: bytes(2 * 9 * largest),
            columns_limit: bytes(2 * COLUMN_VALUES),
        }
    }

    /// For a batch of `images`.
    pub fn bytes(&self, images: usize) -> u64 {
        let images = images as u64;
        let columns = self.columns.saturating_mul(images);
        self.per_image
            .saturating_mul(images)
            .saturating_add(columns.min(self.columns_limit.max(self.columns)))
            .saturating_add(self.fixed)
    }

    /// The most images that `free_bytes` should be enough for; 0 where it is not enough for one.
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

/// Work that ran out of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// A training step on a batch.
    Step,
    /// A probe, which takes each class in this many pieces, one at a time.
    Probe {
        /// Pieces of a class.
        pieces: usize,
    },
}

/// Too little memory on a device. As text one sentence that says how much was asked for and what would fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Shortage {
    /// What was being done.
    pub work: Work,
    /// With how many images at a time.
    pub images: usize,
    /// What these need, estimated: neither CUDA nor Metal says what it was asked for.
    pub needed_bytes: u64,
    /// What the device has left with nothing but the network on it; none where it does not say.
    pub free_bytes: Option<u64>,
    /// How many images at a time should fit; none where not even the smallest batch does.
    pub fits: Option<usize>,
}

impl Shortage {
    /// What would fit where `images` at a time did not.
    pub fn new(need: Need, work: Work, images: usize, free_bytes: Option<u64>) -> Self {
        // Where the estimate contradicts what happened, what happened is right.
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
            (Some(fits), Work::Probe { pieces }) => {
                write!(f, "; try `probe_images` {}", (fits * pieces).max(4))
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

/// Turns the error of a device that ran out of memory into one that says what would fit; leaves others as they are.
pub(super) fn explain(
    error: TrainError,
    device: &Device,
    spec: &Spec,
    work: Work,
    images: usize,
) -> TrainError {
    match error {
        TrainError::Tensor(reason) if is_out_of_memory(&reason.to_string()) => {
            Shortage::new(Need::of(spec), work, images, free_bytes(device)).into()
        }
        error => error,
    }
}

/// Whether this is how CUDA, cuBLAS, cuRAND or Metal say that there is no memory left.
fn is_out_of_memory(text: &str) -> bool {
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

/// Memory that is free on a device; none where it cannot be asked.
fn free_bytes(device: &Device) -> Option<u64> {
    #[cfg(feature = "cuda")]
    if let Device::Cuda(cuda) = device {
        // What was given up returns to the device only once everything under way is done.
        device.synchronize().ok()?;
        let (free, _) = cuda.cuda_stream().context().mem_get_info().ok()?;
        return Some(free as u64);
    }
    let _ = device;
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Attention, Width};
    use crate::model::Classifier;

    const MIB: u64 = 1 << 20;

    /// 10 MiB whatever the batch, 2 MiB an image, and 4 MiB an image up to 40 MiB.
    const NEED: Need = Need {
        fixed: 10 * MIB,
        per_image: 2 * MIB,
        columns: 4 * MIB,
        columns_limit: 40 * MIB,
    };

    #[test]
    fn unfolded_inputs_are_held_up_to_a_limit() {
        assert_eq!(NEED.bytes(1), 16 * MIB);
        assert_eq!(NEED.bytes(10), 70 * MIB);
        assert_eq!(NEED.bytes(100), 250 * MIB);
        let large = Need {
            columns: 60 * MIB,
            ..NEED
        };
        assert_eq!(large.bytes(10), 90 * MIB, "one image's at least");
        assert_eq!(NEED.bytes(usize::MAX), u64::MAX);
    }

    #[test]
    fn what_fits_leaves_a_tenth_free() {
        assert_eq!(NEED.images_in(0), 0);
        assert_eq!(NEED.images_in(17 * MIB), 0);
        assert_eq!(NEED.images_in(18 * MIB), 1);
        // 0.9 · 1000 = 900 = 10 + 40 + 2 · 425
        assert_eq!(NEED.images_in(1000 * MIB), 425);
    }

    #[test]
    fn a_shortage_says_what_was_asked_for_and_what_fits() {
        let said = |work, images, free: Option<u64>| {
            Shortage::new(NEED, work, images, free.map(|free| free * MIB)).to_string()
        };
        assert_eq!(
            said(Work::Step, 1024, Some(1000)),
            "the device ran out of memory: a step with 1024 images at a time needs about 2.0 GiB and 1000 MiB are \
             free; try `batch` 424"
        );
        assert_eq!(
            said(Work::Step, 256, None),
            "the device ran out of memory: a step with 256 images at a time needs about 562 MiB; try `batch` 128"
        );
        let contradicted = said(Work::Step, 64, Some(1000));
        assert!(contradicted.ends_with("; try `batch` 32"), "{contradicted}");
        let probe = said(Work::Probe { pieces: 4 }, 1024, Some(1000));
        assert!(
            probe.contains("a probe with 1024 images")
                && probe.ends_with("; try `probe_images` 1696"),
            "{probe}"
        );
        for (images, free) in [(1024, Some(19)), (2, None)] {
            let nothing = said(Work::Step, images, free);
            assert!(
                nothing.contains("nothing smaller fits") && nothing.contains("`cpu`"),
                "{nothing}"
            );
        }
    }

    /// As cudarc 0.19 and candle's Metal backend word them.
    #[test]
    fn errors_of_memory_are_told_from_others() {
        for text in [
            "DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")",
            "CublasError(CUBLAS_STATUS_ALLOC_FAILED)",
            "CurandError(CURAND_STATUS_ALLOCATION_FAILED)",
            "Metal error Failed to create metal resource: Buffer",
        ] {
            assert!(is_out_of_memory(text), "{text}");
        }
        for text in [
            "DriverError(CUDA_ERROR_NO_DEVICE, \"no CUDA-capable device is detected\")",
            "DriverError(CUDA_ERROR_ILLEGAL_ADDRESS, \"an illegal memory access was encountered\")",
            "shape mismatch in matmul, lhs: [2, 3], rhs: [2, 3]",
        ] {
            assert!(!is_out_of_memory(text), "{text}");
        }
    }

    #[test]
    fn only_errors_of_memory_are_explained() {
        let spec = spec(Width::Quarter);
        let explained = |text: &str| {
            let error = TrainError::Tensor(candle_core::Error::Msg(text.to_owned()));
            explain(error, &Device::Cpu, &spec, Work::Step, 128)
        };
        assert!(matches!(
            explained("CUDA_ERROR_OUT_OF_MEMORY"),
            TrainError::OutOfMemory(Shortage {
                images: 128,
                fits: Some(64),
                ..
            })
        ));
        assert!(matches!(explained("no kernel"), TrainError::Tensor(_)));
    }

    fn spec(width: Width) -> Spec {
        Spec {
            image: [32, 32, 3],
            classes: 10,
            width,
            attention: Attention::Branch,
            classifier: Classifier::Linear,
        }
    }

    /// Peak resident memory of training steps by way of the same operations on the CPU, 32×32 pixels, measured once.
    #[test]
    fn the_estimate_is_close_to_what_was_measured() {
        for (width, attention, images, measured) in [
            (Width::Full, Attention::None, 32, 277.0),
            (Width::Full, Attention::Branch, 128, 921.0),
            (Width::Quarter, Attention::Branch, 128, 246.0),
            (Width::Quarter, Attention::Shared, 512, 920.0),
        ] {
            let need = Need {
                // Tests unfold less at a time than the program does.
                columns_limit: u64::MAX,
                ..Need::of(&Spec {
                    attention,
                    ..spec(width)
                })
            };
            let ratio = need.bytes(images) as f64 / MIB as f64 / measured;
            assert!((1.0..1.2).contains(&ratio), "width {width}: {ratio}");
        }
    }
}
