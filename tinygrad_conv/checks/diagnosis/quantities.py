"""The quantities that a rule can name, laid out over the elements of its input or of an output.

They are the inputs, the outputs, kept values and params; statistics of these along axes; and what is usually
made of them (1 - y², exp(x), variance + eps).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from ...dtypes import Array
from ..function import can_broadcast
from .evidence import Evidence

Shape = tuple[int, ...]


class Quantity(NamedTuple):
    """A quantity by its name, broadcast to the shape that it was asked for."""

    name: str
    values: Array
    is_plain: bool  # by a name in the rule, with nothing done to it


MADE: dict[str, Callable[[Array], Array]] = {
    "exp({})": np.exp,
    "(1 - {})": lambda q: 1 - q,
    "(1 + {})": lambda q: 1 + q,
    "(1 - {}²)": lambda q: 1 - q * q,
    "(1 + {}²)": lambda q: 1 + q * q,
    "abs({})": np.abs,
    "sign({})": np.sign,
    "sin({})": np.sin,
    "cos({})": np.cos,
    "tanh({})": np.tanh,
    "sigmoid({})": lambda q: 1 / (1 + np.exp(-q)),
    "(1 + exp({}))": lambda q: 1 + np.exp(q),
    "log({})": np.log,
}
STATISTICS: dict[str, Callable[..., Array]] = {
    "mean": np.mean,
    "var": np.var,
    "sum": np.sum,
    "norm": lambda q, axis, keepdims: np.sqrt(np.sum(q * q, axis=axis, keepdims=keepdims)),
    "max": np.max,
    "min": np.min,
}


def quantities(evidence: Evidence, shape: Shape) -> list[Quantity]:
    """What is known and fits a shape: plain ones, then statistics, then what is made of both."""
    if shape not in evidence.quantities:
        evidence.quantities[shape] = quantities_among(evidence.readable, shape)
    return evidence.quantities[shape]


def known_at(points: list[Evidence], shape: Shape) -> list[Quantity]:
    """What is known at all of several points, its numbers at one after another in one vector."""
    by_name: list[dict[tuple[str, int], Quantity]] = []
    for point in points:
        times: Counter[str] = Counter()
        by_name.append({})
        for quantity in quantities(point, shape):
            by_name[-1][quantity.name, times[quantity.name]] = quantity
            times[quantity.name] += 1
    first, *others = by_name
    return [
        quantity._replace(values=end_to_end([at[key].values for at in by_name]))
        for key, quantity in first.items()
        if all(key in at for at in others)
    ]


def end_to_end(arrays: Iterable[Array]) -> Array:
    """Arrays as one vector."""
    return np.concatenate([np.ravel(array) for array in arrays])


def quantities_among(plain: dict[str, Array], shape: Shape) -> list[Quantity]:
    """The same of what can be read."""
    with np.errstate(all="ignore"):
        fitting = [
            Quantity(name + where, laid, True)
            for name, array in plain.items()
            for where, laid in laid_out(array, shape)
        ]
        statistics = [
            Quantity(name + where, laid, False)
            for name, array in statistics_of(plain)
            for where, laid in laid_out(array, shape)
        ]
        numbers = {name: float(array) for name, array in plain.items() if array.ndim == 0}
        made = [new for quantity in fitting for new in made_of(quantity, numbers)]
        made += [
            Quantity(f"({name} + {param})", values + number, False)
            for name, values, _ in statistics
            for param, number in numbers.items()
            if 0 < abs(number) < 1
        ]
        sums = [
            Quantity(f"({a.name} {sign} {b.name})", a.values + factor * b.values, False)
            for a, b in combinations(fitting, 2)
            for sign, factor in (("+", 1), ("-", -1))
        ]
    return [*fitting, *statistics, *made, *sums]


def laid_out(array: Array, shape: Shape) -> Iterator[tuple[str, Array]]:
    """An array over the elements of a shape: as it broadcasts, and along other axes that it fits.

    With it comes where it lies, in words, if it lies not as it broadcasts.
    """
    if can_broadcast(array.shape, shape):
        yield "", np.broadcast_to(array, shape)
    if not 0 < array.ndim < len(shape):
        return
    fits = can_broadcast(array.shape, shape)
    for start in range(len(shape) - array.ndim):
        if shape[start : start + array.ndim] == array.shape:
            after = len(shape) - start - array.ndim
            where = f"[axis {start}]" if fits else ""
            yield where, np.broadcast_to(array.reshape(array.shape + (1,) * after), shape)


def statistics_of(plain: dict[str, Array]) -> Iterator[tuple[str, Array]]:
    """Means, variances, norms … along any axes."""
    for name, array in plain.items():
        for axes in subsets(array.ndim):
            if array.size and np.prod([array.shape[axis] for axis in axes]) > 1:
                for statistic, compute in STATISTICS.items():
                    text = f"{statistic}({name}, axis={axes[0] if len(axes) == 1 else axes})"
                    yield text, compute(array, axis=axes, keepdims=True)
                mean = f"mean({name}, axis={axes[0] if len(axes) == 1 else axes})"
                yield f"({name} - {mean})", array - array.mean(axis=axes, keepdims=True)


def made_of(quantity: Quantity, numbers: dict[str, float]) -> Iterator[Quantity]:
    """What is usually made of a quantity, alone or with a param."""
    for text, function in MADE.items():
        yield Quantity(text.format(quantity.name), function(quantity.values), False)
    for param, number in numbers.items():
        if param != quantity.name:
            yield Quantity(f"({quantity.name} + {param})", quantity.values + number, False)
            yield Quantity(f"({quantity.name} - {param})", quantity.values - number, False)
            yield Quantity(f"exp({param} * {quantity.name})", np.exp(number * quantity.values), False)


def subsets(count: int) -> list[tuple[int, ...]]:
    """Every choice of axes but none, of the first five."""
    axes = range(min(count, 5))
    return [chosen for size in range(1, len(axes) + 1) for chosen in combinations(axes, size)]


def show_axis(axes: tuple[Any, ...]) -> str:
    """`axis 1`, `axes 0, 2`."""
    return f"axis {axes[0]}" if len(axes) == 1 else "axes " + ", ".join(map(str, axes))
