"""What a step reads by ways that no name of an attribute in it tells: by classes, by what C knows, weakly."""

from __future__ import annotations

import ctypes
import sys
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache, partial
from importlib import import_module
from operator import attrgetter
from queue import SimpleQueue
from threading import Lock
from types import ModuleType
from typing import Any
from weakref import ref

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn

from .replay_steps import Outside, images, same_as_eager, steps_by_a_factor


class Holder:
    """Nothing in its class says what its objects have."""


def holder(**members: Any) -> Any:
    made = Holder()
    vars(made).update(members)
    return made


def set_by(name: str, owner: Any, value: Any) -> Callable[[], Any]:
    return lambda: setattr(owner, name, value)


def by_an_attrgetter_from_outside() -> Outside:
    held, get = holder(rate_of_it=1.0), attrgetter("rate_of_it")
    return lambda: get(held), set_by("rate_of_it", held, 3.0)


def by_getattr_of_another_name() -> Outside:
    held, get = holder(rate_of_it=1.0), getattr
    return lambda: get(held, "rate_of_it"), set_by("rate_of_it", held, 3.0)


def by_a_partial() -> Outside:
    get = partial(getattr, held := holder(rate_of_it=1.0), "rate_of_it")
    return lambda: get(), set_by("rate_of_it", held, 3.0)


def by_a_method_of_the_object_itself() -> Outside:
    get = (held := holder(rate_of_it=1.0)).__getattribute__
    return lambda: get("rate_of_it"), set_by("rate_of_it", held, 3.0)


def by_a_name_in_slots() -> Outside:
    class Slotted:
        __slots__ = ("factor_of_it",)

    held, part = Slotted(), "factor"
    held.factor_of_it = 1.0  # type: ignore[attr-defined]
    return lambda: getattr(held, part + "_of_it"), set_by("factor_of_it", held, 3.0)


def by_a_format() -> Outside:
    held, text = holder(rate_of_it=1.0), "{0.rate_of_it}"
    return lambda: float(text.format(held)), set_by("rate_of_it", held, 3.0)


def of_a_metaclass() -> Outside:
    class Meta(type):
        factor = 1.0

    class Made(metaclass=Meta):
        pass

    return lambda: Made.factor, set_by("factor", Meta, 3.0)


def of_another_class() -> Outside:
    class One:
        factor = 1.0

    class Other:
        factor = 3.0

    held = One()
    return lambda: held.factor, set_by("__class__", held, Other)


def of_a_layer_of_another_class() -> Outside:
    class One(nn.Module):
        def factor(self) -> float:
            return 1.0

    class Other(One):
        def factor(self) -> float:
            return 3.0

    layer = One()
    return lambda: layer.factor(), set_by("__class__", layer, Other)


def of_another_base() -> Outside:
    class One:
        factor = 1.0

    class Other:
        factor = 3.0

    class Made(One):
        pass

    return lambda: Made.factor, set_by("__bases__", Made, (Other,))


def of_a_number_with_attributes() -> Outside:
    class Number(float):
        factor = 1.0

    number = Number(1.0)
    number.factor = 2.0
    return lambda: number.factor, set_by("factor", number, 3.0)


def of_an_array_with_attributes() -> Outside:
    class Array(np.ndarray):
        factor = 1.0

    array = np.ones(2).view(Array)
    array.factor = 2.0
    return lambda: array.factor, set_by("factor", array, 3.0)


def of_an_arrays_shape() -> Outside:
    array = np.ones((2, 3))
    return lambda: float(array.shape[0]), lambda: array.resize((3, 2), refcheck=False)


def of_a_polynomial() -> Outside:
    polynomial = np.poly1d([1.0, 2.0])
    return lambda: float(polynomial(1.0)), lambda: polynomial.coeffs.__setitem__(0, 3.0)


def in_a_record() -> Outside:
    records = np.ones(2, [("a", float)])
    record = records[0]
    return lambda: float(record["a"]), lambda: records["a"].__setitem__(0, 3.0)


def of_a_number_in_c() -> Outside:
    number = ctypes.c_double(1.0)
    return lambda: number.value, set_by("value", number, 3.0)


def in_an_array_in_c() -> Outside:
    numbers = (ctypes.c_double * 2)(1.0, 2.0)
    return lambda: numbers[1], lambda: numbers.__setitem__(1, 3.0)


def that_a_function_remembers() -> Outside:
    held = holder(factor=1.0)
    remembering = lru_cache(lambda: held.factor)

    def change() -> None:
        held.factor = 3.0
        remembering.cache_clear()

    return lambda: remembering(), change


def that_a_function_forgets() -> Outside:
    held = holder(factor=1.0)
    remembering = lru_cache(lambda: held.factor)
    assert remembering() == 1.0
    held.factor = 3.0  # which is not seen, until it forgets
    return lambda: remembering(), remembering.cache_clear


