"""What can be named at the prompt: `x`, `dw`, `stride`, `conv1.weight`, `%3`, `d%3[0, 1]`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, NamedTuple

import numpy as np

from ...dtypes import Array
from ...errors import show_value
from ...members import members_of
from ..record import Recording
from ..step import Source, Step


class Named(NamedTuple):
    """Something that has a name, or a part of it."""

    name: str
    array: Any  # an option may be something else: a number, a tuple; None: not known
    source: Any = None  # what a recording knows it by: the name of a leaf, a Source, or None
    place: tuple[Any, ...] = ()  # the index that was given; () is all of it

    @property
    def part(self) -> Array:
        """The array, or the part of it that was asked for. Raises IndexError."""
        return np.asarray(self.array[self.place])


class Argument(NamedTuple):
    """An input of a step; of a variadic one each member, `xs.0`, `xs.1`."""

    name: str
    value: Any
    contribution: Any  # of the step to its gradient; None where none was wanted
    source: Any


class NamingError(LookupError):
    """Nothing is called that."""


def find(text: str, step: Step, recording: Recording) -> Named:
    """What a text names, at a step of a recording. Raises NamingError, with a suggestion if there is one."""
    matched = re.fullmatch(r"\s*(.+?)\s*(?:\[([\d\s,:\-]*)\])?\s*", text)
    if not matched:
        raise NamingError("name something: x, dy, a leaf, or %3")
    name, index = matched[1], parse_index(matched[2] or "")
    known = {named.name: named for named in everything_named(step, recording)}
    if name not in known:
        raise NamingError(f"nothing is called {name!r}: {hint_for(name, list(known), step)}")
    named = known[name]
    if named.array is None and name not in step.params:
        raise NamingError(f"the value of {name} is not known: no rule reads it")
    if index and not isinstance(named.array, np.ndarray):
        raise NamingError(f"{name} is {show_value(named.array)}: it has no index")
    return named._replace(place=index)


def hint_for(name: str, known: list[str], step: Step) -> str:
    """What may have been meant by a name that nothing has."""
    close = closest(name, known, cutoff=0.5)
    if close:
        return f"did you mean {close}?"
    return f"here are {', '.join(own_names(step))}; leaves and results everywhere"


def closest(name: str, known: list[str], cutoff: float = 0.6) -> str:
    """What may have been meant: what ends so (`net.conv1` for `conv1`), or is spelled nearly so; or ""."""
    longer = sorted((other for other in known if other.lower().endswith(f".{name.lower()}")), key=len)
    if longer:
        return longer[0]
    by_spelling = {other.lower().rpartition(".")[2]: other for other in reversed(known)}
    by_spelling |= {other.lower(): other for other in reversed(known)}
    close = get_close_matches(name.lower(), by_spelling, n=1, cutoff=cutoff)
    return by_spelling[close[0]] if close else ""


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
    return [*dict.fromkeys(named.name for named in (*named_in_step(step), *named_beside(step)))]


def everything_named(step: Step, recording: Recording) -> Iterator[Named]:
    """What has a name, in the recording and then in the step: of two with one name the later counts."""
    yield from (Named(name, None) for name in step.params)  # an option that is None hides no leaf
    for leaf, value in recording.leaves.items():
        yield Named(leaf, value, leaf)
        yield Named(f"d{leaf}", recording.grads.get(leaf), leaf)
    for other in recording:
        yield from named_outputs(other, f"%{other.number}", f"%{other.number}")
    yield from named_beside(step)
    yield from named_in_step(step)


def named_in_step(step: Step) -> Iterator[Named]:
    """The arguments and outputs of a step, and their gradients."""
    for argument in arguments(step):
        yield Named(argument.name, argument.value, argument.source)
        if argument.contribution is not None:
            yield Named(f"d{argument.name}", argument.contribution, argument.source)
    yield from named_outputs(step, "y", "y.0" if step.several else "y")


def named_outputs(step: Step, name: str, first: str) -> Iterator[Named]:
    """The outputs of a step and their gradients; the first has a name of its own, `%3` before `%3.1`."""
    for slot, (value, dy) in enumerate(zip(members_of(step.output), members_of(step.grad_output))):
        called, source = f"{name}.{slot}" if slot else first, Source(step.number, slot)
        yield Named(called, value, source)
        yield Named(f"d{called}", dy, source)


def named_beside(step: Step) -> Iterator[Named]:
    """What no gradient goes to: the options of a step, and what its op kept for the rules."""
    others = {"y", *step.sources, *(f"{name}_shape" for name in step.sources)}  # which rules may read too
    for name, value in {**step.params, **step.read}.items():
        if value is not None and name not in others:
            yield Named(name, value)


def arguments(step: Step) -> Iterator[Argument]:
    """The inputs of a step, those of a variadic one one by one."""
    for name, values in step.inputs.items():
        sources, contributions = step.sources.get(name), step.grad_inputs.get(name)
        if not step.variadic:
            yield Argument(name, values, contributions, sources)
            continue
        for place, value in enumerate(values):
            contribution = contributions and contributions[place]
            yield Argument(f"{name}.{place}", value, contribution, sources and sources[place])
