"""What each option of an op, a function, a layer or an optimiser may be: declared once, by its name.

The names mean the same wherever they occur: `dim` of sum, cat and softmax, `eps` of every normalisation. An
option whose default is None may be None too. Constructors look at all of theirs, and so nothing wrong is kept
for later. Ops look at theirs as they are called, but for the types that need no second look (`plain`); where
a call fails nevertheless, all of its arguments are looked at again, to say which of them was at fault
(engine/refusal.py). What has another type is a TypeError, what is out of its range a ValueError.
"""

from __future__ import annotations

import inspect
import math
import numbers
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import Any, NamedTuple, TypeGuard, TypeVar, cast

import numpy as np

from .devices import is_cpu, is_device
from .dtypes import CODES
from .errors import SHORT, DtypeError, show_array
from .spellings import respelled

Function = TypeVar("Function", bound=Callable[..., Any])

NAMED = re.compile(r"[A-Za-z]\w*: ")  # how messages begin that name an op
BITS_BEYOND_FLOATS = 1024
PACKAGE = __name__.partition(".")[0] + "."


class Option(NamedTuple):
    """What one option may be."""

    expected: str  # in words
    has_type: Callable[[Any], bool]
    in_range: Callable[[Any], bool] = lambda value: True
    plain: frozenset[type] = frozenset()  # types all of whose values are taken, or looked at by the op itself
    at_once: bool = False  # looked at before a function runs, for it might be taken in silence
    refusal: type[Exception] = TypeError  # for another type
    limits: str = ""  # the range in words, to stand after `must`, where `expected` does not say it


def optional(option: Option) -> Option:
    """The option, or None."""
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
    if isinstance(value, np.ma.MaskedArray) or not hasattr(value, "ndim"):
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
    """Whether tensors have this dtype."""
    try:
        return np.dtype(value).char in CODES
    except (TypeError, ValueError):
        return False


def is_numbers(value: Any) -> bool:
    """Whether it is a number or a sequence of them."""
    return is_number(value) or (is_sequence(value) and all(map(is_number, value)))


def choice(*words: str) -> Option:
    """One of some words."""
    expected = " or ".join([", ".join(map(repr, words[:-1])), repr(words[-1])])
    return Option(
        expected, lambda value: isinstance(value, str) and value in words, plain=WORD, refusal=ValueError
    )


def number(
    least: float = -math.inf, most: float = math.inf, has_type: Callable[[Any], bool] = is_number
) -> Option:
    """A number in a range to which both ends belong; NaN is in none."""
    return Option(
        "a number", has_type, lambda value: bool(least <= value <= most), limits=range_words(least, most)
    )


