"""Numbers drawn from a distribution, and drawn into a tensor in place. PyTorch's names and arguments.

`generator`: a `tg.Generator` (or NumPy's); by default the one that `tg.manual_seed` resets.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..creation import shape_of
from ..dtypes import Array, below, check_in_range, get_default_dtype, numeric_array
from ..engine.in_place import change
from ..engine.observed import observable
from ..engine.registry import OPS, composite
from ..engine.tensor import Tensor
from ..errors import DtypeError, ShapeError, show_array
from ..ops.arguments.values import check_float
from ..options import ARRAY, COUNT, FLAG, OPERAND, checked
from .default import drawing_from


@observable
@checked(mean=OPERAND, std=OPERAND)
def normal(
    mean: Any,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Any = None,
    dtype: DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal: of a mean and a standard deviation each, which broadcast, or `size` of the same two.

    In the dtype of mean, or of std, where one is a tensor. Raises ValueError for a negative std.
    """
    given = [value for value in (mean, std) if hasattr(value, "dtype")]
    chosen = dtype or (given[0].dtype if given else get_default_dtype())
    if np.dtype(chosen).kind != "f":
        raise DtypeError(f"normal: numbers are floating-point, not {np.dtype(chosen)}; use mean.float()")
    means, deviations = numbers_of(mean), numbers_of(std)
    shape = (
        np.broadcast_shapes(means.shape, deviations.shape) if size is None else shape_of((size,), "normal")
    )
    drawn = draw_normal(drawing_from(generator), shape, means, deviations)
    return Tensor(drawn.astype(chosen), None, requires_grad)


@observable
@checked(input=ARRAY)
def bernoulli(input: Any, *, generator: Any = None) -> Tensor:
    """1 with the probability in `input`, else 0, in its dtype; no gradient passes through the choice."""
    probabilities = numbers_of(input)
    check_float("bernoulli", input=probabilities)
    drawn = draw_bernoulli(drawing_from(generator), probabilities.shape, probabilities)
    return Tensor(drawn.astype(probabilities.dtype))


@observable
@checked(input=ARRAY, num_samples=COUNT, replacement=FLAG)
def multinomial(input: Any, num_samples: int, replacement: bool = False, *, generator: Any = None) -> Tensor:
    """[…, num_samples] indices, drawn in proportion to the weights of each row of `input`, [C] or [N, C].

    Without replacement none comes twice: the first num_samples arrivals, where each index arrives after an
    exponential time of its weight as rate (Efraimidis and Spirakis 2006). Raises ValueError for weights that
    are negative, not finite or all 0, and where fewer than num_samples are positive without replacement.
    """
    weights = numbers_of(input)
    check_float("multinomial", input=weights)
    check_weights(weights, num_samples, replacement)
    random = drawing_from(generator)
    rows = weights.reshape(-1, weights.shape[-1]).astype(np.float64)
    if replacement:
        steps = np.cumsum(rows, axis=1)
        points = random.random((len(rows), num_samples)) * steps[:, -1:]
        drawn = [np.searchsorted(step, point, side="right") for step, point in zip(steps, points)]
        chosen = np.array(drawn, np.int64)
    else:
        with np.errstate(divide="ignore"):
            arrivals = random.standard_exponential(rows.shape) / rows
        chosen = np.argsort(arrivals, axis=1)[:, :num_samples].astype(np.int64)
    return Tensor(chosen.reshape(*weights.shape[:-1], num_samples))


def numbers_of(value: Any) -> Array:
    """The numbers of a tensor, of an array, or of a number alone."""
    return numeric_array(value.data if isinstance(value, Tensor) else value)


def check_weights(weights: Array, count: int, replacement: bool) -> None:
    """Refuse weights from which not enough can be drawn."""
    if weights.ndim not in (1, 2) or weights.shape[-1] == 0:
        raise ShapeError(
            f"multinomial: input must be [C] or [N, C], with C from 1, not {show_array(weights)}"
        )
    if count < 1:
        raise ValueError(f"multinomial: num_samples must be at least 1, not {count}")
    if not (np.isfinite(weights).all() and (weights >= 0).all() and (weights.sum(-1) > 0).all()):
        raise ValueError("multinomial: input must be finite, not negative, and in each row not all 0")
    least = int((weights > 0).sum(-1).min(initial=weights.shape[-1]))
    if not replacement and count > least:
        raise ValueError(
            f"multinomial: num_samples is {count}, but only {least} of a row's weights are positive; draw "
            "fewer, or pass replacement=True"
        )


