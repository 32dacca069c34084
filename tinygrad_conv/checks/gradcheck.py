"""`gradcheck`: is the gradient right, and its gradient?"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from ..dtypes import FLOATS
from ..engine.tensor import Tensor
from ..errors import RuleError
from .calls import assert_dtypes_kept
from .compare import Tolerance, compare
from .explain import failure
from .fault import Fault
from .function import Function, gradient_of, input_names


class KinkWarning(UserWarning):
    """The function has a kink where its gradient was checked; what lies there was left out."""


def gradcheck(
    fn: Callable[..., Any],
    *inputs: Any,
    order: Literal[1, 2] = 1,
    eps: float = 1e-6,
    rtol: float = 1e-5,
    atol: float = 1e-7,
    seed: int = 0,
) -> bool:
    """Compare the gradient of `fn` with central differences: True, or a GradcheckError that says what is
    wrong.

    fn: an op, or any function of Tensors that returns one or several; not only scalars. inputs: those that
    require a gradient are checked, the others are constants; float16 and float32 are promoted to float64.
    order 2 checks the gradient's own gradient too, with respect to the inputs and to the incoming gradient.
    eps: half the distance of the two points of a difference. Both modes of the rules (on arrays, and on
    Tensors under create_graph) are run and must agree; the gradient must be linear in the incoming one, and
    the same however inputs and incoming gradient lie in memory.

    Small inputs are checked entry by entry, large ones along random directions (drawn from `seed`). At a
    kink, as relu has at 0, it gives a KinkWarning instead of failing.

    Raises GradcheckError, with the op, the rule and its line, the worst entry, and a diagnosis; its `kind` is
    the diagnosis in a word. ValueError where no input requires a gradient.
    """
    if order not in (1, 2):
        raise ValueError(f"gradcheck: order must be 1 or 2, not {order!r}")
    promoted, note = promote(inputs)
    checked = [at for at, one in enumerate(promoted) if isinstance(one, Tensor) and one.requires_grad]
    if not checked:
        raise ValueError("gradcheck: no input requires a gradient; pass tg.tensor(…, requires_grad=True)")
    names = input_names(fn, len(promoted))
    arrays = [one.data if at in checked else one for at, one in enumerate(promoted)]
    function = Function(fn, arrays, checked, [names[at] for at in checked])
    tolerance, rng = Tolerance(eps, rtol, atol), np.random.default_rng(seed)
    try:
        kinks = compare(function, tolerance, rng)
        if order == 2:
            kinks += compare(gradient_of(function, rng), tolerance, rng)
        assert_dtypes_kept(fn, promoted)
    except (Fault, RuleError) as fault:
        raise failure(fn, function, order, fault, tolerance, note) from fault.__cause__
    if kinks:
        places = ", ".join(list(dict.fromkeys(kinks))[:5])
        warnings.warn(
            f"gradcheck: there is no derivative to compare with at the kink {places}",
            KinkWarning,
            stacklevel=2,
        )
    return True


def promote(inputs: tuple[Any, ...]) -> tuple[list[Any], str]:
    """The inputs in float64, and a note for the message where that changed one."""
    promoted: list[Any] = []
    changed: list[str] = []
    for one in inputs:
        array = one.data if isinstance(one, Tensor) else one
        if isinstance(array, np.ndarray) and array.dtype in FLOATS and array.dtype != np.float64:
            changed.append(str(array.dtype))
            array = array.astype(np.float64)
        promoted.append(Tensor(array, requires_grad=one.requires_grad) if isinstance(one, Tensor) else array)
    return (
        promoted,
        f"\n  (inputs were promoted from {', '.join(sorted(set(changed)))} to float64)" if changed else "",
    )
