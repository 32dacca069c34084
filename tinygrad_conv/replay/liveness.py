"""Which memory the results of a program's calls may be written to again, and which of them can share it.

A result that somebody outside may hold on to gets fresh memory in each step: what the step returns, and what
it gives to functions. So does whatever shows the same memory, as the recording tells. All other results of
calls that can write into given memory get a buffer, and one buffer serves several, one after another.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..kernels import aligned_empty
from ..members import grouped
from .program import Recorded
from .values import slots_of

LARGE = 1 << 16  # bytes: letting go of less costs more than it gives


class Buffers:
    """The buffers of a program, by the slots that are written to them."""

    def __init__(self, recorded: Recorded, candidates: list[int]) -> None:
        """candidates: slots of results that can be written into given memory."""
        self.owner = recorded.owners
        self.last = last_reads(recorded, self.owner)
        held = {self.owner[slot] for slot in escaping(recorded) | shown_to_users(recorded)}
        self.of: dict[int, Any] = {}
        self.blocks: list[Any] = []
        self.numbers: dict[int, int] = {}  # of the block that a slot is in
        free: list[Any] = []  # blocks that nothing alive is in
        taken: list[tuple[int, Any]] = []  # until which line, and the block
        chosen = {slot for slot in candidates if self.owner[slot] == slot and slot not in held}
        for number, line in enumerate(recorded.lines):
            free += [block for until, block in taken if until < number]
            taken = [(until, block) for until, block in taken if until >= number]
            for slot in line.writes:
                array = recorded.slots[slot].value
                if slot in chosen and is_plain(array):
                    block = self.block(array.nbytes, free)
                    taken.append((self.last.get(slot, number), block))
                    self.of[slot] = laid_out(block, array)
                    self.numbers[slot] = next(n for n, known in enumerate(self.blocks) if known is block)

    def block(self, nbytes: int, free: list[Any]) -> Any:
        """A free block that is large enough, and not by far too large; or a new one."""
        fitting = [block for block in free if nbytes <= block.nbytes <= 2 * nbytes + 64]
        if fitting:
            block = min(fitting, key=lambda each: each.nbytes)
            free[:] = [other for other in free if other is not block]
            return block
        self.blocks.append(aligned_empty((max(nbytes, 1),), np.uint8))
        return self.blocks[-1]

    def drop(self, slot: int) -> None:
        """The call that makes this slot's array did not want the memory after all."""
        del self.of[slot], self.numbers[slot]

    @property
    def nbytes(self) -> int:
        """How many bytes all buffers take that are written to."""
        return sum(self.blocks[number].nbytes for number in set(self.numbers.values()))


def releases(recorded: Recorded) -> dict[int, list[int]]:
    """By line: the slots that nobody reads after it and that show the memory of a large result.

    A step that lets go of them finds memory that is in the cache still for what comes next. Nobody outside
    holds on to it, and buffers are kept anyway.
    """
    kept = escaping(recorded) | set(recorded.buffers)
    showing = grouped((owner, slot) for slot, owner in enumerate(recorded.owners))
    released: dict[int, list[int]] = {}
    for owner, line in last_reads(recorded, recorded.owners).items():
        if recorded.slots[owner].nbytes >= LARGE and kept.isdisjoint(showing[owner]):
            released.setdefault(line, []).extend(showing[owner])
    return released


def laid_out(block: Any, array: Any) -> Any:
    """A block as an array in the memory order of another, a plain one.

    Its steps along axes of size 1, which lead nowhere, are taken over too: kernels read the order off them.
    """
    return np.ndarray(array.shape, array.dtype, block, strides=[abs(step) for step in array.strides])


def is_plain(array: Any) -> bool:
    """Whether its memory is that of its numbers, each once, without gaps."""
    if not isinstance(array, np.ndarray) or 0 in array.strides or not array.size:
        return False
    order = sorted(range(array.ndim), key=lambda axis: (-abs(array.strides[axis]), axis))
    return bool(array.transpose(order).flags.c_contiguous)


def parts_of(value: Any) -> list[Any]:
    """The arrays in a slot: one, or those of a tuple."""
    if isinstance(value, tuple):
        return [part for part in value if isinstance(part, np.ndarray)]
    return [value] if isinstance(value, np.ndarray) else []


def last_reads(recorded: Recorded, owner: list[int]) -> dict[int, int]:
    """By owner: the number of the last line that reads its memory, or while which that is read aside."""
    last: dict[int, int] = {}
    for number, line in enumerate(recorded.lines):
        until = recorded.done_by.get(number, number)
        for slot in line.uses:
            parts = [slot, *members(recorded, slot)]
            for part in parts:
                last[owner[part]] = max(last.get(owner[part], 0), until)
    return last


def members(recorded: Recorded, slot: int) -> list[int]:
    """The slots that a tuple in a slot is made of."""
    if not isinstance(recorded.slots[slot].value, tuple):
        return []
    made = [line for line in recorded.lines if slot in line.writes and line.kind == "tuple"]
    return [read for line in made for read in line.reads]


def escaping(recorded: Recorded) -> set[int]:
    """Slots of values that somebody outside may hold on to."""
    slots = set(slots_of(recorded.result))
    for line in recorded.lines:
        if line.kind == "function":
            slots |= {*line.reads, *line.writes}
        if line.kind == "tuple":
            slots |= {*line.reads}
    return slots


def shown_to_users(recorded: Recorded) -> set[int]:
    """Slots that forwards and rules of ops of a user's own read: they may keep what they are given."""
    lines = [line for line in recorded.lines if line.op is not None and line.op.is_user_defined]
    return {slot for line in lines for slot in line.uses}
