//! The one way of treating batch norm in which several runs are shown together.

use crate::run::{BatchNorm, Run};

/// Most runs that a sentence names.
const NAMED: usize = 2;

/// The way of treating batch norm in which runs are shown together, and the runs that stand in the way of the one that
/// was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    /// The way in which all of the runs are shown.
    pub batch_norm: BatchNorm,
    /// Names of the runs that lack what was asked for; empty where all runs are shown as asked.
    lacking: Vec<String>,
    /// Whether there are other runs.
    are_several: bool,
}

/// Decides in which way of treating batch norm runs are shown together: the one that is `asked` for, or frozen where
/// one of the runs has recorded nothing else. Each run comes with its name; a run without a header has no say.
pub fn common_batch_norm<'a>(
    runs: impl IntoIterator<Item = (&'a str, &'a Run)>,
    asked: BatchNorm,
) -> Agreement {
    let runs = runs.into_iter().filter(|(_, run)| run.started.is_some());
    let runs: Vec<_> = runs.collect();
    let lacks = |run: &Run| asked == BatchNorm::AsInTraining && !run.records_training();
    let lacking = runs.iter().filter(|(_, run)| lacks(run));
    let lacking: Vec<String> = lacking.map(|(name, _)| (*name).to_owned()).collect();
    Agreement {
        batch_norm: if lacking.is_empty() {
            asked
        } else {
            BatchNorm::Frozen
        },
        lacking,
        are_several: runs.len() > 1,
    }
}

impl Agreement {
    /// Why the runs are not shown as asked, in one sentence; `None` where they are.
    pub fn sentence(&self) -> Option<String> {
        let quoted = self.lacking.iter().map(|name| format!("`{name}`"));
        let mut names: Vec<String> = quoted.take(NAMED).collect();
        match self.lacking.len().saturating_sub(NAMED) {
            0 => {}
            1 => names.push("1 other run".to_owned()),
            more => names.push(format!("{more} other runs")),
        }
        let (last, first) = names.split_last()?;
        let names = if first.is_empty() {
            last.clone()
        } else {
            format!("{} and {last}", first.join(", "))
        };
        let shown = if self.are_several {
            "all runs are"
        } else {
            "it is"
        };
        Some(format!(
            "{names} recorded only the frozen measure, so {shown} shown with batch norm frozen."
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::log;

    fn old() -> anyhow::Result<Run> {
        let dir =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/solar-none");
        Ok(log::load(&dir)?.run)
    }

    fn new() -> anyhow::Result<Run> {
        let mut run = old()?;
        if let Some(started) = &mut run.started {
            started.probe.training = vec![0, 1];
        }
        Ok(run)
    }

    #[test]
    fn runs_agree_on_what_all_of_them_have() -> anyhow::Result<()> {
        let (old, new) = (old()?, new()?);
        let asked = BatchNorm::AsInTraining;
        let of = |runs: &[(&'static str, &Run)], asked| {
            let agreed = common_batch_norm(runs.iter().copied(), asked);
            (agreed.batch_norm, agreed.sentence())
        };
        assert_eq!(of(&[("a", &new), ("b", &new)], asked), (asked, None));
        // A run whose header is not read yet has no say.
        let empty = Run::default();
        assert_eq!(of(&[("a", &new), ("b", &empty)], asked), (asked, None));
        let (shown, sentence) = of(&[("a", &new), ("x", &old)], asked);
        assert_eq!(shown, BatchNorm::Frozen);
        assert_eq!(
            sentence.as_deref(),
            Some(
                "`x` recorded only the frozen measure, so all runs are shown with batch norm frozen."
            )
        );
        let frozen = (BatchNorm::Frozen, None);
        assert_eq!(of(&[("a", &new), ("x", &old)], BatchNorm::Frozen), frozen);
        Ok(())
    }

    #[test]
    fn the_sentence_names_the_runs_that_lack_the_measure() -> anyhow::Result<()> {
        let old = old()?;
        let said = |names: &[&'static str]| {
            let runs = names.iter().map(|name| (*name, &old));
            common_batch_norm(runs, BatchNorm::AsInTraining).sentence()
        };
        assert_eq!(
            said(&["x"]).as_deref(),
            Some("`x` recorded only the frozen measure, so it is shown with batch norm frozen.")
        );
        assert!(said(&["x", "y"]).is_some_and(|text| text.starts_with("`x` and `y` recorded")));
        let many = said(&["x", "y", "z", "w"]);
        assert!(many.is_some_and(|text| text.starts_with("`x`, `y` and 2 other runs recorded")));
        Ok(())
    }
}
