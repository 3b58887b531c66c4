use super::*;

/// A change of a field that augmentation depends on asks for other images.
#[test]
fn samples_are_augmented_as_the_experiment_says() {
    let wanted = |config: &RunConfig| {
        let of = (&Runs::default(), &Located::default());
        Data::default().wanted(of, Page::Data, config)
    };
    let plain = RunConfig::default();
    let cut = RunConfig {
        cutout: Some(8),
        ..RunConfig::default()
    };
    let flipped = RunConfig {
        flip: !plain.flip,
        ..RunConfig::default()
    };
    let key = wanted(&cut);
    assert_eq!(key.as_ref().and_then(|key| key.config.cutout), Some(8));
    assert_ne!(key, wanted(&plain));
    assert_ne!(wanted(&flipped), wanted(&plain));
}
