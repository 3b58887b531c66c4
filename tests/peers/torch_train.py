"""Trains Crosscurrent's network in PyTorch, on the same images by the same schedule, so that both can be compared.

    python tests/peers/torch_train.py --init FILE.safetensors --batches FILE.safetensors
        Trains on given batches from parameters and batch-norm buffers that Crosscurrent wrote (under PyTorch's names; a
        checkpoint will do, and its optimiser state is ignored), and prints the loss of every step. The file of batches
        holds images f32 [steps, B, H, W, C], augmented and normalised; labels i64 or u32 [steps, B]; lrs f64 [steps].
    python tests/peers/torch_train.py --data DIR [--attention branch] [--width 1/4] [--epochs 15] [--seed 0] [--imbalance 100]
        Trains on an image folder with train/ and test/ of images of one size, as
        `crosscurrent train --data folder:DIR --val 0 --imbalance 100 …` does, and prints the metrics of the last epoch.
        Long tail, order, crops, flips and initial weights are drawn from the seeds as src/random.rs does: the same
        seed gives both programs the same start and the same batches, but for rounding in their JPEG decoders.
(needs torch, numpy, safetensors, Pillow and scikit-learn)

Both print one line of JSON with the "losses" of the first 50 steps (of all steps with --batches). With --data it also
holds "macro_f1", "accuracy", "balanced_accuracy" and "recall" on the test images, "train_counts", and "epoch_secs", which
includes the time to make the batches but not evaluation. The optimiser is SGD with momentum 0.9 and weight decay 5e-4 on
all parameters, unless --run names a run with Adam; everything is computed in f32. Settings of a run that this script does not
follow are refused.
"""

import argparse
import json
import math
import os
import sys
import time
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.numpy import load_file
from torch.nn.functional import cross_entropy

from torch_network import Network, initialise, stream
from torch_step import DIVISORS, PASSES

PADDING = 4
# The recipe without --run, by the names of a run's configuration.
RECIPE = {
    "optimizer": "sgd", "momentum": 0.9, "weight_decay": 5e-4, "schedule": "cosine", "warmup": 0.05, "crop_padding": PADDING,
    "flip": True,
}
# Settings that are followed, that do not change training, or that a run's images already follow.
FOLLOWED = {
    *RECIPE, "attention", "width", "epochs", "batch", "seed", "lr", "dilations", "kernels", "gate_place", "gate_reduction", "norm",
    "data", "splits", "size", "channels", "skip_unreadable", "imbalance", "profile", "val", "data_seed", "target_prior",
    "eval_every", "probe_every", "probe_share", "probe_images", "device", "threads", "exact_convolutions",
}
# The only values of other settings that change nothing.
NEUTRAL = {"loss": "ce", "class_weights": "none", "sampler": "instance", "tf32": False}


def below(draws, n):
    """What Random::below makes of 64-bit draws: their product with n < 2³², divided by 2⁶⁴ and rounded down."""
    n, half, low = np.asarray(n, dtype=np.uint64), np.uint64(32), np.uint64(0xFFFFFFFF)
    return (((draws >> half) * n + ((draws & low) * n >> half)) >> half).astype(np.int64)


def shuffled(items, seed, purpose, epoch=0, item=0):
    items, last = list(items), len(items) - 1
    swaps = below(stream(seed, purpose, max(last, 0), epoch, item), np.arange(last + 1, 1, -1))
    for i, j in zip(range(last, 0, -1), swaps):
        items[i], items[j] = items[j], items[i]
    return items


def learning_rate(recipe, peak, step, total):
    """The learning rate of a step, as in src/train/schedule.rs."""
    warm = math.floor(recipe["warmup"] * total + 0.5)
    if step < warm:
        return peak * (step + 1) / warm
    if recipe["schedule"] == "constant":
        return peak
    return peak / 2 * (1 + math.cos(math.pi * (step - warm) / max(total - warm, 1)))


def long_tail(natural, imbalance):
    """Class counts of the exponential profile, as in src/data/long_tail.rs."""
    counts, ranked = list(natural), sorted(range(len(natural)), key=lambda k: -natural[k])
    if imbalance > 1:
        for rank, k in enumerate(ranked):
            wanted = int(max(natural) * (1 / imbalance) ** (rank / (len(natural) - 1)))
            counts[k] = min(max(wanted, 1), natural[k])
    return counts


