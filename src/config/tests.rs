mod bounds;

use super::*;

/// A configuration in which no field has its default, and every field has an effect that can have one beside the others.
fn unusual() -> RunConfig {
    let mut config = RunConfig::default();
    for (name, value) in [
        ("data", "folder:/data/x:y"),
        ("splits", "train=a/b,test=c d"),
        ("image_column", "img"),
        ("label_column", "fine_label"),
        ("size", "24x40"),
        ("channels", "3"),
        ("skip_unreadable", "true"),
        ("imbalance", "99.5"),
        ("profile", "step"),
        ("val", "0"),
        ("data_seed", "18446744073709551615"),
        ("attention", "constant"),
        ("width", "1/2"),
        ("dilations", "1,4"),
        ("kernels", "3,5"),
        ("gate_place", "middle"),
        ("gate_reduction", "4"),
        ("norm", "group"),
        ("loss", "focal"),
        ("gamma", "0.1"),
        ("tau", "2"),
        ("class_weights", "effective"),
        ("beta", "0.999999999999"),
        ("weights_from", "0.8"),
        ("sampler", "square-root"),
        ("post_hoc", "1"),
        ("target_prior", "3,2,1"),
        ("epochs", "7"),
        ("batch", "64"),
        ("optimizer", "adamw"),
        ("lr", "0.000000123"),
        ("momentum", "0"),
        ("adam_beta1", "0.8"),
        ("adam_beta2", "0"),
        ("weight_decay", "0.00001"),
        ("gate_decay", "0"),
        ("schedule", "step"),
        ("milestones", "0.25,0.5,0.999"),
        ("step_factor", "0.1"),
        ("warmup", "0.5"),
        ("sam_rho", "0.05"),
        ("ema_decay", "0.999"),
        ("label_smoothing", "0.1"),
        ("mixup", "0.2"),
        ("cutmix", "1"),
        ("cutmix_prob", "0.25"),
        ("cutout", "8"),
        ("crop_padding", "0"),
        ("flip", "false"),
        ("seed", "3"),
        ("eval_every", "5"),
        ("probe_every", "6"),
        ("probe_share", "0.25"),
        ("probe_images", "8"),
        ("device", "cuda"),
        ("tf32", "true"),
        ("exact_convolutions", "true"),
        ("threads", "2"),
    ] {
        let field = Field::named(name).unwrap();
        field.set(&mut config, value).unwrap();
        assert_ne!(field.text(&config), field.default_text(), "{name}");
    }
    config
}

#[test]
fn toml_keeps_its_keys_their_order_and_what_is_left_out() -> anyhow::Result<()> {
    let config = unusual();
    let text = toml::to_string(&config)?;
    assert!(
        text.contains("size = \"24x40\"\n") && text.contains("width = \"1/2\"\n"),
        "{text}"
    );
    assert_eq!(toml::from_str::<RunConfig>(&text)?, config);
    let keys = |text: &str| -> Vec<String> {
        let key = |line: &str| line.split(" = ").next().unwrap_or_default().to_owned();
        text.lines().map(key).collect()
    };
    let names: Vec<_> = FIELDS.iter().map(|field| field.name).collect();
    assert_eq!(
        keys(&text),
        names,
        "a field of the struct is a field of the table"
    );
    let defaults = toml::to_string(&RunConfig::default())?;
    // Fields of the network that came later are written where they are not what all networks had before.
    let later = ["dilations", "kernels", "gate_place", "norm"];
    let written = |field: &&Field| !field.is_optional && !later.contains(&field.name);
    let names: Vec<_> = FIELDS.iter().filter(written).map(|x| x.name).collect();
    assert_eq!(keys(&defaults), names);
    assert_eq!(toml::from_str::<RunConfig>("")?, RunConfig::default());
    // A file from before a field existed gets the field's default.
    let older = text.replace("tf32 = true\n", "");
    assert_ne!(older, text);
    let expected = RunConfig {
        tf32: false,
        ..config
    };
    assert_eq!(toml::from_str::<RunConfig>(&older)?, expected);
    Ok(())
}

