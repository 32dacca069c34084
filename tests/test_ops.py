"""What the ops promise beside being right: dtypes, ties and corners."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg

FLOATS = [np.float16, np.float32, np.float64]


def leaf(values: Any, dtype: Any = np.float64) -> tg.Tensor:
    return tg.tensor(np.asarray(values, dtype), requires_grad=True)


def gradients(y: tg.Tensor, *inputs: tg.Tensor) -> list[Any]:
    """The gradients of Σ y."""
    return [grad.data for grad in tg.grad(y.sum(), inputs) if grad is not None]


# Dtypes


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    "scalar",
    [2, 0.1, True, np.float64(0.1), np.float32(0.1), np.int64(3), np.array(0.1)],
    ids=lambda operand: type(operand).__name__,
)
def test_a_scalar_takes_the_tensors_dtype(dtype: Any, scalar: Any) -> None:
    x = leaf([1.5, 2], dtype)
    results = [x + scalar, scalar + x, x - scalar, scalar - x, x * scalar, scalar * x, x / scalar, scalar / x]
    results += [x**scalar, scalar**x, tg.maximum(x, scalar), tg.where(x > 1, x, scalar)]
    for y in results:
        assert y.dtype == dtype
        assert gradients(y, x)[0].dtype == dtype


def test_a_scalar_keeps_its_precision() -> None:
    assert (leaf([1.0]) * 0.1).data[0] == 0.1
    assert (leaf([1.0], np.float32) * 0.1).data[0] == np.float32(0.1)


@pytest.mark.parametrize("every", [None, (), []], ids=repr)
def test_no_dimension_named_is_every_dimension(every: Any) -> None:
    x = np.arange(6.0).reshape(2, 3)
    assert tg.sum(tg.tensor(x), dim=every).item() == 15
    assert tg.mean(tg.tensor(x), dim=every).item() == 2.5
    assert tg.amax(tg.tensor(x), dim=every).item() == 5


def test_integers_meet_floats() -> None:
    counts = tg.tensor([1, 2])
    assert (counts + 1).dtype == np.int64
    assert (counts + 0.5).dtype == np.float32
    assert (counts / 2).dtype == np.float32
    assert (counts + leaf([1, 2], np.float64)).dtype == np.float64
    assert (counts + leaf([1, 2], np.float16)).dtype == np.float16


def test_mixed_floats_get_gradients_in_their_own_dtype() -> None:
    a, b = leaf([1, 2], np.float32), leaf([3, 4], np.float64)
    da, db = gradients(a * b, a, b)
    assert (a * b).dtype == np.float64 and da.dtype == np.float32 and db.dtype == np.float64
    np.testing.assert_array_equal(da, [3, 4])


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", "exp log sqrt sin cos tanh sigmoid relu abs neg sum mean amax".split())
def test_floats_stay_what_they_are(name: str, dtype: Any) -> None:
    x = leaf([0.5, 2], dtype)
    y = getattr(tg, name)(x)
    assert y.dtype == dtype and gradients(y, x)[0].dtype == dtype


@pytest.mark.parametrize("name", ["exp", "log", "sqrt", "sin", "cos", "tanh", "sigmoid", "mean"])
def test_integers_become_floats_where_the_result_is_none(name: str) -> None:
    assert getattr(tg, name)(tg.tensor([1, 4])).dtype == np.float32


# Choices: ties, zeros, masks


def test_maximum_shares_a_tie() -> None:
    a, b = leaf([1, 2, 3]), leaf([3, 2, 1])
    da, db = gradients(tg.maximum(a, b), a, b)
    np.testing.assert_array_equal(da, [0, 0.5, 1])
    np.testing.assert_array_equal(db, [1, 0.5, 0])


def test_amax_shares_a_tie() -> None:
    x = leaf([[1, 3, 3], [2, 2, 2]])
    np.testing.assert_allclose(gradients(x.amax(1), x)[0], [[0, 0.5, 0.5], [1 / 3] * 3])
    np.testing.assert_allclose(gradients(x.amax(), x)[0], [[0, 0.5, 0.5], [0, 0, 0]])


def test_max_pool_gives_a_tie_to_the_first() -> None:
    x = leaf(np.ones((1, 1, 2, 4)))
    np.testing.assert_array_equal(gradients(tg.max_pool2d(x, 2), x)[0][0, 0], [[1, 0, 1, 0], [0, 0, 0, 0]])


def test_the_kinks_of_relu_and_abs_are_flat() -> None:
    x = leaf([-1, 0, 2])
    np.testing.assert_array_equal(gradients(tg.relu(x), x)[0], [0, 0, 1])
    np.testing.assert_array_equal(gradients(tg.abs(x), x)[0], [-1, 0, 1])


def test_pow_at_zero() -> None:
    base, exponent = leaf([0, 0, 0, 2, -2]), leaf([0, 1, 2, 0, 2])
    y = base**exponent
    np.testing.assert_array_equal(y.data, [1, 0, 0, 1, 4])
    with np.errstate(invalid="ignore"):
        dbase, dexponent = gradients(y, base, exponent)
    np.testing.assert_array_equal(dbase, [0, 1, 0, 0, -4])
    np.testing.assert_allclose(dexponent, [0, 0, 0, np.log(2), np.nan])


def test_where_broadcasts_all_three() -> None:
    a, b = leaf([[1.0], [2.0]]), leaf(5.0)
    y = tg.where(np.array([True, False, True]), a, b)
    np.testing.assert_array_equal(y.data, [[1, 5, 1], [2, 5, 2]])
    da, db = gradients(y, a, b)
    np.testing.assert_array_equal(da, [[2], [2]])
    np.testing.assert_array_equal(db, 2)


def test_where_of_two_numbers_is_a_tensor_where_the_condition_is_one() -> None:
    x = tg.tensor([1.0, -1.0])
    y = tg.where(x > 0, 1.0, -1.0)
    assert isinstance(y, tg.Tensor) and y.dtype == tg.float32 and y.tolist() == [1.0, -1.0]
    assert tg.where(x > 0, 1, 0).sum().item() == 1
    assert isinstance(tg.where(np.array([True]), 1.0, -1.0), np.ndarray)


def test_where_keeps_the_other_sides_infinity_out() -> None:
    x = leaf([0.0, 4.0])
    with np.errstate(divide="ignore"):
        y = tg.where(x > 0, tg.log(tg.where(x > 0, x, 1.0)), 0.0)
    np.testing.assert_array_equal(gradients(y, x)[0], [0, 0.25])


# Indexing


@pytest.mark.parametrize(
    "index",
    [
        1,
        -1,
        slice(None, None, -2),
        (slice(1, None), 2),
        (..., 0),
        (None, 1, slice(None), None),
        [0, 0, 2],
        np.array([[0, 1], [1, 1]]),
        (slice(None), [1, 1]),
        ([0, 1, 0], [2, 2, 2]),
        (0, [1, 1], slice(None)),
        np.array([True, False, True]),
        np.zeros(3, bool),
        (slice(None), slice(0, 0)),
    ],
    ids=repr,
)
def test_indexing_and_its_gradient(index: Any) -> None:
    """An element that is read k times gets k gradients; so does PyTorch's, and so says the sum by hand."""
    array = np.arange(24.0).reshape(3, 4, 2)
    x = leaf(array)
    y = x[index]
    np.testing.assert_array_equal(y.data, array[index])
    dy = np.random.default_rng(0).standard_normal(y.shape)
    expected = np.zeros(array.shape)
    np.add.at(expected, index, dy)
    y.backward(dy)
    np.testing.assert_array_equal(x.grad, expected)
    again = tg.put_add(leaf(dy), index, array.shape)
    np.testing.assert_array_equal(again.data, expected)


