"""Activations and softmax as layers, each elementwise unless it says otherwise.

The formulas stand with the functions. With inplace=True the layer's input itself becomes what is returned.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import DTypeLike

from .. import functional as F
from ..engine.tensor import Tensor
from ..errors import ShapeError, show_shape
from ..ops import activations
from .init import refill
from .module import Module, shown
from .parameter import check_dtype, full_parameter


class MayChangeInput(Module):
    """What activations with an option `inplace` share."""

    options: tuple[str, ...] = ()  # the others, which the printed form shows first

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        return shown(self, *self.options, *(["inplace"] if self.inplace else []))


class ReLU(MayChangeInput):
    """max(x, 0)."""

    def forward(self, x: Any) -> Tensor:
        # the op itself where the input stays: nearly every net has such layers, and small steps feel a call
        return F.relu(x, self.inplace) if self.inplace else activations.relu(x)


class ReLU6(MayChangeInput):
    """min(max(x, 0), 6)."""

    def forward(self, x: Any) -> Tensor:
        return F.relu6(x, self.inplace)


class LeakyReLU(MayChangeInput):
    """x where x > 0, negative_slope · x elsewhere."""

    options = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, x: Any) -> Tensor:
        return F.leaky_relu(x, self.negative_slope, self.inplace)


class PReLU(Module):
    """As LeakyReLU, with a slope that is learned: one, or one for each channel of x [N, C, …]."""

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, *, dtype: DTypeLike | None = None
    ) -> None:
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = full_parameter(self, "num_parameters", (num_parameters,), init, dtype)

    def reset_parameters(self) -> None:
        """The slope as at the beginning."""
        refill([(self.weight, self.init)])

    def forward(self, x: Any) -> Tensor:
        check_dtype(self, x, self.weight)
        return F.prelu(x, self.weight)

    def extra_repr(self) -> str:
        return shown(self, "num_parameters")


class ELU(MayChangeInput):
    """x where x > 0, alpha (eˣ - 1) elsewhere."""

    options = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, x: Any) -> Tensor:
        return F.elu(x, self.alpha, self.inplace)


class SELU(MayChangeInput):
    """ELU scaled so that it keeps mean 0 and variance 1 (Klambauer et al. 2017)."""

    def forward(self, x: Any) -> Tensor:
        return F.selu(x, self.inplace)


class GELU(Module):
    """x Φ(x), Φ the normal distribution function; approximate='tanh' for the usual approximation."""

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, x: Any) -> Tensor:
        return F.gelu(x, approximate=self.approximate)

    def extra_repr(self) -> str:
        return shown(self, "approximate")


class SiLU(MayChangeInput):
    """x σ(x), also called swish."""

    def forward(self, x: Any) -> Tensor:
        return F.silu(x, self.inplace)


class Softplus(Module):
    """ln(1 + e^(beta x)) / beta, and x itself where beta x > threshold."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, x: Any) -> Tensor:
        return F.softplus(x, beta=self.beta, threshold=self.threshold)

    def extra_repr(self) -> str:
        return shown(self, "beta", "threshold")


class Hardtanh(MayChangeInput):
    """x kept between min_val and max_val."""

    options = ("min_val", "max_val")

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        if not max_val > min_val:
            raise ValueError(f"Hardtanh: max_val={max_val} must be above min_val={min_val}")
        self.min_val, self.max_val = min_val, max_val

    def forward(self, x: Any) -> Tensor:
        return F.hardtanh(x, self.min_val, self.max_val, self.inplace)


class Sigmoid(Module):
    """1 / (1 + e⁻ˣ)."""

    def forward(self, x: Any) -> Tensor:
        return F.sigmoid(x)


class LogSigmoid(Module):
    """ln σ(x)."""

    def forward(self, x: Any) -> Tensor:
        return F.logsigmoid(x)


class Tanh(Module):
    """(eˣ - e⁻ˣ) / (eˣ + e⁻ˣ)."""

    def forward(self, x: Any) -> Tensor:
        return F.tanh(x)


class Mish(MayChangeInput):
    """x tanh(ln(1 + eˣ)) (Misra 2019)."""

    def forward(self, x: Any) -> Tensor:
        return F.mish(x, self.inplace)


class Hardswish(MayChangeInput):
    """x min(max(x + 3, 0), 6) / 6 (Howard et al. 2019)."""

    def forward(self, x: Any) -> Tensor:
        return F.hardswish(x, self.inplace)


class Hardsigmoid(MayChangeInput):
    """min(max(x + 3, 0), 6) / 6."""

    def forward(self, x: Any) -> Tensor:
        return F.hardsigmoid(x, self.inplace)


class CELU(MayChangeInput):
    """max(x, 0) + min(alpha (e^(x / alpha) - 1), 0) (Barron 2017)."""

    options = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, x: Any) -> Tensor:
        return F.celu(x, self.alpha, self.inplace)


class Threshold(MayChangeInput):
    """x where x > threshold, value elsewhere."""

    options = ("threshold", "value")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold, self.value = threshold, value

    def forward(self, x: Any) -> Tensor:
        return F.threshold(x, self.threshold, self.value, self.inplace)


class Softsign(Module):
    """x / (1 + |x|)."""

    def forward(self, x: Any) -> Tensor:
        return F.softsign(x)


class Tanhshrink(Module):
    """x - tanh x."""

    def forward(self, x: Any) -> Tensor:
        return F.tanhshrink(x)


class Shrink(Module):
    """What Hardshrink and Softshrink share: lambd, up to which x becomes 0."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def extra_repr(self) -> str:
        return f"{self.lambd}"


class Hardshrink(Shrink):
    """x where |x| > lambd, 0 elsewhere."""

    def forward(self, x: Any) -> Tensor:
        return F.hardshrink(x, self.lambd)


class Softshrink(Shrink):
    """x moved towards 0 by lambd, 0 where |x| ≤ lambd."""

    def forward(self, x: Any) -> Tensor:
        return F.softshrink(x, self.lambd)


class GLU(Module):
    """a σ(b), where a and b are the halves of x along `dim` (Dauphin et al. 2017)."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Any) -> Tensor:
        return F.glu(x, self.dim)

    def extra_repr(self) -> str:
        return shown(self, "dim")


class AlongDim(Module):
    """What the layers share: a dim. Without one it is PyTorch's, and a warning says which."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        return shown(self, "dim")


class Softmax(AlongDim):
    """eˣ / Σ eˣ along `dim`."""

    def forward(self, x: Any) -> Tensor:
        return F.softmax(x, self.dim)


class LogSoftmax(AlongDim):
    """x - ln Σ eˣ along `dim`."""

    def forward(self, x: Any) -> Tensor:
        return F.log_softmax(x, self.dim)


class Softmin(AlongDim):
    """e⁻ˣ / Σ e⁻ˣ along `dim`."""

    def forward(self, x: Any) -> Tensor:
        return F.softmin(x, self.dim)


class Softmax2d(Module):
    """Softmax over the channels at each place of x [N, C, H, W] or [C, H, W]."""

    def forward(self, x: Any) -> Tensor:
        if x.ndim not in (3, 4):
            raise ShapeError(f"Softmax2d: x must be [N, C, H, W] or [C, H, W], not {show_shape(x.shape)}")
        return F.softmax(x, -3)
