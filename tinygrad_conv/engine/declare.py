"""`@primitive`: how an op comes into being.

    @primitive
    def square(x):
        return x * x

    @square.grad("x")
    def square_dx(dy, x):
        return 2 * dy * x

The forward takes and returns ndarrays: positional parameters are inputs, keyword-only ones are params. A
rule's first argument is the gradient of the output; after it the rule names what it reads: an input, `y` for
the output, a kept value, `x_shape` for the shape of input `x` (which costs no memory), and last the params it
needs, or `**params` for all of them. That, and no more, is saved.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from types import FunctionType
from typing import Any, NamedTuple, TypeVar

from ..errors import DeclarationError
from .location import show_place
from .op import Op
from .registry import OPS, door
from .rule import Rule

Function = TypeVar("Function", bound=Callable[..., Any])


class Preparation(NamedTuple):
    """How a forward or a rule is prepared for a replay: by which function, and which params may vary then."""

    function: Callable[..., Any]
    varying: tuple[str, ...]


class Primitive(Op):
    """An op as `@primitive` makes it: its methods are the decorators that declare its rules, one by one."""

    examples: tuple[Callable[[], Any], ...] = ()  # functions that return arguments to call it with
    explanation: Callable[..., Any] | None = None  # which says how its gradients come about

    def grad(self, argument: str, *, of: Callable[..., Any] | None = None) -> Callable[[Function], Function]:
        """Declare the decorated function as the rule for one input.

        of: where it is, on purpose, the gradient of another function than the forward: that function, of the
        inputs and params by their names, or of this input alone (`of=tg.hardtanh` for a straight-through
        estimator, `of=lambda x, strength: -strength * x` for a reversed gradient). Checks then hold the rule
        against it.
        """
        check_is_name(self, "grad", argument)
        return partial(self.declare_rule, argument, of=of)

    def kept(self, name: str) -> Callable[[Function], Function]:
        """Declare how a kept float follows from the inputs, for rules that are differentiated themselves."""
        check_is_name(self, "kept", name)
        return partial(self.declare_derivation, name)

    def example(self, function: Function) -> Function:
        """Declare the decorated function, which takes no argument, as one that returns arguments for a call:
        a tuple of inputs, or a dict of inputs and params by name. `check` calls the op with them, and help()
        shows them.
        """
        check_example(self, function)
        others = [known for known in self.examples if origin(known) != origin(function)]
        self.examples = (*others, function)
        return function

    def explain(self, function: Any) -> Any:
        """Declare the decorated function as the one that says, for people, how the gradients come about.

            @square.explain
            def square_explained(dy, x, dx):
                return {"text": "a square has the slope 2x", "slope": 2 * x, "dx": {"2 x dy": 2 * x * dy}}

        It names what it wants to see: an input, `y`, a kept value, a param, `dy`, `dx` for the gradient of
        input x, or `step`; what is not known is None. It returns a text, or a dict: of texts and arrays by
        name, and under the name of a gradient a dict of terms that add up to it. The page of a recording,
        the stepper and `rec.explain(step)` show them; an error in it is shown there, and raised nowhere.

        With the name of an input, `@op.explain("x")`, it declares what the factors in that input's rule are
        called (debug/explain.py).
        """
        if isinstance(function, str):
            return door("explains")(self, function)
        check_explanation(self, function)
        self.explanation = function
        return function

    def replayed(
        self, argument: str | None = None, *, varying: tuple[str, ...] = (), then: Op | None = None
    ) -> Callable[[Function], Function]:
        """Declare the decorated function as the one that prepares the forward for a replay, or the rule for
        an input: called once, it returns what is called in each step (replay/__init__.py).

        varying: params that may be other arrays in each step, which then come to that call by keyword. then:
        an op that does its part in the same call, where the result goes to it alone, or the gradient to its
        rule.
        """
        if argument is not None:
            check_is_name(self, "replayed", argument)
        return partial(self.declare_replay, argument, varying, then)

    def declare_replay(
        self, argument: str | None, varying: tuple[str, ...], then: Op | None, function: Function
    ) -> Function:
        """Take what prepares a forward or a rule for a replay, and give the function back as it is."""
        if argument is not None:
            check_declarable(self, "replayed", argument, self.inputs, function)
        self.replays[argument, then] = Preparation(function, varying)
        return function

    def declare_rule(
        self, argument: str, function: Function, of: Callable[..., Any] | None = None
    ) -> Function:
        """Take a rule, and give the function back as it is."""
        check_declarable(self, "grad", argument, self.inputs, function)
        check_differentiable(self, argument, function)
        check_surrogate(self, argument, function, of)
        position = self.inputs.index(argument)
        check_is_new(self, "grad", argument, self.rules[position], function)
        self.rules[position] = Rule(self, argument, function, leading=1, of=of)
        self._plans.clear()  # calls so far did not save what it reads
        return function

    def declare_derivation(self, name: str, function: Function) -> Function:
        """Take the derivation of a kept value, and give the function back as it is."""
        check_declarable(self, "kept", name, self.keeps, function)
        check_is_new(self, "kept", name, self.derivations.get(name), function)
        self.derivations[name] = Rule(self, name, function, leading=0)
        self._plans.clear()  # as above
        return function


def primitive(
    forward: Any = None,
    *,
    names: tuple[str, ...] = (),
    broadcasting: bool = False,
    keeps: tuple[str, ...] = (),
    differentiable: bool = True,
    once: bool = False,
    view: bool = False,
    override: bool = False,
) -> Any:
    """Declare the decorated forward as an op, under its own name.

    names: other names under which callers may give the inputs, in their order: PyTorch's, as in
    names=("input", "weight"). broadcasting: the inputs are brought to one dtype and broadcast against each
    other, and scalars may be among them; their gradients are summed back. keeps: names of what the forward
    returns after its output, as `return y, index`, for the rules to read. differentiable: False for an op
    whose output carries no gradient (a comparison). once: its rules may not be differentiated themselves.
    view: the output counts as a view of the first input, which no change in place may tear apart from it,
    also where the forward has to copy. override: take the place of an op of the same name from elsewhere.
    For several outputs the forward returns a tuple of arrays (`return (a, b)`; with keeps,
    `return (a, b), index`); `dy` and `y` are tuples then.
    """
    options: dict[str, Any] = {
        "names": names,
        "broadcasting": broadcasting,
        "keeps": keeps,
        "differentiable": differentiable,
        "once": once,
        "view": view,
    }
    if forward is None:
        return partial(primitive, override=override, **options)
    check_forward(forward)
    check_keeps(forward, keeps)
    op = Primitive(forward, **options)
    check_parameters(op)
    check_op_name(op, OPS.get(op.name), override)
    OPS[op.name] = op
    return op


def show_op(op: Op) -> str:
    """An op that is being declared, and where."""
    return f"op {op.name} ({show_place(op.forward)})"


def check_forward(forward: Any) -> None:
    """Refuse a forward without a name of its own."""
    if not isinstance(forward, FunctionType) or not forward.__name__.isidentifier():
        raise DeclarationError(f"primitive: a forward is a function with a name (def …), not {forward!r}")


def check_keeps(forward: FunctionType, keeps: Any) -> None:
    """Refuse names of kept values that are none."""
    if isinstance(keeps, str) or not all(isinstance(name, str) and name.isidentifier() for name in keeps):
        place = f"op {forward.__name__} ({show_place(forward)})"
        raise DeclarationError(f"{place}: keeps is a tuple of names, not {keeps!r}")


def check_parameters(op: Op) -> None:
    """Refuse a forward whose parameters are not inputs and params as the engine tells them apart."""
    if "y" in op.inputs + op.params:
        raise DeclarationError(
            f"{show_op(op)}: in its rules y is the output, so no parameter may be called y"
        )
    positional = [
        each
        for each in inspect.signature(op.forward).parameters.values()
        if each.kind is not each.KEYWORD_ONLY
    ]
    wrong = [each.name for each in positional if each.default not in (each.empty, None)]
    wrong += [each.name for each in positional if each.kind is each.VAR_KEYWORD]
    if wrong or not positional or (op.variadic and len(positional) > 1):
        misplaced = ", ".join(wrong) or "them, and name at least one input"
        raise DeclarationError(
            f"{show_op(op)}: positional parameters are inputs (no default, or None for an optional one; *xs "
            f"alone for a variadic one), params are keyword-only: put a `*` before {misplaced}"
            f"{keyword_only_form(op, wrong)}"
        )


def keyword_only_form(op: Op, options: list[str]) -> str:
    """How a forward is written whose options stand among its inputs."""
    inputs = [name for name in op.inputs if name not in options]
    options = [*options, *op.params]
    if not inputs or op.variadic or not options:
        return ""
    return f": `def {op.name}({', '.join([*inputs, '*', *options])})`"


def check_op_name(op: Op, known: Any, override: bool) -> None:
    """Refuse a second op of the same name from another place; a notebook's cell may run twice."""
    if known and not override and origin(known) != origin(op):
        raise DeclarationError(
            f"{show_op(op)} exists already ({show_place(known.forward)}); choose another name, or pass "
            "override=True to take its place"
        )


