//! Every option of the network against PyTorch: tests/peers/torch_options.py made the numbers, in f64, for networks of the
//! same parameters on the same images.

use anyhow::{Context, Result};
use candle_core::{Device, Tensor};
use serde_json::Value;

use super::*;
use crate::config::{Field, RunConfig};
use crate::ops::{Criterion, on_portable_path};
use crate::random::Random;

fn normals(seed: u64, purpose: &str, count: usize) -> Vec<f64> {
    let mut random = Random::new(seed, purpose, 0, 0);
    (0..count).map(|_| random.normal()).collect()
}

fn number(value: &Value) -> Result<f64> {
    Ok(value.as_str().context("a number as text")?.parse()?)
}

/// The configuration with these options of a network.
fn config(options: &Value) -> Result<RunConfig> {
    let mut config = RunConfig::default();
    for (name, value) in options.as_object().context("options")? {
        let field = Field::named(name).context("a field")?;
        let value = value.as_str().context("a text")?;
        field.set(&mut config, value).map_err(anyhow::Error::msg)?;
    }
    assert_eq!(config.validate(), [], "{options}");
    assert_eq!(config.warnings(), [""; 0], "{options}");
    Ok(config)
}

/// Our own start, with all that starts at 1 or at 0, and the running statistics, moved off so that mistakes show.
fn network(spec: Spec, seed: u64) -> Result<Net> {
    let mut net = Net::new(spec, seed, &Device::Cpu)?;
    let mut all = net.params().values().to_vec();
    for (param, value) in net.params().specs().iter().zip(&mut all) {
        let start = match param.init {
            Init::Ones => 1.0,
            Init::Zeros => 0.0,
            Init::KaimingNormal { .. } | Init::Uniform { .. } => continue,
        };
        let values = normals(seed, &param.name, value.elem_count()).into_iter();
        let values: Vec<f32> = values.map(|x| (start + 0.2 * x) as f32).collect();
        *value = Tensor::from_vec(values, value.shape(), &Device::Cpu)?;
    }
    net.params_mut().set(all)?;
    for norm in net.norms_mut() {
        let purpose = |what: &str| format!("{}.running_{what}", norm.name);
        let means = normals(seed, &purpose("mean"), norm.mean.len()).into_iter();
        norm.mean = means.map(|x| (0.3 * x) as f32).collect();
        let mut random = Random::new(seed, &purpose("var"), 0, 0);
        let variances = norm.variance.iter();
        norm.variance = variances.map(|_| (0.5 + random.uniform()) as f32).collect();
    }
    Ok(net)
}

fn check(case: &Value) -> Result<()> {
    let options = &case["options"];
    let config = config(options)?;
    let image: [usize; 3] = serde_json::from_value(case["image"].clone())?;
    let labels: Vec<u32> = serde_json::from_value(case["labels"].clone())?;
    let seed = case["seed"].as_u64().context("seed")?;
    let spec = Spec {
        image,
        classes: serde_json::from_value(case["classes"].clone())?,
        width: Width::Quarter,
        attention: config.attention,
        layout: Layout::of(&config),
        classifier: Classifier::Linear,
    };
    let net = network(spec, seed)?;
    let count = case["parameters"].as_u64().context("parameters")?;
    assert_eq!(net.params().count() as u64, count, "{options}");
    let [h, w, c] = image;
    let values = normals(seed, "images", labels.len() * h * w * c).into_iter();
    let values: Vec<f32> = values.map(|x| x as f32).collect();
    let x = Tensor::from_vec(values, (labels.len(), h, w, c), &Device::Cpu)?;
    let logits = net.forward(&net.weights(), &x, Mode::Eval)?.logits;
    for (got, wanted) in logits
        .to_vec2::<f32>()?
        .iter()
        .zip(case["logits"].as_array().context("logits")?)
    {
        for (got, wanted) in got.iter().zip(wanted.as_array().context("a row")?) {
            let (got, wanted) = (f64::from(*got), number(wanted)?);
            assert!(
                (got - wanted).abs() < 1e-4 * wanted.abs().max(1.0),
                "{options}: {got} {wanted}"
            );
        }
    }
    // Experts have a loss each.
    let offsets: Vec<Vec<f64>> = match &case["offsets"] {
        Value::Null => vec![Vec::new()],
        offsets => serde_json::from_value(offsets.clone())?,
    };
    let criteria = offsets.into_iter().map(|offsets| Criterion {
        offsets,
        ..Criterion::default()
    });
    let loss = net
        .forward(&net.weights(), &x, Mode::Train)?
        .mixed_loss(&[(1.0, &labels)], &criteria.collect::<Vec<_>>())?;
    let wanted = case["loss"].as_f64().context("loss")?;
    assert!(
        (loss.value - wanted).abs() < 1e-4,
        "{options}: {} {wanted}",
        loss.value
    );
    let grads = loss.backward()?;
    let names = case["gradients"].as_object().context("gradients")?;
    assert_eq!(
        (names.len(), grads.len()),
        (grads.len(), net.params().specs().len())
    );
    for (param, grad) in net.params().specs().iter().zip(&grads) {
        let values: Vec<f32> = grad.flatten_all()?.to_vec1()?;
        let direction = normals(seed, &format!("{}, direction", param.name), values.len());
        let norm = values
            .iter()
            .map(|x| f64::from(*x).powi(2))
            .sum::<f64>()
            .sqrt();
        let terms = values.iter().zip(direction);
        let along: f64 = terms.map(|(x, d)| f64::from(*x) * d).sum();
        let wanted = &names.get(&param.name).context(param.name.clone())?;
        let (of_norm, of_along) = (number(&wanted[0])?, number(&wanted[1])?);
        // The product with a random vector differs by about as much as the gradient does.
        let what = format!(
            "{options}, {}: norm {norm} for {of_norm}, product {along} for {of_along}",
            param.name
        );
        assert!((norm - of_norm).abs() < 5e-4 * of_norm + 1e-7, "{what}");
        assert!((along - of_along).abs() < 2e-3 * of_norm + 1e-7, "{what}");
    }
    Ok(())
}

