"""A state dict, checked as a whole before any of it is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import FLOATS, Array
from ..engine.tensor import Tensor
from ..errors import SHORT, describe_nonfinite, show_array, show_tensor
from ..foreign import numbers_of
from .drafts import State
from .options import NOTES

FEW, LONGEST = 12, 40  # names, and characters of each, that a message shows


class StateNames(NamedTuple):
    """What an optimiser remembers of a parameter, by name."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    by_option: tuple[tuple[str, str], ...] = ()  # (option, name): required where the option is set
    squares: tuple[str, ...] = ()  # those that cannot be negative
    numbers: tuple[str, ...] = ()  # those that are one number for the whole parameter

    def known(self) -> list[str]:
        """All of them."""
        return [*self.required, *self.optional, *(name for _, name in self.by_option)]


OF_GROUPS = ("params", "name", *NOTES)
"""What groups may have beside options."""

# What PyTorch's groups have beside: options that choose how to compute, not what, and names
OTHERS_OPTIONS = {"foreach", "capturable", "differentiable", "fused", "decoupled_weight_decay", "param_names"}


def check_layout(kind: str, state_dict: Any, own_groups: list[dict[str, Any]]) -> None:
    """Refuse what is no state dict, one with other groups, and one with a state for no parameter of them."""
    if not isinstance(state_dict, Mapping) or not {"state", "param_groups"} <= state_dict.keys():
        raise ValueError(f"{kind}: a state dict has 'state' and 'param_groups'; got {shown_keys(state_dict)}")
    states, groups = state_dict["state"], state_dict["param_groups"]
    if not isinstance(states, Mapping) or not all(isinstance(state, Mapping) for state in states.values()):
        raise ValueError(f"{kind}: 'state' in the state dict must be a dict with a dict for each parameter")
    if not isinstance(groups, (list, tuple)) or not all(
        isinstance(group, Mapping) and isinstance(group.get("params"), (list, tuple)) for group in groups
    ):
        raise ValueError(
            f"{kind}: 'param_groups' in the state dict must be a list of dicts with 'params' in each"
        )
    given, own = ([len(group["params"]) for group in those] for those in (groups, own_groups))
    if given != own:
        raise ValueError(f"{kind}: the state dict has groups of {given} parameters, this optimiser has {own}")
    numbers = [number for group in groups for number in group["params"]]
    are_integers = all(isinstance(number, (int, np.integer)) for number in numbers)
    if not are_integers or len(set(numbers)) < len(numbers):
        raise ValueError(
            f"{kind}: the parameters in the state dict must be different numbers, not {SHORT.repr(numbers)}"
        )
    strangers = [number for number in states if number not in set(numbers)]
    if strangers:
        raise ValueError(
            f"{kind}: the state dict has a state for parameter {SHORT.repr(strangers[0])}, which is in none "
            f"of its groups; they have {SHORT.repr(numbers)}"
        )


def check_option_names(kind: str, number: int, group: Mapping[str, Any], defaults: Iterable[str]) -> None:
    """Refuse options that the optimiser does not have: those of another one."""
    known = {*OF_GROUPS, *defaults} | OTHERS_OPTIONS
    unknown = [name for name in group if name not in known]
    if unknown:
        raise ValueError(
            f"{kind}: group {number} of the state dict has {shown_names(unknown)}, which {kind} does not "
            f"have; its options are {', '.join(defaults)}. Is it another optimiser's?"
        )


