"""The term or the factor that the numbers ask for, put at the end of what a rule returns.

What a rule returns is run beside what is right, and what is missing, right less given, is looked for among

    constant * (dy, or what was made of it, or a sum or a matrix product of that) * a**i * b**j

where a and b are whatever the rule can read or has made, or 1 - a and the like. For a gradient is linear in
dy: each of its terms holds dy once. The same goes for right / given, which may hold no dy at all. Only what
fits all numbers at two points becomes an edit, so there are few of them, and each is tried on all cases like
any other.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from itertools import combinations, product
from typing import Any, NamedTuple

import numpy as np

from ...dtypes import Array
from ..diagnosis.quantities import end_to_end
from ..function import can_broadcast
from .edited import Job
from .edits import Edit, Place, names_in, places_of
from .rule_names import RuleNames, run_of

POWERS = (1, -1, 2, -2, 3, -3, 0.5, -0.5)
NEAR = 1e-4  # in proportion; the exam is exact
MADE: dict[str, Callable[[Array], Array]] = {
    "(1 - {})": lambda a: 1 - a,
    "(1 + {})": lambda a: 1 + a,
    "(1 - {} ** 2)": lambda a: 1 - a * a,
}
"""Factors that derivatives bring: of a sigmoid, a tanh."""
PLAIN = (1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0, -3.0, 4.0, -4.0)
DIGITS = 3  # of a logarithm, by which monomials are looked up
PICKS = 6  # places at which they are compared first
MOST_ATOMS = 10  # arrays that a monomial is made of
MOST_FITS = 24


class Atom(NamedTuple):
    """What a term may be made of: an expression's text, and its numbers at each point, end to end."""

    text: str
    numbers: Array


class Point(NamedTuple):
    """A run of the rule: the arrays by name, what it returned, and what is right."""

    arrays: dict[str, Array]
    given: Array
    right: Array


def fitted_edits(job: Job) -> Iterator[Edit]:
    """What is returned, with a term more or a factor more, as the numbers ask for."""
    place = returned_place(job.definition)
    points = points_of(job) if place is not None else []
    if place is None or not points:
        return
    seen = set()
    for text, operator in [*terms(job, points), *fitted_factors(job, points)]:
        new = ast.BinOp(place.content, operator(), ast.parse(text, mode="eval").body)
        if text not in seen:
            seen.add(text)
            yield Edit(
                2, place, new, tuple(sorted(job.scope.extra & names_in(new) - names_in(place.content)))
            )


def returned_place(definition: ast.FunctionDef) -> Place | None:
    """Where the expression stands that a rule returns; None where there are several."""
    returns = [node for node in ast.walk(definition) if isinstance(node, ast.Return)]
    places = [place for place in places_of(definition, ast.expr) if isinstance(place.parent, ast.Return)]
    return places[0] if len(returns) == len(places) == 1 else None


def points_of(job: Job) -> list[Point]:
    """The rule's runs, at the first two cases, for each dy; none where it fails or returns no such array."""
    points = []
    for case in job.cases[:2]:
        for leading, right in zip(case.leading, case.expected):
            if case.member is not None or not all(isinstance(dy, np.ndarray) for dy in leading):
                return []
            locals_, given = run_of(job.rule, case, leading)
            if np.shape(given) != case.shape or not case.sure.all():
                return []
            readable = {**case.values, **case.params, **locals_}
            arrays = {
                name: np.asarray(value, np.float64)
                for name, value in readable.items()
                if is_array_of_numbers(value)
            }
            points.append(Point(arrays, np.asarray(given), right))
    return points


def is_array_of_numbers(value: Any) -> bool:
    """Whether it is an array of finite numbers; plain ones are found by the constant."""
    return isinstance(value, np.ndarray) and value.dtype.kind in "fiub" and bool(np.isfinite(value).all())


def terms(job: Job, points: list[Point]) -> Iterator[tuple[str, type[ast.operator]]]:
    """What is missing, as texts of terms to be added or taken off."""
    missing = end_to_end([point.right - point.given for point in points])
    shape = points[0].given.shape
    plain, of_dy = told_apart(points, is_linear=bool(job.cases[0].leading[0]))
    table = Monomials([atom for name in plain for atom in laid_out(points, name, shape)], missing)
    for atom in linear_atoms(points, plain, of_dy, shape, job.scope):
        for text, constant in table.fit(atom.numbers):
            for number, size in constants(constant, job):
                times = "" if abs(number) == 1 else f"{abs(number):g} * "
                yield f"{times}{atom.text}{text}{size}", ast.Sub if number < 0 else ast.Add


