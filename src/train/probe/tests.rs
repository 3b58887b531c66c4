//! The probe against PyTorch's numbers: tests/peers/torch_network.py made them, in f64, for networks of the same
//! parameters on the same images (class-mean form, batch norm in eval mode).

mod as_in_training;
mod step;

use anyhow::{Context, Result};
use candle_core::{Device, Tensor};
use serde_json::Value;

use super::*;
use crate::config::Width;
use crate::model::{Classifier, Init, Layout, Spec};
use crate::random::Random;

fn normals(seed: u64, purpose: &str, count: usize) -> Vec<f64> {
    let mut random = Random::new(seed, purpose, 0, 0);
    (0..count).map(|_| random.normal()).collect()
}

/// Our own start, with the scales, shifts and running statistics of batch norm moved off 1 and 0 so that mistakes show.
fn network(spec: Spec, seed: u64) -> Result<Net> {
    let mut net = Net::new(spec, seed, &Device::Cpu)?;
    let mut all = net.params().values().to_vec();
    for (param, value) in net.params().specs().iter().zip(&mut all) {
        let start = match param.init {
            Init::Ones => 1.0,
            Init::Zeros => 0.0,
            Init::KaimingNormal { .. } | Init::Uniform { .. } => continue,
        };
        let values = normals(seed, &param.name, value.elem_count());
        let values: Vec<f32> = values
            .into_iter()
            .map(|x| (start + 0.2 * x) as f32)
            .collect();
        *value = Tensor::from_vec(values, value.shape(), &Device::Cpu)?;
    }
    net.params_mut().set(all)?;
    for norm in net.norms_mut() {
        let means = normals(
            seed,
            &format!("{}.running_mean", norm.name),
            norm.mean.len(),
        );
        norm.mean = means.into_iter().map(|x| (0.3 * x) as f32).collect();
        let mut random = Random::new(seed, &format!("{}.running_var", norm.name), 0, 0);
        norm.variance
            .iter_mut()
            .for_each(|x| *x = (0.5 + random.uniform()) as f32);
    }
    Ok(net)
}

/// A constructed case: the network, the number of images of each piece, and all images in piece order.
struct Case {
    net: Net,
    counts: Vec<usize>,
    images: Tensor,
}

impl Case {
    fn new(case: &Value) -> Result<Self> {
        let image: [usize; 3] = serde_json::from_value(case["image"].clone())?;
        let seed = case["seed"].as_u64().context("seed")?;
        let spec = Spec {
            image,
            classes: serde_json::from_value(case["classes"].clone())?,
            width: Width::Quarter,
            attention: case["attention"]
                .as_str()
                .context("attention")?
                .parse()
                .map_err(anyhow::Error::msg)?,
            layout: Layout::default(),
            classifier: Classifier::Linear,
        };
        let counts: Vec<usize> = serde_json::from_value(case["counts"].clone())?;
        let n: usize = counts.iter().sum();
        let [h, w, c] = image;
        let values = normals(seed, "images", n * h * w * c)
            .into_iter()
            .map(|x| x as f32)
            .collect();
        let images = Tensor::from_vec(values, (n, h, w, c), &Device::Cpu)?;
        Ok(Self {
            net: network(spec, seed)?,
            counts,
            images,
        })
    }

    fn probe(&self, update: Option<&[Tensor]>) -> candle_core::Result<ProbeTensors> {
        let piece = |row: usize| {
            self.images
                .narrow(0, self.counts[..row].iter().sum(), self.counts[row])
        };
        probe(&self.net, &self.counts, piece, update)
    }
}

fn peer() -> Result<Vec<Value>> {
    let file: Value = serde_json::from_str(include_str!("../../../tests/peers/network.json"))?;
    Ok(file["cases"].as_array().context("cases")?.clone())
}

fn strings(value: &Value) -> Result<Vec<f64>> {
    let texts: Vec<String> = serde_json::from_value(value.clone())?;
    Ok(texts
        .iter()
        .map(|text| text.parse())
        .collect::<Result<_, _>>()?)
}

