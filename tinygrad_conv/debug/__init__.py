"""Looking at what the engine does: nothing in here is needed to train, and the engine imports none of it.

listing.py      the tape as a list of lines
stepping.py     the backward one op at a time, each a `Step` (step.py) with its forward values (values.py);
                what observes it: breakpoints.py, anomaly.py, profiler.py
recorded.py     a backward as data; what can be asked of it: difference.py, rerun.py, checking.py,
                explain.py (what it says of ops: factors.py, readings.py), trace.py; explanations/  how each
                kind of op's gradient comes about; record.py: how it is made, and all of these as methods
recording_file/ what stands in the file of a recording, and what must hold of it before anybody uses it
flow.py         how large the numbers are, as a table; training/  over time, as a film or a log
debugger.py     a pdb, and settings for VS Code, that pass the engine by
graph.py        why is there no gradient, and who keeps this graph alive; cut.py: which line cut the tape
                (syntax.py)
notebook/       what notebooks show of all these; page/  a recording as a web page
terminal/       `python -m tinygrad_conv step SCRIPT`: a prompt at a script's backward
doctor/         why does this net not learn: a few steps watched, and what is wrong with them
script.py       what commands that run a script ask for
"""

from __future__ import annotations

from ..engine.observe import Call
from ..engine.registry import DOORS
from . import factors, page, readings  # noqa: F401 (importing declares what explain says of ops)
from .anomaly import detect_anomaly
from .breakpoints import break_on, breakpoints_here, where_am_i
from .cut import cut_of
from .debugger import set_trace
from .doctor import doctor
from .explain import Factors, explains
from .explanations import StepExplanation, explain_step
from .graph import who_keeps, why_no_grad
from .listing import Line, Tape
from .notebook import nets, reports, tensors
from .page import program
from .profiler import profile
from .record import Recording, load, record
from .step import Step
from .stepping import StepObserver as Observer
from .stepping import steps
from .training import film, watch

__all__ = [
    "Call",
    "Factors",
    "Line",
    "Observer",
    "Recording",
    "Step",
    "StepExplanation",
    "Tape",
    "break_on",
    "breakpoints_here",
    "detect_anomaly",
    "doctor",
    "explain_step",
    "explains",
    "film",
    "load",
    "profile",
    "set_trace",
    "watch",
    "where_am_i",
    "who_keeps",
    "why_no_grad",
]

DOORS.update(
    {
        "cut": cut_of,
        "tape": Tape,
        "steps": steps,
        "record": record,
        "explains": explains,
        "tensor_html": tensors.show_tensor,
        "node_html": tensors.show_node,
        "step_html": tensors.show_step,
        "module_html": nets.show_module,
        "summary_html": nets.show_summary,
        "flow_html": reports.show_flow,
        "profile_html": reports.show_profile,
        "program_html": reports.show_program,
        "report_html": reports.show_report,
        "layers_html": reports.show_layers,
        "finding_html": reports.show_finding,
        "doctor_html": reports.show_doctor,
        "tape_html": page.embedded,
        "program_page": program.write,
    }
)
