//! `compare`: a baseline against other groups of runs.

use std::path::{Path, PathBuf};

use clap::Args;

use super::batch_norm::BatchNormArguments;
use super::output::{Usage, print_table, say, say_json};
use crate::compare::contrast::{
    CompareError, Contrast, Row, difference_text, mean_text, probability, remark,
};
use crate::compare::{Comparison, Member};
use crate::run::{BatchNorm, Run, log};

/// Most characters of a name in a table; longer names are cut, so that tables keep to 100 columns.
const LONGEST_NAME: usize = 21;

/// Arguments of `compare`.
#[derive(Debug, Args)]
pub struct CompareArguments {
    /// Run directories, or folders of them. Runs that differ in nothing but the seed are one group.
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// The group that the others are compared to, by its name or by one of its runs. By default the group without
    /// attention, else the first.
    #[arg(long, value_name = "GROUP|RUN")]
    baseline: Option<String>,
    /// As JSON, with every value.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    batch_norm: BatchNormArguments,
}

impl CompareArguments {
    /// The runs and folders that are named.
    pub(super) fn runs_mut(&mut self) -> &mut Vec<PathBuf> {
        &mut self.runs
    }
}

pub(super) fn compare(arguments: &CompareArguments) -> anyhow::Result<()> {
    let baseline = arguments.baseline.as_deref();
    let CompareArguments {
        json, batch_norm, ..
    } = *arguments;
    compare_runs(&arguments.runs, baseline, batch_norm, json)
}

/// Compares all runs of a folder; where they are all in one group, prints the scores of each run.
pub(super) fn show(folder: &Path) -> anyhow::Result<()> {
    let measure = BatchNormArguments::default();
    match compare_runs(&[folder.to_owned()], None, measure, false) {
        Err(error) if matches!(error.downcast_ref(), Some(CompareError::OneGroup(_))) => {
            super::summary::summary(&directories(folder), false, measure)
        }
        shown => shown,
    }
}

fn compare_runs(
    paths: &[PathBuf],
    baseline: Option<&str>,
    measure: BatchNormArguments,
    json: bool,
) -> anyhow::Result<()> {
    let mut runs: Vec<(PathBuf, String, Run)> = Vec::new();
    let mut notes = Vec::new();
    for dir in paths.iter().flat_map(|path| directories(path)) {
        let loaded = log::load(&dir)?;
        let name = free_name(&dir, &runs);
        notes.extend(loaded.notes.iter().map(|note| format!("{name}: {note}")));
        runs.push((dir, name, loaded.run));
    }
    let named = baseline.map(|asked| {
        let is_asked = |(dir, _, _): &&(PathBuf, String, Run)| same(dir, Path::new(asked));
        let run = runs.iter().find(is_asked);
        run.map_or(asked, |(_, name, _)| name.as_str())
    });
    let named = named.map(str::to_owned);
    let taking_part = compared(&runs, named.as_deref())?;
    let compared_runs = runs.iter_mut().map(|(_, name, run)| (name.as_str(), run));
    let compared_runs = compared_runs.filter(|(name, _)| taking_part.group_of(name).is_some());
    let lacking = measure.show(compared_runs, BatchNorm::default());
    let mut comparison = compared(&runs, named.as_deref())?;
    comparison.notes.extend(lacking.into_iter().chain(notes));
    if json {
        say_json(&comparison)?;
    } else {
        print(&comparison);
    }
    Ok(())
}

/// The comparison of runs, each with its directory and its name.
fn compared(runs: &[(PathBuf, String, Run)], baseline: Option<&str>) -> anyhow::Result<Comparison> {
    let members = runs.iter().map(|(_, name, run)| Member { name, run });
    let found = Comparison::of(&members.collect::<Vec<_>>(), baseline);
    found.map_err(|error| match error {
        CompareError::UnknownBaseline { .. } => Usage(error.to_string()).into(),
        error @ CompareError::NothingFinished | error @ CompareError::OneGroup(_) => {
            anyhow::Error::from(error)
        }
    })
}

