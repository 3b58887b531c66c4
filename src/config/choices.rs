//! The types of fields that take one of a few values. Each value is described once: its documentation comment is its
//! help on screen.

use std::fmt;
use std::str::FromStr;

use super::value::{Choice, FieldValue, Kind, sentence, text_serde};

/// Defines an enum from lines `Variant = "name", "label on screen";`. The documentation comment of a variant is its
/// help. A variant after `unless` is left out of files: it is what all networks had before there was the field.
macro_rules! choices {
    ($(
        $(#[doc = $about:literal])+
        $Type:ident $(unless $Usual:ident)? {
            $( $(#[doc = $help:literal])+ $Variant:ident = $name:literal, $label:literal; )+
        }
    )+) => { $(
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $Type {
            $( $(#[doc = $help])+ $Variant, )+
        }

        impl $Type {
            /// Every value, in the order it is offered.
            pub const ALL: &'static [Self] = &[$(Self::$Variant),+];

            /// The description of every value, in the order of [`Self::ALL`].
            pub const CHOICES: &'static [Choice] = &[$(Choice {
                name: $name,
                label: $label,
                help: sentence(concat!($($help),+)),
            }),+];

            fn described(self) -> &'static Choice {
                &Self::CHOICES[self as usize]
            }

            /// The name used on the command line, in TOML and in the log.
            pub fn name(self) -> &'static str {
                self.described().name
            }

            /// The name on screen.
            pub fn label(self) -> &'static str {
                self.described().label
            }

            /// The meaning, a sentence without its full stop.
            pub fn help(self) -> &'static str {
                self.described().help
            }
        }

        impl fmt::Display for $Type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $Type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let found = Self::ALL.iter().find(|value| value.name() == text);
                found.copied().ok_or_else(|| {
                    let names: Vec<_> = Self::CHOICES.iter().map(|choice| choice.name).collect();
                    format!("`{text}` is none of {}", names.join(", "))
                })
            }
        }

        impl FieldValue for $Type {
            const KIND: Kind = Kind::Choice(Self::CHOICES);

            fn parse(text: &str) -> Result<Self, String> {
                text.parse()
            }

            fn print(&self) -> String {
                self.name().to_owned()
            }

            $(fn is_left_out(&self) -> bool {
                *self == Self::$Usual
            })?
        }

        text_serde!($Type);
    )+ };
}

