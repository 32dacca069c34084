"""Batches of a dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..options import checked, optional
from ..randomness.seeds import Random
from .collate import collated, default_convert
from .datasets import IterableDataset, examples_at
from .options import DATA, WORKERS
from .samplers import BatchSampler, RandomSampler, SequentialSampler, batch_count, batches_of


class DataLoader:
    """Batches of a dataset, as lists of Tensors: `for images, labels in loader: …`; a loop is an epoch.

    dataset: a TensorDataset, or anything with `len` and `dataset[i]`, whose examples are put together as
    `default_collate` says, or by collate_fn, which makes a batch of a list of examples; or an
    IterableDataset. batch_size: how many; None for single examples. drop_last: leave out a last batch that is
    not full.

    shuffle: a fresh permutation each epoch, all from one generator: that of `generator`, or `seed`, which may
    be an int or a numpy Generator, so that the same seed gives the same batches in every epoch; without one
    the generator that `tg.manual_seed` resets. sampler: an iterable of the indices of an epoch, in the place
    of shuffle; batch_sampler: one of lists of them, in the place of batch_size, shuffle, sampler and
    drop_last.

    num_workers, pin_memory and PyTorch's options for worker processes are accepted for its sake: the data is
    in memory already.

    Raises ValueError for a batch_size below 1, and for options that exclude each other.
    """

    @checked(**{**DATA, "batch_size": optional(DATA["batch_size"])})
    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        *,
        generator: Random = None,
        seed: Random = None,
        **workers: Any,
    ) -> None:
        unknown = [name for name in workers if name not in WORKERS]
        if unknown:
            raise TypeError(f"DataLoader: there is no option {', '.join(unknown)}")
        if generator is not None and seed is not None:
            raise ValueError("DataLoader: pass one of generator and seed")
        self.dataset, self.batch_size, self.drop_last = dataset, batch_size, drop_last
        self.shuffle, self.collate_fn = bool(shuffle), collate_fn
        self.num_workers, self.pin_memory = num_workers, pin_memory
        self.generator = seed if generator is None else generator
        self.check_together(sampler, batch_sampler)
        self.sampler, self.batch_sampler = sampler, batch_sampler
        if self.is_counted and sampler is None and batch_sampler is None:
            self.sampler = SequentialSampler(dataset)
            if shuffle:
                self.sampler = RandomSampler(dataset, generator=self.generator)
        if self.is_counted and batch_size is not None and batch_sampler is None:
            self.batch_sampler = BatchSampler(self.sampler, batch_size, drop_last)
        elif batch_sampler is not None:
            self.batch_size = None

    @property
    def is_counted(self) -> bool:
        """Whether the examples have numbers."""
        return not isinstance(self.dataset, IterableDataset)

    def check_together(self, sampler: Any, batch_sampler: Any) -> None:
        """Refuse options that say the same thing twice, or what cannot be."""
        given = {"shuffle": self.shuffle, "sampler": sampler is not None}
        others = {**given, "batch_size": self.batch_size != 1, "drop_last": self.drop_last}
        if batch_sampler is not None and any(others.values()):
            names = ", ".join(name for name, is_given in others.items() if is_given)
            raise ValueError(f"DataLoader: batch_sampler makes the batches; leave out {names}")
        if all(given.values()):
            raise ValueError("DataLoader: sampler says the order; leave out shuffle")
        if not self.is_counted and (any(given.values()) or batch_sampler is not None):
            raise ValueError(
                "DataLoader: an IterableDataset gives its examples in an order of its own; "
                "leave out shuffle, sampler and batch_sampler"
            )
        if self.batch_size is None and self.drop_last:
            raise ValueError("DataLoader: without batches (batch_size None) leave out drop_last")

    def __len__(self) -> int:
        """How many batches an epoch has."""
        if not self.is_counted:
            if self.batch_size is None:
                return len(self.dataset)
            return batch_count(len(self.dataset), self.batch_size, self.drop_last)
        batches: Any = self.sampler if self.batch_sampler is None else self.batch_sampler
        return len(batches)

    def __iter__(self) -> Iterator[Any]:
        if self.is_counted:
            chosen: Any = self.sampler if self.batch_sampler is None else self.batch_sampler
            make = self.example if self.batch_sampler is None else self.batch
            return map(make, iter(chosen))
        examples = iter(self.dataset)
        if self.batch_size is None:
            return map(self.collate_fn or default_convert, examples)
        return map(self.together, batches_of(examples, self.batch_size, self.drop_last))

    def example(self, place: Any) -> Any:
        """A single example."""
        return (self.collate_fn or default_convert)(self.dataset[place])

    def batch(self, places: Any) -> Any:
        """The examples at these places, together."""
        places = list(places)
        if self.collate_fn is None and places:
            stacked = examples_at(self.dataset, places)
            if stacked is not None:
                return stacked
        return self.together([self.dataset[place] for place in places])

    def together(self, examples: list[Any]) -> Any:
        """Examples as a batch."""
        return collated(examples, "DataLoader") if self.collate_fn is None else self.collate_fn(examples)


def get_worker_info() -> None:
    """Nothing: no process but this one loads data."""
    return None
