"""The network within its wrappers, its logits, and what cannot be recorded."""

from __future__ import annotations

import os
from typing import Any

import torch
from torch import Tensor, nn

from .errors import RecorderError


def unwrapped(model: nn.Module) -> nn.Module:
    """The network within `torch.compile`, DistributedDataParallel and DataParallel."""
    while True:
        if "_orig_mod" in model._modules:
            model = model._modules["_orig_mod"]
        elif isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            model = model.module
        else:
            return model


def refuse(model: Any) -> None:
    """Raises RecorderError for a network whose class gradients the first process alone cannot measure."""
    if not isinstance(model, nn.Module):
        raise RecorderError(f"`model` needs to be a torch.nn.Module, and is a {type(model).__name__}")
    for module in model.modules():
        names = {kind.__name__ for kind in type(module).__mro__}
        if names & {"FullyShardedDataParallel", "FSDPModule"}:
            raise RecorderError(
                "FullyShardedDataParallel is not supported, since no process holds all weights; record under "
                "DistributedDataParallel, or on one device"
            )
        if "DeepSpeedEngine" in names:
            raise RecorderError("DeepSpeed is not supported; record under DistributedDataParallel, or on one device")
        if "SyncBatchNorm" in names:
            raise RecorderError(
                "SyncBatchNorm is not supported, since it waits for all processes and only the first one measures; use "
                "BatchNorm, or record on one device"
            )
    for param in model.parameters():
        if type(param).__name__ == "DTensor" or type(param.data).__name__ == "DTensor" or hasattr(param, "ds_id"):
            raise RecorderError(
                "weights that are spread over several devices are not supported; record under DistributedDataParallel, or on "
                "one device"
            )


def rank() -> int:
    """The number of this process among those that train together."""
    distributed = torch.distributed
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank()
    try:
        return int(os.environ.get("RANK", "0"))
    except ValueError:
        return 0


def processes() -> int:
    """The number of processes that train together."""
    distributed = torch.distributed
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def fitting(net: nn.Module, images: Tensor) -> Tensor:
    """Images on the device and in the precision of a network's weights."""
    weight = next((p for p in net.parameters() if p.is_floating_point()), images)
    return images.to(weight.device, weight.dtype) if images.is_floating_point() else images.to(weight.device)


def logits_of(net: nn.Module, images: Tensor) -> Tensor:
    """The logits that a network gives: its output, the field `logits` of it, or the first of several outputs."""
    output = net(images)
    if not isinstance(output, Tensor):
        if hasattr(output, "logits"):
            output = output.logits
        elif isinstance(output, dict) and "logits" in output:
            output = output["logits"]
        elif isinstance(output, (tuple, list)) and output and isinstance(output[0], Tensor):
            output = output[0]
        else:
            raise RecorderError(
                f"the network gives a {type(output).__name__}; pass `forward=lambda model, images: …` that gives logits [N, K]"
            )
    return output
