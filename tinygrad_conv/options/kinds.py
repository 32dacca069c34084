"""What an option may be: a flag, a count, a probability, sizes, one of some words."""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeGuard

import numpy as np

from ..devices import is_cpu, is_device
from ..dtypes import CODES
from ..errors import DtypeError
from ..size import Size

__all__ = [
    "ANY",
    "ARRAY",
    "COUNT",
    "DEVICE",
    "FINITE",
    "FLAG",
    "INTEGER",
    "INTEGERS",
    "NOT_NEGATIVE",
    "NUMBER",
    "NUMBERS",
    "OPERAND",
    "REFUSED_SUBCLASSES",
    "Option",
    "PROBABILITY",
    "SIZES",
    "SWITCH",
    "TEXT",
    "as_numbers",
    "choice",
    "count",
    "has_known_dtype",
    "is_array",
    "is_flag",
    "is_integer",
    "is_integers",
    "is_known_dtype",
    "is_number",
    "is_real",
    "is_sequence",
    "is_switch",
    "number",
    "optional",
]

BITS_BEYOND_FLOATS = 1024
REFUSED_SUBCLASSES = (np.ma.MaskedArray, np.matrix)
"""Of ndarray, for they are more than their numbers: a mask would be lost, a matrix's product is another."""


class Option(NamedTuple):
    """What one option may be."""

    expected: str  # in words
    has_type: Callable[[Any], bool]
    in_range: Callable[[Any], bool] = lambda value: True
    plain: frozenset[type] = frozenset()  # types all of whose values are taken, or looked at by the op itself
    at_once: bool = False  # looked at before a function runs, for it might be taken in silence
    refusal: type[Exception] = TypeError  # for another type
    limits: str = ""  # the range in words, to stand after `must`, where `expected` does not say it
    numeric: bool = False  # made of numbers: `as_numbers` says what is taken for one


def optional(option: Option) -> Option:
    """The option, or None."""
    if option.has_type(None):
        return option
    return option._replace(
        expected=f"{option.expected}, or None",
        has_type=lambda value: value is None or option.has_type(value),
        in_range=lambda value: value is None or option.in_range(value),
        plain=option.plain | {type(None)},
    )


def is_flag(value: Any) -> bool:
    """Whether it is a bool, NumPy's too."""
    return isinstance(value, (bool, np.bool_))


def is_switch(value: Any) -> bool:
    """Whether it is a bool, or a 1 or 0 that stands for one."""
    return isinstance(value, (int, np.bool_, np.integer)) and value in (0, 1)


def is_integer(value: Any) -> bool:
    """Whether it is an integer, no bool: what `operator.index` takes."""
    if is_flag(value) or getattr(getattr(value, "dtype", None), "kind", "i") not in "iu":
        return False
    try:
        operator.index(value)
    except TypeError:
        return False
    return True


def is_integers(value: Any) -> bool:
    """Whether it is an integer, or a sequence of them."""
    if is_sequence(value) and getattr(getattr(value, "dtype", None), "kind", "i") not in "iu":
        return False  # an empty array too
    return is_integer(value) or (is_sequence(value) and all(map(is_integer, value)))


def is_sizes(value: Any) -> bool:
    """Whether it is an integer, or a sequence of integers, of pairs of them, and of None as "as it is"."""
    if value is None or is_integer(value):
        return True
    return is_sequence(value) and all(item is None or is_integers(item) for item in value)


def is_sequence(value: Any) -> TypeGuard[Sequence[Any]]:
    """Whether it has items in an order, and is no string."""
    if isinstance(value, (str, bytes, dict, set, np.ma.MaskedArray)) or getattr(value, "ndim", 1) == 0:
        return False
    return hasattr(value, "__len__") and hasattr(value, "__getitem__")


def is_number(value: Any) -> bool:
    """Whether it is a real number that a float can hold, or an array without dimensions with one; a bool is
    none.
    """
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        return isinstance(value, float) or (
            isinstance(value, int) and not is_flag(value) and value.bit_length() < BITS_BEYOND_FLOATS
        )
    return getattr(value, "ndim", None) == 0 and has_known_dtype(value) and dtype.kind in "iuf"


def is_real(value: Any) -> bool:
    """Whether it is a real number that is no Tensor: Python's, NumPy's, an array without dimensions."""
    if isinstance(value, np.ndarray):
        return is_number(value)
    return is_number(value) if isinstance(value, int) else isinstance(value, numbers.Real)


def is_array(value: Any) -> bool:
    """Whether it is a Tensor or an ndarray of a dtype that tensors have."""
    if type(value) is np.ndarray:
        return value.dtype.char in CODES
    if isinstance(value, REFUSED_SUBCLASSES) or not hasattr(value, "ndim"):
        return False
    return isinstance(getattr(value, "data", None), (np.ndarray, memoryview)) and has_known_dtype(value)


def has_known_dtype(value: Any) -> bool:
    """Whether its dtype is one that tensors have."""
    dtype = getattr(value, "dtype", None)
    return isinstance(dtype, np.dtype) and dtype.char in CODES and (dtype.isnative or dtype.kind != "f")


