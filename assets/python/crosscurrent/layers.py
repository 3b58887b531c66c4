"""The layer table of any network: which layers it has, in the order in which they compute, and which reads which.

One image goes through the network once, with temporary hooks. Every function that PyTorch calls on the way hands on from
which layer its input comes; where inputs of several layers meet, in an addition or a concatenation, a row without
parameters is added to the table, so that residual connections are seen in the network map.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from .errors import RecorderError

CLASSIFIER = "classifier"
"""Group of the last layer, whose class gradients conflict by construction."""

_RENAMED = {CLASSIFIER: "classifier (hidden)", "backbone": "backbone (block)", "network": "network (block)"}
"""Names of blocks that mean something else to the program."""

_KINDS: List[Tuple[type, str]] = [
    (nn.modules.conv._ConvNd, "conv"),
    (nn.modules.batchnorm._BatchNorm, "batch_norm"),
    (nn.Linear, "linear"),
    (nn.LayerNorm, "layer_norm"),
    (nn.GroupNorm, "group_norm"),
    (nn.modules.instancenorm._InstanceNorm, "instance_norm"),
    (nn.Embedding, "embedding"),
    (nn.MultiheadAttention, "attention"),
]
_POOLS: List[Tuple[type, str]] = [
    (nn.modules.pooling._MaxPoolNd, "max_pool"),
    (nn.modules.pooling._AdaptiveMaxPoolNd, "max_pool"),
    (nn.modules.pooling._AvgPoolNd, "mean_pool"),
    (nn.modules.pooling._AdaptiveAvgPoolNd, "mean_pool"),
]
_JOINS = {"cat": "concat", "concat": "concat", "stack": "concat", "mul": "scale", "matmul": "attention", "bmm": "attention"}
_JOINS["scaled_dot_product_attention"] = "attention"


@dataclass
class Row:
    """One row of the layer table."""

    name: str
    group: str
    kind: str
    shape: List[int]
    """Output shape for one image, [H, W, C] or [C]."""
    inputs: List[str] = field(default_factory=list)
    params: List[nn.Parameter] = field(default_factory=list)
    """The trained parameters of the row; none in a pool or a join."""
    gram: Optional[int] = None
    """The row in the Gram tensors."""

    def entry(self) -> Dict[str, Any]:
        """The row as the log's header holds it."""
        size = sum(p.numel() for p in self.params)
        return dict(
            name=self.name, group=self.group, kind=self.kind, shape=self.shape, params=size, inputs=self.inputs, gram=self.gram
        )


def table(net: nn.Module, image: Tensor, classes: int, logits_of: Callable[[nn.Module, Tensor], Tensor]) -> List[Row]:
    """The layers of a network in the order in which they compute, joins and pools included. `image` is one image,
    [1, …]; the network is in evaluation mode. Parameters that the logits do not depend on, or that do not require a
    gradient, are in no row."""
    trace = _Trace(net)
    with torch.enable_grad():
        with trace:
            logits = logits_of(net, image)
        if logits.dim() != 2 or logits.shape[1] != classes:
            raise RecorderError(
                f"the network gives {list(logits.shape)} for one image, and {classes} classes need [1, {classes}]; pass "
                "`forward=lambda model, images: …` that gives logits [N, K]"
            )
        trained = [p for p in net.parameters() if p.requires_grad]
        if not trained:
            raise RecorderError("no parameter of the network requires a gradient; record a network that is trained")
        grads = torch.autograd.grad(logits.float().sum(), trained, allow_unused=True)
    used = {id(p) for p, grad in zip(trained, grads) if grad is not None}
    rows = trace.rows(used)
    measured = [row for row in rows if row.params]
    if not measured:
        raise RecorderError("the logits depend on no trained parameter; check `forward`")
    ends = [row for row in measured if row.shape and row.shape[-1] == classes]
    _name_groups(net, rows, (ends or measured)[-1])
    for number, row in enumerate(measured):
        row.gram = number
    return rows


