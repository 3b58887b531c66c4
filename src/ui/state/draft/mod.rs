//! The experiment being set up: the configuration, the texts as typed, and the counts of images in the data.
//!
//! keys   the parts of a configuration on which these counts depend

mod keys;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::config::{Attention, DataSource, Field, RunConfig};
use crate::data::{Pair, Plan, Summary};
use crate::findings::Setting;
use crate::run::log::new_run_dir;
use crate::text::grouped;
use crate::train::cadence::Cadence;
use crate::ui::state::queue::Job;
use crate::ui::state::settings::Experiment;
use keys::{check_key, scan_key};

/// Seconds without a keystroke before the data is looked through again.
const SCAN_DELAY_SECS: f64 = 0.4;

/// The experiment being set up.
pub(crate) struct Draft {
    /// The configuration to train; each run takes its `attention` from `variants`.
    pub(crate) config: RunConfig,
    /// The image folder as typed; kept while the built-in data is chosen.
    pub(crate) folder: String,
    /// Every attention variant, in the order of [`Attention::ALL`], and whether it is to be trained.
    pub(crate) variants: Vec<(Attention, bool)>,
    /// Folder that new run directories go to.
    pub(crate) output: String,
    /// The text in the search box among the fields behind “More”.
    pub(crate) search: String,
    /// The texts typed into fields, by field name; absent until a field is edited.
    texts: BTreeMap<&'static str, String>,
    /// Fields whose text cannot be read as a value, with what should be written instead.
    unreadable: BTreeMap<&'static str, String>,
    scan: Scan,
    check: Check,
}

/// The check whether every image in the chosen folder can be decoded, which takes longer than counting them.
#[derive(Default)]
struct Check {
    /// The part of the configuration that was checked, or is being checked: see [`check_key`].
    of: Option<RunConfig>,
    /// The part that is to be checked, and when it last changed, in window seconds.
    wanted: Option<(RunConfig, f64)>,
    /// Set to end the check that is under way.
    is_cancelled: Arc<AtomicBool>,
    found: Checked,
}

/// What a check of all images has found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Checked {
    /// Sentences about how the images were read.
    pub(crate) notes: Vec<String>,
    /// Sentences about images that are there more than once.
    pub(crate) repeated: Vec<String>,
    /// Images that cannot be decoded, a sentence each.
    pub(crate) unreadable: Vec<String>,
    /// Images with the same pixels, as many as are listed.
    pub(crate) pairs: Vec<Pair>,
}

impl Checked {
    /// Pairs that are listed, at most.
    pub(crate) const PAIRS: usize = 500;
}

/// The search for images in the chosen data.
#[derive(Default)]
struct Scan {
    /// The part of the configuration that the result belongs to: see [`scan_key`].
    wanted: Option<RunConfig>,
    /// When `wanted` last changed, in window seconds; `None` once the search was asked for.
    waits_since: Option<f64>,
    result: Option<Result<Arc<Summary>, String>>,
}

/// The contents of the preview: class-count bars, or a sentence in their place.
pub(crate) enum Preview {
    /// No data is chosen yet; the sentence says what to do.
    Nothing(&'static str),
    /// The data is being looked through.
    Looking,
    /// The data cannot be used; the sentence says why.
    Problem(String),
    /// The classes of the data, and the images of each in every split.
    Counts(Arc<Summary>, Plan),
}

impl Draft {
    pub(crate) fn new(output: &Path) -> Self {
        let variants = Attention::ALL.iter().map(|&attention| {
            let chosen = matches!(attention, Attention::None | Attention::Branch);
            (attention, chosen)
        });
        Self {
            config: RunConfig::default(),
            folder: String::new(),
            variants: variants.collect(),
            output: output.display().to_string(),
            search: String::new(),
            texts: BTreeMap::new(),
            unreadable: BTreeMap::new(),
            scan: Scan::default(),
            check: Check::default(),
        }
    }

    /// What is kept of the experiment for the next start.
    pub(crate) fn kept(&self) -> Experiment {
        Experiment {
            folder: self.folder.clone(),
            uses_folder: matches!(self.config.data, DataSource::Folder(_)),
            imbalance: self.config.imbalance,
            epochs: self.config.epochs,
        }
    }

