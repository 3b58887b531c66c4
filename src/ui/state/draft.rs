//! The experiment being set up: the configuration, the texts as typed, and what was found in the data.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use crate::config::{Attention, DataSource, RunConfig};
use crate::data::{Plan, Summary};
use crate::run::log::new_run_dir;
use crate::ui::state::queue::Job;

/// Seconds without a keystroke before the data is looked through again.
const SCAN_DELAY_SECS: f64 = 0.4;

/// The experiment being set up.
pub(crate) struct Draft {
    /// What would be trained; `attention` is set per run from `variants`.
    pub(crate) config: RunConfig,
    /// The image folder as typed; kept while the built-in data is chosen.
    pub(crate) folder: String,
    /// Which attention variants to train, in the order of [`Attention::ALL`].
    pub(crate) variants: Vec<(Attention, bool)>,
    /// Folder that new run directories go to.
    pub(crate) output: String,
    /// Typed fields as they stand, by field name; absent until edited.
    texts: BTreeMap<&'static str, String>,
    /// Fields whose text is no value at all.
    unreadable: BTreeMap<&'static str, String>,
    scan: Scan,
}

/// What is known of the chosen data.
#[derive(Default)]
struct Scan {
    /// The part of the configuration that the result belongs to.
    wanted: Option<RunConfig>,
    /// When `wanted` last changed, in window seconds, and it was not yet asked for.
    waits_since: Option<f64>,
    result: Option<Result<Arc<Summary>, String>>,
}

