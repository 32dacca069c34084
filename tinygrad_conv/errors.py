"""Every error the project raises; what the engine refuses, and in which words. The engine reads better
without them.

Each error is also the built-in that users of NumPy or PyTorch would catch, so `except ValueError` keeps
working.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import FunctionType
from typing import Any

import numpy as np

from .places import show_path, show_where


class ShapeError(ValueError):
    """Shapes that do not fit together; the message names op, argument, shapes and the fix."""


class DtypeError(TypeError):
    """A dtype that the operation cannot take, for example a gradient for integers."""


class DeclarationError(TypeError):
    """An op or a rule that is declared wrongly; raised when the declaration runs, with its line."""


class RuleError(RuntimeError):
    """A gradient rule that is missing, or returned something that cannot be its input's gradient."""


class GraphError(RuntimeError):
    """A backward that has nothing to go through, or no gradient to begin with."""


class TapeConsumedError(GraphError):
    """A second backward through a tape that the first one has freed."""


class MutationError(RuntimeError):
    """A tensor changed between the forward that read it and the backward that would read it again."""


class AnomalyError(ArithmeticError):
    """The first NaN or infinity under `detect_anomaly`: which op made it, out of what, and from which
    line.
    """


class GradcheckError(AssertionError):
    """A gradient that differs from the finite differences of its forward; `kind` says in a word what is wrong
    with it.
    """

    kind = ""


class MissingExtraError(ImportError):
    """An optional package that this feature needs is not installed; the message says which extra brings
    it.
    """


def show_shape(shape: Iterable[int]) -> str:
    """`(16, 3, 8, 8)` as messages write it: `[16,3,8,8]`."""
    return "[" + ",".join(map(str, shape)) + "]"


def show_array(array: Any) -> str:
    """Anything with a shape and a dtype as messages write it: `float32[16,3,8,8]`."""
    return f"{array.dtype}{show_shape(array.shape)}"


def show_tensor(tensor: Any) -> str:
    """A tensor by its name, or by its dtype and shape."""
    return tensor.name or show_array(tensor.data)


def show_place(function: Any) -> str:
    """Where a function stands: `file.py:41`."""
    return f"{show_path(function.__code__.co_filename)}:{function.__code__.co_firstlineno}"


# The words of the sweep.


def check_unconsumed(node: Any) -> None:
    """Refuse a node that a backward has freed."""
    if node.consumed:
        raise TapeConsumedError(
            f"{node.op.name} ({node.place}) was already consumed by the backward at {show_where(node.consumed)}; "
            "pass retain_graph=True there to go through it twice"
        )


def check_unchanged(node: Any) -> None:
    """Refuse a node whose rules would read what was changed in place since."""
    for tensor in node.guards:
        if tensor._stamp > node.index:
            raise MutationError(
                f"{node.op.name}: {show_tensor(tensor)} was changed in place after the forward at {node.place} read it; its "
                "rules would read the new numbers. Call backward before the change"
            )


def check_count(rule: Any, dxs: Any, edges: list[Any]) -> Any:
    """What the rule of a variadic input returned; refused unless it is a gradient for each."""
    if not isinstance(dxs, (tuple, list)) or len(dxs) != len(edges):
        raise RuleError(
            f"{rule} must return a tuple of {len(edges)} gradients, one for each input in *{rule.argument}"
        )
    return dxs


def check_gradient(rule: Any, dx: Any, kind: Any, shape: tuple[int, ...], broadcasting: bool) -> None:
    """Refuse what a rule returned unless it can be the gradient of an input of this shape."""
    if not isinstance(dx, kind):
        returned = type(dx).__name__
        raise RuleError(
            f"{rule} returned {returned}; here it must return {kind.__name__} of shape {show_shape(shape)}"
        )
    if dx.dtype.kind != "f" or (dx.shape != shape and not broadcasting):
        raise RuleError(
            f"{rule} returned {show_array(dx)}; it must be floating-point of shape {show_shape(shape)}"
        )


def check_hook(changed: Any, gradient: Any) -> None:
    """Refuse what a hook returned unless it can take the gradient's place."""
    if getattr(changed, "shape", None) != gradient.shape:
        got = show_array(changed) if hasattr(changed, "dtype") else repr(changed)
        raise ShapeError(
            f"a hook returned {got} in the place of the gradient {show_array(gradient)}; return its shape or None"
        )