/// The given run directory itself, or the run directories in the given folder.
fn directories(path: &Path) -> Vec<PathBuf> {
    let inside = if log::events_path(path).is_file() {
        Vec::new()
    } else {
        log::runs_in(path)
    };
    // A path that is neither is treated as a run, so that reading it gives the appropriate error.
    if inside.is_empty() {
        vec![path.to_owned()]
    } else {
        inside
    }
}

fn same(dir: &Path, other: &Path) -> bool {
    dir.canonicalize()
        .ok()
        .is_some_and(|dir| other.canonicalize().is_ok_and(|other| dir == other))
}

/// The name of the directory, or its whole path where another run has that name.
fn free_name(dir: &Path, runs: &[(PathBuf, String, Run)]) -> String {
    // The paths `.` and `..` have no name of their own.
    let whole = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    let name = whole.file_name().unwrap_or(whole.as_os_str());
    let name = name.to_string_lossy().into_owned();
    if runs.iter().any(|(_, other, _)| *other == name) {
        dir.display().to_string()
    } else {
        name
    }
}

fn print(comparison: &Comparison) {
    for (at, group) in comparison.groups.iter().enumerate() {
        let seeds: Vec<_> = group.seeds.iter().map(ToString::to_string).collect();
        let role = if at == comparison.baseline {
            "baseline"
        } else {
            "compared"
        };
        say(format!(
            "{role}  {}  (seeds {})",
            group.name,
            seeds.join(", ")
        ));
    }
    let base = &comparison.groups[comparison.baseline].name;
    for (at, &group) in comparison.others().iter().enumerate() {
        let name = &comparison.groups[group].name;
        say(format!(
            "\n{name} − {base}, {} images, {}, last step\nmean ± sd (n); difference with 95 % interval; exact p; p by Holm",
            comparison.images(),
            comparison.batch_norm_in_words()
        ));
        let table = |title: &str, rows: &[Row]| {
            if !rows.is_empty() {
                say("");
                print_rows(title, rows, comparison.baseline, at);
            }
        };
        say(&comparison.headline[0].contrasts[at].sentence);
        table("measure", &comparison.headline);
        table("F1 of class", &comparison.per_class);
        table("interference in layer", &comparison.per_layer);
    }
    if !comparison.notes.is_empty() {
        say("");
    }
    comparison.notes.iter().for_each(say);
}

fn print_rows(title: &str, rows: &[Row], baseline: usize, at: usize) {
    let header = [title, "baseline", "compared", "difference", "p", "Holm"];
    let mut table = vec![header.map(str::to_owned)];
    for row in rows {
        let contrast = &row.contrasts[at];
        let p = contrast.paired.as_ref().and_then(|paired| paired.p);
        table.push([
            cut(&row.name),
            mean_text(&row.values[baseline], row.digits),
            mean_text(&row.values[contrast.group], row.digits),
            difference_text(contrast.paired.as_ref(), row.digits),
            p.map_or("–".to_owned(), probability),
            corrected(contrast),
        ]);
    }
    print_table(&table);
    // Macro-F1 is a family of its own, so it does not count for the remark about the other rows.
    let family = match rows {
        [first, others @ ..] if first.name == "macro-F1" => others,
        rows => rows,
    };
    if let Some(remark) = remark(family, at) {
        say(remark);
    }
}

/// The corrected p, with a star where the difference is significant.
fn corrected(contrast: &Contrast) -> String {
    let star = if contrast.significant == Some(true) {
        " *"
    } else {
        ""
    };
    let p = contrast.corrected_p.map_or("–".to_owned(), probability);
    format!("{p}{star}")
}

fn cut(name: &str) -> String {
    if name.chars().count() <= LONGEST_NAME {
        return name.to_owned();
    }
    let kept: String = name.chars().take(LONGEST_NAME - 1).collect();
    format!("{kept}…")
}
