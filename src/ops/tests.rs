//! Every operation against PyTorch's numbers, against finite differences, and CPU path against portable path.

use anyhow::{Context, Result};
use candle_core::{Device, Tensor};

use super::*;
use crate::random::Random;
use crate::vectors::{assert_close, nhwc, numbers, section, tensor, vector};

/// Runs a check on the CPU's path with every instruction set, and on the path of other devices.
fn everywhere(check: impl Fn() -> Result<()>) -> Result<()> {
    for arch in kernels::archs() {
        kernels::FORCED.set(Some(arch));
        let result = check();
        kernels::FORCED.set(None);
        result?;
    }
    on_portable_path(check)
}

fn random(shape: &[usize], seed: u64) -> Result<Tensor> {
    let mut random = Random::new(seed, "test", 0, 0);
    let values: Vec<f32> = (0..shape.iter().product())
        .map(|_| random.normal() as f32)
        .collect();
    Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
}

/// Gradients of ⟨f(inputs), upstream⟩ in every input, and f(inputs).
fn run(
    inputs: &[Tensor],
    upstream: impl FnOnce(&Tensor) -> Result<Tensor>,
    f: impl FnOnce(&Tape, &[Var]) -> candle_core::Result<Var>,
) -> Result<(Tensor, Vec<Tensor>)> {
    let vars: Vec<Var> = inputs
        .iter()
        .enumerate()
        .map(|(i, x)| Tape::leaf(x, i))
        .collect();
    let tape = Tape::new(inputs.len());
    let out = f(&tape, &vars)?;
    let values = out.values()?;
    let grads = tape.backward(&out, upstream(&values)?)?;
    let grads = grads
        .into_iter()
        .map(|grad| grad.context("every input has a gradient"));
    Ok((values, grads.collect::<Result<_>>()?))
}

/// A convolution with nothing after it.
fn plain(dilation: usize) -> Conv<'static> {
    Conv {
        dilation,
        norm: None,
        relu: false,
        pool: false,
    }
}

/// A 1×1 convolution that changes nothing, for what follows it: [C, C, 1, 1].
fn identity(channels: usize) -> Result<Tensor> {
    Ok(
        Tensor::eye(channels, candle_core::DType::F32, &Device::Cpu)?
            .reshape((channels, channels, 1, 1))?,
    )
}

#[test]
fn conv2d_as_in_pytorch() -> Result<()> {
    let section = section("conv2d")?;
    everywhere(|| {
        let mut checked = 0;
        for case in section["cases"].as_array().unwrap() {
            let name = case["name"].as_str().unwrap();
            if case.get("stride").is_some() {
                continue; // The network has no strided convolution.
            }
            let dilation = case
                .get("dilation")
                .and_then(serde_json::Value::as_u64)
                .unwrap_or(1) as usize;
            let inputs = [nhwc(&case["x"])?, tensor(&case["weight"])?];
            let (out, grads) = run(
                &inputs,
                |_| nhwc(&case["upstream_grad"]),
                |tape, x| Ok(conv2d(tape, &x[0], &x[1], &plain(dilation))?.0),
            )?;
            let bias = vector(&case["bias"])?;
            assert_close(&out.broadcast_add(&bias)?, &nhwc(&case["y"])?, name)?;
            assert_close(&grads[0], &nhwc(&case["grad_x"])?, name)?;
            assert_close(&grads[1], &tensor(&case["grad_weight"])?, name)?;
            checked += 1;
        }
        assert_eq!(checked, 5);
        Ok(())
    })
}

