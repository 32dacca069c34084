"""Rules of the array ops where random interior points cannot tell a right rule from a wrong one: zeros,
infinities, sizes 0 and 1, the exact numbers a condition compares with, the edge of what is allowed. Expected
are literal formulas, or what PyTorch gives.
"""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.engine.registry import OPS
from tinygrad_conv.errors import ShapeError

from .helpers import assert_gradients, gradient_cases

INF, NAN = np.inf, np.nan

PLACES = [  # op, inputs, params, the gradients of the sum
    # torch.pow: 0 for every exponent 0; in b, 0^b ln 0 = -inf where b < 0
    ("pow", [[INF, -INF], [0.0, 0.0]], {}, [[0.0, 0.0], [INF, NAN]]),
    ("pow", [[0.0, 0.0], [-0.5, -1.0]], {}, [[-INF, -INF], [-INF, -INF]]),
    # torch.var over everything: NaN of one element, infinite where n ≤ correction and x deviates
    ("var", [[5.0]], {}, [[NAN]]),
    ("var", [[5.0]], {"correction": 2}, [[NAN]]),
    # (x - x̄) / (n y), with y exactly 1; likewise where the variance underflows or overflows; 0 where y is
    ("std", [[-1.0, 1.0]], {"correction": 0}, [[-0.5, 0.5]]),
    ("std", [[-1e-200, 1e-200]], {}, [[-(0.5**0.5), 0.5**0.5]]),
    ("std", [[-1e200, 1e200]], {}, [[-(0.5**0.5), 0.5**0.5]]),
    ("std", [[3.0, 3.0]], {}, [[0.0, 0.0]]),
    # softmax of nothing but -inf: no summand has a share
    ("logsumexp", [[[-INF, -INF], [0.0, 0.0]]], {"dim": 1}, [[[0.0, 0.0], [0.5, 0.5]]]),
    # torch.linalg.vector_norm: sign(x) (|x| / y)^(p - 1)
    ("vector_norm", [[1.0, -1.0, 2.0]], {"p": 3}, [[10 ** (-2 / 3), -(10 ** (-2 / 3)), 4 * 10 ** (-2 / 3)]]),
    ("vector_norm", [[0.0, 4.0]], {"p": 0.5}, [[0.0, 1.0]]),
    ("vector_norm", [[0.0, 3.0, 2.0]], {"p": -1}, [[0.0, 0.0, 0.0]]),
    # one dimension that is not there has the size 1: -1 and 0 name it
    ("cumsum", [3.0], {"dim": -1}, [1.0]),
    ("prod", [3.0], {"dim": -1}, [1.0]),
    ("repeat", [3.0], {"repeats": ()}, [1.0]),
    ("repeat", [3.0], {"repeats": (2, 3)}, [6.0]),
]


