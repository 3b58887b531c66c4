//! The finding about classes whose gradient is noise.

use super::*;

#[test]
fn a_class_whose_gradient_is_noise_is_named() {
    let made = Made {
        noise: |class| if class == 5 { 6.0 } else { 0.1 },
        ..Made::default()
    };
    let mut sample = made.sample();
    if let Some(started) = &mut sample.run.started {
        started.probe.counts[5] = vec![1, 1, 1, 0];
    }
    let found = sample.of(Kind::Noise);
    assert_eq!(found.len(), 1);
    assert_says(&found[0], &["Truck's gradient is noise: 3 probe images"]);
    assert_eq!(found[0].evidence.class, Some(5));
}