#[test]
fn batch_norm_as_in_pytorch() -> Result<()> {
    let section = section("batchnorm2d")?;
    everywhere(|| {
        for case in section["cases"].as_array().unwrap() {
            let x = nhwc(&case["x"])?;
            let inputs = [
                identity(x.dim(3)?)?,
                x,
                vector(&case["weight"])?,
                vector(&case["bias"])?,
            ];
            let running = |name: &str| -> Result<Vec<f32>> { Ok(vector(&case[name])?.to_vec1()?) };
            let (mean, variance) = (running("running_mean")?, running("running_var")?);
            for mode in ["eval", "train"] {
                let wanted = &case[mode];
                let mut stats = None;
                let (out, grads) = run(
                    &inputs,
                    |_| nhwc(&case["upstream_grad"]),
                    |tape, x| {
                        let from = match mode {
                            "eval" => Stats::Running {
                                mean: &mean,
                                variance: &variance,
                            },
                            _ => Stats::Batch,
                        };
                        let norm = Norm {
                            weight: &x[2],
                            bias: &x[3],
                            stats: from,
                        };
                        let (out, batch) = conv2d(
                            tape,
                            &x[1],
                            &x[0],
                            &Conv {
                                norm: Some(norm),
                                ..plain(1)
                            },
                        )?;
                        stats = batch;
                        Ok(out)
                    },
                )?;
                assert_eq!(stats.is_some(), mode == "train");
                if let Some(stats) = stats {
                    for (new, old, key) in [
                        (stats.mean, &mean, "running_mean"),
                        (stats.variance, &variance, "running_var"),
                    ] {
                        let updated: Vec<f32> = new
                            .to_vec1::<f32>()?
                            .iter()
                            .zip(old)
                            .map(|(new, old)| 0.9 * old + 0.1 * new)
                            .collect();
                        let after = format!("{key}_after");
                        let key = if wanted.get(&after).is_some() {
                            &after
                        } else {
                            key
                        };
                        assert_close(
                            &Tensor::new(updated, &Device::Cpu)?,
                            &vector(&wanted[key])?,
                            key,
                        )?;
                    }
                }
                assert_close(&out, &nhwc(&wanted["y"])?, mode)?;
                assert_close(&grads[1], &nhwc(&wanted["grad_x"])?, mode)?;
                assert_close(&grads[2], &vector(&wanted["grad_weight"])?, mode)?;
                assert_close(&grads[3], &vector(&wanted["grad_bias"])?, mode)?;
            }
        }
        Ok(())
    })
}

#[test]
fn pooling_as_in_pytorch() -> Result<()> {
    let section = section("pooling")?;
    everywhere(|| {
        let x = nhwc(&section["x"])?;
        let inputs = [x.clone(), identity(x.dim(3)?)?];
        let (out, grads) = run(
            &inputs,
            |_| nhwc(&section["upstream"]),
            |tape, x| {
                Ok(conv2d(
                    tape,
                    &x[0],
                    &x[1],
                    &Conv {
                        pool: true,
                        ..plain(1)
                    },
                )?
                .0)
            },
        )?;
        assert_close(&out, &nhwc(&section["maxpool2"])?, "max-pool")?;
        assert_close(&grads[0], &nhwc(&section["grad_x"])?, "max-pool gradient")?;
        let upstream = || Ok(vector(&section["gap_upstream"])?.reshape((1, 2))?);
        let (out, grads) = run(&[x], |_| upstream(), |tape, x| mean_pool(tape, &x[0]))?;
        assert_close(&out.flatten_all()?, &vector(&section["gap"])?, "mean_pool")?;
        assert_close(
            &grads[0],
            &nhwc(&section["gap_grad_x"])?,
            "mean_pool gradient",
        )
    })
}

#[test]
fn cross_entropy_as_in_pytorch() -> Result<()> {
    let section = section("losses")?;
    let case = section["cases"]
        .as_array()
        .unwrap()
        .iter()
        .find(|case| case["name"] == "ce_mean")
        .unwrap();
    let targets: Vec<u32> = numbers(&section["targets"])?
        .into_iter()
        .map(|x| x as u32)
        .collect();
    let logits: Vec<f32> = numbers(&section["logits"])?
        .into_iter()
        .map(|x| x as f32)
        .collect();
    let classes = logits.len() / targets.len();
    let logits = Tensor::from_vec(logits, (targets.len(), classes), &Device::Cpu)?;
    let shape = logits.shape().clone();
    let (value, grads) = run(
        &[logits],
        |loss| Ok(loss.ones_like()?),
        |tape, x| loss(tape, &x[0], &targets, &Criterion::default()),
    )?;
    assert!((f64::from(value.to_scalar::<f32>()?) - case["value"].as_f64().unwrap()).abs() < 1e-5);
    let wanted: Vec<f32> = numbers(&case["grad_logits"])?
        .into_iter()
        .map(|x| x as f32)
        .collect();
    assert_close(
        &grads[0],
        &Tensor::from_vec(wanted, shape, &Device::Cpu)?,
        "cross-entropy gradient",
    )?;

    let stability = &section["stability"];
    let rows: Vec<f32> = numbers(&stability["logits"])?
        .into_iter()
        .map(|x| x as f32)
        .collect();
    for (row, wanted) in rows.chunks(4).zip(numbers(&stability["ce_per_sample"])?) {
        let target = if wanted > 1.0 && wanted < 2.0 {
            3_u32
        } else {
            0
        };
        let row = Var::constant(Tensor::new(row, &Device::Cpu)?.reshape((1, 4))?);
        let value = loss(&Tape::off(), &row, &[target], &Criterion::default())?.values()?;
        assert!((f64::from(value.to_scalar::<f32>()?) - wanted).abs() < 1e-3 * wanted.max(1e-3));
    }
    Ok(())
}

