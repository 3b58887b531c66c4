use super::*;
use crate::data::Summary;

fn plan(train: &[usize], test: Option<&[usize]>, config: &RunConfig) -> Plan {
    let summary = Summary {
        train: train.to_vec(),
        test: test.map(<[usize]>::to_vec),
        ..Summary::default()
    };
    summary.plan(config)
}

fn with(val: Option<usize>) -> RunConfig {
    RunConfig {
        val,
        ..RunConfig::default()
    }
}

#[test]
fn runs_that_nothing_can_measure_are_refused() {
    let config = with(None);
    let said = plan(&[2; 1000], None, &config).refusal(&config).unwrap();
    assert!(
        said.contains("no image is left to validate or to test on"),
        "{said}"
    );
    // One class with five images gives one to test on.
    assert_eq!(plan(&[2, 5], None, &config).refusal(&config), None);
    let config = with(Some(0));
    assert_eq!(plan(&[2, 2], Some(&[1, 1]), &config).refusal(&config), None);
}

#[test]
fn target_frequencies_are_those_of_the_classes() {
    let config = RunConfig {
        target_prior: "3,2,1".parse().ok(),
        ..with(None)
    };
    let said = plan(&[30, 40], Some(&[9, 9]), &config).refusal(&config);
    let wanted = "target_prior: 3 numbers for 2 classes; write one number for each class";
    assert_eq!(said.as_deref(), Some(wanted));
    let three = plan(&[30, 40, 50], Some(&[9, 9, 9]), &config);
    assert_eq!(three.refusal(&config), None);
}

#[test]
fn a_validation_split_that_takes_everything_is_refused() {
    let config = with(Some(1000));
    let said = plan(&[30, 40], Some(&[9, 9]), &config)
        .refusal(&config)
        .unwrap();
    assert_eq!(
        said,
        "val: 1000 validation images leave one training image of each class; the smallest class has 30 images, so choose 15 \
         or fewer"
    );
    let config = with(Some(30));
    let plan = plan(&[31, 500], Some(&[9, 9]), &config);
    assert_eq!(plan.refusal(&config), None);
    let said = plan.advice(&config, &["a".to_owned(), "b".to_owned()]);
    assert_eq!(
        said,
        [
            "1 class with one training image, such as `a`",
            "1 class with more validation than training images, such as `a`"
        ]
    );
}

/// Validation images of the source's own are not taken from the training images, whatever number is asked for.
#[test]
fn a_number_of_validation_images_that_has_no_effect_is_said() {
    let summary = Summary {
        train: vec![1, 1],
        val: Some(vec![9, 9]),
        test: Some(vec![9, 9]),
        ..Summary::default()
    };
    let classes = ["a", "b"].map(str::to_owned);
    for (val, is_said) in [(None, false), (Some(0), false), (Some(5), true)] {
        let config = with(val);
        let plan = summary.plan(&config);
        assert_eq!(plan.refusal(&config), None);
        let said = plan.advice(&config, &classes).join("\n");
        assert_eq!(said.contains("`val` has no effect"), is_said, "{said}");
    }
    let config = with(Some(5));
    let cut = plan(&[30, 40], Some(&[9, 9]), &config);
    assert_eq!(cut.advice(&config, &classes), [""; 0]);
}

#[test]
fn splits_without_rare_classes_are_said() {
    let config = with(None);
    let classes = ["a", "b", "c"].map(str::to_owned);
    let said = plan(&[100, 4, 1], None, &config).advice(&config, &classes);
    assert_eq!(
        said,
        [
            "2 classes without test images, such as `b`: no score there",
            "2 classes without validation images, such as `b`: no score there",
            "1 class with one training image, such as `c`",
        ]
    );
    assert_eq!(
        plan(&[100, 90, 80], None, &config).advice(&config, &classes),
        [""; 0]
    );
}

#[test]
fn batches_that_do_not_fit_are_said() {
    let batch = |images: usize, batch| {
        let config = RunConfig {
            batch,
            ..with(Some(0))
        };
        plan(&[images - 1, 1], Some(&[1, 1]), &config)
            .batch_advice(&config)
            .unwrap_or_default()
    };
    assert!(batch(40, 128).contains("128 is larger than the 40 training images"));
    assert!(batch(129, 128).ends_with("choose another `batch`, such as 127"));
    assert_eq!(batch(130, 128), "");
    assert_eq!(batch(128, 128), "");
}
