"""Activations; sigmoid and tanh are in elementary.py. At a kink the derivative is PyTorch's: see the rule.
Where a function has two branches, its rule takes one or the other by `where`; adding up both, each times 0 or
1, would make NaN of an Inf in the branch that does not count.
"""

from __future__ import annotations

import math

import numpy as np

from .. import kernels
from ..engine.declare import primitive
from .arguments.shapes import check_slopes
from .arguments.values import check_approximation, check_bounds, check_float
from .arithmetic import where
from .conversion import floating, wide
from .elementary import abs, exp, sigmoid, tanh
from .error_function import tail_of_erf
from .masking import masked
from .reduce import sum_to
from .shape import reshape

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805  # Klambauer et al. 2017, α and λ
GELU_CUBIC = 0.044715  # Hendrycks & Gimpel 2016: Φ(x) ≈ σ(slope (x + cubic x³))
GELU_SLOPE = 2 * math.sqrt(2 / math.pi)
PIECE = 32768  # so many numbers stay in the cache through a whole series


@primitive
def relu(x):
    """max(x, 0)."""
    return kernels.rectify(x)


@relu.grad("x")
def relu_dx(dy, y):
    """∂relu(x)/∂x = 1 where x > 0, else 0, at 0 too."""
    return masked(dy, mask=y > 0)


@primitive
def leaky_relu(x, *, negative_slope=0.01):
    """x where x > 0, negative_slope · x elsewhere. Raises DtypeError for integers."""
    check_float("leaky_relu", input=x)
    with np.errstate(over="ignore", invalid="ignore"):  # where it is not taken
        return kernels.choose(x > 0, x, x * x.dtype.type(negative_slope))


@leaky_relu.grad("x")
def leaky_relu_dx(dy, x, negative_slope):
    """1 where x > 0, else negative_slope, at 0 too."""
    return where(dy, dy * negative_slope, condition=x > 0)


@primitive(names=("input", "weight"))
def prelu(x, w):
    """x where x > 0, w · x elsewhere: x [N, C, ...], w [C], or one number for all channels.

    Raises ShapeError for another number of weights, DtypeError for integers.
    """
    check_float("prelu", input=x, weight=w)
    check_slopes("prelu", x, w)
    with np.errstate(over="ignore"):  # where it is not taken
        return kernels.choose(x > 0, x, x * w.reshape(per_channel(w.shape, x.ndim)))


@prelu.grad("x")
def prelu_dx(dy, x, w):
    """1 where x > 0, else w, at 0 too."""
    return where(dy, dy * reshape(w, shape=per_channel(w.shape, x.ndim)), condition=x > 0)


@prelu.grad("w")
def prelu_dw(dy, x, w_shape):
    """min(x, 0), which w multiplies, summed over all that share the weight."""
    return reshape(sum_to(masked(dy * x, mask=~(x > 0)), shape=per_channel(w_shape, x.ndim)), shape=w_shape)


def per_channel(shape, ndim):
    """The shape in which weights [C], or one number, broadcast against [N, C, ...], [C] or a scalar."""
    return (*shape, *(1,) * (ndim - 2)) if ndim else ()


@primitive
def elu(x, *, alpha=1.0):
    """x where x > 0, α (eˣ - 1) elsewhere. Raises DtypeError for integers."""
    check_float("elu", input=x)
    return positive_part(x) + np.expm1(negative_part(x)) * x.dtype.type(alpha)


@elu.grad("x")
def elu_dx(dy, x, alpha):
    """1 where x > 0, else α eˣ, at 0 too."""
    return where(dy, dy * (exp(-relu(-x)) * alpha), condition=x > 0)


@primitive
def selu(x):
    """λ x where x > 0, λ α (eˣ - 1) elsewhere; λ = 1.0507… and α = 1.6733….

    With these, activations keep mean 0 and variance 1 from layer to layer (Klambauer et al. 2017). Raises
    DtypeError for integers.
    """
    check_float("selu", input=x)
    above, below = x.dtype.type(SELU_SCALE), x.dtype.type(SELU_SCALE * SELU_ALPHA)
    return positive_part(x) * above + np.expm1(negative_part(x)) * below


