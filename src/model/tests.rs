use anyhow::Result;
use candle_core::{Device, Tensor};

use super::*;
use crate::config::{Attention, Width};

fn spec(classes: usize, attention: Attention) -> Spec {
    Spec {
        image: [32, 32, 3],
        classes,
        width: Width::Full,
        attention,
        classifier: Classifier::Linear,
    }
}

/// The reference network's parameter counts at three input channels: 1.35 M without and 1.79 M with attention.
#[test]
fn parameter_counts_are_those_of_the_reference_network() {
    let count = |spec: Spec| {
        spec.layers()
            .iter()
            .map(|layer| layer.params)
            .sum::<usize>()
    };
    assert_eq!(count(spec(10, Attention::None)), 1_351_946);
    assert_eq!(count(spec(10, Attention::Branch)), 1_794_314);
    assert_eq!(count(spec(6, Attention::None)), 1_351_430);
    assert_eq!(count(spec(6, Attention::Branch)), 1_793_798);
    for width in Width::ALL {
        let at = |attention| {
            count(Spec {
                width: *width,
                ..spec(10, attention)
            })
        };
        assert_eq!(at(Attention::Shared), at(Attention::Branch));
        // The counts differ by at most half of the parameters of one more channel.
        let (wide, branch) = (at(Attention::Wide) as f64, at(Attention::Branch) as f64);
        assert!((wide / branch - 1.0).abs() < 0.005, "{wide} {branch}");
        let [_, _, second, _] = spec(10, Attention::None).channels();
        if *width == Width::Full {
            assert_eq!(at(Attention::Constant), at(Attention::None) + 3 * second);
        }
    }
    // The cosine classifier has no bias.
    let cosine = Spec {
        classifier: Classifier::Cosine(30.0),
        ..spec(10, Attention::None)
    };
    assert_eq!(count(cosine), 1_351_946 - 10);
}

#[test]
fn the_layer_table_covers_every_parameter_once() -> Result<()> {
    for &attention in Attention::ALL {
        let spec = Spec {
            width: Width::Quarter,
            ..spec(10, attention)
        };
        let layers = spec.layers();
        let table: usize = layers.iter().map(|layer| layer.params).sum();
        assert_eq!(table, Params::init(&spec, 0, &Device::Cpu)?.count());
        let rows: Vec<_> = layers.iter().filter_map(|layer| layer.gram).collect();
        assert_eq!(rows, (0..rows.len()).collect::<Vec<_>>());
        for (i, layer) in layers.iter().enumerate() {
            for input in &layer.inputs {
                assert!(
                    layers[..i].iter().any(|earlier| earlier.name == *input),
                    "{} reads {input}",
                    layer.name
                );
            }
        }
    }
    Ok(())
}

#[test]
fn a_pair_starts_from_equal_shared_weights() -> Result<()> {
    let start = |attention, seed| {
        Params::init(
            &Spec {
                width: Width::Quarter,
                ..spec(10, attention)
            },
            seed,
            &Device::Cpu,
        )
    };
    let (baseline, csba) = (start(Attention::None, 3)?, start(Attention::Branch, 3)?);
    let other = start(Attention::None, 4)?;
    let named = |params: &Params, name: &str| -> Result<Vec<f32>> {
        Ok(params.values()[params.position(name)?]
            .flatten_all()?
            .to_vec1()?)
    };
    for param in baseline.specs() {
        let values = named(&baseline, &param.name)?;
        assert_eq!(values, named(&csba, &param.name)?, "{}", param.name);
        let constant = matches!(param.init, Init::Ones | Init::Zeros);
        assert_eq!(
            constant,
            values == named(&other, &param.name)?,
            "{}",
            param.name
        );
    }
    Ok(())
}

#[test]
fn networks_of_any_size_channels_and_classes_compute() -> Result<()> {
    for (image, classes) in [([40, 24, 1], 12), ([16, 16, 3], 2), ([17, 19, 1], 100)] {
        for &attention in Attention::ALL {
            let spec = Spec {
                image,
                classes,
                width: Width::Quarter,
                attention,
                classifier: Classifier::Linear,
            };
            let net = Net::new(spec, 0, &Device::Cpu)?;
            let x = Tensor::ones(
                (2, image[0], image[1], image[2]),
                candle_core::DType::F32,
                &Device::Cpu,
            )?;
            for mode in [Mode::Train, Mode::Probe, Mode::Eval] {
                let out = net.forward(&net.weights(), &x, mode)?;
                assert_eq!(out.logits.dims(), [2, classes]);
                assert_eq!(out.gates.len(), [0, 3, 1, 0, 0][attention as usize]);
                let reached = out.cross_entropy(&[0, 1])?.backward()?.len();
                let wanted = if mode == Mode::Eval {
                    0
                } else {
                    net.params().values().len()
                };
                assert_eq!(reached, wanted, "{attention} {mode:?}");
            }
        }
    }
    Ok(())
}