/// A field of the file of the default configuration keeps its name, its place and its value.
#[test]
fn the_default_configuration_is_written_as_ever() -> anyhow::Result<()> {
    let expected = "data = \"solar\"\nskip_unreadable = false\nimbalance = 1.0\nprofile = \"exp\"\ndata_seed = 0\n\
        attention = \"none\"\nwidth = \"1/4\"\nloss = \"ce\"\nclass_weights = \"none\"\nsampler = \"instance\"\n\
        epochs = 10\nbatch = 128\noptimizer = \"sgd\"\nmomentum = 0.9\nschedule = \"cosine\"\nwarmup = 0.05\ncrop_padding = 4\n\
        flip = true\nseed = 0\nprobe_share = 0.1\nprobe_images = 32\ndevice = \"cpu\"\ntf32 = false\n\
        exact_convolutions = false\n";
    assert_eq!(toml::to_string(&RunConfig::default())?, expected);
    Ok(())
}

#[test]
fn every_field_is_read_as_it_is_written() {
    for from in [RunConfig::default(), unusual()] {
        let mut to = RunConfig::default();
        let mut back = unusual();
        for field in FIELDS {
            let text = field.text(&from);
            field.set(&mut to, &text).unwrap();
            field.set(&mut back, &text).unwrap();
            assert_eq!(field.text(&to), text, "{}", field.name);
        }
        assert_eq!((&to, &back), (&from, &from));
    }
}

#[test]
fn every_field_is_described() {
    for field in FIELDS {
        let name = field.name;
        assert!(
            !field.label.is_empty() && field.label.trim() == field.label,
            "{name}"
        );
        assert!(
            field.help.ends_with('.') && !field.help.contains("  "),
            "{name}: {}",
            field.help
        );
        assert_eq!(field.is_optional, !field.unset.is_empty(), "{name}");
        assert_eq!(field.is_optional, !field.unset_hint.is_empty(), "{name}");
        if field.kind == Kind::Number {
            assert_ne!(field.bounds, Bounds::Any, "{name} may be infinite");
        }
        if let Kind::Choice(choices) = field.kind {
            let described =
                |x: &Choice| !x.label.is_empty() && !x.help.is_empty() && !x.help.ends_with('.');
            assert!(choices.iter().all(described), "{name}");
        }
    }
    let of_groups: Vec<_> = Group::ALL.iter().flat_map(|group| group.fields()).collect();
    let names = |fields: Vec<&Field>| fields.iter().map(|x| x.name).collect::<Vec<_>>();
    assert_eq!(
        names(of_groups),
        names(FIELDS.iter().collect()),
        "a group stands together"
    );
}

#[test]
fn mistakes_are_named_in_the_order_of_the_fields() {
    assert!(RunConfig::default().validate().is_empty() && unusual().validate().is_empty());
    let config = RunConfig {
        lr: Some(f64::NAN),
        batch: 0,
        imbalance: 0.5,
        channels: Some(2),
        ..RunConfig::default()
    };
    let fields: Vec<_> = config.validate().iter().map(|error| error.field).collect();
    assert_eq!(fields, ["channels", "imbalance", "batch", "lr"]);
    let message = |toml: &str| toml::from_str::<RunConfig>(toml).unwrap_err().to_string();
    let error = message("widht = \"1\"");
    assert!(error.contains("widht"), "{error}");
    let error = message("attention = \"some\"");
    assert!(
        error.contains("none, branch, shared, constant, wide"),
        "{error}"
    );
    let config = &mut RunConfig::default();
    for (name, text, said) in [
        ("epochs", "ten", "write a whole number, such as 10"),
        ("epochs", "", "write a whole number, such as 10"),
        ("lr", "fast", "write a number, such as 0.1"),
        ("flip", "yes", "write true or false"),
        (
            "size",
            "big",
            "`big` is no size; write WIDTHxHEIGHT, such as 32x32",
        ),
    ] {
        let field = Field::named(name).unwrap();
        assert_eq!(field.set(config, text), Err(said.to_owned()));
    }
    assert_eq!(
        *config,
        RunConfig::default(),
        "what cannot be read changes nothing"
    );
}

