"""Functions of one's own as PyTorch's scripts write them, and the other names of torch.autograd."""

from __future__ import annotations

import importlib
from functools import partial

import numpy as np
import pytest

import tinygrad_conv as tg
from tests.helpers import leaf
from tinygrad_conv import errors


def functions(torch):
    """The same classes for us and for PyTorch."""

    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, scale):
            ctx.save_for_backward(x)
            ctx.scale = scale
            return scale * x**3

        @staticmethod
        def backward(ctx, dy):
            (x,) = ctx.saved_tensors
            return 3 * ctx.scale * dy * x**2, None

    class Exponential(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = torch.exp(x)
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, dy):
            (y,) = ctx.saved_tensors
            return dy * y

    class Both(torch.autograd.Function):
        @staticmethod
        def forward(a, b):
            return a * b, a + b

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, d_product, d_sum):
            a, b = ctx.saved_tensors
            db = d_product * a + d_sum if ctx.needs_input_grad[1] else None
            return d_product * b + d_sum, db

    class Linear(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, weight, bias=None):
            ctx.save_for_backward(x, weight, bias)
            y = x.mm(weight.t())
            return y if bias is None else y + bias.unsqueeze(0).expand_as(y)

        @staticmethod
        def backward(ctx, dy):
            x, weight, bias = ctx.saved_tensors
            dx = dy.mm(weight) if ctx.needs_input_grad[0] else None
            dw = dy.t().mm(x) if ctx.needs_input_grad[1] else None
            return dx, dw, None if bias is None else dy.sum(0)

    return Cube, Exponential, Both, Linear


def results(torch):
    """What these make of the same numbers: outputs, gradients, and gradients of gradients."""

    def at(*shape, seed):
        return torch.tensor(np.random.default_rng(seed).standard_normal(shape), requires_grad=True)

    cube, exponential, both, linear = functions(torch)
    x, y, w, b = at(3, seed=0), at(3, seed=1), at(2, 3, seed=2), at(2, seed=3)
    product, total = both.apply(x, y)
    outputs = [cube.apply(x, 2.0), exponential.apply(x * y), product * total, both.apply(x, y.detach())[1]]
    outputs += [linear.apply(x.reshape(1, 3), w, b), linear.apply(y.reshape(1, 3), w)]
    loss = sum(((output * output).sum() for output in outputs[1:]), outputs[0].sum())
    first = torch.autograd.grad(loss, [x, y, w, b], create_graph=True)
    squares = sum(((gradient * gradient).sum() for gradient in first[1:]), (first[0] * first[0]).sum())
    second = torch.autograd.grad(squares, [x, y, w, b])
    torch.autograd.backward([(x * y).sum(), (x * x).sum()], [torch.ones_like(loss), loss.detach()])
    return [value.detach().numpy() for value in (*outputs, *first, *second)] + [np.asarray(x.grad)]