class Data:
    """Training images and test images, u8 [N, H, W, C]. The number of a training image in `files` seeds its augmentation."""

    def __init__(self, files, labels, items, test):
        self.items, self.labels, self.test_labels = items, labels[items], labels[test]
        self.classes = 1 + int(max(labels))
        self.counts = np.bincount(self.labels, minlength=self.classes).tolist()
        self.images, self.test_images = (decode(files[i] for i in part) for part in (items, test))
        pixels = self.images.reshape(-1, self.images.shape[-1])
        values = np.arange(256) / 255
        shares = [np.bincount(channel, minlength=256) / len(pixels) for channel in pixels.T]
        mean = [share @ values for share in shares]
        std = [math.sqrt(share @ (values - m) ** 2) for share, m in zip(shares, mean)]
        self.mean, self.std = (torch.tensor(v, dtype=torch.float32) for v in (mean, std))
        _, h, w, _ = self.images.shape
        padded = np.pad(self.images, ((0, 0), (PADDING, PADDING), (PADDING, PADDING), (0, 0)))
        # A view [N, top, left, C, H, W] of all crops.
        self.crops = np.lib.stride_tricks.sliding_window_view(padded, (h, w), (1, 2))

    def normalised(self, images):
        return (torch.from_numpy(images).float() / 255 - self.mean) / self.std

    def batches(self, recipe, batch, epoch, seed):
        """The batches of an epoch as (images f32 [B, H, W, C], labels [B]), as in src/data/batches.rs."""
        padding = recipe["crop_padding"]
        corner = PADDING - padding
        order = np.array(shuffled(range(len(self.items)), seed, "order", epoch))
        draws = stream(seed, "augment", 3, epoch, self.items)
        top, left = (corner + below(draws[:, i], 2 * padding + 1) for i in (0, 1))
        flip = (below(draws[:, 2], 2) == 1) & recipe["flip"]
        for start in range(0, len(order), batch):
            own = order[start : start + batch]
            images = np.ascontiguousarray(self.crops[own, top[own], left[own]].transpose(0, 2, 3, 1))
            flipped = flip[own]
            images[flipped] = images[flipped, :, ::-1]
            yield self.normalised(images), torch.from_numpy(self.labels[own])


def folder_data(root, imbalance, data_seed=0):
    """The training images of a folder after the long tail was cut, and its test images."""
    files = [
        (split, k, path)
        for split in ("test", "train")
        for k, folder in enumerate(sorted(p for p in (root / "train").iterdir() if p.is_dir()))
        for path in sorted((root / split / folder.name).iterdir())
    ]
    labels = np.array([k for _, k, _ in files])
    of = lambda wanted: [i for i, (split, k, _) in enumerate(files) if (split, k) == ("train", wanted)]
    by_class = [of(k) for k in range(1 + max(labels))]
    counts = long_tail([len(own) for own in by_class], imbalance)
    items = sorted(
        i for k, own in enumerate(by_class) for i in shuffled(own, data_seed, "split", item=k)[: counts[k]]
    )
    test = [i for i, (split, _, _) in enumerate(files) if split == "test"]
    return Data([path for _, _, path in files], labels, np.array(items), np.array(test))


def run_data(run, root):
    """The images that a run was trained and tested on."""
    with safe_open(run / "data.safetensors", "np") as data:
        files = json.loads(data.metadata()["files"])
        labels, items, test = (data.get_tensor(name).astype(np.int64) for name in ("labels", "train", "test"))
    return Data([root / file for file in files], labels, items, test)


def decode(paths):
    from PIL import Image

    return np.stack([np.asarray(Image.open(path).convert("RGB")) for path in paths])


class Trainer:
    def __init__(self, net, variant, recipe=RECIPE):
        self.format = torch.channels_last if variant.endswith("nhwc") else torch.contiguous_format
        self.net = net.to(memory_format=self.format)
        decay = recipe["weight_decay"]
        if recipe["optimizer"] == "sgd":
            momentum = recipe["momentum"]
            self.optimizer = torch.optim.SGD(net.parameters(), lr=0, momentum=momentum, weight_decay=decay, fused=True)
        else:
            kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[recipe["optimizer"]]
            self.optimizer = kind(net.parameters(), lr=0, weight_decay=decay, fused=True)

        def loss(images, labels):
            return cross_entropy(net(images), labels)

        self.loss = torch.compile(loss, dynamic=False) if variant.startswith("compile") else loss

    def step(self, images, labels, lr):
        """One step on images [B, H, W, C]; returns the loss before it."""
        self.optimizer.param_groups[0]["lr"] = lr
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(images.permute(0, 3, 1, 2).contiguous(memory_format=self.format), labels)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def predict(self, images):
        self.net.eval()
        with torch.inference_mode():
            parts = [self.net(x.permute(0, 3, 1, 2)).argmax(1) for x in images.split(500)]
        self.net.train()
        return torch.cat(parts).numpy()


