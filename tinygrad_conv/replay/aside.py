"""Gradients of a convolution's parameters, computed by another thread while the step goes on backward.

Nobody reads them before they are put in their places, when a backward is over. The kernels share their own
work among threads; but pools, norms and sums between two convolutions are the work of one, and meanwhile
another has these to do. The same calls are made, of the same arrays, so their numbers are the same.

Where there is nothing left to go on with, the first of them is for the thread that would wait.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from math import prod

from ..kernels import Aside
from ..ops.conv import conv2d
from .hooks import hook_of
from .joined import read_once
from .program import Line, Recorded
from .values import Call

# With fewer, another thread takes as long to wake up:
MANY_PRODUCTS = 40_000_000  # of dY with x
MANY = 500_000  # numbers that are added up


def with_lines_aside(recorded: Recorded) -> Recorded:
    """A recording that says which lines another thread may do, and by when: `done_by`."""
    done_by = gradients_in_time(recorded)
    lines = recorded.lines.copy()
    for deposit in set(done_by.values()):
        first = deposit
        while first - 1 in done_by:
            first -= 1
        if first < deposit:  # nothing is left to go on with but these, none of which reads what another makes
            lines.insert(deposit - 1, lines.pop(first))
            del done_by[deposit - 1]
    return replace(recorded, lines=lines, done_by=done_by)


def gradients_in_time(recorded: Recorded) -> dict[int, int]:
    """By line that makes a gradient which takes long: the line that puts it in its place, and is the only one
    to read it.
    """
    single, lines = read_once(recorded), recorded.lines
    long = [number for number, line in enumerate(lines) if takes_long(line, recorded)]
    readers = {number: single.get(lines[number].writes[0]) for number in long}
    return {
        number: reader
        for number, reader in readers.items()
        if reader is not None and lines[reader].kind == "deposit"
    }


def takes_long(line: Line, recorded: Recorded) -> bool:
    """Whether it is a convolution's rule for a parameter, of a large dY, prepared as this package does."""
    if line.kind != "rule" or line.details[2] is not conv2d or hook_of(line) is None:
        return False
    errors, (shape, _) = recorded.slots[line.reads[0]].value.size, line.details[1][0]
    if line.target.argument == "w":
        return bool(errors * prod(shape[1:]) >= MANY_PRODUCTS)
    return line.target.argument == "b" and bool(errors >= MANY)


def begun(aside: Aside, call: Call) -> Call:
    """A call that another thread does."""
    return lambda slots, tensors: aside.begin(partial(call, slots, tensors))


def finished(aside: Aside) -> Call:
    """What was begun is done."""
    return lambda slots, tensors: aside.finish()
