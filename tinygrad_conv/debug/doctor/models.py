"""Which models and optimisers there are, and what of them only shows while a backward runs."""

from __future__ import annotations

import ast
import linecache
from collections import Counter
from collections.abc import Iterator
from types import FunctionType
from typing import Any

from ...engine.location import PACKAGE_FOLDER, Place, place_at
from ...engine.tensor import Tensor
from ...errors import show_shape
from ...members import each_once
from ...nn.dropout import DropoutBase
from ...nn.module import Module
from ...nn.norm import RunningNorm
from ...nn.parameter import Parameter
from ...optim.optimizer import Optimizer
from ..cut import cut_of
from ..graph import alive
from .seen import Hidden, History, OpSeen, SweepSeen

MODAL = (DropoutBase, RunningNorm)
"""Layers that do something else in training than in evaluation."""


def is_parameter(value: Any) -> bool:
    """Whether it is an `nn.Parameter`."""
    return isinstance(value, Parameter)


def find(history: History) -> None:
    """The outermost modules that have parameters, layers in plain lists, and the optimisers that live."""
    living: list[Any] = list(history.models) if history.given else alive(Module, Optimizer)
    modules = [each for each in living if isinstance(each, Module)]
    every = each_once(module for root in modules for module in root.modules())
    inner = {id(child) for module in every for child in module._own_modules().values()}
    hidden = [entry for module in every for entry in hidden_in(module)]
    inside = {id(module) for entry in hidden for module in entry.modules}
    for root in modules:
        outermost = id(root) not in inner and id(root) not in inside
        if outermost and not is_known(root, history.models) and any(True for _ in root.parameters()):
            history.models.append(root)
    known = {(id(entry.holder), entry.attribute) for entry in history.hidden}
    history.hidden += [entry for entry in hidden if (id(entry.holder), entry.attribute) not in known]
    for optimizer in (each for each in living if isinstance(each, Optimizer)):
        if not is_known(optimizer, history.optimizers) and optimizer.param_groups:
            history.optimizers.append(optimizer)


def is_known(wanted: Any, among: list[Any]) -> bool:
    """Whether the very object is in a list."""
    return any(wanted is known for known in among)


def hidden_in(module: Any) -> Iterator[Hidden]:
    """Lists, tuples and dicts of layers among a module's attributes."""
    for attribute, value in list(vars(module).items()):
        if attribute.startswith("_") or not isinstance(value, (list, tuple, dict)):
            continue
        layers = list(layers_in(value))
        if layers and any(True for layer in layers for _ in layer.parameters()):
            place = line_of_attribute(type(module), attribute)
            yield Hidden(module, attribute, type(value).__name__, layers, place)


def layers_in(value: Any, depth: int = 3) -> Iterator[Any]:
    """The modules in a container, and in containers in it."""
    members = value.values() if isinstance(value, dict) else value
    for member in list(members)[:200]:
        if isinstance(member, Module):
            yield member
        elif isinstance(member, (list, tuple, dict)) and depth:
            yield from layers_in(member, depth - 1)


def line_of_attribute(of_class: type, attribute: str) -> Place | None:
    """The line of a class that assigns `self.attribute`, where its source can be read."""
    file, definition = definition_of(of_class)
    for node in ast.walk(definition) if definition is not None else ():
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Attribute) and target.attr == attribute for target in targets):
                return line_in(file, node.lineno)
    return None


def definition_of(of_class: type) -> tuple[str, ast.ClassDef | None]:
    """The file of a user's class, and the class in it. By its methods, for a script's module may be gone."""
    codes = [method.__code__ for method in vars(of_class).values() if isinstance(method, FunctionType)]
    if not codes or codes[0].co_filename.startswith(PACKAGE_FOLDER):
        return "", None
    file = codes[0].co_filename
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except SyntaxError:
        return file, None
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == of_class.__name__:
            if node.lineno <= codes[0].co_firstlineno <= (node.end_lineno or node.lineno):
                return file, node
    return file, None


def line_in(file: str, line: int) -> Place:
    """A line of a file."""
    return Place(file, line, linecache.getline(file, line).strip(), "")


def note_cuts(history: History, sweep: SweepSeen) -> None:
    """For parameters that a backward of their model has passed by: the line that cut them off."""
    for params in parameter_groups(history):
        parameters = [parameter for parameter in params if parameter.requires_grad]
        reached = [parameter for parameter in parameters if parameter in sweep.grads]
        if not reached:
            continue
        for parameter in parameters:
            if parameter not in sweep.grads and parameter not in history.cuts:
                history.cuts[parameter] = cut_of(parameter)


