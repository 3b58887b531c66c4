#!/usr/bin/env python3
"""Copies runs with fewer probes, evaluations and steps, so that they are small enough to be kept and published.

    python3 tests/peers/thin.py runs/solar assets/experiments/results/solar --probes 3 --evals 30 --steps 0 --no-files
    python3 tests/peers/thin.py runs/solar/attention-none_seed-3 sample_runs/solar-none --probes 20
    python3 tests/peers/thin.py runs/plain assets/experiments/results/plain --probes 3 --evals 30 --steps 0 --no-files --between 2 10

The moments that are kept are as they were recorded. The first, the last and the chosen moment (that of the best
validation macro-F1) are always kept, the others evenly spaced; those of the runs in one folder are the same ones, so that
the runs can be compared moment by moment. With --no-files only the configuration and the log are kept, which is all that
`crosscurrent compare` needs. With --between each run also keeps what assets/experiments/foretell.py reads: the events of all
probes between these epochs, the products of the probe nearest to the first of them with batch norm as in training, and the newest
sums of logit gradients before it. Needs numpy and safetensors then.
"""

import argparse
import json
import pathlib
import shutil


def evenly(steps, count, always):
    """A set of `count` steps out of `steps`, evenly spaced, together with all steps in `always`."""
    if count <= 0 or not steps:
        return set(always)
    places = {round(i * (len(steps) - 1) / max(count - 1, 1)) for i in range(count)}
    return {steps[place] for place in places} | set(always)


def events(source):
    return [json.loads(line) for line in (source / "events.jsonl").read_text().splitlines()]


def moments(lines, kind):
    """The steps of the events of a kind; of evaluations, those of validation images."""
    return [line["step"] for line in lines if line["event"] == kind and line.get("split", "val") == "val"]


def thin(source, target, arguments, common):
    """Thins one run. `common` has for every kind of event the steps that all runs have, or None for all of its own."""
    lines = events(source)
    of = lambda kind: [line for line in lines if line["event"] == kind]
    val = [line for line in of("eval") if line["split"] == "val"]
    best = max(val, key=lambda line: (line["macro_f1"] or 0, -line["step"]))["step"] if val else None
    tested = {line["step"] for line in of("eval") if line["split"] == "test"}
    always = {step for step in tested | {best} if step is not None}
    probed = [line["step"] for line in of("probe")]
    shared = lambda kind: [step for step in moments(lines, kind) if common is None or step in common[kind]]
    kept = {
        "probe": evenly(shared("probe"), arguments.probes, [step for step in always if step in probed]),
        "eval": evenly(shared("eval"), arguments.evals, always),
        "step": evenly(shared("step"), arguments.steps, []),
    }
    early = None
    if arguments.between is not None:
        first, last = arguments.between
        early = min(of("probe"), key=lambda line: abs(line["epoch"] - first))
        kept["probe"] |= {line["step"] for line in of("probe") if first <= line["epoch"] <= last} | {early["step"]}
        summed = [line["step"] for line in of("step") if line["step"] <= early["step"] and line.get("logit_gradients")]
        kept["step"] |= set(summed[-1:]) | {of("step")[-1]["step"]}
    target.mkdir(parents=True)
    with open(target / "events.jsonl", "w", encoding="utf-8") as log:
        for line in lines:
            if line["event"] in kept and line["step"] not in kept[line["event"]]:
                continue
            log.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
    shutil.copy(source / "run.toml", target)
    if early is not None:
        keep_products(source / early["file"], target / early["file"])
    if arguments.no_files:
        return
    shutil.copy(source / "data.safetensors", target)
    for kind, name in (("probe", "probes"), ("eval", "predictions")):
        (target / name).mkdir()
        for step in kept[kind]:
            for file in (source / name).glob(f"{step:08}*.safetensors"):
                if name == "probes" or step in tested or file.stem.endswith("val"):
                    shutil.copy(file, target / name)


def keep_products(source, target):
    """Copies the tensors of a probe that its measure with batch norm as in training consists of."""
    from safetensors.numpy import load_file, save_file

    tensors = load_file(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensors[name] for name in ("gram.training", "classes.training", "n")}, target)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=pathlib.Path, help="a run, or a folder of runs")
    parser.add_argument("target", type=pathlib.Path)
    parser.add_argument("--probes", type=int, default=20)
    parser.add_argument("--evals", type=int, default=60)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--no-files", action="store_true")
    parser.add_argument("--between", type=float, nargs=2, metavar="EPOCH")
    arguments = parser.parse_args()
    if (arguments.source / "events.jsonl").is_file():
        thin(arguments.source, arguments.target, arguments, None)
        return
    runs = sorted(path for path in arguments.source.iterdir() if (path / "events.jsonl").is_file())
    logs = [events(run) for run in runs]
    common = {
        kind: set.intersection(*(set(moments(lines, kind)) for lines in logs))
        for kind in ("probe", "eval", "step")
    }
    for run in runs:
        thin(run, arguments.target / run.name, arguments, common)


if __name__ == "__main__":
    main()
