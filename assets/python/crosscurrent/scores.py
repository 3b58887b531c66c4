"""Scores of an evaluation, from labels and logits."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

import numpy as np

from .errors import RecorderError


def finite(value: float) -> Optional[float]:
    """The value, or None where it is not finite: JSON has no NaN, and undefined values are null in a log."""
    value = float(value)
    return value if np.isfinite(value) else None


def array(values: Any) -> np.ndarray:
    """A tensor on any device, an array or a list as an array."""
    if hasattr(values, "detach"):
        values = values.detach()
        if values.is_floating_point():
            values = values.float()
        values = values.cpu().numpy()
    return np.asarray(values)


def are_probabilities(scores: np.ndarray) -> bool:
    """Whether scores [N, K] are probabilities of the classes in place of logits."""
    scores = scores.astype(np.float64)
    return bool(len(scores) and (scores >= 0).all() and (abs(scores.sum(1) - 1) <= 1e-3).all())


def evaluation(labels: Any, logits: Any, classes: int) -> Dict[str, Any]:
    """The scores of an event `eval` of labels [N] and logits [N, K]. A score is None where it is 0/0, and
    so is the loss where probabilities are given for logits."""
    truth, scores = array(labels).astype(np.int64).reshape(-1), array(logits).astype(np.float64)
    if scores.ndim != 2 or scores.shape != (len(truth), classes):
        raise RecorderError(
            f"evaluate needs labels [N] and logits [N, {classes}], and got {list(truth.shape)} and {list(scores.shape)}"
        )
    if len(truth) and not (0 <= truth.min() and truth.max() < classes):
        raise RecorderError(f"evaluate needs labels from 0 to {classes - 1}, and got {truth.min()} to {truth.max()}")
    confusion = np.zeros((classes, classes), dtype=np.int64)
    if len(truth):
        np.add.at(confusion, (truth, scores.argmax(1)), 1)
    right, support = confusion.diagonal(), confusion.sum(1)
    named = confusion.sum(0)
    precision, recall, f1 = _ratio(right, named), _ratio(right, support), _ratio(2 * right, named + support)
    return {
        "loss": None if are_probabilities(scores) else _cross_entropy(truth, scores),
        "accuracy": float(right.sum() / len(truth)) if len(truth) else None,
        "balanced_accuracy": _mean(recall),
        "macro_f1": _mean(f1),
        "macro_f1_classes": sum(x is not None for x in f1),
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "support": support.tolist(),
        "confusion": confusion.tolist(),
    }


def _cross_entropy(truth: np.ndarray, logits: np.ndarray) -> Optional[float]:
    if not len(truth):
        return None
    with np.errstate(invalid="ignore", over="ignore"):
        largest = logits.max(1, keepdims=True)
        total = np.log(np.exp(logits - largest).sum(1)) + largest[:, 0]
        return finite((total - logits[np.arange(len(truth)), truth]).mean())


def _ratio(part: np.ndarray, whole: np.ndarray) -> List[Optional[float]]:
    return [float(a / b) if b else None for a, b in zip(part, whole)]


def _mean(values: List[Optional[float]]) -> Optional[float]:
    defined = [x for x in values if x is not None]
    return float(np.mean(defined)) if defined else None
