//! A convolution of several inputs side by side, with gates.

use super::*;

/// A convolution of parts side by side with what comes before and after it, for the test below.
struct JoinCase {
    /// Channels of every part.
    parts: Vec<usize>,
    /// Channels of every gate.
    gates: Vec<usize>,
    dilation: usize,
    /// Constant statistics of the norm; none where the norm uses the batch's.
    constants: Option<[Vec<f32>; 2]>,
}

impl JoinCase {
    /// A convolution of the parts with norm and ReLU. The first part has a norm and a ReLU that are left for this
    /// reader. `x` holds the parts, weight and bias of the first part's norm, the convolution's weight, weight and bias
    /// of its norm, and W1 and W2 of every gate.
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

    /// The same computation by candle's operations.
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
fn joined_conv2d_is_that_of_candle() -> Result<()> {
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

#[test]
fn joining_refuses_shapes_that_do_not_fit() -> Result<()> {
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
