"""Adamax, which is Adam by the largest gradient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..dtypes import Array
from .drafts import State
from .loading import StateNames
from .optimizer import Group, Optimizer, ascended_and_decayed, elementwise, remembered


class Adamax(Optimizer):
    """w ← w - lr / (1 - β₁ᵗ) · m / u, where g is the gradient plus weight_decay · w and, at step t,

        m ← β₁ m + (1 - β₁) g      u ← max(β₂ u, |g| + eps)

    maximize: go up instead of down. (Kingma and Ba 2015.)
    """

    state_names = StateNames(required=("step", "exp_avg", "exp_inf"), squares=("exp_inf",))

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        **implementation: Any,
    ) -> None:
        super().__init__(
            params,
            {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize},
            **implementation,
        )

    @elementwise
    def updated(self, data: Array, grad: Array, state: State, group: Group) -> tuple[Array, State]:
        t = state.get("step", 0) + 1
        beta1, beta2 = group["betas"]
        grad = ascended_and_decayed(grad, data, group)
        m = remembered(state, "exp_avg", data) * beta1
        m += (1 - beta1) * grad
        u = np.maximum(remembered(state, "exp_inf", data) * beta2, np.abs(grad) + group["eps"])
        new_state = {"step": t, "exp_avg": m, "exp_inf": u}
        return data - group["lr"] / (1 - beta1**t) * (m / u), new_state
