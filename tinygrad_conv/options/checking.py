"""Looking at the options of a call, before it or once it has failed, and saying which was at fault."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np

from ..errors import SHORT, DtypeError, show_array
from ..foreign import PACKAGE, is_own
from ..spellings import respelled
from .kinds import Option, as_numbers
from .names import options_of

__all__ = [
    "check_option",
    "checked",
    "explain",
    "first_error",
    "is_explained",
    "message_of",
    "option_error",
    "settled_option",
    "show_given",
    "wrap_constructor",
]

Function = TypeVar("Function", bound=Callable[..., Any])

NAMED = re.compile(r"[A-Za-z]\w*: ")  # how messages begin that name an op
CANNOT = re.compile(r"'(\w+)' object (.*)")  # how Python says that a value of a type cannot do something
ARRAYS_HAVE = ("shape", "ndim", "dtype", "size", "reshape", "numel", "data")
EXPECTED = {  # what Python says of a value, and what was expected in its place
    "is not iterable": "a sequence",
    "is not subscriptable": "a sequence",
    "cannot be interpreted as an integer": "an int",
    **{f"has no attribute '{name}'": "a Tensor or an ndarray" for name in ARRAYS_HAVE},
}
PLAIN_NUMBERS = (float, int)


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


def settled_option(owner: str, name: str, option: Option, value: Any) -> Any:
    """The value of an option as it is handed on, its numbers as Python's; refused if it cannot have it."""
    check_option(owner, name, option, value)
    return as_numbers(value) if option.numeric and type(value) not in PLAIN_NUMBERS else value


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
    for; a function looks at those that it might take in silence. Both are handed Python's numbers.
    """

    def check(function: Function) -> Function:
        constructs = function.__name__ == "__init__"
        parameters = inspect.signature(function).parameters
        is_method, all_names = "self" in parameters, list(parameters)
        options, names = options_of(function, **own), positional(function)
        kinds = {parameter.kind for parameter in parameters.values()}
        open_ended = inspect.Parameter.VAR_POSITIONAL in kinds
        respells = not (constructs and inspect.Parameter.VAR_KEYWORD in kinds)
        looked_at = {
            name: option for name, option in options.items() if option.at_once or option.numeric or constructs
        }
        plain = {name: () if constructs else option.plain for name, option in looked_at.items()}
        plain_by_place = [plain.get(name) for name in names]  # None: what is there is not looked at

        def settled(owner: str, name: str, value: Any) -> Any:
            option = looked_at[name]
            if option.at_once or constructs:
                return settled_option(owner, name, option, value)
            return as_numbers(value)

        def all_settled(owner: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
            return tuple(
                value if types is None or type(value) in types else settled(owner, name, value)
                for name, types, value in zip(names, plain_by_place, args)
            )

        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            owner = type(args[0]).__name__ if constructs else function.__name__
            if len(args) > len(names) and not open_ended:
                raise TypeError(too_many(owner, names[is_method:], all_names, len(args) - is_method))
            if kwargs and respells:
                kwargs = respelled(owner, all_names, len(args), kwargs)
            for types, value in zip(plain_by_place, args):
                if types is not None and type(value) not in types:
                    args = all_settled(owner, args)
                    break
            for name, value in kwargs.items():
                if name in plain and type(value) not in plain[name]:
                    kwargs[name] = settled(owner, name, value)
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


def wrap_constructor(
    cls: Any, options: Mapping[str, Option], own: Mapping[str, Mapping[str, Option]] | None = None
) -> dict[str, Option]:
    """Have a class of this package look at the options of its constructor, by their names; which these are.

    own: by class, where it has a meaning of its own for some. What users' own classes take is theirs to say.
    """
    special = (own or {}).get(cls.__name__, {})
    if not is_own(cls) or not (special or "__init__" in vars(cls)):
        return {}
    constructor, meant = cls.__init__, {**options, **special}
    cls.__init__ = checked(**meant)(constructor)
    return options_of(constructor, **meant)


def positional(function: Callable[..., Any]) -> list[str]:
    """The names of the arguments that can be given by position; none where `*several` takes them all."""
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return []
    return [each.name for each in parameters if each.kind not in (each.KEYWORD_ONLY, each.VAR_KEYWORD)]


def too_many(owner: str, names: list[str], all_names: list[str], given: int) -> str:
    """What to say of more arguments by position than a function takes."""
    others = ", ".join(name for name in all_names if name not in (*names, "self"))
    taken = f"takes {len(names)} ({', '.join(names)})" if names else "takes none"
    return f"{owner}: got {given} by position, {taken}{f'; give by name: {others}' if others else ''}"


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
    given = list(given)
    mistake = mistaken(message_of(error), given)
    if mistake is not None:
        return TypeError(f"{owner}: {mistake}")
    shown = ", ".join(f"{name} {show_given(value)}" for name, value in given)
    return class_of(error)(f"{owner}: {error} (given {shown})")


def mistaken(message: str, given: Iterable[tuple[str, Any]]) -> str | None:
    """What an argument must be, and is not, where Python said that its type cannot do something; None where
    none, or several, can be meant.
    """
    said = CANNOT.fullmatch(message)
    expected = EXPECTED.get(said[2]) if said else None
    if said is None or expected is None:
        return None
    mistakes = []
    for name, value in given:
        if type(value).__name__ == said[1]:
            mistakes.append(f"{name} must be {expected}, not {show_given(value)}")
        elif isinstance(value, (list, tuple)) and said[1] in {type(member).__name__ for member in value}:
            mistakes.append(f"each of {name} must be {expected}, not {show_given(value)}")
    return mistakes[0] if len(mistakes) == 1 else None


def message_of(error: Exception) -> str:
    """What an error says; a KeyError's own text puts it in quotes."""
    return str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)


def is_foreign(error: Exception) -> bool:
    """Whether an error is of a class that neither Python nor NumPy nor this package has: a user's own."""
    return type(error).__module__.partition(".")[0] not in ("builtins", "numpy", PACKAGE)


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
    dtype, shape = getattr(value, "dtype", None), getattr(value, "shape", None)
    if isinstance(dtype, np.dtype) and isinstance(shape, tuple):
        return show_array(value)
    try:
        text = SHORT.repr(value)
    except Exception:  # the repr of something hostile
        return type(value).__name__
    plain = isinstance(value, (str, int, float, tuple, list, type(None)))
    return text if plain else f"{text} ({type(value).__name__})"
