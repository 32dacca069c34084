"""Every error the project raises, and the words of those that the engine raises: it reads better without them.

Each error is also the built-in that users of NumPy or PyTorch would catch, so `except ValueError` keeps working.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


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


class GradcheckError(AssertionError):
    """A gradient that differs from the finite differences of its forward."""


class MissingExtraError(ImportError):
    """An optional package that this feature needs is not installed; the message says which extra brings it."""


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
    return f"{function.__code__.co_filename}:{function.__code__.co_firstlineno}"


# The words of the sweep. `up` is the node it stands at.


def consumed(up: Any, place: str) -> TapeConsumedError:
    return TapeConsumedError(
        f"{up.op.name} ({up.place}) was already consumed by the backward at {place}; "
        "pass retain_graph=True there to go through it twice"
    )


def mutated(up: Any, tensor: Any) -> MutationError:
    return MutationError(
        f"{up.op.name}: {show_tensor(tensor)} was changed in place after the forward at {up.place} read it; its rules would "
        "read the new numbers. Call backward before the change"
    )


def wrong_count(rule: Any, count: int) -> RuleError:
    return RuleError(f"{rule} must return a tuple of {count} gradients, one for each input in *{rule.argument}")


def wrong_kind(rule: Any, dx: Any, kind: type, shape: tuple[int, ...]) -> RuleError:
    return RuleError(f"{rule} returned {type(dx).__name__}; here it must return {kind.__name__} of shape {show_shape(shape)}")


def wrong_gradient(rule: Any, dx: Any, shape: tuple[int, ...]) -> RuleError:
    return RuleError(f"{rule} returned {show_array(dx)}; it must be floating-point of shape {show_shape(shape)}")


def wrong_hook(changed: Any, gradient: Any) -> ShapeError:
    got = show_array(changed) if hasattr(changed, "dtype") else repr(changed)
    return ShapeError(f"a hook returned {got} in the place of the gradient {show_array(gradient)}; return its shape, or None")


def failure_note(up: Any, rule: Any, dy: Any) -> str:
    """The note on an exception that came out of a rule: which op, what shapes, from which line."""
    values = [("dy", one) for one in (dy if isinstance(dy, tuple) else (dy,))] + list(zip(up.op.saves, up.saved or ()))
    shapes = ", ".join(f"{name} {show_array(value)}" for name, value in values if hasattr(value, "dtype"))
    return f"in {rule}, called at {up.place}: {shapes}"


# The words of Tensor.


def needs_no_gradient(tensor: Any) -> GraphError:
    return GraphError(
        f"backward: {show_tensor(tensor)} needs no gradient: no tensor it was computed from has requires_grad=True, or it was "
        "computed under no_grad, or detached"
    )


def needs_seed(tensor: Any) -> GraphError:
    return GraphError(
        f"backward of {show_array(tensor.data)} needs the gradient to begin with: pass one of its shape (tg.ones_like(y)), or "
        "reduce it to a scalar, as in y.sum().backward()"
    )


def wrong_seed(tensor: Any, gradient: Any) -> ShapeError:
    return ShapeError(f"backward: gradient is {show_array(gradient)}, but the tensor is {show_array(tensor.data)}; reshape it")


def unused(tensor: Any) -> GraphError:
    return GraphError(
        f"grad: the outputs do not depend on input {show_tensor(tensor)}, or it requires no grad; pass allow_unused=True to get "
        "None for it"
    )


def in_place(tensor: Any, symbol: str) -> MutationError:
    instead = "tg.where, tg.cat or tg.put_add" if symbol == "[…] =" else f"x = x {symbol[:-1]} …"
    return MutationError(
        f"x {symbol} … would change {show_tensor(tensor)} behind the tape. Make a new tensor ({instead}), or, to update a leaf, do "
        "it under `with tg.no_grad():`"
    )


# The words of Op.


def wrong_inputs(op: Any, names: str) -> DeclarationError:
    return DeclarationError(
        f"op {op.name} ({show_place(op.forward)}): positional parameters are inputs (no default, or None for an optional one; "
        f"*xs alone for a variadic one), params are keyword-only: put a `*` before {names or 'them'}"
    )


def reserved_name(op: Any) -> DeclarationError:
    return DeclarationError(f"op {op.name} ({show_place(op.forward)}): in its rules y is the output, so no parameter may be called y")


def name_taken(op: Any, known: Any) -> DeclarationError:
    return DeclarationError(
        f"op {op.name} ({show_place(op.forward)}) exists already ({show_place(known.forward)}); choose another name, or pass "
        "override=True to take its place"
    )


def unknown_name(rule: Any, name: str, op: Any, known: Iterable[str]) -> DeclarationError:
    return DeclarationError(f"{rule} reads {name!r}; of {op.name} it can read {', '.join([*known, *op.params])}")


def params_last(rule: Any) -> DeclarationError:
    return DeclarationError(f"{rule}: name the params ({', '.join(rule.params)}) after everything else it reads")


def unknown_input(op: Any, argument: str, function: Any) -> DeclarationError:
    return DeclarationError(f"@{op.name}.grad({argument!r}) at {show_place(function)}: the inputs of {op.name} are {op.inputs}")


def missing_rule(op: Any, name: str) -> RuleError:
    return RuleError(
        f"{op.name} has no rule for {name}, which requires grad: pass {name}.detach(), or declare one with @{op.name}.grad({name!r})"
    )


def missing_derivation(op: Any, name: str) -> RuleError:
    return RuleError(
        f"{op.name} keeps the float {name!r}: its rules can be differentiated once say how it follows from the inputs; declare "
        f"@{op.name}.kept({name!r})"
    )


def only_once(op: Any) -> GraphError:
    return GraphError(f"{op.name} was declared differentiable once, so create_graph=True cannot go through it")


def unknown_param(op: Any, given: Iterable[str]) -> TypeError:
    names = ", ".join(sorted(set(given) - set(op.params)))
    return TypeError(f"{op.name}: no param {names}; inputs {op.inputs} are positional, params are {op.params}")


def wrong_arity(op: Any, count: int) -> TypeError:
    return TypeError(f"{op.name} takes the inputs ({', '.join(op.inputs)}); got {count}")


def not_an_array(op: Any, name: str, value: Any) -> TypeError:
    return TypeError(f"{op.name}: {name} must be a Tensor or an ndarray, not {type(value).__name__}; wrap it in tg.tensor(…)")


def param_with_gradient(op: Any, name: str) -> RuleError:
    return RuleError(f"{op.name}: {name} is a param, so no gradient flows to it, but it requires one; pass {name}.detach()")
