//! Finds the steps that the cursor can be on.

/// The index of the step nearest to `step`, or of the newest where `step` is `None`; 0 where there are none.
pub(crate) fn position(steps: &[u64], step: Option<u64>) -> usize {
    let newest = steps.last().copied();
    let nearest = step.or(newest).and_then(|step| nearest(steps, step));
    nearest.map_or(0, |step| steps.partition_point(|&at| at < step))
}

/// The step that lies nearest to `step`, the earlier one of two that are equally near; `None` if `steps` is empty.
pub(crate) fn nearest(steps: &[u64], step: u64) -> Option<u64> {
    steps.iter().copied().min_by_key(|at| at.abs_diff(step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_between_probes_stands_at_the_nearest() {
        let steps = [0, 10, 20];
        assert_eq!(position(&steps, None), 2);
        assert_eq!(position(&steps, Some(0)), 0);
        assert_eq!(position(&steps, Some(15)), 1);
        assert_eq!(position(&steps, Some(19)), 2);
        assert_eq!(position(&steps, Some(20)), 2);
        assert_eq!(position(&[], Some(5)), 0);
    }

    #[test]
    fn a_click_between_probes_goes_to_the_nearest() {
        let steps = [0, 10, 20];
        for (step, expected) in [(0, 0), (4, 0), (5, 0), (6, 10), (19, 20), (900, 20)] {
            assert_eq!(nearest(&steps, step), Some(expected), "{step}");
        }
        assert_eq!(nearest(&[], 3), None);
    }
}
