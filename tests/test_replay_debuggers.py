"""Who looks into Python, or stops in a step or in a rule, sees the eager step, and is told so once."""

from __future__ import annotations

import pdb
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import optim

from .replay_steps import batches, plain, same_as_eager, small_net


@pytest.fixture
def stops(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which functions `breakpoint()` and `pdb.set_trace()` stop in, without anybody who is asked to type."""
    seen: list[str] = []

    def set_trace() -> None:
        seen.append(sys._getframe(1).f_code.co_name)

    monkeypatch.setattr(sys, "breakpointhook", set_trace)
    monkeypatch.setattr(pdb, "set_trace", set_trace)
    return seen


@pytest.mark.parametrize("stop", ["breakpoint", "set_trace"])
@pytest.mark.parametrize("part", ["forward", "rule", "step"])
def test_a_step_that_stops_somewhere(part: str, stop: str, stops: list[str], scratch_ops: None) -> None:
    def stop_in(place: str) -> None:
        if place == part:
            breakpoint() if stop == "breakpoint" else pdb.set_trace()

    @tg.primitive
    def tripled(x: Any) -> Any:
        stop_in("forward")
        return 3 * x

    @tripled.grad("x")
    def tripled_dx(dy: Any) -> Any:
        stop_in("rule")
        return np.multiply(3, dy)

    def make() -> Any:
        net = small_net()

        def step(x: Any, y: Any) -> Any:
            net.zero_grad()
            stop_in("step")
            loss = tripled(tg.cross_entropy(net(x), y))
            loss.backward()
            return loss

        return [net], step, batches(5)

    same_as_eager(make, refused="it stops for a debugger")
    assert stops == ["stop_in"] * 10


@contextmanager
def tracing() -> Iterator[None]:
    before = sys.gettrace()
    sys.settrace(lambda frame, event, argument: None)
    try:
        yield
    finally:
        sys.settrace(before)


@contextmanager
def monitoring() -> Iterator[None]:
    tools = sys.monitoring  # type: ignore[attr-defined]
    tools.use_tool_id(tools.DEBUGGER_ID, "a debugger")
    try:
        yield
    finally:
        tools.free_tool_id(tools.DEBUGGER_ID)


WAYS = [tracing, *([monitoring] if sys.version_info >= (3, 12) else [])]


@pytest.mark.parametrize("attached", WAYS, ids=lambda way: way.__name__)
def test_a_debugger_sees_the_eager_step(attached: Callable[[], Any]) -> None:
    net = small_net()
    step = tg.replay(plain(net, optim.SGD(net.parameters(), lr=0.1)))
    x, y = batches(1)[0]
    for _ in range(3):
        step(x, y)
    with pytest.warns(UserWarning, match="a debugger is attached .*replay_steps.py") as said, attached():
        step(x, y)
        step(x, y)
    assert len(said) == 1 and step.replays == 1
    step(x, y)
    assert step.replays == 2
