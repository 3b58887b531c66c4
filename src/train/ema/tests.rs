use anyhow::{Context as _, Result};
use candle_core::Device;

use super::*;
use crate::config::{Attention, Width};
use crate::model::{Classifier, Layout, Spec};
use crate::vectors::{numbers, recipe};

fn net() -> Result<Net> {
    let spec = Spec {
        image: [16, 16, 1],
        classes: 2,
        width: Width::Quarter,
        attention: Attention::None,
        layout: Layout::default(),
        classifier: Classifier::Linear,
    };
    Ok(Net::new(spec, 0, &Device::Cpu)?)
}

/// Sets every weight and every running statistic to one number each.
fn fill(net: &mut Net, weight: f64, statistic: f64, batches: u64) -> Result<()> {
    let values = net.params().values().iter();
    let values = values.map(|value| value.zeros_like()? + weight);
    let values = values.collect::<candle_core::Result<Vec<_>>>()?;
    net.params_mut().set(values)?;
    for norm in net.norms_mut() {
        norm.mean.fill(statistic as f32);
        norm.variance.fill(statistic as f32 + 1.0);
        norm.batches = batches;
    }
    Ok(())
}

/// The averages of PyTorch's `AveragedModel` with the same decays, buffers included.
#[test]
fn averages_are_those_of_pytorch() -> Result<()> {
    let cases = recipe("averages")?;
    let cases = cases.as_array().context("cases")?;
    assert_eq!(cases.len(), 2);
    for case in cases {
        let decay = case["decay"].as_f64().context("a decay")?;
        let wanted = case["averages"].as_array().context("averages")?;
        let mut net = net()?;
        fill(&mut net, 0.0, 2.0 + 10_f64.sin(), 0)?;
        let mut ema = Ema::new(&net, decay);
        for (step, wanted) in wanted.iter().enumerate() {
            if step > 0 {
                let step = step as f64;
                fill(&mut net, step.sin(), 2.0 + (10.0 + step).sin(), step as u64)?;
                ema.update(&net, step as u64)?;
            }
            let [weight, statistic] = <[f64; 2]>::try_from(&*numbers(wanted)?)?;
            let near = |x: f32, wanted: f64| {
                assert!(
                    (f64::from(x) - wanted).abs() < 1e-6,
                    "decay {decay}, step {step}: {x} instead of {wanted}"
                );
            };
            let averaged = ema.applied(&net)?;
            for value in averaged.params().values() {
                let values = value.flatten_all()?.to_vec1::<f32>()?;
                values.into_iter().for_each(|x| near(x, weight));
            }
            for norm in averaged.norms() {
                norm.mean.iter().for_each(|x| near(*x, statistic));
                norm.variance.iter().for_each(|x| near(*x, statistic + 1.0));
                assert_eq!(norm.batches, step as u64);
            }
        }
        // The network itself stays as it was trained.
        let last = net.params().values()[0].flatten_all()?.to_vec1::<f32>()?;
        assert!((f64::from(last[0]) - 19_f64.sin()).abs() < 1e-6);
    }
    Ok(())
}