def load_network(path):
    """The network that the parameters in a file belong to, with these parameters."""
    state = {name: torch.from_numpy(v) for name, v in load_file(path).items() if not name.startswith("optimiser/")}
    attention = "branch" if "branch1.gate.fc1.weight" in state else "shared" if "fuse.gate.fc1.weight" in state else "none"
    first = state["stem.conv1.weight"]
    net = Network(len(state["classifier.bias"]), first.shape[1], attention, 64 // first.shape[0])
    missing, unexpected = net.load_state_dict(state, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        sys.exit(f"{path}: missing {missing}, unexpected {unexpected}")
    return net


def given_batches(args):
    batches = load_file(args.batches)
    trainer = Trainer(load_network(args.init), args.variant)
    steps = zip(batches["images"], batches["labels"].astype(np.int64), batches["lrs"].tolist())
    losses = [trainer.step(torch.from_numpy(x), torch.from_numpy(labels), lr) for x, labels, lr in steps]
    return {"losses": losses}


def refuse(config):
    """Ends the program where a run's configuration asks for what this script does not do."""
    wrong = [name for name, value in config.items() if name not in FOLLOWED and NEUTRAL.get(name) != value]
    if config.get("schedule") == "step":
        wrong.append("schedule")
    if config.get("crop_padding", 0) > PADDING:
        wrong.append("crop_padding")
    if config["attention"] not in ("none", "branch", "shared", "constant", "wide", "class"):
        wrong.append("attention")
    if wrong:
        sys.exit(f"this script does not follow {', '.join(f'{name} = {config[name]}' for name in wrong)}")


def folder(args):
    from sklearn.metrics import accuracy_score, f1_score, recall_score

    options, recipe = {}, dict(RECIPE)
    if args.run:
        config = json.loads((args.run / "events.jsonl").open().readline())["config"]
        refuse(config)
        recipe = {name: config.get(name, value) for name, value in RECIPE.items()}
        for name in ("attention", "width", "epochs", "batch", "seed", "lr"):
            setattr(args, name, config[name])
        options = Network.options(config)
        data = run_data(args.run, args.data or Path(config["data"].removeprefix("folder:")))
    else:
        data = folder_data(args.data, args.imbalance)
    if args.init:
        net = load_network(args.init)
    else:
        net = Network(data.classes, 3, args.attention, DIVISORS[args.width], **options)
        initialise(net, args.seed, move_norms=False)
    trainer = Trainer(net, args.variant, recipe)
    total = args.epochs * math.ceil(len(data.items) / args.batch)
    losses, epoch_secs = [], []
    for epoch in range(args.epochs):
        start, before = time.perf_counter(), len(losses)
        for images, labels in data.batches(recipe, args.batch, epoch, args.seed):
            losses.append(trainer.step(images, labels, learning_rate(recipe, args.lr, len(losses), total)))
        epoch_secs.append(time.perf_counter() - start)
        mean = sum(losses[before:]) / (len(losses) - before)
        print(f"epoch {epoch + 1}: loss {mean:.4f}, {epoch_secs[-1]:.1f} s", file=sys.stderr, flush=True)
    truth, predicted = data.test_labels, trainer.predict(data.normalised(data.test_images))
    labels = range(data.classes)
    recall = recall_score(truth, predicted, labels=labels, average=None, zero_division=np.nan)
    return {
        "macro_f1": f1_score(truth, predicted, labels=labels, average="macro", zero_division=np.nan),
        "accuracy": accuracy_score(truth, predicted), "balanced_accuracy": np.nanmean(recall),
        "recall": recall.tolist(), "train_counts": data.counts, "epoch_secs": epoch_secs, "losses": losses[:50],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--init", type=Path)
    parser.add_argument("--batches", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--attention", default="none", choices=["none", "branch", "shared"])
    parser.add_argument("--width", default="1/4", choices=list(DIVISORS))
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--imbalance", type=float, default=100)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--variant", default="eager-nhwc", choices=PASSES)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    args = parser.parse_args()
    if args.batches and not args.init:
        parser.error("--batches needs --init")
    if not (args.batches or args.data or args.run):
        parser.error("one of --batches, --data and --run is needed")
    torch.set_num_threads(args.threads)
    print(json.dumps(given_batches(args) if args.batches else folder(args)))


if __name__ == "__main__":
    main()
