"""Trainings on which films and logs are tried: each a loop that somebody may look on at."""

from __future__ import annotations

import contextlib

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn, optim


class EveryKind(nn.Module):
    """Batch norm, dropout, pooling, a residual, a layer used twice, groups and a linear head."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
        self.shared = nn.Conv2d(4, 4, 3, padding=1, groups=2)
        self.drop = nn.Dropout(0.2)
        self.head = nn.Linear(4 * 4 * 4, 3)

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        x = tg.max_pool2d(self.stem(x), 2)
        x = x + tg.relu(self.shared(tg.relu(self.shared(x))))
        return self.head(self.drop(tg.flatten(x, 1)))


def batch(count: int = 6):
    """Images and labels."""
    rng = np.random.default_rng(0)
    images = rng.standard_normal((count, 1, 8, 8)).astype(np.float32)
    return tg.tensor(images), np.arange(count) % 3


def train(net, steps, looking_on=None, lr=0.05):
    """Some steps of SGD; the losses."""
    images, labels = batch()
    optimizer = optim.SGD(net.parameters(), lr=lr, momentum=0.9)
    losses = []
    with looking_on or contextlib.nullcontext():
        for _ in range(steps):
            optimizer.zero_grad()
            loss = tg.cross_entropy(net(images), labels)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses


def seeded_net():
    tg.manual_seed(0)
    return EveryKind()


def state_of(net):
    """Everything that looking on must not change."""
    return {
        "state": {name: tensor.numpy().copy() for name, tensor in net.state_dict().items()},
        "grads": {
            name: param.grad.copy() for name, param in net.named_parameters() if param.grad is not None
        },
        "modes": [module.training for module in net.modules()],
        "hooks": [(dict(module._hooks), dict(module._pre_hooks)) for module in net.modules()],
        "random": repr(tg.get_rng_state()),
        "numpy": repr(np.random.get_state()),
    }
