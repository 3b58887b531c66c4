//! A run as an event file of TensorBoard, from which other tools import, too, such as Weights & Biases.
//!
//! `scalars` says which numbers there are and what they are called, `tags` makes names of strangers fit into that, and
//! `records` writes the file. Imports `run`, `network` and `text`; pictures are drawn by whoever asks for the file.

mod records;
mod scalars;
mod tags;
#[cfg(test)]
mod tests;

use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use crate::run::Run;
use crate::run::event::{Eval, Probe, Started, Step};
use crate::run::log::{RunError, write_whole_by};
use records::{Content, Image, Records, Value};
use scalars::Scalars;

/// A picture of a run at the moment of a probe, as a PNG file.
pub struct Picture {
    /// Its tag, `CHART/PART`; parts of strangers' making are cleaned.
    pub tag: [String; 2],
    /// Width and height in pixels.
    pub size: [u32; 2],
    /// The bytes of the PNG file.
    pub png: Vec<u8>,
}

/// The file of a run in the folder `dir`: one file for each run, whenever it is written.
pub fn path(dir: &Path, started: &Started) -> PathBuf {
    let is_kept = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let id: String = started.id.chars().filter(is_kept).take(64).collect();
    // TensorBoard knows its files by the part `tfevents`.
    dir.join(format!(
        "events.out.tfevents.{}.{id}",
        started.created_unix_secs
    ))
}

/// Another event file in the folder of `path`: TensorBoard would read it as a part of the same run.
///
/// # Errors
/// Where the folder cannot be read.
pub fn other_file(path: &Path) -> io::Result<Option<PathBuf>> {
    let Some(folder) = path.parent().filter(|folder| folder.exists()) else {
        return Ok(None);
    };
    for entry in std::fs::read_dir(folder)? {
        let other = entry?.path();
        let name = other.file_name().unwrap_or_default().to_string_lossy();
        if name.contains("tfevents") && other != path && !name.ends_with(".tmp") {
            return Ok(Some(other));
        }
    }
    Ok(None)
}

/// An entry of a run's log that has numbers.
#[derive(Clone, Copy)]
enum Entry<'a> {
    Step(&'a Step),
    Eval(&'a Eval),
    Probe(&'a Probe),
}

impl Entry<'_> {
    fn step(self) -> u64 {
        match self {
            Self::Step(step) => step.step,
            Self::Eval(eval) => eval.step,
            Self::Probe(probe) => probe.step,
        }
    }
}

/// The entries of a run in order of their steps. Of one step, the training comes first.
fn entries(run: &Run) -> Vec<Entry<'_>> {
    let steps = run.steps.iter().map(Entry::Step);
    let measured = run.evals.iter().map(Entry::Eval);
    let probes = run.probes.iter().map(Entry::Probe);
    let mut entries: Vec<_> = steps.chain(measured).chain(probes).collect();
    entries.sort_by_key(|entry| entry.step());
    entries
}

/// Writes the event file of a run, whole or not at all, entry by entry; `picture` draws what is shown of the run at the
/// step of a probe. Gives sentences about what was left out.
///
/// The time of an entry is that of the run's start and the training time until then: the times between pauses.
///
/// # Errors
/// Where the file cannot be written.
pub fn write(
    run: &Run,
    started: &Started,
    path: &Path,
    picture: &mut dyn FnMut(u64) -> Option<Picture>,
) -> Result<Vec<String>, RunError> {
    let scalars = Scalars::new(started, run.batch_norm());
    write_whole_by(path, &mut |file| {
        let begun = started.created_unix_secs as f64;
        let mut records = Records::new(BufWriter::new(file), begun)?;
        let mut trained_secs: f64 = 0.0;
        for entry in entries(run) {
            let mut values = Vec::new();
            match entry {
                Entry::Step(step) => {
                    trained_secs = trained_secs.max(step.wall_secs);
                    scalars.of_step(step, &mut values);
                }
                Entry::Eval(eval) => scalars.of_eval(eval, &mut values),
                Entry::Probe(probe) => {
                    scalars.of_probe(probe, &mut values);
                    values.extend(picture(probe.step).map(Value::from));
                }
            }
            records.write(begun + trained_secs, entry.step(), values)?;
        }
        records.finish()
    })?;
    Ok(scalars.left_out)
}

impl From<Picture> for Value {
    fn from(picture: Picture) -> Self {
        let [chart, part] = &picture.tag;
        let [width, height] = picture
            .size
            .map(|side| i32::try_from(side).unwrap_or(i32::MAX));
        Self {
            tag: format!("{chart}/{}", tags::part(part)),
            content: Some(Content::Image(Image {
                height,
                width,
                // Red, green, blue and opacity.
                colorspace: 4,
                encoded_image_string: picture.png,
            })),
        }
    }
}
