"""Sharing the rows of a large kernel between threads.

NumPy lets go of the interpreter's lock while it computes, so ordinary Python threads work in parallel: each
takes some of the rows, copies and matrix products alike. That beats the BLAS library's own threads, which
divide the products alone and then spin, waiting for the next one. But both at once would fight for the
processors, so BLAS is held at one thread meanwhile, and gets its own number back on the way out (`blas`).
Where it cannot be held it keeps its threads, and there are no others.

The work is always cut into the same parts for the same number of threads, whoever is free to do them, and
what the parts yield is added in their order: a program gives the same bits in every run.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from threading import Lock
from typing import Any, NamedTuple, TypeVar

import numpy as np

from . import blas
from .window import Array, Window
from .workers import Part, Workers

Result = TypeVar("Result")

# Measured on two cores, float32, OpenBLAS 0.3.31:
WORTH_HOLDING_BLAS = 250_000  # multiplications: with fewer BLAS has one thread anyway; holding it takes time
# Microseconds on one core. Of 200 to 400 two threads took 1.1 to 2 times as long as one: what one has written
# is far from the other's processor.
WORTH_SHARING = 400.0
HAND_OFF = 40.0  # microseconds: a worker begins so long after it was handed work, and who waits for it too
MULTIPLICATIONS_PER_MICROSECOND = 50_000  # roughly, with the additions, with AVX2
MULTIPLICATIONS_UNPACKED = 80_000  # the same with AVX-512


def get_num_threads() -> int:
    """How many threads a large kernel uses.

    As many as there are processors, unless `set_num_threads` was called.
    """
    return _state.wanted or _default_threads()


def set_num_threads(n: int) -> None:
    """Let large kernels use n threads from now on, in the whole process.

    More than one needs a BLAS that can be held at one: NumPy's wheels have one, for others `threadpoolctl` is
    needed. Without there is a warning, and BLAS goes on using its own threads.
    """
    if not isinstance(n, (int, np.integer)):
        raise TypeError(f"set_num_threads: n must be a whole number, not {n!r}")
    if n < 1:
        raise ValueError(f"set_num_threads: n must be at least 1, not {n}")
    if n > 1 and not blas.libraries():
        warnings.warn(
            "set_num_threads has no effect, for NumPy's BLAS cannot be held at one thread; for MKL, BLIS and "
            "OpenMP's threads: pip install threadpoolctl",
            stacklevel=2,
        )
        n = 1
    _state.change(n)


def share(work: Callable[[int, int], Result], count: int, microseconds: float) -> list[Result]:
    """[work(first, last), ...] over consecutive parts of range(count), in parallel if that is worth it.

    `microseconds` is an estimate for one core. No part is running when this returns or raises. A caller whose
    work multiplies matrices holds BLAS meanwhile.
    """
    parts = min(get_num_threads(), count) if microseconds >= WORTH_SHARING else 1
    if parts <= 1:
        return [work(0, count)]
    first_end, *ends = shares(count, parts, microseconds)
    settings = np.geterr()
    handed = [Part(work, first, last, settings) for first, last in pairwise([first_end, *ends])]
    workers = _state.pool()
    try:
        for part in handed:
            workers.take(part)
        results = [work(0, first_end)]
        # Where other programs are busy a worker may not have begun by now: its part is done sooner here.
        results += [part.outcome() for part in handed]
    finally:
        # Even if a part fails or is interrupted: the others write into arrays that the caller is about to
        # drop.
        for part in handed:
            if not part.is_mine():
                part.wait()
    return results


def hand_over(part: Part) -> None:
    """Have it done by a thread that has nothing else to do, or by whoever asks for its outcome before."""
    _state.pool().take(part)


class Work(NamedTuple):
    """What `share` is given: work(first, last) for parts of range(rows), and a guess of its time."""

    work: Callable[[int, int], Any]
    rows: int
    microseconds: float


def share_in_turn(works: list[Work]) -> list[Any]:
    """What all parts of all works yield, as if these were one: threads are handed something only once."""
    if len(works) == 1:
        return share(*works[0])

    def work(first: int, last: int) -> list[Any]:
        results, start = [], 0
        for each in works:
            begin, end = max(first - start, 0), min(last - start, each.rows)
            if begin < end:
                results.append(each.work(begin, end))
            start += each.rows
        return results

    count, microseconds = sum(each.rows for each in works), sum(each.microseconds for each in works)
    return [result for results in share(work, count, microseconds) for result in results]


def shares(count: int, parts: int, microseconds: float) -> list[int]:
    """Where the parts of range(count) end.

    The caller's is the longest: the others begin later, and must be waited for.
    """
    head_start = (parts - 1) * HAND_OFF / max(microseconds, HAND_OFF)
    mine = min(count - parts + 1, round(count * (1 + head_start) / parts))
    return [mine + (count - mine) * part // (parts - 1) for part in range(parts)]


def sum_of_parts(parts: list[Array]) -> Array:
    """What the parts yield added up, in their order; the first is overwritten."""
    total = parts[0]
    for part in parts[1:]:
        total += part
    return total


def correlation_time(window: Window, samples: int, weights: int) -> float:
    """A rough guess of a correlation, in microseconds on one core: each weight meets each output place."""
    return product_time(samples * window.out[0] * window.out[1] * weights)


def product_time(multiplications: int) -> float:
    """The same of any product."""
    unpacked = blas.blas_multiplies_unpacked()
    return multiplications / (MULTIPLICATIONS_UNPACKED if unpacked else MULTIPLICATIONS_PER_MICROSECOND)


class _State:
    """What threads share; a new one is made in a forked child, which inherits memory but no threads."""

    def __init__(self, wanted: int | None = None) -> None:
        self.wanted = wanted
        self.lock = Lock()
        self.workers: Workers | None = None

    def pool(self) -> Workers:
        """The worker threads, started when first needed: one fewer than wanted, for the caller works too."""
        with self.lock:
            if self.workers is None:
                self.workers = Workers(max(1, get_num_threads() - 1))
            return self.workers

    def change(self, wanted: int | None) -> None:
        """Another number of threads. The old ones finish what they were handed, and end.

        Whoever hands them something only now does it alone.
        """
        with self.lock:
            if self.workers is not None:
                self.workers.stop()
            self.workers, self.wanted = None, wanted


_state = _State()


def _start_anew_after_fork() -> None:
    global _state
    _state = _State(_state.wanted)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew_after_fork)


@cache
def _default_threads() -> int:
    if not blas.libraries():
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
