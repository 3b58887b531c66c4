//! Every operation against PyTorch's numbers, against finite differences, and CPU path against portable path.

use anyhow::Result;
use candle_core::{Device, Tensor, Var};

use super::*;
use crate::random::Random;
use crate::vectors::{assert_close, nhwc, numbers, section, tensor, vector};

/// Runs a check on the CPU path and on the path of other devices.
fn on_both_paths(check: impl Fn() -> Result<()>) -> Result<()> {
    check()?;
    on_portable_path(check)
}

fn random(shape: &[usize], seed: u64) -> Result<Tensor> {
    let mut random = Random::new(seed, "test", 0, 0);
    let values: Vec<f32> = (0..shape.iter().product())
        .map(|_| random.normal() as f32)
        .collect();
    Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
}

/// ⟨f(x), upstream⟩ as a scalar, whose gradients are what a backward pass of f gets from `upstream`.
fn dot(out: &Tensor, upstream: &Tensor) -> Result<Tensor> {
    Ok(out.mul(upstream)?.sum_all()?)
}

#[test]
fn conv2d_as_in_pytorch() -> Result<()> {
    let Some(section) = section("conv2d")? else {
        return Ok(());
    };
    on_both_paths(|| {
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
            let x = Var::from_tensor(&nhwc(&case["x"])?)?;
            let weight = Var::from_tensor(&tensor(&case["weight"])?)?;
            let out = conv2d(x.as_tensor(), weight.as_tensor(), dilation)?;
            let bias = vector(&case["bias"])?;
            assert_close(&out.broadcast_add(&bias)?, &nhwc(&case["y"])?, name)?;
            let grads = dot(&out, &nhwc(&case["upstream_grad"])?)?.backward()?;
            assert_close(grads.get(&x).unwrap(), &nhwc(&case["grad_x"])?, name)?;
            assert_close(
                grads.get(&weight).unwrap(),
                &tensor(&case["grad_weight"])?,
                name,
            )?;
            checked += 1;
        }
        assert_eq!(checked, 5);
        Ok(())
    })
}

#[test]
fn batch_norm_as_in_pytorch() -> Result<()> {
    let Some(section) = section("batchnorm2d")? else {
        return Ok(());
    };
    on_both_paths(|| {
        for case in section["cases"].as_array().unwrap() {
            let x = Var::from_tensor(&nhwc(&case["x"])?)?;
            let weight = Var::from_tensor(&vector(&case["weight"])?)?;
            let bias = Var::from_tensor(&vector(&case["bias"])?)?;
            let upstream = nhwc(&case["upstream_grad"])?;
            let running = |name: &str| -> Result<Vec<f32>> { Ok(vector(&case[name])?.to_vec1()?) };
            let (mean, variance) = (running("running_mean")?, running("running_var")?);
            for mode in ["eval", "train"] {
                let wanted = &case[mode];
                let out = if mode == "eval" {
                    batch_norm_eval(&x, &weight, &bias, (&mean, &variance), 1e-5, false)?
                } else {
                    let (out, stats) = batch_norm_train(&x, &weight, &bias, 1e-5, false)?;
                    for (new, old, key) in [
                        (stats.mean, &mean, "running_mean_after"),
                        (stats.variance, &variance, "running_var_after"),
                    ] {
                        let updated: Vec<f32> = new
                            .to_vec1::<f32>()?
                            .iter()
                            .zip(old)
                            .map(|(new, old)| 0.9 * old + 0.1 * new)
                            .collect();
                        let key = if wanted.get(key).is_some() {
                            key
                        } else {
                            key.trim_end_matches("_after")
                        };
                        assert_close(
                            &Tensor::new(updated, &Device::Cpu)?,
                            &vector(&wanted[key])?,
                            key,
                        )?;
                    }
                    out
                };
                assert_close(&out, &nhwc(&wanted["y"])?, mode)?;
                let grads = dot(&out, &upstream)?.backward()?;
                assert_close(grads.get(&x).unwrap(), &nhwc(&wanted["grad_x"])?, mode)?;
                assert_close(
                    grads.get(&weight).unwrap(),
                    &vector(&wanted["grad_weight"])?,
                    mode,
                )?;
                assert_close(
                    grads.get(&bias).unwrap(),
                    &vector(&wanted["grad_bias"])?,
                    mode,
                )?;
            }
        }
        Ok(())
    })
}

#[test]
fn pooling_as_in_pytorch() -> Result<()> {
    let Some(section) = section("pooling")? else {
        return Ok(());
    };
    on_both_paths(|| {
        let x = Var::from_tensor(&nhwc(&section["x"])?)?;
        let out = max_pool(&x)?;
        assert_close(&out, &nhwc(&section["maxpool2"])?, "max_pool")?;
        let grads = dot(&out, &nhwc(&section["upstream"])?)?.backward()?;
        assert_close(
            grads.get(&x).unwrap(),
            &nhwc(&section["grad_x"])?,
            "max_pool gradient",
        )?;
        let out = mean_pool(&x)?;
        assert_close(&out.flatten_all()?, &vector(&section["gap"])?, "mean_pool")?;
        let upstream = vector(&section["gap_upstream"])?.reshape((1, 2))?;
        let grads = dot(&out, &upstream)?.backward()?;
        assert_close(
            grads.get(&x).unwrap(),
            &nhwc(&section["gap_grad_x"])?,
            "mean_pool gradient",
        )
    })
}

