"""Threads that wait for parts of some work.

A hand-off takes two wake-ups, of a worker and of who waits for it, and as long as these take no part can be
worth handing over. `ThreadPoolExecutor` adds as much again, with a Future, a condition and a semaphore for
each part. Here there is an entry that says whose the part is, and a lock that opens when it is done.
"""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue
from threading import Lock, Thread, get_ident
from typing import Any

import numpy as np

from .processors import current_processor, leave


class Part:
    """work(first, last), which whoever claims it first does: a worker, or the thread that shares the work."""

    __slots__ = ("bounds", "error", "finished", "owner", "processor", "result", "settings", "work")

    def __init__(self, work: Callable[[int, int], Any], first: int, last: int, settings: Any) -> None:
        """settings: for floating-point errors, of the thread that shares; each thread has its own."""
        self.work, self.bounds, self.settings = work, (first, last), settings
        self.owner: dict[str, object] = {}  # who claimed it
        self.processor = current_processor()  # of the thread that shares
        self.finished = Lock()
        self.finished.acquire()
        self.result: Any = None
        self.error: BaseException | None = None

    def claim(self, who: object) -> bool:
        """Whether it is theirs to do; nobody else's then.

        Asked again it says the same: a thread that is interrupted after its claim does not wait for itself.
        """
        return self.owner.setdefault("", who) == who  # a single step of the interpreter

    def is_mine(self) -> bool:
        """Whether it is for the thread that shares to do, which asks."""
        return self.claim(get_ident())

    def run(self) -> None:
        """Do it, in the thread that claimed it; its error is for the one that shares."""
        try:
            with np.errstate(**self.settings):
                self.result = self.work(*self.bounds)
        except BaseException as error:
            self.error = error
        finally:
            self.finished.release()

    def wait(self) -> None:
        """Until whoever claimed it has done it."""
        with self.finished:
            pass

    def outcome(self) -> Any:
        """What it yields, once it is done, here if nobody has begun by now; or its error is raised."""
        if self.is_mine():
            self.run()
        else:
            self.wait()
        if self.error is not None:
            raise self.error
        return self.result


class Workers:
    """Some threads that do the parts they are given, in their order; they end with the process."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.parts: SimpleQueue[Part | None] = SimpleQueue()
        for number in range(count):
            name = f"tinygrad_conv_{number}"
            Thread(target=work_through, args=(self.parts,), name=name, daemon=True).start()

    def take(self, part: Part) -> None:
        """A part for the next of them that has nothing to do."""
        self.parts.put(part)

    def stop(self) -> None:
        """They end when they have done what they were given."""
        for _ in range(self.count):
            self.parts.put(None)


def work_through(parts: SimpleQueue[Part | None]) -> None:
    """What a worker does, until it gets None."""
    while (part := parts.get()) is not None:
        if part.claim(object()):  # not if it is this very thread that shares it, from within another part
            leave(part.processor)
            part.run()
        del part  # and the arrays that its work refers to
