use super::*;

fn point(step: u64, value: Option<f64>) -> Point {
    Point {
        step,
        epoch: step as f64 / 10.0,
        value,
    }
}

/// A mean is of all runs or of none: a run that lacks a value, or was measured at other steps, does not shift it.
#[test]
fn means_are_over_all_runs() {
    let runs = [
        vec![
            point(0, Some(0.25)),
            point(10, Some(0.5)),
            point(20, Some(0.5)),
        ],
        vec![
            point(0, Some(0.75)),
            point(10, None),
            point(20, Some(1.0)),
            point(25, Some(1.0)),
        ],
    ];
    let expected = vec![(0, [0.5, 0.25, 0.75]), (20, [0.75, 0.5, 1.0])];
    assert_eq!(over_runs(&runs), expected);
    assert!(over_runs(&[]).is_empty());
}
