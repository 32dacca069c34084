"""The sweep: what it computes, what it refuses, hooks on the way."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import errors
from tinygrad_conv.engine.declare import primitive
from tinygrad_conv.engine.registry import OPS

from .helpers import leaf, more

# What a sweep computes


def test_gradients_of_a_reused_tensor_add_up():
    x = leaf(3)
    y = x * 2
    (y * y + y).sum().backward()
    np.testing.assert_allclose(x.grad, 2 * (2 * 2 * x.data + 1))


def test_backward_accumulates_into_grad():
    x = leaf(3)
    for _ in range(3):
        (x * x).sum().backward()
    np.testing.assert_allclose(x.grad, 6 * x.data)


@pytest.mark.parametrize("length", [3_000, *more(100_000)])
def test_a_long_chain_of_ops(length):
    x = leaf(2)
    y = x
    for _ in range(length):
        y = y + 1.0
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [1, 1])


@pytest.mark.parametrize("length", [3_000, *more(100_000)])
def test_an_unused_chain_of_ops_is_freed_without_recursion(length):
    y = leaf(2)
    for _ in range(length):
        y = y + 1.0
    del y


def test_backward_of_a_leaf_is_one():
    x = tg.Tensor(3.0, requires_grad=True)
    x.backward()
    assert x.grad == 1


def test_backward_takes_arrays_and_tensors():
    x = leaf(2, 3)
    (x * 2).backward(np.ones((2, 3)))
    (x * 2).backward(tg.ones(2, 3))
    np.testing.assert_array_equal(x.grad, np.full((2, 3), 4.0))


def test_a_one_element_matrix_is_a_scalar():
    x = leaf(1, 1)
    (x * 3).backward()
    assert x.grad.shape == (1, 1) and x.grad == 3


def test_zero_dimensional_tensors_used_twice():
    x = tg.Tensor(np.array(3.0), requires_grad=True)
    y = x * x
    (y * y).backward()
    assert type(x.grad) is np.ndarray and x.grad == 4 * 27


def test_grad_returns_tensors_and_touches_no_grad():
    x, w = leaf(3), leaf(3, seed=1)
    (dx,) = tg.grad((x * w).sum(), x)
    assert isinstance(dx, tg.Tensor) and x.grad is None and w.grad is None
    np.testing.assert_array_equal(dx.data, w.data)


def test_grad_of_an_intermediate_and_of_the_output_itself():
    x = leaf(3)
    h = x * 2
    y = (h * h).sum()
    dh, dy = tg.grad(y, [h, y])
    np.testing.assert_allclose(dh.data, 2 * h.data)
    assert dy.data == 1


def test_grad_of_several_outputs_with_their_gradients():
    x = leaf(2)
    y = x * 3
    (dx,) = tg.grad([y, x * x, y], x, [np.ones(2), np.ones(2), np.ones(2)])
    np.testing.assert_allclose(dx.data, 6 + 2 * x.data)


def test_third_derivative():
    x = leaf(4)
    (first,) = tg.grad((x**4).sum(), x, create_graph=True)
    (second,) = tg.grad(first.sum(), x, create_graph=True)
    (third,) = tg.grad(second.sum(), x)
    np.testing.assert_allclose(third.data, 24 * x.data)


def test_a_gradient_flows_into_grad_outputs():
    x, v = leaf(3), leaf(3, seed=1)
    (dx,) = tg.grad(x * x, x, v, create_graph=True)
    (dv,) = tg.grad(dx.sum(), v)
    np.testing.assert_allclose(dv.data, 2 * x.data)


def test_unused_input_is_refused_or_none():
    x, w = leaf(2), leaf(2)
    with pytest.raises(errors.GraphError, match="do not depend on input"):
        tg.grad((x * 2).sum(), w)
    assert tg.grad((x * 2).sum(), [w, x], allow_unused=True)[0] is None
    for create_graph in (False, True):
        options = {"create_graph": create_graph, "only_inputs": True, "materialize_grads": True}
        zeros, twos = tg.grad((x * 2).sum(), [w, x], **options)
        np.testing.assert_array_equal(zeros.numpy(), np.zeros_like(w.data), strict=True)
        np.testing.assert_array_equal(twos.detach().numpy(), np.full_like(x.data, 2), strict=True)
    with pytest.raises(ValueError, match="grad: only_inputs=False"):
        tg.grad((x * 2).sum(), x, only_inputs=False)


def test_a_rule_whose_input_needs_no_gradient_is_not_called(scratch_ops):
    calls = []

    @primitive
    def both(a, b):
        return a + b

    @both.grad("a")
    def both_da(dy):
        calls.append("a")
        return dy

    @both.grad("b")
    def both_db(dy):
        calls.append("b")
        return dy

    x, w = leaf(2), leaf(2)
    both(x, tg.ones(2)).sum().backward()
    assert calls == ["a"]
    tg.grad(both(x, w).sum(), w)
    assert calls == ["a", "b"]


# Hooks


def test_hooks_on_leaves_and_intermediates():
    x = leaf(3)
    seen = []
    h = x * 2
    handle = h.register_hook(lambda gradient: gradient * 10)
    removed = h.register_hook(lambda gradient: gradient * 1000)
    removed.remove()
    x.register_hook(lambda gradient: seen.append(gradient.copy()))
    h.sum().backward()
    np.testing.assert_array_equal(x.grad, [20, 20, 20])
    np.testing.assert_array_equal(seen[0], [20, 20, 20])
    handle.remove()


def test_a_hook_sees_the_sum_of_all_contributions():
    x, seen = leaf(1), []
    h = x * 1
    h.register_hook(lambda gradient: seen.append(gradient.item()))
    (h * 2 + h * 3).sum().backward()
    assert seen == [5]


@pytest.mark.parametrize(
    "convert", [np.float32, np.array, tg.tensor, lambda number: tg.tensor(number, dtype=np.float64)]
)
def test_a_hook_may_return_a_number_an_array_or_a_tensor(convert):
    x = tg.tensor(2.0, requires_grad=True)
    x.register_hook(lambda dx: convert(7.0))
    y = x * 3
    y.register_hook(lambda dy: dy * 2)  # of an array without dimensions that is a NumPy number
    y.backward(retain_graph=True)
    assert x.grad == 7 and x.grad.dtype == np.float32
    (dx,) = tg.grad(y, x, create_graph=True)
    assert isinstance(dx, tg.Tensor) and dx.item() == 7 and dx.dtype == np.float32


def test_a_hook_that_returns_another_shape_is_refused():
    x = leaf(3)
    x.register_hook(lambda gradient: gradient[:1])
    with pytest.raises(errors.ShapeError, match="hook"):
        (x * 2).sum().backward()


def test_retain_grad_and_post_accumulate_hooks():
    x, written = leaf(3), []
    x.register_post_accumulate_grad_hook(lambda tensor: written.append(tensor.grad.copy()))
    h = x * 2
    h.retain_grad()
    (h * h).sum().backward()
    np.testing.assert_allclose(h.grad, 2 * h.data)
    np.testing.assert_allclose(written[0], x.grad)


def test_a_leaf_frozen_after_the_forward_gets_no_gradient():
    """PyTorch's rule: an optimiser would move what is frozen."""
    x, w, written = leaf(2), leaf(2), []
    w.register_post_accumulate_grad_hook(written.append)
    loss = (x * w).sum()
    w.requires_grad_(False)
    loss.backward()
    assert w.grad is None and not written
    np.testing.assert_allclose(x.grad, w.data)