#[test]
fn cross_entropy_as_in_pytorch() -> Result<()> {
    let Some(section) = section("losses")? else {
        return Ok(());
    };
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
    let logits = Var::from_tensor(&Tensor::from_vec(
        logits,
        (targets.len(), classes),
        &Device::Cpu,
    )?)?;
    let targets = Tensor::new(targets, &Device::Cpu)?;
    let loss = candle_nn::loss::cross_entropy(&logits, &targets)?;
    assert!((f64::from(loss.to_scalar::<f32>()?) - case["value"].as_f64().unwrap()).abs() < 1e-5);
    let wanted: Vec<f32> = numbers(&case["grad_logits"])?
        .into_iter()
        .map(|x| x as f32)
        .collect();
    let wanted = Tensor::from_vec(wanted, logits.shape(), &Device::Cpu)?;
    assert_close(
        loss.backward()?.get(&logits).unwrap(),
        &wanted,
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
        let loss = candle_nn::loss::cross_entropy(
            &Tensor::new(row, &Device::Cpu)?.reshape((1, 4))?,
            &Tensor::new(&[target], &Device::Cpu)?,
        )?;
        assert!((f64::from(loss.to_scalar::<f32>()?) - wanted).abs() < 1e-3 * wanted.max(1e-3));
    }
    Ok(())
}

/// Central differences of ⟨f(inputs), upstream⟩ against the backward pass, in every coordinate.
fn assert_finite_differences(
    name: &str,
    inputs: &[Tensor],
    f: impl Fn(&[&Tensor]) -> candle_core::Result<Tensor>,
) -> Result<()> {
    let vars = inputs
        .iter()
        .map(Var::from_tensor)
        .collect::<candle_core::Result<Vec<_>>>()?;
    let out = f(&vars.iter().map(|var| var.as_tensor()).collect::<Vec<_>>())?;
    let upstream = random(out.dims(), 99)?;
    let grads = dot(&out, &upstream)?.backward()?;
    let value = |inputs: &[Tensor]| -> Result<f64> {
        let out = f(&inputs.iter().collect::<Vec<_>>())?
            .flatten_all()?
            .to_vec1::<f32>()?;
        let upstream = upstream.flatten_all()?.to_vec1::<f32>()?;
        Ok(out
            .iter()
            .zip(&upstream)
            .map(|(a, b)| f64::from(*a) * f64::from(*b))
            .sum())
    };
    for (i, var) in vars.iter().enumerate() {
        let got = grads.get(var).unwrap().flatten_all()?.to_vec1::<f32>()?;
        let base = inputs[i].flatten_all()?.to_vec1::<f32>()?;
        for (j, got) in got.iter().enumerate() {
            let step = 2e-3_f32;
            let moved = |by: f32| -> Result<f64> {
                let mut values = base.clone();
                values[j] += by;
                let mut inputs = inputs.to_vec();
                inputs[i] = Tensor::from_vec(values, inputs[i].shape(), &Device::Cpu)?;
                value(&inputs)
            };
            let wanted = (moved(step)? - moved(-step)?) / f64::from(2.0 * step);
            let error = (f64::from(*got) - wanted).abs();
            assert!(
                error < 5e-3 * wanted.abs().max(1.0),
                "{name}, input {i}[{j}]: {got} instead of {wanted}"
            );
        }
    }
    Ok(())
}

#[test]
fn gradients_are_those_of_finite_differences() -> Result<()> {
    on_both_paths(|| {
        // Odd sizes, one channel, and a dilation that reaches past the border.
        for (shape, outputs, k, dilation) in [
            ([2, 5, 4, 3], 2, 3, 1),
            ([1, 4, 7, 1], 3, 3, 2),
            ([2, 3, 3, 2], 2, 3, 3),
            ([2, 3, 2, 4], 3, 1, 1),
        ] {
            let inputs = [random(&shape, 1)?, random(&[outputs, shape[3], k, k], 2)?];
            assert_finite_differences("conv2d", &inputs, |x| conv2d(x[0], x[1], dilation))?;
        }
        let inputs = [
            random(&[3, 2, 3, 2], 3)?,
            random(&[2], 4)?,
            random(&[2], 5)?,
        ];
        for relu in [false, true] {
            assert_finite_differences("batch_norm_train", &inputs, |x| {
                Ok(batch_norm_train(x[0], x[1], x[2], 1e-5, relu)?.0)
            })?;
            assert_finite_differences("batch_norm_eval", &inputs, |x| {
                batch_norm_eval(x[0], x[1], x[2], (&[0.3, -0.2], &[1.5, 0.4]), 1e-5, relu)
            })?;
        }
        assert_finite_differences("max_pool", &[random(&[2, 5, 4, 2], 6)?], |x| max_pool(x[0]))?;
        assert_finite_differences("mean_pool", &[random(&[2, 3, 4, 2], 7)?], |x| {
            mean_pool(x[0])
        })?;
        assert_finite_differences("relu", &[random(&[3, 4], 8)?], |x| relu(x[0]))?;
        let inputs = [random(&[2, 3, 2, 4], 9)?, random(&[2, 4], 10)?];
        assert_finite_differences("scale_channels", &inputs, |x| scale_channels(x[0], x[1]))
    })
}