def failure_note(node: Any, rule: Any, dy: Any) -> str:
    """The note on an exception that came out of a rule: which op, what shapes, from which line."""
    values = [("dy", one) for one in (dy if isinstance(dy, tuple) else (dy,))] + list(
        zip(node.op.saves, node.saved or ())
    )
    shapes = ", ".join(f"{name} {show_array(value)}" for name, value in values if hasattr(value, "dtype"))
    return f"in {rule}, called at {node.place}: {shapes}"


# The words of Tensor.


def check_wanted(tensor: Any) -> None:
    """Refuse a backward from what needs no gradient, or a hook on it."""
    if not tensor.requires_grad:
        raise GraphError(
            f"backward: {show_tensor(tensor)} needs no gradient: no tensor it was computed from has requires_grad=True, or it "
            "was computed under no_grad, or detached"
        )


def check_off_tape(tensor: Any) -> None:
    """Refuse to hand NumPy what is on the tape: its functions would leave it."""
    if tensor.requires_grad:
        raise TypeError(
            "NumPy would take this tensor off the tape in silence; use a tg function, .detach() or .data"
        )


def check_seed(tensor: Any, gradient: Any) -> None:
    """Refuse to begin a backward without a gradient to begin with, or with one of another shape."""
    check_wanted(tensor)
    if gradient is None and tensor.data.size != 1:
        raise GraphError(
            f"backward of {show_array(tensor.data)} needs the gradient to begin with: pass one of its shape (tg.ones_like(y)), "
            "or reduce it to a scalar, as in y.sum().backward()"
        )
    if gradient is not None and gradient.shape != tensor.data.shape:
        raise ShapeError(
            f"backward: gradient is {show_array(gradient)}, but the tensor is {show_array(tensor.data)}; reshape one of them"
        )


def check_seed_count(outputs: Any, seeds: Any) -> None:
    """Refuse another number of gradients than outputs."""
    if len(seeds) != len(outputs):
        raise GraphError(f"grad: {len(outputs)} outputs but {len(seeds)} grad_outputs; pass one for each")


def check_used(inputs: Any, gradients: Any) -> None:
    """Refuse inputs that no gradient reached."""
    for tensor, gradient in zip(inputs, gradients):
        if gradient is None:
            raise GraphError(
                f"grad: the outputs do not depend on input {show_tensor(tensor)}, or it requires no grad; pass "
                "allow_unused=True to get None for it"
            )


def check_requires_grad(tensor: Any, value: bool) -> None:
    """Refuse to ask for a gradient of integers, or not to ask for one of a recorded result."""
    if tensor.grad_fn is not None and not value:
        raise GraphError(f"{tensor.grad_fn!r} made this tensor, so it requires grad; use detach()")
    if value and tensor.data.dtype.kind != "f":
        raise DtypeError(f"only floating-point tensors can require a gradient, not {show_array(tensor.data)}")


def check_leaf(tensor: Any, what: str) -> None:
    """Refuse what only a leaf can do."""
    if tensor.grad_fn is not None:
        raise GraphError(f"{what}: {tensor.grad_fn!r} made this tensor, and only a leaf can; use detach()")


def in_place(tensor: Any, symbol: str) -> MutationError:
    instead = f"x = x {symbol[:-1]} …" if symbol[0] in "+-*/" else "tg.where, tg.cat or tg.put_add"
    return MutationError(
        f"x {symbol} … would change {show_tensor(tensor)} behind the tape. Make a new tensor ({instead}), or, to update a "
        "leaf, do it under `with tg.no_grad():`"
    )


# The words of Op.


def show_op(op: Any) -> str:
    """An op that is being declared, and where."""
    return f"op {op.name} ({show_place(op.forward)})"


def check_declaration(op: Any, positional: list[Any]) -> None:
    """Refuse a forward whose parameters are not inputs and params as the engine tells them apart."""
    if "y" in op.inputs + op.params:
        raise DeclarationError(
            f"{show_op(op)}: in its rules y is the output, so no parameter may be called y"
        )
    wrong = [
        one.name for one in positional if one.default not in (one.empty, None) or one.kind is one.VAR_KEYWORD
    ]
    if wrong or not positional or (op.variadic and len(positional) > 1):
        raise DeclarationError(
            f"{show_op(op)}: positional parameters are inputs (no default, or None for an optional one; *xs alone for a variadic "
            f"one), params are keyword-only: put a `*` before {', '.join(wrong) or 'them, and name at least one input'}"
        )