/// What the class-count bars show.
pub(crate) enum Preview {
    /// Nothing to look at yet; the sentence says what to do.
    Nothing(&'static str),
    /// The data is being looked through.
    Looking,
    /// It cannot be used; the sentence says why.
    Problem(String),
    /// Images per class.
    Counts(Arc<Summary>, Plan),
}

/// A field that is typed as text.
pub(crate) struct TextField {
    /// The field of [`RunConfig`], as in TOML.
    pub(crate) name: &'static str,
    /// What it is called on screen.
    pub(crate) label: &'static str,
    /// What it means, with unit and range.
    pub(crate) help: &'static str,
    /// Shown while the field is empty.
    pub(crate) hint: &'static str,
    get: fn(&RunConfig) -> String,
    set: fn(&mut RunConfig, &str) -> Result<(), String>,
}

/// The fields that everyone sets.
pub(crate) const MAIN_FIELDS: &[TextField] = &[
    TextField {
        name: "epochs",
        label: "Epochs",
        help: "How often training passes over all training images. More epochs take proportionally longer.",
        hint: "10",
        get: |config| config.epochs.to_string(),
        set: |config, text| whole(text).map(|value| config.epochs = value),
    },
    TextField {
        name: "batch",
        label: "Batch size",
        help: "Images per optimiser step. Larger batches give smoother gradients and fewer steps per epoch.",
        hint: "128",
        get: |config| config.batch.to_string(),
        set: |config, text| whole(text).map(|value| config.batch = value),
    },
    TextField {
        name: "lr",
        label: "Learning rate",
        help: "Peak step size of SGD with momentum. It rises linearly during the first 5 % of steps and then falls as a cosine to 0.",
        hint: "0.1",
        get: |config| config.lr.to_string(),
        set: |config, text| number(text).map(|value| config.lr = value),
    },
    TextField {
        name: "seed",
        label: "Seed",
        help: "Decides initial weights, image order and augmentation. Both runs of a pair use it, so that every weight they share starts equal.",
        hint: "0",
        get: |config| config.seed.to_string(),
        set: |config, text| whole(text).map(|value| config.seed = value),
    },
];

/// The fields behind “More”.
pub(crate) const MORE_FIELDS: &[TextField] = &[
    TextField {
        name: "size",
        label: "Image size",
        help: "Images are resized to this width × height in pixels. Empty: their own size where all agree and it is at most 64×64, else 32×32.",
        hint: "own size",
        get: |config| optional(config.size),
        set: |config, text| maybe(text).map(|value| config.size = value),
    },
    TextField {
        name: "channels",
        label: "Colour channels",
        help: "1 for grey, 3 for colour. Empty: grey where every image is grey, else colour.",
        hint: "as the images",
        get: |config| optional(config.channels),
        set: |config, text| maybe_whole(text).map(|value| config.channels = value),
    },
    TextField {
        name: "val",
        label: "Validation images",
        help: "Validation images per class, taken from the training images. Empty: up to 100 per class of balanced data, 10 % of unbalanced data. 0: none, and the last epoch is the chosen one.",
        hint: "automatic",
        get: |config| optional(config.val),
        set: |config, text| maybe_whole(text).map(|value| config.val = value),
    },
    TextField {
        name: "data_seed",
        label: "Data seed",
        help: "Decides which images are kept, how they are split and which ones are probed. Keep it while you vary the seed, and only the training varies.",
        hint: "0",
        get: |config| config.data_seed.to_string(),
        set: |config, text| whole(text).map(|value| config.data_seed = value),
    },
    TextField {
        name: "eval_every",
        label: "Evaluate every",
        help: "Steps between two evaluations on the validation images. Empty: four times an epoch.",
        hint: "¼ epoch",
        get: |config| optional(config.eval_every),
        set: |config, text| maybe_whole(text).map(|value| config.eval_every = value),
    },
    TextField {
        name: "probe_every",
        label: "Probe every",
        help: "Steps between two measurements of the class gradients, which everything about pulling is drawn from. Empty: twice an epoch.",
        hint: "½ epoch",
        get: |config| optional(config.probe_every),
        set: |config, text| maybe_whole(text).map(|value| config.probe_every = value),
    },
    TextField {
        name: "threads",
        label: "Threads",
        help: "Processor threads used for training. Empty: one per core. The results depend on it in their last digits.",
        hint: "one per core",
        get: |config| optional(config.threads),
        set: |config, text| maybe_whole(text).map(|value| config.threads = value),
    },
];

/// The numbers of what makes rare classes count more.
pub(crate) const BALANCE_FIELDS: &[TextField] = &[
    TextField {
        name: "gamma",
        label: "Focal γ",
        help: "How much less images count that are recognised already: (1 − p)^γ. 0 is plain cross-entropy. Empty: 1.",
        hint: "1",
        get: |config| optional(config.gamma),
        set: |config, text| maybe_number(text).map(|value| config.gamma = value),
    },
    TextField {
        name: "tau",
        label: "τ of the loss",
        help: "How many times ln π is added to the logits while training. Empty: 1, which is Balanced Softmax.",
        hint: "1",
        get: |config| optional(config.tau),
        set: |config, text| maybe_number(text).map(|value| config.tau = value),
    },
    TextField {
        name: "beta",
        label: "β of the weights",
        help: "Effective number of n images: (1 − β^n)/(1 − β). Near 1 it is n, at 0 all classes are alike. Empty: 0.9999.",
        hint: "0.9999",
        get: |config| optional(config.beta),
        set: |config, text| maybe_number(text).map(|value| config.beta = value),
    },
    TextField {
        name: "weights_from",
        label: "Weights from",
        help: "Share of the epochs after which class weights apply (deferred re-weighting). Empty: 0.8 with LDAM, else from the start.",
        hint: "the start",
        get: |config| optional(config.weights_from),
        set: |config, text| maybe_number(text).map(|value| config.weights_from = value),
    },
    TextField {
        name: "post_hoc",
        label: "Post-hoc τ",
        help: "How many times ln π is taken off the logits of the trained network before the largest is chosen. Empty: not at all.",
        hint: "none",
        get: |config| optional(config.post_hoc),
        set: |config, text| maybe_number(text).map(|value| config.post_hoc = value),
    },
];

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
            texts: BTreeMap::new(),
            unreadable: BTreeMap::new(),
            scan: Scan::default(),
        }
    }

    /// The text of a field, to be edited in place and then given to [`Self::typed`].
    pub(crate) fn text_of(&mut self, field: &TextField) -> String {
        let text = self.texts.get(field.name).cloned();
        text.unwrap_or_else(|| (field.get)(&self.config))
    }

    /// Takes in a field's new text.
    pub(crate) fn typed(&mut self, field: &TextField, text: String) {
        match (field.set)(&mut self.config, text.trim()) {
            Ok(()) => self.unreadable.remove(field.name),
            Err(reason) => self.unreadable.insert(field.name, reason),
        };
        self.texts.insert(field.name, text);
    }

    /// Switches between the built-in data and the folder, whose path is as typed.
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
        for error in self.config.validate() {
            problems.push((error.field, error.message));
        }
        if !self.variants.iter().any(|(_, chosen)| *chosen) {
            problems.push(("variants", "choose at least one network".to_owned()));
        }
        if self.output.trim().is_empty() {
            problems.push(("output", "name a folder for the new runs".to_owned()));
        }
        problems
    }

    /// Why Start is off; none where it is on.
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

    /// The jobs of one press on Start: the chosen variants, one after the other, each in a new directory that is none
    /// of those `taken` by jobs that have not begun.
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

    /// The folder that new run directories go to.
    pub(crate) fn output_dir(&self) -> PathBuf {
        absolute(Path::new(self.output.trim()))
    }

    /// What the data looks like under the present configuration.
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

    /// The configuration to look through the data for, once it is due. `now` is in window seconds.
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

    /// Seconds until [`Self::scan_due`] has something to do; none where nothing waits.
    pub(crate) fn scan_waits(&self, now: f64) -> Option<f64> {
        let since = self
            .scan
            .waits_since
            .filter(|_| !self.folder_is_missing())?;
        Some((since + SCAN_DELAY_SECS - now).max(0.01))
    }

    /// Takes in what was found, unless the data was changed meanwhile.
    pub(crate) fn scanned(&mut self, config: &RunConfig, result: Result<Arc<Summary>, String>) {
        if self.scan.wanted.as_ref() == Some(config) {
            self.scan.result = Some(result);
        }
    }

    fn folder_is_missing(&self) -> bool {
        matches!(&self.config.data, DataSource::Folder(path) if path.as_os_str().is_empty())
    }
}

