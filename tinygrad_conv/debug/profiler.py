"""Where the time and the memory go: per op and per layer, forward and backward."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from weakref import ref

from ..dtypes import Array
from ..engine.location import Place
from ..engine.node import Node
from ..engine.observe import Call
from ..engine.tensor import Tensor
from ..kernels import dispatch, served
from .recording_file.archive import replacing
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
    """`with tg.profile() as p:` notes every op and every gradient rule; `print(p)` shows where time and
    memory went.

    `p.table("op")`, `p.table("layer")`, `p.save("trace.json")` for chrome://tracing and
    https://ui.perfetto.dev, `p.events`.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._start = 0.0
        self._kept: dict[int, ref[Array]] = {}  # arrays that the tape keeps already, by id

    def before_op(self, call: Call) -> None:
        self.begin()

    def after_op(self, call: Call) -> None:
        seconds, saved = time.perf_counter() - self._start, 0
        given = {
            id(tensor.data)
            for tensor in call.inputs.values()
            if isinstance(tensor, Tensor) and tensor.is_leaf
        }
        if call.node is not None:
            fresh = {
                id(array): array
                for _, array in saved_arrays(call.node)
                if id(array) not in given and not self.is_kept(array)
            }
            self._kept.update((key, ref(array)) for key, array in fresh.items())
            saved = sum(array.nbytes for array in fresh.values())
        allocated = sum(output.data.nbytes for output in call.outputs if output._memory is None)
        self.events.append(
            Event(call.op, call.where, False, self._start, seconds, allocated, saved, served() or "")
        )

    def before_step(self, step: Step, node: Node) -> None:
        for _, array in saved_arrays(node):
            self._kept.pop(id(array), None)
        self.begin()

    def is_kept(self, array: Array) -> bool:
        """Whether an older op keeps the array already."""
        return id(array) in self._kept and self._kept[id(array)]() is array

    def begin(self) -> None:
        """Forget which kernel served last, and start the clock."""
        dispatch._served.set(None)
        self._start = time.perf_counter()

    def after_step(self, step: Step) -> None:
        seconds = time.perf_counter() - self._start
        made = [
            array
            for value in step.grad_inputs.values()
            for array in (value if isinstance(value, tuple) else (value,))
        ]
        allocated = sum(getattr(array, "nbytes", 0) for array in made)
        self.events.append(
            Event(step.op, step.where, True, self._start, seconds, allocated, 0, served() or "")
        )

    def table(self, by: str = "op") -> str:
        """The totals by "op", "layer" or "place" (the user's line), the slowest first."""
        keys: dict[str, Callable[[Event], str]] = {
            "op": lambda event: event.op,
            "layer": lambda event: event.where.layer or "(outside of layers)",
            "place": lambda event: f"{event.where.file}:{event.where.line}",
        }
        if by not in keys:
            raise ValueError(f"table: by must be one of {', '.join(keys)}, not {by!r}")
        groups: dict[str, list[Event]] = {}
        for event in self.events:
            groups.setdefault(keys[by](event), []).append(event)
        slowest = sorted(groups, key=lambda name: -sum(event.seconds for event in groups[name]))
        rows = [totals(name, groups[name]) for name in slowest]
        return aligned(
            [(by, "calls", "forward ms", "backward ms", "allocated MB", "saved MB", "kernels"), *rows]
        )

    def __repr__(self) -> str:
        return f"{self.table('op')}\n\n{self.table('layer')}"

    def save(self, path: str | Path) -> None:
        """Write a trace that chrome://tracing and Perfetto open."""
        first = min((event.start for event in self.events), default=0.0)
        events = [
            {
                "name": event.op,
                "cat": "backward" if event.backward else "forward",
                "ph": "X",
                "ts": (event.start - first) * 1e6,
                "dur": event.seconds * 1e6,
                "pid": 0,
                "tid": 0,
                "args": {
                    "line": f"{event.where.file}:{event.where.line}",
                    "layer": event.where.layer,
                    "allocated bytes": event.allocated,
                    "saved bytes": event.saved,
                    "kernel": event.kernel,
                },
            }
            for event in self.events
        ]
        trace = json.dumps({"traceEvents": events, "displayTimeUnit": "ms"})
        with replacing(path) as file:
            file.write(trace.encode())


def totals(name: str, events: Iterable[Event]) -> tuple[str, ...]:
    """A row of the table."""
    events = list(events)
    forward, backward = ([event for event in events if event.backward is way] for way in (False, True))
    times = (f"{sum(event.seconds for event in part) * 1e3:.2f}" for part in (forward, backward))
    sizes = (
        f"{sum(size) / 2**20:.2f}"
        for size in ([event.allocated for event in events], [event.saved for event in events])
    )
    kernels = dict.fromkeys(event.kernel for event in events if event.kernel)
    return name, f"{len(forward)}+{len(backward)}", *times, *sizes, ", ".join(kernels)


def aligned(rows: list[tuple[str, ...]]) -> str:
    """Rows as columns: the first and the last to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = []
    for first, *numbers, last in rows:
        cells = [
            first.ljust(widths[0]),
            *(number.rjust(width) for number, width in zip(numbers, widths[1:])),
            last,
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