def origin(definition: Any) -> tuple[str, str]:
    """Module and qualified name: what stays the same where a definition runs twice."""
    return definition.__module__, definition.__qualname__


def check_is_name(op: Op, decorator: str, name: Any) -> None:
    """Refuse `@op.grad` without a name: it would swallow the rule."""
    if not isinstance(name, str):
        raise DeclarationError(
            f"@{op.name}.{decorator} needs a name: write @{op.name}.{decorator}({op.inputs[0]!r})"
        )


def declaration_error(op: Op, decorator: str, name: str, function: Any, fault: str) -> DeclarationError:
    """What is wrong with a declaration, and where it stands."""
    return DeclarationError(f"@{op.name}.{decorator}({name!r}) at {show_place(function)}: {fault}")


def check_example(op: Op, function: Any) -> None:
    """Refuse an example that is no function, or one that needs arguments."""
    if not isinstance(function, FunctionType):
        raise DeclarationError(f"@{op.name}.example decorates a function, not {function!r}")
    if any(each.default is each.empty for each in inspect.signature(function).parameters.values()):
        fault = "an example takes no argument: it returns those that the op is called with"
        raise DeclarationError(f"@{op.name}.example at {show_place(function)}: {fault}")


def check_explanation(op: Primitive, function: Any) -> None:
    """Refuse an explanation that is no function, one that wants to see what there is not, and a second."""
    if not isinstance(function, FunctionType):
        raise DeclarationError(
            f"@{op.name}.explain decorates a function, or names an input, not {function!r}"
        )
    known = ["step", "dy", *op.readable, *(f"d{name}" for name in op.inputs), *op.params]
    place = f"@{op.name}.explain at {show_place(function)}"
    for name, parameter in inspect.signature(function).parameters.items():
        plain = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        if not plain or (name not in known and parameter.default is parameter.empty):
            raise DeclarationError(
                f"{place}: it asks for {name!r}; of {op.name} it can see {', '.join(known)}"
            )
    if op.explanation is not None and origin(op.explanation) != origin(function):
        raise DeclarationError(f"{place}: there is one already ({show_place(op.explanation)})")


