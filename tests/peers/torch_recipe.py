"""What training is made of, with PyTorch: trajectories of Adam and AdamW; as JSON.

    python tests/peers/torch_recipe.py > tests/peers/torch_recipe.json

Inputs are sines of the indices of their numbers, so that the tests can make the same ones. Computed in 64-bit floating
point with PyTorch 2.x; uses no code of Crosscurrent.
"""

import json
import math
import sys

import torch

torch.set_default_dtype(torch.float64)

STEPS, WEIGHTS = 20, 6


def sines(first, count):
    """sin(first), sin(first + 1), …"""
    return torch.tensor([math.sin(first + i) for i in range(count)])


def rounded(tensor):
    return [float(f"{x:.12g}") for x in tensor.detach().flatten().tolist()]


def trajectory(name, make, rates):
    """Weights after every step. The gradient of step t is 0.1 to 10 times a sine, whatever the weights are."""
    weight = torch.nn.Parameter(sines(0, WEIGHTS))
    optimiser = make([weight])
    after = []
    for t in range(STEPS):
        optimiser.param_groups[0]["lr"] = rates(t)
        weight.grad = sines(100 + 10 * t, WEIGHTS) * torch.logspace(-1, 1, WEIGHTS)
        optimiser.step()
        after.append(rounded(weight))
    group = optimiser.param_groups[0]
    return {
        "name": name,
        "betas": list(group["betas"]),
        "weight_decay": group["weight_decay"],
        "decoupled": isinstance(optimiser, torch.optim.AdamW),
        "rates": [rates(t) for t in range(STEPS)],
        "after": after,
    }


def constant(_):
    return 0.01


def falling(t):
    return 0.02 * (1 - t / STEPS)


Adam, AdamW = torch.optim.Adam, torch.optim.AdamW
json.dump(
    {
        "torch": torch.__version__,
        "adam": [
            trajectory("adam", lambda w: Adam(w), constant),
            trajectory("adam with L2", lambda w: Adam(w, weight_decay=0.1), constant),
            trajectory("adam with other betas", lambda w: Adam(w, betas=(0.5, 0.9)), falling),
            trajectory("adamw", lambda w: AdamW(w), constant),
            trajectory("adamw with a falling rate", lambda w: AdamW(w, weight_decay=0.5), falling),
        ],
    },
    sys.stdout,
)
print()
