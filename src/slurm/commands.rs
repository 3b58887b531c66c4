//! The programs of Slurm: sbatch, squeue and scontrol.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::{Command, Stdio};

use super::SlurmError;

/// A task in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// Number of the job array.
    pub job: u64,
    /// Index of the task in the array.
    pub task: usize,
    /// The state in a word, such as `PENDING`.
    pub state: String,
    /// Why it waits, such as `Resources`; `None` where it does not.
    pub reason: Option<String>,
}

/// Submits a script. Its job waits until the jobs `after` have ended, whatever came of them. Gives the number of the job.
///
/// # Errors
/// Where sbatch is not installed, or refuses.
pub fn submit(script: &Path, after: &[u64]) -> Result<u64, SlurmError> {
    let mut arguments = vec!["--parsable".to_owned()];
    if !after.is_empty() {
        let jobs = after.iter().map(|job| format!(":{job}"));
        arguments.push(format!("--dependency=afterany{}", jobs.collect::<String>()));
    }
    let arguments = arguments.iter().map(OsStr::new).chain([script.as_os_str()]);
    let said = output("sbatch", arguments)?;
    // Where there are several clusters, the name of the cluster follows.
    let number = said.trim().split(';').next().unwrap_or_default().parse();
    number.map_err(|_| SlurmError::Unclear {
        program: "sbatch",
        said,
    })
}

/// The most tasks that one array can have.
///
/// # Errors
/// Where scontrol is not installed, or does not answer.
pub fn largest_array() -> Result<NonZeroUsize, SlurmError> {
    let said = output("scontrol", ["show", "config"].map(OsStr::new))?;
    array_size(&said).ok_or(SlurmError::Unclear {
        program: "scontrol",
        said,
    })
}

/// MaxArraySize, which is one more than the largest index and so the number of tasks from 0 on.
fn array_size(config: &str) -> Option<NonZeroUsize> {
    let mut lines = config.lines().filter_map(|line| line.split_once('='));
    let (_, value) = lines.find(|(name, _)| name.trim() == "MaxArraySize")?;
    value.trim().parse().ok()
}

/// The user's tasks that wait or run.
///
/// # Errors
/// Where squeue is not installed, or does not answer.
pub fn queue() -> Result<Vec<Queued>, SlurmError> {
    let arguments = ["--me", "--noheader", "--array", "--format=%F|%K|%T|%r"];
    let said = output("squeue", arguments.map(OsStr::new))?;
    Ok(said.lines().filter_map(queued).collect())
}

/// A line of squeue; `None` for a job that is no array.
fn queued(line: &str) -> Option<Queued> {
    let mut parts = line.splitn(4, '|').map(str::trim);
    let (job, task) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let (state, reason) = (parts.next()?.to_owned(), parts.next()?);
    let reason = (reason != "None").then(|| reason.to_owned());
    Some(Queued {
        job,
        task,
        state,
        reason,
    })
}

/// The state of a task in a word, such as `RUNNING`; `None` where it has left the queue.
///
/// # Errors
/// Where squeue is not installed, or does not answer.
pub fn state_of(job: u64, task: usize) -> Result<Option<String>, SlurmError> {
    let name = format!("--jobs={job}_{task}");
    let arguments = [name.as_str(), "--noheader", "--array", "--format=%T"];
    let said = output("squeue", arguments.map(OsStr::new))?;
    Ok(said.lines().next().map(|line| line.trim().to_owned()))
}

/// Queues a task again. It is named by array and index: the last task of an array has the number of the whole array, and by
/// that number every task, also those that are done, would be queued again.
///
/// # Errors
/// Where scontrol is not installed, or refuses.
pub fn requeue(job: u64, task: usize) -> Result<(), SlurmError> {
    let name = format!("{job}_{task}");
    output("scontrol", ["requeue", name.as_str()].map(OsStr::new)).map(|_| ())
}

/// What a program prints.
fn output<'a>(
    program: &'static str,
    arguments: impl IntoIterator<Item = &'a OsStr>,
) -> Result<String, SlurmError> {
    let mut command = Command::new(program);
    let command = command.args(arguments).stdin(Stdio::null());
    let failed = |error: std::io::Error| {
        let said = error.to_string();
        match error.kind() == ErrorKind::NotFound {
            true => SlurmError::NotInstalled(program),
            false => SlurmError::Failed { program, said },
        }
    };
    let output = command.output().map_err(failed)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = match output.stderr.is_empty() {
        true => output.status.to_string(),
        false => String::from_utf8_lossy(&output.stderr).into_owned(),
    };
    Err(SlurmError::Failed { program, said })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines as Slurm 22.05 prints them.
    #[test]
    fn output_of_slurm_is_read() {
        let config = "KillWait                = 30 sec\nMaxArraySize            = 1001\nMaxBatchRequeue         = 5\n";
        assert_eq!(array_size(config), NonZeroUsize::new(1001));
        assert_eq!(array_size("MaxArraySize = 0\n"), None);
        let task = queued("8|2|PENDING|BeginTime").unwrap();
        assert_eq!(
            (task.job, task.task, task.state.as_str()),
            (8, 2, "PENDING")
        );
        assert_eq!(task.reason.as_deref(), Some("BeginTime"));
        assert_eq!(queued("8|1|RUNNING|None").unwrap().reason, None);
        assert_eq!(queued("9|N/A|RUNNING|None"), None);
    }
}
