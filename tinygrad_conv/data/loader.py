"""Datasets, and batches of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..creation import generator
from ..dtypes import Array, as_array
from ..engine.tensor import Tensor
from ..errors import DtypeError, ShapeError, show_shape
from ..options import Option, checked, count


class TensorDataset:
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
        return tuple(Tensor(tensor.data[index]) for tensor in self.tensors)


def is_dataset(value: Any) -> bool:
    """Whether it has examples that can be counted."""
    try:
        return len(value) >= 0 and hasattr(value, "__getitem__")
    except TypeError:
        return False


DATASET = Option("a TensorDataset, or anything with len and dataset[i]", is_dataset)


class DataLoader:
    """Batches of a dataset, as lists of Tensors: `for images, labels in loader: …`; a loop is an epoch.

    dataset: a TensorDataset, or anything with `len` and `dataset[i]`, whose examples (tuples, or single
    arrays) are stacked. shuffle: a fresh permutation each epoch, all from one generator: that of `seed` (an
    int or a numpy Generator), so that the same seed gives the same batches in every epoch; without a seed the
    one that `tg.manual_seed` resets. drop_last: leave out a last batch that is not full. collate_fn: makes a
    batch of a list of examples, in the place of stacking them. num_workers and pin_memory are accepted for
    PyTorch's sake: the data is in memory already.

    Raises ValueError for a batch_size below 1.
    """

    @checked(dataset=DATASET, batch_size=count(1), num_workers=count(0))
    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        *,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        seed: int | np.random.Generator | None = None,
    ) -> None:
        self.dataset, self.batch_size, self.shuffle, self.drop_last = dataset, batch_size, shuffle, drop_last
        self.collate_fn = collate_fn
        self._generator = None if seed is None else np.random.default_rng(seed)

    def __len__(self) -> int:
        """How many batches an epoch has."""
        full, rest = divmod(len(self.dataset), self.batch_size)
        return full + bool(rest and not self.drop_last)

    def __iter__(self) -> Iterator[Any]:
        order = np.arange(len(self.dataset))
        if self.shuffle:
            order = (self._generator or generator()).permutation(len(order))
        return (
            self._batch(order[start * self.batch_size :][: self.batch_size]) for start in range(len(self))
        )

    def _batch(self, chosen: Array) -> Any:
        """The examples at the chosen places, together."""
        if self.collate_fn is not None:
            return self.collate_fn([self.dataset[place] for place in chosen.tolist()])
        if isinstance(self.dataset, TensorDataset):
            return list(self.dataset[chosen])
        return stacked([self.dataset[place] for place in chosen.tolist()])


def stacked(examples: list[Any]) -> Any:
    """Examples as one batch: tuples member by member, arrays and numbers along a new first dimension."""
    if isinstance(examples[0], (tuple, list)):
        return [stacked(list(members)) for members in zip(*examples, strict=True)]
    try:
        arrays = [as_array(example.data if isinstance(example, Tensor) else example) for example in examples]
    except (TypeError, ValueError) as error:
        raise DtypeError(
            f"DataLoader: an example is a {type(examples[0]).__name__}, no array of numbers ({error}); "
            "pass collate_fn"
        ) from error
    if any(array.shape != arrays[0].shape for array in arrays):
        shapes = ", ".join(sorted({show_shape(array.shape) for array in arrays}))
        raise ShapeError(
            f"DataLoader: examples of shapes {shapes} cannot be stacked; make them alike, or pass collate_fn"
        )
    return Tensor(np.stack(arrays))
