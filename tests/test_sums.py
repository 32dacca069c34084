"""Sums of many numbers, against sums in higher precision: over every axis, memory order and dtype."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import kernels
from tinygrad_conv.ops.resample import SHORT_AXIS

from .helpers import more
from .test_kernels import MEMORY_ORDERS

EXACT = {np.float16: np.float64, np.float32: np.float64, np.float64: np.longdouble}
MOST = 4  # roundings that a sum of positive numbers may be away from the exact one; by pairs it is 1 to 3

TABLE = [  # shape, axes
    ((1 << 20,), 0),
    ((1 << 20, 2), 0),
    ((2, 500_001), 1),
    ((100_003, 3), 0),
    ((5001, 17), 0),
    ((600, 300), 0),
    ((2000, 300), (0,)),
    ((65, 130), 0),
    ((500, 2), 0),
    ((1000,), 0),
    ((100_003, 2), None),
    ((3, 40_000, 5), 1),
    ((40_000, 3, 5), (0, 2)),
    ((300, 7, 11, 5), (0, 2)),
    ((300, 7, 11, 5), (1, 3)),
    ((64, 16, 28, 28), (0, 2, 3)),
    ((64, 28, 28, 16), (0, 1, 2)),
]


def laid_out(base, order):
    """The same numbers in another memory order."""
    if order == "Fortran":
        return np.asfortranarray(base)
    if order == "reversed":
        return base[::-1].copy()[::-1]
    if order == "every second":
        return np.repeat(base, 2, -1)[..., ::2]
    if order == "expanded":
        return np.broadcast_to(base[:1], base.shape)
    return base


def roundings(sums, exact):
    """By how many units of the last place sums differ, at most."""
    return np.max(np.abs(sums / exact - 1), initial=0) / np.finfo(sums.dtype).eps


@pytest.mark.parametrize("order", ["C", "Fortran", *more("reversed", "every second", "expanded")])
@pytest.mark.parametrize("dtype", EXACT)
@pytest.mark.parametrize(("shape", "axes"), TABLE)
def test_a_sum_is_as_exact_as_one_by_pairs(shape, axes, dtype, order):
    numbers = np.random.default_rng(0).random(shape, np.float64 if dtype is np.float64 else np.float32)
    base = (numbers / (64 if dtype is np.float16 else 1)).astype(dtype)
    x = laid_out(base, order)
    exact = x.astype(EXACT[dtype]).sum(axes)
    if dtype is np.float16 and np.max(exact) > 60_000:
        x, exact = x / dtype(64), exact / 64
        exact = x.astype(EXACT[dtype]).sum(axes)
    for keepdims in (False, True):
        sums = kernels.sum_over(x, axes, keepdims)
        assert sums.dtype == dtype and sums.shape == x.sum(axes, keepdims=keepdims).shape
        assert roundings(sums.reshape(exact.shape), exact) <= MOST


@pytest.mark.parametrize("order", MEMORY_ORDERS)
def test_channels_are_summed_as_exactly_in_every_memory_order(order):
    shape = (64, 8, 30, 31)
    numbers = np.random.default_rng(0).random([shape[axis] for axis in order], dtype=np.float32)
    x = numbers.transpose(np.argsort(order))
    assert roundings(kernels.sum_by_channel(x), x.astype(np.float64).sum((0, 2, 3))) <= MOST


def million(value=1.0, columns=2):
    return np.full((1 << 20, columns), value, np.float32)


def alternating():
    """A million rows of ±100."""
    return million(100) * np.where(np.arange(1 << 20) % 2, 1, -1)[:, None].astype(np.float32)


MANY_ROWS = {
    "mean": (lambda: tg.mean(million(0.1), dim=0), np.float32(0.1)),
    "sum": (lambda: tg.sum(million(0.1), dim=0), (1 << 20) * np.float64(np.float32(0.1))),
    "var": (lambda: tg.var(alternating(), dim=0), 1e4),
    "std": (lambda: tg.std(alternating(), dim=0), 100),
    "norm": (lambda: tg.norm(million(0.1), dim=0), (1 << 10) * np.float64(np.float32(0.1))),
    "norm, p = 1": (lambda: tg.norm(million(0.1), 1, dim=0), (1 << 20) * np.float64(np.float32(0.1))),
    "softmax": (lambda: tg.softmax(million(), 0)[0], 2.0**-20),
    "log_softmax": (lambda: tg.log_softmax(million(0.3), 0)[0], -np.log(2.0**20)),
    "logsumexp": (lambda: tg.logsumexp(million(0.0), 0), np.log(2.0**20)),
    "sum_to": (lambda: tg.ops.sum_to(million(0.1), shape=(1, 2)), (1 << 20) * np.float64(np.float32(0.1))),
    "cumsum": (lambda: tg.cumsum(million(0.1), 0)[-1], (1 << 20) * np.float64(np.float32(0.1))),
    "mse_loss": (lambda: tg.mse_loss(million(0.1).T, million(0.0).T), np.float32(0.1) ** 2),
    "batch_norm": (
        lambda: tg.std(tg.batch_norm(alternating(), None, None, training=True), dim=0, unbiased=False),
        1,
    ),
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", MANY_ROWS)
def test_reductions_over_a_million_rows(name):
    compute, expected = MANY_ROWS[name]
    np.testing.assert_allclose(np.asarray(compute()), expected, rtol=1e-6)


def test_the_bias_gradient_of_a_million_rows():
    x, dy = np.ones((1 << 20, 2), np.float32), np.full((1 << 20, 3), 0.1, np.float32)
    bias = tg.zeros(3, requires_grad=True)
    tg.linear(x, np.zeros((3, 2), np.float32), bias).backward(dy)
    np.testing.assert_allclose(bias.grad, (1 << 20) * np.float64(np.float32(0.1)), rtol=1e-6)


def test_the_gradient_of_what_was_expanded_a_million_times():
    x = tg.zeros(1, 2, requires_grad=True)
    x.expand(1 << 20, 2).backward(million(0.1))
    np.testing.assert_allclose(x.grad, (1 << 20) * np.float64(np.float32(0.1)), rtol=1e-6)


PRODUCTS = {  # of constants: in each the same number is added up many times
    "one operand, leading axis": ("ij->j", "LN"),
    "one operand, a diagonal": ("iij->j", "MMN"),
    "what the other operand lacks": ("ij,k->jk", "LN,N"),
    "both alone": ("ij,kl->jl", "LN,LN"),
}
MATRIX_PRODUCTS = {  # which BLAS, or NumPy's einsum, adds up, some one after another
    "matrix": ("ij,ik->jk", "LN,LN"),
    "vectors": ("i,i->", "L,L"),
    "a vector and a matrix": ("ij,i->j", "LN,L"),
    "one along the other": ("ij,ij->j", "LN,LN"),
    "three operands": ("ij,ij,ij->j", "LN,LN,LN"),
}
SIZES = {"L": 1 << 18, "M": 300, "N": 2}
MOST_OF_BLAS = 200  # roundings; PyTorch's own is hundreds off, and thousands


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", PRODUCTS | MATRIX_PRODUCTS)
def test_products_of_many(name):
    equation, shapes = (PRODUCTS | MATRIX_PRODUCTS)[name]
    inputs, kept = equation.split("->")
    shapes = [[SIZES[letter] for letter in shape] for shape in shapes.split(",")]
    sizes = {
        letter: size
        for letters, shape in zip(inputs.split(","), shapes)
        for letter, size in zip(letters, shape)
    }
    count = prod(size for letter, size in sizes.items() if letter not in kept)
    for dtype in (np.float32, np.float16):
        rng, unit = np.random.default_rng(0), 1e-4 if dtype is np.float16 else 1
        arrays = [np.full(shape, unit * rng.random(), dtype) for shape in shapes]
        y = np.asarray(tg.einsum(equation, *arrays))
        exact = count * np.prod([array.flat[0] for array in arrays], dtype=np.float64)
        assert y.dtype == dtype and y.shape == tuple(sizes[letter] for letter in kept)
        largest = MOST if name in PRODUCTS or dtype is np.float16 else MOST_OF_BLAS
        assert np.max(np.abs(y - exact)) <= largest * max(
            np.finfo(dtype).eps * exact, np.finfo(dtype).smallest_subnormal
        )


MATMULS = [((3, 1 << 18), (1 << 18, 2)), ((1 << 18,), (1 << 18, 2)), ((2, 1, 1 << 18), (2, 1 << 18, 1))]


@pytest.mark.exhaustive
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize(("a", "b"), [*MATMULS, ((1 << 18,), (1 << 18,))])
def test_a_matrix_product_of_long_rows(a, b, dtype):
    first, second = np.full(a, 0.3, dtype), np.full(b, 0.1, dtype)
    exact = (1 << 18) * float(dtype(0.3)) * float(dtype(0.1))
    y = np.asarray(tg.matmul(first, second))
    assert y.dtype == dtype and y.shape == np.matmul(np.zeros(a, np.int8), np.zeros(b, np.int8)).shape
    assert roundings(y, exact) <= (MOST_OF_BLAS if dtype is np.float32 else 1)


MIXED = {  # what many numbers are added up to, each of them 0.1, and how many
    "adaptive_avg_pool2d": (
        lambda x: tg.adaptive_avg_pool2d(x, 1) * x.dtype.type(512),
        (1, 2, 512, 512),
        512,
    ),
    "adaptive_avg_pool2d, narrow": (
        lambda x: tg.adaptive_avg_pool2d(x, 1) * x.dtype.type(512),
        (1, 1, 1 << 18, 1),
        512,
    ),
    "adaptive_avg_pool2d, many cells": (
        lambda x: tg.adaptive_avg_pool2d(x, (700, 1)) * x.dtype.type(699),
        (1, 1, 699 * 700, 1),
        699,
    ),
    "fold": (
        lambda x: tg.fold(x[0, 0], (200, 1), (100, 1))[..., 99:101, :],
        (1, 1, 100, 101),
        100,
    ),
    "sum_windows": (lambda x: tg.ops.sum_windows(x, kernel_size=512), (1, 1, 512, 512), 1 << 18),
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("name", MIXED)
def test_what_is_mixed_of_many(name, dtype):
    function, shape, count = MIXED[name]
    value = dtype(0.1 if dtype is np.float32 else 0.01)
    y = np.asarray(function(np.full(shape, value)))
    assert y.dtype == dtype and roundings(y, count * float(value)) <= MOST


@pytest.mark.exhaustive
@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_the_gradient_of_what_was_stretched_a_million_times(mode, dtype):
    x, length = tg.zeros(1, 1, 2, dtype=dtype, requires_grad=True), 1 << 18
    value = dtype(0.1 if dtype is np.float32 else 0.01)
    tg.interpolate(x, size=length, mode=mode).backward(np.full((1, 1, length), value))
    assert roundings(np.asarray(x.grad), length // 2 * float(value)) <= MOST


@pytest.mark.exhaustive
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("kernel", [(1, 3), (40, 40)])
def test_windows_that_share_their_maximum(kernel, dtype):
    image = np.zeros((1, 1, 2 * kernel[0] - 1, 2 * kernel[1] - 1), dtype)
    image[..., kernel[0] - 1, kernel[1] - 1] = 1
    x = tg.tensor(image, requires_grad=True)
    y = tg.max_pool2d(x, kernel, stride=1)
    y.backward(np.full(y.shape, 0.1, dtype))
    assert roundings(np.asarray(x.grad).max(), kernel[0] * kernel[1] * float(dtype(0.1))) <= 1


COUNTED = {  # of 70,000 numbers, more than float16 can count
    "mean": (tg.mean, 1 / 70_000),
    "max": (tg.max, 1 / 70_000),
    "amin": (tg.amin, 1 / 70_000),
    "norm, p = inf": (lambda x: tg.norm(x, float("inf")), 1 / 70_000),
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", COUNTED)
def test_counts_are_not_kept_in_float16(name):
    function, expected = COUNTED[name]
    x = tg.tensor(np.ones(70_000, np.float16), requires_grad=True)
    function(x).backward()
    np.testing.assert_allclose(x.grad, np.float16(expected), rtol=1e-3)


@pytest.mark.parametrize("function", [tg.var, tg.std])
def test_a_variance_of_many_halves_has_a_gradient(function):
    values = np.where(np.arange(70_000) % 2, 200, -200).astype(np.float16)
    x = tg.tensor(values, requires_grad=True)
    function(x).backward()
    wide = tg.tensor(values.astype(np.float32), requires_grad=True)
    function(wide).backward()
    np.testing.assert_allclose(x.grad, wide.grad.astype(np.float16), rtol=2e-3)
    assert np.all(x.grad != 0)


def test_a_window_of_many_halves():
    x = tg.tensor(np.full((1, 1, 256, 256), 3, np.float16), requires_grad=True)
    y = tg.avg_pool2d(x, 256)
    y.sum().backward()
    assert y.item() == 3 and np.all(x.grad == np.float16(2.0**-16))


def test_halves_are_counted_through():
    ones = np.ones(5000, np.float16)
    np.testing.assert_array_equal(np.asarray(tg.cumsum(ones, 0)), np.arange(1, 5001).astype(np.float16))


ROOTS = [
    (lambda x: tg.norm(x), [0.0, 1e30], 1e30),
    (lambda x: tg.norm(x), [0.0, 1e-30], 1e-30),
    (lambda x: tg.norm(x, 3), [1e30, 1e30], 2 ** (1 / 3) * 1e30),
    (lambda x: tg.norm(x, -1), [1e-30, 1e-30], 5e-31),
    (lambda x: tg.std(x), [0.0, 1e30], 0.5**0.5 * 1e30),
    (lambda x: tg.std(x), [0.0, 1e-30], 0.5**0.5 * 1e-30),
]


@pytest.mark.parametrize(("function", "values", "expected"), ROOTS)
def test_a_root_is_there_where_its_powers_are_not(function, values, expected):
    np.testing.assert_allclose(function(np.array(values, np.float32)), expected, rtol=1e-6)


DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float32", "float64"]


@pytest.mark.parametrize("name", ["sum", "prod", "cumsum", "cumprod"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_sum_has_the_dtype_that_was_asked_for(name, dtype):
    """As NumPy's, which computes in it; and without one integers, unsigned ones too, give int64."""
    for given in DTYPES:
        x = np.array([[3, 2, 100], [7, 0, 60]]).astype(given)
        right = getattr(np, name)(x.astype(dtype), 0, dtype)
        for y in (getattr(tg, name)(x, 0, dtype=dtype), getattr(tg.tensor(x), name)(0, dtype=dtype).data):
            np.testing.assert_array_equal(y, right, strict=True)
        alone = getattr(tg, name)(x, 0)
        assert alone.dtype == (given if x.dtype.kind == "f" else np.int64)


