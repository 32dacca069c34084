"""Datasets: examples that can be counted and had by their number, and parts of them."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

from ..engine.location import warn_user
from ..engine.tensor import Tensor
from ..errors import ShapeError, show_shape
from ..options import checked, is_integer, wrap_constructor
from ..randomness.seeds import SEED, Random, random_numbers
from .options import DATA, DATASET

__all__ = ["ConcatDataset", "Dataset", "IterableDataset", "Subset", "TensorDataset", "random_split"]

Example = TypeVar("Example", covariant=True)


class Dataset(Generic[Example]):
    """The base of datasets: a subclass defines `__len__` and `__getitem__`, which gives an example."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        wrap_constructor(cls, DATA)

    def __getitem__(self, index: Any) -> Example:
        name = type(self).__name__
        raise NotImplementedError(f"{name} has no examples: define `def __getitem__(self, index)`")

    def __add__(self, other: Any) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[Example]):
    """The base of datasets that cannot be counted: a subclass defines `__iter__`, which gives examples."""

    gives_examples_one_by_one = True

    def __iter__(self) -> Iterator[Example]:
        name = type(self).__name__
        raise NotImplementedError(f"{name} has no examples: define `def __iter__(self)`")


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Tensors (or arrays) with one example for each place of their first dimension; example i is a tuple.

    Raises ShapeError where the numbers differ, ValueError for none at all.
    """

    @checked()
    def __init__(self, *tensors: Any) -> None:
        self.tensors = tuple(array if isinstance(array, Tensor) else Tensor(array) for array in tensors)
        if not tensors:
            raise ValueError("TensorDataset: needs at least one tensor")
        counts = {tensor.shape[:1] for tensor in self.tensors}
        if len(counts) > 1 or () in counts:
            shapes = ", ".join(show_shape(tensor.shape) for tensor in self.tensors)
            raise ShapeError(
                f"TensorDataset: the first sizes must agree, for they count the examples; got {shapes}"
            )

    def __len__(self) -> int:
        return len(self.tensors[0])

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(
            tensor[index] if tensor.requires_grad else Tensor(tensor.data[index]) for tensor in self.tensors
        )

    def stacked_at(self, places: Sequence[int]) -> list[Tensor]:
        """The examples at these places as a batch."""
        return list(self[np.asarray(places, np.intp)])


class Subset(Dataset[Any]):
    """The examples of a dataset at these indices, in their order."""

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, indices

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, list):
            return self.dataset[[self.indices[place] for place in index]]
        return self.dataset[self.indices[index]]


class ConcatDataset(Dataset[Any]):
    """The examples of several datasets, one after the other."""

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset: needs at least one dataset")
        for number, dataset in enumerate(self.datasets):
            if isinstance(dataset, IterableDataset) or not DATASET.has_type(dataset):
                given = type(dataset).__name__
                raise TypeError(f"ConcatDataset: datasets[{number}] is a {given}, which has no len")
        self.cumulative_sizes = list(itertools.accumulate(map(len, self.datasets)))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> Any:
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(f"ConcatDataset: there is no example {index} of {len(self)}")
        number = bisect_right(self.cumulative_sizes, place)
        return self.datasets[number][place - (self.cumulative_sizes[number - 1] if number else 0)]


@checked(**{name: DATA[name] for name in ("dataset", "lengths")}, generator=SEED)
def random_split(dataset: Any, lengths: Sequence[float], generator: Random = None) -> list[Subset]:
    """Parts of a dataset, drawn at random, no example in two of them.

    lengths: how many examples each part has, or what part of all; what is left over by fractions goes to the
    first parts, one by one. generator: a numpy Generator or a seed, by default the one that `tg.manual_seed`
    resets.

    Raises ValueError for lengths that are not the dataset's in the sum.
    """
    sizes = split_sizes(len(dataset), list(lengths))
    places = random_numbers(generator).permutation(len(dataset)).tolist()
    ends = [0, *itertools.accumulate(sizes)]
    return [Subset(dataset, places[start:end]) for start, end in zip(ends, ends[1:])]


def split_sizes(count: int, lengths: list[Any]) -> list[int]:
    """How many of `count` examples each part has."""
    total = math.fsum(lengths)
    if math.isclose(total, 1) and total <= 1:
        sizes = [math.floor(count * part) for part in lengths]
        for number in range(count - sum(sizes)):
            sizes[number % len(sizes)] += 1
        for number, size in enumerate(sizes):
            if not size:
                warn_user(f"random_split: part {number} has no examples")
    else:
        sizes = lengths
    if sum(sizes) != count or not all(is_integer(size) and size >= 0 for size in sizes):
        raise ValueError(
            f"random_split: lengths {lengths} must be counts from 0 that add up to the {count} examples, "
            "or parts that add up to 1"
        )
    return sizes


def examples_at(dataset: Any, places: Sequence[int]) -> Any:
    """Tensors of the examples at these places, stacked already; None where they must be had one by one.

    A dataset says so by a method `stacked_at`, next to the `__getitem__` (or its part) that it goes with.
    """
    if type(dataset) is Subset:
        return examples_at(dataset.dataset, [dataset.indices[place] for place in places])
    for its_class in type(dataset).__mro__:
        if "stacked_at" in vars(its_class):
            return dataset.stacked_at(places)
        if "__getitem__" in vars(its_class) or "image_and_label" in vars(its_class):
            return None
    return None


def state_of(dataset: Any) -> Any:
    """The state of a dataset that has one, as `load_state_of` takes it; else None."""
    if isinstance(dataset, Subset):
        return state_of(dataset.dataset)
    if isinstance(dataset, ConcatDataset):
        states = [state_of(part) for part in dataset.datasets]
        return states if any(state is not None for state in states) else None
    has_state = hasattr(dataset, "state_dict") and hasattr(dataset, "load_state_dict")
    return dataset.state_dict() if has_state else None


def load_state_of(dataset: Any, state: Any) -> None:
    """Have a dataset go on from where `state_of` was called. Raises ValueError for the state of another."""
    if isinstance(dataset, Subset):
        load_state_of(dataset.dataset, state)
    elif isinstance(dataset, ConcatDataset):
        if not isinstance(state, list) or len(state) != len(dataset.datasets):
            raise ValueError(f"ConcatDataset: the state must have {len(dataset.datasets)} parts")
        for part, its_state in zip(dataset.datasets, state):
            if its_state is not None:
                load_state_of(part, its_state)
    else:
        dataset.load_state_dict(state)
