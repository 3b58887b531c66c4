#!/usr/bin/env python3
"""Recomputes the class gradients of a run's `best` checkpoint in PyTorch and compares their products with the stored ones.

    python3 tests/peers/torch_probe.py RUN [--tolerance 1e-3]       (needs torch, numpy, safetensors and pillow)

The parameters and running statistics come from the run (checkpoints/best.safetensors), as do the choice of the probed
images and their pieces. The pixels come from the image folder and are decoded by Pillow. The network is that of
torch_network.py. Everything is computed in f64. For each layer the script prints the largest difference, divided by the
Frobenius norm of the stored matrix, and it fails where this exceeds the tolerance.

Pillow and the program decode some JPEG files differently by one grey level; both read the same pixels from PNG files.

With --training-mode the script also passes all images through the network as one batch with batch statistics, as training
does, and takes the gradient of each class's mean loss there. For each layer it prints the rank correlation (Spearman) of
the cosines between classes with those of the probe, whose batch norm is frozen. Beside it stands the correlation between
the two halves of the probe's pieces, above which noise lets no correlation rise by much. This needs scipy.

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

from torch_network import Network

DIVISORS = {"1": 1, "1/2": 2, "1/4": 4}


def tensors(path):
    return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in load_file(path).items()}


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


def in_training_mode(network, images, labels, classes):
    """The gradient of each class's mean loss, in one batch of all images with batch statistics."""
    network.train()
    losses = torch.nn.functional.cross_entropy(network(images), labels, reduction="none")
    named = dict(network.named_parameters())
    gradients = []
    for k in range(classes):
        grads = torch.autograd.grad(losses[labels == k].mean(), list(named.values()), retain_graph=True)
        gradients.append({name: grad.flatten() for name, grad in zip(named, grads)})
    network.eval()
    return gradients


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, help="the image folder; by default where the run found it")
    parser.add_argument("--training-mode", action="store_true")
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

    network = Network(len(started["classes"]), started["image"][2], config["attention"], DIVISORS[config["width"]])
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

    frozen = mixed = None
    if arguments.training_mode:
        from scipy.stats import spearmanr

        classes = len(started["classes"])
        own = [range(k * pieces, (k + 1) * pieces) for k in range(classes)]
        mean = lambda rows, name: sum(counts[row] * gradients[row][name] for row in rows) / sum(counts[row] for row in rows)
        by_class = lambda part: [{name: mean(part(rows), name) for name in gradients[0]} for rows in own]
        frozen = by_class(lambda rows: rows)
        halves = [by_class(lambda rows: rows[: pieces // 2]), by_class(lambda rows: rows[pieces // 2 :])]
        labels = torch.repeat_interleave(torch.arange(classes), torch.tensor([sum(counts[row] for row in rows) for rows in own]))
        mixed = in_training_mode(network, images, labels, classes)

    worst = 0.0
    for layer in started["layers"]:
        if layer["gram"] is None:
            continue
        names = [name for name in gradients[0] if name.startswith(layer["name"] + ".")]
        matrix = torch.stack([torch.cat([gradient[name] for name in names]) for gradient in gradients])
        gram = matrix @ matrix.T
        ours = stored["gram"][layer["gram"]].double()
        error = float((gram - ours).abs().max() / ours.norm())
        correlation = ""
        if mixed:
            rho = lambda a, b: spearmanr(cosines(a, names), cosines(b, names)).statistic
            correlation = f"  rank correlation with training mode {rho(frozen, mixed):5.2f}, of halves {rho(*halves):5.2f}"
        print(f"{layer['name']:16} {error:.2e}{correlation}")
        worst = max(worst, error)
    print(f"step {step}, {len(images)} images in {len(counts)} pieces: at most {worst:.2e} of a layer's Frobenius norm")
    if not arguments.last and not worst <= arguments.tolerance:
        sys.exit(f"more than {arguments.tolerance}")


if __name__ == "__main__":
    main()
