"""What may stand in the place of an expression where something was forgotten: a factor, a term, a function.

Like expressions.py, which has the slips; WAYS has all, the likely ones first.
"""

from __future__ import annotations

import ast
from itertools import combinations

from .expressions import (
    Expressions,
    Way,
    axis_choices,
    binary,
    call,
    name,
    negative,
    number,
    slips,
    slips_of_index,
)
from .rule_names import RuleNames

MOST_INDEXED = 2  # arrays whose size along an axis that is a param is tried
CENTRED_ALONG = (number(-1), number(0), number(-2), ast.Tuple([number(-2), number(-1)], ast.Load()))


def factors(expression: ast.expr, scope: RuleNames) -> Expressions:
    """A factor more that has a name, or is 2 or a half; an array transposed."""
    for value in (2, 0.5):
        yield binary(number(value), ast.Mult, expression)
    for other in [*map(name, [*scope.numbers, *scope.arrays]), *with_axes_behind(scope)]:
        yield binary(expression, ast.Mult, other)
        yield binary(expression, ast.Div, other)
    yield call(scope, "transpose", expression, number(-2), number(-1))


def with_axes_behind(scope: RuleNames) -> Expressions:
    """The arrays with fewer axes than others, with a new one behind: `g[:, None]`."""
    for array, ndim in scope.arrays.items():
        if 0 < ndim < max(scope.arrays.values()):
            whole: list[ast.expr] = [ast.Slice() for _ in range(ndim)]
            yield ast.Subscript(name(array), ast.Tuple([*whole, ast.Constant(None)], ast.Load()), ast.Load())


def insertions(expression: ast.expr, scope: RuleNames) -> Expressions:
    """A factor or a term more, from what is at hand; an array turned round or summed."""
    yield binary(number(3), ast.Mult, expression)
    for other in sizes(scope):
        yield binary(expression, ast.Mult, other)
        yield binary(expression, ast.Div, other)
    for other in [number(1), *map(name, [*scope.arrays, *scope.numbers])]:
        yield binary(expression, ast.Add, other)
        yield binary(expression, ast.Sub, other)
        yield binary(other, ast.Sub, expression)
    yield from turned(expression, scope)


def sizes(scope: RuleNames) -> Expressions:
    """How many elements arrays have, along each axis, along one that a number says, and in all."""
    for array, axis in scope.sizes:
        shape = ast.Attribute(name(array), "shape", ast.Load())
        if axis is None:
            yield ast.Call(ast.Attribute(name("math"), "prod", ast.Load()), [shape], [])
        else:
            yield ast.Subscript(shape, number(axis), ast.Load())
    for number_name in scope.numbers:
        for array in list(scope.arrays)[:MOST_INDEXED]:
            shape = ast.Attribute(name(array), "shape", ast.Load())
            yield ast.Subscript(shape, name(number_name), ast.Load())


def turned(expression: ast.expr, scope: RuleNames) -> Expressions:
    """Flipped, or summed."""
    for axes in ((-1,), (-2,), (-2, -1), (0,)):
        yield call(scope, "flip", expression, ast.Tuple([number(axis) for axis in axes], ast.Load()))
    for axis in axis_choices(scope):
        yield call(scope, "sum", expression, axis)
        yield call(scope, "sum", expression, axis, keepdim=ast.Constant(True))
    yield call(scope, "sum", expression)


def products(expression: ast.expr, scope: RuleNames) -> Expressions:
    """A term more: two names multiplied, as a recurrence carries."""
    for first, second in combinations([*scope.arrays, *scope.numbers], 2):
        yield binary(expression, ast.Add, binary(name(first), ast.Mult, name(second)))
        yield binary(expression, ast.Sub, binary(name(first), ast.Mult, name(second)))
    if isinstance(expression, ast.Subscript):  # a difference of neighbours
        for neighbour in slips_of_index(expression, scope):
            yield binary(expression, ast.Sub, neighbour)


def functions(expression: ast.expr, scope: RuleNames) -> Expressions:
    """A function or a power of it, in the place of its derivative or of itself."""
    one, two = number(1), number(2)
    square = binary(expression, ast.Pow, two)
    yield from (square, binary(expression, ast.Pow, number(3)), binary(one, ast.Div, expression))
    yield binary(one, ast.Sub, square)
    yield binary(expression, ast.Mult, binary(one, ast.Sub, expression))
    yield binary(one, ast.Add, expression)
    for function in ("sqrt", "exp", "log", "sign", "abs", "sin", "cos", "tanh", "sigmoid"):
        yield call(scope, function, expression)
    yield negative(call(scope, "sin", expression))
    yield binary(number(0.5), ast.Div, call(scope, "sqrt", expression))
    yield from conjugated(expression, scope)


def calculus(expression: ast.expr, scope: RuleNames) -> Expressions:
    """A factor that is made of a name: its square, 1 less it, its sign, a power or a matrix product."""
    one, two = number(1), number(2)
    for other in map(name, [*scope.arrays, *scope.numbers]):
        yield binary(expression, ast.Mult, binary(other, ast.Pow, two))
        yield binary(expression, ast.Div, binary(other, ast.Pow, two))
        yield binary(expression, ast.Mult, binary(one, ast.Sub, other))
        yield binary(expression, ast.Mult, binary(one, ast.Add, other))
        yield binary(expression, ast.Pow, other)
        yield binary(expression, ast.Pow, binary(other, ast.Sub, one))
        yield binary(expression, ast.MatMult, other)
        yield binary(other, ast.MatMult, expression)
        yield binary(expression, ast.Mult, call(scope, "sign", other))


def conjugated(expression: ast.expr, scope: RuleNames) -> Expressions:
    """f(a) as f run the other way, flip(f(flip(a))): the adjoint of running sums, scans and shifts."""
    if not isinstance(expression, ast.Call) or not expression.args:
        return
    first, *others = expression.args
    for axes in ((-1,), (-2,), (0,), (-2, -1)):
        flipped_axes = ast.Tuple([number(axis) for axis in axes], ast.Load())
        inner = call(scope, "flip", first, flipped_axes)
        yield call(
            scope, "flip", ast.Call(expression.func, [inner, *others], expression.keywords), flipped_axes
        )


def centred(expression: ast.expr, scope: RuleNames) -> Expressions:
    """Less its mean or sum, by itself or times an array: what a mean or a norm in the forward brings."""
    for axis in CENTRED_ALONG:
        kept = ast.Constant(True)
        for statistic in ("sum", "mean"):
            taken = call(scope, statistic, expression, axis, keepdim=kept)
            yield binary(expression, ast.Sub, taken)
            for other in map(name, scope.arrays):
                yield binary(expression, ast.Sub, binary(other, ast.Mult, taken))
        for other in map(name, scope.arrays):
            total = call(scope, "sum", binary(expression, ast.Mult, other), axis, keepdim=kept)
            yield binary(expression, ast.Sub, total)
            yield binary(expression, ast.Sub, binary(other, ast.Mult, total))


WAYS: tuple[tuple[int, Way], ...] = (
    (1, slips),
    (2, factors),
    (2, insertions),
    (3, functions),
    (3, products),
    (3, centred),
    (3, calculus),
)
"""With the size of its edits, the likely ones first."""
