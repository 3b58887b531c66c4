//! Groups of runs that differ in nothing but the seed, named by the fields in which the groups differ.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use crate::config::{self, Field};
use crate::run::event::{Change, Parent, Started};

/// A field in which configurations differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The field of a configuration, as written in TOML, or a setting of a recorder.
    pub field: String,
    /// The field's value in every configuration, in the order given; `default` where the program chooses the value.
    pub values: Vec<String>,
}

/// The settings in which runs differ, sorted by name; neutral ones such as the seed are among them. Empty for fewer than
/// two runs.
pub fn differences(headers: &[&Started]) -> Vec<Difference> {
    if headers.iter().any(|started| started.recorder.is_some()) {
        return differing_settings(headers);
    }
    let configs: Vec<_> = headers.iter().map(|started| &started.config).collect();
    let found = config::differences(&configs).into_iter();
    let named = found.map(|difference| Difference {
        field: difference.field.name.to_owned(),
        values: difference.values.into_iter().map(or_default).collect(),
    });
    let mut named: Vec<_> = named.collect();
    named.sort_by(|a, b| a.field.cmp(&b.field));
    named
}

/// The differences of runs of which some were recorded by another program, whose settings have names of their own. A run
/// without a setting has no value for it.
fn differing_settings(headers: &[&Started]) -> Vec<Difference> {
    let settings: Vec<BTreeMap<_, _>> = headers
        .iter()
        .map(|started| started.settings().into_iter().collect())
        .collect();
    let names: BTreeSet<&String> = settings.iter().flat_map(BTreeMap::keys).collect();
    let of = |name: &String| Difference {
        field: name.clone(),
        values: settings
            .iter()
            .map(|own| own.get(name).cloned().unwrap_or_else(|| "none".to_owned()))
            .collect(),
    };
    let differs = |x: &Difference| x.values.iter().any(|value| *value != x.values[0]);
    names.into_iter().map(of).filter(differs).collect()
}

fn or_default(value: String) -> String {
    if value.is_empty() {
        "default".to_owned()
    } else {
        value
    }
}

/// Whether runs of one group may differ in a field, because the field changes neither the data nor what is learnt.
fn is_neutral(field: &str) -> bool {
    Field::named(field).is_some_and(|field| field.is_neutral)
}

/// Runs that differ in nothing but neutral fields: the seed, the device, and how often something is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The fields in which the groups differ, with their values: `attention branch, width 1/2`. No two groups share a
    /// name.
    pub name: String,
    /// Positions of its runs, in the order given.
    pub members: Vec<usize>,
    /// A text that follows from configuration and data alone, whatever other groups there are.
    pub identity: String,
}

/// The groups of some runs, in the order of their first runs. Equal images in different folders count as the same data.
pub fn groups(headers: &[&Started]) -> Vec<Group> {
    let mut keys: Vec<BTreeMap<String, Value>> = Vec::new();
    let mut groups: Vec<Group> = Vec::new();
    for (member, started) in headers.iter().enumerate() {
        let key = key(started);
        match keys.iter().position(|known| *known == key) {
            Some(at) => groups[at].members.push(member),
            None => {
                groups.push(Group {
                    name: String::new(),
                    members: vec![member],
                    identity: serde_json::to_string(&key).unwrap_or_default(),
                });
                keys.push(key);
            }
        }
    }
    name_apart(&mut groups, headers);
    groups
}

/// Names each group by exactly those fields in which the given groups differ.
pub fn name_apart(groups: &mut [Group], headers: &[&Started]) {
    let firsts: Vec<_> = groups.iter().map(|x| headers[x.members[0]]).collect();
    for (group, name) in groups.iter_mut().zip(names(&firsts)) {
        group.name = name;
    }
}