#[test]
fn values_without_effect_are_warned_about() {
    assert_eq!(RunConfig::default().warnings(), [""; 0]);
    let idle = RunConfig {
        data: DataSource::Solar,
        imbalance: 1.0,
        loss: Loss::Ce,
        class_weights: ClassWeights::None,
        sampler: Sampler::Instance,
        post_hoc: None,
        cutmix: None,
        attention: Attention::None,
        optimizer: Optimizer::Sgd,
        schedule: Schedule::Constant,
        device: DeviceKind::Cpu,
        ..unusual()
    };
    let expected = [
        "`splits` has no effect without a folder of images.",
        "`image_column` has no effect without a folder of images.",
        "`label_column` has no effect without a folder of images.",
        "`profile` has no effect without an imbalance above 1.",
        "`gate_place` has no effect without attention that weighs channels, or a network as wide as with gates.",
        "`gate_reduction` has no effect without attention gates, or a network as wide as with gates.",
        "`gamma` has no effect without the focal loss.",
        "`tau` has no effect without the logit-adjusted loss or experts.",
        "`beta` has no effect without class weights by effective number.",
        "`weights_from` has no effect without class weights.",
        "`adam_beta1` has no effect without Adam or AdamW.",
        "`adam_beta2` has no effect without Adam or AdamW.",
        "`gate_decay` has no effect without attention gates.",
        "`milestones` has no effect without a schedule in steps.",
        "`step_factor` has no effect without a schedule in steps.",
        "`cutmix_prob` has no effect without CutMix.",
        "`probe_share` has no effect without an open `probe_every`.",
        "`tf32` has no effect without a CUDA device.",
    ];
    assert_eq!(idle.warnings(), expected);
    // What other values leave nothing to do.
    let unheard = RunConfig {
        mixup: Some(0.2),
        cutmix: Some(1.0),
        cutmix_prob: Some(1.0),
        class_weights: ClassWeights::Inverse,
        weights_from: Some(1.0),
        loss: Loss::BalancedSoftmax,
        exact_convolutions: true,
        device: DeviceKind::Cuda,
        ..RunConfig::default()
    };
    let effectless = [
        "`mixup` has no effect, since CutMix mixes every batch.",
        "`exact_convolutions` has no effect on a GPU.",
        "`class_weights` have no effect, since `weights_from` lets them begin after the last epoch.",
    ];
    assert_eq!(unheard.warnings(), effectless);
    // What Adam and the focal loss lack, SGD and other losses have.
    let others = RunConfig {
        momentum: 0.5,
        optimizer: Optimizer::Adam,
        loss: Loss::Focal,
        label_smoothing: Some(0.1),
        ..RunConfig::default()
    };
    assert_eq!(
        others.warnings(),
        [
            "`momentum` has no effect without SGD.",
            "`label_smoothing` has no effect without another loss than focal."
        ]
    );
    let conditional = FIELDS.iter().filter(|field| field.applies.is_some());
    assert_eq!(conditional.count(), expected.len() + 2);
    let twice = RunConfig {
        loss: Loss::BalancedSoftmax,
        sampler: Sampler::Balanced,
        post_hoc: Some(1.0),
        ..RunConfig::default()
    };
    assert_eq!(
        twice.warnings(),
        [
            "The imbalance is corrected more than once, by the loss, the sampler and post-hoc adjustment: rare classes \
          will be favoured too much."
        ]
    );
}

