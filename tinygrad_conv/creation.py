"""Making tensors: from data, filled, counted, random. PyTorch's names and arguments."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import DTypeLike

from .allocation import check_fits
from .dtypes import (
    Array,
    as_array,
    below,
    check_float_dtype,
    get_default_dtype,
    number_in,
    numbers_in,
    range_of,
)
from .engine.observed import observable
from .engine.tensor import Tensor
from .errors import ShapeError
from .options import (
    COUNT,
    INTEGER,
    NUMBER,
    OPERAND,
    checked,
    is_integer,
    is_sequence,
    optional,
    settled_option,
    show_given,
)
from .randomness.default import drawing_from

Function = TypeVar("Function", bound=Callable[..., Any])


def takes_size(function: Function) -> Function:
    """A decorator for functions with `*size`: their size may be given as `size=(2, 3)` too."""
    before = len([name for name in signature(function).parameters if name == "input"])

    @wraps(function)
    def call(*sizes: Any, **options: Any) -> Any:
        if "size" not in options:
            return function(*sizes, **options)
        if len(sizes) > before:
            raise TypeError(f"{function.__name__}: got size by position and by keyword; give it once")
        return function(*sizes, options.pop("size"), **options)

    return cast(Function, call)


@observable
@checked()
def tensor(
    data: Any,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    name: str | None = None,
    *,
    device: Any = None,
) -> Tensor:
    """A leaf with a copy of the data: an array, a Tensor (detached), a number or a nested list."""
    data = data.data if isinstance(data, Tensor) else data
    return Tensor(as_array(data, dtype, copy=True), None, requires_grad, name)


@checked()
def as_tensor(data: Any, dtype: DTypeLike | None = None, device: Any = None) -> Tensor:
    """Data as a Tensor that shares its memory where it can: an array's; a Tensor is itself, on the tape."""
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    return sharing(data, dtype)


@observable
def sharing(data: Any, dtype: DTypeLike | None) -> Tensor:
    """A Tensor that shares memory where it can."""
    return Tensor(as_array(data, dtype))


@observable
@checked()
def from_numpy(array: Array) -> Tensor:
    """A leaf that shares the array's memory: a change of one changes both, and no backward notices it."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expected an ndarray, not {type(array).__name__}; use tg.tensor(…)")
    return Tensor(array)


@observable
@takes_size
@checked()
def zeros(
    *size: Any, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """All zeros."""
    return Tensor(np.zeros(shape_of(size, "zeros", dtype), dtype or get_default_dtype()), None, requires_grad)


@observable
@takes_size
@checked()
def ones(
    *size: Any, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """All ones."""
    return Tensor(np.ones(shape_of(size, "ones", dtype), dtype or get_default_dtype()), None, requires_grad)


@observable
@takes_size
@checked()
def empty(
    *size: Any, dtype: DTypeLike | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Memory whose numbers mean nothing yet."""
    return Tensor(np.empty(shape_of(size, "empty", dtype), dtype or get_default_dtype()), None, requires_grad)


@observable
@checked(fill_value=OPERAND)
def full(
    size: Any,
    fill_value: Any,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    *,
    device: Any = None,
) -> Tensor:
    """One value everywhere; its type decides the dtype unless one is given, which must hold it."""
    value = number_in(fill_value, dtype)
    return Tensor(np.full(shape_of((size,), "full", dtype), value), None, requires_grad)


@checked()
def zeros_like(
    input: Any, dtype: DTypeLike | None = None, requires_grad: bool = False, *, device: Any = None
) -> Tensor:
    """Zeros of the shape and dtype of `input`."""
    return zeros(input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad)


@checked()
def ones_like(
    input: Any, dtype: DTypeLike | None = None, requires_grad: bool = False, *, device: Any = None
) -> Tensor:
    """Ones of the shape and dtype of `input`."""
    return ones(input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad)


