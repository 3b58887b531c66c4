//! Class gradients with batch norm as in training: against PyTorch's numbers, and as properties that hold whatever the
//! network.

use super::*;
use crate::config::{Attention, GatePlace, NormKind};
use crate::model::Branch;
use crate::ops::on_portable_path;

/// The images of a case as a list of numbers by piece, [K·S].
fn numbered(counts: &[usize]) -> Vec<Vec<u32>> {
    let mut next = 0;
    let mut piece = |&n: &usize| {
        let own = (next..next + n as u32).collect();
        next += n as u32;
        own
    };
    counts.iter().map(&mut piece).collect()
}

fn picked(images: &Tensor, numbers: &[u32]) -> candle_core::Result<Tensor> {
    images.index_select(&Tensor::new(numbers, images.device())?, 0)
}

fn present(counts: &[usize], classes: usize) -> Vec<usize> {
    let pieces = counts.len() / classes;
    let images = |k: usize| counts[k * pieces..(k + 1) * pieces].iter().sum::<usize>();
    (0..classes).filter(|&k| images(k) > 0).collect()
}

impl Case {
    fn mixed(&self, shares: &[f64], budget: usize) -> candle_core::Result<ProbeTensors> {
        let mix = Mix {
            pieces: &numbered(&self.counts),
            shares,
            measured: &present(&self.counts, shares.len()),
        };
        let images = |numbers: &[u32]| picked(&self.images, numbers);
        mixed::mixed_within(budget, &self.net, &mix, images, None)
    }
}

#[test]
fn gradients_through_mixed_statistics_are_those_of_pytorch() -> Result<()> {
    for case in peer()? {
        let ours = Case::new(&case)?;
        let shares: Vec<f64> = serde_json::from_value(case["mixed"]["shares"].clone())?;
        let losses: Vec<Option<f64>> = serde_json::from_value(case["mixed"]["loss"].clone())?;
        let check = |tensors: &ProbeTensors, path: &str| -> Result<()> {
            let what = format!("{}, {path}", case["attention"]);
            for (got, wanted) in tensors.loss.iter().zip(&losses) {
                let close = |wanted: f64| (f64::from(*got) - wanted).abs() < 1e-4;
                assert!(
                    wanted.map_or(got.is_nan(), close),
                    "{what}: {got} {wanted:?}"
                );
            }
            let size = ours.counts.len();
            for layer in ours.net.spec().layers() {
                let Some(row) = layer.gram else { continue };
                let rows = case["mixed"]["gram"][&layer.name].as_array();
                let rows = rows.context("layer")?.iter().map(strings);
                let wanted: Vec<f64> = rows.collect::<Result<Vec<_>>>()?.concat();
                let norm = wanted.iter().map(|x| x * x).sum::<f64>().sqrt();
                let got = &tensors.gram[row * size * size..(row + 1) * size * size];
                for (got, wanted) in got.iter().zip(wanted) {
                    let error = (f64::from(*got) - wanted).abs();
                    assert!(
                        error < 2e-4 * norm,
                        "{what}, {}: {error} at {norm}",
                        layer.name
                    );
                }
            }
            Ok(())
        };
        check(&ours.mixed(&shares, BUDGET)?, "on the CPU")?;
        on_portable_path(|| check(&ours.mixed(&shares, BUDGET)?, "on the portable path"))?;
    }
    Ok(())
}

/// Layers in groups, and any number of threads that work at the same time, change nothing.
#[test]
fn groups_and_threads_change_nothing() -> Result<()> {
    let ours = Case::new(&peer()?[1])?;
    let shares = [0.4, 0.3, 0.2, 0.1];
    let whole = ours.mixed(&shares, BUDGET)?;
    let parts = ours.mixed(&shares, 1)?;
    assert_eq!(whole.gram, parts.gram);
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()?;
        let once = || pool.install(|| ours.mixed(&shares, BUDGET));
        assert_eq!(once()?.gram, once()?.gram, "{threads} threads");
    }
    Ok(())
}

/// Pieces on many threads pack the same weights at the same time, and none waits for another one for ever.
#[test]
fn many_threads_do_not_wait_for_each_other_for_ever() -> Result<()> {
    let ours = Case::new(&peer()?[1])?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build()?;
    let whole = ours.probe(None)?;
    for _ in 0..50 {
        let again = pool.install(|| ours.probe(None))?;
        assert_eq!(again.gram.len(), whole.gram.len());
    }
    Ok(())
}