/// What an open field means depends on the optimiser; a run is recorded with the number.
#[test]
fn open_rates_and_decays_follow_the_optimiser() {
    let of = |optimizer, lr| RunConfig {
        optimizer,
        lr,
        ..RunConfig::default()
    };
    let hint = |config: &RunConfig, name: &str| Field::named(name).unwrap().hint(config);
    for (optimizer, lr, decay) in [
        (Optimizer::Sgd, "0.1", "0.0005"),
        (Optimizer::Adam, "0.001", "0"),
        (Optimizer::AdamW, "0.001", "0.01"),
    ] {
        let open = of(optimizer, None);
        assert_eq!(
            (&*hint(&open, "lr"), &*hint(&open, "weight_decay")),
            (lr, decay)
        );
        let settled = open.settled();
        let text = |name: &str| Field::named(name).unwrap().text(&settled);
        assert_eq!((&*text("lr"), &*text("weight_decay")), (lr, decay));
        assert_eq!(settled.settled(), settled);
        // What is given stays.
        assert_eq!(of(optimizer, Some(0.02)).settled().lr, Some(0.02));
    }
    assert_eq!(hint(&RunConfig::default(), "batch"), "128");
    assert_eq!(hint(&RunConfig::default(), "threads"), "one per core");
    let warned = of(Optimizer::Adam, Some(0.1)).warnings();
    assert_eq!(
        warned,
        ["A learning rate of 0.1 is large for Adam, whose usual one is 0.001."]
    );
    assert_eq!(of(Optimizer::Adam, Some(0.01)).warnings(), [""; 0]);
    assert_eq!(of(Optimizer::Sgd, Some(1.0)).warnings(), [""; 0]);
}

/// What a step is a sum of, as the recipe says; of several reasons one is given.
#[test]
fn only_plain_gradient_steps_are_sums_of_class_gradients() {
    let plain = RunConfig::default();
    let kept = RunConfig {
        class_weights: ClassWeights::Effective,
        sampler: Sampler::Balanced,
        schedule: Schedule::Step,
        ema_decay: Some(0.99),
        cutout: Some(8),
        label_smoothing: Some(0.0),
        // Of no batch anything is mixed.
        cutmix: Some(1.0),
        cutmix_prob: Some(0.0),
        ..plain.clone()
    };
    for config in [&plain, &kept] {
        assert_eq!(config.departs_from_class_gradients(), None);
        assert_eq!(config.other_loss_measured(), None);
    }
    for (name, value, said, measured) in [
        ("loss", "focal", "minimises focal", Some("cross-entropy")),
        (
            "attention",
            "experts",
            "three losses",
            Some("cross-entropy"),
        ),
        ("optimizer", "adamw", "AdamW divides", None),
        (
            "label_smoothing",
            "0.1",
            "smooths",
            Some("plain cross-entropy"),
        ),
        ("mixup", "0.2", "mixed", Some("plain cross-entropy")),
        ("cutmix", "1", "mixed", Some("plain cross-entropy")),
        ("sam_rho", "0.05", "SAM takes", None),
    ] {
        let mut config = plain.clone();
        Field::named(name).unwrap().set(&mut config, value).unwrap();
        let departs = config.departs_from_class_gradients().unwrap_or_default();
        assert!(departs.contains(said), "{name}: {departs}");
        assert_eq!(config.other_loss_measured(), measured, "{name}");
    }
}

#[test]
fn milestones_are_shares_in_ascending_order() {
    let read = |text: &str| text.parse::<Milestones>();
    assert_eq!(read("0.5, 0.75").unwrap().shares(), [0.5, 0.75]);
    assert_eq!(Milestones::default().to_string(), "0.8,0.9");
    for wrong in ["", "0.5;0.7", "0.5,", "half"] {
        let said = read(wrong).unwrap_err();
        assert!(said.contains("such as 0.8,0.9"), "{said}");
    }
    let field = Field::named("milestones").unwrap();
    for wrong in ["0.9,0.8", "0.5,0.5"] {
        let mut config = RunConfig::default();
        field.set(&mut config, wrong).unwrap();
        let said = field.problem(&config);
        assert_eq!(
            said.as_deref(),
            Some("each milestone must be later than the one before it")
        );
    }
}

