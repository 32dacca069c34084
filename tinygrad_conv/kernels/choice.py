"""Which kernel serves which shape: one table for each of the three correlations, read from the top.

A line names a kernel, says which shapes it can serve at all, and which it wants because it is the fastest
there. The first line that wants a shape gets it. A kernel gives up after all, by returning None, when it
meets infinities that its way of computing would spread; then the next line has its turn. The last line of
each table wants everything and never gives up. `reference` is a line like the others, only that it never
wants anything.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, Token
from functools import lru_cache, partial
from types import ModuleType, TracebackType
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..errors import ShapeError
from . import depthwise, dual, grouped, mec, nothing, pooling, reference, tiny, winograd
from .apart import CORRELATION, WEIGHT_GRAD, each_group
from .layout import Array, compute_type
from .mirror import mirrored
from .problem import Problem
from .threads import WORTH_HOLDING_BLAS, blas_held
from .window import Window

Kernel: TypeAlias = Callable[
    ..., "Array | None"
]  # of two arrays, the window and the groups; or of a plan and two arrays
Way: TypeAlias = tuple[
    str, Callable[[Array, Array], "Array | None"]
]  # a kernel for given shapes, with its name
Condition: TypeAlias = Callable[[Problem], bool]


class Line(NamedTuple):
    """One line of a table."""

    name: str
    kernel: Kernel
    serves: Condition
    wants: Condition
    plan: Callable[[Problem], Any] | None = (
        None  # what follows from the shapes alone, for a kernel that takes such a plan
    )

    def way(self, problem: Problem) -> Way:
        """The kernel with everything settled but the numbers."""
        if self.plan is not None:
            return self.name, partial(self.kernel, self.plan(problem))
        return self.name, partial(self.kernel, window=problem.window, groups=problem.groups)


def always(problem: Problem) -> bool:
    """Every shape."""
    return True


def never(problem: Problem) -> bool:
    """No shape, unless `use_kernels` says so."""
    return False


def nothing_to_do(problem: Problem) -> bool:
    """Some axis has no length."""
    return problem.empty


def one_group(problem: Problem) -> bool:
    """The product is a single one."""
    return problem.groups == 1


def several_groups(problem: Problem) -> bool:
    """There are independent products."""
    return problem.groups > 1


def small_groups(problem: Problem) -> bool:
    """None of them takes up too much memory when it is lowered as a whole."""
    return several_groups(problem) and problem.group_bytes <= 1 << 23


def small_groups_back(problem: Problem) -> bool:
    """The same, where lowering dY copies no more than there would be to add up."""
    return small_groups(problem) and problem.outputs <= problem.channels


def depthwise_rows(problem: Problem) -> bool:
    """One channel in and one out, and the windows of a row are neighbours."""
    return several_groups(problem) and problem.channels == problem.outputs == problem.window.stride[1] == 1


def small_depthwise_rows(problem: Problem) -> bool:
    """The same, with little memory for one channel."""
    return depthwise_rows(problem) and small_groups(problem)


def few_patches(problem: Problem) -> bool:
    """They fit into the cache; or a row of the output, all samples together, is so narrow that its product
    wastes time.
    """
    return one_group(problem) and (problem.patches <= 1 << 17 or narrow(problem))


def few_patches_back(problem: Problem) -> bool:
    """The same, for the patches of dY that the input gradient needs: with a stride most of them are zeros."""
    return one_group(problem) and (
        problem.error_patches <= 1 << 17 or (stride_one(problem) and narrow(problem))
    )


def narrow(problem: Problem) -> bool:
    """Mostly single samples of deep layers."""
    columns = problem.samples * problem.window.out[1]
    return columns <= (16 if many_channels(problem) else 40) and problem.patches <= 1 << 22


def stride_one(problem: Problem) -> bool:
    """An input gradient is a correlation, and the other way round: see `mirror`."""
    return problem.window.stride == (1, 1)


def three_taps_high(problem: Problem) -> bool:
    """What F(4, 3) was made for."""
    return problem.real and winograd.serves(problem.window)


def three_taps_high_mirrored(problem: Problem) -> bool:
    """The same, for the correlation that the input gradient is."""
    return problem.real and stride_one(problem) and winograd.serves(mirrored(problem.window))


def worth_transforming(problem: Problem) -> bool:
    """Winograd saves products, kw * C * O of them, and pays with transforms, C + O of them: 20 and 20 for a
    3x3.
    """
    per_row = problem.window.kernel[1] * problem.channels * problem.outputs
    return per_row >= 30 * (problem.channels + problem.outputs)


def many_channels(problem: Problem) -> bool:
    """Enough of them for Winograd."""
    return worth_transforming(problem) and three_taps_high(problem)


def many_channels_mirrored(problem: Problem) -> bool:
    """The same, for the input gradient, whose other kernel is good at making few channels of many outputs."""
    enough = problem.channels >= 24 or problem.outputs <= 2 * problem.channels
    return enough and worth_transforming(problem) and three_taps_high_mirrored(problem)


def large_kernel(problem: Problem) -> bool:
    """Lowering would copy everything many times over, while there are few outputs to shift and add."""
    (kh, kw), few = problem.window.kernel, problem.outputs <= 2 * problem.channels
    return stride_one(problem) and kw >= 7 and kh > 3 and few


def flat_kernel(problem: Problem) -> bool:
    """One tap high: what is shifted and added is hardly more than one tap's products each time."""
    (kh, kw), few = problem.window.kernel, problem.outputs <= 2 * problem.channels
    return stride_one(problem) and kh == 1 and kw > 1 and few


