"""The gradients of a function, in both modes of the rules, and the gradient as a function of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..dtypes import Array
from ..engine.differentiate import grad
from ..engine.tensor import Tensor
from ..errors import MutationError
from .fault import Fault
from .function import Function, flat, float_tensors
from .tolerance import same


class Pullback:
    """One forward at the function's point, and its gradients for as many cotangents as wanted.

    lifted: let the rules run on Tensors, as under create_graph=True, rather than on arrays.
    """

    def __init__(self, function: Function, lifted: bool) -> None:
        self.function, self.lifted = function, lifted
        self.leaves, self.outputs = function.call(function.point)

    def __call__(self, cotangent: Array) -> Array:
        """The gradient of ⟨cotangent, outputs⟩: a vector as the point.

        Raises Fault for a rule that changes what it is given.
        """
        pairs = zip(self.outputs, self.function.codomain.split(cotangent))
        on_tape = [(output, piece) for output, piece in pairs if output.requires_grad]
        if not on_tape:
            return np.zeros_like(self.function.point)
        outputs, pieces = zip(*on_tape)
        arrange = self.function.arrange or np.asarray
        seeds = [arrange(piece.astype(output.data.dtype)) for output, piece in on_tape]
        gradients = self.sweep(outputs, seeds)
        self.assert_untouched(seeds, pieces)
        return flat(gradient.data for gradient in gradients)

    def sweep(self, outputs: Sequence[Tensor], seeds: Sequence[Array]) -> list[Tensor]:
        """The gradients of the leaves, for these gradients of the outputs."""
        dys = [Tensor(seed, requires_grad=self.lifted) for seed in seeds]
        try:
            gradients = grad(
                outputs, self.leaves, dys, retain_graph=True, create_graph=self.lifted, allow_unused=True
            )
        except (ValueError, MutationError) as error:  # what the sweep hands to a rule is read-only
            if isinstance(error, MutationError) or "read-only" in str(error):
                raise Fault("rule mutates", f"a rule changes what it is given: {error}") from error
            raise
        return zeros_where_none(gradients, self.function.domain.shapes)

    def assert_untouched(self, seeds: Sequence[Array], pieces: Sequence[Array]) -> None:
        """Raise Fault where the backward changed the gradient it was given, or an input."""
        for seed, piece in zip(seeds, pieces):
            if not same(seed, piece.astype(seed.dtype)):
                text = "a rule changes dy, the gradient it is given: make a new array instead"
                raise Fault("rule mutates", text)
        arrays = self.function.split(self.function.point)
        for name, leaf, array in zip(self.function.names, self.leaves, arrays):
            if not same(leaf.data, array):
                raise Fault("rule mutates", f"a rule changes {name}, an input: make a new array instead")


def jacobian(function: Function) -> Array:
    """The gradients of all outputs, [outputs, inputs]."""
    pull = Pullback(function, lifted=False)
    return np.stack([pull(row) for row in np.eye(function.values.size)])


def gradient_of(function: Function, rng: np.random.Generator) -> Function:
    """The gradient of a function for a random cotangent, as a function of the inputs and of the cotangent."""
    seeds = function.codomain.split(rng.standard_normal(function.values.size))
    count = len(function.inputs)

    def gradient(*values: Any) -> list[Tensor]:
        leaves = [values[position] for position in function.checked]
        pairs = zip(float_tensors(function.fn(*values[:count])), values[count:])
        on_tape = [(output, dy) for output, dy in pairs if output.requires_grad]
        if not on_tape:
            return [Tensor(np.zeros(shape)) for shape in function.domain.shapes]
        outputs, dys = zip(*on_tape)
        gradients = grad(outputs, leaves, dys, create_graph=True, allow_unused=True)
        return zeros_where_none(gradients, function.domain.shapes)

    positions = [*function.checked, *range(count, count + len(seeds))]
    names = ["dy"] if len(seeds) == 1 else [f"dy[{number}]" for number in range(len(seeds))]
    return Function(gradient, [*function.inputs, *seeds], positions, [*function.names, *names])


def zeros_where_none(gradients: Iterable[Tensor | None], shapes: Iterable[tuple[int, ...]]) -> list[Tensor]:
    """The gradients; that of an input which the outputs do not depend on is 0."""
    return [
        Tensor(np.zeros(shape)) if gradient is None else gradient
        for gradient, shape in zip(gradients, shapes)
    ]
