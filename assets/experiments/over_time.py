"""Prints how the validation macro-F1 of each kind of attention goes on, beside that of the network without attention.

    python3 assets/experiments/over_time.py assets/experiments/results/cifar10-lt-plain [--epochs 5]

Each number is a mean over the evaluations of so many epochs, as mean ± standard deviation over seeds. Differences from the
network without attention are paired by seed, with p of the exact sign-flip test, which is not corrected. Needs numpy.
"""

import argparse
import json
import pathlib
from collections import defaultdict

import numpy as np

from foretell import sign_flip


def spans(folder, length):
    """Attention and seed of a run, and its mean validation macro-F1 in each span of so many epochs."""
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    config = events[0]["config"]
    of = [e for e in events if e["event"] == "eval" and e["split"] == "val" and e["step"] > 0]
    # An evaluation at the very end of a span belongs to it.
    which = np.array([int((e["epoch"] - 1e-6) // length) for e in of])
    scores = np.array([e["macro_f1"] for e in of], float)
    means = [scores[which == span].mean() for span in np.unique(which)]
    return config["attention"], config["seed"], means


def main():
    """Reads all runs of a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--epochs", type=int, default=5)
    arguments = parser.parse_args()
    runs = defaultdict(dict)
    for path in sorted(arguments.folder.glob("*/events.jsonl")):
        attention, seed, means = spans(path.parent, arguments.epochs)
        runs[attention][seed] = means
    if "none" not in runs:
        raise SystemExit(f"{arguments.folder}: no run without attention")
    for attention, of in runs.items():
        values = np.array([of[seed] for seed in sorted(of)])
        print(attention, ", ".join(f"{m:.3f} ± {s:.3f}" for m, s in zip(values.mean(0), values.std(0, ddof=1))), sep=": ")
        if attention == "none":
            continue
        paired = sorted(set(of) & set(runs["none"]))
        differences = np.array([np.subtract(of[seed], runs["none"][seed]) for seed in paired])
        said = [f"{d.mean():+.3f} (p = {sign_flip(d):.3f})" for d in differences.T]
        print(f"{attention} - none, {len(paired)} seeds", ", ".join(said), sep=": ")


if __name__ == "__main__":
    main()
