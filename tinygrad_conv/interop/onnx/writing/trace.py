"""`Trace`: writes down which ops a call of a model applies, through the engine's seam for observers.

Arrays are known by their identity: each input, each parameter and buffer, and each result of an op has a
number. An array without one is a constant, as long as it is the same in every trace (program.py).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from types import CodeType
from typing import Any, NoReturn

import numpy as np

from .... import errors
from ....dtypes import Array, promote
from ....engine import observe, reads
from ....engine.location import Where, user_where
from ....engine.observe import Call, Observation, Observer
from ....engine.observed import BACKWARD, LAYER, observed_by
from ....engine.op import is_scalar
from ....engine.registry import OPS
from ....engine.tensor import Tensor
from ....errors import ExportError, show_tensor
from ....options import kinds
from ....randomness.default import generator
from .table import refusal

SHOWN_ONLY = ("__repr__", "__format__", "_repr_html_", "grad", "detach")
"""Reads that are for people, or of what there is none of."""

LOOKING_ON = (observe.__file__, reads.__file__)
"""What lies between who reads and who is told of it."""

WRITTEN_TO = ("statistics",)
"""Params that a forward writes to, and does not read."""


@dataclass(frozen=True)
class Read:
    """The value with a number, in a dtype to which the op brings it."""

    number: int
    dtype: np.dtype[Any]


@dataclass(frozen=True, eq=False)
class Constant:
    """An array that nothing in the model made."""

    array: Array


@dataclass(frozen=True)
class Event:
    """One op that ran."""

    op: str
    inputs: tuple[Any, ...]  # a Read, a Constant, or None for each
    options: dict[str, Any]  # the params, with marks for arrays
    outputs: tuple[int, ...]
    where: Where
    layer: str


class Trace(Observer):
    """Records the ops of one call."""

    looks_into_rules = True
    takes_functions = True
    watches_reads = True

    def __init__(self, inputs: Iterable[Tensor], state: dict[str, Tensor]) -> None:
        self.arrays: list[Array] = []  # by number; they are kept alive, and so keep their ids
        self.numbers: dict[int, int] = {}  # by the id of an array
        self.events: list[Event] = []
        self.depending: set[int] = {self.enter(tensor._data) for tensor in inputs}  # on the inputs
        self.state = {self.enter(tensor._data): name for name, tensor in state.items()}
        self.given = len(self.arrays)
        self.refusal: ExportError | None = None
        self.changed = -1
        self.random_state: Any = None

    def enter(self, array: Array) -> int:
        """A new number for an array."""
        self.arrays.append(array)
        self.numbers[id(array)] = len(self.arrays) - 1
        return len(self.arrays) - 1

    def after_op(self, call: Call) -> None:
        inputs = self.operands(call)
        options = {
            name: self.marked(as_places(value) if name == "index" else value)
            for name, value in call.params.items()
            if name not in WRITTEN_TO
        }
        arrays: list[Any] = [getattr(output, "_data", output) for output in call.outputs]
        outputs = tuple(map(self.enter, arrays))
        self.events.append(Event(call.op, inputs, options, outputs, call._where, layer_of(call)))
        if self.depending.intersection(reads_in((inputs, options))):
            self.depending.update(outputs)

    def operands(self, call: Call) -> tuple[Any, ...]:
        """The inputs of an op, in the dtype to which it brings them."""
        arrays = [value._data if isinstance(value, Tensor) else value for value in call.given]
        if not call.applied.broadcasting:
            return tuple(self.marked(None if array is None else np.asarray(array)) for array in arrays)
        any_tensor = any(isinstance(value, Tensor) for value in call.given)
        promoted = promote(arrays, [any_tensor and is_scalar(value) for value in call.given])
        return tuple(
            Read(self.numbers[id(array)], brought.dtype)
            if id(array) in self.numbers
            else Constant(brought.copy())
            for array, brought in zip(arrays, promoted)
        )

    def marked(self, value: Any) -> Any:
        """A value with marks for the arrays and tensors in it."""
        if isinstance(value, Tensor):
            return self.marked(value._data)
        if isinstance(value, np.ndarray):
            number = self.numbers.get(id(value))
            return Constant(value.copy()) if number is None else Read(number, value.dtype)
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, (list, tuple)):
            return tuple(map(self.marked, value))
        if isinstance(value, slice):
            return slice(*map(self.marked, (value.start, value.stop, value.step)))
        return value

    def refuse(self, reason: str) -> NoReturn:
        """The model cannot be written, because of the user's line that runs, whoever catches the error."""
        self.refusal = refusal(reason, user_where(), LAYER.get())
        raise self.refusal

    # What is no op
    def before_function(self, function: Any, inputs: tuple[Any, ...], options: dict[str, Any]) -> None:
        self.random_state = generator().bit_generator.state
        if function.__name__ == "follow" and inputs[0] is not None:
            self.refuse("running statistics follow the batch; call .eval() on the module first")
        if function.__name__ == "change_off_the_tape":
            self.changed = self.number_of_change(*inputs)

    def number_of_change(self, tensor: Tensor, symbol: str, compute: Any, operands: Any) -> int:
        """The number of what a tensor is going to be changed into in place, by the same ops out of place."""
        name = self.state.get(self.numbers.get(id(tensor._data), -1))
        if name is not None:
            self.refuse(f"{symbol} changes {name}, and an ONNX graph keeps nothing from call to call")
        if tensor._memory is not None and list(tensor._memory.beside(tensor)):
            self.refuse(f"{symbol} changes {show_tensor(tensor)} together with its views; write x = x …")
        with observed_by(Observation((self,))):
            result = compute(tensor, *operands)
            if result.dtype != tensor.dtype:
                result = OPS["to"](result, dtype=tensor.dtype)
        if id(result._data) not in self.numbers:
            self.refuse(f"{symbol} changes {show_tensor(tensor)} in a way that is not seen; write x = x …")
        return self.numbers[id(result._data)]

    def after_function(
        self, function: Any, inputs: tuple[Any, ...], options: dict[str, Any], result: Any
    ) -> None:
        if function.__name__ == "change_off_the_tape":
            self.arrays.append(inputs[0]._data)  # kept alive under a number that nobody asks for
            self.numbers[id(inputs[0]._data)] = self.changed
        elif generator().bit_generator.state != self.random_state:
            self.refuse(
                f"{function.__name__} draws random numbers, and an ONNX graph would have the same ones in "
                "each call; pass them as an input"
            )

    def before_sweep(self, gradients: Any) -> None:
        if gradients.lift is None:
            self.refuse("a backward inside the model is not recorded; use tg.grad(…, create_graph=True)")

    def after_read(self, tensor: Tensor, name: str, value: Any) -> None:
        number = self.numbers.get(id(tensor._data))
        if name in SHOWN_ONLY or number not in self.depending or is_size(tensor, value):
            return
        if self.refusal is not None or is_harmless(reader()):
            return
        shown = f".{name}" if not name.startswith("__") else name.strip("_") + "()"
        self.refuse(
            f"Python reads numbers that depend on the input ({shown} of {show_tensor(tensor)}), and what it "
            "makes of them is not seen; compute it with ops, choose with tg.where, and ask x.shape for sizes"
        )


