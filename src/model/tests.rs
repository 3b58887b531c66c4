mod options;

use anyhow::Result;
use candle_core::{Device, Tensor};

use super::*;
use crate::config::{Attention, GatePlace, NormKind, Width};
use crate::network::Layer;
use crate::random::Random;

fn spec(classes: usize, attention: Attention) -> Spec {
    Spec {
        image: [32, 32, 3],
        classes,
        width: Width::Full,
        attention,
        layout: Layout::default(),
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
    // Three fusing convolutions of 128 outputs have the weights of one over all, but three norms, and ten queries.
    let by_class = count(spec(10, Attention::Class));
    assert_eq!(by_class, 1_351_946 + 2 * 2 * 128 + 10 * 128);
    // Experts have three classifiers, and no queries.
    let experts = count(spec(10, Attention::Experts));
    assert_eq!(experts, by_class - 10 * 128 + 2 * (10 * 128 + 10));
    // The cosine classifier has no bias.
    let cosine = Spec {
        classifier: Classifier::Cosine(30.0),
        ..spec(10, Attention::None)
    };
    assert_eq!(count(cosine), 1_351_946 - 10);
}

/// A gate has as many parameters per branch wherever it stands: 2·C·C/r. Wide networks follow.
#[test]
fn gates_and_wide_networks_are_as_large_as_asked_for() {
    let count = |spec: &Spec| spec.layers().iter().map(|x| x.params).sum::<usize>();
    for (gate_place, channels) in [
        (GatePlace::Stem, 64),
        (GatePlace::Middle, 96),
        (GatePlace::End, 384),
    ] {
        for gate_reduction in [1, 2, 8] {
            let at = |attention| {
                let layout = Layout {
                    gate_place,
                    gate_reduction,
                    ..Layout::default()
                };
                count(&Spec {
                    layout,
                    ..spec(10, attention)
                })
            };
            let gates = 3 * 2 * channels * (channels / gate_reduction);
            assert_eq!(at(Attention::Branch), 1_351_946 + gates);
            let (wide, branch) = (at(Attention::Wide) as f64, at(Attention::Branch) as f64);
            assert!((wide / branch - 1.0).abs() < 0.005, "{wide} {branch}");
        }
    }
    // Group norm has the parameters of batch norm; without norm each scale and shift is one bias.
    let of = |norm| {
        count(&Spec {
            layout: Layout {
                norm,
                ..Layout::default()
            },
            ..spec(10, Attention::None)
        })
    };
    assert_eq!(of(NormKind::Group), 1_351_946);
    assert_eq!(
        of(NormKind::None),
        1_351_946 - (2 * 64 + 3 * (96 + 384) + 128)
    );
    for width in Width::ALL {
        let wide = Spec {
            width: *width,
            layout: Layout {
                norm: NormKind::Group,
                ..Layout::default()
            },
            ..spec(10, Attention::Wide)
        };
        assert!(wide.channels().iter().all(|c| c % GROUPS == 0), "{width}");
    }
}

/// Layers with a row for each class, whose gradients conflict by construction, are not of the backbone.
#[test]
fn what_has_a_row_for_each_class_is_not_of_the_backbone() {
    for spec in variants() {
        let params = spec.params();
        for layer in spec.layers().iter().filter(|layer| layer.gram.is_some()) {
            let mut of_layer = params.iter().filter(|param| param.layer_is(&layer.name));
            let has_rows = of_layer.any(|param| param.shape[0] == spec.classes);
            assert_eq!(layer.is_in_backbone(), !has_rows, "{}", layer.name);
        }
    }
}

/// Each attention at every layout that is not the reference one in some way.
fn variants() -> impl Iterator<Item = Spec> {
    let layouts = |attention: Attention| {
        let one = vec![Branch {
            dilation: 2,
            kernel: 5,
        }];
        let four = [(1, 1), (1, 3), (4, 5), (2, 7)];
        let four = four.map(|(dilation, kernel)| Branch { dilation, kernel });
        let mut all = vec![
            Layout::default(),
            Layout {
                branches: one,
                norm: NormKind::Group,
                ..Layout::default()
            },
            Layout {
                branches: four.to_vec(),
                norm: NormKind::None,
                gate_reduction: 16,
                ..Layout::default()
            },
        ];
        if attention == Attention::Experts {
            // Each of three losses has a branch.
            all.retain(|layout| layout.branches.len() == 3);
        }
        if attention != Attention::Shared {
            all.extend(
                [GatePlace::Middle, GatePlace::Stem].map(|gate_place| Layout {
                    gate_place,
                    ..Layout::default()
                }),
            );
        }
        all
    };
    Attention::ALL.iter().flat_map(move |&attention| {
        layouts(attention).into_iter().map(move |layout| Spec {
            width: Width::Quarter,
            layout,
            ..spec(10, attention)
        })
    })
}

/// With the running statistics of one batch, the network gives that batch in evaluation the logits that it gives it in
/// training, but for the unbiased variance: every batch norm has the statistics that are its own.
#[test]
fn running_statistics_are_those_of_their_layers() -> Result<()> {
    for spec in variants().filter(|spec| spec.layout.norm == NormKind::Batch) {
        let mut net = Net::new(spec.clone(), 3, &Device::Cpu)?;
        let [h, w, c] = spec.image;
        let mut random = Random::new(3, "images", 0, 0);
        let values = (0..6 * h * w * c).map(|_| random.normal() as f32);
        let x = Tensor::from_vec(values.collect(), (6, h, w, c), &Device::Cpu)?;
        let trained = net.forward(&net.weights(), &x, Mode::Train)?;
        net.set_norms(&[trained.norms]);
        let evaluated = net.forward(&net.weights(), &x, Mode::Eval)?.logits;
        let off = (&evaluated - &trained.logits)?.sqr()?.sum_all()?;
        let size = trained.logits.sqr()?.sum_all()?;
        let share = (off.to_scalar::<f32>()? / size.to_scalar::<f32>()?).sqrt();
        assert!(share < 0.03, "{spec:?}: {share}");
    }
    Ok(())
}

#[test]
fn the_layer_table_covers_every_parameter_once() -> Result<()> {
    for spec in variants() {
        let layers = spec.layers();
        let table: usize = layers.iter().map(|layer| layer.params).sum();
        assert_eq!(table, Params::init(&spec, 0, &Device::Cpu)?.count());
        // The probe takes the parameters of the layers one after the other.
        let with_params = layers.iter().filter(|layer| layer.gram.is_some());
        let own = |layer: &Layer| {
            spec.params()
                .into_iter()
                .filter(|param| param.layer_is(&layer.name))
                .collect::<Vec<_>>()
        };
        let in_turn: Vec<_> = with_params.flat_map(own).collect();
        assert_eq!(in_turn, spec.params(), "{spec:?}");
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
                layout: Layout::default(),
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
                assert_eq!(out.gates.len(), [0, 3, 1, 0, 0, 3, 0][attention as usize]);
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
