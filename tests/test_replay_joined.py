"""Two ops in one call: the same bits as one after the other, and only where nobody sees what is between."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn

from .helpers import more
from .replay_steps import same_as_eager

BOTH = ("conv2d+relu", "batch_norm+relu", "max_pool2d_dx+relu_dx")
SPECIAL = (0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45)
POOLS: dict[str, dict[str, Any]] = {
    "side by side": {"kernel_size": 2},
    "overlapping": {"kernel_size": 3, "stride": 2, "padding": 1},
    "beyond the edge": {"kernel_size": 2, "ceil_mode": True},
}


def training(net: Any, inputs: list[Any], forward: Any = None) -> Any:
    """Owners, step and calls; the loss is the same weighted sum of all results."""

    def step(x: Any) -> Any:
        net.zero_grad()
        y = (forward or net)(x)
        loss = (y * y * 0.01 + y).sum()
        loss.backward()
        return loss

    return [net, *inputs], step, [(x,) for x in inputs]


def pictures(shape: tuple[int, ...], special: bool = False) -> list[Any]:
    """Inputs of six calls, whole numbers with many ties; with an Inf, a NaN and zeros of both signs."""
    rng = np.random.default_rng(2)
    arrays = [rng.integers(-2, 3, shape).astype(np.float32) for _ in range(6)]
    for array in arrays if special else ():
        array.flat[: 50 * len(SPECIAL)] = rng.permutation(np.repeat(SPECIAL, 50))[: array.size]
    return [tg.tensor(array).requires_grad_() for array in arrays]


def called(step: Any) -> list[str]:
    """The names of the lines of two ops in what a step ran last."""
    return [line.name for line in step.program.lines if line.then is not None]


@pytest.mark.parametrize("train", (True, False))
@pytest.mark.parametrize("batch", (3, 40))
def test_convolution_norm_relu_and_pool(batch: int, train: bool) -> None:
    def make() -> Any:
        tg.manual_seed(0)
        layers = [nn.Conv2d(2, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 4, 3), nn.BatchNorm2d(4), nn.ReLU()]
        net = nn.Sequential(*layers, nn.MaxPool2d(2)).train(train)
        return training(net, pictures((batch, 2, 15, 14)))

    step = same_as_eager(make, at_least=4, check=batch == 3)
    assert called(step) == list(BOTH)
    shown = repr(step.program)
    assert all(name in shown for name in BOTH)


@pytest.mark.parametrize("placed", (True, False))
@pytest.mark.parametrize("shape", ((4, 3, 9, 8), *more((64, 8, 33, 32))))
@pytest.mark.parametrize("pool", POOLS)
def test_what_relu_would_clear_is_not_sent_back(pool: str, shape: tuple[int, ...], placed: bool) -> None:
    def make() -> Any:
        images = pictures(shape, special=True)
        if placed:
            for x in images:
                x.data = np.ascontiguousarray(x.data.transpose(2, 1, 3, 0)).transpose(3, 1, 0, 2)
        return training(nn.Sequential(nn.ReLU(), nn.MaxPool2d(**POOLS[pool])), images)

    with np.errstate(all="ignore"):
        step = same_as_eager(make, at_least=4)
    assert called(step) == ["max_pool2d_dx+relu_dx"]


@pytest.mark.parametrize("bias", (True, False))
def test_special_values_in_a_convolution_that_is_rectified(bias: bool) -> None:
    def make() -> Any:
        tg.manual_seed(0)
        net = nn.Sequential(nn.Conv2d(2, 3, 1, bias=bias), nn.ReLU())
        return training(net, pictures((20, 2, 20, 20), special=True))

    with np.errstate(all="ignore"):
        assert called(same_as_eager(make, at_least=4)) == ["conv2d+relu"]


def test_what_others_read_is_made() -> None:
    def make(forward: Any) -> Any:
        tg.manual_seed(0)
        net = nn.Conv2d(1, 2, 3)
        return training(net, pictures((3, 1, 9, 9)), lambda x: forward(net(x)))

    def used_twice(y: Any) -> Any:
        return tg.relu(y) + y

    def sent_twice(y: Any) -> Any:
        z = tg.relu(y)
        return tg.max_pool2d(z, 2).sum() + z

    assert called(same_as_eager(lambda: make(used_twice), at_least=4)) == []
    assert called(same_as_eager(lambda: make(sent_twice), at_least=4)) == ["conv2d+relu"]


def test_what_is_returned_is_made() -> None:
    net = nn.Conv2d(1, 2, 3)

    @tg.replay
    def step(x: Any) -> Any:
        y = net(x)
        tg.relu(y).sum().backward()
        return y

    for x in pictures((3, 1, 9, 9)):
        expected = net(x).data
        np.testing.assert_array_equal(step(x).data, expected)
    assert step.replays == 4 and called(step) == []


def test_a_preparation_of_two_that_serves_nothing(scratch_ops: None) -> None:
    @tg.primitive
    def doubled(x: Any) -> Any:
        return 2 * x

    @tg.primitive
    def increased(x: Any) -> Any:
        return x + 1

    @doubled.replayed(then=increased)
    def doubled_and_increased(out: Any, shared: Any, x: Any) -> Any:
        return None

    step = tg.replay(lambda x: increased(doubled(x)))
    x = tg.ones(2, 3, 4, 5)
    step(x)
    with pytest.warns(UserWarning, match="doubled.increased: a preparation of two ops .* returned None"):
        step(x)
    np.testing.assert_array_equal(step(x).data, 3 * x.data)
