"""What all ranks do together, and what rank 0 does alone while the others wait."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from ..engine.tensor import Tensor
from ..errors import RankError
from .ranks import communicator, ranks_of

Result = TypeVar("Result")


def rank(comm: Any = None) -> int:
    """The number of this process, from 0. comm: among those of a communicator of mpi4py's, not of all."""
    number: int = communicator(comm).Get_rank()
    return number


def world_size(comm: Any = None) -> int:
    """How many processes there are: 1 where no mpiexec has started this one."""
    count: int = communicator(comm).Get_size()
    return count


def is_main(comm: Any = None) -> bool:
    """Whether this is rank 0, which alone prints and writes files."""
    return rank(comm) == 0


def print_main(*values: Any, comm: Any = None, **options: Any) -> None:
    """`print` on rank 0; nothing elsewhere."""
    if is_main(comm):
        print(*values, **options)


def barrier(comm: Any = None) -> None:
    """Go on when all ranks have come here. Raises RankError where some never will."""
    ranks = ranks_of(comm)
    if ranks.size > 1:
        what = next_turn(ranks, "barrier")
        ranks.wait(ranks.helpers.comm.Ibarrier(), what, ranks.timeout)


def average(value: Any, count: float = 1, comm: Any = None) -> float:
    """Σ count · value / Σ count over all ranks, in float64: a mean over samples of the means of the ranks.

    value: a number or a tensor with one. A rank whose count is 0 adds nothing, whatever its value is (the
    mean of no samples is NaN). NaN where all counts are 0.
    """
    ranks = ranks_of(comm)
    number = float(value.data if isinstance(value, Tensor) else value)
    sums = np.array([number * count if count else 0.0, count], np.float64)
    if ranks.size > 1:
        sums = ranks.helpers.sum(sums, next_turn(ranks, "average"))
    return float(sums[0] / sums[1]) if sums[1] else float("nan")


def on_main(function: Callable[..., Result], *inputs: Any, comm: Any = None, **options: Any) -> Result:
    """Call a function on rank 0 while the others wait, however long; all get what it returns.

        tg.parallel.on_main(checkpoints.save, epoch, model=net, optimizer=optimizer)

    What it returns is pickled for the others. An exception in it is a RankError on these.
    """
    ranks = ranks_of(comm)
    if ranks.size == 1:
        return function(*inputs, **options)
    what = next_turn(ranks, f"on_main({getattr(function, '__qualname__', 'a function')})")
    if ranks.rank:
        kind, result = pickle.loads(ranks.helpers.broadcast_bytes(b"", what, patient=True))
        if kind == "error":
            raise RankError(f"{what} failed on rank 0: {result}")
        return result
    try:
        made = function(*inputs, **options)
        content = pickle.dumps(("result", made))
    except Exception as error:
        said = pickle.dumps(("error", f"{type(error).__name__}: {error}"))
        ranks.helpers.broadcast_bytes(said, what)
        raise
    ranks.helpers.broadcast_bytes(content, what)
    return made


def next_turn(ranks: Any, name: str) -> str:
    """What the ranks do together now, in words that are the same on all."""
    ranks.turns += 1
    return f"{name} (call {ranks.turns} of a helper in tg.parallel)"
