"""Where the time and the memory go: per op and per layer, forward and backward."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import ref

from ..atomic_write import write_text
from ..dtypes import Array
from ..engine.location import Place
from ..engine.node import Node
from ..engine.observe import Call
from ..engine.registry import if_open
from ..engine.tensor import Tensor
from ..errors import show_table
from ..kernels import dispatch, served
from ..members import grouped, members_of
from .step import Step
from .stepping import StepObserver
from .values import saved_arrays


@dataclass
class Event:
    """One forward or one backward of one op. Times in seconds, memory in bytes."""

    op: str
    where: Place
    backward: bool
    start: float
    seconds: float
    allocated: int  # the results: outputs of a forward, contributions of a backward
    saved: int  # what the tape keeps for the rules, parameters and what older ops keep anyway not counted
    kernel: str  # of a convolution or pooling: which one served, in a backward the last


class profile(StepObserver):
    """`with tg.profile() as p:` notes every op and every gradient rule; `print(p)`, where time and memory go.

    `p.table("op")`, `p.table("layer")`, `p.save("trace.json")` for chrome://tracing and
    https://ui.perfetto.dev, `p.events`. A replayed step runs eagerly meanwhile; `step.program.profile(x, y)`
    times a replay.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._start = 0.0
        self._kept: dict[int, ref[Array]] = {}  # arrays that the tape keeps already, by id

    def before_op(self, call: Call) -> None:
        self.begin()

    def after_op(self, call: Call) -> None:
        seconds = time.perf_counter() - self._start
        allocated = sum(output.data.nbytes for output in call.outputs if output._memory is None)
        saved = self.newly_kept(call)
        self.note(call, False, seconds, allocated, saved)

    def before_step(self, step: Step, node: Node) -> None:
        for _, array in saved_arrays(node):
            self._kept.pop(id(array), None)
        self.begin()

    def newly_kept(self, call: Call) -> int:
        """The bytes of what the tape keeps from this call on; leaves are kept by whoever has them."""
        if call.node is None:
            return 0
        tensors = [tensor for tensor in call.inputs.values() if isinstance(tensor, Tensor)]
        leaves = {id(tensor.data) for tensor in tensors if tensor.is_leaf}
        fresh = {
            id(array): array
            for _, array in saved_arrays(call.node)
            if id(array) not in leaves and not self.is_kept(array)
        }
        self._kept.update((key, ref(array)) for key, array in fresh.items())
        return sum(array.nbytes for array in fresh.values())

    def note(self, what: Call | Step, backward: bool, seconds: float, allocated: int, saved: int) -> None:
        """Add an event, of an op that began when the clock was started."""
        kernel = served() or ""
        self.events.append(
            Event(what.op, what.where, backward, self._start, seconds, allocated, saved, kernel)
        )

    def is_kept(self, array: Array) -> bool:
        """Whether an older op keeps the array already."""
        return id(array) in self._kept and self._kept[id(array)]() is array

    def begin(self) -> None:
        """Forget which kernel served last, and start the clock."""
        dispatch._served.kernel = None
        self._start = time.perf_counter()

    def after_step(self, step: Step) -> None:
        seconds = time.perf_counter() - self._start
        made = [array for value in step.grad_inputs.values() for array in members_of(value)]
        allocated = sum(getattr(array, "nbytes", 0) for array in made)
        self.note(step, True, seconds, allocated, saved=0)

    def table(self, by: str = "op") -> str:
        """The totals by "op", "layer" or "place" (the user's line), the slowest first."""
        return "\n".join(show_table(self.rows(by), "<>>>>><"))

    def rows(self, by: str) -> list[tuple[str, ...]]:
        """The cells of the table, its head first."""
        keys: dict[str, Callable[[Event], str]] = {
            "op": lambda event: event.op,
            "layer": lambda event: event.where.layer or "(outside of layers)",
            "place": lambda event: event.where.at,
        }
        if by not in keys:
            raise ValueError(f"table: by must be one of {', '.join(keys)}, not {by!r}")
        groups = grouped((keys[by](event), event) for event in self.events)
        slowest = sorted(groups, key=lambda name: -sum(event.seconds for event in groups[name]))
        head = (by, "calls", "forward ms", "backward ms", "allocated MB", "saved MB", "kernels")
        return [head, *(totals(name, groups[name]) for name in slowest)]

    def __repr__(self) -> str:
        return f"{self.table('op')}\n\n{self.table('layer')}"

    def _repr_html_(self) -> str | None:
        return if_open("profile_html", self)

    def save(self, path: str | Path) -> None:
        """Write a trace that chrome://tracing and Perfetto open."""
        first = min((event.start for event in self.events), default=0.0)
        events = [trace_event(event, first) for event in self.events]
        write_text(path, json.dumps({"traceEvents": events, "displayTimeUnit": "ms"}))


def trace_event(event: Event, first: float) -> dict[str, Any]:
    """An event as the trace format has it: a complete one, in microseconds from the first."""
    return {
        "name": event.op,
        "cat": "backward" if event.backward else "forward",
        "ph": "X",
        "ts": (event.start - first) * 1e6,
        "dur": event.seconds * 1e6,
        "pid": 0,
        "tid": 0,
        "args": {
            "line": event.where.at,
            "layer": event.where.layer,
            "allocated bytes": event.allocated,
            "saved bytes": event.saved,
            "kernel": event.kernel,
        },
    }


def totals(name: str, events: Sequence[Event]) -> tuple[str, ...]:
    """A row of the table."""
    forward, backward = ([event for event in events if event.backward is way] for way in (False, True))
    times = (sum(event.seconds for event in part) for part in (forward, backward))
    sizes = (sum(event.allocated for event in events), sum(event.saved for event in events))
    kernels = dict.fromkeys(event.kernel for event in events if event.kernel)
    return (
        name,
        f"{len(forward)}+{len(backward)}",
        *(f"{seconds * 1e3:.2f}" for seconds in times),
        *(f"{nbytes / 2**20:.2f}" for nbytes in sizes),
        ", ".join(kernels),
    )