/// The configuration with everything at its default that does not change what is found in the data.
fn scan_key(config: &RunConfig) -> RunConfig {
    RunConfig {
        data: config.data.clone(),
        skip_unreadable: config.skip_unreadable,
        ..RunConfig::default()
    }
}

/// What a field is called on screen.
pub(crate) fn label_of(field: &str) -> &str {
    let known = MAIN_FIELDS.iter().chain(MORE_FIELDS).chain(BALANCE_FIELDS);
    match known.into_iter().find(|known| known.name == field) {
        Some(known) => known.label,
        None => match field {
            "data" => "Images",
            "imbalance" => "Imbalance",
            "variants" => "Networks",
            "output" => "Save runs in",
            _ => field,
        },
    }
}

/// The same path from the root of the file system, so that a run has one name however it was opened.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn whole<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| "write a whole number, such as 10".to_owned())
}

fn number(text: &str) -> Result<f64, String> {
    text.parse()
        .map_err(|_| "write a number, such as 0.1".to_owned())
}

fn maybe_whole<T: FromStr>(text: &str) -> Result<Option<T>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    whole(text).map(Some)
}

fn maybe_number(text: &str) -> Result<Option<f64>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    number(text).map(Some)
}

fn maybe<T: FromStr<Err = String>>(text: &str) -> Result<Option<T>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some)
}

fn optional<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_checked() {
        let mut draft = Draft::new(Path::new("runs"));
        let epochs = &MAIN_FIELDS[0];
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
