//! `RunConfig`: the one description of a run, shared by the command line, the TOML file, the setup panel and the log.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Everything that decides what a run does. As TOML it is one flat table; a field left out has its default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunConfig {
    /// Where the images come from: `solar` or `folder:PATH`.
    pub data: DataSource,
    /// Images are resized to this; none: their own size where all agree and it is at most 64×64, else 32×32.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// 1 (grey) or 3 (RGB); none: 1 where every image is grey, else 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<usize>,
    /// List and skip image files that cannot be decoded, instead of refusing the data.
    pub skip_unreadable: bool,
    /// Imbalance factor n_max/n_min that the training images are cut to; 1 keeps them as they are.
    pub imbalance: f64,
    /// How class counts fall from n_max to n_min.
    pub profile: Profile,
    /// Validation images per class, cut from the training images; none: up to 100 per class of balanced data, a
    /// stratified 10 % of unbalanced data; 0: no validation, and the last epoch is the chosen one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub val: Option<usize>,
    /// Seed of subset, split and probe, so that `seed` varies the training and not the data.
    pub data_seed: u64,
    /// Which attention gate the network has.
    pub attention: Attention,
    /// Scale of every channel count.
    pub width: Width,
    /// What is minimised.
    pub loss: Loss,
    /// γ of the focal loss; none: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gamma: Option<f64>,
    /// τ of the logit-adjusted loss; none: 1, which is Balanced Softmax.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tau: Option<f64>,
    /// How images of rare classes count more in the loss.
    pub class_weights: ClassWeights,
    /// β of effective numbers; none: 0.9999.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta: Option<f64>,
    /// Share of the epochs after which class weights apply (deferred re-weighting); none: 0.8 for LDAM, else 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights_from: Option<f64>,
    /// Which images an epoch sees.
    pub sampler: Sampler,
    /// τ of post-hoc logit adjustment: τ·ln π is taken off the logits before the largest is chosen; none: not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_hoc: Option<f64>,
    /// Passes over the training images.
    pub epochs: u32,
    /// Images per step.
    pub batch: usize,
    /// Peak learning rate.
    pub lr: f64,
    /// SGD momentum (PyTorch semantics, no Nesterov).
    pub momentum: f64,
    /// L2 penalty added to every parameter's gradient.
    pub weight_decay: f64,
    /// The same of the attention gates' parameters; none: as of all others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate_decay: Option<f64>,
    /// Share of all steps in which the learning rate rises linearly, before it falls as a cosine to 0.
    pub warmup: f64,
    /// Zero padding, in pixels, of the random crop; 0 turns it off.
    pub crop_padding: usize,
    /// Random horizontal flip.
    pub flip: bool,
    /// Seed of initialisation, order and augmentation.
    pub seed: u64,
    /// Steps between evaluations on the validation images; none: four times an epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eval_every: Option<u64>,
    /// Steps between gradient probes; none: twice an epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe_every: Option<u64>,
    /// Probe images per class, at most.
    pub probe_images: usize,
    /// Where tensors live.
    pub device: DeviceKind,
    /// Lets a CUDA device round what goes into matrix products to 10 bits of mantissa (TF32). Other devices compute in
    /// full f32 whatever it says.
    pub tf32: bool,
    /// Threads for tensor work; none: one per core.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
}

impl Default for RunConfig {
    fn default() -> Self {
        Self {
            data: DataSource::Solar,
            size: None,
            channels: None,
            skip_unreadable: false,
            imbalance: 1.0,
            profile: Profile::Exp,
            val: None,
            data_seed: 0,
            attention: Attention::None,
            width: Width::Quarter,
            loss: Loss::Ce,
            gamma: None,
            tau: None,
            class_weights: ClassWeights::None,
            beta: None,
            weights_from: None,
            sampler: Sampler::Instance,
            post_hoc: None,
            epochs: 10,
            batch: 128,
            lr: 0.1,
            momentum: 0.9,
            weight_decay: 5e-4,
            gate_decay: None,
            warmup: 0.05,
            crop_padding: 4,
            flip: true,
            seed: 0,
            eval_every: None,
            probe_every: None,
            probe_images: 32,
            device: DeviceKind::Cpu,
            tf32: false,
            threads: None,
        }
    }
}

/// A field whose value cannot work, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct FieldError {
    /// The field of [`RunConfig`], as written in TOML.
    pub field: &'static str,
    /// What is wrong and what would be right.
    pub message: String,
}

