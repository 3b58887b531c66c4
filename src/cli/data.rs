//! `data`: the images and classes of a data source.

use std::path::PathBuf;

use clap::Args;

use super::config_arguments::ConfigArguments;
use super::output::{print_table, say};
use crate::data;
use crate::figure::export;

/// Arguments of `data`.
#[derive(Debug, Args)]
pub struct DataArguments {
    #[command(flatten)]
    config: ConfigArguments<true>,
    /// Write a sheet of sample images, one row a class in the order printed.
    #[arg(long, value_name = "FILE")]
    sheet: Option<PathBuf>,
}

pub(super) fn data(arguments: &DataArguments) -> anyhow::Result<()> {
    let config = arguments.config.read()?;
    let loaded = data::load(&config, &|_, _| true)?;
    let data = &loaded.dataset;
    loaded
        .notes
        .iter()
        .for_each(|note| say(format!("note: {note}")));
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
    if let Some(path) = &arguments.sheet {
        export::write_png(path, &data::sheet(data, 12))?;
        say(format!("wrote {}", path.display()));
    }
    Ok(())
}
