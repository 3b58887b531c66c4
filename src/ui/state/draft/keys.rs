//! The parts of a configuration on which what is found in the chosen data depends.

use crate::config::RunConfig;

/// The configuration with only those fields that decide which images are found, and all others at their defaults.
pub(super) fn scan_key(config: &RunConfig) -> RunConfig {
    RunConfig {
        data: config.data.clone(),
        splits: config.splits.clone(),
        image_column: config.image_column.clone(),
        label_column: config.label_column.clone(),
        skip_unreadable: config.skip_unreadable,
        ..RunConfig::default()
    }
}

/// The configuration with only those fields that decide which images are found, how they are split and which pixels training
/// sees, and all others at their defaults.
pub(super) fn check_key(config: &RunConfig) -> RunConfig {
    RunConfig {
        size: config.size,
        channels: config.channels,
        imbalance: config.imbalance,
        profile: config.profile,
        val: config.val,
        data_seed: config.data_seed,
        ..scan_key(config)
    }
}
