//! The flags of a configuration: one for each of its fields.

use std::path::PathBuf;

use anyhow::Context;
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::error::Error;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use serde::de::IgnoredAny;

use super::output::Usage;
use crate::config::{FIELDS, Field, Group, Kind, RunConfig, Unit};
use crate::text::one_line;
use crate::train::may_change;

/// Flags for the fields of [`RunConfig`], and `--config` for a file of fields. With `DATA_ONLY`, there are flags only
/// for the fields of the data.
#[derive(Clone, Debug, Default)]
pub struct ConfigArguments<const DATA_ONLY: bool> {
    /// A configuration in TOML, whose fields the flags override.
    file: Option<PathBuf>,
    /// The flags given, with their values as text.
    given: Vec<(&'static Field, String)>,
}

impl<const DATA_ONLY: bool> ConfigArguments<DATA_ONLY> {
    fn fields() -> impl Iterator<Item = &'static Field> {
        FIELDS
            .iter()
            .filter(|field| !DATA_ONLY || field.group == Group::Data)
    }

    /// The configuration that the file and the flags describe.
    ///
    /// # Errors
    /// Where the file cannot be read, or a value cannot work.
    pub(super) fn read(&self) -> anyhow::Result<RunConfig> {
        let mut config = match &self.file {
            None => RunConfig::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read the configuration {}", path.display()))?;
                parse_config(&text).map_err(|error| {
                    let error = one_line(error.message());
                    Usage(format!("{error}, in the configuration {}", path.display()))
                })?
            }
        };
        for (field, text) in &self.given {
            let taken = field.set(&mut config, text);
            taken.map_err(|reason| Usage(format!("{}: {reason}", field.name)))?;
        }
        match config.validate().into_iter().next() {
            Some(error) => Err(Usage(error.to_string()).into()),
            None => Ok(config),
        }
    }
}

/// Flags for all fields of [`RunConfig`], as changes of the configuration of a run. Those that may not change are not
/// listed in the help, and are refused by their name.
#[derive(Clone, Debug, Default)]
pub(super) struct ChangeArguments {
    /// The flags given, with their values as text.
    given: Vec<(&'static Field, String)>,
}

impl ChangeArguments {
    /// The configuration with the flags' values in place of its own.
    ///
    /// # Errors
    /// Where a value cannot work.
    pub(super) fn over(&self, mut config: RunConfig) -> anyhow::Result<RunConfig> {
        for (field, text) in &self.given {
            let taken = field.set(&mut config, text);
            taken.map_err(|reason| Usage(format!("{}: {reason}", field.name)))?;
        }
        Ok(config)
    }
}

impl Args for ChangeArguments {
    fn augment_args(command: Command) -> Command {
        let flags = FIELDS.iter().map(|field| {
            let help = field.help;
            flag(field).help(help).hide(!may_change(field))
        });
        command.args(flags)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ChangeArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut arguments = Self::default();
        arguments.update_from_arg_matches(matches)?;
        Ok(arguments)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        let given = FIELDS.iter().filter_map(|field| {
            let text: &String = matches.get_one(field.name)?;
            Some((field, text.clone()))
        });
        self.given.extend(given);
        Ok(())
    }
}

/// Reads a configuration from a file of its own, or from the `run.toml` of a run.
fn parse_config(text: &str) -> Result<RunConfig, toml::de::Error> {
    /// All that a `run.toml` has. A field that stands above `[config]` would otherwise have no effect, without a word.
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Recorded {
        config: RunConfig,
        #[serde(rename = "format")]
        _format: Option<IgnoredAny>,
        #[serde(rename = "code_version")]
        _code_version: Option<IgnoredAny>,
        #[serde(rename = "instruction_set")]
        _instruction_set: Option<IgnoredAny>,
    }
    let table: toml::Table = toml::from_str(text)?;
    if table.contains_key("config") {
        return toml::from_str::<Recorded>(text).map(|recorded| recorded.config);
    }
    toml::from_str(text)
}

impl<const DATA_ONLY: bool> Args for ConfigArguments<DATA_ONLY> {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new("config")
            .long("config")
            .value_name("FILE")
            .value_parser(clap::value_parser!(PathBuf))
            .help("A configuration in TOML, or the `run.toml` of a run; the other options override its fields");
        command.arg(file).args(Self::fields().map(flag))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<const DATA_ONLY: bool> FromArgMatches for ConfigArguments<DATA_ONLY> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut arguments = Self::default();
        arguments.update_from_arg_matches(matches)?;
        Ok(arguments)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        if let Some(file) = matches.get_one("config") {
            self.file = Some(PathBuf::clone(file));
        }
        let given = Self::fields().filter_map(|field| {
            let text: &String = matches.get_one(field.name)?;
            Some((field, text.clone()))
        });
        self.given.extend(given);
        Ok(())
    }
}

/// The flag of a field.
fn flag(field: &'static Field) -> Arg {
    let arg = Arg::new(field.name)
        .long(field.flag)
        .action(ArgAction::Set)
        .value_name(value_name(field))
        .help_heading(field.group.title())
        .help(help(field));
    match field.kind {
        Kind::Flag => arg
            .num_args(0..=1)
            .default_missing_value("true")
            .value_parser(["true", "false"])
            .hide_possible_values(true),
        Kind::Choice(choices) => {
            let value = |choice: &crate::config::Choice| {
                PossibleValue::new(choice.name).help(match choice.label {
                    label if label == choice.name => choice.help.to_owned(),
                    label => format!("{label}: {}", choice.help),
                })
            };
            arg.value_parser(PossibleValuesParser::new(choices.iter().map(value)))
        }
        Kind::Number
        | Kind::Whole
        | Kind::Size
        | Kind::Source
        | Kind::Splits
        | Kind::Shares
        | Kind::Prior
        | Kind::Wholes
        | Kind::Name => {
            // A number below 0 is read as the value that it is, and refused where it is out of bounds.
            let is_number = matches!(
                field.kind,
                Kind::Number | Kind::Whole | Kind::Size | Kind::Shares | Kind::Prior | Kind::Wholes
            );
            arg.allow_hyphen_values(is_number)
                .value_parser(move |text: &str| {
                    let taken = field.set(&mut RunConfig::default(), text);
                    taken.map(|()| text.to_owned())
                })
        }
    }
}

fn value_name(field: &Field) -> &'static str {
    match (field.kind, field.unit) {
        (Kind::Number, Unit::ShareOf(_)) => "SHARE",
        (Kind::Number, _) => "X",
        (Kind::Whole, _) => "N",
        (Kind::Flag, _) => "true|false",
        (Kind::Choice(_), _) => "NAME",
        (Kind::Size, _) => "WxH",
        (Kind::Source, _) => "SPEC",
        (Kind::Splits, _) => "SPLITS",
        (Kind::Shares, _) => "SHARES",
        (Kind::Prior, _) => "PRIOR",
        (Kind::Wholes, _) => "N,N,…",
        (Kind::Name, _) => "NAME",
    }
}

/// The help of a field's flag: the meaning, the condition, the default and the range.
fn help(field: &Field) -> String {
    let mut help = field.help.to_owned();
    if let Some(condition) = &field.applies {
        help.push_str(&format!(" Applies with {}.", condition.needs));
    }
    help.push_str(&format!(" [default: {}]", field.default_words()));
    match field.range() {
        range if range.is_empty() => {}
        range => help.push_str(&format!(" [range: {range}]")),
    }
    help
}

#[cfg(test)]
mod tests;
