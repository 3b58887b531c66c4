//! Image data sets of Hugging Face: parquet shards with a column of encoded images and a column of labels. The metadata of
//! the schema may hold the names of the classes.
//!
//! ```text
//! shards    the files and their splits
//! columns   which column holds the images, and which the labels
//! shard     the rows of a file; values: of one of its columns
//! guard     makes errors of panics of the library
//! ```

mod columns;
mod guard;
mod shard;
mod shards;
mod values;

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::super::error::DataError;
use super::super::splits::SPLIT_NAMES;
use super::format::{Content, Format, Found, Source};
use super::item::{Image, Item, Items, name, problem};
use super::names::class_name;
use guard::guarded;
use shard::{Row, Shard};
use shards::shards;
use values::{Classes, Label};

/// Parquet shards of Hugging Face.
pub(super) const FORMAT: Format = Format {
    name: "Hugging Face parquet",
    recognises: shards::are_there,
    content: Content::Packed(read),
};

/// A shard with its split and its rows.
struct Read {
    shard: Shard,
    split: usize,
    rows: Vec<Row>,
}

fn read(source: &Source<'_>) -> Result<Found, DataError> {
    let (shards, mut notes) = shards(source)?;
    let one = |(path, split): &(std::path::PathBuf, usize)| {
        guarded(path, || {
            let shard = Shard::open(path, source.config)?;
            let rows = shard.rows(source.with_images)?;
            let split = *split;
            Ok(Read { shard, split, rows })
        })
    };
    let mut read: Vec<Read> = shards.par_iter().map(one).collect::<Result<_, _>>()?;
    for note in read.iter().flat_map(|read| &read.shard.notes) {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    for (split, said) in SPLIT_NAMES.iter().enumerate().skip(1) {
        if is_hidden(&read, split) {
            read.retain(|read| read.split != split);
            notes.push(format!("the {said} split has no labels and is left out"));
        }
    }
    let mut found = Found {
        classes: classes(source, &read)?,
        is_named: read.iter().any(|read| !read.shard.names.is_empty()),
        notes,
        ..Found::default()
    };
    let classes = Classes::new(&found.classes);
    for Read { shard, split, rows } in read {
        take(
            source,
            &shard,
            rows,
            &mut found.items,
            (split, &classes),
            &mut found.unreadable,
        )?;
    }
    if found.items[0].is_empty() {
        return Err(problem(
            source.at,
            "no shard holds training images; name the shards of each split with `--splits`"
                .to_owned(),
        ));
    }
    Ok(found)
}

/// Whether a split has rows, and none of them a label: publishers keep those of test images back.
fn is_hidden(read: &[Read], split: usize) -> bool {
    let mut rows = read
        .iter()
        .filter(|read| read.split == split)
        .flat_map(|read| &read.rows)
        .peekable();
    let is_hidden = |row: &Row| match &row.label {
        None => true,
        Some(Label::Number(number)) => *number < 0,
        Some(Label::Text(text)) => text.is_empty() || text == "-1",
    };
    rows.peek().is_some() && rows.all(is_hidden)
}

/// Names of the classes: those of the metadata, the texts that are labels, or the numbers up to the largest.
fn classes(source: &Source<'_>, read: &[Read]) -> Result<Vec<String>, DataError> {
    let named = read.iter().filter(|read| !read.shard.names.is_empty());
    let mut names: Option<&Read> = None;
    for other in named {
        match names {
            Some(first) if first.shard.names != other.shard.names => {
                let reason = "it names other classes than the shards before it; keep one data set in a folder";
                return Err(problem(&other.shard.path, reason.to_owned()));
            }
            _ => names = names.or(Some(other)),
        }
    }
    if let Some(first) = names {
        return Ok(first.shard.names.clone());
    }
    let labels = || {
        read.iter()
            .flat_map(|read| &read.rows)
            .filter_map(|row| row.label.as_ref())
    };
    let texts: BTreeSet<String> = labels()
        .filter_map(|label| label.text().map(class_name))
        .collect();
    let most = labels().filter_map(Label::number).max();
    match most {
        Some(_) if !texts.is_empty() => {
            let reason = "some shards have numbers as labels and others texts; keep one data set in a folder";
            Err(problem(source.at, reason.to_owned()))
        }
        Some(most) if most > i64::from(u16::MAX) => {
            let reason =
                format!("there is the label {most}, and at most 65535 classes can be told apart");
            Err(problem(source.at, reason))
        }
        Some(most) => Ok((0..=most).map(|label| label.to_string()).collect()),
        None => Ok(texts.into_iter().collect()),
    }
}

/// Takes the rows of a shard into its split. A row without a usable label is an error, or left out where the user asks for
/// that.
fn take(
    source: &Source<'_>,
    shard: &Shard,
    rows: Vec<Row>,
    items: &mut Items,
    (split, classes): (usize, &Classes),
    unreadable: &mut Vec<String>,
) -> Result<(), DataError> {
    for (number, row) in rows.into_iter().enumerate() {
        let label = match &row.label {
            None => Err("has no label".to_owned()),
            Some(label) => label.class(classes),
        };
        match label {
            Ok(label) => items[split].push(Item {
                label,
                name: name(source.root, &shard.path, number),
                image: source
                    .with_images
                    .then(|| row.image.unwrap_or(Image::Missing("the row has no image"))),
            }),
            Err(what) if source.config.skip_unreadable => {
                unreadable.push(format!(
                    "{}: the row {what}",
                    name(source.root, &shard.path, number)
                ));
            }
            Err(what) => {
                let reason = format!(
                    "row {number} {what}; repair it, or choose “Skip unreadable images” to leave it out"
                );
                return Err(problem(&shard.path, reason));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