/// What options of the network cannot stand together, and lists that make no network.
#[test]
fn options_of_the_network_fit_each_other() {
    let said = |fields: &[(&str, &str)]| -> Vec<String> {
        let mut config = RunConfig::default();
        for (name, text) in fields {
            Field::named(name).unwrap().set(&mut config, text).unwrap();
        }
        let errors = config.validate().into_iter();
        errors.map(|error| error.to_string()).collect()
    };
    let none = [""; 0];
    for (dilations, kernels) in [
        ("2", "5"),
        ("1,2", "3,5"),
        ("1,1,2,3", "3"),
        ("1,2,3", "1,3,5"),
    ] {
        assert_eq!(
            said(&[("dilations", dilations), ("kernels", kernels)]),
            none
        );
    }
    assert_eq!(
        said(&[("dilations", "1"), ("kernels", "3,5")]),
        [
            "kernels: there are 2 kernels, and `dilations` makes 1 branch; give one kernel for all branches, or one for \
             each"
        ]
    );
    assert!(said(&[("kernels", "3,5,3,5")])[0].contains("`dilations` makes 3 branches"));
    assert_eq!(
        said(&[("dilations", "1,2,3,4,5")]),
        ["dilations: name 1 to 4 dilations: there is one branch for each"]
    );
    assert_eq!(
        said(&[("kernels", "4")]),
        ["kernels: must be odd, so that a kernel has a middle: 1, 3, 5 or 7"]
    );
    for place in ["middle", "stem"] {
        assert_eq!(
            said(&[("attention", "branch"), ("gate_place", place)]),
            none
        );
        let said = said(&[("attention", "shared"), ("gate_place", place)]);
        assert_eq!(
            said,
            [format!(
                "gate_place: with `attention` shared one gate weighs all branches together, which come together at their \
                 end alone; choose `end`, or another `attention` for `{place}`"
            )]
        );
    }
    let both = said(&[("attention", "class"), ("loss", "ldam")]);
    assert!(
        both.len() == 1
            && both[0]
                .starts_with("attention: with `class` the classifier is linear, and `loss` ldam")
    );
    let experts = |fields: &[(&str, &str)]| said(&[&[("attention", "experts")], fields].concat());
    assert_eq!(experts(&[("tau", "1")]), none);
    assert_eq!(
        experts(&[("dilations", "1,2")]),
        [
            "attention: `experts` has three losses, one for each branch, and `dilations` makes 2; give three dilations, or \
             choose another `attention`"
        ]
    );
    for loss in ["balanced-softmax", "ldam"] {
        let said = experts(&[("loss", loss)]);
        assert!(
            said.len() == 1 && said[0].starts_with("loss: with `attention` experts each branch")
        );
    }
    for wrong in ["", "1,", "a", "1;2", "-1", "1.5"] {
        let said = wrong.parse::<Dilations>().unwrap_err();
        assert!(said.contains("such as 1,2,3"), "{said}");
    }
    let kernels: Kernels = "3,5".parse().unwrap();
    assert_eq!([kernels.of(0), kernels.of(1)], [3, 5]);
    assert_eq!([Kernels::default().of(0), Kernels::default().of(3)], [3, 3]);
}

#[test]
fn configurations_differ_in_the_fields_that_were_changed() {
    let (one, other) = (RunConfig::default(), unusual());
    let names = |configs: &[&RunConfig]| -> Vec<&str> {
        let found = differences(configs);
        found.iter().map(|x| x.field.name).collect()
    };
    assert!(names(&[&one]).is_empty() && names(&[]).is_empty() && names(&[&one, &one]).is_empty());
    assert_eq!(names(&[&one, &other]).len(), FIELDS.len());
    let third = RunConfig {
        val: Some(3),
        lr: Some(1.0),
        ..one.clone()
    };
    let found = differences(&[&one, &third, &one]);
    let values: Vec<_> = found
        .iter()
        .map(|x| (x.field.name, x.values.join("|")))
        .collect();
    assert_eq!(
        values,
        [("val", "|3|".to_owned()), ("lr", "|1|".to_owned())]
    );
}

#[test]
fn fields_are_found_by_words_of_their_description() {
    let found = |text: &str| -> Vec<&str> {
        let words: Vec<_> = text.split_whitespace().map(str::to_lowercase).collect();
        let fields = FIELDS.iter().filter(|field| field.is_found_by(&words));
        fields.map(|field| field.name).collect()
    };
    assert_eq!(found("").len(), FIELDS.len());
    assert_eq!(found("crop padding"), ["crop_padding"]);
    assert_eq!(
        found("--gate-decay".trim_start_matches('-')),
        ["gate_decay"]
    );
    assert_eq!(found("Nesterov"), ["momentum"]);
    assert_eq!(found("menon"), ["loss"], "the help of a choice counts");
    assert!(found("no such thing").is_empty());
}
