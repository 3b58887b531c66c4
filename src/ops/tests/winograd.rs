//! All ways of computing a convolution against sums in f64, and against each other.

use super::*;

const WAYS: [Method; 3] = [
    Method::Direct,
    Method::Winograd(Tile::Three),
    Method::Winograd(Tile::Four),
];

/// A random case.
#[derive(Debug)]
struct Case {
    n: usize,
    h: usize,
    w: usize,
    inputs: usize,
    outputs: usize,
    dilation: usize,
    threads: usize,
}

impl Case {
    fn new(number: u64) -> Self {
        let mut choice = Random::new(number, "winograd", 0, 0);
        let mut pick = |from: &[usize]| from[choice.below(from.len())];
        Self {
            n: pick(&[1, 2, 5, 9]),
            h: pick(&[1, 2, 3, 5, 6, 8, 9, 16]),
            w: pick(&[1, 2, 4, 5, 7, 8, 16, 19]),
            inputs: pick(&[1, 3, 8, 17, 24, 64]),
            outputs: pick(&[1, 7, 16, 24, 48]),
            dilation: pick(&[1, 2, 3]),
            threads: pick(&[1, 2, 3, 4]),
        }
    }

    /// Output, gradient of the input and gradient of the weight, summed in f64.
    fn wanted(&self, x: &[f32], weight: &[f32], upstream: &[f32]) -> [Vec<f64>; 3] {
        let Self {
            h,
            w,
            inputs,
            outputs,
            dilation,
            ..
        } = *self;
        let mut out = vec![0.0; self.n * h * w * outputs];
        let mut grads = [vec![0.0; x.len()], vec![0.0; weight.len()]];
        // A row or column of the input, of the output and of the kernel, where a tap reads inside of the image.
        let taps = |len: usize| {
            (0..len).flat_map(move |to| {
                (0..3).filter_map(move |tap| {
                    let from = (to + tap * dilation).checked_sub(dilation)?;
                    (from < len).then_some((from, to, tap))
                })
            })
        };
        for image in 0..self.n {
            for (from_y, to_y, row) in taps(h) {
                for (from_x, to_x, column) in taps(w) {
                    let from = ((image * h + from_y) * w + from_x) * inputs;
                    let to = ((image * h + to_y) * w + to_x) * outputs;
                    for o in 0..outputs {
                        for i in 0..inputs {
                            let at = (o * inputs + i) * 9 + 3 * row + column;
                            let (x, weight) = (f64::from(x[from + i]), f64::from(weight[at]));
                            let upstream = f64::from(upstream[to + o]);
                            out[to + o] += x * weight;
                            grads[0][from + i] += upstream * weight;
                            grads[1][at] += upstream * x;
                        }
                    }
                }
            }
        }
        let [input, weight] = grads;
        [out, input, weight]
    }
}

/// Largest error relative to the largest value.
fn error(got: &Tensor, wanted: &[f64]) -> Result<f64> {
    let got = got.flatten_all()?.to_vec1::<f32>()?;
    assert_eq!(got.len(), wanted.len());
    let scale = wanted.iter().fold(0.0, |max: f64, x| max.max(x.abs()));
    let pairs = got.iter().zip(wanted);
    let worst = pairs.fold(0.0, |max: f64, (got, wanted)| {
        let error = (f64::from(*got) - wanted).abs();
        // `max` would drop a NaN.
        if error <= max { max } else { error }
    });
    Ok(worst / scale.max(1e-30))
}