#[test]
fn cosine_classifier_as_in_ldam() -> Result<()> {
    let section = section("normed_linear_ldam")?;
    let targets = numbers(&section["targets"])?;
    let labels: Vec<u32> = targets.into_iter().map(|x| x as u32).collect();
    let counts = numbers(&section["counts"])?;
    let counts: Vec<usize> = counts.into_iter().map(|n| n as usize).collect();
    // The reference has a column for each class, we have a row.
    let columns = |field: &str, columns: usize| -> Result<Tensor> {
        let values = vector(&section[field])?;
        Ok(values.reshape(((), columns))?)
    };
    let (width, classes) = (5, counts.len());
    let features = columns("features", width)?;
    let weight = columns("weight", classes)?.t()?.contiguous()?;
    let criterion = Criterion {
        margins: crate::balance::margins(&counts, 0.5)
            .into_iter()
            .map(|margin| 30.0 * margin)
            .collect(),
        ..Criterion::default()
    };
    let (value, grads) = run(
        &[features, weight],
        |loss| Ok(loss.ones_like()?),
        |tape, x| {
            let logits = cosine(tape, &x[0], &x[1], 30.0)?;
            loss(tape, &logits, &labels, &criterion)
        },
    )?;
    let wanted = section["loss"].as_f64().context("loss")?;
    assert!((f64::from(value.to_scalar::<f32>()?) - wanted).abs() < 1e-4);
    let wanted = columns("grad_features", width)?;
    assert_close(&grads[0], &wanted, "gradient of the features")?;
    let wanted = columns("grad_weight", classes)?.t()?.contiguous()?;
    assert_close(&grads[1], &wanted, "gradient of the weights")
}

/// Central differences of ⟨f(inputs), upstream⟩ against the backward pass, in every coordinate.
fn assert_finite_differences(
    name: &str,
    inputs: &[Tensor],
    f: impl Fn(&Tape, &[Var]) -> candle_core::Result<Var>,
) -> Result<()> {
    let (_, grads) = run(inputs, |out| random(out.dims(), 99), &f)?;
    let value = |inputs: &[Tensor]| -> Result<f64> {
        let vars: Vec<Var> = inputs.iter().cloned().map(Var::constant).collect();
        let out = f(&Tape::off(), &vars)?.values()?;
        let upstream = random(out.dims(), 99)?.flatten_all()?.to_vec1::<f32>()?;
        let out = out.flatten_all()?.to_vec1::<f32>()?;
        Ok(out
            .iter()
            .zip(&upstream)
            .map(|(a, b)| f64::from(*a) * f64::from(*b))
            .sum())
    };
    let here = value(inputs)?;
    let (mut checked, mut kinks) = (0, 0);
    for (i, grad) in grads.iter().enumerate() {
        let got = grad.flatten_all()?.to_vec1::<f32>()?;
        let base = inputs[i].flatten_all()?.to_vec1::<f32>()?;
        for (j, got) in got.iter().enumerate() {
            let step = 1e-3_f32;
            let moved = |by: f32| -> Result<f64> {
                let mut values = base.clone();
                values[j] += by;
                let mut inputs = inputs.to_vec();
                inputs[i] = Tensor::from_vec(values, inputs[i].shape(), &Device::Cpu)?;
                value(&inputs)
            };
            let (up, down) = (
                (moved(step)? - here) / f64::from(step),
                (here - moved(-step)?) / f64::from(step),
            );
            let wanted = (up + down) / 2.0;
            if (up - down).abs() > 5e-3 * wanted.abs().max(1.0) {
                kinks += 1; // A ReLU or a maximum switches within the step.
                continue;
            }
            checked += 1;
            let error = (f64::from(*got) - wanted).abs();
            assert!(
                error < 1e-2 * wanted.abs().max(1.0),
                "{name}, input {i}[{j}]: {got} instead of {wanted}"
            );
        }
    }
    assert!(
        kinks * 4 <= checked,
        "{name}: {kinks} kinks and {checked} smooth places"
    );
    Ok(())
}

