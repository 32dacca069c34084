"""What a user's op says of itself, by `@op.explain`: arrays and words, made into pieces.

An error in it is shown and not raised: who looks at a page does so to find errors, and the page has to come.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...dtypes import Array
from ...engine.location import show_place
from ...engine.registry import OPS
from ..step import Step
from .pieces import Factor, Figure, Notes, StepExplanation, Sum, Term, View
from .registry import subject_of


def explanation_declared(step: Step) -> Callable[..., Any] | None:
    """The function under `@op.explain`, if there is one."""
    function: Callable[..., Any] | None = getattr(OPS.get(step.op), "explanation", None)
    return function


def own_explanation(step: Step, function: Callable[..., Any]) -> StepExplanation:
    """What it returns, as an explanation; or what went wrong, and whose it is."""
    try:
        with np.errstate(all="ignore"):
            returned = function(**arguments_for(step, function))
        return pieces_of(step, returned)
    except Exception as error:
        text = str(error).strip()
        said = f"{type(error).__name__}: {text}" if text else type(error).__name__
        whose = f"{function.__name__} ({show_place(function)}), the explanation of {step.op}"
        return StepExplanation(subject_of(step), remarks=(f"{whose}, failed: {said}",))


def arguments_for(step: Step, function: Callable[..., Any]) -> dict[str, Any]:
    """What the function names, by name; arrays are views that it cannot write to."""
    known = {
        **{f"{name}_shape": np.shape(value) for name, value in step.inputs.items() if value is not None},
        **{f"d{name}": gradient for name, gradient in step.grad_inputs.items()},
        **step.params,
        **step.read,
        **step.inputs,
        "y": step.output,
        "dy": step.grad_output,
        "step": step,
    }
    wanted = inspect.signature(function).parameters.values()
    missing = (each for each in wanted if each.name not in known)
    defaults = {each.name: None if each.default is each.empty else each.default for each in missing}
    given = {each.name: sealed(known[each.name]) for each in wanted if each.name in known}
    return {**defaults, **given}


def sealed(value: Any) -> Any:
    """A view of an array that cannot be written to; of a tuple, of each member."""
    if type(value) is tuple:
        return tuple(map(sealed, value))
    if not isinstance(value, np.ndarray):
        return value
    view = value.view()
    view.flags.writeable = False
    return view


def pieces_of(step: Step, returned: Any) -> StepExplanation:
    """Words, or a mapping: names to words, arrays, or (for a gradient, `dx`) terms that add up to it.

    Raises TypeError for anything else.
    """
    if isinstance(returned, str):
        return StepExplanation(subject_of(step), returned)
    if not isinstance(returned, Mapping):
        raise TypeError(
            f"it returned {type(returned).__name__}; return a text, or a dict of names to texts, arrays, or "
            "(under the name of a gradient, 'dx') a dict of the terms that add up to it"
        )
    words: list[str] = []
    figures: list[Figure] = []
    views: list[View] = []
    for name, value in returned.items():
        if isinstance(value, Mapping):
            views.append(terms_view(step, str(name), value))
        elif isinstance(value, str):
            words.append(value if name in ("", "text") else f"{name}: {value}")
        else:
            figures.append(Figure(str(name), array_of(name, value)))
    if figures:
        views.insert(0, Notes("own", "what it says of itself", figures=tuple(figures)))
    return StepExplanation(subject_of(step), " ".join(words), tuple(views))


def terms_view(step: Step, name: str, terms: Mapping[Any, Any]) -> Sum:
    """The terms of a gradient. Raises ValueError for a name that is none, TypeError for what is no array."""
    gradient = step.grad_inputs.get(name[1:]) if name.startswith("d") else None
    if not isinstance(gradient, np.ndarray):
        known = ", ".join(f"d{argument}" for argument in step.grad_inputs) or "none here"
        raise ValueError(f"{name!r} is no gradient of this step, so it has no terms; its gradients: {known}")
    made = [
        Term((Factor(str(called), broadcast(called, value, gradient)),)) for called, value in terms.items()
    ]
    formula = f"{name} = {' + '.join(term.name for term in made)}"
    return Sum(
        name,
        "the terms that add up to it",
        formula=formula,
        result=gradient,
        shape=gradient.shape,
        terms=tuple(made),
    )


def broadcast(name: Any, value: Any, gradient: Array) -> Array:
    """A term's array. Raises ValueError for one that does not broadcast to the gradient."""
    array = array_of(name, value)
    try:
        np.broadcast_to(array, gradient.shape)
    except ValueError:
        raise ValueError(f"term {name!r} is {array.shape}, but the gradient {gradient.shape}") from None
    return array


def array_of(name: Any, value: Any) -> Array:
    """An array of numbers. Raises TypeError for anything else."""
    array = np.array(value.data if hasattr(value, "requires_grad") else value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name!r} is {type(value).__name__}, not a text or an array of numbers")
    return array