def fitted_factors(job: Job, points: list[Point]) -> Iterator[tuple[str, type[ast.operator]]]:
    """By what the given is to be multiplied or divided, as texts."""
    right, given = (end_to_end([getattr(point, name) for point in points]) for name in ("right", "given"))
    shape = points[0].given.shape
    plain, _ = told_apart(points, is_linear=bool(job.cases[0].leading[0]))
    table = Monomials([atom for name in plain for atom in laid_out(points, name, shape)], right)
    for text, constant in table.fit(given):
        for number, size in constants(constant, job):
            factor = f"{text}{size}"
            if number != 1 or " " not in factor:
                yield f"{number:g}{factor}", ast.Mult
            elif factor.startswith(" * "):
                yield factor[3:], ast.Mult
            elif factor.count(" / ") == 1 and " * " not in factor:
                yield factor[3:], ast.Div
            else:
                yield f"1{factor}", ast.Mult


def told_apart(points: list[Point], is_linear: bool) -> tuple[list[str], list[str]]:
    """The names of arrays that are the same for every dy, and of those that are not; of a derivation, which
    has no dy, all are both.
    """
    common = set.intersection(*[set(point.arrays) for point in points])
    names = [name for name in points[0].arrays if name in common][: 2 * MOST_ATOMS]
    if not is_linear:
        return names[:MOST_ATOMS], names[:MOST_ATOMS]
    first, second = points[:2]
    same = [name for name in names if np.array_equal(first.arrays[name], second.arrays[name])]
    return same[:MOST_ATOMS], [name for name in names if name not in same][:MOST_ATOMS]


def laid_out(points: list[Point], name: str, shape: tuple[int, ...]) -> Iterator[Atom]:
    """An array over the elements of a shape: as it broadcasts, or with axes put behind its own."""
    own = points[0].arrays[name].shape
    if can_broadcast(own, shape):
        yield Atom(name, spread([point.arrays[name] for point in points], points))
    elif len(own) < len(shape) and own == shape[: len(own)]:
        behind = (1,) * (len(shape) - len(own))
        text = f"{name}[{', '.join([':'] * len(own) + ['None'] * len(behind))}]"
        yield Atom(text, spread([point.arrays[name].reshape(own + behind) for point in points], points))


def spread(arrays: list[Array], points: list[Point]) -> Array:
    """Arrays over the elements of what each point gives, end to end."""
    return end_to_end([np.broadcast_to(array, point.given.shape) for array, point in zip(arrays, points)])


def linear_atoms(
    points: list[Point], plain: list[str], of_dy: list[str], shape: tuple[int, ...], scope: RuleNames
) -> Iterator[Atom]:
    """What holds dy once: arrays made of it, their sums with a factor, their matrix products."""
    for name in of_dy:
        yield from laid_out(points, name, shape)
    for name in of_dy:
        for other in (None, *plain):
            yield from sums(points, name, other, shape, scope)
    for name in of_dy:
        for other in plain:
            yield from matrix_products(points, name, other, shape, scope)


def sums(
    points: list[Point], name: str, other: str | None, shape: tuple[int, ...], scope: RuleNames
) -> Iterator[Atom]:
    """tg.sum(name * other, axis, keepdim=True) along each axis, and over all."""
    pairs = [(point.arrays[name], point.arrays[other] if other else np.ones(())) for point in points]
    try:
        products = [a * b for a, b in pairs]
    except ValueError:  # they do not broadcast
        return
    text = f"{name} * {other}" if other else name
    for axis in range(products[0].ndim):
        summed = [product.sum(axis, keepdims=True) for product in products]
        if products[0].shape[axis] > 1 and can_broadcast(summed[0].shape, shape):
            yield Atom(
                f"{scope.package}.sum({text}, {axis - products[0].ndim}, keepdim=True)",
                spread(summed, points),
            )
    if products[0].ndim > 1 or products[0].shape != shape:
        yield Atom(
            f"{scope.package}.sum({text})",
            spread([np.asarray(product.sum()) for product in products], points),
        )


