"""Names of PyTorch's early days, and a backward from several tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..engine.backpropagation import accumulate, backpropagate, check_backward
from ..engine.differentiate import as_tensors
from ..engine.tensor import Tensor


def Variable(data: Any, requires_grad: bool = False) -> Tensor:
    """The same numbers, in the same memory, as a Tensor off the tape: what a Variable is today."""
    tensor = data.detach() if isinstance(data, Tensor) else Tensor(data)
    return tensor.requires_grad_(requires_grad)


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    *,
    inputs: Any = None,
) -> None:
    """Add the gradients of the sum of these tensors to `.grad` of every leaf they were computed from.

    grad_tensors: what to begin with, one for each; may be left out for scalars. The other options, and what
    is raised, are those of `Tensor.backward`; ValueError, too, for another number of grad_tensors.
    """
    outputs = as_tensors("backward", "tensors", tensors)
    seeds = list(grad_tensors) if isinstance(grad_tensors, (list, tuple)) else [grad_tensors] * len(outputs)
    if len(seeds) != len(outputs):
        raise ValueError(f"backward: {len(outputs)} tensors but {len(seeds)} grad_tensors; pass one for each")
    check_backward(retain_graph, create_graph, inputs)
    accumulate(backpropagate(outputs, seeds, bool(retain_graph)))