#[test]
fn gradients_are_those_of_finite_differences() -> Result<()> {
    everywhere(|| {
        // Odd sizes, one channel, and a dilation that reaches past the border.
        for (shape, outputs, k, dilation) in [
            ([2, 5, 4, 3], 2, 3, 1),
            ([1, 4, 7, 1], 3, 3, 2),
            ([2, 3, 3, 2], 2, 3, 3),
            ([2, 3, 2, 4], 3, 1, 1),
        ] {
            let inputs = [
                random(&shape, 1)?,
                random(&[outputs, shape[3], k, k], 2)?,
                random(&[outputs], 3)?,
                random(&[outputs], 4)?,
            ];
            assert_finite_differences("conv2d", &inputs[..2], |tape, x| {
                Ok(conv2d(tape, &x[0], &x[1], &plain(dilation))?.0)
            })?;
            let (mean, variance) = ([0.3, -0.2, 0.1], [1.5, 0.4, 0.9]);
            let constants = Stats::Running {
                mean: &mean[..outputs],
                variance: &variance[..outputs],
            };
            for (stats, relu, pool) in [
                (Stats::Batch, false, false),
                (Stats::Batch, true, false),
                (Stats::Batch, true, true),
                (constants, false, true),
                (constants, true, false),
            ] {
                assert_finite_differences("conv2d and what follows it", &inputs, |tape, x| {
                    let norm = Norm {
                        weight: &x[2],
                        bias: &x[3],
                        stats,
                    };
                    let conv = Conv {
                        dilation,
                        norm: Some(norm),
                        relu,
                        pool,
                    };
                    Ok(conv2d(tape, &x[0], &x[1], &conv)?.0)
                })?;
            }
        }
        // A convolution that reads what another left for it to apply.
        let inputs = [
            random(&[2, 4, 3, 2], 1)?,
            random(&[3, 2, 3, 3], 2)?,
            random(&[3], 3)?,
            random(&[3], 4)?,
            random(&[2, 3, 3, 3], 5)?,
        ];
        assert_finite_differences("two convolutions", &inputs, |tape, x| {
            let norm = Norm {
                weight: &x[2],
                bias: &x[3],
                stats: Stats::Batch,
            };
            let first = Conv {
                norm: Some(norm),
                relu: true,
                ..plain(1)
            };
            let (between, _) = conv2d(tape, &x[0], &x[1], &first)?;
            Ok(conv2d(tape, &between, &x[4], &plain(2))?.0)
        })?;
        assert_finite_differences("mean_pool", &[random(&[2, 3, 4, 2], 7)?], |tape, x| {
            mean_pool(tape, &x[0])
        })?;
        let inputs = [random(&[3, 4], 8)?, random(&[2, 4], 9)?, random(&[2], 10)?];
        assert_finite_differences("linear", &inputs, |tape, x| {
            linear(tape, &x[0], &x[1], &x[2])
        })?;
        assert_finite_differences("cosine", &inputs[..2], |tape, x| {
            cosine(tape, &x[0], &x[1], 3.0)
        })?;
        assert_finite_differences("loss", &inputs[..1], |tape, x| {
            loss(tape, &x[0], &[3, 0, 1], &Criterion::default())
        })?;
        let inputs = [
            random(&[3, 4, 1, 1], 8)?,
            random(&[3], 9)?,
            random(&[1], 10)?,
        ];
        assert_finite_differences("constant_gate", &inputs, |tape, x| {
            constant_gate(tape, &x[0], &[&x[1], &x[2]])
        })?;
        // A gate for each part, then one over both.
        for (hidden, channels) in [(vec![3, 2], vec![4, 2]), (vec![3], vec![6])] {
            let mut inputs = vec![
                random(&[2, 3, 2, 4], 11)?,
                random(&[2, 3, 2, 2], 12)?,
                random(&[3, 6, 1, 1], 13)?,
            ];
            for (&hidden, &channels) in hidden.iter().zip(&channels) {
                inputs.push(random(&[hidden, channels], 14)?);
                inputs.push(random(&[channels, hidden], 15)?);
            }
            assert_finite_differences("join_conv2d", &inputs, |tape, x| {
                let (x, gates) = x.split_at(3);
                let gates = gates_of(gates);
                Ok(join_conv2d(tape, &[&x[0], &x[1]], &gates, &x[2], &plain(1))?.out)
            })?;
        }
        Ok(())
    })
}

