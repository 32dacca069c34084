"""Lines of a program that are done in one call: what the first makes is read by the second alone.

    y = relu(conv2d(x, w, b))          one pass over y instead of three
    dx = relu_dx(max_pool2d_dx(dy, tap), y)

An op declares with which other it can be done so, `@conv2d.replayed(then=relu)`, for images [N, C, H, W].
What the first would have made is then in nobody's slot.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from ..members import grouped
from .hooks import hook_of
from .liveness import escaping
from .program import Line, Recorded, Slot


def joined(recorded: Recorded) -> Recorded:
    """A recording with every two lines in one for which a preparation of both is declared."""
    single = read_once(recorded)
    lines, slots = dict(enumerate(recorded.lines)), recorded.slots.copy()
    for number, line in enumerate(recorded.lines):
        follower = single.get(line.writes[0]) if line.writes else None
        if follower is not None and (both := together(line, recorded.lines[follower], recorded)) is not None:
            lines[number], slots[line.writes[0]] = both, Slot("computed", None)
            del lines[follower]
    return replace(recorded, lines=list(lines.values()), slots=slots)


def read_once(recorded: Recorded) -> dict[int, int]:
    """By slot: the one line that reads it, where nobody outside holds on to it and no other slot shows it."""
    readers = grouped((read, number) for number, line in enumerate(recorded.lines) for read in line.uses)
    held, showing = escaping(recorded), Counter(recorded.owners)
    return {
        slot: numbers[0]
        for slot, numbers in readers.items()
        if len(numbers) == 1 and slot not in held and showing[recorded.owners[slot]] == 1
    }


def together(line: Line, follower: Line, recorded: Recorded) -> Line | None:
    """One line for both; None: they have to be done by themselves."""
    if line.kind != follower.kind or line.kind not in ("forward", "rule") or follower.details[0]:
        return None
    then = follower.target if line.kind == "forward" else follower.details[2]
    if then.arity != 1 or len(follower.writes) != 1:
        return None
    if recorded.slots[line.writes[0]].value.ndim != 4 or hook_of(line, then) is None:
        return None
    reads, details = line.reads, line.details
    if line.kind == "rule":
        output = output_of(line, recorded)
        if output is None:
            return None
        reads, details = (*line.reads, output), (line.details[0], follower.details[1], line.details[2])
    writes = (*follower.writes, *line.writes[1:])
    return replace(
        line, name=f"{line.name}+{follower.name}", reads=reads, writes=writes, details=details, then=then
    )


def output_of(line: Line, recorded: Recorded) -> int | None:
    """The slot of what the op made whose rule a line is; a kept value that it reads tells in which call."""
    for forward in recorded.lines:
        if forward.kind == "forward" and forward.target is line.details[2]:
            if not set(forward.writes).isdisjoint(line.reads):
                return forward.writes[0]
    return None
