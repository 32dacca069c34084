"""A function of Tensors as one of flat float64 vectors: its values, its gradients in both modes, its finite
differences.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

import numpy as np

from ..dtypes import FLOATS, Array
from ..engine.tensor import Tensor, grad
from ..errors import MutationError
from .fault import Fault


class Function:
    """`fn`, seen as a function of the inputs at the places `checked`; the other inputs are constants.

    `point` is all the checked inputs, one after another, in one vector; a gradient, too, is such a vector.
    """

    def __init__(
        self, fn: Callable[..., Any], inputs: Sequence[Any], checked: Sequence[int], names: Sequence[str]
    ) -> None:
        self.fn, self.inputs, self.checked, self.names = fn, tuple(inputs), tuple(checked), tuple(names)
        self.shapes = [np.shape(inputs[at]) for at in checked]
        self.ends = np.cumsum([0] + [int(np.prod(shape)) for shape in self.shapes])
        self.point = flat([inputs[at] for at in checked])
        self.arrange: Callable[[Array], Array] | None = (
            None  # how its inputs lie in memory, if not as those given
        )
        self.outputs = [one.data.shape for one in self.call(self.point)[1]]
        self.values = self.at(self.point)

    def arranged(self, arrange: Callable[[Array], Array]) -> Function:
        """The same function, whose inputs and cotangents lie in memory as `arrange` lays them out."""
        other = copy(self)
        other.arrange = arrange
        return other

    def split(self, vector: Array) -> list[Array]:
        """A vector as the inputs it consists of: fresh arrays, [shape of each], in their memory orders."""
        pieces = zip(self.ends, self.ends[1:], self.shapes, self.checked)
        return [
            self.laid_out(vector[start:end].reshape(shape), self.inputs[at])
            for start, end, shape, at in pieces
        ]

    def laid_out(self, values: Array, model: Any) -> Array:
        """A copy of the values, in the memory order of the model unless another was asked for."""
        if self.arrange is not None:
            return self.arrange(values)
        fresh = np.empty_like(model, np.float64, shape=values.shape)
        fresh[...] = values
        return fresh

    def nearby(self, rng: np.random.Generator) -> Function:
        """The same function at a point a hundredth away: zeros, and what is equal, come apart."""
        inputs = list(self.inputs)
        for at, piece in zip(self.checked, self.split(self.point)):
            size = np.sqrt(np.mean(np.square(piece))) if piece.any() else 1.0
            inputs[at] = piece + 1e-2 * size * rng.standard_normal(piece.shape)
        return Function(self.fn, inputs, self.checked, self.names)

    def split_outputs(self, vector: Array) -> list[Array]:
        """A vector as the outputs it consists of."""
        ends = np.cumsum([0] + [int(np.prod(shape)) for shape in self.outputs])
        return [vector[start:end].reshape(shape) for start, end, shape in zip(ends, ends[1:], self.outputs)]

    def locate(self, position: int) -> tuple[int, tuple[int, ...]]:
        """Which of the checked inputs a place in the vector belongs to, and the index in it."""
        which = int(np.searchsorted(self.ends, position, "right")) - 1
        return which, tuple(map(int, np.unravel_index(position - self.ends[which], self.shapes[which])))

    def locate_output(self, position: int) -> tuple[int, tuple[int, ...]]:
        """Which output a place in the vector of values belongs to, and the index in it."""
        ends = np.cumsum([0] + [int(np.prod(shape)) for shape in self.outputs])
        which = int(np.searchsorted(ends, position, "right")) - 1
        return which, tuple(map(int, np.unravel_index(position - ends[which], self.outputs[which])))

    def fresh(self, vector: Array) -> list[Any]:
        """All inputs, none sharing memory with another: the checked ones as leaves."""
        inputs = [copied(one) for one in self.inputs]
        for at, piece in zip(self.checked, self.split(vector)):
            inputs[at] = Tensor(piece, requires_grad=True)
        return inputs

    def call(self, vector: Array) -> tuple[list[Tensor], list[Tensor]]:
        """The checked inputs as fresh leaves, and the floating-point outputs for them."""
        inputs = self.fresh(vector)
        return [inputs[at] for at in self.checked], tensors(self.fn(*inputs))

    def at(self, vector: Array) -> Array:
        """The outputs, one after another, in float64."""
        return flat([one.data for one in self.call(vector)[1]])

    def slope(self, direction: Array, step: float) -> Array:
        """The derivative along a direction, by central differences."""
        with np.errstate(all="ignore"):
            return (self.at(self.point + step * direction) - self.at(self.point - step * direction)) / (
                2 * step
            )

    def one_sided(self, direction: Array, step: float) -> tuple[Array, Array]:
        """The derivatives along a direction to the left and to the right."""
        with np.errstate(all="ignore"):
            left = (self.values - self.at(self.point - step * direction)) / step
            return left, (self.at(self.point + step * direction) - self.values) / step


class Pullback:
    """One forward at the function's point, and its gradients for as many cotangents as wanted.

    lifted: let the rules run on Tensors, as under create_graph=True, rather than on arrays.
    """

    def __init__(self, function: Function, lifted: bool) -> None:
        self.function, self.lifted = function, lifted
        self.leaves, self.results = function.call(function.point)

    def __call__(self, cotangent: Array) -> Array:
        """The gradient of ⟨cotangent, outputs⟩: a vector as the point. Raises Fault for a rule that changes
        what it is given.
        """
        pieces = self.function.split_outputs(cotangent)
        arrange = self.function.arrange or np.asarray
        pairs = [
            (one, arrange(piece.astype(one.data.dtype)))
            for one, piece in zip(self.results, pieces)
            if one.requires_grad
        ]
        if not pairs:
            return np.zeros_like(self.function.point)
        outputs, seeds = zip(*pairs)
        wrapped = [Tensor(seed, requires_grad=self.lifted) for seed in seeds]
        try:
            found = grad(
                outputs, self.leaves, wrapped, retain_graph=True, create_graph=self.lifted, allow_unused=True
            )
        except (ValueError, MutationError) as error:  # what the sweep hands to a rule is read-only
            if isinstance(error, MutationError) or "read-only" in str(error):
                raise Fault("rule mutates", f"a rule changes what it is given: {error}") from error
            raise
        whole = [
            np.zeros(shape) if one is None else one.data for one, shape in zip(found, self.function.shapes)
        ]
        self.assert_untouched(seeds, [piece for one, piece in zip(self.results, pieces) if one.requires_grad])
        return flat(whole)

    def assert_untouched(self, seeds: Sequence[Array], pieces: Sequence[Array]) -> None:
        """Raise Fault where the backward changed the gradient it was given, or an input."""
        for seed, piece in zip(seeds, pieces):
            if not same(seed, piece.astype(seed.dtype)):
                raise Fault(
                    "rule mutates", "a rule changes dy, the gradient it is given: make a new array instead"
                )
        for name, leaf, piece in zip(
            self.function.names, self.leaves, self.function.split(self.function.point)
        ):
            if not same(leaf.data, piece):
                raise Fault("rule mutates", f"a rule changes {name}, an input: make a new array instead")


def gradient_of(function: Function, rng: np.random.Generator) -> Function:
    """The gradient of a function for a random cotangent, as a function of the inputs and of the cotangent."""
    seeds = function.split_outputs(rng.standard_normal(function.values.size))
    count = len(function.inputs)

    def gradient(*values: Any) -> list[Tensor]:
        leaves = [values[at] for at in function.checked]
        pairs = [
            (y, seed)
            for y, seed in zip(tensors(function.fn(*values[:count])), values[count:])
            if y.requires_grad
        ]
        if not pairs:
            return [Tensor(np.zeros(shape)) for shape in function.shapes]
        found = grad(
            [y for y, _ in pairs], leaves, [seed for _, seed in pairs], create_graph=True, allow_unused=True
        )
        return [Tensor(np.zeros(shape)) if one is None else one for one, shape in zip(found, function.shapes)]

    places = [*function.checked, *range(count, count + len(seeds))]
    dys = ["dy"] if len(seeds) == 1 else [f"dy[{at}]" for at in range(len(seeds))]
    return Function(gradient, [*function.inputs, *seeds], places, [*function.names, *dys])


def tensors(outputs: Any) -> list[Tensor]:
    """The floating-point Tensors among what a function returned. Raises TypeError where it returned something
    else.
    """
    several = outputs if isinstance(outputs, (tuple, list)) else [outputs]
    for one in several:
        if not isinstance(one, Tensor):
            raise TypeError(
                f"gradcheck: the function must return Tensors, not {type(one).__name__}: it left the tape on the way"
            )
    return [one for one in several if one.data.dtype in FLOATS]


def input_names(fn: Callable[..., Any], count: int) -> list[str]:
    """What the function calls its inputs."""
    try:
        declared = list(inspect.signature(fn).parameters.values())
    except (TypeError, ValueError):
        declared = []
    names = [one.name for one in declared if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    several = next((one.name for one in declared if one.kind is one.VAR_POSITIONAL), "input")
    return (names + [f"{several}[{at}]" for at in range(count)])[:count]


def copied(value: Any) -> Any:
    """An input that shares no memory with the original."""
    if isinstance(value, Tensor):
        return Tensor(value.data.copy("K"), requires_grad=value.requires_grad)
    return value.copy("K") if isinstance(value, np.ndarray) else value


def flat(arrays: Sequence[Any]) -> Array:
    """Arrays as one float64 vector."""
    return np.concatenate([np.zeros(0), *(np.asarray(one, np.float64).ravel() for one in arrays)])


def transposed(array: Array) -> Array:
    """The same array in Fortran's order."""
    return np.array(array, order="F")


def strided(array: Array) -> Array:
    """The same array as every other element of a larger one."""
    larger = np.full([2 * size for size in array.shape], 9.0, array.dtype)
    view = larger[
        (slice(None, None, 2),) * array.ndim + (...,)
    ]  # the … keeps it an array where there is no axis
    view[...] = array
    return view


def backwards(array: Array) -> Array:
    """The same array with negative strides."""
    return np.flip(np.flip(array).copy())


LAYOUTS = transposed, strided, backwards


def same(a: Array, b: Array) -> bool:
    """Whether two arrays are equal, up to what different summation orders may cost; NaN equals NaN."""
    scale = np.max(np.abs(b), initial=1.0, where=np.isfinite(b))
    return bool(np.allclose(a, b, rtol=1e-9, atol=1e-12 * float(scale), equal_nan=True))
