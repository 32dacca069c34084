"""The three programs on which every part of the debugger is tried, and one of what they have not."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

import tinygrad_conv as tg
from tinygrad_conv import nn


class Program(NamedTuple):
    """A loss that has been computed, and the leaves that it came from."""

    loss: tg.Tensor
    leaves: dict[str, tg.Tensor]


def article(seed: int = 0) -> Program:
    """X ⋆ W and ½ Σ (Y - Y*)², with the article's numbers; `seed` changes nothing."""
    x = tg.tensor([[[[1.0, 2.0, 0.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0]]]], requires_grad=True, name="x")
    w = tg.tensor([[[[1.0, 0.0], [0.0, 1.0]]]], requires_grad=True, name="w")
    y = tg.conv2d(x, w)
    return Program(((y - tg.ones(1, 1, 2, 2)) ** 2).sum() * 0.5, {"x": x, "w": w})


class ShapesNet(nn.Module):
    """The CNN of the toy shapes, narrow."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, padding=1)
        self.conv2 = nn.Conv2d(4, 6, 3, padding=1)
        self.fc = nn.Linear(6 * 3 * 3, 4)

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        x = tg.max_pool2d(tg.relu(self.conv1(x)), 2)
        x = tg.max_pool2d(tg.relu(self.conv2(x)), 2)
        return self.fc(tg.flatten(x, 1))


def shapes(seed: int = 0) -> Program:
    """A convolutional net with its mean squared error on one-hot targets."""
    tg.manual_seed(seed)
    net, rng = ShapesNet(), np.random.default_rng(seed)
    x = tg.tensor(rng.standard_normal((3, 1, 12, 12)).astype(np.float32), name="images")
    target = tg.tensor(np.eye(4, dtype=np.float32)[:3])
    return Program(tg.mse_loss(net(x), target), dict(net.named_parameters()))


class CrookedNet(nn.Module):
    """Groups, stride 2 with a remainder, a batch norm, a layer that is used twice, and a branch."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, 4, 3, stride=2, groups=2)
        self.norm = nn.BatchNorm2d(4)
        self.shared = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.fc = nn.Linear(8, 3)

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        x = tg.relu(self.norm(self.first(x)))
        x = self.shared(tg.tanh(self.shared(x)))
        x = tg.cat([x, 1.0 - x], dim=1)
        return self.fc(x.mean((2, 3)))


def crooked(seed: int = 0) -> Program:
    """A net with everything that is easily wrong; an input of 8 rows leaves a remainder of 1."""
    tg.manual_seed(seed)
    net, rng = CrookedNet(), np.random.default_rng(seed)
    x = tg.tensor(rng.standard_normal((2, 2, 8, 10)).astype(np.float32), requires_grad=True, name="x")
    y = net(x)
    return Program((y * y).sum() + y.mean(), {"x": x, **dict(net.named_parameters())})


class ResidualNet(nn.Module):
    """Batch norm, a grouped convolution with stride, pooling, two residuals and a linear head."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(8)
        self.grouped = nn.Conv2d(8, 8, 3, padding=1, groups=4)
        self.norm2 = nn.BatchNorm2d(8)
        self.down = nn.Conv2d(8, 16, 3, stride=2, padding=1)
        self.shortcut = nn.Conv2d(8, 16, 1, stride=2)
        self.head = nn.Linear(16 * 3 * 3, 10)

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        x = tg.max_pool2d(tg.relu(self.norm1(self.stem(x))), 2)
        x = tg.relu(x + self.norm2(self.grouped(x)))
        x = tg.relu(self.down(x) + self.shortcut(x))
        return self.head(tg.flatten(tg.avg_pool2d(x, 2), 1))


def residual(seed: int = 0) -> Program:
    """A small residual net with cross-entropy, as an image classifier has it."""
    tg.manual_seed(seed)
    net, rng = ResidualNet(), np.random.default_rng(seed)
    x = tg.tensor(rng.standard_normal((4, 3, 24, 24)).astype(np.float32), name="images")
    return Program(tg.cross_entropy(net(x), np.array([0, 3, 9, 1])), dict(net.named_parameters()))


def many_ops():
    """What has not been tried in the three programs: transposed, one-dimensional, without a batch, several
    outputs.
    """
    rng = np.random.default_rng(0)

    def leaf(*shape):
        return tg.Tensor(rng.standard_normal(shape).astype(np.float32), requires_grad=True)

    y = tg.conv2d(
        leaf(2, 3, 7, 6), leaf(4, 3, 3, 2), stride=(2, 1), padding=((1, 0), (0, 2)), dilation=(1, 2)
    )
    y = tg.conv_transpose2d(y, leaf(4, 2, 3, 3), stride=2, padding=1)
    first, _ = y.chunk(2)
    scores = tg.softmax(first.flatten(1), dim=1) @ leaf(first.data.size, 5)
    single = tg.conv2d(leaf(3, 5, 5), leaf(2, 3, 2, 2), leaf(2)).max()
    classes = tg.cross_entropy(tg.linear(leaf(4, 5), leaf(3, 5), leaf(3)), np.array([0, 2, 1, 1]))
    return (
        scores.sum()
        + single
        + classes
        + tg.conv1d(leaf(1, 2, 9), leaf(3, 2, 3)).var()
        + leaf() * (leaf(0, 3) * 2).sum()
    )


PROGRAMS = [article, shapes, crooked]
