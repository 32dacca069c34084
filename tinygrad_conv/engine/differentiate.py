"""`tg.grad`: gradients as Tensors, which may be differentiated themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import FLOATS
from ..errors import GraphError, show_tensor
from ..options import FLAG, check_option, show_given
from .backpropagation import ON_ARRAYS, backpropagate
from .modes import enable_grad, no_grad
from .node import Node, Output
from .tensor import Tensor, copied, tensor_of


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool = False,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of `outputs` with respect to `inputs`, as Tensors; no `.grad` is touched.

    grad_outputs: what to begin with, one for each output; may be left out for scalars. With `create_graph`
    the gradients are on the tape themselves, so they can be differentiated again. retain_graph: by default as
    create_graph. Raises GraphError for an input that the outputs do not depend on, unless `allow_unused` (its
    gradient is None then) or `materialize_grads` (zeros). only_inputs: True alone; `backward` is for others.
    is_grads_batched: False alone; ask for one gradient after the other.
    """
    retain_graph = create_graph if retain_graph is None else retain_graph
    flags = {"retain_graph": retain_graph, "create_graph": create_graph, "only_inputs": only_inputs}
    flags |= {"allow_unused": allow_unused, "materialize_grads": materialize_grads}
    for name, value in {**flags, "is_grads_batched": is_grads_batched}.items():
        check_option("grad", name, FLAG, value)
    if not only_inputs:
        raise ValueError("grad: only_inputs=False would write other tensors' .grad: call backward for that")
    if is_grads_batched:
        each = "tg.stack([tg.grad(outputs, inputs, each, retain_graph=True)[0] for each in grad_outputs])"
        raise ValueError(f"grad: is_grads_batched=True: there is no vmap here; write {each}")
    outputs, inputs = as_tensors("grad", "outputs", outputs), as_tensors("grad", "inputs", inputs)
    seeds = grad_outputs if isinstance(grad_outputs, (list, tuple)) else [grad_outputs] * len(outputs)
    if len(seeds) != len(outputs):
        raise GraphError(f"grad: {len(outputs)} outputs but {len(seeds)} grad_outputs; pass one for each")
    edges = [tensor if tensor._edge is None else tensor._edge for tensor in inputs]
    lifting = (lift, Tensor) if create_graph else ON_ARRAYS
    with enable_grad() if create_graph else no_grad():
        by_edge = backpropagate(outputs, seeds, retain_graph, set(edges), lifting)
    gradients = [by_edge.get(edge) for edge in edges]
    if materialize_grads:
        zeros = Tensor if create_graph else np.asarray
        gradients = [
            zeros(np.zeros(x.shape, x.dtype)) if dx is None else dx for x, dx in zip(inputs, gradients)
        ]
    elif not allow_unused:
        check_used(inputs, gradients)
    if create_graph:
        return tuple(gradients)
    return tuple(None if gradient is None else Tensor(copied(gradient)) for gradient in gradients)


def as_tensors(op: str, name: str, given: Any) -> list[Tensor]:
    """A Tensor, or those of a sequence, in a list. Raises TypeError for anything else."""
    several = hasattr(given, "__iter__") and not isinstance(given, Tensor)
    tensors = list(given) if several else [given]
    for tensor in tensors:
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{op}: {name} must be a Tensor or a sequence of them, not {show_given(tensor)}")
    return tensors


def lift(node: Node) -> dict[str, Any]:
    """What a node saved, as Tensors on the tape: it makes the rules themselves differentiable.

    Kept choices (masks, indices) stay arrays. A kept float is derived again from the other values: as a
    constant it would hide its part of the second derivative.
    """
    op = node.op
    if op.once:
        raise GraphError(
            f"{op.name} was declared differentiable once, so create_graph=True cannot go through it"
        )
    edges = dict(zip(op.inputs, node.edges))
    outputs = [Output(node, slot) for slot in range(len(node.outputs))]
    edges["y"] = outputs if node.several else outputs[0]
    values = {
        name: lift_value(value, edges[name]) if name in edges else value for name, value in node.saved.items()
    }
    for name in op.keeps:
        if name in values and values[name].dtype in FLOATS:
            values[name] = op.derive(name, values, node.params)
    return values


def lift_value(value: Any, edge: Any) -> Any:
    """A saved array (or a tuple of them) as the Tensor it was; a constant becomes a Tensor off the tape."""
    if type(value) is tuple:
        return tuple(map(lift_value, value, edge or [None] * len(value)))
    return edge if value is None or isinstance(edge, Tensor) else tensor_of(value, edge)


def check_used(inputs: Sequence[Tensor], gradients: Sequence[Any]) -> None:
    """Refuse inputs that no gradient reached."""
    for tensor, gradient in zip(inputs, gradients):
        if gradient is None:
            raise GraphError(
                f"grad: the outputs do not depend on input {show_tensor(tensor)}, or it requires no grad; "
                "pass allow_unused=True to get None for it"
            )