choices! {
    /// Long-tail profile: how many of the n_max images of the largest class each class j of K keeps, at the imbalance
    /// factor 1/μ.
    Profile {
        /// Each class keeps a fixed share of the one before: floor(n_max · μ^(j/(K−1))).
        Exp = "exp", "Exponential";
        /// The first half of the classes keep n_max images, the others floor(n_max · μ).
        Step = "step", "Step";
    }

    /// The loss that training minimises.
    Loss {
        /// The usual loss.
        Ce = "ce", "Cross-entropy";
        /// Images that are recognised already count less (Lin et al. 2017).
        Focal = "focal", "Focal";
        /// Larger margins for rarer classes, with a cosine classifier (Cao et al. 2019); usually with deferred weights by
        /// effective number.
        Ldam = "ldam", "LDAM";
        /// Logits are compared as if all classes were equally frequent: cross-entropy of logits + ln π (Ren et al. 2020).
        BalancedSoftmax = "balanced-softmax", "Balanced Softmax";
        /// As Balanced Softmax, with a strength τ of its own: cross-entropy of logits + τ·ln π (Menon et al. 2021).
        LogitAdjusted = "logit-adjusted", "Logit-adjusted";
    }

    /// How much an image counts in the loss, by the number n of training images of its class.
    ClassWeights {
        /// Every image counts alike.
        None = "none", "None";
        /// ∝ 1/n: every class counts alike.
        Inverse = "inverse", "Inverse frequency";
        /// ∝ (1 − β)/(1 − β^n): between the two (Cui et al. 2019).
        Effective = "effective", "Effective number";
    }

    /// Which training images an epoch sees (Kang et al. 2020).
    Sampler {
        /// Classes as often as they have images.
        Instance = "instance", "Every image once";
        /// Classes by the square root of their counts, with replacement.
        SquareRoot = "square-root", "Square root";
        /// All classes alike, with replacement.
        Balanced = "balanced", "Class-balanced";
        /// From every image once to all classes alike, over the epochs (Kang et al. 2020).
        Progressive = "progressive", "Progressive";
    }

    /// What makes new weights from gradients.
    Optimizer {
        /// Stochastic gradient descent with momentum.
        Sgd = "sgd", "SGD";
        /// Divides the gradient of each weight by how large it usually is; weight decay is added to the gradient (Kingma &
        /// Ba 2015).
        Adam = "adam", "Adam";
        /// Adam whose weight decay shrinks the weights themselves (Loshchilov & Hutter 2019).
        AdamW = "adamw", "AdamW";
    }

    /// How the learning rate goes on after the warm-up.
    Schedule {
        /// Falls as half a cosine to 0 at the last step (Loshchilov & Hutter 2017).
        Cosine = "cosine", "Cosine";
        /// Falls by a factor at each milestone.
        Step = "step", "Steps";
        /// Stays at its peak.
        Constant = "constant", "Constant";
    }

    /// The attention gate of a network.
    Attention {
        /// Branches without attention.
        None = "none", "Baseline";
        /// Class-Specific Branch Attention: each branch weighs its own channels.
        Branch = "branch", "CSBA (branch attention)";
        /// One gate over all branches together, with as many parameters as branch attention: the control.
        Shared = "shared", "Shared attention";
        /// A learned constant for each channel of the branches: attention that does not look at the image.
        Constant = "constant", "Constant gates";
        /// No attention, and branches so much wider that there are as many parameters as with branch attention.
        Wide = "wide", "Wide baseline";
        /// Each class weighs the branches, each of which has features of its own, by a query of its own.
        Class = "class", "Class attention";
        /// Each branch is an expert with a classifier and a loss of its own (SADE, Zhang et al. 2022).
        Experts = "experts", "Experts (SADE)";
    }

    /// What brings activations to one scale after each convolution.
    NormKind unless Batch {
        /// Mean and variance of each channel over the batch; their running means when the network is evaluated (Ioffe &
        /// Szegedy 2015).
        Batch = "batch", "Batch norm";
        /// Mean and variance of each of 8 groups of channels in each image alone, so that images do not mix (Wu & He 2018).
        Group = "group", "Group norm";
        /// Nothing; each convolution has a bias. Where training diverges, lower the learning rate.
        None = "none", "None";
    }

    /// Where in a branch channels are weighed.
    GatePlace unless End {
        /// Those of the branch's output, before the convolution that joins the branches.
        End = "end", "End of the branch";
        /// Those between the two convolutions of the branch.
        Middle = "middle", "Middle of the branch";
        /// Those of the stem's output, which each branch then reads with weights of its own.
        Stem = "stem", "Stem, by branch";
    }

    /// Scale of every channel count.
    Width {
        /// The reference network.
        Full = "1", "1";
        /// Half of its channels.
        Half = "1/2", "1/2";
        /// A quarter of its channels.
        Quarter = "1/4", "1/4";
    }

    /// The kind of device that tensors live on.
    DeviceKind {
        /// The processor.
        Cpu = "cpu", "CPU";
        /// The first CUDA device, in builds with the feature `cuda`.
        Cuda = "cuda", "CUDA";
        /// The Metal device, in builds with the feature `metal`.
        Metal = "metal", "Metal";
    }
}

impl Optimizer {
    /// Whether it is Adam, with either kind of weight decay.
    pub fn is_adam(self) -> bool {
        match self {
            Self::Adam | Self::AdamW => true,
            Self::Sgd => false,
        }
    }
}

impl Attention {
    /// Whether the network has attention gates, which depend on the image. Learned constants do not, so they are not
    /// gates.
    pub fn has_gates(self) -> bool {
        match self {
            Self::Branch | Self::Shared => true,
            Self::None | Self::Constant | Self::Wide | Self::Class | Self::Experts => false,
        }
    }

    /// Whether classes attend over the branches, each with shares that sum to 1.
    pub fn shares_branches(self) -> bool {
        self == Self::Class
    }

    /// Whether it depends on how many channels a gate has between its layers: it has gates, or as many parameters as if
    /// it had.
    pub(super) fn counts_gates(self) -> bool {
        self.has_gates() || self == Self::Wide
    }
}

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

impl DeviceKind {
    /// The kinds of device that this build of the program can use.
    pub fn built() -> Vec<Self> {
        let is_built = |kind: &Self| match kind {
            Self::Cpu => true,
            Self::Cuda => cfg!(feature = "cuda"),
            Self::Metal => cfg!(feature = "metal"),
        };
        Self::ALL.iter().copied().filter(is_built).collect()
    }
}
