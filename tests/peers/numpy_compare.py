"""Compares groups of runs from their JSON logs alone, with NumPy and SciPy; writes the numbers as JSON.

    COMPARE_RUNS=/tmp/runs cargo test --release --test headless compare
    python tests/peers/numpy_compare.py /tmp/runs > tests/peers/numpy_compare.json

Runs that differ in nothing but the seed are a group; the baseline is the group without attention. Written with
NumPy 2.x and SciPy 1.1x; uses no code of Crosscurrent.
"""

import json
import sys
from pathlib import Path

import numpy as np
from scipy import stats

NEUTRAL = {"seed", "threads", "device", "eval_every", "probe_every", "data"}


def read(run):
    """Header, test evaluation and probe of the last step; None where the run is not finished."""
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    if events[-1]["event"] != "finished":
        return None
    last = events[-1]["step"]
    test = [e for e in events if e["event"] == "eval" and e["split"] == "test" and e["step"] == last][-1]
    probe = [e for e in events if e["event"] == "probe" and e["step"] == last][-1]
    return events[0], test, probe


def measures(run):
    """Every measure of one run, by family and name."""
    started, test, probe = run
    counts = np.array(started["train_counts"])
    f1 = np.array([np.nan if x is None else x for x in test["f1"]])
    rarest_first = np.argsort(counts, kind="stable")
    third = len(counts) // 3
    thirds = {
        "head F1": rarest_first[-third:],
        "medium F1": rarest_first[third:-third],
        "tail F1": rarest_first[:third],
    }
    headline = {name: test[name.replace(" ", "_").replace("-", "_").lower()] for name in ("accuracy", "balanced accuracy")}
    headline |= {name: np.nanmean(f1[members]) for name, members in thirds.items()}
    headline |= {
        "rarest class F1": f1[rarest_first[0]],
        "backbone interference": probe["backbone"]["interference"],
        "backbone conflicts": probe["backbone"]["conflicting"],
        "classifier interf.": probe["classifier"]["interference"],
    }
    layers = {
        layer["name"]: probe["layers"][layer["gram"]]["interference"]
        for layer in started["layers"]
        if layer["gram"] is not None
    }
    return {
        "primary": {"macro-F1": test["macro_f1"]},
        "headline": headline,
        "per_class": dict(zip(started["classes"], f1)),
        "per_layer": layers,
    }


def difference(a, b):
    """Paired statistics of b − a, two dictionaries by seed."""
    seeds = [s for s in sorted(a) if s in b and not np.isnan(a[s]) and not np.isnan(b[s])]
    x, y = np.array([a[s] for s in seeds]), np.array([b[s] for s in seeds])
    t = stats.ttest_rel(y, x)
    low, high = t.confidence_interval(0.95)
    exact = stats.permutation_test(
        (y, x), lambda y, x, axis: np.mean(y - x, axis=axis), permutation_type="samples",
        vectorized=True, n_resamples=np.inf, alternative="two-sided",
    )
    d = y - x
    return {"seeds": seeds, "mean": d.mean(), "sd": d.std(ddof=1), "low": low, "high": high, "p": exact.pvalue}


def holm(p):
    """p values after Holm's correction (1979)."""
    m, order, adjusted, largest = len(p), np.argsort(p), np.empty(len(p)), 0.0
    for rank, at in enumerate(order):
        largest = max(largest, (m - rank) * p[at])
        adjusted[at] = min(1.0, largest)
    return adjusted


def main(folder):
    groups = {}
    for path in sorted(Path(folder).iterdir()):
        if (run := read(path)) is None:
            continue
        config = run[0]["config"]
        key = json.dumps({k: v for k, v in config.items() if k not in NEUTRAL}, sort_keys=True)
        # Of two runs with one seed the first by name counts.
        groups.setdefault((config["attention"], key), {}).setdefault(config["seed"], measures(run))
    names = {attention: runs for (attention, _), runs in groups.items()}
    assert len(names) == len(groups)
    base = names.pop("none")
    result = []
    for family in ("primary", "headline", "per_class", "per_layer"):
        tests = []
        for name in next(iter(base.values()))[family]:
            of = lambda runs: {s: np.float64(m[family][name]) for s, m in runs.items() if name in m[family]}
            for other, runs in names.items():
                if not of(runs):
                    continue
                values = np.array([v for v in of(runs).values() if not np.isnan(v)])
                tests.append({
                    "family": family, "name": name, "group": other, "group_mean": values.mean(),
                    "group_sd": values.std(ddof=1), "group_n": len(values), **difference(of(base), of(runs)),
                })
        for test, p in zip(tests, holm([test["p"] for test in tests])):
            test["corrected_p"] = p
        result += tests
    json.dump(result, sys.stdout, indent=1, default=float)
    print()


main(sys.argv[1])
