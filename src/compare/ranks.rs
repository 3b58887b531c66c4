//! Head, medium and tail classes by rank, since a number of images that is small in one data set is large in another.

/// Classes in three groups by their numbers of training images. A class without training images is in none of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thirds {
    /// The most frequent third, the most frequent first.
    pub head: Vec<usize>,
    /// The classes between head and tail, the most frequent first.
    pub medium: Vec<usize>,
    /// The rarest third, the rarest first.
    pub tail: Vec<usize>,
}

impl Thirds {
    /// The thirds of classes with these numbers of training images, `[K]`. Of K classes that have images, head and tail
    /// have ⌊K/3⌋ each, but no class as rare as the rarest is head and none as frequent as the most frequent is tail:
    /// classes that are all equally frequent are medium.
    pub fn of(train_counts: &[usize]) -> Self {
        let mut order: Vec<_> = (0..train_counts.len())
            .filter(|&k| train_counts[k] > 0)
            .collect();
        order.sort_by_key(|&k| train_counts[k]);
        let least = order.first().map_or(0, |&k| train_counts[k]);
        let most = order.last().map_or(0, |&k| train_counts[k]);
        let third = order.len() / 3;
        let is_tail = |(rank, &k): (usize, &usize)| rank < third && train_counts[k] < most;
        let is_head =
            |(rank, &k): (usize, &usize)| rank >= order.len() - third && train_counts[k] > least;
        let mut thirds = Self::default();
        for (rank, k) in order.iter().enumerate() {
            if is_tail((rank, k)) {
                thirds.tail.push(*k);
            } else if is_head((rank, k)) {
                thirds.head.push(*k);
            } else {
                thirds.medium.push(*k);
            }
        }
        thirds.head.reverse();
        thirds.medium.reverse();
        thirds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_and_tail_are_the_first_and_last_third_by_rank() {
        let thirds = Thirds::of(&[1000, 549, 301, 165, 50, 90, 0]);
        assert_eq!(thirds.head, [0, 1]);
        assert_eq!(thirds.medium, [2, 3]);
        assert_eq!(thirds.tail, [4, 5]);
        // Ten classes: three, four and three, as is usual for CIFAR-10-LT.
        let ten = Thirds::of(&[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
        assert_eq!(
            (ten.head.len(), ten.medium.len(), ten.tail.len()),
            (3, 4, 3)
        );
        let equal = Thirds::of(&[5, 5, 5]);
        assert!(equal.head.is_empty() && equal.tail.is_empty());
        assert_eq!(Thirds::of(&[]), Thirds::default());
    }
}
