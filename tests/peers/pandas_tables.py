"""Compares every exported table of a run with the run's log and probe tensors, which are read without Crosscurrent.

Usage: pandas_tables.py BASELINE RUN FOLDER STEP LAYER A B

FOLDER holds the tables of RUN, exported with BASELINE as the run to compare with, at STEP and LAYER, with the classes
A and B as the selected pair and B as the selected class. Numbers that come from the log must be equal to the last bit; numbers
that are computed here from the tensors must agree to nine digits.
"""

import json
import math
import os
import sys

import numpy as np
import pandas as pd
from safetensors.numpy import load_file

baseline, run, folder, step, layer, a, b = sys.argv[1:]
step, a, b = int(step), int(a), int(b)
name = os.path.basename(run)
SPLITS = {"validation": "val", "test": "test"}


class Run:
    def __init__(self, path):
        self.path = path
        events = [json.loads(line) for line in open(f"{path}/events.jsonl")]
        self.header = events[0]
        self.classes = self.header["classes"]
        self.rows = {x["name"]: x["gram"] for x in self.header["layers"] if x["gram"] is not None}

        def of(kind, key):
            # A step that is measured again at the end comes late in the log. Events are sorted by step here, and of
            # several for one step the last counts.
            found = {key(event): event for event in events if event["event"] == kind}
            return [found[at] for at in sorted(found)]

        self.steps, self.probes = (of(kind, lambda x: x["step"]) for kind in ("step", "probe"))
        self.evals = of("eval", lambda x: (x["step"], x["split"]))

    def probe(self, at):
        return [probe for probe in self.probes if probe["step"] <= at][-1]

    def before(self, at):
        return [probe for probe in self.probes if probe["step"] < self.probe(at)["step"]][-1]

    def eval(self, at, split):
        found = [x for x in self.evals if x["split"] == split and x["step"] <= at]
        return found[-1]

    def tensors(self, probe):
        return load_file(f"{self.path}/{probe['file']}")

    def weights(self, tensors):
        n = tensors["n"].astype(np.float64).reshape(len(self.classes), -1)
        return n / n.sum(axis=1, keepdims=True)

    def products(self, probe, part=None):
        """Products of class gradients in the layer, [K, K]."""
        tensors = self.tensors(probe)
        gram = tensors["gram"][self.rows[part or layer]].astype(np.float64)
        weights = self.weights(tensors)
        k, s = weights.shape
        return np.einsum("as,asbt,bt->ab", weights, gram.reshape(k, s, k, s), weights)

    def own_square(self, probe, part, k):
        """Squared norm of a class gradient, from products of different pieces alone."""
        tensors = self.tensors(probe)
        weights = self.weights(tensors)
        s = weights.shape[1]
        gram = tensors["gram"][self.rows[part]].astype(np.float64)[k * s : (k + 1) * s, k * s : (k + 1) * s]
        both = np.outer(weights[k], weights[k]) * (1 - np.eye(s))
        return (both * gram).sum() / both.sum()

    def gates(self, probe):
        tensors = self.tensors(probe)
        return {key[6:]: x.astype(np.float64) for key, x in sorted(tensors.items()) if key.startswith("gates/")}

    def cosines(self, probe, part=None):
        products = self.products(probe, part)
        norms = np.sqrt(np.diag(products))
        return products / np.outer(norms, norms)

    def losses(self, probe):
        tensors = self.tensors(probe)
        weights = self.weights(tensors)
        return (tensors["loss"].astype(np.float64).reshape(weights.shape) * weights).sum(axis=1)

    def loss_changes(self, at):
        """Change of every class's loss since the probe before, per step."""
        now, before = self.probe(at), self.before(at)
        return (self.losses(now) - self.losses(before)) / (now["step"] - before["step"])


one, other = Run(run), Run(baseline)
K = len(one.classes)
index = one.classes.index


def table(figure):
    return pd.read_csv(f"{folder}/{name}-{figure}.csv", float_precision="round_trip")


def same(cell, number):
    assert (cell is None or math.isnan(cell)) if number is None else cell == number, (cell, number)


def close(cell, number):
    assert math.isclose(cell, number, rel_tol=1e-9, abs_tol=1e-15), (cell, number)


def evaluations(rows):
    wanted = {(x["step"], x["split"]): x for x in one.evals if x["split"] in SPLITS.values()}
    assert len(rows.groupby(["step", "split"])) == len(wanted) > 10
    for row in rows.itertuples():
        yield row, wanted[row.step, SPLITS[row.split]]


