"""A kernel of one tap on pictures that lie as N, C, H, W: no number is moved, and the sums are the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import kernels, nn, optim
from tinygrad_conv.kernels import memory_order
from tinygrad_conv.kernels.conv import mec
from tinygrad_conv.kernels.window import make_window

from .replay_steps import same_as_eager
from .test_kernels import Array, assert_same

SHAPES = {  # samples, C, O, H, W, groups
    "several": (5, 3, 4, 9, 8, 1),
    "groups": (4, 6, 8, 8, 8, 2),
    "depthwise": (3, 4, 4, 10, 7, 4),
    "a single sample": (1, 3, 2, 8, 9, 1),
    "a single row": (6, 3, 2, 1, 70, 1),
    "a single column": (6, 3, 2, 70, 1, 1),
    "a single channel": (6, 1, 2, 8, 8, 1),
    "many": (32, 24, 32, 20, 20, 1),
    "few places": (6, 3, 2, 7, 9, 1),
    "no places": (6, 3, 2, 0, 9, 1),
    "no samples": (0, 3, 2, 8, 9, 1),
}


def arrays(name: str, dtype: Any = np.float32) -> tuple[Array, Array, Array, Any, int]:
    """x and dY in C order, the weight, the window and the groups."""
    samples, channels, outputs, height, width, groups = SHAPES[name]
    rng = np.random.default_rng(len(name))
    shapes = ((samples, channels, height, width), (outputs, channels // groups, 1, 1))
    x, w = (rng.standard_normal(shape).astype(dtype) for shape in shapes)
    dy = rng.standard_normal((samples, outputs, height, width)).astype(dtype)
    return x, w, dy, make_window((height, width), (1, 1)), groups


def assert_right(x: Array, w: Array, dy: Array, window: Any, groups: int, tolerance: float) -> None:
    """All three are what the formula says."""
    for function, first, second in (
        (kernels.correlate, x, w),
        (kernels.correlate_weight_grad, x, dy),
        (kernels.correlate_input_grad, dy, w),
    ):
        with kernels.use_kernels("reference"):
            expected = function(first, second, window, groups)
        assert_same(function(first, second, window, groups), expected, tolerance)


@pytest.mark.parametrize("name", SHAPES)
def test_pictures_that_lie_by_sample(name: str) -> None:
    for dtype, tolerance in ((np.float32, 2e-5), (np.float64, 1e-12), (np.float16, 2e-3)):
        x, w, dy, window, groups = arrays(name, dtype)
        assert_right(x, w, dy, window, groups, tolerance)
        by_row = np.empty(dy.shape[::-1], dtype).transpose(3, 2, 1, 0)
        by_row[...] = dy
        assert_right(x, w, by_row, window, groups, tolerance)


@pytest.mark.parametrize("value", [np.inf, np.nan])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_an_inf_reaches_what_it_meets_and_nothing_else(value: float) -> None:
    for spoiled in range(3):
        *parts, window, groups = arrays("several")
        parts[spoiled][1, 0, 0, 0] = value
        assert_right(*parts, window, groups, 2e-5)


def test_nothing_is_copied_into_another_order(monkeypatch: pytest.MonkeyPatch) -> None:
    x, w, dy, window, groups = arrays("many")
    copied: list[bool] = []

    def noted(picture: Array, dtype: Any) -> Array:
        rows = memory_order.to_rows(picture, dtype)
        copied.append(not np.shares_memory(rows, picture))
        return rows

    monkeypatch.setattr(mec, "to_rows", noted)
    y = kernels.correlate(x, w, window, groups)
    dw = kernels.correlate_weight_grad(x, dy, window, groups)
    assert copied == [False] * 3 and y.flags.c_contiguous and dw.shape == w.shape


@pytest.mark.parametrize(
    "changed",
    [{"stride": 2}, {"padding": 1}, {"dilation": 3}, {"stride": (1, 2), "padding": (0, 1)}],
    ids=str,
)
def test_what_sees_other_places_or_not_all_of_them(changed: dict[str, Any]) -> None:
    x, w, *_ = arrays("several")
    given = tg.tensor(x, requires_grad=True), tg.tensor(w, requires_grad=True)
    gradients = []
    for kernel in ("fast", "reference"):
        with kernels.use_kernels(kernel):
            y = tg.conv2d(*given, **changed)
            gradients.append([y.data, *tg.grad((y * y).sum(), given)])
    for actual, expected in zip(*gradients):
        np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), rtol=1e-4, atol=1e-4)


def test_replayed_it_is_the_same_to_the_bit() -> None:
    def make() -> Any:
        tg.manual_seed(3)
        net = nn.Sequential(nn.Conv2d(3, 8, 1), nn.ReLU(), nn.Conv2d(8, 4, 1))
        optimizer = optim.SGD(net.parameters(), lr=0.1)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            loss = tg.mse_loss(net(x), y)
            loss.backward()
            optimizer.step()
            return loss

        return [net, optimizer], step, [(tg.randn(6, 3, 9, 9), tg.randn(6, 4, 9, 9)) for _ in range(6)]

    same_as_eager(make, at_least=4)
