"""Convolutions against PyTorch, in float64: values, gradients and gradients of gradients over random
settings.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

import tinygrad_conv as tg

pytestmark = pytest.mark.torch

TOLERANCE = 1e-10
SETTINGS = 300
SECOND_ORDER_SETTINGS = 60

Pair = tuple[int, int]


class Setting(NamedTuple):
    """The shapes and arguments of one convolution."""

    samples: int
    channels: int
    outputs: int
    size: Pair
    kernel: Pair
    stride: Pair
    padding: Pair
    dilation: Pair
    groups: int

    @property
    def arguments(self) -> dict[str, Any]:
        return {
            "stride": self.stride,
            "padding": self.padding,
            "dilation": self.dilation,
            "groups": self.groups,
        }

    @property
    def remainder(self) -> Pair:
        """How many rows and columns no window touches."""
        rows, columns = (
            (self.size[a] + 2 * self.padding[a] - self.dilation[a] * (self.kernel[a] - 1) - 1)
            % self.stride[a]
            for a in (0, 1)
        )
        return rows, columns


def draw(seed: int) -> Setting:
    """A setting in which the kernel fits: its size is the least that fits, and up to six more."""
    rng = np.random.default_rng(seed)

    def pair(low: int, high: int) -> Pair:
        return int(rng.integers(low, high + 1)), int(rng.integers(low, high + 1))

    groups = int(rng.choice([1, 1, 2, 3]))
    kernel, stride, padding, dilation, more = pair(1, 4), pair(1, 3), pair(0, 3), pair(1, 3), pair(0, 6)
    height, width = (max(1, dilation[a] * (kernel[a] - 1) + 1 - 2 * padding[a]) + more[a] for a in (0, 1))
    channels, outputs = groups * int(rng.integers(1, 4)), groups * int(rng.integers(1, 4))
    return Setting(
        int(rng.integers(1, 4)), channels, outputs, (height, width), kernel, stride, padding, dilation, groups
    )


def arrays(setting: Setting, seed: int) -> tuple[Any, Any, Any]:
    """x, w and b for a setting."""
    rng = np.random.default_rng([seed, 1])
    x = rng.standard_normal((setting.samples, setting.channels, *setting.size))
    w = rng.standard_normal((setting.outputs, setting.channels // setting.groups, *setting.kernel))
    return x, w, rng.standard_normal(setting.outputs)


def both(torch: Any, *values: Any) -> tuple[list[Any], list[Any]]:
    """The same leaves here and in PyTorch."""
    return [tg.tensor(value, requires_grad=True) for value in values], [
        torch.tensor(value, requires_grad=True) for value in values
    ]


def assert_same(ours: Any, theirs: Any) -> None:
    """Equal to 1e-10 of the largest number there is."""
    for tensor, other in zip(ours, theirs, strict=True):
        expected = other.detach().numpy()
        scale = max(1.0, float(np.abs(expected).max(initial=0)))
        assert tensor.shape == expected.shape
        np.testing.assert_allclose(tensor.data, expected, rtol=0, atol=TOLERANCE * scale)


def compare(torch: Any, ours: Any, theirs: Any, values: Any, order: int, seed: int) -> None:
    """Value, gradients, and at order 2 the gradients of ⟨gradients, random directions⟩."""
    rng = np.random.default_rng([seed, 2])
    inputs, their_inputs = both(torch, *values)
    y, their_y = ours(*inputs), theirs(*their_inputs)
    assert_same([y], [their_y])
    dy, their_dy = [leaves[0] for leaves in both(torch, rng.standard_normal(y.shape))]
    grads = tg.grad(y, inputs, dy, create_graph=order == 2)
    their_grads = torch.autograd.grad(their_y, their_inputs, their_dy, create_graph=order == 2)
    assert_same(grads, their_grads)
    if order == 2:
        directions = [rng.standard_normal(grad.shape) for grad in grads]
        seconds = tg.grad(grads, [*inputs, dy], directions, allow_unused=True)
        wanted = [torch.tensor(direction) for direction in directions]
        their_seconds = torch.autograd.grad(their_grads, [*their_inputs, their_dy], wanted, allow_unused=True)
        used = [at for at, grad in enumerate(their_seconds) if grad is not None]
        assert [at for at, second in enumerate(seconds) if second is not None] == used
        assert_same([seconds[at] for at in used], [their_seconds[at] for at in used])


def test_the_settings_reach_every_corner() -> None:
    settings = [draw(seed) for seed in range(SETTINGS)]
    assert len(set(settings)) == SETTINGS
    assert sum(max(setting.remainder) > 0 for setting in settings) > 50
    assert sum(setting.groups > 1 for setting in settings) > 50
    assert sum(setting.groups == setting.channels > 1 for setting in settings) > 10
    assert sum(max(setting.dilation) > 1 for setting in settings) > 50
    assert sum(max(setting.stride) > 1 for setting in settings) > 50
    assert sum(setting.kernel[0] != setting.kernel[1] for setting in settings) > 50
    assert sum(max(setting.padding) > 0 for setting in settings) > 50


@pytest.mark.parametrize("seed", range(SETTINGS))
def test_conv2d_and_its_gradients(seed: int) -> None:
    torch = pytest.importorskip("torch")
    setting = draw(seed)
    compare(
        torch,
        lambda x, w, b: tg.conv2d(x, w, b, **setting.arguments),
        lambda x, w, b: torch.conv2d(x, w, b, **setting.arguments),
        arrays(setting, seed),
        order=2 if seed < SECOND_ORDER_SETTINGS else 1,
        seed=seed,
    )


@pytest.mark.parametrize("seed", range(60))
def test_conv_transpose2d_and_its_gradients(seed: int) -> None:
    torch = pytest.importorskip("torch")
    setting, rng = draw(1000 + seed), np.random.default_rng(seed)
    # The least size that leaves an output, whatever the padding takes away.
    size = tuple(
        2 + -(-2 * pads // step) + int(rng.integers(0, 3))
        for pads, step in zip(setting.padding, setting.stride, strict=True)
    )
    extra = tuple(
        int(rng.integers(0, max(pair))) for pair in zip(setting.stride, setting.dilation, strict=True)
    )
    arguments = {**setting.arguments, "output_padding": extra}
    x = rng.standard_normal((setting.samples, setting.outputs, *size))
    w = rng.standard_normal((setting.outputs, setting.channels // setting.groups, *setting.kernel))
    compare(
        torch,
        lambda x, w, b: tg.conv_transpose2d(x, w, b, **arguments),
        lambda x, w, b: torch.conv_transpose2d(x, w, b, **arguments),
        (x, w, rng.standard_normal(setting.channels)),
        order=2 if seed < 20 else 1,
        seed=seed,
    )


@pytest.mark.parametrize("name", ["conv2d", "conv_transpose2d"])
def test_unbatched(name: str) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    values = rng.standard_normal((2, 7, 6)), rng.standard_normal((2, 2, 3, 2)), rng.standard_normal(2)
    compare(
        torch,
        lambda x, w, b: getattr(tg, name)(x, w, b, 2, 1),
        lambda x, w, b: getattr(torch.nn.functional, name)(x, w, b, 2, 1),
        values,
        order=2,
        seed=0,
    )


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("kernel", [(1, 1), (2, 3), (4, 4)])
def test_padding_by_name(padding: str, kernel: Pair) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    values = rng.standard_normal((2, 3, 9, 8)), rng.standard_normal((4, 3, *kernel)), rng.standard_normal(4)
    compare(
        torch,
        lambda x, w, b: tg.conv2d(x, w, b, padding=padding, dilation=2),
        lambda x, w, b: torch.conv2d(x, w, b, padding=padding, dilation=2),
        values,
        order=1,
        seed=0,
    )


@pytest.mark.parametrize("name", ["conv2d", "conv_transpose2d"])
def test_empty_batches(name: str) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    values = rng.standard_normal((0, 4, 5, 5)), rng.standard_normal((4, 4, 3, 3)), rng.standard_normal(4)
    compare(torch, getattr(tg, name), getattr(torch.nn.functional, name), values, order=1, seed=0)