fn gates_of(weights: &[Var]) -> Vec<Gate<'_>> {
    let pairs = weights.chunks_exact(2);
    pairs
        .map(|pair| Gate {
            fc1: &pair[0],
            fc2: &pair[1],
        })
        .collect()
}

/// Random shapes, on one to four threads and every instruction set, against candle's own convolution and its autograd:
/// they are right on the CPU, only slow.
#[test]
fn conv2d_as_in_candle() -> Result<()> {
    let mut choice = Random::new(5, "shapes", 0, 0);
    for case in 0..40 {
        let mut pick = |from: &[usize]| from[choice.below(from.len())];
        let (n, h, w) = (
            pick(&[1, 2, 5]),
            pick(&[3, 6, 8, 17, 24]),
            pick(&[2, 5, 8, 16, 33, 40]),
        );
        let (ci, co) = (pick(&[1, 3, 8, 17, 24]), pick(&[1, 7, 16, 24, 48]));
        let (k, dilation, threads) = (pick(&[1, 3, 3]), pick(&[1, 2, 3]), pick(&[1, 2, 3, 4]));
        let inputs = [
            random(&[n, h, w, ci], case)?,
            random(&[co, ci, k, k], 50 + case)?,
        ];
        let upstream = random(&[n, h, w, co], 100 + case)?;
        let theirs: Vec<candle_core::Var> = inputs
            .iter()
            .map(candle_core::Var::from_tensor)
            .collect::<candle_core::Result<_>>()?;
        let out = theirs[0]
            .permute((0, 3, 1, 2))?
            .conv2d(&theirs[1], dilation * (k - 1) / 2, 1, dilation, 1)?
            .permute((0, 2, 3, 1))?
            .contiguous()?;
        let store = out.mul(&upstream)?.sum_all()?.backward()?;
        let wanted = [
            &out,
            store.get(&theirs[0]).unwrap(),
            store.get(&theirs[1]).unwrap(),
        ];
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()?;
        for arch in kernels::archs() {
            let (out, grads) = pool.install(|| {
                kernels::FORCED.set(Some(arch));
                let result = run(
                    &inputs,
                    |_| Ok(upstream.clone()),
                    |tape, x| Ok(conv2d(tape, &x[0], &x[1], &plain(dilation))?.0),
                );
                kernels::FORCED.set(None);
                result
            })?;
            for (got, wanted) in [&out, &grads[0], &grads[1]].into_iter().zip(wanted) {
                let scale = wanted.abs()?.max_all()?.to_scalar::<f32>()?;
                let worst = (got - wanted)?.abs()?.max_all()?.to_scalar::<f32>()?;
                assert!(
                    worst < 2e-5 * scale,
                    "case {case}, {n}×{h}×{w}, {ci} → {co}, k {k}, dilation {dilation}, {arch:?}: off by {worst} at {scale}"
                );
            }
        }
    }
    Ok(())
}

/// A convolution of parts side by side with what comes before and after it, for the test below.
struct JoinCase {
    /// Channels of every part.
    parts: Vec<usize>,
    /// Channels of every gate.
    gates: Vec<usize>,
    dilation: usize,
    /// The norm's statistics; none for the batch's.
    constants: Option<[Vec<f32>; 2]>,
}

