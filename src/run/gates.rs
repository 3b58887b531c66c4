//! Mean attention gates of every class and channel, as a probe records them.

/// Fewest classes by whose distances branches are compared; fewer classes have too few distances.
const LEAST_CLASSES: usize = 4;

/// The gates of those classes whose gates are all finite (a class without images has none), `[≤ K][channels]`, from the
/// gates of all classes, `[K, channels]`. `None` where `gates` is empty or its length is no multiple of `classes`.
pub(crate) fn rows(gates: &[f32], classes: usize) -> Option<Vec<Vec<f64>>> {
    let channels = gates.len().checked_div(classes).filter(|n| *n > 0)?;
    if gates.len() != channels * classes {
        return None;
    }
    let rows = gates
        .chunks(channels)
        .map(|row| row.iter().copied().map(f64::from).collect::<Vec<_>>());
    Some(
        rows.filter(|row| row.iter().all(|x| x.is_finite()))
            .collect(),
    )
}

/// Euclidean distances between the gates of every two classes with finite gates; `None` with fewer than
/// [`LEAST_CLASSES`] such classes.
pub(crate) fn distances(gates: &[f32], classes: usize) -> Option<Vec<f64>> {
    let rows = rows(gates, classes).filter(|rows| rows.len() >= LEAST_CLASSES)?;
    let distance = |a: &[f64], b: &[f64]| {
        let squares = a.iter().zip(b).map(|(x, y)| (x - y).powi(2));
        squares.sum::<f64>().sqrt()
    };
    let pairs = (0..rows.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
    Some(pairs.map(|(a, b)| distance(&rows[a], &rows[b])).collect())
}
