"""Which dtypes tensors have, which one wins where they meet, and which numbers one holds."""

from __future__ import annotations

from contextvars import ContextVar
from math import inf
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .errors import DtypeError

Array = np.ndarray[Any, Any]

FLOATS = (np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.float16))  # the usual ones first
KINDS = {"b": 0, "u": 1, "i": 1, "f": 2}  # bool, integers, floats: the higher wins
CODES = frozenset("?bBhHiIlLqQefd")  # NumPy's codes of all of them; that of longdouble is not among them
HALF, LONG = np.dtype(np.float16), np.dtype(np.int64)
LEAST_OF_HALF, OVER_HALF = 2.0**-14, 65520.0  # below the one digits are lost, from the other on all is inf
NARROW = frozenset("bBhHiIlLqQe")  # the codes of those that many a Python number does not fit
WIDE_FLOATS = frozenset("fd")  # the codes of those that take every usual number
NUMBERS = frozenset({float, int})
USUAL = 2.0**63  # the size below which an int is an integer to NumPy
LARGEST = float(np.finfo(np.float32).max)

_default: ContextVar[np.dtype[Any]] = ContextVar("default dtype", default=np.dtype(np.float32))


def get_default_dtype() -> np.dtype[Any]:
    """The dtype that Python floats and lists of them become; float32 unless set."""
    return _default.get()


def set_default_dtype(dtype: DTypeLike) -> None:
    """Set the dtype of Python floats, in this context: float16, float32 or float64.

    Raises DtypeError for another.
    """
    chosen = np.dtype(dtype)
    if chosen not in FLOATS:
        raise DtypeError(f"set_default_dtype: {chosen} is not one of float16, float32, float64")
    _default.set(chosen)


def as_array(data: Any, dtype: DTypeLike | None = None, copy: bool = False) -> Array:
    """Data as an array of a dtype that tensors have; shares memory where it can, unless `copy`.

    Python floats and lists of them take the default dtype; arrays, other libraries' too, keep theirs. Raises
    DtypeError for dtypes that tensors do not have, and for what holds no numbers, which NumPy makes some of:
    NaN of None, 3 of "3", True of an object.
    """
    check_unmasked(data)
    if dtype is not None:  # apart: of integers in a list NumPy refuses those that dtype cannot hold
        numeric_array(data)
    if copy and hasattr(data, "__array__"):  # whose library may not know of `copy`
        array = np.array(np.asarray(data), dtype)
    else:
        array = np.array(data, dtype) if copy else np.asarray(data, dtype)
    if dtype is None and array.dtype == np.float64 and not hasattr(data, "dtype"):
        check_no_large_integers(data, array)
        array = array.astype(get_default_dtype())
    if array.dtype.kind not in "biu" and array.dtype not in FLOATS:
        raise DtypeError(f"a tensor holds bool, integers, float16, float32 or float64, not {array.dtype}")
    return array


def check_unmasked(data: Any, owner: str = "") -> None:
    """Refuse an array in which some numbers are not to count. owner: whose it is to be, for the message."""
    if isinstance(data, (list, tuple)):
        rows = () if data and isinstance(data[0], (int, float)) else data
        for row in rows:
            check_unmasked(row, owner)
    elif isinstance(data, np.ma.MaskedArray):
        prefix = owner and f"{owner}: "
        raise DtypeError(f"{prefix}a masked array would lose its mask in silence; pass array.filled(…)")


def numeric_array(value: Any) -> Array:
    """A value as an array. Raises DtypeError for None, texts, dates, complex numbers, objects, or a mask."""
    check_unmasked(value)
    array = np.asarray(value)
    if array.dtype.kind not in KINDS and not is_of_large_integers(array):
        raise DtypeError(f"numbers are bools, integers or floats, not {array.dtype}")
    return array


def is_of_large_integers(array: Array) -> bool:
    """Whether it is an array of Python's numbers: what NumPy makes of integers beyond 64 bits."""
    return array.dtype.kind == "O" and all(isinstance(member, (int, float)) for member in array.flat)


