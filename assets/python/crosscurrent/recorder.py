"""The recorder: writes a run of any PyTorch classifier while its own training script trains it."""

from __future__ import annotations

import atexit
import os
import time
import uuid
import warnings
import weakref
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Union

import numpy as np
import torch
from torch import Tensor, nn

from . import __version__
from .cadence import Cadence
from .earlier import Earlier, whole_step
from .errors import RecorderError
from .files import Log, write_tensors
from .images import choose
from .layers import table
from .measure import Measure
from .networks import fitting, logits_of, processes, rank, refuse, unwrapped
from .norms import Norms
from .quiet import Measured
from .scores import are_probabilities, array, evaluation, finite
from .watch import Steps, unwrapped_optimizer

FORMAT = 3
"""Version of the run directory's layout."""
LOGGED_PER_EPOCH = 50
"""Steps logged in an epoch: at least this many, but fewer than twice as many; where epochs are unknown, see `_logs`."""
SPLITS = ("train", "val", "test")
LARGEST_PROBE = 512 << 20
"""Largest file of a probe, in bytes."""


class Recorder:
    """Records a run in a directory that the program Crosscurrent opens.

    The training script stays as it is: the recorder hears of the optimiser's steps, measures class gradients now and then
    on a fixed set of images, and restores what it touched. The weights after training are, bit for bit on the CPU, those
    that the script gives without it. Under `torch.distributed` the first process alone records; in all others the recorder
    does nothing.
    """

    def __init__(
        self,
        path: Union[str, os.PathLike],
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        probe: Any,
        classes: Sequence[str],
        labels: Optional[Any] = None,
        train_counts: Optional[Sequence[int]] = None,
        drawn: Optional[Sequence[float]] = None,
        shares: Optional[Sequence[float]] = None,
        cross_entropy: bool = True,
        config: Optional[Mapping[str, Any]] = None,
        steps_per_epoch: Optional[int] = None,
        total_steps: Optional[int] = None,
        batch_size: Optional[int] = None,
        every: Optional[int] = None,
        share: float = 0.1,
        images_per_class: int = 32,
        seed: Optional[int] = 0,
        memory: int = 2 << 30,
        forward: Optional[Callable[[nn.Module, Tensor], Tensor]] = None,
        resume: Optional[int] = None,
    ) -> None:
        """Begins a run, and measures the untrained network; or goes on with a run.

        path: the run's directory; without `resume`, it must not hold a run.
        model: the network; `torch.compile` and DistributedDataParallel may be around it.
        optimizer: the one whose steps are counted.
        probe: the training set without augmentation, as tensors (images [N, …], labels [N]), as a data set of (image,
            label), or as its loader. Images are as the network takes them.
        classes: the names of the K classes, by label.
        labels: the label of every item of `probe`, where the data set does not list them.
        train_counts: training images of each class [K]; by default those of `probe`.
        drawn: each class's share of the images that training draws [K], which the statistics of batch norm are of, where a
            sampler changes it; by default that of its training images, or what the `WeightedRandomSampler` of `probe` says.
        shares: each class's share of a step's gradient [K], where class weights change it; by default that of the images
            drawn. What a class does to another is predicted with it.
        cross_entropy: whether training minimises cross-entropy of single images with their labels, class weights included;
            else, as with label smoothing, mixup or another loss, no effect of one class on another is predicted. Nor is
            it where `optimizer` is not SGD with one learning rate for all layers, whose step alone is a sum of class gradients.
        config: settings to be shown with the run: names and numbers, texts or truth values.
        steps_per_epoch, total_steps, batch_size: optimiser steps in an epoch and in all, and images in a step, where known.
            A loader as `probe` tells the first and the last, for steps that take one of its batches.
        every: steps from one measurement to the next; 0 measures at the first and the last step alone. By default as often
            as takes at most `share` of the time.
        images_per_class: probe images of each class, at most.
        seed: decides which images these are; None takes the first of each class, in their order.
        memory: bytes for the gradients that are held at a time; with less, more passes are taken.
        forward: gives the logits [N, K] of images, where they are not the model's output or its `logits`.
        resume: the steps after which the checkpoint was saved that the script has loaded (`step` of the recorder that was
            there then). What the directory's run has recorded later is void, and the run goes on; without a run there, one
            begins at this step.

        Raises RecorderError, in a sentence, for what cannot be recorded: FullyShardedDataParallel, SyncBatchNorm, a
        directory with a run, images or labels that do not fit.
        """
        refuse(model)
        goes_on_from = whole_step(resume)
        self.is_writer = rank() == 0
        self.step = goes_on_from or 0
        self._closed = not self.is_writer
        if not self.is_writer:
            return
        # The script may go to another directory later.
        self.path = Path(os.path.abspath(path))
        self.classes = [str(name) for name in classes]
        _check(self.classes, every, share, images_per_class)
        self._net, self._optimizer = unwrapped(model), unwrapped_optimizer(optimizer)
        loader = probe if isinstance(probe, torch.utils.data.DataLoader) else None
        self._epoch_steps = int(steps_per_epoch or (len(loader) if loader is not None and _is_sized(loader) else 0))
        # Each process has a loader of its own.
        self._batch = int(batch_size or processes() * (getattr(loader, "batch_size", None) or 0))
        self._total = int(total_steps or 0)
        self._cadence = Cadence(share, every)
        self._start = self._last_time = time.perf_counter()
        self._forward = forward or logits_of
        self._config = dict(config or {})
        # The log is locked before anything is computed, so that a second recorder fails at once.
        self._log = Log(self.path, goes_on_from is not None)
        try:
            lines = self._log.lines()
            earlier = Earlier(self.path, lines, self.step) if lines else None
            chosen = choose(probe, len(self.classes), images_per_class, seed, train_counts, labels, drawn, shares)
            self._prepare(chosen, memory)
            self._begin(self._header(chosen, cross_entropy), earlier)
        except BaseException:
            self._abandon()
            raise
        self._steps = Steps(self._optimizer, self._before, self._after)
        self._at_exit = _at_exit(self)

    # What a training script calls.

    def evaluate(self, labels: Any, logits: Any, split: str = "val") -> Optional[Dict[str, Any]]:
        """Records the scores of labels [N] and logits [N, K] on the images of a split: train, val or test. Gives them, too;
        in a process that does not record, None."""
        if self._closed:
            return None
        if split not in SPLITS:
            raise RecorderError(f"`{split}` is no split; write {', '.join(SPLITS)}")
        logits = array(logits)
        scores = evaluation(labels, logits, len(self.classes))
        if self._evaluated.get(split) == self.step:
            warnings.warn(
                f"a second evaluation of `{split}` at step {self.step} replaces the first; evaluate all images at once, and "
                "give the recorder the optimiser whose `step` is called",
                stacklevel=2,
            )
        self._evaluated[split] = self.step
        if not self._knows_probabilities and are_probabilities(logits):
            self._knows_probabilities = True
            warnings.warn("`evaluate` was given probabilities, so that no loss is recorded; pass logits", stacklevel=2)
        self._guarded(lambda: self._log.write("eval", step=self.step, epoch=self._epoch(), split=split, **scores))
        return scores

    def loss(self, value: Any) -> None:
        """Takes note of the value of the training loss. Call it before the optimiser's step; of several values since
        the step that was logged last, as in gradient accumulation, the mean is logged."""
        if self._closed:
            return
        value = value.detach().float() if isinstance(value, Tensor) else float(value)
        # The sum stays on its device: reading it would make a device wait at every step.
        self._loss_sum = self._loss_sum + value
        self._losses += 1

    def probe(self) -> None:
        """Measures class gradients now, at the current step."""
        if not self._closed and self._probed != self.step:
            self._guarded(self._probe)

    def close(self, message: str = "") -> None:
        """Measures the last step, unless the weights were changed since, and ends the run as finished."""
        if self._closed:
            return
        if self._probed == self.step or self._versions == [p._version for p in self._params]:
            self.probe()
            self._end("finished", message)
            return
        # Such as to those of the best step, which were loaded after the last one.
        sentence = f"the weights were changed after step {self.step}, which is therefore not measured"
        self._end("finished", f"{message}; {sentence}" if message else sentence)
        warnings.warn(sentence, stacklevel=2)

    def fail(self, message: str) -> None:
        """Ends the run as failed; `message` says why."""
        if not self._closed:
            self._end("failed", message)

    def stop(self, message: str) -> None:
        """Ends the run as stopped before its end; `message` says why."""
        if not self._closed:
            self._end("stopped", message)

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if error is None:
            self.close()
        elif isinstance(error, KeyboardInterrupt):
            self.stop("stopped by the user")
        else:
            self.fail(f"{type(error).__name__}: {error}")

    # Before the first step.

    def _prepare(self, chosen: Any, memory: int) -> None:
        """Finds the layers, and how batch norm can be measured."""
        self._norms = Norms(self._net)

        def one(net: nn.Module, images: Tensor) -> Tensor:
            try:
                return self._forward(net, fitting(net, images))
            except (RuntimeError, TypeError, ValueError, AssertionError) as error:
                shape = list(images.shape)
                raise RecorderError(
                    f"the network cannot take the probe's images {shape} ({error}); pass them as it takes them in evaluation"
                ) from error

        with Measured(self._net):
            self._rows = table(self._net, chosen.images[:1], len(self.classes), one)
            rows = [row for row in self._rows if row.params]
            size = 4 * len(rows) * (len(chosen.cut) ** 2 + (len(chosen.measured) * chosen.pieces) ** 2)
            if size > LARGEST_PROBE:
                raise RecorderError(
                    f"with {len(self.classes)} classes and {len(rows)} layers each measurement would write {size >> 20} MiB; "
                    "record a network with fewer classes or layers"
                )
            measure = Measure(self._net, rows, chosen, self._norms, self._forward, memory)
            first = list(range(min(4, len(chosen.images))))
            if not self._norms.can_weight(lambda: measure.logits(first), len(first)):
                self._norms.kind = "plain"
            with torch.no_grad():
                logits = measure.logits(first)
            if are_probabilities(array(logits)):
                raise RecorderError(
                    "the network gives probabilities in evaluation; pass `forward=lambda model, images: …` that gives logits"
                )
        self._measure = measure
        self._params = measure.params
        self._layer_params: List[List[nn.Parameter]] = [row.params for row in rows]
        self._before_step: Optional[List[Tensor]] = None
        self._update: Optional[List[Tensor]] = None
        self._norms_logged: Optional[List[Optional[float]]] = None
        self._loss_sum: Any = 0.0
        self._losses = 0
        self._probed = -1
        self._versions = [p._version for p in self._params]
        # The step at which each split was evaluated last.
        self._evaluated: Dict[str, int] = {}
        self._knows_probabilities = False

    def _begin(self, header: Dict[str, Any], earlier: Optional[Earlier]) -> None:
        """Writes the header and what is measured now; or goes on with the log that is there."""
        if earlier is not None:
            earlier.fits(header)
            # Nothing is void before it is known that this is the network that was recorded.
            begin = time.perf_counter()
            tensors = self._measured()
            is_known = earlier.has_probe(tensors)
            self._start -= earlier.wall_secs
            self._log.repair()
            self._log.write("resumed", step=self.step)
            # Files of probes that are void now will be replaced.
            self._log.sync()
            if is_known:
                self._has_probed(begin)
            else:
                self._write_probe(tensors, begin)
            return
        if self.step:
            warnings.warn(
                f"there is no run here to go on with, and one begins at step {self.step}: {self.path}", stacklevel=3
            )
        # What a recorder that was killed has left of its first line.
        self._log.repair()
        self._log.write("started", **header)
        self._probe()

    def _header(self, chosen: Any, cross_entropy: bool) -> Dict[str, Any]:
        """The log's header."""
        shape = list(chosen.images.shape[1:])
        image = shape[1:] + shape[:1] if len(shape) == 3 else [1] * (3 - len(shape)) + shape[-3:]
        counts, pieces = chosen.counts(), chosen.pieces
        has_all = not self._norms.all
        training = [k for k, n in enumerate(chosen.train_counts) if n > 0] if has_all else chosen.measured
        return dict(
            format=FORMAT,
            id=uuid.uuid4().hex[:16],
            parent=None,
            created_unix_secs=int(time.time()),
            code_version=__version__,
            recorder=dict(
                name=f"PyTorch {torch.__version__}",
                network=type(self._net).__name__,
                config={str(name): _plain(value) for name, value in self._config.items()},
                shares=chosen.shares,
                drawn=chosen.drawn,
                cross_entropy=bool(cross_entropy),
                optimizer=_kind(self._optimizer, self._params),
                batch_norm=self._norms.kind,
            ),
            instruction_set=_device(self._params[0].device),
            classes=self.classes,
            train_counts=chosen.train_counts,
            val_counts=[0] * len(self.classes),
            test_counts=[0] * len(self.classes),
            image=image,
            normalise=dict(mean=[0.0] * image[2], std=[1.0] * image[2]),
            layers=[row.entry() for row in self._rows],
            probe=dict(
                pieces=pieces,
                counts=[counts[start : start + pieces] for start in range(0, len(counts), pieces)],
                training=training,
            ),
            steps_per_epoch=self._epoch_steps,
            total_steps=self._total,
            data_fingerprint=chosen.fingerprint(),
        )

    def _abandon(self) -> None:
        """Ends a run that could not begin: a log without a header is removed, with its directory where that is empty."""
        self._closed = True
        self._log.close()
        try:
            if os.path.getsize(self._log.path) == 0:
                os.remove(self._log.path)
                os.rmdir(self.path)
        except OSError:
            pass

    # Around every step.

    def _before(self, has_closure: bool) -> None:
        if self._closed:
            return
        now = time.perf_counter()
        if self.step > 0 and self._probed != self.step:
            self._cadence.stepped(now - self._last_time)
        self._last_time = now
        self._norms.note_modes(is_step=True)
        upcoming = self.step + 1
        # A closure computes the gradients within the step; they are then read after it. Some optimisers change gradients.
        if self._logs(upcoming) and not has_closure:
            self._guarded(self._note_norms)
        if self._cadence.is_due(upcoming) or upcoming == self._total:
            self._guarded(self._keep)

    def _keep(self) -> None:
        self._before_step = [p.detach().clone() for p in self._params]

    def _after(self) -> None:
        if not self._closed:
            # What changes the weights from here on is no part of the step.
            self._versions = [p._version for p in self._params]
        if self._closed or self._steps.skipped():
            self._before_step = None
            self._norms_logged = None
            return
        self.step += 1
        if self._logs(self.step):
            if self._norms_logged is None:
                self._guarded(self._note_norms)
            self._guarded(self._write_step)
        if self._before_step is not None:
            self._guarded(self._probe_step)
            self._before_step = self._update = None

    def _probe_step(self) -> None:
        """Measures the step that was taken just now, and what it did."""
        with torch.no_grad():
            self._update = [p.detach() - before for p, before in zip(self._params, self._before_step or [])]
        self._before_step = None
        self._probe()

    def _logs(self, step: int) -> bool:
        """Whether a step is logged. Where epochs are unknown: of a thousand steps all, of ten thousand every tenth, …"""
        if self._epoch_steps:
            every = max(1, self._epoch_steps // LOGGED_PER_EPOCH)
        else:
            every = 10 ** max(0, len(str(step)) - 3)
        return step % every == 0 or step == self._total

    def _note_norms(self) -> None:
        """Norms of the gradient that the optimiser is given, by layer."""
        # All squares are read at once, because every reading makes a device wait.
        squares = [
            torch.stack([_square(p.grad) if p.grad is not None else torch.zeros((), device=p.device) for p in params]).sum()
            for params in self._layer_params
        ]
        scale = self._steps.scale()
        found = torch.stack([square.to(squares[0].device) for square in squares]).sqrt().div(scale).tolist()
        self._norms_logged = [finite(value) for value in found]

    def _write_step(self) -> None:
        loss = finite(float(self._loss_sum) / self._losses) if self._losses else None
        self._loss_sum, self._losses = 0.0, 0
        norms = self._norms_logged or [None] * len(self._layer_params)
        self._norms_logged = None
        self._log.write(
            "step",
            step=self.step,
            epoch=self._epoch(),
            images=self.step * self._batch,
            wall_secs=time.perf_counter() - self._start,
            loss=loss,
            lr=finite(float(self._optimizer.param_groups[0].get("lr", 0.0))) or 0.0,
            grad_norms=norms,
        )

    def _epoch(self) -> float:
        """Epochs trained; the step itself where it is not known how many steps an epoch has."""
        return self.step / (self._epoch_steps or 1)

    # Measuring.

    def _probe(self) -> None:
        """Measures, and writes the tensors' file and then its event."""
        begin = time.perf_counter()
        self._write_probe(self._measured(), begin)

    def _measured(self) -> Dict[str, np.ndarray]:
        """Class gradients at the current step."""
        self._norms.note_modes()
        with Measured(self._net):
            tensors = self._measure.within_memory(self._update)
        if self._update is None and self.step > 0:
            # Nobody knew before the last step that it would be probed.
            for name in ("update", "update.training"):
                tensors[name] = np.full_like(tensors[name], np.nan)
        return tensors

    def _write_probe(self, tensors: Dict[str, np.ndarray], begin: float) -> None:
        name = f"probes/{self.step:08d}.safetensors"
        write_tensors(self.path / name, tensors)
        self._log.write("probe", step=self.step, epoch=self._epoch(), file=name)
        self._has_probed(begin)

    def _has_probed(self, begin: float) -> None:
        self._probed = self.step
        self._last_time = time.perf_counter()
        self._cadence.probed(self._last_time - begin)

    def _guarded(self, work: Callable[[], None]) -> None:
        """Does the recorder's own work; where that fails, the run ends as failed and training goes on."""
        try:
            work()
        except Exception as error:  # noqa: BLE001
            sentence = f"the recorder gave up at step {self.step}, and training goes on: {type(error).__name__}: {error}"
            warnings.warn(sentence, RuntimeWarning, stacklevel=3)
            # PyTorch may be going through the optimiser's hooks, none of which may then be removed: they stay, and do nothing.
            self._end("failed", sentence, with_hooks=False)

    def _end(self, event: str, message: str, with_hooks: bool = True) -> None:
        if self._closed:
            return
        self._closed = True
        self._before_step = self._update = None
        if with_hooks:
            self._steps.close()
        atexit.unregister(self._at_exit)
        try:
            try:
                self._log.write(event, step=self.step, message=message)
            finally:
                self._log.close()
        except OSError as error:
            warnings.warn(f"the end of the run could not be written ({error}): {self.path}", RuntimeWarning, stacklevel=4)


def _at_exit(recorder: Recorder) -> Callable[[], None]:
    """Ends the run as stopped where the script ends without `close`; does not keep the recorder alive."""
    known = weakref.ref(recorder)

    def end() -> None:
        recorder = known()
        if recorder is not None:
            recorder.stop("the script ended without closing the recorder")

    atexit.register(end)
    return end


def _check(classes: List[str], every: Optional[int], share: float, images: int) -> None:
    if len(classes) < 2:
        raise RecorderError(f"`classes` needs the names of at least two classes, and has {len(classes)}")
    if every is not None and every < 0:
        raise RecorderError(f"`every` is a number of steps from 0 on, not {every}")
    if not 0 <= share < 1:
        raise RecorderError(f"`share` is a share of the time from 0 to below 1, not {share}")
    if images < 2:
        raise RecorderError(f"`images_per_class` is at least 2, not {images}")


def _is_sized(loader: Any) -> bool:
    try:
        return len(loader) > 0
    except TypeError:
        return False


def _kind(optimizer: torch.optim.Optimizer, params: Sequence[Tensor]) -> str:
    """What an optimiser is: `SGD` where its step is the gradient of all these parameters times one learning rate."""
    if not isinstance(optimizer, torch.optim.SGD):
        return type(optimizer).__name__
    groups = optimizer.param_groups
    held = {id(param) for group in groups for param in group["params"]}
    if any(id(param) not in held for param in params):
        return "SGD of some layers"
    if len({float(group["lr"]) for group in groups}) > 1:
        return "SGD with several learning rates"
    if any(group.get("maximize") for group in groups):
        return "SGD that maximises"
    return "SGD"


def _square(grad: Tensor) -> Tensor:
    grad = grad.coalesce().values() if grad.is_sparse else grad
    return grad.detach().float().square().sum()


def _plain(value: Any) -> Any:
    """A setting as JSON holds it."""
    if isinstance(value, (bool, int, str)) or value is None:
        return value
    if isinstance(value, float):
        return finite(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(x) for name, x in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(x) for x in value]
    try:
        # A number of NumPy, or an array or a tensor that holds one.
        item = value.item()
    except (AttributeError, TypeError, ValueError, RuntimeError):
        return str(value)
    return _plain(item) if isinstance(item, (bool, int, float)) else str(value)


def _device(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
