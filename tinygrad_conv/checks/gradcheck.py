"""`gradcheck`: is the gradient right, and its gradient? `assert_rule` asks it of all rules of an op."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from typing import Any, Literal

import numpy as np

from ..engine.location import show_place
from ..engine.op import Op
from ..engine.tensor import Tensor
from ..options import FLAG, check_option
from .behaviour import assert_dtypes_kept
from .calls import calls_of
from .compare import compare
from .failure import as_fault, error_of
from .fault import Fault
from .function import Function, input_names, is_float_array
from .introspection import as_array, rules_of
from .pullback import gradient_of
from .tolerance import Tolerance
from .wording import assemble, body_of, name_of

MOST_NAMED = 5  # kinks that a warning names


class KinkWarning(UserWarning):
    """The function has a kink where its gradient was checked; what lies there was left out."""


class AdequacyWarning(UserWarning):
    """The gradient is right, but the inputs would have passed wrong ones too."""


def gradcheck(
    fn: Callable[..., Any],
    *inputs: Any,
    order: Literal[1, 2] = 1,
    eps: float = 1e-6,
    rtol: float = 1e-5,
    atol: float = 1e-7,
    seed: int = 0,
    repair: bool = True,
    adequacy: bool = False,
) -> bool:
    """Compare the gradient of `fn` with central differences: True, or an error that says what is wrong.

    fn: an op, or any function of Tensors that returns one or several; not only scalars. inputs: those that
    require a gradient are checked, the others are constants; float16 and float32 are promoted to float64; all
    of them may be one tuple, as in PyTorch.
    order 2 checks the gradient's own gradient too, with respect to the inputs and to the incoming gradient.
    eps: half the distance of the two points of a difference. Both modes of the rules (on arrays, and on
    Tensors under create_graph) are run and must agree; the gradient must be linear in the incoming one, and
    the same however inputs and incoming gradient lie in memory.

    Small inputs are checked entry by entry, large ones along random directions (drawn from `seed`). At a
    kink, as relu has at 0, it gives a KinkWarning instead of failing.

    repair: where a rule is wrong, and its source is at hand, try single edits of it for up to five seconds
    (in a child process; the file stays as it is), and say which make it agree with the forward.

    adequacy: where all is right, break the rules, one slip at a time, and give an AdequacyWarning that says
    which wrong rules would have passed at these inputs too, and what inputs would tell.

    Raises GradcheckError, with the op, the rule and its line, the worst entry, and a diagnosis; its `kind` is
    the diagnosis in a word. ValueError where no input requires a gradient.
    """
    if order not in (1, 2):
        raise ValueError(f"gradcheck: order must be 1 or 2, not {order!r}")
    for name, value in {"repair": repair, "adequacy": adequacy}.items():
        check_option("gradcheck", name, FLAG, value)
    if len(inputs) == 1 and isinstance(inputs[0], (tuple, list)):
        inputs = tuple(inputs[0])
    promoted = [promote(value) for value in inputs]
    function = function_of_leaves(fn, promoted)
    tolerance, rng, reached = Tolerance(eps, rtol, atol), np.random.default_rng(seed), 1
    try:
        kinks = compare(function, tolerance, rng)
        if order == 2:
            reached = 2
            kinks += compare(gradient_of(function, rng), tolerance, rng)
        assert_dtypes_kept(fn, promoted)
    except Exception as error:
        fault = as_fault(error, function, reached)
        if fault is None:
            raise
        note = promotion_note(inputs, promoted)
        raise error_of(fn, function, order, fault, tolerance, note, repair) from fault.__cause__
    if kinks:
        named = ", ".join(list(dict.fromkeys(kinks))[:MOST_NAMED])
        text = f"gradcheck: there is no derivative to compare with at the kink {named}"
        warnings.warn(text, KinkWarning, stacklevel=2)
    if adequacy:
        warn_of_blind_spots(function, tolerance)
    return True


def warn_of_blind_spots(function: Function, tolerance: Tolerance) -> None:
    """Warn of what the inputs of a function, whose gradient is right, cannot tell."""
    adequacy = import_module(".repair.adequacy", __package__)
    calls = [call for call in calls_of(function, 1) if call.checked]
    lines = adequacy.show_spots([spot for call in calls for spot in adequacy.blind_spots(call, tolerance)])
    if lines:
        warnings.warn("gradcheck: " + "\n  ".join(lines), AdequacyWarning, stacklevel=3)


def function_of_leaves(fn: Callable[..., Any], inputs: list[Any]) -> Function:
    """`fn` as a function of those inputs that require a gradient. Raises ValueError where none does."""
    checked = [
        position for position, value in enumerate(inputs) if isinstance(value, Tensor) and value.requires_grad
    ]
    if not checked:
        raise ValueError("gradcheck: no input requires a gradient; pass tg.tensor(…, requires_grad=True)")
    names = input_names(fn, len(inputs))
    arrays = [value.data if position in checked else value for position, value in enumerate(inputs)]
    try:
        return Function(fn, arrays, checked, [names[position] for position in checked])
    except ValueError as error:  # what an op hands to its forward is read-only
        if "read-only" not in str(error):
            raise
        text = f"the forward changes an input: make a new array instead ({error})"
        fault = Fault("forward mutates", text)
        what = "forward" if isinstance(getattr(fn, "func", fn), Op) else "function"
        place = f"{what} {name_of(fn)} ({show_place(body_of(fn))})"
        raise assemble(f"{name_of(fn)} fails", fault, [place], fault.kind, "") from error


def promote(value: Any) -> Any:
    """An input in float64, if it is of floats; a Tensor as a new one."""
    if isinstance(value, Tensor):
        return Tensor(promote(value.data), requires_grad=value.requires_grad)
    return value.astype(np.float64) if is_float_array(value) and value.dtype != np.float64 else value


def promotion_note(inputs: Iterable[Any], promoted: Iterable[Any]) -> str:
    """For the message: from which dtypes inputs were promoted, if any was."""
    pairs = zip(inputs, promoted)
    changed = sorted({str(old.dtype) for old, new in pairs if is_array(old) and old.dtype != new.dtype})
    return f"\n  (inputs were promoted from {', '.join(changed)} to float64)" if changed else ""


def is_array(value: Any) -> bool:
    """Whether an input is a Tensor or an array."""
    return isinstance(value, (Tensor, np.ndarray))


def assert_rule(op: Op, *inputs: Any, order: Literal[1, 2] = 2, repair: bool = True, **params: Any) -> None:
    """Check all rules of an op, at order 2 unless it is said otherwise, on these inputs and params.

        def test_my_op():
            tg.checks.assert_rule(my_op, np.random.rand(3, 4), np.random.rand(4), scale=2.0)

    inputs: arrays or Tensors; all of floats whose rule there is are checked, whether they require a gradient
    or not. Raises GradcheckError (an AssertionError) as `gradcheck` does; TypeError for what is no op.
    """
    if not isinstance(op, Op):
        raise TypeError(f"assert_rule: op must be an op, as @primitive makes it, not {type(op).__name__}")
    rules = rules_of(op, len(inputs))
    checked = [as_checked(value, rule is not None) for value, rule in zip(inputs, rules)]
    gradcheck(partial(op, **params) if params else op, *checked, order=order, repair=repair)


def as_checked(value: Any, has_rule: bool) -> Any:
    """An input as a leaf that requires a gradient, if it is of floats and there is a rule for it."""
    array = as_array(value)
    return Tensor(array, requires_grad=True) if has_rule and is_float_array(array) else value
