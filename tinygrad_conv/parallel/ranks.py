"""The ranks of a parallel training, and how one of them waits for the others without being left alone."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

from ..dtypes import Array
from ..errors import RankError
from .failure import end_all_with_one, say_goodbye
from .library import mpi
from .roll_call import RollCall

TIMEOUT = 300.0  # seconds
TEXT_BYTES = 400  # of what a rank tells all others about itself
SPIN, SHORT_NAP, LONG_NAP = 2e-4, 1e-2, 1e-3  # seconds: yield until, nap briefly until, nap so long


class Ranks:
    """The processes of a communicator. `ranks_of` makes one for each communicator.

    timeout: how many seconds a rank waits for another that neither comes nor ends; None: for ever.
    """

    def __init__(self, comm: Any) -> None:
        self.comm = comm
        self.rank: int = comm.Get_rank()
        self.size: int = comm.Get_size()
        self.timeout: float | None = TIMEOUT
        self.turns = 0  # of the helpers, which the ranks take together
        self.roll_call: RollCall | None = None
        if self.size > 1:
            self.roll_call = RollCall(self.duplicate("the first call of tg.parallel"))
            say_goodbye(self.roll_call)
        self.helpers = Channel(self)
        self.statistics = Channel(self)  # of synchronised batch norms

    def __deepcopy__(self, memo: Any) -> Ranks:
        return self  # of a layer that is copied

    def duplicate(self, what: str) -> Any:
        """A communicator of the same ranks, which meet to make it."""
        comm, request = self.comm.Idup()
        self.wait(request, what, self.timeout)
        return comm

    def wait(self, request: Any, what: str, timeout: float | None = None) -> None:
        """Wait until a request is done, and let other processes run meanwhile.

        what: what is waited for, in words that are the same on all ranks. Raises RankError where it can never
        be done, for ranks wait for something else or have ended, and after the timeout.
        """
        began = time.monotonic()
        waiting = None
        while not request.Test():
            elapsed = time.monotonic() - began
            if waiting is None and self.roll_call is not None and elapsed > self.roll_call.PATIENCE:
                waiting = self.roll_call.begin(what)
            if waiting is not None:
                waiting.look()
            if timeout is not None and elapsed > timeout:
                who = "" if waiting is None else waiting.missing()
                raise RankError(f"rank {self.rank} has waited {elapsed:.0f} s for {what}{who}")
            let_others_run(elapsed)
        if waiting is not None:
            waiting.end()


class Channel:
    """A communicator of its own, so that what runs here never meets what runs elsewhere."""

    def __init__(self, ranks: Ranks) -> None:
        self.ranks = ranks
        self.comm: Any = ranks.duplicate("a communicator") if ranks.size > 1 else None

    def gather(self, numbers: Array, what: str) -> Array:
        """The arrays of all ranks, [ranks, ...]."""
        gathered, request = self.begin_gather(numbers)
        self.ranks.wait(request, what, self.ranks.timeout)
        return gathered

    def begin_gather(self, numbers: Array) -> tuple[Array, Any]:
        """Where they will be once the request is done."""
        gathered = np.empty((self.ranks.size, *numbers.shape), numbers.dtype)
        return gathered, self.comm.Iallgather(numbers, gathered)

    def begin_sum(self, numbers: Array) -> Any:
        """The sum over all ranks will be in the array once the request is done."""
        return self.comm.Iallreduce(mpi().IN_PLACE, numbers)

    def sum(self, numbers: Array, what: str) -> Array:
        """The sum over all ranks, in the array."""
        self.ranks.wait(self.begin_sum(numbers), what, self.ranks.timeout)
        return numbers

    def broadcast(self, numbers: Array, what: str, patient: bool = False) -> Array:
        """The array of rank 0, in this one. patient: without a limit in time."""
        request = self.comm.Ibcast(numbers.reshape(-1).view(np.uint8), 0)
        self.ranks.wait(request, what, None if patient else self.ranks.timeout)
        return numbers

    def broadcast_bytes(self, content: bytes, what: str, patient: bool = False) -> bytes:
        """The bytes of rank 0."""
        size = self.broadcast(np.array([len(content)]), what, patient)
        numbers = np.empty(size[0], np.uint8)
        if self.ranks.rank == 0:
            numbers[:] = np.frombuffer(content, np.uint8)
        return self.broadcast(numbers, what, patient).tobytes()

    def gather_texts(self, text: str, what: str) -> list[str]:
        """A short text of each rank."""
        content = text.encode()[:TEXT_BYTES]
        numbers = np.zeros(TEXT_BYTES, np.uint8)
        numbers[: len(content)] = np.frombuffer(content, np.uint8)
        return [each.tobytes().rstrip(b"\0").decode(errors="ignore") for each in self.gather(numbers, what)]


_known: dict[int, Ranks] = {}  # by the handle of the communicator


def communicator(comm: Any = None) -> Any:
    """A communicator of mpi4py's, by default that of all processes. From here on one that fails ends all."""
    world = mpi().COMM_WORLD
    end_all_with_one(world.Get_rank(), world.Get_size())
    return world if comm is None else comm


def ranks_of(comm: Any = None) -> Ranks:
    """The ranks of a communicator. They call it together, the first time."""
    if isinstance(comm, Ranks):
        return comm
    comm = communicator(comm)
    key = comm.py2f()
    if key not in _known:
        _known[key] = Ranks(comm)
    return _known[key]


def let_others_run(elapsed: float) -> None:
    """Give the processor away for a moment; the longer one waits, the longer the moment."""
    if elapsed < SPIN:
        os.sched_yield() if hasattr(os, "sched_yield") else time.sleep(0)
    else:
        time.sleep(SPIN / 4 if elapsed < SHORT_NAP else LONG_NAP)
