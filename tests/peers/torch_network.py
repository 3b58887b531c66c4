"""The network of src/model in PyTorch, and the numbers that the tests of the class-gradient probe compare with.

    python tests/peers/torch_network.py > tests/peers/network.json      (needs torch and numpy)

Parameters, running statistics and images come from the same counter-based generator as in src/random.rs, so that both
programs start from the same numbers without a file between them. Everything here is computed in f64: class gradients in
class-mean form (mean cross-entropy of a piece of one class), with batch norm in eval mode and, under "mixed", with batch
norm as in training.
"""

import json
import math
import sys

import numpy as np
import torch
from torch import nn

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def finalise(z):
    """The finaliser of SplitMix64, on arrays of uint64."""
    with np.errstate(over="ignore"):
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def mix(key):
    with np.errstate(over="ignore"):
        return finalise(np.asarray(key, dtype=np.uint64) + GOLDEN)


def stream(seed, purpose, count, epoch=0, item=0):
    """The first `count` 64-bit draws of Random::new(seed, purpose, epoch, item); where `item` is an array, one row for
    each of its items."""
    name = 0xCBF29CE484222325
    for byte in purpose.encode():
        name = (name ^ byte) * 0x100000001B3 % (1 << 64)
    state = mix(seed)
    for key in (name, epoch, item):
        state = mix(state ^ mix(key))
    return finalise(state[..., None] + np.arange(1, count + 1, dtype=np.uint64) * GOLDEN)


def uniforms(seed, purpose, count):
    return (stream(seed, purpose, count) >> np.uint64(11)).astype(np.float64) / float(1 << 53)


def normals(seed, purpose, count):
    u = uniforms(seed, purpose, 2 * count)
    return np.sqrt(-2 * np.log(1 - u[0::2])) * np.cos(2 * np.pi * u[1::2])


class Gate(nn.Module):
    def __init__(self, channels, hidden):
        super().__init__()
        self.fc1 = nn.Linear(channels, hidden, bias=False)
        self.fc2 = nn.Linear(hidden, channels, bias=False)

    def forward(self, x):
        s = torch.sigmoid(self.fc2(torch.relu(self.fc1(x.mean((2, 3))))))
        return x * s[:, :, None, None]


class Scale(nn.Module):
    """Constants in place of gates: every channel times σ of a learned logit."""

    def __init__(self, channels):
        super().__init__()
        self.logit = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        return x * torch.sigmoid(self.logit)[:, None, None]


GROUPS = 8


