"""A replayed step holds on to large results no longer than somebody reads them."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

import numpy as np

import tinygrad_conv as tg

MEGABYTE = 1 << 20
LONG = 40  # ops


def peak_of(step: Any, *arguments: Any) -> int:
    """The most memory, in bytes, that a call takes beside what was there before."""
    tracemalloc.start()
    try:
        step(*arguments)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def chain(x: Any) -> Any:
    """Ops without memory prepared, each on a megabyte, with a view that is read later on."""
    y = x
    for _ in range(LONG):
        y = tg.atan(y).T.sign()
    return y.sum()


def test_a_forward_lets_go_of_what_has_been_read() -> None:
    x = tg.randn(512, 512)
    step = tg.replay(tg.no_grad()(chain))
    expected = [step(x).item() for _ in range(3)]
    assert step.program is not None
    assert peak_of(step, x) < 8 * MEGABYTE
    assert len(set(expected)) == 1 and step(x).item() == chain(x).item()


def test_a_backward_has_all_that_it_reads() -> None:
    w = tg.randn(512, 512, requires_grad=True)

    @tg.replay
    def step(x: Any) -> Any:
        w.grad = None
        y = x * w
        for _ in range(10):
            y = tg.atan(y.T) + x
        loss = y.mean()
        loss.backward()
        return loss, y

    x = tg.randn(512, 512)
    with tg.replay.off():
        loss, y = step(x)
        gradient = w.grad
    for _ in range(4):
        replayed = step(x)
        np.testing.assert_array_equal(replayed[0].data, loss.data)
        np.testing.assert_array_equal(replayed[1].data, y.data)
        np.testing.assert_array_equal(w.grad, gradient)
    assert step.program is not None


def trained_net(layers: int) -> Any:
    """A step that keeps an array of half a megabyte for each layer."""
    weights = [tg.randn(128, 128, requires_grad=True) for _ in range(layers)]

    def step(x: Any) -> Any:
        y = x
        for w in weights:
            w.grad = None
            y = tg.tanh(y @ w)
        loss = (y * y).mean()
        loss.backward()
        return loss.item()

    return step


def test_recordings_take_no_more_than_the_step_itself() -> None:
    x, plain = tg.randn(1024, 128), trained_net(16)
    eager, step = peak_of(plain, x), tg.replay(trained_net(16))
    assert eager > 8 * MEGABYTE
    kept = tracemalloc_of(step, x)
    assert all(peak < eager + 4 * MEGABYTE for peak, _ in kept[:2]), kept
    assert kept[0][1] < eager / 2, kept  # the gradients, and what the parameters were before
    assert step.recordings == 2 and step.replays == 1


def tracemalloc_of(step: Any, x: Any) -> list[tuple[int, int]]:
    """The peak of each of three calls, and what is left of it afterwards."""
    left: list[tuple[int, int]] = []
    tracemalloc.start()
    try:
        for _ in range(3):
            tracemalloc.reset_peak()
            step(x)
            _, peak = tracemalloc.get_traced_memory()
            gc.collect()
            now, _ = tracemalloc.get_traced_memory()
            left.append((peak, now))
    finally:
        tracemalloc.stop()
    return left
