//! Groups of runs that differ in nothing but the seed, named by the settings in which the groups differ.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::config::RunConfig;
use crate::run::event::Started;

/// Fields that change neither the data nor what is learnt: the seed, where the numbers are computed, and how often
/// something is measured. Runs of one group may differ in them.
pub const NEUTRAL: &[&str] = &["seed", "threads", "device", "eval_every", "probe_every"];

/// A field in which configurations differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The field of [`RunConfig`], as written in TOML.
    pub field: String,
    /// Its value in every configuration, in the order given; `default` where it is left to the program.
    pub values: Vec<String>,
}

/// The fields in which configurations differ, by name; the seed and everything else of [`NEUTRAL`] among them. Empty
/// for fewer than two.
pub fn differences(configs: &[&RunConfig]) -> Vec<Difference> {
    let tables: Vec<_> = configs.iter().map(|config| fields(config)).collect();
    let mut names: Vec<&String> = tables.iter().flat_map(BTreeMap::keys).collect();
    names.sort_unstable();
    names.dedup();
    let of_field = |name: &String| Difference {
        field: name.clone(),
        values: tables.iter().map(|table| text(table.get(name))).collect(),
    };
    let differs = |x: &Difference| x.values.iter().any(|value| *value != x.values[0]);
    names.into_iter().map(of_field).filter(differs).collect()
}

/// A configuration as a table: whatever fields there are.
fn fields(config: &RunConfig) -> BTreeMap<String, Value> {
    match serde_json::to_value(config) {
        Ok(Value::Object(fields)) => fields.into_iter().collect(),
        _ => BTreeMap::new(),
    }
}

fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "default".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => {
            let text = other.to_string();
            let whole = text.strip_suffix(".0").map(str::to_owned);
            whole.unwrap_or(text)
        }
    }
}

/// Runs that differ in nothing but [`NEUTRAL`] fields, and where their data lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The fields in which the groups differ, with their values: `attention branch, width 1/2`. No two groups have the same
    /// name.
    pub name: String,
    /// Indices of the group's runs, in the order given.
    pub members: Vec<usize>,
    /// Identity of the group: equal for the same configuration and data, whatever other groups there are.
    pub identity: String,
}

/// The groups of runs with these headers, in the order of their first runs. The same data in another folder count as the
/// same data.
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

/// Names groups of these runs by the settings in which they differ from each other, and by no others.
pub fn name_apart(groups: &mut [Group], headers: &[&Started]) {
    let firsts: Vec<_> = groups.iter().map(|x| headers[x.members[0]]).collect();
    for (group, name) in groups.iter_mut().zip(names(&firsts)) {
        group.name = name;
    }
}

/// Everything that the runs of a group have in common: configuration, data, classes and numbers of training images.
fn key(started: &Started) -> BTreeMap<String, Value> {
    let mut key = fields(&started.config);
    key.retain(|name, _| !NEUTRAL.contains(&name.as_str()) && name != "data");
    // Names with spaces, which no field of a configuration has, so that the two cannot be confused.
    key.insert(
        "data fingerprint".to_owned(),
        Value::from(&*started.data_fingerprint),
    );
    key.insert("class names".to_owned(), Value::from(&*started.classes));
    key.insert(
        "train counts".to_owned(),
        Value::from(&*started.train_counts),
    );
    key
}

/// Names for groups of which these are the first runs.
fn names(firsts: &[&Started]) -> Vec<String> {
    let configs: Vec<_> = firsts.iter().map(|started| &started.config).collect();
    let same_data = firsts
        .iter()
        .all(|x| x.data_fingerprint == firsts[0].data_fingerprint);
    let mut telling = differences(&configs);
    let is_silent = |field: &str| NEUTRAL.contains(&field) || (same_data && field == "data");
    telling.retain(|x| !is_silent(&x.field));
    let mut names: Vec<String> = Vec::new();
    for (at, started) in firsts.iter().enumerate() {
        let field = |x: &Difference| format!("{} {}", x.field.replace('_', " "), x.values[at]);
        let name = match telling.as_slice() {
            [] if firsts.len() > 1 && !same_data => {
                format!("data {}", started.data_fingerprint)
            }
            [] => format!("attention {}", started.config.attention),
            telling => telling.iter().map(field).collect::<Vec<_>>().join(", "),
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
    use crate::config::{Attention, Width};

    fn config(attention: Attention, width: Width, seed: u64) -> RunConfig {
        RunConfig {
            attention,
            width,
            seed,
            ..RunConfig::default()
        }
    }

    #[test]
    fn differences_are_of_any_field() {
        let a = config(Attention::None, Width::Quarter, 0);
        let b = RunConfig {
            val: Some(0),
            imbalance: 100.0,
            ..config(Attention::None, Width::Quarter, 3)
        };
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

    #[test]
    fn groups_are_named_by_what_tells_them_apart() {
        let mut headers = Vec::new();
        for seed in 0..2 {
            headers.push(started(config(Attention::None, Width::Quarter, seed)));
            headers.push(started(config(Attention::Branch, Width::Half, seed)));
        }
        headers[2].config.threads = Some(7);
        headers[2].config.data = crate::config::DataSource::Folder("/elsewhere".into());
        let found = groups(&headers.iter().collect::<Vec<_>>());
        let names: Vec<_> = found.iter().map(|x| x.name.as_str()).collect();
        assert_eq!(
            names,
            ["attention none, width 1/4", "attention branch, width 1/2"]
        );
        assert_eq!(found[0].members, [0, 2]);
        // Alone, a group is called by what the program is about.
        assert_eq!(groups(&[&headers[0]])[0].name, "attention none");
    }

    #[test]
    fn other_data_are_another_group() {
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
