"""What each part of a recording looks like: `STEP` and `PARTS`, and how a value is held to a form.

A form is a function that raises a RecordingError unless a value has it; `where` is the value's place in the
file. What the parts say of one another is in references.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...dtypes import FLOATS
from ...engine.location import Place
from ...errors import SHORT, RecordingError
from ..step import Accumulated, Kept, Source
from .encoding import text, within

Form = Callable[[Any, str], None]

LARGEST = 2**31 - 1  # of a line, an op's number, a size


def refuse(value: Any, where: str, expected: str) -> None:
    """Say what a value should have been."""
    raise RecordingError(f"{where} is {SHORT.repr(value)}; it must be {expected}")


def anything(value: Any, where: str) -> None:
    """Whatever can be encoded."""


def written(value: Any, where: str) -> None:
    """A text."""
    if type(value) is not str:
        refuse(value, where, "a text")
    text(value, where)


def name(value: Any, where: str) -> None:
    """A name as Python has them."""
    if type(value) is not str or not value.isidentifier():
        refuse(value, where, "a name")


def whole(lowest: int) -> Form:
    """A whole number from here on, which a line or a size may be."""

    def form(value: Any, where: str) -> None:
        if type(value) is not int:
            refuse(value, where, "a whole number")
        within(value, lowest, LARGEST, where)

    return form


def array(value: Any, where: str) -> None:
    """An array of any numbers."""
    if not isinstance(value, np.ndarray):
        refuse(value, where, "an array")


def gradient(value: Any, where: str) -> None:
    """An array of floats."""
    if not isinstance(value, np.ndarray) or value.dtype not in FLOATS:
        refuse(value, where, "an array of floats")


def dtype(value: Any, where: str) -> None:
    """A dtype."""
    if not isinstance(value, np.dtype):
        refuse(value, where, "a dtype")


def optional(form: Form) -> Form:
    """None, or what has a form."""
    return lambda value, where: None if value is None else form(value, where)


def each(cls: type[Any], member: Form) -> Form:
    """A list or a tuple, no named one, of members that have a form."""

    def form(value: Any, where: str) -> None:
        if type(value) is not cls:
            refuse(value, where, f"a {cls.__name__}")
        for place, part in enumerate(value):
            member(part, f"{where}[{place}]")

    return form


def fields(cls: type[Any], *forms: Form) -> Form:
    """A tuple of so many members (of a class, if it is a named one), each with a form of its own."""

    def form(value: Any, where: str) -> None:
        if type(value) is not cls or len(value) != len(forms):
            refuse(value, where, f"a {cls.__name__} of {len(forms)} parts")
        names = getattr(cls, "_fields", None) or range(len(forms))
        for part, place, member in zip(value, names, forms):
            member(part, f"{where}.{place}" if isinstance(place, str) else f"{where}[{place}]")

    return form


def named(member: Form, names: Form = name) -> Form:
    """A dict from names to values that have a form."""

    def form(value: Any, where: str) -> None:
        if type(value) is not dict:
            refuse(value, where, "a dict")
        for key, part in value.items():
            names(key, f"{where}: a name in it")
            member(part, f"{where}[{key!r}]")

    return form


def variadic(member: Form) -> Form:
    """A value, or for a variadic argument (and for several outputs) a tuple of them."""
    members = each(tuple, member)
    return lambda value, where: (members if type(value) is tuple else member)(value, where)


RESULT = fields(Source, whole(1), whole(0))


def edge(value: Any, where: str) -> None:
    """The name of a leaf, or a result."""
    (written if type(value) is str else RESULT)(value, where)


SIZES = each(tuple, whole(0))
KNOWN = optional(array)
CONTRIBUTION = optional(gradient)
SUM = optional(fields(Accumulated, CONTRIBUTION, gradient))

STEP: Mapping[str, Form] = {
    "number": whole(1),
    "op": name,
    "params": named(anything),
    "where": fields(Place, written, whole(-1), written, written),
    "rule": named(written),
    "read": named(anything),
    "shapes": each(tuple, fields(tuple, SIZES, dtype)),
    "sources": named(variadic(optional(edge))),
    "grad_output": variadic(CONTRIBUTION),
    "forward": fields(Kept, named(variadic(KNOWN)), variadic(KNOWN)),
    "grad_inputs": named(variadic(CONTRIBUTION)),
    "accumulated": named(variadic(SUM)),
}
"""What a step has, in the order in which it is written."""

PARTS: Mapping[str, Form] = {
    "leaves": named(gradient, written),
    "grads": named(gradient, written),
    "hooked": each(list, edge),
    "seeds": each(list, fields(tuple, edge, gradient)),
}
"""What a recording has beside its steps."""


def check_keys(value: Any, keys: Mapping[str, Any] | set[str], where: str) -> None:
    """A JSON object with these keys and no others."""
    if type(value) is not dict:
        refuse(value, where, "an object")
    if set(value) != set(keys):
        odd = sorted(set(value) ^ set(keys))
        raise RecordingError(f"{where} has other keys than it must have: {SHORT.repr(odd)} differ")
