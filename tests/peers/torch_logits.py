#!/usr/bin/env python3
"""Recomputes in PyTorch how hard images pull at each class's logit, and compares with the sums in the log of a run.

    python3 tests/peers/torch_logits.py RUN [--tolerance 1e-4]       (needs torch, numpy, safetensors and pillow)

The run must have trained without augmentation, with all training images in one batch, and with a learning rate so small
that no weight changed: each of its steps then saw the network of checkpoints/last.safetensors and the same images. The
script passes these through that network in f64, with batch statistics, and lets autograd differentiate the sum of the
images' own losses in the logits. Every loss of the program is written here as its paper has it. After step n, the log
must hold the sums over n such steps.
"""

import argparse
import math
import pathlib
import sys

import numpy as np
import torch
from safetensors import safe_open
from torch import nn

from torch_network import Network
from torch_probe import DIVISORS, events, images_of, tensors


class Cosine(nn.Module):
    """The classifier of LDAM: cosines of features and the rows of the weight, times 30."""

    def __init__(self, linear):
        super().__init__()
        self.weight = nn.Parameter(torch.empty_like(linear.weight))

    def forward(self, x):
        return 30 * nn.functional.linear(nn.functional.normalize(x), nn.functional.normalize(self.weight))


def class_weights(config, counts, epoch):
    begins = config.get("weights_from")
    begins = (0.8 if config["loss"] == "ldam" else 0.0) if begins is None else begins
    if config["class_weights"] == "none" or epoch < math.floor(begins * config["epochs"]):
        return torch.ones(len(counts)).double()
    if config["class_weights"] == "inverse":
        weights = 1 / counts
    else:
        beta = config.get("beta") or 0.9999
        weights = (1 - beta) / (1 - beta**counts)
    return weights * len(counts) / weights.sum()


def losses(config, logits, labels, counts, epoch):
    """The loss of every image, with its class weight."""
    loss = config["loss"]
    if loss == "ldam":
        margins = counts**-0.25
        margins *= 30 * 0.5 / margins.max()
        logits = logits - margins * nn.functional.one_hot(labels, len(counts))
    elif loss == "balanced-softmax":
        logits = logits + torch.log(counts)
    elif loss == "logit-adjusted":
        tau = config.get("tau")
        logits = logits + (1.0 if tau is None else tau) * torch.log(counts / counts.sum())
    value = nn.functional.cross_entropy(logits, labels, reduction="none")
    if loss == "focal":
        gamma = config.get("gamma")
        value = (1 - torch.exp(-value)) ** (1.0 if gamma is None else gamma) * value
    return class_weights(config, counts, epoch)[labels] * value


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    arguments = parser.parse_args()
    log = events(arguments.run)
    started, config = log[0], log[0]["config"]
    root = pathlib.Path(config["data"].removeprefix("folder:"))
    with safe_open(arguments.run / "data.safetensors", "np") as data:
        indices = data.get_tensor("train")
        labels = torch.from_numpy(data.get_tensor("labels")[indices].astype(np.int64))
    images = images_of(arguments.run, started, root, indices)
    counts = torch.tensor(started["train_counts"]).double()
    if len(indices) > config["batch"] or started["total_steps"] != config["epochs"]:
        sys.exit("the training images do not fit into one batch")

    network = Network(len(counts), started["image"][2], config["attention"], DIVISORS[config["width"]], **Network.options(config))
    if config["loss"] == "ldam":
        network.classifier = Cosine(network.classifier)
    weights = tensors(arguments.run / "checkpoints" / "last.safetensors")
    named = {name: weights[name] for name in network.state_dict() if name in weights}
    missing = network.load_state_dict(named, strict=False).missing_keys
    if any(not name.endswith("num_batches_tracked") for name in missing):
        sys.exit(f"the checkpoint lacks {missing}")
    network.double().train()
    logits = network(images).detach().requires_grad_()

    steps = [line for line in log if line["event"] == "step"]
    if len(steps) != config["epochs"]:
        sys.exit("not every step is in the log")
    own = nn.functional.one_hot(labels, len(counts)).bool()
    sums, worst = {"positive": 0, "negative": 0}, 0.0
    for epoch, step in enumerate(steps):
        (gradient,) = torch.autograd.grad(losses(config, logits, labels, counts, epoch).sum(), logits)
        sums["positive"] = sums["positive"] + (gradient.abs() * own).sum(0)
        sums["negative"] = sums["negative"] + (gradient.abs() * ~own).sum(0)
        for name, ours in step["logit_gradients"].items():
            error = (torch.tensor(ours).double() - sums[name]).abs() / sums[name]
            worst = max(worst, float(error.max()))
    ratios = ", ".join(f"{x:.3f}" for x in sums["positive"] / sums["negative"])
    print(f"{config['loss']}, weights {config['class_weights']}: at most {worst:.1e} apart; ratios {ratios}")
    if not worst <= arguments.tolerance:
        sys.exit(f"more than {arguments.tolerance}")


if __name__ == "__main__":
    main()
