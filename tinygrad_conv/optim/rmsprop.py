"""RMSprop."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..dtypes import Array
from .drafts import State
from .loading import StateNames
from .optimizer import Group, Optimizer, ascended_and_decayed, elementwise, remembered
from .options import group_options


class RMSprop(Optimizer):
    """w ← w - lr · g / (√v + eps), where g is the gradient plus weight_decay · w and v ← α v + (1 - α) g².

    centered: with v - a² under the root, where a ← α a + (1 - α) g. With momentum μ, b ← μ b + g / (√v + eps)
    and w ← w - lr · b. maximize: go up instead of down. (Hinton's lecture 6e; Graves 2013 for the centred
    form.)
    """

    state_names = StateNames(
        required=("square_avg",),
        optional=("step",),
        by_option=(("momentum", "momentum_buffer"), ("centered", "grad_avg")),
        squares=("square_avg",),
    )

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
        **implementation: Any,
    ) -> None:
        super().__init__(params, group_options(locals()), **implementation)

    @elementwise
    def updated(self, data: Array, grad: Array, state: State, group: Group) -> tuple[Array, State]:
        alpha, momentum = group["alpha"], group["momentum"]
        grad = ascended_and_decayed(grad, data, group)
        v = remembered(state, "square_avg", data) * alpha
        v += (1 - alpha) * grad * grad
        new_state: State = {"step": state.get("step", 0) + 1, "square_avg": v}
        if group["centered"]:
            a = remembered(state, "grad_avg", data) * alpha
            a += (1 - alpha) * grad
            new_state["grad_avg"] = a
            v = v - a * a
        step = grad / (np.sqrt(v) + group["eps"])
        if momentum:
            step = remembered(state, "momentum_buffer", data) * momentum + step
            new_state["momentum_buffer"] = step
        return data - group["lr"] * step, new_state
