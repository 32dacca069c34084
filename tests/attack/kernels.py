"""Small correlations of every geometry, by every kernel, against the literal sums of `reference`.

Each case is one geometry and three arrays x, w and dy. Of the correlation and its two gradients every kernel
of the tables that serves the shape is tried, and the one which the tables choose. What must hold:

- no result is off by more than its own summands explain, n roundings of the sum of their absolute values. So
  a large number spoils nothing but what it belongs to. Winograd may be off by some roundings of the product
  of the norms of what meets, which are those of the window and of the weights
- every Inf and NaN is where the literal sum has it, and nowhere else
- no warning, unless the literal sum has an Inf or NaN, too
- arguments stay as they are, results are fresh memory of the right dtype
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from tinygrad_conv import kernels
from tinygrad_conv.kernels import reference
from tinygrad_conv.kernels.dispatch import FAST, TABLES, problem_of
from tinygrad_conv.kernels.window import Window, make_window

from .campaign import Campaign

Array = np.ndarray[Any, Any]
Pair = tuple[int, int]

MEMORY_ORDERS = ((0, 1, 2, 3), (2, 1, 3, 0), (2, 1, 0, 3), (3, 2, 1, 0), (0, 2, 3, 1))
SPECIAL = {"nan": [np.nan], "inf": [np.inf, -np.inf], "wild": [np.nan, np.inf, -np.inf, 0.0]}
OUTLIERS = {"float16": [300.0], "float32": [1e3, 1e6, 1e10, 1e30], "float64": [1e3, 1e10, 1e30, 1e200]}
NORMWISE = {"winograd": 200.0}  # roundings of the product of norms that a kernel may be off by


@dataclass
class Case:
    """Sizes for each group, a geometry, and what is special about the numbers."""

    samples: int = 1
    channels: int = 1
    outputs: int = 1
    groups: int = 1
    size: Pair = (1, 1)
    kernel: Pair = (1, 1)
    stride: Pair = (1, 1)
    padding: tuple[Pair, Pair] = ((0, 0), (0, 0))
    dilation: Pair = (1, 1)
    fewer: Pair = (0, 0)  # rows and columns of dy than the windows make
    dtypes: tuple[str, str] = ("float32", "float32")  # of the first array and of the second
    order: int = 0  # of MEMORY_ORDERS
    special: str = ""
    where: str = "x"  # the array that has it
    share: float = 0.0  # of its numbers; 0 for a single one
    seed: int = 0

    def window(self) -> Window:
        """The geometry, of as many windows as dy has."""
        whole = make_window(self.size, self.kernel, self.stride, self.padding, self.dilation)
        rows, columns = (max(count - fewer, 0) for count, fewer in zip(whole.out, self.fewer, strict=True))
        return whole._replace(out=(rows, columns))

    def arrays(self) -> dict[str, Array]:
        """x, w and dy."""
        random = np.random.default_rng(self.seed)
        channels, outputs = self.groups * self.channels, self.groups * self.outputs
        shapes = {
            "x": (self.samples, channels, *self.size),
            "w": (outputs, self.channels, *self.kernel),
            "dy": (self.samples, outputs, *self.window().out),
        }
        order = MEMORY_ORDERS[self.order]
        arrays = {}
        for name, shape in shapes.items():
            array = random.standard_normal([shape[axis] for axis in order])
            if self.special and name == self.where and array.size:
                spoil(array, self, random)
            arrays[name] = array.transpose(np.argsort(order))
        return arrays


def spoil(array: Array, case: Case, random: np.random.Generator) -> None:
    """Put what is special into some places."""
    outliers = OUTLIERS[min(case.dtypes, key=lambda name: np.dtype(name).itemsize)]
    values = SPECIAL.get(case.special, outliers if case.special == "outlier" else [0.0])
    places = random.random(array.shape) < case.share
    places.flat[random.integers(array.size)] = True
    array[places] = random.choice(values, int(places.sum()))


class Kernels(Campaign):
    """Half of the cases have the smallest geometries, a few are of everyday sizes."""

    def make(self, random: np.random.Generator) -> Case:
        most = int(random.choice([3, 8, 12], p=[0.5, 0.4, 0.1]))

        def pair(low: int, high: int) -> Pair:
            return int(random.integers(low, high)), int(random.integers(low, high))

        plain = random.random() < 0.3
        deep = most == 12
        groups = int(random.choice([1, 1, 1, 2, 3] if not deep else [1, 1, 1, 2]))
        special = str(
            random.choice(["", "outlier", "nan", "inf", "wild", "zero"], p=[0.4, 0.2, 0.1, 0.1, 0.1, 0.1])
        )
        dtype = str(random.choice(["float32", "float64", "float16"], p=[0.6, 0.3, 0.1]))
        other = str(random.choice(["float32", "float64"])) if random.random() < 0.1 else dtype
        return Case(
            samples=int(random.integers(0, 4)) if random.random() < 0.5 else int(random.integers(1, 9)),
            channels=int(random.integers(20, 33)) if deep else int(random.integers(1, 4)),
            outputs=int(random.integers(20, 33)) if deep else int(random.integers(1, 4)),
            groups=groups,
            size=pair(0, 3) if random.random() < 0.1 else pair(1, most + 1),
            kernel=(3, 3) if deep and random.random() < 0.7 else pair(1, 9 if random.random() < 0.05 else 4),
            stride=(1, 1) if plain or deep else pair(1, 5),
            padding=(pair(0, 3), pair(0, 3)) if random.random() < 0.9 else (pair(0, 6), pair(0, 6)),
            dilation=(1, 1) if plain or random.random() < 0.4 else pair(1, 4),
            fewer=pair(0, 3) if random.random() < 0.4 else (0, 0),
            dtypes=(dtype, other),
            order=int(random.integers(len(MEMORY_ORDERS))),
            special=special,
            where=str(random.choice(["x", "w", "dy"])),
            share=float(random.choice([0.0, 0.0, 0.02, 0.3, 1.0])),
            seed=int(random.integers(2**31)),
        )

    def check(self, case: Case) -> None:
        arrays = case.arrays()
        for family, (first, second) in FAMILIES.items():
            operands = arrays[first].astype(case.dtypes[0]), arrays[second].astype(case.dtypes[1])
            check_family(family, operands, case.window(), case.groups)

    def smaller(self, case: Case) -> Iterable[Case]:
        plain = Case()
        for name in ("special", "groups", "dtypes", "order", "fewer", "padding", "stride", "dilation"):
            if getattr(case, name) != getattr(plain, name):
                yield replace(case, **{name: getattr(plain, name)})
        for name in ("samples", "channels", "outputs", "groups"):
            for number in (getattr(case, name) // 2, getattr(case, name) - 1):
                if number >= 1:
                    yield replace(case, **{name: number})
        for name, least in (("size", 0), ("kernel", 1), ("stride", 1), ("dilation", 1), ("fewer", 0)):
            rows, columns = getattr(case, name)
            for pair in ((rows - 1, columns), (rows, columns - 1)):
                if min(pair) >= least:
                    yield replace(case, **{name: pair})
        (top, bottom), (left, right) = case.padding
        for sides in ((top - 1, bottom, left, right), (top, bottom - 1, left, right)):
            yield from padded(case, sides)
        for sides in ((top, bottom, left - 1, right), (top, bottom, left, right - 1)):
            yield from padded(case, sides)


def padded(case: Case, sides: tuple[int, int, int, int]) -> Iterator[Case]:
    """The case with this padding, if there can be such."""
    if min(sides) >= 0:
        yield replace(case, padding=(sides[:2], sides[2:]))


FAMILIES = {
    "correlate": ("x", "w"),
    "correlate_weight_grad": ("x", "dy"),
    "correlate_input_grad": ("dy", "w"),
}


def check_family(family: str, operands: tuple[Array, Array], window: Window, groups: int) -> None:
    """Every kernel that serves."""
    first, second = operands
    function = getattr(kernels, family)
    with np.errstate(all="ignore"):
        expected = getattr(reference, family)(first, second, window, groups)
        exact, absolute, normwise = bounds(family, first, second, window, groups)
    before = first.copy(), second.copy()
    problem = problem_of(family, first.shape, second.shape, window, groups, first.dtype, second.dtype)
    names = [line.name for line in TABLES[family] if line.serves(problem) and line.name != "reference"]
    mode = "raise" if np.isfinite(expected).all() else "ignore"
    terms = terms_of(family, problem.samples, first.shape, second.shape, window)
    for name in [FAST, *names]:
        try:
            with kernels.use_kernels(name), np.errstate(over=mode, invalid=mode, divide=mode):
                actual = function(first, second, window, groups)
            with np.errstate(all="ignore"):
                normwise_share = NORMWISE.get(str(kernels.served()), 0.0)
                allowed = np.finfo(problem.dtype).eps * (terms * absolute + normwise_share * normwise)
                assert_agrees(actual, expected, exact, allowed)
            assert np.array_equal(first, before[0], equal_nan=True), "an argument was changed"
            assert np.array_equal(second, before[1], equal_nan=True), "an argument was changed"
        except Exception as error:
            raise type(error)(f"{family} by {name}, served by {kernels.served()}: {error}") from error


def terms_of(
    family: str, samples: int, first: tuple[int, ...], second: tuple[int, ...], window: Window
) -> int:
    """How many summands a result has at the most, and two more for what is rounded once."""
    if family == "correlate_weight_grad":
        return samples * window.out[0] * window.out[1] + 2
    return window.taps * (second[1] if family == "correlate" else second[0]) + 2


def bounds(
    family: str, first: Array, second: Array, window: Window, groups: int
) -> tuple[Array, Array, Array]:
    """In float64: the result, the sum of its summands' absolute values, and the product of the norms."""
    function = getattr(reference, family)
    first, second = first.astype(np.float64), second.astype(np.float64)
    exact = function(first, second, window, groups)
    absolute = function(np.abs(first), np.abs(second), window, groups)
    ones = np.ones_like
    if family == "correlate_weight_grad":
        rows = np.square(first).sum(axis=(0, 2, 3)), np.square(second).sum(axis=(0, 2, 3))
        of_x, of_dy = (energy + energy.mean() if energy.size else energy for energy in rows)
        by_group = of_x.reshape(groups, 1, -1) * of_dy.reshape(groups, -1, 1)
        return exact, absolute, np.sqrt(by_group.reshape(*exact.shape[:2], 1, 1) * np.ones_like(exact))
    energies = function(np.square(first), ones(second), window, groups)
    weights = function(ones(first), np.square(second), window, groups)
    largest = weights.max(axis=(0, 2, 3), keepdims=True, initial=0.0)
    return exact, absolute, np.sqrt(energies * largest)