def is_operand(value: Any) -> bool:
    """Whether arithmetic takes it: an array, a number or a bool."""
    return is_array(value) or is_flag(value) or is_number(value)


def is_known_dtype(value: Any) -> bool:
    """Whether tensors have this dtype. An array has one, and is none itself, though NumPy would take it."""
    if hasattr(value, "dtype") and hasattr(value, "shape") and not isinstance(value, type):
        return False
    try:
        return np.dtype(value).char in CODES
    except (TypeError, ValueError):
        return False


def is_numbers(value: Any) -> bool:
    """Whether it is a number or a sequence of them."""
    return is_number(value) or (is_sequence(value) and all(map(is_number, value)))


def as_numbers(value: Any) -> Any:
    """A value with Python's numbers in the place of NumPy's, and of arrays and Tensors without dimensions.

    So whatever computes with it, compares it or looks it up meets a number. A Tensor that requires a gradient
    stays what it is.
    """
    if type(value) in (tuple, list):
        return type(value)([as_numbers(item) for item in value])
    is_single = getattr(value, "ndim", None) == 0 and has_known_dtype(value) and value.dtype.kind != "b"
    return value.item() if is_single and not getattr(value, "requires_grad", False) else value


def choice(*words: str, at_once: bool = False) -> Option:
    """One of some words; looked at by the op or function itself, unless at once."""
    return Option(
        expected=" or ".join([", ".join(map(repr, words[:-1])), repr(words[-1])]),
        has_type=lambda value: isinstance(value, str) and value in words,
        plain=frozenset() if at_once else WORD,
        at_once=at_once,
        refusal=ValueError,
    )


def number(
    least: float = -math.inf, most: float = math.inf, has_type: Callable[[Any], bool] = is_number
) -> Option:
    """A number in a range to which both ends belong; NaN is in none."""
    return Option(
        "a number",
        has_type,
        lambda value: bool(least <= value <= most),
        limits=range_words(least, most),
        numeric=True,
    )


def count(least: int) -> Option:
    """An integer from `least` on."""
    return Option(
        "an int",
        lambda value: is_integer(value) and is_number(value),
        lambda value: operator.index(value) >= least,
        limits=range_words(least),
        numeric=True,
    )


def range_words(least: float, most: float = math.inf) -> str:
    """A range in words, to stand after `must`."""
    if least > -math.inf and most < math.inf:
        return f"lie in [{least}, {most}]"
    if least > -math.inf:
        return f"be at least {least}"
    return f"be at most {most}" if most < math.inf else "be a number"


DTYPES = frozenset({type(np.dtype(code)) for code in CODES} | {type, str})
WORD = frozenset({str})

FLAG = Option("True or False", is_flag, plain=frozenset({bool}), at_once=True)
SWITCH = Option("True or False", is_switch, plain=frozenset({bool}), at_once=True)
INTEGER = Option("an int", is_integer, plain=frozenset({int}), at_once=True, numeric=True)
COUNT = Option(
    "an int from 0", is_integer, lambda value: operator.index(value) >= 0, at_once=True, numeric=True
)
INTEGERS = Option(
    "an int or a sequence of ints",
    is_integers,
    plain=frozenset({int, tuple, Size}),
    at_once=True,
    numeric=True,
)
SIZES = Option(
    "an int, a pair of ints or of such pairs",
    is_sizes,
    plain=frozenset({int, tuple, Size}),
    at_once=True,
    numeric=True,
)
PADDING = Option(
    "an int, a pair of ints or of such pairs, 'valid' or 'same'",
    lambda value: isinstance(value, str) or is_sizes(value),
    plain=frozenset({int, tuple, Size, str}),
    at_once=True,
    numeric=True,
)
NUMBER = Option("a number", is_number, plain=frozenset({int, float}), at_once=True, numeric=True)
NUMBERS = Option(
    "a number or a sequence of them", is_numbers, plain=frozenset({int, float, tuple}), numeric=True
)
FINITE = Option(
    "a finite number", is_real, lambda value: bool(-math.inf < value < math.inf), at_once=True, numeric=True
)
NOT_NEGATIVE = Option(
    "a finite number from 0", is_number, lambda value: bool(0 <= value < math.inf), at_once=True, numeric=True
)
PROBABILITY = Option(
    "a probability, from 0 to 1", is_number, lambda value: bool(0 <= value <= 1), at_once=True, numeric=True
)
TEXT = Option("a str", lambda value: isinstance(value, str), plain=WORD)
DTYPE = Option(
    "bool, an integer dtype, float16, float32 or float64",
    is_known_dtype,
    plain=DTYPES,
    at_once=True,
    refusal=DtypeError,
)
DEVICE = Option("'cpu', the only device there is", is_device, is_cpu, at_once=True)
ARRAY = Option("a Tensor or an ndarray of bool, integers, float16, float32 or float64", is_array)
OPERAND = Option("a Tensor, an ndarray or a number", is_operand)
ANY = Option("anything", lambda value: True, plain=frozenset({int, float, bool, str, type(None)}))
