"""Hears of an optimiser's steps, without a change to them."""

from __future__ import annotations

import types
from typing import Any, Callable, List

import torch
from torch import Tensor


class Steps:
    """Calls `before` and `after` around every step that the optimiser takes. Steps that a gradient scaler skips are not
    heard of, and gradient accumulation counts as the one step that it ends in. `before` hears whether the step has yet to
    compute the gradients, in a closure."""

    def __init__(self, optimizer: torch.optim.Optimizer, before: Callable[[bool], None], after: Callable[[], None]) -> None:
        self.optimizer = optimizer
        self.is_open = True
        self.handles: List[Any] = []
        if hasattr(optimizer, "register_step_pre_hook"):
            self.handles.append(optimizer.register_step_pre_hook(self._only(before, True)))
            self.handles.append(optimizer.register_step_post_hook(self._only(after, False)))
            return
        # Before PyTorch 2.0 optimisers have no hooks: `step` is wrapped, as learning-rate schedules wrap it.
        own = optimizer.step

        def step(_: Any, *args: Any, **kwargs: Any) -> Any:
            if not self.is_open:
                return own(*args, **kwargs)
            before(_has_closure(args, kwargs))
            result = own(*args, **kwargs)
            after()
            return result

        for name in ("_with_counter", "hooked"):
            if hasattr(own, name):
                setattr(step, name, getattr(own, name))
        optimizer.step = types.MethodType(step, optimizer)  # type: ignore[method-assign]

    def _only(self, work: Callable[..., None], is_before: bool) -> Callable[..., None]:
        """A hook that a copy of the optimiser, which has its hooks too, does not set off."""

        def hook(optimizer: torch.optim.Optimizer, args: Any = (), kwargs: Any = None) -> None:
            if optimizer is self.optimizer:
                work(*([_has_closure(args, kwargs)] if is_before else []))

        return hook

    def skipped(self) -> bool:
        """Whether a fused optimiser was called by a gradient scaler that found gradients which are not finite: such a step
        changes nothing."""
        found = getattr(self.optimizer, "found_inf", None)
        return isinstance(found, Tensor) and bool(found.item())

    def scale(self) -> float:
        """The factor that a gradient scaler has left in the gradients of a fused optimiser."""
        scale = getattr(self.optimizer, "grad_scale", None)
        return float(scale.item()) if isinstance(scale, Tensor) else 1.0

    def close(self) -> None:
        for handle in self.handles:
            handle.remove()
        self.is_open = False


def unwrapped_optimizer(optimizer: Any) -> torch.optim.Optimizer:
    """The optimiser within those of Lightning and Accelerate."""
    while isinstance(getattr(optimizer, "optimizer", None), torch.optim.Optimizer):
        optimizer = optimizer.optimizer
    return optimizer


def _has_closure(args: Any, kwargs: Any) -> bool:
    given = [x for x in (args or ()) if not isinstance(x, torch.optim.Optimizer)] + [(kwargs or {}).get("closure")]
    return any(callable(x) for x in given)
