//! Scalar products among long vectors.

use super::*;

#[test]
fn products_are_those_of_f64() -> Result<()> {
    for (size, len) in [(1, 5), (5, 3000), (9, 1024), (40, 777)] {
        let rows: Vec<Vec<f32>> = (0..size)
            .map(|i| Ok(random(&[len], i as u64)?.to_vec1()?))
            .collect::<Result<_>>()?;
        let mut slices: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
        if size > 2 {
            slices[2] = &[];
        }
        let got = products(&slices);
        for (i, a) in slices.iter().enumerate() {
            for (j, b) in slices.iter().enumerate() {
                let wanted: f64 = a
                    .iter()
                    .zip(*b)
                    .map(|(a, b)| f64::from(*a) * f64::from(*b))
                    .sum();
                assert!(
                    (got[i * size + j] - wanted).abs() < 1e-6 * len as f64,
                    "{i}, {j}"
                );
            }
        }
    }
    Ok(())
}
