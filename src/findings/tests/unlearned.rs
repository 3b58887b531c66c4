//! The findings about classes that steps unlearn.

use super::*;
use crate::findings::recent::Recent;
use crate::findings::unlearned::most_harmful;
use crate::gradient::gram::RESOLVED_STANDARD_ERRORS;

#[test]
fn a_class_that_is_unlearned_is_named_with_the_culprit_and_the_time() {
    let sample = Made {
        signal: opposed,
        ..Made::default()
    }
    .sample();
    let found = sample.of(Kind::Unlearned);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_says(
        &found[0],
        &[
            "Truck is being unlearned, most by Airplane",
            "since epoch 4 in the backbone",
            "nats",
        ],
    );
    let evidence = &found[0].evidence;
    assert_eq!((evidence.class, evidence.pair), (Some(5), Some((5, 0))));
}

/// Rules look back at a limited number of probes, so a fact that holds in all of them may have begun before.
#[test]
fn a_fact_older_than_the_probes_looked_at_says_or_earlier() {
    let mut sample = Made {
        signal: opposed,
        probes: 10 + HISTORY as u64,
        ..Made::default()
    }
    .sample();
    for _ in 0..2 {
        for kind in [Kind::Conflict, Kind::Unlearned] {
            assert_says(&sample.of(kind)[0], &["since epoch 10 or earlier"]);
        }
        // The excerpt that a thread is handed gives the same sentence.
        sample.run = excerpt(&sample.run);
    }
}

/// Class 1 opposes class 0 equally in every piece; class 2 opposes it more on average, and is named only where its
/// pieces agree.
#[test]
fn a_culprit_is_named_only_where_it_is_told_apart_from_noise() {
    let gram = |of_class_2: [f32; 4]| {
        let gradients = [[1.0; 4], [-1.0; 4], of_class_2].concat();
        let products = gradients
            .iter()
            .flat_map(|x| gradients.iter().map(move |y| x * y));
        let products: Vec<f32> = products.collect();
        Gram::new(3, &[8.0; 12], &products, &[0.0; 12]).unwrap()
    };
    let most = |of_class_2| most_harmful(&gram(of_class_2), 0.1, &[0.4, 0.3, 0.3], 0, 4.0);
    let (culprit, nats, error) = most([-2.0, -2.1, -1.9, -2.0]).unwrap();
    assert_eq!(culprit, 2);
    // The rise is 0.1 · 0.3 · 2, and its standard error is that of a mean of four values.
    assert!((nats - 0.06).abs() < 1e-6, "{nats}");
    let sd = (0.02_f64 / 3.0).sqrt();
    assert!((error - 0.03 * sd / 2.0).abs() < 1e-6, "{error}");
    assert_eq!(most([-9.0, 5.0, -8.0, 4.0]), None);
    assert_eq!(most([2.0; 4]).map(|(culprit, ..)| culprit), Some(1));
}

/// A class with two probe images has two pieces, however many the others have.
#[test]
fn a_class_with_two_probe_images_needs_twice_as_many_standard_errors() {
    let mut sample = Made {
        signal: opposed,
        ..Made::default()
    }
    .sample();
    assert_eq!(sample.of(Kind::Unlearned).len(), 1);
    let mut started = sample.run.started.clone().expect("a header");
    started.probe.counts[5] = vec![1, 1, 0, 0];
    sample.run.started = Some(started.clone());
    assert_eq!(sample.of(Kind::Unlearned), []);
    let subject = sample.subject();
    let recent = Recent::new(&subject, &started);
    let asked = |classes: &[usize]| recent.standard_errors(classes) / RESOLVED_STANDARD_ERRORS;
    assert_eq!([asked(&[0, 1]), asked(&[0, 5])], [1.0, 2.0]);
}

/// The backbone as a whole learns the class of trucks, but one layer unlearns it.
#[test]
fn unlearning_in_one_layer_alone_is_found_there() {
    let signal: Signal = |probe, layer, class| {
        let mut gradient = opposed(probe.max(4), layer, class);
        if layer == "stem.conv1" && (class == 0 || class == 5) {
            gradient[WEIGHTS - 2] = 8.0;
        }
        gradient
    };
    let found = Made {
        signal,
        ..Made::default()
    }
    .sample()
    .of(Kind::Unlearned);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_says(&found[0], &["Truck", "since epoch 1 in branch2.conv1"]);
}
