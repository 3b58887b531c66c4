//! Files of probes and predictions with one fault each, at any place: each is refused, and the sentence names the file
//! and the tensor.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context as _, Result};
use safetensors::tensor::{Dtype, SafeTensors};

use crate::network::BatchNorm;
use crate::random::Random;
use crate::run::bytes::{from_little_endian, little_endian, write_tensors};
use crate::run::class_rows::ClassRows;
use crate::run::event::Split;
use crate::run::log::{data_path, events_path, predictions_file, write_data, write_predictions};
use crate::run::predictions::predicted;
use crate::run::probe_file::ProbeTensors;

const CLASSES: usize = 3;
const PIECES: usize = 2;
const LAYERS: usize = 2;
const SIZE: usize = CLASSES * PIECES;

/// A probe of random gradients, in which one piece and one class have no images.
fn probe() -> ProbeTensors {
    let mut random = Random::new(0, "checks", 0, 0);
    let mut n = vec![5.0; SIZE];
    (n[1], n[4], n[5]) = (0.0, 0.0, 0.0);
    let mut gram = Vec::new();
    for _ in 0..LAYERS {
        let gradients: Vec<Vec<f32>> = n
            .iter()
            .map(|n| (0..7).map(|_| random.normal() as f32 * n).collect())
            .collect();
        for a in &gradients {
            let dot = |b: &Vec<f32>| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
            gram.extend(gradients.iter().map(dot));
        }
    }
    let loss = n.iter().map(|n| if *n > 0.0 { 1.5 } else { f32::NAN });
    ProbeTensors {
        classes: CLASSES,
        gram,
        update: vec![0.25; LAYERS * SIZE],
        loss: loss.collect(),
        gates: BTreeMap::from([(
            "branch1".to_owned(),
            vec![0.5, 0.0, 1.0, 0.5, f32::NAN, f32::NAN],
        )]),
        n,
        frozen: None,
    }
}

type Tensor = (String, Dtype, Vec<usize>, Vec<u8>);

/// The tensors of a file.
fn tensors(path: &Path) -> Result<Vec<Tensor>> {
    let bytes = std::fs::read(path)?;
    let file = SafeTensors::deserialize(&bytes)?;
    let tensors = file.tensors().into_iter();
    let tensors = tensors.map(|(name, view)| {
        (
            name,
            view.dtype(),
            view.shape().to_vec(),
            view.data().to_vec(),
        )
    });
    Ok(tensors.collect())
}

/// Writes a probe's file with one tensor changed.
fn with(
    path: &Path,
    whole: &[Tensor],
    name: &str,
    change: &dyn Fn(&mut Vec<usize>, &mut Vec<f32>),
) -> Result<()> {
    let mut changed = whole.to_vec();
    let tensor = changed.iter_mut().find(|tensor| tensor.0 == name);
    let (_, _, shape, bytes) = tensor.with_context(|| name.to_owned())?;
    let mut values = from_little_endian(bytes);
    change(shape, &mut values);
    *bytes = little_endian(&values);
    Ok(write_tensors(path, &changed, None)?)
}

/// The sentences with which the readers of a probe refuse it; `None` where one reads it.
fn refusals(path: &Path, rows: &[usize], batch_norm: BatchNorm) -> Option<[String; 2]> {
    let whole = ProbeTensors::load(path, CLASSES, batch_norm).err()?;
    let rows = ClassRows::load(path, CLASSES, rows, batch_norm).err()?;
    Some([whole.to_string(), rows.to_string()])
}

