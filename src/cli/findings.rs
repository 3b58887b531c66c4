//! `findings`: the facts about a run that stand out beyond noise.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::batch_norm::BatchNormArguments;
use super::output::{fail, say, say_json};
use crate::findings;
use crate::run::probe_file::ProbeTensors;
use crate::run::{BatchNorm, log};
use crate::text::visible;

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
    #[command(flatten)]
    batch_norm: BatchNormArguments,
}

impl FindingsArguments {
    /// The runs that are named.
    pub(super) fn runs_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        [&mut self.run].into_iter().chain(&mut self.against)
    }
}

pub(super) fn findings(arguments: &FindingsArguments) -> anyhow::Result<()> {
    let dirs: Vec<&PathBuf> = [&arguments.run]
        .into_iter()
        .chain(&arguments.against)
        .collect();
    let loaded = dirs.iter().map(|dir| Ok(log::load(dir)?.run));
    let mut loaded = loaded.collect::<anyhow::Result<Vec<_>>>()?;
    let names: Vec<String> = dirs.iter().map(|dir| dir.display().to_string()).collect();
    let shown = names.iter().map(String::as_str).zip(&mut loaded);
    let lacking = arguments.batch_norm.show(shown, BatchNorm::default());
    let mut runs = Vec::new();
    for (dir, run) in dirs.iter().zip(loaded) {
        let classes = run.started.as_ref().map_or(0, |x| x.classes.len());
        let mut probes = BTreeMap::new();
        for probe in run.probes.iter().rev().take(findings::HISTORY) {
            // A probe that cannot be used is left out; the others still have their findings.
            match ProbeTensors::load(&dir.join(&probe.file), classes, run.batch_norm()) {
                Ok(tensors) => {
                    probes.insert(probe.step, Arc::new(tensors));
                }
                Err(error) => {
                    fail(&format!("a probe is left out: {error}"));
                }
            }
        }
        let logits = findings::EndLogits::read(dir, &run);
        runs.push((run, probes, logits));
    }
    let subjects: Vec<_> = runs
        .iter()
        .map(|(run, probes, logits)| findings::Subject {
            run,
            probes,
            logits,
        })
        .collect();
    let found = findings::find(&subjects);
    if arguments.json {
        say_json(&found)?;
        return Ok(());
    }
    lacking.iter().for_each(say);
    if found.is_empty() {
        say("Nothing stands out beyond noise so far.");
    }
    for finding in &found {
        let run = match dirs.get(finding.evidence.run) {
            Some(dir) if dirs.len() > 1 => format!("{}: ", dir.display()),
            _ => String::new(),
        };
        say(format!(
            "{}{}.\n    {}",
            visible(&run),
            visible(&finding.sentence),
            visible(&finding.detail)
        ));
        if let Some(run) = dirs
            .get(finding.evidence.run)
            .filter(|_| !finding.next.is_empty())
        {
            say(format!(
                "    To try: crosscurrent train {}",
                again(run, &finding.next)
            ));
        }
    }
    Ok(())
}

/// The arguments with which a run is trained anew, with these settings in place of its own.
fn again(run: &Path, settings: &[findings::Setting]) -> String {
    let config = run.join("run.toml");
    let mut words = format!("--config {}", shell_word(&config.display().to_string()));
    for findings::Setting { field, value } in settings {
        words.push_str(&format!(" --{} {value}", field.replace('_', "-")));
    }
    words
}

/// A text as one word of a shell, as it is where it has no character that a shell might take for something else.
fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_to_try_is_quoted_for_the_shell() {
        let settings = [findings::Setting {
            field: "loss",
            value: "focal".to_owned(),
        }];
        let plain = again(Path::new("runs/solar-none_0.1"), &settings);
        assert_eq!(plain, "--config runs/solar-none_0.1/run.toml --loss focal");
        let odd = again(Path::new("my runs/it's $1"), &[]);
        assert_eq!(odd, r"--config 'my runs/it'\''s $1/run.toml'");
    }
}