/// candle's own convolution and its autograd are right on the CPU, only slow.
#[test]
fn conv2d_as_in_candle() -> Result<()> {
    for (seed, (n, h, w, ci, co, k, dilation)) in [
        (3, 24, 40, 3, 8, 3, 1),
        (5, 17, 9, 6, 7, 3, 2),
        (2, 16, 16, 16, 24, 3, 3),
        (4, 7, 7, 5, 3, 1, 1),
    ]
    .into_iter()
    .enumerate()
    {
        let x = Var::from_tensor(&random(&[n, h, w, ci], seed as u64)?)?;
        let weight = Var::from_tensor(&random(&[co, ci, k, k], 50 + seed as u64)?)?;
        let upstream = random(&[n, h, w, co], 100 + seed as u64)?;
        let ours = conv2d(&x, &weight, dilation)?;
        let ours_grads = dot(&ours, &upstream)?.backward()?;
        let theirs = x
            .permute((0, 3, 1, 2))?
            .conv2d(&weight, dilation * (k - 1) / 2, 1, dilation, 1)?
            .permute((0, 2, 3, 1))?
            .contiguous()?;
        let theirs_grads = dot(&theirs, &upstream)?.backward()?;
        let pairs = [
            (&ours, &theirs),
            (ours_grads.get(&x).unwrap(), theirs_grads.get(&x).unwrap()),
            (
                ours_grads.get(&weight).unwrap(),
                theirs_grads.get(&weight).unwrap(),
            ),
        ];
        for (ours, theirs) in pairs {
            let scale = theirs.abs()?.max_all()?.to_scalar::<f32>()?;
            let worst = (ours - theirs)?.abs()?.max_all()?.to_scalar::<f32>()?;
            assert!(
                worst < 1e-5 * scale,
                "case {seed}: off by {worst} at scale {scale}"
            );
        }
    }
    Ok(())
}

#[test]
fn nothing_hides_a_nan() -> Result<()> {
    on_both_paths(|| {
        let mut values = vec![0.5_f32; 2 * 4 * 4 * 2];
        values[3] = f32::NAN;
        let x = Tensor::from_vec(values, (2, 4, 4, 2), &Device::Cpu)?;
        let ones = Tensor::ones(2, candle_core::DType::F32, &Device::Cpu)?;
        let out = batch_norm_eval(&x, &ones, &ones, (&[0.0, 0.0], &[1.0, 1.0]), 1e-5, true)?;
        let has_nan = |x: &Tensor| -> Result<bool> {
            Ok(x.flatten_all()?
                .to_vec1::<f32>()?
                .iter()
                .any(|x| x.is_nan()))
        };
        assert!(has_nan(&out)? && has_nan(&relu(&x)?)? && has_nan(&mean_pool(&x)?)?);
        Ok(())
    })
}

/// A product with a mask of zeros and ones would pass an infinite gradient through a shut ReLU as NaN.
#[test]
fn a_shut_relu_passes_nothing() -> Result<()> {
    on_both_paths(|| {
        let x = Var::new(&[[-1.0_f32, 0.0, 2.0]], &Device::Cpu)?;
        let upstream = Tensor::new(&[[f32::INFINITY, 1.0, 3.0]], &Device::Cpu)?;
        let grads = dot(&relu(&x)?, &upstream)?.backward()?;
        assert_eq!(grads.get(&x).unwrap().to_vec2::<f32>()?, [[0.0, 0.0, 3.0]]);
        Ok(())
    })
}

#[test]
fn sums_do_not_depend_on_the_thread_count() -> Result<()> {
    let x = random(&[64, 16, 16, 12], 1)?;
    let ones = Tensor::ones(12, candle_core::DType::F32, &Device::Cpu)?;
    let mut results = Vec::new();
    for threads in 1..=4 {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()?;
        results.push(
            pool.install(|| batch_norm_train(&x, &ones, &ones, 1e-5, true))?
                .1
                .variance
                .to_vec1::<f32>()?,
        );
    }
    assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
    Ok(())
}

#[test]
fn the_first_layer_computes_no_input_gradient() -> Result<()> {
    let x = random(&[1, 4, 4, 1], 1)?;
    let weight = Var::from_tensor(&random(&[2, 1, 3, 3], 2)?)?;
    let grads = conv2d(&x, &weight, 1)?.sum_all()?.backward()?;
    assert!(grads.get(&x).is_none() && grads.get(&weight).is_some());
    Ok(())
}
