"""Honest recordings of every kind, each made once."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

import tinygrad_conv as tg
from tests import debug_nets
from tinygrad_conv import debug, nn
from tinygrad_conv.engine.registry import OPS


class Honest(NamedTuple):
    """A recording, and the file that it was saved to."""

    recording: debug.Recording
    file: bytes


def indices() -> tg.Tensor:
    """Every kind of index and of param."""
    x = tg.tensor(np.arange(12.0).reshape(3, 4), requires_grad=True, name="x")
    y = x[None, 1:, ..., ::2].sum(dim=(0, -1)).to(np.float32)[np.array([0, 0])]
    return tg.where(y > np.inf, y, -y)[np.array([True, False])].sum()


def outputs() -> tg.Tensor:
    """Several outputs, of which some are not used and some are whole numbers; a variadic op; a product."""
    x = tg.tensor(np.random.default_rng(0).standard_normal((4, 6)), requires_grad=True, name="x")
    first, _, last = tg.split(x, 2, dim=1)
    highest, _ = x.max(dim=0)
    return tg.einsum("ij,kj->ik", first, tg.cat([last, first * 2])).sum() + highest.sum()


def classes() -> tg.Tensor:
    """A classifier in float32 with dropout, batch norm in training, labels and a pooling."""
    tg.manual_seed(0)
    rng = np.random.default_rng(0)
    net = nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Dropout(0.5), nn.Linear(8, 3),
    )  # fmt: skip
    x = tg.tensor(rng.standard_normal((4, 1, 4, 4)).astype(np.float32), name="images")
    return tg.cross_entropy(net(x), tg.tensor(np.array([0, 2, 1, 1])))


def windows() -> tg.Tensor:
    """What has windows and sizes: pad, interpolate, poolings, unfold, a transposed convolution."""
    rng = np.random.default_rng(0)
    x = tg.tensor(rng.standard_normal((1, 2, 6, 5)), requires_grad=True, name="x")
    w = tg.tensor(rng.standard_normal((2, 1, 2, 2)), requires_grad=True, name="w")
    y = tg.interpolate(tg.pad(x, (1, 2, 0, 1)), scale_factor=2)
    y = tg.max_pool2d(tg.conv_transpose2d(y, w, stride=2), 3, 2, 1)
    return tg.adaptive_avg_pool2d(y, 3).sum() + (tg.unfold(x, 2) ** 2).mean()


def halves() -> tg.Tensor:
    """float16, numbers without dimensions, and constants that no rule reads."""
    x = tg.tensor(np.linspace(-1, 1, 6), dtype=np.float16, requires_grad=True, name="x")
    return (tg.softmax(x * 2.0, dim=0).exp() + np.ones(6, np.float16)).std() * tg.logsumexp(x, dim=0)


def hooked() -> tg.Tensor:
    """A hook on a result."""
    x = tg.tensor([1.0, 2.0], requires_grad=True, name="x")
    y = x.exp()
    y.register_hook(lambda dy: dy * 2)
    return (y.sin() * x).sum()


def foreign() -> tg.Tensor:
    """An op that is not declared where it is loaded; its declaration goes again, below."""

    @tg.primitive
    def thrice(x, *, times=3):
        return x * times

    @thrice.grad("x")
    def thrice_dx(dy, times):
        return dy * times

    x = tg.tensor([[1.0, -2.0]], requires_grad=True, name="x")
    return (thrice(x.relu()) * 2).sum()


def leaf() -> tg.Tensor:
    """A leaf, and no op at all."""
    return tg.tensor(2.0, requires_grad=True, name="x")


RECORDINGS: dict[str, Callable[[], tg.Tensor]] = {
    **{program.__name__: lambda program=program: program().loss for program in debug_nets.PROGRAMS},
    **{make.__name__: make for make in (indices, outputs, classes, windows, halves, hooked, foreign, leaf)},
}


@cache
def honest(name: str) -> Honest:
    """A recording by name."""
    declared = dict(OPS)
    recording = RECORDINGS[name]().record()
    OPS.clear()
    OPS.update(declared)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "honest.npz"
        recording.save(path)
        return Honest(recording, path.read_bytes())