impl RunConfig {
    /// Every field that cannot work, in field order; empty where the configuration is sound.
    pub fn validate(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut check = |ok: bool, field: &'static str, message: &str| {
            if !ok {
                errors.push(FieldError {
                    field,
                    message: message.to_owned(),
                });
            }
        };
        if let DataSource::Folder(path) = &self.data {
            check(
                !path.as_os_str().is_empty(),
                "data",
                "name the folder that holds the images",
            );
        }
        if let Some(size) = self.size {
            let fits = |pixels| (16..=512).contains(&pixels);
            check(
                fits(size.width) && fits(size.height),
                "size",
                "width and height must be between 16 and 512 pixels",
            );
        }
        check(
            matches!(self.channels, None | Some(1 | 3)),
            "channels",
            "must be 1 (grey) or 3 (RGB)",
        );
        check(
            self.imbalance.is_finite() && (1.0..=100_000.0).contains(&self.imbalance),
            "imbalance",
            "must be between 1 (leave the counts as they are) and 100000",
        );
        let within = |value: Option<f64>, low: f64, high: f64| {
            value.is_none_or(|value| (low..=high).contains(&value))
        };
        check(
            within(self.gamma, 0.0, 10.0),
            "gamma",
            "must be between 0 (plain cross-entropy) and 10, such as 1",
        );
        check(
            within(self.tau, 0.0, 10.0),
            "tau",
            "must be between 0 (plain cross-entropy) and 10, such as 1",
        );
        check(
            self.beta.is_none_or(|beta| (0.0..1.0).contains(&beta)),
            "beta",
            "must be at least 0 (all classes alike) and below 1, such as 0.9999",
        );
        check(
            within(self.weights_from, 0.0, 1.0),
            "weights_from",
            "must be between 0 and 1, the share of the epochs, such as 0.8",
        );
        check(
            within(self.post_hoc, 0.0, 10.0),
            "post_hoc",
            "must be between 0 (no adjustment) and 10, such as 1",
        );
        check(
            (1..=100_000).contains(&self.epochs),
            "epochs",
            "must be between 1 and 100000",
        );
        check(
            (2..=65_536).contains(&self.batch),
            "batch",
            "must be between 2 and 65536 images",
        );
        check(
            self.lr.is_finite() && self.lr > 0.0,
            "lr",
            "must be a positive number, such as 0.1",
        );
        check(
            (0.0..1.0).contains(&self.momentum),
            "momentum",
            "must be at least 0 and below 1, such as 0.9",
        );
        check(
            (0.0..=1.0).contains(&self.weight_decay),
            "weight_decay",
            "must be between 0 and 1, such as 0.0005",
        );
        check(
            within(self.gate_decay, 0.0, 1.0),
            "gate_decay",
            "must be between 0 and 1, such as 0",
        );
        check(
            (0.0..=1.0).contains(&self.warmup),
            "warmup",
            "must be between 0 and 1, the share of all steps, such as 0.05",
        );
        check(
            self.crop_padding <= 32,
            "crop_padding",
            "must be at most 32 pixels",
        );
        check(
            self.eval_every != Some(0),
            "eval_every",
            "must be at least 1 step",
        );
        check(
            self.probe_every != Some(0),
            "probe_every",
            "must be at least 1 step",
        );
        check(
            (4..=4096).contains(&self.probe_images),
            "probe_images",
            "must be between 4 and 4096 images per class",
        );
        check(
            self.threads
                .is_none_or(|threads| (1..=1024).contains(&threads)),
            "threads",
            "must be between 1 and 1024",
        );
        errors
    }

    /// What can work and is hardly meant: sentences.
    pub fn warnings(&self) -> Vec<String> {
        let corrections = [
            (
                matches!(self.loss, Loss::BalancedSoftmax | Loss::LogitAdjusted),
                "the loss",
            ),
            (self.class_weights != ClassWeights::None, "class weights"),
            (self.sampler != Sampler::Instance, "the sampler"),
            (
                self.post_hoc.is_some_and(|tau| tau > 0.0),
                "post-hoc adjustment",
            ),
        ];
        let used = corrections.into_iter().filter(|(used, _)| *used);
        let used: Vec<_> = used.map(|(_, name)| name).collect();
        let mut warnings = Vec::new();
        if let [others @ .., last] = used.as_slice()
            && !others.is_empty()
        {
            warnings.push(format!(
                "The imbalance is corrected more than once, by {} and {last}: rare classes will be favoured too much.",
                others.join(", ")
            ));
        }
        let mut idle = |is_idle: bool, field: &str, needs: &str| {
            if is_idle {
                warnings.push(format!("`{field}` has no effect without {needs}."));
            }
        };
        idle(
            self.gamma.is_some() && self.loss != Loss::Focal,
            "gamma",
            "the focal loss",
        );
        idle(
            self.tau.is_some() && self.loss != Loss::LogitAdjusted,
            "tau",
            "the logit-adjusted loss",
        );
        idle(
            self.beta.is_some() && self.class_weights != ClassWeights::Effective,
            "beta",
            "class weights by effective number",
        );
        idle(
            self.weights_from.is_some() && self.class_weights == ClassWeights::None,
            "weights_from",
            "class weights",
        );
        idle(
            self.gate_decay.is_some()
                && matches!(self.attention, Attention::None | Attention::Wide),
            "gate_decay",
            "attention gates",
        );
        warnings
    }
}

