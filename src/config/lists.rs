//! Fields that hold several numbers: the moments at which a learning rate falls in steps, and the shapes of the network's
//! branches.

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

/// Most branches that a network can have.
const MOST_BRANCHES: usize = 4;

/// Defines a list of whole numbers, written with commas between them, that has a usual value.
macro_rules! whole_lists {
    ($( $(#[doc = $about:literal])+ $Type:ident = $usual:expr; )+) => { $(
        $(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $Type(Vec<usize>);

        impl $Type {
            /// The numbers, in order.
            pub fn list(&self) -> &[usize] {
                &self.0
            }
        }

        impl Default for $Type {
            fn default() -> Self {
                Self($usual.to_vec())
            }
        }

        impl fmt::Display for $Type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let numbers: Vec<_> = self.0.iter().map(usize::to_string).collect();
                f.write_str(&numbers.join(","))
            }
        }

        impl FromStr for $Type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let numbers = text.split(',').map(|number| number.trim().parse());
                let numbers: Result<Vec<usize>, _> = numbers.collect();
                numbers.map(Self).map_err(|_| {
                    format!(
                        "`{text}` is no list of whole numbers; write them with commas between them, such as {}",
                        Self::default()
                    )
                })
            }
        }

        text_serde!($Type);

        impl FieldValue for $Type {
            const KIND: Kind = Kind::Wholes;

            fn parse(text: &str) -> Result<Self, String> {
                text.parse()
            }

            fn print(&self) -> String {
                self.to_string()
            }

            fn is_left_out(&self) -> bool {
                *self == Self::default()
            }

            fn numbers(&self) -> Vec<f64> {
                self.0.iter().map(|&number| number as f64).collect()
            }

            fn fault(&self) -> Option<&'static str> {
                self.misfit()
            }
        }
    )+ };
}

whole_lists! {
    /// Dilation of the first convolution of each branch, so that there are as many branches as numbers. As text: `1,2,3`.
    Dilations = [1, 2, 3];
    /// Side of the kernel of the first convolution of each branch, or one for all branches. As text: `3`, or `3,3,5`.
    Kernels = [3];
}

impl Dilations {
    fn misfit(&self) -> Option<&'static str> {
        let is_too_long = self.0.len() > MOST_BRANCHES;
        is_too_long.then_some("name 1 to 4 dilations: there is one branch for each")
    }
}

impl Kernels {
    /// The side of the kernel of the branch with this index.
    pub fn of(&self, branch: usize) -> usize {
        let own = self.0.get(branch).or_else(|| self.0.first());
        own.copied().unwrap_or(1)
    }

    fn misfit(&self) -> Option<&'static str> {
        let is_even = self.0.iter().any(|side| side.is_multiple_of(2));
        is_even.then_some("must be odd, so that a kernel has a middle: 1, 3, 5 or 7")
    }
}
