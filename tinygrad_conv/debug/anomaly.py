"""Anomaly mode: numbers that are not finite, arrays changed behind the tape, stale gradients added to."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary, ref

import numpy as np

from ..dtypes import Array
from ..engine.backward import Gradients
from ..engine.location import line_of, user_where
from ..engine.node import Node, input_edges, tick
from ..engine.observe import Call
from ..engine.tensor import Tensor
from ..errors import AnomalyError, MutationError, show_tensor, show_value
from ..members import members_of
from .step import Accumulated, Step, place_of
from .stepping import StepObserver
from .values import first_nonfinite, saved_arrays


class detect_anomaly(StepObserver):
    """`with tg.detect_anomaly():` raises where the first NaN or infinity appears, forward or backward.

    The AnomalyError names the op, its layer, what it was given and made (ranges, how many NaN and inf, the
    first index) and the user's line of the forward. Inside also

    - a copy is kept of whatever a rule will read, so that a MutationError can name op, array, line and first
      changed index where the numbers were changed behind the tape, be it through another library's view of
      the memory;
    - a warning is given where a backward adds to a `.grad` that an optimiser has already used: the forgotten
      zero_grad.

    For looking for a fault, not for training: it costs time, and the memory of those copies.
    """

    def __init__(self) -> None:
        # id of a leaf → the leaf, and when its gradient was written here
        self._written: dict[int, tuple[ref[Tensor], int]] = {}
        self._warned = False
        # what rules will read, as it was in the forward: as long as the node lives
        self._copies: WeakKeyDictionary[Node, dict[str, Array]] = WeakKeyDictionary()

    def after_op(self, call: Call) -> None:
        super().after_op(call)
        if first_nonfinite(call.outputs) is not None:
            raise AnomalyError(f"{call.op} made a number that is not finite\n    {call!r}")
        if call.node is not None and call.node.saved:
            self._copies[call.node] = copies_of(call.node)

    def before_node(self, gradients: Gradients, node: Node) -> None:
        check_unchanged(node, self._copies.get(node, {}))

    def before_step(self, step: Step, node: Node) -> None:
        if first_nonfinite([step.grad_output]) is not None:
            raise AnomalyError(f"the gradient that arrives at {step.op} is not finite\n    {step!r}")

    def after_step(self, step: Step) -> None:
        if first_nonfinite(step.grad_inputs.values()) is not None:
            read = [f"{name}: {show_value(value)}" for name, value in step.read.items() if value is not None]
            what = f"a gradient rule of {step.op} made a number that is not finite"
            raise AnomalyError("\n    ".join([what, repr(step), *read]))
        if first_nonfinite([accumulated.after for accumulated in accumulations(step)]) is not None:
            what = f"a gradient of {step.op} is not finite once it is added to the others"
            raise AnomalyError(f"{what}\n    {step!r}")

    def after_rules(self, gradients: Gradients, node: Node) -> None:
        super().after_rules(gradients, node)
        if gradients.consumer is not None:  # the node is freed, and nobody will read what it saved
            self._copies.pop(node, None)

    def after_sweep(self, gradients: dict[Any, Any]) -> None:
        now = tick()
        for leaf in gradients:
            if isinstance(leaf, Tensor):
                self.check_fresh(leaf)
                self._written[id(leaf)] = ref(leaf), now

    def check_fresh(self, leaf: Tensor) -> None:
        """Warn, once, where the gradient that is there has already been used for a step."""
        known, written = self._written.get(id(leaf), (None, 0))
        used = known is not None and known() is leaf and leaf._version > written
        if used and leaf.grad is not None and leaf.grad.any() and not self._warned:
            self._warned = True
            code, offset = user_where()
            name = show_tensor(leaf)
            fault = f"this backward adds to the .grad of {name}, which an optimiser has already used"
            message = f"{fault}: zero_grad() first"
            warnings.warn_explicit(message, UserWarning, code.co_filename, line_of((code, offset)))


def copies_of(node: Node) -> dict[str, Array]:
    """Copies of what the rules of a node will read, by name."""
    return {name: array.copy() for name, array in saved_arrays(node)}


def check_unchanged(node: Node, copies: dict[str, Array]) -> None:
    """Raise MutationError if what the rules will read is not what the forward had read, or made."""
    for name, array in saved_arrays(node):
        copy = copies.get(name, array)
        changed = ~((array == copy) | (array != array) & (copy != copy))
        if changed.any():
            index = tuple(map(int, np.argwhere(changed)[0])) if array.ndim else ()
            raise MutationError(
                f"{node.op.name}: {name_of_saved(node, name)} changed behind the tape: {name}{list(index)} "
                f"was {copy[index]:.6g} in the forward and is {array[index]:.6g} now. "
                f"Its line: {place_of(node)}"
            )


def name_of_saved(node: Node, name: str) -> str:
    """The name of the tensor behind a saved input, if it has one."""
    edge = dict(zip(node.op.inputs, input_edges(node))).get(name)
    if isinstance(edge, Tensor):
        return show_tensor(edge)
    constant = (node.constants or {}).get(node.op.inputs.index(name)) if name in node.op.inputs else None
    return str(constant) if constant else f"its {name}"


def accumulations(step: Step) -> Iterator[Accumulated]:
    """What a step's contributions have been added to."""
    for entries in step.accumulated.values():
        yield from (accumulated for accumulated in members_of(entries) if accumulated is not None)
