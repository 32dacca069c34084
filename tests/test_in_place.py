"""Changes in place: the object becomes the new result, a leaf's memory is written to, aliases stay true."""

from __future__ import annotations

import weakref

import numpy as np
import pytest

import tinygrad_conv as tg
from tests.helpers import leaf
from tinygrad_conv import errors

METHODS = {
    "add_": (2.0,),
    "sub_": (2.0,),
    "mul_": (3.0,),
    "div_": (4.0,),
    "pow_": (2,),
    "neg_": (),
    "abs_": (),
    "exp_": (),
    "log_": (),
    "sqrt_": (),
    "sin_": (),
    "cos_": (),
    "tanh_": (),
    "sigmoid_": (),
    "relu_": (),
    "clamp_": (0.3, 0.6),
    "clamp_min_": (0.5,),
    "clamp_max_": (0.5,),
    "masked_fill_": (np.array([True, False, True]), 7.0),
    "erf_": (),
    "floor_": (),
    "lerp_": (np.array([3.0, 2.0, 1.0], np.float32), 0.25),
    "rsqrt_": (),
    "scatter_add_": (0, np.array([2, 2, 0]), np.array([3.0, 2.0, 1.0], np.float32)),
    "subtract_": (2.0,),
}


NEW_SHAPES = {"squeeze_", "swapaxes_", "swapdims_", "t_", "transpose_", "unsqueeze_"}
"""Methods of PyTorch's that change a shape in place, which nothing does here."""


@pytest.mark.torch
def test_what_a_function_makes_a_method_makes_in_place():
    torch = pytest.importorskip("torch")
    methods = [name for name in vars(torch._C.TensorBase) if name.endswith("_") and not name.startswith("_")]
    ours = {name for name in methods if name[:-1] in tg.functional.__all__}
    assert ours > {*METHODS} - {"relu_"}
    absent = {name for name in ours if not hasattr(tg.Tensor, name)}
    forgotten = ", ".join(sorted(absent - NEW_SHAPES))
    assert not forgotten, f"{forgotten}: add a line at the end of engine/function_methods.py"
    assert absent == NEW_SHAPES


def test_what_stands_by_keyword_is_looked_at_too():
    x, y = leaf(3), leaf(3, seed=1)
    z = (x * 1).lerp_(weight=0.25, end=y)
    z.sum().backward()
    np.testing.assert_array_equal(x.grad, [0.75] * 3)
    np.testing.assert_array_equal(y.grad, [0.25] * 3)
    with pytest.raises(errors.MutationError, match=r"x.addcmul_\(…\) would change .* a leaf"):
        tg.ones(3).requires_grad_().addcmul_(x, y, value=2)


def test_answers_are_written_as_numbers():
    x = tg.tensor([0.0, 2.0])
    assert x.logical_not_() is x
    assert x.tolist() == [1.0, 0.0]
    with pytest.raises(errors.DtypeError, match=r"x.sinh_\(\): the result would be float32, but x is int64"):
        tg.tensor([1, 2]).sinh_()
    with pytest.raises(errors.ShapeError, match=r"x.subtract_\(…\): the result would be float32\[2,2\]"):
        x.subtract_(tg.ones(2, 2))


def positive():
    return tg.tensor([0.2, 0.5, 0.9], requires_grad=True)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_becomes_what_its_namesake_returns(name):
    arguments = METHODS[name]
    w, v = positive(), positive()
    expected = getattr(w * 1, name[:-1])(*arguments)
    expected.sum().backward()
    x = v * 1
    alias = x
    assert getattr(x, name)(*arguments) is x
    x.sum().backward()
    np.testing.assert_array_equal(alias.data, expected.data)
    np.testing.assert_array_equal(v.grad, w.grad)


@pytest.mark.parametrize("name", METHODS)
def test_the_memory_of_data_is_written_to(name):
    array = np.array([0.2, 0.5, 0.9], np.float32)
    expected = getattr(tg.tensor(array), name[:-1])(*METHODS[name]).data
    x = tg.from_numpy(array)
    view = x[1:]
    getattr(x, name)(*METHODS[name])
    np.testing.assert_array_equal(array, expected)
    np.testing.assert_array_equal(view.data, expected[1:])


