use anyhow::{Context as _, Result, ensure};
use candle_core::{Device, Tensor};
use serde_json::Value;

use super::*;
use crate::vectors::{numbers, recipe, section, sines};

/// Value and gradient for logits [N, K].
fn evaluate(logits: &[f64], labels: &[u32], criterion: &Criterion) -> Result<(f64, Vec<f32>)> {
    evaluate_parts(logits, &[(1.0, labels)], criterion)
}

fn evaluate_parts(
    logits: &[f64],
    parts: &[Part<'_>],
    criterion: &Criterion,
) -> Result<(f64, Vec<f32>)> {
    let values: Vec<f32> = logits.iter().map(|&x| x as f32).collect();
    let images = parts[0].1.len();
    let shape = (images, logits.len() / images);
    let tape = Tape::new(1);
    let logits = Tape::leaf(&Tensor::from_vec(values, shape, &Device::Cpu)?, 0);
    let (out, _) = loss_and_pulls(&tape, &logits, parts, criterion)?;
    let values = out.values()?;
    let grads = tape.backward(&out, values.ones_like()?)?;
    let grad = grads.into_iter().flatten().next().context("a gradient")?;
    Ok((
        f64::from(values.to_scalar::<f32>()?),
        grad.flatten_all()?.to_vec1()?,
    ))
}

/// The criterion of a case of the reference vectors; none where no criterion has its form (sigmoids, a sum).
fn criterion_of(case: &Value, counts: &[f64]) -> Result<Option<Criterion>> {
    let name = case["name"].as_str().context("a name")?;
    let list = |field: &str| match &case[field] {
        Value::Array(_) => numbers(&case[field]),
        _ => Ok(Vec::new()),
    };
    let scale = case["s"].as_f64().unwrap_or(1.0);
    let margins = list("margins")?.into_iter().map(|m| scale * m).collect();
    let log_priors = |tau: f64| counts.iter().map(|n| tau * n.ln()).collect();
    let offsets = match name {
        "balanced_softmax" => log_priors(1.0),
        _ => case["tau"].as_f64().map_or_else(Vec::new, log_priors),
    };
    let of_weights = case["reduction"]
        .as_str()
        .is_none_or(|text| text.contains("sum(w_y)") || text.contains("torch"));
    let smoothing = if name == "ce_label_smoothing_0.1" {
        0.1
    } else {
        0.0
    };
    let known = [
        "ce_mean",
        "ce_label",
        "ce_weighted",
        "focal_gamma",
        "ldam",
        "balanced",
        "logit",
    ];
    let is_known = known.iter().any(|known| name.starts_with(known)) && !name.contains("quirk");
    Ok(is_known.then_some(Criterion {
        margins,
        offsets,
        weights: list("weights")?,
        gamma: case["gamma"].as_f64().unwrap_or(0.0),
        smoothing,
        mean: if of_weights {
            Mean::OfWeights
        } else {
            Mean::OfImages
        },
    }))
}

#[test]
fn losses_and_gradients_are_those_of_the_reference() -> Result<()> {
    let section = section("losses")?;
    let targets = numbers(&section["targets"])?;
    let labels: Vec<u32> = targets.into_iter().map(|x| x as u32).collect();
    let counts = numbers(&section["counts"])?;
    let (plain, cosine) = (
        numbers(&section["logits"])?,
        numbers(&section["logits_cosine"])?,
    );
    let mut checked = 0;
    for case in section["cases"].as_array().context("cases")? {
        let Some(criterion) = criterion_of(case, &counts)? else {
            continue;
        };
        // LDAM's reference scales cosines inside the loss, ours inside the classifier.
        let scale = case["s"].as_f64().unwrap_or(1.0);
        let logits = match case["s"] {
            Value::Null => plain.clone(),
            _ => cosine.iter().map(|x| scale * x).collect(),
        };
        let (value, grad) = evaluate(&logits, &labels, &criterion)?;
        let wanted = case["value"].as_f64().context("a value")?;
        ensure!(
            (value - wanted).abs() < 1e-5 * wanted.abs(),
            "{case}: {value}"
        );
        for (ours, theirs) in grad.iter().zip(numbers(&case["grad_logits"])?) {
            let ours = scale * f64::from(*ours);
            ensure!(
                (ours - theirs).abs() < 1e-5 * (1.0 + theirs.abs()),
                "{case}: {ours}"
            );
        }
        checked += 1;
    }
    ensure!(checked == 21, "{checked} cases");
    Ok(())
}

/// Smoothed labels, and mixed images whose loss is λ·L(y_a) + (1 − λ)·L(y_b), with every kind of loss, from PyTorch.
#[test]
fn smoothed_and_mixed_losses_are_those_of_pytorch() -> Result<()> {
    let logits: Vec<f64> = sines(0, 24).into_iter().map(|x| 3.0 * x).collect();
    let (labels, others) = ([0, 1, 2, 3, 0, 1], [1, 1, 0, 2, 3, 0]);
    let cases = recipe("losses")?;
    let cases = cases.as_array().context("cases")?;
    ensure!(cases.len() == 11);
    for case in cases {
        let kind = &case["kind"];
        let list = |field: &str| match &kind[field] {
            Value::Null => Ok(Vec::new()),
            list => numbers(list),
        };
        let number = |field: &str| kind[field].as_f64();
        let criterion = Criterion {
            margins: list("margins")?,
            offsets: list("offsets")?,
            weights: list("weights")?,
            gamma: number("gamma").unwrap_or(0.0),
            smoothing: number("smoothing").unwrap_or(0.0),
            mean: match number("gamma") {
                Some(_) => Mean::OfImages,
                None => Mean::OfWeights,
            },
        };
        let share = case["share"].as_f64().context("a share")?;
        let parts: [Part<'_>; 2] = [(share, &labels), (1.0 - share, &others)];
        let parts = if share < 1.0 { &parts[..] } else { &parts[..1] };
        let (value, grad) = evaluate_parts(&logits, parts, &criterion)?;
        let wanted = case["value"].as_f64().context("a value")?;
        ensure!((value - wanted).abs() < 1e-6 * wanted, "{case}: {value}");
        for (ours, theirs) in grad.iter().zip(numbers(&case["gradient"])?) {
            ensure!((f64::from(*ours) - theirs).abs() < 1e-6, "{case}: {ours}");
        }
    }
    Ok(())
}

/// A mixed image pulls as the share λ of an image of its one class and 1 − λ of one of the other, and all that pulls up
/// also pushes down.
#[test]
fn mixed_images_pull_in_shares() -> Result<()> {
    let logits = Tensor::new(&[[0.3_f32, -1.2, 2.0], [1.1, 0.4, -0.7]], &Device::Cpu)?;
    let logits = Var::constant(logits);
    let pulls = |parts: &[Part<'_>]| -> Result<Pulls> {
        let criterion = Criterion::default();
        Ok(loss_and_pulls(&Tape::off(), &logits, parts, &criterion)?.1)
    };
    let mixed = pulls(&[(0.3, &[0, 2]), (0.7, &[1, 2])])?;
    let (own, other) = (pulls(&[(1.0, &[0, 2])])?, pulls(&[(1.0, &[1, 2])])?);
    let sides = |pulls: &Pulls| [pulls.positive.clone(), pulls.negative.clone()].concat();
    for ((mixed, own), other) in sides(&mixed).iter().zip(sides(&own)).zip(sides(&other)) {
        ensure!((mixed - (0.3 * own + 0.7 * other)).abs() < 1e-12);
    }
    let (up, down): (f64, f64) = (mixed.positive.iter().sum(), mixed.negative.iter().sum());
    ensure!((up - down).abs() < 1e-9 * up);
    Ok(())
}

/// Extreme logits give finite losses and gradients, whatever the criterion.
#[test]
fn extreme_logits_stay_finite() -> Result<()> {
    let logits = [1000.0, 0.0, -1000.0, -1000.0, 0.0, 1000.0, 40.0, -40.0, 0.0];
    for gamma in [0.0, 0.5, 1.0, 2.0] {
        let criterion = Criterion {
            gamma,
            margins: vec![15.0, 5.0, 1.0],
            offsets: vec![-0.1, -2.0, -5.0],
            weights: vec![0.1, 1.0, 1.9],
            ..Criterion::default()
        };
        let (value, grad) = evaluate(&logits, &[0, 0, 0], &criterion)?;
        ensure!(
            value.is_finite() && grad.iter().all(|x| x.is_finite()),
            "{gamma}"
        );
        // A softmax loss does not change where all logits rise by the same value, so the gradient of a row sums to 0.
        for row in grad.chunks(3) {
            ensure!(row.iter().sum::<f32>().abs() < 1e-5);
        }
    }
    Ok(())
}

/// The loss is the mean of the losses of single images, weighted by class.
#[test]
fn losses_of_images_make_up_the_loss() -> Result<()> {
    let labels = [0, 2, 1, 2];
    let logits: Vec<f64> = sines(0, 12);
    let values: Vec<f32> = logits.iter().map(|&x| x as f32).collect();
    let tensor = Tensor::from_vec(values, (4, 3), &Device::Cpu)?;
    for (name, criterion) in criteria() {
        let losses = image_losses(&tensor, &labels, &criterion)?;
        let weights: Vec<f64> = labels.iter().map(|&k| criterion.weight(k)).collect();
        let total = match criterion.mean {
            Mean::OfWeights => weights.iter().sum(),
            Mean::OfImages => 4.0,
        };
        let sum: f64 = losses.iter().zip(&weights).map(|(x, w)| w * x).sum();
        let unsmoothed = Criterion {
            smoothing: 0.0,
            ..criterion
        };
        let (wanted, _) = evaluate(&logits, &labels, &unsmoothed)?;
        ensure!((sum / total - wanted).abs() < 1e-6, "{name}");
    }
    Ok(())
}

#[test]
fn labels_and_weights_that_do_not_fit_are_refused() {
    let weights = Criterion {
        weights: vec![1.0; 4],
        ..Criterion::default()
    };
    assert!(evaluate(&[0.0; 6], &[0, 2], &weights).is_err());
    assert!(evaluate(&[0.0; 6], &[0, 3], &Criterion::default()).is_err());
}

/// Every criterion that a configuration can ask for, by name, for three classes.
fn criteria() -> Vec<(&'static str, Criterion)> {
    let plain = Criterion::default();
    let weights = vec![0.2, 1.3, 1.5];
    vec![
        ("cross-entropy", plain.clone()),
        (
            "weighted",
            Criterion {
                weights: weights.clone(),
                ..plain.clone()
            },
        ),
        (
            "focal",
            Criterion {
                gamma: 2.0,
                mean: Mean::OfImages,
                ..plain.clone()
            },
        ),
        (
            "margins",
            Criterion {
                margins: vec![1.0, 2.5, 4.0],
                weights,
                ..plain.clone()
            },
        ),
        (
            "offsets",
            Criterion {
                offsets: vec![-0.2, -1.9, -4.0],
                ..plain
            },
        ),
    ]
}

/// The loss of one image as its definition says, in f64: −w (1 − p)^γ log p.
fn defined(logits: &[f64], label: usize, criterion: &Criterion) -> f64 {
    let at = |values: &[f64], k: usize, other: f64| values.get(k).copied().unwrap_or(other);
    let z = logits.iter().enumerate().map(|(k, z)| {
        let margin = if k == label {
            at(&criterion.margins, k, 0.0)
        } else {
            0.0
        };
        z + at(&criterion.offsets, k, 0.0) - margin
    });
    let powers: Vec<f64> = z.map(f64::exp).collect();
    let p = powers[label] / powers.iter().sum::<f64>();
    -at(&criterion.weights, label, 1.0) * (1.0 - p).powf(criterion.gamma) * p.ln()
}

/// The sums of pulls against central differences of each image's loss alone. Dividing by the batch has no part in them.
#[test]
fn pulls_are_sums_of_single_images_derivatives() -> Result<()> {
    let logits = [
        0.3, -1.2, 2.0, 1.1, 0.4, -0.7, -2.0, 0.1, 0.9, 0.0, 3.0, -1.0,
    ];
    let labels = [0, 2, 2, 1];
    for (name, criterion) in criteria() {
        let mut wanted = [[0.0; 3]; 2];
        for (row, &label) in logits.chunks(3).zip(&labels) {
            for k in 0..3 {
                let moved = |by: f64| {
                    let mut row = row.to_vec();
                    row[k] += by;
                    defined(&row, label as usize, &criterion)
                };
                let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                wanted[usize::from(k != label as usize)][k] += slope.abs();
            }
        }
        let values: Vec<f32> = logits.iter().map(|&x| x as f32).collect();
        let logits = Var::constant(Tensor::from_vec(values, (4, 3), &Device::Cpu)?);
        let (_, pulls) = loss_and_pulls(&Tape::off(), &logits, &[(1.0, &labels)], &criterion)?;
        for (ours, theirs) in [&pulls.positive, &pulls.negative].into_iter().zip(&wanted) {
            for (ours, theirs) in ours.iter().zip(theirs) {
                ensure!((ours - theirs).abs() < 1e-6, "{name}: {ours} for {theirs}");
            }
        }
        // The derivatives of a softmax loss sum to 0, so all that pulls up also pushes down.
        let (up, down): (f64, f64) = (pulls.positive.iter().sum(), pulls.negative.iter().sum());
        ensure!((up - down).abs() < 1e-9 * up, "{name}: {up} and {down}");
    }
    Ok(())
}
