"""Looking at what the engine does: nothing in here is needed to train, and the engine imports none of it.

listing.py      the tape as a list of lines
walk.py         the backward one op at a time, each a `Step` (step.py) with its forward values (values.py)
watch.py        taking part in every op and backward: breakpoints.py, anomaly.py, profiler.py
record.py       a run as data, with difference.py, saving.py, rerun.py, checking.py, explain.py, factors.py,
trace.py
graph.py        why is there no gradient, and who keeps this graph alive
terminal/       `python -m tinygrad_conv step SCRIPT`: a prompt at a script's backward; page/  the recording
as a web page
"""

from __future__ import annotations

from . import factors  # noqa: F401 (importing declares what the factors of the ops are called)
from .anomaly import detect_anomaly
from .breakpoints import break_on, breakpoints_here, where_am_i
from .explain import Factors, explains
from .graph import who_keeps, why_no_grad
from .listing import Line, Tape
from .profiler import profile
from .record import Recording
from .saving import load
from .step import Step
from .watch import Call, Observer

__all__ = [
    "Call",
    "Factors",
    "Line",
    "Observer",
    "Recording",
    "Step",
    "Tape",
    "break_on",
    "breakpoints_here",
    "detect_anomaly",
    "explains",
    "load",
    "profile",
    "where_am_i",
    "who_keeps",
    "why_no_grad",
]
