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
    /// Share ε of an image's target that all classes have alike (Szegedy et al. 2016); 0 where the target is its class.
    pub smoothing: f64,
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

/// Classes of the images of a batch, `[N]`, with the share of the loss that they have: 1, or λ and 1 − λ for the two that
/// mixed images have.
pub type Part<'a> = (f64, &'a [u32]);

/// Mean over images of a loss of softmax(`logits` [N, K]) and the classes `labels` `[N]`, in nats: a scalar. For image
/// i of class y with logits z: l = w_y (1 − p)^γ · −log p_y, where p = softmax(z + offsets − margin_y at y); so
/// ∂l/∂z = w_y A (p − e_y), A = (1 − p_y)^γ − γ p_y (1 − p_y)^(γ−1) log p_y. With smoothing ε, l is (1 − ε) times that,
/// and ε/K · Σ_c w_c · −log p_c, as in PyTorch. Computed in f64 on the host, since it is only K numbers an image.
///
/// # Errors
/// Where the labels or the criterion do not fit the logits.
pub fn loss(tape: &Tape, logits: &Var, labels: &[u32], criterion: &Criterion) -> Result<Var> {
    Ok(loss_and_pulls(tape, logits, &[(1.0, labels)], criterion)?.0)
}

/// [`loss`] for several classes of each image: the sum over `parts` of share · loss, each a mean of its own. Gives also the
/// sums over images of the derivatives that its backward pass uses. Each image counts with its own loss l, class weight
/// included, and not with its part of the mean, whose divisor changes from batch to batch: sums over many batches thus give
/// every image the same standing, as those of Tan et al. (2021) do. A mixed image counts as the share λ of an image of its
/// one class and the share 1 − λ of one of the other.
///
/// # Errors
/// As [`loss`].
pub fn loss_and_pulls(
    tape: &Tape,
    logits: &Var,
    parts: &[Part<'_>],
    criterion: &Criterion,
) -> Result<(Var, Pulls)> {
    let values = logits.values()?;
    let (n, k) = values.dims2()?;
    for (_, labels) in parts {
        criterion.check(labels, n, k)?;
    }
    let rows = values.to_vec2::<f32>()?;
    let mut grad = vec![0.0; n * k];
    let mut sum = 0.0;
    let mut pulls = Pulls {
        positive: vec![0.0; k],
        negative: vec![0.0; k],
    };
    for (share, labels) in parts {
        let total = match criterion.mean {
            Mean::OfWeights => labels.iter().map(|&label| criterion.weight(label)).sum(),
            Mean::OfImages => n as f64,
        };
        for ((row, &label), grad) in rows.iter().zip(*labels).zip(grad.chunks_mut(k)) {
            let log_p = log_softmax(row, label as usize, criterion);
            let (value, own) = image(&log_p, label as usize, criterion.gamma);
            let weight = share * criterion.weight(label);
            pulls.add_image(&own, label as usize, weight);
            let weight = (1.0 - criterion.smoothing) * (weight / total);
            sum += weight * value;
            let terms = grad.iter_mut().zip(own);
            terms.for_each(|(grad, x)| *grad += weight * x);
            if criterion.smoothing > 0.0 {
                let (value, own) = uniform(&log_p, criterion);
                let weight = share * criterion.smoothing / total;
                sum += weight * value;
                let terms = grad.iter_mut().zip(own);
                terms.for_each(|(grad, x)| *grad += weight * x);
            }
        }
    }
    let device = values.device();
    let grad: Vec<f32> = grad.into_iter().map(|x| x as f32).collect();
    let grad = Tensor::from_vec(grad, (n, k), device)?;
    let out = Tensor::new(sum as f32, device)?;
    let out = tape.record_tensors(out, &[logits], move |seed| {
        Ok(vec![Some(grad.broadcast_mul(&seed)?)])
    });
    Ok((out, pulls))
}

/// The [`loss`] of each image, `[N]`, in nats, without class weights and smoothing.
///
/// # Errors
/// As [`loss`].
pub fn image_losses(logits: &Tensor, labels: &[u32], criterion: &Criterion) -> Result<Vec<f64>> {
    let (n, k) = logits.dims2()?;
    criterion.check(labels, n, k)?;
    let of = |(row, &label): (&Vec<f32>, &u32)| {
        let log_p = log_softmax(row, label as usize, criterion);
        image(&log_p, label as usize, criterion.gamma).0
    };
    Ok(logits
        .to_vec2::<f32>()?
        .iter()
        .zip(labels)
        .map(of)
        .collect())
}

impl Criterion {
    /// Weight of an image of class `label`.
    fn weight(&self, label: u32) -> f64 {
        let weight = self.weights.get(label as usize);
        weight.copied().unwrap_or(1.0)
    }

    /// An error where labels or vectors do not fit `n` images and `k` classes.
    fn check(&self, labels: &[u32], n: usize, k: usize) -> Result<()> {
        let vectors = [&self.margins, &self.offsets, &self.weights];
        let fit = |values: &&Vec<f64>| values.is_empty() || values.len() == k;
        if n != labels.len()
            || labels.iter().any(|&label| label as usize >= k)
            || !vectors.iter().all(fit)
        {
            candle_core::bail!("loss: {} labels for logits [{n}, {k}]", labels.len());
        }
        Ok(())
    }
}

impl Pulls {
    /// Adds those of other logits of the same classes, `[K]`; to none at all, too.
    pub fn add(&mut self, other: Self) {
        if self.positive.is_empty() {
            *self = other;
            return;
        }
        let add = |sums: &mut [f64], terms: &[f64]| {
            sums.iter_mut().zip(terms).for_each(|(sum, x)| *sum += x);
        };
        add(&mut self.positive, &other.positive);
        add(&mut self.negative, &other.negative);
    }

    /// Adds an image of class `label`, whose loss has the derivatives `weight` · `derivative` `[K]`.
    fn add_image(&mut self, derivative: &[f64], label: usize, weight: f64) {
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

/// log p of every class, `[K]`, of an image of class `label`, whose logits the criterion shifts.
fn log_softmax(logits: &[f32], label: usize, criterion: &Criterion) -> Vec<f64> {
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
    shifted.into_iter().map(|z| z - norm).collect()
}

/// The loss of one image, neither weighted nor smoothed, and its derivative in every logit.
fn image(log_p: &[f64], label: usize, gamma: f64) -> (f64, Vec<f64>) {
    let (modulation, slope) = focal(log_p[label], gamma);
    let derivative = log_p.iter().enumerate().map(|(k, log_p)| {
        let truth = f64::from(u8::from(k == label));
        slope * (log_p.exp() - truth)
    });
    // Where p is 1 the product is −0; adding 0 makes it 0.
    (modulation * -log_p[label] + 0.0, derivative.collect())
}

/// 1/K · Σ_c w_c · −log p_c, and its derivative in every logit.
fn uniform(log_p: &[f64], criterion: &Criterion) -> (f64, Vec<f64>) {
    let classes = log_p.len() as f64;
    let weights = (0..log_p.len() as u32).map(|k| criterion.weight(k) / classes);
    let weights: Vec<f64> = weights.collect();
    let total: f64 = weights.iter().sum();
    let each = log_p.iter().zip(&weights);
    let value = each.clone().map(|(log_p, weight)| weight * -log_p).sum();
    let derivative = each.map(|(log_p, weight)| total * log_p.exp() - weight);
    (value, derivative.collect())
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
