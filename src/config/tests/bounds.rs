//! Every bound of a field, from both sides.

use super::*;

/// For every bound, written by hand: the field, values that can work, values just outside the bound, and the message.
#[test]
fn both_sides_of_every_bound_are_told_apart() {
    let pixels = "width and height must be between 16 and 512 pixels";
    let cases: &[(&str, &[&str], &[&str], &str)] = &[
        (
            "data",
            &["folder:x"],
            &["folder:"],
            "name the folder that holds the images",
        ),
        (
            "size",
            &["16x16", "512x512", "16x512"],
            &["15x16", "16x15", "513x512", "512x513"],
            pixels,
        ),
        (
            "channels",
            &["", "1", "3"],
            &["0", "2", "4"],
            "must be 1 (grey) or 3 (RGB)",
        ),
        (
            "imbalance",
            &["1", "100000"],
            &["0.9999999999999999", "100000.00000000001", "NaN", "inf"],
            "must be between 1 (leave the counts as they are) and 100000, such as 100",
        ),
        (
            "dilations",
            &["1", "1,2,3", "16,1, 1,2"],
            &["0", "17", "1,17"],
            "must be between 1 and 16 pixels",
        ),
        (
            "kernels",
            &["1", "7", "3,3,5"],
            &["9", "3,3,11"],
            "must be between 1 and 7 pixels",
        ),
        (
            "gate_reduction",
            &["", "1", "16"],
            &["0", "17"],
            "must be between 1 (as many) and 16, such as 2",
        ),
        (
            "gamma",
            &["", "0", "10"],
            &["-1e-300", "10.000000000000002", "NaN"],
            "must be between 0 (plain cross-entropy) and 10, such as 1",
        ),
        (
            "tau",
            &["", "0", "10"],
            &["-1e-300", "10.000000000000002", "NaN"],
            "must be between 0 (no adjustment) and 10, such as 1",
        ),
        (
            "beta",
            &["", "0", "0.9999999999999999"],
            &["-1e-300", "1", "NaN"],
            "must be at least 0 (all classes alike) and below 1, such as 0.9999",
        ),
        (
            "weights_from",
            &["", "0", "1"],
            &["-1e-300", "1.0000000000000002", "NaN"],
            "must be between 0 and 1, the share of the epochs, such as 0.8",
        ),
        (
            "target_prior",
            &["", "balanced", "as-trained", "1,0,2.5"],
            &["-1,2", "NaN,1", "1,inf"],
            "must be at least 0",
        ),
        (
            "post_hoc",
            &["", "-10", "0", "10"],
            &["-10.000000000000002", "10.000000000000002", "NaN"],
            "must be between -10 and 10, such as 1",
        ),
        (
            "epochs",
            &["1", "100000"],
            &["0", "100001"],
            "must be between 1 and 100000",
        ),
        (
            "batch",
            &["2", "65536"],
            &["1", "65537"],
            "must be between 2 and 65536 images",
        ),
        (
            "lr",
            &["", "1e-300", "1e300"],
            &["0", "-0.1", "inf", "NaN"],
            "must be a positive number, such as 0.1",
        ),
        (
            "momentum",
            &["0", "0.9999999999999999"],
            &["-1e-300", "1", "NaN"],
            "must be at least 0 and below 1, such as 0.9",
        ),
        (
            "adam_beta1",
            &["", "0", "0.9999999999999999"],
            &["-1e-300", "1", "NaN"],
            "must be at least 0 and below 1, such as 0.9",
        ),
        (
            "adam_beta2",
            &["", "0", "0.9999999999999999"],
            &["-1e-300", "1", "NaN"],
            "must be at least 0 and below 1, such as 0.999",
        ),
        (
            "weight_decay",
            &["", "0", "1"],
            &["-1e-300", "1.0000000000000002", "NaN"],
            "must be between 0 and 1, such as 0.0005",
        ),
        (
            "gate_decay",
            &["", "0", "1"],
            &["-1e-300", "1.0000000000000002", "NaN"],
            "must be between 0 and 1, such as 0",
        ),
        (
            "milestones",
            &["", "0", "1", "0,1", "0.5, 0.75"],
            &["-1e-300", "0.5,1.0000000000000002", "NaN"],
            "must be between 0 and 1, the share of all steps, such as 0.8,0.9",
        ),
        (
            "step_factor",
            &["", "0", "1"],
            &["-1e-300", "1.0000000000000002", "NaN"],
            "must be between 0 and 1, such as 0.1",
        ),
        (
            "warmup",
            &["0", "1"],
            &["-1e-300", "1.0000000000000002", "NaN"],
            "must be between 0 and 1, the share of all steps, such as 0.05",
        ),
        (
            "sam_rho",
            &["", "1e-300"],
            &["0", "-0.05", "NaN"],
            "must be a positive number, such as 0.05",
        ),
        (
            "ema_decay",
            &["", "0", "0.9999999999999999"],
            &["-1e-300", "1", "NaN"],
            "must be at least 0 (no average) and below 1, such as 0.999",
        ),
        (
            "label_smoothing",
            &["", "0", "1"],
            &["-1e-300", "1.0000000000000002", "NaN"],
            "must be between 0 (no smoothing) and 1, such as 0.1",
        ),
        (
            "mixup",
            &["", "1e-300"],
            &["0", "-1", "NaN"],
            "must be a positive number, such as 0.2",
        ),
        (
            "cutmix",
            &["", "1e-300"],
            &["0", "-1", "NaN"],
            "must be a positive number, such as 1",
        ),
        (
            "cutmix_prob",
            &["", "0", "1"],
            &["-1e-300", "1.0000000000000002", "NaN"],
            "must be between 0 and 1, the share of the batches, such as 0.5",
        ),
        (
            "cutout",
            &["", "1", "512"],
            &["0", "513"],
            "must be between 1 and 512 pixels, such as 16",
        ),
        (
            "crop_padding",
            &["0", "32"],
            &["33"],
            "must be between 0 (no random crop) and 32 pixels",
        ),
        ("eval_every", &["", "1"], &["0"], "must be at least 1 step"),
        ("probe_every", &["", "1"], &["0"], "must be at least 1 step"),
        (
            "probe_share",
            &["0", "0.9"],
            &["-1e-300", "0.9000000000000001", "NaN"],
            "must be between 0 (step 0, the best and the last step alone) and 0.9, the share of the training time, such \
             as 0.1",
        ),
        (
            "probe_images",
            &["4", "4096"],
            &["3", "4097"],
            "must be between 4 and 4096 images per class",
        ),
        (
            "threads",
            &["", "1", "1024"],
            &["0", "1025"],
            "must be between 1 and 1024",
        ),
    ];
    let with = |name: &str, text: &str| {
        let mut config = RunConfig::default();
        Field::named(name).unwrap().set(&mut config, text).unwrap();
        config.validate()
    };
    for (name, inside, outside, message) in cases {
        for text in *inside {
            assert_eq!(with(name, text), [], "{name} = {text}");
        }
        for text in *outside {
            let expected = FieldError {
                field: Field::named(name).unwrap().name,
                message: (*message).to_owned(),
            };
            assert_eq!(with(name, text), [expected], "{name} = {text}");
        }
    }
    let bounded = FIELDS.iter().filter(|field| field.bounds != Bounds::Any);
    let tried = |field: &Field| cases.iter().any(|case| case.0 == field.name);
    let missed: Vec<_> = bounded
        .filter(|field| !tried(field))
        .map(|x| x.name)
        .collect();
    assert!(missed.is_empty(), "bounds that no case tries: {missed:?}");
}
