"""How large the numbers are that flow through a net: each op, forward and backward, as a line of a table.

|x| is everywhere the root mean square of x, the typical size of one of its numbers: it does not grow with the
batch, so that layers, and runs, can be compared.
"""

from __future__ import annotations

import math
import shutil
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np

from ..dtypes import Array
from ..engine.registry import if_open
from ..errors import show_count
from ..members import members_of
from .step import Step
from .values import plain

HEAD = ("op", "layer", "|y|", "zeros", "|dy|", "|dw|", "|dw|/|w|")
LEGEND = (
    "|x|: root mean square of x; zeros: how much of y is 0; dw: what the op adds to its weight's gradient"
)
TEXTS = 2  # the columns that are words
SHORTEST = 6  # letters to which a name may be shortened
SHOWN = 40  # lines of a table, beyond which its middle is left out
GAP = 2  # columns between columns


@dataclass(frozen=True)
class Flow:
    """One op: sizes of what it made, of the gradient that arrived, and of what its weight gets.

    None: not known, or there is no weight.
    """

    number: int
    op: str
    layer: str
    y: float | None
    zeros: float | None
    dy: float | None
    dw: float | None
    w: float | None

    @property
    def relative(self) -> float | None:
        """|dw| / |w|."""
        return ratio(self.dw, self.w)

    def columns(self) -> tuple[str, ...]:
        """The line of the table."""
        sizes = show_size(self.y), show_share(self.zeros), show_size(self.dy)
        return f"%{self.number} {self.op}", self.layer, *sizes, show_size(self.dw), show_size(self.relative)


