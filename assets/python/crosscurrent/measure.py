"""Class gradients of the probe images and, for each layer, all products between them.

The gradient of piece s of class k is that of the mean cross-entropy of its images, g[k,s]. Frozen, every batch norm uses
its running statistics. As in training, the pieces number s of all classes are one mixed batch, whose weighted statistics
every batch norm takes; gradients flow through them, and each class takes one backward pass through the same forward pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np
import torch
from torch import Tensor, nn

from .images import Probe
from .layers import Row
from .networks import fitting
from .norms import BatchStatistics, Norms

CHUNK = 1 << 12
"""Values of each gradient that are multiplied in f32 before the products are added up in f64."""
TOGETHER = 1 << 8
"""Such chunks in one call."""


@dataclass
class Products:
    """What a probe measures in one way: `gram` [L, M, M], `update` [L, M] and `loss` [M] of M pieces."""

    gram: np.ndarray
    update: np.ndarray
    loss: np.ndarray


@dataclass
class Span:
    """A stretch of a parameter's values whose gradients are held at a time."""

    row: int
    param: int
    start: int
    end: int


class Measure:
    """Measures the class gradients of a network. The network is in evaluation mode and computes gradients."""

    def __init__(
        self,
        net: nn.Module,
        rows: Sequence[Row],
        probe: Probe,
        norms: Norms,
        logits_of: Callable[[nn.Module, Tensor], Tensor],
        memory: int,
    ) -> None:
        """`rows` are those with parameters; `memory` is that for gradients held at a time, in bytes."""
        self.net, self.probe, self.norms, self.logits_of, self.memory = net, probe, norms, logits_of, memory
        self.layers = len(rows)
        self.params: List[nn.Parameter] = [p for row in rows for p in row.params]
        self.row_of = [number for number, row in enumerate(rows) for _ in row.params]

    def frozen(self, update: Optional[Sequence[Tensor]]) -> Products:
        """The products with batch norm frozen, of all pieces. `update` is the change of each of `params` in the last
        optimiser step; without it the products with it are 0."""
        probe = self.probe

        def gradients(params: List[nn.Parameter], take: Callable[[int, float, Any], None]) -> None:
            for m, places in enumerate(probe.cut):
                if places:
                    loss = self._losses(places, [m // probe.pieces] * len(places)).mean()
                    take(m, float(loss.detach()), torch.autograd.grad(loss, params, allow_unused=True))

        with self.norms.initialised(self._all_images):
            return self._products(len(probe.cut), gradients, update)

    def as_in_training(self, update: Optional[Sequence[Tensor]]) -> Products:
        """The products with batch norm as in training, of the pieces of the measured classes."""
        probe, measured = self.probe, self.probe.measured

        def gradients(params: List[nn.Parameter], take: Callable[[int, float, Any], None]) -> None:
            for s in range(probe.pieces):
                places, labels, weights = probe.batch(s)
                if not places:
                    continue
                with self.norms.mixed(torch.tensor(weights, device=self.device())):
                    losses = self._losses(places, labels)
                known = torch.tensor(labels, device=losses.device)
                present = [(i, k) for i, k in enumerate(measured) if probe.cut[k * probe.pieces + s]]
                for i, k in present:
                    loss = losses[known == k].mean()
                    grads = torch.autograd.grad(loss, params, allow_unused=True, retain_graph=k != present[-1][1])
                    take(i * probe.pieces + s, float(loss.detach()), grads)

        return self._products(len(measured) * probe.pieces, gradients, update)

    def device(self) -> torch.device:
        return self.params[0].device

    def _all_images(self) -> Iterator[Tuple[BatchStatistics, Tensor]]:
        """All mixed batches, each with the statistics that its batch norms are to take."""
        for s in range(self.probe.pieces):
            places, _, weights = self.probe.batch(s)
            if places:
                statistics = BatchStatistics(torch.tensor(weights, device=self.device()))
                with self.norms.taking(statistics), torch.no_grad():
                    self.logits(places)
                yield statistics, statistics.weights

    def logits(self, places: List[int]) -> Tensor:
        """The logits [n, K] of the images at these places, on their device."""
        return self.logits_of(self.net, fitting(self.net, self.probe.images[places]))

    def _losses(self, places: List[int], labels: List[int]) -> Tensor:
        logits = self.logits(places).float()
        return nn.functional.cross_entropy(logits, torch.tensor(labels, device=logits.device), reduction="none")

    def passes(self, pieces: int) -> List[List[Span]]:
        """The values of all parameters in the fewest stretches whose gradients, of so many pieces, fit the memory."""
        most = max(1, self.memory // (4 * max(1, pieces)))
        passes: List[List[Span]] = [[]]
        room = most
        for number, param in enumerate(self.params):
            start = 0
            while start < param.numel():
                if room == 0:
                    passes.append([])
                    room = most
                end = min(param.numel(), start + room)
                passes[-1].append(Span(self.row_of[number], number, start, end))
                room -= end - start
                start = end
        return passes

    def _products(self, pieces: int, gradients: Any, update: Optional[Sequence[Tensor]]) -> Products:
        gram = np.zeros((self.layers, pieces, pieces))
        along = np.zeros((self.layers, pieces))
        loss = np.full(pieces, np.nan, dtype=np.float32)
        for spans in self.passes(pieces):
            # A parameter that was frozen since the start has no gradient now.
            open_ = [p for p in dict.fromkeys(span.param for span in spans) if self.params[p].requires_grad]
            place = {p: i for i, p in enumerate(open_)}
            size = sum(span.end - span.start for span in spans)
            held = torch.zeros(pieces, size, dtype=torch.float32, device=self.device())

            def take(m: int, value: float, grads: Any) -> None:
                loss[m] = value
                start = 0
                for span in spans:
                    end = start + span.end - span.start
                    grad = grads[place[span.param]] if span.param in place else None
                    if grad is not None:
                        held[m, start:end] = grad.detach().reshape(-1)[span.start : span.end]
                    start = end

            if open_:
                gradients([self.params[p] for p in open_], take)
            start = 0
            for span in spans:
                end = start + span.end - span.start
                gram[span.row] += products(held[:, start:end], held[:, start:end])
                if update is not None:
                    step = update[span.param].reshape(1, -1)[:, span.start : span.end].float()
                    along[span.row] += products(held[:, start:end], step)[:, 0]
                start = end
        return Products(gram.astype(np.float32), along.astype(np.float32), loss)

    def within_memory(self, update: Optional[Sequence[Tensor]]) -> Dict[str, np.ndarray]:
        """`tensors`, with ever less memory for gradients where a device has not enough."""
        for _ in range(4):
            try:
                return self.tensors(update)
            except RuntimeError as error:
                # PyTorch before 2.0 names running out of memory in the message alone.
                if "out of memory" not in str(error):
                    raise
                self.memory //= 4
                torch.cuda.empty_cache()
        return self.tensors(update)

    def tensors(self, update: Optional[Sequence[Tensor]]) -> Dict[str, np.ndarray]:
        """The tensors of a probe's file, measured in both ways. Without batch norm both ways are one."""
        frozen = self.frozen(update)
        pieces = self.probe.pieces
        if self.norms.mixing:
            training = self.as_in_training(update)
            classes = list(self.probe.measured)
        else:
            training, classes = frozen, list(range(self.probe.classes))
        left_out = [k for k in range(self.probe.classes) if k not in classes]
        counts = self.probe.counts()
        has_images = any(counts[k * pieces + s] for k in left_out for s in range(pieces))
        if left_out and self.probe.classes <= 20 and not has_images:
            # The file lists all classes where only classes without images are left out.
            kept = [k * pieces + s for k in classes for s in range(pieces)]
            training = _spread(training, kept, len(self.probe.cut))
            classes = list(range(self.probe.classes))
        return {
            "gram": frozen.gram,
            "update": frozen.update,
            "loss": frozen.loss,
            "n": np.asarray(self.probe.counts(), dtype=np.float32),
            "gram.training": training.gram,
            "update.training": training.update,
            "loss.training": training.loss,
            "classes.training": np.asarray(classes, dtype=np.uint16),
        }


def _spread(products: Products, kept: List[int], pieces: int) -> Products:
    layers = len(products.gram)
    spread = Products(
        np.zeros((layers, pieces, pieces), np.float32), np.zeros((layers, pieces), np.float32), np.full(pieces, np.nan, np.float32)
    )
    spread.gram[:, np.asarray(kept)[:, None], kept] = products.gram
    spread.update[:, kept] = products.update
    spread.loss[kept] = products.loss
    return spread


def products(a: Tensor, b: Tensor) -> np.ndarray:
    """The products of the rows of `a` [M, n] with those of `b` [N, n], [M, N]: in f32, added up in f64."""
    kept = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = False
    try:
        total = np.zeros((len(a), len(b)))
        for start in range(0, a.shape[1], CHUNK * TOGETHER):
            parts = [x[:, start : start + CHUNK * TOGETHER] for x in (a, b)]
            size = parts[0].shape[1]
            whole = size - size % CHUNK
            # [chunks, M, N], and what is left over.
            first, second = (x[:, :whole].reshape(len(x), -1, CHUNK).transpose(0, 1) for x in parts)
            found = [torch.bmm(first, second.transpose(1, 2)), (parts[0][:, whole:] @ parts[1][:, whole:].T)[None]]
            for product in found:
                # Not every device has numbers in double precision.
                product = product.cpu() if product.device.type == "mps" else product
                total += product.double().sum(0).cpu().numpy()
        return total
    finally:
        torch.backends.cuda.matmul.allow_tf32 = kept
