"""The error that a failed check raises, and what it says.

The comparison alone says which entry is wrong. Where the folders diagnosis/ and repair/ are there, they say
which op and rule is to blame, what kind of wrong it is, and which edit makes it right. Nothing else needs
them: without these folders gradcheck finds the same faults.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from ..errors import GradcheckError, RuleError
from .calls import calls_of, raised_in
from .fault import Fault
from .function import Function
from .tolerance import Tolerance
from .wording import assemble, is_there, name_of, place_of


def as_fault(error: Exception, function: Function, order: int) -> Exception | None:
    """What an exception out of a comparison, of this order, says of a function: a fault as it is, one that a
    rule raised as the fault of that rule. None for what no rule has to do with.
    """
    if isinstance(error, (Fault, RuleError)):
        return error
    raised = raised_in(error, calls_of(function, order))
    if raised is None:
        return None
    text = f"{type(error).__name__}: {error}" if str(error) else repr(error)
    fault = Fault("raises", f"the rule raises {text}", *raised, order)
    fault.__cause__ = error
    return fault


def error_of(
    fn: Callable[..., Any],
    function: Function,
    order: int,
    fault: Exception,
    tolerance: Tolerance,
    note: str,
    repair: bool = False,
) -> GradcheckError:
    """The error to raise for a fault of a function.

    order: of the comparison that found it; note: what the message ends with; repair: look for an edit of the
    rule that makes it right, too.
    """
    if is_there("diagnosis"):
        explain = import_module(".diagnosis.message", __package__).error_of
        explained: GradcheckError = explain(fn, function, order, fault, tolerance, note, repair)
        return explained
    rule = [str(fault.rule)] if isinstance(fault, Fault) and fault.rule else []
    kind = getattr(fault, "kind", "rule")
    return assemble(f"{name_of(fn)} fails", fault, [*rule, place_of(fn)], kind, note)