fn networks() -> Result<Vec<Net>> {
    let mut networks = Vec::new();
    let mut add = |attention, layout, classifier| -> Result<()> {
        let spec = Spec {
            image: [17, 16, 1],
            classes: 3,
            width: Width::Quarter,
            attention,
            layout,
            classifier,
        };
        networks.push(network(spec, 3)?);
        Ok(())
    };
    for &attention in Attention::ALL {
        add(attention, Layout::default(), Classifier::Linear)?;
        // Attention of classes and experts have linear classifiers.
        if !matches!(attention, Attention::Class | Attention::Experts) {
            add(attention, Layout::default(), Classifier::Cosine(8.0))?;
        }
    }
    let two = vec![
        Branch {
            dilation: 1,
            kernel: 5,
        },
        Branch {
            dilation: 4,
            kernel: 3,
        },
    ];
    for (attention, gate_place, norm) in [
        (Attention::Branch, GatePlace::Middle, NormKind::Batch),
        (Attention::Branch, GatePlace::Stem, NormKind::Group),
        (Attention::Constant, GatePlace::Middle, NormKind::None),
        (Attention::Constant, GatePlace::Stem, NormKind::Batch),
        (Attention::Class, GatePlace::End, NormKind::Group),
    ] {
        let layout = Layout {
            branches: two.clone(),
            gate_place,
            gate_reduction: 1,
            norm,
        };
        add(attention, layout, Classifier::Linear)?;
    }
    Ok(networks)
}

/// Where each class's share is its share of the images, the statistics are those of a training batch: the weighted sum
/// of the class gradients is the gradient of a training step on that batch, in every variant of the network.
#[test]
fn class_gradients_sum_to_the_gradient_of_a_training_step() -> Result<()> {
    let (counts, shares) = ([4, 2, 1], [4.0 / 7.0, 2.0 / 7.0, 1.0 / 7.0]);
    let labels = [0, 0, 0, 0, 1, 1, 2];
    for net in networks()? {
        let values = normals(7, "images", 7 * 17 * 16).into_iter();
        let values: Vec<f32> = values.map(|x| x as f32).collect();
        let images = Tensor::from_vec(values, (7, 17, 16, 1), &Device::Cpu)?;
        let out = net.forward(&net.weights(), &images, Mode::Train)?;
        let loss = out.cross_entropy(&labels)?;
        let value = loss.value;
        let step = loss.backward()?;
        let mix = Mix {
            pieces: &numbered(&counts),
            shares: &shares,
            measured: &[0, 1, 2],
        };
        let before = net.clone();
        let found = mixed(&net, &mix, |numbers| picked(&images, numbers), Some(&step))?;
        let what = format!("{:?} {:?}", net.spec().attention, net.spec().classifier);
        let losses = found.loss.iter().zip(shares);
        let mean: f64 = losses.map(|(loss, share)| f64::from(*loss) * share).sum();
        assert!((mean - value).abs() < 1e-5, "{what}: {mean} {value}");
        for (row, layer) in products::layer_params(&net).into_iter().enumerate() {
            let square: f64 = step[layer]
                .iter()
                .map(|grad| Ok(f64::from(grad.sqr()?.sum_all()?.to_scalar::<f32>()?)))
                .sum::<candle_core::Result<_>>()?;
            let own = found.update[row * 3..row * 3 + 3].iter().zip(shares);
            let along: f64 = own.map(|(x, share)| f64::from(*x) * share).sum();
            assert!(
                (along - square).abs() < 1e-3 * square + 1e-9,
                "{what}, row {row}: {along} instead of {square}"
            );
        }
        assert_eq!(
            before.norms(),
            net.norms(),
            "running statistics are untouched"
        );
    }
    Ok(())
}

/// Without batch norm images do not mix: what is measured in mixed batches is what is measured piece by piece, which is
/// measured alone.
#[test]
fn without_batch_norm_both_measures_are_one() -> Result<()> {
    let counts = [4, 2, 1];
    for net in networks()?.iter().filter(|net| !net.mixes_images()) {
        let values = normals(7, "images", 7 * 17 * 16).into_iter();
        let values: Vec<f32> = values.map(|x| x as f32).collect();
        let images = Tensor::from_vec(values, (7, 17, 16, 1), &Device::Cpu)?;
        let pieces = numbered(&counts);
        let mix = Mix {
            pieces: &pieces,
            shares: &[0.6, 0.3, 0.1],
            measured: &[0, 1, 2],
        };
        let mixed = mixed(net, &mix, |numbers| picked(&images, numbers), None)?;
        let alone = |piece: usize| picked(&images, &pieces[piece]);
        let frozen = probe(net, &counts, alone, None)?;
        for (rows, wanted) in mixed.gram.chunks(9).zip(frozen.gram.chunks(9)) {
            let scale = wanted.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
            let mut both = rows.iter().zip(wanted);
            assert!(
                both.all(|(x, y)| (x - y).abs() <= 1e-4 * scale),
                "{rows:?} {wanted:?}"
            );
        }
    }
    Ok(())
}

