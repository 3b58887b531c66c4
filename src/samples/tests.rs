use anyhow::{Result, ensure};
use image::RgbImage;

use super::*;
use crate::config::DataSource;
use crate::run::log;

/// A run's probe images are those that it recorded, whatever the folder would give today, and notes say what has
/// changed.
#[test]
fn samples_of_a_run_are_those_it_recorded() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let source = folder.path().join("images");
    for class in ["cat", "dog"] {
        std::fs::create_dir_all(source.join(class))?;
        for number in 0..4 {
            RgbImage::from_pixel(20, 24, image::Rgb([40 * number; 3]))
                .save(source.join(class).join(format!("{number}.png")))?;
        }
    }
    let config = RunConfig {
        data: DataSource::Folder(source.clone()),
        val: Some(0),
        ..RunConfig::default()
    };
    let run = folder.path().join("run");
    let names: Vec<_> = ["cat", "dog"]
        .iter()
        .flat_map(|class| (0..4).map(move |number| format!("{class}/{number}.png")))
        .collect();
    let files = [("files".to_owned(), serde_json::to_string(&names)?)];
    let splits = [
        ("train", &vec![0, 1, 4, 5]),
        ("val", &vec![2, 6]),
        ("test", &vec![3, 7]),
        ("probe", &vec![1, 4]),
    ];
    let labels = [0, 0, 0, 0, 1, 1, 1, 1];
    log::write_data(&log::data_path(&run), &labels, &splits, files.into())?;
    let classes = ["cat", "dog"].map(str::to_owned);
    let of = |which| samples_of_run(&run, &classes, &config, which, 10);
    let probe = of(Which::Probe)?;
    ensure!(probe.notes.is_empty(), "{:?}", probe.notes);
    ensure!(probe.plan.train == [2, 2] && probe.plan.val == [1, 1] && probe.plan.test == [1, 1]);
    let files = |own: &Vec<Sample>| own[0].file.clone();
    let shown: Vec<_> = probe.images.iter().filter_map(files).collect();
    ensure!(shown == ["cat/1.png", "dog/0.png"]);

    std::fs::remove_file(source.join("cat/1.png"))?;
    std::fs::rename(source.join("dog/3.png"), source.join("dog/new.png"))?;
    let probe = of(Which::Probe)?;
    let said = probe.notes.join(" ");
    ensure!(
        said.contains("2 gone from the source, 1 in the source that"),
        "{said}"
    );
    ensure!(probe.images[0][0].image.is_err() && probe.images[1][0].image.is_ok());
    std::fs::remove_dir_all(&source)?;
    let gone = of(Which::Training)?;
    let said = gone.notes.join(" ");
    let expected = format!("they were expected in {}", source.display());
    ensure!(said.ends_with(&expected), "{said}");
    ensure!(gone.plan.train == [2, 2] && gone.images.iter().all(Vec::is_empty));
    Ok(())
}
