//! Every operation's gradient against finite differences.

use super::*;

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
            let shares = if shape[0] == 1 {
                [1.0, 0.0]
            } else {
                [0.85, 0.15]
            };
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
                (Stats::Unit, true, true),
                (Stats::Unit, true, false),
                (Stats::Weighted(&shares[..shape[0]]), false, false),
                (Stats::Weighted(&shares[..shape[0]]), true, true),
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
                        method: Method::ByShape,
                    };
                    Ok(conv2d(tape, &x[0], &x[1], &conv)?.0)
                })?;
            }
        }
        // The second convolution applies the norm and ReLU that the first leaves for its reader.
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
        for k in [1, 3] {
            let inputs = [
                random(&[3, 4, k, k], 8)?,
                random(&[3], 9)?,
                random(&[1], 10)?,
            ];
            assert_finite_differences("constant_gate", &inputs, |tape, x| {
                constant_gate(tape, &x[0], &[&x[1], &x[2]])
            })?;
        }
        // One branch alone has all of the attention, and the query no gradient.
        for branches in [1, 3] {
            let mut inputs = vec![
                random(&[2, 4], 16)?,
                random(&[2, 4], 17)?,
                random(&[2], 18)?,
            ];
            for seed in 0..branches {
                inputs.push(random(&[3, 4], 19 + seed)?);
            }
            assert_finite_differences("class_attention", &inputs, |tape, x| {
                Ok(class_attention(tape, &x[3..], &x[0], &x[1], &x[2])?.0)
            })?;
        }
        // Odd sizes; groups of one channel, of two, and all channels in one.
        for (shape, groups) in [([2, 5, 4, 4], 2), ([3, 3, 3, 2], 2), ([1, 2, 5, 6], 1)] {
            let inputs = [
                random(&shape, 20)?,
                random(&[shape[3]], 21)?,
                random(&[shape[3]], 22)?,
            ];
            for pool in [false, true] {
                assert_finite_differences("group_norm", &inputs, |tape, x| {
                    let norm = GroupNorm {
                        weight: &x[1],
                        bias: &x[2],
                        groups,
                        pool,
                    };
                    group_norm(tape, &x[0], &norm)
                })?;
            }
        }
        // A gate for each part, then one over both; before a convolution of one tap, and of several.
        for (hidden, channels, k) in [
            (vec![3, 2], vec![4, 2], 1),
            (vec![3], vec![6], 1),
            (vec![3], vec![6], 3),
        ] {
            let mut inputs = vec![
                random(&[2, 3, 2, 4], 11)?,
                random(&[2, 3, 2, 2], 12)?,
                random(&[3, 6, k, k], 13)?,
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
