"""`loss.tape()`: the program that ran, one op a line."""

from __future__ import annotations

import gc
import inspect
import os
import weakref

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.debug.listing import Line, Tape
from tinygrad_conv.engine.observed import LAYER

from .helpers import more

HERE = os.path.relpath(__file__) if __file__.startswith(os.getcwd() + os.sep) else __file__


def line_number():
    return inspect.currentframe().f_back.f_lineno


def test_the_program_that_ran():
    x = tg.tensor(np.ones((2, 3, 8, 8), np.float32), name="x")
    w = tg.Tensor(np.ones((4, 3, 3, 3), np.float32), requires_grad=True, name="conv1.weight")
    first = line_number() + 1
    y = tg.conv2d(x, w, padding=1)
    z = tg.max_pool2d(tg.relu(y), 2)
    loss = (z * 2).sum()
    assert str(loss.tape()).split("\n") == [
        f"%1 = conv2d(x, conv1.weight, padding=1)    float32[2,4,8,8]    {HERE}:{first}",
        f"%2 = relu(%1)                              float32[2,4,8,8]    {HERE}:{first + 1}",
        f"%3 = max_pool2d(%2, kernel_size=2)         float32[2,4,4,4]    {HERE}:{first + 1}",
        f"%4 = mul(%3, 2)                            float32[2,4,4,4]    {HERE}:{first + 2}",
        f"%5 = sum(%4)                               float32[]           {HERE}:{first + 2}",
    ]


def test_lines_are_plain_data():
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    tape = (w * w).sum().tape()
    assert isinstance(tape[0], Line)
    assert [line.op for line in tape] == ["mul", "sum"]
    assert tape[0].inputs == ("float32[2]", "float32[2]")
    assert tape[0].outputs == ("float32[2]",)
    assert tape[-1] is tape[1] and tape[:1] == [tape[0]] and len(tape) == 2
    assert str(tape[0]) == f"%1 = mul(float32[2], float32[2])    float32[2]    {tape[0].place}"


def test_layer_path():
    w = tg.tensor([1.0], requires_grad=True, name="w")
    token = LAYER.set("net.fc")
    y = w * 2
    LAYER.reset(token)
    assert y.tape()[0].layer == "net.fc"
    assert str(y.tape()).endswith("    net.fc")


def test_variadic_inputs_several_outputs_and_indices(monkeypatch):
    monkeypatch.setattr("tinygrad_conv.engine.declare.OPS", {})

    @tg.primitive
    def halves(x):
        return x[: len(x) // 2], x[len(x) // 2 :]

    @halves.grad("x")
    def halves_dx(dy):
        return cat(dy[0], dy[1])

    @tg.primitive
    def cat(*xs):
        return np.concatenate(xs)

    @cat.grad("xs")
    def cat_dxs(dy, xs_shape):
        return [dy for _ in xs_shape]

    w = tg.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True, name="w")
    a, b = halves(w)
    tape = cat(a, tg.tensor([5.0]), b, tg.tensor([5.0, 6.0]))[np.array([0, 1])].tape()
    assert [line.call for line in tape] == [
        "%1 = halves(w)",
        "%2 = cat([%1[0], [1], %1[1], [2]])",
        "%3 = getitem(%2, index=int64[2])",
    ]
    assert tape[0].outputs == ("float32[2]", "float32[2]")


def test_params_are_short_and_only_those_that_differ():
    w = tg.tensor(np.ones((4, 5), np.float32), requires_grad=True, name="w")
    assert w.sum(dim=None, keepdim=False).tape()[0].call == "%1 = sum(w)"
    assert w.sum(dim=(0, 1)).tape()[0].call == "%1 = sum(w, dim=(0, 1))"
    assert w[1:, ..., None, ::2].tape()[0].call == "%1 = getitem(w, index=(1:, …, None, ::2))"
    long = w[[0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]].tape()[0].call
    assert long == "%1 = getitem(w, index=[0, 1, 2, 3, ...])"