def add_conv(module, number, inputs, outputs, k, norm, dilation=1):
    """Adds the convolution `conv<number>` to a module, and its norm `bn<number>`, or a bias where there is no norm."""
    conv = nn.Conv2d(inputs, outputs, k, padding=dilation * (k - 1) // 2, dilation=dilation, bias=norm == "none")
    setattr(module, f"conv{number}", conv)
    if norm != "none":
        setattr(module, f"bn{number}", nn.GroupNorm(GROUPS, outputs) if norm == "group" else nn.BatchNorm2d(outputs))


def activation(module, number, x):
    x = getattr(module, f"conv{number}")(x)
    norm = getattr(module, f"bn{number}", None)
    return torch.relu(norm(x) if norm else x)


class Stem(nn.Module):
    def __init__(self, inputs, c, norm):
        super().__init__()
        add_conv(self, 1, inputs, c, 3, norm)
        add_conv(self, 2, c, c, 3, norm)

    def forward(self, x):
        return nn.functional.max_pool2d(activation(self, 2, activation(self, 1, x)), 2)


class Branch(nn.Module):
    """A branch. `scaling(channels)` makes what scales channels at `place`; none where it is None. With `fused`, the branch
    has a fusing convolution of its own and gives features [N, fused]."""

    def __init__(self, inputs, first, second, dilation, kernel, norm, scaling=None, place="end", fused=0):
        super().__init__()
        self.place, self.name = place, None
        add_conv(self, 1, inputs, first, kernel, norm, dilation)
        add_conv(self, 2, first, second, 3, norm)
        if scaling:
            scale = scaling({"stem": inputs, "middle": first, "end": second}[place])
            self.name = "gate" if isinstance(scale, Gate) else "scale"
            setattr(self, self.name, scale)
        self.fused = fused
        if fused:
            add_conv(self, 3, second, fused, 1, norm)

    def at(self, place, x):
        return getattr(self, self.name)(x) if self.name and place == self.place else x

    def forward(self, x):
        x = activation(self, 1, self.at("stem", x))
        x = self.at("middle", nn.functional.max_pool2d(x, 2))
        x = self.at("end", activation(self, 2, x))
        return activation(self, 3, x).mean((2, 3)) if self.fused else x


class Fuse(nn.Module):
    def __init__(self, inputs, fused, norm, gate_hidden):
        super().__init__()
        self.gate = Gate(inputs, gate_hidden) if gate_hidden else None
        add_conv(self, "", inputs, fused, 1, norm)

    def forward(self, x):
        x = self.gate(x) if self.gate else x
        return activation(self, "", x).mean((2, 3))


class Attention(nn.Module):
    """Each class attends over the branches with its own query: α_kb = softmax_b(q_k · v_b / √F)."""

    def __init__(self, classes, features):
        super().__init__()
        self.query = nn.Parameter(torch.zeros(classes, features))

    def forward(self, branches):
        v = torch.stack(branches, 1)
        scores = torch.einsum("kf,nbf->nkb", self.query, v) / math.sqrt(v.shape[2])
        return torch.einsum("nkb,nbf->nkf", torch.softmax(scores, 2), v)


class Network(nn.Module):
    """The whole network. `attention` is none, branch, shared, constant, wide, class or experts; `divisor` 1, 2 or 4 stands
    for width 1, 1/2 or 1/4. The other options are those of the configuration, by the same names."""

    def __init__(
        self, classes, channels, attention, divisor, dilations=(1, 2, 3), kernels=(3,), gate_place="end", gate_reduction=2,
        norm="batch",
    ):
        super().__init__()
        stem, first, second, fused = (c // divisor for c in (64, 96, 384, 128))
        branches = len(dilations)
        kernels = list(kernels) * branches if len(kernels) == 1 else kernels
        if attention == "wide":
            gated = {"stem": stem, "middle": first, "end": second}[gate_place]
            gates = branches * 2 * gated * (gated // gate_reduction)
            channel = branches * (9 * first + (1 if norm == "none" else 2) + fused)
            second += (gates + channel // 2) // channel
            if norm == "group":
                second = (second + GROUPS // 2) // GROUPS * GROUPS
        scaling = {"branch": lambda c: Gate(c, c // gate_reduction), "constant": Scale}.get(attention)
        own_features = attention in ("class", "experts")
        self.features = fused
        self.names = [f"branch{b + 1}" for b in range(branches)]
        self.stem = Stem(channels, stem, norm)
        for name, dilation, kernel in zip(self.names, dilations, kernels):
            branch = Branch(stem, first, second, dilation, kernel, norm, scaling, gate_place, fused if own_features else 0)
            setattr(self, name, branch)
        if attention == "experts":
            self.classifier = nn.ModuleDict({f"expert{b + 1}": nn.Linear(fused, classes) for b in range(branches)})
            return
        if attention == "class":
            self.attention = Attention(classes, fused)
        else:
            hidden = second // gate_reduction if attention == "shared" else 0
            self.fuse = Fuse(branches * second, fused, norm, hidden)
        self.classifier = nn.Linear(fused, classes)

    @staticmethod
    def options(config):
        """The options of a network as the configuration of a run, or of a test, holds them."""
        numbers = lambda name, usual: [int(x) for x in config.get(name, usual).split(",")]
        return dict(
            dilations=numbers("dilations", "1,2,3"), kernels=numbers("kernels", "3"), gate_place=config.get("gate_place", "end"),
            gate_reduction=int(config.get("gate_reduction", 2)), norm=config.get("norm", "batch"),
        )

    def branches(self, x):
        x = self.stem(x)
        return [getattr(self, name)(x) for name in self.names]

    def experts(self, x):
        """Logits of each branch, where each has a classifier of its own."""
        return [expert(v) for expert, v in zip(self.classifier.values(), self.branches(x))]

    def forward(self, x):
        if isinstance(self.classifier, nn.ModuleDict):
            return torch.stack(self.experts(x)).mean(0)
        branches = self.branches(x)
        if hasattr(self, "fuse"):
            return self.classifier(self.fuse(torch.cat(branches, 1)))
        features = self.attention(branches)
        return (features * self.classifier.weight).sum(2) + self.classifier.bias


class MixedStatistics:
    """Within this context every batch norm takes the mean and the biased variance of its input, in which image i has
    the weight weights[i] (sum 1), its pixels alike; gradients flow through both, and running statistics stay."""

    def __init__(self, net, weights):
        self.norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
        self.weights = weights

    def __enter__(self):
        for norm in self.norms:

            def forward(x, norm=norm):
                w = self.weights[:, None, None, None] / (x.shape[2] * x.shape[3])
                mean = (w * x).sum((0, 2, 3), keepdim=True)
                variance = (w * (x - mean) ** 2).sum((0, 2, 3), keepdim=True)
                unit = (x - mean) / torch.sqrt(variance + norm.eps)
                return unit * norm.weight[:, None, None] + norm.bias[:, None, None]

            norm.forward = forward

    def __exit__(self, *_):
        for norm in self.norms:
            del norm.forward


def mixed_gradients(net, pieces, shares):
    """Class gradients with batch norm as in training. `pieces[k][s]` are the images [n, C, H, W] of piece s of class k,
    None where it is empty; `shares` [K] are the classes' shares of the images that training draws. Gives for each row
    k·S+s the gradients of all parameters (None for an empty piece) and the loss."""
    parameters = list(net.parameters())
    count = len(pieces[0])
    gradients, losses = {}, {}
    for s in range(count):
        present = [k for k in range(len(pieces)) if pieces[k][s] is not None]
        images = torch.cat([pieces[k][s] for k in present])
        labels = torch.cat([torch.full((len(pieces[k][s]),), k) for k in present])
        weights = torch.cat([torch.full((len(pieces[k][s]),), shares[k] / len(pieces[k][s])).double() for k in present])
        with MixedStatistics(net, weights / weights.sum()):
            each = nn.functional.cross_entropy(net(images), labels, reduction="none")
            for k in present:
                loss = each[labels == k].mean()
                gradients[k, s] = torch.autograd.grad(loss, parameters, retain_graph=True)
                losses[k, s] = loss.item()
    rows = [(k, s) for k in range(len(pieces)) for s in range(count)]
    return [gradients.get(row) for row in rows], [losses.get(row) for row in rows]


def initialise(net, seed, move_norms=True):
    """Initialises parameters as src/model/params.rs does. With `move_norms`, batch norm also gets random parameters and
    statistics instead of ones and zeros, so that mistakes in it show."""
    with torch.no_grad():
        for name, p in net.named_parameters():
            is_norm = ".bn" in name
            # Biases of convolutions and logits of constants start at 0, as shifts do.
            is_zero = name.endswith((".logit", ".bias")) and not is_norm and not name.startswith("classifier")
            if is_zero and not move_norms:
                p.zero_()
                continue
            if is_norm and not move_norms:
                continue
            if is_norm or is_zero:
                start = 1.0 if is_norm and name.endswith("weight") else 0.0
                value = start + 0.2 * normals(seed, name, p.numel())
            elif name.startswith(("classifier", "attention")):
                bound = 1 / math.sqrt(net.features)
                value = -bound + 2 * bound * uniforms(seed, name, p.numel())
            else:
                value = math.sqrt(2 / (p.numel() // p.shape[0])) * normals(seed, name, p.numel())
            p.copy_(torch.from_numpy(value.astype(np.float32).astype(np.float64)).reshape(p.shape))
        for name, b in net.named_buffers() if move_norms else ():
            if name.endswith("running_mean"):
                b.copy_(torch.from_numpy((0.3 * normals(seed, name, b.numel())).astype(np.float32)))
            elif name.endswith("running_var"):
                b.copy_(torch.from_numpy((0.5 + uniforms(seed, name, b.numel())).astype(np.float32)))


def layers(net):
    """Names of the layers with parameters, in the order of the program's layer table; a gate is one layer."""
    order = []
    for name, p in net.named_parameters():
        layer = name.rsplit(".", 1)[0]
        layer = layer.removesuffix(".fc1").removesuffix(".fc2")
        if layer not in order:
            order.append(layer)
    return order


def case(attention, image, classes, counts):
    h, w, c = image
    net = Network(classes, c, attention, 4).double().eval()
    initialise(net, 5)
    n = sum(counts)
    x = normals(5, "images", n * h * w * c).astype(np.float32).astype(np.float64).reshape(n, h, w, c)
    x = torch.from_numpy(x).permute(0, 3, 1, 2)
    pieces = len(counts) // classes
    names = [name for name, _ in net.named_parameters()]
    gradients, losses, start = [], [], 0
    with torch.no_grad():
        logits = net(x)
    for row, count in enumerate(counts):
        if count == 0:
            gradients.append([torch.zeros_like(p) for p in net.parameters()])
            losses.append(None)
            continue
        target = torch.full((count,), row // pieces)
        loss = nn.functional.cross_entropy(net(x[start : start + count]), target)
        gradients.append(torch.autograd.grad(loss, list(net.parameters())))
        losses.append(loss.item())
        start += count
    grams, norms = {}, {}
    for layer in layers(net):
        own = [i for i, name in enumerate(names) if name.startswith(layer + ".")]
        rows = torch.stack([torch.cat([g[i].flatten() for i in own]) for g in gradients])
        weights = torch.tensor(counts, dtype=torch.float64).reshape(classes, pieces, 1)
        mean = (rows.reshape(classes, pieces, -1) * weights).sum(1) / weights.sum(1)
        grams[layer] = [[f"{v:.8g}" for v in row] for row in (mean @ mean.T).tolist()]
        norms[layer] = [f"{v:.8g}" for v in rows.norm(dim=1).tolist()]
    bounds = np.cumsum([0, *counts])
    part = lambda row: x[bounds[row] : bounds[row + 1]] if counts[row] else None
    shares = [(k + 1) / (classes * (classes + 1) / 2) for k in range(classes)]
    mixed, mixed_losses = mixed_gradients(net, [[part(k * pieces + s) for s in range(pieces)] for k in range(classes)], shares)
    mixed_grams = {}
    for layer in layers(net):
        own = [i for i, name in enumerate(names) if name.startswith(layer + ".")]
        size = sum(list(net.parameters())[i].numel() for i in own)
        flat = [torch.zeros(size).double() if g is None else torch.cat([g[i].flatten() for i in own]) for g in mixed]
        rows = torch.stack(flat)
        mixed_grams[layer] = [[f"{v:.8g}" for v in row] for row in (rows @ rows.T).tolist()]
    return {
        "mixed": {"shares": shares, "loss": mixed_losses, "gram": mixed_grams},
        "attention": attention, "image": image, "classes": classes, "counts": counts, "seed": 5,
        "parameters": sum(p.numel() for p in net.parameters()),
        "logits": [[f"{v:.8g}" for v in row] for row in logits.tolist()], "loss": losses,
        "class_gram": grams, "piece_norms": norms,
    }


if __name__ == "__main__":
    cases = [
        case("none", [16, 16, 3], 3, [2, 1, 1, 1, 2, 2]),
        case("branch", [16, 20, 1], 4, [1, 1, 2, 1, 1, 0, 3, 2]),
        case("shared", [17, 18, 3], 3, [1, 1, 2, 1, 1, 1]),
    ]
    text = json.dumps({"torch": torch.__version__, "cases": cases})
    sys.stdout.write(text.replace('"class_gram"', '\n"class_gram"').replace('{"attention"', '\n{"attention"') + "\n")
