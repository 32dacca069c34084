"""`Averaging`: the gradients of one backward after another, averaged over all ranks while they are computed.

Its functions `begin`, `start`, `progress`, `finish` and `forget` are called on the way of each backward, by
the follower (following.py) or by a replay of what the follower did. All ranks exchange the same messages in
the same order in each backward, whichever parameters it reaches on which rank:

    a header    for each rank: the samples of its forwards, and which parameters have a gradient
    buckets     sums over ranks of n_r g_r, in the order of the buckets

So none waits for a message that another never sends.
"""

from __future__ import annotations

from bisect import bisect
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import Array
from ..engine.commit import set_grads
from ..engine.node import Node
from ..errors import RankError, describe_nonfinite, show_array
from .buckets import buckets_of
from .ranks import Channel, Ranks
from .shares import total_of

FORWARDS = 16  # whose samples a header has room for
COUNTS = 4 * (1 + FORWARDS)  # bytes of their numbers
TOO_MANY = -1
LATEST = 1000  # forwards that are remembered: a backward goes through one of them, or a few


class Forward(NamedTuple):
    """A forward of the model: how many samples it was given, and when it was, on the creation counter."""

    samples: int
    first: int
    last: int


class Averaging:
    """The state of it: what has been started, and what backwards under `no_sync` have left to be averaged."""

    def __init__(
        self, named: Sequence[tuple[str, Any]], ranks: Ranks, bucket_bytes: int, weighted: bool
    ) -> None:
        """named: the parameters of the model by name; those that require no gradient never will."""
        self.names = {leaf: name for name, leaf in named}
        self.leaves = [leaf for leaf in self.names if leaf.requires_grad]
        self.frozen = [leaf for leaf in self.names if not leaf.requires_grad]
        self.numbers = {leaf: number for number, leaf in enumerate(self.leaves)}
        self.ranks, self.channel, self.weighted = ranks, Channel(ranks), weighted
        self.buckets = buckets_of(self.leaves, bucket_bytes)
        self.bucket_of = {leaf: place for place, bucket in enumerate(self.buckets) for leaf in bucket.leaves}
        self.forwards: deque[Forward] = deque(maxlen=LATEST)
        self.held: list[int] = []  # samples of backwards whose gradients wait in `.grad`
        self.is_holding = False
        self.backwards = 0
        self.is_running = False
        self.requests: list[Any] = []
        self.header: tuple[Array, Any] | None = None
        self.count = 1

    def samples_behind(self, nodes: Sequence[Node]) -> tuple[int, ...]:
        """The samples of each forward of the model that made some of these nodes, oldest first."""
        if not self.weighted:
            return ()
        indices = [node.index for node in nodes]
        return tuple(
            forward.samples
            for forward in self.forwards
            if bisect(indices, forward.first) < bisect(indices, forward.last)
        )

    def hold(self, samples: tuple[int, ...]) -> None:
        """A backward under `no_sync`: its gradients wait in `.grad` for the next one without."""
        self.held += samples
        self.is_holding = True

    def begin(self, samples: tuple[int, ...], used: tuple[int, ...]) -> None:
        """A backward begins. used: the numbers of the parameters that it will reach."""
        if self.is_running:
            raise RankError(
                f"DataParallel: an earlier backward failed on rank {self.ranks.rank} on its way, and the "
                "others wait for the rest of its gradients: the ranks cannot be brought together again; "
                "begin anew from a checkpoint"
            )
        self.check_unchanged()
        self.is_running = True
        self.backwards += 1
        self.requests = []
        if all(leaf._grad is None for leaf in self.leaves):
            self.held, self.is_holding = [], False  # zero_grad has thrown it away
        row = [*self.held, *samples]
        row = row[:1] if len(set(row)) == 1 else row
        self.count = row[0] if row else 1
        self.header = self.channel.begin_gather(self.own_header(row, used))

    def check_unchanged(self) -> None:
        """Refuse parameters whose gradients have no place in the buckets."""
        changed = [leaf for leaf in self.frozen if leaf.requires_grad]
        for bucket in self.buckets:
            views = zip(bucket.leaves, bucket.views)
            changed += [
                leaf for leaf, view in views if leaf.dtype != bucket.dtype or leaf.shape != view.shape
            ]
        if changed:
            raise RankError(
                f"DataParallel: {self.names[changed[0]]} has become another (dtype, shape or requires_grad) "
                "since the model was wrapped; change it before, or wrap the model again"
            )

    def own_header(self, row: list[int], used: Iterable[int]) -> Array:
        """How many forwards and the samples of each, int32, then a bit for each parameter with a gradient."""
        counts, flags = np.zeros(1 + FORWARDS, np.int32), np.zeros(len(self.leaves), bool)
        counts[0] = len(row) if len(row) <= FORWARDS else TOO_MANY
        counts[1 : 1 + min(len(row), FORWARDS)] = row[:FORWARDS]
        flags[list(used)] = True
        if self.is_holding:
            flags |= [leaf._grad is not None for leaf in self.leaves]
        return np.concatenate([counts.view(np.uint8), np.packbits(flags)])

    def start(self, *gradients: Array | None) -> None:
        """The gradients of the next bucket are complete, and leave."""
        bucket = self.buckets[len(self.requests)]
        bucket.fill(self.with_held(bucket.leaves, gradients), self.count)
        self.requests.append(self.channel.begin_sum(bucket.memory))

    def with_held(self, leaves: Sequence[Any], gradients: Sequence[Array | None]) -> list[Array | None]:
        """Gradients with what waits in `.grad` to be averaged."""
        if not self.is_holding:
            return list(gradients)
        return [total_gradient(leaf._grad, gradient) for leaf, gradient in zip(leaves, gradients)]

    def progress(self) -> None:
        """MPI moves messages on only while it is called."""
        if self.requests:
            self.requests[-1].Test()

    def finish(self, *gradients: Array | None) -> list[Array | None]:
        """The averaged gradients of all parameters, None for those that have none on any rank."""
        header, request = self.header  # type: ignore[misc]
        timeout, step = self.ranks.timeout, f"of backward {self.backwards}"
        self.ranks.wait(request, f"the beginning {step}", timeout)
        for number, request in enumerate(self.requests):
            what = f"gradients {step}, bucket {number + 1} of {len(self.buckets)}"
            self.ranks.wait(request, what, timeout)
        self.is_running = False
        total = total_of(self.samples_in(header)) if self.weighted else self.ranks.size
        if not all(bucket.is_finite() for bucket in self.buckets):
            self.refuse_what_is_not_finite(gradients)
        averages = {
            leaf: average
            for bucket in self.buckets
            for leaf, average in zip(bucket.leaves, bucket.divided(total))
        }
        flags: list[int] = np.bitwise_or.reduce(np.unpackbits(header[:, COUNTS:], axis=1)).tolist()
        return [averages[leaf] if flag else None for leaf, flag in zip(self.leaves, flags)]

    def samples_in(self, headers: Array) -> list[list[int]]:
        """For each rank the samples of its forwards."""
        rows = np.ascontiguousarray(headers[:, :COUNTS]).view(np.int32)
        if TOO_MANY in rows[:, 0]:
            raise RankError(
                f"DataParallel: gradients were accumulated over more than {FORWARDS} forwards of different "
                "numbers of samples; average them more often"
            )
        return [row[1 : 1 + row[0]].tolist() for row in rows]

    def refuse_what_is_not_finite(self, gradients: Sequence[Array | None]) -> None:
        """Raise RankError, on all ranks, with the parameters and ranks that NaN or infinities come from."""
        totals = self.with_held(self.leaves, gradients) if self.count else []
        problem = next(
            (
                f"{self.names[leaf]} ({show_array(total)}{describe_nonfinite(total)})"
                for leaf, total in zip(self.leaves, totals)
                if total is not None and not np.isfinite(total).all()
            ),
            "",
        )
        problems = self.channel.gather_texts(problem, f"why backward {self.backwards} is not finite")
        named = [f"of {text} on rank {rank}" for rank, text in enumerate(problems) if text]
        said = ", ".join(named) or "in their sum over the ranks, which overflows"
        raise RankError(f"DataParallel: gradients are not finite: {said}; nothing was written to .grad")

    def forget(self) -> None:
        """What waited in `.grad` has been averaged, and is about to be written there."""
        if self.is_holding:
            set_grads(self.leaves, [None] * len(self.leaves))
            self.held, self.is_holding = [], False


def total_gradient(before: Array | None, gradient: Array | None) -> Array | None:
    """Their sum, where there are both."""
    if before is None or gradient is None:
        return before if gradient is None else gradient
    return np.add(before, gradient)