@checked(fill_value=OPERAND)
def full_like(
    input: Any,
    fill_value: Any,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    *,
    device: Any = None,
) -> Tensor:
    """One value everywhere, in the shape and dtype of `input`."""
    return full(input.shape, fill_value, dtype or input.dtype, requires_grad)


@checked()
def empty_like(
    input: Any, dtype: DTypeLike | None = None, requires_grad: bool = False, *, device: Any = None
) -> Tensor:
    """Memory of the shape and dtype of `input`, whose numbers mean nothing yet."""
    return empty(input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad)


@observable
@checked(start=optional(NUMBER), end=optional(NUMBER), step=NUMBER)
def arange(
    start: Any = None,
    end: Any = None,
    step: Any = 1,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    *,
    device: Any = None,
) -> Tensor:
    """From start (0 if one bound is given) up to, not including, end.

    Of an integer dtype start, end and step are cut to integers first, as in PyTorch. Raises ValueError for
    what has no end, leads away from it, or has integers that the dtype does not hold.
    """
    bounds: tuple[Any, ...] = (0, start, step) if end is None else (0 if start is None else start, end, step)
    if bounds[1] is None:
        raise TypeError("arange: give it an end, as in tg.arange(10)")
    chosen = np.dtype(dtype or (get_default_dtype() if any(map(is_fractional, bounds)) else np.int64))
    if chosen.kind in "iu" and all(map(math.isfinite, bounds)):
        bounds = tuple(map(int, bounds))
    first, last, step = bounds
    if not step or not all(map(math.isfinite, bounds)):
        raise ValueError(f"arange: from {first} to {last} in steps of {step} there is no end")
    if (last - first) / step < 0:
        way = f"from {first} to {last}"
        raise ValueError(f"arange: step {step} leads away from the end, {way}; give it the other sign")
    count = math.ceil((last - first) / step)
    check_fits("arange", "end", last, (count,), chosen.itemsize)
    if chosen.kind in "iu":
        furthest = first + max(0, count - 1) * step
        check_holds("arange", chosen, min(first, furthest), max(first, furthest) + 1)
        return Tensor(np.arange(first, last, step, dtype=chosen), None, requires_grad)
    # not NumPy's, which goes on by the difference of the first two, as the dtype has rounded it
    return Tensor(numbers_in(first + step * np.arange(count), chosen), None, requires_grad)


def is_fractional(number: Any) -> bool:
    """Whether a number, Python's, NumPy's or a Tensor of one, is a float."""
    return isinstance(number, float) or getattr(getattr(number, "dtype", None), "kind", None) == "f"


@observable
@checked(start=NUMBER, end=NUMBER, steps=COUNT)
def linspace(
    start: float,
    end: float,
    steps: int,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    *,
    device: Any = None,
) -> Tensor:
    """`steps` numbers from start to end, both included, evenly spaced; integers are cut off at the point."""
    check_fits("linspace", "steps", steps, (steps,), 8)
    numbers = numbers_in(np.linspace(start, end, steps), np.dtype(dtype or get_default_dtype()))
    return Tensor(numbers, None, requires_grad)


@observable
@checked(n=COUNT, m=optional(COUNT))
def eye(
    n: int,
    m: int | None = None,
    dtype: DTypeLike | None = None,
    requires_grad: bool = False,
    *,
    device: Any = None,
) -> Tensor:
    """Ones on the diagonal of an n × m matrix (m = n by default)."""
    check_fits("eye", "n", n, (n, n if m is None else m), np.dtype(dtype or get_default_dtype()).itemsize)
    return Tensor(np.eye(n, m, dtype=dtype or get_default_dtype()), None, requires_grad)


