"""Functions beyond the ops, by NumPy's formulas: values, several results, gradients at special places."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.errors import RuleError, ShapeError

from .helpers import leaf

X = np.array([[0.5, -1.5, 2.25], [-0.25, 3.0, -2.0]])
Y = np.array([[2.0, -0.5, 1.5], [1.0, -2.0, 0.75]])
SQUARE = np.arange(9.0).reshape(3, 3) - 4
BOOLS = np.array([[True, False, True], [False, False, True]])
INTEGERS = np.array([3, 0, 3, 1])
ROW = np.array([0.25, -1.0, 2.0])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


VALUES = [  # name, arguments, what NumPy makes of them
    ("floor", (X,), np.floor(X)),
    ("ceil", (X,), np.ceil(X)),
    ("trunc", (X,), np.trunc(X)),
    ("round", (np.array([0.5, 1.5, -2.5]),), [0.0, 2.0, -2.0]),
    ("round", (X, 1), np.round(X, 1)),
    ("frac", (X,), X - np.trunc(X)),
    ("square", (X,), X**2),
    ("rsqrt", (np.abs(X),), np.abs(X) ** -0.5),
    ("reciprocal", (X,), 1 / X),
    ("log1p", (np.abs(X),), np.log1p(np.abs(X))),
    ("expm1", (X,), np.expm1(X)),
    ("exp2", (X,), 2**X),
    ("log2", (np.array([0.25, 8.0]),), [-2.0, 3.0]),
    ("log10", (np.array([0.01, 1000.0]),), [-2.0, 3.0]),
    ("tan", (X,), np.tan(X)),
    ("asin", (X / 4,), np.arcsin(X / 4)),
    ("acos", (X / 4,), np.arccos(X / 4)),
    ("atan", (X,), np.arctan(X)),
    ("sinh", (X,), np.sinh(X)),
    ("cosh", (X,), np.cosh(X)),
    ("erf", (X,), np.vectorize(math.erf)(X)),
    ("erfc", (X,), np.vectorize(math.erfc)(X)),
    ("nan_to_num", (np.array([np.nan, np.inf, -np.inf, 1.0]), 2.0, 3.0, 4.0), [2.0, 3.0, 4.0, 1.0]),
    ("div", (X, Y), X / Y),
    ("floor_divide", (X, Y), X // Y),
    ("floor_divide", (np.array([7, -7]), np.array([2, 2])), [3, -4]),
    ("remainder", (X, Y), X % Y),
    ("fmod", (X, Y), np.fmod(X, Y)),
    ("lerp", (X, Y, 0.25), X + 0.25 * (Y - X)),
    ("lerp", (X, Y, Y), X + Y * (Y - X)),
    ("addcmul", (X, X, Y), X + X * Y),
    ("addcdiv", (X, X, Y), X + X / Y),
    ("asinh", (X,), np.arcsinh(X)),
    ("acosh", (1 + X**2,), np.arccosh(1 + X**2)),
    ("atanh", (X / 4,), np.arctanh(X / 4)),
    ("copysign", (X, np.array([-0.0, 0.0, -1.0])), np.abs(X) * [-1, 1, -1]),
    ("signbit", (np.array([-0.0, 0.0, -np.inf, 2.0]),), [True, False, True, False]),
    ("logaddexp", (X, Y), np.log(np.exp(X) + np.exp(Y))),
    ("logaddexp", (np.array([1000.0, -np.inf]), np.array([1000.0, -np.inf])), [1000 + np.log(2), -np.inf]),
    ("bitwise_and", (INTEGERS, 2), [2, 0, 2, 0]),
    ("bitwise_or", (INTEGERS, 2), [3, 2, 3, 3]),
    ("bitwise_xor", (INTEGERS, 2), [1, 2, 1, 3]),
    ("bitwise_xor", (BOOLS, BOOLS), np.zeros_like(BOOLS)),
    ("bitwise_not", (INTEGERS,), [-4, -1, -4, -2]),
    ("bitwise_left_shift", (INTEGERS, 2), [12, 0, 12, 4]),
    ("bitwise_right_shift", (INTEGERS, 1), [1, 0, 1, 0]),
    ("logcumsumexp", (X, 1), np.log(np.cumsum(np.exp(X), 1))),
    ("scatter_reduce", (ROW, 0, np.array([2, 0, 2]), X[0], "sum"), [-1.25, -1.0, 4.75]),
    ("scatter_reduce", (ROW, 0, np.array([2, 0, 2]), X[0], "mean"), [-0.625, -1.0, 4.75 / 3]),
    ("scatter_reduce", (ROW, 0, np.array([2, 0, 2]), X[0], "prod"), [-0.375, -1.0, 2.25]),
    ("scatter_reduce", (ROW, 0, np.array([2, 0, 2]), X[0], "amax"), [0.25, -1.0, 2.25]),
    ("scatter_reduce", (ROW, 0, np.array([2, 0, 2]), X[0], "amin"), [-1.5, -1.0, 0.5]),
    ("scatter_reduce", (np.array(5), 0, np.array(0), np.array(2), "mean"), 3),
    ("logical_and", (X, BOOLS), BOOLS),
    ("logical_or", (BOOLS, ~BOOLS), np.ones_like(BOOLS)),
    ("logical_xor", (BOOLS, BOOLS), np.zeros_like(BOOLS)),
    ("logical_not", (BOOLS,), ~BOOLS),
    ("isnan", (np.array([np.nan, np.inf, 0]),), [True, False, False]),
    ("isinf", (np.array([np.nan, -np.inf, 0]),), [False, True, False]),
    ("isfinite", (np.array([np.nan, -np.inf, 0]),), [False, False, True]),
    ("isclose", (X, X + 1e-9), np.ones_like(BOOLS)),
    ("all", (BOOLS,), False),
    ("all", (BOOLS, 0), [False, False, True]),
    ("any", (BOOLS, 1, True), [[True], [True]]),
    ("count_nonzero", (BOOLS,), 3),
    ("count_nonzero", (BOOLS, 0), [1, 0, 2]),
    ("nonzero", (BOOLS,), [[0, 0], [0, 2], [1, 2]]),
    ("argwhere", (BOOLS,), [[0, 0], [0, 2], [1, 2]]),
    ("argsort", (np.array([2.0, np.nan, 1.0, 2.0]),), [2, 0, 3, 1]),
    ("argsort", (np.array([2.0, np.nan, 1.0, 2.0]), -1, True), [1, 0, 3, 2]),
    ("median", (X,), -0.25),
    ("unique", (INTEGERS,), [0, 1, 3]),
    ("bincount", (INTEGERS,), [1, 1, 0, 2]),
    ("bincount", (INTEGERS, np.array([0.5, 1, 2, 4]), 6), [1, 4, 0, 2.5, 0, 0]),
    ("isin", (INTEGERS, np.array([0, 1])), [False, True, False, True]),
    ("mm", (X, Y.T), X @ Y.T),
    ("mv", (X, ROW), X @ ROW),
    ("dot", (ROW, ROW), ROW @ ROW),
    ("outer", (ROW, ROW), np.outer(ROW, ROW)),
    ("addmm", (np.ones(2), X, Y.T), 1 + X @ Y.T),
    ("addmv", (np.ones(2), X, ROW), 1 + X @ ROW),
    ("baddbmm", (np.ones(2), X[None], Y.T[None]), 1 + (X @ Y.T)[None]),
    ("tril", (SQUARE, -1), np.tril(SQUARE, -1)),
    ("triu", (SQUARE, 1), np.triu(SQUARE, 1)),
    ("diag", (ROW, -1), np.diag(ROW, -1)),
    ("diag", (SQUARE, 1), np.diag(SQUARE, 1)),
    ("diagonal", (X, 1), np.diagonal(X, 1)),
    ("diag_embed", (X,), X[:, :, None] * np.eye(3)),
    ("trace", (SQUARE,), np.trace(SQUARE)),
    ("cumprod", (X, 1), np.cumprod(X, 1)),
    ("cumprod", (INTEGERS, 0), [3, 0, 0, 0]),
    ("diff", (X, 1, 1), np.diff(X)),
    ("swapaxes", (X, 0, 1), X.T),
    ("movedim", (np.ones((2, 3, 4)), 0, -1), np.ones((3, 4, 2))),
    ("t", (X,), X.T),
    ("ravel", (X,), X.ravel()),
    ("unflatten", (ROW, 0, (3, 1)), ROW[:, None]),
    ("select", (X, 1, -1), X[:, -1]),
    ("narrow", (X, 1, -2, 2), X[:, 1:]),
    ("index_select", (X, 1, np.array([2, 0, 0])), X[:, [2, 0, 0]]),
    ("index_select", (X, 1, np.array(2)), X[:, 2:]),
    ("index_select", (X, 0, np.array([], int)), X[:0]),
    (
        "index_add",
        (X, 1, np.array([2, 2]), Y[:, :2]),
        X + np.stack([0 * ROW[:2], 0 * ROW[:2], Y[:, :2].sum(1)], 1),
    ),
    ("index_fill", (ROW, 0, np.array([1]), 9.0), [0.25, 9.0, 2.0]),
    ("scatter", (ROW, 0, np.array([2, 0]), np.array([7.0, 8.0])), [8.0, -1.0, 7.0]),
    ("scatter", (ROW, 0, np.array([2]), 7.0), [0.25, -1.0, 7.0]),
    ("take", (X, np.array([[0, -1]])), [[0.5, -2.0]]),
    ("take_along_dim", (X, np.argsort(X, 1), 1), np.sort(X, 1)),
    ("masked_select", (X, BOOLS), X[BOOLS]),
    ("repeat_interleave", (ROW, 2), np.repeat(ROW, 2)),
    ("repeat_interleave", (X, np.array([0, 3]), 0), np.repeat(X, [0, 3], 0)),
    ("broadcast_to", (ROW, (2, 3)), np.broadcast_to(ROW, (2, 3))),
    ("tile", (X, (2,)), np.tile(X, 2)),
    ("tile", (X, 3), np.tile(X, 3)),
    ("fliplr", (X,), X[:, ::-1]),
    ("flipud", (X,), X[::-1]),
    *[("rot90", (X, turns), np.rot90(X, turns)) for turns in range(-1, 4)],
    ("hstack", ([ROW, ROW],), np.hstack([ROW, ROW])),
    ("vstack", ([ROW, X],), np.vstack([ROW, X])),
    ("dstack", ([X, X],), np.dstack([X, X])),
    ("column_stack", ([ROW, ROW],), np.column_stack([ROW, ROW])),
    ("atleast_1d", (np.array(2.0),), [2.0]),
    ("atleast_2d", (ROW,), ROW[None]),
    ("atleast_3d", (X,), X[..., None]),
    ("mish", (X,), X * np.tanh(np.log1p(np.exp(X)))),
    ("hardswish", (X,), X * np.clip(X + 3, 0, 6) / 6),
    ("hardsigmoid", (X,), np.clip(X + 3, 0, 6) / 6),
    ("celu", (X, 2.0), np.where(X > 0, X, 2 * np.expm1(X / 2))),
    ("softsign", (X,), X / (1 + np.abs(X))),
    ("tanhshrink", (X,), X - np.tanh(X)),
    ("hardshrink", (X,), np.where(np.abs(X) <= 0.5, 0, X)),
    ("softshrink", (X,), np.sign(X) * np.maximum(np.abs(X) - 0.5, 0)),
    ("threshold", (X, 0.5, 7.0), np.where(X > 0.5, X, 7.0)),
    ("glu", (np.hstack([X, Y]),), X * sigmoid(Y)),
    ("softmin", (X, 1), np.exp(-X) / np.exp(-X).sum(1, keepdims=True)),
    ("normalize", (X,), X / np.sqrt((X**2).sum(1, keepdims=True))),
    ("cosine_similarity", (X, Y), (X * Y).sum(1) / np.sqrt((X**2).sum(1) * (Y**2).sum(1))),
    ("pairwise_distance", (X, Y), np.sqrt(((X - Y + 1e-6) ** 2).sum(1))),
    ("embedding", (np.array([[1, 0]]), X), X[None, [1, 0]]),
    ("kl_div", (X, np.abs(Y), "batchmean"), (np.abs(Y) * (np.log(np.abs(Y)) - X)).sum() / 2),
    ("adaptive_avg_pool1d", (X, 1), X.mean(1, keepdims=True)),
    ("adaptive_max_pool1d", (X, 1), X.max(1, keepdims=True)),
    ("local_response_norm", (X[None], 1), X / (1 + 1e-4 * X**2) ** 0.75),
]


@pytest.mark.parametrize(
    ("name", "arguments", "expected"), VALUES, ids=[f"{name}-{n}" for n, (name, *_) in enumerate(VALUES)]
)
def test_values(name, arguments, expected):
    tensors = [tg.tensor(value) if isinstance(value, np.ndarray) else value for value in arguments]
    expected = np.asarray(expected)
    for y in (getattr(tg, name)(*arguments), getattr(tg, name)(*tensors)):
        np.testing.assert_allclose(np.asarray(y).reshape(expected.shape), expected, rtol=1e-12, atol=1e-15)
        assert np.asarray(y).dtype.kind == expected.dtype.kind


def test_several_results():
    values, indices = tg.sort(tg.tensor(X), dim=1, descending=True)
    np.testing.assert_array_equal(values, -np.sort(-X, 1))
    np.testing.assert_array_equal(indices, np.argsort(-X, 1))
    top = tg.tensor(X).topk(2)
    np.testing.assert_array_equal(top.values, values[:, :2])
    np.testing.assert_array_equal(top.indices, indices[:, :2])
    np.testing.assert_array_equal(tg.topk(X, 1, largest=False).values, X.min(1, keepdims=True))
    np.testing.assert_array_equal(tg.kthvalue(X, 2).values, np.sort(X)[:, 1])
    np.testing.assert_array_equal(tg.median(tg.tensor(X), 1).values, np.median(X, 1))
    assert math.isnan(tg.median(tg.tensor([1.0, math.nan])))
    for ours, theirs in zip(
        tg.unique(INTEGERS, return_inverse=True, return_counts=True),
        np.unique(INTEGERS, return_inverse=True, return_counts=True),
    ):
        np.testing.assert_array_equal(ours, theirs)
    for indexing in ("ij", "xy"):
        for ours, theirs in zip(
            tg.meshgrid(ROW, X[0], indexing=indexing), np.meshgrid(ROW, X[0], indexing=indexing)
        ):
            np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(tg.nonzero(tg.tensor(BOOLS), as_tuple=True), np.nonzero(BOOLS), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(tg.where(tg.tensor(BOOLS)), np.nonzero(BOOLS), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(tg.unbind(X, 1), X.T, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(tg.tensor_split(ROW, 2), np.array_split(ROW, 2), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(tg.broadcast_tensors(ROW, X), np.broadcast_arrays(ROW, X), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(tg.var_mean(X, correction=0), (X.var(), X.mean()), strict=True):
        np.testing.assert_allclose(ours, theirs)
    for ours, theirs in zip(tg.std_mean(X, 0), (X.std(0, ddof=1), X.mean(0)), strict=True):
        np.testing.assert_allclose(ours, theirs)


def test_running_extremes():
    row = np.array([1.0, 3.0, 3.0, 2.0, np.nan, 4.0])
    values, indices = tg.cummax(tg.tensor(row), 0)
    np.testing.assert_array_equal(values, [1, 3, 3, 3, np.nan, np.nan])
    np.testing.assert_array_equal(indices, [0, 1, 2, 2, 4, 4])
    values, indices = tg.tensor(-row).cummin(-1)
    np.testing.assert_array_equal(values, [-1, -3, -3, -3, np.nan, np.nan])
    np.testing.assert_array_equal(indices, [0, 1, 2, 2, 4, 4])
    assert tg.cummax(np.ones((2, 0)), 1).indices.shape == (2, 0)
    assert tg.cummin(np.array(2.0), 0).indices == 0


def test_windows_slide_along_a_dimension():
    x = tg.tensor(np.arange(10.0).reshape(2, 5), requires_grad=True)
    y = x.unfold(1, 3, 2)
    np.testing.assert_array_equal(y.data, [[[0, 1, 2], [2, 3, 4]], [[5, 6, 7], [7, 8, 9]]])
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [[1, 1, 2, 1, 1]] * 2)
    assert x.unfold(0, 0, 1).shape == (3, 5, 0)
    with pytest.raises(ShapeError, match="unfold: size must be from 0 to 2, the size of dim=0, not 3"):
        x.unfold(0, 3, 1)
    with pytest.raises(ValueError, match="unfold: step must be at least 1, not 0"):
        x.unfold(0, 1, 0)


def test_an_index_of_nothing_scatters_nothing():
    nothing, x = tg.zeros(0, 3, dtype=tg.int64), tg.tensor(X)
    for y in (x.scatter(0, nothing, 5.0), x.scatter_add(0, nothing, tg.tensor(X)), x.clone()):
        np.testing.assert_array_equal(y, X)
    assert x.gather(0, nothing[:, :2]).shape == (0, 2)


def test_the_older_words_of_scatter():
    index, src = tg.tensor([0, 0, 2]), tg.tensor(X[1])
    np.testing.assert_array_equal(tg.tensor(ROW).scatter(0, index, src, reduce="add"), [3.0, -1.0, 0.0])
    np.testing.assert_array_equal(tg.scatter(ROW, 0, index, value=2.0, reduce="multiply"), [1.0, -1.0, 4.0])
    with pytest.raises(ValueError, match="scatter: reduce must be 'add' or 'multiply'"):
        tg.scatter(ROW, 0, index, src, reduce="sum")
    with pytest.raises(ValueError, match="scatter_reduce: reduce must be 'sum', 'prod', 'mean', 'amax' or"):
        tg.scatter_reduce(ROW, 0, index, src, "max")


@pytest.mark.parametrize("weight", [1, 1.0, np.ones(3, np.float32), tg.ones(3)], ids=repr)
def test_the_end_of_a_way_is_exactly_there(weight):
    """Though the way is so long that it is rounded, or infinite."""
    start, end = np.array([1e30, -1e8, np.inf], np.float32), np.array([1, 2.5, 3], np.float32)
    with np.errstate(invalid="ignore"):
        y = tg.lerp(start, end, weight)
    np.testing.assert_array_equal(y.data[:2], end[:2])
    assert tg.lerp(start, end, 0.75).data[2] == np.inf


def test_the_slopes_of_x_log_y_where_y_is_0():
    """The slope of x is log y = -∞, which does not change with x."""
    x, y = tg.tensor([1.0, 2.0], requires_grad=True), tg.tensor([0.0, 3.0], requires_grad=True)
    with np.errstate(divide="ignore"):
        (slope,) = tg.grad(tg.xlogy(x, y).sum(), [x], create_graph=True)
        of_x, of_y = tg.grad(slope.sum(), [x, y], allow_unused=True)
    assert of_x is None or not of_x.data.any()
    np.testing.assert_allclose(of_y.data, [np.inf, 1 / 3])


def test_answers_that_are_no_tensors():
    x = tg.tensor(X)
    assert tg.allclose(x, x + 1e-9) is x.allclose(x) is True
    assert tg.equal(x, x) is True
    assert tg.equal(x, x[0]) is x.equal(x + 1) is False
    assert x.is_floating_point() is True
    assert (x > 0).is_floating_point() is False
    assert (tg.numel(x), x.nelement(), x.ndimension(), x.element_size()) == (6, 6, 2, 8)
    assert (x.stride(), x.T.stride(0), x.T.is_contiguous()) == ((3, 1), 1, False)
    assert x.mT.shape == (3, 2)


def test_quotients_are_rounded():
    a, b = np.array([7.0, -7.0]), 2.0
    np.testing.assert_array_equal(tg.div(a, b, rounding_mode="floor"), [3, -4])
    np.testing.assert_array_equal(tg.div(tg.tensor(a), b, rounding_mode="trunc"), [3, -3])
    whole = tg.div(tg.tensor([7, -7]), 2, rounding_mode="trunc")
    np.testing.assert_array_equal(whole, [3, -3])
    assert whole.dtype == np.int64
    np.testing.assert_array_equal(tg.tensor([7, -7]) // 2, [3, -4])
    np.testing.assert_array_equal(7 % tg.tensor([4.0, -4.0]), [3, -1])
    x = tg.tensor(a, requires_grad=True)
    np.testing.assert_array_equal(x.div(b, rounding_mode="floor").detach(), [3, -4])
    with pytest.raises(ValueError, match="div: rounding_mode must be 'floor' or 'trunc'"):
        tg.div(a, b, rounding_mode="up")
    for function in (tg.floor_divide, tg.remainder, tg.fmod):
        with pytest.raises(ZeroDivisionError, match=f"{function.__name__}: integers cannot be divided by 0"):
            function(tg.tensor([1]), tg.tensor([0]))


def test_decimals_of_large_numbers_are_kept():
    """x · 10ⁿ overflows: in float16 that of 100 does."""
    for dtype, numbers in ((np.float16, [100.0, 6e4, 1.26]), (np.float64, [1.7e308, -5e307, 1.26])):
        x = tg.tensor(np.array([*numbers, np.inf, np.nan], dtype))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            y = tg.round(x, decimals=3)
        np.testing.assert_array_equal(y.data, x.data)
        assert y.dtype == dtype
    assert tg.round(tg.tensor([1.26, -1.25, 15.0]), decimals=1).tolist() == pytest.approx([1.3, -1.2, 15.0])


def test_products_of_many_halves_are_rounded_once():
    factors = (1 + np.random.default_rng(0).standard_normal(2000) * 1e-3).astype(np.float16)
    index = np.zeros(2000, np.intp)
    y = tg.scatter_reduce(tg.ones(1, dtype=tg.float16), 0, index, tg.tensor(factors), "prod")
    assert y.dtype == np.float16
    assert y.item() == pytest.approx(np.prod(factors.astype(np.float64)), rel=1e-3)


def test_the_median_of_all_shares_its_gradient():
    x = tg.tensor([3.0, 1.0, 1.0, 2.0, 0.0], requires_grad=True)
    x.median().backward()
    np.testing.assert_array_equal(x.grad, [0, 0.5, 0.5, 0, 0])


def test_the_median_of_nothing_is_a_tensor():
    x = tg.zeros(0, 3, dtype=tg.float16, requires_grad=True)
    y = x.median()
    assert y.isnan().item() and y.dtype == np.float16
    y.backward()
    assert x.grad.shape == (0, 3)
    assert tg.zeros(0, dtype=tg.int32).median().dtype == np.int32


@pytest.mark.parametrize("row", [[2.0, 0.0, 3.0], [0.0, 0.0, 3.0], [2.0], [0.0], []])
def test_products_have_gradients_at_zeros(row):
    x = tg.tensor(np.array(row), requires_grad=True)
    tg.cumprod(x, 0).sum().backward()
    expected = [
        sum(np.prod(np.delete(row[: end + 1], place)) for end in range(place, len(row)))
        for place in range(len(row))
    ]
    np.testing.assert_allclose(x.grad, expected)


def test_a_padding_row_gets_no_gradient():
    weight = leaf(3, 2)
    tg.embedding(np.array([0, 1, 1]), weight, padding_idx=-3).sum().backward()
    np.testing.assert_array_equal(weight.grad, [[0, 0], [2, 2], [0, 0]])


def test_channels_are_dropped_as_a_whole():
    tg.manual_seed(0)
    for function, shape in ((tg.dropout1d, (8, 4, 5)), (tg.dropout3d, (8, 4, 2, 2, 2))):
        y = np.asarray(function(np.ones(shape))).reshape(8, 4, -1)
        assert np.all((y == 0).all(2) | (y == 2).all(2))
        assert 0 < np.mean(y == 0) < 1
    x = np.random.default_rng(0).standard_normal(100_000)
    y = np.asarray(tg.alpha_dropout(x, 0.3, training=True))
    assert abs(y.mean()) < 0.02
    assert abs(y.std() - 1) < 0.02


def test_the_order_of_a_norm_may_be_a_tensor_without_dimensions():
    x = tg.tensor([3.0, 4.0])
    assert x.norm(tg.tensor(2.0)).item() == 5 and x.norm("fro").item() == 5
    with pytest.raises(RuleError, match=r"p is a param, .* pass p.detach\(\)"):
        x.norm(tg.tensor(2.0, requires_grad=True))
    with pytest.raises(ValueError, match="p must be a number or 'fro', not 'nuc'"):
        x.norm("nuc")
