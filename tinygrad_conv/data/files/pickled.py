"""Pickles of dicts, lists, texts, numbers and arrays: interpreted here, so that nothing in them is ever run.

Python's own pickle module calls what a file names, and allocates what it says. This has the instructions that
make numbers, texts and containers, and knows what the few functions do that arrays are written with: they are
names here, and no functions. Whatever else there is in a file is refused where it stands.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ...dtypes import Array
from ...errors import SHORT, show_shape
from .pickle_arguments import (
    Reader,
    as_decimal,
    as_escaped,
    as_integer,
    as_quoted,
    as_text,
    byte,
    counted,
    fixed,
    line,
    name,
    nothing,
)


class Name(NamedTuple):
    """A function or a class that a pickle names."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


class DtypeDraft:
    """A dtype, whose byte order is said later."""

    def __init__(self, code: str) -> None:
        self.code, self.order = code, "|"

    def dtype(self) -> np.dtype[Any]:
        """The dtype, of numbers."""
        return np.dtype(("<" if self.order == "|" else self.order) + self.code)


class ArrayDraft:
    """An array, whose numbers are said later."""

    def __init__(self, array: Array | None = None) -> None:
        self.array = array


class Unreadable(Exception):
    """Something in a pickle that is not interpreted; and where, once that is known."""

    offset = 0


MOST_STEPS = 2_000_000  # instructions of a pickle: CIFAR-100's have half a million
MOST_COPIES = 4  # times the size of a pickle that texts and bytes in it take, made into another form


NUMPY = r"numpy\.(_?core)\."
ARRAY = re.compile(NUMPY + r"multiarray\._reconstruct")
BUFFER = re.compile(NUMPY + r"numeric\._frombuffer")
DTYPE_CODE = re.compile(r"b1|[iu][1248]|f[248]")
MOST_DIMS, MOST_SIZE = 32, 2**48


def interpreted(content: bytes) -> Any:
    """What a pickle says, its arrays as drafts; Unreadable where it is damaged, or says more than numbers and
    texts.
    """
    machine = Machine(MOST_COPIES * len(content))
    place = 0
    try:
        for _ in range(MOST_STEPS):
            instruction = INSTRUCTIONS.get(content[place])
            if instruction is None:
                raise Unreadable(f"a pickle of data has no instruction {content[place : place + 1]!r}")
            read, step = instruction
            argument, following = read(content, place + 1)
            step(machine, argument)
            place = following
            if machine.is_done:
                break
    except Unreadable as error:
        error.offset = place
        raise
    except Exception as error:  # an argument cut off, a stack that is empty, a tuple that is too short
        problem = f"the pickle is damaged ({type(error).__name__}: {SHORT.repr(str(error))})"
        raise unreadable_at(place, problem) from None
    if not machine.is_done:
        raise unreadable_at(place, f"expected up to {MOST_STEPS:,} instructions")
    if place != len(content):
        raise unreadable_at(place, "expected the end of the file, but more bytes follow")
    return machine.result


def unreadable_at(offset: int, problem: str) -> Unreadable:
    """The error about what is at an offset."""
    error = Unreadable(problem)
    error.offset = offset
    return error


