"""Convolution without PyTorch: the article's numbers, the literal formulas, the adjoints, and what is
refused.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.errors import DtypeError, GradcheckError, ShapeError
from tinygrad_conv.ops.conv import conv2d_input_grad, conv2d_weight_grad

from .helpers import assert_refused

FLOATS = [np.float32, np.float64]


def image(rows: Any, dtype: Any, **arguments: Any) -> tg.Tensor:
    """A matrix as [1, 1, H, W]."""
    return tg.tensor(np.array(rows, dtype)[None, None], **arguments)


# The article's example.


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_articles_numbers(dtype: Any) -> None:
    x = image([[1, 2, 0], [0, 1, 1], [1, 0, 1]], dtype, requires_grad=True)
    w = image([[1, 0], [0, 1]], dtype, requires_grad=True)
    y = tg.conv2d(x, w)
    y.retain_grad()
    loss = ((y - tg.ones(1, 1, 2, 2)) ** 2).sum() / 2
    loss.backward()
    assert loss.item() == 3.5
    for array, expected in [
        (y.data, [[2, 3], [0, 2]]),
        (y.grad, [[1, 2], [-1, 1]]),
        (w.grad, [[6, 2], [1, 4]]),
        (x.grad, [[1, 2, 0], [-1, 2, 2], [0, -1, 1]]),
    ]:
        assert array is not None and array.dtype == dtype
        np.testing.assert_array_equal(array[0, 0], expected)
    with tg.no_grad():
        w -= 0.1 * w.grad
    step = np.array([[1, 0], [0, 1]], dtype) - dtype(0.1) * np.array([[6, 2], [1, 4]], dtype)
    np.testing.assert_array_equal(w.data[0, 0], step)
    np.testing.assert_allclose(w.data[0, 0], [[0.4, -0.2], [-0.1, 0.6]], atol=np.finfo(dtype).eps)


ARTICLE_X = [[1.0, 2.0, 0.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0]]
ARTICLE_DY = [[1.0, 2.0], [-1.0, 1.0]]


@pytest.mark.parametrize(
    ("kernel", "dx", "noticed"),
    [
        ([[1.0, 0.0], [0.0, 1.0]], [[1, 2, 0], [-1, 2, 2], [0, -1, 1]], False),  # its own flip
        ([[1.0, 2.0], [3.0, 4.0]], [[1, 4, 4], [2, 9, 10], [-3, -1, 4]], True),
    ],
    ids=["the article's", "not its own flip"],
)
def test_a_rule_that_forgets_the_flip(
    kernel: list[list[float]], dx: list[list[int]], noticed: bool, scratch_ops: None
) -> None:
    """It passes with the article's kernel, which is its own flip, and fails with one that is not."""

    @tg.primitive
    def correlation(x, w):
        return tg.conv2d(x, w)

    @correlation.grad("x")
    def correlation_dx(dy, w):
        return tg.conv2d(dy, w, padding=1)

    w = tg.tensor([[kernel]], tg.float64)

    def gradient(op: Any) -> Any:
        x = tg.tensor([[ARTICLE_X]], tg.float64, requires_grad=True)
        op(x, w).backward(np.array([[ARTICLE_DY]]))
        return x.grad[0, 0]

    np.testing.assert_array_equal(gradient(tg.conv2d), dx)
    assert np.array_equal(gradient(correlation), dx) is not noticed
    x = tg.tensor([[ARTICLE_X]], tg.float64, requires_grad=True)
    if noticed:
        with pytest.raises(GradcheckError, match="correlation_dx"):
            tg.gradcheck(correlation, x, w, repair=False)
    else:
        assert tg.gradcheck(correlation, x, w)


@pytest.mark.parametrize("dtype", FLOATS)
def test_true_convolution_flips_the_kernel(dtype: Any) -> None:
    x, w = image([[1, 2, 0], [0, 1, 1], [1, 0, 1]], dtype), image([[1, 2], [3, 4]], dtype)
    np.testing.assert_array_equal(tg.conv2d(x, w).data[0, 0], [[9, 9], [5, 7]])
    convolved = tg.conv2d(x, tg.flip(w, dims=(2, 3)))
    np.testing.assert_array_equal(convolved.data[0, 0], true_convolution(x.data[0, 0], w.data[0, 0]))
    np.testing.assert_array_equal(convolved.data[0, 0], [[11, 11], [5, 8]])


def true_convolution(x: Any, w: Any) -> Any:
    """Σ_ab X[i - a, j - b] W[a, b] where all of W meets X."""
    rows, columns = (x.shape[a] - w.shape[a] + 1 for a in (0, 1))
    y = np.zeros((rows, columns))
    for i, j, a, b in np.ndindex(rows, columns, *w.shape):
        y[i, j] += x[i + w.shape[0] - 1 - a, j + w.shape[1] - 1 - b] * w[a, b]
    return y


