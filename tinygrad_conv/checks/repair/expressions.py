"""What may stand in the place of an expression where the pen has slipped: one token is another.

Each function here is given an expression of a rule's syntax tree and yields others, which share its parts.
What makes no sense where it stands fails when it is tried, which is cheaper than telling beforehand.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from itertools import combinations

from ...engine.registry import OPS
from .rule_names import RuleNames

Expressions = Iterator[ast.expr]
Way = Callable[[ast.expr, RuleNames], Expressions]

OPERATORS: tuple[type[ast.operator], ...] = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.MatMult)
COMPARISONS: tuple[type[ast.cmpop], ...] = (ast.Gt, ast.GtE, ast.Lt, ast.LtE, ast.Eq, ast.NotEq)
FAMILIES = (
    ("sin", "cos"),
    ("exp", "log", "sqrt"),
    ("tanh", "sigmoid"),
    ("sum", "mean"),
    ("max", "min"),
    ("amax", "amin"),
    ("maximum", "minimum"),
    ("floor", "ceil", "round"),
    ("sign", "abs"),
    ("cumsum", "sum"),
)
OF_NUMPY = {"power": "pow", "concatenate": "cat", "multiply": "mul", "subtract": "sub", "negative": "neg"}
AXIS_NAMES = ("dim", "axis", "dims", "axes")
KEEP_NAMES = ("keepdim", "keepdims")


def number(value: float) -> ast.expr:
    """A literal number."""
    return ast.UnaryOp(ast.USub(), ast.Constant(-value)) if value < 0 else ast.Constant(value)


def binary(left: ast.expr, operator: type[ast.operator], right: ast.expr) -> ast.expr:
    """left ∘ right."""
    return ast.BinOp(left, operator(), right)


def negative(expression: ast.expr) -> ast.expr:
    """-expression, or what it is the negative of."""
    if isinstance(expression, ast.UnaryOp) and isinstance(expression.op, ast.USub):
        return expression.operand
    return ast.UnaryOp(ast.USub(), expression)


def call(scope: RuleNames, function: str, *arguments: ast.expr, **options: ast.expr) -> ast.expr:
    """A call of one of the package's functions, as the rule's module would write it."""
    callee = ast.Attribute(ast.Name(scope.package, ast.Load()), function, ast.Load())
    return ast.Call(callee, list(arguments), [ast.keyword(name, value) for name, value in options.items()])


def name(identifier: str) -> ast.expr:
    """A name that is read."""
    return ast.Name(identifier, ast.Load())


def slips(expression: ast.expr, scope: RuleNames) -> Expressions:
    """One token is another, or is missing, or two have changed places."""
    yield negative(expression)
    if type(expression) in SLIPS:
        yield from SLIPS[type(expression)](expression, scope)


def slips_of_operation(operation: ast.BinOp, scope: RuleNames) -> Expressions:
    """Another operator; operands exchanged; one of them dropped."""
    left, right = operation.left, operation.right
    for operator in OPERATORS:
        if not isinstance(operation.op, operator):
            yield binary(left, operator, right)
    if not isinstance(operation.op, (ast.Add, ast.Mult)):
        yield binary(right, type(operation.op), left)
    yield from (left, right)
    if isinstance(operation.op, ast.Div):  # 1 / b has the slope -1 / b²
        yield binary(left, ast.Div, binary(right, ast.Pow, number(2)))
    yield from regrouped(operation)


def regrouped(operation: ast.BinOp) -> Expressions:
    """(a ∘ b) • c as a ∘ (b • c), and the other way round: a bracket that stands elsewhere."""
    left, right, outer = operation.left, operation.right, type(operation.op)
    if isinstance(left, ast.BinOp):
        yield binary(left.left, type(left.op), binary(left.right, outer, right))
    if isinstance(right, ast.BinOp):
        yield binary(binary(left, outer, right.left), type(right.op), right.right)


def slips_of_sign(operation: ast.UnaryOp, scope: RuleNames) -> Expressions:
    """Without the sign, or the `not`."""
    yield operation.operand


def slips_of_constant(constant: ast.Constant, scope: RuleNames) -> Expressions:
    """Another number, or the other flag."""
    value = constant.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, (int, float)):
        others = (value + 1, value - 1, 2 * value, value / 2, 0, 1, 2, 3, 0.5, -1, -2)
        yield from (number(other) for other in dict.fromkeys(others) if other != value)
        if value:
            yield binary(number(1), ast.Div, constant)
            yield binary(constant, ast.Pow, number(0.5))
        yield from map(name, scope.numbers)
    elif value is None:
        yield from map(name, scope.params)


def slips_of_name(identifier: ast.Name, scope: RuleNames) -> Expressions:
    """Another name of its kind."""
    for names in (scope.arrays, scope.numbers, scope.params):
        if identifier.id in names:
            yield from (name(other) for other in names if other != identifier.id)
    if identifier.id in scope.numbers:
        yield from neighbours(identifier)
        yield from (number(value) for value in (0, 1, 2))


def slips_of_comparison(comparison: ast.Compare, scope: RuleNames) -> Expressions:
    """Another comparison."""
    for operator in COMPARISONS:
        if not isinstance(comparison.ops[0], operator):
            yield ast.Compare(comparison.left, [operator(), *comparison.ops[1:]], comparison.comparators)


def slips_of_call(call_of: ast.Call, scope: RuleNames) -> Expressions:
    """A function of its family; arguments exchanged; the call dropped; other options; a reversed range."""
    for function in relatives(call_of.func, scope):
        yield ast.Call(function, call_of.args, call_of.keywords)
    for first, second in combinations(range(len(call_of.args)), 2):
        exchanged = list(call_of.args)
        exchanged[first], exchanged[second] = exchanged[second], exchanged[first]
        yield ast.Call(call_of.func, exchanged, call_of.keywords)
    yield from call_of.args
    for position in range(len(call_of.keywords)):
        others = [*call_of.keywords[:position], *call_of.keywords[position + 1 :]]
        yield ast.Call(call_of.func, call_of.args, others)
    if isinstance(call_of.func, ast.Name) and call_of.func.id == "range":
        yield ast.Call(name("reversed"), [call_of], [])
    yield from other_axes(call_of, scope)


def relatives(function: ast.expr, scope: RuleNames) -> Expressions:
    """Functions that are easily taken for this one: of its family, or of the same name in this package."""
    if isinstance(function, ast.Attribute) and getattr(function.value, "id", "") != scope.package:
        own_name = OF_NUMPY.get(function.attr, function.attr)
        yield ast.Attribute(name(scope.package), own_name, ast.Load())
    its_name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    for family in FAMILIES:
        if its_name in family:
            for other in family:
                if other != its_name and isinstance(function, ast.Attribute):
                    yield ast.Attribute(function.value, other, ast.Load())
                elif other != its_name and other in OPS:
                    yield name(other)


def other_axes(call_of: ast.Call, scope: RuleNames) -> Expressions:
    """The call with its axes given otherwise, or kept."""
    given = {keyword.arg: keyword.value for keyword in call_of.keywords}
    axes = next((axes for axes in AXIS_NAMES if axes in given), "dim")
    keeps = next((keeps for keeps in KEEP_NAMES if keeps in given), "keepdim")
    for axis in (*map(name, scope.numbers), *axis_choices(scope)):
        yield with_options(call_of, **{axes: axis})
        yield with_options(call_of, **{axes: axis, keeps: ast.Constant(True)})
    kept = given.get(keeps)
    yield with_options(call_of, **{keeps: ast.Constant(not getattr(kept, "value", False))})


def axis_choices(scope: RuleNames) -> Expressions:
    """One axis or two, from the end or the start, of as many as arrays have."""
    most = max(scope.arrays.values(), default=0)
    for axis in (-1, -2, -3, 0, 1, 2):
        if -most <= axis < most:
            yield number(axis)
    for pair in combinations((-1, -2, -3, 0), 2):
        if -most <= min(pair) and most > 1:
            yield ast.Tuple([number(axis) for axis in pair], ast.Load())
    if most > 3:
        yield ast.Tuple([number(axis) for axis in (0, 2, 3)], ast.Load())


def with_options(call_of: ast.Call, **options: ast.expr) -> ast.expr:
    """A call with other keyword arguments beside its own, in their order."""
    changed = [
        ast.keyword(keyword.arg, options.pop(keyword.arg, keyword.value)) if keyword.arg else keyword
        for keyword in call_of.keywords
    ]
    new = [ast.keyword(option, value) for option, value in options.items()]
    return ast.Call(call_of.func, call_of.args, [*changed, *new])


def neighbours(whole_number: ast.expr) -> Expressions:
    """One less, and one more."""
    if isinstance(whole_number, ast.Constant) and type(whole_number.value) is int:
        yield from (number(whole_number.value - 1), number(whole_number.value + 1))
    else:
        yield from (binary(whole_number, operator, number(1)) for operator in (ast.Sub, ast.Add))


def slips_of_index(subscript: ast.Subscript, scope: RuleNames) -> Expressions:
    """The whole array, or one that begins or ends one place elsewhere, or runs the other way."""
    yield subscript.value
    parts = subscript.slice.elts if isinstance(subscript.slice, ast.Tuple) else [subscript.slice]
    for position, part in enumerate(parts):
        for other in other_parts(part):
            changed = [*parts[:position], other, *parts[position + 1 :]]
            index = ast.Tuple(changed, ast.Load()) if isinstance(subscript.slice, ast.Tuple) else other
            yield ast.Subscript(subscript.value, index, ast.Load())


def other_parts(part: ast.expr) -> Expressions:
    """What an index or a slice may have been meant to be."""
    if not isinstance(part, ast.Slice):
        yield from neighbours(part)
        return
    for lower in shifted(part.lower):
        yield ast.Slice(lower, part.upper, part.step)
    for upper in shifted(part.upper):
        yield ast.Slice(part.lower, upper, part.step)
    for step in (None, number(-1), number(2)):
        yield ast.Slice(part.lower, part.upper, step)


def shifted(bound: ast.expr | None) -> Iterator[ast.expr | None]:
    """The bound of a slice, one further or less, or none."""
    if bound is None:
        yield from (number(1), number(-1))
    else:
        yield from (None, *neighbours(bound))


def slips_of_tuple(several: ast.Tuple | ast.List, scope: RuleNames) -> Expressions:
    """One element less, two exchanged, or the other way round."""
    elements = several.elts
    for position in range(len(elements)):
        yield type(several)([*elements[:position], *elements[position + 1 :]], ast.Load())
    for first, second in combinations(range(len(elements)), 2):
        exchanged = list(elements)
        exchanged[first], exchanged[second] = exchanged[second], exchanged[first]
        yield type(several)(exchanged, ast.Load())


def slips_of_choice(choice: ast.IfExp, scope: RuleNames) -> Expressions:
    """The other way round, or always the same."""
    yield ast.IfExp(choice.test, choice.orelse, choice.body)
    yield from (choice.body, choice.orelse)


SLIPS: dict[type[ast.expr], Callable[..., Expressions]] = {
    ast.BinOp: slips_of_operation,
    ast.UnaryOp: slips_of_sign,
    ast.Constant: slips_of_constant,
    ast.Name: slips_of_name,
    ast.Compare: slips_of_comparison,
    ast.Call: slips_of_call,
    ast.Subscript: slips_of_index,
    ast.Tuple: slips_of_tuple,
    ast.List: slips_of_tuple,
    ast.IfExp: slips_of_choice,
}
