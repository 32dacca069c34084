"""Where gradients meet: a result, or a leaf, that several ops read has the sum of what each contributes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ...dtypes import Array
from ...members import grouped, members_of
from ..recorded import Recorded, User
from ..step import Source, Step
from .pieces import Factor, Sum, Term

TEXT = "Each op that read {what} sends a gradient back; by the chain rule they add up."


def readers_of(recording: Recorded) -> dict[Any, list[User]]:
    """Who reads each result and each leaf, in one pass over the recording."""
    return grouped(
        (source, User(step, name, place))
        for step in recording
        for name, place, source in step.one_by_one(step.sources)
        if source is not None
    )


def meetings_at(recording: Recorded, step: Step, readers: dict[Any, list[User]]) -> Iterator[Sum]:
    """For each output of a step whose gradient has more than one summand."""
    for slot, gradient in enumerate(members_of(step.grad_output)):
        source = Source(step.number, slot)
        if gradient is not None:
            name = f"dy[{slot}]" if step.several else "dy"
            yield from meeting(recording, source, name, gradient, readers.get(source, ()))


def meeting(
    recording: Recorded, source: Any, name: str, gradient: Array, users: Sequence[User]
) -> Iterator[Sum]:
    """The view of one gradient that is a sum; nothing where it has one summand, or a hook has changed it."""
    contributions = [(user, contribution_of(user)) for user in users]
    terms = [
        Term(
            (Factor(f"d{argument_of(user)} of %{user.step.number} {user.step.op}", array),),
            step=user.step.number,
        )
        for user, array in contributions
        if array is not None
    ]
    seed = recording.seeds.get(source)
    if seed is not None and len(terms):
        terms.append(Term((Factor("the gradient that the backward began with", np.asarray(seed)),)))
    if len(terms) < 2:
        return
    what = source if isinstance(source, str) else f"%{source.number}"
    title = f"{len(terms)} gradients meet"
    text = TEXT.format(what=what)
    if source in recording.hooked:
        title, text = f"{title}, and a hook has seen the sum", f"{text} A hook may have changed the sum."
    order = terms[::-1]  # of the backward: newest op first
    formula = f"{name} = {' + '.join(term.name for term in order)}"
    yield Sum(name, title, text, formula, result=gradient, shape=gradient.shape, terms=tuple(order))


def contribution_of(user: User) -> Array | None:
    """What a reader adds; None where it was not asked."""
    if user.argument not in user.step.grad_inputs:
        return None
    contribution: Array | None = user.contribution
    return contribution


def argument_of(user: User) -> str:
    """`x`, or `xs[1]` of a variadic op."""
    return user.argument if user.place is None else f"{user.argument}[{user.place}]"
