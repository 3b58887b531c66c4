//! The scripts that sbatch takes.

use std::num::NonZeroUsize;
use std::path::Path;

use super::SlurmError;
use super::settings::Settings;
use super::submission::Submission;

/// A script of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Name of its file.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Number of the first line of the list that it works on, and how many lines; `None` for the comparison.
    pub lines: Option<(usize, usize)>,
    /// Whether its job waits until that of the script before it has ended, whatever came of it.
    pub waits: bool,
}

/// The scripts of a submission of `count` runs: arrays of at most `largest` tasks each, and the comparison last. Where at
/// most `parallel` tasks may run at once, an array waits for the one before it.
///
/// # Errors
/// Where a path cannot stand in a script.
pub fn scripts(
    submission: &Submission,
    count: usize,
    largest: NonZeroUsize,
    parallel: Option<NonZeroUsize>,
    settings: &Settings,
) -> Result<Vec<Script>, SlurmError> {
    let program = word(&submission.program)?;
    let list = word(&submission.list())?;
    let starts = (0..count).step_by(largest.get());
    let mut scripts = Vec::new();
    for (part, from) in starts.enumerate() {
        let tasks = largest.get().min(count - from);
        let mut text = head(submission, settings.of_runs(), settings)?;
        let limit = parallel.map_or_else(String::new, |most| format!("%{most}"));
        line(&mut text, "array", &format!("0-{}{limit}", tasks - 1));
        line(&mut text, "requeue", "");
        line(&mut text, "open-mode", "append");
        line(&mut text, "output", &pattern(&submission.dir, "%A_%a.log")?);
        text += "# As many threads as Slurm gives a task processors.\n";
        text += "export RAYON_NUM_THREADS=\"${SLURM_CPUS_PER_TASK:-${SLURM_CPUS_ON_NODE:-1}}\"\n";
        text += "# The program takes the place of this script, so that the signals of Slurm reach it.\n";
        text += &format!("exec {program} sweep-job {list} --from {from}\n");
        scripts.push(Script {
            name: format!("array-{}.sh", part + 1),
            text,
            lines: Some((from, tasks)),
            waits: part > 0 && parallel.is_some(),
        });
    }
    let mut text = head(submission, settings.of_comparison(), settings)?;
    line(
        &mut text,
        "output",
        &pattern(&submission.dir, "compare-%j.log")?,
    );
    text += &format!("exec {program} sweep-job {list} --compare\n");
    scripts.push(Script {
        name: "compare.sh".to_owned(),
        text,
        lines: None,
        waits: true,
    });
    Ok(scripts)
}

/// The beginning of a script: the shell, the name of the job, its working directory, and options.
fn head<'a>(
    submission: &Submission,
    options: impl Iterator<Item = (&'a str, &'a str)>,
    settings: &Settings,
) -> Result<String, SlurmError> {
    let mut text = "#!/bin/sh\n".to_owned();
    line(
        &mut text,
        "job-name",
        settings.get("job-name").unwrap_or(&submission.name),
    );
    for (name, value) in options.filter(|(name, _)| *name != "job-name") {
        line(&mut text, name, value);
    }
    line(&mut text, "chdir", plain(&submission.work_dir)?);
    Ok(text)
}

/// Adds an option to a script. sbatch reads a value in quotes with `\` before quotes and backslashes; outside quotes, blanks
/// end a value and `#` begins a comment.
fn line(text: &mut String, name: &str, value: &str) {
    let is_simple = |c: char| c.is_ascii_alphanumeric() || "_-./:@%,=+".contains(c);
    *text += &match value {
        "" => format!("#SBATCH --{name}\n"),
        value if value.chars().all(is_simple) => format!("#SBATCH --{name}={value}\n"),
        value => {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"");
            format!("#SBATCH --{name}=\"{value}\"\n")
        }
    };
}

/// The pattern of a log's name in a folder. Slurm replaces `%` and what follows; where a path has a backslash, it replaces
/// nothing at all.
fn pattern(dir: &Path, name: &str) -> Result<String, SlurmError> {
    let folder = plain(dir)?;
    match folder.contains('\\') {
        true => Err(SlurmError::Path(dir.to_owned())),
        false => Ok(format!("{}/{name}", folder.replace('%', "%%"))),
    }
}

/// A path as text on one line.
fn plain(path: &Path) -> Result<&str, SlurmError> {
    let text = path
        .to_str()
        .filter(|text| !text.contains(char::is_control));
    text.ok_or_else(|| SlurmError::Path(path.to_owned()))
}

/// A path as one word of a shell.
fn word(path: &Path) -> Result<String, SlurmError> {
    Ok(format!("'{}'", plain(path)?.replace('\'', "'\\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn submission(dir: &str) -> Submission {
        Submission {
            name: "solar".to_owned(),
            dir: dir.into(),
            program: "/opt/it's here/crosscurrent".into(),
            work_dir: "/home/a b".into(),
        }
    }

    fn count(number: usize) -> NonZeroUsize {
        NonZeroUsize::new(number).unwrap()
    }

    #[test]
    fn a_script_is_what_slurm_and_the_shell_read() {
        let options = [("gres", "gpu:1"), ("comment", "a \"b\" \\ #c")];
        let options = options.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let settings = Settings::new(&options).unwrap();
        let made = submission("/runs/100%/slurm/1");
        let scripts = scripts(&made, 3, count(1000), Some(count(2)), &settings).unwrap();
        let [array, compare] = &scripts[..] else {
            panic!("{scripts:?}");
        };
        let wanted = "#!/bin/sh\n\
            #SBATCH --job-name=solar\n\
            #SBATCH --signal=B:USR1@120\n\
            #SBATCH --gres=gpu:1\n\
            #SBATCH --comment=\"a \\\"b\\\" \\\\ #c\"\n\
            #SBATCH --chdir=\"/home/a b\"\n\
            #SBATCH --array=0-2%2\n\
            #SBATCH --requeue\n\
            #SBATCH --open-mode=append\n\
            #SBATCH --output=/runs/100%%/slurm/1/%A_%a.log\n";
        assert!(array.text.starts_with(wanted), "{}", array.text);
        let last = "exec '/opt/it'\\''s here/crosscurrent' sweep-job '/runs/100%/slurm/1/runs.jsonl' --from 0\n";
        assert!(array.text.ends_with(last), "{}", array.text);
        assert!(compare.text.contains("--compare") && !compare.text.contains("gres"));
        assert!(compare.waits && !array.waits);
    }

    #[test]
    fn a_long_list_is_several_arrays() {
        let settings = Settings::new(&[]).unwrap();
        for parallel in [None, Some(count(5))] {
            let scripts = scripts(&submission("/s"), 7, count(3), parallel, &settings).unwrap();
            let lines: Vec<_> = scripts.iter().map(|script| script.lines).collect();
            assert_eq!(lines, [Some((0, 3)), Some((3, 3)), Some((6, 1)), None]);
            let waits: Vec<_> = scripts.iter().map(|script| script.waits).collect();
            assert_eq!(waits, [false, parallel.is_some(), parallel.is_some(), true]);
            assert!(scripts[2].text.contains("--from 6"));
        }
    }

    #[test]
    fn paths_that_would_make_a_line_of_their_own_are_refused() {
        let settings = Settings::new(&[]).unwrap();
        for dir in ["/runs\n#SBATCH --uid=0", "/ru\\ns"] {
            let made = scripts(&submission(dir), 1, count(10), None, &settings);
            assert!(matches!(made, Err(SlurmError::Path(_))), "{made:?}");
        }
    }
}
