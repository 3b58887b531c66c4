//! Groups of runs compared with a baseline: means over seeds, paired differences, their significance, and sentences
//! about the result.
//!
//! Every measure is taken at the last step of finished runs. Runs are paired by seed. The p values are from the exact
//! sign-flip test of the paired differences. Holm's correction is made within four families, each over all groups that
//! are compared: macro-F1 alone (the primary measure); the other headline measures; the classes; the layers. No
//! difference is called significant where the smallest corrected p that so many seeds can give is above 0.05.

mod choose;
mod comparison;
mod measures;
mod member;
mod row;
mod words;

pub use choose::{Alone, CompareError, Compared};
pub use comparison::{Comparison, Grouped};
pub use member::{Member, excerpt};
pub use row::{Contrast, LEVEL, Row, Values};
pub use words::{difference_text, mean_text, probability, remark, with_seeds};

pub(super) use row::{contrast, correct, summed};
pub(super) use words::put_in_words;

#[cfg(test)]
pub(super) mod tests;