class Machine:
    """The stack and the memory that a pickle's instructions work on."""

    def __init__(self, copies_limit: int) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []  # how high the stack was at each
        self.memo: dict[int, Any] = {}
        self.copies_limit = copies_limit
        self.result: Any = None
        self.is_done = False

    def pop(self) -> Any:
        """The uppermost, above the last mark."""
        if self.marks and len(self.stack) <= self.marks[-1]:
            raise Unreadable("expected a value, found a mark")
        return self.stack.pop()

    def pop_to_mark(self) -> list[Any]:
        """All above the last mark."""
        place = self.marks.pop()
        values = self.stack[place:]
        del self.stack[place:]
        return values

    def mark(self) -> None:
        self.marks.append(len(self.stack))

    def count_copy(self, content: Any) -> None:
        """Refuse more copies than honest files need."""
        self.copies_limit -= len(content)
        if self.copies_limit < 0:
            raise Unreadable("the pickle's texts are copied too often")

    def top(self, expected: type) -> Any:
        """The uppermost, of a type."""
        value = self.stack[-1]
        if type(value) is not expected:
            raise Unreadable(f"expected a {expected.__name__}, found a {type(value).__name__}")
        return value

    def extend(self, values: list[Any]) -> None:
        self.top(list).extend(values)

    def update(self, values: list[Any]) -> None:
        if len(values) % 2:
            raise Unreadable("expected a value for each key")
        if not all(type(key) in (str, bytes, int) for key in values[::2]):
            raise Unreadable("expected texts or numbers as keys")
        self.top(dict).update(zip(values[::2], values[1::2]))

    def set_item(self) -> None:
        value, key = self.pop(), self.pop()
        self.update([key, value])

    def append(self) -> None:
        value = self.pop()
        self.extend([value])

    def push_dict(self, values: list[Any]) -> None:
        self.stack.append({})
        self.update(values)

    def push_tuple(self, count: int) -> None:
        values = [self.pop() for _ in range(count)]
        self.stack.append(tuple(reversed(values)))

    def put(self, number: int) -> None:
        self.memo[number] = self.stack[-1]

    def get(self, number: int) -> None:
        self.stack.append(self.memo[number])

    def name(self, module: Any, name: Any) -> None:
        self.stack.append(Name(text_of(module), text_of(name)))

    def name_from_stack(self) -> None:
        name, module = self.pop(), self.pop()
        self.name(module, name)

    def call(self) -> None:
        """What a function would make of its arguments, for the few that arrays are written with."""
        arguments, function = self.pop(), self.pop()
        if not isinstance(function, Name) or type(arguments) is not tuple:
            raise Unreadable("expected the call of a function that arrays are written with")
        self.stack.append(made_by(self, function, arguments))

    def build(self) -> None:
        """The numbers of an array, or the byte order of a dtype."""
        state, draft = self.pop(), self.stack[-1]
        if isinstance(draft, DtypeDraft):
            draft.order = byte_order(state)
        elif isinstance(draft, ArrayDraft):
            _, shape, dtype, is_by_columns, content = state
            if isinstance(content, str):
                self.count_copy(content)
            draft.array = array_of(content, dtype, shape, is_by_columns)
        else:
            raise Unreadable(f"expected an array or a dtype, found a {type(draft).__name__}")

    def stop(self) -> None:
        self.result, self.is_done = self.pop(), True
        if self.stack or self.marks:
            raise Unreadable("the pickle stops with values left over")


def made_by(machine: Machine, function: Name, arguments: tuple[Any, ...]) -> Any:
    """What a function would make of its arguments."""
    name = str(function)
    if ARRAY.fullmatch(name):
        return ArrayDraft()
    if name == "numpy.dtype" and DTYPE_CODE.fullmatch(text_of(arguments[0])):
        return DtypeDraft(text_of(arguments[0]))
    if BUFFER.fullmatch(name):
        content, dtype, shape, order = arguments
        return ArrayDraft(array_of(content, dtype, shape, order == "F"))
    if name == "_codecs.encode" and arguments[1] == "latin1":
        machine.count_copy(arguments[0])
        return bytes(arguments[0], "latin1")
    raise Unreadable(f"a pickle of data does not call {SHORT.repr(name)}, which is not run")


def text_of(value: Any) -> str:
    """A text, also of Python 2."""
    if not isinstance(value, (str, bytes)):
        raise Unreadable(f"expected a text, found a {type(value).__name__}")
    return value.decode("latin1") if isinstance(value, bytes) else value


def byte_order(state: Any) -> str:
    """The byte order in a dtype's state, which says nothing else of a dtype of numbers."""
    order = text_of(state[1])
    if order not in ("|", "<", ">", "=") or any(member is not None for member in state[2:5]):
        raise Unreadable("expected a dtype of plain numbers")
    return order


def array_of(content: Any, draft: Any, shape: Any, is_by_columns: Any) -> Array:
    """An array out of its bytes, which must be as many as its shape says."""
    raw = content.encode("latin1") if isinstance(content, str) else content
    if not isinstance(draft, DtypeDraft) or not isinstance(raw, (bytes, bytearray)):
        raise Unreadable("expected the bytes of an array of numbers, and its dtype")
    sizes = tuple(shape)
    if len(sizes) > MOST_DIMS or not all(type(size) is int and 0 <= size < MOST_SIZE for size in sizes):
        raise Unreadable(f"expected up to {MOST_DIMS} sizes of an array")
    dtype = draft.dtype()
    needed = math.prod(sizes) * dtype.itemsize
    # beside a size of 0 another may be anything, but not for NumPy
    too_large = math.prod(filter(None, sizes)) > max(len(raw), 2**31)
    if needed != len(raw) or too_large:
        raise Unreadable(f"expected {needed:,} bytes for {dtype.name}{show_shape(sizes)}, found {len(raw):,}")
    return np.frombuffer(raw, dtype).reshape(sizes, order="F" if is_by_columns else "C")