def test_pairs_of_equal_numbers_are_one_number():
    w = tg.tensor(np.ones((1, 1, 3, 3), np.float32), requires_grad=True, name="w")
    assert tg.conv2d(w, w, padding=(0, 0), dilation=(1, 1)).tape()[0].call == "%1 = conv2d(w, w)"
    assert (
        tg.conv2d(w, w, padding=(1, 1), stride=(2, 1)).tape()[0].call
        == "%1 = conv2d(w, w, stride=(2, 1), padding=1)"
    )
    assert w.reshape(3, 3).tape()[0].call == "%1 = reshape(w, shape=(3, 3))"


def test_what_is_still_known_of_a_constant():
    w = tg.tensor(np.ones((2, 2), np.float32), requires_grad=True, name="w")
    image = np.ones((1, 2, 2, 2), np.float32)
    kernel = tg.tensor(np.ones((3, 2, 1, 1), np.float32), requires_grad=True, name="kernel")
    bias = tg.tensor(np.ones(3, np.float32), name="frozen")
    assert (w * np.ones((2, 2), np.float32)).tape()[0].call == "%1 = mul(w, float32[2,2])"
    assert (w + np.ones((2, 2), np.float32)).tape()[
        0
    ].call == "%1 = add(w, constant)"  # add's rules read nothing
    assert (w + 1.5).tape()[0].call == "%1 = add(w, 1.5)"
    assert tg.conv2d(image, kernel).tape()[0].call == "%1 = conv2d(float32[1,2,2,2], kernel)"
    assert tg.conv2d(image, kernel, bias).tape()[0].call == "%1 = conv2d(float32[1,2,2,2], kernel, frozen)"


def test_two_losses_share_what_they_share():
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    y = w.exp()
    tape = Tape(y.sum(), y.mean())
    assert [line.call for line in tape] == ["%1 = exp(float32[2])", "%2 = sum(%1)", "%3 = mean(%1)"]


def test_made_before_a_backward_it_still_lists_the_ops():
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    loss = (w * 3).sum()
    tape = loss.tape()
    before = str(tape)
    loss.backward()
    assert str(tape) == before and len(tape) == 2


def test_made_after_it_says_which_line_freed_them():
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    loss = (w * 3).sum()
    loss.backward()
    freed = f"{HERE}:{line_number() - 1}"
    tape = loss.tape()
    assert len(tape) == 1 and tape[0].call == "%1 = sum(freed)" and tape[0].freed_by == freed
    assert f"let go of by the backward at {freed}: make the tape before it, or pass retain_graph=True" in str(
        tape
    )


def test_retained_graph_is_listed_whole():
    w = tg.tensor([1.0, 2.0], requires_grad=True)
    loss = (w * 3).sum()
    loss.backward(retain_graph=True)
    assert len(loss.tape()) == 2


@pytest.mark.parametrize("tensor", [tg.tensor(1.0), tg.tensor(1.0, requires_grad=True)])
def test_a_leaf_has_an_empty_tape(tensor):
    assert len(tensor.tape()) == 0
    assert "was made by no op" in str(tensor.tape()) and "was made by no op" in repr(tensor.tape())


def test_looking_changes_nothing_and_keeps_nothing_alive():
    w = tg.tensor(np.ones(4, np.float32), requires_grad=True)
    loss = (w * w).sum()
    node = loss.grad_fn
    state = [getattr(node, name) for name in type(node).__slots__]
    gc.disable()
    try:
        tape = loss.tape()
        repr(tape), str(tape)
        assert [getattr(node, name) for name in type(node).__slots__] == state
        del state, node
        held = weakref.ref(w)
        del w, loss
        assert held() is None and len(tape) == 2
    finally:
        gc.enable()


@pytest.mark.parametrize("length", [10_000, *more(100_000)])
@pytest.mark.exhaustive
def test_a_long_tape(length):
    x = tg.tensor(1.0, requires_grad=True)
    for _ in range(length):
        x = -x
    tape = x.tape()
    assert len(tape) == length and tape[-1].call == f"%{length} = neg(%{length - 1})"
    assert len(repr(tape).split("\n")) == 41 and f"{length - 40:,} more ops" in repr(tape)
    assert str(tape).count("\n") == length - 1
