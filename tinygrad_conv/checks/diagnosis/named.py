"""Numbers by the name of a known quantity: a constant times a power of it, or a product of two."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from ...dtypes import Array
from .quantities import Quantity

POWERS = (1, -1, 2, -2, 0.5, -0.5, 3, -3)
NEAR = 1e-3  # in proportion; what is named so is then compared exactly by whoever asked
PLAIN = (1.0, -1.0, 2.0, -2.0, 0.5, -0.5)
MOST_OTHERS = 120  # quantities that plain ones are multiplied by
MOST = 4  # names for the same numbers

Named = tuple[str, Array]


def names_of(
    numbers: Array, known: list[Quantity], chosen: Array, with_products: bool = True
) -> Iterator[Named]:
    """(name, values) of what `numbers` may be, all flat; `chosen` says where they count."""
    yielded: list[Array] = []
    with np.errstate(all="ignore"):
        for candidates in (powers(known), products(known) if with_products else iter(())):
            for name, values in candidates:
                constant = constant_of(numbers[chosen], values[chosen])
                if constant is None or any(is_near(constant * values, other) for other in yielded):
                    continue
                yielded.append(constant * values)
                yield times(constant, name), constant * values
                if len(yielded) == MOST:
                    return
            if yielded:
                return


def is_near(values: Array, others: Array) -> bool:
    """Whether two quantities are the same numbers."""
    return bool(np.allclose(values, others, rtol=1e-6, atol=0, equal_nan=True))


def powers(known: list[Quantity]) -> Iterator[Named]:
    """Powers of what is known, the simple ones first."""
    for power in POWERS:
        for quantity in known:
            yield raised(quantity.name, power), quantity.values.ravel() ** power


def products(known: list[Quantity]) -> Iterator[Named]:
    """Products and quotients of two, at least one of them plain."""
    plain = [quantity for quantity in known if quantity.is_plain]
    for first, second in product(plain, known[:MOST_OTHERS]):
        if first.name == second.name:
            continue
        for p, q in product((1, -1), (1, -1, 2, -2, 0.5, -0.5)):
            values = first.values.ravel() ** p * second.values.ravel() ** q
            yield show_product((first.name, p), (second.name, q)), values


def show_product(*factors: tuple[str, float]) -> str:
    """A product of powers by its name: `a / b**2`."""
    above = [raised(name, power) for name, power in factors if power > 0]
    below = [raised(name, -power) for name, power in factors if power < 0]
    return " / ".join([" * ".join(above) or "1", *below])


def constant_of(numbers: Array, values: Array) -> float | None:
    """The constant by which values are these numbers; None where there is none, or where it may be chance."""
    if not np.isfinite(values).all() or not np.abs(values).max(initial=0.0) > 0:
        return None
    constant = float(numbers @ values / (values @ values))
    scale = np.abs(numbers).max()
    if not np.isfinite(constant) or not scale or (np.abs(numbers - constant * values) > NEAR * scale).any():
        return None
    nice = min(PLAIN, key=lambda number: abs(number - constant))
    if abs(nice - constant) < 1e-4 * abs(constant):
        return nice
    different = np.unique(np.round(values / np.abs(values).max(), 6)).size
    return constant if different > 2 else None


def raised(name: str, power: float) -> str:
    """A power by its name."""
    if power == 1:
        return name
    return {-1: f"1 / {name}", 0.5: f"sqrt({name})", -0.5: f"1 / sqrt({name})"}.get(
        power, f"{name}**{power}" if power > 0 else f"1 / {name}**{-power}"
    )


def times(constant: float, name: str) -> str:
    """A constant times what has this name."""
    if constant == 1:
        return name
    if name.startswith("1 / "):
        return f"{constant:.4g} / {name[4:]}"
    return f"-{name}" if constant == -1 else f"{constant:.4g} * {name}"
