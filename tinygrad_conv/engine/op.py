"""`@primitive`: how an op comes into being, and how it is applied.

    @primitive
    def square(x):
        return x * x

    @square.grad("x")
    def square_dx(dy, x):
        return 2 * dy * x

The forward takes and returns ndarrays: positional parameters are inputs, keyword-only ones are params. A
rule's first argument is the gradient of the output; after it the rule names what it reads: an input, `y` for
the output, a kept value, `x_shape` for the shape of input `x` (which costs no memory), and last the params.
That, and no more, is saved.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from copy import deepcopy
from functools import partial, update_wrapper
from operator import itemgetter
from typing import Any, TypeVar

import numpy as np

from .. import errors
from ..dtypes import FLOATS, KINDS, promote
from ..places import user_where
from .modes import GRAD, LAYER, WATCH
from .registry import OPS
from .tape import Node, Notes, tick
from .tensor import Tensor, result

Function = TypeVar("Function", bound=Callable[..., Any])

PLAIN = frozenset(
    {int, float, bool, str, type(None), np.dtype}
)  # params that nobody can change behind the tape
OPERANDS = (
    np.ndarray,
    np.generic,
    bool,
    int,
    float,
)  # beside Tensors, of broadcasting ops; the first two of all


class Rule:
    """The gradient rule of one input, or the derivation of a kept value: the function, and what it reads."""

    __slots__ = ("argument", "function", "op", "params", "partial", "reads", "variadic")

    def __init__(self, op: Op, argument: str, function: Callable[..., Any], named: list[str]) -> None:
        self.op, self.argument, self.function, self.variadic = (
            op.name,
            argument,
            function,
            argument == op.variadic,
        )
        errors.check_reads(self, op, named, op.readable)
        self.params = tuple(name for name in named if name in op.params)
        self.partial = len(self.params) < len(op.params)
        self.reads = tuple(
            op.saves.setdefault(name, len(op.saves)) for name in named if name not in op.params
        )

    def some(self, node: Node) -> dict[str, Any]:
        """The params that the rule names, where it does not take them all."""
        return {name: node.params[name] for name in self.params}

    def __repr__(self) -> str:
        return f"rule {self.function.__name__} ({errors.show_place(self.function)}) for {self.argument!r} of {self.op}"


class Op:
    """A primitive: a forward on ndarrays, and one rule for each differentiable input.

    Called with at least one Tensor it returns Tensors, and is recorded where a gradient is wanted. Called
    with ndarrays alone it runs its forward straight away: so a rule that is written with ops works on arrays
    and on Tensors.
    """

    def __init__(
        self,
        forward: Callable[..., Any],
        names: tuple[str, ...],
        broadcasting: bool,
        keeps: Any,
        differentiable: bool,
        once: bool,
    ) -> None:
        update_wrapper(self, forward)  # its name, module, docstring and signature
        self.forward, self.broadcasting, self.keeps = forward, broadcasting, tuple(keeps)
        self.differentiable, self.once, self.name = differentiable, once, forward.__name__
        declared = list(inspect.signature(forward).parameters.values())
        positional = [one for one in declared if one.kind is not one.KEYWORD_ONLY]
        self.inputs, self.arity = tuple(one.name for one in positional), len(positional)
        self.variadic = next((one.name for one in positional if one.kind is one.VAR_POSITIONAL), None)
        self.optional = tuple(one.name for one in positional if one.default is None)
        self.required = len(positional) - len(self.optional)
        self.params = tuple(one.name for one in declared if one.kind is one.KEYWORD_ONLY)
        self.defaults = {
            one.name: one.default
            for one in declared
            if one.name in self.params and one.default is not one.empty
        }
        self.aliases = dict(zip(names, (*self.inputs, *self.params)))
        errors.check_declaration(self, positional)
        self.rules: list[Rule | None] = [None] * len(self.inputs)
        self.derivations: dict[str, Rule] = {}
        self.readable = [*self.inputs, "y", *self.keeps, *(f"{one}_shape" for one in self.inputs)]
        self.saves: dict[
            str, int
        ] = {}  # the readable names that rules read, and their places in `Node.saved`
        self.plans: dict[int, Any] = {}  # what to save, by the inputs that want a gradient

    def __repr__(self) -> str:
        return f"<op {self.name}{inspect.signature(self.forward)}>"

    def __reduce__(self) -> str:
        return self.forward.__qualname__  # pickled and copied as what it is: a name in its module

    def __call__(self, *inputs: Any, **params: Any) -> Any:
        if (watch := WATCH.get()) is not None:
            return watch.apply(self, inputs, params)
        if len(inputs) != self.arity and not self.variadic:
            inputs, params = self.bind(inputs, params)
        arrays, edges, wanted, bit, on_tape, odd = [], [], 0, 1, False, False  # type: ignore[var-annotated]
        for value in inputs:
            edge = None
            if isinstance(value, Tensor):
                on_tape = True
                if value._requires_grad:
                    edge = value._edge or value
                    wanted |= bit
                value = value._data
            elif type(value) is not np.ndarray and (
                value is not None or self.variadic or len(arrays) < self.required
            ):
                odd = True
            arrays.append(value)
            edges.append(edge)
            bit += bit
        if odd:
            errors.check_inputs(self, arrays, OPERANDS if self.broadcasting else OPERANDS[:2])
        if self.broadcasting and (odd or arrays[0].dtype is not arrays[-1].dtype or len(arrays) > 2):
            arrays = promote(
                arrays, [on_tape and not isinstance(one, Tensor) and np.ndim(one) == 0 for one in inputs]
            )
        settled = []
        if params:
            for name, one in params.items():
                if type(one) not in PLAIN and (
                    type(one) is not tuple or not PLAIN.issuperset(map(type, one))
                ):
                    params[name] = self.settle(name, one)
                    settled.append(name)
            y = self.forward(*arrays, **params)
        else:
            y = self.forward(*arrays)
        y, kept = errors.check_kept(self, y) if self.keeps else (y, ())
        if not on_tape:
            return y
        recorded = wanted and self.differentiable and GRAD.get()
        for name in settled if recorded else ():  # arrays in them are their owner's to change
            params[name] = deepcopy(params[name])
        if type(y) is not tuple:
            y, root = self.own(y, inputs, arrays)
            node = self.record(inputs, arrays, edges, wanted, y, kept, params) if recorded else None
            return result(y, root, (node, 0) if node and y.dtype in FLOATS else None)
        ys, roots = zip(*[self.own(one, inputs, arrays) for one in y])
        node = self.record(inputs, arrays, edges, wanted, ys, kept, params) if recorded else None
        made = [(node, slot) if node and one.dtype in FLOATS else None for slot, one in enumerate(ys)]
        return tuple([result(*one) for one in zip(ys, roots, made)])

    def bind(self, inputs: tuple[Any, ...], params: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """A call as anyone may write it, `conv2d(input=x, weight=w)` or `conv2d(x, w, b, 2)`, in the one form that
        forwards have: every input by position (None: an optional one was left out), every param by keyword.
        """
        given = dict(zip((*self.inputs, *self.params), inputs))
        errors.check_positions(self, inputs)
        for name, value in params.items():
            own_name = self.aliases.get(name, name)
            errors.check_given_once(self, name, own_name, given)
            given[own_name] = value
        errors.check_arity(self, given)
        return tuple(given.pop(name, None) for name in self.inputs), given

    def own(self, y: Any, inputs: tuple[Any, ...], arrays: list[Any]) -> tuple[Any, Tensor | None]:
        """An output, read-only, and the tensor whose memory it shows, where it is a view of one."""
        y = y if type(y) is np.ndarray and y.dtype.kind in KINDS else errors.check_output(self, y)
        base, root = y.base, None
        for value, array in zip(inputs, arrays):
            if y is array or (
                base is not None and array is not None and (base is array or base is array.base)
            ):
                y, root = (
                    y.view(),
                    (value if value._root is None else value._root) if isinstance(value, Tensor) else None,
                )
        y.setflags(False)  # write=False, which takes half as long again
        return y, root

    def record(
        self, inputs: Any, arrays: Any, edges: Any, wanted: int, y: Any, kept: Any, params: Any
    ) -> Node:
        """A node for the tape: it holds what the rules read, and knows where gradients go."""
        wanted = -1 if self.variadic else wanted
        pick, read, constants, shapes = self.plans.get(wanted) or self.plan(wanted)
        given = [(at, inputs[at]) for at in constants if inputs[at] is not None] if constants else ()
        names = (
            {at: one if type(one) in PLAIN else getattr(one, "name", None) for at, one in given}
            if given
            else None
        )
        guards = []
        for position in range(len(inputs)) if self.variadic and read else read:
            value = inputs[position]
            if not isinstance(value, Tensor):  # a bare array is its owner's to change
                arrays[position] = None if value is None else arrays[position].copy()
            elif value._edge is None or value._root is not None:
                guards.append(value if value._root is None else value._root)
        sizes: Any = tuple([None if one is None else one.shape for one in arrays]) if shapes else ()
        if self.variadic:
            arrays, edges, sizes = [tuple(arrays)], [edges], [sizes]
        saved = pick((*arrays, y, *kept, *sizes, None))  # the readable values, in order
        many, node = type(y) is tuple, object.__new__(Node)
        node.op, node.edges, node.saved, node.guards, node.names = self, edges, saved, guards, names
        node.params, node.notes, node.consumed = (
            {**self.defaults, **params},
            Notes(many) if many else None,
            None,
        )
        node.outputs = [(one.shape, one.dtype) for one in y] if many else [(y.shape, y.dtype)]
        node.layer, node.where, node.index = LAYER.get(), user_where(2), tick()
        return node

    def settle(self, name: str, value: Any) -> Any:
        """A param without Tensors in it."""
        if type(value) in (tuple, list):
            return type(value)([one if type(one) in PLAIN else self.settle(name, one) for one in value])
        return errors.check_param(self, name, value).data if isinstance(value, Tensor) else value

    def plan(self, wanted: int) -> Any:
        """What to save where the inputs in the bits of `wanted` (-1: all) want gradients: what picks it out
        of the readable values and a None, for what no rule will read; which inputs are in it; which are
        constants; whether shapes are."""
        rules: list[Any] = [rule for position, rule in enumerate(self.rules) if wanted >> position & 1]
        errors.check_rules(self, rules, wanted)
        needed = {place for rule in [*rules, *self.derivations.values()] for place in rule.reads}
        sources = [self.readable.index(name) if place in needed else -1 for name, place in self.saves.items()]
        read = [position for position in range(len(self.inputs)) if position in sources]
        constants = [position for position in range(len(self.inputs)) if not wanted >> position & 1]
        pick = itemgetter(*sources, -1, -1)  # of a single place it would give the bare value, so two more
        shapes = max(sources, default=-1) > len(self.inputs) + len(self.keeps)
        return self.plans.setdefault(wanted, (pick, read, constants, shapes))

    def grad(self, argument: str) -> Callable[[Function], Function]:
        """Declare the decorated function as the rule for one input."""
        return partial(self.declare, "grad", errors.check_named(self, "grad", argument))

    def kept(self, name: str) -> Callable[[Function], Function]:
        """Declare how a kept float follows from the inputs, for rules that are differentiated themselves."""
        return partial(self.declare, "kept", errors.check_named(self, "kept", name))

    def explain(self, argument: str) -> Any:
        from ..debug.explain import explains

        return explains(self, argument)  # for people

    def declare(self, decorator: str, name: str, function: Function) -> Function:
        """Take a rule (whose first argument is the gradient) or a derivation, and give the function back as
        it is.
        """
        names = list(inspect.signature(function).parameters)
        self.plans.clear()
        errors.check_declared(self, decorator, name, function, names)
        if decorator == "grad":
            self.rules[self.inputs.index(name)] = Rule(self, name, function, names[1:])
        else:
            self.derivations[name] = Rule(self, name, function, names)
        return function

    def derive(self, name: str, values: dict[str, Any], node: Node) -> Any:
        """A kept float from the Tensors it follows from."""
        errors.check_derivation(self, name)
        rule, readable = self.derivations[name], list(values.values())
        return rule.function(*map(readable.__getitem__, rule.reads), **rule.some(node))


def primitive(
    forward: Any = None,
    *,
    names: tuple[str, ...] = (),
    broadcasting: bool = False,
    keeps: tuple[str, ...] = (),
    differentiable: bool = True,
    once: bool = False,
    override: bool = False,
) -> Any:
    """Declare the decorated forward as an op, under its own name.

    names: other names under which callers may give the inputs and params, in their order: PyTorch's, as in
    names=("input", "weight"). broadcasting: the inputs are brought to one dtype and broadcast against each other, and scalars may be
    among them; their gradients are summed back. keeps: names of what the forward returns after its output, as
    `return y, index`, for the rules to read. differentiable: False for an op whose output carries no gradient
    (a comparison). once: its rules may not be differentiated themselves. override: take the place of an op of
    the same name from elsewhere. For several outputs the forward returns a tuple of arrays (`return (a, b)`;
    with keeps, `return (a, b), index`); `dy` and `y` are tuples then.
    """
    options: Any = {
        "names": names,
        "broadcasting": broadcasting,
        "keeps": keeps,
        "differentiable": differentiable,
        "once": once,
    }
    if forward is None:
        return partial(primitive, override=override, **options)
    errors.check_forward(forward, keeps)
    op = Op(forward, **options)
    errors.check_name(op, OPS.get(op.name), override)
    OPS[op.name] = op
    return op
