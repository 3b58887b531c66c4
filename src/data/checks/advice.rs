//! What to know of a configuration's images before training: settings that leave too few of them.

use crate::config::{NormKind, Prior, RunConfig};
use crate::text::{counted, one_or_more};

use super::super::splits::Plan;

impl Plan {
    /// Why a run would mean nothing with these images; none where it can mean something.
    pub fn refusal(&self, config: &RunConfig) -> Option<String> {
        let sum = |counts: &[usize]| counts.iter().sum::<usize>();
        if sum(&self.val) + sum(&self.test) == 0 {
            return Some(
                "no image is left to validate or to test on, so that the run would have no scores (a class gives images from \
                 5 on); add images, choose `val`, or name a folder of test images with `splits`"
                    .to_owned(),
            );
        }
        if let Some(Prior::Given(shares)) = &config.target_prior
            && shares.len() != self.train.len()
        {
            return Some(format!(
                "target_prior: {} for {}; write one number for each class",
                counted(shares.len(), "number"),
                one_or_more(self.train.len(), "class", "classes")
            ));
        }
        // Validation images of the source's own are not taken from the training images.
        let val = config.val.filter(|val| *val > 0 && !self.has_own_val)?;
        let before = || {
            self.natural
                .iter()
                .zip(&self.val)
                .map(|(rest, val)| rest + val)
        };
        let is_all = self.natural.iter().all(|&rest| rest == 1) && before().any(|count| count > 2);
        let smallest = before().min().unwrap_or(0);
        is_all.then(|| {
            format!(
                "val: {val} validation images leave one training image of each class; the smallest class has {}, so choose {} \
                 or fewer",
                counted(smallest, "image"),
                (smallest / 2).max(1)
            )
        })
    }

    /// Sentences about what is probably not intended: classes and splits with too few images.
    pub fn advice(&self, config: &RunConfig, classes: &[String]) -> Vec<String> {
        let mut said = Vec::new();
        if self.has_own_val && config.val.is_some_and(|val| val > 0) {
            said.push(
                "`val` has no effect: the source has validation images of its own (0 leaves them out)"
                    .to_owned(),
            );
        }
        let named = |fits: &dyn Fn(usize) -> bool| -> Option<(usize, &str)> {
            let fitting: Vec<usize> = (0..classes.len()).filter(|&class| fits(class)).collect();
            Some((fitting.len(), classes.get(*fitting.first()?)?.as_str()))
        };
        for (split, counts) in [("test", &self.test), ("validation", &self.val)] {
            let all: usize = counts.iter().sum();
            let is_wanted = split == "test" || config.val != Some(0);
            if all == 0 && is_wanted {
                said.push(format!("there are no {split} images"));
            } else if all > 0
                && let Some((count, example)) = named(&|class| counts[class] == 0)
            {
                said.push(format!(
                    "{} without {split} images, such as `{example}`: no score there",
                    one_or_more(count, "class", "classes")
                ));
            }
        }
        if let Some((count, example)) = named(&|class| self.train[class] == 1) {
            said.push(format!(
                "{} with one training image, such as `{example}`",
                one_or_more(count, "class", "classes")
            ));
        }
        if config.val.is_some_and(|val| val > 0)
            && let Some((count, example)) =
                named(&|class| self.val[class] > self.natural[class] && self.natural[class] > 0)
        {
            said.push(format!(
                "{} with more validation than training images, such as `{example}`",
                one_or_more(count, "class", "classes")
            ));
        }
        said
    }

    /// A sentence about a batch that does not fit the number of training images.
    pub fn batch_advice(&self, config: &RunConfig) -> Option<String> {
        let images: usize = self.train.iter().sum();
        let batch = config.batch;
        if images > 0 && batch > images {
            return Some(format!(
                "the batch of {batch} is larger than the {images} training images: a step takes all of them"
            ));
        }
        let rest = images.checked_rem(batch)?;
        let other = (2..batch)
            .rev()
            .find(|other| images % other != 1)
            .unwrap_or(batch + 1);
        (images > 1 && rest == 1 && config.norm == NormKind::Batch).then(|| {
            format!("the last batch of an epoch has one image, too few for batch norm; choose another `batch`, such as {other}")
        })
    }
}

#[cfg(test)]
mod tests;
