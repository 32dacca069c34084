"""RMSprop."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..dtypes import Array
from .optimizer import Group, Optimizer, State, check_at_least, memory


class RMSprop(Optimizer):
    """w ← w - lr · g / (√v + eps), where g is the gradient plus weight_decay · w and v ← α v + (1 - α) g².

    centered: with v - a² under the root, where a ← α a + (1 - α) g. With momentum μ, b ← μ b + g / (√v + eps)
    and w ← w - lr · b. maximize: go up instead of down. (Hinton's lecture 6e; Graves 2013 for the centred
    form.)
    """

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
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "alpha": alpha,
                "eps": eps,
                "centered": centered,
                "weight_decay": weight_decay,
                "maximize": maximize,
            },
        )

    def check_options(self, group: Group) -> None:
        check_at_least("RMSprop", group, lr=0.0, alpha=0.0, eps=0.0, weight_decay=0.0, momentum=0.0)

    def update(self, data: Array, grad: Array, state: State, group: Group) -> None:
        alpha, momentum = group["alpha"], group["momentum"]
        v = memory(state, "square_avg", data)
        if group["maximize"]:
            grad = -grad
        if group["weight_decay"]:
            grad = grad + group["weight_decay"] * data
        v *= alpha
        v += (1 - alpha) * grad * grad
        if group["centered"]:
            a = memory(state, "grad_avg", data)
            a *= alpha
            a += (1 - alpha) * grad
            v = v - a * a
        step = grad / (np.sqrt(v) + group["eps"])
        if momentum:
            buffer = memory(state, "momentum_buffer", data)
            buffer *= momentum
            buffer += step
            step = buffer
        data -= group["lr"] * step