@pytest.mark.parametrize(
    "symbol, other", [("+", 2), ("-", 2), ("*", 3), ("/", 4), ("**", 2), ("&", True), ("|", False)]
)
def test_an_operator_changes_the_object(symbol, other):
    x = positive() * 1 if symbol not in "&|" else positive() > 0.4
    expected, scope = eval(f"x {symbol} other"), {"x": x, "other": other}
    exec(f"x {symbol}= other", scope)
    assert scope["x"] is x
    np.testing.assert_array_equal(x.data, expected.data)
    assert x.dtype == expected.dtype


def test_earlier_readers_keep_the_old_numbers():
    w = positive()
    x = w * 2
    square = x * x
    x += 1
    (square * x).sum().backward()
    # the square of 2w, times 2w + 1
    np.testing.assert_allclose(w.grad, 24 * w.data**2 + 8 * w.data, rtol=1e-6)


def test_a_residual_block_in_place_as_out_of_place():
    def gradients(in_place):
        tg.manual_seed(0)
        conv, x = tg.nn.Conv2d(2, 2, 3, padding=1), tg.randn(2, 2, 5, 5, requires_grad=True)
        out = conv(x)
        if in_place:
            out += x
            out.relu_()
            out[:, 0] *= 2
            out[out > 1] = 0
        else:
            out = (out + x).relu()
            out = tg.where(np.array([True, False])[:, None, None], out * 2, out)
            out = tg.where(out > 1, 0.0, out)
        (out * out).sum().backward()
        return [x.grad, conv.weight.grad, conv.bias.grad]

    for ours, expected in zip(gradients(True), gradients(False), strict=True):
        np.testing.assert_array_equal(ours, expected)


def test_counting_and_summing_in_a_loop():
    w, total, correct = positive(), 0.0, 0
    for _ in range(3):
        total += (w * w).sum()
        correct += (w > 0.4).sum()
    total.backward()
    assert correct.item() == 6
    np.testing.assert_allclose(w.grad, 6 * w.data, rtol=1e-6)


# Items


@pytest.mark.parametrize(
    "index", [0, slice(1, 3), (slice(None), 1), [0, 2], np.array([True, False, True]), ..., (0, 1)]
)
def test_an_item_of_a_result(index):
    w, value = leaf(3, 2), leaf(seed=1)
    x = w * 2
    x[index] = value
    expected, mask = (w.data * 2).copy(), np.ones((3, 2))
    expected[index], mask[index] = value.data, 0
    np.testing.assert_array_equal(x.data, expected)
    (x * 3).sum().backward()
    np.testing.assert_array_equal(w.grad, 6 * mask)
    assert value.grad == 3 * (mask == 0).sum()


@pytest.mark.parametrize(
    "index", [0, slice(1, 3), (slice(None), 1), [0, 2], (slice(None, None, 2), slice(1))]
)
def test_arithmetic_on_an_item(index):
    w, expected = leaf(3, 2), leaf(3, 2)
    x = w * 2
    x[index] += 5
    x[index] *= w[index]
    array, factor = expected.data * 2, np.zeros((3, 2), np.float64)
    array[index] = (array[index] + 5) * expected.data[index]
    factor[index] = 1
    np.testing.assert_allclose(x.data, array, rtol=1e-6)
    x.sum().backward()
    np.testing.assert_allclose(w.grad, np.where(factor, 4 * w.data + 5, 2), rtol=1e-6)


def test_of_values_written_to_the_same_place_the_last_one_has_the_gradient():
    w, values = leaf(3), tg.tensor([1.0, 2, 3], requires_grad=True)
    x = w * 1
    x[[0, 0, 1]] = values
    x.sum().backward()
    np.testing.assert_array_equal(x.data[:2], [2, 3])
    np.testing.assert_array_equal(values.grad, [0, 1, 1])
    np.testing.assert_array_equal(w.grad, [0, 0, 1])


def test_an_item_from_another_one():
    x = leaf(3) * 1
    first = x.data[1]
    x[0] = x[1]
    assert x.data[0] == first


