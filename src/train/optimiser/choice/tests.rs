use super::*;
use crate::config::{Attention, Width};
use crate::model::{Classifier, Layout, Spec};

/// The decay of each parameter by name, where gates have one of their own.
fn decays_of(attention: Attention) -> Vec<(String, f64)> {
    let config = RunConfig {
        weight_decay: Some(0.5),
        gate_decay: Some(0.0),
        ..RunConfig::default()
    };
    let spec = Spec {
        image: [16, 16, 3],
        classes: 2,
        width: Width::Quarter,
        attention,
        layout: Layout::default(),
        classifier: Classifier::Linear,
    };
    let params = spec.params();
    let decays = decays(&config, &params);
    assert_eq!(decays.len(), params.len());
    params
        .into_iter()
        .map(|param| param.name)
        .zip(decays)
        .collect()
}

#[test]
fn only_gates_have_the_decay_of_gates() {
    let names = |attention| -> Vec<String> {
        let all = decays_of(attention).into_iter();
        let of_gates = all.filter(|(_, decay)| *decay == 0.0);
        of_gates.map(|(name, _)| name).collect()
    };
    let none: [&str; 0] = [];
    assert_eq!(names(Attention::None), none);
    assert_eq!(names(Attention::Constant), none);
    assert_eq!(names(Attention::Wide), none);
    assert_eq!(
        names(Attention::Shared),
        ["fuse.gate.fc1.weight", "fuse.gate.fc2.weight"]
    );
    assert_eq!(
        names(Attention::Branch),
        [
            "branch1.gate.fc1.weight",
            "branch1.gate.fc2.weight",
            "branch2.gate.fc1.weight",
            "branch2.gate.fc2.weight",
            "branch3.gate.fc1.weight",
            "branch3.gate.fc2.weight",
        ]
    );
}

/// Without a weight decay of its own, each optimiser has its usual one, and gates have that of all parameters.
#[test]
fn without_a_decay_of_gates_all_parameters_share_one() {
    let spec = Spec {
        image: [16, 16, 3],
        classes: 2,
        width: Width::Quarter,
        attention: Attention::Branch,
        layout: Layout::default(),
        classifier: Classifier::Linear,
    };
    for (optimizer, usual) in [
        (Optimizer::Sgd, 5e-4),
        (Optimizer::Adam, 0.0),
        (Optimizer::AdamW, 0.01),
    ] {
        let config = RunConfig {
            optimizer,
            ..RunConfig::default()
        };
        let decays = decays(&config, &spec.params());
        assert!(decays.iter().all(|decay| *decay == usual), "{optimizer}");
    }
}
