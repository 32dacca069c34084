"""A run as data: every op's forward values and gradients, to look at, compare, save, change and run again."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple, overload
from weakref import ref

import numpy as np

from .. import errors
from ..dtypes import Array
from ..engine.tape import Node, Notes, sweep
from ..engine.registry import OPS
from ..engine.tensor import Tensor
from .listing import input_edges, nodes_behind
from .step import Step
from .walk import begin, number_edges, walk


class Kept(NamedTuple):
    """The forward values of a recorded op."""

    inputs: dict[str, Any]
    output: Any


class Recording(Sequence[Step]):
    """The steps of a backward, oldest op first: `rec[2]` is `%3` of the tape, `reversed(rec)` is the backward's own order.

    leaves, grads: the values of the leaves, and their gradients from this backward alone, by name.
    """

    def __init__(self, steps: Sequence[Step], leaves: dict[str, Array], grads: dict[str, Array], seeds: dict[Any, Array]) -> None:
        self._steps, self.leaves, self.grads, self.seeds = list(steps), leaves, grads, seeds
        self.hooked: list[Any] = []  # steps and leaves whose gradient a hook of the user's has seen
        self._called: dict[Any, Any] = {}  # how steps call the tensors of the program, where it is still running
        self._tensors: dict[str, ref[Tensor]] = {}

    def __len__(self) -> int:
        return len(self._steps)

    @overload
    def __getitem__(self, position: int) -> Step: ...
    @overload
    def __getitem__(self, position: slice) -> list[Step]: ...
    def __getitem__(self, position: int | slice) -> Step | list[Step]:
        return self._steps[position]

    def __repr__(self) -> str:
        size = sum(array.nbytes for array in self.arrays())
        return f"<recording of {len(self)} ops and {len(self.leaves)} leaves, {size / 2**20:.1f} MB>"

    def arrays(self) -> list[Array]:
        """Every array in it, once."""
        found: dict[int, Array] = {}
        for step in self:
            collect(found, [step.inputs, step.output, step.read, step.grad_output, step.grad_inputs])
        collect(found, [self.leaves, self.grads])
        return list(found.values())

    def find(self, op: str = "*", name: str = "*") -> list[Step]:
        """The steps of an op, of a layer; both may be patterns, as in `rec.find("conv2d", name="net.conv*")`."""
        return [step for step in self if fnmatchcase(step.op, op) and fnmatchcase(step.where.layer, name)]

    def position(self, of: Any) -> Any:
        """What steps call a tensor: `(number, slot)` of a result, the name of a leaf. A step is its first output.

        Raises KeyError for what is not part of the recording.
        """
        if isinstance(of, Step) and of in self._steps:
            return of.number, 0
        if isinstance(of, str) and of in self.leaves:
            return of
        if isinstance(of, Tensor):
            called = self._called.get((of._edge[0].index, of._edge[1])) if of._edge else None
            leaf = [name for name, tensor in self._tensors.items() if tensor() is of]
            if called or leaf:
                return called or leaf[0]
        name = errors.show_tensor(of) if isinstance(of, Tensor) else repr(of)
        raise KeyError(f"{name} is not part of this recording; its leaves are {', '.join(self.leaves) or 'none'}")

    def grad_of(self, of: Any) -> Array:
        """The gradient of a leaf (the tensor, or its name) or of any intermediate result (the tensor, or its step)."""
        position = self.position(of)
        if isinstance(position, str):
            return self.grads[position]
        number, slot = position
        gradient = self[number - 1].grad_output
        return gradient[slot] if isinstance(gradient, tuple) else gradient

    def users(self, position: Any) -> list[tuple[Step, str, int | None]]:
        """The steps that read a leaf or a result: (step, argument, place in it if it is variadic)."""
        found: list[tuple[Step, str, int | None]] = []
        for step in self:
            for name, source in step.sources.items():
                if isinstance(source, tuple) and source and not isinstance(source[0], int):
                    found.extend((step, name, place) for place, one in enumerate(source) if one == position)
                elif source == position:
                    found.append((step, name, None))
        return found
