"""The images that class gradients are measured on: chosen by class and cut into pieces."""

from __future__ import annotations

import hashlib
import warnings
from typing import Any, List, Optional, Sequence, Tuple

import numpy as np
import torch
from torch import Tensor

from .errors import RecorderError
from .quiet import Quiet
from .scores import array

MOST_MEASURED = 20
"""Most classes whose gradients are measured as in training, since each takes a backward pass over all images."""
CONTEXT = 2
"""Images by which a class that is not measured takes part in the statistics of a mixed batch, at most."""


class Probe:
    """The probe images of K classes, in S pieces each."""

    def __init__(
        self,
        images: Tensor,
        by_class: List[List[int]],
        train_counts: Sequence[int],
        drawn: Optional[Any] = None,
        shares: Optional[Any] = None,
    ) -> None:
        """`images` [n, …] as the network takes them; `by_class` the places of the images of each class; `train_counts`
        [K]; `drawn` [K], the classes' shares of the images that training draws, by default those of `train_counts`;
        `shares` [K], their shares of a step's gradient, by default those of the images drawn."""
        self.images = images
        self.classes = len(by_class)
        self.pieces = 2 if self.classes > MOST_MEASURED else 4
        self.cut = [piece for own in by_class for piece in _cut(own, self.pieces)]
        self.train_counts = [int(n) for n in train_counts]
        # Class weights change what a class adds to a step, but not the statistics that batch norm takes from its images.
        counts = self.train_counts
        self.drawn = _parts("train_counts", counts, self.classes) if drawn is None else _parts("drawn", drawn, self.classes)
        self.shares = self.drawn if shares is None else _parts("shares", shares, self.classes)
        self.measured = measured_classes(self.train_counts)

    def counts(self) -> List[int]:
        """Images of each piece, [K·S]."""
        return [len(piece) for piece in self.cut]

    def batch(self, s: int) -> Tuple[List[int], List[int], List[float]]:
        """The mixed batch of the pieces number s: places of its images, their classes, and their shares in the
        statistics, which sum to 1."""
        places: List[int] = []
        labels: List[int] = []
        weights: List[float] = []
        for k in range(self.classes):
            own = self.cut[k * self.pieces + s]
            if k not in self.measured:
                own = own[:CONTEXT]
            places += own
            labels += [k] * len(own)
            weights += [self.drawn[k] / max(1, len(own))] * len(own)
        total = sum(weights)
        if total <= 0:
            # Training draws none of these classes; their images count equally.
            return places, labels, [1 / len(places)] * len(places)
        return places, labels, [weight / total for weight in weights]

    def fingerprint(self) -> str:
        """Fingerprint of the probe images, their classes and the numbers of training images."""
        digest = hashlib.sha256(repr((self.train_counts, self.cut)).encode())
        digest.update(np.ascontiguousarray(self.images.float().cpu().numpy()).tobytes())
        return digest.hexdigest()[:16]


