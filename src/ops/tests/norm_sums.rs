//! The sums for a norm's backward pass, taken by the reader of its activation.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::*;

/// Two convolutions of the same image, each with norm, ReLU and pool, and one or two readers.
struct Chain {
    relu: bool,
    pool: bool,
    shares: Option<Vec<f64>>,
    gates: usize,
    /// Whether a second convolution reads the first activation, so that no reader knows all of its gradient.
    is_read_twice: bool,
}

impl Chain {
    /// `x` holds the image, of both convolutions weight and the norm's weight and bias, the reader's weight, the other
    /// reader's weight, and W1 and W2 of every gate. Adds to `seen` how often an activation's gradient came with sums.
    fn run(&self, tape: &Tape, x: &[Var], seen: &Arc<AtomicUsize>) -> candle_core::Result<Var> {
        let stats = match &self.shares {
            Some(shares) => Stats::Weighted(shares),
            None => Stats::Batch,
        };
        let mut parts = Vec::new();
        for own in x[1..7].chunks_exact(3) {
            let norm = Norm {
                weight: &own[1],
                bias: &own[2],
                stats,
            };
            let conv = Conv {
                norm: Some(norm),
                relu: self.relu,
                pool: self.pool,
                ..plain(1)
            };
            let (out, _) = conv2d(tape, &x[0], &own[0], &conv)?;
            let seen = seen.clone();
            let handed_on = tape.record(out.data.clone(), &[&out], move |grad| {
                seen.fetch_add(usize::from(grad.norm_sums().is_some()), Relaxed);
                Ok(vec![Some(grad)])
            });
            parts.push(Var {
                slot: handed_on.slot,
                ..out
            });
        }
        let gates = gates_of(&x[9..9 + 2 * self.gates]);
        let both = [&parts[0], &parts[1]];
        let joined = join_conv2d(tape, &both, &gates, &x[7], &plain(1))?.out;
        let read = if self.is_read_twice {
            conv2d(tape, &parts[0], &x[8], &plain(2))?.0
        } else {
            conv2d(
                tape,
                &x[0],
                &x[8],
                &Conv {
                    pool: self.pool,
                    ..plain(2)
                },
            )?
            .0
        };
        let means = [mean_pool(tape, &joined)?, mean_pool(tape, &read)?];
        let out = (means[0].data.tensor()? + means[1].data.tensor()?)?;
        Ok(tape.record_tensors(out, &[&means[0], &means[1]], |grad| {
            Ok(vec![Some(grad.clone()), Some(grad)])
        }))
    }
}

/// Gradients on one to four threads and with every instruction set, against those of the path of other devices, which
/// takes all sums by itself. Whoever reads an activation alone hands the sums on; small weights of a norm, and a second
/// reader, leave them to the norm.
#[test]
fn sums_taken_by_the_reader_give_the_same_gradients() -> Result<()> {
    let mut choice = Random::new(11, "shapes", 0, 0);
    for case in 0..40 {
        let mut pick = |from: &[usize]| from[choice.below(from.len())];
        let (n, h, w) = (pick(&[2, 5, 9]), pick(&[4, 7, 12]), pick(&[4, 9]));
        let (ci, c, d, co) = (
            pick(&[1, 3]),
            pick(&[1, 7, 24]),
            pick(&[2, 16]),
            pick(&[1, 20]),
        );
        let weight = [1.0, 1.0, 1.0, 1e-4, 0.0][pick(&[0, 1, 2, 3, 4])];
        let chain = Chain {
            relu: pick(&[0, 1, 1]) == 1,
            pool: pick(&[0, 1]) == 1,
            shares: [
                None,
                Some(
                    (1..=n)
                        .map(|i| i as f64 / (n * (n + 1) / 2) as f64)
                        .collect(),
                ),
            ][pick(&[0, 1])]
            .clone(),
            gates: pick(&[0, 1, 2]),
            is_read_twice: pick(&[0, 0, 1]) == 1,
        };
        let mut shapes = vec![vec![n, h, w, ci]];
        for c in [c, d] {
            shapes.extend([vec![c, ci, 3, 3], vec![c], vec![c]]);
        }
        let other = if chain.is_read_twice { c } else { ci };
        shapes.extend([vec![co, c + d, 3, 3], vec![co, other, 3, 3]]);
        for channels in [vec![], vec![c + d], vec![c, d]][chain.gates].clone() {
            shapes.extend([vec![4, channels], vec![channels, 4]]);
        }
        let mut inputs: Vec<Tensor> = shapes
            .iter()
            .zip(1000 * case..)
            .map(|(shape, seed)| random(shape, seed))
            .collect::<Result<_>>()?;
        for (i, weight) in [(2, weight), (5, 1.0)] {
            inputs[i] = (((&inputs[i] * 0.1)? + 1.0)? * weight)?;
        }
        let upstream = random(&[n, co], 999)?;
        let gradients = |seen: &Arc<AtomicUsize>| {
            run(
                &inputs,
                |_| Ok(upstream.clone()),
                |tape, x| chain.run(tape, x, seen),
            )
        };
        let (wanted, wanted_grads) = on_portable_path(|| gradients(&Arc::default()))?;
        let threads = pick(&[1, 2, 3, 4]);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()?;
        for arch in kernels::archs() {
            let seen = Arc::new(AtomicUsize::new(0));
            let (out, grads) = pool.install(|| {
                kernels::FORCED.set(Some(arch));
                let result = gradients(&seen);
                kernels::FORCED.set(None);
                result
            })?;
            let what = |i: &str| format!("case {case}, {arch:?}, {threads} threads, {i}");
            assert_close_to_scale(&out, &wanted, 1e-4, &what("result"))?;
            for (i, (got, wanted)) in grads.iter().zip(&wanted_grads).enumerate() {
                assert_close_to_scale(got, wanted, 2e-3, &what(&format!("gradient {i}")))?;
            }
            let first = !(chain.is_read_twice || chain.pool && weight < 1.0);
            assert_eq!(
                seen.load(Relaxed),
                1 + usize::from(first),
                "{}",
                what("sums")
            );
        }
    }
    Ok(())
}