def of_the_order_of_a_dict() -> Outside:
    factors = {"a": 1.0, "b": 2.0}
    return lambda: [*factors.values()][0], lambda: factors.update(a=factors.pop("a"))


def of_the_order_of_an_ordered_dict() -> Outside:
    factors = OrderedDict(a=1.0, b=2.0)
    return lambda: next(iter(factors.values())), lambda: factors.move_to_end("a")


def by_a_view_of_a_dict() -> Outside:
    factors = {"a": 1.0}
    values = factors.values()
    return lambda: sum(values), lambda: factors.update(a=3.0)


def imported_by_a_text() -> Outside:
    module = ModuleType("settings_by_text")
    module.factor_of_it = 1.0  # type: ignore[attr-defined]
    sys.modules["settings_by_text"] = module
    return lambda: import_module("settings_by_text").factor_of_it, set_by("factor_of_it", module, 3.0)


def of_what_is_alive() -> Outside:
    kept = [Holder()]
    held = ref(kept[0])
    return lambda: 1.0 if held() is not None else 3.0, kept.clear


def of_an_error() -> Outside:
    error = ValueError(1.0)
    return lambda: error.args[0], set_by("args", error, (3.0,))


def of_a_lock() -> Outside:
    lock = Lock()
    return lambda: 3.0 if lock.locked() else 1.0, lock.acquire


def of_how_many_wait() -> Outside:
    queue: SimpleQueue[Any] = SimpleQueue()
    return lambda: 1.0 + queue.qsize(), lambda: queue.put(1)


def of_the_name_of_a_tensor() -> Outside:
    weight = tg.ones(1)
    weight.name = "w"
    return lambda: float(len(weight.name or "")), set_by("name", weight, "weight")


def of_the_steps_of_a_tensor() -> Outside:
    weight = tg.ones(2, 3)
    return lambda: float(weight.stride()[0]), set_by("data", weight, np.ones((3, 2), np.float32).T)


def of_where_random_numbers_are() -> Outside:
    generator = np.random.default_rng(0)
    read = lambda: float(generator.bit_generator.state["state"]["state"] % 97)  # noqa: E731
    return read, generator.random


def of_where_numpys_random_numbers_are() -> Outside:
    np.random.seed(0)
    return lambda: float(np.random.get_state()[2] % 97), lambda: np.random.rand(5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "outside",
    [
        by_an_attrgetter_from_outside,
        by_getattr_of_another_name,
        by_a_partial,
        by_a_method_of_the_object_itself,
        by_a_name_in_slots,
        by_a_format,
        of_a_metaclass,
        of_another_class,
        of_a_layer_of_another_class,
        of_another_base,
        of_a_number_with_attributes,
        of_an_array_with_attributes,
        of_an_arrays_shape,
        of_a_polynomial,
        in_a_record,
        of_a_number_in_c,
        in_an_array_in_c,
        that_a_function_remembers,
        that_a_function_forgets,
        of_the_order_of_a_dict,
        of_the_order_of_an_ordered_dict,
        by_a_view_of_a_dict,
        imported_by_a_text,
        of_what_is_alive,
        of_an_error,
        of_a_lock,
        of_how_many_wait,
        of_the_name_of_a_tensor,
        of_the_steps_of_a_tensor,
        of_where_random_numbers_are,
        of_where_numpys_random_numbers_are,
    ],
    ids=lambda outside: outside.__name__,
)
def test_a_factor(outside: Callable[[], Outside]) -> None:
    assert same_as_eager(steps_by_a_factor(outside), at_least=3).recordings >= 4


def test_what_is_no_module_may_stand_among_the_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "settings_of_a_library", object())  # as mpi4py.rc does, without a name
    assert same_as_eager(steps_by_a_factor(imported_by_a_text), at_least=3).recordings >= 4


def test_what_a_step_sets_by_setattr_of_another_name() -> None:
    held, put, part = holder(flag_of_it=0), setattr, "flag"

    def step(x: Any) -> Any:
        put(held, part + "_of_it", 5)
        return x * 2

    replayed = tg.replay(step)
    for number, x in enumerate(images(8, (3,))):
        if number > 3:
            held.flag_of_it = number
        replayed(x)
        assert held.flag_of_it == 5


def test_what_is_held_weakly_is_not_kept_alive() -> None:
    kept = [holder(factor=1.0)]
    held = ref(kept[0])
    step = tg.replay(lambda x: x * (held().factor if held() else 2.0))  # type: ignore[union-attr]
    x = tg.ones(2)
    assert [step(x).tolist() for _ in range(4)] == [[1.0, 1.0]] * 4 and step.replays == 2
    kept.clear()
    assert held() is None and step(x).tolist() == [2.0, 2.0]
