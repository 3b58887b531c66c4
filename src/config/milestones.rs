//! The moments at which a learning rate falls in steps.

use std::fmt;
use std::str::FromStr;

use super::value::{FieldValue, Kind, text_serde};

/// Shares of all steps in ascending order. As text: `0.8,0.9`.
#[derive(Clone, Debug, PartialEq)]
pub struct Milestones(Vec<f64>);

impl Milestones {
    /// The shares, in ascending order.
    pub fn shares(&self) -> &[f64] {
        &self.0
    }
}

/// The milestones of the training on long-tailed CIFAR by Cao et al. (2019): epochs 160 and 180 of 200.
impl Default for Milestones {
    fn default() -> Self {
        Self(vec![0.8, 0.9])
    }
}

impl fmt::Display for Milestones {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shares: Vec<_> = self.0.iter().map(FieldValue::print).collect();
        f.write_str(&shares.join(","))
    }
}

impl FromStr for Milestones {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shares = text.split(',').map(|share| share.trim().parse());
        let shares: Result<Vec<f64>, _> = shares.collect();
        shares.map(Self).map_err(|_| {
            format!("`{text}` is no list of shares; write numbers with commas between them, such as 0.8,0.9")
        })
    }
}

text_serde!(Milestones);

impl FieldValue for Milestones {
    const KIND: Kind = Kind::Shares;

    fn parse(text: &str) -> Result<Self, String> {
        text.parse()
    }

    fn print(&self) -> String {
        self.to_string()
    }

    fn numbers(&self) -> Vec<f64> {
        self.0.clone()
    }

    fn fault(&self) -> Option<&'static str> {
        let ascends = self.0.is_sorted_by(|one, next| one < next);
        // What is no number is out of bounds, and said to be.
        let is_number = self.0.iter().all(|share| !share.is_nan());
        (is_number && !ascends).then_some("each milestone must be later than the one before it")
    }
}
