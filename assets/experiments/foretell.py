"""Asks of a folder of runs whether branch attention lowers conflict, and whether early conflict foretells which class suffers.

    python3 assets/experiments/foretell.py assets/experiments/results/cifar10-lt-plain [--permutations 10000]

What is asked, and how it is judged, was fixed before the runs: part C of second-round.md. Needs numpy and safetensors. All
gradients are those measured with batch norm as in training, over the backbone.
"""

import argparse
import itertools
import json
import math
import pathlib

import numpy as np
from safetensors.numpy import load_file

EARLY = 2.0
BETWEEN = (2.0, 10.0)
MEASURES = {"conflict": "mean over the others of max(0, -cos)", "gain": "cosine with the step of all classes",
            "ratio": "positive to negative gradients at its logit"}


class Run:
    """What one run says of its classes."""

    def __init__(self, folder):
        self.folder = folder
        events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
        self.header = events[0]
        self.config = self.header["config"]
        self.attention, self.seed = self.config["attention"], self.config["seed"]
        self.counts = np.array(self.header["train_counts"], float)
        of = lambda name: [event for event in events if event["event"] == name]
        self.probes, steps = of("probe"), of("step")
        tests = [e for e in of("eval") if e["split"] == "test" and e["step"] == self.header["total_steps"]]
        self.is_finished = bool(tests)
        if not self.is_finished:
            return
        self.final = np.array([np.nan if x is None else x for x in tests[-1]["f1"]], float)
        self.early = min(self.probes, key=lambda event: abs(event["epoch"] - EARLY))
        logged = [e for e in steps if e["step"] <= self.early["step"] and e.get("logit_gradients")]
        self.logit_gradients = logged[-1]["logit_gradients"] if logged else None

    def head_tail(self, what):
        """Mean `interference` between head and tail in the backbone, or its noise `floor`, over the probes between two epochs."""
        values = [
            event["training"]["backbone"]["thirds"]["head_tail"][what]
            for event in self.probes
            if BETWEEN[0] <= event["epoch"] <= BETWEEN[1]
        ]
        values = [value for value in values if value is not None]
        return float(np.mean(values)) if values else math.nan

    def gram(self):
        """Products of the classes' gradients in the backbone at the early probe, [K, K]."""
        tensors = load_file(self.folder / self.early["file"])
        rows = [row["gram"] for row in self.header["layers"] if row.get("gram") is not None and row["group"] != "classifier"]
        classes = tensors["classes.training"]
        if len(classes) != len(self.counts):
            raise SystemExit(f"{self.folder}: not all classes are measured as in training")
        pieces = tensors["gram.training"][rows].astype(float).sum(0)
        n = tensors["n"].astype(float).reshape(len(classes), -1)
        each = n.shape[1]
        weights = np.zeros((len(classes), pieces.shape[0]))
        for k in range(len(classes)):
            weights[k, k * each : (k + 1) * each] = n[k] / n[k].sum()
        return weights @ pieces @ weights.T

    def measures(self):
        """The three measures of every class."""
        gram = self.gram()
        norms = np.sqrt(np.diag(gram))
        cos = gram / np.outer(norms, norms)
        opposed = np.maximum(0, -cos)
        np.fill_diagonal(opposed, 0)
        share = self.counts / self.counts.sum()
        found = {
            "conflict": opposed.sum(1) / (len(norms) - 1),
            "gain": gram @ share / (norms * math.sqrt(share @ gram @ share)),
        }
        if self.logit_gradients:
            ratio = np.array(self.logit_gradients["positive"]) / np.array(self.logit_gradients["negative"])
            found["ratio"] = ratio
        return found


def ranks(values):
    """Ranks from 1 on; equal values share their mean rank."""
    order = np.argsort(values, kind="stable")
    found = np.empty(len(values))
    found[order] = np.arange(1, len(values) + 1)
    for value in np.unique(values):
        found[values == value] = found[values == value].mean()
    return found


def rest(values, given):
    """What is left of ranks once those of `given` are taken out by a straight line."""
    x, z = ranks(values), ranks(given)
    x, z = x - x.mean(), z - z.mean()
    return x - z * (x @ z) / (z @ z)


def correlation(x, y):
    """Pearson's correlation of two centred vectors; 0 where one of them is constant."""
    size = math.sqrt((x @ x) * (y @ y))
    return 0.0 if size < 1e-12 else float(x @ y) / size


