#!/usr/bin/env python3
"""Recomputes the class gradients of a run's `best` checkpoint in PyTorch and compares their products with the stored ones.

    python3 tests/peers/torch_probe.py RUN [--tolerance 1e-3]       (needs torch, numpy, safetensors and pillow)

The parameters and running statistics come from the run (checkpoints/best.safetensors), as do the choice of the probed
images and their pieces. The pixels come from the image folder and are decoded by Pillow. The network is that of
torch_network.py. Everything is computed in f64. For each layer the script prints the largest difference, divided by the
Frobenius norm of the stored matrix, and it fails where this exceeds the tolerance.

Pillow and the program decode some JPEG files differently by one grey level; both read the same pixels from PNG files.

The class gradients with batch norm as in training are recomputed, too, where the run has them: batches mixed of the
pieces with the same number, whose statistics are weighted by the classes' shares of the images that training draws. For
each layer the script prints the rank correlation (Spearman) of the cosines between classes in both ways of measuring.
Beside it stands the correlation between the two halves of the pieces, above which noise lets no correlation rise by much.

With --last all of this is done at the last checkpoint of a run that was stopped. The newest probe is then from some steps
earlier, so that the tolerance is not applied.
"""

import argparse
import json
import pathlib
import sys

import numpy as np
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import load_file

from torch_network import Network, mixed_gradients

DIVISORS = {"1": 1, "1/2": 2, "1/4": 4}


def tensors(path):
    # PyTorch has no unsigned 16-bit numbers in older versions.
    signed = lambda array: array.astype(np.int32) if array.dtype == np.uint16 else array
    return {name: torch.from_numpy(np.ascontiguousarray(signed(array))) for name, array in load_file(path).items()}


def events(run):
    return [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]


def best_step(log):
    val = [line for line in log if line["event"] == "eval" and line["split"] == "val"]
    return max(val, key=lambda line: (line["macro_f1"] or 0, -line["step"]))["step"]


def probed_images(run, started, root):
    """The normalised probe images [n, C, H, W], in the order of the pieces."""
    with safe_open(run / "data.safetensors", "np") as data:
        return images_of(run, started, root, data.get_tensor("probe"))


def images_of(run, started, root, indices):
    """The normalised images [n, C, H, W] with these numbers."""
    with safe_open(run / "data.safetensors", "np") as data:
        files = json.loads(data.metadata()["files"])
    height, width, channels = started["image"]
    images = []
    for index in indices:
        image = Image.open(root / files[index]).convert("L" if channels == 1 else "RGB")
        if image.size != (width, height):
            sys.exit(f"{files[index]} is {image.size}, and the run took images of {(width, height)}: it was resized, which is not done here")
        images.append(np.asarray(image, dtype=np.float64).reshape(height, width, channels) / 255)
    mean, std = (np.asarray(started["normalise"][key], dtype=np.float64) for key in ("mean", "std"))
    return torch.tensor((np.stack(images) - mean) / std).permute(0, 3, 1, 2)


def cosines(gradients, names):
    """Cosines between the class gradients over the parameters `names`: the entries above the diagonal."""
    matrix = torch.stack([torch.cat([gradient[name] for name in names]) for gradient in gradients])
    unit = matrix / matrix.norm(dim=1, keepdim=True)
    return (unit @ unit.T)[tuple(torch.triu_indices(len(matrix), len(matrix), 1))]


def ranks(values):
    order = values.argsort()
    places = torch.empty_like(values)
    places[order] = torch.arange(len(values), dtype=values.dtype)
    return places


def spearman(a, b):
    """Rank correlation of values without ties."""
    return float(torch.corrcoef(torch.stack([ranks(a), ranks(b)]))[0, 1])


