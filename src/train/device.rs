//! The device that tensors live on.

use candle_core::Device;

use crate::config::DeviceKind;

/// Opens a device.
///
/// # Errors
/// One sentence, where this build or this machine does not have it.
pub fn open(kind: DeviceKind) -> Result<Device, String> {
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
    opened.map_err(|reason| {
        format!(
            "no {} device can be used ({reason}); choose the device `cpu`",
            kind.name()
        )
    })
}

fn quietly(
    open: impl FnOnce() -> candle_core::Result<Device> + std::panic::UnwindSafe,
) -> Result<Device, String> {
    match std::panic::catch_unwind(open) {
        Ok(Ok(device)) => Ok(device),
        Ok(Err(error)) => Err(error
            .to_string()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned()),
        Err(_) => Err("the driver gave up".to_owned()),
    }
}

/// Device and instruction set that numbers are computed with, as recorded in a run.
pub fn describe(device: &Device) -> String {
    match device {
        Device::Cpu => format!("cpu {} {}", std::env::consts::ARCH, simd()),
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
