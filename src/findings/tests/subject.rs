//! The part of a run that rules look at, and the words of their sentences.

use super::*;
use crate::findings::recent::since;
use crate::findings::words::{epoch, rounded};

/// A run with more probes than rules look back at gives the same findings as its excerpt.
#[test]
fn an_excerpt_gives_the_findings_of_the_run() {
    let sample = Made {
        signal: opposed,
        probes: 40,
        ..Made::default()
    }
    .sample();
    let excerpt = Sample {
        run: excerpt(&sample.run),
        probes: sample.probes.clone(),
        logits: sample.logits.clone(),
    };
    let found = sample.find();
    assert!(!found.is_empty());
    assert_eq!(found, excerpt.find());
    assert!(
        excerpt
            .run
            .steps
            .iter()
            .all(|step| step.grad_norms.is_empty() && step.logit_gradients.is_none())
    );
}

#[test]
fn numbers_have_the_digits_that_their_error_leaves() {
    assert_eq!(rounded(0.012_345, 0.001_2), "0.0123");
    assert_eq!(rounded(16.23, 1.6), "16.2");
    assert_eq!(rounded(1234.0, 310.0), "1234");
    assert_eq!(rounded(1.23e-7, 2e-8), "1.2e-7");
    assert_eq!(
        (epoch(12.0), epoch(4.84)),
        ("12".to_owned(), "4.8".to_owned())
    );
}

#[test]
fn since_walks_back_over_single_gaps() {
    assert_eq!(since(&[false, true, true, true]), Some(1));
    assert_eq!(since(&[true, true, false]), None);
    assert_eq!(since(&[true, false, true, true, true, true]), Some(0));
    assert_eq!(since(&[true, false, false, true, true]), Some(3));
    assert_eq!(since(&[]), None);
}
