#!/usr/bin/env python3
"""Records the network of a run's `best` checkpoint with the recorder of assets/python, on the run's own probe images, and
compares what both programs measured.

    python3 tests/peers/torch_recorder.py RUN OUT [--tolerance 1e-4]       (needs torch, numpy, safetensors and pillow)

The recorder knows nothing of the program's network: it finds the layers of torch_network.py by itself. For each layer of
the run, the script adds up the recorder's rows within it (a gate has two there), and prints by how much the Gram matrices
differ, divided by the Frobenius norm of the run's. It fails where this exceeds the tolerance, or where the cosine of two
classes differs by more than 1e-3 although neither gradient is lost in the rounding of larger ones.
"""

import argparse
import json
import pathlib
import sys

import numpy as np
import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "assets" / "python"))

import crosscurrent  # noqa: E402
from torch_network import Network  # noqa: E402
from torch_probe import DIVISORS, best_step, events, probed_images, tensors  # noqa: E402


def cosines(gram, pieces):
    """Cosines [K, K] and squared norms [K] of the classes' gradients, each the sum of its pieces, of gram [K·S, K·S]."""
    classes = len(gram) // pieces
    products = gram.reshape(classes, pieces, classes, pieces).sum((1, 3))
    squares = products.diagonal()
    norms = squares.clamp(min=1e-30).sqrt()
    return products / norms[:, None] / norms, squares


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    arguments = parser.parse_args()
    log = events(arguments.run)
    started, config = log[0], log[0]["config"]
    classes = started["classes"]
    stored = tensors(arguments.run / "probes" / f"{best_step(log):08}.safetensors")
    counts = [int(n) for n in stored["n"]]
    root = pathlib.Path(config["data"].removeprefix("folder:"))
    images = probed_images(arguments.run, started, root).float()
    pieces = len(counts) // len(classes)
    labels = torch.tensor([row // pieces for row, count in enumerate(counts) for _ in range(count)])

    network = Network(len(classes), started["image"][2], config["attention"], DIVISORS[config["width"]], **Network.options(config))
    weights = tensors(arguments.run / "checkpoints" / "best.safetensors")
    network.load_state_dict({name: weights[name] for name in network.state_dict() if name in weights}, strict=False)
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    with crosscurrent.Recorder(
        arguments.out, network, optimizer, probe=(images, labels), classes=classes, train_counts=started["train_counts"],
        images_per_class=max(2, len(images)), seed=None, config={"attention": config["attention"], "seed": config["seed"]},
    ) as recorder:
        with torch.no_grad():
            recorder.evaluate(labels, network.eval()(images), split="test")

    found = tensors(arguments.out / "probes" / "00000000.safetensors")
    header = json.loads((arguments.out / "events.jsonl").read_text().splitlines()[0])
    assert [int(n) for n in found["n"]] == counts, (found["n"], counts)
    worst, compared = 0.0, 0
    for layer in started["layers"]:
        if layer["gram"] is None:
            continue
        own = [row["gram"] for row in header["layers"] if f"{row['name']}.".startswith(f"{layer['name']}.") and row["gram"] is not None]
        assert own, f"the recorder has no layer {layer['name']}"
        errors = []
        for name in ("gram", "gram.training"):
            wanted = stored[name][layer["gram"]].double()
            recorded = found[name][own].double().sum(0)
            errors.append(float((recorded - wanted).abs().max() / wanted.norm()))
            (a, squares), (b, _) = cosines(wanted, pieces), cosines(recorded, pieces)
            clear = squares > 1e-2 * squares.max()
            apart = (a - b).abs()[clear][:, clear].max()
            compared += int(clear.sum()) > 1
            assert apart < 1e-3, f"{layer['name']}, {name}: cosines differ by {apart}"
        print(f"{layer['name']:16} frozen {errors[0]:.2e}  as in training {errors[1]:.2e}")
        worst = max(worst, *errors)
    rows = sum(row["gram"] is not None for row in header["layers"])
    print(f"{len(images)} images, {rows} layers: at most {worst:.2e} of a layer's Frobenius norm")
    assert compared, "no layer has two classes with gradients of like size"
    for name in ("loss", "loss.training"):
        np.testing.assert_allclose(found[name], stored[name], rtol=1e-3, atol=1e-4)
    if not worst <= arguments.tolerance:
        sys.exit(f"more than {arguments.tolerance}")


if __name__ == "__main__":
    main()