@observable
@takes_size
@checked()
def rand(
    *size: Any,
    generator: Any = None,
    dtype: DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform on [0, 1)."""
    check_float_dtype("rand", dtype)
    numbers = drawing_from(generator).random(shape_of(size, "rand", np.float64))
    return Tensor(below(numbers, 1.0, dtype or get_default_dtype()), None, requires_grad)


@observable
@takes_size
@checked()
def randn(
    *size: Any,
    generator: Any = None,
    dtype: DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal, of mean 0 and variance 1."""
    check_float_dtype("randn", dtype)
    numbers = drawing_from(generator).standard_normal(shape_of(size, "randn", np.float64))
    return Tensor(numbers.astype(dtype or get_default_dtype()), None, requires_grad)


@checked()
def rand_like(
    input: Any, dtype: DTypeLike | None = None, requires_grad: bool = False, *, device: Any = None
) -> Tensor:
    """Uniform on [0, 1), in the shape and dtype of `input`."""
    check_float_dtype("rand_like", dtype or input.dtype)
    return rand(input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad)


@checked()
def randn_like(
    input: Any, dtype: DTypeLike | None = None, requires_grad: bool = False, *, device: Any = None
) -> Tensor:
    """Normal, of mean 0 and variance 1, in the shape and dtype of `input`."""
    check_float_dtype("randn_like", dtype or input.dtype)
    return randn(input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad)


@observable
@checked(low=INTEGER)
def randint(
    low: int,
    high: Any = None,
    size: Any = None,
    dtype: DTypeLike | None = None,
    *,
    generator: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Integers from low up to, not including, high: `randint(0, 10, (2, 3))`, from 0: `randint(10, (2, 3))`.

    int64, unless another dtype is given.
    """
    if size is None and is_sequence(high):
        high, size = None, high
    high = settled_option("randint", "high", optional(INTEGER), high)
    low, high = (0, low) if high is None else (low, high)
    chosen = np.dtype(np.int64 if dtype is None else dtype)
    check_holds("randint", chosen, low, high)
    shape = shape_of((() if size is None else size,), "randint", np.int64)
    return Tensor(drawing_from(generator).integers(low, high, shape).astype(chosen), None, requires_grad)


@checked()
def randint_like(
    input: Any,
    low: int,
    high: int | None = None,
    *,
    dtype: DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Integers from low (0 if only one bound is given) up to, not including, high, as many as in `input`."""
    return randint(low, high, input.shape, dtype or input.dtype, requires_grad=requires_grad)


def check_holds(op: str, dtype: np.dtype[Any], low: int, high: int) -> None:
    """Refuse integers from low up to, not including, high that a dtype does not have: they would wrap, or be
    rounded, to `high` perhaps.
    """
    least, most = range_of(dtype)
    if dtype.kind == "f":
        most = 2 ** (np.finfo(dtype).nmant + 1)
        least = -most
    if low < least or high - 1 > most:
        raise ValueError(f"{op}: {dtype} holds {least} … {most}, not all of {low} … {high - 1}")


@observable
@checked(n=COUNT)
def randperm(
    n: int,
    *,
    generator: Any = None,
    dtype: DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The integers below n in random order; int64, unless another dtype is given."""
    check_fits("randperm", "n", n, (n,), 8)
    chosen = np.dtype(np.int64 if dtype is None else dtype)
    check_holds("randperm", chosen, 0, n)
    return Tensor(drawing_from(generator).permutation(n).astype(chosen), None, requires_grad)


def shape_of(size: tuple[Any, ...], owner: str, dtype: DTypeLike | None = None) -> tuple[int, ...]:
    """`zeros(2, 3)` and `zeros((2, 3))` alike.

    Raises ShapeError for what is no shape, SizeError for one that no memory holds.
    """
    sizes = size[0] if len(size) == 1 and is_sequence(size[0]) else size
    if not all(map(is_integer, sizes)):
        raise TypeError(f"{owner}: size must be ints from 0, not {show_given(sizes)}")
    shape = tuple(map(operator.index, sizes))
    if min(shape, default=0) < 0:
        raise ShapeError(f"{owner}: size must be ints from 0, not {shape}")
    check_fits(owner, "size", shape, shape, np.dtype(dtype or get_default_dtype()).itemsize)
    return shape
