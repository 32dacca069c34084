"""Anomaly mode: the first number that is not finite, arrays changed behind the tape, gradients that add up to
stale ones.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any
from weakref import ref

import numpy as np

from ..dtypes import Array
from ..engine.tape import Node, Notes, tick
from ..engine.tensor import Tensor
from ..errors import AnomalyError, MutationError, show_tensor
from ..places import line_of, user_where
from .listing import input_edges
from .step import Step, place_of, show
from .watch import Call, Observer, first_nonfinite


class detect_anomaly(Observer):
    """`with tg.detect_anomaly():` raises where the first NaN or infinity appears, forward or backward.

    The AnomalyError names the op, its layer, what it was given and made (ranges, how many NaN and inf, the
    first index) and the user's line of the forward. Inside also

    - a copy is kept of whatever a rule will read, so that a MutationError can name op, array, line and first
    changed index
      where the numbers were changed behind the tape, be it through another library's view of the memory;
    - a warning is given where a backward adds to a `.grad` that an optimiser has already used: the forgotten
    zero_grad.

    For looking for a fault, not for training: it costs time, and the memory of those copies.
    """

    def __init__(self) -> None:
        self._written: dict[
            int, tuple[ref[Tensor], int]
        ] = {}  # id of a leaf → when its gradient was written here
        self._warned = False

    def after_op(self, call: Call) -> None:
        if first_nonfinite(call.outputs) is not None:
            raise AnomalyError(f"{call.op} made a number that is not finite\n    {call!r}")
        if call.node is not None and call.node.saved:
            call.node.notes = with_copies(call.node)

    def before_step(self, step: Step, node: Node) -> None:
        if isinstance(node.notes, CopyNotes):
            check_unchanged(node, node.notes.copies)
        if first_nonfinite([step.grad_output]) is not None:
            raise AnomalyError(f"the gradient that arrives at {step.op} is not finite\n    {step!r}")

    def after_step(self, step: Step) -> None:
        if first_nonfinite(step.grad_inputs.values()) is not None:
            read = [f"{name}: {show(value)}" for name, value in step.read.items() if value is not None]
            what = f"a gradient rule of {step.op} made a number that is not finite"
            raise AnomalyError("\n    ".join([what, repr(step), *read]))
        if first_nonfinite([one.after for one in accumulations(step)]) is not None:
            raise AnomalyError(
                f"a gradient of {step.op} is not finite once it is added to the others\n    {step!r}"
            )

    def after_sweep(self, found: dict[Any, Any]) -> None:
        now = tick()
        for leaf in found:
            if isinstance(leaf, Tensor):
                self.check_fresh(leaf)
                self._written[id(leaf)] = ref(leaf), now

    def check_fresh(self, leaf: Tensor) -> None:
        """Warn, once, where the gradient that is there has already been used for a step."""
        known, written = self._written.get(id(leaf), (None, 0))
        used = known is not None and known() is leaf and leaf._stamp > written
        if used and leaf.grad is not None and leaf.grad.any() and not self._warned:
            self._warned = True
            code, offset = user_where()
            name = show_tensor(leaf)
            message = f"this backward adds to the .grad of {name}, which an optimiser has already used: zero_grad() first"
            warnings.warn_explicit(message, UserWarning, code.co_filename, line_of((code, offset)))


class CopyNotes(Notes):
    """A node's notes, with copies of what its rules will read: they live as long as the node does."""

    __slots__ = ("copies",)

    copies: dict[str, Array]


def with_copies(node: Node) -> CopyNotes:
    """The notes of a node, and copies beside them."""
    notes = CopyNotes()
    for name in Notes.__slots__ if node.notes else ():
        setattr(notes, name, getattr(node.notes, name))
    notes.copies = {name: array.copy() for name, array in saved_arrays(node)}
    return notes


def saved_arrays(node: Node) -> Iterator[tuple[str, Array]]:
    """What the rules of a node will read, by name; the members of a tuple one by one."""
    for name, place in node.op.saves.items():
        value = node.saved[place] if node.saved else None
        for position, one in enumerate(value) if isinstance(value, tuple) else [(None, value)]:
            if isinstance(one, np.ndarray):
                yield name if position is None else f"{name}[{position}]", one


def check_unchanged(node: Node, copies: dict[str, Array]) -> None:
    """Raise MutationError if what the rules will read is not what the forward had read, or made."""
    for name, array in saved_arrays(node):
        changed = ~((array == copies[name]) | (array != array) & (copies[name] != copies[name]))
        if changed.any():
            index = tuple(map(int, np.argwhere(changed)[0])) if array.ndim else ()
            raise MutationError(
                f"{node.op.name}: {called(node, name)} changed behind the tape: {name}{list(index)} was "
                f"{copies[name][index]:.6g} in the forward and is {array[index]:.6g} now. Its line: {place_of(node)}"
            )
    copies.clear()


def called(node: Node, name: str) -> str:
    """The name of the tensor behind a saved input, if it has one."""
    edges = dict(zip(node.op.inputs, input_edges(node)))
    edge = edges.get(name)
    if isinstance(edge, Tensor):
        return show_tensor(edge)
    given = (node.names or {}).get(node.op.inputs.index(name)) if name in node.op.inputs else None
    return str(given) if given else f"its {name}"


def accumulations(step: Step) -> Iterator[Any]:
    """What a step's contributions have been added to."""
    for one in step.accumulated.values():
        yield from [one] if hasattr(one, "after") else [each for each in one if each is not None]
