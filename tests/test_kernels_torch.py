"""The reference kernels against PyTorch: what the formulas mean, corners that are a matter of choice too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinygrad_conv.kernels import reference
from tinygrad_conv.kernels.window import make_window

pytestmark = pytest.mark.torch

SETTINGS = [
    # N, C, O, (H, W), (kh, kw), stride, padding, dilation, groups
    (2, 3, 4, (7, 9), (3, 2), (1, 1), (0, 0), (1, 1), 1),
    (2, 4, 6, (8, 7), (3, 3), (2, 3), (1, 2), (1, 1), 2),
    (1, 2, 2, (9, 9), (2, 3), (3, 1), (4, 0), (2, 3), 2),
    (3, 3, 6, (10, 6), (1, 1), (2, 2), (0, 0), (1, 1), 3),
]


@pytest.mark.parametrize("setting", SETTINGS)
def test_correlations_are_pytorchs(setting: Any) -> None:
    torch = pytest.importorskip("torch")
    samples, channels, outputs, size, kernel, stride, padding, dilation, groups = setting
    rng = np.random.default_rng(0)
    x, w = (
        rng.standard_normal((samples, channels, *size)),
        rng.standard_normal((outputs, channels // groups, *kernel)),
    )
    sides = ((padding[0], padding[0]), (padding[1], padding[1]))
    window = make_window(size, kernel, stride, sides, dilation)
    tx, tw = torch.tensor(x, requires_grad=True), torch.tensor(w, requires_grad=True)
    ty = torch.conv2d(tx, tw, None, stride, padding, dilation, groups)
    dy = rng.standard_normal(ty.shape)
    ty.backward(torch.tensor(dy))
    np.testing.assert_allclose(reference.correlate(x, w, window, groups), ty.detach().numpy(), atol=1e-12)
    np.testing.assert_allclose(
        reference.correlate_weight_grad(x, dy, window, groups), tw.grad.numpy(), atol=1e-12
    )
    np.testing.assert_allclose(
        reference.correlate_input_grad(dy, w, window, groups), tx.grad.numpy(), atol=1e-12
    )


def test_infinities_at_the_padding_are_those_of_pytorchs_own_loops() -> None:
    """One sample and channel: larger shapes may go to oneDNN, which skips the zeros of the padding."""
    torch = pytest.importorskip("torch")
    x, w = np.ones((1, 1, 4, 4), np.float32), np.ones((1, 1, 3, 3), np.float32)
    w[0, 0, 0, 0] = np.inf
    window = make_window((4, 4), (3, 3), padding=((1, 1), (1, 1)))
    tx, tw = torch.tensor(x, requires_grad=True), torch.tensor(w)
    ty = torch.conv2d(tx, tw, padding=1)
    ty.backward(torch.ones_like(ty))
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(reference.correlate(x, w, window, 1), ty.detach().numpy())
        np.testing.assert_array_equal(
            reference.correlate_input_grad(np.ones_like(x), w, window, 1), tx.grad.numpy()
        )


@pytest.mark.parametrize("setting", [(2, 2, 0, 1), (3, 2, 1, 1), (3, 1, 1, 2), (2, 3, 1, 1)])
@pytest.mark.parametrize("channels_last", [False, True])
def test_max_pool_picks_pytorchs_taps(setting: tuple[int, int, int, int], channels_last: bool) -> None:
    torch = pytest.importorskip("torch")
    k, stride, padding, dilation = setting
    rng = np.random.default_rng(0)
    x = rng.choice(
        np.array([-np.inf, np.nan, 0.0, 1.0, 2.0], np.float32),
        (4, 9, 11, 10),
        p=[0.5, 0.05, 0.15, 0.15, 0.15],
    )
    window = make_window(
        (11, 10), (k, k), (stride, stride), ((padding, padding), (padding, padding)), (dilation, dilation)
    )
    tx = torch.tensor(x)
    if channels_last:
        tx = tx.to(memory_format=torch.channels_last)
    pool = torch.nn.functional.max_pool2d
    ty, index = pool(tx, k, stride, padding, dilation, return_indices=True)
    y, tap = reference.max_pool(x, window)
    np.testing.assert_array_equal(y, ty.numpy())
    p, q = np.ogrid[: window.out[0], : window.out[1]]
    i, j = np.divmod(tap.astype(int), k)
    rows, columns = p * stride + i * dilation - padding, q * stride + j * dilation - padding
    np.testing.assert_array_equal(rows * 10 + columns, index.numpy())


def test_sum_windows_is_pytorchs_average_times_the_taps() -> None:
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).standard_normal((2, 3, 9, 8))
    window = make_window((9, 8), (3, 2), (2, 2), ((1, 1), (1, 1)))
    expected = torch.nn.functional.avg_pool2d(torch.tensor(x), (3, 2), 2, 1).numpy() * 6
    np.testing.assert_allclose(reference.sum_windows(x, window), expected, atol=1e-12)
