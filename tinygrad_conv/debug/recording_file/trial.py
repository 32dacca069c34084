"""Do the ops take what was recorded of them? Each of this package's is run once on it, rules and forward.

What a file says of a stride or of an index fits its arrays, or does not; that is for the op to say, and it is
found out when the file is read, not when somebody asks for a rerun. Ops that were declared elsewhere are not
run: what they raise is their author's to see, in the debugger.
"""

from __future__ import annotations

import numpy as np

from ...engine.modes import enable_grad
from ...engine.observed import unobserved
from ...engine.registry import OPS
from ...engine.tensor import Tensor
from ...errors import RecordingError, show_shape
from ...foreign import is_own
from ...members import members_of
from ..checking import flat, forward
from ..recorded import Recorded
from ..rerun import node_of, placeholders_of
from ..step import Step
from ..stepping import contributions
from .sizes import check_sizes


def try_ops(recording: Recorded) -> None:
    """Raise RecordingError for the first step whose op does not take what was recorded of it."""
    for position, step in enumerate(recording):
        if step.op in OPS and is_own(OPS[step.op].forward):
            try:
                try_op(step)
            except Exception as error:
                raise RecordingError(
                    f"structure: steps[{position}] is no {step.op} that could have run: "
                    f"{type(error).__name__}: {error}"
                ) from error


def try_op(step: Step) -> None:
    """Run its rules, whose results are bounded by the recorded shapes, and then its forward."""
    check_sizes(step, OPS[step.op].broadcasting)
    with unobserved(), np.errstate(all="ignore"):
        contributions(node_of(step, placeholders_of(step)), step.grad_output)
        try_derivatives(step)
        inputs = list(flat(step.inputs))
        if any(value is None for value in inputs):
            return  # a constant that no rule reads
        shapes = [output.shape for output in forward(step, inputs)]
    recorded = [shape for shape, _ in step.shapes]
    if shapes != recorded:
        raise ValueError(
            f"it makes {', '.join(map(show_shape, shapes))}, not {', '.join(map(show_shape, recorded))}"
        )


def try_derivatives(step: Step) -> None:
    """Run its rules on Tensors, as where they are explained: what an array takes, an op need not."""
    dys = [None if dy is None else Tensor(dy, requires_grad=True) for dy in members_of(step.grad_output)]
    with enable_grad():
        node = node_of(step, placeholders_of(step))
        contributions(node, step.as_dy(dys), create_graph=True)
