"""Padding, resizing, patches, pixels and pooling into cells, without PyTorch: by hand, by NumPy, and by their
adjoints.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.errors import ShapeError

from .helpers import assert_refused


def normal(*shape: int) -> Any:
    return np.random.default_rng(0).standard_normal(shape)


def gradient(function: Any, x: Any, dy: Any) -> Any:
    """The adjoint of a linear function, applied to dy."""
    leaf = tg.tensor(x, requires_grad=True)
    function(leaf).backward(dy)
    return leaf.grad


# Padding


@pytest.mark.parametrize(
    "mode, name",
    [("constant", "constant"), ("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")],
)
@pytest.mark.parametrize("sides", [(1, 2), (0, 3, 2, 1), (3, 3, 4, 4), (0, 0, 0, 0)])
def test_pad_is_numpys(mode: str, name: str, sides: Any) -> None:
    x = normal(2, 5, 4) if len(sides) == 4 else normal(2, 4)
    pairs = [(0, 0)] * (x.ndim - len(sides) // 2) + [
        sides[at : at + 2] for at in range(len(sides) - 2, -1, -2)
    ]
    np.testing.assert_array_equal(tg.pad(x, sides, mode), np.pad(x, pairs, mode=name))


def test_pad_with_a_value_and_negative_sides() -> None:
    x = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(tg.pad(x, (-1, 1, 1, -2), value=7), [[7, 7, 7, 7], [1, 2, 3, 7]])
    leaf = tg.tensor(x, requires_grad=True)
    tg.pad(leaf, (-1, 1, 1, -2), value=7).sum().backward()
    np.testing.assert_array_equal(leaf.grad, [[0, 1, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0]])


def test_a_border_gives_its_gradient_back_to_where_it_was_read() -> None:
    dy = np.array([[1.0, 2, 4, 8, 16, 32]])
    x = np.zeros((1, 3))
    np.testing.assert_array_equal(
        gradient(lambda tensor: tg.pad(tensor, (2, 1), "reflect"), x, dy), [[4, 8 + 2 + 32, 16 + 1]]
    )
    np.testing.assert_array_equal(
        gradient(lambda tensor: tg.pad(tensor, (2, 1), "replicate"), x, dy), [[1 + 2 + 4, 8, 16 + 32]]
    )
    np.testing.assert_array_equal(
        gradient(lambda tensor: tg.pad(tensor, (2, 1), "circular"), x, dy), [[4 + 32, 8 + 1, 16 + 2]]
    )


# Resizing


def test_nearest_by_two_repeats_every_pixel() -> None:
    x = normal(2, 3, 4, 5)
    np.testing.assert_array_equal(tg.interpolate(x, scale_factor=2), x.repeat(2, axis=2).repeat(2, axis=3))


def test_bilinear_of_a_plane_is_the_plane() -> None:
    """Whatever is linear in rows and columns stays so, where places are between pixels."""
    rows, columns = np.mgrid[:5, :4].astype(float)
    x = (3 * rows - 2 * columns + 1)[None, None]
    y = tg.interpolate(x, size=(9, 7), mode="bilinear", align_corners=True)
    rows, columns = np.mgrid[:9, :7] / 2
    np.testing.assert_allclose(y[0, 0], 3 * rows - 2 * columns + 1, atol=1e-12)


def test_bilinear_without_corners_measures_from_the_edges() -> None:
    x = np.array([[[[0.0, 4.0]]]])
    np.testing.assert_array_equal(tg.interpolate(x, size=(1, 4), mode="bilinear")[0, 0], [[0, 1, 3, 4]])


def test_an_infinity_stays_where_it_is() -> None:
    x = np.array([[[0.0, np.inf, 1, 2]]])
    np.testing.assert_array_equal(tg.interpolate(x, size=8)[0, 0], np.repeat(x[0, 0], 2))
    np.testing.assert_array_equal(tg.adaptive_avg_pool2d(x[None], (1, 2))[0, 0], [[np.inf, 1.5]])


# Patches: convolution as a matrix product


@pytest.mark.parametrize(
    "arguments",
    [{}, {"stride": 2}, {"padding": (1, 2)}, {"dilation": (2, 1), "padding": 1, "stride": (1, 2)}],
)
def test_convolution_is_a_product_with_the_patches(arguments: Any) -> None:
    x, w = normal(2, 3, 7, 6), normal(4, 3, 3, 2)
    y = tg.conv2d(x, w, **arguments)
    patches = tg.unfold(x, (3, 2), **arguments)
    np.testing.assert_allclose((w.reshape(4, -1) @ patches).reshape(y.shape), y, atol=1e-12)
    dy = np.random.default_rng(1).standard_normal(y.shape)
    dpatches = w.reshape(4, -1).T @ dy.reshape(2, 4, -1)
    dx = gradient(lambda tensor: tg.conv2d(tensor, w, **arguments), x, dy)
    np.testing.assert_allclose(tg.fold(dpatches, (7, 6), (3, 2), **arguments), dx, atol=1e-12)


def test_fold_counts_how_many_windows_cover_a_pixel() -> None:
    ones = np.ones((1, 1, 4, 4))
    counts = tg.fold(tg.unfold(ones, 3), 4, 3)
    np.testing.assert_array_equal(counts[0, 0], [[1, 2, 2, 1], [2, 4, 4, 2], [2, 4, 4, 2], [1, 2, 2, 1]])


def test_pixel_shuffle_puts_channels_side_by_side_and_unshuffle_takes_them_apart() -> None:
    x = np.arange(4.0).reshape(1, 4, 1, 1)
    np.testing.assert_array_equal(tg.pixel_shuffle(x, 2)[0, 0], [[0, 1], [2, 3]])
    x = normal(2, 18, 2, 5)
    np.testing.assert_array_equal(tg.pixel_unshuffle(tg.pixel_shuffle(x, 3), 3), x)


# Cells


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (6, 7), (9, 4)])
def test_adaptive_pooling_by_hand(size: tuple[int, int]) -> None:
    x = normal(2, 3, 6, 7)
    mean, most, place = np.zeros((2, 3, *size)), np.zeros((2, 3, *size)), np.zeros((2, 3, *size), int)
    for p, q in np.ndindex(size):
        rows = slice(p * 6 // size[0], -(-(p + 1) * 6 // size[0]))
        columns = slice(q * 7 // size[1], -(-(q + 1) * 7 // size[1]))
        cell = np.full_like(x, -np.inf)
        cell[:, :, rows, columns] = x[:, :, rows, columns]
        mean[:, :, p, q] = x[:, :, rows, columns].mean((2, 3))
        most[:, :, p, q], place[:, :, p, q] = cell.max((2, 3)), cell.reshape(2, 3, -1).argmax(-1)
    np.testing.assert_allclose(tg.adaptive_avg_pool2d(x, size), mean, atol=1e-12)
    y, indices = tg.adaptive_max_pool2d(x, size, return_indices=True)
    np.testing.assert_array_equal(y, most)
    np.testing.assert_array_equal(indices, place)


def test_the_indices_of_max_pooling_find_the_maxima_again() -> None:
    x = normal(2, 3, 7, 6)
    y, indices = tg.max_pool2d(x, 3, stride=2, padding=1, dilation=2, ceil_mode=True, return_indices=True)
    np.testing.assert_array_equal(
        np.take_along_axis(x.reshape(2, 3, -1), indices.reshape(2, 3, -1), 2), y.reshape(2, 3, -1)
    )


def test_one_dimension_is_one_row() -> None:
    x, w = normal(2, 3, 9), normal(4, 3, 3)
    np.testing.assert_array_equal(
        tg.conv1d(x, w, stride=2, padding=1),
        tg.conv2d(x[:, :, None], w[:, :, None], stride=2, padding=(0, 1))[:, :, 0],
    )
    np.testing.assert_array_equal(
        tg.conv1d(x, w, padding=(2, 0)), tg.conv1d(np.pad(x, ((0, 0), (0, 0), (2, 0))), w)
    )
    assert tg.conv1d(x, w, stride=4, padding="same").shape == (2, 4, 3)
    np.testing.assert_array_equal(tg.max_pool1d(x, 2), x[:, :, :8].reshape(2, 3, 4, 2).max(-1))


# What is refused


@pytest.mark.parametrize(
    "call, error, message",
    [
        (
            lambda: tg.pad(np.zeros((2, 3)), (1, 1, 1)),
            ShapeError,
            "pad: sides (1, 1, 1) of x [2,3] must be two numbers for each of some last dimensions",
        ),
        (
            lambda: tg.pad(np.zeros((1, 3)), (3, 0), "reflect"),
            ShapeError,
            "pad: sides (3, 0) of x [1,3]: (3, 0) are more than the 2 "
            "that mode 'reflect' can show of a size of 3",
        ),
        (
            lambda: tg.pad(np.zeros((1, 3)), (-2, -2)),
            ShapeError,
            "pad: sides (-2, -2) of x [1,3]: (-2, -2) leave a negative size of a size of 3",
        ),
        (
            lambda: tg.pad(np.zeros((1, 3)), (1, 1), "edge"),
            ValueError,
            "pad: mode must be one of constant, reflect, replicate, circular, not 'edge'",
        ),
        (
            lambda: tg.interpolate(np.zeros((1, 1, 3)), size=2, scale_factor=2),
            ValueError,
            "interpolate: pass one of size and scale_factor; recompute_scale_factor belongs to the latter",
        ),
        (
            lambda: tg.interpolate(np.zeros((1, 1, 3)), size=2, mode="bilinear"),
            ShapeError,
            "interpolate: mode 'bilinear' takes an input of 4 dimensions, not [1,1,3]",
        ),
        (
            lambda: tg.pixel_shuffle(np.zeros((1, 3, 2, 2)), 2),
            ShapeError,
            "pixel_shuffle: input [1,3,2,2] must be [..., C · 2², H, W]",
        ),
        (
            lambda: tg.fold(np.zeros((1, 4, 5)), 3, 2),
            ShapeError,
            "fold: input [1,4,5] must be [N, C · 4, 2 · 2] for windows [2,2] of an image [3,3]",
        ),
        (
            lambda: tg.adaptive_avg_pool2d(np.zeros((3, 4)), 2),
            ShapeError,
            "adaptive_avg_pool2d: input must be [N, C, H, W] or [C, H, W], with rows and columns, not [3,4]",
        ),
        (
            lambda: tg.max_pool1d(np.zeros((2, 3)), 2, padding=2),
            ValueError,
            "max_pool1d: padding (0, 2) is more than half of the window [1,2]",
        ),
        (
            lambda: tg.conv1d(np.zeros((2, 3, 4)), np.zeros((2, 3, 5))),
            ShapeError,
            "conv1d: the kernel is larger than the image, which has 4: it needs 5 columns; pad more, or "
            "take a smaller kernel (W + padding - dilation (k - 1) - 1 = 4 + 0 - 1 · 4 - 1 < 0)",
        ),
    ],
)
def test_errors_name_op_argument_and_shapes(call: Any, error: type[Exception], message: str) -> None:
    assert_refused(call, error, message)