    /// Sets up the experiment with what was kept of the last one.
    pub(crate) fn restore(&mut self, kept: Experiment) {
        self.folder = kept.folder;
        self.config.imbalance = kept.imbalance;
        self.config.epochs = kept.epochs;
        self.use_folder(kept.uses_folder);
    }

    /// The text of a field as the user typed it, or as its value is written.
    pub(crate) fn text_of(&self, field: &Field) -> String {
        let text = self.texts.get(field.name).cloned();
        text.unwrap_or_else(|| field.text(&self.config))
    }

    /// Takes in a field's new text. If it cannot be read as a value, the configuration keeps the last value that could.
    pub(crate) fn typed(&mut self, field: &Field, text: String) {
        match field.set(&mut self.config, text.trim()) {
            Ok(()) => self.unreadable.remove(field.name),
            Err(reason) => self.unreadable.insert(field.name, reason),
        };
        self.texts.insert(field.name, text);
    }

    /// Takes over the configuration of a run, with `settings` in place of its own.
    ///
    /// # Errors
    /// Where a setting cannot be read as a value of its field; the draft then stays as it was.
    pub(crate) fn set_up(
        &mut self,
        mut config: RunConfig,
        settings: &[Setting],
    ) -> Result<(), String> {
        for Setting { field, value } in settings {
            let known =
                Field::named(field).ok_or_else(|| format!("there is no field `{field}`"))?;
            known
                .set(&mut config, value)
                .map_err(|reason| format!("{field}: {reason}"))?;
        }
        for (attention, chosen) in &mut self.variants {
            *chosen = *attention == config.attention;
        }
        if let DataSource::Folder(path) = &config.data {
            self.folder = path.display().to_string();
        }
        self.texts.clear();
        self.unreadable.clear();
        // Which networks are trained is what `variants` says alone.
        self.config = RunConfig {
            attention: Attention::None,
            ..config
        };
        Ok(())
    }

    /// The configuration that decides which fields have an effect: with a network that has attention gates, if one is
    /// chosen, else with any other than the baseline.
    pub(crate) fn as_trained(&self) -> RunConfig {
        let chosen = self.variants.iter().filter(|(_, chosen)| *chosen);
        let chosen: Vec<Attention> = chosen.map(|(attention, _)| *attention).collect();
        let gated = chosen.iter().find(|x| x.has_gates());
        let other = || chosen.iter().find(|x| **x != Attention::None);
        RunConfig {
            attention: gated.or_else(other).copied().unwrap_or(Attention::None),
            ..self.config.clone()
        }
    }

    /// The configuration of each chosen network; that of the baseline where none is chosen.
    pub(crate) fn chosen(&self) -> Vec<RunConfig> {
        let chosen = self.variants.iter().filter(|(_, chosen)| *chosen);
        let with = |attention| RunConfig {
            attention,
            ..self.config.clone()
        };
        let mut all: Vec<RunConfig> = chosen.map(|(attention, _)| with(*attention)).collect();
        if all.is_empty() {
            all.push(with(Attention::None));
        }
        all
    }

    /// Switches between the built-in data and the image folder, whose path is taken as typed.
    pub(crate) fn use_folder(&mut self, folder: bool) {
        self.config.data = if folder {
            DataSource::Folder(PathBuf::from(self.folder.trim()))
        } else {
            DataSource::Solar
        };
    }

    /// Uses the image folder, and looks through it even if it was the one before: the user may have changed its images.
    pub(crate) fn use_folder_anew(&mut self) {
        self.stop_checking();
        self.scan = Scan::default();
        self.check = Check::default();
        self.use_folder(true);
    }

    /// Everything that stands in the way of a start, by field of [`RunConfig`] (or `variants`, `output`).
    pub(crate) fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems: Vec<_> = self.unreadable.clone().into_iter().collect();
        // What one of the chosen networks cannot work with stands in the way of all.
        let chosen = self.variants.iter().filter(|(_, chosen)| *chosen);
        let none = self.config.attention;
        for attention in chosen.map(|(attention, _)| *attention).chain([none]) {
            let config = RunConfig {
                attention,
                ..self.config.clone()
            };
            for error in config.validate() {
                let problem = match error.field {
                    "attention" => ("variants", error.message),
                    field => (field, error.message),
                };
                if !problems.contains(&problem) {
                    problems.push(problem);
                }
            }
        }
        if !self.variants.iter().any(|(_, chosen)| *chosen) {
            problems.push(("variants", "choose at least one network".to_owned()));
        }
        if self.output.trim().is_empty() {
            problems.push(("output", "name a folder for the new runs".to_owned()));
        }
        problems
    }

