"""`@primitive`: how an op comes into being, and how it is applied.

    @primitive
    def square(x):
        return x * x

    @square.grad("x")
    def square_dx(dy, x):
        return 2 * dy * x

The forward takes and returns ndarrays: positional parameters are inputs, keyword-only ones are params. A rule's first
argument is the gradient of the output; after it the rule names what it reads: an input, `y` for the output, a kept value,
`x_shape` for the shape of input `x` (which costs no memory), and last the params. That, and no more, is saved.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar, overload

import numpy as np

from .. import errors
from ..dtypes import FLOATS, promote
from . import modes
from .registry import OPS
from .tape import Node
from .tensor import Tensor, result
from .where import user_where

Function = TypeVar("Function", bound=Callable[..., Any])

PLAIN = frozenset({int, float, bool, str, type(None), np.dtype})  # params that nobody can change behind the tape


class Rule:
    """The gradient rule of one input: the function, and what it reads."""

    __slots__ = ("argument", "function", "op", "params", "reads", "takes_all", "variadic")

    def __init__(self, op: Op, argument: str, function: Callable[..., Any], given: int = 1) -> None:
        self.op, self.argument, self.function, self.variadic = op.name, argument, function, argument == op.variadic
        named = list(inspect.signature(function).parameters)[given:]
        self.params = tuple(name for name in named if name in op.params)
        self.reads = tuple(op.save(name, self) for name in named if name not in op.params)
        self.takes_all = len(self.params) == len(op.params)
        if named[len(self.reads) :] != list(self.params):
            raise errors.params_last(self)

    def __repr__(self) -> str:
        return f"rule {self.function.__name__} ({errors.show_place(self.function)}) for {self.argument!r} of {self.op}"


class Op:
    """A primitive: a forward on ndarrays, and one rule for each differentiable input.

    Called with at least one Tensor it returns Tensors, and is recorded where a gradient is wanted. Called with ndarrays
    alone it runs its forward straight away: so a rule that is written with ops works on arrays and on Tensors.
    """

    def __init__(self, forward: Callable[..., Any], broadcasting: bool, keeps: Any, differentiable: bool, once: bool) -> None:
        self.forward, self.broadcasting, self.keeps = forward, broadcasting, tuple(keeps)
        self.differentiable, self.once = differentiable, once
        self.__name__, self.__qualname__, self.__module__ = forward.__name__, forward.__qualname__, forward.__module__
        self.__doc__, self.__wrapped__, self.__signature__ = forward.__doc__, forward, inspect.signature(forward)
        self.name, declared = forward.__name__, list(self.__signature__.parameters.values())
        positional = [one for one in declared if one.kind is not one.KEYWORD_ONLY]
        self.inputs = tuple(one.name for one in positional)
        self.variadic = next((one.name for one in positional if one.kind is one.VAR_POSITIONAL), None)
        self.optional = tuple(one.name for one in positional if one.default is None)
        self.params = tuple(one.name for one in declared if one.kind is one.KEYWORD_ONLY)
        self.defaults = {one.name: one.default for one in declared if one.name in self.params and one.default is not one.empty}
        self.rules: list[Rule | None] = [None] * len(self.inputs)
        self.derivations: dict[str, Rule] = {}
        self.saves: list[str] = []  # the names that rules read, in the order of `Node.saved`
        self.plans: dict[int, tuple[list[int], list[int]]] = {}  # what to save, by the inputs that want a gradient
        if "y" in self.inputs + self.params:
            raise errors.reserved_name(self)
        wrong = [one.name for one in positional if one.default not in (one.empty, None) or one.kind is one.VAR_KEYWORD]
        if wrong or not positional or (self.variadic and len(positional) > 1):
            raise errors.wrong_inputs(self, ", ".join(wrong))

    def __repr__(self) -> str:
        return f"<op {self.name}{self.__signature__}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return OPS.__getitem__, (self.name,)

    def __call__(self, *inputs: Any, **params: Any) -> Any:
        params = self.complete(params) if params else self.defaults
        if len(inputs) != len(self.inputs) and not self.variadic:
            inputs = self.arrange(inputs)
        arrays, on_tape, tracked, odd = [], False, False, False
        for value in inputs:
            if isinstance(value, Tensor):
                on_tape = True
                tracked = tracked or value._requires_grad
                value = value._data
            elif type(value) is not np.ndarray:
                odd = True
            arrays.append(value)
        if odd:
            self.check_inputs(arrays)
        if self.broadcasting and (odd or arrays[0].dtype is not arrays[-1].dtype or len(arrays) > 2):
            arrays = promote(arrays, [on_tape and not isinstance(one, Tensor) and np.ndim(one) == 0 for one in inputs])
        y = self.forward(*arrays, **params)
        y, kept = (y[0], y[1:]) if self.keeps else (y, ())
        if not on_tape:
            return y
        outputs = [wrap(one, inputs, arrays) for one in (y if type(y) is tuple else (y,))]
        if tracked and self.differentiable and modes.GRAD.get():
            self.record(inputs, arrays, outputs, kept, params, type(y) is tuple)
        return tuple(outputs) if type(y) is tuple else outputs[0]

    def record(self, inputs: Any, arrays: list[Any], outputs: list[Tensor], kept: Any, params: Any, many: bool) -> None:
        """Put the outputs on the tape: a node that holds what the rules read, and knows where gradients go."""
        edges: list[Any] = []
        names, wanted = None, 0
        for position, value in enumerate(inputs):
            edge = None
            if isinstance(value, Tensor):
                edge = value._edge or (value if value._requires_grad else None)
                if edge is not None:
                    wanted |= 1 << position
                elif value.name:
                    names = {**(names or {}), position: value.name}
            edges.append(edge)
        wanted, edges = (1, [edges]) if self.variadic else (wanted, edges)
        sources, read = self.plans.get(wanted) or self.plan(wanted)
        guards = []
        for position in range(len(inputs)) if self.variadic and read else read:
            value = inputs[position]
            if not isinstance(value, Tensor):
                arrays[position] = frozen(arrays[position])  # a bare array is its owner's to change
            elif value._edge is None or value._root is not None:
                guards.append(value._root or value)
        if params is not self.defaults:
            params = {name: value if type(value) in PLAIN else frozen(value) for name, value in params.items()}
        results, shapes = [one._data for one in outputs], map(np.shape, arrays)
        found = [tuple(arrays)] if self.variadic else arrays
        found = [*found, tuple(results) if many else results[0], *kept, *([tuple(shapes)] if self.variadic else shapes), None]
        saved = tuple(map(found.__getitem__, sources))
        types = tuple((one.shape, one.dtype) for one in results)
        node = Node(self, edges, saved, params, types, guards, names, user_where(), modes.LAYER.get())
        if many:
            node.note().many = True
        for slot, output in enumerate(outputs):
            if types[slot][1] in FLOATS:
                output._edge, output._requires_grad = (node, slot), True

    def complete(self, params: dict[str, Any]) -> dict[str, Any]:
        """The params with the defaults filled in, and Tensors among them as arrays."""
        if not params.keys() <= set(self.params):
            raise errors.unknown_param(self, params)
        plain = {name: value if type(value) in PLAIN else self.plain(name, value) for name, value in params.items()}
        return {**self.defaults, **plain}

    def plain(self, name: str, value: Any) -> Any:
        """A param without Tensors in it."""
        if isinstance(value, Tensor):
            if value._requires_grad:
                raise errors.param_with_gradient(self, name)
            return value._data
        return type(value)(self.plain(name, one) for one in value) if type(value) in (tuple, list) else value

    def arrange(self, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        """The inputs, with None for optional ones that were left out."""
        missing = self.inputs[len(inputs) :]
        if len(inputs) > len(self.inputs) or not set(missing) <= set(self.optional):
            raise errors.wrong_arity(self, len(inputs))
        return inputs + (None,) * len(missing)

    def check_inputs(self, arrays: list[Any]) -> None:
        """Refuse an input that is neither array nor Tensor; scalars have a place in arithmetic alone."""
        for position, value in enumerate(arrays):
            name = self.inputs[0 if self.variadic else position]
            if isinstance(value, np.ndarray if self.broadcasting else (np.ndarray, np.generic)):
                arrays[position] = np.asarray(value)
            elif not (value is None and name in self.optional) and not (self.broadcasting and np.isscalar(value)):
                raise errors.not_an_array(self, name, value)

    def save(self, name: str, rule: Rule) -> int:
        """The position in `Node.saved` of a value that a rule reads."""
        known = self.readable()
        if name not in known:
            raise errors.unknown_name(rule, name, self, known)
        self.plans.clear()
        if name not in self.saves:
            self.saves.append(name)
        return self.saves.index(name)

    def readable(self) -> list[str]:
        """The names of what rules can read beside params, as `record` lists the values."""
        return [*self.inputs, "y", *self.keeps, *(f"{one}_shape" for one in self.inputs)]

    def plan(self, wanted: int) -> tuple[list[int], list[int]]:
        """What to save where only some inputs (the bits of `wanted`) want gradients: the place of each value among the
        readable ones, -1 for what no rule will read; and the positions of the inputs among them."""
        rules = [rule for position, rule in enumerate(self.rules) if wanted >> position & 1]
        if None in rules:
            raise errors.missing_rule(self, [one for at, one in enumerate(self.inputs) if wanted >> at & 1][rules.index(None)])
        needed = {at for rule in [*rules, *self.derivations.values()] if rule for at in rule.reads}
        sources = [self.readable().index(name) if at in needed else -1 for at, name in enumerate(self.saves)]
        self.plans[wanted] = sources, [at for at in range(len(self.inputs)) if at in sources]
        return self.plans[wanted]

    def grad(self, argument: str) -> Callable[[Function], Function]:
        """Declare the decorated function as the rule for one input."""

        def declare(function: Function) -> Function:
            if argument not in self.inputs:
                raise errors.unknown_input(self, argument, function)
            self.rules[self.inputs.index(argument)] = Rule(self, argument, function)
            return function

        return declare

    def kept(self, name: str) -> Callable[[Function], Function]:
        """Declare how a kept floating-point value follows from the inputs, for rules that are differentiated themselves."""

        def declare(function: Function) -> Function:
            self.derivations[name] = Rule(self, name, function, given=0)
            return function

        return declare

    def derive(self, name: str, values: dict[str, Any], params: dict[str, Any]) -> Any:
        """A kept float from the Tensors it follows from."""
        if name not in self.derivations:
            raise errors.missing_derivation(self, name)
        rule = self.derivations[name]
        return rule.function(*(values[self.saves[at]] for at in rule.reads), **{one: params[one] for one in rule.params})


def wrap(y: Any, inputs: tuple[Any, ...], arrays: list[Any]) -> Tensor:
    """An output as a Tensor: read-only, and knowing the tensor whose memory it shows, where it is a view of one."""
    y, root = y if type(y) is np.ndarray else np.asarray(y), None
    for value, array in zip(inputs, arrays):
        if y is array or (y.base is not None and array is not None and (y.base is array or y.base is array.base)):
            y, root = y.view(), (value._root or value) if isinstance(value, Tensor) else None
    y.flags.writeable = False
    return result(y, root)


def frozen(value: Any) -> Any:
    """A param as the tape keeps it: arrays in it are copies, for they are their owner's to change."""
    if isinstance(value, np.ndarray):
        return value.copy()
    return type(value)(map(frozen, value)) if type(value) in (tuple, list) else value


