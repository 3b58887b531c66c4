//! The rule about post-hoc logit adjustment, on logits that are drawn so that the right adjustment is known.

use super::*;
use crate::class_balance::log_priors;
use crate::config::{Field, Loss};
use crate::run::predictions::Logits;

const COUNTS: [usize; 4] = [4000, 800, 160, 40];

/// Logits of a network that knows the classes by features of unit noise, and their frequencies: its logits are those of a
/// Gaussian likelihood plus `bias`·ln π. `images` of each class.
fn drawn(seed: u64, images: [usize; 4], bias: f64) -> Logits {
    let priors = log_priors(&COUNTS);
    let mut made = Logits::default();
    for (class, &count) in images.iter().enumerate() {
        for item in 0..count {
            let mut random = Random::new(seed, "logits", class as u64, item as u64);
            made.truth.push(class as u16);
            for (k, prior) in priors.iter().enumerate() {
                // The class's feature is 2 on average, those of others 0; the log likelihood ratio is linear in it.
                let feature = random.normal() + if k == class { 2.0 } else { 0.0 };
                made.logits.push((2.0 * feature + bias * prior) as f32);
            }
        }
    }
    made
}

/// A run that has ended with these logits.
fn ended(config: RunConfig, val: Option<Logits>, test: Option<Logits>) -> Sample {
    let made = Made {
        counts: COUNTS.to_vec(),
        probes: 2,
        ..Made::default()
    };
    let mut started = made.started();
    started.config = config;
    let mut run = Run::default();
    run.apply(&Event::Started(Box::new(started)));
    Sample {
        run,
        probes: BTreeMap::new(),
        logits: EndLogits { val, test },
    }
}

#[test]
fn the_adjustment_that_validation_images_choose_is_judged_on_test_images() {
    let (val, test) = (drawn(1, [100; 4], 1.0), drawn(2, [1000; 4], 1.0));
    let sample = ended(RunConfig::default(), Some(val), Some(test));
    let [finding] = sample.of(Kind::Adjustment).try_into().expect("one finding");
    // Bayes' rule for equally frequent classes takes exactly ln π off; neighbouring values of τ are as good within noise.
    let tau: f64 = finding
        .sentence
        .split_once("τ = ")
        .and_then(|(_, rest)| rest.split_once(' '))
        .and_then(|(tau, _)| tau.parse().ok())
        .expect("τ");
    assert!((0.75..=1.25).contains(&tau), "{}", finding.sentence);
    assert!(
        finding.sentence.contains("on the test images (+0."),
        "{}",
        finding.sentence
    );
    assert!(
        finding.detail.contains("The validation images chose τ"),
        "{}",
        finding.detail
    );
    assert!(
        finding.detail.contains("F1 rises most for Cat "),
        "{}",
        finding.detail
    );
    let next: Vec<_> = finding
        .next
        .iter()
        .map(|x| (x.field, x.value.clone()))
        .collect();
    let wanted = if (tau - 1.0).abs() < 1e-9 {
        vec![("loss", "balanced-softmax".to_owned())]
    } else {
        vec![
            ("loss", "logit-adjusted".to_owned()),
            ("tau", tau.to_string()),
        ]
    };
    assert_eq!(next, wanted);
    assert!(sample.of(Kind::NoAdjustment).is_empty());
}

#[test]
fn nothing_is_gained_where_the_logits_are_right_already() {
    let (val, test) = (drawn(1, [100; 4], 0.0), drawn(2, [1000; 4], 0.0));
    let config = RunConfig {
        loss: Loss::BalancedSoftmax,
        ..RunConfig::default()
    };
    let sample = ended(config, Some(val), Some(test));
    assert!(sample.of(Kind::Adjustment).is_empty());
    let [finding] = sample
        .of(Kind::NoAdjustment)
        .try_into()
        .expect("one finding");
    assert!(
        finding.sentence.contains("gains nothing"),
        "{}",
        finding.sentence
    );
    assert!(finding.next.is_empty());
}

/// A run that corrects the imbalance, on images as imbalanced as those of training, has corrected too much.
#[test]
fn a_correction_that_is_too_strong_is_taken_back() {
    let (val, test) = (
        drawn(1, [1000, 200, 40, 10], 0.0),
        drawn(2, [4000, 800, 160, 40], 0.0),
    );
    let config = RunConfig {
        loss: Loss::BalancedSoftmax,
        ..RunConfig::default()
    };
    let sample = ended(config.clone(), Some(val), Some(test));
    let [finding] = sample.of(Kind::Adjustment).try_into().expect("one finding");
    assert_says(&finding, &["τ = −"]);
    assert!(
        finding.detail.contains("from −2 to 2"),
        "{}",
        finding.detail
    );
    let setting = &finding.next[0];
    let field = Field::named(setting.field).expect("a field");
    let mut next = config;
    field.set(&mut next, &setting.value).expect("a value");
    assert!(next.post_hoc.is_some_and(|tau| tau < 0.0));
    assert!(next.validate().is_empty());
}