def loaded_state(
    kind: str,
    param: Tensor,
    state: Mapping[str, Any],
    names: StateNames | None,
    group: Mapping[str, Any],
    as_tensors: bool,
) -> State:
    """A parameter's state out of a state dict: arrays in its dtype, at least float32; counts as ints.

    names: what may be in it, and what must; None where a subclass remembers what it likes. as_tensors: it
    remembers Tensors. A parameter of a lazy layer that has no shape yet takes any, as long as its arrays have
    the same; a step looks at it again.
    """
    if names is not None and state:
        check_names(kind, param, state, names, group)
    dtype = np.dtype(np.result_type(param.dtype, np.float32))
    shape = None if getattr(param, "is_uninitialized", False) else param.shape
    own: State = {}
    for name, value in state.items():
        where = f"{kind}: {name} of {show_tensor(param)}"
        if value is None and (names is None or name not in names.required):
            own[name] = None
        elif names is None and isinstance(value, (bool, int, float, str)) and name != "step":
            own[name] = value
        elif name == "step":
            own[name] = step_count(where, value)
        elif names is not None and name in names.numbers:
            own[name] = state_number(where, value)
        else:
            array = state_array(where, value, shape, dtype)
            own[name], shape = Tensor(array) if as_tensors else array, array.shape
            if names is not None and name in names.squares and (array < 0).any():
                raise ValueError(f"{where} is a mean of squares, but negative in the state dict")
    return own


def check_names(
    kind: str, param: Tensor, state: Mapping[str, Any], names: StateNames, group: Mapping[str, Any]
) -> None:
    """Refuse a state that has something missing, or something of another optimiser."""
    needed = [*names.required, *(name for option, name in names.by_option if group[option])]
    missing = [name for name in needed if state.get(name) is None]
    strange = [name for name in state if name not in names.known()]
    if missing or strange:
        problem = f"lacks {', '.join(missing)}" if missing else f"has {shown_names(strange)}"
        raise ValueError(
            f"{kind}: the state of {show_tensor(param)} in the state dict {problem}; {kind} remembers "
            f"{', '.join(names.known())}"
        )


def step_count(where: str, value: Any) -> int:
    """A number of steps, which PyTorch has as a tensor."""
    array = plain(where, value)
    number = array.item() if array.size == 1 and array.dtype.kind in "iuf" else None
    if number is None or not number >= 0 or number != int(number):
        raise ValueError(f"{where} is {value!r} in the state dict; it counts steps, and must be 0 or more")
    return int(number)


def state_number(where: str, value: Any) -> float:
    """A finite number, which PyTorch has as a tensor."""
    array = plain(where, value)
    if array.size != 1 or array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        raise ValueError(f"{where} is {value!r} in the state dict; it must be a finite number")
    return float(array.item())


def state_array(where: str, value: Any, shape: tuple[int, ...] | None, dtype: np.dtype[Any]) -> Array:
    """An array of a state, in the dtype it is computed with. Refuses other shapes, NaN and infinities.

    shape: that of the parameter, None where nobody knows it yet.
    """
    array = plain(where, value)
    if shape is not None and array.shape != shape:
        raise ValueError(
            f"{where} is {show_array(array)} in the state dict; it must have the parameter's shape"
        )
    if array.dtype not in FLOATS and array.dtype.kind not in "iu":
        raise ValueError(f"{where} is {show_array(array)} in the state dict, not floating-point numbers")
    with np.errstate(over="ignore"):
        own = np.array(array, dtype)
    if not np.isfinite(own).all():
        problem = describe_nonfinite(own).lstrip(", ")
        raise ValueError(f"{where} is not finite as {dtype}, but the state of a training is: {problem}")
    return own


def plain(where: str, value: Any) -> Array:
    """A value of a state as an array, PyTorch's tensors included."""
    try:
        return value.data if isinstance(value, Tensor) else numbers_of(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{where} is a {type(value).__name__}, not numbers: {error}") from None


def shown_keys(value: Any) -> str:
    """What came instead of a state dict."""
    return (
        f"a dict with {shown_names(list(value))}"
        if isinstance(value, Mapping)
        else f"a {type(value).__name__}"
    )


def shown_names(names: list[Any]) -> str:
    """The first of some names that came from elsewhere, each cut where it is long."""
    shown = [str(name) if len(str(name)) <= LONGEST else f"{str(name)[:LONGEST]}…" for name in names[:FEW]]
    return ", ".join([*shown, "…"] if len(names) > FEW else shown)