def test_a_leaf_that_gradients_are_written_into_becomes_a_result():
    x, w = tg.zeros(3), leaf(3)
    x[0] = w[0]
    x[1:] = w[1:] * 3
    x.sum().backward()
    np.testing.assert_array_equal(w.grad, [1, 3, 3])
    assert x.grad_fn is not None and x.grad is None


# What stays


def test_shape_and_dtype_stay():
    x = leaf(3) * 1
    numbers = x.data.copy()
    with pytest.raises(errors.ShapeError, match=r"float64\[2,3\], but x is float64\[3\]"):
        x += tg.ones(2, 3)
    count = tg.tensor([1, 2])
    with pytest.raises(errors.DtypeError, match="int64"):
        count += 1.5
    x += np.ones(3, np.float32)
    assert x.dtype == np.float64 and count.tolist() == [1, 2]
    np.testing.assert_array_equal(x.data, numbers + 1)


def test_under_no_grad_a_result_keeps_its_node():
    w = positive()
    x = w * 2
    with tg.no_grad():
        x *= 0
    assert x.tolist() == [0, 0, 0]
    x.sum().backward()
    assert w.grad.tolist() == [2, 2, 2]


def test_a_leaf_that_requires_grad_is_refused_where_it_would_be_recorded():
    w = positive()
    for change in [w.relu_, lambda: w.add_(1), lambda: w.__setitem__(0, 1), w.zero_]:
        with pytest.raises(errors.MutationError, match="no_grad"):
            change()
    view = w[1:]
    with pytest.raises(errors.MutationError):
        view += 1
    with tg.no_grad():
        view += 1
    np.testing.assert_allclose(w.data, [0.2, 1.5, 1.9])


def test_hooks_stay_with_the_old_node_and_retain_grad_moves():
    x, seen = positive() * 2, []
    x.register_hook(lambda gradient: seen.append(gradient.copy()))
    x.retain_grad()
    x *= 3
    x.sum().backward()
    assert x.grad.tolist() == [1, 1, 1]
    assert [gradient.tolist() for gradient in seen] == [[3, 3, 3]]


def test_a_change_keeps_nothing_alive():
    x = positive() * 1
    old = weakref.ref(x.grad_fn)
    x = x[1:]
    x += 1
    assert old() is not None
    del x
    assert old() is None


@pytest.mark.parametrize(
    "make", [lambda: tg.randn(3) * 0.1, lambda: tg.ones(3).detach(), lambda: positive().detach()]
)
def test_what_an_op_made_can_become_a_leaf_of_its_own(make):
    w = make().requires_grad_()
    before = w.data.copy()
    with tg.no_grad():
        w -= 1
    w.data -= 1
    (2 * w).sum().backward()
    tg.optim.SGD([w], lr=0.5).step()
    np.testing.assert_allclose(w.data, before - 3, rtol=1e-6)


@pytest.mark.parametrize("rounding_mode", ["floor", "trunc"])
def test_a_quotient_is_rounded_in_place(rounding_mode):
    x = tg.tensor([7.0, -7.0], requires_grad=True)
    y = x * 1
    y.div_(2, rounding_mode=rounding_mode)
    assert y.tolist() == x.div(2, rounding_mode=rounding_mode).tolist()
    y.sum().backward()
    assert x.grad.tolist() == [0, 0]
    whole = tg.tensor([7, -7])
    assert whole.div_(2, rounding_mode=rounding_mode).tolist() == y.tolist() and whole.dtype == tg.int64


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("shape", [(1,), (1, 1)])
def test_a_number_with_dimensions_is_put_into_a_numbers_place(recorded, shape):
    """As in PyTorch: leading dimensions of size 1 are dropped."""
    value = tg.full(shape, 5.0, requires_grad=recorded)
    x = tg.zeros(3)
    x[1] = value
    x[2] = value.detach().numpy()
    assert x.tolist() == [0, 5, 5]
    if recorded:
        (2 * x).sum().backward()
        assert value.grad.tolist() == np.full(shape, 2.0).tolist()
