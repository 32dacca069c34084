"""What a step returned, as a form that a replay fills in; and whether Python's reading of numbers allows it.

A number may be read where it is the result and nothing else: `return loss.item()`. That nothing else is done
with it, the bytecode of the step and of what it calls on the way tells: from the reading on each function
goes straight to its end.
"""

from __future__ import annotations

import dis
import inspect
from collections import Counter
from collections.abc import Iterator
from types import CodeType
from typing import Any

import numpy as np

from ..engine.location import Where, user_where
from ..engine.tensor import Tensor
from ..members import grouped
from ..nn.module import Module
from .frames import users_line
from .trace import Trace
from .values import Argument, ArrayIn, Reading, TensorIn

PLAIN = (int, float, complex, bool, str, bytes, type(None), np.generic, np.dtype, Module)
STRAIGHT = (
    *("LOAD_", "STORE_FAST", "BUILD_TUPLE", "BUILD_LIST", "BUILD_MAP", "BUILD_CONST_KEY_MAP", "PUSH_NULL"),
    *("NOP", "SWAP", "COPY", "ROT_", "DUP_TOP", "POP_TOP", "POP_BLOCK", "RESUME", "KW_NAMES"),
    *("NOT_TAKEN", "EXTENDED_ARG", "FORMAT_SIMPLE"),
)
NUMBERS = ("float", "int", "bool")
READERS = {
    "item": "item",
    "__float__": "__float__",
    "__int__": "__int__",
    "__bool__": "__bool__",
    "tolist": "tolist",
    "numpy": "numpy",
    "data": "data",
    "grad": "grad",
}


class ResultForm:
    """The form of a result, and why there is none."""

    def __init__(self, trace: Trace, result: Any) -> None:
        self.trace, self.recorded = trace, trace.recorded
        self.where = self.recorded.lines[-1].where if self.recorded.lines else user_where()
        self.reads = {id(value): (tensor, name) for tensor, name, value, _ in self.recorded.reads}
        self.returned: Counter[int] = Counter()  # ids of numbers that were read
        self.owners: set[int] = set()  # slots whose memory tensors of the result show
        self.containers: list[Any] = []  # lists and dicts in it
        self.check_reads()
        self.recorded.result = self.form(result)
        self.check_returned()

    def refuse(self, reason: str) -> Any:
        """There is no form."""
        self.recorded.refuse(reason, self.where)

    def check_reads(self) -> None:
        """Refuse numbers that Python reads for anything else than the result."""
        running = grouped(where for *_, wheres in self.recorded.reads for where in wheres)
        for _, name, _, wheres in self.recorded.reads:
            returned = [goes_to_its_end(code, offset, {*running[code]}) for code, offset in wheres]
            if name not in READERS or not all(returned):
                shown = {"__repr__": "print", "__bool__": "if, or bool"}.get(name, name.strip("_"))
                self.recorded.refuse(f"Python reads the numbers of a tensor ({shown})", users_line(wheres))

    def check_returned(self) -> None:
        """Refuse numbers that are read and not returned, and equal ones of two tensors: which is which? So it
        is of a small integer, True or None that is not in the result as often as it is read.
        """
        owners = {(id(value), id(tensor)) for tensor, _, value, _ in self.recorded.reads}
        times = Counter(id(value) for *_, value, _ in self.recorded.reads)
        for _, name, value, wheres in self.recorded.reads:
            returned = self.returned[id(value)]
            unclear = returned != times[id(value)] and isinstance(value, (int, type(None)))
            if not returned or unclear or len(owners) > len(self.reads):
                reason = f"Python reads the numbers of a tensor ({name.strip('_')})"
                self.recorded.refuse(reason, users_line(wheres))

    def form(self, value: Any) -> Any:
        """A part of the result."""
        if isinstance(value, Tensor):
            return self.of_tensor(value)
        if id(value) in self.reads:
            tensor, name = self.reads[id(value)]
            self.returned[id(value)] += 1
            return Reading(self.trace.mark(tensor), READERS.get(name, name))
        if isinstance(value, np.ndarray):
            number = self.trace.slot_of.get(value)
            return self.refuse("it returns an array that NumPy made") if number is None else ArrayIn(number)
        if type(value) in (list, dict):
            self.check_returned_once(value)
        if type(value) in (list, tuple):
            return type(value)([self.form(member) for member in value])
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*[self.form(member) for member in value])
        if type(value) is dict:
            return {name: self.form(member) for name, member in value.items()}
        if isinstance(value, PLAIN):
            return value
        return self.refuse(f"it returns a {type(value).__name__}")

    def check_returned_once(self, container: Any) -> None:
        """Refuse a list or a dict that stands in two places: a replay would make two of it."""
        if any(container is other for other in self.containers):
            self.refuse(f"it returns one {type(container).__name__} twice; return a copy")
        self.containers.append(container)

    def of_tensor(self, tensor: Tensor) -> Any:
        """A tensor of the result."""
        if id(tensor) in self.trace.argument_of:
            return Argument(self.trace.argument_of[id(tensor)])
        number = self.trace.slot_of.get(tensor._data)
        if number is None or id(tensor) in self.trace.outside:
            return tensor  # one from outside; another one in each call is noticed
        slot = self.recorded.slots[number]
        if id(tensor) in self.trace.private:
            return self.refuse("it returns a leaf that it made, and that got a .grad")
        if slot.origin != "computed" or self.shows_others(tensor):
            return self.refuse("it returns a view of a tensor from outside, or an argument's")
        if self.recorded.owners[number] in self.owners:
            return self.refuse("it returns one tensor twice, or a view of it too; return a .clone()")
        self.owners.add(self.recorded.owners[number])
        if tensor._edge is None and tensor._requires_grad:
            return self.refuse("it returns a leaf that it made")
        if tensor._edge is not None:
            if tensor._edge.node.consumed is None:
                return self.refuse(
                    "it returns a tensor that is on its tape still; go backward in the step, or x.detach()"
                )
            self.recorded.edges.append((number, tensor._edge))
        return TensorIn(number, number in self.trace.made)

    def shows_others(self, tensor: Tensor) -> bool:
        """Whether it shares memory with a tensor from outside, or with an argument."""
        arrays = [
            getattr(slot.value, "_data", slot.value)
            for slot in self.recorded.slots
            if slot.origin in ("outside", "argument")
        ]
        return any(
            np.may_share_memory(tensor._data, array) for array in arrays if isinstance(array, np.ndarray)
        )