impl JoinCase {
    /// The parts, of which norm and ReLU of the first are still pending, then norm and ReLU after the convolution.
    /// `x`: the parts, weight and bias of the first's norm, the convolution's weight, weight and bias of its norm, W1
    /// and W2 of every gate.
    fn ours(&self, tape: &Tape, x: &[Var]) -> candle_core::Result<Var> {
        let (parts, x) = x.split_at(self.parts.len());
        let c = self.parts[0];
        let same = Var::constant(
            Tensor::eye(c, candle_core::DType::F32, &Device::Cpu)?.reshape((c, c, 1, 1))?,
        );
        let (mean, variance) = (vec![0.1; c], vec![0.8; c]);
        let conv = |weight, bias, stats| Conv {
            norm: Some(Norm {
                weight,
                bias,
                stats,
            }),
            relu: true,
            ..plain(self.dilation)
        };
        let constants = Stats::Running {
            mean: &mean,
            variance: &variance,
        };
        let (first, _) = conv2d(tape, &parts[0], &same, &conv(&x[0], &x[1], constants))?;
        let parts: Vec<&Var> = std::iter::once(&first).chain(&parts[1..]).collect();
        let stats = match &self.constants {
            Some([mean, variance]) => Stats::Running { mean, variance },
            None => Stats::Batch,
        };
        let after = conv(&x[3], &x[4], stats);
        let joined = join_conv2d(tape, &parts, &gates_of(&x[5..]), &x[2], &after)?;
        assert_eq!(joined.gates.len(), self.gates.len());
        assert_eq!(joined.stats.is_some(), self.constants.is_none());
        Ok(joined.out)
    }

    /// The same in candle.
    fn theirs(&self, x: &[candle_core::Var]) -> candle_core::Result<Tensor> {
        let (parts, x) = x.split_at(self.parts.len());
        let scale = (x[0].as_tensor() / f64::sqrt(f64::from(0.8_f32) + 1e-5))?;
        let mut all: Vec<Tensor> = parts.iter().map(|x| x.as_tensor().clone()).collect();
        all[0] = ((&all[0] - f64::from(0.1_f32))?.broadcast_mul(&scale)?)
            .broadcast_add(&x[1])?
            .relu()?;
        let mut joined = Tensor::cat(&all, 3)?;
        let (n, h, w, c) = joined.dims4()?;
        if !self.gates.is_empty() {
            let means = joined.reshape((n, h * w, c))?.mean(1)?;
            let mut start = 0;
            let mut gates = Vec::new();
            for (pair, &channels) in x[5..].chunks_exact(2).zip(&self.gates) {
                let own = means.narrow(1, start, channels)?.contiguous()?;
                let hidden = own.matmul(&pair[0].t()?)?.relu()?;
                gates.push(candle_nn::ops::sigmoid(&hidden.matmul(&pair[1].t()?)?)?);
                start += channels;
            }
            let gates = Tensor::cat(&gates, 1)?.reshape((n, 1, 1, c))?;
            joined = joined.broadcast_mul(&gates)?;
        }
        let padding = self.dilation * (x[2].dim(2)? - 1) / 2;
        let out = joined
            .permute((0, 3, 1, 2))?
            .contiguous()?
            .conv2d(&x[2], padding, 1, self.dilation, 1)?
            .permute((0, 2, 3, 1))?
            .contiguous()?;
        let outputs = out.dim(3)?;
        let flat = out.reshape((n * h * w, outputs))?;
        let (mean, variance) = match &self.constants {
            Some([mean, variance]) => (
                Tensor::new(mean.as_slice(), &Device::Cpu)?,
                Tensor::new(variance.as_slice(), &Device::Cpu)?,
            ),
            None => {
                let mean = flat.mean(0)?;
                let variance = flat.broadcast_sub(&mean)?.sqr()?.mean(0)?;
                (mean, variance)
            }
        };
        flat.broadcast_sub(&mean)?
            .broadcast_div(&(variance + 1e-5)?.sqrt()?)?
            .broadcast_mul(&x[3])?
            .broadcast_add(&x[4])?
            .relu()?
            .reshape((n, h, w, outputs))
    }
}

