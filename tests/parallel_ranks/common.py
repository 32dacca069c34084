"""What the programs share: the net, the shares, and the oracle: one process with the joined batch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, parallel
from tinygrad_conv.parallel.shares import share_of

PROGRAMS: dict[str, Callable[[], None]] = {}
RANK, SIZE = parallel.rank(), parallel.world_size()
TOLERANCE = {np.float32: 1e-6, np.float64: 1e-12}


def program(function: Callable[[], None]) -> Callable[[], None]:
    PROGRAMS[function.__name__] = function
    return function


def batch(count: int, dtype: Any = np.float64, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images [count, 1, 8, 8] and labels, the same on all ranks."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, 1, 8, 8)).astype(dtype), rng.integers(0, 3, count)


def own(array: np.ndarray, rank: int = RANK, size: int = SIZE) -> Any:
    """This rank's share."""
    places = share_of(len(array), rank, size)
    return tg.tensor(array[places.start : places.stop])


def conv_net(dtype: Any = np.float64, norm: bool = False, seed: int = 0) -> Any:
    tg.manual_seed(seed)
    layers = [
        nn.Conv2d(1, 4, 3, padding=1),
        *([nn.BatchNorm2d(4)] if norm else []),
        nn.ReLU(),
        nn.MaxPool2d(2),
    ]
    net = nn.Sequential(*layers, nn.Flatten(), nn.Linear(64, 3))
    return net.double() if dtype is np.float64 else net


def grads(net: Any) -> list[Any]:
    return [None if p.grad is None else p.grad.copy() for p in net.parameters()]


def backward(net: Any, images: Any, labels: Any, scale: float = 1.0) -> Any:
    loss = tg.cross_entropy(net(images), labels) * scale
    loss.backward()
    return loss


def expected(net: Any, *batches: tuple[np.ndarray, np.ndarray], scale: float = 1.0) -> list[Any]:
    """The gradients of one process with the joined batches, one after another."""
    net.zero_grad()
    for images, labels in batches:
        backward(net, tg.tensor(images), tg.tensor(labels), scale)
    result = grads(net)
    net.zero_grad()
    return result


def assert_close(mine: list[Any], theirs: list[Any], tolerance: float = 1e-12) -> None:
    """Each to within this part of the largest number."""
    assert len(mine) == len(theirs)
    for a, b in zip(mine, theirs):
        assert (a is None) == (b is None)
        if a is not None:
            assert np.abs(a - b).max() <= tolerance * max(np.abs(b).max(), 1e-3), np.abs(a - b).max()


def assert_same_everywhere(arrays: list[Any]) -> None:
    """The same bits on all ranks."""
    digest = hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()
    assert parallel.on_main(lambda: digest) == digest


@contextmanager
def refused(*words: str) -> Any:
    """A RankError on every rank, with these words."""
    with pytest.raises(parallel.RankError) as caught:
        yield
    for word in words:
        assert word in str(caught.value), str(caught.value)


class Branches(nn.Module):
    """Two ways, and a layer that none of them takes."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right, self.nobody = nn.Linear(3, 2), nn.Linear(3, 2), nn.Linear(3, 2)

    def forward(self, x: Any, left: bool) -> Any:
        return self.left(x) if left else self.right(x)
