//! `Field`: all facts about one field of a configuration.

use super::bounds::{Bounds, Unit};
use super::value::Kind;

/// Fields that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// The images, and the choice of those that are used.
    Data,
    /// The network.
    Network,
    /// Means to make rare classes count more.
    RareClasses,
    /// The optimiser, augmentation and the length of training.
    Training,
    /// Measurements during training, and how often they are made.
    Measurement,
    /// The device that computes, and its settings.
    Machine,
}

impl Group {
    /// Every group, in the order of the fields.
    pub const ALL: &'static [Self] = &[
        Self::Data,
        Self::Network,
        Self::RareClasses,
        Self::Training,
        Self::Measurement,
        Self::Machine,
    ];

    /// The heading of the group.
    pub fn title(self) -> &'static str {
        match self {
            Self::Data => "Data",
            Self::Network => "Network",
            Self::RareClasses => "Correct for rare classes",
            Self::Training => "Training",
            Self::Measurement => "Measurement",
            Self::Machine => "Machine",
        }
    }
}

/// The condition under which a field of the configuration `C` has an effect.
#[derive(Debug)]
pub struct Condition<C> {
    /// The thing that the configuration must have, to be read after "no effect without": "the focal loss".
    pub needs: &'static str,
    /// Whether a configuration meets the condition.
    pub holds: fn(&C) -> bool,
}

/// One field of the configuration `C`. The command line, the TOML file, the setup panel, the warnings, the difference
/// of two configurations and the reference in `assets/docs/configuration.md` all follow from it.
#[derive(Debug)]
pub struct Field<C> {
    /// The key in TOML.
    pub name: &'static str,
    /// The flag on the command line, without its two dashes.
    pub flag: &'static str,
    /// The name on screen.
    pub label: &'static str,
    /// The meaning, in sentences.
    pub help: &'static str,
    /// The group of the field.
    pub group: Group,
    /// How a value is entered.
    pub kind: Kind,
    /// The unit of the field's numbers.
    pub unit: Unit,
    /// The numbers that the field may hold.
    pub bounds: Bounds,
    /// The meaning of the lowest number; empty where it is plain.
    pub low_means: &'static str,
    /// A number that messages suggest, where the default is not suitable for that.
    pub example: &'static str,
    /// The value, in words, that the program chooses where none is given; empty for a field that always has a value.
    pub unset: &'static str,
    /// [`Self::unset`] in a word or two, for the empty box on screen.
    pub unset_hint: &'static str,
    /// The value, as text, that an empty field has in a configuration, where that depends on other fields; else empty.
    pub(super) chosen: fn(&C) -> String,
    /// Whether the field is one that every user sets: it is on screen without opening a section.
    pub is_main: bool,
    /// Whether the field changes neither the data nor what is learnt, apart from chance. Runs that differ in nothing
    /// else are repetitions.
    pub is_neutral: bool,
    /// Whether this build of the program can make use of the field.
    pub is_built: bool,
    /// The condition under which the field has an effect; `None` where it always has one.
    pub applies: Option<Condition<C>>,
    pub(super) is_optional: bool,
    pub(super) get: fn(&C) -> String,
    pub(super) set: fn(&mut C, &str) -> Result<(), String>,
    pub(super) numbers: fn(&C) -> Vec<f64>,
    pub(super) fault: fn(&C) -> Option<&'static str>,
}

impl<C: Default> Field<C> {
    /// The values of everything about a field that the table of fields leaves out.
    pub(super) const BLANK: Self = Self {
        name: "",
        flag: "",
        label: "",
        help: "",
        group: Group::Data,
        kind: Kind::Flag,
        unit: Unit::Plain,
        bounds: Bounds::Any,
        low_means: "",
        example: "",
        unset: "",
        unset_hint: "",
        chosen: |_| String::new(),
        is_main: false,
        is_neutral: false,
        is_built: true,
        applies: None,
        is_optional: false,
        get: |_| String::new(),
        set: |_, _| Ok(()),
        numbers: |_| Vec::new(),
        fault: |_| None,
    };

    /// The value as text; empty where the program chooses it.
    pub fn text(&self, config: &C) -> String {
        (self.get)(config)
    }

    /// Sets the value from text. The empty text leaves the choice to the program, where the field allows that.
    ///
    /// # Errors
    /// A sentence about what should be written instead; the configuration is then unchanged. A value that can be read
    /// is set even where it is out of bounds, which [`Self::problem`] reports.
    pub fn set(&self, config: &mut C, text: &str) -> Result<(), String> {
        (self.set)(config, text)
    }

