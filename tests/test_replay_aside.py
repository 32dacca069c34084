"""Gradients that another thread computes while a replay goes on backward: the same numbers, all in time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import tinygrad_conv as tg
from tinygrad_conv import kernels, nn, optim
from tinygrad_conv.replay import aside
from tinygrad_conv.replay.arguments import Arguments

from .replay_steps import batches, numbers, plain, same_as_eager, state_of


@pytest.fixture(autouse=True)
def everything_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside, "MANY_PRODUCTS", 0)
    monkeypatch.setattr(aside, "MANY", 0)
    monkeypatch.setattr("tinygrad_conv.kernels.aside.get_num_threads", lambda: 2)


def two_convolutions(bias: bool = True) -> Any:
    tg.manual_seed(0)
    first, second = nn.Conv2d(1, 4, 3, padding=1, bias=bias), nn.Conv2d(4, 6, 3, padding=1, bias=bias)
    norms = [nn.BatchNorm2d(4)] if not bias else []
    return nn.Sequential(
        first, *norms, nn.ReLU(), nn.MaxPool2d(2), second, nn.ReLU(), nn.Flatten(), nn.Linear(96, 3)
    )


def replayed(net: Any) -> tuple[Any, list[Any]]:
    """A step that has been recorded, and batches."""
    step, calls = tg.replay(plain(net, optim.SGD(net.parameters(), lr=0.1, momentum=0.9))), batches(6)
    for call in calls[:3]:
        step(*call)
    return step, calls


@pytest.mark.parametrize("bias", [False, True])
def test_it_is_what_eager_does(bias: bool) -> None:
    def make() -> Any:
        net = two_convolutions(bias)
        return [net], plain(net, optim.SGD(net.parameters(), lr=0.1)), batches(8, n=40)

    same_as_eager(make, at_least=3)


def test_which_lines_are_done_aside_and_by_when() -> None:
    step, _ = replayed(two_convolutions())
    recorded = step.program.recorded
    names = [line.name for line in recorded.lines]
    (accumulate,) = set(recorded.done_by.values())
    assert names[accumulate] == "accumulate"
    assert [names[number] for number in recorded.done_by] == ["conv2d_dw", "conv2d_db", "conv2d_db"]
    assert names[accumulate - 2 : accumulate] == ["conv2d_db", "conv2d_dw"]  # the last of them is its own


def test_what_is_read_aside_is_kept_until_then() -> None:
    step, _ = replayed(two_convolutions())
    recorded, last = step.program.recorded, step.program.recorded.done_by
    reads = {recorded.owners[slot] for number in last for slot in recorded.lines[number].reads}
    made = {slot for slot in reads if recorded.slots[slot].origin == "computed"}
    assert made
    for number, deposit in last.items():
        between = recorded.lines[number + 1 : deposit]
        buffers = {recorded.buffers.get(write) for line in between for write in line.writes} - {None}
        assert buffers.isdisjoint({recorded.buffers.get(slot) for slot in recorded.lines[number].reads})


def test_gradients_that_the_step_reads_are_not_among_them() -> None:
    net = two_convolutions()

    def step(x: Any, y: Any) -> Any:
        loss = tg.cross_entropy(net(x), y)
        gradients = tg.grad(loss, list(net.parameters()))
        return loss, *gradients

    run, calls = tg.replay(step), batches(4)
    for call in calls:
        result = run(*call)
    assert run.program.recorded.done_by == {}
    assert numbers(list(result)) == numbers(list(step(*calls[-1])))


def test_without_other_threads_all_is_done_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinygrad_conv.kernels.aside.get_num_threads", lambda: 1)
    who: list[int] = []
    kernels.Aside().begin(lambda: who.append(threading.get_ident()))
    assert who == [threading.get_ident()]


def inserted(calls: list[Any], call: Callable[..., Any]) -> list[Any]:
    """Calls with one more before what was begun aside is waited for."""
    place = next(n for n, each in enumerate(calls) if "finished" in getattr(each, "__qualname__", ""))
    return [*calls[:place], call, *calls[place:]]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_step_that_fails_meanwhile_waits_and_is_undone(error: type[BaseException]) -> None:
    net = two_convolutions()
    step, calls = replayed(net)
    program, before, running = step.program, state_of(net), threading.Event()
    well = program.first_calls

    def slow() -> None:
        running.set()
        time.sleep(0.1)
        running.clear()

    def failing(slots: Any, tensors: Any) -> None:
        program.aside.begin(slow)
        assert running.wait(5)
        raise error("on the way")

    program.first_calls = inserted(well, failing)
    given = Arguments(calls[3], {})
    with pytest.raises(error, match="on the way"):
        program.run(given.tensors, given.arrays)
    assert not running.is_set() and program.aside.parts == []
    assert state_of(net) == before
    program.first_calls = well
    step(*calls[3])
    assert state_of(net) != before


def test_an_error_aside_is_raised_and_the_step_undone() -> None:
    net = two_convolutions()
    step, calls = replayed(net)
    program, before = step.program, state_of(net)
    others: list[str] = []

    def failing() -> None:
        others.append(threading.current_thread().name)
        raise ValueError("aside")

    begin: Any = partial(program.aside.begin, failing)
    program.first_calls = inserted(program.first_calls, lambda slots, tensors: begin())
    given = Arguments(calls[3], {})
    with pytest.raises(ValueError, match="aside"):
        program.run(given.tensors, given.arrays)
    assert len(others) == 1 and program.aside.parts == []
    assert state_of(net) == before


def test_work_that_nobody_has_begun_is_done_by_who_asks_or_left() -> None:
    held, done = threading.Event(), []
    meanwhile = kernels.Aside()
    for _ in range(kernels.get_num_threads()):  # every other thread has something to do
        meanwhile.begin(partial(held.wait, 5))
    other = kernels.Aside()
    other.begin(lambda: done.append(threading.get_ident()))
    other.finish()
    assert done == [threading.get_ident()]
    other.begin(lambda: done.append(0))
    other.drop()
    held.set()
    meanwhile.finish()
    assert done == [threading.get_ident()]
