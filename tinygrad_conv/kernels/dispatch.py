"""Which kernel serves which shape: one table for each of the three correlations, read from the top.

A line names a kernel, says which shapes it can serve at all, and which it wants because it is the fastest
there. The first line that wants a shape gets it. A kernel gives up after all, by returning None, when it
meets infinities that its way of computing would spread, or numbers too far apart; then the next line has its
turn. The last line of each table wants everything and never gives up. `reference` is a line like the others,
only that it never wants anything.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import lru_cache, partial
from threading import local
from types import ModuleType
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np

from ..errors import ShapeError
from ..members import without_last
from . import pooling, reference
from .blas import blas_held
from .conv import (
    depthwise,
    depthwise_bands,
    grouped,
    im2col,
    mec,
    mec_columns,
    not_a_number,
    plans,
    prepared,
    scatter_add,
    winograd,
)
from .conv import problem as asks
from .conv.identities import (
    GROUPS_OF_CORRELATION,
    GROUPS_OF_WEIGHT_GRAD,
    Kernel,
    each_group,
    is_one_tap,
    lies_by_sample,
    rows_for_samples,
    samples_for_rows,
    zero_dw,
    zero_dx,
    zero_y,
)
from .conv.problem import Problem
from .memory_order import compute_type
from .threads import WORTH_HOLDING_BLAS
from .window import Array, Window, make_window

Way: TypeAlias = tuple[str, Callable[[Array, Array], "Array | None"]]  # a kernel's name; it, for given shapes
Condition: TypeAlias = Callable[[Problem], bool]


class Line(NamedTuple):
    """One line of a table."""

    name: str
    kernel: Kernel  # of two arrays, the window and the groups; or of a plan and two arrays
    serves: Condition
    wants: Condition
    plan: Callable[[Problem], Any] | None = None  # what follows from the shapes alone, if the kernel takes it

    def way(self, problem: Problem) -> Way:
        """The kernel with everything settled but the numbers."""
        if self.plan is not None:
            return self.name, partial(self.kernel, self.plan(problem))
        return self.name, partial(self.kernel, window=problem.window, groups=problem.groups)


WINOGRAD = partial(each_group, winograd.correlate, GROUPS_OF_CORRELATION)
WINOGRAD_WEIGHT_GRAD = partial(each_group, winograd.correlate_weight_grad, GROUPS_OF_WEIGHT_GRAD)
WINOGRAD_INPUT_GRAD = partial(each_group, winograd.correlate_input_grad, GROUPS_OF_CORRELATION)

TABLES = {
    "correlate": (
        Line("empty", zero_y, asks.empty, asks.empty),
        Line("im2col", im2col.correlate, asks.one_group, asks.few_patches, plans.for_y),
        Line("winograd", WINOGRAD, asks.three_taps_high, asks.many_channels_forward),
        Line("not_a_number", not_a_number.correlate, asks.real_numbers, asks.many_channels_forward),
        Line("depthwise_bands", depthwise_bands.correlate, asks.depthwise_rows, asks.small_depthwise),
        Line("depthwise", depthwise.correlate, asks.depthwise_rows, asks.long_depthwise),
        Line("grouped", grouped.correlate, asks.several_groups, asks.small_groups),
        Line("scatter_add", scatter_add.correlate, asks.stride_one, asks.large_kernel),
        Line("reference", reference.correlate, asks.always, asks.never),
        Line("mec_columns", mec_columns.correlate, asks.one_group, asks.by_columns),
        Line("mec", mec.correlate, asks.always, asks.always),
    ),
    "correlate_weight_grad": (
        Line("empty", zero_dw, asks.empty, asks.empty),
        Line("im2col", im2col.correlate_weight_grad, asks.one_group, asks.few_patches, plans.for_dw),
        Line("winograd", WINOGRAD_WEIGHT_GRAD, asks.three_taps_high, asks.many_channels),
        Line("not_a_number", not_a_number.correlate_weight_grad, asks.real_numbers, asks.many_channels),
        Line("depthwise", depthwise.correlate_weight_grad, asks.depthwise_rows, asks.small_depthwise_rows),
        Line("grouped", grouped.correlate_weight_grad, asks.several_groups, asks.small_groups),
        Line("reference", reference.correlate_weight_grad, asks.always, asks.never),
        Line("mec", mec.correlate_weight_grad, asks.always, asks.always),
    ),
    "correlate_input_grad": (
        Line("empty", zero_dx, asks.empty, asks.empty),
        Line("im2col", im2col.correlate_input_grad, asks.one_group, asks.few_patches_back, plans.for_dx),
        Line("winograd", WINOGRAD_INPUT_GRAD, asks.three_taps_high_mirrored, asks.many_channels_mirrored),
        Line(
            "depthwise_bands",
            depthwise_bands.correlate_input_grad,
            asks.depthwise_rows_back,
            asks.small_depthwise_back,
        ),
        Line("depthwise", depthwise.correlate_input_grad, asks.depthwise_rows_back, asks.long_depthwise_back),
        Line("grouped", grouped.correlate_input_grad, asks.several_groups, asks.small_groups_back),
        Line("mec_columns", mec_columns.correlate_input_grad, asks.one_group_back, asks.by_columns_back),
        Line("mec", mec.correlate_input_grad, asks.stride_one, asks.cheap_to_lower),
        Line("not_a_number", not_a_number.correlate_input_grad, asks.real_numbers, asks.given_up_back),
        Line("reference", reference.correlate_input_grad, asks.always, asks.never),
        Line("scatter_add", scatter_add.correlate_input_grad, asks.always, asks.always),
    ),
}
KERNELS = tuple(sorted({line.name for table in TABLES.values() for line in table}))
FAST = "fast"
ONE_TAP = (1, 1)

_wanted: ContextVar[tuple[str, ...]] = ContextVar("kernels, by block; the last counts", default=(FAST,))
_wanted.set((FAST,))  # what is set is found at once, a default after looking for it everywhere

kernels_in_use = _wanted.get


class Served(local):
    """Which kernel served the last call of this thread."""

    kernel: str | None = None


_served = Served()


def correlation(family: str, first: Array, second: Array, window: Window, groups: int) -> Array:
    """A correlation or gradient, of its two arrays, by whichever kernel the table or `use_kernels` says."""
    if window.kernel == ONE_TAP and is_by_sample(family, first, second, window):
        return _by_sample(family, first, second, groups)
    ways, multiplications = choose(
        family, _wanted.get()[-1], first.shape, second.shape, window, groups, first.dtype, second.dtype
    )
    if multiplications < WORTH_HOLDING_BLAS:
        return _first_result(ways, first, second)
    with blas_held():
        return _first_result(ways, first, second)


def is_by_sample(family: str, first: Array, second: Array, window: Window) -> bool:
    """Whether samples had better be taken for rows: see `identities`. The literal sums stay what they are."""
    weight_grad = family == "correlate_weight_grad"
    as_it_lies = is_one_tap(window) and lies_by_sample(first) and (not weight_grad or lies_by_sample(second))
    return as_it_lies and _wanted.get()[-1] == FAST


def _by_sample(family: str, first: Array, second: Array, groups: int) -> Array:
    """The same with samples for rows."""
    window = make_window((len(first), first.shape[2]), ONE_TAP)
    if family == "correlate_weight_grad":
        return correlation(family, samples_for_rows(first), samples_for_rows(second), window, groups)
    return rows_for_samples(correlation(family, samples_for_rows(first), second, window, groups))


def settled(
    family: str,
    first: Array,
    second: Array,
    window: Window,
    groups: int,
    shared: dict[Any, Any],
    out: Array | None = None,
) -> Callable[[Array, Array], Array]:
    """What `correlation` does for arrays of these shapes and dtypes, with all choices made: for many calls.

    shared: what calls on the same arrays have prepared for each other, such as patches. out: memory that the
    result may be written to in each call; None: it is in memory of its own.
    """
    if window.kernel == ONE_TAP and is_by_sample(family, first, second, window):
        way = partial(correlation, family, window=window, groups=groups)
        return cast(Any, prepared.declined(way, shared, out))
    ways, multiplications = choose(
        family, _wanted.get()[-1], first.shape, second.shape, window, groups, first.dtype, second.dtype
    )
    chosen = [
        (name, prepared.prepared(kernel, first, second, shared, None if number else out))
        for number, (name, kernel) in enumerate(ways)
    ]
    if multiplications < WORTH_HOLDING_BLAS:
        never_gives_up = chosen[0][0] == "im2col" and family != "correlate_input_grad"
        return cast(Any, chosen[0][1]) if never_gives_up else partial(_first_result, tuple(chosen))
    return partial(_first_result_held, tuple(chosen))


def _first_result_held(ways: tuple[Way, ...], first: Array, second: Array) -> Array:
    """The same with BLAS at one thread."""
    with blas_held():
        return _first_result(ways, first, second)


def _first_result(ways: tuple[Way, ...], first: Array, second: Array) -> Array:
    """What the first way gives that does not give up."""
    for name, kernel in ways:
        result = kernel(first, second)
        if result is not None:
            _served.kernel = name
            return result
    raise AssertionError(f"the last kernel, {ways[-1][0]}, gave up")


@lru_cache(maxsize=512)
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
    if problem.empty:
        lines = lines[:1]  # it never gives up, and no other is made for arrays without numbers
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
    literal = _wanted.get()[-1] == "reference"
    _served.kernel = "reference" if literal else "pooling"
    return reference if literal else pooling


def served() -> str | None:
    """The name of the kernel that served the last call of this thread."""
    return _served.kernel


class use_kernels:
    """`with use_kernels("reference"):` computes everything inside with the literal formulas.

    "fast", the default, lets the tables choose; the name of any other kernel in `KERNELS` has that kernel
    used wherever it exists, and a ShapeError raised where it cannot serve the shape. Each thread and each
    task has a setting of its own; a block can be entered again, within itself and in several threads.
    """

    def __init__(self, name: str) -> None:
        if name not in (FAST, *KERNELS):
            raise ValueError(f"use_kernels: there is no kernel {name!r}, only {', '.join((FAST, *KERNELS))}")
        self.name = name

    def __enter__(self) -> use_kernels:
        _wanted.set((*_wanted.get(), self.name))
        return self

    def __exit__(self, *error: object) -> None:
        _wanted.set(without_last(self.name, _wanted.get()))