/// The logits of a run that adjusts them are kept as adjusted: τ is counted from there.
#[test]
fn the_adjustment_of_the_run_itself_counts() {
    let (val, test) = (drawn(1, [100; 4], 0.5), drawn(2, [1000; 4], 0.5));
    let config = RunConfig {
        post_hoc: Some(0.5),
        ..RunConfig::default()
    };
    let sample = ended(config, Some(val), Some(test));
    let [finding] = sample.of(Kind::Adjustment).try_into().expect("one finding");
    assert!(
        finding.sentence.contains(" instead of 0.5 "),
        "{}",
        finding.sentence
    );
    assert_eq!(finding.next[0].field, "post_hoc");
}

/// Where theory chooses, one τ is tried alone, of which nothing is known to be best.
#[test]
fn a_run_with_the_adjustment_of_theory_is_not_called_best() {
    let config = RunConfig {
        post_hoc: Some(1.0),
        ..RunConfig::default()
    };
    let sample = ended(config, None, Some(drawn(2, [1000; 4], 0.0)));
    let [finding] = sample
        .of(Kind::NoAdjustment)
        .try_into()
        .expect("one finding");
    assert_says(
        &finding,
        &["has the τ of post-hoc logit adjustment that theory gives, 1"],
    );
    assert!(!finding.sentence.contains("best"), "{}", finding.sentence);
}

/// What is proposed can be trained: experts have losses of their own, beside which no other goes.
#[test]
fn every_network_gets_a_proposal_that_can_be_trained() {
    for &attention in Attention::ALL {
        let config = RunConfig {
            attention,
            ..RunConfig::default()
        };
        let (val, test) = (drawn(1, [100; 4], 1.0), drawn(2, [1000; 4], 1.0));
        let sample = ended(config.clone(), Some(val), Some(test));
        let [finding] = sample.of(Kind::Adjustment).try_into().expect("one finding");
        let mut next = config;
        for setting in &finding.next {
            let field = Field::named(setting.field).expect("a field");
            field.set(&mut next, &setting.value).expect("a value");
        }
        assert!(!finding.next.is_empty());
        assert_eq!(next.validate(), [], "{attention}");
    }
}

/// With the target as trained, Bayes' rule takes nothing off; accuracy at the target's frequencies is then best.
#[test]
fn the_target_decides_how_often_classes_count() {
    let test = drawn(2, [1000; 4], 1.0);
    let of = |prior: &str| {
        let config = RunConfig {
            target_prior: prior.parse().ok(),
            ..RunConfig::default()
        };
        let sample = ended(config, None, Some(test.clone()));
        let mut found = sample.find();
        found.retain(|x| matches!(x.kind, Kind::Adjustment | Kind::NoAdjustment));
        found.pop().expect("a finding")
    };
    let balanced = of("balanced");
    assert_eq!(balanced.kind, Kind::Adjustment);
    assert!(
        balanced.detail.contains("Theory gives τ = 1"),
        "{}",
        balanced.detail
    );
    let accuracy = |finding: &Finding| -> (f64, f64) {
        let (_, rest) = finding.detail.split_once("Accuracy ").expect("accuracy");
        let (before, rest) = rest.split_once(" → ").expect("→");
        let end = rest.find(". ").expect("the end");
        (
            before.parse().expect("before"),
            rest[..end].parse().expect("after"),
        )
    };
    let (before, after) = accuracy(&balanced);
    assert!(after > before + 0.1, "{before} {after}");
    let trained = of("4000,800,160,40");
    // The same images count as in training: the frequent class is four in five of them.
    if trained.detail.contains("Accuracy") {
        let (before, after) = accuracy(&trained);
        assert!(after <= before, "{before} {after}");
    }
}

#[test]
fn a_run_without_imbalance_or_without_logits_has_no_such_finding() {
    let sample = ended(RunConfig::default(), None, None);
    assert!(sample.find().is_empty());
    let mut sample = ended(RunConfig::default(), None, Some(drawn(2, [100; 4], 1.0)));
    if let Some(started) = &mut sample.run.started {
        started.train_counts = vec![100; 4];
    }
    assert!(sample.find().is_empty());
}