/// With one class alone its statistics are those of its own batch.
#[test]
fn a_class_alone_is_normalised_by_itself() -> Result<()> {
    let ours = Case::new(&peer()?[0])?;
    let batch = ours.images.narrow(0, 0, 3)?;
    let out = ours.net.forward(&ours.net.weights(), &batch, Mode::Train)?;
    let loss = out.cross_entropy(&[1, 1, 1])?;
    let (value, gradient) = (loss.value, products::flatten(&loss.backward()?)?);
    let mix = Mix {
        pieces: &[vec![], vec![0, 1, 2], vec![]],
        shares: &[0.0, 0.2, 0.0],
        measured: &[1],
    };
    let images = |numbers: &[u32]| picked(&batch, numbers);
    let found = mixed(&ours.net, &mix, images, None)?;
    assert!((f64::from(found.loss[1]) - value).abs() < 1e-5);
    let square: f64 = gradient.iter().map(|x| f64::from(*x).powi(2)).sum();
    let layers = found.layers();
    let sum: f64 = (0..layers)
        .map(|row| f64::from(found.gram[row * 9 + 4]))
        .sum();
    assert!((sum - square).abs() < 1e-4 * square, "{sum} {square}");
    assert_eq!(found.n, [0.0, 3.0, 0.0]);
    assert!(found.loss[0].is_nan() && found.gram[0].abs() < f32::MIN_POSITIVE);
    Ok(())
}

/// Whole network: the loss of a class moves along its gradient as the gradient says, through the statistics.
#[test]
fn class_gradients_are_those_of_finite_differences() -> Result<()> {
    let counts = [2, 3, 2];
    for mut net in networks()? {
        let values = normals(8, "images", 7 * 17 * 16).into_iter();
        let values: Vec<f32> = values.map(|x| x as f32).collect();
        let all = Tensor::from_vec(values, (7, 17, 16, 1), &Device::Cpu)?;
        let mix = Mix {
            pieces: &numbered(&counts),
            shares: &[0.6, 0.3, 0.1],
            measured: &[0, 1, 2],
        };
        let images = |numbers: &[u32]| picked(&all, numbers);
        let start = net.params().values().to_vec();
        // The direction of a training step, whose slopes stand out of the rounding of f32 losses.
        let out = net.forward(&net.weights(), &all, Mode::Train)?;
        let step = out.cross_entropy(&[0, 0, 1, 1, 1, 2, 2])?.backward()?;
        let squares = step.iter().map(|x| x.sqr()?.sum_all()?.to_scalar::<f32>());
        let squares: Vec<f32> = squares.collect::<candle_core::Result<_>>()?;
        let length = f64::from(squares.iter().sum::<f32>().sqrt());
        let direction = step.iter().map(|x| x / length);
        let direction = direction.collect::<candle_core::Result<Vec<_>>>()?;
        let slopes = mixed(&net, &mix, images, Some(&direction))?;
        let mut losses_at = |by: f64| -> Result<Vec<f32>> {
            let moved = start.iter().zip(&direction);
            let moved = moved.map(|(value, along)| value + (along * by)?);
            net.params_mut()
                .set(moved.collect::<candle_core::Result<_>>()?)?;
            Ok(mixed(&net, &mix, images, None)?.loss)
        };
        let step = 5e-4;
        let (up, down) = (losses_at(step)?, losses_at(-step)?);
        for class in 0..3 {
            let predicted: f32 = slopes.update.iter().skip(class).step_by(3).sum();
            let measured = (up[class] - down[class]) / (2.0 * step) as f32;
            assert!(
                (predicted - measured).abs() < 0.02 * measured.abs() + 0.01,
                "class {class}: {predicted} against {measured}"
            );
        }
    }
    Ok(())
}

#[test]
fn beyond_twenty_classes_twenty_are_measured() -> Result<()> {
    let counts: Vec<usize> = (0..100)
        .map(|k| if k == 3 { 0 } else { 500 - 4 * k })
        .collect();
    let measured = measured_classes(&counts);
    assert_eq!(measured.len(), 20);
    assert!(measured.is_sorted() && !measured.contains(&3));
    assert!(
        measured.contains(&0) && measured.contains(&99),
        "both ends of the ranks"
    );
    assert_eq!(measured_classes(&[3, 0, 5]), [0, 2]);
    // The others take part in the statistics with a few images, and have no images in the result.
    let ours = Case::new(&peer()?[0])?;
    let mix = Mix {
        pieces: &[vec![0, 1], vec![2, 3], vec![4, 5, 6]],
        shares: &[0.5, 0.3, 0.2],
        measured: &[0, 1],
    };
    let images = |numbers: &[u32]| picked(&ours.images, numbers);
    let two = mixed(&ours.net, &mix, images, None)?;
    assert_eq!(two.n, [2.0, 2.0, 0.0]);
    assert_eq!(mix.passes(), (6, 12));
    assert!(two.loss[2].is_nan() && two.gram[8].abs() < f32::MIN_POSITIVE);
    let without = Mix {
        pieces: &[vec![0, 1], vec![2, 3], vec![]],
        ..mix
    };
    let alone = mixed(&ours.net, &without, images, None)?;
    assert!(
        (alone.loss[0] - two.loss[0]).abs() > 1e-4,
        "they change the statistics"
    );
    Ok(())
}