# The literal formula, and 'same'.


def correlation(x: Any, w: Any, stride: int, pads: tuple[Any, Any], dilation: int) -> Any:
    """Y[n,o,i,j] = Σ_cab X[n, c, s i + d a, s j + d b] · W[o,c,a,b], X padded with zeros: sum by sum."""
    x = np.pad(x, ((0, 0), (0, 0), *pads))
    rows, columns = (
        (x.shape[2 + axis] - dilation * (w.shape[2 + axis] - 1) - 1) // stride + 1 for axis in (0, 1)
    )
    y = np.zeros((x.shape[0], w.shape[0], rows, columns))
    for i, j, a, b in np.ndindex(rows, columns, *w.shape[2:]):
        y[:, :, i, j] += x[:, :, stride * i + dilation * a, stride * j + dilation * b] @ w[:, :, a, b].T
    return y


@pytest.mark.parametrize(
    "size, kernel, stride, dilation", list(itertools.product([5, 8], [1, 2, 3, 4], [1, 2, 3], [1, 2]))
)
def test_same_is_same_upper(size: int, kernel: int, stride: int, dilation: int) -> None:
    """ONNX's SAME_UPPER: P = ⌈H / stride⌉, and what cannot be shared equally is padded at the bottom and
    right.
    """
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 3, size, size + 1)), rng.standard_normal((4, 3, kernel, kernel))
    y = tg.conv2d(x, w, stride=stride, padding="same", dilation=dilation)
    pads = []
    for length in (size, size + 1):
        total = max(0, (-(-length // stride) - 1) * stride + dilation * (kernel - 1) + 1 - length)
        pads.append((total // 2, total - total // 2))
    assert y.shape == (2, 4, -(-size // stride), -(-(size + 1) // stride))
    np.testing.assert_allclose(y, correlation(x, w, stride, tuple(pads), dilation), atol=1e-12)


@pytest.mark.parametrize("pads", [((0, 2), (1, 0)), ((3, 0), (0, 0)), ((1, 1), (2, 2))])
def test_padding_of_each_side(pads: Any) -> None:
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 3, 5, 6)), rng.standard_normal((4, 3, 3, 2))
    np.testing.assert_allclose(
        tg.conv2d(x, w, padding=pads, stride=2), correlation(x, w, 2, pads, 1), atol=1e-12
    )


def test_rows_that_no_window_touches_get_exactly_zero() -> None:
    x = tg.randn(1, 2, 8, 9, requires_grad=True)
    tg.conv2d(x, tg.randn(3, 2, 3, 3), stride=3).sum().backward()
    assert x.grad is not None
    assert not x.grad[:, :, 6:].any() and x.grad[:, :, :6].all()


# The triple: ⟨dY, X ⋆ W⟩ is one number, whichever of its three derivatives computes it.


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("padding", [0, 2, ((0, 1), (2, 0)), "same"])
def test_the_three_are_adjoint(groups: int, padding: Any) -> None:
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((3, 4, 8, 7)), rng.standard_normal((8, 4 // groups, 3, 2))
    arguments = {"stride": 2, "padding": padding, "dilation": (1, 2), "groups": groups}
    y = tg.conv2d(x, w, **arguments)
    dy = rng.standard_normal(y.shape)
    form = np.sum(y * dy)
    by_input = np.sum(x * conv2d_input_grad(dy, w, input_size=(8, 7), **arguments))
    by_weight = np.sum(w * conv2d_weight_grad(x, dy, kernel_size=(3, 2), **arguments))
    np.testing.assert_allclose([by_input, by_weight], form, rtol=1e-12)


def test_the_transpose_is_the_adjoint() -> None:
    """conv_transpose2d is conv2d's input gradient: ⟨x ⋆ w, y⟩ = ⟨x, conv_transpose2d(y, w)⟩."""
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 3, 8, 8)), rng.standard_normal((4, 3, 3, 3))
    y = rng.standard_normal((2, 4, 4, 4))
    forward = np.sum(tg.conv2d(x, w, stride=2, padding=1) * y)
    back = tg.conv_transpose2d(y, w, stride=2, padding=1, output_padding=1)
    np.testing.assert_allclose(np.sum(x * back), forward, rtol=1e-12)


@pytest.mark.parametrize("name", ["conv2d", "conv_transpose2d"])
def test_unbatched_is_a_batch_of_one(name: str) -> None:
    rng = np.random.default_rng(0)
    x, w, b = rng.standard_normal((3, 6, 5)), rng.standard_normal((3, 3, 2, 2)), rng.standard_normal(3)
    function = getattr(tg, name)
    np.testing.assert_array_equal(function(x, w, b), function(x[None], w, b)[0])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_dtypes_stay(dtype: Any) -> None:
    x, w, b = (
        tg.tensor(np.ones(shape, dtype), requires_grad=True) for shape in [(2, 3, 5, 5), (4, 3, 3, 3), (4,)]
    )
    y = tg.conv2d(x, w, b, padding=1)
    y.sum().backward()
    assert {y.dtype, *(tensor.grad.dtype for tensor in (x, w, b) if tensor.grad is not None)} == {
        np.dtype(dtype)
    }
    np.testing.assert_array_equal(y.data[:, :, 2, 2], 28)


# What is refused, and how.


def ones(*shape: int) -> tg.Tensor:
    return tg.ones(*shape)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (
            lambda: tg.conv2d(ones(16, 3, 8, 8), ones(8, 4, 3, 3)),
            ShapeError,
            "conv2d: weight has 4 input channels but x has 3 (x [16,3,8,8], weight [8,4,3,3], groups=1)",
        ),
        (
            lambda: tg.conv2d(ones(1, 4, 8, 8), ones(6, 2, 3, 3), groups=4),
            ShapeError,
            "conv2d: groups must be a positive int that divides the output channels "
            "(x [1,4,8,8], weight [6,2,3,3], groups=4)",
        ),
        (
            lambda: tg.conv2d(ones(1, 3, 8, 8), ones(6, 3, 3, 3), ones(5)),
            ShapeError,
            "conv2d: bias must have one number for each of 6 output channels, not [5]",
        ),
        (
            lambda: tg.conv2d(ones(8, 8), ones(1, 1, 3, 3)),
            ShapeError,
            "conv2d: x must be [N, C, H, W], or [C, H, W] without a batch, not [8,8]",
        ),
        (
            lambda: tg.conv2d(ones(1, 3, 8, 8), ones(3, 3, 3)),
            ShapeError,
            "conv2d: weight must be [O, C/groups, kh, kw], not [3,3,3]",
        ),
        (
            lambda: tg.conv2d(ones(1, 1, 2, 8), ones(1, 1, 3, 3), dilation=2, padding=(1, 0)),
            ShapeError,
            "conv2d: the kernel (of size 3, dilated by 2) is larger than the image, which has 2 and 2 of "
            "padding: it needs 5 rows; pad more, or take a smaller kernel "
            "(H + padding - dilation (k - 1) - 1 = 2 + 2 - 2 · 2 - 1 < 0)",
        ),
        (
            lambda: tg.conv2d(ones(1, 1, 8, 2), ones(1, 1, 3, 3)),
            ShapeError,
            "conv2d: the kernel is larger than the image, which has 2: it needs 3 columns; pad more, or "
            "take a smaller kernel (W + padding - dilation (k - 1) - 1 = 2 + 0 - 1 · 2 - 1 < 0)",
        ),
        (
            lambda: tg.conv2d(ones(1, 1, 4, 4), ones(1, 1, 2, 2), stride=0),
            ValueError,
            "conv2d: stride must be at least 1, got 0",
        ),
        (
            lambda: tg.conv2d(ones(1, 1, 4, 4), ones(1, 1, 2, 2), padding=-1),
            ValueError,
            "conv2d: padding must be at least 0, got -1",
        ),
        (
            lambda: tg.conv2d(ones(1, 1, 4, 4), ones(1, 1, 2, 2), padding="full"),
            ValueError,
            "conv2d: padding must be an int, a pair, ((top, bottom), (left, right)), "
            "'valid' or 'same', not 'full'",
        ),
        (
            lambda: tg.conv2d(ones(1, 1, 4, 4), ones(1, 1, 2, 2), dilation=1.5),
            TypeError,
            "conv2d: dilation must be an int or a sequence of ints, not 1.5",
        ),
        (
            lambda: tg.conv2d(np.ones((1, 1, 4, 4), np.int64), ones(1, 1, 2, 2)),
            DtypeError,
            "conv2d: x must be floating-point, not int64[1,1,4,4]; use x.float()",
        ),
        (
            lambda: tg.conv_transpose2d(ones(1, 3, 4, 4), ones(4, 3, 2, 2)),
            ShapeError,
            "conv_transpose2d: weight has 4 input channels but input has 3 "
            "(input [1,3,4,4], weight [4,3,2,2], groups=1)",
        ),
        (
            lambda: tg.conv_transpose2d(ones(1, 3, 4, 4), ones(3, 2, 2, 2), stride=2, output_padding=2),
            ValueError,
            "conv_transpose2d: output_padding 2 must be smaller than stride 2 or dilation 1",
        ),
        (
            lambda: tg.conv_transpose2d(ones(1, 3, 4, 4), ones(3, 2, 2, 2), ones(3)),
            ShapeError,
            "conv_transpose2d: bias must have one number for each of 2 output channels, not [3]",
        ),
    ],
)
def test_errors_name_op_argument_and_shapes(call: Any, error: type[Exception], message: str) -> None:
    assert_refused(call, error, message)