@pytest.mark.torch
def test_values_gradients_and_their_gradients_are_pytorchs():
    torch = pytest.importorskip("torch")
    for ours, theirs in zip(results(tg), results(torch), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


def test_gradcheck_holds_the_backward_against_the_forward():
    cube, exponential, both, linear = functions(tg)
    x, w, b = leaf(3), leaf(2, 3, seed=1), leaf(2, seed=2)
    assert tg.gradcheck(lambda x: cube.apply(x, 2.0), x, order=2)
    assert tg.gradcheck(exponential.apply, x, order=2)
    assert tg.gradcheck(lambda x, y: both.apply(x, y)[0], x, leaf(3, seed=3), order=2)
    assert tg.gradcheck(lambda w, b: linear.apply(tg.ones(1, 3, dtype=tg.float64), w, b), w, b, order=2)

    class Wrong(cube):
        @staticmethod
        def backward(ctx, dy):
            return 2 * dy * ctx.saved_tensors[0] ** 2, None

    with pytest.raises(errors.GradcheckError):
        tg.gradcheck(lambda x: Wrong.apply(x, 2.0), x)


def test_what_runs_is_on_the_tape():
    cube, *_ = functions(tg)
    x = leaf(3)
    y = cube.apply(x, 2.0)
    assert y.grad_fn.name() == "CubeBackward0"
    assert "Cube" in str(y.tape())
    assert y.sum().record().check().first is None
    assert not cube.apply(x.detach(), 2.0).requires_grad
    with tg.no_grad():
        assert not cube.apply(x, 2.0).requires_grad
    y.sum().backward()
    with pytest.raises(errors.TapeConsumedError):
        y.sum().backward()


def test_an_input_that_was_changed_before_the_backward_is_refused():
    cube, *_ = functions(tg)
    x = leaf(3)
    y = cube.apply(x, 2.0)
    with tg.no_grad():
        x += 1
    with pytest.raises(errors.MutationError, match="Cube"):
        y.sum().backward()


def test_a_forward_in_numpy_and_a_backward_once():
    class Sine(tg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.cosine = np.cos(x.numpy())
            return tg.from_numpy(np.sin(x.numpy()))

        @staticmethod
        @tg.autograd.function.once_differentiable
        def backward(ctx, dy):
            return tg.from_numpy(dy.numpy() * ctx.cosine)

    x = leaf(3)
    Sine.apply(x).sum().backward()
    np.testing.assert_allclose(x.grad, np.cos(x.data))
    with pytest.raises(errors.GraphError, match="Sine was declared differentiable once"):
        tg.grad(Sine.apply(x).sum(), x, create_graph=True)


def test_straight_through_outputs_without_a_gradient_and_none():
    class Sorted(tg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            order = tg.argsort(x)
            rank = x * 0
            ctx.mark_non_differentiable(order, rank)
            ctx.save_for_backward(order)
            return x[order], order, rank

        @staticmethod
        def backward(ctx, dy, d_order, d_rank):
            dx = tg.zeros_like(dy)
            dx[ctx.saved_tensors[0]] = dy
            return dx

    class Stopped(tg.autograd.Function):
        @staticmethod
        def forward(ctx, x, *more):
            return x

        @staticmethod
        def backward(ctx, dy):
            return (None, None, None)

    x = leaf(4)
    y, order, rank = Sorted.apply(x)
    assert (y.requires_grad, order.requires_grad, rank.requires_grad) == (True, False, False)
    (y * tg.arange(4)).sum().backward()
    np.testing.assert_array_equal(x.grad[np.argsort(x.data)], range(4))
    np.testing.assert_array_equal(tg.grad(Stopped.apply(x).sum(), x)[0], np.zeros(4))
    assert Stopped.apply(tg.ones(2)).tolist() == [1, 1]


def test_a_forward_without_tensors():
    class Ones(tg.autograd.Function):
        @staticmethod
        def forward(ctx, count):
            return tg.ones(count)

        @staticmethod
        def backward(ctx, dy):
            return None

    assert Ones.apply(3).tolist() == [1, 1, 1]


def wrong(forward=None, backward=None):
    """A Function with one method replaced."""
    own = {"forward": staticmethod(lambda ctx, x: x * 2), "backward": staticmethod(lambda ctx, dy: dy * 2)}
    given = {"forward": forward, "backward": backward}
    return type("Mine", (tg.autograd.Function,), {**own, **{k: v for k, v in given.items() if v}})


@pytest.mark.parametrize(
    ("function", "error", "words"),
    [
        (wrong(forward=lambda ctx, x: x), TypeError, "Mine: write @staticmethod above def forward"),
        (wrong(backward=lambda ctx, x: x), TypeError, "Mine: write @staticmethod above def backward"),
        (wrong(forward=staticmethod(lambda ctx, x: x.numpy())), TypeError, "Mine.forward returned ndarray"),
        (
            wrong(backward=staticmethod(lambda ctx, dy: (dy, dy))),
            errors.RuleError,
            "Mine.backward returned 2 gradients for 1 arguments",
        ),
        (
            wrong(backward=staticmethod(lambda ctx, dy: dy[:1])),
            errors.RuleError,
            r"rule send_back .* for 'xs' of Mine returned float64\[1\]",
        ),
        (
            wrong(forward=staticmethod(lambda ctx, x: ctx.save_for_backward(2.0))),
            TypeError,
            "save_for_backward: takes Tensors, not float; write ctx.name = … for it",
        ),
        (wrong(forward=staticmethod(lambda ctx, x: ctx.mark_dirty(x))), errors.RuleError, "mark_dirty"),
    ],
)
def test_mistakes_are_named(function, error, words):
    with pytest.raises(error, match=words):
        function.apply(leaf(3)).sum().backward()


def test_forward_does_not_change_what_it_is_given():
    x = tg.tensor([1.0, 2.0])
    y = wrong(forward=staticmethod(lambda ctx, x: x.mul_(3))).apply(x)
    assert (x.tolist(), y.tolist()) == ([1, 2], [3, 6])


def test_the_other_names():
    x = tg.autograd.Variable(np.ones(2), requires_grad=True)
    assert x.requires_grad and x.is_leaf
    y = tg.autograd.Variable(x * 2)
    assert y.is_leaf and not y.requires_grad
    assert importlib.import_module("tinygrad_conv.autograd.function").Function is tg.autograd.Function
    assert tg.autograd.grad is tg.grad
    with pytest.raises(ValueError, match="backward: 1 tensors but 2 grad_tensors"):
        tg.autograd.backward(x.sum(), [None, None])
    with pytest.raises(AttributeError, match="write with tg.detect_anomaly"):
        getattr(tg.autograd, "detect_anomaly")  # noqa: B009


def test_what_backward_does_not_do_names_what_does():
    """PyTorch's scripts ask it for gradients on the tape, or for those of some leaves alone."""
    x = tg.ones(2, requires_grad=True)
    for backward in (lambda **options: x.sum().backward(**options), partial(tg.autograd.backward, x.sum())):
        with pytest.raises(ValueError, match=r"use tg.grad\(loss, parameters, create_graph=True\)"):
            backward(create_graph=True)
        with pytest.raises(ValueError, match=r"are tg.grad\(loss, inputs\), which writes no .grad"):
            backward(inputs=[x])
        assert x.grad is None
    x.sum().backward(None, None, False, None)
    np.testing.assert_array_equal(x.grad, [1, 1])
