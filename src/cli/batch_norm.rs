//! The option that chooses how batch norm is treated in the class gradients that a command shows.

use clap::Args;

use crate::run::{BatchNorm, Run, common_batch_norm};

/// The option that chooses how batch norm is treated in class gradients.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct BatchNormArguments {
    /// How batch norm is treated in class gradients: as-in-training (with the statistics of a batch, through which
    /// gradients flow: the default where all runs have recorded it) or frozen (with the running statistics).
    #[arg(long, value_name = "MEASURE", value_parser = parse)]
    pub(super) batch_norm: Option<BatchNorm>,
}

fn parse(name: &str) -> Result<BatchNorm, String> {
    let mut known = BatchNorm::ALL.into_iter();
    let found = known.find(|batch_norm| batch_norm.name() == name);
    found.ok_or_else(|| {
        format!(
            "there are {}",
            BatchNorm::ALL.map(BatchNorm::name).join(", ")
        )
    })
}

impl BatchNormArguments {
    /// Shows runs, each with its name, in the one way that all of them have; without the option, `otherwise` is asked
    /// for. Gives the sentence that names the runs which stand in the way of it. Where no option was given and no run
    /// has recorded more than the frozen measure, there is nothing to say.
    pub(super) fn show<'a>(
        self,
        runs: impl Iterator<Item = (&'a str, &'a mut Run)>,
        otherwise: BatchNorm,
    ) -> Option<String> {
        let mut runs: Vec<_> = runs.collect();
        let named = runs.iter().map(|(name, run)| (*name, &**run));
        let agreement = common_batch_norm(named, self.batch_norm.unwrap_or(otherwise));
        for (_, run) in &mut runs {
            run.show(agreement.batch_norm);
        }
        let lacks_alike = runs.iter().all(|(_, run)| !run.records_training());
        let is_expected = lacks_alike && self.batch_norm.is_none();
        agreement.sentence().filter(|_| !is_expected)
    }
}
