"""How a state dict's numbers come into a module: all is checked before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..dtypes import Array, as_array, held
from ..engine.commit import Changes
from ..engine.in_place import check_alone, check_not_expanded, is_a_leafs
from ..engine.tensor import Tensor
from ..errors import show_shape
from ..foreign import numbers_of
from ..functional.arguments import rewrite
from .uninitialized import Uninitialized, is_uninitialized

MOST_LISTED, LONGEST_KEY = 200, 200  # problems in a message, and characters of a key, which may be a file's

IN_A_BUFFER = "keep it in a buffer, register_buffer(name, tensor), or save it beside the state dict"
SAVING = {
    "get_extra_state": IN_A_BUFFER,
    "_save_to_state_dict": "change the dict that state_dict() returns",
}
LOADING = {"set_extra_state": IN_A_BUFFER}
"""PyTorch's ways for a class to have a say in its part of a state dict, and what to do instead."""


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` found missing, and what it had no place for."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        keys = f"missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys}"
        return f"IncompatibleKeys({keys})" if any(self) else "<All keys matched successfully>"


def load(
    own: dict[str, Tensor], state_dict: Mapping[str, Any], strict: bool, owner: str, changes: Changes
) -> IncompatibleKeys:
    """Copy a state dict's numbers into the tensors with the same keys, the state of a module called `owner`,
    when the changes are committed.

    Raises RuntimeError, with nothing changed, for wrong shapes, for numbers that the dtypes cannot hold, and
    if `strict` for other keys.
    """
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"load_state_dict: expected a dict of tensors, not {type(state_dict).__name__}")
    missing = [key for key in own if key not in state_dict]
    unexpected = [key for key in state_dict if key not in own]
    given = {key: state_dict[key] for key in own if key in state_dict}
    arrays = {key: plain_array(key, value) for key, value in given.items() if not is_uninitialized(value)}
    problems = [f"missing key {key}" for key in missing if strict]
    problems += [f"unexpected key {shown_key(key)}" for key in unexpected if strict]
    problems += [
        f"{key} has no numbers yet in the state dict"
        for key in given
        if key not in arrays and not is_uninitialized(own[key])
    ]
    for key, array in arrays.items():
        tensor, numbers = own[key], held(array, own[key].dtype)
        if isinstance(tensor, Uninitialized) and numbers is not None:
            tensor.materialize(numbers, changes)
        elif array.shape != own[key].shape:
            shapes = f"{show_shape(array.shape)} in the state dict but {show_shape(own[key].shape)} here"
            problems.append(f"{key} is {shapes}")
        elif numbers is None:
            problems.append(f"{key} has numbers that {own[key].dtype} cannot hold")
        else:
            write(changes, key, tensor, numbers)
    if problems:
        listed = "".join(f"\n    {problem}" for problem in problems[:MOST_LISTED])
        more = len(problems) - MOST_LISTED
        listed += f"\n    … and {more} more" if more > 0 else ""
        raise RuntimeError(f"load_state_dict: nothing was loaded into {owner}:{listed}")
    return IncompatibleKeys(missing, unexpected)


def write(changes: Changes, key: str, tensor: Tensor, numbers: Array) -> None:
    """Numbers go into a tensor; a buffer that an op made gets memory of its own, for results never change.

    Raises MutationError where such a buffer has views, or is one, that would have to change too.
    """
    if is_a_leafs(tensor):
        check_not_expanded(tensor)
        changes.write(tensor, numbers)
    else:
        check_alone(tensor, f"load_state_dict: {key}", (), None)
        rewrite(changes, tensor, numbers.copy())


def shown_key(key: Any) -> str:
    """A key that came from elsewhere, of any length."""
    text = str(key)
    return text if len(text) <= LONGEST_KEY else f"{text[:LONGEST_KEY]}…"


def copied(tensor: Tensor) -> Tensor:
    """A tensor as a state dict has it."""
    return tensor.empty_twin() if isinstance(tensor, Uninitialized) else Tensor(tensor.data.copy())


def plain_array(key: str, value: Any) -> Array:
    """A value of a state dict as an array, PyTorch's tensors included."""
    try:
        return as_array(value.data if isinstance(value, Tensor) else numbers_of(value))
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(
            f"load_state_dict: {key} is {type(value).__name__}, not an array of numbers: {error}"
        ) from None
