"""What a step's Python reads outside of itself: where it changes, the step is recorded anew."""

from __future__ import annotations

import itertools
import os
import sys
import time
from array import array
from collections import UserDict, defaultdict, deque
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime
from types import MappingProxyType, ModuleType, SimpleNamespace
from typing import Any
from weakref import ref

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

from .replay_steps import batches, same_as_eager, small_net

Outside = tuple[Callable[[], float], Callable[[], Any]]
"""Reads a factor that is 1, and changes it to 3."""


def of_a_property() -> Outside:
    class Settings:
        more = 0.0

        @property
        def factor(self) -> float:
            return 1.0 + self.more

    settings = Settings()
    return lambda: settings.factor, lambda: setattr(settings, "more", 2.0)


def by_name() -> Outside:
    settings, name = SimpleNamespace(factor=1.0), "factor"
    return lambda: getattr(settings, name), lambda: setattr(settings, name, 3.0)


def in_slots() -> Outside:
    class Settings:
        __slots__ = ("factor",)

    settings = Settings()
    settings.factor = 1.0
    return lambda: settings.factor, lambda: setattr(settings, "factor", 3.0)


def of_a_class() -> Outside:
    class Settings:
        factor = 1.0

    return lambda: Settings.factor, lambda: setattr(Settings, "factor", 3.0)


def hiding_that_of_its_class() -> Outside:
    class Settings:
        factor = 1.0

    settings = Settings()
    return lambda: settings.factor, lambda: setattr(settings, "factor", 3.0)


def of_a_module() -> Outside:
    module = ModuleType("settings")
    module.factor = 1.0
    return lambda: module.factor, lambda: setattr(module, "factor", 3.0)


def of_an_object_in_a_list() -> Outside:
    many = [SimpleNamespace(factor=0.5), SimpleNamespace(factor=0.5)]
    return lambda: sum(each.factor for each in many), lambda: setattr(many[1], "factor", 2.5)


def of_a_list_that_grows() -> Outside:
    factors = [1.0]
    return lambda: sum(factors), lambda: factors.append(2.0)


def of_a_list_in_a_dict() -> Outside:
    settings = {"factors": [1.0]}
    return lambda: settings["factors"][0], lambda: settings.update(factors=[3.0])


def in_a_set() -> Outside:
    switched_on = {"one"}

    def change() -> None:
        switched_on.remove("one")
        switched_on.add("three")

    return lambda: 3.0 if "three" in switched_on else 1.0, change


def in_a_deque() -> Outside:
    latest = deque([0.0, 1.0], maxlen=2)
    return lambda: latest[1], lambda: latest.append(3.0)


def in_a_defaultdict() -> Outside:
    factors: dict[str, float] = defaultdict(lambda: 1.0)
    return lambda: factors["x"], lambda: factors.update(x=3.0)


def in_a_context_variable() -> Outside:
    factor = ContextVar("factor", default=1.0)
    return factor.get, lambda: factor.set(3.0)


def in_the_environment() -> Outside:
    os.environ.pop("FACTOR", None)
    return lambda: float(os.environ.get("FACTOR", "1")), lambda: os.environ.update(FACTOR="3")


def that_numpy_reads() -> Outside:
    factors = np.ones(4)
    return lambda: float(factors.mean()), lambda: factors.fill(3)


def in_a_long_list() -> Outside:
    factors = [1.0] * 100
    return lambda: factors[50], lambda: factors.__setitem__(50, 3.0)


def in_a_dict_of_users() -> Outside:
    settings = UserDict(factor=1.0)
    return lambda: settings["factor"], lambda: settings.update(factor=3.0)


def in_a_read_only_dict() -> Outside:
    settings = {"factor": 1.0, **{str(number): number for number in range(100)}}
    shown = MappingProxyType(settings)
    return lambda: shown["factor"], lambda: settings.update(factor=3.0)


def in_an_array_of_python() -> Outside:
    factors = array("d", [1.0])
    return lambda: factors[0], lambda: factors.__setitem__(0, 3.0)


def held_weakly() -> Outside:
    class Settings:
        factor = 1.0

    settings = Settings()
    reference = ref(settings)
    return lambda: reference().factor, lambda: setattr(settings, "factor", 3.0)


def imported_by_the_step() -> Outside:
    sys.modules["settings_of_a_step"] = ModuleType("settings_of_a_step")
    sys.modules["settings_of_a_step"].factor = 1.0

    def factor() -> float:
        from settings_of_a_step import factor

        return factor

    return factor, lambda: setattr(sys.modules["settings_of_a_step"], "factor", 3.0)