def cheap_to_lower(problem: Problem) -> bool:
    """Shifting and adding products would cost more than lowering dY does; of a single tap there is nothing to
    lower.
    """
    cheap = problem.multiplications < 1_500_000 or problem.window.taps == 1 or flat_kernel(problem)
    return stride_one(problem) and cheap


TABLES = {
    "correlate": (
        Line("nothing", nothing.correlate, nothing_to_do, nothing_to_do),
        Line("tiny", tiny.correlate, one_group, few_patches, tiny.correlation_plan),
        Line(
            "winograd", partial(each_group, winograd.correlate, CORRELATION), three_taps_high, many_channels
        ),
        Line("grouped", grouped.correlate, several_groups, small_groups),
        Line("dual", dual.correlate, stride_one, large_kernel),
        Line("reference", reference.correlate, always, never),
        Line("mec", mec.correlate, always, always),
    ),
    "correlate_weight_grad": (
        Line("nothing", nothing.correlate_weight_grad, nothing_to_do, nothing_to_do),
        Line("tiny", tiny.correlate_weight_grad, one_group, few_patches, tiny.weight_grad_plan),
        Line(
            "winograd",
            partial(each_group, winograd.correlate_weight_grad, WEIGHT_GRAD),
            three_taps_high,
            many_channels,
        ),
        Line("depthwise", depthwise.correlate_weight_grad, depthwise_rows, small_depthwise_rows),
        Line("grouped", grouped.correlate_weight_grad, several_groups, small_groups),
        Line("reference", reference.correlate_weight_grad, always, never),
        Line("mec", mec.correlate_weight_grad, always, always),
    ),
    "correlate_input_grad": (
        Line("nothing", nothing.correlate_input_grad, nothing_to_do, nothing_to_do),
        Line("tiny", tiny.correlate_input_grad, one_group, few_patches_back, tiny.input_grad_plan),
        Line(
            "winograd",
            partial(each_group, winograd.correlate_input_grad, CORRELATION),
            three_taps_high_mirrored,
            many_channels_mirrored,
        ),
        Line("grouped", grouped.correlate_input_grad, several_groups, small_groups_back),
        Line("mec", mec.correlate_input_grad, stride_one, cheap_to_lower),
        Line("reference", reference.correlate_input_grad, always, never),
        Line("dual", dual.correlate_input_grad, always, always),
    ),
}
KERNELS = tuple(sorted({line.name for table in TABLES.values() for line in table}))
FAST = "fast"

_wanted: ContextVar[str] = ContextVar("kernels", default=FAST)
_served: ContextVar[str | None] = ContextVar("served", default=None)


def correlation(family: str, first: Array, second: Array, window: Window, groups: int) -> Array:
    """One of the three correlations of its two arrays, by whichever kernel the table or `use_kernels`
    says.
    """
    ways, multiplications = choose(
        family, _wanted.get(), first.shape, second.shape, window, groups, first.dtype, second.dtype
    )
    if multiplications < WORTH_HOLDING_BLAS:
        return _first_result(ways, first, second)
    with blas_held():
        return _first_result(ways, first, second)


def _first_result(ways: tuple[Way, ...], first: Array, second: Array) -> Array:
    """What the first way gives that does not give up."""
    for name, kernel in ways:
        result = kernel(first, second)
        if result is not None:
            _served.set(name)
            return result
    raise AssertionError(f"the last kernel, {ways[-1][0]}, gave up")


@lru_cache(maxsize=4096)
def choose(
    family: str,
    wanted: str,
    first: tuple[int, ...],
    second: tuple[int, ...],
    window: Window,
    groups: int,
    *dtypes: np.dtype[Any],
) -> tuple[tuple[Way, ...], int]:
    """The ways to try for these shapes, in order, and how many multiplications the definition takes."""
    problem = problem_of(family, first, second, window, groups, *dtypes)
    table = TABLES[family]
    lines = [line for line in table if line.wants(problem)]
    forced = [line for line in table if line.name == wanted]
    if forced and not problem.empty:
        if not forced[0].serves(problem):
            raise ShapeError(f"{family}: kernel {wanted!r} cannot serve {problem}")
        lines = [forced[0], table[-1]]
    return tuple(line.way(problem) for line in lines), problem.multiplications


def problem_of(
    family: str,
    first: tuple[int, ...],
    second: tuple[int, ...],
    window: Window,
    groups: int,
    *dtypes: np.dtype[Any],
) -> Problem:
    """From the shapes and types of the two arrays, of which each family has different ones."""
    outputs = second[1] if family == "correlate_weight_grad" else second[0]
    channels = second[1] if family == "correlate_input_grad" else first[1] // groups
    return Problem(first[0], channels, outputs // groups, groups, window, *compute_type(*dtypes))


def pools() -> ModuleType:
    """The module whose pooling functions serve."""
    literal = _wanted.get() == "reference"
    _served.set("reference" if literal else "pooling")
    return reference if literal else pooling


def served() -> str | None:
    """The name of the kernel that served the last call of this thread."""
    return _served.get()


class use_kernels:
    """`with use_kernels("reference"):` computes everything inside with the literal formulas.

    "fast", the default, lets the tables choose; the name of any other kernel in `KERNELS` has that kernel
    used wherever it exists, and a ShapeError raised where it cannot serve the shape. Each thread and each
    task has a setting of its own.
    """

    def __init__(self, name: str) -> None:
        if name not in (FAST, *KERNELS):
            raise ValueError(f"use_kernels: there is no kernel {name!r}, only {', '.join((FAST, *KERNELS))}")
        self.name = name
        self._tokens: list[Token[str]] = []

    def __enter__(self) -> use_kernels:
        self._tokens.append(_wanted.set(self.name))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _wanted.reset(self._tokens.pop())