/// Everything that runs of a group have in common, by name: the configuration and facts about the data. The text of the
/// key decides the colour of the group.
fn key(started: &Started) -> BTreeMap<String, Value> {
    let fields = match (&started.recorder, serde_json::to_value(&started.config)) {
        (Some(recorder), _) => {
            let settings = recorder.settings().into_iter();
            settings
                .map(|(name, text)| (name, Value::from(text)))
                .collect()
        }
        (None, Ok(Value::Object(fields))) => fields,
        (None, _) => serde_json::Map::new(),
    };
    let is_common = |name: &String| !is_neutral(name) && name != "data";
    let common = fields.into_iter().filter(|(name, _)| is_common(name));
    let mut key: BTreeMap<_, _> = common.collect();
    if let Some(recorder) = &started.recorder {
        key.insert("recorded by".to_owned(), Value::from(&*recorder.name));
    }
    // These names contain spaces, so they cannot be names of fields.
    key.insert(
        "data fingerprint".to_owned(),
        Value::from(&*started.data_fingerprint),
    );
    key.insert("class names".to_owned(), Value::from(&*started.classes));
    key.insert(
        "train counts".to_owned(),
        Value::from(&*started.train_counts),
    );
    if let Some(fork) = fork(started) {
        key.insert("fork".to_owned(), Value::from(fork));
    }
    key
}

