use super::*;
use crate::vectors::{assert_close, numbers, section, vector};

/// A parameter with a decay of its own moves as it would alone under an optimiser with that decay.
#[test]
fn parameters_decay_by_their_own_rates() -> anyhow::Result<()> {
    let device = candle_core::Device::Cpu;
    let x = Tensor::new(&[1.0f32, -2.0, 0.5], &device)?;
    let grad = Tensor::new(&[0.3f32, 0.1, -0.2], &device)?;
    let two_steps = |mut sgd: Sgd, params: &[Tensor], grads: &[Tensor]| {
        let once = sgd.step(params, grads, 0.1)?;
        let twice = sgd.step(&once, grads, 0.1)?;
        twice
            .iter()
            .map(Tensor::to_vec1::<f32>)
            .collect::<Result<Vec<_>>>()
    };
    let (params, grads) = ([x.clone(), x], [grad.clone(), grad]);
    let alone = |decay| two_steps(Sgd::new(0.9, vec![decay]), &params[..1], &grads[..1]);
    let both = two_steps(Sgd::new(0.9, vec![0.5, 0.0]), &params, &grads)?;
    assert_eq!(both[0], alone(0.5)?[0]);
    assert_eq!(both[1], alone(0.0)?[0]);
    assert_ne!(both[0], both[1]);
    Ok(())
}

/// f = ½ Σ a (x − b)², whose gradient is a (x − b); trajectories from PyTorch.
#[test]
fn trajectories_are_those_of_pytorch() -> anyhow::Result<()> {
    let section = section("optimizers")?;
    let (a, b) = (vector(&section["a"])?, vector(&section["b"])?);
    let mut checked = 0;
    for case in section["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let hyper = &case["hyper"];
        if !name.starts_with("sgd")
            || hyper.get("nesterov").is_some()
            || hyper.get("dampening").is_some()
        {
            continue;
        }
        let of = |key: &str| {
            hyper
                .get(key)
                .and_then(serde_json::Value::as_f64)
                .unwrap_or(0.0)
        };
        let mut sgd = Sgd::new(of("momentum"), vec![of("weight_decay")]);
        let mut x = vector(&section["x0"])?;
        assert!(sgd.last_update()?.is_none());
        for (step, lr) in case["steps"]
            .as_array()
            .unwrap()
            .iter()
            .zip(numbers(&case["lrs"])?)
        {
            let before = x.clone();
            let grad = a.mul(&x.sub(&b)?)?;
            x = sgd.step(&[x], &[grad], lr)?.remove(0);
            assert_close(&x, &vector(&step["param_after"])?, name)?;
            let moved = sgd.last_update()?.unwrap().remove(0);
            assert_close(&moved, &x.sub(&before)?, "last update")?;
        }
        checked += 1;
    }
    assert_eq!(checked, 4);
    Ok(())
}
