"""Callbacks for training loops that a library writes. The library is imported when its callback is made."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any, Dict, List, Optional, Sequence

import torch

from .errors import RecorderError
from .recorder import Recorder
from .scores import array, evaluation


def LightningCallback(path: Any, *, probe: Any, classes: Sequence[str], split: str = "val", **options: Any) -> Any:
    """A callback for Lightning's `Trainer(callbacks=[…])`. The arguments are those of `Recorder`.

    The module's `forward` gives the logits. Where `validation_step` returns a dictionary with `logits` [N, K] and `labels`
    [N], validations are recorded, too, as those of `split`; of several validation loaders, those of the first. The recorder
    is the callback's `recorder` from the first step on. Where `fit` goes on from a checkpoint, so does the run.
    """
    base = _first("Lightning", "lightning", ["lightning.pytorch", "pytorch_lightning"]).Callback

    class Callback(base):  # type: ignore[misc, valid-type]
        recorder: Optional[Recorder] = None
        step: Optional[int] = None
        has_warned = False

        def state_dict(self) -> Dict[str, Any]:
            """What Lightning keeps in its checkpoints."""
            return {} if self.recorder is None else {"step": self.recorder.step}

        def load_state_dict(self, state_dict: Dict[str, Any]) -> None:
            self.step = state_dict.get("step")

        def on_train_start(self, trainer: Any, pl_module: Any) -> None:
            if len(trainer.optimizers) != 1:
                raise RecorderError(f"the module has {len(trainer.optimizers)} optimisers; a recorder counts the steps of one")
            accumulated = max(1, getattr(trainer, "accumulate_grad_batches", 1))
            known = dict(
                steps_per_epoch=_whole(trainer.num_training_batches, accumulated),
                total_steps=_whole(trainer.estimated_stepping_batches),
                # A checkpoint from before this callback was there knows Lightning's own count alone.
                resume=self.step if self.step is not None else _whole(getattr(trainer, "global_step", 0)),
            )
            known = {**known, **options}
            self.recorder = Recorder(path, pl_module, trainer.optimizers[0], probe=probe, classes=classes, **known)
            self.outputs: List[Dict[str, Any]] = []

        def on_before_backward(self, trainer: Any, pl_module: Any, loss: Any) -> None:
            if self.recorder is not None:
                # Lightning has divided the loss by the number of batches whose gradients are added up, and multiplied it by the
                # scale of gradients in 16 bits.
                batches = max(1, getattr(trainer, "accumulate_grad_batches", 1))
                self.recorder.loss(loss * batches / _gradient_scale(trainer))

        def on_validation_batch_end(
            self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0
        ) -> None:
            is_known = isinstance(outputs, dict) and "logits" in outputs and "labels" in outputs
            if self.recorder is not None and is_known and not trainer.sanity_checking:
                if dataloader_idx > 0:
                    # The images of other loaders are another set, and may be the same images once more.
                    if not self.has_warned:
                        warnings.warn("of several validation loaders, the first alone is recorded", stacklevel=2)
                    self.has_warned = True
                    return
                self.outputs.append({name: array(outputs[name]) for name in ("labels", "logits")})

        def on_validation_epoch_end(self, trainer: Any, pl_module: Any) -> None:
            if self.recorder is None or trainer.sanity_checking:
                return
            # Every process has validated a share of the images; all take part in the exchange.
            found = _of_all_processes(self.outputs)
            self.outputs = []
            if found:
                self.recorder.evaluate(*_joined(found), split=split)

        def on_train_end(self, trainer: Any, pl_module: Any) -> None:
            if self.recorder is not None:
                self.recorder.close()

        def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
            if self.recorder is not None:
                self.recorder.__exit__(type(exception), exception, None)

    return Callback()


def HuggingFaceCallback(path: Any, *, probe: Any, classes: Sequence[str], split: str = "val", **options: Any) -> Any:
    """A callback for Hugging Face's `Trainer(callbacks=[…])`. The arguments are those of `Recorder`.

    Give its method `compute_metrics` to the trainer, too, and evaluations are recorded as those of `split`. The recorder is
    the callback's `recorder` from the first step on. Where the trainer goes on from a checkpoint, so does the run.
    """
    base = _first("Transformers", "transformers", ["transformers"]).TrainerCallback

    class Callback(base):  # type: ignore[misc, valid-type]
        recorder: Optional[Recorder] = None

        def on_train_begin(
            self, args: Any, state: Any, control: Any, model: Any = None, optimizer: Any = None, **kwargs: Any
        ) -> None:
            known: Dict[str, Any] = dict(total_steps=_whole(state.max_steps))
            # The number of epochs in `state` is rounded up, so that it does not tell how many steps one has.
            known["steps_per_epoch"] = _length(
                kwargs.get("train_dataloader"), getattr(args, "gradient_accumulation_steps", 1)
            )
            if getattr(args, "label_smoothing_factor", 0):
                known["cross_entropy"] = False
            # More than 0 where the training goes on from a checkpoint.
            known["resume"] = _whole(getattr(state, "global_step", 0))
            known = {**known, **options}
            self.recorder = Recorder(path, model, optimizer, probe=probe, classes=classes, **known)

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
            # The mean since the trainer logged last. It comes after the optimiser's step, and is recorded with the next one.
            if self.recorder is not None and logs and "loss" in logs:
                self.recorder.loss(logs["loss"])

        def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if self.recorder is not None:
                self.recorder.close()

        def compute_metrics(self, prediction: Any) -> Dict[str, float]:
            """Records an evaluation; gives accuracy and macro-F1 to the trainer."""
            logits = prediction.predictions
            logits = logits[0] if isinstance(logits, tuple) else logits
            # The trainer may choose its best model by them, also where nothing is recorded: after the training, or in
            # other processes than the first.
            scores: Dict[str, Any] = {}
            try:
                scores = evaluation(prediction.label_ids, logits, len(classes))
            except RecorderError as error:
                # Predictions need not have labels; what cannot be scored does not end the training.
                warnings.warn(f"no scores: {error}", stacklevel=2)
            if self.recorder is not None and scores:
                self.recorder.evaluate(prediction.label_ids, logits, split=split)
            return {name: scores[name] for name in ("accuracy", "macro_f1") if scores.get(name) is not None}

    return Callback()


def _first(library: str, package: str, modules: Sequence[str]) -> Any:
    for name in modules:
        try:
            return import_module(name)
        except ImportError:
            continue
    raise RecorderError(f"{library} is not installed; `pip install {package}` installs it")


def _whole(value: Any, over: int = 1) -> Optional[int]:
    """A number of steps; None where it is not known, or without end."""
    try:
        steps = -(-int(value) // over)
    except (TypeError, ValueError, OverflowError):
        return None
    return steps if 0 < steps < 1 << 53 else None


def _length(loader: Any, over: int) -> Optional[int]:
    """Steps of an epoch that goes through a loader; None where it has no length."""
    try:
        return _whole(len(loader), over)
    except TypeError:
        return None


def _gradient_scale(trainer: Any) -> Any:
    """The factor by which a gradient scaler multiplies the loss."""
    scaler = getattr(getattr(trainer, "precision_plugin", None), "scaler", None)
    if scaler is None:
        return 1.0
    # Where it is a tensor, reading it would make the device wait.
    scale = getattr(scaler, "_scale", None)
    return scale if isinstance(scale, torch.Tensor) else scaler.get_scale()


def _of_all_processes(outputs: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    """The outputs of all processes that train together."""
    distributed = torch.distributed
    if not (distributed.is_available() and distributed.is_initialized()) or distributed.get_world_size() < 2:
        return outputs
    found: List[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(found, outputs)
    return [output for own in found for output in own]


def _joined(outputs: List[Dict[str, Any]]) -> Any:
    import numpy as np

    return (np.concatenate([x[name] for x in outputs]) for name in ("labels", "logits"))
