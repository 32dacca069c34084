"""Both ends of a sweep: the seeds that it begins with, and the `.grad` of leaves that it ends in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import RLock
from typing import Any

import numpy as np

from ..dtypes import FLOATS, Array, as_array
from ..errors import DtypeError, GraphError, ShapeError, show_array, show_tensor
from ..options import FLAG, check_option, optional
from .backward import Gradients, sweep
from .commit import NONE, set_grads
from .location import user_where
from .methods import TensorMethods
from .node import Node, Output
from .observed import BACKWARD, OBSERVATION, Followed, observable, observed_by
from .registry import if_open

Lifting = tuple[Callable[[Node], dict[str, Any]] | None, type[Any]]
"""What makes Tensors of saved values, where the rules are to be recorded; and the type of a gradient."""

ON_ARRAYS: Lifting = (None, np.ndarray)

GRAD_LOCK = RLock()  # reentrant: a finaliser may run anywhere, and go backward
"""Guards every `.grad` where it is added to, against backwards in other threads. No hook runs under it."""


def backpropagate(
    outputs: Sequence[Any],
    seeds: Sequence[Any],
    retain_graph: bool,
    wanted_edges: set[Any] | None = None,
    lifting: Lifting = ON_ARRAYS,
) -> dict[Any, Any]:
    """The gradients by edge of a sweep that begins at these outputs, with a gradient for each of them.

    wanted_edges: the only edges whose gradients matter; None: those of all leaves.
    """
    consumer = None if retain_graph else user_where()
    observation = OBSERVATION.get() or Followed.by  # who looks on has Gradients of its own: observe.py
    if observation is None:
        return sweep_from(Gradients(consumer, wanted_edges, *lifting), outputs, seeds)
    with observed_by(observation.inside_rules()):
        return sweep_from(observation.gradients(consumer, wanted_edges, *lifting), outputs, seeds)


def sweep_from(gradients: Gradients, outputs: Sequence[Any], seeds: Sequence[Any]) -> dict[Any, Any]:
    """Begin with the seeds, and sweep; where this backward is, `observed.BACKWARD` tells."""
    enter_seeds(gradients, outputs, seeds)
    around = BACKWARD.get()
    try:
        BACKWARD.set(gradients)
        return sweep(gradients)
    finally:
        BACKWARD.set(around)


def enter_seeds(gradients: Gradients, outputs: Sequence[Any], seeds: Sequence[Any]) -> None:
    """Enter the gradients that a backward begins with."""
    for tensor, seed in zip(outputs, seeds):
        check_requires_grad(tensor)
        gradients.add(tensor._edge or tensor, seed_for(tensor, seed, gradients))


def seed_for(tensor: Any, gradient: Any, gradients: Gradients) -> Any:
    """The gradient that a backward of the tensor begins with: 1 for a scalar, where none was given."""
    if gradient is None:
        check_scalar(tensor)
        ones = np.empty(tensor._data.shape, tensor._data.dtype)
        ones.fill(1)  # np.ones takes five times as long
        return gradients.as_gradient(ones)
    if isinstance(gradient, TensorMethods):
        check_seed(tensor, gradient._data)
        return gradient._data if gradients.lift is None else gradient
    array = as_array(gradient, tensor.dtype)
    check_seed(tensor, array)
    return gradients.as_gradient(array)


def check_backward(retain_graph: Any, create_graph: Any, inputs: Any) -> None:
    """Refuse options of PyTorch's backward that cannot be here, with what to write instead."""
    check_option("backward", "retain_graph", optional(FLAG), retain_graph)
    check_option("backward", "create_graph", FLAG, create_graph)
    if create_graph:
        raise ValueError(
            "backward: create_graph=True would put gradients on the tape, but .grad is an array; use "
            "tg.grad(loss, parameters, create_graph=True)"
        )
    if inputs is not None:
        raise ValueError(
            "backward: the gradients of some leaves alone are tg.grad(loss, inputs), which writes no .grad"
        )


def accumulate(gradients: dict[Any, Any]) -> None:
    """Add a sweep's gradients to `.grad`: each its own C-contiguous array, and none before all are ready.

    A leaf that was frozen after the forward gets none, as in PyTorch: an optimiser would move it.
    """
    tensors: list[Any] = []
    totals: list[Array] = []
    with GRAD_LOCK:
        for edge, gradient in gradients.items():
            tensor = edge.node.listeners().retained[edge.slot]() if type(edge) is Output else edge
            # a result that was to retain its gradient, held weakly, may be gone, and a leaf be frozen by now
            if tensor is not None and tensor._requires_grad:
                tensors.append(tensor)
                before = getattr(tensor, "_grad", None)  # .grad without its warning
                totals.append(gradient.copy() if before is None else added(tensor, before, gradient))
        set_grads(tensors, totals)
    for tensor in tensors:
        if tensor._listeners is not None:
            for hook in tuple(tensor._listeners.accumulated.values()):
                hook(tensor)


def added(tensor: Any, before: Array, gradient: Array) -> Array:
    """The sum of `.grad` and of what a sweep brings. Raises ShapeError where x.data has another shape now."""
    if before.shape != gradient.shape:
        raise ShapeError(
            f"backward: .grad is {show_array(before)}, but what is to be added is {show_array(gradient)}, as "
            f"{show_tensor(tensor)} is now; write x.grad = None where x.data gets another shape"
        )
    return np.add(before, gradient, order="C")


@observable
def clear_grads(tensors: list[Any], set_to_none: bool) -> None:
    """Forget the gradients, or replace them by zeros: those of all tensors, or none."""
    if set_to_none is not True:
        check_option("zero_grad", "set_to_none", FLAG, set_to_none)
    with GRAD_LOCK:
        if set_to_none:
            set_grads(tensors, NONE)
        else:
            zeros = [None if tensor.grad is None else np.zeros_like(tensor.grad) for tensor in tensors]
            set_grads(tensors, zeros)


def check_requires_grad(tensor: Any) -> None:
    """Refuse a backward from what needs no gradient, or a hook on it."""
    if not tensor._requires_grad:
        cut = if_open("cut", tensor)
        where_it_was_cut = f"; {cut}" if cut else ""
        raise GraphError(
            f"backward: {show_tensor(tensor)} needs no gradient: no tensor it was computed from has "
            f"requires_grad=True, or it was computed under no_grad, or detached{where_it_was_cut}"
        )


def check_scalar(tensor: Any) -> None:
    """Refuse to begin a backward of many numbers with nothing to begin with."""
    if tensor._data.size != 1:
        raise GraphError(
            f"backward of {show_array(tensor._data)} needs the gradient to begin with: pass one of its shape "
            "(tg.ones_like(y)), or reduce it to a scalar, as in y.sum().backward()"
        )


def check_seed(tensor: Any, seed: Array) -> None:
    """Refuse to begin a backward with a gradient of another shape, or of integers."""
    if seed.shape != tensor.shape:
        raise ShapeError(
            f"backward: gradient is {show_array(seed)}, but the tensor is {show_array(tensor._data)}; "
            "reshape one of them"
        )
    if seed.dtype not in FLOATS:
        raise DtypeError(f"backward: gradient is {show_array(seed)}; pass floating-point numbers")