def measured_classes(counts: Sequence[int]) -> List[int]:
    """The classes whose gradients are measured as in training, ascending: all that have images, or where there are more
    than 20, 20 of them, spread evenly over the ranks by frequency."""
    classes = [k for k, n in enumerate(counts) if n > 0]
    if len(counts) > MOST_MEASURED and len(classes) > MOST_MEASURED:
        classes.sort(key=lambda k: -counts[k])
        last = len(classes) - 1
        classes = sorted(classes[i * last // (MOST_MEASURED - 1)] for i in range(MOST_MEASURED))
    return classes


def choose(
    probe: Any,
    classes: int,
    most: int,
    seed: Optional[int],
    train_counts: Optional[Sequence[int]] = None,
    labels: Any = None,
    drawn: Any = None,
    shares: Any = None,
) -> Probe:
    """Chooses up to `most` images of each class from tensors (images, labels), a data set of (image, label), or the data
    set of a loader. The choice follows from the seed alone; no other random number is drawn for it. Without a seed they are the first
    of each class, in their order."""
    loader = probe if isinstance(probe, torch.utils.data.DataLoader) else None
    if loader is not None:
        probe, labels = _drawn_by(loader, labels, train_counts is not None)
    is_pair = isinstance(probe, (tuple, list)) and len(probe) == 2 and hasattr(probe[0], "shape")
    # A data set of a user's own may draw random numbers where an image is read.
    with Quiet(seed or 0):
        known = _labels(probe, is_pair, labels)
        if len(known) and not (0 <= known.min() and known.max() < classes):
            raise RecorderError(
                f"the probe has labels from {known.min()} to {known.max()}, and `classes` names {classes} classes"
            )
        order = np.arange(len(known)) if seed is None else np.random.RandomState(seed).permutation(len(known))
        by_class = [order[known[order] == k][:most] for k in range(classes)]
        chosen = np.concatenate(by_class) if classes else np.zeros(0, int)
        if not len(chosen):
            raise RecorderError("the probe has no images; pass the training set, or tensors of images and labels")
        images = _images(probe, is_pair, chosen, known if labels is None else None)
    places = iter(range(len(chosen)))
    counts = np.bincount(known, minlength=classes).tolist() if train_counts is None else list(train_counts)
    if len(counts) != classes:
        raise RecorderError(f"`train_counts` has {len(counts)} numbers, and `classes` names {classes} classes")
    if loader is not None and drawn is None:
        drawn = _weights(loader, known, classes)
    return Probe(images, [[next(places) for _ in own] for own in by_class], counts, drawn, shares)


def _drawn_by(loader: Any, labels: Any, are_counted: bool) -> Tuple[Any, Any]:
    """The items that a loader draws of its data set, and their labels where these are given for all items. Warns where they
    are not known, unless the user has counted them."""
    data, sampler, kinds = loader.dataset, loader.sampler, torch.utils.data
    known = (kinds.SequentialSampler, kinds.RandomSampler, kinds.WeightedRandomSampler, kinds.distributed.DistributedSampler)
    if isinstance(sampler, kinds.SubsetRandomSampler):
        drawn = [int(i) for i in sampler.indices]
        if labels is not None and len(labels) == len(data):
            labels = array(labels)[drawn]
        return kinds.Subset(data, drawn), labels
    batches = loader.batch_sampler
    is_known = isinstance(sampler, known) and (batches is None or type(batches) is kinds.BatchSampler)
    if not is_known and not are_counted:
        kind = type(batches if isinstance(sampler, known) else sampler).__name__
        warnings.warn(
            f"which images {kind} draws is not known: the training images are counted in the loader's whole data set; pass "
            "`train_counts` and `drawn` where it draws others",
            stacklevel=4,
        )
    return data, labels


def _weights(loader: Any, known: np.ndarray, classes: int) -> Optional[List[float]]:
    """Each class's share of the images that a loader draws with weights; None where it draws all alike."""
    if not isinstance(loader.sampler, torch.utils.data.WeightedRandomSampler):
        return None
    weights = array(loader.sampler.weights).astype(float)
    if len(weights) != len(known):
        return None
    return np.bincount(known, weights, minlength=classes).tolist()


def _parts(name: str, values: Any, classes: int) -> List[float]:
    """Numbers [K] that are not negative, scaled so that they sum to 1."""
    values = np.asarray(values, dtype=float)
    if values.shape != (classes,) or not np.isfinite(values).all() or values.min() < 0 or values.sum() <= 0:
        raise RecorderError(f"`{name}` needs {classes} numbers, none negative; got {values.tolist()}")
    return (values / values.sum()).tolist()


def _labels(probe: Any, is_pair: bool, labels: Any) -> np.ndarray:
    """The class of every image. Where the data set does not have them in a list, every image is read once."""
    if labels is None and is_pair:
        labels = probe[1]
    if labels is None:
        labels = _listed(probe)
    if labels is None:
        try:
            labels = [int(probe[i][1]) for i in range(len(probe))]
        except (TypeError, KeyError, IndexError, ValueError) as error:
            raise RecorderError(
                "`probe` needs to be tensors (images, labels) or a data set with a length whose items are (image, label); "
                f"this one is a {type(probe).__name__} ({error})"
            ) from error
    found = array(labels)
    size = len(probe[0]) if is_pair else len(probe)
    if found.ndim != 1 or len(found) != size:
        raise RecorderError(f"the probe has {size} images and labels of shape {list(found.shape)}; each image needs one label")
    return found.astype(np.int64)


def _listed(probe: Any) -> Optional[Any]:
    """The labels that a data set has in a list, as those of torchvision do; also behind `Subset`."""
    if isinstance(probe, torch.utils.data.Subset):
        whole = _listed(probe.dataset)
        return None if whole is None else array(whole)[list(probe.indices)]
    if isinstance(probe, torch.utils.data.TensorDataset) and len(probe.tensors) == 2:
        return probe.tensors[1]
    for name in ("targets", "labels"):
        listed = getattr(probe, name, None)
        if listed is not None and not callable(listed) and len(listed) == len(probe):
            return listed
    return None


def _images(probe: Any, is_pair: bool, chosen: np.ndarray, listed: Optional[np.ndarray]) -> Tensor:
    """The chosen images. `listed` are the labels of all where the data set has told them: its items need to agree with them."""
    if is_pair:
        return torch.as_tensor(probe[0])[torch.from_numpy(chosen)].detach().clone()
    images = []
    for i in chosen:
        item = probe[int(i)]
        images.append(torch.as_tensor(item[0]).detach().clone())
        given = None if listed is None else _whole_label(item)
        if given is not None and given != listed[i]:
            raise RecorderError(
                f"the data set lists the label {listed[i]} for its item {i}, which has the label {given}; pass `labels`, those "
                "of all items as training sees them"
            )
    if len({tuple(image.shape) for image in images}) > 1:
        raise RecorderError("the probe's images differ in shape; pass a data set that gives them as in evaluation")
    return torch.stack(images)


def _whole_label(item: Any) -> Optional[int]:
    """The label of an item; None where it is no whole number, as a vector of class probabilities."""
    try:
        return int(item[1])
    except (TypeError, ValueError, RuntimeError, IndexError, KeyError):
        return None


def _cut(own: Sequence[int], pieces: int) -> List[List[int]]:
    """Images of one class in pieces as equal as they can be; the last stay empty where there are too few."""
    each, extra = divmod(len(own), pieces)
    cut, start = [], 0
    for piece in range(pieces):
        size = each + (piece < extra)
        cut.append(list(own[start : start + size]))
        start += size
    return cut
