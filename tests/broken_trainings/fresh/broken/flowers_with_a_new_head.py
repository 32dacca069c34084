"""The head is replaced by a new one after the optimizer was made, which keeps the parameters of the old one.

Reason: the optimizer was made before `net.head` was replaced: it updates the old head, and the new head's
parameters were never given to it; make the optimizer after the replacement.
Line: optimizer = optim.SGD( || net.head = nn.Linear(
Words: optim, replac|new head|old head|not given|never given|does not have|does not know|not in the optim|
none of|other param|stale|no longer|not part of|not belong|left out|made before|created before|not updat|
never updat|never move, head|param
Harm: the loss stays at 1.18, mended it falls to 0.01.
"""

import numpy as np

import tinygrad_conv as tg
import tinygrad_conv.nn.functional as F
from tinygrad_conv import nn, optim


class Net(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 32), nn.Tanh())
        self.head = nn.Linear(32, classes)

    def forward(self, x):
        return self.head(self.body(x))


def flowers(seed=0):
    """Three kinds of flowers by four lengths, standardised."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 3, 90)
    centres = np.array([[-1.2, 0.8, -1.3, -1.2], [0.1, -0.7, 0.3, 0.2], [1.0, 0.1, 1.1, 1.2]])
    lengths = centres[kinds] + rng.normal(0, 0.35, (90, 4))
    return tg.tensor(lengths.astype(np.float32)), tg.tensor(kinds)


def freeze(module):
    for parameter in module.parameters():
        parameter.requires_grad_(False)


tg.manual_seed(11)
net = Net()  # as it comes, for ten classes
freeze(net.body)
optimizer = optim.SGD(net.head.parameters(), lr=0.3, momentum=0.9)

net.head = nn.Linear(32, 3)  # we have three kinds only

x, y = flowers()
for step in range(40):
    loss = F.cross_entropy(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 0:
        print(step, loss.item())

accuracy = (net(x).argmax(dim=1) == y).float().mean().item()
print("loss", loss.item(), "accuracy", accuracy)