@selu.grad("x")
def selu_dx(dy, x):
    """λ where x > 0, else λ α eˣ, at 0 too."""
    return where(dy * SELU_SCALE, dy * (exp(-relu(-x)) * (SELU_SCALE * SELU_ALPHA)), condition=x > 0)


def positive_part(x):
    """max(x, 0) of an array."""
    return np.maximum(x, x.dtype.type(0))


def negative_part(x):
    """min(x, 0) of an array."""
    return np.minimum(x, x.dtype.type(0))


@primitive(names=("input",))
def gelu(x, *, approximate="none"):
    """x Φ(x), Φ the standard normal distribution.

    With approximate='tanh' Φ(x) ≈ ½ (1 + tanh √(2/π) (x + 0.044715 x³)). Hendrycks & Gimpel 2016. Raises
    ValueError for another approximation, DtypeError for integers.
    """
    check_float("gelu", input=x)
    check_approximation("gelu", approximate)
    share = normal_cdf(wide(x)) if approximate == "none" else sigmoid(logit_of_share(wide(x)))
    return (x * share).astype(x.dtype, copy=False)


@gelu.grad("x")
def gelu_dx(dy, x, approximate):
    """Φ(x) + x Φ'(x), where Φ' is the normal density φ, or, for Φ(x) = σ(u(x)), σ (1 - σ) u'(x)."""
    x = wide(x)
    if approximate == "none":
        return dy * (normal_cdf(x) + x * normal_density(x))
    logit = logit_of_share(x)
    share = sigmoid(logit)
    slope = GELU_SLOPE * (1 + 3 * GELU_CUBIC * bounded(x) * bounded(x))
    return dy * (share + x * (share * sigmoid(-logit) * slope))  # of 1 - share too few digits are left near 1


def logit_of_share(x):
    """u(x) = 2 √(2/π) (x + 0.044715 x³): ½ (1 + tanh ½u) is σ(u)."""
    x = bounded(x)
    return GELU_SLOPE * x + (GELU_SLOPE * GELU_CUBIC) * (x * x * x)


def bounded(x):
    """x up to ±64, where σ(u(x)) is 0 or 1 to the last bit, so that no power of x overflows."""
    return hardtanh(x, min_val=-64.0, max_val=64.0)


@primitive
def normal_cdf(x):
    """Φ(x) = ½ erfc(-x / √2), the share of a standard normal distribution that lies below x."""
    z = np.abs(x).ravel() * x.dtype.type(math.sqrt(0.5))
    tail = np.empty_like(z)
    for start in range(0, z.size, PIECE):
        tail[start : start + PIECE] = tail_of_erf(z[start : start + PIECE])
    tail = tail.reshape(x.shape) * x.dtype.type(0.5)
    return ~np.signbit(x) - np.copysign(tail, x)  # 1 - tail on the right, 0 + tail on the left


@normal_cdf.grad("x")
def normal_cdf_dx(dy, x):
    """Φ'(x) = φ(x)."""
    return dy * normal_density(x)


def normal_density(x):
    """φ(x) = e^(-x²/2) / √(2π)."""
    with np.errstate(over="ignore"):  # e^-inf is 0
        return exp(-0.5 * (x * x)) * (1 / math.sqrt(2 * math.pi))


@primitive
def silu(x):
    """x σ(x), also called swish. Raises DtypeError for integers."""
    check_float("silu", input=x)
    return (x * sigmoid(wide(x))).astype(x.dtype, copy=False)


@silu.grad("x")
def silu_dx(dy, x):
    """σ(x) + x σ(x) (1 - σ(x))."""
    x = wide(x)
    share = sigmoid(x)
    return dy * (share + x * (share * (1 - share)))


@primitive
def hardswish(x):
    """x min(max(x + 3, 0), 6) / 6 (Howard et al. 2019). Raises DtypeError for integers."""
    check_float("hardswish", input=x)
    numbers = wide(x)  # of which six times the largest is finite
    share = (numbers + numbers.dtype.type(3)).clip(0, 6).astype(numbers.dtype, copy=False)
    return (numbers * share / numbers.dtype.type(6)).astype(x.dtype, copy=False)