def check_no_large_integers(data: Any, array: Array) -> None:
    """Refuse integers of which NumPy made floats, as no dtype holds them all."""
    if np.any(np.abs(array) >= 2.0**63) and not has_a_float(data):
        raise OverflowError("no integer dtype holds all of these; write them as floats, or pass dtype=")


def has_a_float(data: Any) -> bool:
    """Whether a nested list has a float in it."""
    if isinstance(data, (list, tuple)):
        return any(map(has_a_float, data))
    return np.asarray(data).dtype.kind == "f"


class BeyondHalf(Exception):
    """Operands meet in float16, which does not hold all of them: the op is to be computed in float32."""


def promote(arrays: list[Any], scalars: list[bool], check_half: bool = False) -> list[Array]:
    """Operands in one dtype, by PyTorch's rule and on every NumPy.

    Floats win over integers, these over bools. Within a kind arrays win over 0-d arrays, and these over
    scalars (those marked in `scalars`, and Python's), so that float32 stays float32 whatever scalar comes in.
    Raises DtypeError for dtypes that tensors do not have, and for uint64 beside signed integers; BeyondHalf,
    if `check_half`, for what float16 cannot hold: a number beyond its range, or a 0-d array of more digits,
    whatever number is in that now.
    """
    if has_one_dtype(arrays) and True not in scalars:
        return list(arrays)
    ranks = [
        2 if is_scalar or not hasattr(array, "dtype") else array.ndim == 0
        for array, is_scalar in zip(arrays, scalars)
    ]
    chosen: np.dtype[Any] | None = None
    for rank in range(3):
        dtypes = [np.asarray(array).dtype for array, its_rank in zip(arrays, ranks) if its_rank == rank]
        if not dtypes:
            continue
        for foreign in (dtype for dtype in dtypes if dtype.char not in CODES):
            raise DtypeError(
                f"an operand is {foreign}; operands are bool, integers, float16, float32 or float64"
            )
        floats = [known for known in dtypes if known.kind == "f"]
        dtype = np.result_type(*(floats or dtypes))
        if dtype.kind == "f" and not floats:  # what NumPy makes of them, with 53 of their 64 bits
            raise DtypeError(
                "no integer dtype holds both uint64 and negative ones; convert one, as with .long()"
            )
        if chosen is None or KINDS[dtype.kind] > KINDS[chosen.kind]:
            chosen = get_default_dtype() if rank == 2 and dtype.kind == "f" else dtype
    if chosen is None or chosen.char not in NARROW:
        return [np.asarray(array, chosen) for array in arrays]
    if chosen is HALF:
        if check_half and not all(map(half_holds, arrays, ranks)):
            raise BeyondHalf
        return [np.asarray(array, chosen) for array in arrays]
    return [
        numbers_in(array, chosen) if rank == 2 else np.asarray(array, chosen)
        for array, rank in zip(arrays, ranks)
    ]


def has_one_dtype(arrays: list[Any]) -> bool:
    """Whether all are arrays of the very same dtype, one that tensors have."""
    dtype = getattr(arrays[0], "dtype", None)
    if not isinstance(dtype, np.dtype) or dtype.char not in CODES or not dtype.isnative:
        return False
    return all([type(array) is np.ndarray and array.dtype is dtype for array in arrays])


def promote_beside_number(arrays: list[Any]) -> list[Array] | None:
    """As `promote`, at a tenth of its price, of an array beside a Python number that takes its dtype, as
    nearly all arithmetic with numbers is; None of other operands.
    """
    if len(arrays) != 2:
        return None
    a, b = arrays
    if type(b) in NUMBERS and takes_dtype(b, a):
        return [a, np.asarray(b, a.dtype)]
    if type(a) in NUMBERS and takes_dtype(a, b):
        return [np.asarray(a, b.dtype), b]
    return None


def takes_dtype(number: float, beside: Any) -> bool:
    """Whether a number becomes one of float32 or float64 beside an array of these, or, being an int, one of
    int64 beside that. Not an int that is no integer to NumPy, nor a finite float that would be Inf.
    """
    usual = abs(number) < USUAL if type(number) is int else not LARGEST < abs(number) < inf
    if not usual or type(beside) is not np.ndarray:
        return False
    return beside.dtype.char in WIDE_FLOATS or (type(number) is int and beside.dtype == LONG)