class _Trace(TorchFunctionMode):
    """Follows one forward pass."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        self.names = {module: name for name, module in net.named_modules()}
        self.own = self._owners()
        self.found: Dict[str, Row] = {}
        # The node that a tensor comes from, by its identity; the tensor is kept, so that no other takes its identity.
        self.origin: Dict[int, Tuple[Tensor, Optional[str]]] = {}
        self.stack: List[str] = []
        self.within = 0
        self.hooks: List[Any] = []

    def _owners(self) -> Dict[str, List[nn.Parameter]]:
        """The trained parameters that stand directly in each module, each parameter once."""
        seen, own = set(), {}
        for name, module in self.net.named_modules():
            params = [p for p in module.parameters(recurse=False) if p.requires_grad and id(p) not in seen]
            seen.update(id(p) for p in params)
            if params:
                own[name] = params
        return own

    def __enter__(self) -> "_Trace":
        for module, name in self.names.items():
            # Parameters of the network itself, such as a class token, are layers of their own.
            is_layer = bool(name) and (name in self.own or _kind(module, _POOLS) is not None)
            self.hooks += _hooks(module, self._enter(name, is_layer), self._leave(name, is_layer))
        for name, p in self.net.named_parameters(recurse=False):
            if p.requires_grad:
                self.found[name] = Row(name, "", "parameter", list(p.shape), params=[p])
                self.origin[id(p)] = (p, name)
        super().__enter__()
        return self

    def __exit__(self, *reason: Any) -> None:
        super().__exit__(*reason)
        for hook in self.hooks:
            hook.remove()

    def _enter(self, name: str, is_layer: bool) -> Callable[..., None]:
        def enter(module: nn.Module, args: Any, kwargs: Any = None) -> None:
            self.stack.append(name)
            if is_layer and self.within == 0:
                row = self.found.get(name)
                if row is None:
                    kind = _kind(module, _KINDS + _POOLS) or _snake(type(module).__name__)
                    row = self.found[name] = Row(name, "", kind, [], params=self.own.get(name, []))
                for source in self._sources([args, kwargs]):
                    if source not in row.inputs and source != name:
                        row.inputs.append(source)
            self.within += is_layer

        return enter

    def _leave(self, name: str, is_layer: bool) -> Callable[..., None]:
        def leave(module: nn.Module, *rest: Any) -> None:
            self.stack.pop()
            self.within -= is_layer
            if is_layer and self.within == 0:
                outputs = list(_tensors(rest[-1]))
                if outputs and not self.found[name].shape:
                    self.found[name].shape = _shape(outputs[0])
                self._comes_from(outputs, name)

        return leave

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if self.within == 0:
            outputs = list(_tensors(result))
            if outputs:
                sources = self._sources([args, kwargs])
                if len(sources) > 1:
                    sources = [self._join(getattr(func, "__name__", "join"), sources, outputs[0])]
                self._comes_from(outputs, sources[0] if sources else None)
        return result

    def _join(self, function: str, sources: List[str], output: Tensor) -> str:
        plain = re.sub(r"^i(?=add|mul|sub)|^r(?=add|mul|sub)", "", function.strip("_"))
        kind = _JOINS.get(plain, plain)
        path = ".".join(x for x in (self.stack[-1] if self.stack else "", kind) if x)
        name, number = path, 2
        while name in self.found:
            name, number = f"{path}{number}", number + 1
        self.found[name] = Row(name, "", kind, _shape(output), inputs=sources)
        return name

    def _sources(self, values: Any) -> List[str]:
        sources: List[str] = []
        for tensor in _tensors(values):
            origin = self.origin.get(id(tensor), (tensor, None))[1]
            if origin is not None and origin not in sources:
                sources.append(origin)
        return sources

    def _comes_from(self, outputs: List[Tensor], name: Optional[str]) -> None:
        for tensor in outputs:
            self.origin[id(tensor)] = (tensor, name)

    def rows(self, used: "set[int]") -> List[Row]:
        """The rows found, with the parameters among `used` alone. The parameters of a module that was never called, such
        as the output projection within an attention, belong to the layer around it."""
        for name, params in self.own.items():
            if not name or name in self.found:
                continue
            around = name
            while "." in around and around not in self.found:
                around = around.rpartition(".")[0]
            home = self.found.get(around)
            if home is None:
                module = self.net.get_submodule(name)
                kind = _kind(module, _KINDS) or _snake(type(module).__name__)
                home = self.found[name] = Row(name, "", kind, list(params[0].shape[:1]))
            home.params = home.params + params
        rows = list(self.found.values())
        for row in rows:
            row.params = [p for p in row.params if id(p) in used]
        is_shown = lambda row: row.params or row.inputs or row.kind in ("max_pool", "mean_pool")  # noqa: E731
        return [row for row in rows if is_shown(row)]


def _hooks(module: nn.Module, enter: Callable[..., None], leave: Callable[..., None]) -> Iterator[Any]:
    try:
        yield module.register_forward_pre_hook(enter, with_kwargs=True)
    except TypeError:
        # Before PyTorch 2.0 a hook does not see arguments that are passed by name.
        yield module.register_forward_pre_hook(enter)
    yield module.register_forward_hook(leave)


def _tensors(values: Any) -> Iterator[Tensor]:
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, dict):
        for value in values.values():
            yield from _tensors(value)
    elif isinstance(values, (list, tuple)):
        for value in values:
            yield from _tensors(value)


def _shape(output: Tensor) -> List[int]:
    """The shape for one image; channels last, as in the program's own tables."""
    shape = list(output.shape[1:])
    return shape[1:] + shape[:1] if len(shape) == 3 else shape


def _kind(module: nn.Module, kinds: List[Tuple[type, str]]) -> Optional[str]:
    return next((name for kind, name in kinds if isinstance(module, kind)), None)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _name_groups(net: nn.Module, rows: List[Row], classifier: Row) -> None:
    """Gives every row its block: the outermost element of a list or sequence of modules that has modules within it, such
    as `layer1.0` or `encoder.layer.3`; else the outermost module. Layers directly in the network are the `stem` before
    the first block and the `head` behind the last one, and between two blocks they belong to the second."""
    modules = dict(net.named_modules())
    blocks = [_block(modules, row.name) for row in rows]
    following: Optional[str] = None
    for place in reversed(range(len(rows))):
        following = blocks[place] or following
        rows[place].group = following or "head"
    for row, block in zip(rows, blocks):
        if block is not None:
            break
        row.group = "stem"
    if all(block is None for block in blocks):
        for row in rows:
            row.group = "layers"
    for row in rows:
        row.group = _RENAMED.get(row.group, row.group)
    classifier.group = CLASSIFIER


def _block(modules: Dict[str, nn.Module], name: str) -> Optional[str]:
    parts = name.split(".")[:-1]
    paths = [".".join(parts[: i + 1]) for i in range(len(parts))]
    for path in paths:
        parent = modules.get(path.rpartition(".")[0])
        is_element = isinstance(parent, (nn.Sequential, nn.ModuleList, nn.ModuleDict))
        if is_element and any(True for _ in modules[path].children()):
            return path
    return paths[0] if paths else None
