"""Batches of a dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ..options import checked, optional
from ..randomness.default import generator as default_generator
from ..randomness.default import next_seed, seed_from
from ..randomness.seeds import Random, random_numbers
from ..randomness.state import generator_state, set_generator_state
from .collate import collated, default_convert, emptied
from .datasets import IterableDataset, examples_at, state_of
from .epoch import Epoch, Place, Production, Start, place_of, rewind
from .loader_state import load_loader_state, loader_state
from .options import DATA, WORKERS
from .samplers import BatchSampler, RandomSampler, SequentialSampler, batch_count, batches_of

SETTLED = frozenset({"dataset", "batch_size", "drop_last", "shuffle", "sampler", "batch_sampler"})
"""What a loader's order was made of: another value would change nothing, or half of it."""


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

    num_workers: with 1 or more, a thread makes batches ahead while the loop computes, up to prefetch_factor
    (2 by default) for each. It is one thread whatever their number, and so the batches and all draws are the
    same with and without it. Its errors are raised in the loop; it ends with the loop, however that is left.
    pin_memory and PyTorch's other options for worker processes are accepted for its sake.

    What examples, transforms and collate_fn draw without a generator of their own, they draw from one that
    each epoch gets from that of the order. `state_dict()` says where the loader is, also in mid-epoch.

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
        prefetch_factor: int | None = None,
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
        self.prefetch_factor = prefetch_factor or 2
        given = seed if generator is None else generator
        self.generator = None if given is None else random_numbers(given)
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
        self.epochs, self.is_running, self.is_resumed = 0, False, False
        self.start, self.ahead = Start(None, 0, None), None
        self.place: Place | Production = Place(0, None, None)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in SETTLED and "place" in vars(self):
            raise ValueError(f"DataLoader: {name} is settled when a loader is made; make another loader")
        super().__setattr__(name, value)

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
        if self.is_running:
            rewind(self.dataset, self.ahead, place_of(self.place))
        own = self.order_generator()
        if self.is_resumed:
            self.is_resumed = False
            if own is not None:
                set_generator_state("DataLoader", own, self.start.order)
            return Epoch(self, self.start)
        self.epochs += 1
        source = default_generator() if own is None else own
        seed = next_seed(default_generator()) if own is None else seed_from(source, self.epochs)
        self.start = Start(generator_state(source), seed, None)
        self.place, self.is_running = Place(0, None, state_of(self.dataset)), True
        return Epoch(self, self.start)

    def order_generator(self) -> np.random.Generator | None:
        """The generator of its own that an epoch's order comes from; None for that of `tg.manual_seed`."""
        sampler: Any = self.sampler if self.batch_sampler is None else self.batch_sampler
        while sampler is not None:
            generator = getattr(sampler, "generator", None)
            if isinstance(generator, np.random.Generator):
                return generator
            sampler = getattr(sampler, "sampler", None)
        return self.generator

    def order_and_make(self) -> tuple[Iterable[Any], Callable[[Any], Any]]:
        """What an epoch goes through, and what makes a batch of an item of it."""
        if self.is_counted:
            chosen: Any = self.sampler if self.batch_sampler is None else self.batch_sampler
            return chosen, self.example if self.batch_sampler is None else self.batch
        examples = iter(self.dataset)
        if self.batch_size is None:
            return examples, self.collate_fn or default_convert
        return batches_of(examples, self.batch_size, self.drop_last), self.together

    def reach(self, number: int, place: Place) -> None:
        """An epoch has handed out a batch; of several at once the latest counts."""
        if number == self.epochs:
            self.place = place

    def end_epoch(self, number: int) -> None:
        """An epoch has no more batches."""
        if number == self.epochs:
            self.is_running, self.place = False, Place(0, None, None)

    def state_dict(self) -> dict[str, Any]:
        """Where the loader is: `load_state_dict` goes on with the batch after the last one handed out, and
        with the epochs after it, as if nothing had come between. Plain values, for `tg.save`.

        What it draws from without a generator or seed of its own, `tg.manual_seed`'s, is not in it.
        """
        return loader_state(self)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was called, with the next loop, on a loader made in the same way.

        Raises ValueError for a state that is damaged or of another loader; nothing has changed then.
        """
        load_loader_state(self, state_dict)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "ahead": None, "place": place_of(self.place)}  # threads are not copied

    def example(self, place: Any) -> Any:
        """A single example."""
        return (self.collate_fn or default_convert)(self.dataset[place])

    def batch(self, places: Any) -> Any:
        """The examples at these places, together; of none an empty batch, which is like any other."""
        places = list(places)
        if not places:
            return emptied(self.batch([0]))
        if self.collate_fn is None:
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
