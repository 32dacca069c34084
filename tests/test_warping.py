"""Images read along a grid: what is read, what becomes of places outside, and the gradients."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.errors import DtypeError, ShapeError
from tinygrad_conv.nn import functional as F

SAME = np.tile(np.eye(2, 3), (2, 1, 1))
PADDINGS = ("zeros", "border", "reflection")


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
def test_the_grid_of_no_change_reads_the_image(align_corners, mode):
    x = numbers(2, 3, 4, 5)
    grid = F.affine_grid(tg.tensor(SAME), x.shape, align_corners=align_corners)
    read = F.grid_sample(x, grid, mode=mode, align_corners=align_corners)
    np.testing.assert_allclose(read, x, atol=1e-12)


def test_a_place_between_pixels_is_their_mean_by_distance():
    image = np.array([[[[0.0, 1.0], [10.0, 11.0]]]])
    place = np.array([[[[0.5, -0.5]]]])  # x, y: three quarters of the way to the right, one down
    assert F.grid_sample(image, place, align_corners=True).item() == pytest.approx(0.75 + 10 * 0.25)


@pytest.mark.parametrize(
    "padding_mode, expected",
    [("zeros", [0, 0.5, 1.5, 0]), ("border", [1, 1, 3, 3]), ("reflection", [2, 1.5, 2.5, 1])],
)
def test_what_lies_outside(padding_mode, expected):
    row, pixels = np.array([[[[1.0, 2.0, 3.0]]]]), np.array([-1.0, -0.5, 2.5, 4.0])
    places = np.stack([pixels - 1, np.zeros(4)], axis=-1)[None, None]
    read = F.grid_sample(row, places, padding_mode=padding_mode, align_corners=True)
    np.testing.assert_allclose(read.data.ravel(), expected)


def test_no_number_at_a_place_of_nan():
    grid = np.array([[[[np.nan, 0.0], [0.0, 0.0], [1e30, 0.0]]]])
    read = F.grid_sample(np.ones((1, 1, 3, 3)), grid, align_corners=False)
    np.testing.assert_array_equal(read.data.ravel(), [np.nan, 1, 0])


@pytest.mark.exhaustive
@pytest.mark.parametrize("padding_mode", PADDINGS)
@pytest.mark.parametrize("align_corners", [True, pytest.param(False, marks=pytest.mark.exhaustive)])
def test_gradients_and_their_gradients(padding_mode, align_corners):
    image = tg.tensor(numbers(2, 2, 4, 5), requires_grad=True)
    grid = tg.tensor(np.random.default_rng(1).uniform(-1.3, 1.3, (2, 3, 2, 2)), requires_grad=True)
    options = {"padding_mode": padding_mode, "align_corners": align_corners}
    assert tg.gradcheck(lambda x, places: F.grid_sample(x, places, **options), image, grid, order=2)
    theta = tg.tensor(numbers(2, 2, 3), requires_grad=True)
    assert tg.gradcheck(lambda theta: F.affine_grid(theta, (2, 1, 3, 4), align_corners), theta)


def test_a_replay_reads_at_its_own_places():
    @tg.replay
    def read(image, grid):
        return F.grid_sample(image, grid, padding_mode="reflection").sum()

    for seed in range(5):
        image, grid = tg.tensor(numbers(1, 2, 4, 5, seed=seed)), tg.tensor(numbers(1, 3, 3, 2, seed=seed))
        expected = F.grid_sample(image, grid, padding_mode="reflection").sum()
        assert read(image, grid).item() == expected.item()
    assert read.replays > 0


def test_float16_is_rounded_once():
    image, grid = numbers(1, 2, 6, 6).astype(np.float16), (numbers(1, 4, 4, 2) / 2).astype(np.float16)
    read = F.grid_sample(image, grid, align_corners=False)
    wide = F.grid_sample(image.astype(np.float32), grid.astype(np.float32), align_corners=False)
    np.testing.assert_array_equal(read.data, wide.data.astype(np.float16))


IMAGE, GRID = np.zeros((2, 1, 3, 3)), np.zeros((2, 4, 4, 2))


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda: F.grid_sample(IMAGE[0], GRID), ShapeError, r"grid_sample: input must be \[N, C, H, W\]"),
        (lambda: F.grid_sample(IMAGE, GRID[:1]), ShapeError, r"grid must be \[2, P, Q, 2\], not \[1,4,4,2\]"),
        (lambda: F.grid_sample(IMAGE, GRID[..., :1]), ShapeError, r"grid must be \[2, P, Q, 2\]"),
        (lambda: F.grid_sample(IMAGE, GRID, mode="bicubic"), ValueError, "grid_sample: mode must be"),
        (lambda: F.grid_sample(IMAGE, GRID, padding_mode="circular"), ValueError, "padding_mode must be"),
        (lambda: F.grid_sample(IMAGE, GRID.astype(int)), DtypeError, "grid_sample: grid"),
        (lambda: F.affine_grid(SAME[0], (2, 1, 3, 3)), ShapeError, r"theta must be \[2, 2, 3\], not \[2,3\]"),
        (lambda: F.affine_grid(SAME, (2, 3, 3)), ShapeError, r"size must be \(N, C, H, W\)"),
        (lambda: F.affine_grid(SAME, (2, 1, 0, 3)), ShapeError, "each at least 1"),
        (lambda: F.affine_grid(SAME.astype(int), (2, 1, 3, 3)), DtypeError, "affine_grid: theta"),
    ],
)
def test_refusals(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.torch
@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize("padding_mode", PADDINGS)
@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
@pytest.mark.parametrize("shape", [(2, 3, 5, 4), (1, 1, 1, 1), (2, 1, 1, 6), (1, 2, 7, 2)])
def test_as_in_pytorch(shape, mode, padding_mode, align_corners):
    torch = pytest.importorskip("torch")
    grid = np.random.default_rng(2).uniform(-2.6, 2.6, (shape[0], 5, 4, 2))
    grid[:, 0, 0], grid[:, 0, 1], grid[:, 0, 2] = -1, 1, 0  # corners and the middle, exactly
    upstream, results = numbers(*shape[:2], 5, 4, seed=3), []
    for lib in (tg, torch):
        x, places = (lib.tensor(each, requires_grad=True) for each in (numbers(*shape), grid))
        y = lib.nn.functional.grid_sample(x, places, mode, padding_mode, align_corners)
        (y * lib.tensor(upstream)).sum().backward()
        grads = [x.grad] if mode == "nearest" else [x.grad, places.grad]
        results.append([y.detach(), *grads])
    for ours, theirs in zip(*results):
        np.testing.assert_allclose(np.asarray(ours), theirs, atol=1e-12)


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:Since version 1.3.0, affine_grid")
@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize("size", [(2, 3, 5, 4), (2, 1, 1, 1), (2, 1, 1, 6)])
def test_grids_as_in_pytorch(size, align_corners):
    torch = pytest.importorskip("torch")
    results = []
    for lib in (tg, torch):
        theta = lib.tensor(numbers(2, 2, 3), requires_grad=True)
        grid = lib.nn.functional.affine_grid(theta, size, align_corners)
        (grid * grid).sum().backward()
        results.append((grid.detach(), theta.grad))
    for ours, theirs in zip(*results):
        np.testing.assert_allclose(np.asarray(ours), theirs, atol=1e-12)


@pytest.mark.parametrize("padding_mode", PADDINGS)
def test_the_nearest_pixel_does_not_change_with_its_place(padding_mode):
    """So the gradient of the grid is 0, and is there where the image has none."""
    grid = tg.tensor(np.random.default_rng(1).uniform(-2, 2, (2, 3, 2, 2)), requires_grad=True)
    read = F.grid_sample(numbers(2, 2, 4, 5), grid, mode="nearest", padding_mode=padding_mode)
    read.sum().backward()
    np.testing.assert_array_equal(grid.grad, np.zeros(grid.shape))