def matched() -> Outside:
    settings = SimpleNamespace(three=False)

    def factor() -> float:
        match settings:
            case SimpleNamespace(three=True):
                return 3.0
        return 1.0

    return factor, lambda: setattr(settings, "three", True)


def of_a_global_that_is_new() -> Outside:
    globals().pop("factor_of_all", None)

    def factor() -> float:
        try:
            return factor_of_all
        except NameError:
            return 1.0

    return factor, lambda: globals().update(factor_of_all=3.0)


def of_a_builtin_that_is_hidden() -> Outside:
    globals().pop("abs", None)
    return lambda: abs(-1.0), lambda: globals().update(abs=lambda number: 3.0)


OUTSIDE = [
    in_a_long_list,
    in_a_dict_of_users,
    in_a_read_only_dict,
    in_an_array_of_python,
    held_weakly,
    imported_by_the_step,
    matched,
    of_a_global_that_is_new,
    of_a_builtin_that_is_hidden,
    of_a_property,
    by_name,
    in_slots,
    of_a_class,
    hiding_that_of_its_class,
    of_a_module,
    of_an_object_in_a_list,
    of_a_list_that_grows,
    of_a_list_in_a_dict,
    in_a_set,
    in_a_deque,
    in_a_defaultdict,
    in_a_context_variable,
    in_the_environment,
    that_numpy_reads,
]


@pytest.mark.parametrize("outside", OUTSIDE, ids=lambda outside: outside.__name__)
def test_a_factor(outside: Callable[[], Outside], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACTOR", "1")
    monkeypatch.setitem(globals(), "abs", abs)  # whatever becomes of it
    monkeypatch.setitem(globals(), "factor_of_all", None)
    monkeypatch.setitem(sys.modules, "settings_of_a_step", None)

    def make() -> Any:
        net, (factor, change) = small_net(), outside()
        optimizer = optim.SGD(net.parameters(), lr=0.1)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            loss = tg.cross_entropy(net(x), y) * factor()
            loss.backward()
            optimizer.step()
            return loss

        first, later = batches(5), batches(5, seed=1)
        return [net], step, [*first, change, *later]

    step = same_as_eager(make, at_least=6)
    assert step.recordings == 4


def test_another_forward() -> None:
    class Scaled(nn.Module):
        factor = 1.0

        def forward(self, x: Any) -> Any:
            return x * self.factor

    forward = Scaled.forward

    def make() -> Any:
        net = nn.Sequential(small_net(), Scaled())
        Scaled.factor, Scaled.forward = 1.0, forward

        def step(x: Any, y: Any) -> Any:
            net.zero_grad()
            loss = tg.cross_entropy(net(x), y)
            loss.backward()
            return loss

        def of_the_class() -> None:
            Scaled.forward = lambda self, x: x - 1

        def of_the_layer() -> None:
            net[1].forward = lambda x: x * 5

        changes = [lambda: setattr(Scaled, "factor", 2.0), of_the_class, of_the_layer]
        calls: list[Any] = batches(3)
        for number, change in enumerate(changes):
            calls += [change, *batches(3, seed=number)]
        return [net], step, calls

    assert same_as_eager(make, at_least=4).recordings == 8


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


@pytest.mark.parametrize("counter", [count_in_a_list, count_of_an_object, count_of_a_closure])
def test_what_counts_its_own_calls_runs_eagerly(counter: Callable[[], Callable[[], Any]]) -> None:
    """A replay would not count, and what follows from the count would never come."""

    def make() -> Any:
        net, count = small_net(), counter()

        def step(x: Any, y: Any) -> Any:
            net.zero_grad()
            loss = tg.cross_entropy(net(x), y) * count()
            loss.backward()
            return loss

        return [net], step, batches(8)

    step = same_as_eager(make, refused="which a replay would not; set it outside of the step")
    assert step.recordings == 2


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


@pytest.mark.parametrize("moving", [that_comes_next, of_a_generator, by_the_clock, by_the_date])
def test_what_moves_on_by_itself_runs_eagerly(moving: Callable[[], Callable[[], Any]]) -> None:
    def make() -> Any:
        net, factor = small_net(), moving()

        def step(x: Any, y: Any) -> Any:
            net.zero_grad()
            loss = tg.cross_entropy(net(x), y) * factor()
            loss.backward()
            return loss

        return [net], step, batches(8)

    clock = moving in (by_the_clock, by_the_date)
    same_as_eager(make, refused="it reads the clock" if clock else "it takes from an iterator")


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

    with pytest.warns(UserWarning, match="settings changed 64 times, the last time what it is called with"):
        for number in range(70):
            assert scale(tg.ones(2), number / 2)[0] == number / 2