def check_declarable(op: Op, decorator: str, name: str, names: tuple[str, ...], function: Any) -> None:
    """Refuse a rule, or a derivation, for what the op has not."""
    if name not in names:
        raise declaration_error(op, decorator, name, function, f"{op.name} has {names}")


def check_differentiable(op: Op, argument: str, function: Any) -> None:
    """Refuse a rule that would never be called, and one that does not take dY."""
    if not op.differentiable:
        fault = f"{op.name} was declared with differentiable=False, so no rule of it is ever called"
        raise declaration_error(op, "grad", argument, function, fault)
    if not inspect.signature(function).parameters:
        fault = "the first argument of a rule is the gradient of the output; add dy"
        raise declaration_error(op, "grad", argument, function, fault)


def check_surrogate(op: Op, argument: str, function: Any, of: Any) -> None:
    """Refuse what a rule cannot be the gradient of."""
    if of is None:
        return
    if not callable(of):
        fault = f"of must be the function that the rule is the gradient of, not {of!r}"
        raise declaration_error(op, "grad", argument, function, fault)
    if op.variadic:
        fault = f"of needs an input by itself; *{op.variadic} is several"
        raise declaration_error(op, "grad", argument, function, fault)


def check_is_new(op: Op, decorator: str, name: str, known: Rule | None, function: Any) -> None:
    """Refuse a second rule for the same input from another place."""
    if known is not None and origin(known.function) != origin(function):
        raise declaration_error(op, decorator, name, function, f"there is one already, {known}")
