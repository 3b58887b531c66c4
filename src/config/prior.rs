//! How frequent the classes are where a network is to be used.

use std::fmt;
use std::str::FromStr;

use super::value::{FieldValue, Kind, text_serde};

/// How frequent the classes are where the network will be used. As text: `as-trained`, `balanced`, or a number for each
/// class such as `0.7,0.2,0.1`.
#[derive(Clone, Debug, PartialEq)]
pub enum Prior {
    /// As in the training images.
    AsTrained,
    /// All classes alike.
    Balanced,
    /// In these proportions, in the order of the classes; they need not sum to 1.
    Given(Vec<f64>),
}

impl Prior {
    /// Share of each class, `[K]`, summing to 1; `counts` are the training images of each class. `None` where the shares
    /// given are not those of so many classes.
    pub fn shares(&self, counts: &[usize]) -> Option<Vec<f64>> {
        let weights: Vec<f64> = match self {
            Self::AsTrained => counts.iter().map(|n| *n as f64).collect(),
            Self::Balanced => vec![1.0; counts.len()],
            Self::Given(shares) => shares.clone(),
        };
        let total: f64 = weights.iter().sum();
        let fits = weights.len() == counts.len() && total > 0.0;
        fits.then(|| weights.into_iter().map(|weight| weight / total).collect())
    }
}

impl fmt::Display for Prior {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AsTrained => f.write_str("as-trained"),
            Self::Balanced => f.write_str("balanced"),
            Self::Given(shares) => {
                let shares: Vec<_> = shares.iter().map(FieldValue::print).collect();
                f.write_str(&shares.join(","))
            }
        }
    }
}

impl FromStr for Prior {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "as-trained" => return Ok(Self::AsTrained),
            "balanced" => return Ok(Self::Balanced),
            _ => {}
        }
        let shares = text.split(',').map(|share| share.trim().parse());
        let shares: Result<Vec<f64>, _> = shares.collect();
        shares.map(Self::Given).map_err(|_| {
            format!(
                "`{text}` says nothing about frequencies; write as-trained, balanced, or a number for each class with \
                 commas between them, such as 0.7,0.2,0.1"
            )
        })
    }
}

text_serde!(Prior);

impl FieldValue for Prior {
    const KIND: Kind = Kind::Prior;

    fn parse(text: &str) -> Result<Self, String> {
        text.parse()
    }

    fn print(&self) -> String {
        self.to_string()
    }

    fn numbers(&self) -> Vec<f64> {
        match self {
            Self::AsTrained | Self::Balanced => Vec::new(),
            Self::Given(shares) => shares.clone(),
        }
    }

    fn fault(&self) -> Option<&'static str> {
        let is_empty = matches!(self, Self::Given(shares) if shares.iter().all(|x| *x == 0.0));
        is_empty.then_some("some class must be there")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_those_of_the_classes() -> Result<(), String> {
        let counts = [60, 30, 10];
        let shares =
            |text: &str| -> Result<_, String> { Ok(text.parse::<Prior>()?.shares(&counts)) };
        assert_eq!(shares("as-trained")?, Some(vec![0.6, 0.3, 0.1]));
        assert_eq!(shares("balanced")?, Some(vec![1.0 / 3.0; 3]));
        assert_eq!(shares("2, 1,1")?, Some(vec![0.5, 0.25, 0.25]));
        assert_eq!(shares("1,1")?, None);
        assert!("even".parse::<Prior>().is_err());
        assert_eq!("2, 1,0.5".parse::<Prior>()?.to_string(), "2,1,0.5");
        Ok(())
    }
}