    /// The default as text; empty where the program chooses the value.
    pub fn default_text(&self) -> String {
        self.text(&C::default())
    }

    /// The default in words: a value, or what the program chooses.
    pub fn default_words(&self) -> String {
        if self.is_optional {
            self.unset.to_owned()
        } else {
            self.default_text()
        }
    }

    /// The text that an empty box on screen shows.
    pub fn hint(&self, config: &C) -> String {
        match ((self.chosen)(config), self.is_optional) {
            (chosen, _) if !chosen.is_empty() => chosen,
            (_, true) => self.unset_hint.to_owned(),
            (_, false) => self.default_text(),
        }
    }

    /// The numbers that the field may hold, with their unit: `2 to 65536 images`; empty where there are no bounds.
    pub fn range(&self) -> String {
        match (self.bounds, self.unit) {
            (Bounds::Any, _) => String::new(),
            (bounds, Unit::Of(things)) => format!("{bounds} {things}"),
            (bounds, Unit::Plain | Unit::ShareOf(_)) => bounds.to_string(),
        }
    }

    /// The meaning, the default of an optional field, and the range.
    pub fn explanation(&self) -> String {
        let mut text = self.help.to_owned();
        if self.is_optional {
            text.push_str(&format!(" Empty: {}.", self.unset));
        }
        match self.range() {
            range if range.is_empty() => {}
            range => text.push_str(&format!(" Range: {range}.")),
        }
        text
    }

    /// Why the value cannot work and which value would; `None` where it can.
    pub fn problem(&self, config: &C) -> Option<String> {
        if let Some(fault) = (self.fault)(config) {
            return Some(fault.to_owned());
        }
        let numbers = (self.numbers)(config);
        let is_outside = numbers.iter().any(|number| !self.bounds.hold(*number));
        is_outside.then(|| self.demand())
    }

    /// The requirement on a value: "must be between 2 and 65536 images".
    fn demand(&self) -> String {
        let subject = match self.kind {
            Kind::Size => "width and height ",
            Kind::Number
            | Kind::Whole
            | Kind::Flag
            | Kind::Choice(_)
            | Kind::Source
            | Kind::Splits
            | Kind::Shares
            | Kind::Prior
            | Kind::Wholes
            | Kind::Name => "",
        };
        let demand = self.bounds.demand(self.low_means);
        let unit = self.unit.after(self.bounds.last());
        let example = match (self.example, self.kind) {
            ("", Kind::Number) => self.default_text(),
            (example, _) => example.to_owned(),
        };
        let example = match example.as_str() {
            "" => example,
            example => format!(", such as {example}"),
        };
        format!("{subject}must be {demand}{unit}{example}")
    }

    /// Whether the field has an effect in a configuration.
    pub fn applies(&self, config: &C) -> bool {
        let condition = self.applies.as_ref();
        condition.is_none_or(|condition| (condition.holds)(config))
    }

    /// A sentence about the condition that is missing, where the configuration sets the field but the field has no
    /// effect.
    pub fn idle(&self, config: &C) -> Option<String> {
        let needs = self.applies.as_ref()?.needs;
        let is_idle = !self.applies(config) && self.text(config) != self.default_text();
        is_idle.then(|| format!("`{}` has no effect without {needs}.", self.name))
    }

    /// Whether every word occurs in the description of the field or of its choices; `words` are in lower case.
    pub fn is_found_by(&self, words: &[String]) -> bool {
        let mut text = format!(
            "{} {} {} {} {}",
            self.label,
            self.name,
            self.flag,
            self.help,
            self.group.title()
        );
        if let Kind::Choice(choices) = self.kind {
            for choice in choices {
                text.push_str(&format!(
                    " {} {} {}",
                    choice.name, choice.label, choice.help
                ));
            }
        }
        let text = text.to_lowercase();
        words.iter().all(|word| text.contains(word))
    }
}

/// The key of a field as a flag: with a dash for every underscore.
pub(super) const fn dashed<const N: usize>(key: &str) -> [u8; N] {
    let mut flag = [0; N];
    let mut at = 0;
    while at < N {
        flag[at] = match key.as_bytes()[at] {
            b'_' => b'-',
            letter => letter,
        };
        at += 1;
    }
    flag
}

/// The text of a flag.
pub(super) const fn text(flag: &[u8]) -> &str {
    match std::str::from_utf8(flag) {
        Ok(text) => text,
        Err(_) => "",
    }
}