def parameter_groups(history: History) -> Iterator[list[Any]]:
    """The parameters of each model and of each optimiser: all of one are to learn together."""
    for model in history.models:
        yield list(model.parameters())
    for optimizer in history.optimizers:
        yield optimizer.params()


def note_modes(history: History, sweep: SweepSeen) -> None:
    """Models that a backward goes through in eval mode though they have layers to which that matters."""
    for model in history.models:
        if model.training or not any(parameter in sweep.grads for parameter in model.parameters()):
            continue
        paths = [
            f"{path or 'the model'} ({type(module).__name__})"
            for path, module in model.named_modules()
            if isinstance(module, MODAL)
        ]
        if paths:
            history.eval_sweeps.append((sweep, paths))


def find_aliases(history: History) -> None:
    """Batches that wait in the same memory: a loader has given out its own buffer several times."""
    inputs = {
        given.data.pointer
        for op in history.ops
        for given in op.inputs
        if given.data is not None and given.data.is_float and len(given.shape) >= 2
    }
    groups: Counter[tuple[int, tuple[int, ...]]] = Counter()
    for tensor in alive(Tensor):
        if tensor._edge is None and tensor._memory is None and not getattr(tensor, "is_uninitialized", False):
            pointer = int(tensor._data.__array_interface__["data"][0])
            if pointer in inputs:
                groups[pointer, tensor._data.shape] += 1
    history.aliases = [count for count in groups.values() if count >= 3]


def of_the_same_kind(module: Any) -> list[Any]:
    """Living modules with the same keys, but for this one."""
    keys = [key for key, _ in module.named_parameters()]
    others = [other for other in alive(Module) if type(other) is type(module) and other is not module]
    return [other for other in others if [key for key, _ in other.named_parameters()] == keys]


def root_of(module: Any) -> Any:
    """The outermost living module that a module is in; itself, if it is in none."""
    around = [other for other in alive(Module) if is_known(module, list(other.modules()))]
    return max(around, key=lambda other: len(list(other.modules())), default=module)


def drawn(module: Any) -> list[tuple[str, Any]]:
    """The parameters of a module that hold different numbers: not the zeros and ones of many layers."""
    named = [(key, parameter) for key, parameter in module.named_parameters() if parameter.data.size > 1]
    return [(key, parameter) for key, parameter in named if parameter.data.min() < parameter.data.max()]


def defined(of_class: type) -> Place | None:
    """Where a user's class is defined."""
    file, definition = definition_of(of_class)
    return None if definition is None else line_in(file, definition.lineno)


def key_of(history: History, parameter: Any) -> str:
    """What to call a parameter: its key in its model, its name, or its shape."""
    key = history.trained().get(parameter)
    if key:
        return key
    return parameter.name or f"a parameter {show_shape(parameter.shape)}"


def reading_place(history: History, parameter: Any) -> Place | None:
    """The user's line that reads a parameter in a forward."""
    for op in history.ops:
        if any(given.leaf is parameter for given in op.inputs):
            return op.place
    return None


def layer_made_at(history: History, path: str) -> Place | None:
    """Where the layer with a path was made, if the watch saw that."""
    for module, where in history.modules.items():
        if path and vars(module).get("_path") == path:
            place = place_at(where)
            return None if place.source.startswith("super(") else place  # in its own __init__: says nothing
    return None


def begun_at(history: History, op: OpSeen) -> Place | None:
    """Where the weight of an op was initialised, if that was said; else where it was made."""
    where = history.begun.get(op.weight)
    return weight_made_at(history, op) if where is None else place_at(where)


def weight_made_at(history: History, op: OpSeen) -> Place | None:
    """Where the weight of an op was made: its layer, or the attribute of the module that it is."""
    for model in history.models:
        for module in model.modules():
            for name, parameter in module.named_parameters(recurse=False):
                if parameter is op.weight:
                    return line_of_attribute(type(module), name) or layer_made_at(history, op.layer)
    return layer_made_at(history, op.layer)


def made_at(history: History, optimizer: Any) -> Place | None:
    """Where an optimiser was made, or is asked to step."""
    if optimizer in history.made:
        return place_at(history.made[optimizer])
    where = next((step.where for step in history.steps if step.optimizer is optimizer), None)
    return None if where is None else place_at(where)
