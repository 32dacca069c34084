"""The fully connected layer."""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import DTypeLike

from .. import functional as F
from ..engine.tensor import Tensor
from ..options import checked
from ..randomness.seeds import SEED, Random
from . import init
from .module import Module, shown
from .parameter import check_dtype, full_parameter


class Linear(Module):
    """x [..., in_features] → x Wᵀ + b [..., out_features].

    rng: a numpy Generator or a seed for the initial weight [out_features, in_features] and bias
    [out_features], uniform on ±1/√in_features as PyTorch's; by default the generator that `tg.manual_seed`
    resets.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: DTypeLike | None = None,
        rng: Random = None,
    ) -> None:
        super().__init__()
        if min(in_features, out_features) < 0:
            features = f"in_features={in_features} and out_features={out_features}"
            raise ValueError(f"Linear: {features} cannot be negative")
        self.in_features, self.out_features = in_features, out_features
        self.weight = full_parameter(self, "weight", (out_features, in_features), 0, dtype)
        self.bias = full_parameter(self, "bias", (out_features,), 0, dtype) if bias else None
        self.reset_parameters(rng)

    @checked(rng=SEED)
    def reset_parameters(self, rng: Random = None) -> None:
        """Draw weight and bias anew, as at the beginning."""
        init.uniform_by_fan_in(self.weight, self.bias, rng)

    def forward(self, x: Any) -> Tensor:
        check_dtype(self, x, self.weight)
        return F.linear(x, self.weight, self.bias)

    def multiply_adds(self, x: tuple[int, ...], y: tuple[int, ...]) -> int:
        """The products summed for an output of shape `y`."""
        return math.prod(y) * self.in_features

    def extra_repr(self) -> str:
        return f"{shown(self, 'in_features', 'out_features')}, bias={self.bias is not None}"