def test_indexing_with_a_mask_of_all_dimensions() -> None:
    x = leaf([[1, -2], [-3, 4]])
    np.testing.assert_array_equal(gradients(x[x > 0] * 3, x)[0], [[3, 0], [0, 3]])
    np.testing.assert_array_equal(x[tg.tensor([1, 0, 1])].data, x.data[[1, 0, 1]])


def test_an_index_array_may_change_afterwards() -> None:
    x, index = leaf([1, 2, 3]), np.array([0, 2])
    y = x[index]
    index[:] = 1
    np.testing.assert_array_equal(gradients(y, x)[0], [1, 0, 1])


# Matrix products


@pytest.mark.parametrize(
    "a_shape, b_shape",
    [
        ((3,), (3,)),
        ((2, 3), (3,)),
        ((3,), (3, 4)),
        ((2, 3), (3, 4)),
        ((5, 2, 3), (3,)),
        ((3,), (5, 3, 4)),
        ((5, 2, 3), (3, 4)),
        ((2, 3), (5, 3, 4)),
        ((5, 1, 2, 3), (6, 3, 4)),
        ((1, 0), (0, 2)),
        ((0, 3), (3, 2)),
    ],
)
def test_matmul_of_every_rank(a_shape: Any, b_shape: Any) -> None:
    rng = np.random.default_rng(0)
    a, b = leaf(rng.standard_normal(a_shape)), leaf(rng.standard_normal(b_shape))
    y = a @ b
    np.testing.assert_allclose(y.data, np.matmul(a.data, b.data))
    tg.gradcheck(tg.matmul, a, b)


