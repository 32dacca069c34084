"""Where edits are tried: in a child process, which can be stopped, with a limit to its memory.

An edit may loop for ever, ask for all memory there is, or print. The child is a copy of this process (a
fork), so that rules and inputs need not be sent; where there is no fork, as on Windows, nothing is tried.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import numpy as np

MEMORY = 1 << 30  # bytes that a child may take beyond what it has
SECONDS_OF_ATTEMPT = 2.0  # seconds of computing that one attempt may take
STUCK = 4.0  # seconds after which a child is stopped that does not get on, for it cannot stop itself
POLL = 0.02  # seconds between looks at the child
MOST_CHILDREN = 10  # that are started one after another
PATIENCE = 3  # how many times as long, by the clock, a child may take where other work is in its way

Attempt = Callable[[], Any]
Attempts = Callable[[list[Any]], Iterator[Attempt]]
"""Given the list of what has been found so far, which grows, it yields what to try next."""


class Outcome(NamedTuple):
    """What trying gave: what was found, how many attempts were made, and whether those were all."""

    results: list[Any]
    tried: int
    complete: bool


def is_open() -> bool:
    """Whether a child can be made here: not on Windows, nor in a process that may not have children."""
    return "fork" in multiprocessing.get_all_start_methods() and not multiprocessing.current_process().daemon


def try_all(attempts: Attempts, seconds: float) -> Outcome:
    """Make attempt after attempt until none is left, or so many seconds of computing are over; what they
    return but None is found. One that gets stuck is given up, and the others go on, unless something has been
    found.
    """
    ends, left = time.monotonic() + PATIENCE * seconds, seconds
    results: list[Any] = []
    first, complete = 0, False
    while not complete and not results and left > 0 and time.monotonic() < ends:
        child = Child(attempts, first)
        complete = child.watch(ends, left, results)
        left -= max(child.spent.value, seconds / MOST_CHILDREN)
        first = child.at.value + 1
    return Outcome(results, first, complete)


class Child:
    """A process that makes the attempts from one on."""

    def __init__(self, attempts: Attempts, first: int) -> None:
        context = multiprocessing.get_context("fork")
        self.at: Any = context.Value("q", first, lock=False)  # the attempt that it makes
        self.spent: Any = context.Value("d", 0.0, lock=False)  # the seconds it has computed
        self.receiver, sender = context.Pipe(duplex=False)
        self.process: Any = context.Process(target=work, args=(attempts, first, self, sender), daemon=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # from 3.12 on: of forks beside threads; ours start anew
            self.process.start()
        sender.close()

    def watch(self, ends: float, seconds: float, results: list[Any]) -> bool:
        """Take in what it finds until it has tried all (True), or has to be stopped: at a time by the clock,
        or after so many seconds of computing.
        """
        last, since = self.at.value, time.monotonic()
        try:
            while time.monotonic() < ends and self.spent.value < seconds:
                while self.receiver.poll(POLL):
                    message = self.receiver.recv()
                    if message is None:
                        return True
                    results.append(message)
                if self.at.value != last:
                    last, since = self.at.value, time.monotonic()
                elif time.monotonic() - since > STUCK or not self.process.is_alive():
                    return False
            return False
        except EOFError:  # it died, of too much memory perhaps
            return False
        finally:
            self.process.kill()
            self.process.join()
            self.receiver.close()


def work(attempts: Attempts, first: int, child: Child, sender: Any) -> None:
    """What the child does: send what it finds, and None at the end."""
    be_quiet()
    limit_memory()
    signal.signal(signal.SIGVTALRM, out_of_time)
    results: list[Any] = []
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, attempt in enumerate(attempts(results)):
            if number < first:
                continue
            child.at.value, child.spent.value = number, time.process_time()
            result = outcome_of(attempt)
            if result is not None:
                results.append(result)
                sender.send(result)
    sender.send(None)


def outcome_of(attempt: Attempt) -> Any:
    """What an attempt returns; None where it fails, or takes too long."""
    try:
        with at_most(SECONDS_OF_ATTEMPT):
            return attempt()
    except Exception:
        return None


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise TimeoutError inside the block once it has computed for so long."""
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def out_of_time(*_: object) -> None:
    """The handler of that."""
    raise TimeoutError


def be_quiet() -> None:
    """Print nothing from now on."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def limit_memory() -> None:
    """Have the process take so much more memory and no more; where that can be said."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        with open("/proc/self/statm") as file:
            pages = int(file.read().split()[0])
        most = pages * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
