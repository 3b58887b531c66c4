use anyhow::{Context, Result};

use std::fs;

use super::*;
use crate::run::log::{self, data_path};

/// For every cell of the logged confusion matrix, exactly the images that the cell counts are found.
#[test]
fn every_cell_of_the_confusion_matrix_has_as_many_images_as_it_counts() -> Result<()> {
    for name in ["solar-none", "solar-branch"] {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/recorded")
            .join(name);
        let run = log::load(&dir)?.run;
        let mut checked = 0;
        for eval in &run.evals {
            if !dir.join(predictions_file(eval.step, eval.split)).is_file() {
                continue;
            }
            for (truth, row) in eval.confusion.iter().enumerate() {
                for (class, &count) in row.iter().enumerate() {
                    let found = predicted(&dir, (eval.step, eval.split), truth, class)?;
                    assert_eq!(found.len() as u64, count, "{name}, step {}", eval.step);
                    let falls = |pair: &[Predicted]| pair[0].confidence >= pair[1].confidence;
                    assert!(found.windows(2).all(falls));
                    // The confidence of a prediction among six classes is above 1/6 and at most 1.
                    let sure = |x: &Predicted| x.confidence > 1.0 / 6.0 && x.confidence <= 1.0;
                    assert!(found.iter().all(sure));
                }
            }
            checked += 1;
        }
        assert!(checked > 0, "{name} has no predictions");
    }
    Ok(())
}

#[test]
fn predictions_are_read_with_likeliest_classes_or_an_error_names_the_file() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let at = (4, Split::Val);
    let of = |run: &Path| predicted(run, at, 0, 1).err().context("no error");
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/solar-none");
    fs::copy(log::events_path(&recorded), log::events_path(dir.path()))?;
    assert!(of(dir.path())?.to_string().contains("data.safetensors"));
    let files = std::collections::HashMap::from([(
        "files".to_owned(),
        serde_json::to_string(&["a/x.png", "a/y.png", "b/z.png"])?,
    )]);
    let split = ("val", &vec![2, 1]);
    log::write_data(&data_path(dir.path()), &[0, 0, 1], &[split], files)?;
    assert!(of(dir.path())?.to_string().contains("predictions"));
    let path = dir.path().join(predictions_file(at.0, at.1));
    fs::create_dir_all(path.parent().context("no folder")?)?;
    write_predictions(&path, &[1, 1], &[0.75, 0.5], None)?;
    let found = predicted(dir.path(), at, 0, 1)?;
    let expected = Predicted {
        index: 1,
        file: Some("a/y.png".to_owned()),
        confidence: 0.5,
        likeliest: Vec::new(),
    };
    assert_eq!(found, [expected]);
    // As `scipy.special.softmax([0.5, 2.0, -1.0, 1.0])` says; two classes more have a probability of 0.
    let logits = [
        0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 2.0, -1.0, 1.0, -1e4, -1e4,
    ];
    write_predictions(&path, &[1, 1], &[0.25, 0.609_46], Some(&logits))?;
    let found = predicted(dir.path(), at, 0, 1)?;
    let expected = [(1, 0.609_460_04), (3, 0.224_207_82), (0, 0.135_988_92)];
    for ((class, share), (wanted, by_scipy)) in found[0].likeliest.iter().zip(expected) {
        assert_eq!(*class, wanted);
        assert!((share - by_scipy).abs() < 1e-6, "{share} and {by_scipy}");
    }
    assert_eq!(found[0].likeliest.len(), 3);
    write_predictions(&path, &[1], &[0.75], None)?;
    let text = of(dir.path())?.to_string();
    assert!(text.contains("1 predictions of 2 images"), "{text}");
    Ok(())
}
