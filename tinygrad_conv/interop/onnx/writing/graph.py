"""`Graph`: nodes, initializers and names of an ONNX graph that is being written."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ....dtypes import Array
from ..library import library
from .sizes import OfBatch, Shape, Size
from .table import NotWritable

SMALL = 4096
"""Up to how many bytes equal constants are one."""


@dataclass(frozen=True, eq=False)
class Value:
    """What a node reads: its name in the graph, and the numbers where they are known beforehand.

    A constant has no name before a node reads it.
    """

    name: str
    shape: Shape
    dtype: np.dtype[Any]
    array: Array | None = None

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def is_float(self) -> bool:
        return self.dtype.kind == "f"


Operand = Value | str | Array | None
"""What a rule hands to a node: None is an optional input that is left out, an array a constant."""


class Graph:
    """The graph so far. Rules call `node`; `y` is the value that the op they write has for its output."""

    ys: tuple[Value, ...]  # the outputs of the op that is being written

    def __init__(self, opset: int) -> None:
        self.opset = opset
        self.nodes: list[Any] = []
        self.initializers: dict[str, Array] = {}
        self.names: Counter[str] = Counter()
        self.constants: dict[Any, str] = {}
        self.prefix = "/"
        self.batch_of = ""  # the input whose dimension 0 is the batch
        self.sizes: dict[Size, str] = {}  # the tensors that have sizes of the batch

    @property
    def y(self) -> Value:
        """The output of the op that is being written."""
        return self.ys[0]

    def unique(self, name: str) -> str:
        """The name, or with a number if there is one already: `/conv1/Conv_1`."""
        self.names[name] += 1
        return name if self.names[name] == 1 else self.unique(f"{name}_{self.names[name] - 1}")

    def node(self, op_type: str, *inputs: Operand, outputs: int = 1, **attributes: Any) -> Any:
        """A node; the name of its output, or a tuple of those of several. None is no attribute."""
        for name, value in attributes.items():
            self.check_known(name, value)
        base = self.unique(f"{self.prefix}{op_type}")
        results = [f"{base}_output_{place}" for place in range(outputs)]
        given = {name: plain(value) for name, value in attributes.items() if value is not None}
        names = [self.name(operand) for operand in inputs]
        while names and not names[-1]:
            names.pop()
        self.nodes.append(library().helper.make_node(op_type, names, results, base, **given))
        return results[0] if outputs == 1 else tuple(results)

    def check_known(self, name: str, value: Any) -> None:
        """Refuse an attribute that would have to follow the batch."""
        if isinstance(value, OfBatch) or (
            isinstance(value, (tuple, list)) and any(isinstance(each, OfBatch) for each in value)
        ):
            raise NotWritable(f"{name} would follow the batch's size; pass dynamic_batch=False")

    def name(self, operand: Operand) -> str:
        """The name of an operand; a constant gets one."""
        if operand is None or isinstance(operand, str):
            return operand or ""
        if isinstance(operand, np.ndarray):
            return self.constant(operand)
        if operand.array is None:
            return operand.name
        if not operand.name:
            return self.constant(operand.array)
        self.initializers[operand.name] = operand.array
        return operand.name

    def constant(self, array: Array) -> str:
        """The name of an initializer with these numbers; small ones that are equal are one."""
        key = (array.dtype.str, array.shape, array.tobytes()) if array.nbytes <= SMALL else id(array)
        if key not in self.constants:
            self.constants[key] = self.unique(f"{self.prefix}Constant")
            self.initializers[self.constants[key]] = array
        return self.constants[key]

    def number(self, number: float, like: Value) -> Array:
        """One number in the dtype of a value."""
        return np.asarray(number, like.dtype)

    def ints(self, values: Sequence[Size]) -> str:
        """A tensor of int64 of these sizes, some of which may follow the batch."""
        if not any(isinstance(value, OfBatch) for value in values):
            return self.constant(np.array(values, np.int64).reshape(-1))
        parts: list[Operand] = [
            self.size(value) if isinstance(value, OfBatch) else np.array([value], np.int64)
            for value in values
        ]
        return str(parts[0] if len(parts) == 1 else self.node("Concat", *parts, axis=0))

    def size(self, size: OfBatch) -> str:
        """A tensor of int64 [1] with a size that follows the batch."""
        if size not in self.sizes:
            self.sizes[size] = self.made_size(size)
        return self.sizes[size]

    def made_size(self, size: OfBatch) -> str:
        """The size of the batch, or what follows from it."""
        if size.plus:
            made = self.node("Add", self.size(OfBatch(size.per, 0)), np.array([size.plus], np.int64))
        elif size.per != 1:
            made = self.node("Mul", self.size(OfBatch(1, 0)), np.array([size.per], np.int64))
        else:
            made = self.node("Shape", self.batch_of, start=0, end=1)
        return str(made)

    # What many rules need
    def cast(self, x: Operand, dtype: Any, given: Any = None) -> Operand:
        """x in a dtype; given: the one it has, where x is no Value."""
        has = x.dtype if isinstance(x, (Value, np.ndarray)) else given
        if has == dtype:
            return x
        if isinstance(x, Value) and not x.name:
            x = x.array
        if isinstance(x, np.ndarray):
            return x.astype(dtype)
        cast: str = self.node("Cast", x, to=code_of(dtype))
        return cast

    def reshape(self, x: Operand, shape: Shape) -> str:
        """x in a shape of which one size may follow the batch: -1 says so."""
        moving = [size for size in shape if isinstance(size, OfBatch)]
        if len(moving) == 1 and 0 not in shape:
            shape = tuple(-1 if isinstance(size, OfBatch) else size for size in shape)
        reshaped: str = self.node("Reshape", x, self.ints(shape), allowzero=int(0 in shape) or None)
        return reshaped

    def slices(self, x: Operand, axis: int, start: int, end: int, step: int = 1) -> str:
        """x[start:end:step] along an axis."""
        bounds = [np.array([number], np.int64) for number in (start, end, axis, step)]
        sliced: str = self.node("Slice", x, *bounds)
        return sliced

    def axes(self, op_type: str, x: Operand, axes: Sequence[int], keepdims: bool, **attributes: Any) -> str:
        """A reduction, whose axes are an attribute or, from opset 18 on, an input."""
        as_input = self.opset >= 18 or op_type == "ReduceSum"
        where: dict[str, Any] = {} if as_input else {"axes": list(axes)}
        operands = [np.array(axes, np.int64)] if as_input else []
        reduced: str = self.node(op_type, x, *operands, keepdims=int(keepdims), **where, **attributes)
        return reduced

    def count(self, x: Value, axes: Sequence[int], dtype: Any) -> Operand:
        """How many elements of x each number over these axes is made of, in a dtype."""
        sizes = [x.shape[axis] for axis in axes]
        if any(isinstance(size, OfBatch) for size in sizes):
            product = self.axes("ReduceProd", self.ints(sizes), [0], False)
            return self.cast(product, dtype, np.int64)
        return np.asarray(math.prod(known_sizes(sizes)), dtype)


def known_sizes(sizes: Sequence[Size]) -> list[int]:
    """Sizes as ints. Raises NotWritable for one that follows the batch."""
    if any(isinstance(size, OfBatch) for size in sizes):
        raise NotWritable("it depends on the batch's size; pass dynamic_batch=False")
    return [size for size in sizes if isinstance(size, int)]


def plain(value: Any) -> Any:
    """An attribute as ONNX takes it."""
    if isinstance(value, (bool, np.integer)):
        return int(value)
    return [plain(each) for each in value] if isinstance(value, (tuple, list)) else value


def code_of(dtype: Any) -> int:
    """ONNX's number for a dtype."""
    code: int = library().helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return code
