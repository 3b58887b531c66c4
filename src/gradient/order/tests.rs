use anyhow::{Context, Result};

use super::super::ledger::tests::{gram_of, peer, peer_gradients};
use super::*;

/// The tree is that of SciPy's `linkage(…, "average")`. The peer finds the best order of its leaves by dynamic
/// programming and checks it against all orders where there are few leaves: tests/peers/numpy_ledger_surgery_order.py.
#[test]
fn the_order_is_the_best_of_the_tree_that_scipy_finds() -> Result<()> {
    for case in peer("order")?.as_array().context("cases")? {
        let number = |name: &str| case[name].as_f64().context("a number");
        let classes = number("rows")? as usize;
        let mut gradients = peer_gradients(classes, number("dimensions")? as usize);
        let shift = number("shift")?;
        for row in gradients.iter_mut().step_by(3) {
            row.iter_mut().for_each(|x| *x += shift);
        }
        let wanted: Vec<usize> = serde_json::from_value(case["order"].clone())?;
        let got = by_similarity(&gram_of(classes, &vec![1.0; classes], &gradients));
        assert_eq!(got, wanted, "{classes} classes");
    }
    Ok(())
}

#[test]
fn classes_that_agree_stand_beside_each_other() {
    // Two camps, mixed: 0, 2, 5 and 1, 3; class 4 has a zero gradient, class 6 no images.
    let camp = |k: usize| match k {
        0 | 2 | 5 => vec![1.0, 0.1 * k as f64],
        1 | 3 => vec![-1.0, 0.1 * k as f64],
        _ => vec![0.0, 0.0],
    };
    let gradients: Vec<_> = (0..7).map(camp).collect();
    let mut counts = [4.0; 7];
    counts[6] = 0.0;
    let order = by_similarity(&gram_of(7, &counts, &gradients));
    assert_eq!(order, [0, 2, 5, 3, 1, 4, 6]);
}

#[test]
fn equal_and_few_classes_have_an_order_too() {
    let of = |gradients: &[Vec<f64>]| {
        by_similarity(&gram_of(
            gradients.len(),
            &vec![1.0; gradients.len()],
            gradients,
        ))
    };
    assert_eq!(of(&[vec![1.0]]), [0]);
    assert_eq!(of(&[vec![1.0], vec![-1.0]]), [0, 1]);
    assert_eq!(of(&[vec![0.0]]), [0]);
    let mut same = of(&vec![vec![1.0, 2.0]; 5]);
    same.sort_unstable();
    assert_eq!(same, [0, 1, 2, 3, 4]);
}
