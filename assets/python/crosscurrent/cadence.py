"""How often class gradients are measured: as often as a share of the training time allows."""

from __future__ import annotations

import math
from typing import List, Optional


class Cadence:
    """Says at which steps to measure. With a fixed number `every`, at its multiples. Else at multiples of a number of
    1, 2, 5, 10, 20, … steps, the smallest with which measuring takes at most `share` of the time; it follows from the
    times that the last probe and the median of the last steps took. The round numbers let runs of one network have most of
    their probes at the same steps, although clocks differ."""

    STEPS = 50
    """Steps whose times are kept."""

    def __init__(self, share: float, every: Optional[int]) -> None:
        self.share, self.fixed = share, every
        self.probe_secs: List[float] = []
        self.step_secs: List[float] = []

    def probed(self, secs: float) -> None:
        """Takes note of the time that a probe took. The first one also warms up; the last two count."""
        self.probe_secs = self.probe_secs[-1:] + [secs]

    def stepped(self, secs: float) -> None:
        """Takes note of the time from one step to the next, without probes between them."""
        self.step_secs = self.step_secs[-(self.STEPS - 1) :] + [secs]

    def every(self) -> Optional[int]:
        """Steps from one probe to the next; None where there are none, or not enough steps to tell."""
        if self.fixed is not None:
            return self.fixed or None
        if self.share <= 0 or len(self.step_secs) < 5 or not self.probe_secs:
            return None
        step = max(1e-9, sorted(self.step_secs)[len(self.step_secs) // 2])
        # p of the time for probes and 1 − p for steps: n steps between probes of cost c have p = c/(n + c).
        least = max(1.0, min(self.probe_secs) / step * (1 - self.share) / self.share)
        power = 10 ** math.floor(math.log10(least))
        return next(round(factor * power) for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))

    def is_due(self, step: int) -> bool:
        every = self.every()
        return every is not None and step % every == 0
