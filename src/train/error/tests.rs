use super::*;
use crate::config::{Attention, Width};
use crate::model::{Classifier, Layout};

#[test]
fn only_errors_of_memory_are_explained() {
    let spec = Spec {
        image: [32, 32, 3],
        classes: 10,
        width: Width::Quarter,
        attention: Attention::Branch,
        layout: Layout::default(),
        classifier: Classifier::Linear,
    };
    let explained = |text: &str| {
        let error = TrainError::Tensor(candle_core::Error::Msg(text.to_owned()));
        let config = RunConfig::default();
        error.explained(&Device::Cpu, (&spec, &config), Work::Step, 128)
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
