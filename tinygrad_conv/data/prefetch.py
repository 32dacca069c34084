"""Batches made ahead by a thread, in their order: while the loop computes with one, the next is on its way.

NumPy lets other threads run in its larger parts. There is one thread, so that everything happens in the same
order as without it: what is drawn, what is read.
"""

from __future__ import annotations

import contextvars
import threading
from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..engine.observed import OBSERVATION

PATIENCE = 1.0  # seconds that a loop which ends early waits for the thread to have ended, too


class Outcome(NamedTuple):
    """What the next item of an iterator is: an item, or the error that was raised in its place."""

    item: Any
    error: BaseException | None


END = Outcome(None, StopIteration())


def outcome_of(items: Iterator[Any]) -> Outcome:
    """The next item, or the error."""
    try:
        return Outcome(next(items), None)
    except StopIteration:
        return END
    except BaseException as error:
        return Outcome(None, error)


class Prefetch(Iterator[Any]):
    """The items of an iterator, up to `ahead` of them made in advance by a thread of this context.

    What the iterator raises is raised where that item would be had, with its own traceback; then, as without
    a thread, the next item may be asked for. The thread holds no reference to whoever takes the items, and so
    these can end it when they are dropped.
    """

    def __init__(self, items: Iterator[Any], ahead: int) -> None:
        self.items, self.ahead = items, ahead
        self.ready: deque[Outcome] = deque()
        self.is_stopped = False
        self.changed = threading.Condition()
        context = contextvars.copy_context()
        context.run(OBSERVATION.set, None)  # a debugger looks at the loop, and not in two threads at once
        self.thread = threading.Thread(
            target=context.run, args=(self.run,), name="tinygrad_conv DataLoader", daemon=True
        )
        self.thread.start()

    def run(self) -> None:
        """What the thread does."""
        try:
            while self.has_room() and self.add(outcome_of(self.items)):
                pass
        finally:
            self.items = iter(())  # what it holds is needed no longer
            self.add(END)

    def has_room(self) -> bool:
        """Whether to make another item; waits until it is known."""
        with self.changed:
            self.changed.wait_for(lambda: self.is_stopped or len(self.ready) < self.ahead)
            return not self.is_stopped

    def add(self, outcome: Outcome) -> bool:
        """An item is ready, or an error; whether another may come."""
        with self.changed:
            self.ready.append(outcome)
            self.changed.notify_all()
        error = outcome.error
        return error is None or isinstance(error, Exception) and not isinstance(error, StopIteration)

    def __next__(self) -> Any:
        with self.changed:
            self.changed.wait_for(lambda: self.ready or self.is_stopped)
            outcome = self.ready.popleft() if self.ready else END
            if isinstance(outcome.error, StopIteration):
                self.ready.append(END)  # for whoever asks again
            self.changed.notify_all()
        if outcome.error is not None:
            raise outcome.error
        return outcome.item

    def stop(self, patience: float | None = PATIENCE) -> None:
        """End the thread, and wait for it: until it has made the item that it is at, or for some seconds."""
        with self.changed:
            self.is_stopped = True
            self.ready.clear()
            self.changed.notify_all()
        if threading.current_thread() is not self.thread:  # where garbage is collected in the thread itself
            self.thread.join(patience)