def class_f1(rows):
    for row, event in evaluations(rows):
        same(row.f1, event["f1"][index(row[4])])


def gradient_ratio(rows):
    recorded = [event for event in one.steps if event.get("logit_gradients")]
    assert len(rows) == K * len(recorded)
    wanted = {event["step"]: event["logit_gradients"] for event in recorded}
    for row in rows.itertuples():
        k = index(row[3])
        positive, negative = (wanted[row.step][key][k] for key in ("positive", "negative"))
        same(row.positive, positive)
        same(row.negative, negative)
        same(row.ratio, positive / negative if negative > 0 else None)


def scores(rows):
    for row, event in evaluations(rows):
        for column in "macro_f1", "accuracy", "balanced_accuracy", "epoch":
            same(getattr(row, column), event[column])


def loss(rows):
    batches = rows[rows["of"] == "training batch"]
    assert list(batches["step"]) == [event["step"] for event in one.steps]
    for cell, event in zip(batches["loss_nats"], one.steps):
        same(cell, event["loss"])


def norms(rows, row_of, probes):
    # Rows without a class are geometric means over a third of the classes.
    means, rows = rows[rows["class"].isna()], rows[rows["class"].notna()]
    by = ["step", "third"] + ([] if row_of else ["layer"])
    for at, mean in means.groupby(by)["grad_norm"]:
        group = rows[(rows[by] == pd.Series(dict(zip(by, at)))).all(axis=1)]["grad_norm"]
        close(mean.iloc[0], np.exp(np.log(group).mean()))
    assert len(rows) == len(probes) * K * (1 if row_of else len(one.rows))
    known = {probe["step"]: probe for probe in probes}
    for row in rows.to_dict("records"):
        at = one.rows[row_of or row["layer"]]
        close(row["grad_norm"], known[row["step"]]["layers"][at]["norm"][index(row["class"])])


def cosines(rows):
    wanted, products = one.cosines(one.probe(step)), one.products(one.probe(step))
    assert len(rows) == K * (K - 1) // 2
    for row in rows.itertuples():
        pair = index(row.class_a), index(row.class_b)
        close(row.cosine, wanted[pair])
        close(row.product, products[pair])


def pair_cosine(rows):
    assert len(rows) == len(one.probes)
    for row, probe in zip(rows.itertuples(), one.probes):
        close(row.cosine, one.cosines(probe)[a, b])


def pair_depth(rows):
    assert len(rows) == len(one.probes) * len(one.rows)
    known = {probe["step"]: probe for probe in one.probes}
    for row in rows.itertuples():
        probe = known[row.step]
        close(row.cosine, one.cosines(probe, row.layer)[a, b])
        close(row.grad_norm_b, probe["layers"][one.rows[row.layer]]["norm"][b])


def pair_difference(rows):
    wanted = one.cosines(one.probes[-1]) - other.cosines(other.probes[-1])
    assert len(rows) == K * (K - 1) // 2
    for row in rows.itertuples():
        close(row.cosine_difference, wanted[index(row.class_a), index(row.class_b)])


def conflict_time(rows):
    assert len(rows) == 2 * len(one.probes)
    known = {probe["step"]: probe for probe in one.probes}
    for row in rows.itertuples():
        probe = known[row.step]
        summary = probe["backbone"] if row.part == "Backbone" else probe["layers"][one.rows[row.part]]
        same(row.interference, summary["interference"])
        same(row.noise_floor, summary["floor"])


def floors(gram, weights):
    """Products of half-differences of class gradients, [K, K]; every piece has images here."""
    k, s = weights.shape
    half = np.arange(s) < s // 2
    first, second = weights * half, weights * ~half
    coefficients = 0.5 * (first / first.sum(1, keepdims=True) - second / second.sum(1, keepdims=True))
    return np.einsum("as,asbt,bt->ab", coefficients, gram.reshape(k, s, k, s), coefficients)


