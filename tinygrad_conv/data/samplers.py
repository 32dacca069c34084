"""Samplers: in which order a loader takes examples, and which of them make a batch."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence, Sized
from typing import Any

import numpy as np

from ..errors import show_shape
from ..options import wrap_constructor
from ..randomness.default import seed_from, seeded
from ..randomness.seeds import Random, random_numbers
from .options import DATA

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]

Draw = Callable[[np.random.Generator, int], list[int]]

# Each draws its numbers as an iteration begins, not at its first step; of a great many the first ones.
LOT = 65_536  # at most so many drawn indices stand in memory at once


class Sampler:
    """The base of samplers: a subclass defines `__iter__`, which gives indices of examples, and `__len__`."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        wrap_constructor(cls, DATA)

    def __iter__(self) -> Iterator[Any]:
        name = type(self).__name__
        raise NotImplementedError(f"{name} has no indices: define `def __iter__(self)`")


class SequentialSampler(Sampler):
    """All examples in their order."""

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler):
    """num_samples examples, by default as many as there are, in random order.

    replacement: each is drawn of all; else all come once before one comes again. generator: a numpy Generator
    or a seed; by default the one that `tg.manual_seed` resets.
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Random = None,
    ) -> None:
        self.data_source, self.replacement = data_source, replacement
        self._num_samples = num_samples
        self.generator = None if generator is None else random_numbers(generator)

    @property
    def num_samples(self) -> int:
        """How many indices an iteration gives."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        random, count, wanted = random_numbers(self.generator), len(self.data_source), self.num_samples
        if not count:
            return iter(())
        if not self.replacement:
            return in_lots(lambda random, size: random.permutation(size).tolist(), random, wanted, count)
        lot = min(wanted, LOT)
        return in_lots(lambda random, size: random.integers(count, size=size).tolist(), random, wanted, lot)

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler):
    """These indices in random order. generator: as for RandomSampler."""

    def __init__(self, indices: Sequence[int], generator: Random = None) -> None:
        self.indices = indices
        self.generator = None if generator is None else random_numbers(generator)

    def __iter__(self) -> Iterator[int]:
        order = random_numbers(self.generator).permutation(len(self.indices))
        return iter([self.indices[place] for place in order.tolist()])

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler):
    """num_samples indices, drawn with probabilities in the proportion of the weights, one for each example.

    replacement: whether one may come again. generator: as for RandomSampler. Raises ValueError for weights
    that are negative or all 0, and for too few above 0 without replacement.
    """

    def __init__(
        self, weights: Any, num_samples: int, replacement: bool = True, generator: Random = None
    ) -> None:
        numbers = np.asarray(getattr(weights, "data", weights), np.float64)
        if numbers.ndim != 1:
            raise ValueError(f"WeightedRandomSampler: weights must be a row, not {show_shape(numbers.shape)}")
        if not np.isfinite(numbers).all() or (numbers < 0).any() or not numbers.any():
            raise ValueError("WeightedRandomSampler: weights must be finite and 0 or more, and one above 0")
        possible = int(np.count_nonzero(in_proportion(numbers)))
        if not replacement and num_samples > possible:
            counts = f"num_samples={num_samples} of {possible} examples with a weight above 0"
            raise ValueError(f"WeightedRandomSampler: cannot draw {counts} without replacement")
        self.weights, self.num_samples, self.replacement = numbers, num_samples, replacement
        self.generator = None if generator is None else random_numbers(generator)

    def __iter__(self) -> Iterator[int]:
        random, shares = random_numbers(self.generator), in_proportion(self.weights)
        size = min(self.num_samples, LOT) if self.replacement else self.num_samples
        return in_lots(
            lambda random, size: random.choice(len(shares), size, self.replacement, shares).tolist(),
            random,
            self.num_samples,
            size,
        )

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler):
    """Lists of batch_size indices of another sampler. drop_last: leave out a last one that is shorter."""

    def __init__(self, sampler: Any, batch_size: int, drop_last: bool) -> None:
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self) -> Iterator[list[int]]:
        return batches_of(iter(self.sampler), self.batch_size, self.drop_last)

    def __len__(self) -> int:
        return batch_count(len(self.sampler), self.batch_size, self.drop_last)


def in_proportion(weights: np.ndarray) -> np.ndarray:
    """The weights over their sum, which may be more than a float holds: they are first made small by a power
    of 2, which changes no digit.
    """
    small = np.ldexp(weights, -np.frexp(weights.max())[1])
    return small / small.sum()


def in_lots(draw: Draw, random: np.random.Generator, wanted: int, size: int) -> Iterator[int]:
    """`wanted` indices from lots of a size: the first lot is drawn now, each other when it is due.

    The others come from a generator that this one seeds, for by then it may be somewhere else: a loader asks
    ahead, and others draw from it too.
    """
    first = draw(random, size)
    if size >= wanted:
        return itertools.islice(iter(first), wanted)
    later = seeded(seed_from(random))
    lots = (index for _ in range(size, wanted, size) for index in draw(later, size))
    return itertools.islice(itertools.chain(first, lots), wanted)


def batches_of(items: Iterator[Any], batch_size: int, drop_last: bool) -> Iterator[list[Any]]:
    """So many items each time, and at the end fewer."""
    while batch := list(itertools.islice(items, batch_size)):
        if len(batch) == batch_size or not drop_last:
            yield batch


def batch_count(count: int, batch_size: int, drop_last: bool) -> int:
    """How many batches so many examples make."""
    full, rest = divmod(count, batch_size)
    return full + bool(rest and not drop_last)
