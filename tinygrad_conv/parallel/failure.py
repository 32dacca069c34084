"""A rank that fails ends the job: the others would wait for it for ever.

One that is killed is noticed by mpiexec, which ends all others. An exception that nobody catches is printed
with the rank, and `MPI_Abort` ends the others. One whose program ends early says so (roll_call.py).
"""

from __future__ import annotations

import atexit
import sys
import time
from types import TracebackType
from typing import Any

from ..errors import RankError
from .library import mpi

LAST_WORDS = 0.5  # seconds that the others get for theirs, where an error is raised on all ranks

_installed = False


def end_all_with_one(rank: int, size: int) -> None:
    """From now on, an exception that ends the program of this rank ends the programs of all."""
    global _installed
    if _installed or size == 1:
        return
    _installed = True
    before = sys.excepthook

    def end_all(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        print(f"rank {rank} of {size} fails, and all others are ended:", file=sys.stderr)
        before(kind, error, traceback)
        abort(LAST_WORDS if isinstance(error, RankError) else 0)

    sys.excepthook = end_all


def abort(delay: float) -> None:
    """End all ranks."""
    sys.stdout.flush()
    sys.stderr.flush()
    time.sleep(delay)
    mpi().COMM_WORLD.Abort(1)


def say_goodbye(roll_call: Any) -> None:
    """Have this rank wait for the others at the end of its program, and end all if they wait for it."""

    def leave() -> None:
        problem = roll_call.leave()
        if problem is not None:
            print(problem, file=sys.stderr)
            abort(LAST_WORDS)

    atexit.register(leave)