def check_name(op: Any, known: Any, override: bool) -> None:
    """Refuse a second op of the same name from another place; a notebook's cell may run twice."""
    if known and not override and (known.__module__, known.__qualname__) != (op.__module__, op.__qualname__):
        raise DeclarationError(
            f"op {op.name} ({show_place(op.forward)}) exists already ({show_place(known.forward)}); choose another name, or "
            "pass override=True to take its place"
        )


def check_forward(forward: Any, keeps: Any) -> None:
    """Refuse a forward without a name of its own, and names of kept values that are none."""
    if not isinstance(forward, FunctionType) or not forward.__name__.isidentifier():
        raise DeclarationError(f"primitive: a forward is a function with a name (def …), not {forward!r}")
    if isinstance(keeps, str) or not all(isinstance(name, str) and name.isidentifier() for name in keeps):
        raise DeclarationError(
            f"op {forward.__name__} ({show_place(forward)}): keeps is a tuple of names, not {keeps!r}"
        )


def check_named(op: Any, decorator: str, name: Any) -> str:
    """The name of an input; refuse `@op.grad` without one: it would swallow the rule."""
    if not isinstance(name, str):
        raise DeclarationError(
            f"@{op.name}.{decorator} needs a name: write @{op.name}.{decorator}({op.inputs[0]!r})"
        )
    return name


def check_declared(op: Any, decorator: str, name: str, function: Any, parameters: list[str]) -> None:
    """Refuse a rule, or a derivation of a kept value, for what the op has not, or has one for; and one
    without dY.
    """
    if fault := declaration_fault(op, decorator, name, function, parameters):
        raise DeclarationError(f"@{op.name}.{decorator}({name!r}) at {show_place(function)}: {fault}")


def declaration_fault(op: Any, decorator: str, name: str, function: Any, parameters: list[str]) -> str:
    """What is wrong with a declaration; nothing if it is right."""
    names = op.inputs if decorator == "grad" else op.keeps
    if name not in names:
        return f"{op.name} has {tuple(names)}"
    if decorator == "grad" and not op.differentiable:
        return f"{op.name} was declared with differentiable=False, so no rule of it is ever called"
    if decorator == "grad" and not parameters:
        return "the first argument of a rule is the gradient of the output; add dy"
    known = op.rules[op.inputs.index(name)] if decorator == "grad" else op.derivations.get(name)
    if known and (known.function.__module__, known.function.__qualname__) != (
        function.__module__,
        function.__qualname__,
    ):
        return f"there is one already, {known}"
    return ""


def check_kept(op: Any, y: Any) -> tuple[Any, tuple[Any, ...]]:
    """What a forward that keeps values returned, the output and the kept ones apart; refused unless all are
    there.
    """
    if type(y) is not tuple or len(y) != 1 + len(op.keeps):
        keeps = ", ".join(op.keeps)
        raise RuleError(
            f"op {op.name} ({show_place(op.forward)}) keeps {keeps}, so its forward must return (y, {keeps})"
        )
    return y[0], y[1:]


def check_output(op: Any, y: Any) -> Any:
    """What a forward returned as an array; refused unless it is one, of a dtype that tensors have."""
    array = y if isinstance(y, (np.ndarray, np.generic)) else None
    if array is None or array.dtype.kind not in "biuf":
        returned = type(y).__name__ if array is None else show_array(array)
        place = show_place(op.forward)
        raise RuleError(
            f"the forward of {op.name} ({place}) returned {returned}; it must return an ndarray of numbers"
        )
    return np.asarray(array)


def check_reads(rule: Any, op: Any, named: list[str], known: list[str]) -> None:
    """Refuse a rule that reads a name the op has not, or names a param before the rest."""
    for name in named:
        if name not in known and name not in op.params:
            raise DeclarationError(
                f"{rule} reads {name!r}; of {op.name} it can read {', '.join([*known, *op.params])}"
            )
    if named != sorted(named, key=lambda name: name in op.params):
        raise DeclarationError(
            f"{rule}: name the params ({', '.join(op.params)}) after everything else it reads"
        )


