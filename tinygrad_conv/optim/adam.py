"""Adam, and its variant with decoupled weight decay."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..dtypes import Array
from .drafts import State
from .loading import StateNames
from .optimizer import Group, Optimizer, elementwise, remembered
from .options import group_options


class Adam(Optimizer):
    """w ← w - lr · m̂ / (√v̂ + eps), where g is the gradient plus weight_decay · w and, at step t,

        m ← β₁ m + (1 - β₁) g      m̂ = m / (1 - β₁ᵗ)
        v ← β₂ v + (1 - β₂) g²     v̂ = v / (1 - β₂ᵗ)

    amsgrad: v̂ is made of the largest v so far. maximize: go up instead of down. (Kingma and Ba 2015, Reddi
    et al. 2018.)
    """

    decoupled = False
    state_names = StateNames(
        required=("step", "exp_avg", "exp_avg_sq"),
        by_option=(("amsgrad", "max_exp_avg_sq"),),
        squares=("exp_avg_sq", "max_exp_avg_sq"),
    )

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        **implementation: Any,
    ) -> None:
        super().__init__(params, group_options(locals()), **implementation)

    def check_options(self, group: Group) -> None:
        super().check_options(group)
        kind = type(self).__name__
        if group.get("decoupled_weight_decay", self.decoupled) != self.decoupled:
            other = "AdamW" if kind == "Adam" else "Adam"
            raise ValueError(
                f"{kind}: decoupled_weight_decay={not self.decoupled} makes it {other}; use that"
            )

    @elementwise
    def updated(self, data: Array, grad: Array, state: State, group: Group) -> tuple[Array, State]:
        t = state.get("step", 0) + 1
        beta1, beta2 = group["betas"]
        if group["maximize"]:
            grad = -grad
        if group["weight_decay"] and self.decoupled:
            data = data * (1 - group["lr"] * group["weight_decay"])
        elif group["weight_decay"]:
            grad = grad + group["weight_decay"] * data
        m = remembered(state, "exp_avg", data) * beta1
        m += (1 - beta1) * grad
        v = remembered(state, "exp_avg_sq", data) * beta2
        v += (1 - beta2) * grad * grad
        new_state = {"step": t, "exp_avg": m, "exp_avg_sq": v}
        if group["amsgrad"]:
            v = np.maximum(remembered(state, "max_exp_avg_sq", data), v)
            new_state["max_exp_avg_sq"] = v
        # m̂ / (√v̂ + eps) with the numbers of both corrections taken out of the arrays
        correction = math.sqrt(1 - beta2**t)
        step = np.sqrt(v)
        step += group["eps"] * correction
        step = m / step
        step *= group["lr"] * correction / (1 - beta1**t)
        return data - step, new_state


class AdamW(Adam):
    """Adam whose weight decay acts on the weights themselves: w ← (1 - lr · weight_decay) w.

    (Loshchilov and Hutter 2019.)
    """

    decoupled = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        **implementation: Any,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize, **implementation)