def count(least: int) -> Option:
    """An integer from `least` on."""
    return Option(
        "an int",
        lambda value: is_integer(value) and is_number(value),
        lambda value: operator.index(value) >= least,
        limits=range_words(least),
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
INTEGER = Option("an int", is_integer, plain=frozenset({int}))
COUNT = Option("an int from 0", is_integer, lambda value: operator.index(value) >= 0, at_once=True)
INTEGERS = Option("an int or a sequence of ints", is_integers, plain=frozenset({int, tuple}))
SIZES = Option("an int, a pair of ints or of such pairs", is_sizes, plain=frozenset({int, tuple}))
PADDING = Option(
    "an int, a pair of ints or of such pairs, 'valid' or 'same'",
    lambda value: isinstance(value, str) or is_sizes(value),
    plain=frozenset({int, tuple, str}),
)
NUMBER = Option("a number", is_number, plain=frozenset({int, float}), at_once=True)
NUMBERS = Option("a number or a sequence of them", is_numbers, plain=frozenset({int, float, tuple}))
FINITE = Option("a finite number", is_real, lambda value: bool(-math.inf < value < math.inf), at_once=True)
NOT_NEGATIVE = Option(
    "a finite number from 0", is_number, lambda value: bool(0 <= value < math.inf), at_once=True
)
PROBABILITY = Option(
    "a probability, from 0 to 1", is_number, lambda value: bool(0 <= value <= 1), at_once=True
)
TEXT = Option("a str", lambda value: isinstance(value, str), plain=WORD)
DTYPE = Option(
    "bool, an integer dtype, float16, float32 or float64", is_known_dtype, plain=DTYPES, refusal=DtypeError
)
DEVICE = Option("'cpu', the only device there is", is_device, is_cpu, at_once=True)
ARRAY = Option("a Tensor or an ndarray of bool, integers, float16, float32 or float64", is_array)
OPERAND = Option("a Tensor, an ndarray or a number", is_operand)
ANY = Option("anything", lambda value: True, plain=frozenset({int, float, bool, str, type(None)}))

OPTIONS: dict[str, Option] = {
    **dict.fromkeys(("dim", "dims", "shifts", "split_size_or_sections"), INTEGERS),
    **dict.fromkeys(("shape", "repeats", "normalized_shape", "sides", "pad", "kernel_size"), INTEGERS),
    **dict.fromkeys(("dim0", "dim1", "start_dim", "end_dim", "chunks", "groups", "num_groups"), INTEGER),
    **dict.fromkeys(("num_classes", "classes", "ignore_index"), INTEGER),
    **dict.fromkeys(("upscale_factor", "downscale_factor", "divisor_override"), INTEGER),
    **dict.fromkeys(("stride", "dilation", "output_padding", "input_size", "size"), INTEGERS),
    "output_size": SIZES,
    "padding": PADDING,
    **dict.fromkeys(("keepdim", "training", "ceil_mode", "count_include_pad", "align_corners"), FLAG),
    **dict.fromkeys(("return_indices", "use_input_stats", "unbiased", "recompute_scale_factor"), FLAG),
    **dict.fromkeys(("requires_grad", "inplace", "shuffle", "drop_last", "pin_memory", "non_blocking"), FLAG),
    **dict.fromkeys(("largest", "sorted", "descending", "stable", "as_tuple", "log_target"), FLAG),
    **dict.fromkeys(("equal_nan", "invert", "assume_unique", "return_inverse", "return_counts"), FLAG),
    **dict.fromkeys(("k", "n", "diagonal", "offset", "start", "length", "decimals", "minlength"), INTEGER),
    **dict.fromkeys(("set_to_none", "strict", "persistent"), SWITCH),
    **dict.fromkeys(("alpha", "beta", "threshold", "lambd", "negative_slope", "min_val", "max_val"), NUMBER),
    **dict.fromkeys(("delta", "label_smoothing", "correction", "momentum", "value"), NUMBER),
    "eps": NOT_NEGATIVE,
    "p": PROBABILITY,
    **dict.fromkeys(("scale", "scale_factor"), NUMBERS),
    "reduction": choice("none", "sum", "mean"),
    "approximate": choice("none", "tanh"),
    **dict.fromkeys(("mode", "equation"), TEXT),
    "dtype": DTYPE,
    **dict.fromkeys(
        ("input", "weight", "bias", "pos_weight", "index", "mat2", "mask", "src", "vec", "vec2"), ARRAY
    ),
    "device": DEVICE,
    **dict.fromkeys(("running_mean", "running_var", "statistics", "kept", "tap"), ARRAY),
    **dict.fromkeys(("weight", "pos_weight"), ARRAY._replace(plain=frozenset({list}))),  # ops refuse lists
    "condition": OPERAND,
}


def options_of(function: Callable[..., Any], **own: Option) -> dict[str, Option]:
    """What the arguments of a function may be: by their names, but for those that are given as its own."""
    options: dict[str, Option] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        option = own.get(name, OPTIONS.get(name))
        if option is not None:
            options[name] = optional(option) if parameter.default is None else option
    return options


def option_error(owner: str, name: str, option: Option, value: Any) -> Exception | None:
    """What is wrong with the value of an option, if anything is."""
    if not option.has_type(value):
        refusal = DtypeError if hasattr(value, "dtype") else option.refusal
        return refusal(f"{owner}: {name} must be {option.expected}, not {show_given(value)}")
    if not option.in_range(value):
        limits = option.limits or f"be {option.expected}"
        return ValueError(f"{owner}: {name} must {limits}, not {show_given(value)}")
    return None


def check_option(owner: str, name: str, option: Option, value: Any) -> None:
    """Refuse a value that an option cannot have."""
    error = option_error(owner, name, option, value)
    if error is not None:
        raise error


def first_error(owner: str, options: dict[str, Option], given: Iterable[tuple[str, Any]]) -> Exception | None:
    """What is wrong with the first argument of a call that cannot be."""
    for name, value in given:
        error = option_error(owner, name, options[name], value) if name in options else None
        if error is not None:
            return error
    return None


def checked(**own: Option) -> Callable[[Function], Function]:
    """A decorator for functions that are made of several ops, or of none, and for constructors: errors name
    it, and the argument at fault. own: what its arguments may be where OPTIONS says otherwise.

    A constructor looks at all of its options before it does anything, and errors name the class it is called
    for; a function looks at those that it might take in silence.
    """

    def check(function: Function) -> Function:
        constructs = function.__name__ == "__init__"
        is_method = "self" in inspect.signature(function).parameters
        options = options_of(function, **own)
        names, all_names = positional(function), list(inspect.signature(function).parameters)
        at_once = [
            (names.index(name) if name in names else len(names), name, option)
            for name, option in options.items()
            if option.at_once or constructs
        ]

        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            owner = type(args[0]).__name__ if constructs else function.__name__
            kwargs = respelled(owner, all_names, len(args), kwargs) if kwargs and not constructs else kwargs
            for position, name, option in at_once:
                value = args[position] if position < len(args) and names else kwargs.get(name, call)
                if value is not call and (constructs or type(value) not in option.plain):
                    check_option(owner, name, option, value)
            try:
                return function(*args, **kwargs)
            except Exception as error:
                given = [*zip(names[is_method:], args[is_method:]), *kwargs.items()]
                explanation = explain(owner, first_error(owner, options, given), given, error)
                if explanation is error:
                    raise
                raise explanation from error

        return cast(Function, call)

    return check


def check_constructor(
    cls: Any, options: Mapping[str, Option], own: Mapping[str, Mapping[str, Option]] | None = None
) -> dict[str, Option]:
    """Have a class of this package look at the options of its constructor, by their names; which these are.

    own: by class, where it has a meaning of its own for some. What users' own classes take is theirs to say.
    """
    special = (own or {}).get(cls.__name__, {})
    if not cls.__module__.startswith(PACKAGE) or not (special or "__init__" in vars(cls)):
        return {}
    constructor, meant = cls.__init__, {**options, **special}
    cls.__init__ = checked(**meant)(constructor)
    return options_of(constructor, **meant)


def positional(function: Callable[..., Any]) -> list[str]:
    """The names of the arguments that can be given by position; none where `*several` takes them all."""
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return []
    return [parameter.name for parameter in parameters if parameter.kind is not parameter.KEYWORD_ONLY]


def explain(owner: str, fault: Exception | None, given: Iterable[tuple[str, Any]], error: Any) -> Exception:
    """What to raise where a call failed: the error itself if it says where, else what was wrong with an
    argument, else the error's message with the owner's name and the arguments.
    """
    if is_explained(owner, error) or is_foreign(error):
        return cast(Exception, error)
    if fault is not None:
        return fault
    if NAMED.match(message_of(error)):
        return cast(Exception, error)  # it names an op that is part of it
    shown = ", ".join(f"{name} {show_given(value)}" for name, value in given)
    return class_of(error)(f"{owner}: {error} (given {shown})")


def message_of(error: Exception) -> str:
    """What an error says; a KeyError's own text puts it in quotes."""
    return str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)


