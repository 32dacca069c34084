"""What is wrong with a call of an op: its arguments are looked at again after it failed, and never before.

A forward that was given something impossible fails anywhere, with NumPy's words. `explained` says in the op's
words what was wrong: which argument, what came, and what is expected.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..dtypes import CODES
from ..errors import DtypeError, RuleError, show_array
from ..options import REFUSED_SUBCLASSES, explain, first_error, has_known_dtype, is_explained, show_given
from ..spellings import ABSENT
from .location import show_place
from .rule import Rule
from .tensor import Tensor

OPERANDS = (np.ndarray, np.generic, bool, int, float)  # beside Tensors, of broadcasting ops
ARRAYS = OPERANDS[:2]  # beside Tensors, of all others


def explained(op: Any, inputs: tuple[Any, ...], params: dict[str, Any], error: Exception) -> Exception:
    """The error of a call that failed as its caller should see it; the error itself where that says it all.

    What the forward of a user's own op raises stays what it is, with a note about the call.
    """
    if is_explained(op.name, error):
        return error
    given = [*named_inputs(op, inputs), *params.items()]
    fault = call_error(op, inputs, params) or first_error(op.name, op.allowed_params, params.items())
    if fault is None and op.is_user_defined:
        shown = ", ".join(f"{name} {show_given(value)}" for name, value in given)
        return noted(error, f"in the op {op.name}, given {shown}")
    return explain(op.name, fault, given, error)


def noted(error: Exception, note: str) -> Exception:
    """The same error, with a note below it where Python has such."""
    if sys.version_info >= (3, 11):
        error.add_note(note)
    return error


def call_error(op: Any, inputs: tuple[Any, ...], params: dict[str, Any]) -> Exception | None:
    """What is wrong with the inputs of a call, or with the names of its params."""
    try:
        check_inputs(op, [value._data if isinstance(value, Tensor) else value for value in inputs])
        if op.variadic is None:
            check_arguments(op, {**dict(zip(op.inputs, inputs)), **params})
    except TypeError as error:
        return error
    missing = [name for name in op.params if name not in params and name not in op.defaults]
    unknown = [name for name in params if name not in op.params]
    return TypeError(misfit(op, missing, unknown)) if missing or unknown else None


def named_inputs(op: Any, inputs: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    """The inputs of a call by their names."""
    return zip(op.inputs * len(inputs) if op.variadic else op.inputs, inputs)


def check_inputs(op: Any, arrays: list[Any]) -> None:
    """Refuse an input that is neither array nor Tensor; scalars have a place in arithmetic alone."""
    types = OPERANDS if op.broadcasting else ARRAYS
    for name, value in named_inputs(op, tuple(arrays)):
        means_more = isinstance(value, REFUSED_SUBCLASSES)
        if (isinstance(value, types) and not means_more) or (value is None and name in op.optional):
            check_dtype(op, name, value)
            continue
        library = type(value).__module__.partition(".")[0]  # a Tensor may be another library's
        given = type(value).__name__ if library == "builtins" else f"{library}.{type(value).__name__}"
        raise TypeError(
            f"{op.name}: {name} must be a Tensor or an ndarray, not {given}; wrap it in tg.tensor(…)"
            f"{option_advice(op, arrays, types)}"
        )


def option_advice(op: Any, arrays: list[Any], types: tuple[type, ...]) -> str:
    """For a user's own op that was given an option by position: how it is declared as one."""
    if not op.is_user_defined or op.variadic:
        return ""
    options = [name for name, value in zip(op.inputs, arrays) if not isinstance(value, types)]
    inputs = [name for name in op.inputs if name not in options]
    if not inputs:
        return ""
    verb = "is an option, make it" if len(options) == 1 else "are options, make them"
    signature = f"def {op.name}({', '.join([*inputs, '*', *options, *op.params])})"
    return f"; if {', '.join(options)} {verb} keyword-only: `{signature}`"


def check_dtype(op: Any, name: str, value: Any) -> None:
    """Refuse an array, or a NumPy number, of a dtype that tensors do not have: its gradient would be lost."""
    dtype = getattr(value, "dtype", None)
    if dtype is not None and (dtype.char not in CODES or (dtype.kind == "f" and not dtype.isnative)):
        known = "bool, integers, float16, float32 or float64 (in this machine's byte order)"
        raise DtypeError(f"{op.name}: {name} must hold {known}, not {show_array(value)}")


def check_positions(op: Any, inputs: tuple[Any, ...]) -> None:
    """Refuse more arguments than an op has inputs and params."""
    if len(inputs) > len(op.inputs) + len(op.params):
        raise TypeError(f"{op.name} takes {show_arguments(op)}; got {len(inputs)} by position")


def check_given_once(op: Any, name: str, own_name: str, given: dict[str, Any]) -> None:
    """Refuse an argument that was given by position already, or under its other name."""
    if own_name in given:
        argument = own_name if name == own_name else f"{own_name} ({name})"
        raise TypeError(f"{op.name}: {argument} was given twice; {op.name} takes {show_arguments(op)}")


def check_arguments(op: Any, given: dict[str, Any]) -> None:
    """Refuse a call without an input that is not optional, or with an argument that the op has not."""
    missing = [name for name in op.inputs if name not in given and name not in op.optional]
    unknown = [name for name in given if name not in op.inputs + op.params]
    if missing or unknown:
        raise TypeError(misfit(op, missing, unknown))


def misfit(op: Any, missing: list[str], unknown: list[str]) -> str:
    """Which arguments of a call are missing, or too many."""
    fault = (
        f"{', '.join(missing)} is missing" if missing else f"there is no {', '.join(map(advised, unknown))}"
    )
    return f"{op.name} takes {show_arguments(op)}; {fault}"


def advised(name: str) -> str:
    """The name of an argument that is not there, and what to write instead where it is one of PyTorch's."""
    return f"{name} here, {ABSENT[name][1]}" if name in ABSENT else name


def show_arguments(op: Any) -> str:
    """An op's arguments as messages write them."""
    params = f" and the params {', '.join(op.params)}" if op.params else ""
    return f"the inputs ({', '.join(op.inputs)}){params}"


def check_output(op: Any, output: Any) -> None:
    """Refuse what a forward returned that can be no output."""
    is_plain = isinstance(output, ARRAYS) and not isinstance(output, REFUSED_SUBCLASSES)
    if is_plain and has_known_dtype(output):
        return
    returned = show_array(output) if is_plain else type(output).__name__
    raise RuleError(
        f"the forward of {op.name} ({show_place(op.forward)}) returned {returned}; "
        "it must return an ndarray of bool, integers, float16, float32 or float64"
    )


def rule_for(op: Any, position: int) -> Rule:
    """The rule for an input. Raises RuleError where the op has none."""
    rule: Rule | None = op.rules[position]
    if rule is None:
        name = op.inputs[position]
        raise RuleError(
            f"{op.name} has no rule for {name}, which requires grad: pass {name}.detach(), or declare "
            f"one with @{op.name}.grad({name!r})"
        )
    return rule
