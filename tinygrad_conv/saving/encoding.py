"""A structure of tensors, numbers and texts as JSON with the arrays set aside; and back."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any

import numpy as np

from ..archive import damage_of, is_moderate
from ..dtypes import CODES, FLOATS, Array
from ..engine.tensor import Tensor
from ..errors import SHORT, CheckpointError, ShapeError, show_array

FORMAT = "tinygrad_conv 1"
PLAIN = (str, bool, int, float, type(None))
DEEPEST = 100  # dicts, lists and tuples in each other

Name = int | str  # of an array: its number, or its path


class Encoder:
    """Structures in JSON's terms; the arrays in them are set aside, each under a name of its own.

    by_path: whether the names are paths such as `model.0.weight`; else they are numbers.
    """

    def __init__(self, by_path: bool = False) -> None:
        self.arrays: dict[Name, Array] = {}
        self._by_path = by_path

    def encode(self, value: Any, path: tuple[Any, ...] = ()) -> Any:
        """A value in JSON's terms. path: the keys and indices at which it stands.

        Raises TypeError for what is no tensor, number, text, dict, list or tuple.
        """
        check_depth("save", path)
        if isinstance(value, Tensor):
            return {"tensor": self.name_of(value.data, path), "requires_grad": value.requires_grad}
        if isinstance(value, (np.ndarray, np.generic)):
            if isinstance(value, np.ma.MaskedArray):
                raise TypeError(f"save: {shown(path)} is a masked array, whose mask would be lost; fill it")
            if value.dtype.char not in CODES:
                raise TypeError(f"save: {shown(path)} is an array of {value.dtype}, not of numbers")
            kind = "array" if isinstance(value, np.ndarray) else "number"
            return {kind: self.name_of(np.asarray(value), path)}
        if isinstance(value, dict):
            return {"dict": [[self.key(key, path), self.encode(value[key], (*path, key))] for key in value]}
        if isinstance(value, (list, tuple)):
            members = [self.encode(member, (*path, index)) for index, member in enumerate(value)]
            return members if isinstance(value, list) else {"tuple": members}
        if isinstance(value, PLAIN):
            return value
        advice = "save its state_dict()" if hasattr(value, "state_dict") else "save what is in it"
        raise TypeError(
            f"save: {shown(path)} is {type(value).__name__}, no tensor, number, text, dict, list or tuple; "
            f"{advice}"
        )

    def key(self, key: Any, path: tuple[Any, ...]) -> Any:
        """A key of a dict in JSON's terms."""
        if isinstance(key, (*PLAIN, tuple, np.generic)):
            return self.encode(key, (*path, key))
        raise TypeError(f"save: a key of {shown(path)} is {type(key).__name__}, no number, text or tuple")

    def name_of(self, array: Array, path: tuple[Any, ...]) -> Name:
        """The name under which an array is set aside."""
        name: Name = len(self.arrays)
        if not is_moderate(array.shape, array.nbytes):
            raise ShapeError(f"save: {shown(path)} is {show_array(array)}, which no file can hold")
        if self._by_path:
            name = ".".join(map(str, path)) or "tensor"
            while name in self.arrays or name == "__metadata__":  # which the format has for itself
                name += "_"
        self.arrays[name] = array
        return name


