//! `sweep --slurm`: submits the runs that are left to Slurm.

use std::ffi::OsStr;
use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::Context;
use clap::Args;

use super::list::{absolute, queued};
use crate::cli::output::{Usage, say};
use crate::run::log::write_whole;
use crate::slurm::{self, Array, Jobs, Script, Settings, SlurmError, Submission};
use crate::sweep::{Planned, State, Sweep};
use crate::text::counted;

/// Slurm's own limit on the tasks of an array, which is that of most clusters.
const USUAL_ARRAY: usize = 1001;

/// Arguments of `sweep` that are about Slurm.
#[derive(Debug, Args)]
pub(super) struct SubmitArguments {
    /// Submit the runs that are left to Slurm, as a job array, and return.
    #[arg(long, conflicts_with = "list")]
    pub(super) slurm: bool,
    /// An option of sbatch by its long name, such as partition=gpu; also in the table [slurm] of the file.
    #[arg(long = "set", value_name = "OPTION[=VALUE]", requires = "slurm")]
    options: Vec<String>,
    /// Most runs that Slurm trains at once.
    #[arg(long, value_name = "N", requires = "slurm")]
    parallel: Option<NonZeroUsize>,
    /// Only print what would be submitted.
    #[arg(long, requires = "slurm")]
    dry_run: bool,
}

pub(super) fn submit(
    arguments: &SubmitArguments,
    sweep: &Sweep,
    folder: &Path,
    runs: &[&Planned],
) -> anyhow::Result<()> {
    let options = arguments.options.iter().map(|text| Settings::split(text));
    let options: Vec<_> = sweep.slurm.iter().cloned().chain(options).collect();
    let settings = Settings::new(&options).map_err(|error| Usage(error.to_string()))?;
    let folder = absolute(folder);
    let left = left(&folder, runs, arguments.dry_run)?;
    if left.is_empty() {
        return Ok(());
    }
    let mut submission = Submission {
        name: sweep.name.clone(),
        dir: slurm::folder_of(&folder).join("1"),
        program: std::env::current_exe().context("the path of this program is not known")?,
        work_dir: std::env::current_dir().context("the working directory is not known")?,
    };
    let parallel = arguments.parallel;
    if arguments.dry_run {
        let largest = match slurm::largest_array() {
            Ok(largest) => largest,
            Err(error) => {
                let usual = NonZeroUsize::new(USUAL_ARRAY).unwrap_or(NonZeroUsize::MIN);
                say(format!(
                    "note: an array is assumed to have at most {usual} tasks: {error}"
                ));
                usual
            }
        };
        let scripts = slurm::scripts(&submission, left.len(), largest, parallel, &settings)?;
        show(&left, &scripts);
        return Ok(());
    }
    let largest = slurm::largest_array()?;
    // Made before the folder, so that a path that cannot stand in a script leaves nothing behind.
    slurm::scripts(&submission, left.len(), largest, parallel, &settings)?;
    submission.dir = Submission::create_dir(&folder)?;
    submission.write_list(&folder, &left)?;
    let scripts = slurm::scripts(&submission, left.len(), largest, parallel, &settings)?;
    for script in &scripts {
        write_whole(&submission.dir.join(&script.name), script.text.as_bytes())?;
    }
    say(format!("{} to train", counted(left.len(), "run")));
    submit_all(&submission, &scripts)
}

/// Submits the scripts, and keeps after each one which jobs there are.
fn submit_all(submission: &Submission, scripts: &[Script]) -> anyhow::Result<()> {
    let mut jobs = Jobs::default();
    for script in scripts {
        let before: Vec<u64> = match script.lines {
            None => jobs.arrays.iter().map(|array| array.job).collect(),
            Some(_) => jobs
                .arrays
                .last()
                .map(|array| array.job)
                .into_iter()
                .collect(),
        };
        let after = if script.waits { &before[..] } else { &[] };
        let submitted = slurm::submit(&submission.dir.join(&script.name), after);
        let job = submitted.with_context(|| match &jobs.arrays[..] {
            [] => "nothing was submitted".to_owned(),
            [first, ..] => format!(
                "{} was not submitted; job {} and those after it were, and `scancel` takes them back",
                script.name, first.job
            ),
        })?;
        match script.lines {
            Some((from, count)) => {
                say(format!("submitted job {job}: {}", counted(count, "task")));
                jobs.arrays.push(Array { job, from, count });
            }
            None => {
                say(format!(
                    "submitted job {job}: the comparison, when all others have ended"
                ));
                jobs.compare = Some(job);
            }
        }
        submission.write_jobs(&jobs)?;
    }
    say(format!(
        "logs and the list of runs are in {}",
        submission.dir.display()
    ));
    Ok(())
}

/// The runs that are neither finished, nor being trained, nor in the queue. Says how many others there are.
fn left<'a>(folder: &Path, runs: &[&'a Planned], is_dry: bool) -> anyhow::Result<Vec<&'a Planned>> {
    let queued = match queued(folder) {
        // Without Slurm, nothing is in its queue.
        Err(SlurmError::NotInstalled(_)) if is_dry => Default::default(),
        queued => queued?,
    };
    let (mut left, mut finished, mut busy, mut waiting) = (Vec::new(), 0, 0, 0);
    for &run in runs {
        match run.state(folder)? {
            State::Finished => finished += 1,
            _ if queued.contains_key(OsStr::new(&run.name)) => waiting += 1,
            State::Busy => busy += 1,
            State::New | State::Anew | State::Cut => left.push(run),
        }
    }
    let counts = [
        (finished, "finished"),
        (busy, "being trained"),
        (waiting, "in the queue"),
    ];
    for (count, how) in counts.into_iter().filter(|(count, _)| *count > 0) {
        say(format!("{} {how} already", counted(count, "run")));
    }
    if left.is_empty() {
        say("nothing is left to submit");
    }
    Ok(left)
}

/// Prints what would be submitted.
fn show(runs: &[&Planned], scripts: &[Script]) {
    for (index, run) in runs.iter().enumerate() {
        say(format!("{index}  {}", run.name));
    }
    for script in scripts {
        let after = match (script.lines, script.waits) {
            (_, false) => "",
            (None, true) => ", after all others have ended",
            (Some(_), true) => ", after the one before has ended",
        };
        say(format!("\n--- {}{after}", script.name));
        say(script.text.trim_end());
    }
}
