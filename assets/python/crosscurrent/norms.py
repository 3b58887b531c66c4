"""Batch norm while class gradients are measured: with the weighted statistics of a mixed batch, in place of the statistics
that PyTorch would take.

    mean = Σ w x,  variance = Σ w (x − mean)²,  y = γ (x − mean) / √(variance + ε) + β

over the images and positions of a batch, where all positions of an image share its weight w, and the weights sum to 1.
Gradients flow through both; running statistics are neither read nor changed.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import torch
from torch import Tensor, nn

_BatchNorm = nn.modules.batchnorm._BatchNorm


class BatchStatistics:
    """The statistics that batch norms take of one batch, kept by layer."""

    def __init__(self, weights: Tensor) -> None:
        """`weights` [n]: the share of each image; they sum to 1."""
        self.weights = weights
        self.taken: Dict[nn.Module, Tuple[Tensor, Tensor]] = {}

    def of(self, x: Tensor) -> Tuple[Tensor, Tensor]:
        """Mean and variance [1, C, …] of `x` [n, C, …]."""
        others = [0] + list(range(2, x.dim()))
        if len(x) % len(self.weights):
            raise _Unweighted()
        # Where a network folds time or crops into the batch, an image has several entries in a row.
        each = self.weights.to(x.dtype).repeat_interleave(len(x) // len(self.weights))
        w = (each / (x[0, 0].numel() * (len(x) // len(self.weights)))).reshape([-1] + [1] * (x.dim() - 1))
        mean = (w * x).sum(others, keepdim=True)
        return mean, (w * (x - mean) ** 2).sum(others, keepdim=True)


class _Unweighted(Exception):
    """A batch norm got another number of images than the batch has."""


class Norms:
    """The batch norms of a network, and how they are treated as in training: `kind` is `weighted`, `plain` where the
    weighted statistics cannot be put in place, so that batches have the statistics of their own images unweighted, or
    `none` where there is no batch norm."""

    def __init__(self, net: nn.Module) -> None:
        self.net = net
        self.all: List[nn.Module] = [m for m in net.modules() if isinstance(m, _BatchNorm)]
        self.mixing = list(self.all)
        self.kind = "weighted" if self.all else "none"

    def note_modes(self, is_step: bool = False) -> None:
        """Takes batch norms that a user has put in evaluation mode as frozen in training. The modes at an optimiser's step
        are those of training; at other times only those of a network that is in training mode are taken for them."""
        if is_step or self.net.training:
            self.mixing = [m for m in self.all if m.training or m.running_mean is None]

    @contextmanager
    def mixed(self, weights: Tensor) -> Iterator[None]:
        """Batch norm as in training, on a batch whose images have these shares in the statistics."""
        if self.kind == "weighted":
            with self.taking(BatchStatistics(weights)):
                yield
            return
        for module in self.mixing:
            module.training = True
        kept = [(b, b.detach().clone()) for module in self.mixing for b in module.buffers(recurse=False)]
        try:
            yield
        finally:
            for module in self.mixing:
                module.training = False
            with torch.no_grad():
                for buffer, before in kept:
                    buffer.copy_(before)

    @contextmanager
    def taking(self, statistics: BatchStatistics) -> Iterator[None]:
        """Puts weighted batch norm in place of the batch norms' own `forward`."""
        replaced = [(module, module.__dict__.get("forward")) for module in self.mixing]
        for module, _ in replaced:
            module.forward = _weighted(module, statistics)
        try:
            yield
        finally:
            for module, before in replaced:
                del module.forward
                if before is not None:
                    module.forward = before

    def can_weight(self, forward: Callable[[], Any], images: int) -> bool:
        """Tries whether every batch norm that computes takes weighted statistics in a forward pass of so many images."""
        if not self.all:
            return True
        device = next(self.net.parameters()).device
        statistics = BatchStatistics(torch.full((images,), 1 / images, device=device))
        reached: List[nn.Module] = []
        hooks = [m.register_forward_hook(lambda m, *_: reached.append(m)) for m in self.all]
        try:
            with self.taking(statistics), torch.no_grad():
                forward()
        except _Unweighted:
            return False
        finally:
            for hook in hooks:
                hook.remove()
        return all(m in statistics.taken for m in reached)

    @contextmanager
    def initialised(self, batches: Callable[[], Iterator[Tuple[BatchStatistics, Tensor]]]) -> Iterator[None]:
        """Gives batch norms whose running statistics were never estimated those of the probe images for a while: an
        untrained network would else be measured without normalisation."""
        fresh = [m for m in self.all if _is_fresh(m)]
        if not fresh or self.kind != "weighted":
            yield
            return
        sums: Dict[nn.Module, List[Tensor]] = {}
        count = 0
        kept_mixing, self.mixing = self.mixing, fresh
        try:
            for statistics, _ in batches():
                count += 1
                for module, pair in statistics.taken.items():
                    before = sums.setdefault(module, [torch.zeros_like(x) for x in pair])
                    sums[module] = [a + b for a, b in zip(before, pair)]
        finally:
            self.mixing = kept_mixing
        kept = [(m, m.running_mean.clone(), m.running_var.clone()) for m in sums]
        try:
            with torch.no_grad():
                for module, (mean, variance) in sums.items():
                    module.running_mean.copy_((mean / count).reshape(-1))
                    module.running_var.copy_((variance / count).reshape(-1))
            yield
        finally:
            with torch.no_grad():
                for module, mean, variance in kept:
                    module.running_mean.copy_(mean)
                    module.running_var.copy_(variance)


def _is_fresh(module: nn.Module) -> bool:
    mean, variance = module.running_mean, module.running_var
    return mean is not None and bool((mean == 0).all()) and bool((variance == 1).all())


def _weighted(module: nn.Module, statistics: BatchStatistics) -> Callable[..., Tensor]:
    def normalised(x: Tensor, weight: Optional[Tensor], bias: Optional[Tensor], eps: float) -> Tensor:
        mean, variance = statistics.of(x)
        statistics.taken[module] = (mean.detach(), variance.detach())
        shape = [1, -1] + [1] * (x.dim() - 2)
        unit = (x - mean) / torch.sqrt(variance + eps)
        scaled = unit if weight is None else unit * weight.reshape(shape)
        return scaled if bias is None else scaled + bias.reshape(shape)

    if type(module).forward is _BatchNorm.forward:
        return lambda x: normalised(x, module.weight, module.bias, module.eps)

    own = type(module).forward.__get__(module)

    def forward(*args: Any, **kwargs: Any) -> Any:
        # A batch norm with a `forward` of its own, such as one with an activation, still normalises by this function.
        functional = nn.functional
        kept = functional.batch_norm

        def batch_norm(x, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):  # type: ignore
            return normalised(x, weight, bias, eps)

        functional.batch_norm = batch_norm  # type: ignore[assignment]
        try:
            return own(*args, **kwargs)
        finally:
            functional.batch_norm = kept

    return forward