class Decoder:
    """What an encoder made, read by somebody who does not trust it. Raises CheckpointError."""

    def __init__(self, arrays: dict[Name, Array]) -> None:
        self._unread = dict(arrays)
        self._readers: dict[str, Callable[[Any, str, int], Any]] = {
            "dict": self.dict_of,
            "tuple": lambda content, where, depth: tuple(self.list_of(content, where, depth)),
            "array": lambda content, where, depth: self.array_at(content, where),
            "number": lambda content, where, depth: self.number_at(content, where),
            "tensor": lambda content, where, depth: Tensor(self.array_at(content, where)),
        }

    def decode_all(self, structure: Any) -> Any:
        """The whole of a file, in which every array has its place."""
        if type(structure) is not list or len(structure) != 2 or structure[0] != FORMAT:
            written = structure[0] if type(structure) is list and structure else structure
            raise CheckpointError(f"structure: its format is {SHORT.repr(written)}, not {FORMAT!r}")
        with damage_of("structure"):
            value = self.decode(structure[1], "structure: obj", 0)
        if self._unread:
            raise CheckpointError(f"{member(next(iter(self._unread)))} is used nowhere")
        return value

    def decode(self, value: Any, where: str, depth: int) -> Any:
        """A value out of JSON's terms."""
        if depth > DEEPEST:
            raise CheckpointError(f"{where[:60]}… is nested more than {DEEPEST} deep")
        if type(value) is list:
            return self.list_of(value, where, depth)
        if type(value) is not dict:
            return value
        kind = next(iter(value), None)
        wanted = ["tensor", "requires_grad"] if kind == "tensor" else [kind]
        if kind not in self._readers or list(value) != wanted:
            raise CheckpointError(f"{where} is {SHORT.repr(value)}, which tg.save never writes")
        made = self._readers[kind](value[kind], where, depth)
        return self.leaf(made, value["requires_grad"], where) if kind == "tensor" else made

    def list_of(self, content: Any, where: str, depth: int) -> list[Any]:
        if type(content) is not list:
            raise CheckpointError(f"{where} is of {SHORT.repr(content)}; it must be of a list")
        return [self.decode(part, f"{where}[{place}]", depth + 1) for place, part in enumerate(content)]

    def dict_of(self, content: Any, where: str, depth: int) -> dict[Any, Any]:
        entries: dict[Any, Any] = {}
        for key, value in self.pairs(content, where, depth):
            if key in entries:
                raise CheckpointError(f"{where} has the key {SHORT.repr(key)} twice")
            entries[key] = self.decode(value, f"{where}[{SHORT.repr(key)}]", depth + 1)
        return entries

    def pairs(self, content: Any, where: str, depth: int) -> Iterator[tuple[Hashable, Any]]:
        """The keys of a dict, and what is yet to be decoded of it."""
        for pair in content if type(content) is list else [content]:
            if type(pair) is not list or len(pair) != 2:
                raise CheckpointError(f"{where} has {SHORT.repr(pair)} in it; it must be a key and a value")
            key = self.decode(pair[0], f"a key of {where}", depth + 1)
            if not isinstance(key, (*PLAIN, tuple, np.generic)):
                raise CheckpointError(f"{where} has a {type(key).__name__} as a key")
            yield key, pair[1]

    def array_at(self, name: Any, where: str) -> Array:
        """An array that was set aside, which has one place in the structure."""
        if type(name) not in (int, str) or name not in self._unread:
            raise CheckpointError(f"{where} is {member(name)}, which is not there, or used already")
        return self._unread.pop(name)

    def number_at(self, name: Any, where: str) -> Any:
        array = self.array_at(name, where)
        if array.shape != ():
            raise CheckpointError(f"{where} is {member(name)}, {show_array(array)}; it must be one number")
        return array[()]

    def leaf(self, tensor: Tensor, requires_grad: Any, where: str) -> Tensor:
        """A tensor that asks for its gradient, or does not."""
        if type(requires_grad) is not bool or (requires_grad and tensor.dtype not in FLOATS):
            asked = f"requires_grad {SHORT.repr(requires_grad)}"
            raise CheckpointError(f"{where} is {show_array(tensor)} with {asked}")
        return Tensor(tensor.data, requires_grad=requires_grad)


def check_depth(owner: str, path: tuple[Any, ...]) -> None:
    """Refuse what stands in so many others that it may stand in itself. owner: who asks, for messages."""
    if len(path) > DEEPEST:
        raise TypeError(f"{owner}: {shown(path[:3])}… is nested more than {DEEPEST} deep; is it in itself?")


def shown(path: tuple[Any, ...]) -> str:
    """Where in the object a value stands, as one would write it."""
    return "obj" + "".join(f"[{key!r}]" for key in path)


def member(name: Any) -> str:
    """An array by its name in the file."""
    return f"array{name}" if type(name) is int else SHORT.repr(name)
