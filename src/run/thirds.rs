//! Head, medium and tail classes by rank, since a number of images that is small in one data set is large in another.

use std::collections::BTreeSet;

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
    /// The thirds of classes with these numbers of training images, `[K]`. Of K classes that have images, the ⌊K/3⌋ most
    /// frequent are head and the ⌊K/3⌋ rarest are tail. Equally frequent classes stay together: those at the edge of a
    /// third belong to it, unless they reach from one third to the other; then they are medium, or belong to the third
    /// that would else be empty. Head and tail are both empty with fewer than three such classes, and where all are
    /// equally frequent.
    pub fn of(train_counts: &[usize]) -> Self {
        let mut order: Vec<_> = (0..train_counts.len())
            .filter(|&k| train_counts[k] > 0)
            .collect();
        order.sort_by_key(|&k| train_counts[k]);
        let n = |rank: usize| order.get(rank).map_or(0, |&k| train_counts[k]);
        let third = order.len() / 3;
        let (least, most) = (n(0), n(order.len().saturating_sub(1)));
        if third == 0 || least == most {
            order.reverse();
            return Self {
                medium: order,
                ..Self::default()
            };
        }
        let (rare, frequent) = (n(third - 1), n(order.len() - third));
        // Where one number of images reaches from third to third, only what lies beyond it differs in frequency.
        let (is_tail, is_head) = if rare < frequent {
            (rare, frequent)
        } else if least == rare {
            (rare, rare + 1)
        } else if most == frequent {
            (frequent - 1, frequent)
        } else {
            (rare - 1, frequent + 1)
        };
        let mut thirds = Self::default();
        for &k in &order {
            let group = match train_counts[k] {
                n if n <= is_tail => &mut thirds.tail,
                n if n >= is_head => &mut thirds.head,
                _ => &mut thirds.medium,
            };
            group.push(k);
        }
        thirds.head.reverse();
        thirds.medium.reverse();
        thirds
    }

    /// Whether the same classes are frequent, and the same ones rare, in whatever order: what is measured between the two is
    /// then of the same pairs.
    pub fn have_the_ends_of(&self, other: &Self) -> bool {
        let set = |classes: &[usize]| classes.iter().copied().collect::<BTreeSet<_>>();
        set(&self.head) == set(&other.head) && set(&self.tail) == set(&other.tail)
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
    }

    #[test]
    fn there_are_no_thirds_of_few_or_equally_frequent_classes() {
        for counts in [&[][..], &[5], &[9, 1], &[9, 0, 1], &[5, 5, 5], &[0, 0, 0]] {
            let thirds = Thirds::of(counts);
            assert!(
                thirds.head.is_empty() && thirds.tail.is_empty(),
                "{counts:?}"
            );
            let with_images = counts.iter().filter(|n| **n > 0).count();
            assert_eq!(thirds.medium.len(), with_images);
        }
    }

    /// No class is head or tail for its place in the list alone.
    #[test]
    fn equally_frequent_classes_stay_together() {
        let lens = |counts: &[usize]| {
            let thirds = Thirds::of(counts);
            (thirds.head.len(), thirds.medium.len(), thirds.tail.len())
        };
        // The step profile: half of the classes are frequent, half are rare.
        assert_eq!(lens(&[50, 50, 50, 50, 50, 5, 5, 5, 5, 5]), (5, 0, 5));
        assert_eq!(lens(&[9, 8, 7, 7, 5, 4, 3, 3, 3]), (4, 2, 3));
        // One number of images reaches from third to third.
        assert_eq!(lens(&[50, 50, 50, 50, 50, 1]), (5, 0, 1));
        assert_eq!(lens(&[50, 1, 1, 1, 1, 1]), (1, 0, 5));
        assert_eq!(lens(&[10, 9, 9, 9, 9, 9, 9, 9, 1]), (1, 7, 1));
        for counts in [&[3, 3, 2, 2, 1, 1][..], &[7, 1, 7, 1, 7, 3]] {
            let thirds = Thirds::of(counts);
            let group = |k| thirds.head.contains(&k) as u8 + 2 * thirds.tail.contains(&k) as u8;
            for a in 0..counts.len() {
                for b in (0..a).filter(|&b| counts[a] == counts[b]) {
                    assert_eq!(group(a), group(b), "{counts:?}");
                }
            }
        }
    }
}