def half_holds(operand: Any, rank: int) -> bool:
    """Whether float16 holds an operand: of a number to its usual digits, of other arrays by their dtype, as
    a recorded step has other numbers in them each time.
    """
    if rank == 2:
        size = abs(float(operand))
        return size == 0 or LEAST_OF_HALF <= size < OVER_HALF or not size < np.inf
    return rank == 0 or operand.dtype.kind != "f" or operand.dtype == HALF


def no_dtype(given: Any) -> DtypeError:
    """The error for what a tensor is to be brought into, and is no dtype: a GPU perhaps."""
    return DtypeError(f"to: {given!r} is no dtype; and there is no other device than the CPU")


def check_float_dtype(op: str, dtype: DTypeLike | None) -> None:
    """Refuse a dtype of integers or bools for a result that has fractions."""
    if dtype is not None and np.dtype(dtype) not in FLOATS:
        raise DtypeError(f"{op}: dtype must be float16, float32 or float64, not {np.dtype(dtype)}")


def numbers_in(value: Any, dtype: np.dtype[Any]) -> Array:
    """A number, or a list of them, in a dtype.

    Raises OverflowError where that cannot hold them: NumPy would make other integers of them, or inf; and
    DtypeError for what is no number.
    """
    array = numeric_array(value)
    if dtype.kind in "iu":
        least, most = range_of(dtype)
        if not np.all((array >= least) & (array <= most)):  # NaN is neither
            raise OverflowError(f"{dtype} holds integers from {least} to {most}, not {value}")
    elif dtype.kind == "f":
        check_in_range(value, dtype)
    return array.astype(dtype)


def number_in(value: Any, dtype: DTypeLike | None) -> Array:
    """As `as_array`; but a Python number must be held by the dtype, or OverflowError is raised."""
    if type(value) in (int, float):
        return numbers_in(value, as_array(type(value)(), dtype).dtype)
    return as_array(value, dtype)


def check_in_range(value: Any, dtype: np.dtype[Any]) -> None:
    """Refuse a finite number, or a list with one, that a dtype of floats would hold as inf."""
    most = float(np.finfo(dtype).max)
    beyond = most < abs(value) < np.inf if type(value) in (int, float) else is_any_beyond(value, most)
    if beyond:
        raise OverflowError(
            f"{dtype} holds numbers up to {most:.6g}, not {value}; write float('inf') if that is meant, or "
            f"tg.finfo(x.dtype).max"
        )


def is_any_beyond(value: Any, most: float) -> bool:
    """Whether a finite number in an array, or in a list, is larger than `most`."""
    sizes = np.abs(np.asarray(value, np.float64))
    return bool(np.any((sizes > most) & (sizes < np.inf)))


def held(array: Array, dtype: np.dtype[Any]) -> Array | None:
    """A copy in a dtype; None where it cannot hold the numbers: they overflow, or would be other integers."""
    with np.errstate(over="ignore", invalid="ignore"):
        numbers = array.astype(dtype)
    if dtype.kind == "f":
        return numbers if np.array_equal(np.isinf(numbers), np.isinf(array)) else None
    return numbers if np.array_equal(numbers, array) else None


def below(numbers: Array, bound: float, dtype: DTypeLike) -> Array:
    """Numbers below a bound in another dtype, rounded, but never up to the bound."""
    rounded = numbers.astype(dtype)
    if rounded.dtype.kind == "f":
        limit = rounded.dtype.type(bound)
        largest = limit if limit < bound else np.nextafter(limit, rounded.dtype.type(-np.inf))
        rounded = np.minimum(rounded, largest)
    return rounded


def range_of(dtype: np.dtype[Any]) -> tuple[int, int]:
    """The least and the largest finite number that a dtype has."""
    if dtype.kind == "b":
        return 0, 1
    if dtype.kind == "f":
        return -int(np.finfo(dtype).max), int(np.finfo(dtype).max)
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