def matrix_products(
    points: list[Point], name: str, other: str, shape: tuple[int, ...], scope: RuleNames
) -> Iterator[Atom]:
    """tg.matmul of the two in either order, either of them transposed."""
    if points[0].arrays[name].ndim < 2 or points[0].arrays[other].ndim < 2:
        return
    for left, right in ((name, other), (other, name)):
        for turned in ((), (left,), (right,), (left, right)):
            try:
                products = [multiplied(point.arrays, left, right, turned) for point in points]
            except ValueError:  # their sizes do not fit
                continue
            if products[0].shape == shape:
                texts = [
                    f"{scope.package}.transpose({each}, -2, -1)" if each in turned else each
                    for each in (left, right)
                ]
                yield Atom(f"{scope.package}.matmul({', '.join(texts)})", spread(products, points))


def multiplied(arrays: dict[str, Array], left: str, right: str, turned: tuple[str, ...]) -> Array:
    """The matrix product of two arrays by name, those in `turned` transposed."""
    a, b = (np.swapaxes(arrays[name], -2, -1) if name in turned else arrays[name] for name in (left, right))
    return np.asarray(a @ b)


class Monomials:
    """a**i * b**j for two of some atoms, looked up by how their numbers at a few places compare."""

    def __init__(self, atoms: list[Atom], target: Array) -> None:
        scale = np.abs(target).max(initial=0.0)
        self.used = np.flatnonzero(np.abs(target) > 1e-6 * scale)
        self.picks = self.used[np.linspace(0, self.used.size - 1, PICKS).astype(int)] if scale else []
        self.target, self.scale = target, scale
        self.table: dict[tuple[float, ...], list[Atom]] = {}
        with np.errstate(all="ignore"):
            single = [
                Atom(raised(atom.text, power), atom.numbers**power) for power in POWERS for atom in atoms
            ]
            single += [
                Atom(f" * {text.format(atom.text)}", made(atom.numbers))
                for text, made in MADE.items()
                for atom in atoms
            ]
            single = [atom for atom in single if np.isfinite(atom.numbers).all()]
            single = [atom for atom in single if atom.numbers[self.used].all()]
            pairs = [
                Atom(atom.text + other.text, atom.numbers * other.numbers)
                for atom, other in combinations(single, 2)
                if atom.text.split()[1] != other.text.split()[1]
            ]
            for atom in [Atom("", np.ones_like(target)), *single, *pairs] if scale else []:
                self.table.setdefault(self.key_of(atom.numbers), []).append(atom)

    def key_of(self, numbers: Array) -> tuple[float, ...]:
        """The same for numbers that are a multiple of one another."""
        sizes = np.log(np.abs(numbers[self.picks]))
        return tuple(np.round(sizes[1:] - sizes[0], DIGITS) + 0.0)

    def fit(self, base: Array) -> Iterator[tuple[str, float]]:
        """(text, constant) of those that, times base and the constant, are the target."""
        if not self.scale or not base[self.picks].all():
            return
        with np.errstate(all="ignore"):
            key = self.key_of(self.target / base)
        for text, numbers in self.table.get(key, [])[:MOST_FITS]:
            product = base * numbers
            constant = float(self.target @ product / (product @ product))
            if (np.abs(self.target - constant * product) <= NEAR * self.scale).all():
                yield text, constant


def raised(text: str, power: float) -> str:
    """` * a**2`, ` / a`."""
    operator, size = ("*", power) if power > 0 else ("/", -power)
    return f" {operator} {text}" + (f" ** {size:g}" if size != 1 else "")


def constants(constant: float, job: Job) -> Iterator[tuple[float, str]]:
    """A constant as one would write it: a plain number, times a power of a param or a size perhaps."""
    for plain in PLAIN:
        if abs(plain - constant) <= NEAR * abs(constant):
            yield plain, ""
    for name, value in numbers_of(job).items():
        for power, plain in product((1, -1, 2, -2), PLAIN[:6]):
            if value > 0 and abs(plain * value**power - constant) <= NEAR * abs(constant):
                yield plain, raised(name, power)


def numbers_of(job: Job) -> dict[str, float]:
    """Params and sizes by name."""
    case = job.cases[0]
    numbers = {name: float(value) for name, value in case.params.items() if type(value) in (int, float)}
    for name, value in case.values.items():
        if isinstance(value, np.ndarray) and value.ndim:
            numbers |= {f"{name}.shape[{axis}]": float(size) for axis, size in enumerate(value.shape)}
    return {name: value for name, value in numbers.items() if value not in (0.0, 1.0, -1.0)}