/// A name for each value of a field: read from and written to text in one place.
macro_rules! named {
    ($type:ident { $($variant:ident = $name:literal),+ $(,)? }) => {
        impl $type {
            /// Every value, in the order it is offered.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name used on the command line, in TOML and in the log.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
        impl FromStr for $type {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL.iter().copied().find(|value| value.name() == text).ok_or_else(|| {
                    let names: Vec<_> = Self::ALL.iter().map(|value| value.name()).collect();
                    format!("`{text}` is none of {}", names.join(", "))
                })
            }
        }
        text_serde!($type);
    };
}

/// Serialise through `Display` and `FromStr`, so that TOML, JSON and the command line share one spelling.
macro_rules! text_serde {
    ($type:ident) => {
        impl Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?
                    .parse()
                    .map_err(serde::de::Error::custom)
            }
        }
    };
}

/// Where images come from. As text: `solar` or `folder:PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataSource {
    /// The built-in generator of solar-module photographs.
    Solar,
    /// A directory in torchvision's ImageFolder layout, or of CIFAR's binary batches, IDX files or parquet shards.
    Folder(PathBuf),
}

impl fmt::Display for DataSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Solar => f.write_str("solar"),
            Self::Folder(path) => write!(f, "folder:{}", path.display()),
        }
    }
}

impl FromStr for DataSource {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "solar" => Ok(Self::Solar),
            Some(("folder", path)) => Ok(Self::Folder(path.into())),
            _ => Err(format!(
                "`{text}` is no data source; write `solar` or `folder:PATH`"
            )),
        }
    }
}

text_serde!(DataSource);

/// Image size. As text: `WIDTHxHEIGHT`, such as `24x40`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Pixels from left to right.
    pub width: usize,
    /// Pixels from top to bottom.
    pub height: usize,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl FromStr for Size {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (width, height) = text.split_once(['x', '×'])?;
            Some(Self {
                width: width.trim().parse().ok()?,
                height: height.trim().parse().ok()?,
            })
        };
        parse().ok_or_else(|| format!("`{text}` is no size; write WIDTHxHEIGHT, such as 32x32"))
    }
}

text_serde!(Size);

/// Long-tail profile: how many images each class keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// n_j = floor(n_max · μ^(j/(K−1))), μ = 1/imbalance.
    Exp,
    /// The first K/2 classes keep n_max, the others floor(n_max · μ).
    Step,
}
named!(Profile { Exp = "exp", Step = "step" });

/// What is minimised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Loss {
    /// Cross-entropy.
    Ce,
    /// Focal loss (Lin et al. 2017): images that are recognised already count less.
    Focal,
    /// Label-distribution-aware margins on a cosine classifier (Cao et al. 2019).
    Ldam,
    /// Cross-entropy of logits + ln π (Ren et al. 2020).
    BalancedSoftmax,
    /// Cross-entropy of logits + τ·ln π (Menon et al. 2021).
    LogitAdjusted,
}
named!(Loss {
    Ce = "ce",
    Focal = "focal",
    Ldam = "ldam",
    BalancedSoftmax = "balanced-softmax",
    LogitAdjusted = "logit-adjusted",
});

