//! `data`: the images and classes of a data source.

use std::path::{Path, PathBuf};

use clap::Args;

use super::config_arguments::ConfigArguments;
use super::output::{print_table, say};
use crate::data::{self, Pair};
use crate::figure::export;
use crate::figure::table::Table;
use crate::run::log::write_whole;

/// Arguments of `data`.
#[derive(Debug, Args)]
pub struct DataArguments {
    #[command(flatten)]
    config: ConfigArguments<true>,
    /// Write a sheet of sample images, one row a class in the order printed.
    #[arg(long, value_name = "FILE")]
    sheet: Option<PathBuf>,
    /// Write all pairs of images with the same pixels as CSV; the first ones are printed.
    #[arg(long, value_name = "FILE")]
    pairs: Option<PathBuf>,
}

/// Pairs of images that are printed.
const PAIRS: usize = 20;

pub(super) fn data(arguments: &DataArguments) -> anyhow::Result<()> {
    let config = arguments.config.read()?;
    let loaded = data::load(&config, &|_, _| true)?;
    let data = &loaded.dataset;
    for note in loaded.sentences() {
        say(format!("note: {note}"));
    }
    say(format!(
        "{} images, {} wide × {} high, {}; fingerprint {}",
        data.labels.len(),
        data.width,
        data.height,
        if data.channels == 1 { "grey" } else { "RGB" },
        data.fingerprint()
    ));
    let mut table = vec![["class", "train", "validation", "test"].map(str::to_owned)];
    let (train, val, test) = (
        data.counts(&data.train),
        data.counts(&data.val),
        data.counts(&data.test),
    );
    for (k, class) in data.classes.iter().enumerate() {
        table.push([
            class.clone(),
            train[k].to_string(),
            val[k].to_string(),
            test[k].to_string(),
        ]);
    }
    let sum = |counts: &[usize]| counts.iter().sum::<usize>().to_string();
    table.push(["all".to_owned(), sum(&train), sum(&val), sum(&test)]);
    print_table(&table);
    print_pairs(&loaded.duplicates.pairs);
    if let Some(path) = &arguments.pairs {
        write_pairs(path, &loaded.duplicates.pairs)?;
    }
    if let Some(reason) = loaded.plan.refusal(&config) {
        say(format!("note: training would be refused: {reason}"));
    }
    if let Some(path) = &arguments.sheet {
        export::write_png(path, &data::sheet(data, 12))?;
        say(format!("wrote {}", path.display()));
    }
    Ok(())
}

/// Prints the first pairs of images with the same pixels.
fn print_pairs(pairs: &[Pair]) {
    if pairs.is_empty() {
        return;
    }
    let mut table = vec![["image", "has the same pixels as"].map(str::to_owned)];
    table.extend(pairs.iter().take(PAIRS).map(|pair| {
        let [first, other] = pair.images.each_ref().map(ToString::to_string);
        [other, first]
    }));
    say("");
    print_table(&table);
    if pairs.len() > PAIRS {
        let rest = pairs.len() - PAIRS;
        say(format!(
            "… and {rest} more pairs, which `--pairs FILE` writes"
        ));
    }
}

/// Writes all pairs of images with the same pixels as CSV.
fn write_pairs(path: &Path, pairs: &[Pair]) -> anyhow::Result<()> {
    let mut table = Table::new([
        "file",
        "class",
        "split",
        "same_as_file",
        "same_as_class",
        "same_as_split",
    ]);
    for pair in pairs {
        let [first, other] = &pair.images;
        let row = [other, first].map(|place| [&place.file, &place.class, place.split]);
        let [[a, b, c], [d, e, f]] = row;
        table.push([a, b, c, d, e, f].map(Into::into));
    }
    write_whole(path, table.to_csv().as_bytes())?;
    say(format!("wrote {}", path.display()));
    Ok(())
}