# float16 is computed in float32 and rounded once


@pytest.mark.parametrize("name", ["sum", "mean", "std", "norm", "logsumexp"])
def test_reductions_of_halves_do_not_overflow_on_the_way(name: str) -> None:
    x = np.full((1, 300), 300, np.float16)
    x[0, ::2] = -300
    wide = getattr(tg, name)(x.astype(np.float64), dim=1)
    np.testing.assert_array_equal(getattr(tg, name)(x, dim=1), wide.astype(np.float16))


# What PyTorch scripts write


def test_methods_in_their_several_forms() -> None:
    x = tg.tensor([[1.0, 5, 2], [4, 3, 6]])
    values, indices = x.max(dim=1)
    assert values.tolist() == [5, 6] and indices.tolist() == [1, 2]
    assert x.max().item() == 6 and x.min(1, keepdim=True).indices.tolist() == [[0], [1]]
    assert x.max(tg.full((2, 3), 3.0)).tolist() == [[3, 5, 3], [4, 3, 6]]
    predicted = x.argmax(dim=1, keepdim=True)
    assert predicted.eq(tg.tensor([1, 0]).view_as(predicted)).sum().item() == 1
    assert x.view(-1, 3 * 2).shape == (1, 6) and x.size(0) == 2 and x.t().shape == (3, 2)
    assert x.var(False).item() == x.var(unbiased=False).item() == x.var(correction=0).item()
    assert x.clamp(2, 5).tolist() == [[2, 5, 2], [4, 3, 5]] and x.clamp(min=5).tolist() == [
        [5, 5, 5],
        [5, 5, 6],
    ]
    assert x.masked_fill(x > 3, 0).tolist() == [[1, 0, 2], [0, 3, 0]]
    assert [part.shape for part in x.split(2, dim=1)] == [(2, 2), (2, 1)] and len(x.chunk(3, 1)) == 3
    assert x.norm().item() == x.norm(2).item() and x.cpu() is x and x.to("cpu") is x
    assert not np.shares_memory(x.clone().data, x.data)


def test_a_pair_of_maxima_has_one_gradient() -> None:
    x = leaf([[1, 4], [3, 2]])
    values, indices = x.max(1)
    assert values.requires_grad and not indices.requires_grad
    np.testing.assert_array_equal(gradients(values * indices, x)[0], [[0, 1], [0, 0]])


def test_unused_pieces_get_zeros() -> None:
    x = leaf([1, 2, 3, 4, 5])
    np.testing.assert_array_equal(gradients(x.split([1, 2, 2])[1] * 3, x)[0], [0, 3, 3, 0, 0])
    first, *_ = tg.chunk(x, 2)
    np.testing.assert_array_equal(gradients(first, x)[0], [1, 1, 1, 0, 0])
