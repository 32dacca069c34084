"""What the names in a rule stand for. The rule is run once, to see what it made of its locals."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from ...engine.rule import Rule
from ...foreign import PACKAGE
from .exam import Case


class RuleNames(NamedTuple):
    """The names that an edit may use.

    arrays: of arrays, by name their number of axes; first those that the rule reads or makes. sizes: (array,
    axis) of its different sizes, None for the number of all elements. numbers: of plain numbers. params: of
    whatever else is a param or a shape. extra: of those the names which the rule does not read yet. package:
    how the rule's module calls this package (`tg`).
    """

    arrays: dict[str, int]
    sizes: list[tuple[str, int | None]]
    numbers: list[str]
    params: list[str]
    extra: frozenset[str]
    package: str


def names_for(rule: Rule, cases: list[Case]) -> RuleNames:
    """What an edit of this rule may use, by its runs at all cases."""
    by_case = [values_at(rule, case) for case in cases]
    values, own = by_case[0], {**locals_of(rule, cases[0]), **dict.fromkeys(rule.params)}
    return RuleNames(
        arrays={name: value.ndim for name, value in values.items() if isinstance(value, np.ndarray)},
        sizes=different_sizes(by_case),
        numbers=[name for name, value in values.items() if type(value) in (int, float)],
        params=[name for name, value in values.items() if type(value) in (tuple, bool, str)],
        extra=frozenset(name for name in values if name not in own),
        package=name_of_package(rule.function),
    )


def values_at(rule: Rule, case: Case) -> dict[str, Any]:
    """All that there is at a case by name: the rule's own first, then what it does not read."""
    own = {**locals_of(rule, case), **{name: case.params[name] for name in rule.params}}
    others = {name: value for name, value in {**case.values, **case.params}.items() if name not in own}
    return {**own, **others}


def different_sizes(by_case: list[dict[str, Any]]) -> list[tuple[str, int | None]]:
    """The sizes of arrays that are not the same at all cases, nor 1 everywhere."""
    chosen: dict[tuple[int, ...], tuple[str, int | None]] = {}
    for name, value in by_case[0].items():
        shapes = [np.shape(values[name]) for values in by_case if name in values]
        if not isinstance(value, np.ndarray) or len({len(shape) for shape in shapes}) > 1:
            continue
        for axis in range(-value.ndim, 0):
            chosen.setdefault(tuple([shape[axis] for shape in shapes]), (name, axis))
        if value.ndim > 1:
            chosen.setdefault(tuple([int(np.prod(shape)) for shape in shapes]), (name, None))
    return [place for sizes, place in chosen.items() if set(sizes) != {1}]


def locals_of(rule: Rule, case: Case) -> dict[str, Any]:
    """The rule's parameters, and its local names as they are when it ends."""
    return run_of(rule, case, case.leading[0])[0]


def run_of(rule: Rule, case: Case, leading: tuple[Any, ...]) -> tuple[dict[str, Any], Any]:
    """The rule's parameters and its local names as they are when it ends, and what it returns; None where it
    raises.
    """
    code = rule.function.__code__
    arguments = [*leading, *[case.values[name] for name in rule.reads]]
    seen: dict[str, Any] = dict(zip(code.co_varnames, arguments))

    def at_the_end(frame: FrameType, event: str, _: Any) -> None:
        if event == "return" and frame.f_code is code:
            seen.update(frame.f_locals)

    profiler, returned = sys.getprofile(), None
    sys.setprofile(at_the_end)
    try:
        returned = rule.function(*arguments, **{name: case.params[name] for name in rule.params})
    except Exception:  # what it does wrong is known by now; its parameters stay
        pass
    finally:
        sys.setprofile(profiler)
    return seen, returned


def name_of_package(function: Any) -> str:
    """What the module of a function calls this package; `tg` where it has no name for it."""
    names = [
        name
        for name, value in function.__globals__.items()
        if getattr(value, "__name__", None) == PACKAGE and hasattr(value, "__path__")
    ]
    return names[0] if names else "tg"
