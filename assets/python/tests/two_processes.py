"""Trains a network in two processes, with a recorder where a run is named; each prints a fingerprint of its weights.

    two_processes.py RENDEZVOUS RUN
"""

import hashlib
import sys

import common  # noqa: F401
from networks import ResNet, images

import torch
from torch import nn

import crosscurrent
from crosscurrent.callbacks import _joined, _of_all_processes
from crosscurrent.scores import array


def work(rank, rendezvous, run, results):
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=2)
    torch.manual_seed(0)
    net = nn.parallel.DistributedDataParallel(ResNet(4, 4, (1,)))
    opt = torch.optim.SGD(net.parameters(), 0.05, momentum=0.9)
    x, y = images()
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), 8)
    recorder = crosscurrent.Recorder(run, net, opt, probe=loader, classes=list("abcd"), every=2) if run else None
    for step in range(4):
        opt.zero_grad()
        part = slice((2 * step + rank) * 8, (2 * step + rank + 1) * 8)
        nn.functional.cross_entropy(net(x[part]), y[part]).backward()
        opt.step()
    if recorder:
        # Each process validates half of the images, as under Lightning's sampler.
        own = [{"labels": array(y[rank::2]), "logits": array(net.module(x[rank::2]))}]
        recorder.evaluate(*_joined(_of_all_processes(own)))
        recorder.close()
    values = b"".join(p.detach().numpy().tobytes() for p in net.parameters())
    results.put(hashlib.sha256(values).hexdigest())
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    context = torch.multiprocessing.get_context("spawn")
    results = context.Queue()
    workers = [context.Process(target=work, args=(rank, *sys.argv[1:3], results)) for rank in range(2)]
    for worker in workers:
        worker.start()
    found = [results.get(timeout=200) for _ in workers]
    for worker in workers:
        worker.join()
    print(*found)
