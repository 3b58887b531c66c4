use super::*;
use crate::config::{Attention, Width};
use crate::model::{Classifier, Layout};

const MIB: u64 = 1 << 20;

/// 10 MiB whatever the batch, 2 MiB for each image, and 4 MiB of unfolded input for each image, at most 40 MiB in all.
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
fn a_batch_that_fits_leaves_a_tenth_of_the_memory_free() {
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
    let probe = said(
        Work::Probe {
            pieces: 4,
            classes: 1,
        },
        1024,
        Some(1000),
    );
    assert!(
        probe.contains("a probe with 1024 images") && probe.ends_with("; try `probe_images` 1696"),
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

/// The texts are those of cudarc 0.19, candle and candle's Metal backend.
#[test]
fn errors_about_memory_are_recognised() {
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

fn spec(width: Width) -> Spec {
    Spec {
        image: [32, 32, 3],
        classes: 10,
        width,
        attention: Attention::Branch,
        layout: Layout::default(),
        classifier: Classifier::Linear,
    }
}

fn of(spec: &Spec, optimizer: Optimizer) -> Need {
    let config = RunConfig {
        optimizer,
        ..RunConfig::default()
    };
    Need::of(spec, &config)
}

/// Adam keeps two moments and the last update of every parameter, where SGD keeps one buffer. An average and SAM take two
/// more copies each.
#[test]
fn what_a_recipe_keeps_needs_room() {
    let spec = spec(Width::Full);
    let [sgd, adam] = [Optimizer::Sgd, Optimizer::AdamW].map(|x| of(&spec, x));
    let params: usize = spec.layers().iter().map(|layer| layer.params).sum();
    assert_eq!(adam.fixed - sgd.fixed, 4 * 4 * params as u64);
    assert_eq!(adam.per_image, sgd.per_image);
    let config = RunConfig {
        ema_decay: Some(0.999),
        sam_rho: Some(0.05),
        ..RunConfig::default()
    };
    let both = Need::of(&spec, &config);
    assert_eq!(both.fixed - sgd.fixed, 4 * 4 * params as u64);
}

/// The measured values are the peak resident memory, in MiB, of training steps on images of 32×32 pixels. The steps
/// took the portable operations on the CPU, and each was measured once.
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
            ..of(
                &Spec {
                    attention,
                    ..spec(width)
                },
                Optimizer::Sgd,
            )
        };
        let ratio = need.bytes(images) as f64 / MIB as f64 / measured;
        assert!((1.0..1.2).contains(&ratio), "width {width}: {ratio}");
    }
}
