//! The experiment being set up: the configuration, the texts as typed, and the counts of images in the data.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::config::{Attention, DataSource, Field, RunConfig};
use crate::data::{Pair, Plan, Summary};
use crate::run::log::new_run_dir;
use crate::text::grouped;
use crate::train::cadence::Cadence;
use crate::ui::state::queue::Job;
use crate::ui::state::settings::Experiment;

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
    /// The part of the configuration that was checked, or is being checked: see [`scan_key`].
    of: Option<RunConfig>,
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

    /// Switches between the built-in data and the image folder, whose path is taken as typed.
    pub(crate) fn use_folder(&mut self, folder: bool) {
        self.config.data = if folder {
            DataSource::Folder(PathBuf::from(self.folder.trim()))
        } else {
            DataSource::Solar
        };
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
    /// or were being checked, or are not counted yet.
    pub(crate) fn check_due(&mut self) -> Option<(RunConfig, Arc<AtomicBool>)> {
        let wanted = self.scan.wanted.as_ref()?;
        let is_counted = matches!(self.scan.result, Some(Ok(_)));
        let is_folder = matches!(wanted.data, DataSource::Folder(_));
        if !is_counted || !is_folder || self.check.of.as_ref() == Some(wanted) {
            return None;
        }
        self.stop_checking();
        self.check = Check {
            of: Some(wanted.clone()),
            ..Check::default()
        };
        Some((self.config.clone(), self.check.is_cancelled.clone()))
    }

    /// Ends the check that is under way, since training needs the processor and reads the images anyway.
    pub(crate) fn stop_checking(&self) {
        self.check.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// Takes in what a check has found, unless other data was chosen meanwhile.
    pub(crate) fn checked(&mut self, config: &RunConfig, found: Checked) {
        if self.check.of.as_ref() == Some(&scan_key(config)) {
            self.check.found = found;
        }
    }

    /// What a check of the chosen images has found; none before it has ended.
    pub(crate) fn found(&self) -> Option<&Checked> {
        (self.check.of == self.scan.wanted).then_some(&self.check.found)
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

/// The configuration with only those fields that decide which images are found, and all others at their defaults.
fn scan_key(config: &RunConfig) -> RunConfig {
    RunConfig {
        data: config.data.clone(),
        splits: config.splits.clone(),
        image_column: config.image_column.clone(),
        label_column: config.label_column.clone(),
        skip_unreadable: config.skip_unreadable,
        ..RunConfig::default()
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
mod tests {
    use super::*;

    #[test]
    fn typed_text_is_checked() {
        let mut draft = Draft::new(Path::new("runs"));
        let epochs = Field::named("epochs").unwrap();
        draft.typed(epochs, "ten".to_owned());
        assert_eq!(draft.text_of(epochs), "ten");
        assert_eq!(draft.config.epochs, 10, "the last readable value stays");
        assert!(draft.problems()[0].1.contains("whole number"));
        draft.typed(epochs, "0".to_owned());
        assert!(draft.problems()[0].1.contains("between 1"));
        draft.typed(epochs, " 3 ".to_owned());
        assert!(draft.problems().is_empty() && draft.config.epochs == 3);
        draft
            .variants
            .iter_mut()
            .for_each(|variant| variant.1 = false);
        assert_eq!(draft.problems()[0].0, "variants");
    }

    #[test]
    fn the_cadence_is_said_in_words() {
        let said = |every, steps_per_probe, steps| {
            let cadence = Cadence {
                steps_per_probe,
                every,
            };
            in_words(&cadence, steps)
        };
        // Steps 0, 180, 360, …, 1980 and 2000.
        assert_eq!(
            said(Some(180), 19.6, 2000),
            "A probe every 180 steps, about 13 in this run; a probe costs about 20 steps."
        );
        assert_eq!(
            said(Some(1), 0.25, 40),
            "A probe every step, about 41 in this run; a probe costs about 0.2 steps."
        );
        for every in [None, Some(40), Some(100)] {
            assert_eq!(
                said(every, 12.0, 40),
                "Probes at step 0, the best and the last step; a probe costs about 12 steps."
            );
        }
        // Nothing is said before the images are counted.
        assert_eq!(Draft::new(Path::new("runs")).cadence(), None);
    }

    #[test]
    fn fields_of_gates_apply_where_any_chosen_network_has_gates() {
        let mut draft = Draft::new(Path::new("runs"));
        let decay = Field::named("gate_decay").unwrap();
        assert!(decay.applies(&draft.as_trained()));
        for (attention, chosen) in &mut draft.variants {
            *chosen = !matches!(attention, Attention::Branch | Attention::Shared);
        }
        assert!(!decay.applies(&draft.as_trained()));
    }

    #[test]
    fn jobs_go_to_directories_of_their_own() -> std::io::Result<()> {
        let parent = tempfile::tempdir()?;
        let draft = Draft::new(parent.path());
        let names = |jobs: &[Job]| -> Vec<String> {
            let name = |job: &Job| {
                job.dir()
                    .file_name()
                    .map(|x| x.to_string_lossy().into_owned())
            };
            jobs.iter().filter_map(name).collect()
        };
        let first = draft.jobs(&[]);
        assert_eq!(names(&first), ["solar-none", "solar-branch"]);
        std::fs::create_dir(first[0].dir())?;
        assert_eq!(names(&draft.jobs(&[])), ["solar-none-2", "solar-branch"]);
        let taken = [first[1].dir().to_owned()];
        let names = names(&draft.jobs(&taken));
        assert_eq!(names, ["solar-none-2", "solar-branch-2"]);
        Ok(())
    }
}
