"""Why is this gradient 0.37? The very products that add up to it.

A rule is linear in the gradient it is given, so each number it returns is a sum over that gradient's
elements,

    dx[index] = Σ_j dy[j] · c[j]        with c[j] = ∂y[j]/∂x[index],

and c is itself the gradient of dx[index] with respect to dy: the rule, differentiated once more, says what it
multiplied with. So nothing here knows a formula; an op may only say what its c's are *called* (`explains`):
for a convolution's weight they are pixels of x. A name is shown only where the number that the rule read
there is indeed the one it used.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .. import errors
from ..dtypes import FLOATS, Array
from ..engine.differentiate import grad
from ..engine.modes import enable_grad
from ..engine.observed import unobserved
from ..engine.op import Op
from ..engine.tensor import Tensor
from ..kernels import use_kernels
from ..members import members_of
from .recorded import Recorded, User
from .rerun import node_of, placeholders_of
from .step import Step
from .stepping import contributions

Index = tuple[int, ...]


@dataclass(frozen=True)
class Factors:
    """Which elements of dy take part in a number of a gradient, and with what they are multiplied."""

    at: tuple[Any, ...]  # index arrays into dy
    called: str  # the name of something the rule reads
    places: tuple[Any, ...]  # index arrays into that


Names = Callable[[Index, Step], "Factors | None"]

NAMES: dict[tuple[str, str], Names] = {}
"""Who says what an op multiplies the gradient with, by op and argument."""

Readings = Callable[[Index, Step], "list[str]"]

READINGS: dict[tuple[str, str], Readings] = {}
"""Who says in lines of text how an op's gradient can be read, by op and argument."""

SHOWN = 12  # products in a repr


def explains(op: Op | str, argument: str) -> Callable[[Names], Names]:
    """Declare what the factors of an op's gradient are called.

        @tg.debug.explains(square, "x")
        def square_factors(index, step):
            return tg.debug.Factors(at=index, called="x", places=index)

    The decorated function gets the index of a number of the gradient, and the step. It returns `Factors`, or
    None if it has nothing to say about this one.
    """

    def declare(function: Names) -> Names:
        NAMES[op if isinstance(op, str) else op.name, argument] = function
        return function

    return declare


def reading(op: str, argument: str) -> Callable[[Readings], Readings]:
    """Declare how a number of an op's gradient can be read: lines that stand below its products."""

    def declare(function: Readings) -> Readings:
        READINGS[op, argument] = function
        return function

    return declare


class Product(NamedTuple):
    """One summand of a gradient: an element of the gradient that arrived, times what the rule took it by."""

    step: Step
    at: Index  # the element of step.grad_output; of several outputs, the output's slot first
    dy: float
    called: str  # what the factor is: `x[0, 2, 3, 1]`, or `∂y/∂w`
    factor: float

    @property
    def product(self) -> float:
        return self.dy * self.factor

    def __repr__(self) -> str:
        dy = f"dy[{', '.join(map(str, self.at))}]"
        factors = f"{dy} {self.dy:.6g} × {self.called} {self.factor:.6g}"
        return f"{self.product:+.6g} = {factors}   {self.step.op} %{self.step.number}"


class Explanation(Sequence[Product]):
    """The products that add up to one number of a gradient, the largest first.

    Those with a nameless factor 0 are left out. readings: the same sum in words, where an op has some.
    """

    def __init__(
        self,
        of: str,
        gradient: float,
        products: Sequence[Product],
        remarks: Sequence[str],
        readings: Sequence[str] = (),
    ) -> None:
        self.of, self.gradient, self.remarks, self.readings = of, gradient, list(remarks), list(readings)
        self._products = sorted(products, key=lambda product: -abs(product.product))

    def __len__(self) -> int:
        return len(self._products)

    def __getitem__(self, position: Any) -> Any:
        return self._products[position]

    @property
    def total(self) -> float:
        """The sum of the products: the gradient, within rounding."""
        return exact_sum(self)

    def __repr__(self) -> str:
        products = errors.show_count(len(self), "product")
        head = f"gradient of {self.of}: {self.gradient:.6g}, the sum of {products}"
        rest = self[SHOWN:]
        more = [f"{exact_sum(rest):+.6g} = {len(rest):,} more"] if rest else []
        return "\n    ".join([head, *map(repr, self[:SHOWN]), *more, *self.readings, *self.remarks])


def exact_sum(products: Iterable[Product]) -> float:
    """The sum of products, rounded once; what is not finite, or becomes so, adds up as floats do."""
    summands = [product.product for product in products]
    try:
        return math.fsum(summands)
    except (ValueError, OverflowError):
        return sum(summands)


