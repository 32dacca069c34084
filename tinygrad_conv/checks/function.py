"""A function of Tensors as one of flat float64 vectors: its values and its finite differences."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from typing import Any

import numpy as np

from ..dtypes import FLOATS, Array
from ..engine.op import Op
from ..engine.tensor import Tensor
from .surrogates import SurrogateCalls, following_surrogates


class Packing:
    """Arrays of these shapes, one after another in one vector."""

    def __init__(self, shapes: Iterable[tuple[int, ...]]) -> None:
        self.shapes = list(shapes)
        self.ends = np.cumsum([0] + [int(np.prod(shape)) for shape in self.shapes])

    def places(self, which: int) -> slice:
        """Where one of the arrays lies in the vector."""
        return slice(self.ends[which], self.ends[which + 1])

    def split(self, vector: Array) -> list[Array]:
        """The arrays in a vector, as views of it."""
        return [vector[self.places(which)].reshape(shape) for which, shape in enumerate(self.shapes)]

    def locate(self, position: int) -> tuple[int, tuple[int, ...]]:
        """Which of the arrays a position in the vector belongs to, and the index in it."""
        which = int(np.searchsorted(self.ends, position, "right")) - 1
        index = np.unravel_index(position - self.ends[which], self.shapes[which])
        return which, tuple(map(int, index))


class Function:
    """`fn`, seen as a function of the inputs at the positions `checked`; the other inputs are constants.

    `point` is all the checked inputs, one after another, in one vector; a gradient, too, is such a vector.
    `domain` and `codomain` say how checked inputs and outputs lie in such vectors, `names` what the checked
    inputs are called.
    """

    def __init__(
        self, fn: Callable[..., Any], inputs: Sequence[Any], checked: Sequence[int], names: Sequence[str]
    ) -> None:
        self.fn = fn
        self.inputs = tuple(inputs)
        self.checked = tuple(checked)
        self.names = tuple(names)
        # how the inputs lie in memory, if not as those given
        self.arrange: Callable[[Array], Array] | None = None
        self.domain = Packing(np.shape(inputs[position]) for position in checked)
        self.point = flat([inputs[position] for position in checked])
        with SurrogateCalls() as calls:
            _, outputs = self.call(self.point)
        self.held = calls.held
        self.codomain = Packing(output.data.shape for output in outputs)
        self.values = self.at(self.point)

    def arranged(self, arrange: Callable[[Array], Array]) -> Function:
        """The same function, whose inputs and cotangents lie in memory as `arrange` lays them out."""
        other = copy(self)
        other.arrange = arrange
        return other

    def nearby(self, rng: np.random.Generator) -> Function:
        """The same function at a point a hundredth away: zeros, and what is equal, come apart."""
        inputs = list(self.inputs)
        for position, array in zip(self.checked, self.split(self.point)):
            size = np.sqrt(np.mean(np.square(array))) if array.any() else 1.0
            inputs[position] = array + 1e-2 * size * rng.standard_normal(array.shape)
        return Function(self.fn, inputs, self.checked, self.names)

    def split(self, vector: Array) -> list[Array]:
        """A vector as the inputs it consists of: fresh arrays, [shape of each], in their memory orders."""
        arrays = self.domain.split(vector)
        return [self.laid_out(array, self.inputs[position]) for array, position in zip(arrays, self.checked)]

    def laid_out(self, values: Array, model: Any) -> Array:
        """A copy of the values, in the memory order of the model unless another was asked for."""
        if self.arrange is not None:
            return self.arrange(values)
        fresh = np.empty_like(model, np.float64, shape=values.shape)
        fresh[...] = values
        return fresh

    def fresh(self, vector: Array) -> list[Any]:
        """All inputs, none sharing memory with another: the checked ones as leaves."""
        inputs = [copied(value) for value in self.inputs]
        for position, array in zip(self.checked, self.split(vector)):
            inputs[position] = Tensor(array, requires_grad=True)
        return inputs

    def call(self, vector: Array) -> tuple[list[Tensor], list[Tensor]]:
        """The checked inputs as fresh leaves, and the floating-point outputs for them."""
        inputs = self.fresh(vector)
        leaves = [inputs[position] for position in self.checked]
        return leaves, float_tensors(self.fn(*inputs))

    def at(self, vector: Array) -> Array:
        """The outputs, one after another, in float64; those of surrogates, where ops have such."""
        with following_surrogates(self.held):
            _, outputs = self.call(vector)
        return flat([output.data for output in outputs])

    def unit(self, column: int) -> Array:
        """The direction of one number among the inputs."""
        direction = np.zeros_like(self.point)
        direction[column] = 1.0
        return direction

    def slope(self, direction: Array, step: float) -> Array:
        """The derivative along a direction, by central differences."""
        return self.slope_beside(direction, 0.0, step)

    def slope_beside(self, direction: Array, distance: float, step: float) -> Array:
        """The same some way along that direction."""
        with np.errstate(all="ignore"):
            ahead, behind = (self.at(self.point + (distance + side) * direction) for side in (step, -step))
            return (ahead - behind) / (2 * step)

    def one_sided(self, direction: Array, step: float) -> tuple[Array, Array]:
        """The derivatives along a direction to the left and to the right."""
        with np.errstate(all="ignore"):
            left = (self.values - self.at(self.point - step * direction)) / step
            right = (self.at(self.point + step * direction) - self.values) / step
            return left, right

    def differences(self, step: float) -> Array:
        """The Jacobian by finite differences, [outputs, inputs]."""
        return np.stack([self.slope(unit, step) for unit in np.eye(self.point.size)], axis=1)


def float_tensors(outputs: Any) -> list[Tensor]:
    """The floating-point Tensors among what a function returned.

    Raises TypeError where it returned something else.
    """
    several = outputs if isinstance(outputs, (tuple, list)) else [outputs]
    for output in several:
        if not isinstance(output, Tensor):
            returned = type(output).__name__
            raise TypeError(
                f"gradcheck: the function must return Tensors, not {returned}: it left the tape on the way"
            )
    return [output for output in several if output.data.dtype in FLOATS]


def input_names(fn: Callable[..., Any], count: int) -> list[str]:
    """What the function calls its inputs."""
    try:
        own = fn.forward if isinstance(fn, Op) else fn  # an op's inputs are called as its rules call them
        parameters = list(inspect.signature(own).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [parameter.name for parameter in parameters if parameter.kind in by_position]
    variadic = [parameter.name for parameter in parameters if parameter.kind is parameter.VAR_POSITIONAL]
    several = variadic[0] if variadic else "input"
    return (names + [f"{several}[{number}]" for number in range(count)])[:count]


def copied(value: Any) -> Any:
    """An input that shares no memory with the original."""
    if isinstance(value, Tensor):
        return Tensor(value.data.copy("K"), requires_grad=value.requires_grad)
    return value.copy("K") if isinstance(value, np.ndarray) else value


def flat(arrays: Iterable[Any]) -> Array:
    """Arrays as one float64 vector."""
    return np.concatenate([np.zeros(0), *(np.asarray(array, np.float64).ravel() for array in arrays)])


def is_float_array(value: Any) -> bool:
    """Whether an input is an array of floats."""
    return isinstance(value, np.ndarray) and value.dtype in FLOATS


def can_broadcast(shape: tuple[int, ...], larger: tuple[int, ...]) -> bool:
    """Whether an array of the first shape broadcasts to the second."""
    pairs = zip(reversed(shape), reversed(larger))
    return len(shape) <= len(larger) and all(size in (1, other) for size, other in pairs)
