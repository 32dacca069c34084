"""On which processor a thread runs, and how it leaves one where another thread computes.

A thread that is woken may find itself beside who has woken it: where no processor is idle Linux puts it there
rather than on another, and kernels of virtual machines do so to let a processor sleep. Then the two take
turns, and what they share takes as long as if one did it all, perhaps for the rest of a training. So a worker
moves on first. It is told to run elsewhere and, once it does, that it may run wherever it might before: from
then on the scheduler is free again.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache


def current_processor() -> int | None:
    """The number of the processor that this thread runs on; None where the system does not say."""
    ask = asks_for_processor()
    return None if ask is None else ask()


def leave(processor: int | None) -> None:
    """Have this thread go on elsewhere, if it is on this processor, and may be on others."""
    if processor is None or current_processor() != processor:
        return
    allowed = os.sched_getaffinity(0)
    elsewhere = allowed - {processor}
    if not elsewhere:
        return
    try:
        os.sched_setaffinity(0, elsewhere)  # it has moved when this returns
        os.sched_setaffinity(0, allowed)
    except OSError:
        pass  # it may not choose here, or the processors have just become others


@cache
def asks_for_processor() -> Callable[[], int] | None:
    """The C library's function; None unless threads can be told where to run, too."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    try:
        from ctypes import PyDLL  # which keeps the interpreter's lock: to let go of it would take longer

        ask: Callable[[], int] = PyDLL(None).sched_getcpu
    except (ImportError, OSError, AttributeError):
        return None
    return ask
