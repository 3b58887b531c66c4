"""What the recorder costs: seconds a training step takes with it and without, side by side.

    python tests/bench/recorder_overhead.py [--network resnet|vit] [--steps 1000] [--batch 128] [--threads 1]

Two copies of a network train in one process on the same batches, one of them with a recorder at its default cadence. They take
turns of ten steps, so that whatever else happens on the machine meets both alike. The first steps of both, in which the cadence
learns what a step and a measurement cost, are not counted.
"""

import argparse
import copy
import pathlib
import statistics
import sys
import tempfile
import time

PACKAGE = pathlib.Path(__file__).resolve().parents[2] / "assets/python"
sys.path[:0] = [str(PACKAGE), str(PACKAGE / "tests")]

import torch  # noqa: E402
from networks import ResNet, ViT, images  # noqa: E402
from torch import nn  # noqa: E402

import crosscurrent  # noqa: E402

TURN = 10
UNCOUNTED = 50
COUNTS = [2000, 1200, 700, 400, 250, 150, 90, 55, 35, 20]


def step(net, optimizer, number, x, y, recorder=None):
    # Dropout draws the same numbers for both.
    torch.manual_seed(number)
    begin = time.perf_counter()
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(net(x), y)
    loss.backward()
    if recorder is not None:
        recorder.loss(loss)
    optimizer.step()
    return time.perf_counter() - begin


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--network", choices=["resnet", "vit"], default="resnet")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    alone = ResNet(10, 16) if given.network == "resnet" else ViT(10, 64, 4)
    recorded = copy.deepcopy(alone)
    x, y = images(COUNTS, 32)
    optimizers = [torch.optim.SGD(net.parameters(), 0.01, momentum=0.9) for net in (alone, recorded)]
    batches = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), given.batch, shuffle=True, drop_last=True)

    def endless():
        while True:
            yield from batches

    with tempfile.TemporaryDirectory() as folder:
        recorder = crosscurrent.Recorder(
            pathlib.Path(folder) / "run",
            recorded,
            optimizers[1],
            probe=(x, y),
            classes=[str(k) for k in range(10)],
            steps_per_epoch=len(batches),
        )
        probes = []
        inner = recorder._probe

        def timed():
            begin = time.perf_counter()
            inner()
            probes.append((recorder.step, time.perf_counter() - begin))

        recorder._probe = timed
        without, with_it, data = [], [], endless()
        while len(without) < UNCOUNTED + given.steps:
            turn = [(len(without) + i, *next(data)) for i in range(TURN)]
            without += [step(alone, optimizers[0], *numbered) for numbered in turn]
            with_it += [step(recorded, optimizers[1], *numbered, recorder) for numbered in turn]
        recorder.stop("enough")
        size = sum(path.stat().st_size for path in pathlib.Path(folder).rglob("*") if path.is_file())
    same = all(torch.equal(a, b) for a, b in zip(alone.parameters(), recorded.parameters()))
    without, with_it = without[UNCOUNTED:], with_it[UNCOUNTED:]
    probes = [(at, secs) for at, secs in probes if at > UNCOUNTED]
    between = sum(with_it) - sum(secs for _, secs in probes)
    print(f"{given.network}, batch {given.batch}, {given.threads} threads, PyTorch {torch.__version__}, {len(without)} steps of each")
    print(f"seconds a step: {statistics.mean(without):.4f} without, {statistics.mean(with_it):.4f} with the recorder")
    print(f"ratio {sum(with_it) / sum(without):.4f}; without the measurements {between / sum(without):.4f}")
    print(f"measured after steps {[at for at, _ in probes]}, {statistics.mean([s for _, s in probes] or [0]):.2f} s each")
    print(f"{size / 1e6:.1f} MB written; the weights are {'the same bits' if same else 'NOT the same'}")


if __name__ == "__main__":
    main()
