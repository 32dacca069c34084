"""Hooks on the gradients of a module: what came back to its outputs, and what goes on to its inputs.

Inputs and outputs pass through copies, whose gradients are looked at; several go through one flat tensor, so
that their gradients are known together.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .. import functional as F
from ..engine.modes import is_grad_enabled
from ..engine.tensor import Tensor
from ..members import as_tuple

Pair = tuple[Callable[..., Any], Callable[..., Any]]


class Passage(NamedTuple):
    """Tensors as they go on, the one whose gradient is theirs together, and where they stood."""

    values: tuple[Any, ...]
    joined: Tensor | None  # None where nobody wants a gradient
    places: tuple[int, ...]

    def gradients(self, joined: Any) -> tuple[Any, ...]:
        """The gradient of each of the values, out of that of all together; None for what has none."""
        parts: list[Any] = [None] * len(self.values)
        start = 0
        for place in self.places:
            shape = self.values[place].shape
            end = start + math.prod(shape)
            parts[place] = joined.reshape(-1)[start:end].reshape(shape)
            start = end
        return tuple(parts)

    def together(self, parts: Any) -> Any:
        """Gradients for the values as one for all together."""
        if len(parts) != len(self.values):
            raise ValueError(
                f"a backward hook of a module returned {len(parts)} gradients for {len(self.values)} tensors"
            )
        wanted = [parts[place] for place in self.places]
        if len(wanted) == 1:
            return wanted[0]
        cat = F.cat if any(isinstance(part, Tensor) for part in wanted) else np.concatenate
        return cat([part.reshape(-1) for part in wanted])


def passage(values: tuple[Any, ...]) -> Passage:
    """Have values pass on, those that want a gradient as copies."""
    places = tuple(
        place
        for place, value in enumerate(values)
        if isinstance(value, Tensor) and value.requires_grad and is_grad_enabled()
    )
    if not places:
        return Passage(values, None, ())
    chosen = [values[place] for place in places]
    if len(chosen) == 1:
        joined = chosen[0].clone()
        copies: list[Any] = [joined]
    else:
        joined = F.cat([value.reshape(-1) for value in chosen])
        pieces = F.split(joined, [value.numel() for value in chosen])
        copies = [piece.reshape(value.shape) for piece, value in zip(pieces, chosen)]
    passed = list(values)
    for place, copy in zip(places, copies):
        passed[place] = copy
    return Passage(tuple(passed), joined, places)


class BackwardHook(NamedTuple):
    """A hook, and whether it is called before a backward goes through its module, or after."""

    hook: Callable[..., Any]
    before: bool


def backward_hooks(hooks: dict[int, Any]) -> Pair:
    """The pair of forward hooks by which a module's backward hooks are called, all in their order."""
    waiting: dict[int, Passage] = {}  # by a tensor that goes into the forward: the inputs of that call

    def enter(module: Any, inputs: tuple[Any, ...]) -> Any:
        into = passage(inputs) if hooks else Passage(inputs, None, ())
        if into.joined is None:
            return None
        waiting[id(into.values[into.places[0]])] = into
        return into.values

    def leave(module: Any, inputs: tuple[Any, ...], y: Any) -> Any:
        into = next((waiting.pop(id(x)) for x in inputs if id(x) in waiting), Passage(inputs, None, ()))
        is_tuple = isinstance(y, tuple)
        out = passage(y if is_tuple else (y,)) if hooks else into
        if out.joined is None or not hooks:
            return None
        grad_output: list[Any] = [None] * len(out.values)

        def at_inputs(dx: Any) -> Any:
            grad_input = (None,) * len(inputs) if dx is None else into.gradients(dx)
            for hook, is_before in tuple(hooks.values()):
                changed = None if is_before else hook(module, grad_input, tuple(grad_output))
                grad_input = grad_input if changed is None else as_tuple(changed)
            return None if dx is None else into.together(grad_input)

        def at_outputs(dy: Any) -> Any:
            gradients = out.gradients(dy)
            for hook, is_before in tuple(hooks.values()):
                changed = hook(module, gradients) if is_before else None
                gradients = gradients if changed is None else as_tuple(changed)
            grad_output[:] = gradients
            if into.joined is None:
                at_inputs(None)
            return out.together(gradients)

        out.joined.register_hook(at_outputs)
        if into.joined is not None:
            into.joined.register_hook(at_inputs)
        return out.values if is_tuple else out.values[0]

    return enter, leave