def check_inputs(op: Any, arrays: list[Any], kinds: Any) -> None:
    """Refuse an input that is neither array nor Tensor; scalars have a place in arithmetic alone."""
    names = op.inputs * len(arrays) if op.variadic else op.inputs
    for name, value in zip(names, arrays):
        fits = isinstance(value, kinds) and not isinstance(
            value, np.ma.MaskedArray
        )  # its mask would be lost in silence
        if not fits and not (value is None and name in op.optional):
            raise TypeError(
                f"{op.name}: {name} must be a Tensor or an ndarray, not {type(value).__name__}; wrap it in tg.tensor(…)"
            )


def check_positions(op: Any, inputs: tuple[Any, ...]) -> None:
    """Refuse more arguments than an op has inputs and params."""
    if len(inputs) > len(op.inputs) + len(op.params):
        raise TypeError(f"{op.name} takes {show_arguments(op)}; got {len(inputs)} by position")


def check_given_once(op: Any, name: str, own_name: str, given: dict[str, Any]) -> None:
    """Refuse an argument that was given by position already, or under its other name."""
    if own_name in given:
        argument = own_name if name == own_name else f"{own_name} ({name})"
        raise TypeError(f"{op.name}: {argument} was given twice; {op.name} takes {show_arguments(op)}")


def check_arity(op: Any, given: dict[str, Any]) -> None:
    """Refuse a call without an input that is not optional, or with an argument that the op has not."""
    missing = [name for name in op.inputs if name not in given and name not in op.optional]
    unknown = [name for name in given if name not in op.inputs + op.params]
    if missing or unknown:
        fault = f"{', '.join(missing)} is missing" if missing else f"there is no {', '.join(unknown)}"
        raise TypeError(f"{op.name} takes {show_arguments(op)}; {fault}")


def show_arguments(op: Any) -> str:
    """An op's arguments as messages write them."""
    params = f" and the params {', '.join(op.params)}" if op.params else ""
    return f"the inputs ({', '.join(op.inputs)}){params}"


def check_param(op: Any, name: str, tensor: Any) -> Any:
    """A Tensor given as a param; refused where it requires a gradient."""
    if tensor.requires_grad:
        raise RuleError(
            f"{op.name}: {name} is a param, so no gradient flows to it, but it requires one; pass {name}.detach()"
        )
    return tensor


def check_rules(op: Any, rules: Iterable[Any], wanted: int) -> None:
    """Refuse a gradient for an input that the op has no rule for; the bits of `wanted` are the inputs that
    require one.
    """
    names = [name for position, name in enumerate(op.inputs) if wanted >> position & 1]
    for name, rule in zip(names, rules):
        if rule is None:
            raise RuleError(
                f"{op.name} has no rule for {name}, which requires grad: pass {name}.detach(), or declare one with "
                f"@{op.name}.grad({name!r})"
            )


def check_derivation(op: Any, name: str) -> None:
    """Refuse to differentiate rules that read a kept float, unless it is known how it follows from the
    inputs.
    """
    if name not in op.derivations:
        raise RuleError(
            f"{op.name} keeps the float {name!r}, so to differentiate its rules they must know how it follows from the inputs: "
            f"declare @{op.name}.kept({name!r})"
        )


def check_differentiable_twice(op: Any) -> None:
    """Refuse to differentiate the rules of an op that does not allow it."""
    if op.once:
        raise GraphError(
            f"{op.name} was declared differentiable once, so create_graph=True cannot go through it"
        )


# How a node and a tensor are printed.


def show_node(node: Any) -> str:
    """A node's repr: its op, its outputs, where it was called."""
    outputs = ", ".join(f"{dtype}{show_shape(shape)}" for shape, dtype in node.outputs)
    return f"<{node.op.name} → {outputs}, {node.place}{node.layer and ' in '}{node.layer}>"


def show_contents(tensor: Any) -> str:
    """A tensor's repr: numbers (few of many), type, where it comes from."""
    edge = 3 if tensor.data.ndim <= 2 else 1  # how many numbers at each end of a dimension
    numbers = np.array2string(tensor.data, separator=", ", prefix="tensor(", threshold=200, edgeitems=edge)
    made = (
        f", made by {tensor.grad_fn.op.name}"
        if tensor.grad_fn
        else ", requires_grad=True"
        if tensor.requires_grad
        else ""
    )
    return f"tensor({numbers}, {show_array(tensor.data)}{made}{f', name={tensor.name!r}' if tensor.name else ''})"
