//! Where a run comes from: the program that recorded it, or the run that it continues.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A program that trained a network of its own and recorded the run, such as a training script in PyTorch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recorder {
    /// The program with its version, such as `PyTorch 2.15.0`.
    pub name: String,
    /// What its user calls the network, such as `ResNet`.
    #[serde(default)]
    pub network: String,
    /// Settings in the user's own words, by name.
    #[serde(default)]
    pub config: BTreeMap<String, serde_json::Value>,
    /// Share of each class in the gradient of a step, `[K]`; by default that of its training images.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shares: Vec<f64>,
    /// Whether training minimises (weighted) cross-entropy, so that its gradient is a sum of the probe's class gradients.
    #[serde(default = "yes")]
    pub cross_entropy: bool,
    /// Name of the optimiser, such as `SGD` or `AdamW`; empty where it is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub optimizer: String,
    /// How batch norms are treated as in training; `none` where the network has none in training mode, empty where that is
    /// not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub batch_norm: String,
}

fn yes() -> bool {
    true
}

impl Recorder {
    /// The settings as names and texts, the network first, in the order of their names.
    pub fn settings(&self) -> Vec<(String, String)> {
        let network =
            (!self.network.is_empty()).then(|| ("network".to_owned(), self.network.clone()));
        let others = self.config.iter().map(|(name, value)| {
            let text = match value.as_str() {
                Some(text) => text.to_owned(),
                None => value.to_string(),
            };
            (name.clone(), text)
        });
        network.into_iter().chain(others).collect()
    }

    /// Why a step is no sum of class gradients; `None` where it is one, or the optimiser is not known.
    pub(in crate::run) fn departs_from_class_gradients(&self) -> Option<String> {
        if !self.cross_entropy {
            return Some(
                "class gradients are those of cross-entropy, and this run minimises another loss"
                    .to_owned(),
            );
        }
        (!matches!(self.optimizer.as_str(), "" | "SGD")).then(|| {
            format!(
                "{} does not subtract the gradient times one learning rate, so that a step is no sum of class gradients",
                self.optimizer
            )
        })
    }

    /// The random seed among the settings; `None` where there is none.
    pub fn seed(&self) -> Option<u64> {
        let seed = self.config.get("seed");
        seed.and_then(serde_json::Value::as_u64)
    }
}

/// The run and the step from which another run continues.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// Id of the earlier run.
    pub run: String,
    /// The step of the earlier run from which training continued.
    pub step: u64,
    /// The fields of the configuration that differ from those up to that step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<Change>,
    /// Where the earlier run was a fork as well, and its fork lies before that step: the run that it continues.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<Box<Parent>>,
}

impl Parent {
    /// What a fork of `run` at `step` notes: `changed` are the fields whose values differ from those in the header of `run`, and
    /// `before` is what `run` noted itself, if it was a fork. Of a step before that fork the earlier values count.
    pub fn of(run: &str, before: Option<&Self>, step: u64, mut changed: Vec<Change>) -> Self {
        let mut before = before;
        while let Some(skipped) = before.filter(|before| before.step >= step) {
            for earlier in &skipped.changed {
                match changed.iter_mut().find(|x| x.field == earlier.field) {
                    Some(change) => change.from.clone_from(&earlier.from),
                    None => changed.push(earlier.clone()),
                }
            }
            before = skipped.earlier.as_deref();
        }
        changed.retain(|change| change.from != change.to);
        Self {
            run: run.to_owned(),
            step,
            changed,
            earlier: before.cloned().map(Box::new),
        }
    }

    /// This fork and those before it, the latest first.
    pub fn all(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |parent| parent.earlier.as_deref())
    }

    /// What this run continues, in words: "goes on from step 40 of run 0123456789abcdef, up to there with lr 0.1".
    pub fn in_words(&self) -> String {
        let one = |parent: &Self| {
            let changed = parent.changed.iter();
            let before: Vec<String> = changed.map(Change::before).collect();
            let with = match before.as_slice() {
                [] => String::new(),
                before => format!(", up to there with {}", before.join(", ")),
            };
            format!(
                "goes on from step {} of run {}{with}",
                parent.step, parent.run
            )
        };
        let all: Vec<String> = self.all().map(one).collect();
        all.join("; that one ")
    }
}

/// A field of the configuration that was changed in the course of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Name of the field.
    pub field: String,
    /// Its value before, as text; empty where the program chooses it.
    pub from: String,
    /// Its value afterwards, as text; empty where the program chooses it.
    pub to: String,
}

impl Change {
    /// The field with its value before: `lr 0.1`, `weight_decay default`.
    pub fn before(&self) -> String {
        let from = match self.from.as_str() {
            "" => "default",
            from => from,
        };
        format!("{} {from}", self.field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fork of a fork tells of both; before the first fork, the values of the first run count.
    #[test]
    fn a_fork_of_a_fork_tells_of_both() {
        let change = |field: &str, from: &str, to: &str| Change {
            field: field.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
        };
        let first = Parent::of("a", None, 40, vec![change("lr", "0.1", "0.03")]);
        let later = Parent::of("b", Some(&first), 60, Vec::new());
        assert_eq!(
            later.in_words(),
            "goes on from step 60 of run b; that one goes on from step 40 of run a, up to there with lr 0.1"
        );
        // At the step of the first fork the first run's values have held so far, and after it those of the fork.
        let unchanged = Parent::of("b", Some(&first), 40, Vec::new());
        assert_eq!(
            unchanged.in_words(),
            "goes on from step 40 of run b, up to there with lr 0.1"
        );
        let more = vec![
            change("lr", "0.03", "0.01"),
            change("momentum", "0.9", "0.8"),
        ];
        let twice = Parent::of("b", Some(&first), 20, more.clone());
        let expected = vec![
            change("lr", "0.1", "0.01"),
            change("momentum", "0.9", "0.8"),
        ];
        assert_eq!((&twice.changed, &twice.earlier), (&expected, &None));
        let back = Parent::of("b", Some(&first), 20, vec![change("lr", "0.03", "0.1")]);
        assert_eq!((back.changed.len(), back.earlier), (0, None));
        let third = Parent::of("c", Some(&later), 50, more);
        assert_eq!(third.changed[0].from, "0.03");
        assert_eq!(third.earlier.as_deref(), Some(&first));
    }

    /// Of other optimisers than SGD no effect of a class is predicted; of unknown ones it is, as before they were recorded.
    #[test]
    fn a_step_of_another_optimiser_is_no_sum_of_class_gradients() -> anyhow::Result<()> {
        for (fields, departs) in [
            (r#""name": "PyTorch""#, ""),
            (r#""name": "PyTorch", "optimizer": "SGD""#, ""),
            (
                r#""name": "PyTorch", "optimizer": "AdamW""#,
                "AdamW does not",
            ),
            (
                r#""name": "PyTorch", "optimizer": "SGD", "cross_entropy": false"#,
                "class gradients are those of cross-entropy",
            ),
        ] {
            let recorder: Recorder = serde_json::from_str(&format!("{{{fields}}}"))?;
            let said = recorder.departs_from_class_gradients().unwrap_or_default();
            assert!(said.starts_with(departs), "{fields}: {said}");
            assert_eq!(said.is_empty(), departs.is_empty(), "{fields}: {said}");
        }
        Ok(())
    }
}
