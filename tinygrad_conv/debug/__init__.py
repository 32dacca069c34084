"""Looking at what the engine does: nothing in here is needed to train, and the engine imports none of it.

    listing.py      the tape as a list of lines
    walk.py         the backward one op at a time, each a `Step` (step.py) with its forward values (values.py)
    watch.py        taking part in every op and backward: breakpoints.py, anomaly.py, profiler.py
    record.py       a run as data: look at it, compare, save, change and run again; checking.py, explain.py, trace.py
    graph.py        why is there no gradient, and who keeps this graph
"""

from __future__ import annotations

from .breakpoints import break_on, where_am_i
from .listing import Line, Tape
from .record import Recording
from .saving import load
from .step import Step

__all__ = ["Line", "Recording", "Step", "Tape", "break_on", "load", "where_am_i"]
