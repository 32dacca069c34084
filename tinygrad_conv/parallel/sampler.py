"""`ShardedSampler`: each rank's share of every batch."""

from __future__ import annotations

from collections.abc import Iterator, Sized

import numpy as np

from ..data.samplers import RandomSampler, Sampler, SequentialSampler, batch_count, batches_of
from ..options import check_option, count
from . import together
from .shares import share_of


class ShardedSampler(Sampler):
    """This rank's share of each batch, as lists of indices: a `batch_sampler` for a DataLoader.

        sampler = tg.parallel.ShardedSampler(dataset, batch_size=64, shuffle=True, seed=0)
        loader = data.DataLoader(dataset, batch_sampler=sampler)

    batch_size: of the joined batch, whatever the number of ranks is. The shares of a batch are its neighbours
    in order, in numbers that differ by 1 at most; put together they are the batch of one process. So each
    example comes once in an epoch, in the last, smaller batch too (unless drop_last), where a share may be
    empty; the loader then makes an empty batch, with which the rank takes part.

    shuffle: a fresh permutation each epoch, the same on all ranks, from `seed`. rank, num_replicas: of which
    rank, and how many there are; by default what MPI says.

    `loader.state_dict()` counts joined batches, so that it can be loaded on every rank, and on another number
    of ranks, with the same batch_size.
    """

    def __init__(
        self,
        dataset: Sized,
        batch_size: int,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
        num_replicas: int | None = None,
        rank: int | None = None,
    ) -> None:
        self.size = together.world_size() if num_replicas is None else num_replicas
        self.rank = together.rank() if rank is None else rank
        check_option("ShardedSampler", "num_replicas", count(1), self.size)
        check_option("ShardedSampler", "rank", count(0), self.rank)
        if self.rank >= self.size:
            raise ValueError(f"ShardedSampler: rank must be below num_replicas={self.size}, not {self.rank}")
        self.dataset, self.batch_size, self.drop_last = dataset, batch_size, drop_last
        self.generator = np.random.default_rng(seed) if shuffle else None
        self.sampler = (
            RandomSampler(dataset, generator=self.generator) if shuffle else SequentialSampler(dataset)
        )

    def __iter__(self) -> Iterator[list[int]]:
        batches = batches_of(iter(self.sampler), self.batch_size, self.drop_last)
        return (self.own_share(batch) for batch in batches)

    def own_share(self, batch: list[int]) -> list[int]:
        """This rank's indices of a joined batch."""
        places = share_of(len(batch), self.rank, self.size)
        return batch[places.start : places.stop]

    def __len__(self) -> int:
        """How many batches an epoch has, the same on all ranks."""
        return batch_count(len(self.dataset), self.batch_size, self.drop_last)