class FlowTable(Sequence[Flow]):
    """The ops of a backward, oldest first; printing it shows the table, in full.

    They are measured when they are looked at. at: the number of an op that is marked.
    """

    def __init__(self, steps: Sequence[Step], at: int | None = None) -> None:
        self._steps, self.at = steps, at

    def __len__(self) -> int:
        return len(self._steps)

    @overload
    def __getitem__(self, position: int) -> Flow: ...
    @overload
    def __getitem__(self, position: slice) -> list[Flow]: ...
    def __getitem__(self, position: int | slice) -> Flow | list[Flow]:
        if isinstance(position, slice):
            return list(map(flow_of_step, self._steps[position]))
        return flow_of_step(self._steps[position])

    def __repr__(self) -> str:
        return self.shown()

    def _repr_html_(self) -> str | None:
        return if_open("flow_html", self)

    def shown(self, width: int | None = None, most: int | None = None) -> str:
        """The table, no wider than `width` (the terminal) and of at most so many lines (None: all)."""
        width = shutil.get_terminal_size().columns if width is None else width
        half = len(self) if most is None or len(self) <= most else max(1, most // 2)
        left_out = max(len(self) - 2 * half, 0)
        ends = [*self[:half], *self[-half:]] if left_out else self
        lines = aligned([HEAD, *self.rows(ends)], width)
        if left_out:
            middle = f"… {show_count(left_out, 'more op')}: print(rec.flow()) shows them all …"
            lines.insert(half + 1, middle[:width])
        return "\n".join([*lines, *textwrap.wrap(LEGEND, max(width, 1))])

    def rows(self, flows: Iterable[Flow]) -> Iterator[tuple[str, ...]]:
        """The cells of these lines; where an op is marked, with an arrow before it."""
        for flow in flows:
            name, *cells = flow.columns()
            arrow = "" if self.at is None else "-> " if flow.number == self.at else "   "
            yield f"{arrow}{name}", *cells


def flow_of_step(step: Step) -> Flow:
    """The sizes of one step."""
    dw, w = gradient_of_weight(step)
    outputs = known(step.output)
    return Flow(
        step.number,
        step.op,
        step.where.layer,
        y=size(outputs),
        zeros=share_of_zeros(outputs),
        dy=size(known(step.grad_output)),
        dw=size(known(dw)),
        w=size(known(w)),
    )


def gradient_of_weight(step: Step) -> tuple[Any, Any]:
    """(gradient, value) of a step's weight: of the leaves that it reads the first one behind its data.

    Where the first argument is the only leaf, that is it.
    """
    leaves = [name for name in step.grad_inputs if isinstance(step.sources.get(name), str)]
    first = next(iter(step.sources), None)
    behind = [name for name in leaves if name != first] or leaves
    if not behind:
        return None, None
    return step.grad_inputs[behind[0]], step.inputs.get(behind[0])


def known(value: Any) -> list[Array]:
    """The arrays of a value that is one or several, without those that are not known; of Tensors theirs."""
    return [np.asarray(plain(member)) for member in members_of(value) if member is not None]


def size(arrays: Sequence[Array]) -> float | None:
    """The root mean square of all numbers of these arrays together; None where there are none."""
    count = sum(array.size for array in arrays)
    if not count:
        return None
    largest = max(reach(array) for array in arrays)
    if not 0 < largest < math.inf:
        return largest
    squares = sum(float(np.square(array.astype(np.float64) / largest).sum()) for array in arrays)
    return largest * math.sqrt(squares / count)


def reach(array: Array) -> float:
    """The largest size of a number in it: NaN if there is one."""
    if not array.size:
        return 0.0
    with np.errstate(invalid="ignore"):
        return float(np.abs(array.astype(np.float64)).max())


def share_of_zeros(arrays: Sequence[Array]) -> float | None:
    """How many of these numbers are 0, from 0 to 1."""
    count = sum(array.size for array in arrays)
    return sum(int(array.size - np.count_nonzero(array)) for array in arrays) / count if count else None


def mean_and_std(array: Array) -> tuple[float | None, float | None]:
    """Mean and standard deviation of all numbers; None of an empty array."""
    if not array.size:
        return None, None
    numbers = array.astype(np.float64)
    with np.errstate(all="ignore"):
        return float(numbers.mean()), float(numbers.std())


def ratio(numerator: float | None, denominator: float | None) -> float | None:
    """One size in terms of another; None where either is not known, or both are 0."""
    if numerator is None or denominator is None or numerator == denominator == 0:
        return None
    return numerator / denominator if denominator else math.inf


def show_size(number: float | None) -> str:
    """A size in at most eight letters."""
    return "" if number is None else f"{number:.3g}"


def show_share(share: float | None) -> str:
    """A share in per cent: what is not quite nothing, or all, is not rounded to it."""
    if share is None:
        return ""
    if 0 < share < 0.005 or 0.995 < share < 1:
        return "<1 %" if share < 0.5 else ">99 %"
    return f"{share:.0%}".replace("%", " %")


def aligned(rows: Sequence[tuple[str, ...]], width: int) -> list[str]:
    """Lines in columns, words to the left and numbers to the right.

    Where it is too narrow names give way, and then the last columns: no number is cut.
    """
    widths = [max(map(len, column)) for column in zip(*rows)]
    least = [min(widest, SHORTEST) for widest in widths[:TEXTS]]
    while len(widths) > TEXTS and total([*least, *widths[TEXTS:]]) > width:
        widths.pop()
    for column in (1, 0):
        too_much = max(total(widths) - width, 0)
        widths[column] = max(widths[column] - too_much, least[column])
    lines = []
    for op, layer, *numbers in rows:
        cells = [in_width(op, widths[0], keep_end=False), in_width(layer, widths[1], keep_end=True)]
        cells += [text.rjust(room) for text, room in zip(numbers, widths[TEXTS:])]
        lines.append((" " * GAP).join(cells).rstrip())
    return lines


def total(widths: Sequence[int]) -> int:
    """The width of a line with columns of these widths."""
    return sum(widths) + GAP * (len(widths) - 1)


def in_width(text: str, room: int, keep_end: bool) -> str:
    """A name in just so many letters: of a layer its end is kept, of an op its beginning."""
    if len(text) <= room:
        return text.ljust(room)
    return f"…{text[len(text) - room + 1 :]}" if keep_end else f"{text[: room - 1]}…"