def test_post_accumulate_hooks_are_for_leaves():
    with pytest.raises(errors.GraphError):
        (leaf(2) * 2).register_post_accumulate_grad_hook(print)


# Refusals


def test_a_second_backward_names_the_line_of_the_first():
    y = (leaf(2) * 2).sum()
    y.backward()
    with pytest.raises(
        errors.TapeConsumedError, match=r"consumed by the backward at .*test_sweep.py:\d+.*retain_graph=True"
    ):
        y.backward()


def test_retain_graph_allows_a_second_backward():
    x = leaf(2)
    y = (x * 2).sum()
    y.backward(retain_graph=True)
    y.backward()
    np.testing.assert_array_equal(x.grad, [4, 4])


def test_backward_of_a_non_scalar_says_what_to_pass():
    with pytest.raises(errors.GraphError, match=r"float64\[3\].*pass one of its shape"):
        (leaf(3) * 2).backward()
    with pytest.raises(errors.ShapeError, match=r"gradient is float64\[2\], but the tensor is float64\[3\]"):
        (leaf(3) * 2).backward(np.ones(2))


def test_backward_of_what_needs_no_gradient_says_why():
    with pytest.raises(errors.GraphError, match="needs no gradient"):
        tg.ones(1).sum().backward()
    with tg.no_grad():
        y = (leaf(1) * 2).sum()
    with pytest.raises(errors.GraphError, match="no_grad"):
        y.backward()


def test_wrong_calls_of_ops_are_refused():
    relu, add = OPS["relu"], OPS["add"]
    with pytest.raises(TypeError, match="relu: x must be a Tensor or an ndarray, not list"):
        relu([1.0])
    with pytest.raises(TypeError, match="relu: x must be .* not float"):
        relu(1.0)
    with pytest.raises(TypeError, match=r"add takes the inputs \(a, b\); b is missing"):
        add(tg.ones(1))
    with pytest.raises(TypeError, match=r"add takes the inputs \(a, b\); got 3 by position"):
        add(tg.ones(1), tg.ones(1), tg.ones(1))
    with pytest.raises(TypeError, match=r"add: a was given twice"):
        add(tg.ones(1), a=tg.ones(1))
    with pytest.raises(TypeError, match=r"relu takes the inputs \(x\); there is no slope"):
        relu(tg.ones(1), slope=1)
    with pytest.raises(errors.RuleError, match="condition is a param"):
        tg.where(leaf(2), tg.ones(2), tg.ones(2))


def test_numpy_functions_do_not_leave_the_tape_in_silence():
    x, array = leaf(3), np.ones(3)
    assert isinstance(array + x, tg.Tensor) and (array * x).requires_grad and np.add(array, x).requires_grad
    for function in (lambda: np.exp(x), lambda: np.asarray(x), lambda: np.mean(x), lambda: np.log1p(x)):
        with pytest.raises(TypeError):
            function()
    np.testing.assert_array_equal(np.asarray(x.detach()), x.data)


def test_of_a_variadic_op_only_what_is_wanted_is_passed_on():
    a, b = leaf(2), leaf(3, seed=1)
    seen = []
    b.register_hook(seen.append)
    (da,) = tg.grad(tg.cat([a, b]).sum(), a)
    np.testing.assert_array_equal(da.data, [1, 1])
    assert not seen
