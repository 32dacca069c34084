"""A model is called while a trace looks on, and stays as it was."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ....dtypes import Array
from ....engine.commit import Changes
from ....engine.modes import no_grad
from ....engine.tensor import Tensor
from ....errors import ExportError
from ....nn.module import Module
from ....nn.uninitialized import is_uninitialized
from ....randomness.default import generator
from .trace import Trace


def state_of(model: Any) -> dict[str, Tensor]:
    """The parameters and buffers of a module by their names; a function has none.

    Raises ExportError for those of a lazy layer that has not been called yet.
    """
    if not isinstance(model, Module):
        return {}
    state = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    empty = [name for name, tensor in state.items() if is_uninitialized(tensor)]
    if empty:
        raise ExportError(f"onnx.export: {empty[0]} has no numbers yet; call the model once before")
    return state


def traced(
    model: Callable[..., Any], arrays: Sequence[Array], state: dict[str, Tensor]
) -> tuple[Trace, dict[str, Any]]:
    """The ops of one call with these inputs, which it may change, and marks of the outputs by name."""
    inputs = [Tensor(array) for array in arrays]
    trace = Trace(inputs, state)
    try:
        with no_grad(), trace:
            outputs = model(*inputs)
    finally:
        if trace.refusal is not None:
            raise trace.refusal
    return trace, {name: trace.marked(tensor) for name, tensor in named_outputs(outputs)}


@contextmanager
def left_as_it_was(model: Any, state: dict[str, Tensor]) -> Iterator[None]:
    """Inside a module is in eval mode; afterwards everything is as before, random numbers too.

    Raises ExportError where the model has changed its parameters or buffers, which are put back.
    """
    modules = list(model.modules()) if isinstance(model, Module) else []
    modes = [(module, module.training) for module in modules]
    numbers = {name: (tensor, tensor._data, tensor._data.copy()) for name, tensor in state.items()}
    random_state = generator().bit_generator.state
    changed: list[str] = []
    try:
        for module in modules:
            vars(module)["training"] = False
        yield
    finally:
        for module, training in modes:
            vars(module)["training"] = training
        generator().bit_generator.state = random_state
        changed += [name for name, (tensor, array, before) in numbers.items() if is_other(tensor, before)]
        changes = Changes()
        for name in changed:
            tensor, array, before = numbers[name]
            changes.set(tensor, "_data", array)
            changes.write_array(array, before)
        changes.commit()
    if changed:
        raise ExportError(
            f"onnx.export: calling the model changes {', '.join(changed)}, and an ONNX graph keeps nothing "
            "from call to call"
        )


def is_other(tensor: Tensor, before: Array) -> bool:
    """Whether the numbers of a tensor are not what they were."""
    return tensor._data.shape != before.shape or tensor._data.tobytes() != before.tobytes()


def named_outputs(outputs: Any, name: str = "output") -> list[tuple[str, Any]]:
    """(name, tensor) of what a model returned: a tensor, or some in tuples, lists and dicts."""
    if isinstance(outputs, (Tensor, np.ndarray)):
        return [(name, outputs)]
    if isinstance(outputs, dict):
        members = [(str(key) if name == "output" else f"{name}_{key}", each) for key, each in outputs.items()]
    elif isinstance(outputs, (tuple, list)):
        members = [(f"{name}_{place}", each) for place, each in enumerate(outputs)]
    else:
        raise ExportError(
            f"onnx.export: the model returns {type(outputs).__name__} ({name}); an ONNX graph gives "
            "tensors alone"
        )
    return [pair for key, each in members for pair in named_outputs(each, key)]


def input_names_of(model: Any, count: int) -> list[str]:
    """What the model's forward calls its inputs."""
    function = model.forward if isinstance(model, Module) else model
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [parameter.name for parameter in parameters if parameter.kind in by_position]
    return [names[place] if place < len(names) else f"input_{place}" for place in range(count)]
