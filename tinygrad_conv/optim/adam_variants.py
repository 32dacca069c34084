"""Adam with Nesterov's momentum, Adam whose first steps are careful, and Adam by the largest gradient."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..dtypes import Array
from .drafts import State
from .loading import StateNames
from .optimizer import Group, Optimizer, ascended_and_decayed, elementwise, remembered
from .options import group_options


class NAdam(Optimizer):
    """w ← w - lr / (√v̂ + eps) · ((1 - μₜ) / (1 - Πₜ) g + μₜ₊₁ / (1 - Πₜ₊₁) m), m and v̂ as in Adam, where

        μₜ = β₁ (1 - ½ 0.96^(t · momentum_decay))      Πₜ = μ₁ · … · μₜ

    g is the gradient plus weight_decay · w or, with decoupled_weight_decay, the gradient alone of
    (1 - lr · weight_decay) w. maximize: go up instead of down. (Dozat 2016.)

    Πₜ is a number of Python's; PyTorch keeps it in float32, so its steps of float64 differ from the ninth
    digit on.
    """

    state_names = StateNames(
        required=("step", "mu_product", "exp_avg", "exp_avg_sq"),
        squares=("exp_avg_sq",),
        numbers=("mu_product",),
    )

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
        **implementation: Any,
    ) -> None:
        super().__init__(params, group_options(locals()), **implementation)

    @elementwise
    def updated(self, data: Array, grad: Array, state: State, group: Group) -> tuple[Array, State]:
        t = state.get("step", 0) + 1
        beta1, beta2 = group["betas"]
        data, grad = decayed(data, grad, group)
        new_state = moments(data, grad, state, beta1, beta2)
        mu, next_mu = (beta1 * (1 - 0.5 * 0.96 ** (n * group["momentum_decay"])) for n in (t, t + 1))
        product = state.get("mu_product", 1.0) * mu
        ahead = grad * ((1 - mu) / (1 - product))
        ahead += new_state["exp_avg"] * (next_mu / (1 - product * next_mu))
        spread = np.sqrt(new_state["exp_avg_sq"] / (1 - beta2**t)) + group["eps"]
        return data - group["lr"] * (ahead / spread), {"step": t, "mu_product": product, **new_state}


class RAdam(Optimizer):
    """w ← w - lr · m̂ · r / (√v̂ + eps), m̂ and v̂ as in Adam, or - lr · m̂ as long as v̂ is a mean of too few:

        ρ∞ = 2 / (1 - β₂) - 1      ρ = ρ∞ - 2 t β₂ᵗ / (1 - β₂ᵗ) > 5
        r² = (ρ - 4) (ρ - 2) ρ∞ / ((ρ∞ - 4) (ρ∞ - 2) ρ)

    The gradient has weight_decay · w added to it, or, with decoupled_weight_decay, w becomes
    (1 - lr · weight_decay) w first. maximize: go up instead of down. (Liu et al. 2020.)
    """

    state_names = StateNames(required=("step", "exp_avg", "exp_avg_sq"), squares=("exp_avg_sq",))

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
        **implementation: Any,
    ) -> None:
        super().__init__(params, group_options(locals()), **implementation)

    @elementwise
    def updated(self, data: Array, grad: Array, state: State, group: Group) -> tuple[Array, State]:
        t = state.get("step", 0) + 1
        beta1, beta2 = group["betas"]
        data, grad = decayed(data, grad, group)
        new_state = moments(data, grad, state, beta1, beta2)
        step = new_state["exp_avg"] / (1 - beta1**t)
        longest = 2 / (1 - beta2) - 1
        length = longest - 2 * t * beta2**t / (1 - beta2**t)
        if length > 5:
            share = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
            step *= math.sqrt(share * (1 - beta2**t)) / (np.sqrt(new_state["exp_avg_sq"]) + group["eps"])
        return data - group["lr"] * step, {"step": t, **new_state}


def decayed(data: Array, grad: Array, group: Group) -> tuple[Array, Array]:
    """Numbers and gradient as a step takes them: the decay of the weights is in one of the two."""
    if not group["decoupled_weight_decay"]:
        return data, ascended_and_decayed(grad, data, group)
    return data * (1 - group["lr"] * group["weight_decay"]), -grad if group["maximize"] else grad


def moments(data: Array, grad: Array, state: State, beta1: float, beta2: float) -> State:
    """The moving averages of the gradient and of its square, with one gradient more."""
    mean = remembered(state, "exp_avg", data) * beta1
    mean += (1 - beta1) * grad
    mean_of_squares = remembered(state, "exp_avg_sq", data) * beta2
    mean_of_squares += (1 - beta2) * grad * grad
    return {"exp_avg": mean, "exp_avg_sq": mean_of_squares}


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
        super().__init__(params, group_options(locals()), **implementation)

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