@hardswish.grad("x")
def hardswish_dx(dy, x):
    """x / 3 + ½ between -3 and 3, 0 below, at -3 too, and 1 above, at 3 too."""
    x, dy = wide(x), wide(dy)
    between = hardtanh(x, min_val=-3.0, max_val=3.0) / 3 + 0.5
    return masked(where(dy, dy * between, condition=x >= 3), mask=~(x <= -3))


@primitive
def mish(x):
    """x tanh(ln(1 + eˣ)) (Misra 2019). Raises DtypeError for integers."""
    check_float("mish", input=x)
    return (x * np.tanh(log_one_plus_exp(wide(x)))).astype(x.dtype, copy=False)


@mish.grad("x")
def mish_dx(dy, x):
    """t + x σ(x) (1 - t²) for t = tanh(ln(1 + eˣ))."""
    x = wide(x)
    share = tanh(softplus(x))
    return dy * (share + x * sigmoid(x) * (1 - share * share))


@primitive(names=("input",))
def softsign(x):
    """x / (1 + |x|). Integers become floats."""
    x = floating(x)
    numbers = wide(x)
    return (numbers / (np.abs(numbers) + 1)).astype(x.dtype, copy=False)


@softsign.grad("x")
def softsign_dx(dy, x):
    """1 / (1 + |x|)², whose square is never written out: it overflows far out."""
    size = abs(wide(x)) + 1
    return dy / size / size


@primitive(names=("input",))
def softplus(x, *, beta=1.0, threshold=20.0):
    """ln(1 + e^(βx)) / β, and x itself where βx > threshold: there they agree.

    Raises DtypeError for integers.
    """
    check_float("softplus", input=x)
    numbers = wide(x)
    with np.errstate(over="ignore"):
        scaled = numbers * numbers.dtype.type(beta)
    y = np.asarray(log_one_plus_exp(scaled) / numbers.dtype.type(beta)).astype(x.dtype, copy=False)
    np.copyto(y, x, where=scaled > threshold)
    return y


@softplus.grad("x")
def softplus_dx(dy, x, beta, threshold):
    """σ(βx), and 1 where βx > threshold."""
    with np.errstate(over="ignore"):
        scaled = wide(x) * beta
    return where(dy, dy * sigmoid(scaled), condition=scaled > threshold)


def log_one_plus_exp(z):
    """ln(1 + eᶻ) of an array as max(z, 0) + ln(1 + e^(-|z|)), which overflows nowhere."""
    return positive_part(z) + np.log1p(np.exp(-np.abs(z)))


@primitive(names=("input",))
def logsigmoid(x):
    """ln σ(x) = -ln(1 + e⁻ˣ). Raises DtypeError for integers."""
    check_float("logsigmoid", input=x)
    return -log_one_plus_exp(-x)


@logsigmoid.grad("x")
def logsigmoid_dx(dy, x):
    """1 - σ(x) = σ(-x), where x > 0 as e⁻ˣ / (1 + e⁻ˣ), else as 1 / (1 + eˣ).

    Written so that its own derivative keeps its digits: σ (1 - σ) has none where σ(-x) rounds to 1.
    """
    x = wide(x)
    smaller = exp(where(-x, x, condition=x > 0))
    return dy * (where(smaller, 1.0, condition=x > 0) / (smaller + 1))


@primitive
def hardtanh(x, *, min_val=-1.0, max_val=1.0):
    """x, but no less than min_val and no more than max_val; relu6 is the one from 0 to 6.

    Raises ValueError where min_val is greater than max_val.
    """
    check_bounds("hardtanh", min_val, max_val)
    return x.clip(x.dtype.type(min_val), x.dtype.type(max_val))


@hardtanh.grad("x")
def hardtanh_dx(dy, x, min_val, max_val):
    """1 between the bounds, 0 at them and outside."""
    return masked(dy, mask=(x > min_val) & (x < max_val))
