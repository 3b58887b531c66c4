"""Cosines between class gradients of paired runs, and their differences, with NumPy and SciPy; as JSON.

    python tests/peers/numpy_pairs.py > tests/peers/numpy_pairs.json

The gradients are sines of the indices of their numbers, so that the test can make the same ones. There are three classes
of two pieces, and two groups of six seeds. Written with NumPy 2.x and SciPy 1.1x; uses no code of Crosscurrent.
"""

import json
import sys

import numpy as np
from scipy import stats

CLASSES, PIECES, WEIGHTS, SEEDS = 3, 2, 5, 6


def cosines(group, seed):
    """Cosines of every pair of classes, each class with its mean gradient over the pieces."""
    k, s, i = np.meshgrid(np.arange(CLASSES), np.arange(PIECES), np.arange(WEIGHTS), indexing="ij")
    pieces = np.sin(1 + 3 * group + 5 * seed + 7 * k + 11 * s + 13 * i * (1 + k))
    g = pieces.mean(axis=1)
    g /= np.linalg.norm(g, axis=1, keepdims=True)
    return [g[a] @ g[b] for a in range(CLASSES) for b in range(a + 1, CLASSES)]


base, other = (np.array([cosines(group, seed) for seed in range(SEEDS)]) for group in (0, 1))
rows = []
for pair in range(base.shape[1]):
    x, y = base[:, pair], other[:, pair]
    low, high = stats.ttest_rel(y, x).confidence_interval(0.95)
    exact = stats.permutation_test(
        (y, x), lambda y, x, axis: np.mean(y - x, axis=axis), permutation_type="samples",
        vectorized=True, n_resamples=np.inf, alternative="two-sided",
    )
    rows.append({"mean": (y - x).mean(), "sd": (y - x).std(ddof=1), "low": low, "high": high, "p": exact.pvalue})
# Holm 1979.
order = np.argsort([row["p"] for row in rows])
largest = 0.0
for rank, at in enumerate(order):
    largest = max(largest, (len(rows) - rank) * rows[at]["p"])
    rows[at]["corrected_p"] = min(1.0, largest)
json.dump(rows, sys.stdout, indent=1, default=float)
print()