def push(machine: Machine, value: Any) -> None:
    """A value on the stack."""
    machine.stack.append(value)


Step = Callable[[Machine, Any], None]


def simply(method: Callable[[Machine], None]) -> Step:
    """A step without an argument."""
    return lambda machine, argument: method(machine)


def on_values(method: Callable[[Machine, list[Any]], None]) -> Step:
    """A step with all above the last mark."""
    return lambda machine, argument: method(machine, machine.pop_to_mark())


def constant(make: Callable[[], Any]) -> tuple[Reader, Step]:
    """An instruction that pushes the same every time."""
    return nothing, lambda machine, argument: machine.stack.append(make())


UNSIGNED, SIGNED, LONG = "<I", "<i", "<Q"

WRITTEN: dict[bytes, tuple[Reader, Step]] = {
    b"\x80": (byte, lambda machine, argument: None),  # the version
    b"\x95": (fixed(LONG), lambda machine, argument: None),  # how long the next part is
    b".": (nothing, simply(Machine.stop)),
    b"(": (nothing, simply(Machine.mark)),
    b"N": constant(lambda: None),
    b"\x88": constant(lambda: True),
    b"\x89": constant(lambda: False),
    b"}": constant(dict),
    b"]": constant(list),
    b")": constant(tuple),
    b"I": (line(as_decimal), push),
    b"L": (line(as_decimal), push),
    b"J": (fixed(SIGNED), push),
    b"K": (byte, push),
    b"M": (fixed("<H"), push),
    b"\x8a": (counted("<B", as_integer), push),
    b"\x8b": (counted(SIGNED, as_integer), push),
    b"F": (line(float), push),
    b"G": (fixed(">d"), push),
    b"S": (line(as_quoted), push),
    b"T": (counted(SIGNED, bytes), push),
    b"U": (counted("<B", bytes), push),
    b"V": (line(as_escaped), push),
    b"X": (counted(UNSIGNED, as_text), push),
    b"\x8c": (counted("<B", as_text), push),
    b"\x8d": (counted(LONG, as_text), push),
    b"B": (counted(UNSIGNED, bytes), push),
    b"C": (counted("<B", bytes), push),
    b"\x8e": (counted(LONG, bytes), push),
    b"\x96": (counted(LONG, bytes), push),  # a bytearray
    b"d": (nothing, on_values(Machine.push_dict)),
    b"l": (nothing, on_values(lambda machine, values: machine.stack.append(values))),
    b"t": (nothing, on_values(lambda machine, values: machine.stack.append(tuple(values)))),
    b"\x85": (nothing, simply(lambda machine: machine.push_tuple(1))),
    b"\x86": (nothing, simply(lambda machine: machine.push_tuple(2))),
    b"\x87": (nothing, simply(lambda machine: machine.push_tuple(3))),
    b"a": (nothing, simply(Machine.append)),
    b"e": (nothing, on_values(Machine.extend)),
    b"s": (nothing, simply(Machine.set_item)),
    b"u": (nothing, on_values(Machine.update)),
    b"p": (line(int), Machine.put),
    b"q": (byte, Machine.put),
    b"r": (fixed(UNSIGNED), Machine.put),
    b"\x94": (nothing, simply(lambda machine: machine.put(len(machine.memo)))),
    b"g": (line(int), Machine.get),
    b"h": (byte, Machine.get),
    b"j": (fixed(UNSIGNED), Machine.get),
    b"c": (name, lambda machine, argument: machine.name(*argument)),
    b"\x93": (nothing, simply(Machine.name_from_stack)),
    b"R": (nothing, simply(Machine.call)),
    b"b": (nothing, simply(Machine.build)),
}
INSTRUCTIONS = {code[0]: instruction for code, instruction in WRITTEN.items()}
"""By their byte: how the argument of an instruction is read, and what it does."""
