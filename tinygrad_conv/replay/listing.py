"""A program as people read it: a line for each call; and from which call to which its memory is in use."""

from __future__ import annotations

from ..errors import show_count, show_table
from .program import Line, Recorded
from .values import slots_of

HEAD = ("call", "array", "bytes", "buffer", "line")
SIDES = "<<><<"  # to which its columns are aligned


def listed(recorded: Recorded) -> str:
    """`%3 = conv2d(%0, conv1.weight, conv1.bias)   float32[16,8,8,8]   32,768 B   buffer 1   train.py:41`."""
    lines = show_table((row(line, recorded) for line in recorded.lines), SIDES, gap="   ")
    return "\n".join([*lines, summed_up(recorded)])


def summed_up(recorded: Recorded) -> str:
    """How many calls, bytes and buffers there are."""
    computed = sum(slot.nbytes for slot in recorded.slots)
    buffers = show_count(len(set(recorded.buffers.values())), "buffer")
    return f"{show_count(len(recorded.lines), 'call')}, {computed:,} bytes, {buffers}"


def row(line: Line, recorded: Recorded) -> tuple[str, ...]:
    """A line's call, what it writes, the bytes of that, the buffer that they are in, and the user's line."""
    slots = [recorded.slots[write] for write in line.writes]
    shown = ", ".join(slot.shown for slot in slots)
    nbytes = sum(slot.nbytes for slot in slots)
    buffers = [recorded.buffers[write] for write in line.writes if write in recorded.buffers]
    buffer = f"buffer {buffers[0]}" if buffers else "fresh" if nbytes else ""
    return shown_call(line, recorded), shown, f"{nbytes:,} B" if nbytes else "", buffer, line.place


def shown_call(line: Line, recorded: Recorded) -> str:
    """`%7 = relu(%6)`."""
    made = ", ".join(f"%{write}" for write in line.writes)
    given = ", ".join(name_of(read, recorded) for read in line.reads)
    return f"{made + ' = ' if made else ''}{line.name}({given})"


def name_of(number: int, recorded: Recorded) -> str:
    """How a listing calls a slot: a parameter by its name, a constant by its value."""
    slot = recorded.slots[number]
    if slot.origin == "outside" and slot.value.name:
        return str(slot.value.name)
    if slot.origin == "constant":
        return slot.shown if len(slot.shown) < 40 else "…"
    return f"%{number}"


def lifetimes(recorded: Recorded) -> dict[int, tuple[int, int]]:
    """By slot: the call that makes it, and the last that reads its memory, counted from 0.

    Of slots with memory of their own; what shows another's memory prolongs that one. What is returned lives
    to the end.
    """
    tuples = {line.writes[0]: line.reads for line in recorded.lines if line.kind == "tuple"}
    made: dict[int, int] = {}
    last: dict[int, int] = {}
    for number, line in enumerate(recorded.lines):
        made.update(dict.fromkeys(line.writes, number))
        for read in line.uses:
            for part in (read, *tuples.get(read, ())):
                last[recorded.owners[part]] = number
    for slot in slots_of(recorded.result):
        last[recorded.owners[slot]] = len(recorded.lines)
    return {
        slot: (first, max(first, last.get(slot, first)))
        for slot, first in made.items()
        if recorded.owners[slot] == slot and recorded.slots[slot].nbytes
    }
