//! The fields in which configurations differ.

use super::field::Field;
use super::fields::{FIELDS, RunConfig};

/// A field in which configurations differ.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The field.
    pub field: &'static Field<RunConfig>,
    /// The field's value in every configuration, in the order given; empty where the program chooses the value.
    pub values: Vec<String>,
}

impl RunConfig {
    /// Every field that is set, as name and value, in the order of [`FIELDS`].
    pub fn settings(&self) -> Vec<(String, String)> {
        // TOML keeps the order of fields and writes one line for each.
        let text = toml::to_string(self).unwrap_or_default();
        let field = |line: &str| {
            let (name, value) = line.split_once(" = ")?;
            let value = value.trim_matches('"');
            let value = value.strip_suffix(".0").unwrap_or(value);
            Some((name.to_owned(), value.to_owned()))
        };
        text.lines().filter_map(field).collect()
    }
}

/// The fields in which the configurations are not all equal, in the order of [`FIELDS`]. Empty for fewer than two
/// configurations.
pub fn differences(configs: &[&RunConfig]) -> Vec<Difference> {
    let of_field = |field: &'static Field<RunConfig>| Difference {
        field,
        values: configs.iter().map(|config| field.text(config)).collect(),
    };
    let differs = |x: &Difference| x.values.iter().any(|value| *value != x.values[0]);
    FIELDS.iter().map(of_field).filter(differs).collect()
}