#[test]
fn every_fault_of_a_probe_is_refused_by_all_its_readers() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("00000012.safetensors");
    probe().save(&path, Some(&probe()))?;
    let whole = tensors(&path)?;
    for way in [BatchNorm::Frozen, BatchNorm::AsInTraining] {
        ProbeTensors::load(&path, CLASSES, way)?;
        ClassRows::load(&path, CLASSES, &[0, 1, 2], way)?;
    }
    let all: Vec<usize> = (0..CLASSES).collect();
    // A recorder that does not know what the last step did says so.
    for name in ["update", "update.training"] {
        with(&path, &whole, name, &|_, values| values.fill(f32::NAN))?;
        for way in [BatchNorm::Frozen, BatchNorm::AsInTraining] {
            assert!(refusals(&path, &all, way).is_none(), "{name}");
        }
    }
    let mut tried = 0;
    for (suffix, way) in [
        ("", BatchNorm::Frozen),
        (".training", BatchNorm::AsInTraining),
    ] {
        let name = |tensor: &str| match tensor {
            "n" => "n".to_owned(),
            tensor => format!("{tensor}{suffix}"),
        };
        let refused = |tensor: &str, change: &dyn Fn(&mut Vec<usize>, &mut Vec<f32>)| {
            let name = name(tensor);
            with(&path, &whole, &name, change).unwrap();
            let said = refusals(&path, &all, way);
            let said = said.unwrap_or_else(|| panic!("a fault of `{name}` was read"));
            for said in said {
                let is_named =
                    said.contains(&format!("`{name}`")) && said.ends_with("00000012.safetensors");
                assert!(is_named && said.lines().count() == 1, "{name}: {said}");
                assert!(!said.contains("train again"), "{said}");
            }
        };
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for tensor in ["gram", "update", "n"] {
                let count = whole
                    .iter()
                    .find(|x| x.0 == name(tensor))
                    .context("tensor")?
                    .3
                    .len()
                    / 4;
                for at in 0..count {
                    refused(tensor, &|_, values| values[at] = value);
                    tried += 1;
                }
            }
            // Of pieces without images, the loss is undefined.
            for at in [0, 2, 3] {
                refused("loss", &|_, values| values[at] = value);
            }
        }
        for layer in 0..LAYERS {
            for row in [0, 2, 3] {
                refused("gram", &|_, gram| {
                    gram[(layer * SIZE + row) * SIZE + row] *= -1.0;
                });
            }
        }
        for wrong in [-1.0, 0.5, -5.0] {
            refused("n", &|_, n| n[2] = wrong);
        }
        // The same numbers in another shape, and one row more or less.
        refused("gram", &|shape, _| shape.swap(0, 1));
        refused("gram", &|shape, _| *shape = vec![LAYERS * SIZE * SIZE]);
        refused("update", &|shape, _| shape.swap(0, 1));
        refused("loss", &|shape, values| {
            values.push(1.0);
            shape[0] += 1;
        });
        refused("n", &|shape, values| {
            values.pop();
            shape[0] -= 1;
        });
    }
    assert!(tried > 100);
    Ok(())
}

/// Products of a pair that differ are found wherever they lie in a whole probe; rows read alone know those of their own
/// class. What rounding does is accepted.
#[test]
fn an_asymmetric_matrix_is_refused_and_rounding_is_not() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("probe.safetensors");
    let faulty = |row: usize, column: usize, share: f32| -> Result<()> {
        let mut probe = probe();
        let first = SIZE * SIZE;
        let square = |row: usize| probe.gram[first + row * SIZE + row];
        let norms = (square(row) * square(column)).sqrt();
        probe.gram[first + row * SIZE + column] += share * norms;
        Ok(probe.save(&path, None)?)
    };
    let whole = || ProbeTensors::load(&path, CLASSES, BatchNorm::Frozen);
    let present = [0, 2, 3];
    for row in present {
        for column in present.into_iter().filter(|&column| column != row) {
            faulty(row, column, 0.02)?;
            let said = whole().unwrap_err().to_string();
            assert!(said.contains("`gram` is not symmetric"), "{said}");
            assert!(
                said.contains(&format!("[1, {}, {}]", row.max(column), row.min(column))),
                "{said}"
            );
            // The rounding of bfloat16, 2⁻⁸.
            faulty(row, column, 0.004)?;
            whole()?;
        }
    }
    faulty(2, 3, 0.02)?;
    let said = ClassRows::load(&path, CLASSES, &[1], BatchNorm::Frozen)
        .unwrap_err()
        .to_string();
    assert!(said.contains("[1, 3, 2]"), "{said}");
    Ok(())
}