/// What sets a fork apart from runs that were trained with its configuration from the start; `None` for such a run, and
/// for a fork that changed neutral fields alone.
fn fork(started: &Started) -> Option<String> {
    let forks = started.parent.iter().flat_map(Parent::all);
    let words = forks.filter_map(|fork| {
        let changed = fork.changed.iter();
        let changed = changed.filter(|change| !is_neutral(&change.field));
        let before: Vec<String> = changed.map(Change::before).collect();
        let before = before.join(", ").replace('_', " ");
        (!before.is_empty()).then(|| format!("forked after step {} of {before}", fork.step))
    });
    let words: Vec<String> = words.collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// A name for each group, given its first run.
fn names(firsts: &[&Started]) -> Vec<String> {
    let same_data = firsts
        .iter()
        .all(|x| x.data_fingerprint == firsts[0].data_fingerprint);
    let mut telling = differences(firsts);
    let is_silent = |field: &str| is_neutral(field) || (same_data && field == "data");
    telling.retain(|x| !is_silent(&x.field));
    let mut names: Vec<String> = Vec::new();
    for (at, started) in firsts.iter().enumerate() {
        let field = |x: &Difference| format!("{} {}", x.field.replace('_', " "), x.values[at]);
        let name = match telling.as_slice() {
            [] if firsts.len() > 1 && !same_data => {
                format!("data {}", started.data_fingerprint)
            }
            [] => match &started.recorder {
                Some(recorder) => format!("network {}", recorder.network),
                None => format!("attention {}", started.config.attention),
            },
            telling => telling.iter().map(field).collect::<Vec<_>>().join(", "),
        };
        let name = match fork(started) {
            Some(fork) => format!("{name}, {fork}"),
            None => name,
        };
        let numbered = (2..).map(|number| format!("{name} ({number})"));
        let mut free = std::iter::once(name.clone()).chain(numbered);
        names.push(free.find(|x| !names.contains(x)).unwrap_or(name));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Attention, RunConfig, Width};

    fn config(attention: Attention, width: Width, seed: u64) -> RunConfig {
        RunConfig {
            attention,
            width,
            seed,
            ..RunConfig::default()
        }
    }

    /// Where settings changed before a fork whose own are unchanged, it is of another group than runs of one piece.
    #[test]
    fn a_fork_is_of_a_group_by_all_that_changed_before_it() {
        let whole = started(config(Attention::None, Width::Quarter, 0));
        let change = Change {
            field: "weight_decay".to_owned(),
            from: String::new(),
            to: "0.1".to_owned(),
        };
        let first = Parent::of("a", None, 40, vec![change]);
        let mut fork = started(config(Attention::None, Width::Quarter, 1));
        fork.parent = Some(Parent::of("b", Some(&first), 60, Vec::new()));
        let found = groups(&[&whole, &fork]);
        let names: Vec<_> = found.iter().map(|group| group.name.as_str()).collect();
        assert!(
            matches!(names[..], [_, name] if name.ends_with("forked after step 40 of weight decay default")),
            "{names:?}"
        );
    }

    /// How often something is measured, and on what, is no other training.
    #[test]
    fn a_fork_that_changed_neutral_fields_alone_is_of_the_group_of_its_settings() {
        let whole = started(config(Attention::None, Width::Quarter, 0));
        let change = |field: &str, to: &str| Change {
            field: field.to_owned(),
            from: String::new(),
            to: to.to_owned(),
        };
        let neutral = vec![change("probe_every", "50"), change("threads", "2")];
        let mut fork = started(config(Attention::None, Width::Quarter, 1));
        fork.parent = Some(Parent::of("a", None, 40, neutral.clone()));
        assert_eq!(groups(&[&whole, &fork]).len(), 1);
        assert!(fork.is_of_one_piece());
        let more = [neutral, vec![change("momentum", "0.8")]].concat();
        fork.parent = Some(Parent::of("a", None, 40, more));
        let found = groups(&[&whole, &fork]);
        assert!(!fork.is_of_one_piece() && found.len() == 2);
        let name = &found[1].name;
        assert!(
            name.ends_with("forked after step 40 of momentum default"),
            "{name}"
        );
    }

    #[test]
    fn differences_are_sorted_by_the_name_of_the_field() {
        let a = started(config(Attention::None, Width::Quarter, 0));
        let b = started(RunConfig {
            val: Some(0),
            imbalance: 100.0,
            ..config(Attention::None, Width::Quarter, 3)
        });
        let found = differences(&[&a, &b, &a]);
        let field = |name: &str, x: &str, y: &str| Difference {
            field: name.to_owned(),
            values: [x, y, x].map(str::to_owned).to_vec(),
        };
        let expected = [
            field("imbalance", "1", "100"),
            field("seed", "0", "3"),
            field("val", "default", "0"),
        ];
        assert_eq!(found, expected);
        assert!(differences(&[&a]).is_empty() && differences(&[]).is_empty());
    }

    /// Runs of a recorder are told apart by their own settings; those that differ in the seed alone are one group, and a
    /// run of this program is never one of them.
    #[test]
    fn groups_of_recorded_runs_are_named_by_their_own_settings() {
        let mut headers = Vec::new();
        for (lr, seed) in [(0.1, 0), (0.1, 1), (0.2, 0)] {
            let mut header = started(RunConfig::default());
            let settings = [("lr", serde_json::json!(lr)), ("seed", seed.into())];
            header.recorder = Some(Box::new(crate::run::event::Recorder {
                name: "PyTorch 2".to_owned(),
                network: "ResNet".to_owned(),
                config: settings.map(|(name, x)| (name.to_owned(), x)).into(),
                ..crate::run::event::Recorder::default()
            }));
            headers.push(header);
        }
        let of = |headers: &[Started]| groups(&headers.iter().collect::<Vec<_>>());
        let found = of(&headers);
        let members: Vec<_> = found.iter().map(|x| x.members.clone()).collect();
        assert_eq!(members, [vec![0, 1], vec![2]]);
        let names: Vec<_> = found.iter().map(|x| x.name.as_str()).collect();
        assert_eq!(names, ["lr 0.1", "lr 0.2"]);
        assert_eq!(of(&headers[..1])[0].name, "network ResNet");
        headers.push(started(RunConfig::default()));
        assert_eq!(of(&headers).len(), 3);
    }

    #[test]
    fn groups_are_named_by_the_fields_in_which_they_differ() {
        let mut headers = Vec::new();
        for seed in 0..2 {
            headers.push(started(config(Attention::None, Width::Quarter, seed)));
            headers.push(started(config(Attention::Branch, Width::Half, seed)));
        }
        headers[2].config.threads = Some(7);
        headers[2].config.data = config::DataSource::Folder("/elsewhere".into());
        let found = groups(&headers.iter().collect::<Vec<_>>());
        let names: Vec<_> = found.iter().map(|x| x.name.as_str()).collect();
        assert_eq!(
            names,
            ["attention none, width 1/4", "attention branch, width 1/2"]
        );
        assert_eq!(found[0].members, [0, 2]);
        // A single group is named by its attention.
        assert_eq!(groups(&[&headers[0]])[0].name, "attention none");
    }

    #[test]
    fn runs_on_other_data_are_another_group() {
        let mut headers = vec![started(RunConfig::default()); 3];
        headers[1].data_fingerprint = "1".to_owned();
        headers[2].train_counts = vec![4, 1];
        let found = groups(&headers.iter().collect::<Vec<_>>());
        let names: Vec<_> = found.iter().map(|x| x.name.as_str()).collect();
        assert_eq!(names, ["data 0", "data 1", "data 0 (2)"]);
        assert!(groups(&[]).is_empty());
    }

    fn started(config: RunConfig) -> Started {
        super::super::contrast::tests::started(config)
    }
}
