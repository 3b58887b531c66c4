"""Every option of the network in PyTorch, and the numbers that the tests of the model compare with.

    python tests/peers/torch_options.py > tests/peers/options.json      (needs torch and numpy)

Parameters and images are those of torch_network.py's generator. In f64, of each network: the logits with running
statistics, and in training mode the mean cross-entropy and, of its gradient in every parameter, the norm and the product
with a random vector from the same generator. The loss of experts is the sum of the three of SADE (Zhang et al. 2022), whose
offsets of the logits stand in the file, too.
"""

import json

import numpy as np
import torch
from torch import nn
from torch_network import Network, initialise, normals

SEED = 6
OPTIONS = [
    {"attention": "none", "dilations": "2", "kernels": "5"},
    {"attention": "branch", "dilations": "1,2,3,5", "kernels": "3,1,7,5"},
    {"attention": "shared", "dilations": "1,1", "gate_reduction": "4"},
    {"attention": "wide", "dilations": "3,1"},
    {"attention": "branch", "gate_place": "middle", "gate_reduction": "4"},
    {"attention": "branch", "gate_place": "stem", "gate_reduction": "1", "kernels": "3,5,3"},
    {"attention": "constant", "gate_place": "middle", "dilations": "1,4"},
    {"attention": "constant", "gate_place": "stem", "kernels": "5"},
    {"attention": "wide", "gate_place": "middle", "gate_reduction": "1"},
    {"attention": "none", "norm": "group"},
    {"attention": "branch", "norm": "group", "gate_place": "middle", "dilations": "1"},
    {"attention": "wide", "norm": "group"},
    {"attention": "branch", "norm": "none"},
    {"attention": "constant", "norm": "none", "gate_place": "stem", "dilations": "2,1"},
    {"attention": "class"},
    {"attention": "class", "norm": "group", "dilations": "1,2", "kernels": "3,5"},
    {"attention": "class", "norm": "none", "dilations": "1,1,2,3"},
    {"attention": "experts"},
    {"attention": "experts", "norm": "group", "dilations": "3,1,1", "kernels": "1,3,5"},
]


COUNTS = [100, 30, 7]


def sade_offsets(counts, tau=2):
    """What each of the three experts adds to its logits: nothing, ln π, and ln π − τ·ln π̄, with π̄ the priors in the
    opposite order of the classes by size."""
    prior = np.array(counts) / sum(counts)
    rank = prior.argsort().argsort()
    reversed_prior = np.sort(prior)[len(prior) - 1 - rank]
    return [np.zeros(len(prior)), np.log(prior), np.log(prior) - tau * np.log(reversed_prior)]


def case(options, image, classes, labels):
    h, w, c = image
    net = Network(classes, c, options["attention"], 4, **Network.options(options)).double()
    initialise(net, SEED)
    n = len(labels)
    x = normals(SEED, "images", n * h * w * c).astype(np.float32).astype(np.float64).reshape(n, h, w, c)
    x = torch.from_numpy(x).permute(0, 3, 1, 2)
    with torch.no_grad():
        logits = net.eval()(x)
    target, extra = torch.tensor(labels), {}
    if options["attention"] == "experts":
        offsets = sade_offsets(COUNTS)
        experts = net.train().experts(x)
        losses = [nn.functional.cross_entropy(z + torch.from_numpy(o), target) for z, o in zip(experts, offsets)]
        loss = sum(losses)
        extra = {"counts": COUNTS, "offsets": [o.tolist() for o in offsets]}
    else:
        loss = nn.functional.cross_entropy(net.train()(x), target)
    loss.backward()
    gradients = {}
    for name, p in net.named_parameters():
        direction = torch.from_numpy(normals(SEED, f"{name}, direction", p.numel())).reshape(p.shape)
        gradients[name] = [f"{p.grad.norm().item():.8g}", f"{(p.grad * direction).sum().item():.8g}"]
    return {
        "options": options, "image": image, "classes": classes, "labels": labels, "seed": SEED,
        "parameters": sum(p.numel() for p in net.parameters()), "loss": loss.item(), **extra,
        "logits": [[f"{v:.8g}" for v in row] for row in logits.tolist()], "gradients": gradients,
    }


if __name__ == "__main__":
    cases = [case(options, [17, 18, 3], 3, [0, 2, 1, 1, 0]) for options in OPTIONS]
    text = json.dumps({"torch": torch.__version__, "cases": cases})
    print(text.replace('{"options"', '\n{"options"'))
