//! In which fields configurations differ.

use crate::config::RunConfig;

/// The fields, as named in TOML and in its order, whose values are not the same in all of `configs`, each with its value
/// in every one of them; a field that is left to the program is "auto".
pub fn differences(configs: &[&RunConfig]) -> Vec<(String, Vec<String>)> {
    let tables: Vec<_> = configs.iter().map(|config| fields(config)).collect();
    differences_of(&tables.iter().collect::<Vec<_>>())
}

/// A configuration as text: the name of each field that is set, and its value.
pub type Fields = Vec<(String, String)>;

/// [`differences`] of configurations that are text already.
pub fn differences_of(tables: &[&Fields]) -> Vec<(String, Vec<String>)> {
    let mut names: Vec<&String> = Vec::new();
    for (name, _) in tables.iter().flat_map(|table| table.iter()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut different = Vec::new();
    for name in names {
        let value = |table: &&Fields| {
            let found = table.iter().find(|(other, _)| other == name);
            found.map_or_else(|| AUTO.to_owned(), |(_, value)| value.clone())
        };
        let values: Vec<String> = tables.iter().map(value).collect();
        if values.windows(2).any(|pair| pair[0] != pair[1]) {
            different.push((name.clone(), values));
        }
    }
    different
}

/// What a field that is left to the program has for a value.
pub const AUTO: &str = "auto";

/// Every field that is set, as text, in the order of [`RunConfig`].
pub fn fields(config: &RunConfig) -> Fields {
    // TOML keeps the order of fields, and has one line for each.
    let text = toml::to_string(config).unwrap_or_default();
    let field = |line: &str| {
        let (name, value) = line.split_once(" = ")?;
        Some((name.to_owned(), value.trim_matches('"').to_owned()))
    };
    text.lines().filter_map(field).collect()
}

/// What runs of one group share: everything but the seed.
pub fn but_seed(config: &RunConfig) -> RunConfig {
    RunConfig {
        seed: 0,
        ..config.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Attention;

    #[test]
    fn only_what_differs_is_listed() {
        let a = RunConfig::default();
        let b = RunConfig {
            attention: Attention::Branch,
            val: Some(20),
            ..a.clone()
        };
        let owned =
            |name: &str, values: [&str; 2]| (name.to_owned(), values.map(str::to_owned).to_vec());
        let expected = [
            owned("val", ["auto", "20"]),
            owned("attention", ["none", "branch"]),
        ];
        let mut found = differences(&[&a, &b]);
        found.sort_by(|a, b| b.0.cmp(&a.0));
        assert_eq!(found, expected);
        assert!(differences(&[&a]).is_empty() && differences(&[]).is_empty());
        let seeded = RunConfig {
            seed: 5,
            ..a.clone()
        };
        assert_eq!(but_seed(&seeded), but_seed(&a));
    }
}
