"""The gradient of a function beside its finite differences.

The whole Jacobian where it is small; else its sums along random directions, and where one of these is wrong,
halving finds an entry that is. At a kink (relu at 0, a tie in a maximum) there is no derivative: a difference
there is reported, not counted, as long as the gradient lies between the slopes to the left and to the right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..dtypes import Array
from ..engine.node import Node
from ..engine.tensor import Tensor
from ..errors import RuleError, show_shape
from .fault import Fault
from .function import LAYOUTS, Function, Pullback, same

WHOLE = 10_000  # entries of a Jacobian that is compared entry by entry
DIRECTIONS = 4  # random directions for a larger one
MOST_KINKS = 8  # that are told apart from mistakes one by one
LINEAR = 1e-8  # how far, in proportion, a gradient may be from the sum that it should be
MEMORY = ".strides and order='K' or 'A' tell how an array lies in memory, not what it means"
ROUNDING = 16 * float(np.finfo(np.float64).eps)  # of a function's value; a difference divides it by the step


@dataclass(frozen=True)
class Tolerance:
    """The step of the differences, and how far a gradient may be from them."""

    eps: float = 1e-6
    rtol: float = 1e-5
    atol: float = 1e-7

    def allows(self, analytic: Array, numeric: Array, values: Array, step: float) -> Array:
        """Where they agree, allowing for what rounding does to the differences of `values`."""
        rounding = ROUNDING / step * np.max(np.abs(values), initial=1.0)
        with np.errstate(invalid="ignore"):
            return np.abs(analytic - numeric) <= self.atol + rounding + self.rtol * np.abs(numeric)


class WrongEntry(Fault):
    """An entry of the Jacobian that differs from the finite differences."""

    def __init__(self, function: Function, row: int, column: int, analytic: float, numeric: float) -> None:
        self.function, self.row, self.column, self.analytic, self.numeric = (
            function,
            row,
            column,
            analytic,
            numeric,
        )
        self.input, index = function.locate(column)
        self.output, output_index = function.locate_output(row)
        several = f"[{self.output}]" if len(function.outputs) > 1 else ""
        self.where = (
            f"∂y{several}{show_shape(output_index)} / ∂{function.names[self.input]}{show_shape(index)}"
        )
        super().__init__(
            "wrong",
            f"{self.where}: the gradient gives {analytic:.10g}, finite differences give {numeric:.10g}",
        )


def compare(function: Function, tolerance: Tolerance, rng: np.random.Generator) -> list[str]:
    """Raise Fault where the gradient, in either mode of the rules, is not what finite differences give.

    Returns a line for each kink that was met.
    """
    assert_pure(function)
    assert_repeatable(function, rng)
    kinks: list[str] = []
    entries = function.values.size * function.point.size
    if entries:
        kinks = (
            compare_whole(function, tolerance)
            if entries <= WHOLE
            else compare_directions(function, tolerance, rng)
        )
    assert_linear(function, rng)
    assert_modes_agree(function, rng)
    assert_same_in_any_layout(function)
    assert_same_gradient_in_any_layout(function, rng)
    return kinks


def assert_pure(function: Function) -> None:
    """Raise Fault unless the function gives the same again, and leaves its inputs as they are."""
    before, after = function.fresh(function.point), function.fresh(function.point)
    function.fn(*after)
    for at, (old, new) in enumerate(zip(before, after)):
        old, new = (one.data if isinstance(one, Tensor) else one for one in (old, new))
        if isinstance(old, np.ndarray) and not np.array_equal(old, new, equal_nan=old.dtype.kind == "f"):
            name = function.names[function.checked.index(at)] if at in function.checked else f"input {at}"
            raise Fault("forward mutates", f"the forward changes {name}, an input: make a new array instead")
    if not same(function.at(function.point), function.values):
        text = "two calls with the same inputs give different outputs: fix its seed, or pass what it draws"
        raise Fault("not deterministic", text)


def assert_repeatable(function: Function, rng: np.random.Generator) -> None:
    """Raise Fault unless the rules give the same twice."""
    cotangent, pull = rng.standard_normal(function.values.size), Pullback(function, lifted=False)
    if not same(pull(cotangent), pull(cotangent)):
        text = "two backward passes through the same tape give different gradients: a rule draws random numbers, or keeps a state"
        raise Fault("not deterministic", text)


def assert_linear(function: Function, rng: np.random.Generator) -> None:
    """Raise Fault unless the gradient is linear in the gradient of the output, as the chain rule is."""
    first, second = rng.standard_normal((2, function.values.size))
    pull = Pullback(function, lifted=False)
    expected = 2 * pull(first) - 3 * pull(second)
    given = pull(2 * first - 3 * second)
    scale = np.max(np.abs(expected), initial=1.0)
    if np.isfinite(scale) and not (np.abs(given - expected) <= LINEAR * scale).all():
        which, index = function.locate(int(np.argmax(np.nan_to_num(np.abs(given - expected), nan=np.inf))))
        where = f"at {function.names[which]}{show_shape(index)}"
        text = f"the gradient is not linear in dy: for 2 u - 3 v it is not 2 times that for u less 3 times that for v, {where}"
        raise Fault("not linear", text)


def assert_same_in_any_layout(function: Function) -> None:
    """Raise Fault unless the forward gives the same for the same numbers, however they lie in memory."""
    for arrange in LAYOUTS:
        if not same(function.arranged(arrange).at(function.point), function.values):
            raise Fault(
                "layout",
                f"the forward gives other numbers where inputs are {arrange.__name__} in memory: {MEMORY}",
            )


def assert_same_gradient_in_any_layout(function: Function, rng: np.random.Generator) -> None:
    """Raise Fault unless the rules do, for inputs and the gradient of the output."""
    cotangent = rng.standard_normal(function.values.size)
    gradient = Pullback(function, lifted=False)(cotangent)
    for arrange in LAYOUTS:
        moved = Pullback(function.arranged(arrange), lifted=False)(cotangent)
        if not same(moved, gradient):
            which, _ = function.locate(int(np.argmax(np.nan_to_num(np.abs(moved - gradient), nan=np.inf))))
            where = f"where inputs and dy are {arrange.__name__} in memory: {MEMORY}"
            raise Fault("layout", f"the gradient of {function.names[which]} is another {where}")


def assert_modes_agree(function: Function, rng: np.random.Generator) -> None:
    """Raise Fault unless the rules give the same on arrays and on Tensors."""
    cotangent, pull = rng.standard_normal(function.values.size), Pullback(function, lifted=False)
    arrays = pull(cotangent)
    if any(node.op.once for node in nodes(pull)):
        return
    try:
        lifted = Pullback(function, lifted=True)(cotangent)
    except (TypeError, AttributeError, ValueError, RuleError) as error:
        text = f"it runs on arrays, but on Tensors (create_graph=True) fails: {type(error).__name__}: {error}"
        raise Fault("modes", text) from error
    if not same(lifted, arrays):
        difference = np.nan_to_num(np.abs(arrays - lifted), nan=np.inf)
        which, index = function.locate(int(np.argmax(difference)))
        by = f"by {difference.max():.4g} at {function.names[which]}{show_shape(index)}"
        raise Fault("modes", f"arrays and Tensors (create_graph=True) give different gradients, {by}")


def nodes(pullback: Pullback) -> list[Node]:
    """The nodes of its tape."""
    ahead = [one.grad_fn for one in pullback.results if one.grad_fn]
    found: dict[int, Node] = {}
    while ahead:
        node = ahead.pop()
        if node.index in found:
            continue
        found[node.index] = node
        edges = [one for edge in node.edges for one in (edge if isinstance(edge, list) else [edge])]
        ahead.extend(edge[0] for edge in edges if isinstance(edge, tuple))
    return list(found.values())


def jacobian(function: Function) -> Array:
    """The gradients of all outputs, [outputs, inputs]."""
    pull = Pullback(function, lifted=False)
    return np.stack([pull(row) for row in np.eye(function.values.size)])


def differences(function: Function, step: float) -> Array:
    """The Jacobian by finite differences, [outputs, inputs]."""
    return np.stack([function.slope(column, step) for column in np.eye(function.point.size)], axis=1)


def compare_whole(function: Function, tolerance: Tolerance) -> list[str]:
    """Compare every entry of the Jacobian. Raises WrongEntry for the worst."""
    analytic, numeric = jacobian(function), differences(function, tolerance.eps)
    right = tolerance.allows(analytic, numeric, function.values, tolerance.eps)
    kinks: list[str] = []
    for column in np.flatnonzero(~right.all(axis=0)):
        settled, at_kink = settle(function, int(column), analytic[:, column], tolerance)
        right[:, column] |= settled | at_kink
        if (at_kink & ~settled).any():
            kinks.append(describe_kink(function, int(column)))
    if not right.all():
        distance = np.where(right, 0.0, np.nan_to_num(np.abs(analytic - numeric), nan=np.inf))
        row, column = divmod(int(np.argmax(distance)), distance.shape[1])
        raise WrongEntry(function, row, column, analytic[row, column], numeric[row, column])
    return kinks


def settle(function: Function, column: int, analytic: Array, tolerance: Tolerance) -> tuple[Array, Array]:
    """A second look at one input's derivatives: which of them agree at a smaller step, and which lie at a
    kink.
    """
    direction = unit(function, column)
    steps = tolerance.eps / 10, tolerance.eps / 100
    agreed = [
        tolerance.allows(analytic, function.slope(direction, step), function.values, step) for step in steps
    ]
    (left, right), (near_left, near_right) = (function.one_sided(direction, step) for step in steps)
    rounding = ROUNDING / steps[1] * np.max(np.abs(function.values), initial=1.0)
    margin = tolerance.atol + tolerance.rtol * np.abs(near_right) + rounding
    with np.errstate(invalid="ignore"):
        jump, near_jump = np.abs(right - left), np.abs(near_right - near_left)
        stays = (near_jump > 10 * margin) & (near_jump > jump / 2)  # a smooth function's falls with the step
        low, high = np.minimum(near_left, near_right) - margin, np.maximum(near_left, near_right) + margin
        return agreed[0] | agreed[1], stays & (low <= analytic) & (analytic <= high)


def unit(function: Function, column: int) -> Array:
    """The direction of one number among the inputs."""
    direction = np.zeros_like(function.point)
    direction[column] = 1.0
    return direction


def describe_kink(function: Function, column: int) -> str:
    """Where a kink is."""
    which, index = function.locate(column)
    return f"{function.names[which]}{show_shape(index)} = {function.point[column]:.6g}"


def compare_directions(
    function: Function, tolerance: Tolerance, rng: np.random.Generator, moves: int = 2
) -> list[str]:
    """Compare sums of the Jacobian along random directions. Raises WrongEntry for an entry found by halving.

    Where there are many kinks (an image of zeros before a relu) it looks at a point nearby instead, `moves`
    times at most.
    """
    pull = Pullback(function, lifted=False)
    kinks: dict[int, str] = {}
    for _ in range(DIRECTIONS):
        direction, cotangent = (
            rng.standard_normal(function.point.size),
            rng.standard_normal(function.values.size),
        )
        direction[list(kinks)] = 0.0
        while not sums_agree(function, pull, direction, cotangent, tolerance):
            row, column = find_entry(function, pull, direction, cotangent, tolerance.eps)
            analytic = pull(np.eye(1, function.values.size, row)[0])[column]
            settled, at_kink = settle(function, column, np.full(function.values.size, analytic), tolerance)
            if not (settled | at_kink)[row]:
                numeric = function.slope(unit(function, column), tolerance.eps)[row]
                raise WrongEntry(function, row, column, analytic, numeric)
            kinks[column] = describe_kink(function, column)
            direction[column] = 0.0
            if len(kinks) > MOST_KINKS:
                moved = compare_directions(function.nearby(rng), tolerance, rng, moves - 1) if moves else []
                return list(kinks.values()) + moved
    return list(kinks.values())


def sums_agree(
    function: Function, pull: Pullback, direction: Array, cotangent: Array, tolerance: Tolerance
) -> bool:
    """Whether ⟨cotangent, J direction⟩ is the same by differences and by gradients."""
    parts = pull(cotangent) * direction
    numeric = float(cotangent @ function.slope(direction, tolerance.eps))
    rounding = ROUNDING / tolerance.eps * max(1.0, float(np.linalg.norm(cotangent * function.values)))
    scale = max(abs(numeric), float(np.linalg.norm(parts)))
    return abs(float(parts.sum()) - numeric) <= tolerance.atol + rounding + tolerance.rtol * scale


def find_entry(
    function: Function, pull: Pullback, direction: Array, cotangent: Array, step: float
) -> tuple[int, int]:
    """(row, column) of a wrong entry: half of the inputs, then of the outputs, is left out again and
    again.
    """
    parts = pull(cotangent) * direction

    def input_error(columns: Array) -> float:
        some = np.zeros_like(direction)
        some[columns] = direction[columns]
        return size_of(float(cotangent @ function.slope(some, step)) - float(parts[columns].sum()))

    def output_error(rows: Array) -> float:
        some = np.zeros_like(cotangent)
        some[rows] = cotangent[rows]
        return size_of(float(some @ slope) - float(pull(some)[column]))

    column = halve(np.arange(direction.size), input_error)
    slope = function.slope(unit(function, column), step)
    return halve(np.arange(cotangent.size), output_error), column


def halve(places: Array, error: Callable[[Array], float]) -> int:
    """The place that is left when, again and again, the half with the smaller error is dropped."""
    while places.size > 1:
        first, second = np.array_split(places, 2)
        places = first if error(first) >= error(second) else second
    return int(places[0])


def size_of(difference: float) -> float:
    """How large an error is; what is no number is the largest."""
    return abs(difference) if np.isfinite(difference) else np.inf
