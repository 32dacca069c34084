"""Adagrad, and Adadelta, which forgets: rates for each number, by the squares of its gradients so far."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..dtypes import Array
from .drafts import State
from .loading import StateNames
from .optimizer import Group, Optimizer, ascended_and_decayed, elementwise, remembered
from .options import group_options


class Adagrad(Optimizer):
    """w ← w - lr / (1 + (t - 1) lr_decay) · g / (√s + eps), where at step t s ← s + g².

    g is the gradient plus weight_decay · w, and s begins as initial_accumulator_value. maximize: go up
    instead of down. (Duchi et al. 2011.)
    """

    state_names = StateNames(required=("step", "sum"), squares=("sum",))

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
        **implementation: Any,
    ) -> None:
        super().__init__(params, group_options(locals()), **implementation)

    @elementwise
    def updated(self, data: Array, grad: Array, state: State, group: Group) -> tuple[Array, State]:
        t = state.get("step", 0) + 1
        grad = ascended_and_decayed(grad, data, group)
        before = remembered(state, "sum", data)
        if state.get("sum") is None:
            before += group["initial_accumulator_value"]
        s = before + grad * grad
        lr = group["lr"] / (1 + (t - 1) * group["lr_decay"])
        return data - lr * (grad / (np.sqrt(s) + group["eps"])), {"step": t, "sum": s}


class Adadelta(Optimizer):
    """w ← w - lr · d, where d = g √(u + eps) / √(v + eps), and g is the gradient plus weight_decay · w:

        v ← ρ v + (1 - ρ) g²       u ← ρ u + (1 - ρ) d²

    maximize: go up instead of down. (Zeiler 2012.)
    """

    state_names = StateNames(
        required=("square_avg", "acc_delta"), optional=("step",), squares=("square_avg", "acc_delta")
    )

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        **implementation: Any,
    ) -> None:
        super().__init__(params, group_options(locals()), **implementation)

    @elementwise
    def updated(self, data: Array, grad: Array, state: State, group: Group) -> tuple[Array, State]:
        rho, eps = group["rho"], group["eps"]
        grad = ascended_and_decayed(grad, data, group)
        v = remembered(state, "square_avg", data) * rho
        v += (1 - rho) * grad * grad
        u = remembered(state, "acc_delta", data)
        step = np.sqrt(u + eps) / np.sqrt(v + eps) * grad
        u = u * rho
        u += (1 - rho) * step * step
        new_state = {"step": state.get("step", 0) + 1, "square_avg": v, "acc_delta": u}
        return data - group["lr"] * step, new_state