def is_foreign(error: Exception) -> bool:
    """Whether an error is of a class that neither Python nor NumPy nor this package has: a user's own."""
    return type(error).__module__.partition(".")[0] not in ("builtins", "numpy", PACKAGE[:-1])


def is_explained(owner: str, error: Exception) -> bool:
    """Whether an error names the owner already."""
    return message_of(error).startswith((f"{owner}:", f"{owner} ", f"{owner}(…"))


def class_of(error: Exception) -> type[Exception]:
    """The built-in class of an error, or the project's own, which can be raised with a message alone."""
    for its_class in type(error).__mro__:
        if its_class in (AttributeError, KeyError, UnicodeError, Exception):  # said of a wrong type
            return TypeError
        if its_class.__module__ in ("builtins", DtypeError.__module__):
            return cast("type[Exception]", its_class)
    return type(error)


def show_given(value: Any) -> str:
    """A value that was given, in a few words; arrays by dtype and shape, foreign things by their type."""
    if isinstance(getattr(value, "dtype", None), np.dtype) and isinstance(value.shape, tuple):
        return show_array(value)
    try:
        text = SHORT.repr(value)
    except Exception:  # the repr of something hostile
        return type(value).__name__
    plain = isinstance(value, (str, int, float, tuple, list, type(None)))
    return text if plain else f"{text} ({type(value).__name__})"
