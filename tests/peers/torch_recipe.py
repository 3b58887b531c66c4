"""What training is made of, with PyTorch: trajectories of Adam and AdamW, smoothed and mixed losses with their gradients, an
average of weights and buffers, and the weights that SAM takes a gradient at; as JSON.

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


N, K = 6, 4
LOGITS = 3 * sines(0, N * K).reshape(N, K)
LABELS, OTHERS = [0, 1, 2, 3, 0, 1], [1, 1, 0, 2, 3, 0]
WEIGHTS_BY_CLASS = [0.2, 0.5, 1.3, 2.0]
MARGINS = [1.0, 1.5, 2.5, 4.0]
OFFSETS = [-0.2, -1.9, -3.0, -4.5]


def loss(logits, labels, smoothing=0.0, weights=None, margins=None, offsets=None, gamma=None):
    """The mean loss of logits [N, K], as the published implementations of each kind of loss compute it."""
    labels = torch.tensor(labels)
    if offsets is not None:
        logits = logits + torch.tensor(offsets)
    if margins is not None:
        logits = logits - torch.nn.functional.one_hot(labels, K) * torch.tensor(margins)[labels][:, None]
    if gamma is not None:
        each = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
        return ((1 - torch.exp(-each)) ** gamma * each).mean()
    weight = None if weights is None else torch.tensor(weights)
    return torch.nn.functional.cross_entropy(logits, labels, weight=weight, label_smoothing=smoothing)


def case(name, share=1.0, **kind):
    """The loss of images that have the share `share` of LABELS and the rest of OTHERS."""
    logits = LOGITS.clone().requires_grad_()
    value = share * loss(logits, LABELS, **kind)
    if share < 1:
        value = value + (1 - share) * loss(logits, OTHERS, **kind)
    value.backward()
    return {"name": name, "share": share, "kind": kind, "value": value.item(), "gradient": rounded(logits.grad)}


def average(decay):
    """Averages of one weight and one buffer, which are sines of the number of the step; step 0 is before training."""
    model = torch.nn.Linear(1, 1, bias=False)
    model.register_buffer("buffer", torch.zeros(1))

    def mean(averaged, new, step):
        kept = min(decay, (1 + float(step)) / (10 + float(step)))
        return kept * averaged + (1 - kept) * new

    averaged = torch.optim.swa_utils.AveragedModel(model, avg_fn=mean, use_buffers=True)
    found = []
    for step in range(STEPS):
        with torch.no_grad():
            model.weight.fill_(math.sin(step))
            model.buffer.fill_(2 + math.sin(10 + step))
        averaged.update_parameters(model)
        found.append([averaged.module.weight.item(), averaged.module.buffer.item()])
    return {"decay": decay, "averages": found}


def uphill(rho):
    """The first half of a step of SAM on two tensors, as in github.com/davda54/sam: p + grad · rho / ‖all gradients‖."""
    params = [torch.nn.Parameter(sines(0, 6).reshape(2, 3)), torch.nn.Parameter(sines(50, 4))]
    loss = sum((torch.nn.functional.softplus(3 * p) * sines(20, p.numel()).reshape(p.shape)).sum() for p in params)
    loss.backward()
    norm = torch.norm(torch.stack([p.grad.norm(p=2) for p in params]), p=2)
    moved = [p + p.grad * rho / (norm + 1e-12) for p in params]
    return {"rho": rho, "gradients": [rounded(p.grad) for p in params], "moved": [rounded(p) for p in moved]}


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
        "losses": [
            case("smoothed", smoothing=0.1),
            case("smoothed with weights", smoothing=0.2, weights=WEIGHTS_BY_CLASS),
            case("smoothed with offsets", smoothing=0.1, offsets=OFFSETS),
            case("smoothed with margins and weights", smoothing=0.1, margins=MARGINS, weights=WEIGHTS_BY_CLASS),
            case("all smoothed", smoothing=1.0),
            case("mixed", share=0.3),
            case("mixed with weights", share=0.7, weights=WEIGHTS_BY_CLASS),
            case("mixed with offsets", share=0.6, offsets=OFFSETS),
            case("mixed with margins and weights", share=0.9, margins=MARGINS, weights=WEIGHTS_BY_CLASS),
            case("mixed and focal", share=0.4, gamma=2.0),
            case("mixed and smoothed with weights", share=0.3, smoothing=0.1, weights=WEIGHTS_BY_CLASS),
        ],
        "averages": [average(0.9), average(0.3)],
        "sam": [uphill(0.05), uphill(2.0)],
    },
    sys.stdout,
)
print()
