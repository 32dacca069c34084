"""Programs to step through, and the environment in which `python -m tinygrad_conv step` runs them."""

from __future__ import annotations

import os

from .helpers import INSTALLED

NET = """
import sys
import numpy as np
import tinygrad_conv as tg
from tinygrad_conv import nn, optim

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 2, 3, padding=1)
        self.fc = nn.Linear(2 * 4 * 4, 3)

    def forward(self, x):
        return self.fc(tg.flatten(tg.relu(self.conv1(x)), 1))

tg.manual_seed(0)
net = Net()
optimizer = optim.SGD(net.parameters(), lr=0.1)
x = tg.tensor(np.random.default_rng(0).standard_normal((2, 1, 4, 4)).astype(np.float32))
for step in range(3):
    optimizer.zero_grad()
    loss = tg.mse_loss(net(x), np.zeros((2, 3), np.float32))
    loss.backward()
    optimizer.step()
    print("loss", step, sys.argv[1:])
"""

ARTICLE = """
import tinygrad_conv as tg
x = tg.tensor([[[[1.0, 2.0, 0.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0]]]], requires_grad=True, name="x")
w = tg.tensor([[[[1.0, 0.0], [0.0, 1.0]]]], requires_grad=True, name="w")
y = tg.conv2d(x, w)
loss = tg.mse_loss(y, tg.ones_like(y), reduction="sum") / 2
loss.backward()
print("dW", w.grad[0, 0].tolist())
"""

NORMED = """
import numpy as np
import tinygrad_conv as tg
from tinygrad_conv import nn
tg.manual_seed(0)
net = nn.Sequential(nn.BatchNorm1d(2, affine=False), nn.Dropout(0.5))
x = tg.tensor([[1.0, 3.0], [2.0, 3.0], [6.0, 3.0]], requires_grad=True, name="x")
weight = tg.tensor([1.0, 2.0, 3.0], requires_grad=True, name="weight")
loss = tg.cross_entropy(net(x) * weight[:2], np.array([0, 1, 1]))
loss.backward()
"""


def environment(**more):
    kept = {
        name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLORTERM", "COLUMNS")
    }
    return {
        **kept,
        "PYTHONPATH": str(INSTALLED),
        "PYTHONIOENCODING": "utf-8",
        "TERM": "xterm-256color",
        **more,
    }
