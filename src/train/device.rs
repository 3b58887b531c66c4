//! The device that tensors live on.

use candle_core::{DType, Device, Tensor};

use crate::config::{DeviceKind, RunConfig};

/// Opens a device, and sets how exactly it multiplies matrices: `tf32` lets CUDA round the factors of a product to 10
/// bits of mantissa.
///
/// # Errors
/// The reason in one sentence, where this build or this machine does not have the device.
pub fn open(kind: DeviceKind, tf32: bool) -> Result<Device, String> {
    let opened = match kind {
        DeviceKind::Cpu => return Ok(Device::Cpu),
        DeviceKind::Cuda if !cfg!(feature = "cuda") => {
            Err("this build has no CUDA support".to_owned())
        }
        DeviceKind::Metal if !cfg!(feature = "metal") => {
            Err("this build has no Metal support".to_owned())
        }
        // `cuda_if_available` fails on a machine without CUDA, and `new_metal` panics without a device.
        DeviceKind::Cuda => quietly(|| Device::new_cuda(0)),
        DeviceKind::Metal => quietly(|| Device::new_metal(0)),
    };
    if kind == DeviceKind::Cuda {
        candle_core::cuda::set_gemm_reduced_precision_f32(tf32);
    }
    opened.map_err(|reason| format!("no {} device can be used ({reason})", kind.label()))
}

/// Where the device of `config` cannot be used: the same configuration on the CPU, and a sentence that says so.
pub fn fallback(config: &RunConfig) -> Option<(RunConfig, String)> {
    let reason = open(config.device, config.tf32).err()?;
    let reason = reason.replacen("no ", "No ", 1);
    let on_cpu = RunConfig {
        device: DeviceKind::Cpu,
        ..config.clone()
    };
    Some((on_cpu, format!("{reason}; this run uses the CPU instead.")))
}

/// Opens a device and computes with it once; a panic on the way is an error, too.
fn quietly(
    open: impl FnOnce() -> candle_core::Result<Device> + std::panic::UnwindSafe,
) -> Result<Device, String> {
    let tried = std::panic::catch_unwind(|| {
        let device = open()?;
        // A driver that is too old for the kernels of this build reports that only when the first kernel runs.
        Tensor::zeros(1, DType::F32, &device)?
            .affine(1.0, 1.0)?
            .to_vec1::<f32>()?;
        Ok::<_, candle_core::Error>(device)
    });
    match tried {
        Ok(Ok(device)) => Ok(device),
        Ok(Err(error)) => Err(in_words(&error.to_string()).to_owned()),
        Err(_) => Err("the driver gave up".to_owned()),
    }
}

/// The readable words of a driver's error, such as `no device` of `DriverError(CUDA_ERROR_NO_DEVICE, "no device")`.
fn in_words(error: &str) -> &str {
    let line = error.lines().next().unwrap_or_default();
    match line.split('"').collect::<Vec<_>>().as_slice() {
        [_, words, ")"] if line.starts_with("DriverError") => words,
        _ => line,
    }
}

/// Device and instruction set of a run's computations, as the run records them.
pub fn describe(device: &Device) -> String {
    match device {
        Device::Cpu => format!("cpu {} {}", std::env::consts::ARCH, simd()),
        Device::Cuda(_) if candle_core::cuda::gemm_reduced_precision_f32() => {
            "cuda tf32".to_owned()
        }
        Device::Cuda(_) => "cuda".to_owned(),
        Device::Metal(_) => "metal".to_owned(),
    }
}

fn simd() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            return "avx512";
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            return "avx2";
        }
        "sse2"
    }
    #[cfg(target_arch = "aarch64")]
    {
        "neon"
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        "scalar"
    }
}

#[cfg(test)]
mod tests;