/// How images count in the loss, by their class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClassWeights {
    /// All alike.
    None,
    /// By 1/n.
    Inverse,
    /// By 1/effective number of images (Cui et al. 2019).
    Effective,
}
named!(ClassWeights { None = "none", Inverse = "inverse", Effective = "effective" });

/// Which training images an epoch sees (Kang et al. 2020).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sampler {
    /// Every image once.
    Instance,
    /// Classes by the square root of their counts, with replacement.
    SquareRoot,
    /// All classes alike, with replacement.
    Balanced,
    /// From by instance to all classes alike, over the epochs.
    Progressive,
}
named!(Sampler {
    Instance = "instance",
    SquareRoot = "square-root",
    Balanced = "balanced",
    Progressive = "progressive",
});

/// Which attention gate a network has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attention {
    /// No gate: the baseline.
    None,
    /// Class-Specific Branch Attention: one gate on each branch.
    Branch,
    /// One gate over the concatenated branches, with as many parameters as `Branch`.
    Shared,
    /// A learned constant for each channel of the branches: a gate that does not look at its input.
    Constant,
    /// No gate, and branches so much wider that there are as many parameters as with `Branch`.
    Wide,
}
named!(Attention {
    None = "none",
    Branch = "branch",
    Shared = "shared",
    Constant = "constant",
    Wide = "wide",
});

/// Scale of every channel count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Width {
    /// The reference network.
    Full,
    /// Half of it.
    Half,
    /// A quarter: the default on a CPU.
    Quarter,
}
named!(Width { Full = "1", Half = "1/2", Quarter = "1/4" });

impl Width {
    /// The channel count that is `reference` at width 1.
    pub fn scale(self, reference: usize) -> usize {
        match self {
            Self::Full => reference,
            Self::Half => reference / 2,
            Self::Quarter => reference / 4,
        }
    }
}

/// Kind of device that tensors live on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeviceKind {
    /// The processor.
    Cpu,
    /// The first CUDA device (feature `cuda`).
    Cuda,
    /// The Metal device (feature `metal`).
    Metal,
}
named!(DeviceKind { Cpu = "cpu", Cuda = "cuda", Metal = "metal" });

impl DeviceKind {
    /// What it is called in a sentence.
    pub fn label(self) -> &'static str {
        match self {
            Self::Cpu => "CPU",
            Self::Cuda => "CUDA",
            Self::Metal => "Metal",
        }
    }

    /// The kinds this build of the program can use.
    pub fn built() -> Vec<Self> {
        let mut kinds = vec![Self::Cpu];
        if cfg!(feature = "cuda") {
            kinds.push(Self::Cuda);
        }
        if cfg!(feature = "metal") {
            kinds.push(Self::Metal);
        }
        kinds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toml_round_trip() -> anyhow::Result<()> {
        let config = RunConfig {
            data: "folder:/data/x".parse().map_err(anyhow::Error::msg)?,
            size: Some(Size {
                width: 24,
                height: 40,
            }),
            imbalance: 100.0,
            width: Width::Half,
            val: Some(0),
            ..RunConfig::default()
        };
        let text = toml::to_string(&config)?;
        assert!(
            text.contains("size = \"24x40\"") && text.contains("width = \"1/2\""),
            "{text}"
        );
        assert_eq!(toml::from_str::<RunConfig>(&text)?, config);
        assert_eq!(toml::from_str::<RunConfig>("")?, RunConfig::default());
        // What was written before there was a field has the field's default.
        let older = text.replace("tf32 = false\n", "");
        assert_ne!(older, text);
        assert_eq!(toml::from_str::<RunConfig>(&older)?, config);
        Ok(())
    }

    #[test]
    fn mistakes_are_named() {
        assert!(RunConfig::default().validate().is_empty());
        let config = RunConfig {
            lr: f64::NAN,
            batch: 0,
            imbalance: 0.5,
            channels: Some(2),
            ..RunConfig::default()
        };
        let fields: Vec<_> = config.validate().iter().map(|error| error.field).collect();
        assert_eq!(fields, ["channels", "imbalance", "batch", "lr"]);
        let error = toml::from_str::<RunConfig>("widht = \"1\"")
            .map(|_| ())
            .unwrap_err()
            .to_string();
        assert!(error.contains("widht"), "{error}");
        let error = toml::from_str::<RunConfig>("attention = \"some\"")
            .map(|_| ())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("none, branch, shared, constant, wide"),
            "{error}"
        );
    }
}
