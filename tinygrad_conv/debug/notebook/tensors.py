"""A tensor with its numbers and pictures, a node with what it keeps, a step with what flows through it."""

from __future__ import annotations

from ...engine.node import Node
from ...engine.tensor import Tensor
from ...errors import show_array
from ...members import members_of
from ...nn.uninitialized import is_uninitialized
from ..step import Step
from ..values import plain, saved_arrays
from .markup import block, caption, disclosure, table
from .pictures import pictures

LINES = 12  # of numbers; more of them are behind a click, or scroll
TALLEST = "16em"


def show_tensor(tensor: Tensor) -> str:
    """A tensor: its repr, and pictures if it looks like images: [H, W], [1 or 3, H, W] or [N, C, H, W]."""
    text = repr(tensor)
    if is_uninitialized(tensor):
        return block(text)
    numbers, described, behind = text.partition(f", {show_array(tensor.data)}")
    drawn = pictures(tensor.data)
    if not drawn:
        return block(text, TALLEST if text.count("\n") >= LINES else "")
    if text.count("\n") < LINES and "..." not in numbers:
        return f"{block(text)}{drawn}"
    return f"{block(f'tensor(…{described}{behind}')}{drawn}{disclosure('its numbers', block(text, TALLEST))}"


def show_node(node: Node) -> str:
    """A node: its repr, and what it keeps for its rules."""
    rows = [(name, show_array(array)) for name, array in saved_arrays(node)]
    if not rows:
        return block(repr(node))
    return f"{block(repr(node))}{table(('its rules read', ''), rows, words=(0, 1))}"


def show_step(step: Step) -> str:
    """A step: the gradients that came and went, as pictures where they look like images."""
    gradients = {"grad_output": step.grad_output}
    gradients |= {f"grad_inputs[{name!r}]": gradient for name, gradient in step.grad_inputs.items()}
    shown = [block(repr(step))]
    for name, value in gradients.items():
        for array in members_of(value):
            drawn = "" if array is None else pictures(plain(array))
            if drawn:
                shown.append(f"{caption(f'{name}: {show_array(array)}')}{drawn}")
    return "".join(shown)