def containers_in(value: Any) -> Iterator[Any]:
    """The lists and dicts in a value, itself too."""
    if isinstance(value, (list, dict)):
        yield value
    if isinstance(value, (list, tuple, dict)):
        for member in value.values() if isinstance(value, dict) else value:
            yield from containers_in(member)


def goes_to_its_end(code: CodeType, offset: int, readings: set[int]) -> bool:
    """Whether a function does nothing from an instruction on but return, and read further numbers."""
    instructions = [each for each in dis.get_instructions(code) if each.opname not in ("CACHE", "PRECALL")]
    place = running(instructions, offset)
    reading = {running(instructions, each) for each in readings}
    numbers = open_calls(instructions, place)
    for number, instruction in enumerate(instructions[place + 1 :], place + 1):
        name = instruction.opname
        if name.startswith("RETURN_"):
            return True
        if name == "POP_TOP" and number - 1 in reading:
            return False  # nobody has the number, whatever equals it in the result
        if name.startswith("CALL"):
            if number not in reading and not leaves_a_block(instructions[number - 3 : number + 1]):
                numbers -= 1
            if numbers < 0:
                return False
        elif name == "LOAD_GLOBAL" and instruction.argval in NUMBERS:
            numbers += 1
        elif name == "LOAD_GLOBAL" or not name.startswith(STRAIGHT):
            return False
    return False


def leaves_a_block(instructions: list[dis.Instruction]) -> bool:
    """Whether the last of these calls the `__exit__` of a `with` block: with None, None and None."""
    *nones, call = instructions
    exits = [each.opname == "DUP_TOP" or (each.opname, each.argval) == ("LOAD_CONST", None) for each in nones]
    return exits == [True] * 3 and call.arg in (2, 3)


def running(instructions: list[dis.Instruction], offset: int) -> int:
    """Which instruction runs at an offset, which may be that of a cache behind it."""
    return max(number for number, each in enumerate(instructions) if each.offset <= offset)


def open_calls(instructions: list[dis.Instruction], place: int) -> int:
    """How many calls of float, int or bool there are around what runs, as in `float(loss.item())`.

    Where Python does not keep where in its line an instruction stands (before 3.11, or told not to), those
    close by.
    """
    asking = [
        (number, each)
        for number, each in enumerate(instructions[:place])
        if each.opname == "LOAD_GLOBAL" and each.argval in NUMBERS
    ]
    calls = {start_of(each) for each in instructions[place + 1 :] if each.opname.startswith("CALL")}
    if None in calls:
        return len([number for number, _ in asking if number >= place - 5])
    return len([each for _, each in asking if start_of(each) in calls])


def start_of(instruction: dis.Instruction) -> tuple[int, int] | None:
    """Line and column where what an instruction does begins; None where that is not kept."""
    positions = getattr(instruction, "positions", None)
    if positions is None or positions.lineno is None or positions.col_offset is None:
        return None
    return positions.lineno, positions.col_offset


def place_of(step: Any) -> Where:
    """Where a step begins."""
    code = getattr(inspect.unwrap(step), "__code__", None)
    return (code, 0) if code is not None else user_where()
