"""Contexts in which a network is measured without a trace: random state, modes and buffers are as before afterwards."""

from __future__ import annotations

import random
import sys
from typing import Any, Dict, List, Optional, Tuple

import numpy as np
import torch
from torch import Tensor, nn


class Quiet:
    """Restores the random state of Python, NumPy, PyTorch and, where it is in use, CUDA."""

    def __init__(self, seed: Optional[int] = None) -> None:
        """With a seed, random numbers drawn on the processor within the context follow from it."""
        self.seed = seed

    def __enter__(self) -> "Quiet":
        self.states = (random.getstate(), np.random.get_state(), torch.get_rng_state())
        is_used = torch.cuda.is_available() and torch.cuda.is_initialized()
        self.cuda = torch.cuda.get_rng_state_all() if is_used else []
        if self.seed is not None:
            random.seed(self.seed)
            np.random.seed(self.seed)
            # Not `torch.manual_seed`, which would also seed CUDA, now or when it is used first.
            torch.default_generator.manual_seed(self.seed)
        return self

    def __exit__(self, *reason: Any) -> None:
        random.setstate(self.states[0])
        np.random.set_state(self.states[1])
        torch.set_rng_state(self.states[2])
        if self.cuda:
            torch.cuda.set_rng_state_all(self.cuda)


class Measured:
    """A network in evaluation mode, computing without automatic mixed precision, with gradients. Afterwards its modes, buffers and the
    random state are as before, and what a compiler made of its modules is in use again."""

    def __init__(self, net: nn.Module) -> None:
        self.net = net

    def __enter__(self) -> "Measured":
        self.quiet = Quiet()
        self.quiet.__enter__()
        self.modes: List[Tuple[nn.Module, bool]] = [(m, m.training) for m in self.net.modules()]
        self.buffers: List[Tuple[Dict[str, Any], str, Any, Any]] = []
        self.compiled: List[Tuple[nn.Module, Any]] = []
        for module in self.net.modules():
            for name, value in module._buffers.items():
                kept = value.detach().clone() if isinstance(value, Tensor) else value
                self.buffers.append((module._buffers, name, value, kept))
            call = getattr(module, "_compiled_call_impl", None)
            if call is not None:
                self.compiled.append((module, call))
                module._compiled_call_impl = None
            # The flag itself, since `train` and `eval` may be a user's own and do more.
            module.training = False
        device = next((p.device.type for p in self.net.parameters()), "cpu")
        self.contexts = [torch.enable_grad(), _without_autocast(device)]
        if device != "cpu":
            self.contexts.append(_without_autocast("cpu"))
        if hasattr(torch, "inference_mode"):
            self.contexts.insert(0, torch.inference_mode(False))
        # Functions and modules within the network may be compiled, too. Without the compiler's module none is.
        if "torch._dynamo" in sys.modules and hasattr(getattr(torch, "compiler", None), "set_stance"):
            self.contexts.append(torch.compiler.set_stance("force_eager"))
        for context in self.contexts:
            context.__enter__()
        return self

    def __exit__(self, *reason: Any) -> None:
        for context in reversed(self.contexts):
            context.__exit__(None, None, None)
        with torch.no_grad():
            for home, name, value, kept in self.buffers:
                home[name] = value
                # A buffer that did not change is not written: a write would count as a change to autograd.
                if isinstance(value, Tensor) and not _same(value, kept):
                    value.copy_(kept)
        for module, training in self.modes:
            module.training = training
        for module, call in self.compiled:
            module._compiled_call_impl = call
        self.quiet.__exit__(*reason)


def _without_autocast(device: str) -> Any:
    try:
        return torch.autocast(device, enabled=False)
    except RuntimeError:
        # A device without automatic mixed precision.
        return torch.autocast("cpu", enabled=False)


def _same(a: Tensor, b: Tensor) -> bool:
    if a.is_floating_point() or a.is_complex():
        return bool(((a == b) | ((a != a) & (b != b))).all())
    return bool(torch.equal(a, b))
