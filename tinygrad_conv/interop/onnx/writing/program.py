"""`Program`: what several traces of a model have in common, its sizes as functions of the batch.

The traces are of other numbers, and of other batches where the batch may vary. What differs between them is
a function of the batch, or else depends on numbers in a way that no op has recorded, and is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np

from ....dtypes import Array
from ....engine.location import Where
from ....errors import show_array, show_shape, show_value
from .sizes import OfBatch, Shape, Size, size_by_batch
from .table import refuse
from .trace import Constant, Event, Trace, reads_in


@dataclass(frozen=True, eq=False)
class Spread(Constant):
    """A constant that is repeated along the axes of size 1, to a shape that follows the batch."""

    shape: Shape


@dataclass(frozen=True, eq=False)
class Number(Constant):
    """A constant of one element that is a function of the batch."""

    size: OfBatch


@dataclass(frozen=True, eq=False)
class Steps(Constant):
    """As many numbers as the size says: the first of the array, and each by the second more."""

    size: OfBatch


@dataclass(frozen=True)
class Program:
    """The ops that the outputs need, in order.

    shapes, dtypes: of each value by its number. inputs: how many there are; they have the first numbers.
    state: the numbers of parameters and buffers with their names. arrays: theirs by number. outputs: what
    each of them reads, by name.
    """

    events: list[Event]
    shapes: dict[int, Shape]
    dtypes: dict[int, np.dtype[Any]]
    state: dict[int, str]
    arrays: list[Array]
    inputs: int
    outputs: dict[str, Any]


def common_program(traces: Sequence[Trace], outputs: Sequence[dict[str, Any]], batches: list[int]) -> Program:
    """The program of these traces, of batches of these sizes; outputs: of each trace, by name."""
    check_same_ops(traces)
    first, merger = traces[0], Merger(batches)
    shapes = {
        number: merger.shape([trace.arrays[number].shape for trace in traces])
        for number in range(first.given)
    }
    events = []
    for position in live_events(first, outputs[0]):
        twins = [trace.events[position] for trace in traces]
        merger.where, merger.layer, merger.op = twins[0].where, twins[0].layer, twins[0].op
        inputs = merger.merged([twin.inputs for twin in twins], "what it reads")
        options = merger.options([twin.options for twin in twins])
        events.append(replace(twins[0], inputs=inputs, options=options))
        for number in twins[0].outputs:
            shapes[number] = merger.shape([trace.arrays[number].shape for trace in traces])
    dtypes = {number: first.arrays[number].dtype for number in shapes}
    inputs = first.given - len(first.state)
    return Program(events, shapes, dtypes, first.state, first.arrays, inputs, merger.options(outputs))


def check_same_ops(traces: Sequence[Trace]) -> None:
    """Refuse a model that applies other ops to other inputs."""
    for events in zip(*(trace.events for trace in traces)):
        names = {event.op: event for event in events}
        if len(names) > 1:
            refuse_other_ops(" or ".join(names), events[0])
    if len({len(trace.events) for trace in traces}) > 1:
        shortest = min(len(trace.events) for trace in traces)
        longest = max(traces, key=lambda trace: len(trace.events))
        event = longest.events[shortest]
        refuse_other_ops(f"{event.op} or no more", event)


def refuse_other_ops(which: str, event: Event) -> NoReturn:
    """Python decides which ops run."""
    refuse(
        f"other inputs or batch sizes run other ops here ({which}): Python decides which, and only one way "
        "could be written; choose with tg.where, or pass dynamic_batch=False if the batch size decides",
        event.where,
        event.layer,
    )


def live_events(trace: Trace, outputs: dict[str, Any]) -> list[int]:
    """The positions of the events that the outputs need, in order."""
    needed = reads_in(outputs)
    live = []
    for position in reversed(range(len(trace.events))):
        event = trace.events[position]
        if needed.intersection(event.outputs):
            needed |= reads_in((event.inputs, event.options))
            live.append(position)
    return live[::-1]


class Merger:
    """Finds what values of several traces have in common; says whose they are where there is nothing."""

    def __init__(self, batches: list[int]) -> None:
        self.batches = batches
        self.where: Where = (common_program.__code__, 0)
        self.layer = self.op = ""

    def options(self, twins: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """The common values by name."""
        return {name: self.merged([twin[name] for twin in twins], name) for name in twins[0]}

    def merged(self, twins: Sequence[Any], name: str = "") -> Any:
        """The common value."""
        first = twins[0]
        if any(type(twin) is not type(first) for twin in twins):
            self.refuse_change(name, twins)
        if isinstance(first, Constant):
            return self.constant([twin.array for twin in twins])
        if isinstance(first, tuple):
            if any(len(twin) != len(first) for twin in twins):
                self.refuse_change(name, twins)
            return tuple(self.merged(members, name) for members in zip(*twins))
        if isinstance(first, slice):
            bounds = [(twin.start, twin.stop, twin.step) for twin in twins]
            return slice(*self.merged(bounds, name))
        if type(first) is int:
            size = size_by_batch(twins, self.batches)
            return self.refuse_change(name, twins) if size is None else size
        same = all(twin == first or (twin != twin and first != first) for twin in twins)
        return first if same else self.refuse_change(name, twins)

    def shape(self, shapes: Sequence[tuple[int, ...]]) -> Shape:
        """The common shape."""
        if len({len(shape) for shape in shapes}) == 1:
            sizes = [size_by_batch(sizes, self.batches) for sizes in zip(*shapes)]
            if None not in sizes:
                return tuple(size for size in sizes if size is not None)
        shown = ", ".join(show_shape(shape) for shape in dict.fromkeys(shapes))
        self.refuse(
            f"{self.op}: the shape of its output follows from the numbers in the input, or not from the "
            f"batch's size alone: {shown}{self.of_batches()}"
        )

    def constant(self, arrays: Sequence[Array]) -> Constant:
        """The common constant."""
        first = arrays[0]
        if all(same_array(array, first) for array in arrays):
            return Constant(first)
        if len({array.ndim for array in arrays}) == 1 and all(array.dtype == first.dtype for array in arrays):
            if first.size == 1 and all(array.shape == first.shape for array in arrays):
                return self.number(arrays)
            return self.spread(arrays)
        return self.refuse_array(first)

    def number(self, arrays: Sequence[Array]) -> Number:
        """One number, as of `x / x.shape[0]`."""
        numbers = [array.item() for array in arrays]
        whole = all(number == round(number) for number in numbers if np.isfinite(number))
        size = size_by_batch(numbers, self.batches) if whole and np.isfinite(numbers).all() else None
        if not isinstance(size, OfBatch):
            self.refuse_array(arrays[0])
        return Number(arrays[0], size)

    def spread(self, arrays: Sequence[Array]) -> Constant:
        """What is the same all along the batch, as `tg.zeros(len(x), 8)` is."""
        sizes = [size_by_batch(sizes, self.batches) for sizes in zip(*(array.shape for array in arrays))]
        if arrays[0].ndim == 1 and isinstance(sizes[0], OfBatch) and arrays[0].dtype.kind in "if":
            steps = self.steps(arrays, sizes) if len(arrays[0]) > 1 else None
            if steps is not None and steps.array[1]:
                return steps
        lines = [array[tuple(map(along, sizes))] for array in arrays]
        alike = all(same_array(line, lines[0]) for line in lines)
        if None in sizes or not alike or not all((array == lines[0]).all() for array in arrays):
            self.refuse_array(arrays[0])
        return Spread(lines[0], tuple(size for size in sizes if size is not None))

    def steps(self, arrays: Sequence[Array], sizes: list[Any]) -> Steps | None:
        """Numbers at one distance from each other, as `tg.arange(len(x))` has them."""
        start, step = arrays[0][0], arrays[0][1] - arrays[0][0]
        as_counted = (same_array(array, counted(start, step, len(array))) for array in arrays)
        return Steps(np.array([start, step]), sizes[0]) if all(as_counted) else None

    def refuse_array(self, array: Array) -> NoReturn:
        """An array that no op made depends on the input."""
        self.refuse(
            f"{self.op} reads {show_array(array)} that no op made and that is no parameter or buffer, and "
            f"that another input changes{self.of_batches()}: NumPy has computed it, or it is random; compute "
            "it with ops, or pass it as an input"
        )

    def refuse_change(self, name: str, twins: Sequence[Any]) -> NoReturn:
        """A param depends on the input in a way that cannot be written."""
        shown = ", ".join(dict.fromkeys(show_value(twin) for twin in twins))
        self.refuse(
            f"{self.op}: {name} follows from the input, and not as a·N + b: {shown}{self.of_batches()}"
        )

    def of_batches(self) -> str:
        """Which batches the traces were of."""
        return f" for batches of {', '.join(map(str, self.batches))}" if len(set(self.batches)) > 1 else ""

    def refuse(self, reason: str) -> NoReturn:
        refuse(reason, self.where, self.layer)


def counted(start: Any, step: Any, count: int) -> Array:
    """Numbers at one distance from each other."""
    return np.asarray(start + step * np.arange(count), np.asarray(start).dtype)


def along(size: Size | None) -> slice:
    """The first place of an axis that follows the batch, all of another."""
    return slice(0, 1) if isinstance(size, OfBatch) else slice(None)


def same_array(array: Array, other: Array) -> bool:
    """Whether two arrays are the same, to the bit."""
    alike = array.shape == other.shape and array.dtype == other.dtype
    return alike and array.tobytes() == other.tobytes()
