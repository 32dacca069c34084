"""GraphModule: a graph as a Module, which runs its nodes one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ....dtypes import Array
from ....engine.commit import Changes
from ....engine.observed import LAYER, observable
from ....engine.tensor import Tensor
from ....errors import DtypeError, OnnxError, ShapeError, show_array, show_shape
from ....functional.arguments import rewrite
from ....nn import Module, Parameter
from ..operators.table import Function
from .graph import Input
from .initializers import PARAMETER, STATISTIC, keys_of


class Step(NamedTuple):
    """A node that is ready to run.

    layer: what its ops are called after
    follows: the places of outputs that running statistics become in training, and the names of these
    last_used: what nothing reads after it
    """

    node: str
    layer: str
    function: Function
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    trains: bool
    follows: tuple[tuple[int, str], ...]
    last_used: tuple[str, ...]

    def following(self, roles: Mapping[str, str]) -> Step:
        """The same for statistics alone: no input of a call follows, and nothing that is a parameter too."""
        return self._replace(follows=tuple(pair for pair in self.follows if roles.get(pair[1]) == STATISTIC))


class Scope(Module):
    """Initialisers whose names begin alike, `conv1.weight` and `conv1.bias`."""


class GraphModule(Module):
    """A graph of ONNX's as a Module: called with its inputs, by position or by name, it gives its outputs.

    One output is a Tensor, several are a tuple. Its parameters, buffers and their keys are the graph's
    initialisers under their own names. In training mode it computes what the file says; in eval mode nothing
    is dropped, and batch norms use their running statistics, whatever the file says.

    Raises TypeError, ShapeError and DtypeError for other inputs than the file declares, OnnxError, which
    names the node, for what goes wrong inside.
    """

    def __init__(
        self,
        inputs: Sequence[Input],
        outputs: Sequence[str],
        steps: Sequence[Step],
        initializers: Mapping[str, Array],
        roles: Mapping[str, str],
    ) -> None:
        super().__init__()
        self.graph_inputs = tuple(inputs)
        self.graph_outputs = tuple(outputs)
        self.steps = tuple(step.following(roles) for step in steps)
        self._places: dict[str, tuple[Module, str]] = {}
        self._hold(initializers, roles)

    def _hold(self, initializers: Mapping[str, Array], roles: Mapping[str, str]) -> None:
        """Put the initialisers into the tree. All at once: a tree is settled once, not for each of them."""
        scopes: dict[tuple[str, ...], Module] = {(): self}
        for name, path in keys_of(initializers, reserved={*dir(self)}).items():
            scope = scope_at(path[:-1], scopes)
            array, role = initializers[name], roles[name]
            vars(scope)[path[-1]] = Parameter(array) if role == PARAMETER else Tensor(array)
            if role != PARAMETER:
                scope._persistent[path[-1]] = role == STATISTIC
            self._places[name] = (scope, path[-1])
        self._settle()

    def forward(self, *inputs: Any, **named: Any) -> Any:
        """The outputs of the graph for its inputs."""
        values: dict[str, Any] = {name: vars(scope)[key] for name, (scope, key) in self._places.items()}
        values.update(self._given(inputs, named))
        values[""] = None
        around = LAYER.get()
        try:
            for step in self.steps:
                LAYER.set(f"{self._path}.{step.layer}")
                self._run(step, values)
        finally:
            LAYER.set(around)
        outputs = tuple(values[name] for name in self.graph_outputs)
        return outputs[0] if len(outputs) == 1 else outputs

    def _run(self, step: Step, values: dict[str, Any]) -> None:
        """Run a node, and let go of what nothing reads any more."""
        options = {"training": self.training} if step.trains else {}
        try:
            made = step.function(*[values[name] for name in step.inputs], **options)
        except Exception as error:
            raise OnnxError(f"{step.node}: {error}") from error
        results = made if isinstance(made, tuple) else (made,)
        if self.training and step.follows:
            follow([values[name] for _, name in step.follows], [results[place] for place, _ in step.follows])
        values.update(zip(step.outputs, results))
        values[""] = None
        for name in step.last_used:
            del values[name]

    def _given(self, inputs: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Tensor]:
        """The inputs of a call by their names, looked at."""
        names = [declared.name for declared in self.graph_inputs]
        given = dict(zip(names, inputs))
        if len(inputs) > len(names) or {*named} != {*names} - {*given}:
            got = f"{len(inputs)} by position and {[*named]} by name"
            raise TypeError(f"{self._path}: the graph takes {names}, not {got}")
        given.update(named)
        return {declared.name: checked(declared, given[declared.name]) for declared in self.graph_inputs}

    def extra_repr(self) -> str:
        names = ", ".join(declared.name for declared in self.graph_inputs)
        return f"({names}) -> ({', '.join(self.graph_outputs)}), {len(self.steps)} nodes"


@observable
def follow(statistics: Sequence[Tensor], results: Sequence[Tensor]) -> None:
    """Put what a node has made of running statistics into their places, together."""
    changes = Changes()
    for statistic, result in zip(statistics, results):
        rewrite(changes, statistic, result.data.astype(statistic.dtype))
    changes.commit()


def scope_at(path: tuple[str, ...], scopes: dict[tuple[str, ...], Module]) -> Module:
    """The module at a path, made with those above it where it is not there yet."""
    for length in range(1, len(path) + 1):
        if path[:length] not in scopes:
            scopes[path[:length]] = Scope()
            vars(scopes[path[: length - 1]])[path[length - 1]] = scopes[path[:length]]
    return scopes[path]


def checked(declared: Input, given: Any) -> Tensor:
    """An input as a Tensor. Raises for another shape or kind of dtype than the file declares."""
    if not isinstance(given, (Tensor, np.ndarray)):
        raise TypeError(f"input {declared.name} must be a Tensor or an array, not {type(given).__name__}")
    tensor = given if isinstance(given, Tensor) else Tensor(given)
    if tensor.dtype.kind != declared.dtype.kind:
        raise DtypeError(f"input {declared.name} is {show_array(tensor)}; the file says {declared.dtype}")
    if declared.shape is not None and not fits(tuple(tensor.shape), declared.shape):
        wanted = show_shape(["?" if size is None else size for size in declared.shape])
        raise ShapeError(
            f"input {declared.name} is {show_shape(tensor.shape)}, but the file was exported for {wanted}; "
            "export it with dynamic axes for other sizes"
        )
    return tensor


def fits(shape: tuple[int, ...], declared: tuple[int | None, ...]) -> bool:
    """Whether a shape has the sizes that are declared."""
    return len(shape) == len(declared) and all(
        wanted is None or size == wanted for size, wanted in zip(shape, declared)
    )