/// All ways stay within 3·10⁻⁶ of the largest value, forward and in both gradients, on every instruction set, and
/// Winograd's within three times what the direct way's worst error is.
#[test]
fn all_ways_are_near_the_sums_in_f64() -> Result<()> {
    const BOUND: f64 = 3e-6;
    let mut worst = [[0.0_f64; 3]; WAYS.len()];
    for number in 0..40 {
        let case = Case::new(number);
        let inputs = [
            random(&[case.n, case.h, case.w, case.inputs], number)?,
            random(&[case.outputs, case.inputs, 3, 3], 50 + number)?,
        ];
        let upstream = random(&[case.n, case.h, case.w, case.outputs], 100 + number)?;
        let values = |x: &Tensor| x.flatten_all()?.to_vec1::<f32>();
        let wanted = case.wanted(
            &values(&inputs[0])?,
            &values(&inputs[1])?,
            &values(&upstream)?,
        );
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(case.threads)
            .build()?;
        for arch in kernels::archs() {
            for (way, method) in WAYS.into_iter().enumerate() {
                let (out, grads) = pool.install(|| {
                    kernels::FORCED.set(Some(arch));
                    let result = run(
                        &inputs,
                        |_| Ok(upstream.clone()),
                        |tape, x| {
                            let conv = Conv {
                                method,
                                ..plain(case.dilation)
                            };
                            Ok(conv2d(tape, &x[0], &x[1], &conv)?.0)
                        },
                    );
                    kernels::FORCED.set(None);
                    result
                })?;
                let got = [&out, &grads[0], &grads[1]];
                for (i, (got, wanted)) in got.into_iter().zip(&wanted).enumerate() {
                    let error = error(got, wanted)?;
                    assert!(
                        error < BOUND,
                        "{case:?}, {arch:?}, {method:?}, {i}: {error:e}"
                    );
                    worst[way][i] = worst[way][i].max(error);
                }
            }
        }
    }
    println!("worst errors: {WAYS:?}, {worst:?}");
    let [direct, tiles @ ..] = worst;
    for errors in tiles {
        for (direct, error) in direct.into_iter().zip(errors) {
            assert!(error < 3.0 * direct, "{error:e} against {direct:e}");
        }
    }
    Ok(())
}

/// Norm, ReLU and pool after the convolution, statistics of the batch and all gradients are the same in all ways.
#[test]
fn what_follows_is_the_same_in_all_ways() -> Result<()> {
    // With seed 1 rounding decides which of two values a pool lets pass, and so where the gradient goes.
    for (seed, dilation) in [(2, 1), (3, 2), (4, 3)] {
        let inputs = [
            random(&[6, 11, 10, 17], seed)?,
            random(&[20, 17, 3, 3], 10 + seed)?,
            random(&[20], 20 + seed)?,
            random(&[20], 30 + seed)?,
        ];
        let once = |method| {
            run(
                &inputs,
                |out| random(out.dims(), 40 + seed),
                |tape, x| {
                    let norm = Norm {
                        weight: &x[2],
                        bias: &x[3],
                        stats: Stats::Batch,
                    };
                    let conv = Conv {
                        norm: Some(norm),
                        relu: true,
                        pool: true,
                        method,
                        ..plain(dilation)
                    };
                    Ok(conv2d(tape, &x[0], &x[1], &conv)?.0)
                },
            )
        };
        let [direct, tiles @ ..] = WAYS;
        let (wanted, wanted_grads) = once(direct)?;
        for method in tiles {
            let (got, grads) = once(method)?;
            assert_close_to_scale(&got, &wanted, 1e-5, "values")?;
            for (got, wanted) in grads.iter().zip(&wanted_grads) {
                assert_close_to_scale(got, wanted, 1e-4, "gradient")?;
            }
        }
    }
    Ok(())
}

/// The bits of an image's output do not depend on the images beside it, nor on the number of threads.
#[test]
fn an_image_has_the_same_output_alone() -> Result<()> {
    let (x, weight) = (random(&[9, 8, 8, 40], 1)?, random(&[40, 40, 3, 3], 2)?);
    let weight = Var::constant(weight);
    let pass = |method: Method, x: &Tensor, threads: usize| -> Result<Vec<f32>> {
        let conv = Conv { method, ..plain(1) };
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()?;
        pool.install(|| {
            let (out, _) = conv2d(&Tape::off(), &Var::constant(x.clone()), &weight, &conv)?;
            Ok(out.values()?.flatten_all()?.to_vec1()?)
        })
    };
    for method in WAYS {
        let all = pass(method, &x, 1)?;
        assert!(all == pass(method, &x, 3)?);
        for (n, wanted) in all.chunks_exact(8 * 8 * 40).enumerate() {
            assert!(wanted == pass(method, &x.narrow(0, n, 1)?.contiguous()?, 2)?);
        }
    }
    Ok(())
}
