//! The one table of fields, from which `RunConfig`, its defaults and [`FIELDS`] are made.

use serde::{Deserialize, Serialize};

use super::bounds::{Bounds, Unit};
use super::choices::{
    Attention, ClassWeights, DeviceKind, GatePlace, Loss, NormKind, Optimizer, Profile, Sampler,
    Schedule, Width,
};
use super::field::{Condition, Field, Group, dashed, text};
use super::lists::{Dilations, Kernels, Milestones};
use super::prior::Prior;
use super::source::{DataSource, Size, Splits};
use super::table::configuration;
use super::value::FieldValue;

/// The condition of fields that say how a folder is read.
const OF_FOLDER: Condition<RunConfig> = Condition {
    needs: "a folder of images",
    holds: |config| matches!(config.data, DataSource::Folder(_)),
};

/// The condition of the numbers of Adam.
const OF_ADAM: Condition<RunConfig> = Condition {
    needs: "Adam or AdamW",
    holds: |config| config.optimizer.is_adam(),
};

/// The condition of the numbers of a schedule in steps.
const OF_STEPS: Condition<RunConfig> = Condition {
    needs: "a schedule in steps",
    holds: |config| config.schedule == Schedule::Step,
};

/// The condition of how large a gate is.
const OF_GATES: Condition<RunConfig> = Condition {
    needs: "attention gates, or a network as wide as with gates",
    holds: |config| config.attention.counts_gates(),
};

/// The condition of where channels are weighed.
const OF_WEIGHED_CHANNELS: Condition<RunConfig> = Condition {
    needs: "attention that weighs channels, or a network as wide as with gates",
    holds: |config| config.attention.counts_gates() || config.attention == Attention::Constant,
};

