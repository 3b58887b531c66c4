//! Finds the steps that the cursor can be on.

/// The index of the newest of these steps that is not after `step`.
pub(crate) fn position(steps: &[u64], step: Option<u64>) -> usize {
    let after = step.map_or(steps.len(), |step| steps.partition_point(|&at| at <= step));
    after.saturating_sub(1)
}

/// The step that lies nearest to `step`, the earlier one of two that are equally near; `None` if `steps` is empty.
pub(crate) fn nearest(steps: &[u64], step: u64) -> Option<u64> {
    steps.iter().copied().min_by_key(|at| at.abs_diff(step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_between_probes_shows_the_earlier_one() {
        let steps = [0, 10, 20];
        assert_eq!(position(&steps, None), 2);
        assert_eq!(position(&steps, Some(0)), 0);
        assert_eq!(position(&steps, Some(19)), 1);
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