def sign_flip(differences):
    """p of the exact sign-flip test, two-sided."""
    observed = abs(sum(differences))
    signs = itertools.product((1, -1), repeat=len(differences))
    sums = [abs(sum(s * d for s, d in zip(sign, differences))) for sign in signs]
    return sum(total >= observed - 1e-12 for total in sums) / len(sums)


def holm(ps):
    """Holm's correction."""
    order, corrected, most = np.argsort(ps), [0.0] * len(ps), 0.0
    for position, i in enumerate(order):
        most = max(most, min(1.0, (len(ps) - position) * ps[i]))
        corrected[i] = most
    return corrected


def interval(differences):
    """The 95 % interval of their mean, by Student's t."""
    df = len(differences) - 1
    x = np.linspace(0, 500, 2_000_001)
    share = np.cumsum((1 + x**2 / df) ** (-(df + 1) / 2))
    half = x[np.searchsorted(share, 0.95 * share[-1])] * np.std(differences, ddof=1) / math.sqrt(df + 1)
    return np.mean(differences) - half, np.mean(differences) + half


def lowers_conflict(runs):
    """Prints the difference of interference between branch and none, paired by seed."""
    values = {(run.attention, run.seed): run.head_tail("interference") for run in runs}
    seeds = sorted(seed for attention, seed in values if attention == "branch" and ("none", seed) in values)
    differences = [values["branch", seed] - values["none", seed] for seed in seeds]
    low, high = interval(differences)
    print(f"head-tail interference of the backbone, epochs {BETWEEN[0]:g} to {BETWEEN[1]:g}, branch - none: "
          f"{np.mean(differences):+.4f} [{low:+.4f}, {high:+.4f}] over {len(seeds)} seeds, p = {sign_flip(differences):.3f} "
          f"(none {np.mean([values['none', s] for s in seeds]):.4f})")
    floors = {(run.attention, run.seed): run.head_tail("floor") for run in runs}
    means = [f"{np.mean([floors[attention, s] for s in seeds]):.4f} ({attention})" for attention in ("none", "branch")]
    print("what noise alone makes of it:", ", ".join(means))


def foretells(runs, count):
    """Prints how each measure correlates with the final F1 of the classes."""
    dice = np.random.default_rng(0)
    table, ps = [], []
    for name, words in MEASURES.items():
        known = [(run, run.measures().get(name)) for run in runs]
        known = [(run, values) for run, values in known if values is not None]
        if not known:
            print(f"no run has logged this: {words}")
            continue
        plain = [correlation(ranks(v) - ranks(v).mean(), ranks(r.final) - ranks(r.final).mean()) for r, v in known]
        pairs = [(rest(values, run.counts), rest(run.final, run.counts)) for run, values in known]
        partial = [correlation(x, y) for x, y in pairs]
        observed = abs(np.mean(partial))
        classes = len(known[0][0].final)
        hits = 0
        for _ in range(count):
            order = dice.permutation(classes)
            hits += abs(np.mean([correlation(x, y[order]) for x, y in pairs])) >= observed - 1e-12
        ps.append((hits + 1) / (count + 1))
        means = [np.mean(dice.choice(partial, len(partial))) for _ in range(10_000)]
        table.append((words, len(known), np.mean(plain), np.mean(partial), *np.percentile(means, [2.5, 97.5])))
    print("\nSpearman's correlation, over the classes of a run, of a measure at epoch 2 with the final F1")
    for row, p, corrected in zip(table, ps, holm(ps)):
        words, n, plain, partial, low, high = row
        print(f"{words}: plain {plain:+.2f}, frequency partialled out {partial:+.2f} [{low:+.2f}, {high:+.2f}], "
              f"p = {p:.4f}, corrected {corrected:.4f} ({n} runs)")


def main():
    """Reads all runs of a folder without attention and with branch attention."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--permutations", type=int, default=10_000)
    arguments = parser.parse_args()
    folders = sorted(path.parent for path in arguments.folder.glob("*/events.jsonl"))
    runs = [run for run in map(Run, folders) if run.attention in ("none", "branch")]
    for run in runs:
        if not run.is_finished:
            print(f"left out, not finished: {run.folder}")
    runs = [run for run in runs if run.is_finished]
    lowers_conflict(runs)
    foretells(runs, arguments.permutations)


if __name__ == "__main__":
    main()
