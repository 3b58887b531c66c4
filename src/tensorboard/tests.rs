//! What is written of runs of any size, and where.

use std::path::Path;

use anyhow::{Context, Result};

use super::scalars::{MOST_CHARTS, Scalars};
use super::*;
use crate::config::NormKind;
use crate::run::{BatchNorm, log};

fn recorded() -> Result<Run> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/solar-none");
    Ok(log::load(&dir)?.run)
}

/// The tags that a run's probe gets, with so many layers of three in each block, and classes.
fn tags(layers: usize, classes: usize) -> Result<(Vec<String>, Vec<String>)> {
    let run = recorded()?;
    let mut started = run.started.context("a header")?;
    let layer = started.layers[0].clone();
    started.classes = (0..classes).map(|k| format!("class {k}")).collect();
    started.layers = (0..layers)
        .map(|row| crate::network::Layer {
            name: format!("block{}.{}", row / 3, row % 3),
            group: if row + 1 == layers {
                "classifier".to_owned()
            } else {
                format!("block{}", row / 3)
            },
            gram: Some(row),
            ..layer.clone()
        })
        .collect();
    let summary = crate::gradient::gram::ConflictSummary {
        norm: vec![Some(2.0); classes],
        ..Default::default()
    };
    let probe = Probe {
        layers: vec![summary.clone(); layers],
        backbone: summary.clone(),
        classifier: summary,
        ..run.probes[0].clone()
    };
    let scalars = Scalars::new(&started, BatchNorm::AsInTraining);
    let mut values = Vec::new();
    scalars.of_probe(&probe, &mut values);
    let tags = values.into_iter().map(|value| value.tag).collect();
    Ok((tags, scalars.left_out))
}

#[test]
fn a_run_of_any_size_gets_a_bounded_number_of_charts() -> Result<()> {
    let (small, said) = tags(6, 3)?;
    assert!(said.is_empty(), "{said:?}");
    assert_eq!(small.len(), 3 * (6 + 1));
    assert_eq!(small[0], "class_grad_norm.backbone/class 0");
    assert_eq!(small[20], "class_grad_norm.block1.2/class 2");

    let (blocks, said) = tags(300, 20)?;
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("20 classes and 300 layers"), "{said:?}");
    // 100 blocks, the classifier and the backbone.
    assert_eq!(blocks.len(), 20 * 102);
    assert!(blocks.contains(&"class_grad_norm.block7/class 19".to_owned()));

    let (ends, said) = tags(300, 1000)?;
    assert_eq!((ends.len(), said.len()), (2000, 1), "{said:?}");
    let (none, said) = tags(6, MOST_CHARTS)?;
    assert_eq!((none.len(), said.len()), (0, 2), "{said:?}");
    Ok(())
}

#[test]
fn the_norm_of_a_block_is_that_of_its_layers_together() -> Result<()> {
    let run = recorded()?;
    let mut started = run.started.clone().context("a header")?;
    // So many names that blocks are written in place of layers.
    let classes = started.classes.len();
    let layers = std::mem::take(&mut started.layers);
    let rows = layers.iter().filter(|layer| layer.gram.is_some()).count();
    let copies = MOST_CHARTS / classes / rows + 1;
    for copy in 0..copies {
        started.layers.extend(layers.iter().map(|layer| {
            crate::network::Layer {
                gram: layer
                    .gram
                    .filter(|_| copy == 0)
                    .or(layer.gram.map(|_| 10_000)),
                ..layer.clone()
            }
        }));
    }
    let probe = &run.probes[2];
    let mut values = Vec::new();
    Scalars::new(&started, BatchNorm::AsInTraining).of_probe(probe, &mut values);
    let tag = format!("class_grad_norm.branch2/{}", started.classes[1]);
    let found = values.iter().find(|value| value.tag == tag);
    let Some(Content::Scalar(found)) = found.and_then(|value| value.content.clone()) else {
        anyhow::bail!("no {tag}");
    };
    let rows = layers.iter().filter(|layer| layer.group == "branch2");
    let squares =
        rows.filter_map(|layer| probe.layers[layer.gram?].norm[1].map(|norm| norm * norm));
    let wanted = squares.sum::<f64>().sqrt();
    assert!(
        (f64::from(found) / wanted - 1.0).abs() < 1e-6,
        "{found} {wanted}"
    );
    Ok(())
}

/// Class gradients with batch norm frozen have tags of their own. Where images do not mix, both ways of treating it are one.
#[test]
fn tags_of_class_gradients_say_how_batch_norm_was_treated() -> Result<()> {
    let run = recorded()?;
    let mut started = run.started.clone().context("a header")?;
    let tags = |started: &Started, batch_norm| -> Vec<String> {
        let mut values = Vec::new();
        Scalars::new(started, batch_norm).of_probe(&run.probes[2], &mut values);
        values.into_iter().map(|value| value.tag).collect()
    };
    let training = tags(&started, BatchNorm::AsInTraining);
    for tag in ["interference/backbone", "class_grad_norm.backbone/Dusty"] {
        assert!(training.contains(&tag.to_owned()), "{training:?}");
    }
    let frozen = tags(&started, BatchNorm::Frozen);
    for tag in [
        "interference_frozen_batch_norm/backbone",
        "class_grad_norm_frozen_batch_norm.backbone/Dusty",
    ] {
        assert!(frozen.contains(&tag.to_owned()), "{frozen:?}");
    }
    assert!(frozen.iter().all(|tag| !training.contains(tag)));
    started.config.norm = NormKind::Group;
    assert_eq!(tags(&started, BatchNorm::Frozen), training);
    Ok(())
}

#[test]
fn another_run_s_file_in_the_folder_is_found() -> Result<()> {
    let root = tempfile::tempdir()?;
    let run = recorded()?;
    let mut started = run.started.clone().context("a header")?;
    let own = path(root.path(), &started);
    assert_eq!(other_file(&path(&root.path().join("new"), &started))?, None);
    write(&run, &started, &own, &mut |_| None)?;
    assert_eq!(other_file(&own)?, None);
    started.id = "../other/run".to_owned();
    let other = path(root.path(), &started);
    assert_eq!(other.parent(), Some(root.path()));
    assert_eq!(other_file(&other)?, Some(own));
    Ok(())
}
