"""Initialisation in place, under PyTorch's names. Each returns its tensor, which may be an array: `w.data`.

`generator`: a numpy Generator, or a seed for a fresh one; by default the one that `tg.manual_seed` resets.
Numbers are drawn in float64 and rounded, so a seed gives the same ones in every dtype.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, TypeVar

import numpy as np

from ..absent.missing import public_names
from ..dtypes import CODES, Array, below, numbers_in
from ..engine.commit import Changes
from ..engine.in_place import overwrite
from ..engine.tensor import Tensor
from ..errors import ShapeError, show_shape
from ..functional.arguments import rewrite
from ..options import FINITE, INTEGER, NUMBER, Option, checked, choice, is_real, optional
from ..randomness.seeds import SEED, Random, random_numbers

AnyTensor = TypeVar("AnyTensor", bound=Tensor | Array)

SQRT2 = math.sqrt(2.0)
LEAST_SHARE = 1e-4  # of normal numbers within bounds: else drawing again would take too long
SLOPE = 0.01  # of a leaky relu, below 0
GAINS = {
    **dict.fromkeys(("linear", "conv1d", "conv2d", "conv_transpose1d", "conv_transpose2d", "sigmoid"), 1.0),
    "tanh": 5.0 / 3,
    "relu": math.sqrt(2.0),
    "leaky_relu": math.sqrt(2.0 / (1 + SLOPE**2)),
    "selu": 3.0 / 4,
}


def is_fillable(value: Any) -> bool:
    """Whether it is a Tensor, or an array of a dtype that tensors have."""
    return isinstance(value, Tensor) or (isinstance(value, np.ndarray) and value.dtype.char in CODES)


refusing = checked(
    tensor=Option("a Tensor or its .data", has_type=is_fillable, at_once=True),
    **dict.fromkeys(("a", "b", "mean", "gain"), FINITE),
    std=FINITE._replace(in_range=lambda value: bool(0 <= value < math.inf), limits="be 0 or more"),
    val=NUMBER._replace(has_type=is_real),
    param=optional(FINITE),
    mode=choice("fan_in", "fan_out"),
    nonlinearity=choice(*GAINS),
    generator=SEED,
    groups=INTEGER,
    sparsity=FINITE._replace(in_range=lambda value: bool(0 <= value <= 1), limits="lie in [0, 1]"),
)


@refusing
def uniform_(tensor: AnyTensor, a: float = 0.0, b: float = 1.0, generator: Random = None) -> AnyTensor:
    """Uniform on [a, b)."""
    for bound in (a, b):
        numbers_in(bound, tensor.dtype)  # which holds it
    return fill(tensor, below(random_numbers(generator).uniform(a, b, tensor.shape), b, tensor.dtype))


@refusing
def normal_(tensor: AnyTensor, mean: float = 0.0, std: float = 1.0, generator: Random = None) -> AnyTensor:
    """Normal."""
    return fill(tensor, random_numbers(generator).normal(mean, std, tensor.shape))


@refusing
def constant_(tensor: AnyTensor, val: float) -> AnyTensor:
    """One value everywhere. Raises OverflowError for one that the dtype cannot hold."""
    return fill(tensor, numbers_in(val, tensor.dtype))


@refusing
def zeros_(tensor: AnyTensor) -> AnyTensor:
    """All zeros."""
    return fill(tensor, 0.0)


@refusing
def ones_(tensor: AnyTensor) -> AnyTensor:
    """All ones."""
    return fill(tensor, 1.0)


@refusing
def xavier_uniform_(tensor: AnyTensor, gain: float = 1.0, generator: Random = None) -> AnyTensor:
    """Uniform of variance gain² · 2 / (fan_in + fan_out) (Glorot and Bengio 2010)."""
    bound = math.sqrt(3.0) * xavier_std("xavier_uniform_", tensor, gain)
    return uniform_(tensor, -bound, bound, generator)


@refusing
def xavier_normal_(tensor: AnyTensor, gain: float = 1.0, generator: Random = None) -> AnyTensor:
    """Normal of variance gain² · 2 / (fan_in + fan_out) (Glorot and Bengio 2010)."""
    return normal_(tensor, 0.0, xavier_std("xavier_normal_", tensor, gain), generator)


@refusing
def kaiming_uniform_(
    tensor: AnyTensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Random = None,
) -> AnyTensor:
    """Uniform of variance gain² / fan (He et al. 2015). a: the slope of a leaky relu below 0."""
    bound = math.sqrt(3.0) * kaiming_std("kaiming_uniform_", tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


@refusing
def kaiming_normal_(
    tensor: AnyTensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Random = None,
) -> AnyTensor:
    """Normal of variance gain² / fan (He et al. 2015). a: the slope of a leaky relu below 0."""
    return normal_(tensor, 0.0, kaiming_std("kaiming_normal_", tensor, a, mode, nonlinearity), generator)


@refusing
def orthogonal_(tensor: AnyTensor, gain: float = 1, generator: Random = None) -> AnyTensor:
    """gain times orthonormal rows, or columns where there are more rows; [n, …] counts as n rows.

    From the QR decomposition of a normal matrix, with the signs of R's diagonal, so that it is uniform
    (Mezzadri 2007).
    """
    if tensor.ndim < 2:
        raise ShapeError(f"orthogonal_: needs at least 2 dimensions, not {show_shape(tensor.shape)}")
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    q, r = np.linalg.qr(random_numbers(generator).standard_normal((max(rows, columns), min(rows, columns))))
    q = q * np.where(np.diagonal(r) < 0, -1.0, 1.0)
    return fill(tensor, gain * (q if rows >= columns else q.T).reshape(tensor.shape))


@refusing
def trunc_normal_(
    tensor: AnyTensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Random = None,
) -> AnyTensor:
    """Normal, but drawn again outside of [a, b]. Raises ValueError where hardly any lies within."""
    if not a < b:
        raise ValueError(f"trunc_normal_: a={a} must be below b={b}")
    inside = (math.erf((b - mean) / SQRT2 / std) - math.erf((a - mean) / SQRT2 / std)) / 2 if std else 1.0
    if inside < LEAST_SHARE or (not std and not a <= mean <= b):
        raise ValueError(f"trunc_normal_: [{a}, {b}] is too far from mean={mean} for std={std}")
    random = random_numbers(generator)
    numbers = random.normal(mean, std, tensor.shape)
    while (outside := (numbers < a) | (numbers > b)).any():
        numbers[outside] = random.normal(mean, std, int(outside.sum()))
    return fill(tensor, numbers)


@refusing
def eye_(tensor: AnyTensor) -> AnyTensor:
    """Ones on the diagonal of a matrix, zeros elsewhere."""
    if tensor.ndim != 2:
        raise ShapeError(f"eye_: needs 2 dimensions, not {show_shape(tensor.shape)}")
    return fill(tensor, np.eye(tensor.shape[0], tensor.shape[1]))


@refusing
def dirac_(tensor: AnyTensor, groups: int = 1) -> AnyTensor:
    """A kernel [out, in, …] that hands its input on: one in the middle of channel i for channel i.

    In each of the groups of outputs. Raises ShapeError for other than 3 to 5 dimensions.
    """
    if tensor.ndim not in (3, 4, 5):
        raise ShapeError(f"dirac_: needs 3, 4 or 5 dimensions, not {show_shape(tensor.shape)}")
    if groups < 1 or tensor.shape[0] % groups:
        raise ValueError(f"dirac_: groups={groups} must divide the {tensor.shape[0]} output channels")
    numbers = np.zeros(tensor.shape)
    each = tensor.shape[0] // groups
    middle = tuple(size // 2 for size in tensor.shape[2:])
    for group in range(groups):
        for channel in range(min(each, tensor.shape[1])):
            place = (group * each + channel, channel, *middle)
            numbers[place] = 1
    return fill(tensor, numbers)


@refusing
def sparse_(tensor: AnyTensor, sparsity: float, std: float = 0.01, generator: Random = None) -> AnyTensor:
    """A matrix of normal numbers with this share of zeros in each column, rounded up, at random places.

    (Martens 2010.) Raises ShapeError for other than 2 dimensions.
    """
    if tensor.ndim != 2:
        raise ShapeError(f"sparse_: needs 2 dimensions, not {show_shape(tensor.shape)}")
    rows, columns = tensor.shape
    random = random_numbers(generator)
    numbers = random.normal(0, std, (rows, columns))
    order = random.random((rows, columns)).argsort(0)
    numbers[order < math.ceil(sparsity * rows)] = 0
    return fill(tensor, numbers)


def uniform_by_fan_in(weight: Tensor, bias: Tensor | None, generator: Random = None) -> None:
    """What layers begin with: weight, then bias, uniform on ±1/√fan_in: kaiming_uniform_ with a = √5."""
    fan_in, random = fans("uniform_by_fan_in", weight)[0], random_numbers(generator)
    if not fan_in and bias is not None:
        zeros_(bias)
    if not fan_in:
        return
    bound = 1 / math.sqrt(fan_in)
    changes = Changes()
    for tensor in (weight,) if bias is None else (weight, bias):
        rewrite(changes, tensor, below(random.uniform(-bound, bound, tensor.shape), bound, tensor.dtype))
    changes.commit()


def refill(numbers: Iterable[tuple[Tensor | None, float]]) -> None:
    """Each tensor that there is gets its number everywhere: all of them, or none where anything is raised."""
    changes = Changes()
    for tensor, number in numbers:
        if tensor is not None:
            rewrite(changes, tensor, np.full(tensor.shape, number, tensor.dtype))
    changes.commit()


@refusing
def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor that keeps the variance through a nonlinearity.

    param: a leaky relu's slope below 0, 0.01 by default.
    """
    if nonlinearity == "leaky_relu":
        return math.sqrt(2.0 / (1 + (SLOPE if param is None else param) ** 2))
    return GAINS[nonlinearity]