@pytest.mark.parametrize("mean", [tg.mean, tg.Tensor.mean])
def test_a_mean_has_no_dtype_of_integers(mean):
    with pytest.raises(tg.errors.DtypeError, match="mean: dtype must be float16, float32 or float64, not"):
        mean(tg.tensor([1.0, 2.0]), dtype=tg.int32)
    assert mean(tg.tensor([1, 2]), dtype=tg.float64).dtype == np.float64


@pytest.mark.parametrize("name", ["cumprod", "logcumsumexp"])
def test_halves_are_combined_in_float32(name):
    """Rounded in every step, they would be several roundings away, and their gradients hundreds."""
    numbers = np.random.default_rng(0).uniform(0.9, 1.1, 64).astype(np.float16)
    x, wide = (tg.tensor(numbers.astype(dtype), requires_grad=True) for dtype in (np.float16, np.float64))
    for leaf in (x, wide):
        getattr(tg, name)(leaf, 0).sum().backward()
    y, right = (getattr(tg, name)(leaf, 0).detach().numpy() for leaf in (x, wide))
    assert y.dtype == x.grad.dtype == np.float16
    assert roundings(y, right) <= 0.5
    np.testing.assert_allclose(x.grad, wide.grad, rtol=1e-3)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_a_product_of_many_numbers_is_rounded_once(dtype):
    numbers = np.random.default_rng(0).standard_normal((2000, 3)) * 0.02 + 1
    x = tg.tensor(numbers.astype(dtype), requires_grad=True)
    exact = np.cumprod(x.data.astype(np.float64), 0)
    products, last = tg.cumprod(x, 0), tg.prod(x, 0)
    assert products.dtype == last.dtype == dtype
    assert roundings(products.data, exact) <= 1
    assert roundings(last.data, exact[-1]) <= 1
    for product in (products[-1], last):
        (dx,) = tg.grad(product.sum(), [x])
        assert dx.dtype == dtype
        np.testing.assert_allclose(dx.data, exact[-1] / x.data, rtol=2 * np.finfo(dtype).eps)


