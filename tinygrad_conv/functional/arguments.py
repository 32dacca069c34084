"""What the functions of this folder do with arguments, and the types in their signatures."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np

from ..dtypes import HALF, Array
from ..engine.commit import Changes
from ..engine.in_place import change, is_a_leafs
from ..engine.memory import is_expanded
from ..engine.observed import observable
from ..engine.op import Op
from ..engine.tensor import Tensor
from ..errors import MutationError, ShapeError, show_shape, show_tensor
from ..foreign import numbers_of
from ..ops.conversion import to, wide
from ..ops.reduce import expand
from ..options import FLAG, check_option

Function = TypeVar("Function", bound=Callable[..., Any])

Operand = Any  # a Tensor, an ndarray, or, in arithmetic, a scalar
Dim = int | tuple[int, ...] | None
Size = int | tuple[int, int]
Padding = Any  # an int, a pair, ((top, bottom), (left, right)), 'valid' or 'same'


def documented_by(op: Op | Callable[..., Any]) -> Callable[[Function], Function]:
    """Give a function the docstring of the op it calls, where shapes, formula and errors are stated once."""

    def document(function: Function) -> Function:
        function.__doc__ = (op.forward if isinstance(op, Op) else op).__doc__
        return function

    return document


def rounded_once(function: Function) -> Function:
    """A decorator for functions of several steps: of float16 they are computed in float32, and the result is
    rounded. Each step by itself would lose digits, or overflow.
    """

    @wraps(function)
    def call(*operands: Any, **options: Any) -> Any:
        floats = {operand.dtype for operand in operands if is_float(operand)}
        if floats != {HALF}:
            return function(*operands, **options)
        widened = [wide(operand) if is_float(operand) else operand for operand in operands]
        return to(function(*widened, **options), dtype=HALF)

    return cast(Function, call)


def is_float(operand: Any) -> bool:
    """Whether it is a Tensor or an array of floats."""
    return isinstance(getattr(operand, "dtype", None), np.dtype) and operand.dtype.kind == "f"


@observable
def look_at(numbers: Operand, check: Callable[[Array], None]) -> None:
    """Have a check look at numbers. Told of, for a replay has it look at those of its own call."""
    check(numbers.data if isinstance(numbers, Tensor) else np.asarray(numbers))


def as_places(index: Operand) -> Operand:
    """Integers as an index: a tensor itself, so that recordings see where they come from; but of uint8, which
    would be a mask.
    """
    if isinstance(index, Tensor) and index.dtype.kind == "i":
        return index
    return array_of(index).astype(np.intp)


def array_of(operand: Operand) -> Array:
    """The numbers of an operand."""
    return np.asarray(operand.detach()) if isinstance(operand, Tensor) else numbers_of(operand)


def as_tensor(operand: Operand) -> Tensor:
    """An operand with a Tensor's methods."""
    return operand if isinstance(operand, Tensor) else Tensor(operand)


def common_shape(op: str, **operands: Operand) -> tuple[int, ...]:
    """The shape that tensors, by the names of the arguments, broadcast to. Raises ShapeError if to none."""
    first, *others = [tuple(operand.shape) for operand in operands.values()]
    if all([sizes == first for sizes in others]):
        return first
    try:
        return np.broadcast_shapes(first, *others)
    except ValueError:
        shapes = " and ".join(f"{name} {show_shape(operand.shape)}" for name, operand in operands.items())
        raise ShapeError(f"{op}: {shapes} do not broadcast") from None


def expanded(operand: Operand, sizes: tuple[int, ...]) -> Operand:
    """An operand expanded to a shape; itself where it has that already."""
    return operand if tuple(operand.shape) == tuple(sizes) else expand(operand, shape=sizes)


def in_place(function: Callable[..., Any], inplace: Any, input: Operand, *options: Any) -> Operand:
    """The input itself, changed into what the function makes of it. For what may be `inplace=True`."""
    check_option(function.__name__, "inplace", FLAG, inplace)
    if not inplace:
        return function(input, *options)
    if isinstance(input, Tensor):
        return change(input, f"{function.__name__}(…, inplace=True)", function, *options)
    changed = function(input, *options)
    if not isinstance(input, np.ndarray):
        name, given = function.__name__, type(input).__name__
        raise TypeError(f"{name}: with inplace=True input must be a Tensor or an ndarray, not {given}")
    input[...] = changed
    return input


def rewrite(changes: Changes, operand: Operand, numbers: Array) -> None:
    """Have an array, a leaf or a result off the tape hold other numbers, together with other changes."""
    if not isinstance(operand, Tensor):
        changes.write_array(operand, numbers)
    elif not is_a_leafs(operand):
        numbers.setflags(write=False)
        changes.set(operand, "_data", numbers)
        changes.set(operand, "_memory", None)
    elif is_expanded(operand.data):
        raise MutationError(
            f"{show_tensor(operand)} is to be changed in place, but it is an expanded view: several of its "
            "numbers are one in memory; pass its .clone()"
        )
    elif operand.data.flags.writeable:
        changes.write(operand, numbers)
    else:  # a view of a leaf
        memory = operand.data.view()
        memory.setflags(write=True)
        operand.mark_changed()
        changes.write_array(memory, numbers)


def in_one_row(value: Any, neutral: int) -> Any:
    """An argument of one dimension as one of two: of an image with a single row, which it leaves alone."""
    size = value[0] if isinstance(value, (tuple, list)) and len(value) == 1 else value
    return ((neutral, neutral), tuple(size)) if isinstance(size, (tuple, list)) else (neutral, size)