#[test]
fn class_gradients_are_those_of_pytorch() -> Result<()> {
    for case in peer()? {
        let ours = Case::new(&case)?;
        let attention = &case["attention"];
        assert_eq!(
            ours.net.params().count() as u64,
            case["parameters"].as_u64().context("parameters")?
        );
        let logits = ours
            .net
            .forward(&ours.net.weights(), &ours.images, Mode::Eval)?
            .logits
            .to_vec2::<f32>()?;
        for (got, wanted) in logits
            .iter()
            .zip(case["logits"].as_array().context("logits")?)
        {
            for (got, wanted) in got.iter().zip(strings(wanted)?) {
                assert!(
                    (f64::from(*got) - wanted).abs() < 1e-4 * wanted.abs().max(1.0),
                    "{attention}: logits"
                );
            }
        }
        let tensors = ours.probe(None)?;
        let wanted: Vec<Option<f64>> = serde_json::from_value(case["loss"].clone())?;
        for (got, wanted) in tensors.loss.iter().zip(wanted) {
            assert!(
                wanted.map_or(got.is_nan(), |wanted| (f64::from(*got) - wanted).abs()
                    < 1e-4),
                "{attention}: loss"
            );
        }
        let layers = ours.net.spec().layers();
        let pieces = ours.counts.len() / ours.net.spec().classes;
        for layer in layers.iter().filter(|layer| layer.gram.is_some()) {
            let row = layer.gram.context("row")?;
            let what = format!("{attention}, {}", layer.name);
            let gram = tensors.gram_of(&[row]).context("gram")?;
            let rows = case["class_gram"][&layer.name]
                .as_array()
                .context(what.clone())?;
            for (a, wanted) in rows.iter().enumerate() {
                for (b, wanted) in strings(wanted)?.into_iter().enumerate() {
                    let scale = gram.norm(a).context("norm")? * gram.norm(b).context("norm")?;
                    let error = (gram.dot(a, b).context("dot")? - wanted).abs();
                    assert!(
                        error < 2e-4 * scale,
                        "{what}: ⟨{a}, {b}⟩ is off by {error} at scale {scale}"
                    );
                }
            }
            let size = ours.counts.len();
            for (i, wanted) in strings(&case["piece_norms"][&layer.name])?
                .into_iter()
                .enumerate()
            {
                let got = f64::from(tensors.gram[row * size * size + i * size + i]).sqrt();
                assert!(
                    (got - wanted).abs() < 2e-4 * wanted.max(1e-6),
                    "{what}: piece {i} of {pieces}"
                );
            }
        }
    }
    Ok(())
}

/// The sum of the class gradients, weighted by their numbers of images, is the gradient of the whole batch.
#[test]
fn class_gradients_sum_to_the_gradient_of_the_batch() -> Result<()> {
    for case in peer()? {
        let ours = Case::new(&case)?;
        let classes = ours.net.spec().classes;
        let pieces = ours.counts.len() / classes;
        let labels: Vec<u32> = ours
            .counts
            .iter()
            .enumerate()
            .flat_map(|(row, &n)| std::iter::repeat_n((row / pieces) as u32, n))
            .collect();
        let n = labels.len();
        let out = ours
            .net
            .forward(&ours.net.weights(), &ours.images, Mode::Probe)?;
        let batch = products::flatten(&out.cross_entropy(&labels)?.backward()?)?;
        let tensors = ours.probe(None)?;
        let priors: Vec<f64> = ours
            .counts
            .chunks(pieces)
            .map(|class| class.iter().sum::<usize>() as f64 / n as f64)
            .collect();
        let mut start = 0;
        for (row, layer) in products::layer_params(&ours.net).into_iter().enumerate() {
            let len: usize = ours.net.params().values()[layer]
                .iter()
                .map(Tensor::elem_count)
                .sum();
            let own = &batch[start..start + len];
            start += len;
            let gram = tensors.gram_of(&[row]).context("gram")?;
            let mut square = 0.0;
            for a in 0..classes {
                for b in 0..classes {
                    square += priors[a] * priors[b] * gram.dot(a, b).context("dot")?;
                }
            }
            let wanted: f64 = own.iter().map(|x| f64::from(*x).powi(2)).sum();
            assert!(
                (square - wanted).abs() < 1e-4 * wanted,
                "row {row}: {square} instead of {wanted}"
            );
        }
    }
    Ok(())
}