#[test]
fn gates_lie_between_0_and_1_in_classes_with_images() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("probe.safetensors");
    probe().save(&path, None)?;
    let file = tensors(&path)?;
    for (at, value) in [(0, 1.5), (1, -0.25), (2, f32::NAN), (3, f32::INFINITY)] {
        with(&path, &file, "gates/branch1", &|_, gates| gates[at] = value)?;
        let said = ProbeTensors::load(&path, CLASSES, BatchNorm::Frozen)
            .unwrap_err()
            .to_string();
        assert!(
            said.contains(&format!("`gates/branch1` holds {value}")),
            "{said}"
        );
    }
    with(&path, &file, "gates/branch1", &|shape, _| shape.swap(0, 1))?;
    let said = ProbeTensors::load(&path, CLASSES, BatchNorm::Frozen)
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("`gates/branch1` has the shape [2, 3]"),
        "{said}"
    );
    // Rounding may leave the range, and classes without images have no gates.
    with(&path, &file, "gates/branch1", &|_, gates| {
        (gates[0], gates[4]) = (1.000_001, 7.0);
    })?;
    ProbeTensors::load(&path, CLASSES, BatchNorm::Frozen)?;
    Ok(())
}

#[test]
fn every_fault_of_predictions_is_refused() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let run = dir.path();
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/solar-none");
    std::fs::copy(events_path(&recorded), events_path(run))?;
    let (split, at) = (("val", &vec![2, 1]), (4, Split::Val));
    let labels = |labels: &[u16]| write_data(&data_path(run), labels, &[split], HashMap::new());
    labels(&[0, 0, 1])?;
    let path = run.join(predictions_file(at.0, at.1));
    let write = |class: &[u16], confidence: &[f32], logits: &[f32]| {
        write_predictions(&path, class, confidence, Some(logits))
    };
    let good = [0.5; 12];
    write(&[1, 1], &[0.25, 0.5], &good)?;
    assert_eq!(predicted(run, at, 0, 1)?.len(), 1);
    let said = || predicted(run, at, 0, 1).unwrap_err().to_string();
    for (class, confidence, logits, wanted) in [
        (
            &[1, 6][..],
            &[0.25, 0.5][..],
            &good[..],
            "`class` holds class 6 of 6 classes",
        ),
        (&[1, 1], &[0.25, 1.5], &good, "`confidence` holds 1.5"),
        (&[1, 1], &[-0.25, 0.5], &good, "`confidence` holds -0.25"),
        (
            &[1, 1],
            &[f32::NAN, 0.5],
            &good,
            "`confidence` is not finite",
        ),
        (
            &[1, 1],
            &[0.25, 0.5],
            &good[..10],
            "`logits` has 10 numbers and not 2 × 6",
        ),
        (
            &[1, 1, 1],
            &[0.25, 0.5, 0.5],
            &[0.5; 18],
            "`class` has 3 predictions of 2 images",
        ),
    ] {
        write(class, confidence, logits)?;
        assert!(said().contains(wanted), "{}", said());
    }
    for place in 0..good.len() {
        for value in [f32::NAN, f32::INFINITY] {
            let mut logits = good;
            logits[place] = value;
            write(&[1, 1], &[0.25, 0.5], &logits)?;
            assert!(
                said().contains(&format!("`logits` is not finite at its number {place}")),
                "{}",
                said()
            );
        }
    }
    write(&[1, 1], &[0.25, 0.5], &good)?;
    labels(&[0, 0, 6])?;
    let text = said();
    assert!(
        text.contains("`labels` holds class 6 of 6 classes") && text.contains("data.safetensors"),
        "{text}"
    );
    Ok(())
}
