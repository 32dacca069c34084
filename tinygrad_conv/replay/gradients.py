"""Where the gradients of a backward go: to `.grad` of the leaves, as the engine's `accumulate` writes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.backpropagation import GRAD_LOCK, accumulate
from ..engine.commit import set_grads
from .program import Line, Recorded
from .values import Call, filled, has_marks, reader

FORGET = ("clear_grads", "forget_grad")  # functions that change nothing but which array `.grad` is
WITHOUT_GRADS = ("forward", "rule", "add", "tuple", "cast")  # lines that neither read nor change any `.grad`


def deposit(line: Line, recorded: Recorded) -> Call:
    """The gradients of a backward go to the leaves; no hook waits for them."""
    read, marks, add = reader(line.reads), line.details, np.add
    if any(other.kind == "exchange" for other in recorded.lines):
        return deposit_some(line)
    if has_marks(marks):
        return lambda slots, tensors: accumulate(dict(zip(filled(marks, slots, tensors), read(slots))))

    def call(slots: list[Any], tensors: list[Any]) -> None:
        with GRAD_LOCK:
            totals = []
            for leaf, gradient in zip(marks, read(slots)):
                before = getattr(leaf, "_grad", None)
                totals.append(gradient.copy() if before is None else add(before, gradient, order="C"))
            set_grads(marks, totals)

    return call


def deposit_some(line: Line) -> Call:
    """The same where a follower may have left some leaves without a gradient."""
    read, marks = reader(line.reads), line.details

    def call(slots: list[Any], tensors: list[Any]) -> None:
        pairs = zip(filled(marks, slots, tensors), read(slots))
        accumulate({leaf: gradient for leaf, gradient in pairs if gradient is not None})

    return call


def deposit_anew(line: Line) -> Call:
    """The same for leaves whose gradients have been forgotten in this step."""
    read, leaves = reader(line.reads), line.details

    def call(slots: list[Any], tensors: list[Any]) -> None:
        totals = [gradient.copy() for gradient in read(slots)]
        with GRAD_LOCK:
            set_grads(leaves, totals)

    return call


def nothing(slots: list[Any], tensors: list[Any]) -> None:
    """What is done elsewhere."""


def deposits_anew(recorded: Recorded) -> dict[int, Callable[[Line], Call]]:
    """By line: backwards that put gradients in the places of those that the step has forgotten just before,
    with nothing in between that would see them gone; and the forgetting, which then need not be done.
    """
    makers: dict[int, Callable[[Line], Call]] = {}
    forgetting: dict[int, list[Any]] = {}  # by line, since the last one that has to do with gradients: whose
    for number, line in enumerate(recorded.lines):
        forgotten = forgotten_by(line)
        if forgotten:
            forgetting[number] = forgotten
        elif line.kind == "deposit" and not has_marks(line.details):
            if {id(leaf) for leaves in forgetting.values() for leaf in leaves} == set(map(id, line.details)):
                makers.update(dict.fromkeys(forgetting, lambda line: nothing))
                makers[number] = deposit_anew
            forgetting = {}
        elif line.kind not in WITHOUT_GRADS:
            forgetting = {}
    return makers


def forgotten_by(line: Line) -> list[Any]:
    """The tensors whose `.grad` a line sets to None, if it does nothing else."""
    if line.kind != "function" or line.name not in FORGET:
        return []
    inputs, options = line.details[0]
    if line.name == "forget_grad":
        return list(inputs)
    return list(inputs[0]) if inputs[1:] == [True] and not options else []
