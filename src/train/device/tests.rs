use super::*;

#[test]
fn a_device_that_is_missing_falls_back_to_the_cpu_and_says_so() {
    let on = |device| RunConfig {
        device,
        seed: 7,
        ..RunConfig::default()
    };
    assert_eq!(fallback(&on(DeviceKind::Cpu)), None);
    for kind in [DeviceKind::Cuda, DeviceKind::Metal] {
        if open(kind, false).is_ok() {
            println!("skipped `{kind}`: it is there");
            continue;
        }
        let (config, notice) = fallback(&on(kind)).unwrap();
        assert_eq!(config, on(DeviceKind::Cpu));
        assert!(
            notice.starts_with(&format!("No {} device", kind.label()))
                && notice.ends_with("uses the CPU instead.")
                && notice.lines().count() == 1,
            "{notice}"
        );
    }
}

#[test]
fn errors_of_drivers_are_put_in_words() {
    for (error, words) in [
        (
            "DriverError(CUDA_ERROR_NO_DEVICE, \"no CUDA-capable device is detected\")\nbacktrace",
            "no CUDA-capable device is detected",
        ),
        (
            "CublasError(CUBLAS_STATUS_NOT_INITIALIZED)",
            "CublasError(CUBLAS_STATUS_NOT_INITIALIZED)",
        ),
        ("", ""),
    ] {
        assert_eq!(in_words(error), words);
    }
}
