//! Losses over softmax probabilities in which classes may count differently.

use candle_core::{Result, Tensor};

use super::tape::{Tape, Var};

/// How a loss differs from −log p of the true class. Vectors are by class, `[K]`, or empty where they change nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Criterion {
    /// Subtracted from the logit of the true class: the margins of LDAM (Cao et al. 2019), times its scale.
    pub margins: Vec<f64>,
    /// Added to all logits: τ·ln π of Balanced Softmax (Ren et al. 2020) and logit adjustment (Menon et al. 2021).
    pub offsets: Vec<f64>,
    /// Weight of an image by its class.
    pub weights: Vec<f64>,
    /// γ of the focal loss (1 − p)^γ · −log p (Lin et al. 2017); 0 is cross-entropy.
    pub gamma: f64,
    /// How the sum over images becomes a mean.
    pub mean: Mean,
}

/// Divisor of the sum over images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mean {
    /// The sum of the images' weights, as in PyTorch's `reduction="mean"`.
    #[default]
    OfWeights,
    /// The number of images.
    OfImages,
}

/// How hard the images of a batch pull at the logit of each class j: sums of |∂l/∂z_j| over images, `[K]` each, with l
/// the loss of an image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pulls {
    /// Over images of class j, which pull its logit up.
    pub positive: Vec<f64>,
    /// Over images of all other classes, which push its logit down.
    pub negative: Vec<f64>,
}

/// Mean over images of a loss of softmax(`logits` [N, K]) and the classes `labels` `[N]`, in nats: a scalar. For image
/// i of class y with logits z: l = w_y (1 − p)^γ · −log p, where p = softmax(z + offsets − margin_y at y)_y; so
/// ∂l/∂z = w_y A (softmax − e_y), A = (1 − p)^γ − γ p (1 − p)^(γ−1) log p. Computed in f64 on the host, since it is
/// only K numbers an image.
///
/// # Errors
/// Where the labels or the criterion do not fit the logits.
pub fn loss(tape: &Tape, logits: &Var, labels: &[u32], criterion: &Criterion) -> Result<Var> {
    Ok(loss_and_pulls(tape, logits, labels, criterion)?.0)
}

/// [`loss`], and the sums over images of the derivatives that its backward pass uses. Each image counts with its own
/// loss l, class weight included, and not with its part of the mean, whose divisor changes from batch to batch: sums
/// over many batches thus give every image the same standing, as those of Tan et al. (2021) do.
///
/// # Errors
/// As [`loss`].
pub fn loss_and_pulls(
    tape: &Tape,
    logits: &Var,
    labels: &[u32],
    criterion: &Criterion,
) -> Result<(Var, Pulls)> {
    let values = logits.values()?;
    let (n, k) = values.dims2()?;
    let fits = |values: &[f64]| values.is_empty() || values.len() == k;
    if n != labels.len()
        || labels.iter().any(|&label| label as usize >= k)
        || ![&criterion.margins, &criterion.offsets, &criterion.weights]
            .iter()
            .all(|values| fits(values))
    {
        candle_core::bail!(
            "loss: {} labels for logits {:?}",
            labels.len(),
            logits.data.dims()
        );
    }
    let rows = values.to_vec2::<f32>()?;
    let weight = |label: u32| {
        criterion
            .weights
            .get(label as usize)
            .copied()
            .unwrap_or(1.0)
    };
    let total = match criterion.mean {
        Mean::OfWeights => labels.iter().map(|&label| weight(label)).sum(),
        Mean::OfImages => n as f64,
    };
    let mut grad = Vec::with_capacity(n * k);
    let mut sum = 0.0;
    let mut pulls = Pulls {
        positive: vec![0.0; k],
        negative: vec![0.0; k],
    };
    for (row, &label) in rows.iter().zip(labels) {
        let (value, own) = image(row, label as usize, criterion);
        pulls.add(&own, label as usize, weight(label));
        let weight = weight(label) / total;
        sum += weight * value;
        grad.extend(own.into_iter().map(|x| (weight * x) as f32));
    }
    let device = values.device();
    let grad = Tensor::from_vec(grad, (n, k), device)?;
    let out = Tensor::new(sum as f32, device)?;
    let out = tape.record_tensors(out, &[logits], move |seed| {
        Ok(vec![Some(grad.broadcast_mul(&seed)?)])
    });
    Ok((out, pulls))
}

impl Pulls {
    /// Adds an image of class `label`, whose loss has the derivatives `weight` · `derivative` `[K]`.
    fn add(&mut self, derivative: &[f64], label: usize, weight: f64) {
        for (k, x) in derivative.iter().enumerate() {
            let sums = if k == label {
                &mut self.positive
            } else {
                &mut self.negative
            };
            sums[k] += (weight * x).abs();
        }
    }
}

/// The loss of one image, not weighted, and its derivative in every logit.
fn image(logits: &[f32], label: usize, criterion: &Criterion) -> (f64, Vec<f64>) {
    let at = |values: &[f64], k: usize| values.get(k).copied().unwrap_or(0.0);
    let margin = |k: usize| {
        if k == label {
            at(&criterion.margins, k)
        } else {
            0.0
        }
    };
    let shifted = logits.iter().enumerate();
    let shifted: Vec<f64> = shifted
        .map(|(k, &z)| f64::from(z) + at(&criterion.offsets, k) - margin(k))
        .collect();
    let largest = shifted.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let norm = shifted
        .iter()
        .map(|z| (z - largest).exp())
        .sum::<f64>()
        .ln()
        + largest;
    let log_p = shifted[label] - norm;
    let (modulation, slope) = focal(log_p, criterion.gamma);
    let derivative = shifted.iter().enumerate().map(|(k, z)| {
        let truth = f64::from(u8::from(k == label));
        slope * ((z - norm).exp() - truth)
    });
    // Where p is 1 the product is −0; adding 0 makes it 0.
    (modulation * -log_p + 0.0, derivative.collect())
}

/// (1 − p)^γ, and the factor A of the derivative A (softmax − e_y), from log p.
fn focal(log_p: f64, gamma: f64) -> (f64, f64) {
    if gamma == 0.0 {
        return (1.0, 1.0);
    }
    // 1 − p, precise where p is close to 1.
    let missed = -log_p.exp_m1();
    if missed <= 0.0 {
        return (0.0, 0.0);
    }
    let modulation = missed.powf(gamma);
    let slope = modulation - gamma * log_p.exp() * missed.powf(gamma - 1.0) * log_p;
    (modulation, slope)
}

#[cfg(test)]
mod tests;
