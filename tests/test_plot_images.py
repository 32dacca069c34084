"""Images beside each other, in whatever range their pixels are."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.errors import DtypeError, ShapeError

pytestmark = pytest.mark.extras
pytest.importorskip("matplotlib")


def test_images_have_captions_and_stand_in_a_square(ax):
    pictures = np.linspace(0, 1, 5 * 4 * 4).reshape(5, 1, 4, 4).astype(np.float32)
    tg.plot.images(ax, tg.tensor(pictures), [f"{number}, $not$" for number in range(5)])
    assert len(ax.images) == 5 and [text.get_text() for text in ax.texts][4] == "4, $not$"
    lefts = [round(image.get_extent()[0], 2) for image in ax.images]
    assert lefts == [0, 1.12, 2.24, 0, 1.12]
    np.testing.assert_array_equal(ax.images[3].get_array(), pictures[3, 0])


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((3, 8, 8), np.uint8),
        ((2, 1, 5, 9), np.float16),
        ((2, 3, 9, 5), np.float64),
        ((2, 3, 4, 4), np.uint8),
        ((1, 1, 1, 1), np.int64),
        ((12, 2, 2), bool),
    ],
    ids=str,
)
def test_images_of_every_shape_and_dtype_are_drawn(ax, shape, dtype):
    tg.plot.images(ax, (np.random.default_rng(0).random(shape) * 255).astype(dtype))
    assert len(ax.images) == shape[0]
    for image in ax.images:
        assert image.get_array().min() >= 0 and image.get_array().max() <= 1


@pytest.mark.parametrize(
    ("pixels", "shown"),
    [
        (np.array([0, 51, 255], np.uint8), [0, 0.2, 1]),
        (np.array([0.25, 0.5, 0.5]), [0.25, 0.5, 0.5]),
        (np.array([-1.0, 0, 3]), [0, 0.25, 1]),
        (np.array([-1e308, 0, 1e308]), [0, 0.5, 1]),
        (np.array([7.0, 7, 7]), [0, 0, 0]),
        (np.array([0, 5, 10]), [0, 0.5, 1]),
    ],
    ids=str,
)
def test_pixels_in_any_range_are_shown(ax, pixels, shown):
    tg.plot.images(ax, pixels.reshape(1, 1, 1, 3))
    np.testing.assert_allclose(ax.images[0].get_array(), [shown])


def test_pixels_that_are_not_finite_are_crossed_out(ax):
    pictures = np.zeros((2, 3, 2, 2))
    pictures[1, 2, 0, 1] = np.nan
    tg.plot.images(ax, pictures)
    first, second = ax.lines
    assert len(first.get_xdata()) == 0 and len(second.get_xdata()) == 1


@pytest.mark.parametrize("shape", [(0, 1, 8, 8), (0, 8, 8), (2, 0, 8)], ids=str)
def test_no_images_are_said(ax, shape):
    tg.plot.images(ax, np.zeros(shape), [] if shape[0] == 0 else None)
    assert [text.get_text() for text in ax.texts] == ["no images"]


@pytest.mark.parametrize(
    ("pictures", "options", "error", "message"),
    [
        (np.zeros((8, 8)), {}, ShapeError, r"pictures must be \[N, H, W\].*, not \[8,8\]"),
        (np.zeros((2, 2, 8, 8)), {}, ShapeError, r"pictures must be .*, not \[2,2,8,8\]"),
        (np.zeros((2, 8, 8)), {"captions": ["a"]}, ValueError, "a caption for each image; got 1 for 2"),
        (np.zeros((2, 8, 8)), {"captions": "ab"}, TypeError, "captions must be a sequence of texts"),
        (np.zeros((2, 8, 8)), {"columns": 0}, ValueError, "columns must be at least 1, not 0"),
        (np.zeros((2, 8, 8)), {"cmap": 3}, TypeError, "cmap must be a str, not 3"),
        (np.array(["a"]), {}, DtypeError, "pictures must be real numbers"),
    ],
    ids=str,
)
def test_what_are_no_images_is_refused(ax, pictures, options, error, message):
    with pytest.raises(error, match=f"images: {message}"):
        tg.plot.images(ax, pictures, **options)