def drawn_shares(config, counts):
    """Each class's share of the images that training draws."""
    powers = {"instance": 1.0, "square-root": 0.5, "balanced": 0.0}
    if config["sampler"] not in powers:
        sys.exit(f"the shares of the sampler {config['sampler']} are not known here")
    drawn = [n ** powers[config["sampler"]] if n else 0.0 for n in counts]
    return [x / sum(drawn) for x in drawn]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, help="the image folder; by default where the run found it")
    parser.add_argument("--last", action="store_true", help="the last checkpoint, as of a run that was stopped")
    parser.add_argument("--tolerance", type=float, default=1e-3)
    arguments = parser.parse_args()
    log = events(arguments.run)
    started, config = log[0], log[0]["config"]
    root = arguments.data or pathlib.Path(config["data"].removeprefix("folder:"))
    which = "last" if arguments.last else "best"
    step = max(line["step"] for line in log if line["event"] == "probe") if arguments.last else best_step(log)
    stored = tensors(arguments.run / "probes" / f"{step:08}.safetensors")
    counts = [int(n) for n in stored["n"]]
    images = probed_images(arguments.run, started, root)

    network = Network(len(started["classes"]), started["image"][2], config["attention"], DIVISORS[config["width"]], **Network.options(config))
    weights = tensors(arguments.run / "checkpoints" / f"{which}.safetensors")
    named = {name: weights[name] for name in network.state_dict() if name in weights}
    missing = network.load_state_dict(named, strict=False).missing_keys
    if any(not name.endswith("num_batches_tracked") for name in missing):
        sys.exit(f"the checkpoint lacks {missing}")
    network.double().eval()

    pieces = len(counts) // len(started["classes"])
    gradients, start = [], 0
    for row, count in enumerate(counts):
        network.zero_grad()
        if count:
            labels = torch.full((count,), row // pieces)
            torch.nn.functional.cross_entropy(network(images[start : start + count]), labels).backward()
        gradients.append({name: p.grad.flatten().clone() if p.grad is not None else torch.zeros(p.numel()).double() for name, p in network.named_parameters()})
        start += count
    assert start == len(images), "the pieces do not cover the probe"

    classes = len(started["classes"])
    mixed = None
    if "gram.training" in stored:
        if len(stored["classes.training"]) != classes:
            sys.exit("some classes are not measured with batch norm as in training, which is not computed here")
        bounds = np.cumsum([0, *counts])
        part = lambda row: images[bounds[row] : bounds[row + 1]] if counts[row] else None
        rows = [[part(k * pieces + s) for s in range(pieces)] for k in range(classes)]
        shares = drawn_shares(config, started["train_counts"])
        found, _ = mixed_gradients(network, rows, shares)
        names = [name for name, _ in network.named_parameters()]
        zeros = [torch.zeros_like(p) for p in network.parameters()]
        mixed = [{name: grad.flatten() for name, grad in zip(names, row or zeros)} for row in found]

    own = [range(k * pieces, (k + 1) * pieces) for k in range(classes)]
    weighted = lambda of, rows, name: sum(counts[row] * of[row][name] for row in rows) / max(1, sum(counts[row] for row in rows))
    by_class = lambda of, part: [{name: weighted(of, part(rows), name) for name in of[0]} for rows in own]

    def error(of, name):
        """Largest difference from the stored products of a layer, divided by their Frobenius norm."""
        matrix = torch.stack([torch.cat([gradient[name] for name in names]) for gradient in of])
        ours = stored[name][layer["gram"]].double()
        return float((matrix @ matrix.T - ours).abs().max() / ours.norm())

    def rho(a, b):
        return spearman(cosines(a, names), cosines(b, names))

    worst = 0.0
    for layer in started["layers"]:
        if layer["gram"] is None:
            continue
        names = [name for name in gradients[0] if name.startswith(layer["name"] + ".")]
        errors = [error(gradients, "gram")]
        said = f"{layer['name']:16} frozen {errors[0]:.2e}"
        if mixed:
            errors.append(error(mixed, "gram.training"))
            said += f"  as in training {errors[1]:.2e}"
            if classes > 2 and min(counts) > 0:
                whole = [by_class(of, lambda rows: rows) for of in (gradients, mixed)]
                halves = [by_class(mixed, lambda rows: rows[: pieces // 2]), by_class(mixed, lambda rows: rows[pieces // 2 :])]
                said += f"  rank correlation of both ways {rho(*whole):5.2f}, of halves as in training {rho(*halves):5.2f}"
        print(said)
        worst = max(worst, *errors)
    print(f"step {step}, {len(images)} images in {len(counts)} pieces: at most {worst:.2e} of a layer's Frobenius norm")
    if not arguments.last and not worst <= arguments.tolerance:
        sys.exit(f"more than {arguments.tolerance}")


if __name__ == "__main__":
    main()