/// The measured products ⟨g, Δθ⟩ of a piece's gradient with a small step Δθ predict how the step changes the piece's
/// loss.
#[test]
fn the_update_predicts_the_change_of_loss() -> Result<()> {
    let case = &peer()?[1];
    let mut ours = Case::new(case)?;
    let out = ours.net.forward(
        &ours.net.weights(),
        &ours.images.narrow(0, 0, 2)?,
        Mode::Probe,
    )?;
    let grads = out.cross_entropy(&[0, 0])?.backward()?;
    let update = grads
        .iter()
        .map(|grad| grad * -2e-4)
        .collect::<candle_core::Result<Vec<_>>>()?;
    let before = ours.probe(Some(&update))?;
    let params = ours.net.params().values().iter().zip(&update);
    let moved = params
        .map(|(value, change)| value + change)
        .collect::<candle_core::Result<_>>()?;
    ours.net.params_mut().set(moved)?;
    let after = ours.probe(None)?;
    let rows = before.n.len();
    for row in (0..rows).filter(|&row| before.n[row] > 0.0) {
        let predicted: f32 = before.update.iter().skip(row).step_by(rows).sum();
        let measured = after.loss[row] - before.loss[row];
        assert!(
            (predicted - measured).abs() < 0.05 * measured.abs() + 2e-5,
            "{row}: {predicted} against {measured}"
        );
    }
    Ok(())
}

/// Gradients that do not fit into the memory are computed in groups of layers, with the same result.
#[test]
fn groups_of_layers_change_nothing() -> Result<()> {
    let ours = Case::new(&peer()?[1])?;
    let update: Vec<Tensor> = ours.net.params().values().to_vec();
    let whole = ours.probe(Some(&update))?;
    let all = products::groups(&ours.net, ours.counts.len(), usize::MAX).len();
    for budget in [1, 1 << 20] {
        assert!(products::groups(&ours.net, ours.counts.len(), budget).len() > all);
        let piece = |row: usize| {
            ours.images
                .narrow(0, ours.counts[..row].iter().sum(), ours.counts[row])
        };
        let parts = probe_within(budget, &ours.net, &ours.counts, piece, Some(&update))?;
        assert_eq!(whole.gram, parts.gram);
        assert_eq!(whole.update, parts.update);
        assert_eq!(whole.gates, parts.gates);
    }
    Ok(())
}

#[test]
fn gates_are_means_over_the_class() -> Result<()> {
    let ours = Case::new(&peer()?[1])?;
    let tensors = ours.probe(None)?;
    assert_eq!(
        tensors.gates.keys().collect::<Vec<_>>(),
        ["branch1", "branch2", "branch3"]
    );
    // Classes of this case have 2, 3, 1 and 5 images.
    let out = ours.net.forward(
        &ours.net.weights(),
        &ours.images.narrow(0, 2, 3)?,
        Mode::Eval,
    )?;
    let wanted = out.gates[1].1.mean(0)?.to_vec1::<f32>()?;
    let gates = &tensors.gates["branch2"];
    let got = &gates[wanted.len()..2 * wanted.len()];
    assert!(
        got.iter()
            .zip(&wanted)
            .all(|(got, wanted)| (got - wanted).abs() < 1e-5)
    );
    Ok(())
}

/// With attention of classes, the shares that a class gives to the branches on its own images: they sum to 1.
#[test]
fn shares_of_branches_are_those_of_the_class_itself() -> Result<()> {
    let case = Case::new(&peer()?[1])?;
    let spec = Spec {
        attention: crate::config::Attention::Class,
        ..case.net.spec().clone()
    };
    let ours = Case {
        net: network(spec, 5)?,
        ..case
    };
    let tensors = ours.probe(None)?;
    let names: Vec<_> = tensors.gates.keys().collect();
    assert_eq!(names, ["branch1", "branch2", "branch3"]);
    for class in 0..4 {
        let sum: f32 = tensors.gates.values().map(|shares| shares[class]).sum();
        assert!((sum - 1.0).abs() < 1e-5, "{class}: {sum}");
    }
    let images = ours.images.narrow(0, 2, 3)?;
    let out = ours.net.forward(&ours.net.weights(), &images, Mode::Eval)?;
    let wanted = out.gates[1].1.to_vec3::<f32>()?;
    let wanted = wanted.iter().map(|image| image[1][0]).sum::<f32>() / 3.0;
    assert!((tensors.gates["branch2"][1] - wanted).abs() < 1e-5);
    Ok(())
}

#[test]
fn pieces_are_as_equal_as_they_can_be() {
    let pieces = cut(&[(0..10).collect(), vec![10, 11], vec![]], 4);
    let lengths: Vec<_> = pieces.iter().map(Vec::len).collect();
    assert_eq!(lengths, [3, 3, 2, 2, 1, 1, 0, 0, 0, 0, 0, 0]);
    assert_eq!(pieces.concat(), (0..12).collect::<Vec<_>>());
}
