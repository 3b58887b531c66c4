use super::*;
use crate::config::ClassWeights;

/// LDAM-DRW: no class weights up to epoch 159 of 200, and the weights of effective numbers from epoch 160 on.
#[test]
fn ldam_reweights_late() {
    let config = RunConfig {
        loss: Loss::Ldam,
        class_weights: ClassWeights::Effective,
        epochs: 200,
        ..RunConfig::default()
    };
    let counts = [100, 20, 5, 1];
    assert!(criterion(&config, &counts, 159).weights.is_empty());
    let late = criterion(&config, &counts, 160);
    assert_eq!(
        late.weights,
        class_balance::effective_number(&counts, 0.9999)
    );
    assert_eq!(late.margins, class_balance::margins(&counts, 15.0));
    let at_once = RunConfig {
        weights_from: Some(0.0),
        ..config
    };
    assert!(!criterion(&at_once, &counts, 0).weights.is_empty());
}

/// Logit adjustment with τ = 1 has the offsets of Balanced Softmax; post-hoc adjustment adds them with the opposite
/// sign.
#[test]
fn logit_adjustment_with_tau_1_is_balanced_softmax() {
    let of = |loss| RunConfig {
        loss,
        post_hoc: Some(1.0),
        ..RunConfig::default()
    };
    let counts = [100, 20, 5, 1];
    let balanced = criterion(&of(Loss::BalancedSoftmax), &counts, 0);
    assert_eq!(balanced, criterion(&of(Loss::LogitAdjusted), &counts, 0));
    let after = post_hoc(&of(Loss::Ce), &counts);
    for (after, before) in after.iter().zip(&balanced.offsets) {
        assert!((f64::from(*after) + before).abs() < 1e-6);
    }
    assert!(post_hoc(&RunConfig::default(), &counts).is_empty());
}