@overload
def primitive(forward: Callable[..., Any]) -> Op: ...
@overload
def primitive(
    *, broadcasting: bool = ..., keeps: tuple[str, ...] = ..., differentiable: bool = ..., once: bool = ..., override: bool = ...
) -> Callable[[Callable[..., Any]], Op]: ...
def primitive(
    forward: Callable[..., Any] | None = None,
    *,
    broadcasting: bool = False,
    keeps: tuple[str, ...] = (),
    differentiable: bool = True,
    once: bool = False,
    override: bool = False,
) -> Any:
    """Declare the decorated forward as an op, under its own name.

    broadcasting: the inputs are brought to one dtype and broadcast against each other, and scalars may be among them; their
    gradients are summed back. keeps: names of what the forward returns after its output, as `return y, index`, for the rules
    to read. differentiable: False for an op whose output carries no gradient (a comparison). once: its rules may not be
    differentiated themselves. override: take the place of an op of the same name from elsewhere.

    Several outputs: the forward returns a tuple of arrays (`return (a, b)`; with keeps, `return (a, b), index`), and `dy` and
    `y` in the rules are tuples.
    """

    def declare(forward: Callable[..., Any]) -> Op:
        op = Op(forward, broadcasting, keeps, differentiable, once)
        known = OPS.get(op.name)
        if known and not override and (known.__module__, known.__qualname__) != (op.__module__, op.__qualname__):
            raise errors.name_taken(op, known)
        OPS[op.name] = op
        return op

    return declare if forward is None else declare(forward)
