"""Values as JSON: what JSON has no word for is a list that begins with the name of its kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...dtypes import Array
from ...engine.location import Place
from ...errors import SHORT, RecordingError
from ...size import Size
from ..step import Accumulated, Kept, Source

TUPLES = {cls.__name__: cls for cls in (Source, Accumulated, Place, Kept)}
DTYPES = frozenset({"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"})
DEEPEST = 32  # lists in lists
SMALLEST, LARGEST = -(2**63), 2**64 - 1  # whole numbers


class Encoder:
    """Values as JSON, with the arrays in them set aside, each once."""

    def __init__(self) -> None:
        self.arrays: list[Any] = []
        self._numbers: dict[int, int] = {}  # id of an array → its number

    def encode(self, value: Any) -> Any:
        """A value as JSON. Raises TypeError for one that has no place in a recording."""
        if value is None or type(value) in (bool, float, str):
            return value
        if type(value) is int and SMALLEST <= value <= LARGEST:
            return value
        if isinstance(value, (np.ndarray, np.generic)) and value.dtype.str[1:] in DTYPES:
            return ["number" if isinstance(value, np.generic) else "array", self.number_of(value)]
        if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
            return ["dtype", np.dtype(value).str]  # np.float32 is as good a name of it
        if isinstance(value, slice):
            return ["slice", *map(self.encode, (value.start, value.stop, value.step))]
        if value is ...:
            return ["ellipsis"]
        if isinstance(value, dict):
            return ["dict", *([self.encode(name), self.encode(member)] for name, member in value.items())]
        if type(value) in (tuple, list, Size, *TUPLES.values()):
            return ["tuple" if type(value) is Size else type(value).__name__, *map(self.encode, value)]
        raise TypeError(f"a recording cannot be saved with {value!r} in it, a {type(value).__name__}")

    def number_of(self, array: Any) -> int:
        """The number under which an array is set aside."""
        if id(array) not in self._numbers:
            self._numbers[id(array)] = len(self.arrays)
            self.arrays.append(array)
        return self._numbers[id(array)]


class Decoder:
    """What an encoder made, read by somebody who does not trust it: `where` is the place in the file."""

    def __init__(self, arrays: list[Array]) -> None:
        self.arrays = arrays
        self.unread = set(range(len(arrays)))
        self._lists: dict[str, Callable[[list[Any], str, int], Any]] = {
            "array": self.array_at,
            "number": self.number_at,
            "dtype": self.dtype_named,
            "slice": self.slice_of,
            "ellipsis": self.ellipsis_of,
            "dict": self.dict_of,
            "list": self.list_of,
            "tuple": lambda parts, where, depth: tuple(self.list_of(parts, where, depth)),
        }

    def decode(self, value: Any, where: str, depth: int = 0) -> Any:
        """What was encoded. Raises RecordingError for what no encoder makes."""
        if value is None or type(value) in (bool, float):
            return value
        if type(value) is str:
            return text(value, where)
        if type(value) is int:
            return within(value, SMALLEST, LARGEST, where)
        if type(value) is not list or not value or type(value[0]) is not str:
            raise RecordingError(f"{where} is {SHORT.repr(value)}, which is no value of a recording")
        if depth == DEEPEST:
            raise RecordingError(f"{where} is nested more than {DEEPEST} deep")
        name, *parts = value
        if name in TUPLES:
            return self.named_tuple_of(TUPLES[name], parts, where, depth)
        if name not in self._lists:
            raise RecordingError(f"{where} is a {SHORT.repr(name)}, which no recording has")
        return self._lists[name](parts, where, depth)

    def list_of(self, parts: list[Any], where: str, depth: int) -> list[Any]:
        return [self.decode(part, f"{where}[{place}]", depth + 1) for place, part in enumerate(parts)]

    def array_at(self, parts: list[Any], where: str, depth: int) -> Array:
        if len(parts) != 1 or type(parts[0]) is not int:
            raise RecordingError(f"{where} is {SHORT.repr(parts)}; it must be the number of one array")
        number = within(parts[0], 0, len(self.arrays) - 1, where)
        self.unread.discard(number)
        return self.arrays[number]

    def number_at(self, parts: list[Any], where: str, depth: int) -> Any:
        array = self.array_at(parts, where, depth)
        if array.shape != ():
            raise RecordingError(f"{where} is array{parts[0]}, which is not one number")
        return array[()]

    def dtype_named(self, parts: list[Any], where: str, depth: int) -> np.dtype[Any]:
        name = parts[0] if len(parts) == 1 and type(parts[0]) is str else ""
        if name[:1] not in ("<", ">", "|") or name[1:] not in DTYPES:
            raise RecordingError(f"{where} is the dtype {SHORT.repr(parts)}, which no array here has")
        return np.dtype(name)

    def slice_of(self, parts: list[Any], where: str, depth: int) -> slice:
        bounds = self.list_of(parts, where, depth)
        if len(bounds) != 3:
            raise RecordingError(f"{where} is a slice of {len(bounds)} parts")
        return slice(*bounds)

    def ellipsis_of(self, parts: list[Any], where: str, depth: int) -> Any:
        if parts:
            raise RecordingError(f"{where} is an ellipsis with {SHORT.repr(parts)}")
        return ...

    def dict_of(self, parts: list[Any], where: str, depth: int) -> dict[Any, Any]:
        entries: dict[Any, Any] = {}
        for pair in parts:
            if type(pair) is not list or len(pair) != 2 or type(pair[0]) not in (str, int):
                raise RecordingError(f"{where} has {SHORT.repr(pair)} in it; it must be a name and a value")
            name = self.decode(pair[0], where)
            if name in entries:
                raise RecordingError(f"{where} has {name!r} twice")
            entries[name] = self.decode(pair[1], f"{where}[{name!r}]", depth + 1)
        return entries

    def named_tuple_of(self, cls: Any, parts: list[Any], where: str, depth: int) -> Any:
        if len(parts) != len(cls._fields):
            raise RecordingError(f"{where} is a {cls.__name__} of {len(parts)}, not {len(cls._fields)} parts")
        named = zip(cls._fields, parts)
        return cls(*(self.decode(part, f"{where}.{name}", depth + 1) for name, part in named))


def text(value: str, where: str) -> str:
    """A text that can be written to a file again."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise RecordingError(f"{where} is a text with half a character in it: {error}") from error
    return value


def within(number: int, low: int, high: int, where: str) -> int:
    """A number within its bounds."""
    if not low <= number <= high:
        raise RecordingError(f"{where} is {SHORT.repr(number)}; it must lie from {low} to {high}")
    return number