/// Random parts and gates, on one to four threads and every instruction set and on the path of other devices, against
/// candle's own operations and its autograd.
#[test]
fn joined_conv2d_as_in_candle() -> Result<()> {
    let mut choice = Random::new(6, "shapes", 0, 0);
    for case in 0..30 {
        let mut pick = |from: &[usize]| from[choice.below(from.len())];
        let (n, h, w) = (pick(&[2, 5]), pick(&[3, 8]), pick(&[2, 7, 8]));
        let (co, k, dilation) = (pick(&[1, 7, 16, 40]), pick(&[1, 1, 3]), pick(&[1, 2]));
        let parts: Vec<usize> = (0..pick(&[1, 2, 3]))
            .map(|_| pick(&[1, 5, 16, 24]))
            .collect();
        let ci: usize = parts.iter().sum();
        let gates = [Vec::new(), parts.clone(), vec![ci]][pick(&[0, 1, 1, 2])].clone();
        let constants = [None, Some([vec![0.2; co], vec![1.3; co]])][pick(&[0, 1])].clone();
        let threads = pick(&[1, 2, 3, 4]);
        let mut shapes: Vec<Vec<usize>> = parts.iter().map(|&c| vec![n, h, w, c]).collect();
        shapes.extend([vec![parts[0]], vec![parts[0]]]);
        shapes.extend([vec![co, ci, k, k], vec![co], vec![co]]);
        for &channels in &gates {
            let hidden = pick(&[1, 4, 9]);
            shapes.extend([vec![hidden, channels], vec![channels, hidden]]);
        }
        let seeds = 1000 * case..;
        let inputs = shapes.iter().zip(seeds);
        let inputs: Vec<Tensor> = inputs
            .map(|(shape, seed)| random(shape, seed))
            .collect::<Result<_>>()?;
        let upstream = random(&[n, h, w, co], 999)?;
        let case_is = JoinCase {
            parts,
            gates,
            dilation,
            constants,
        };
        let vars: Vec<candle_core::Var> = inputs
            .iter()
            .map(candle_core::Var::from_tensor)
            .collect::<candle_core::Result<_>>()?;
        let theirs = case_is.theirs(&vars)?;
        let store = theirs.mul(&upstream)?.sum_all()?.backward()?;
        let check = |path: &str| -> Result<()> {
            let (out, grads) = run(
                &inputs,
                |_| Ok(upstream.clone()),
                |tape, x| case_is.ours(tape, x),
            )?;
            let what = |i: &str| format!("case {case}, {path}, {threads} threads, {i}");
            assert_close_to_scale(&out, &theirs, 1e-4, &what("result"))?;
            for (i, (got, var)) in grads.iter().zip(&vars).enumerate() {
                let wanted = store.get(var).context("candle has a gradient")?;
                assert_close_to_scale(got, wanted, 1e-3, &what(&format!("gradient {i}")))?;
            }
            Ok(())
        };
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()?;
        for arch in kernels::archs() {
            pool.install(|| {
                kernels::FORCED.set(Some(arch));
                let result = check(&format!("{arch:?}"));
                kernels::FORCED.set(None);
                result
            })?;
        }
        on_portable_path(|| check("portable"))?;
    }
    Ok(())
}

/// Off by no more than `tolerance` times the largest value wanted.
fn assert_close_to_scale(got: &Tensor, wanted: &Tensor, tolerance: f32, what: &str) -> Result<()> {
    assert_eq!(got.dims(), wanted.dims(), "{what}");
    let scale = wanted.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>()?;
    let worst = (got - wanted)?
        .abs()?
        .flatten_all()?
        .max(0)?
        .to_scalar::<f32>()?;
    assert!(
        worst <= tolerance * scale.max(1e-4),
        "{what}: off by {worst} at {scale}"
    );
    Ok(())
}

