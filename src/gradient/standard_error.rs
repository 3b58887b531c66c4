//! The effect of a gradient step on a loss, and the jackknife that estimates its standard error.

/// A quantity is resolved from 0 where its absolute value exceeds this many standard errors.
pub const RESOLVED_STANDARD_ERRORS: f64 = 3.0;

/// First-order effect of a gradient step on the loss of one class, with its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effect {
    /// Change of the loss in nats per step; negative where the loss falls.
    pub nats: f64,
    /// Standard error of `nats`; `None` where a class has fewer than two pieces.
    pub standard_error: Option<f64>,
}

impl Effect {
    /// Whether the effect differs from 0 by more than [`RESOLVED_STANDARD_ERRORS`] standard errors; false without a
    /// standard error.
    pub fn resolved(&self) -> bool {
        self.standard_error
            .is_some_and(|error| self.nats.abs() > RESOLVED_STANDARD_ERRORS * error)
    }
}

/// Delete-one jackknife variance of a statistic (Efron & Tibshirani 1993, eq. 11.5). The statistic is a function of the
/// weights `[S]` of a class's pieces; it is computed once for every non-empty piece, with that piece's weight set to 0.
/// `None` with fewer than two non-empty pieces, or where the statistic is undefined without one of them.
pub(super) fn jackknife_variance(
    weights: &[f64],
    statistic: impl Fn(&[f64]) -> Option<f64>,
) -> Option<f64> {
    let present: Vec<_> = (0..weights.len()).filter(|&s| weights[s] > 0.0).collect();
    if present.len() < 2 {
        return None;
    }
    let mut values = Vec::with_capacity(present.len());
    let mut rest = weights.to_vec();
    for &s in &present {
        rest[s] = 0.0;
        values.push(statistic(&rest)?);
        rest[s] = weights[s];
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    Some((n - 1.0) / n * values.iter().map(|x| (x - mean).powi(2)).sum::<f64>())
}