def as_places(index: Any) -> Any:
    """An index with arrays in the place of lists, which NumPy takes for such, and not for tuples."""
    if isinstance(index, list):
        return np.asarray(index)
    return tuple(map(as_places, index)) if isinstance(index, tuple) else index


def layer_of(call: Call) -> str:
    """The path of the layer whose call it is; in a backward the rule's name stands behind it, or what its
    residuals are derived under.
    """
    sweep = BACKWARD.get()
    if sweep is None or sweep.node is None:
        return call._layer
    name = sweep.rule.function.__name__ if sweep.rule is not None else "residuals"
    return f"{sweep.node.layer}.{name}".lstrip(".")


def is_size(tensor: Tensor, value: Any) -> bool:
    """Whether what was read is no number of a tensor's: its shape, or what an op has made of it."""
    return isinstance(value, Tensor) or (type(value) is tuple and value == tuple(tensor.shape))


def reader() -> CodeType:
    """The function that reads numbers just now."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename in (__file__, *LOOKING_ON):
        frame = frame.f_back
    return frame.f_code


def is_harmless(code: CodeType) -> bool:
    """Whether a function reads numbers for a message alone, or to raise an error for them."""
    return code.co_filename in (errors.__file__, kinds.__file__)


def reads_in(value: Any) -> set[int]:
    """The numbers of the values that are read somewhere in tuples, dicts and slices."""
    if isinstance(value, Read):
        return {value.number}
    if isinstance(value, dict):
        return reads_in(tuple(value.values()))
    if isinstance(value, slice):
        return reads_in((value.start, value.stop, value.step))
    if isinstance(value, tuple):
        return set().union(*map(reads_in, value))
    return set()
