"""From which call to which the memory of a program's values is in use, for people to look at."""

from __future__ import annotations

from .program import Recorded
from .values import slots_of


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
        for read in line.reads:
            for part in (read, *tuples.get(read, ())):
                last[recorded.owners[part]] = number
    for slot in slots_of(recorded.result):
        last[recorded.owners[slot]] = len(recorded.lines)
    return {
        slot: (first, max(first, last.get(slot, first)))
        for slot, first in made.items()
        if recorded.owners[slot] == slot and recorded.slots[slot].nbytes
    }