#[test]
fn joining_refuses_what_does_not_fit() -> Result<()> {
    everywhere(|| {
        let var = |shape: &[usize]| Ok::<_, anyhow::Error>(Var::constant(random(shape, 1)?));
        let (a, b, other) = (
            var(&[2, 4, 4, 3])?,
            var(&[2, 4, 4, 2])?,
            var(&[2, 4, 3, 2])?,
        );
        let weight = var(&[4, 5, 1, 1])?;
        let (fc1, fc2) = (var(&[2, 3])?, var(&[3, 2])?);
        let gate = Gate {
            fc1: &fc1,
            fc2: &fc2,
        };
        let join = |parts: &[&Var], gates: &[Gate<'_>]| {
            join_conv2d(&Tape::off(), parts, gates, &weight, &plain(1)).is_ok()
        };
        assert!(join(&[&a, &b], &[]));
        assert!(!join(&[&a, &other], &[]), "other sizes");
        assert!(!join(&[&a], &[]), "too few channels");
        assert!(!join(&[], &[]), "no part");
        assert!(!join(&[&a, &b], &[gate]), "a gate over some channels only");
        Ok(())
    })
}

#[test]
fn nothing_hides_a_nan() -> Result<()> {
    everywhere(|| {
        let mut values = vec![0.5_f32; 2 * 4 * 4 * 2];
        values[3] = f32::NAN;
        let x = Var::constant(Tensor::from_vec(values, (2, 4, 4, 2), &Device::Cpu)?);
        let weight = Var::constant(identity(2)?);
        let has_nan = |x: &Var| -> Result<bool> {
            Ok(x.values()?
                .flatten_all()?
                .to_vec1::<f32>()?
                .iter()
                .any(|x| x.is_nan()))
        };
        for pool in [false, true] {
            let conv = Conv {
                relu: true,
                pool,
                ..plain(1)
            };
            assert!(
                has_nan(&conv2d(&Tape::off(), &x, &weight, &conv)?.0)?,
                "pool {pool}"
            );
        }
        assert!(has_nan(&mean_pool(&Tape::off(), &x)?)?);
        Ok(())
    })
}

/// A product with a mask of zeros and ones would pass an infinite gradient through a shut ReLU as NaN.
#[test]
fn a_shut_relu_passes_nothing() -> Result<()> {
    everywhere(|| {
        let image = |values: [f32; 3]| Tensor::from_slice(&values, (1, 1, 3, 1), &Device::Cpu);
        let (_, grads) = run(
            &[image([-1.0, 0.0, 2.0])?, identity(1)?],
            |_| Ok(image([f32::INFINITY, 1.0, 3.0])?),
            |tape, x| {
                let conv = Conv {
                    relu: true,
                    ..plain(1)
                };
                Ok(conv2d(tape, &x[0], &x[1], &conv)?.0)
            },
        )?;
        assert_eq!(grads[0].flatten_all()?.to_vec1::<f32>()?, [0.0, 0.0, 3.0]);
        Ok(())
    })
}

#[test]
fn the_same_threads_give_the_same_bits() -> Result<()> {
    let inputs = [
        random(&[64, 16, 16, 12], 1)?,
        random(&[20, 12, 3, 3], 2)?,
        random(&[20], 3)?,
        random(&[20], 4)?,
    ];
    for threads in 1..=4 {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()?;
        let once = || {
            pool.install(|| {
                let (out, grads) = run(
                    &inputs,
                    |out| random(out.dims(), 5),
                    |tape, x| {
                        let norm = Norm {
                            weight: &x[2],
                            bias: &x[3],
                            stats: Stats::Batch,
                        };
                        Ok(conv2d(
                            tape,
                            &x[0],
                            &x[1],
                            &Conv {
                                dilation: 1,
                                norm: Some(norm),
                                relu: true,
                                pool: true,
                            },
                        )?
                        .0)
                    },
                )?;
                let all = grads
                    .iter()
                    .chain([&out])
                    .map(|x| Ok(x.flatten_all()?.to_vec1::<f32>()?));
                all.collect::<Result<Vec<_>>>()
            })
        };
        let first = once()?;
        for _ in 0..5 {
            assert!(first == once()?, "{threads} threads");
        }
    }
    Ok(())
}

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

#[test]
fn the_first_layer_computes_no_input_gradient() -> Result<()> {
    let x = Var::constant(random(&[1, 4, 4, 1], 1)?);
    let tape = Tape::new(1);
    let weight = Tape::leaf(&random(&[2, 1, 3, 3], 2)?, 0);
    let (out, _) = conv2d(&tape, &x, &weight, &plain(1))?;
    let grads = tape.backward(&out, out.values()?.ones_like()?)?;
    assert!(grads.len() == 1 && grads[0].is_some());
    Ok(())
}