def explain(recording: Recorded, of: Any, index: int | Sequence[int]) -> Explanation:
    """The products that make up one number of a gradient.

    of: a leaf (the tensor, or its name), or an intermediate result (the tensor, or its step). index: of the
    number; () for a scalar. Raises KeyError for what is not in the recording, IndexError for an index that it
    has not, GraphError where a rule cannot be differentiated.
    """
    gradient = recording.grad_of(of)
    index = checked(index, gradient.shape)
    source = recording.source(of)
    products: list[Product] = []
    remarks: list[str] = []
    readings: list[str] = []
    for user in recording.users(of):
        listed = list(products_of(user, index))
        products.extend(listed)
        read = READINGS.get((user.step.op, user.argument))
        readings.extend(read(index, user.step) if read else [])
        if any(product.called.startswith("∂") for product in listed):
            used = f"∂y/∂{user.argument} is the number that its rule used"
            remarks.append(f"({user.step.op} has no names for its factors: {used})")
    if source in recording.seeds:
        remarks.append("the backward began here, with a gradient of its own")
    if source in recording.hooked:
        remarks.append("a hook has seen, and may have changed, this gradient")
    if source not in recording.seeds and not close(products, gradient[index]):
        remarks.append("(the products do not add up to the recorded gradient)")
    name = source if isinstance(source, str) else f"%{source.number}"
    number = f"{name}{list(index) or ''}"
    return Explanation(number, float(gradient[index]), products, list(dict.fromkeys(remarks)), readings)


def close(products: Sequence[Product], gradient: Any) -> bool:
    """Whether the sum is the gradient, within the rounding of its summands."""
    total = sum(product.product for product in products)
    size = sum(abs(product.product) for product in products) + abs(float(gradient))
    return abs(total - float(gradient)) <= 64 * np.finfo(gradient.dtype).eps * size or not np.isfinite(size)


def checked(index: int | Sequence[int], shape: tuple[int, ...]) -> Index:
    """An index into an array of the shape, negative ones counted from its end."""
    given = tuple(map(operator.index, index if isinstance(index, (tuple, list)) else (index,)))
    if len(given) != len(shape) or not all(-size <= at < size for at, size in zip(given, shape)):
        raise IndexError(f"{list(given)} is no index of one number of {errors.show_shape(shape)}")
    return tuple(at % size for at, size in zip(given, shape))


def products_of(user: User, index: Index) -> Iterator[Product]:
    """The products that one step contributes."""
    step = user.step
    for slot, (dy, factors) in enumerate(zip(members_of(step.grad_output), factors_of(user, index))):
        if factors is None:
            continue
        names = {} if step.several else names_of(step, user.argument, index, factors)
        for place in sorted({*names, *zip(*(axis.tolist() for axis in np.nonzero(np.atleast_1d(factors))))}):
            at = place if factors.ndim else ()
            name = names.get(place, f"∂y/∂{user.argument}")
            yield Product(step, (slot, *at) if step.several else at, float(dy[at]), name, float(factors[at]))


def factors_of(user: User, index: Index) -> list[Array | None]:
    """For each output of a step, what its gradient's elements were multiplied with to make dx[index]."""
    step = user.step
    leaves = placeholders_of(step)
    node = node_of(step, leaves)
    given = [
        None if dy is None else Tensor(dy, requires_grad=dy.dtype in FLOATS)
        for dy in members_of(step.grad_output)
    ]
    position = user.place if user.place is not None else list(step.sources).index(user.argument)
    # the literal kernels' zeros are zeros: the fast ones may round where they transform
    with unobserved(), enable_grad(), use_kernels("reference"):
        ((_, dx),) = contributions(node, step.as_dy(given), {leaves[position]}, create_graph=True)
        wanted = [dy for dy in given if dy is not None]
        depends = dx.requires_grad
        factors = iter(grad(dx[index], wanted, allow_unused=True) if depends else [None] * len(wanted))
    return [None if dy is None else array_of(next(factors)) for dy in given]


def array_of(tensor: Tensor | None) -> Array | None:
    """A gradient's numbers; None where nothing of it went into the result."""
    return None if tensor is None else tensor.data


def names_of(step: Step, argument: str, index: Index, factors: Array) -> dict[Index, str]:
    """What the factors are called, by place: as the op declared, if that is the very number the rule used."""
    declared = NAMES.get((step.op, argument))
    factor = declared(index, step) if declared else None
    if factor is None:
        return {}
    read = step.read[factor.called]
    *at, _ = np.broadcast_arrays(*factor.at, np.empty(np.broadcast_shapes(*map(np.shape, factor.places))))
    *places, _ = np.broadcast_arrays(*factor.places, np.empty(np.broadcast_shapes(*map(np.shape, factor.at))))
    named: dict[Index, str] = {}
    for number in range(np.size(at[0]) if at else 1):
        element = tuple(int(axis.flat[number]) for axis in at)
        place = tuple(int(axis.flat[number]) for axis in places)
        if np.isclose(read[place], factors[element], rtol=1e-6, atol=0):
            named[element or (0,)] = f"{factor.called}[{', '.join(map(str, place))}]"
    return named
