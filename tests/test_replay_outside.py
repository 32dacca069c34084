"""What a step's Python reads outside of itself: where it changes, the step is recorded anew."""

from __future__ import annotations

import os
import sys
from array import array
from collections import UserDict, defaultdict, deque
from collections.abc import Callable
from configparser import ConfigParser
from contextvars import ContextVar
from threading import Event
from types import MappingProxyType, ModuleType, SimpleNamespace
from typing import Any
from weakref import WeakKeyDictionary, ref

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import data, nn, optim

from .helpers import more
from .replay_steps import Outside, batches, same_as_eager, small_net


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


def of_reloaded_code() -> Outside:
    def factor() -> float:
        return 1.0

    def edited() -> float:
        return 3.0

    return factor, lambda: setattr(factor, "__code__", edited.__code__)


def of_another_default() -> Outside:
    def factor(value: float = 1.0) -> float:
        return value

    return factor, lambda: setattr(factor, "__defaults__", (3.0,))


def of_another_default_by_keyword() -> Outside:
    def factor(*, value: float = 1.0) -> float:
        return value

    return factor, lambda: factor.__kwdefaults__.update(value=3.0)


def by_a_weak_key() -> Outside:
    class Key:
        pass

    key, factors = Key(), WeakKeyDictionary[Any, float]()
    factors[key] = 1.0
    return lambda: factors[key], lambda: factors.update({key: 3.0})


def of_an_event() -> Outside:
    event = Event()
    return lambda: 3.0 if event.is_set() else 1.0, event.set


def in_a_configuration() -> Outside:
    settings = ConfigParser()
    settings["loss"] = {"factor": "1"}
    return lambda: float(settings["loss"]["factor"]), lambda: settings["loss"].update(factor="3")


def of_a_list_with_attributes() -> Outside:
    class Factors(list[float]):
        factor = 1.0

    factors = Factors()
    return lambda: factors.factor, lambda: setattr(factors, "factor", 3.0)


def of_the_data() -> Outside:
    flip = data.transforms.RandomHorizontalFlip(p=1.0)
    return lambda: 1.0 if flip.p == 1 else 3.0, lambda: setattr(flip, "p", 0.5)


def in_a_larger_array() -> Outside:
    factors = np.zeros(10_000, np.float32)
    factors[5000] = 1
    return lambda: float(factors.sum()), lambda: factors.__setitem__(777, 2.0)


OUTSIDE = [
    of_reloaded_code,
    of_another_default,
    of_another_default_by_keyword,
    by_a_weak_key,
    of_an_event,
    in_a_configuration,
    of_a_list_with_attributes,
    of_the_data,
    in_a_larger_array,
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


@pytest.mark.parametrize(
    "outside", [*OUTSIDE[::2], *more(*OUTSIDE[1::2])], ids=lambda outside: outside.__name__
)
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
