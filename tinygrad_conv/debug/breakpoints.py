"""Stopping a debugger where it is wanted, and knowing where one is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from ..engine.backward import Gradients
from ..engine.location import PACKAGE_FOLDER, Place
from ..engine.node import Node, nodes_behind
from ..engine.observe import Call
from ..engine.observed import BACKWARD
from ..engine.registry import OPS
from ..errors import show_count
from .step import Step, place_of
from .stepping import StepObserver
from .values import first_nonfinite


class break_on(StepObserver):
    """`with break_on("conv2d", name="net.conv1"):` calls `breakpoint()` right before the rules of such an op.

    op: the op's name; name: the path of the layer; both may be patterns (`"conv*"`), and left out match
    everything. when: a function of the `Step` (of the `Call` with forward=True); stop only if it returns
    True. forward: stop before the forward instead. nonfinite: stop once, right after the first op whose
    result, or contribution to a gradient, is not finite.

    Where the debugger stops, a local called `step` (or `call`) has everything that is known; from there the
    debugger's own `step` leads into the rule. Raises ValueError for an op that doesn't exist.
    """

    def __init__(
        self,
        op: str = "*",
        *,
        name: str = "*",
        when: Callable[[Any], Any] | None = None,
        forward: bool = False,
        nonfinite: bool = False,
    ) -> None:
        if not any(fnmatchcase(name, op) for name in OPS):
            raise ValueError(f"break_on: there is no op {op!r}; loss.tape() lists those that run")
        self.op, self.name, self.when, self.forward, self.nonfinite = op, name, when, forward, nonfinite
        self.stopped = False  # at something that is not finite

    def matches(self, event: Call | Step) -> bool:
        """Whether to stop at this step, or call."""
        named = fnmatchcase(event.op, self.op) and fnmatchcase(event.where.layer, self.name)
        return named and (self.when is None or bool(self.when(event)))

    def becomes_nonfinite(self, results: Iterable[Any]) -> bool:
        """Whether these are the first results that are not finite, and one wants to stop there."""
        return self.nonfinite and not self.stopped and first_nonfinite(results) is not None

    def before_op(self, call: Call) -> None:
        if self.forward and not self.nonfinite and self.matches(call):
            breakpoint()  # `p call`

    def before_step(self, step: Step, node: Node) -> None:
        if not self.forward and not self.nonfinite and self.matches(step):
            breakpoint()  # `p step`

    def after_op(self, call: Call) -> None:
        super().after_op(call)
        if self.becomes_nonfinite(call.outputs) and self.matches(call):
            self.stopped = True
            breakpoint()  # `p call`

    def after_step(self, step: Step) -> None:
        if self.becomes_nonfinite(step.grad_inputs.values()) and self.matches(step):
            self.stopped = True
            breakpoint()  # `p step`


def breakpoints_here() -> None:
    """Have the running debugpy (VS Code) or PyCharm debugger stop in this package's files, if installed too.

    VS Code hides installed packages by default: breakpoints in a rule are not hit, and `step into` passes
    over it. This is for programs that cannot change that in the debug configuration, where it says
    `"justMyCode": false`, or

        "rules": [{"path": "**/tinygrad_conv/**", "include": true}]

    Raises RuntimeError where no such debugger runs; pdb needs nothing of the kind.
    """
    pydevd = sys.modules.get("pydevd")
    debugger = pydevd.get_global_debugger() if pydevd else None
    if debugger is None:
        fault = "neither debugpy nor PyCharm's debugger is running"
        raise RuntimeError(f"breakpoints_here: {fault}; pdb stops anywhere without it")
    from _pydevd_bundle.pydevd_filtering import ExcludeFilter  # type: ignore[import-not-found]

    not_this_package = ExcludeFilter(f"{PACKAGE_FOLDER}**", False, True)
    debugger.set_exclude_filters([not_this_package, *debugger._files_filtering._exclude_filters])


class Whereabouts(NamedTuple):
    """Where a backward stands."""

    op: str
    rule: str  # with its file and line; "" where none of the op's rules has begun
    where: Place  # of the forward
    ahead: int  # ops still to be passed, this one included
    last: str  # the oldest of them, with which the backward will end

    def __repr__(self) -> str:
        stands = f"in {self.rule}" if self.rule else f"before the gradient rules of {self.op}"
        lines = [f"{stands}, whose forward was called at {self.where}"]
        to_go = f"{show_count(self.ahead, 'op')} to go, this one included; the last is {self.last}"
        return "\n".join([*lines, to_go])


def where_am_i() -> Whereabouts:
    """From a debugger's prompt inside a rule or above it: which op, from which line, how far along the tape.

    Raises RuntimeError where no backward is running.
    """
    gradients: Gradients | None = BACKWARD.get()
    if gradients is None or gradients.node is None:
        advice = "call it at a debugger's prompt inside a gradient rule"
        raise RuntimeError(f"where_am_i: no backward is running here; {advice}")
    node, rule = gradients.node, gradients.rule
    to_go = nodes_behind([node, *gradients.waiting.values()])
    return Whereabouts(node.op.name, repr(rule) if rule else "", place_of(node), len(to_go), repr(to_go[0]))