def draw_normal(random: Any, shape: tuple[int, ...], mean: Any, std: Any) -> Array:
    if not (np.asarray(std) >= 0).all():
        raise ValueError("std must be 0 or more")
    return np.asarray(mean + std * random.standard_normal(shape))


def draw_uniform(random: Any, shape: tuple[int, ...], low: Any, high: Any) -> Array:
    if not -math.inf < low <= high < math.inf:
        raise ValueError(f"low must be at most high, and both finite, not {low} and {high}")
    return np.asarray(low + (high - low) * random.random(shape))


def draw_bernoulli(random: Any, shape: tuple[int, ...], p: Any) -> Array:
    if not ((np.asarray(p) >= 0) & (np.asarray(p) <= 1)).all():
        raise ValueError("probabilities must lie in [0, 1]")
    return np.asarray(random.random(shape) < p)


def draw_exponential(random: Any, shape: tuple[int, ...], rate: Any) -> Array:
    if not 0 < rate < math.inf:
        raise ValueError(f"lambd must be positive and finite, not {rate}")
    return np.asarray(random.standard_exponential(shape) / rate)


def drawn(x: Tensor, draw: Callable[[Any, tuple[int, ...]], Array], generator: Any) -> Tensor:
    """Other numbers in the place of x's: drawn in float64, and rounded."""
    numbers = draw(drawing_from(generator), x.shape)
    return OPS["setitem"](x, numbers.astype(x.dtype), index=...)


def into(x: Tensor, symbol: str, generator: Any, draw: Callable[..., Array], *options: Any) -> Tensor:
    """Draw into x, in place."""
    return change(x, symbol, partial(drawn, draw=lambda *given: draw(*given, *options), generator=generator))


@composite
@observable
@checked(mean=OPERAND, std=OPERAND)
def normal_(input: Tensor, mean: float = 0, std: float = 1, *, generator: Any = None) -> Tensor:
    """Normal numbers in the place of the old ones."""
    check_float("normal_", x=input.data)
    return into(input, "x.normal_(…)", generator, draw_normal, numbers_of(mean), numbers_of(std))


@composite
@observable
@checked(low=OPERAND, high=OPERAND)
def uniform_(input: Tensor, low: float = 0, high: float = 1, *, generator: Any = None) -> Tensor:
    """Numbers on [low, high) in the place of the old ones."""
    check_float("uniform_", x=input.data)
    bounded = partial(draw_below, dtype=input.dtype)
    return into(input, "x.uniform_(…)", generator, bounded, numbers_of(low), numbers_of(high))


def draw_below(random: Any, shape: tuple[int, ...], low: Any, high: Any, dtype: Any) -> Array:
    """Uniform, and below its bound in the dtype to be rounded to, which must hold both bounds."""
    for bound in (low, high):
        check_in_range(bound, dtype)
    numbers = draw_uniform(random, shape, low, high)
    return numbers.astype(dtype) if low == high else below(numbers, float(high), dtype)


@composite
@observable
@checked(p=OPERAND)
def bernoulli_(input: Tensor, p: Any = 0.5, *, generator: Any = None) -> Tensor:
    """1 with probability p, a number or a tensor that broadcasts, else 0, in the place of the old numbers."""
    return into(input, "x.bernoulli_(…)", generator, draw_bernoulli, numbers_of(p))


@composite
@observable
@checked(lambd=OPERAND)
def exponential_(input: Tensor, lambd: float = 1, *, generator: Any = None) -> Tensor:
    """Exponential numbers of rate lambd in the place of the old ones."""
    check_float("exponential_", x=input.data)
    return into(input, "x.exponential_(…)", generator, draw_exponential, numbers_of(lambd))
