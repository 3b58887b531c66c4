//! The convolution with what follows it, and the mean over pixels.

use super::*;

#[test]
fn conv2d_is_that_of_pytorch() -> Result<()> {
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
fn batch_norm_is_that_of_pytorch() -> Result<()> {
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
fn pooling_is_that_of_pytorch() -> Result<()> {
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

/// Random shapes, on one to four threads and every instruction set, against candle's own convolution and its autograd,
/// which are right on the CPU, only slow.
#[test]
fn conv2d_is_that_of_candle() -> Result<()> {
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

/// A shut ReLU passes the gradient 0 even where the gradient is infinite: a product with a mask of zeros and ones would
/// give NaN.
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
    for (threads, method) in (1..=4).flat_map(|threads| {
        [
            Method::Direct,
            Method::Winograd(Tile::Three),
            Method::Winograd(Tile::Four),
        ]
        .map(|method| (threads, method))
    }) {
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
                                norm: Some(norm),
                                relu: true,
                                pool: true,
                                method,
                                ..plain(1)
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
            assert!(first == once()?, "{threads} threads, {method:?}");
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

/// Statistics of a batch whose images all have the same share are those of training; and images with equal pixels count
/// as one image with the sum of their shares.
#[test]
fn weighted_statistics_have_batch_statistics_as_a_special_case() -> Result<()> {
    everywhere(|| {
        let (x, one) = (random(&[4, 5, 6, 3], 1)?, random(&[1, 5, 6, 3], 9)?);
        let rest = [
            random(&[5, 3, 3, 3], 2)?,
            random(&[5], 3)?,
            random(&[5], 4)?,
        ];
        let pass = |x: &Tensor, stats: Stats<'_>, upstream: &Tensor| {
            let inputs: Vec<Tensor> = [x].into_iter().chain(&rest).cloned().collect();
            run(
                &inputs,
                |_| Ok(upstream.clone()),
                |tape, x| {
                    let norm = Norm {
                        weight: &x[2],
                        bias: &x[3],
                        stats,
                    };
                    let conv = Conv {
                        norm: Some(norm),
                        relu: true,
                        pool: true,
                        ..plain(1)
                    };
                    Ok(conv2d(tape, &x[0], &x[1], &conv)?.0)
                },
            )
        };
        let upstream = random(&[4, 2, 3, 5], 5)?;
        let (wanted, grads) = pass(&x, Stats::Batch, &upstream)?;
        let (got, weighted) = pass(&x, Stats::Weighted(&[0.25; 4]), &upstream)?;
        assert_close_to_scale(&got, &wanted, 1e-5, "values")?;
        for (got, wanted) in weighted.iter().zip(&grads) {
            assert_close_to_scale(got, wanted, 1e-4, "gradient")?;
        }
        let twice = Tensor::cat(&[&one, &one, &x.narrow(0, 0, 2)?], 0)?;
        let once = Tensor::cat(&[&one, &x.narrow(0, 0, 2)?], 0)?;
        // The gradient of the doubled image is split between its copies.
        let halves = Tensor::cat(
            &[
                &(upstream.narrow(0, 0, 1)? * 0.5)?,
                &(upstream.narrow(0, 0, 1)? * 0.5)?,
                &upstream.narrow(0, 1, 2)?,
            ],
            0,
        )?;
        let (_, doubled) = pass(&twice, Stats::Weighted(&[0.1, 0.4, 0.3, 0.2]), &halves)?;
        let upstream = upstream.narrow(0, 0, 3)?;
        let (_, single) = pass(&once, Stats::Weighted(&[0.5, 0.3, 0.2]), &upstream)?;
        for (got, wanted) in doubled[1..].iter().zip(&single[1..]) {
            assert_close_to_scale(got, wanted, 1e-4, "gradient of the weights")?;
        }
        Ok(())
    })
}

/// Any number of backward passes go through one record, and each is what it would be alone.
#[test]
fn a_finished_record_gives_the_same_gradients_again() -> Result<()> {
    everywhere(|| {
        let tape = Tape::new(2);
        let (x, weight) = (random(&[3, 4, 4, 2], 1)?, random(&[3, 2, 3, 3], 2)?);
        let vars = [Tape::leaf(&x, 0), Tape::leaf(&weight, 1)];
        let (out, _) = conv2d(&tape, &vars[0], &vars[1], &plain(1))?;
        let record = tape.finish();
        for seed in [3, 4, 3] {
            let upstream = random(&[3, 4, 4, 3], seed)?;
            let got = record.backward(&out, upstream.clone())?;
            let (_, wanted) = run(
                &[x.clone(), weight.clone()],
                |_| Ok(upstream),
                |tape, x| Ok(conv2d(tape, &x[0], &x[1], &plain(1))?.0),
            )?;
            for (got, wanted) in got.into_iter().zip(&wanted) {
                assert_close_to_scale(&got.context("gradient")?, wanted, 1e-6, "again")?;
            }
        }
        Ok(())
    })
}