    /// A sentence that says why training cannot be started; `None` if it can be.
    pub(crate) fn reason_not_to_start(&self) -> Option<String> {
        if let Some((field, message)) = self.problems().into_iter().next() {
            return Some(format!("{}: {message}", label_of(field)));
        }
        match &self.scan.result {
            Some(Err(sentence)) => Some(sentence.clone()),
            None => Some("The data is being looked through; a moment.".to_owned()),
            Some(Ok(_)) => None,
        }
    }

    /// The jobs of one press on Start: the chosen variants, one after the other, each in a new directory that is not
    /// among those `taken` by jobs that have not begun.
    pub(crate) fn jobs(&self, taken: &[PathBuf]) -> Vec<Job> {
        let parent = self.output_dir();
        let chosen = self.variants.iter().filter(|(_, chosen)| *chosen);
        let job = |&(attention, _): &(Attention, bool)| {
            let config = RunConfig {
                attention,
                ..self.config.clone()
            };
            Job::Train {
                dir: new_run_dir(&parent, &config, taken),
                config: Box::new(config),
            }
        };
        chosen.map(job).collect()
    }

    /// Whether one of these jobs trains a network that a press on Start would train once more, with the same
    /// configuration and seed.
    pub(crate) fn is_among<'a>(&self, jobs: impl IntoIterator<Item = &'a Job>) -> bool {
        let chosen = self.variants.iter().filter(|(_, chosen)| *chosen);
        let configs = chosen.map(|&(attention, _)| RunConfig {
            attention,
            ..self.config.clone()
        });
        let configs: Vec<_> = configs.collect();
        let is_same = |job: &Job| match job {
            Job::Resume { .. } | Job::Fork { .. } => false,
            Job::Train { config, .. } => configs.contains(config),
        };
        jobs.into_iter().any(is_same)
    }

    /// The folder that new run directories go to.
    pub(crate) fn output_dir(&self) -> PathBuf {
        absolute(Path::new(self.output.trim()))
    }

    /// The preview of the data under the present configuration.
    pub(crate) fn preview(&self) -> Preview {
        if self.folder_is_missing() {
            return Preview::Nothing(
                "Choose the folder that holds one subfolder of images per class.",
            );
        }
        match &self.scan.result {
            None => Preview::Looking,
            Some(Err(sentence)) => Preview::Problem(sentence.clone()),
            Some(Ok(summary)) => Preview::Counts(summary.clone(), summary.plan(&self.config)),
        }
    }

    /// How often class gradients are measured in a run with the present configuration, and what that costs, in words;
    /// `None` until the images are counted.
    pub(crate) fn cadence(&self) -> Option<String> {
        let Preview::Counts(_, plan) = self.preview() else {
            return None;
        };
        let config = self.as_trained();
        let images: usize = plan.train.iter().sum();
        let steps_per_epoch = images.div_ceil(config.batch.max(1)) as u64;
        let steps = steps_per_epoch * u64::from(config.epochs);
        (steps > 0).then(|| in_words(&Cadence::of(&config, &plan.train), steps))
    }

    /// The configuration whose data is to be searched for images now; `None` if no search is due. `now` is in window
    /// seconds.
    pub(crate) fn scan_due(&mut self, now: f64) -> Option<RunConfig> {
        let key = scan_key(&self.config);
        if self.scan.wanted.as_ref() != Some(&key) {
            let is_first = self.scan.wanted.is_none();
            self.scan = Scan {
                wanted: Some(key),
                waits_since: Some(if is_first { f64::NEG_INFINITY } else { now }),
                result: None,
            };
        }
        let is_due = self
            .scan
            .waits_since
            .is_some_and(|since| now - since >= SCAN_DELAY_SECS);
        if !is_due || self.folder_is_missing() {
            return None;
        }
        self.scan.waits_since = None;
        self.scan.wanted.clone()
    }

    /// Seconds until [`Self::scan_due`] gives a configuration; `None` if no search is planned.
    pub(crate) fn scan_waits(&self, now: f64) -> Option<f64> {
        let since = self
            .scan
            .waits_since
            .filter(|_| !self.folder_is_missing())?;
        Some((since + SCAN_DELAY_SECS - now).max(0.01))
    }

    /// Takes in the result of a search, unless other data was chosen meanwhile.
    pub(crate) fn scanned(&mut self, config: &RunConfig, result: Result<Arc<Summary>, String>) {
        if self.scan.wanted.as_ref() == Some(config) {
            self.scan.result = Some(result);
        }
    }

    /// The configuration whose images are to be decoded for a check now, with the flag that ends it; `None` if they are
    /// or were being checked, are not counted yet, or the configuration has just been changed.
    pub(crate) fn check_due(&mut self, now: f64) -> Option<(RunConfig, Arc<AtomicBool>)> {
        let key = check_key(&self.config);
        let is_counted = matches!(self.scan.result, Some(Ok(_)));
        let is_folder = matches!(key.data, DataSource::Folder(_));
        if !is_counted || !is_folder || self.check.of.as_ref() == Some(&key) {
            self.check.wanted = None;
            return None;
        }
        // The first check need not wait; what is typed into a field afterwards is waited for.
        let is_first = self.check.of.is_none();
        let since = match &self.check.wanted {
            Some((wanted, since)) if *wanted == key => *since,
            _ if is_first => f64::NEG_INFINITY,
            _ => now,
        };
        self.check.wanted = Some((key.clone(), since));
        if now - since < SCAN_DELAY_SECS {
            return None;
        }
        self.stop_checking();
        self.check = Check {
            of: Some(key),
            ..Check::default()
        };
        Some((self.config.clone(), self.check.is_cancelled.clone()))
    }

    /// Ends the check that is under way, since training needs the processor and reads the images anyway.
    pub(crate) fn stop_checking(&self) {
        self.check.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// Seconds until [`Self::check_due`] gives a configuration; `None` if no check waits for the typing to end.
    pub(crate) fn check_waits(&self, now: f64) -> Option<f64> {
        let (_, since) = self.check.wanted.as_ref()?;
        Some((since + SCAN_DELAY_SECS - now).max(0.01))
    }

    /// Takes in what a check has found, unless other data was chosen meanwhile.
    pub(crate) fn checked(&mut self, config: &RunConfig, found: Checked) {
        if self.check.of.as_ref() == Some(&check_key(config)) {
            self.check.found = found;
        }
    }

    /// Takes in that a check has found nothing out: if it was ended, it is due again; if the images cannot be read, Start
    /// says why.
    pub(crate) fn not_checked(&mut self, config: &RunConfig) {
        let is_of_these = self.check.of.as_ref() == Some(&check_key(config));
        if is_of_these && self.check.is_cancelled.load(Ordering::Relaxed) {
            self.check = Check::default();
        }
    }

    /// What a check of the chosen images has found; none before it has ended.
    pub(crate) fn found(&self) -> Option<&Checked> {
        let is_of_these = self.check.of.as_ref() == Some(&check_key(&self.config));
        is_of_these.then_some(&self.check.found)
    }

    fn folder_is_missing(&self) -> bool {
        matches!(&self.config.data, DataSource::Folder(path) if path.as_os_str().is_empty())
    }
}

/// How often a run of this many optimiser steps is probed, and the cost of a probe. Step 0 and the last step are probed
/// in any case; the best step, too, which the number of probes leaves out, since it may be one of the others.
fn in_words(cadence: &Cadence, steps: u64) -> String {
    let cost = cadence.steps_per_probe;
    let digits = usize::from(cost < 10.0);
    let cost = format!("a probe costs about {cost:.digits$} steps");
    match cadence.every.filter(|&every| every < steps) {
        None => format!("Probes at step 0, the best and the last step; {cost}."),
        Some(every) => {
            let probes = 1 + steps.div_ceil(every);
            let often = match every {
                1 => "every step".to_owned(),
                every => format!("every {} steps", grouped(every)),
            };
            let probes = grouped(probes);
            format!("A probe {often}, about {probes} in this run; {cost}.")
        }
    }
}

/// The name on screen of a field of the configuration or of the setup panel; other names are given back as they are.
pub(crate) fn label_of(field: &str) -> &str {
    match Field::named(field) {
        Some(known) => known.label,
        None => match field {
            "variants" => "Networks",
            "output" => "Save runs in",
            _ => field,
        },
    }
}

/// The absolute path, so that a run has one path however it was opened.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests;
