use anyhow::Context as _;
use candle_core::Device;
use serde_json::Value;

use super::*;
use crate::ops::on_portable_path;
use crate::vectors::{assert_close, numbers, recipe, section, sines, vector};

fn adam(betas: &[f64], decay: f64, is_decoupled: bool) -> anyhow::Result<Adam> {
    let adam = Adam::new(<[f64; 2]>::try_from(betas)?, vec![decay]);
    Ok(if is_decoupled { adam.decoupled() } else { adam })
}

/// The gradient of step `t` in the trajectories of `torch_recipe.py`.
fn gradient(t: usize, count: usize) -> anyhow::Result<Tensor> {
    let sines = sines(100 + 10 * t, count).into_iter().enumerate();
    let scale = |i: usize| 10_f64.powf(-1.0 + 2.0 * i as f64 / (count - 1) as f64);
    let values: Vec<f32> = sines.map(|(i, x)| (x * scale(i)) as f32).collect();
    Ok(Tensor::from_vec(values, count, &Device::Cpu)?)
}

/// The weights after every step of a recorded trajectory.
fn trajectory(case: &Value) -> anyhow::Result<Vec<Vec<f32>>> {
    let rates = numbers(&case["rates"])?;
    let decay = case["weight_decay"].as_f64().context("a decay")?;
    let is_decoupled = case["decoupled"].as_bool().context("a kind")?;
    let mut adam = adam(&numbers(&case["betas"])?, decay, is_decoupled)?;
    let count = numbers(&case["after"][0])?.len();
    let start: Vec<f32> = sines(0, count).into_iter().map(|x| x as f32).collect();
    let mut weight = Tensor::from_vec(start, count, &Device::Cpu)?;
    let mut after = Vec::new();
    for (t, &rate) in rates.iter().enumerate() {
        weight = adam
            .step(&[weight], &[gradient(t, count)?], rate)?
            .remove(0);
        after.push(weight.to_vec1::<f32>()?);
    }
    Ok(after)
}

/// Twenty steps with given gradients, from `torch.optim.Adam` and `torch.optim.AdamW`, on both paths.
#[test]
fn weights_are_those_of_pytorch_after_each_of_twenty_steps() -> anyhow::Result<()> {
    let cases = recipe("adam")?;
    let cases = cases.as_array().context("cases")?;
    assert_eq!(cases.len(), 5);
    for case in cases {
        let here = trajectory(case)?;
        let portable = on_portable_path(|| trajectory(case))?;
        let wanted = case["after"].as_array().context("weights")?;
        assert_eq!((here.len(), wanted.len()), (20, 20));
        for (t, wanted) in wanted.iter().enumerate() {
            for (i, wanted) in numbers(wanted)?.into_iter().enumerate() {
                for got in [&here, &portable] {
                    let error = (f64::from(got[t][i]) - wanted).abs();
                    assert!(error < 1e-6, "{}, step {t}: off by {error}", case["name"]);
                }
            }
        }
    }
    Ok(())
}

/// f = ½ Σ a (x − b)², whose gradient is a (x − b); trajectories and moments from PyTorch. The last update is the change of
/// the parameter.
#[test]
fn trajectories_and_moments_are_those_of_pytorch() -> anyhow::Result<()> {
    let section = section("optimizers")?;
    let (a, b) = (vector(&section["a"])?, vector(&section["b"])?);
    let mut checked = 0;
    for case in section["cases"].as_array().context("cases")? {
        let name = case["name"].as_str().context("a name")?;
        if !name.starts_with("adam") {
            continue;
        }
        let hyper = &case["hyper"];
        let decay = hyper["weight_decay"].as_f64().context("a decay")?;
        let mut adam = adam(&numbers(&hyper["betas"])?, decay, name.starts_with("adamw"))?;
        let mut x = vector(&section["x0"])?;
        assert!(adam.last_update()?.is_none() && adam.state().iter().all(Vec::is_empty));
        let steps = case["steps"].as_array().context("steps")?;
        for (step, lr) in steps.iter().zip(numbers(&case["lrs"])?) {
            let before = x.clone();
            let grad = a.mul(&x.sub(&b)?)?;
            x = adam.step(&[x], &[grad], lr)?.remove(0);
            assert_close(&x, &vector(&step["param_after"])?, name)?;
            let state = adam.state();
            assert_close(&state[0][0], &vector(&step["exp_avg"])?, "mean")?;
            assert_close(&state[1][0], &vector(&step["exp_avg_sq"])?, "mean square")?;
            let moved = adam.last_update()?.context("an update")?.remove(0);
            assert_close(&moved, &x.sub(&before)?, "last update")?;
        }
        checked += 1;
    }
    assert_eq!(checked, 3);
    Ok(())
}

/// With the state of an optimiser that has taken some steps, another one goes on with the same bits, the last update
/// included.
#[test]
fn a_restored_optimiser_goes_on_with_the_same_bits() -> anyhow::Result<()> {
    let fresh = || adam(&[0.9, 0.999], 0.1, true);
    let mut whole = fresh()?;
    let mut weight = Tensor::from_vec(vec![0.5_f32; 6], 6, &Device::Cpu)?;
    for t in 0..3 {
        weight = whole.step(&[weight], &[gradient(t, 6)?], 0.01)?.remove(0);
    }
    let mut other = fresh()?;
    other.restore(whole.state(), 3, 0.01);
    let bits = |adam: &Adam| -> anyhow::Result<Vec<u32>> {
        let update = adam.last_update()?.context("an update")?.remove(0);
        let values = update.to_vec1::<f32>()?.into_iter();
        Ok(values.map(f32::to_bits).collect())
    };
    assert_eq!(bits(&whole)?, bits(&other)?);
    let next = |adam: &mut Adam| -> anyhow::Result<Vec<f32>> {
        let after = adam.step(std::slice::from_ref(&weight), &[gradient(3, 6)?], 0.02)?;
        Ok(after[0].to_vec1()?)
    };
    assert_eq!(next(&mut whole)?, next(&mut other)?);
    assert_eq!(bits(&whole)?, bits(&other)?);
    // Another number of steps is another bias correction.
    let mut wrong = fresh()?;
    wrong.restore(whole.state(), 1, 0.01);
    assert_ne!(next(&mut whole)?, next(&mut wrong)?);
    Ok(())
}
