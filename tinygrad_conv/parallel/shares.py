"""Who has how many samples: what is shared out, and what a mean over all of them weighs.

Rank r has the mean gradient g_r of its n_r samples. That of all N = Σ n_r samples is Σ n_r g_r / N.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import RankError


def share_of(count: int, rank: int, size: int) -> range:
    """The places of `count` samples that are a rank's: neighbours, and one more for the first ranks where the
    division leaves a rest.
    """
    least, rest = divmod(count, size)
    start = rank * least + min(rank, rest)
    return range(start, start + least + (rank < rest))


def total_of(counts: Sequence[Sequence[int]]) -> int:
    """What the sum of gradients is divided by, each of which was multiplied by its rank's first count.

    counts: for each rank the samples of each forward that gradients came back through since they were
    averaged last; none for a rank that made no forward. Where there were several, one weight must do for all
    of their gradients, which have been added up by then: so each must have been shared out in the same
    proportion. Raises RankError, on all ranks, where they were not.
    """
    if not any(counts):
        return len(counts)
    empty = [rank for rank, row in enumerate(counts) if not row]
    if empty:
        raise RankError(
            f"DataParallel: rank {empty[0]} goes backward without a forward of the wrapped model, others "
            "made one; call net(x), not net.module(x), on every rank"
        )
    forwards = max(map(len, counts))
    rows = [list(row) * forwards if len(set(row)) == 1 else list(row) for row in counts]
    columns = list(zip(*(row[:forwards] for row in rows)))
    totals = list(map(sum, columns))
    same_shares = all(
        each * totals[0] == first * total
        for column, total in zip(columns, totals)
        for each, first in zip(column, columns[0])
    )
    if len(columns) < forwards or not same_shares:
        raise RankError(
            "DataParallel: gradients were accumulated over batches that are shared out in different "
            f"proportions (samples by rank and forward: {list(map(list, counts))}), so that no single weight "
            "is right for their sum; leave out the last, smaller batch (drop_last=True), or accumulate over "
            "batches of one size"
        )
    return totals[0]
