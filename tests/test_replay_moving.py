"""What a step sets outside of itself, or takes from there, as a replay would not: it runs eagerly."""

from __future__ import annotations

import itertools
import time
import warnings
from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

import tinygrad_conv as tg

from .replay_steps import batches, same_as_eager, small_net


def count_in_a_list() -> Callable[[], Any]:
    counts = [0]

    def count() -> float:
        counts[0] += 1
        return 5.0 if counts[0] == 5 else 1.0

    return count


def count_of_an_object() -> Callable[[], Any]:
    counter = SimpleNamespace(calls=0)

    def count() -> float:
        counter.calls += 1
        return 5.0 if counter.calls == 5 else 1.0

    return count


def count_of_a_closure() -> Callable[[], Any]:
    calls = 0

    def count() -> float:
        nonlocal calls
        calls += 1
        return 5.0 if calls == 5 else 1.0

    return count


def that_comes_next() -> Callable[[], Any]:
    number = itertools.count()
    return lambda: 5.0 if next(number) == 5 else 1.0


def of_a_generator() -> Callable[[], Any]:
    factors = (5.0 if number == 5 else 1.0 for number in range(20))
    return lambda: next(factors)


def by_the_clock() -> Callable[[], Any]:
    begun = time.perf_counter()
    return lambda: 1.0 if time.perf_counter() < begun + 1e6 else 5.0


def by_the_date() -> Callable[[], Any]:
    return lambda: 1.0 if datetime.now().year > 2000 else 5.0


SET = "which a replay would not; set it outside of the step"
MOVING = {
    count_in_a_list: SET,
    count_of_an_object: SET,
    count_of_a_closure: SET,
    that_comes_next: "it takes from an iterator",
    of_a_generator: "it takes from an iterator",
    by_the_clock: "it reads the clock",
    by_the_date: "it reads the clock",
}


@pytest.mark.parametrize("moving", MOVING)
def test_what_moves_on_from_call_to_call_runs_eagerly(moving: Callable[[], Callable[[], Any]]) -> None:
    """What follows from it in a later call alone would never come."""

    def make() -> Any:
        net, factor = small_net(), moving()

        def step(x: Any, y: Any) -> Any:
            net.zero_grad()
            loss = tg.cross_entropy(net(x), y) * factor()
            loss.backward()
            return loss

        return [net], step, batches(8)

    step = same_as_eager(make, refused=MOVING[moving])
    assert step.recordings == (2 if MOVING[moving] == SET else 1)


def test_what_an_op_counts_is_counted_in_replays(scratch_ops: None) -> None:
    calls = {"forward": 0, "rule": 0}

    @tg.primitive
    def counted(x: Any) -> Any:
        calls["forward"] += 1
        return x * 2

    @counted.grad("x")
    def counted_dx(dy: Any) -> Any:
        calls["rule"] += 1
        return dy * 2

    net = small_net()

    @tg.replay
    def step(x: Any, y: Any) -> Any:
        net.zero_grad()
        loss = tg.cross_entropy(counted(net(x)), y)
        loss.backward()
        return loss

    for batch in batches(8):
        step(*batch)
    assert step.replays == 6 and calls == {"forward": 8, "rule": 8}


def test_what_a_refused_step_changes_is_no_other_setting() -> None:
    net, seen = small_net(), SimpleNamespace(calls=0)

    @tg.replay
    def step(x: Any) -> Any:
        seen.calls += 1
        return net(x).sum().detach() * float(x.sum())

    with pytest.warns(UserWarning, match="reads the numbers of a tensor"):
        for x, _ in batches(10):
            step(x)
    assert seen.calls == 10 and step.recordings == 1


def test_what_changes_in_every_call_is_named_in_the_end() -> None:
    clock = SimpleNamespace(now=0)

    @tg.replay
    def step(x: Any) -> Any:
        return x * clock.now

    def run(x: Any) -> None:
        for _ in range(70):
            clock.now += 1
            assert step(x)[0] == clock.now

    with pytest.warns(UserWarning, match="settings changed 64 times, the last time SimpleNamespace.now"):
        run(tg.ones(2))

    @tg.replay
    def scale(x: Any, factor: float) -> Any:
        return x * factor

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for number in range(70):
            assert scale(tg.ones(2), number / 2)[0] == number / 2
    early, late = [str(each.message) for each in said]
    assert "for each call brings another number, a setting of its own; pass what varies as a tensor" in early
    assert "for its settings changed 64 times, the last time what it is called with" in late
