"""NumPy's functions on Tensors: operators are the Tensor's, all else says what to write instead."""

from __future__ import annotations

import operator
import re

import numpy as np
import pytest

import tinygrad_conv as tg
from tests.helpers import leaf
from tinygrad_conv.engine.numpy_calls import METHODS_ALONE, OTHERS, RENAMED, instead

DIFFERENTIABLE = ("add", "sub", "mul", "truediv", "pow", "matmul", "mod", "floordiv")
SYMBOLS = (*DIFFERENTIABLE, "eq", "ne", "lt", "le", "gt", "ge")


@pytest.mark.parametrize("name", SYMBOLS)
@pytest.mark.parametrize("make", [lambda: np.array([1.0, 2.0, 3.0]), lambda: np.array([2, 3, 4])])
def test_an_operator_of_an_array_is_the_tensors(name, make):
    x, array = leaf(3), make()
    y = getattr(operator, name)(array, x)
    assert isinstance(y, tg.Tensor)
    np.testing.assert_allclose(y.data, getattr(operator, name)(array, x.data))
    assert y.requires_grad == (name in DIFFERENTIABLE)


@pytest.mark.parametrize("scalar", [np.float64(2), np.float32(2), np.int64(2), np.array(2.0), np.bool_(True)])
def test_an_operator_of_a_numpy_number_is_the_tensors(scalar):
    x = leaf(3)
    for y in (scalar + x, scalar * x, x - scalar, scalar / x):
        assert isinstance(y, tg.Tensor) and y.requires_grad


def test_the_operators_of_masks():
    array, x = np.array([True, False]), tg.tensor([True, True])
    assert (array & x).tolist() == [True, False] and (array | x).tolist() == [True, True]
    assert (array ^ x).tolist() == [False, True]


def test_the_operators_of_bits():
    array, x = np.array([1, 5]), tg.tensor([2, 1])
    assert (array << x).tolist() == [4, 10] and (array >> x).tolist() == [0, 2]


def test_a_masked_array_does_not_lose_its_mask_or_the_tape_in_silence():
    masked = np.ma.array([1.0, 2.0], mask=[True, False])
    for compute in (operator.mul, operator.add, operator.sub):
        with pytest.raises(TypeError, match="MaskedArray"):
            compute(masked, tg.ones(2, requires_grad=True))


def test_an_array_cannot_be_added_to_in_place():
    array, x = np.ones(3), leaf(3)
    with pytest.raises(TypeError, match=r"np.add: .* write a = a \+ x"):
        array += x
    np.testing.assert_array_equal(array, np.ones(3))


CALLS = [
    (np.exp, "tg.exp"),
    (np.log, "tg.log"),
    (np.absolute, "tg.abs"),
    (np.negative, "tg.neg"),
    (np.sqrt, "tg.sqrt"),
    (np.mean, "tg.mean"),
    (np.sum, "tg.sum"),
    (np.max, "tg.a?max"),
    (np.argmax, "tg.argmax"),
    (lambda x: np.concatenate([x, x]), "tg.cat"),
    (lambda x: np.stack([x, x]), "tg.stack"),
    (lambda x: np.where(x.data > 0, x, 0), "tg.where"),
    (lambda x: np.linalg.norm(x), "tg.norm"),
    (lambda x: np.broadcast_to(x, (2, 3)), r"x.expand"),
    (np.transpose, r"x.permute"),
    (np.arctan, r"np.arctan\(x.detach\(\).numpy\(\)\)"),
    (np.add.reduce, r"np.add.reduce\(x.detach\(\).numpy\(\)\)"),
]


@pytest.mark.parametrize("function, hint", CALLS, ids=[hint for _, hint in CALLS])
def test_a_function_says_what_to_write(function, hint):
    with pytest.raises(TypeError, match=hint):
        function(leaf(3))


def test_functions_take_the_numbers_where_no_gradient_is_wanted():
    x = tg.tensor([3.0, 1.0, 2.0])
    assert np.mean(x) == 2 and np.argmax(x) == 0 and np.sort(x).tolist() == [1, 2, 3]
    assert np.concatenate([x, x]).shape == (6,) and np.allclose(x, x)
    with pytest.raises(TypeError, match=r"write tg.exp\(…\), or np.exp\(x.numpy\(\)\)"):
        np.exp(x)
    with pytest.raises(TypeError, match="behind the tape"):
        np.copyto(x, 0)
    with pytest.raises(TypeError, match="behind the tape"):
        np.mean(np.ones((2, 3)), axis=0, out=x)


def test_functions_that_look_on_are_let_through():
    x = leaf(2, 3)
    assert np.shape(x) == (2, 3) and np.ndim(x) == 2 and np.size(x) == 6
    assert np.zeros_like(x).shape == (2, 3)


@pytest.mark.parametrize("name", [*RENAMED, *OTHERS, "exp", "sum", "where", "arctan"])
def test_what_is_named_is_there(name):
    message = instead(name, True)
    for named in re.findall(r"tg\.(\w+)", message):
        assert callable(getattr(tg, named)), message
    for named in re.findall(r"x\.(\w+)\(", message):
        assert hasattr(tg.Tensor, named), message


def test_methods_that_are_no_functions():
    for name in METHODS_ALONE:
        assert hasattr(tg.Tensor, name)


@pytest.mark.parametrize(
    "take",
    [np.asarray, lambda x: x.numpy(), lambda x: np.array([x.sum(), x.sum()]), lambda x: np.array(x, float)],
)
def test_numbers_of_what_requires_grad_are_asked_for(take):
    with pytest.raises(TypeError, match=r"requires grad.*x.detach\(\).numpy\(\).*losses.append\(loss.item"):
        take(leaf(3))


def test_numbers_off_the_tape():
    x = leaf(3)
    assert x.numpy(force=True) is x.data and x.detach().numpy().tolist() == x.tolist()


@pytest.mark.extras
def test_a_plot_says_what_to_write():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    losses = [leaf(3).sum(), leaf(3).sum()]
    with pytest.raises(TypeError, match=r"losses.append\(loss.item\(\)\)"):
        pyplot.plot(losses)
    pyplot.plot([loss.item() for loss in losses])
    pyplot.plot(leaf(3).detach())
    with pytest.raises(
        tg.errors.GraphError, match=r"use x\.detach\(\), or x\.detach\(\)\.numpy\(\) where it is drawn$"
    ):
        pyplot.plot(leaf(3))
    pyplot.close("all")
