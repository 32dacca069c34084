"""How examples become a batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..dtypes import as_array
from ..engine.tensor import Tensor
from ..errors import DtypeError, ShapeError, show_shape
from ..ops.conversion import alike
from ..ops.shape import stack
from ..options import Option, checked, is_sequence


@checked(batch=Option("a list of examples", is_sequence))
def default_collate(batch: list[Any]) -> Any:
    """Examples as one batch: numbers, arrays and Tensors are stacked along a new first dimension.

    Dicts and named tuples keep their type, with a batch for each member; tuples and lists become lists of
    batches; strings, a list of them. Floats become float32, the default dtype, also beside integers. Tensors
    that require a gradient are stacked on the tape.
    """
    return collated(list(batch), "default_collate")


def default_convert(data: Any) -> Any:
    """One example as a loader without batches gives it: arrays become Tensors, all else stays."""
    if isinstance(data, (np.ndarray, np.generic)) and data.dtype.kind in "biuf":
        return Tensor(np.asarray(data))
    if isinstance(data, Mapping):
        return {key: default_convert(value) for key, value in data.items()}
    if is_named_tuple(data):
        return type(data)(*map(default_convert, data))
    if isinstance(data, (tuple, list)):
        return [default_convert(member) for member in data]
    return data


def collated(examples: list[Any], owner: str) -> Any:
    """Examples as one batch, where messages name this function or class."""
    if not examples:
        raise ValueError(f"{owner}: a batch needs at least one example")
    first = examples[0]
    if isinstance(first, (str, bytes)):
        return examples
    if isinstance(first, Mapping):
        return collated_members(examples, owner)
    if isinstance(first, (tuple, list)):
        columns = transposed(examples, owner)
        return type(first)(*columns) if is_named_tuple(first) else columns
    return stacked(examples, owner)


def collated_members(examples: list[Any], owner: str) -> dict[Any, Any]:
    """Dicts as one dict, with a batch for each key."""
    keys = list(examples[0])
    for example in examples:
        if not isinstance(example, Mapping) or example.keys() != examples[0].keys():
            given = list(example) if isinstance(example, Mapping) else f"a {type(example).__name__}"
            raise TypeError(f"{owner}: an example has the keys {keys}, another has {given}; make them alike")
    return {key: collated([example[key] for example in examples], owner) for key in keys}


def transposed(examples: list[Any], owner: str) -> list[Any]:
    """Tuples as one list, with a batch for each member."""
    count = len(examples[0])
    for example in examples:
        if not isinstance(example, (tuple, list)) or len(example) != count:
            given = len(example) if isinstance(example, (tuple, list)) else f"is a {type(example).__name__}"
            raise ValueError(f"{owner}: an example has {count} members, another {given}; make them alike")
    return [collated(list(members), owner) for members in zip(*examples)]


def stacked(examples: list[Any], owner: str) -> Tensor:
    """Arrays and numbers along a new first dimension."""
    try:
        arrays = [as_array(example.data if isinstance(example, Tensor) else example) for example in examples]
    except (TypeError, ValueError) as error:
        raise DtypeError(
            f"{owner}: an example is a {type(examples[0]).__name__}, no array of numbers ({error}); "
            "pass collate_fn"
        ) from error
    if any(array.shape != arrays[0].shape for array in arrays):
        shapes = ", ".join(sorted({show_shape(array.shape) for array in arrays}))
        raise ShapeError(
            f"{owner}: examples of shapes {shapes} cannot be stacked; make them alike, or pass collate_fn"
        )
    if any(getattr(example, "requires_grad", False) for example in examples):
        return stack(*[example if isinstance(example, Tensor) else Tensor(example) for example in examples])
    return Tensor(np.stack(alike(*arrays)))


def emptied(batch: Any) -> Any:
    """A batch without its examples: tensors [0, ...], lists with nothing in them."""
    if isinstance(batch, Tensor):
        return Tensor(batch.data[:0])
    if isinstance(batch, Mapping):
        return {key: emptied(member) for key, member in batch.items()}
    if is_named_tuple(batch):
        return type(batch)(*map(emptied, batch))
    if isinstance(batch, (tuple, list)):
        return [emptied(member) for member in batch if not isinstance(member, (str, bytes))]
    return batch


def is_named_tuple(value: Any) -> bool:
    """Whether its class takes its members one by one."""
    return isinstance(value, tuple) and hasattr(value, "_fields")