def thirds():
    """Frequent and rare classes; the runs have no equally frequent ones."""
    order = sorted(range(K), key=lambda k: one.header["train_counts"][k])
    return order[-(K // 3) :], order[: K // 3]


def head_tail_time(rows):
    head, tail = thirds()
    groups = {
        "frequent against rare": [(x, y) for x in head for y in tail],
        "rare against rare": [(x, y) for x in tail for y in tail if x < y],
        "frequent against frequent": [(x, y) for x in head for y in head if x < y],
    }
    assert len(rows) == 3 * len(one.probes)
    known = {probe["step"]: probe for probe in one.probes}
    for row in rows.itertuples():
        probe, pairs = known[row.step], groups[row.classes]
        assert row.part == layer
        if "thirds" not in probe["layers"][one.rows[layer]]:
            # A log of format 1 does not have it, and nothing is made up.
            assert all(math.isnan(x) for x in (row.interference, row.noise_floor, row.pairs, row.conflicting))
            continue
        assert row.pairs == len(pairs)
        tensors = one.tensors(probe)
        noise = floors(tensors["gram"][one.rows[layer]].astype(np.float64), one.weights(tensors))
        cosines, products = one.cosines(probe), one.products(probe)
        close(row.interference, np.mean([max(0.0, -cosines[x, y]) for x, y in pairs]))
        lengths = lambda x, y: math.sqrt(products[x, x] * products[y, y])
        close(row.noise_floor, np.mean([max(0.0, -noise[x, y] / lengths(x, y)) for x, y in pairs]))
        assert row.conflicting <= row.resolved <= row.pairs


def rare_conflicts(rows):
    head, tail = thirds()
    probe = one.probe(step)
    parts = [x["name"] for x in one.header["layers"] if x["gram"] is not None and x["group"] != "classifier"]
    assert len(rows) == len(head) * len(tail) * len(parts)
    assert rows["cosine"].is_monotonic_increasing
    lr = [x["lr"] for x in one.steps if x["step"] <= probe["step"]][-1]
    counts = one.header["train_counts"]
    seen = set()
    for row in rows.itertuples():
        x, y = index(row.rare_class), index(row.frequent_class)
        assert x in tail and y in head and row.layer in parts
        seen.add((x, y, row.layer))
        products = one.products(probe, row.layer)
        close(row.cosine, one.cosines(probe, row.layer)[x, y])
        close(row.grad_norm_rare, math.sqrt(products[x, x]))
        close(row.grad_norm_frequent, math.sqrt(products[y, y]))
        close(row.effect_nats_per_step, -lr * counts[y] / sum(counts) * products[x, y])
        assert row.resolved == (abs(row.cosine) > 3 * row.standard_error)
    assert len(seen) == len(rows)


def measures(rows):
    last = [run.eval(10**9, "test") for run in (one, other)]
    rows = rows.set_index("measure")
    for measure, key in [("macro-F1", "macro_f1"), ("accuracy", "accuracy")]:
        same(rows.loc[measure, "difference"], last[0][key] - last[1][key])


def interferences(rows, probes):
    # Beside the layers there is a row of the whole backbone.
    assert len(rows) == len(probes) * (len(one.rows) + 1)
    known = {probe["step"]: probe for probe in probes}
    for row in rows.itertuples():
        probe = known[row.step]
        summary = probe["backbone"] if row.layer == "backbone" else probe["layers"][one.rows[row.layer]]
        same(row.interference, summary["interference"])


def selected_layer(rows):
    # Both moments come from the log.
    assert len(rows) == K
    at = one.rows[layer]
    first, now = one.probes[0]["layers"][at], one.probe(step)["layers"][at]
    for row in rows.to_dict("records"):
        k = index(row["class"])
        same(row["grad_norm"], now["norm"][k])
        same(row["grad_norm_first_probe"], first["norm"][k])
        same(row["interference"], now["interference"])
        same(row["interference_first_probe"], first["interference"])


def ledger(rows):
    assert set(rows["step"]) == {one.probe(step)["step"]}
    products, counts = one.products(one.probe(step)), one.header["train_counts"]
    shares = np.array(counts) / sum(counts)
    effects = rows.set_index("class")["effect_nats_per_step"]
    # All other classes must give one learning rate, whatever the schedule says it is. The share of the class itself is
    # left out, since it is estimated from different pieces.
    others = [j for j in range(K) if j != b]
    rates = [-effects[one.classes[j]] / (shares[j] * products[j, b]) for j in others]
    assert 0 < rates[0] < 1
    for rate in rates:
        close(rate, rates[0])
    close(effects["all together"], sum(effects[name] for name in one.classes))


def ledger_depth(rows):
    counts, known = one.header["train_counts"], {probe["step"]: probe for probe in one.probes}
    shares = np.array(counts) / sum(counts)
    assert len(rows) == len(one.probes) * len(one.rows)
    for row in rows.itertuples():
        probe = known[row.step]
        rate = [x for x in one.steps if x["step"] <= row.step or x is one.steps[0]][-1]["lr"]
        products = one.products(probe, row.layer)[b]
        products[b] = one.own_square(probe, row.layer, b)
        wanted = -rate * (shares * products).sum()
        assert math.isclose(row.effect_nats_per_step, wanted, rel_tol=1e-7, abs_tol=1e-13), (row, wanted)


def ledger_time(rows):
    for row in rows.to_dict("records"):
        measured = row["loss_change_nats_per_step"]
        if not math.isnan(measured):
            close(measured, one.loss_changes(row["step"])[b])
    assert rows["loss_change_nats_per_step"].notna().sum() == len(one.probes) - 1


def what_if(rows):
    assert set(rows["step"]) == {one.probe(step)["step"]}
    for row in rows.to_dict("records"):
        close(row["loss_change_nats_per_step"], one.loss_changes(step)[index(row["class"])])


def gates(rows):
    tensors = one.tensors(one.probe(step))
    assert len(rows) == sum(gates.size for key, gates in tensors.items() if key.startswith("gates/"))
    for row in rows.to_dict("records"):
        gate = tensors[f"gates/{row['branch']}"][index(row["class"]), row["channel"]]
        same(row["gate"], float(gate))


def branch(name):
    return next(key for key in one.gates(one.probes[0]) if key.split(".")[0] == name)


def gates_time(rows):
    known = {probe["step"]: probe for probe in one.probes}
    assert len(rows) == 3 * len(known)
    for row in rows.itertuples():
        gates = one.gates(known[row.step])[branch(row.branch)]
        close(row.mean, gates.mean())
        close(row.sd_over_classes, gates.std(axis=0, ddof=1).mean())


def apart(gates):
    return [np.linalg.norm(gates[i] - gates[j]) for i in range(K) for j in range(i)]


def gates_alike(rows):
    known = {probe["step"]: probe for probe in one.probes}
    for row in rows.itertuples():
        gates = one.gates(known[row.step])
        first, second = (apart(gates[branch(name)]) for name in (row.branch_a, row.branch_b))
        close(row.correlation, np.corrcoef(first, second)[0, 1])


def gate_distance(rows):
    gates = np.concatenate(list(one.gates(one.probe(step)).values()), axis=1)
    rows = rows[rows["branch"] == "all"]
    assert len(rows) == K * (K - 1) // 2
    for row in rows.itertuples():
        difference = gates[index(row.class_a)] - gates[index(row.class_b)]
        close(row.distance, np.sqrt((difference**2).mean()))


def confusion(rows):
    event = one.eval(step, "val")
    assert len(rows) == K * K
    for row in rows.itertuples():
        same(row.images, event["confusion"][index(row.truth)][index(row.predicted)])


def confusion_difference(rows):
    before, after = (np.array(run.eval(step, "val")["confusion"]) for run in (other, one))
    assert len(rows) == K * K
    shares = [counts / counts.sum(axis=1, keepdims=True) for counts in (before, after)]
    for row in rows.itertuples():
        cell = index(row.truth), index(row.predicted)
        same(row.images_first, before[cell])
        same(row.images_second, after[cell])
        close(row.difference, shares[1][cell] - shares[0][cell])


def conflict_difference(rows):
    first, second = other.cosines(other.probe(step)), one.cosines(one.probe(step))
    assert set(rows["step_first"]) == {other.probe(step)["step"]}
    assert set(rows["step_second"]) == {one.probe(step)["step"]}
    assert len(rows) == K * (K - 1) // 2
    for row in rows.itertuples():
        pair = index(row.class_a), index(row.class_b)
        close(row.cosine_first, first[pair])
        close(row.difference, second[pair] - first[pair])


def depth_time_difference(rows):
    def interference(run, at, part):
        probe = next(probe for probe in run.probes if probe["step"] == at)
        if part == "backbone":
            return probe["backbone"]["interference"]
        return probe["layers"][run.rows[part]]["interference"] if part in run.rows else None

    assert len(rows) == len(one.probes) * (1 + len(one.rows))
    for row in rows.itertuples():
        nearest = min(other.probes, key=lambda probe: (abs(probe["step"] - row.step_second), probe["step"]))
        assert row.step_first == nearest["step"]
        both = interference(other, row.step_first, row.layer), interference(one, row.step_second, row.layer)
        same(row.difference, None if None in both else both[1] - both[0])


def peaks(rows):
    found = rows.set_index("layer")
    assert list(rows.value) == sorted(rows.value, reverse=True)
    for part, row in one.rows.items():
        summaries = [probe["layers"][row] for probe in one.probes]
        conflicting = [x["interference"] for x in summaries if x["conflicting"] > 0]
        if part == "classifier" or not conflicting:
            assert part not in found.index
            continue
        assert found.value[part] == max(conflicting)
        at = next(probe for probe in one.probes if probe["step"] == found.step[part])["layers"][row]
        assert at["interference"] == found.value[part]
        same(found.noise_floor[part], at["floor"])
        same(found.conflicting[part], at["conflicting"])
        same(found.pairs[part], at["pairs"])


def conflict_confusion(rows):
    event, wanted = one.eval(step, "val"), one.cosines(one.probe(step))
    for row in rows.itertuples():
        i, j = index(row.class_a), index(row.class_b)
        close(row.cosine, wanted[i, j])
        same(row.images_mistaken, event["confusion"][i][j] + event["confusion"][j][i])


def class_scores(rows):
    event = one.eval(step, "val")
    rows = rows.set_index("class").loc[one.classes]
    for column in "f1", "precision", "recall", "support":
        for cell, number in zip(rows[column], event[column]):
            same(cell, number)


def class_difference(rows):
    last = [run.eval(10**9, "test")["f1"] for run in (one, other)]
    assert len(rows) == K
    for row in rows.to_dict("records"):
        k = index(row["class"])
        same(row["f1_difference"], last[0][k] - last[1][k])


def layer_difference(rows):
    def interference(run, layer):
        return run.probes[-1]["layers"][run.rows[layer]]["interference"]

    assert set(rows["layer"]) == set(one.rows) & set(other.rows)
    for row in rows.to_dict("records"):
        layer = row["layer"]
        same(row["interference_difference"], interference(one, layer) - interference(other, layer))


def over_seeds(rows, column, points):
    assert set(rows["run"]) == {os.path.basename(run) for run in (run, baseline)}
    for source in one, other:
        cells = rows[rows["run"] == os.path.basename(source.path)][column]
        assert len(cells) == len(points(source))
        for cell, number in zip(cells, points(source)):
            same(cell, number)


now = [one.probe(step)]
CHECKS = {
    "class-f1": class_f1,
    "gradient-ratio": gradient_ratio,
    "scores": scores,
    "loss": loss,
    "grad-norms": lambda rows: norms(rows, layer, one.probes),
    "depth-profile": lambda rows: norms(rows, None, now),
    "conflict-matrix": cosines,
    "pair-cosine": pair_cosine,
    "pair-depth": pair_depth,
    "depth-time-difference": depth_time_difference,
    "peaks": peaks,
    "pair-difference": pair_difference,
    "conflict-time": conflict_time,
    "head-tail-time": head_tail_time,
    "rare-conflicts": rare_conflicts,
    "measures": measures,
    "ledger-depth": ledger_depth,
    "gates-time": gates_time,
    "gates-alike": gates_alike,
    "gate-distance": gate_distance,
    "layer": selected_layer,
    "architecture": lambda rows: interferences(rows, now),
    "depth-time": lambda rows: interferences(rows, one.probes),
    "ledger": ledger,
    "ledger-time": ledger_time,
    "verified": lambda rows: None,
    "what-if": what_if,
    "gates": gates,
    "confusion": confusion,
    "confusion-difference": confusion_difference,
    "conflict-difference": conflict_difference,
    "conflict-confusion": conflict_confusion,
    "class-scores": class_scores,
    "class-difference": class_difference,
    "layer-difference": layer_difference,
    "group-scores": lambda rows: over_seeds(
        rows, "macro_f1", lambda run: [x["macro_f1"] for x in run.evals if x["split"] == "val"]
    ),
    "group-conflict": lambda rows: over_seeds(
        rows, "interference", lambda run: [x["backbone"]["interference"] for x in run.probes]
    ),
}

found = {file.removeprefix(f"{name}-").removesuffix(".csv") for file in os.listdir(folder)}
assert found == set(CHECKS), found ^ set(CHECKS)
for figure, check in CHECKS.items():
    rows = table(figure)
    # Runs of format 1 have no gradients at the logits, and nothing was verified.
    assert len(rows) > 0 or figure in ("gradient-ratio", "verified"), figure
    try:
        check(rows)
    except Exception as error:
        sys.exit(f"{figure}: {type(error).__name__} {error}")
print(f"{len(CHECKS)} tables agree")