@gradient_cases(PLACES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_gradient_at_a_special_place(op, inputs, params, expected):
    assert_gradients(op, inputs, params, expected)


def test_the_gradient_of_a_sign_is_0_whatever_comes_back_to_it():
    # torch.sign: zeros, where a product with 0 would be NaN
    x, dy = (
        tg.Tensor(np.array(numbers), requires_grad=True)
        for numbers in ([-2.0, 0.0, 3.0, 1.0], [INF, -INF, NAN, 5.0])
    )
    (arrays,) = tg.grad(tg.sign(x), x, dy)
    (tensors,) = tg.grad(tg.sign(x), x, dy, create_graph=True)
    (ddy,) = tg.grad(tensors, dy, np.full(4, INF))
    for gradient in (arrays, tensors, ddy):
        np.testing.assert_array_equal(gradient.data, np.zeros(4))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_gradient_of_a_sign_keeps_its_dtype(dtype):
    x = tg.Tensor(np.ones((2, 0), dtype), requires_grad=True)
    (dx,) = tg.grad(tg.sign(x), x, np.ones((2, 0), dtype), create_graph=True)
    assert (dx.shape, dx.dtype) == ((2, 0), dtype)


@pytest.mark.parametrize("reshape", [tg.reshape, tg.Tensor.reshape, tg.Tensor.view])
def test_a_shape_has_no_sizes_below_minus_one(reshape):
    # NumPy would take any of them for -1
    x = tg.Tensor(np.ones((2, 3)))
    assert reshape(x, (3, -1)).shape == (3, 2)
    assert reshape(x[:, :1], (-1,)).shape == (2,)
    with pytest.raises(
        ShapeError, match=r"reshape: sizes are 0 or more, or -1 for .*, not -3 as in \[2,-3\]"
    ):
        reshape(x, (2, -3))
    with pytest.raises(ShapeError, match=r"reshape: .*, not -2 as in \[-1,-2\]"):
        reshape(x, (-1, -2))
    with pytest.raises(ShapeError, match="only one size may be -1"):
        reshape(x, (2, -1, -1))


def hessian(function, *numbers):
    """∂²y/∂x∂x at these numbers: the gradient of each element of the gradient."""
    x = tg.Tensor(np.array(numbers), requires_grad=True)
    (dx,) = tg.grad(function(x), x, create_graph=True)
    rows = [tg.grad(dx[at], x, retain_graph=True)[0].data for at in range(len(numbers))]
    return np.stack(rows)


def test_the_hessian_of_the_euclidean_norm_where_an_element_is_0():
    # (1 - x xᵀ / y²) / y
    x = np.array([0.0, 3.0, 4.0])
    np.testing.assert_allclose(hessian(tg.norm, *x), (np.eye(3) - np.outer(x, x) / 25) / 5, rtol=1e-12)


def test_the_1_norm_is_linear_also_at_infinity():
    np.testing.assert_array_equal(hessian(lambda x: tg.norm(x, p=1), INF, 1.0), np.zeros((2, 2)))


def test_the_deviation_of_equal_numbers_has_gradients_of_0_of_every_order():
    np.testing.assert_array_equal(hessian(lambda x: tg.std(x), 2.0, 2.0), np.zeros((2, 2)))
    dy = tg.Tensor(np.ones(()), requires_grad=True)
    x = tg.Tensor(np.array([2.0, 2.0]), requires_grad=True)
    (dx,) = tg.grad(tg.std(x), x, dy, create_graph=True)
    (ddy,) = tg.grad(dx.sum(), dy)
    assert ddy.item() == 0.0


def test_no_degree_of_freedom_is_left():
    # torch.var([1, 2, 3], correction=4): inf, never a negative variance
    x = np.array([1.0, 2.0, 3.0])
    with np.errstate(all="ignore"):
        assert tg.var(tg.Tensor(x), correction=4).item() == INF
        assert np.isnan(tg.var(tg.Tensor(x[:1])).item())


def test_the_gradient_of_a_mean_of_nothing_is_linear_in_dy():
    # there is no x to hand anything to, so dY's own gradient is an empty sum
    x, dy = tg.Tensor(np.zeros((0, 3)), requires_grad=True), tg.Tensor(np.ones(3), requires_grad=True)
    with np.errstate(all="ignore"):
        (dx,) = tg.grad(tg.mean(x, dim=0), x, dy, create_graph=True)
        (ddy,) = tg.grad(dx.sum(), dy)
    np.testing.assert_array_equal(ddy.data, np.zeros(3))


@pytest.mark.parametrize("dim", [-2, 1])
def test_a_number_has_no_second_dimension(dim):
    with pytest.raises(ShapeError, match="out of range"):
        tg.cumsum(tg.Tensor(3.0), dim)


@pytest.mark.parametrize(("kernel", "dilation", "reach"), [(2, 3, 4), (3, 2, 5), (4, 1, 4), (1, 5, 1)])
def test_a_pooling_may_pad_half_of_what_its_window_reaches_over(kernel, dilation, reach):
    # torch.max_pool2d: "pad should be at most half of effective kernel size", dilation (k - 1) + 1
    x = tg.Tensor(-np.ones((1, 1, 9, 9)), requires_grad=True)
    tg.max_pool2d(x, kernel, 1, padding=reach // 2, dilation=dilation).sum().backward()
    windows = 9 + 2 * (reach // 2) - reach + 1
    assert x.grad.sum() == windows**2
    with pytest.raises(ValueError, match="more than half of the window"):
        tg.max_pool2d(x, kernel, 1, padding=reach // 2 + 1, dilation=dilation)


@pytest.mark.parametrize("argument", ["kernel_size", "stride", "dilation"])
def test_windows_of_nothing_are_refused(argument):
    with pytest.raises(ValueError, match=f"{argument} must be at least 1"):
        tg.max_pool2d(tg.Tensor(np.ones((1, 1, 4, 4))), **{"kernel_size": 2, argument: 0})


def test_padding_and_images_of_less_than_nothing_are_refused():
    x, w = tg.Tensor(np.ones((1, 1, 3, 3))), tg.Tensor(np.ones((1, 1, 1, 1)))
    for padding in (-1, (0, -1), ((-1, 0), (0, 0)), ((0, 0), (0, -1))):
        with pytest.raises(ValueError, match="padding must be at least 0"):
            tg.conv2d(x, w, padding=padding)
    with pytest.raises(ValueError, match="input size must be at least 0"):
        OPS["conv2d_input_grad"](x, w, input_size=(-1, 3), padding=2)


@pytest.mark.parametrize("size", [(3, 3), (3, 1), (2, 4), (1, 4)])
def test_an_output_error_larger_than_the_windows_make_is_refused(size):
    # 3 rows and 4 columns under a kernel of 2 make 2 rows and 3 columns of windows
    with pytest.raises(ShapeError, match="but the windows make"):
        OPS["conv2d_input_grad"](
            tg.Tensor(np.ones((1, 1, *size))), tg.Tensor(np.ones((1, 1, 2, 2))), input_size=(3, 4)
        )


def test_windows_may_be_given_as_lists():
    # dX: how many windows cover each place; rows are two apart, columns one
    x = tg.Tensor(np.ones((1, 1, 4, 3)), requires_grad=True)
    tg.avg_pool2d(x, [2, 2], stride=[2, 1], divisor_override=1).sum().backward()
    np.testing.assert_array_equal(x.grad[0, 0], np.tile([1.0, 2.0, 1.0], (4, 1)))


def test_a_mean_that_does_not_count_padding():
    # windows 0 to 3 cover 1, 2, 2, 1 of the 3 rows: the means of ones are 1, and the rows have 1 + ½, ½ + ½,
    # ½ + 1
    x = tg.Tensor(np.ones((1, 1, 3, 3)), requires_grad=True)
    y = tg.avg_pool2d(x, 2, stride=1, padding=1, count_include_pad=False)
    y.sum().backward()
    np.testing.assert_array_equal(y.data[0, 0], np.ones((4, 4)))
    np.testing.assert_array_equal(x.grad[0, 0], np.outer([1.5, 1.0, 1.5], [1.5, 1.0, 1.5]))


def test_the_last_window_of_ceil_mode_begins_in_the_image_or_the_padding_before_it():
    # of 3 rows the second window begins at 3 - 1 = 2, inside; of 3 columns it would begin at 3, in the
    # padding after them
    x = tg.Tensor(np.arange(9.0).reshape(1, 1, 3, 3), requires_grad=True)
    y = tg.max_pool2d(x, 2, stride=3, padding=((1, 0), (0, 1)), ceil_mode=True)
    y.sum().backward()
    np.testing.assert_array_equal(y.data[0, 0], [[1.0], [7.0]])
    np.testing.assert_array_equal(x.grad[0, 0], [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def test_a_window_of_ceil_mode_that_begins_in_the_padding_after_the_image_is_left_out():
    # as torch.max_pool2d: of ⌈(3 + 2 - 2) / 2⌉ + 1 = 3 windows the last would begin at 4 = 3 + 1
    x = tg.Tensor(np.arange(9.0).reshape(1, 1, 3, 3), requires_grad=True)
    y = tg.max_pool2d(x, 2, stride=2, padding=1, ceil_mode=True)
    y.sum().backward()
    np.testing.assert_array_equal(y.data[0, 0], [[0.0, 2.0], [6.0, 8.0]])
    np.testing.assert_array_equal(x.grad[0, 0], [[1.0, 0.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 1.0]])


def test_an_image_without_rows_that_is_padded():
    x = tg.Tensor(np.ones((1, 1, 0, 2)), requires_grad=True)
    w = tg.Tensor(np.ones((1, 1, 2, 2)), requires_grad=True)
    y = tg.conv2d(x, w, padding=1)
    y.sum().backward()
    np.testing.assert_array_equal(y.data, np.zeros((1, 1, 1, 3)))
    assert x.grad.shape == (1, 1, 0, 2)
    np.testing.assert_array_equal(w.grad, np.zeros((1, 1, 2, 2)))


def test_a_transposed_convolution_whose_output_padding_makes_another_window():
    # y has 2 + 1 + 2 rows, enough for more windows of stride 1 than x has: those beyond x are cut off from
    # its gradient
    x = tg.Tensor(np.arange(4.0).reshape(1, 1, 2, 2), requires_grad=True)
    w = tg.Tensor(np.array([[[[1.0, 2.0], [3.0, 4.0]]]]), requires_grad=True)
    y = tg.conv_transpose2d(x, w, stride=1, output_padding=(1, 0), dilation=2)
    y.sum().backward()
    assert y.shape == (1, 1, 5, 4)
    np.testing.assert_array_equal(x.grad, np.full((1, 1, 2, 2), 10.0))  # Σ W
    np.testing.assert_array_equal(w.grad, np.full((1, 1, 2, 2), 6.0))  # Σ X


SIDES = [
    ((2,), (2,)),
    ((2,), (2, 3)),
    ((2,), (3, 2, 4)),
    ((3, 2), (2,)),
    ((3, 4, 2), (2,)),
    ((3, 2), (2, 4)),
    ((3, 2), (5, 2, 4)),
    ((5, 3, 2), (2, 4)),
    ((1, 1, 2), (3, 2, 4)),
]


@pytest.mark.parametrize(("a_shape", "b_shape"), SIDES)
def test_the_gradients_of_products_with_rows_and_columns(a_shape, b_shape):
    # the product is linear in each operand: ⟨dA, A⟩ = ⟨dY, Y⟩ = ⟨dB, B⟩, and dA, dB have their shapes
    random = np.random.default_rng(0)
    a, b = (tg.Tensor(random.standard_normal(shape), requires_grad=True) for shape in (a_shape, b_shape))
    y = a @ b
    dy = random.standard_normal(y.shape)
    y.backward(dy)
    change_a, change_b = random.standard_normal(a_shape), random.standard_normal(b_shape)
    np.testing.assert_allclose(
        np.sum(a.grad * change_a), np.sum(dy * np.matmul(change_a, b.data)), rtol=1e-12
    )
    np.testing.assert_allclose(
        np.sum(b.grad * change_b), np.sum(dy * np.matmul(a.data, change_b)), rtol=1e-12
    )
