"""Matrix products, whole and in pieces, are products; each piece is as small as it is meant to be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import kernels
from tinygrad_conv.kernels import gemm
from tinygrad_conv.kernels.gemm import (
    LARGEST_UNPACKED,
    LARGEST_UNPACKED_TILE,
    LOW,
    NARROWEST_PIECE,
    matmul,
    multiply_in_pieces,
    multiply_in_tiles,
    piece_count,
)
from tinygrad_conv.kernels.window import make_window

from .helpers import more
from .test_kernels import Array

SHAPES: list[Any] = [
    (1, 9, 512),
    (16, 72, 1021),
    (3, 2, 0),
    (48, 32, 1024),
    (53, 47, 512),
]
LARGER = [
    (16, 72, 1024),
    (48, 300, 640),
    (49, 300, 640),
    (8, 144, 1200),
    (32, 37, 4096),
    (64, 64, 512),
    (80, 32, 2048),
    (160, 16, 300),
    (300, 200, 80),
]
SHAPES += [pytest.param(*sizes, marks=pytest.mark.exhaustive) for sizes in LARGER]


@pytest.fixture(autouse=True, params=[True, False], ids=["unpacked", "packed"])
def unpacked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[bool]:
    """On any processor, as if BLAS multiplied small matrices as they lie in memory, and as if it did not."""
    monkeypatch.setattr(gemm, "blas_multiplies_unpacked", lambda: request.param)
    gemm.tile_shape.cache_clear()
    yield request.param
    gemm.tile_shape.cache_clear()


@pytest.mark.parametrize(("rows", "inner", "columns"), SHAPES)
def test_products_are_those_of_matmul(rows: int, inner: int, columns: int) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 1, rows, inner)), rng.standard_normal((2, 3, inner, columns))
    expected = a @ b
    np.testing.assert_allclose(multiply_in_pieces(a, b), expected, atol=1e-11)
    out = np.full((3, 2, rows, columns), np.nan).swapaxes(0, 1)
    assert multiply_in_pieces(a, b, out=out) is out
    np.testing.assert_allclose(out, expected, atol=1e-11)


@pytest.mark.parametrize(("rows", "columns", "inner"), SHAPES)
@pytest.mark.parametrize("shared", [False, *more(True)])
def test_transposed_products_are_those_of_matmul(rows: int, columns: int, inner: int, shared: bool) -> None:
    rng = np.random.default_rng(0)
    a, b = (
        rng.standard_normal((2, 3, rows, inner)),
        rng.standard_normal((2, 1 if shared else 3, columns, inner)),
    )
    for first, second in ((a, b), (b, a)):
        expected = first @ second.swapaxes(-1, -2)
        out = np.full((3, *expected.shape[:1], *expected.shape[2:]), np.nan).swapaxes(0, 1)
        assert multiply_in_tiles(first, second, out=out) is out
        np.testing.assert_allclose(out, expected, atol=1e-10)


def test_pieces_are_few_equal_and_small_enough() -> None:
    for multiplications in (1, 700, 1200, 5000, 20_000):
        for columns in (0, 1, 64, 1000, 1021, 1024, 4096, 10_000):
            count = piece_count(multiplications, columns)
            assert count == 1 or (columns % count == 0 and columns // count >= NARROWEST_PIECE)
            if count > 1:
                assert multiplications * columns // count <= LARGEST_UNPACKED < multiplications * columns
    assert piece_count(16 * 72, 1024) == 2
    assert piece_count(16 * 72, 1021) == 1  # a prime number of columns


def test_what_is_multiplied_is_small(unpacked: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[tuple[int, int]] = []
    real = np.matmul

    def noted(a: np.ndarray, b: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        sizes.append((a.shape[-2] * b.shape[-1], a.shape[-2] * a.shape[-1] * b.shape[-1]))
        return np.asarray(real(a, b, out=out))

    monkeypatch.setattr(np, "matmul", noted)
    multiply_in_pieces(np.ones((LOW, 100)), np.ones((100, 4096)))
    multiply_in_tiles(np.ones((112, 800)), np.ones((32, 800)), out=np.empty((112, 32)))
    (_, low), tile = sizes
    assert (low <= LARGEST_UNPACKED) == unpacked
    assert (
        tile == (112 * 32, 112 * 32 * 800)
        if not unpacked
        else (tile[0] <= LARGEST_UNPACKED_TILE and tile[1] <= LARGEST_UNPACKED)
    )


def test_views_go_in_and_out() -> None:
    """As kernels have them: overlapping rows, and a place in a larger result."""
    rng = np.random.default_rng(0)
    rows, a = rng.standard_normal((8, 2000)), rng.standard_normal((LOW, 6))
    overlapping = np.lib.stride_tricks.as_strided(rows, (6, 3, 2000), (16000, 16000, 8))
    larger = np.zeros((6, 2, LOW, 2000))
    multiply_in_pieces(a[:, :3], overlapping, out=larger[:, 1])
    np.testing.assert_allclose(larger[:, 1], a[:, :3] @ overlapping, atol=1e-12)
    assert not larger[:, 0].any()
    product = np.zeros((6, 2, 3, LOW))
    multiply_in_tiles(overlapping, larger[:, 1], out=product[:, 1])
    np.testing.assert_allclose(product[:, 1], overlapping @ larger[:, 1].swapaxes(1, 2), atol=1e-10)
    assert not product[:, 0].any()


@pytest.mark.parametrize(
    "shapes", [((3, 4), (4, 5)), ((300, 200), (200, 300)), ((4, 60, 90), (90, 80)), ((90,), (90, 7))]
)
def test_matmul_is_numpys(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(shape) for shape in shapes)
    np.testing.assert_allclose(kernels.matmul(a, b), a @ b, atol=1e-10)
    assert kernels.matmul(a.astype(np.float32), b).dtype == np.float64


def test_products_of_layers_are_the_kernels_in_both_directions(monkeypatch: pytest.MonkeyPatch) -> None:
    """A product that NumPy is left alone with wakes threads of BLAS, which then spin in everybody's way."""
    shapes: list[tuple[int, ...]] = []
    real = kernels.matmul

    def counted(a: Array, b: Array) -> Array:
        product = real(a, b)
        shapes.append(product.shape)
        return product

    monkeypatch.setattr(kernels, "matmul", counted)
    x, w = (tg.Tensor(np.ones(shape, np.float32), requires_grad=True) for shape in ((5, 3), (4, 3)))
    tg.linear(x, w).sum().backward()
    assert sorted(shapes) == [(4, 3), (5, 3), (5, 4)]
    shapes.clear()
    (x @ w.T).sum().backward()
    assert sorted(shapes) == [(3, 4), (5, 3), (5, 4)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shapes", [((1, 1), (1, 3)), ((2, 1), (1, 1)), ((3, 1), (1, 4)), ((1, 2), (2, 1))])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nothing_times_infinity_is_no_number(
    shapes: tuple[tuple[int, int], tuple[int, int]], dtype: Any
) -> None:
    """`ndarray.dot` makes it 0 where one matrix is a single number."""
    for numbers in ((0, np.inf), (np.inf, 0), (np.nan, 0), (0, np.nan)):
        a, b = (np.full(shape, number, dtype) for shape, number in zip(shapes, numbers))
        assert np.isnan(matmul(a, b)).all()
        x, w = a[:, :, None, None], b.T[:, :, None, None]  # the same product as a convolution
        assert np.isnan(kernels.correlate(x, w, make_window((1, 1), (1, 1)))).all()
