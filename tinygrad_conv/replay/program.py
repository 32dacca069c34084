"""What a recording is made of: slots, and the lines of a program that goes through them in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ..engine.location import Where, show_where
from ..errors import show_array
from .values import same, slots_of


class Form(NamedTuple):
    """What is remembered of an array that a step made."""

    shape: tuple[int, ...]
    dtype: Any
    nbytes: int
    strides: tuple[int, ...]

    @property
    def reach(self) -> tuple[int, int]:
        """How many bytes it takes before its first number and from there on."""
        steps = [(size - 1) * stride for size, stride in zip(self.shape, self.strides)] if self.nbytes else []
        return -sum(min(step, 0) for step in steps), sum(max(step, 0) for step in steps) + self.dtype.itemsize

    def array(self, memory: Any) -> Any:
        """An array of this form somewhere in that memory."""
        return np.ndarray(self.shape, self.dtype, memory, self.reach[0], self.strides)


def form_of(value: Any) -> Any:
    """The form of an array, or of those in a tuple; anything else as it is."""
    if isinstance(value, np.ndarray):
        return Form(value.shape, value.dtype, value.nbytes, value.strides)
    return tuple(map(form_of, value)) if type(value) is tuple else value


def forms_in(value: Any) -> list[Form]:
    """The forms in a slot: one, or those of a tuple."""
    if isinstance(value, Form):
        return [value]
    return [form for member in value for form in forms_in(member)] if type(value) is tuple else []


def array_of(value: Any, memory: Any) -> Any:
    """The opposite of `form_of`: an array of a form, in that memory."""
    if isinstance(value, Form):
        return value.array(memory)
    return tuple(array_of(member, memory) for member in value) if type(value) is tuple else value


@dataclass
class Slot:
    """Where a value of a step is kept: an array nearly always."""

    origin: str  # "argument", "outside" (of a tensor that was there before), "constant" or "computed"
    value: Any  # what was in it: of an outside one the tensor, of a computed array its form, else the value
    first: Any = None  # of a constant: its numbers when the step first used it

    @property
    def shown(self) -> str:
        """For listings: the dtype and shape of what is in it."""
        array = getattr(self.value, "_data", self.value)
        if type(array) is tuple:
            return f"({', '.join(map(shown_member, array))})"
        return show_array(array) if hasattr(array, "dtype") else repr(array)

    def forget(self) -> None:
        """Let go of the numbers that the recording saw."""
        self.first = None
        if self.origin in ("computed", "argument"):
            self.value = form_of(self.value)

    @property
    def nbytes(self) -> int:
        """How many bytes a computed array takes."""
        return int(getattr(self.value, "nbytes", 0)) if self.origin == "computed" else 0


def shown_member(value: Any) -> str:
    """For listings: a member of a tuple; `-` of what a recording has let go of."""
    if hasattr(value, "dtype"):
        return show_array(value)
    return "-" if value is None else repr(value)


@dataclass
class Line:
    """One call of a step: what is called, from which slots, into which."""

    kind: str  # "forward", "rule", "add", "tuple", "cast", "function", "exchange", "deposit" or "step"
    name: str
    target: Any  # the Op, the Rule, the function, the dtype or the optimiser
    reads: tuple[int, ...]
    writes: tuple[int, ...]
    details: Any  # what else it is called with
    where: Where
    layer: str = ""
    then: Any = None  # the op that does its part in the same call

    @property
    def place(self) -> str:
        """The user's line."""
        return show_where(self.where) + (f" in {self.layer}" if self.layer else "")

    @property
    def op(self) -> Any:
        """The op whose forward or rule it is, if any."""
        return self.target if self.kind == "forward" else self.details[2] if self.kind == "rule" else None

    @property
    def uses(self) -> list[int]:
        """The slots that it reads: its operands, and arrays among its params, an index or the like."""
        return [*self.reads, *(slots_of(self.details[0]) if self.op is not None else ())]

    def like(self, other: Line) -> bool:
        """Whether it is the same call, into and from the same slots."""
        mine, theirs = ((line.kind, line.name, line.reads, line.writes) for line in (self, other))
        return mine == theirs and self.target == other.target and same(self.details, other.details)


@dataclass
class Recorded:
    """A step as it was recorded once."""

    lines: list[Line] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    result: Any = None  # what the step returned, with marks
    edges: list[Any] = field(default_factory=list)  # for tensors of the result: what made them, by slot
    reads: list[Any] = field(default_factory=list)  # numbers that Python read, and in which frames
    buffers: dict[int, int] = field(default_factory=dict)  # by slot: the buffer that its array is in
    owners: list[int] = field(default_factory=list)  # by slot: the first that shows its memory
    done_by: dict[int, int] = field(default_factory=dict)  # by line that is done aside: the line that waits
    fault: tuple[str, Where] | None = None  # why it cannot be replayed, and the line

    def refuse(self, reason: str, where: Where) -> None:
        """It cannot be replayed; the first reason counts."""
        if self.fault is None:
            self.fault = (reason, where)


def imagine(recorded: Recorded) -> None:
    """Have arrays where the recording has kept their forms, for preparations to look at: not at the numbers,
    for all are in the same memory.
    """
    computed = [slot for slot in recorded.slots if slot.origin == "computed"]
    reaches = [sum(form.reach) for slot in computed for form in forms_in(slot.value)]
    memory = np.zeros(max(reaches, default=0), np.uint8)
    for slot in computed:
        slot.value = array_of(slot.value, memory)


def difference(first: Recorded, second: Recorded, constants: bool = True) -> tuple[str, Where] | None:
    """Where two recordings of the same step differ, in words, with the line; None: they agree.

    constants: whether these, and the results, are compared too.
    """
    for mine, theirs in zip(first.lines, second.lines):
        if not mine.like(theirs):
            if mine.name != theirs.name or mine.kind != theirs.kind:
                said = f"{mine.name} in one call is {theirs.name} in the next"
            else:
                said = f"{theirs.name} gets other values than in the call before"
            return said, theirs.where
    if len(first.lines) != len(second.lines):
        line = max(first.lines, second.lines, key=len)[min(len(first.lines), len(second.lines))]
        return f"{line.name} runs in some calls alone", line.where
    if not constants:
        return None
    for number, (slot, other) in enumerate(zip(first.slots, second.slots)):
        if differs(slot, other):
            line = user_of(number, second)
            return f"a constant that {line.name} reads is another one in each call", line.where
    if not same(first.result, second.result) and second.lines:
        return "the result is another one in each call", second.lines[-1].where
    return None


def difference_of_constants(recorded: Recorded, now: Recorded) -> str | None:
    """Where a step that runs eagerly now is not the one that was recorded, in words; None: it is."""
    found = difference(recorded, now, constants=False)
    if found is not None:
        return f"{found[0]} ({show_where(found[1])})"
    for number, (slot, other) in enumerate(zip(recorded.slots, now.slots)):
        if slot.origin == "constant" and not same(slot.value, other.first):
            line = user_of(number, recorded)
            return f"a constant that {line.name} ({line.place}) reads is another one by now"
    return None


def differs(slot: Slot, other: Slot) -> bool:
    """Whether a slot had something else in the other recording. Tensors that each call makes anew count as
    constants.
    """
    if slot.origin != other.origin:
        return True
    if slot.origin == "outside":
        return slot.value is not other.value and not same(slot.first, other.first)
    return slot.origin == "constant" and not same(slot.first, other.first)


def user_of(number: int, recorded: Recorded) -> Line:
    """The first line that reads a slot."""
    return next((line for line in recorded.lines if number in line.reads), recorded.lines[-1])
