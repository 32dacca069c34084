"""What a rule would read, changed since the forward without the tape being told: noticed, however it came."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import errors

SMALL, LARGE = (3,), (200, 300)


def item(w, array):
    w.data[0] = 100


def ufunc(w, array):
    np.multiply(w.data, 3, out=w.data)


def shared_array(w, array):
    array += 1


def view(w, array):
    w.data.reshape(-1)[...] = 7


@pytest.mark.parametrize("shape", [SMALL, LARGE, (2, 3, 5)])
@pytest.mark.parametrize("change", [item, ufunc, shared_array, view])
@pytest.mark.parametrize("requires_grad", [True, False])
def test_a_change_behind_the_tape_is_refused(shape, change, requires_grad):
    array = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    w = tg.from_numpy(array).requires_grad_(requires_grad)
    w.name = "w"
    x = tg.ones(*shape, requires_grad=True)
    loss = (w * x).sum()
    change(w, array)
    with pytest.raises(errors.MutationError, match=r"mul: the numbers in w .*test_memory.py:\d+"):
        loss.backward()
    assert x.grad is None and w.grad is None


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_change_of_a_view_s_memory_is_refused(order):
    w = tg.from_numpy(np.ones((200, 300), np.float32, order=order)).requires_grad_()
    loss = (w.T[1:, ::2] * w[0, 1:101:1].sum() * w.T[1:, ::2]).sum()
    w.data[:] = 2
    with pytest.raises(errors.MutationError):
        loss.backward()


def test_a_change_inside_a_hook_is_noticed():
    w = tg.ones(3, requires_grad=True)
    y = w * w
    y.register_hook(lambda gradient: w.data.fill(5))
    with pytest.raises(errors.MutationError):
        y.sum().backward()


def test_a_change_in_place_inside_a_hook_is_noticed_wherever_it_is():
    w = tg.ones(100_000, requires_grad=True)  # only some of so many are compared
    y = w * w

    def change(gradient):
        with tg.no_grad():
            w[1] = 6

    y.register_hook(change)
    with pytest.raises(errors.MutationError):
        y.sum().backward()
    assert w.grad is None


def test_a_second_backward_after_a_change_is_refused():
    w = tg.ones(3, requires_grad=True)
    loss = (w * w).sum()
    loss.backward(retain_graph=True)
    w.data[1] = 4
    with pytest.raises(errors.MutationError):
        loss.backward()
    assert w.grad.tolist() == [2, 2, 2]


def test_what_fits_again_is_taken():
    w = tg.tensor([1.0, float("nan"), 3.0], requires_grad=True)
    loss = (w * w).sum()
    kept = w.data.copy()
    w.data[:] = 0
    w.data[:] = kept
    loss.backward()
    np.testing.assert_array_equal(w.grad, 2 * kept)


def test_a_buffer_may_be_filled_anew_after_the_backward():
    batch, w = np.zeros((4, 3), np.float32), tg.ones(3, requires_grad=True)
    for step in range(3):
        batch[:] = step
        (tg.from_numpy(batch) * w).sum().backward()
    assert w.grad.tolist() == [12, 12, 12]


def test_what_no_rule_reads_may_change():
    w, b = tg.ones(3, requires_grad=True), tg.ones(3, requires_grad=True)
    loss = (w * 2 + b).sum()
    w.data[0] = b.data[0] = 9
    loss.backward()
    assert w.grad.tolist() == [2, 2, 2]


def test_anomaly_mode_notices_a_single_number_of_a_large_array():
    w = tg.ones(100, 1000, requires_grad=True)
    with tg.detect_anomaly():
        loss = (w * w).sum()
        w.data[37, 11] = 2
        with pytest.raises(errors.MutationError, match=r"\[37, 11\]"):
            loss.backward()
