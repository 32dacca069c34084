"""What can be named at the prompt: `x`, `dw`, `stride`, `conv1.weight`, `%3`, `d%3[0, 1]`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, NamedTuple

import numpy as np

from ...dtypes import Array
from ...errors import show_value
from ..record import Recording
from ..step import Source, Step


class Named(NamedTuple):
    """Something that was named."""

    name: str
    array: Any  # an option may be something else: a number, a tuple
    source: Any  # what a recording knows it by: the name of a leaf, a Source, or None
    gradient: bool
    place: tuple[Any, ...]  # the index that was given; () is all of it

    @property
    def part(self) -> Array:
        """The array, or the part of it that was asked for. Raises IndexError."""
        return np.asarray(self.array[self.place])


class NamingError(LookupError):
    """Nothing is called that."""


def find(text: str, step: Step, recording: Recording) -> Named:
    """What a text names, at a step of a recording. Raises NamingError, with a suggestion where there is
    one.
    """
    matched = re.fullmatch(r"\s*(.+?)\s*(?:\[([\d\s,:\-]*)\])?\s*", text)
    if not matched:
        raise NamingError("name something: x, dy, a leaf, or %3")
    name, index = matched[1], parse_index(matched[2] or "")
    known = dict(names(step, recording))
    if name not in known:
        close = get_close_matches(name, known, n=1, cutoff=0.5)
        hint = (
            f"did you mean {close[0]}?"
            if close
            else f"here are {', '.join(own_names(step))}; leaves and results everywhere"
        )
        raise NamingError(f"nothing is called {name!r}: {hint}")
    array, source, gradient = known[name]
    if array is None and name not in step.params:
        raise NamingError(f"the value of {name} is not known: no rule reads it")
    if index and not isinstance(array, np.ndarray):
        raise NamingError(f"{name} is {show_value(array)}: it has no index")
    return Named(name, array, source, gradient, index)


def parse_index(text: str) -> tuple[Any, ...]:
    """`0, 1:3, :` as an index."""
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    try:
        return tuple(parse_slice(part) if ":" in part else int(part) for part in parts)
    except (ValueError, TypeError):
        raise NamingError(f"[{text}] is no index") from None


def parse_slice(text: str) -> slice:
    """`1:3` as a slice."""
    return slice(*(int(bound) if bound.strip() else None for bound in text.split(":")))


def own_names(step: Step) -> list[str]:
    """What the step itself has: its arguments, `y`, their gradients, its options and what it kept."""
    return [*dict.fromkeys(name for name, _ in (*of_step(step), *beside(step)))]


def names(step: Step, recording: Recording) -> Iterator[tuple[str, tuple[Any, Any, bool]]]:
    """(name, (array, source, whether it is a gradient)): of the recording, and then of the step, whose names
    come first.
    """
    yield from dict.fromkeys(step.params, (None, None, False)).items()  # an option that is None hides no leaf
    for leaf, value in recording.leaves.items():
        yield leaf, (value, leaf, False)
        yield f"d{leaf}", (recording.grads.get(leaf), leaf, True)
    for other in recording:
        for slot, (value, grad) in enumerate(
            zip(several(other.output, other), several(other.grad_output, other))
        ):
            name = f"%{other.number}" if not slot else f"%{other.number}.{slot}"
            yield name, (value, Source(other.number, slot), False)
            yield f"d{name}", (grad, Source(other.number, slot), True)
    yield from beside(step)
    yield from of_step(step)


def of_step(step: Step) -> Iterator[tuple[str, tuple[Any, Any, bool]]]:
    """The same, of a step alone."""
    for name, value, grad, source in arguments(step):
        yield name, (value, source, False)
        if grad is not None:
            yield f"d{name}", (grad, source, True)
    for slot, (value, grad) in enumerate(zip(several(step.output, step), several(step.grad_output, step))):
        name = f"y.{slot}" if isinstance(step.grad_output, tuple) else "y"
        yield name, (value, Source(step.number, slot), False)
        yield f"d{name}", (grad, Source(step.number, slot), True)


def beside(step: Step) -> Iterator[tuple[str, tuple[Any, Any, bool]]]:
    """The same, of what no gradient goes to: its options, and what its op kept for the rules."""
    others = {"y", *step.sources, *(f"{name}_shape" for name in step.sources)}  # which rules may read too
    for name, value in {**step.params, **step.read}.items():
        if value is not None and name not in others:
            yield name, (value, None, False)


def arguments(step: Step) -> Iterator[tuple[str, Any, Any, Any]]:
    """(name, value, contribution to its gradient, source) of each input; the members of a variadic one are
    `xs.0`, `xs.1`.
    """
    for name, value in step.inputs.items():
        source, grad = step.sources.get(name), step.grad_inputs.get(name)
        if not isinstance(value, tuple):
            yield name, value, grad, source
            continue
        for place, member in enumerate(value):
            yield f"{name}.{place}", member, grad and grad[place], source and source[place]


def several(value: Any, step: Step) -> tuple[Any, ...]:
    """Outputs, or their gradients, one by one."""
    return value if isinstance(value, tuple) else (value,) * len(step.shapes)