def assert_agrees(actual: Array, expected: Array, exact: Array, allowed: Array) -> None:
    """Inf and NaN as expected, other numbers as exact as allowed and the dtype can say."""
    assert actual.shape == expected.shape and actual.dtype == expected.dtype
    assert actual.flags.writeable
    finite = np.isfinite(expected)
    if not np.array_equal(np.where(finite, 0, actual), np.where(finite, 0, expected), equal_nan=True):
        raise AssertionError(f"{show(actual)} should have Inf and NaN as in {show(expected)}")
    limits = np.finfo(actual.dtype)
    allowed = allowed + np.abs(exact) * float(limits.eps) + 64 * float(limits.tiny)
    off = np.abs(np.where(finite, actual.astype(np.float64) - exact, 0))
    excess = np.where(finite, off - np.where(finite, allowed, 0), 0)
    if (excess > 0).any():
        place = tuple(map(int, np.unravel_index(excess.argmax(), excess.shape)))
        raise AssertionError(
            f"at {place} {actual[place]!r} should be {exact[place]!r}, give or take {allowed[place]:.2g}"
        )


def show(array: Array) -> str:
    """On one line."""
    return np.array2string(array, separator=",", threshold=20).replace("\n", "")


def small_geometries() -> Iterator[Case]:
    """Every geometry along one axis up to a small size, with as many rows or columns of dy as can be."""
    ranges = range(5), range(1, 4), range(1, 4), range(2), range(2), range(1, 3)
    for size, kernel, stride, before, after, dilation in product(*ranges):
        sides = (before, after), (0, 0)
        whole = make_window((size, 1), (kernel, 1), (stride, 1), sides, (dilation, 1)).out[0]
        for fewer in range(max(whole, 1)):
            rows = Case(
                samples=2,
                groups=2,
                size=(size, 2),
                kernel=(kernel, 1),
                stride=(stride, 1),
                padding=sides,
                dilation=(dilation, 1),
                fewer=(fewer, 0),
            )
            yield rows
            yield turned(rows)


def turned(case: Case) -> Case:
    """The case with rows and columns exchanged, in one group."""
    pairs = ("size", "kernel", "stride", "padding", "dilation", "fewer")
    return replace(case, groups=1, **{name: getattr(case, name)[::-1] for name in pairs})


CAMPAIGN = Kernels()
