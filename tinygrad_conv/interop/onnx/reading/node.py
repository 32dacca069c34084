"""A node of a graph, as its operator reads it when a model is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from ....allocation import shortened
from ....errors import SHORT, OnnxError
from .tensors import DTYPES, no_dtype


class Node:
    """A node: names of what it reads and makes, and its attributes, checked against its schema.

    version: of the operator, the opset in which it last changed. An input or output that is left out has the
    name "".
    """

    def __init__(
        self,
        op_type: str,
        name: str,
        version: int,
        inputs: tuple[str, ...],
        outputs: tuple[str, ...],
        attributes: dict[str, Any],
    ) -> None:
        self.op_type = op_type
        self.name = name
        self.version = version
        self.inputs = inputs
        self.outputs = outputs
        self.attributes = attributes

    def __str__(self) -> str:
        return called(self.op_type, self.name)

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute; `default` where it is left out, or this version of the operator has none such."""
        value = self.attributes.get(name)
        return default if value is None else value

    def flag(self, name: str, default: bool = False) -> bool:
        """An attribute that is 0 or 1."""
        value = self.get(name, int(default))
        if value not in (0, 1):
            self.refuse(name, value, "0 and 1")
        return bool(value)

    def word(self, name: str, supported: Sequence[str], default: str) -> str:
        """An attribute that is one of several words."""
        value = self.get(name, default)
        if value not in supported:
            self.refuse(name, value, ", ".join(supported))
        return str(value)

    def dtype(self, name: str, default: int | None = None) -> np.dtype[Any] | None:
        """An attribute that is a number of a dtype; None where it is left out."""
        number = self.get(name, default)
        if number is None:
            return None
        dtype = DTYPES.get(number)
        if dtype is None:
            raise OnnxError(f"{self}: attribute {name} is {no_dtype(number)}")
        return dtype

    def makes(self, place: int) -> bool:
        """Whether the output at a place is asked for."""
        return len(self.outputs) > place and self.outputs[place] != ""

    def reads(self, place: int) -> bool:
        """Whether the input at a place is given."""
        return len(self.inputs) > place and self.inputs[place] != ""

    def refuse(self, attribute: str, value: Any, supported: str) -> NoReturn:
        """Raise OnnxError for an attribute that cannot be this."""
        given = SHORT.repr(value)
        raise OnnxError(f"{self}: attribute {attribute} is {given}; supported: {supported}")


def called(op_type: str, name: str) -> str:
    """A node in messages."""
    op_type = shortened(op_type)
    return f"node {SHORT.repr(name)} ({op_type})" if name else f"a node without a name ({op_type})"
