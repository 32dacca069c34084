"""Gradient descent, with momentum or without."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..dtypes import Array
from .drafts import State
from .loading import StateNames
from .optimizer import Group, Optimizer, elementwise, remembered
from .options import group_options


class SGD(Optimizer):
    """w ← w - lr · g, where g is the gradient plus weight_decay · w.

    With momentum μ the step follows b ← μ b + (1 - dampening) g (b begins as g), or with nesterov g + μ b.
    maximize: go up instead of down. (Sutskever et al. 2013, as in PyTorch.)
    """

    state_names = StateNames(required=(), optional=("momentum_buffer",))

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        **implementation: Any,
    ) -> None:
        super().__init__(params, group_options(locals()), **implementation)

    def check_options(self, group: Group) -> None:
        super().check_options(group)
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ValueError("SGD: nesterov needs a momentum above 0, and no dampening")

    @elementwise
    def updated(self, data: Array, grad: Array, state: State, group: Group) -> tuple[Array, State]:
        if group["maximize"]:
            grad = -grad
        if group["weight_decay"]:
            grad = grad + group["weight_decay"] * data
        new_state: State = {}
        momentum = group["momentum"]
        if momentum:
            if state.get("momentum_buffer") is None:
                buffer = np.array(grad)
            else:
                share = grad * (1 - group["dampening"]) if group["dampening"] else grad
                buffer = remembered(state, "momentum_buffer", data) * momentum + share
            new_state["momentum_buffer"] = buffer
            grad = grad + momentum * buffer if group["nesterov"] else buffer
        return data - group["lr"] * grad, new_state