@pytest.mark.parametrize("length", [5, SHORT_AXIS - 2, SHORT_AXIS + 1])
def test_what_is_kept_of_an_axis_serves_the_next_call_as_it_did_the_first(length):
    """Short axes are looked up, long ones are not; the same lengths with other places are another matrix."""
    for seed in range(2):
        row = np.random.default_rng(seed).standard_normal((1, 2, length))
        for before, after in ((3, 1), (1, 3)):
            for mode, numpys in (("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")):
                x = tg.tensor(row, requires_grad=True)
                y = tg.nn.functional.pad(x, (before, after), mode=mode)
                np.testing.assert_array_equal(y.data, np.pad(row, ((0, 0), (0, 0), (before, after)), numpys))
                y.backward(np.ones(y.shape))
                reads = np.pad(np.arange(length), (before, after), numpys)
                np.testing.assert_array_equal(x.grad, np.broadcast_to(np.bincount(reads), row.shape))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "float16", "float32"])
def test_the_mean_of_what_is_scattered_to_a_place(dtype):
    """Neither the sums nor the counts of 5,000 numbers fit into a byte, or into float16 to the last one."""
    rng = np.random.default_rng(0)
    index, numbers = rng.integers(0, 3, 70_000), rng.integers(0, 100, 70_000)
    place, source = tg.zeros(3, dtype=dtype), tg.tensor(numbers.astype(dtype))
    if dtype.startswith("float"):
        place.requires_grad_()
        source.requires_grad_()
    mean = tg.scatter_reduce(place, 0, tg.tensor(index), source, "mean")
    counts = 1 + np.bincount(index)
    right = np.bincount(index, numbers) / counts
    assert mean.dtype == dtype
    np.testing.assert_array_equal(mean.data, right.astype(dtype))
    if mean.requires_grad:
        mean.backward(np.ones(3, dtype))
        np.testing.assert_array_equal(place.grad, (1 / counts).astype(dtype))
        np.testing.assert_array_equal(source.grad, (1 / counts).astype(dtype)[index])


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_quantiles_of_more_numbers_than_float16_counts(dtype):
    x = np.random.default_rng(0).standard_normal(70_001).astype(dtype)
    for share in (0.3, np.array([0.1, 0.9], dtype)):
        quantile = tg.quantile(tg.tensor(x), share)
        assert quantile.dtype == dtype
        right = np.quantile(x.astype(np.float64), np.asarray(share, np.float64))
        np.testing.assert_allclose(quantile.data, right, rtol=2e-3)
