"""Trains and records, measuring at every step: without end, or so many steps and then without closing the recorder.

    endless.py RUN [STEPS]
"""

import itertools
import sys

import common  # noqa: F401
from networks import ResNet, images

import torch
from torch import nn

import crosscurrent

x, y = images()
net = ResNet(4, 4, (1,))
opt = torch.optim.SGD(net.parameters(), 0.01)
recorder = crosscurrent.Recorder(sys.argv[1], net, opt, probe=(x, y), classes=list("abcd"), every=1)
for step in itertools.count() if len(sys.argv) < 3 else range(int(sys.argv[2])):
    opt.zero_grad()
    nn.functional.cross_entropy(net(x), y).backward()
    opt.step()
    print(step, flush=True)
