"""Tensors: dtypes and scalars, copies, who owns a gradient, what changes are noticed."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import errors
from tinygrad_conv.engine.declare import primitive
from tinygrad_conv.engine.registry import OPS

from .helpers import leaf

# Scalars and dtypes


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(
    "scalar", [2, 0.5, True, np.float64(0.5), np.float32(0.5), np.int64(2), np.array(0.5)]
)
def test_a_scalar_takes_the_tensors_dtype(dtype, scalar):
    for shape in ((), (3,)):
        x = tg.Tensor(np.ones(shape, dtype), requires_grad=True)
        for y in (
            x + scalar,
            scalar + x,
            x * scalar,
            x - scalar,
            scalar / x,
            x / scalar,
            x**scalar,
            tg.maximum(x, scalar),
        ):
            assert y.dtype == dtype
            y.sum().backward()
        assert x.grad.dtype == dtype


def test_a_scalar_has_full_precision():
    assert (tg.ones(1, dtype=np.float64) * 0.1).item() == 0.1


def test_promotion_follows_pytorch():
    ints, floats = tg.Tensor(np.arange(3)), tg.ones(3)
    assert (ints + floats).dtype == np.float32
    assert (ints * 2.5).dtype == np.float32
    assert (ints / 2).dtype == np.float32
    assert (ints + 1).dtype == np.int64
    assert (floats + tg.ones(3, dtype=np.float64)).dtype == np.float64
    assert (floats * tg.Tensor(np.array(2.0))).dtype == np.float32  # a 0-d tensor
    assert ((ints > 0) + ints).dtype == np.int64


def test_gradients_of_mixed_dtypes_are_cast_back():
    x, w = leaf(3, dtype=np.float32), leaf(3, dtype=np.float64)
    (x * w).sum().backward()
    assert x.grad.dtype == np.float32 and w.grad.dtype == np.float64


def test_broadcast_gradients_are_summed_back():
    x, b = leaf(2, 3, 4), leaf(3, 1, seed=1)
    (x * b).sum().backward()
    np.testing.assert_allclose(b.grad, x.data.sum((0, 2))[:, None])


def test_default_dtype():
    assert tg.tensor([1.0]).dtype == np.float32
    token = tg.get_default_dtype()
    tg.set_default_dtype(np.float64)
    try:
        assert tg.tensor([1.0]).dtype == tg.zeros(2).dtype == np.float64
    finally:
        tg.set_default_dtype(token)
    with pytest.raises(errors.DtypeError):
        tg.set_default_dtype(np.int64)


@pytest.mark.parametrize("data", [np.array([1j]), np.array(["a"]), np.ma.array([1.0], mask=[True])])
def test_other_dtypes_are_refused(data):
    with pytest.raises(errors.DtypeError):
        tg.Tensor(data)


def test_operands_of_other_dtypes_are_refused():
    with pytest.raises(errors.DtypeError, match="complex128"):
        tg.ones(2) * np.array([1j, 2j])
    with pytest.raises(TypeError, match="MaskedArray"):
        tg.ones(2) * np.ma.array([1.0, 2.0], mask=[True, False])
    matrix = np.ones((2, 2)).view(np.matrix)  # whose product is another
    for function in (tg.ones(2, 2).mul, tg.tanh, lambda matrix: tg.layer_norm(matrix, (2,))):
        with pytest.raises(TypeError, match="must be a Tensor or an ndarray.* not numpy.matrix"):
            function(matrix)


def test_integers_cannot_require_a_gradient():
    with pytest.raises(errors.DtypeError, match=r"int64\[2\]"):
        tg.Tensor(np.arange(2), requires_grad=True)


# Ownership


def test_grads_are_owned_contiguous_and_writable():
    x, w = leaf(3, 4), leaf(3, 4, seed=1)
    (x + w).backward(np.ones((4, 3)).T)
    for grad in (x.grad, w.grad):
        assert grad.flags.c_contiguous and grad.flags.writeable and grad.flags.owndata
    x.grad += 1
    np.testing.assert_array_equal(w.grad, np.ones((3, 4)))


def test_a_rule_that_returns_its_input_does_not_alias_the_leaf(scratch_ops):
    @primitive
    def echo(x):
        return x

    @echo.grad("x")
    def echo_dx(dy, x):
        return x

    x = leaf(3)
    y = echo(x)
    y.sum().backward()
    assert y.data is not x.data and x.data.flags.writeable
    assert not np.shares_memory(x.grad, x.data)


def test_dy_is_read_only_to_rules(scratch_ops):
    @primitive
    def greedy(x):
        return x * 1

    @greedy.grad("x")
    def greedy_dx(dy):
        dy *= 2
        return dy

    with pytest.raises(ValueError, match="read-only"):
        (greedy(leaf(3)) * 1).sum().backward()


def test_results_are_read_only_and_leaves_stay_writable():
    x = leaf(3)
    for y in (x * 2, x[1:], x.reshape(3, 1), x.detach() * 1):
        assert not y.data.flags.writeable
    assert x.data.flags.writeable


def test_accumulation_is_out_of_place():
    x = leaf(2)
    (x * 2).sum().backward()
    held = x.grad
    (x * 2).sum().backward()
    np.testing.assert_array_equal(held, [2, 2])


def test_a_bare_array_changed_afterwards_does_not_change_the_gradient():
    x, array = leaf(3), np.ones(3)
    y = (x * array).sum()
    array[:] = 100
    y.backward()
    np.testing.assert_array_equal(x.grad, [1, 1, 1])


def test_an_index_array_changed_afterwards_does_not_change_the_gradient():
    x, index = leaf(3), np.array([0, 0])
    y = x[index].sum()
    index[:] = 2
    y.backward()
    np.testing.assert_array_equal(x.grad, [2, 0, 0])


# Mutation


@pytest.mark.parametrize("change", ["data", "in place", "view"])
def test_a_leaf_changed_before_the_backward_is_noticed(change):
    w, x = leaf(3, name="w"), leaf(3, seed=1)
    y = (w * x).sum()
    if change == "data":
        w.data -= 1
    elif change == "in place":
        with tg.no_grad():
            w -= 1
    else:
        view = w.detach()
        view -= 1
    with pytest.raises(errors.MutationError, match=r"mul: w was changed .*test_tensor.py:\d+"):
        y.backward()
    assert w.grad is None


def test_a_view_of_a_changed_leaf_is_noticed():
    w, x = leaf(3, 2, name="w"), leaf(4, 3, seed=1)
    y = (x @ w.reshape(2, 3).T).sum()
    w.data -= 1
    with pytest.raises(errors.MutationError, match="matmul: w was changed"):
        y.backward()


def test_a_changed_constant_is_noticed():
    w, x = leaf(3), tg.ones(3)
    y = (w * x).sum()
    x.data[0] = 5
    x.data = x.data
    with pytest.raises(errors.MutationError):
        y.backward()


def test_a_change_that_no_rule_reads_is_fine():
    w, b = leaf(3), leaf(3, seed=1)
    y = (w * 2 + b).sum()
    b.data -= 1
    w.data -= 1  # its rule reads the other factor
    y.backward()
    np.testing.assert_array_equal(w.grad, [2, 2, 2])


def test_an_update_between_two_steps_is_fine():
    w = leaf(3)
    for _ in range(3):
        w.grad = None
        (w * w).sum().backward()
        w.data -= 0.1 * w.grad


@pytest.mark.parametrize("symbol", ["+=", "-=", "*=", "/="])
def test_in_place_arithmetic(symbol):
    w = leaf(3)
    expected = {"+=": w.data + 2, "-=": w.data - 2, "*=": w.data * 2, "/=": w.data / 2}[symbol]
    array, scope = w.data, {"w": w}
    with tg.no_grad():
        exec(f"w {symbol} 2", scope)
    assert scope["w"] is w and w.data is array
    np.testing.assert_array_equal(w.data, expected)
    with pytest.raises(errors.MutationError, match="no_grad"):
        exec(f"w {symbol} 2", scope)


def test_the_numbers_of_a_result_cannot_be_set():
    y = leaf(3) * 2
    with pytest.raises(errors.MutationError, match=r"x.data = …"):
        y.data = np.ones(3)
    with pytest.raises(ValueError, match="read-only"):
        y.data[0] = 1


def test_setting_an_item_of_a_leaf():
    x = tg.zeros(3)
    x[1] = 5
    assert x.tolist() == [0, 5, 0]
    w = leaf(3)
    with pytest.raises(errors.MutationError):
        w[0] = 1


# Copies


def test_leaves_can_be_copied_and_pickled():
    w = leaf(3, name="w")
    w.grad = np.ones(3)
    for other in (copy.deepcopy(w), pickle.loads(pickle.dumps(w))):
        assert other.name == "w" and other.requires_grad and not np.shares_memory(other.data, w.data)
        np.testing.assert_array_equal(other.data, w.data)
        np.testing.assert_array_equal(other.grad, w.grad)
    with pytest.raises(errors.GraphError, match="only a leaf"):
        copy.deepcopy(w * 2)


def test_copies_of_parameters_begin_without_a_gradient():
    w = tg.nn.Parameter(np.ones(3))
    w.grad = np.ones(3)
    for other in (copy.deepcopy(w), pickle.loads(pickle.dumps(w)), copy.copy(w)):
        assert type(other) is tg.nn.Parameter and other.tolist() == [1, 1, 1] and other.grad is None
    assert w.grad.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    "given, error",
    [
        (np.ones(1), errors.ShapeError),
        (np.ones((1, 2)), errors.ShapeError),
        (tg.ones(3), errors.ShapeError),
        (2.0, errors.ShapeError),
        (np.ones(2, int), errors.DtypeError),
        (np.ones(2, bool), errors.DtypeError),
        ("12", TypeError),
        ([None, 1.0], TypeError),
        (np.ones(2, complex), TypeError),
        (np.ma.ones(2), TypeError),
    ],
)
def test_a_gradient_that_cannot_be_is_not_kept(given, error):
    w = leaf(2)
    w.grad = kept = np.full(2, 5.0)
    with pytest.raises(error, match="^x.grad = …: .*; give it "):
        w.grad = given
    assert w.grad is kept


@pytest.mark.parametrize(
    "given",
    [
        tg.ones(2),
        leaf(2) * 0 + 1,
        [1.0, 1.0],
        np.ones(2, np.float16),
        np.broadcast_to(1.0, 2),
        np.ones(2, ">f8").astype("f8"),
    ],
)
def test_a_gradient_is_kept_as_a_plain_array_that_can_be_changed(given):
    w = leaf(2)
    w.grad = given
    assert type(w.grad) is np.ndarray and w.grad.dtype == w.dtype and w.grad.flags.writeable
    (3 * w).sum().backward()
    assert w.grad.tolist() == [4, 4]
    tg.nn.utils.clip_grad_value_([w], 1.0)
    assert w.grad.tolist() == [1, 1]


def test_nothing_is_added_to_a_gradient_of_the_shape_before():
    w = leaf(3)
    w.grad = np.ones(3)
    w.data = np.ones((2, 3))
    with pytest.raises(errors.ShapeError, match=r"backward: .grad is float64\[3\], but .*float64\[2,3\]"):
        w.sum().backward()
    assert w.grad.tolist() == [1, 1, 1]


def test_ops_are_copied_and_pickled_as_names():
    relu = OPS["relu"]
    assert copy.deepcopy(relu) is relu and pickle.loads(pickle.dumps(relu)) is relu


def test_tensor_copies_and_from_numpy_shares():
    array = np.ones(3)
    copied, shared, also = tg.tensor(array), tg.from_numpy(array), tg.Tensor(array)
    array[0] = 5
    assert copied.tolist() == [1, 1, 1] and shared.tolist() == also.tolist() == [5, 1, 1]
    with pytest.raises(TypeError, match="from_numpy"):
        tg.from_numpy([1.0])


def test_repr_is_bounded_and_informative():
    assert len(repr(tg.zeros(1000, 1000))) < 2000
    assert repr(leaf(1, name="w")).endswith("float64[1], requires_grad=True, name='w')")
    assert "made by mul" in repr(leaf(1) * 2)
    assert "test_tensor.py" in repr((leaf(1) * 2).grad_fn)


@pytest.mark.parametrize(
    ("method", "name", "value", "shape"),
    [
        ("reshape", "shape", (6, 4), (6, 4)),
        ("view", "size", (6, -1), (6, 4)),
        ("permute", "dims", (0, 2, 1), (2, 4, 3)),
        ("expand", "size", (5, 2, 3, 4), (5, 2, 3, 4)),
        ("flip", "dims", (0, 2), (2, 3, 4)),
        ("repeat", "repeats", [2, 1, 1], (4, 3, 4)),
    ],
)
def test_sizes_by_position_in_a_tuple_and_by_name(method, name, value, shape):
    call = getattr(tg.arange(24.0).reshape(2, 3, 4), method)
    results = [call(*value), call(value), call(**{name: value})]
    assert all(result.shape == shape for result in results)
    assert all(np.array_equal(result.data, results[0].data) for result in results)
    with pytest.raises(TypeError, match="is given by name, but .* stand there too"):
        call(*value, **{name: value})
