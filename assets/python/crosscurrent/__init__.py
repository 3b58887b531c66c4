"""Records a run of any PyTorch classifier, with the class gradients of every layer, for the program Crosscurrent.

    with crosscurrent.Recorder("runs/mine", model, optimizer, probe=train_dataset, classes=names) as rec:
        ...                                        # the training loop, as it is
        rec.evaluate(labels, logits, split="val")

torch is imported when one of the names below is used first, so that importing this package costs nothing, and works
where there is no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["HuggingFaceCallback", "LightningCallback", "Recorder", "RecorderError"]

_HOMES = {
    "Recorder": "recorder",
    "RecorderError": "errors",
    "LightningCallback": "callbacks",
    "HuggingFaceCallback": "callbacks",
}

if TYPE_CHECKING:
    from .callbacks import HuggingFaceCallback, LightningCallback
    from .errors import RecorderError
    from .recorder import Recorder


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    try:
        home = import_module(f"{__name__}.{_HOMES[name]}")
    except ImportError as error:
        if (error.name or "").split(".")[0] not in ("numpy", "torch"):
            raise
        needs = "NumPy and PyTorch 1.13 or newer; install them as for your training, such as with `pip install torch numpy`"
        raise ImportError(f"{__name__}.{name} needs {needs} ({error})", name=error.name) from error
    return getattr(home, name)
