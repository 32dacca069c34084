"""A backward as data: every op's forward values and gradients, as copies."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple, overload
from weakref import ref

import numpy as np

from .. import errors
from ..dtypes import Array
from ..engine.tensor import Tensor
from ..members import members_of
from .flow import SHOWN, FlowTable
from .step import Kept, Source, Step


class User(NamedTuple):
    """A place where a leaf or a result is read: by which step, and as which argument."""

    step: Step
    argument: str
    place: int | None  # in the argument, if it is variadic

    @property
    def contribution(self) -> Array:
        """What the step adds to the gradient of what it reads there."""
        gradient: Array = self.step.grad_inputs[self.argument]
        return gradient if self.place is None else gradient[self.place]


class Recorded(Sequence[Step]):
    """The steps of a backward, oldest op first: `rec[2]` is `%3` of the tape.

    `reversed(rec)` is the backward's own order. leaves, grads: the values of the leaves, and their gradients
    from this backward alone, by name. Every array is a copy.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        leaves: dict[str, Array],
        grads: dict[str, Array],
        seeds: dict[Any, Array],
    ) -> None:
        self._steps, self.leaves, self.grads, self.seeds = list(steps), leaves, grads, seeds
        self.hooked: list[Any] = []  # the results and leaves whose gradient went through a hook
        # of the running program, by the node's index and the output slot
        self._results: dict[tuple[int, int], Source] = {}
        self._leaves: dict[str, ref[Tensor]] = {}

    def __len__(self) -> int:
        return len(self._steps)

    @overload
    def __getitem__(self, position: int) -> Step: ...
    @overload
    def __getitem__(self, position: slice) -> list[Step]: ...
    def __getitem__(self, position: int | slice) -> Step | list[Step]:
        return self._steps[position]

    def __repr__(self) -> str:
        held = [(step.forward, step.read, step.grad_output, step.grad_inputs) for step in self]
        size = sum({id(array): array.nbytes for array in arrays_in([held, self.leaves, self.grads])}.values())
        ops = errors.show_count(len(self), "op")
        leaves = errors.show_count(len(self.leaves), "leaf", "leaves")
        return f"<recording of {ops} and {leaves}, {size / 2**20:.1f} MB>"

    def __str__(self) -> str:
        return f"{self!r}\n{self.flow().shown(most=SHOWN)}" if len(self) else repr(self)

    def flow(self) -> FlowTable:
        """How large the numbers are, op by op: |y|, its share of zeros, |dy|, |dw| and |dw|/|w|.

        As `print(rec)` shows it, but without leaving out the middle of a long one.
        """
        return FlowTable(self)

    def find(self, op: str = "*", name: str = "*") -> list[Step]:
        """The steps of an op, of a layer; both may be patterns: `rec.find("conv2d", name="net.conv*")`."""
        return [step for step in self if fnmatchcase(step.op, op) and fnmatchcase(step.where.layer, name)]

    def source(self, of: Any) -> Source | str:
        """What the steps call a tensor, a step's (first) output, or a leaf's name.

        Raises KeyError for what is not in here.
        """
        if isinstance(of, Step):
            return Source(of.number, 0)
        if isinstance(of, str) and of in self.leaves:
            return of
        if isinstance(of, Source) and 1 <= of.number <= len(self):
            return of
        source = self.source_of_tensor(of) if isinstance(of, Tensor) else None
        if source is None:
            shown = errors.show_tensor(of) if isinstance(of, Tensor) else repr(of)
            leaves = ", ".join(self.leaves) or "none"
            raise KeyError(f"{shown} is not part of this recording; its leaves are {leaves}")
        return source

    def source_of_tensor(self, tensor: Tensor) -> Source | str | None:
        """What the steps call a tensor of the running program; None for one that is not in here."""
        if tensor._edge is not None:
            result = tensor._edge.node.index, tensor._edge.slot
            if result in self._results:
                return self._results[result]
        return next((name for name, leaf in self._leaves.items() if leaf() is tensor), None)

    def grad_of(self, of: Any) -> Array:
        """The gradient of a leaf (the tensor, or its name), or of any result (the tensor, or its step)."""
        source = self.source(of)
        if isinstance(source, str):
            return self.grads[source]
        gradient: Array = members_of(self[source.number - 1].grad_output)[source.slot]
        return gradient

    def users(self, of: Any) -> list[User]:
        """Where a leaf or a result is read: what these steps contribute adds up to its gradient."""
        wanted = self.source(of)
        return [
            User(step, name, place)
            for step in self
            for name, place, source in step.one_by_one(step.sources)
            if source == wanted
        ]


class Copies:
    """Copies of arrays, one of each: the program may change its own."""

    def __init__(self) -> None:
        # id → the original, which keeps its id from being reused, and the copy
        self._made: dict[int, tuple[Array, Array]] = {}

    def of(self, value: Any) -> Any:
        """A value with copies of the arrays in it."""
        if isinstance(value, np.ndarray):
            if id(value) not in self._made:
                self._made[id(value)] = value, value.copy(order="K")  # in its memory order: sums round by it
            return self._made[id(value)][1]
        if isinstance(value, dict):
            return {name: self.of(member) for name, member in value.items()}
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*map(self.of, value))
        return type(value)(map(self.of, value)) if type(value) in (tuple, list) else value

    def of_step(self, step: Step) -> Step:
        """A step that the program has no part in any more."""
        return dataclasses.replace(
            step,
            params=self.of(step.params),
            read=self.of(step.read),
            grad_output=self.of(step.grad_output),
            forward=Kept(self.of(step.inputs), self.of(step.output)),
            grad_inputs=self.of(step.grad_inputs),
            accumulated=self.of(step.accumulated),
        )


def arrays_in(value: Any) -> Iterator[Array]:
    """The arrays in nested tuples, lists and dicts."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, (tuple, list, dict)):
        for member in value.values() if isinstance(value, dict) else value:
            yield from arrays_in(member)
