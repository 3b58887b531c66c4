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

/// The offsets of the three losses of SADE as tests/peers/torch_options.py computes them; with τ = 0 the third is the second.
#[test]
fn each_expert_has_the_loss_of_sade() {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../../tests/peers/options.json")).unwrap();
    let mut cases = file["cases"].as_array().unwrap().iter();
    let case = cases.find(|case| case["options"]["attention"] == "experts");
    let case = case.unwrap();
    let counts: Vec<usize> = serde_json::from_value(case["counts"].clone()).unwrap();
    let wanted: Vec<Vec<f64>> = serde_json::from_value(case["offsets"].clone()).unwrap();
    let of = |tau| RunConfig {
        attention: Attention::Experts,
        tau,
        ..RunConfig::default()
    };
    let all = criteria(&of(None), &counts, 0);
    assert_eq!((all.len(), all[0].offsets.len()), (3, 0));
    for (criterion, wanted) in all.iter().zip(&wanted).skip(1) {
        for (got, wanted) in criterion.offsets.iter().zip(wanted) {
            assert!((got - wanted).abs() < 1e-12, "{got} {wanted}");
        }
    }
    let mild = criteria(&of(Some(0.0)), &counts, 0);
    assert_eq!(mild[1], mild[2]);
    // Classes of one size are treated alike: ranks 0 and 1 mirror ranks 2 and 1.
    let tied = criteria(&of(None), &[80, 10, 10], 0);
    let [large, small] = [0.8_f64.ln(), 0.1_f64.ln()];
    let third = &tied[2].offsets;
    assert!((third[1] - (small - (large + small))).abs() < 1e-12 && third[1] == third[2]);
    assert!((third[0] - (large - 2.0 * small)).abs() < 1e-12);
}
