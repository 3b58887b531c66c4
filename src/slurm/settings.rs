//! Options of sbatch that the user chooses, checked before they stand in a script.

use super::SlurmError;

/// Options that the program sets itself, and what to do instead.
const OWN: [(&str, &str); 11] = [
    ("array", "the list of runs and --parallel decide on it"),
    (
        "chdir",
        "jobs run in the folder from which they were submitted",
    ),
    ("dependency", "the comparison depends on the runs"),
    ("error", "all output goes to the log of a task"),
    (
        "no-requeue",
        "a job whose time is over must be queued again",
    ),
    ("open-mode", "further starts of a task append to its log"),
    ("output", "logs are in the folder `slurm` of the sweep"),
    ("parsable", "the program reads the number of the job"),
    ("requeue", "jobs are queued again in any case"),
    ("wait", "the command returns when the jobs are submitted"),
    ("wrap", "the script is the program's own"),
];

/// Options that the job of the comparison shares with those of the runs: where it may run, and whose account pays. It needs
/// no graphics card and little memory.
const OF_COMPARISON: [&str; 8] = [
    "account",
    "clusters",
    "constraint",
    "export",
    "partition",
    "qos",
    "reservation",
    "time",
];

/// The signal by which Slurm tells a job that its time will be over, and how many seconds before. `B:` sends it to the
/// script, whose place the program takes.
const SIGNAL: &str = "B:USR1@120";

/// Options of sbatch by their long names, each with its value; the value is empty where the option takes none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings(Vec<(String, String)>);

impl Settings {
    /// Checks options; later ones replace earlier ones of the same name.
    ///
    /// # Errors
    /// Names the option that is none, is the program's own, or whose value cannot stand on a line.
    pub fn new(options: &[(String, String)]) -> Result<Self, SlurmError> {
        let mut kept: Vec<(String, String)> = vec![("signal".to_owned(), SIGNAL.to_owned())];
        for (name, value) in options {
            check(name, value).map_err(SlurmError::Option)?;
            match kept.iter_mut().find(|(known, _)| known == name) {
                Some((_, old)) => old.clone_from(value),
                None => kept.push((name.clone(), value.clone())),
            }
        }
        Ok(Self(kept))
    }

    /// Reads `NAME=VALUE`, or `NAME` alone for an option without a value.
    pub fn split(text: &str) -> (String, String) {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        (name.to_owned(), value.to_owned())
    }

    /// The value of an option.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// All options of the jobs of runs.
    pub(super) fn of_runs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The options of the job that compares the runs.
    pub(super) fn of_comparison(&self) -> impl Iterator<Item = (&str, &str)> {
        self.of_runs()
            .filter(|(name, _)| OF_COMPARISON.contains(name))
    }
}

fn check(name: &str, value: &str) -> Result<(), String> {
    let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !is_name {
        return Err(format!(
            "`{name}` is no option of sbatch; write its long name without the dashes, such as partition=gpu"
        ));
    }
    if let Some((_, why)) = OWN.iter().find(|(own, _)| *own == name) {
        return Err(format!("`{name}` cannot be set: {why}"));
    }
    if value.chars().any(char::is_control) {
        return Err(format!(
            "the value of `{name}` has a line break or another control character; write it on one line"
        ));
    }
    let is_seconds = |text: &str| text.parse::<u16>().is_ok();
    if name == "signal" && !value.strip_prefix("B:USR1@").is_some_and(is_seconds) {
        return Err(format!(
            "`signal` must be B:USR1@ and the seconds that a step, an evaluation or a probe may take, such as {SIGNAL}"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(options: &[&str]) -> Result<Settings, String> {
        let options: Vec<_> = options.iter().map(|text| Settings::split(text)).collect();
        Settings::new(&options).map_err(|error| error.to_string())
    }

    #[test]
    fn later_options_replace_earlier_ones() {
        let kept = settings(&["partition=a", "exclusive", "comment=x=y", "partition=b"]).unwrap();
        let options: Vec<_> = kept.of_runs().collect();
        assert_eq!(
            options,
            [
                ("signal", SIGNAL),
                ("partition", "b"),
                ("exclusive", ""),
                ("comment", "x=y")
            ]
        );
        let compared: Vec<_> = kept.of_comparison().collect();
        assert_eq!(compared, [("partition", "b")]);
    }

    #[test]
    fn what_cannot_stand_in_a_script_is_refused() {
        for (option, named) in [
            ("array=0-3", "`array` cannot be set"),
            ("output=x", "`output` cannot be set"),
            ("-p=gpu", "is no option of sbatch"),
            ("Partition=gpu", "is no option of sbatch"),
            ("comment x=1", "is no option of sbatch"),
            ("=1", "is no option of sbatch"),
            ("comment=a\n#SBATCH --uid=0", "line break"),
            ("comment=a\r#SBATCH", "line break"),
            ("signal=USR1@120", "B:USR1@"),
            ("signal=B:USR1@x", "B:USR1@"),
        ] {
            let said = settings(&[option]).unwrap_err();
            assert!(
                said.contains(named) && !said.contains('\n'),
                "{option}: {said}"
            );
        }
        assert!(settings(&["signal=B:USR1@600"]).is_ok());
    }
}
