"""The log of a run that a training script goes on with: what it holds up to a step, and whether it is the same run."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

import numpy as np

from .errors import RecorderError
from .files import read_tensor

NEAR = 0.05
"""Share by which the loss on the probe images may differ from what was recorded at the same step: more than devices and
their rounding do, and less than other weights do."""
_REMEDIES = {
    "classes": "pass the same `classes`",
    "layers": "record the same network with the same parameters frozen",
    "train_counts": "pass the same `probe` or `train_counts`",
    "probe": "pass the same `probe` and `images_per_class`",
    "image": "pass the same `probe`",
    "data_fingerprint": "pass the same `probe`, `images_per_class` and `seed`, so that the same images are measured",
    "steps_per_epoch": "pass the same `steps_per_epoch`, since epochs are counted with it",
    "network": "record the same network",
    "shares": "pass the same `shares`",
    "drawn": "pass the same `drawn`",
    "cross_entropy": "pass the same `cross_entropy`",
    "batch_norm": "leave the same batch norms in training mode",
}


class Earlier:
    """The events of a log that still count when training goes on from a step."""

    def __init__(self, directory: Path, lines: List[bytes], step: int) -> None:
        """`lines` are the whole lines of the log, `step` the one that training goes on from.

        Raises RecorderError where the log is damaged, or not a recorder's.
        """
        self.directory, self.step = directory, step
        found: List[Dict[str, Any]] = []
        for number, line in enumerate(lines, 1):
            try:
                event = json.loads(line)
                if event["event"] == "resumed":
                    found = [e for e in found if e.get("step", 0) <= event["step"] and e["event"] not in _ENDS]
                else:
                    found.append(event)
            except (ValueError, KeyError, TypeError) as error:
                raise RecorderError(
                    f"line {number} of the log cannot be read ({error}); repair it, or choose another directory: {directory}"
                ) from error
        if not found or found[0]["event"] != "started" or "recorder" not in found[0]:
            raise RecorderError(f"the run here was not written by a recorder; choose another directory: {directory}")
        self.header = found[0]
        steps = [e for e in found if e["event"] == "step" and e["step"] <= step]
        self.wall_secs = float(steps[-1]["wall_secs"]) if steps else 0.0
        """Seconds that training had taken."""
        same = [e for e in found if e["event"] == "probe" and e["step"] == step]
        self._file = directory / same[-1]["file"] if same else None
        self._last = max((e["step"] for e in found if "step" in e), default=0)

    def fits(self, header: Mapping[str, Any]) -> None:
        """Whether a header that would be written now is that of this run.

        Raises RecorderError, with the argument that differs, where it is not. Settings in `config` may differ; which ones do
        is warned of, as are steps that nobody recorded.
        """
        now = json.loads(json.dumps(header))
        names = {**self.header, **self.header["recorder"]}
        # Recorders that did not write `drawn` took `shares` for both.
        names.setdefault("drawn", names.get("shares"))
        now_names = {**now, **now["recorder"]}
        for one in (names, now_names):
            # Blocks were once named otherwise, and say nothing of the network that the layers do not.
            one["layers"] = [{key: value for key, value in row.items() if key != "group"} for row in one.get("layers", [])]
        for name, value in now_names.items():
            if name in _REMEDIES and names.get(name) != value:
                short = f" (it was {names.get(name)} and is {value})" if isinstance(value, (int, float, str)) else ""
                raise RecorderError(
                    f"the run here has another `{name}`{short}: {_REMEDIES[name]}, or choose another directory: {self.directory}"
                )
        before, after = names.get("config") or {}, now["recorder"]["config"]
        changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
        if changed:
            listed = ", ".join(f"`{name}` was {before.get(name)} and is {after.get(name)}" for name in changed)
            warnings.warn(f"settings have changed since the run began, whose own are shown with it: {listed}", stacklevel=4)
        if self._last < self.step:
            warnings.warn(
                f"the log ends at step {self._last}, and training goes on from step {self.step}; what lies between is not "
                "recorded",
                stacklevel=4,
            )

    def has_probe(self, tensors: Mapping[str, np.ndarray]) -> bool:
        """Whether the run was measured at this step before. `tensors` is what is measured now.

        Raises RecorderError where it is another network that was measured then.
        """
        before = self._file and read_tensor(self._file, "loss")
        if before is None:
            return False
        counts = np.asarray(tensors["n"], float)
        # A piece without images has no loss.
        known = counts > 0
        was, now = (
            float((np.asarray(loss, float)[known] * counts[known]).sum() / counts[known].sum())
            for loss in (before, tensors["loss"])
        )
        if not abs(now - was) <= NEAR * max(was, 0.1):
            raise RecorderError(
                f"this is not the network that was recorded at step {self.step}: its mean loss on the probe images was "
                f"{was:.3f} and is {now:.3f}; load the checkpoint before the recorder is made, and give the step at which it "
                f"was saved: {self.directory}"
            )
        return True


_ENDS = ("finished", "stopped", "failed")


def whole_step(resume: Any) -> Optional[int]:
    """The step that training goes on from, as it was given; None for a new run."""
    if resume is None:
        return None
    if isinstance(resume, bool) or not hasattr(resume, "__index__") or resume.__index__() < 0:
        raise RecorderError(
            f"`resume` is the number of steps after which the checkpoint was saved that training goes on from, not {resume!r}; "
            "keep `rec.step` in the checkpoint"
        )
    return int(resume.__index__())
