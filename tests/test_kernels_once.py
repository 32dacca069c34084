"""Sums that are remembered: of the very same arrays, and only while nobody can have changed these."""

from __future__ import annotations

from threading import Thread

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import kernels
from tinygrad_conv.kernels import norm, once

from .test_kernels import Array


class Counted:
    """A function of two large arrays and a small one, and how often it was called."""

    def __init__(self) -> None:
        self.calls = 0
        self.remembering = once.once(large=2)(self.compute)

    def compute(self, a: Array, b: Array, factor: Array) -> Array:
        self.calls += 1
        if a[0] < 0:
            raise ArithmeticError("negative")
        return np.asarray((a.sum() + b.sum()) * factor)

    def __call__(self, a: Array, b: Array, factor: Array) -> int:
        """Whether it says what it should, and how many calls that took."""
        before = self.calls
        np.testing.assert_array_equal(self.remembering(a, b, factor), (a.sum() + b.sum()) * factor)
        return self.calls - before


@pytest.fixture
def counted() -> Counted:
    return Counted()


def frozen(value: float, size: int = once.LARGE) -> Array:
    """An array that cannot be written to."""
    array = np.full(size, value, np.float32)
    array.setflags(write=False)
    return array


TWO = np.array([2.0, 3.0])


def test_the_very_same_arrays_are_added_up_once(counted: Counted) -> None:
    a, b = frozen(1), frozen(2)
    assert [counted(a, b, TWO), counted(a, b, TWO.copy()), counted(a, b, TWO)] == [1, 0, 0]


def test_other_arrays_or_other_numbers_are_added_up_anew(counted: Counted) -> None:
    a, b = frozen(1), frozen(2)
    others = [(a, b, TWO), (b, a, TWO), (a, a, TWO), (a.view(), a, TWO), (a, frozen(2), TWO), (a, b, TWO)]
    assert [counted(*arrays) for arrays in others] == [1] * len(others)
    assert [counted(a, b, TWO + 1), counted(a, b, TWO[:1]), counted(a, b, TWO[:1].astype("f"))] == [1, 1, 1]


@pytest.mark.parametrize("which", [0, 1])
def test_what_can_be_written_to_is_added_up_anew(counted: Counted, which: int) -> None:
    arrays = [frozen(1), frozen(2)]
    arrays[which] = np.ones(once.LARGE, np.float32)
    assert counted(*arrays, TWO) == 1
    arrays[which] += 1
    assert counted(*arrays, TWO) == 1


def test_what_can_be_written_to_through_another_array_is_added_up_anew(counted: Counted) -> None:
    memory, others = np.ones(once.LARGE, np.float32), frozen(2)
    view = memory.view()
    view.setflags(write=False)
    assert counted(view, others, TWO) == 1
    memory += 1
    assert counted(view, others, TWO) == 1
    del memory  # from here on, nobody can
    assert [counted(view, others, TWO), counted(view, others, TWO)] == [1, 0]
    foreign = np.frombuffer(bytearray(4 * once.LARGE), np.float32)
    foreign.setflags(write=False)
    assert [counted(foreign, others, TWO), counted(foreign, others, TWO)] == [1, 1]


def test_small_arrays_are_added_up_anew(counted: Counted) -> None:
    a, b = frozen(1, once.LARGE - 1), frozen(2)
    assert [counted(a, b, TWO), counted(a, b, TWO)] == [1, 1]


def test_the_result_belongs_to_who_asked_for_it(counted: Counted) -> None:
    a, b = frozen(1), frozen(2)
    counted.remembering(a, b, TWO)[:] = 0
    counted.remembering(a, b, TWO)[:] = 0
    assert counted(a, b, TWO) == 0


def test_arrays_are_not_kept_alive_nor_mistaken_for_later_ones(counted: Counted) -> None:
    for value in range(20):  # of the same size, so they come to lie at the same addresses
        assert counted(frozen(value), frozen(value), TWO) == 1


def test_after_an_error_nothing_is_remembered(counted: Counted) -> None:
    a, bad = frozen(1), frozen(-1)
    counted(a, a, TWO)
    with pytest.raises(ArithmeticError):
        counted.remembering(bad, a, TWO)
    assert counted(a, a, TWO) == 1


def test_each_thread_remembers_its_own(counted: Counted) -> None:
    a, b, calls = frozen(1), frozen(2), []
    counted(a, b, TWO)
    thread = Thread(target=lambda: calls.append(counted(a, b, TWO)))
    thread.start()
    thread.join()
    assert calls == [1]


def test_a_batch_norm_goes_back_with_each_sum_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def summed_in_pieces(*arguments: object) -> Array:
        calls.append(arguments)
        return sums(*arguments)  # type: ignore[arg-type]

    sums = norm.summed_in_pieces
    monkeypatch.setattr(norm, "summed_in_pieces", summed_in_pieces)
    layer, x = tg.nn.BatchNorm2d(4), tg.randn(8, 4, 64, 64)
    y = layer(x * 2)
    calls.clear()
    (y * y).mean().backward()
    assert len(calls) == 1
    dy, x_hat = 2 * y.data / y.data.size, y.data
    np.testing.assert_allclose(layer.weight.grad, (dy * x_hat).sum((0, 2, 3)), rtol=1e-4)


@pytest.mark.parametrize("write", [False, True])
def test_sums_follow_numbers_that_change(write: bool) -> None:
    dy, x, center = (np.ones(shape, np.float32) for shape in ((8, 4, 64, 64), (8, 4, 64, 64), (1, 4, 1, 1)))
    for factor in (1, 3):
        dy *= 2  # 2, and then 4
        seen = dy if write else dy.view()
        seen.setflags(write=write)
        expected = seen.sum((0, 2, 3), np.float64)
        np.testing.assert_allclose(kernels.sum_by_channel(seen), expected)
        np.testing.assert_allclose(
            kernels.deviation_dot(seen, x * factor, center).reshape(-1), expected * (factor - 1)
        )
