//! Findings: plain sentences that the program derives from a run or from a pair of runs, and ranks.
//!
//! A finding states only facts that can be distinguished from noise. The rules, each in the file named:
//!
//! | kind | says | where |
//! |---|---|---|
//! | [`Kind::Loss`] | the training loss is not a number, or leaps | `training` |
//! | [`Kind::Adjustment`] | logits lowered by τ·ln π would give a better macro-F1, without any training | `adjustment` |
//! | [`Kind::Comparison`] | what attention changes, in a pair whose configurations differ in nothing else | `compare` |
//! | [`Kind::Unlearned`] | steps raise a class's loss, in the last probes in a row | `unlearned` |
//! | [`Kind::Overfitting`] | validation macro-F1 falls while training loss falls | `training` |
//! | [`Kind::Score`] | classes with training images have an F1 of 0 or an undefined F1 | `training` |
//! | [`Kind::Conflict`] | the pair of classes that pulls apart most, and persistently | `conflict` |
//! | [`Kind::Setback`] | steps raised a class's loss during a span of training | `setback` |
//! | [`Kind::Thirds`] | frequent and rare classes conflict with each other more than other pairs do | `thirds` |
//! | [`Kind::Gates`] | gates are saturated, alike for all classes, or alike in all branches | `gates` |
//! | [`Kind::Noise`] | a class whose gradient is noise while the gradients of others are not | `noise` |
//! | [`Kind::Depth`] | where conflict exceeds noise most, and where nothing is resolved | `depth` |
//! | [`Kind::NoAdjustment`] | logits lowered by τ·ln π would not | `adjustment` |
//!
//! Findings are ranked in this order ([`Kind::rank`]); within a kind, the stronger finding comes first, and a rare
//! class before a frequent one. The images of a probe are the same throughout a run, so successive probes share their
//! noise: a rule requires that a fact lasts over several probes, but never counts these as independent evidence. The
//! probe before the first step is left out, since the network has learned nothing by then.
//!
//! [`find`] applies all rules. Works on plain numbers; imports `run`, `gradient`, `compare`, `class_balance`, `network`,
//! `config` and `text`.

mod adjustment;
mod compare;
mod conflict;
mod depth;
mod finding;
mod gates;
mod noise;
mod recent;
mod search;
mod setback;
mod subject;
#[cfg(test)]
mod tests;
mod thirds;
mod training;
mod unlearned;
mod words;

pub use adjustment::EndLogits;
pub use finding::{Evidence, Finding, Kind, Setting};
pub use search::find;
pub use subject::{HISTORY, Subject, excerpt};
