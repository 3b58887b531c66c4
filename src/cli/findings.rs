//! `findings`: the facts about a run that stand out beyond noise.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::output::say;
use crate::findings;
use crate::run::log;
use crate::run::probe_file::ProbeTensors;

/// Arguments of `findings`.
#[derive(Debug, Args)]
pub struct FindingsArguments {
    /// The run directory.
    run: PathBuf,
    /// A second run: findings of both, and what attention changes where they differ in nothing else.
    #[arg(long, value_name = "RUN")]
    against: Option<PathBuf>,
    /// As JSON, one object for each finding.
    #[arg(long)]
    json: bool,
}

pub(super) fn findings(arguments: &FindingsArguments) -> anyhow::Result<()> {
    let dirs: Vec<&PathBuf> = [&arguments.run]
        .into_iter()
        .chain(&arguments.against)
        .collect();
    let mut runs = Vec::new();
    for dir in &dirs {
        let run = log::load(dir)?.run;
        let classes = run.started.as_ref().map_or(0, |x| x.classes.len());
        let mut probes = BTreeMap::new();
        for probe in run.probes.iter().rev().take(findings::HISTORY) {
            let tensors = ProbeTensors::load(&dir.join(&probe.file), classes, run.batch_norm())?;
            probes.insert(probe.step, Arc::new(tensors));
        }
        runs.push((run, probes));
    }
    let subjects: Vec<_> = runs
        .iter()
        .map(|(run, probes)| findings::Subject { run, probes })
        .collect();
    let found = findings::find(&subjects);
    if arguments.json {
        say(serde_json::to_string_pretty(&found)?);
        return Ok(());
    }
    if found.is_empty() {
        say("Nothing stands out beyond noise so far.");
    }
    for finding in &found {
        let run = match dirs.get(finding.evidence.run) {
            Some(dir) if dirs.len() > 1 => format!("{}: ", dir.display()),
            _ => String::new(),
        };
        say(format!(
            "{run}{}.\n    {}",
            finding.sentence, finding.detail
        ));
    }
    Ok(())
}