configuration! {
    Data {
        /// Where the images come from: `solar`, the built-in photographs of solar modules, or `folder:PATH`, a folder
        /// with one subfolder per class (or train, val and test folders that hold them), CIFAR's binary batches, IDX files
        /// or parquet shards.
        data: DataSource = DataSource::Solar, "Images", { is_main: true };

        /// Which folders (or parquet shards) hold the training, validation and test images, where their names do not say it:
        /// `train=FOLDER,val=FOLDER,test=FOLDER`. `none`: no folder is a split, every one is a class.
        splits: Option<Splits> = None, "Splits", {
            unset: "as the names of the folders say",
            unset_hint: "by their names",
            applies: Some(OF_FOLDER),
        };

        /// The column of a parquet data set that holds the images.
        image_column: Option<String> = None, "Image column", {
            unset: "the only column of images",
            unset_hint: "the only one",
            applies: Some(OF_FOLDER),
        };

        /// The column of a parquet data set that holds the labels.
        label_column: Option<String> = None, "Label column", {
            unset: "the only column of labels, or the one called `label`",
            unset_hint: "the only one",
            applies: Some(OF_FOLDER),
        };

        /// Images are resized to this width × height in pixels.
        size: Option<Size> = None, "Image size", {
            unit: Unit::Of("pixels"),
            bounds: Bounds::Between(16.0, 512.0),
            unset: "their own size where all agree and it is at most 64×64, else 32×32",
            unset_hint: "own size",
        };

        /// 1 for grey, 3 for colour.
        channels: Option<usize> = None, "Colour channels", {
            bounds: Bounds::OneOf(&[(1.0, "grey"), (3.0, "RGB")]),
            unset: "grey where every image is grey, else colour",
            unset_hint: "as the images",
        };

        /// Name image files that cannot be decoded and go on without them; otherwise the first one ends the run.
        skip_unreadable: bool = false, "Skip unreadable images", {};

        /// How many times more training images the largest class keeps than the smallest. 1 leaves the counts as they are.
        imbalance: f64 = 1.0, "Imbalance", {
            bounds: Bounds::Between(1.0, 100_000.0),
            low_means: "leave the counts as they are",
            example: "100",
            is_main: true,
        };

        /// How the class counts fall from the largest to the smallest, where images are cut to an imbalance.
        profile: Profile = Profile::Exp, "Profile", {
            is_main: true,
            applies: Some(Condition { needs: "an imbalance above 1", holds: |config| config.imbalance > 1.0 }),
        };

        /// Validation images per class, taken from the training images. 0: none, and the last epoch is the chosen one.
        val: Option<usize> = None, "Validation images", {
            unit: Unit::Of("images per class"),
            unset: "up to 100 per class of balanced data, 10 % of unbalanced data",
            unset_hint: "automatic",
        };

        /// Decides which images are kept, how they are split and which ones are probed. Keep it while you vary the seed, and
        /// only the training varies.
        data_seed: u64 = 0, "Data seed", {};
    }

    Network {
        /// What weighs the channels or the branches of the network.
        attention: Attention = Attention::None, "Attention", { is_main: true };

        /// Scale of every channel count. 1 is the reference network with 1.35 million parameters; 1/4 suits a processor
        /// without a GPU.
        width: Width = Width::Quarter, "Network width", { is_main: true };

        /// Distance between the taps of the first convolution of each branch. There are as many branches as numbers, 1 to 4.
        dilations: Dilations = Dilations::default(), "Dilations of branches", {
            unit: Unit::Of("pixels"),
            bounds: Bounds::Between(1.0, 16.0),
        };

        /// Side of the kernel of the first convolution of each branch: one odd number for all branches, or one for each.
        kernels: Kernels = Kernels::default(), "Kernels of branches", {
            unit: Unit::Of("pixels"),
            bounds: Bounds::Between(1.0, 7.0),
        };

        /// Where in a branch its channels are weighed.
        gate_place: GatePlace = GatePlace::End, "Place of gates", { applies: Some(OF_WEIGHED_CHANNELS) };

        /// How many times fewer channels a gate has between its two layers than it weighs.
        gate_reduction: Option<usize> = None, "Gate reduction", {
            bounds: Bounds::Between(1.0, 16.0),
            low_means: "as many",
            example: "2",
            unset: "2",
            unset_hint: "2",
            applies: Some(OF_GATES),
        };

        /// What brings activations to one scale after each convolution.
        norm: NormKind = NormKind::Batch, "Normalisation", {};
    }

    RareClasses {
        /// What training minimises.
        loss: Loss = Loss::Ce, "Loss", {};

        /// How much less images count that are recognised already: (1 − p)^γ. 0 is plain cross-entropy.
        gamma: Option<f64> = None, "Focal γ", {
            bounds: Bounds::Between(0.0, 10.0),
            low_means: "plain cross-entropy",
            example: "1",
            unset: "1",
            unset_hint: "1",
            applies: Some(Condition {
                needs: "the focal loss",
                holds: |config| config.loss == Loss::Focal,
            }),
        };

        /// How many times ln π is added to the logits while training; with experts, ln π̄ taken from those of the third.
        tau: Option<f64> = None, "τ of the loss", {
            bounds: Bounds::Between(0.0, 10.0),
            low_means: "no adjustment",
            example: "1",
            unset: "1, which is Balanced Softmax, or 2 with experts",
            unset_hint: "1 (experts: 2)",
            applies: Some(Condition {
                needs: "the logit-adjusted loss or experts",
                holds: |config| config.loss == Loss::LogitAdjusted || config.attention == Attention::Experts,
            }),
        };

        /// How much the images of each class count in the loss.
        class_weights: ClassWeights = ClassWeights::None, "Class weights", {};

        /// Effective number of n images: (1 − β^n)/(1 − β). Near 1 it is n, at 0 all classes are alike.
        beta: Option<f64> = None, "β of the weights", {
            bounds: Bounds::Below(0.0, 1.0),
            low_means: "all classes alike",
            example: "0.9999",
            unset: "0.9999",
            unset_hint: "0.9999",
            applies: Some(Condition {
                needs: "class weights by effective number",
                holds: |config| config.class_weights == ClassWeights::Effective,
            }),
        };

        /// Share of the epochs after which class weights apply (deferred re-weighting).
        weights_from: Option<f64> = None, "Weights from", {
            unit: Unit::ShareOf("the epochs"),
            bounds: Bounds::Between(0.0, 1.0),
            example: "0.8",
            unset: "0.8 with LDAM, else from the start",
            unset_hint: "the start",
            applies: Some(Condition {
                needs: "class weights",
                holds: |config| config.class_weights != ClassWeights::None,
            }),
        };

        /// Which images an epoch sees.
        sampler: Sampler = Sampler::Instance, "Sampler", {};

        /// How many times ln π is taken off the logits of the trained network before the largest is chosen (post-hoc logit
        /// adjustment).
        post_hoc: Option<f64> = None, "Post-hoc τ", {
            bounds: Bounds::Between(-10.0, 10.0),
            example: "1",
            unset: "not at all",
            unset_hint: "none",
        };

        /// How frequent the classes are where the network will be used, by which the program advises: `as-trained`,
        /// `balanced`, or a number for each class. Scores stay those of the test images as they are.
        target_prior: Option<Prior> = None, "Target frequencies", {
            bounds: Bounds::AtLeast(0.0),
            unset: "as in the test images",
            unset_hint: "as tested",
            is_neutral: true,
        };
    }

    Training {
        /// How often training passes over all training images. More epochs take proportionally longer.
        epochs: u32 = 10, "Epochs", { bounds: Bounds::Between(1.0, 100_000.0), is_main: true };

        /// Images per optimiser step. Larger batches give smoother gradients and fewer steps per epoch.
        batch: usize = 128, "Batch size", {
            unit: Unit::Of("images"),
            bounds: Bounds::Between(2.0, 65_536.0),
            is_main: true,
        };

        /// What makes new weights from gradients. Each optimiser has a learning rate and a weight decay of its own where none
        /// is given.
        optimizer: Optimizer = Optimizer::Sgd, "Optimiser", {};

        /// Peak step size. It rises linearly during the warm-up and then goes on as the schedule says.
        lr: Option<f64> = None, "Learning rate", {
            bounds: Bounds::Positive,
            example: "0.1",
            unset: "0.1 with SGD, 0.001 with Adam and AdamW",
            unset_hint: "by optimiser",
            chosen: |config| config.learning_rate().print(),
            is_main: true,
        };

        /// Share of the last update that the next one keeps (SGD as in PyTorch, without Nesterov).
        momentum: f64 = 0.9, "Momentum", {
            bounds: Bounds::Below(0.0, 1.0),
            applies: Some(Condition {
                needs: "SGD",
                holds: |config| config.optimizer == Optimizer::Sgd,
            }),
        };

        /// Share of the mean gradient that the next step keeps (β₁ of Adam).
        adam_beta1: Option<f64> = None, "Adam β₁", {
            bounds: Bounds::Below(0.0, 1.0),
            example: "0.9",
            unset: "0.9",
            unset_hint: "0.9",
            applies: Some(OF_ADAM),
        };

        /// Share of the mean squared gradient that the next step keeps (β₂ of Adam).
        adam_beta2: Option<f64> = None, "Adam β₂", {
            bounds: Bounds::Below(0.0, 1.0),
            example: "0.999",
            unset: "0.999",
            unset_hint: "0.999",
            applies: Some(OF_ADAM),
        };

        /// How strongly weights are drawn to 0. With SGD and Adam it is an L2 penalty: so many times each parameter is added
        /// to its gradient. With AdamW each step takes so large a share of each parameter off it, times the learning rate.
        weight_decay: Option<f64> = None, "Weight decay", {
            bounds: Bounds::Between(0.0, 1.0),
            example: "0.0005",
            unset: "0.0005 with SGD, 0 with Adam, 0.01 with AdamW",
            unset_hint: "by optimiser",
            chosen: |config| config.decay().print(),
        };

        /// Weight decay of the attention gates' parameters.
        gate_decay: Option<f64> = None, "Gate decay", {
            bounds: Bounds::Between(0.0, 1.0),
            example: "0",
            unset: "that of all parameters",
            unset_hint: "as all",
            applies: Some(Condition {
                needs: "attention gates",
                holds: |config| config.attention.has_gates(),
            }),
        };

        /// How the learning rate goes on after the warm-up.
        schedule: Schedule = Schedule::Cosine, "Schedule", {};

        /// Shares of all steps, in ascending order, after which the learning rate falls.
        milestones: Option<Milestones> = None, "Milestones", {
            unit: Unit::ShareOf("all steps"),
            bounds: Bounds::Between(0.0, 1.0),
            example: "0.8,0.9",
            unset: "0.8,0.9",
            unset_hint: "0.8,0.9",
            applies: Some(OF_STEPS),
        };

        /// By what the learning rate is multiplied at each milestone.
        step_factor: Option<f64> = None, "Factor of a step", {
            bounds: Bounds::Between(0.0, 1.0),
            example: "0.1",
            unset: "0.01",
            unset_hint: "0.01",
            applies: Some(OF_STEPS),
        };

        /// Share of all steps in which the learning rate rises linearly to its peak, before the schedule begins.
        warmup: f64 = 0.05, "Warm-up", {
            unit: Unit::ShareOf("all steps"),
            bounds: Bounds::Between(0.0, 1.0),
        };

        /// Sharpness-aware minimisation (SAM): each step takes the gradient at weights moved uphill by this distance ρ, which
        /// costs a second pass (Foret et al. 2021).
        sam_rho: Option<f64> = None, "SAM ρ", {
            bounds: Bounds::Positive,
            example: "0.05",
            unset: "no such move",
            unset_hint: "none",
        };

        /// Share of their running mean that the averaged weights keep at each step; evaluations, and who loads a checkpoint,
        /// see the averaged weights. In the first steps t it is at most (1 + t)/(10 + t).
        ema_decay: Option<f64> = None, "Weight average", {
            bounds: Bounds::Below(0.0, 1.0),
            low_means: "no average",
            example: "0.999",
            unset: "no average: the trained weights are evaluated",
            unset_hint: "none",
        };

        /// Share of an image's target that is spread over all classes alike.
        label_smoothing: Option<f64> = None, "Label smoothing", {
            bounds: Bounds::Between(0.0, 1.0),
            low_means: "no smoothing",
            example: "0.1",
            unset: "0",
            unset_hint: "0",
            applies: Some(Condition {
                needs: "another loss than focal",
                holds: |config| config.loss != Loss::Focal,
            }),
        };

        /// Blends each image of a batch with another one of it, by a share from Beta(α, α) (mixup, Zhang et al. 2018).
        mixup: Option<f64> = None, "Mixup α", {
            bounds: Bounds::Positive,
            example: "0.2",
            unset: "no mixup",
            unset_hint: "none",
        };

        /// Pastes a rectangle of another image of the batch into each image of it, of a share of the area from Beta(α, α)
        /// (CutMix, Yun et al. 2019).
        cutmix: Option<f64> = None, "CutMix α", {
            bounds: Bounds::Positive,
            example: "1",
            unset: "no CutMix",
            unset_hint: "none",
        };

        /// Share of the batches that CutMix changes. With mixup as well, the others are blended.
        cutmix_prob: Option<f64> = None, "Batches with CutMix", {
            unit: Unit::ShareOf("the batches"),
            bounds: Bounds::Between(0.0, 1.0),
            example: "0.5",
            unset: "0.5",
            unset_hint: "0.5",
            applies: Some(Condition {
                needs: "CutMix",
                holds: |config| config.cutmix.is_some(),
            }),
        };

        /// Side, in pixels, of a square around a random pixel of each training image that is set to the mean of the training
        /// images (Cutout, DeVries & Taylor 2017).
        cutout: Option<usize> = None, "Cutout", {
            unit: Unit::Of("pixels"),
            bounds: Bounds::Between(1.0, 512.0),
            example: "16",
            unset: "none is cut out",
            unset_hint: "none",
        };

        /// Black border, in pixels, that an image gets before a part of its own size is cut from it at random. 0 turns the
        /// random crop off.
        crop_padding: usize = 4, "Crop padding", {
            unit: Unit::Of("pixels"),
            bounds: Bounds::Between(0.0, 32.0),
            low_means: "no random crop",
        };

        /// Mirror each training image from left to right with probability 1/2, anew every epoch.
        flip: bool = true, "Random flip", {};

        /// Decides initial weights, image order and augmentation. Both runs of a pair use it, so that every weight they share
        /// starts equal.
        seed: u64 = 0, "Seed", { is_main: true, is_neutral: true };
    }

    Measurement {
        /// Steps between two evaluations on the validation images.
        eval_every: Option<u64> = None, "Evaluate every", {
            unit: Unit::Of("steps"),
            bounds: Bounds::AtLeast(1.0),
            unset: "four times an epoch",
            unset_hint: "¼ epoch",
            is_neutral: true,
        };

        /// Steps between two measurements of the class gradients, which everything about pulling is drawn from.
        probe_every: Option<u64> = None, "Probe every", {
            unit: Unit::Of("steps"),
            bounds: Bounds::AtLeast(1.0),
            unset: "as often as `probe_share` allows",
            unset_hint: "as the share allows",
            is_neutral: true,
        };

        /// Share of the training time that measuring class gradients may take: from it follows how many steps lie between
        /// two measurements. Step 0, the best and the last step are measured in any case. Not used where `probe_every` is
        /// set.
        probe_share: f64 = 0.1, "Time for probes", {
            unit: Unit::ShareOf("the training time"),
            bounds: Bounds::Between(0.0, 0.9),
            low_means: "step 0, the best and the last step alone",
            is_neutral: true,
            applies: Some(Condition {
                needs: "an open `probe_every`",
                holds: |config| config.probe_every.is_none(),
            }),
        };

        /// Training images of each class, at most, whose gradients are measured at a probe. More make the measurement
        /// sharper and slower.
        probe_images: usize = 32, "Probe images", {
            unit: Unit::Of("images per class"),
            bounds: Bounds::Between(4.0, 4096.0),
        };
    }

    Machine {
        /// Where the network is computed. In the window, the processor is used where the device is not there, and a notice
        /// says so.
        device: DeviceKind = DeviceKind::Cpu, "Device", {
            is_main: true,
            is_neutral: true,
            is_built: cfg!(any(feature = "cuda", feature = "metal")),
        };

        /// Lets the CUDA device round what goes into matrix products to 10 bits of mantissa instead of 23: faster on recent
        /// devices, and gradients are a little less exact. Other devices always compute in full f32.
        tf32: bool = false, "Faster, rounded products (TF32)", {
            is_built: cfg!(feature = "cuda"),
            applies: Some(Condition {
                needs: "a CUDA device",
                holds: |config| config.device == DeviceKind::Cuda,
            }),
        };

        /// Computes every convolution on the processor as its definition says, and none by Winograd's method, which takes
        /// fewer multiplications and rounds otherwise: the results differ in their last digits.
        exact_convolutions: bool = false, "Exact convolutions", { is_neutral: true };

        /// Processor threads used for training. The results depend on it in their last digits.
        threads: Option<usize> = None, "Threads", {
            bounds: Bounds::Between(1.0, 1024.0),
            unset: "one per core",
            unset_hint: "one per core",
            is_neutral: true,
        };
    }
}