#[test]
fn every_option_is_that_of_pytorch() -> Result<()> {
    let file: Value = serde_json::from_str(include_str!("../../../tests/peers/options.json"))?;
    for case in file["cases"].as_array().context("cases")? {
        check(case)?;
        on_portable_path(|| check(case)).context("on the path of other devices")?;
    }
    Ok(())
}

/// The losses of single classes, each by its share of the images, make up the loss of all: of one criterion, and of one for
/// each expert.
#[test]
fn losses_of_classes_make_up_the_loss() -> Result<()> {
    let spec = Spec {
        image: [17, 18, 3],
        classes: 3,
        width: Width::Quarter,
        attention: Attention::Experts,
        layout: Layout::default(),
        classifier: Classifier::Linear,
    };
    let net = network(spec, 4)?;
    let labels = [0, 2, 1, 1, 0];
    let values = normals(4, "images", labels.len() * 17 * 18 * 3).into_iter();
    let values: Vec<f32> = values.map(|x| x as f32).collect();
    let x = Tensor::from_vec(values, (labels.len(), 17, 18, 3), &Device::Cpu)?;
    let with = |offsets: [f64; 3]| Criterion {
        offsets: offsets.to_vec(),
        ..Criterion::default()
    };
    let three = [[0.0; 3], [-0.1, -1.0, -3.0], [2.0, 0.5, -2.0]].map(with);
    for criteria in [&three[1..2], &three] {
        let forward = || net.forward(&net.weights(), &x, Mode::Train);
        let whole = forward()?.mixed_loss(&[(1.0, &labels)], criteria)?;
        let value = whole.value;
        let whole = whole.backward()?;
        let each = forward()?.class_losses_by(&labels, &[0, 1, 2], criteria)?;
        let shares = [0.4, 0.4, 0.2];
        let losses = each.values.iter().zip(shares);
        let sum: f64 = losses
            .map(|(loss, share)| share * loss.unwrap_or(0.0))
            .sum();
        assert!((sum - value).abs() < 1e-5, "{sum} {value}");
        let parts = [0, 1, 2].map(|class| each.backward(class));
        for (i, whole) in whole.iter().enumerate() {
            let mut rest = whole.clone();
            for (part, share) in parts.iter().zip(shares) {
                let part = part.as_ref().map_err(|error| anyhow::anyhow!("{error}"))?;
                rest = (rest - (&part[i] * share)?)?;
            }
            let norm = |x: &Tensor| -> Result<f32> { Ok(x.sqr()?.sum_all()?.to_scalar()?) };
            assert!(norm(&rest)? < 1e-8 * norm(whole)?.max(1e-6), "{i}");
        }
    }
    Ok(())
}