def fans(op: str, tensor: Tensor | Array) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight [out, in, …]: how many inputs an output sums, and the other way round."""
    if tensor.ndim < 2:
        shape = show_shape(tensor.shape)
        raise ShapeError(f"{op}: fan in and fan out need at least 2 dimensions, not {shape}")
    taps = math.prod(tensor.shape[2:])
    return tensor.shape[1] * taps, tensor.shape[0] * taps


def xavier_std(op: str, tensor: Tensor | Array, gain: float) -> float:
    """The standard deviation gain · √(2 / (fan_in + fan_out))."""
    return gain * math.sqrt(2.0 / max(sum(fans(op, tensor)), 1))


def kaiming_std(op: str, tensor: Tensor | Array, a: float, mode: str, nonlinearity: str) -> float:
    """The standard deviation gain / √fan."""
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"{op}: mode must be 'fan_in' or 'fan_out', not {mode!r}")
    fan = fans(op, tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(max(fan, 1))


def fill(tensor: AnyTensor, values: Any) -> AnyTensor:
    """Overwrite the numbers, in the tensor's dtype; a backward that would read the old ones is refused."""
    if isinstance(tensor, Tensor):
        overwrite(tensor, values)
    else:
        changes = Changes()
        changes.write_array(tensor, np.array(values, tensor.dtype))
        changes.commit()
    return tensor


__getattr__, _ = public_names(__name__)
