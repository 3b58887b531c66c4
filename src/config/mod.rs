//! `RunConfig`: the one description of a run, shared by the command line, the TOML file, the setup panel and the log.
//!
//! A field is one entry of the table in `fields.rs`: its type, default, name on screen, meaning, unit, bounds, group,
//! and the condition under which it has an effect. Everything else follows from [`FIELDS`]: the flag and its help, the
//! key in TOML, the row of the setup panel, the messages about values that cannot work, the warnings about values that
//! have no effect, the difference of two configurations, and `assets/docs/configuration.md`. Imports nothing of the
//! crate.

mod bounds;
mod check;
mod choices;
mod difference;
#[cfg(test)]
mod documentation;
mod field;
mod fields;
mod lists;
mod prior;
mod recipe;
mod source;
mod table;
#[cfg(test)]
mod tests;
mod value;

pub use bounds::{Bounds, Unit};
pub use check::FieldError;
pub use choices::{
    Attention, ClassWeights, DeviceKind, GatePlace, Loss, NormKind, Optimizer, Profile, Sampler,
    Schedule, Width,
};
pub use difference::{Difference, differences};
pub use field::{Condition, Group};
pub use fields::{FIELDS, RunConfig};
pub use lists::{Dilations, Kernels, Milestones};
pub use prior::Prior;
pub use source::{DataSource, Size, Splits};
pub use value::{Choice, Kind};

/// One field of [`RunConfig`].
pub type Field = field::Field<RunConfig>;

impl Field {
    /// The field with this key in TOML.
    pub fn named(name: &str) -> Option<&'static Self> {
        FIELDS.iter().find(|field| field.name == name)
    }
}

impl Group {
    /// The fields of the group.
    pub fn fields(self) -> impl Iterator<Item = &'static Field> {
        FIELDS.iter().filter(move |field| field.group == self)
    }
}
