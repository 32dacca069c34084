"""Networks as data: described once, built by every framework in its own way.

A net is a tuple of layers. Their weights are drawn here too, in the order of the layers, so that all begin
alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np


class Conv(NamedTuple):
    """Cross-correlation, [N, inputs, H, W] → [N, outputs, P, Q].

    Weight [outputs, inputs/groups, kh, kw], bias [outputs].
    """

    inputs: int
    outputs: int
    kernel: tuple[int, int]
    stride: int = 1
    padding: tuple[int, int] = (0, 0)
    dilation: int = 1
    groups: int = 1
    bias: bool = True

    def out(self, height: int, width: int) -> tuple[int, int]:
        """(P, Q) for an input of this size."""
        spans = [self.dilation * (taps - 1) + 1 for taps in self.kernel]
        sizes = [size + 2 * pad for size, pad in zip((height, width), self.padding)]
        rows, columns = ((size - span) // self.stride + 1 for size, span in zip(sizes, spans))
        return rows, columns


class Relu(NamedTuple):
    """max(x, 0)."""


class MaxPool(NamedTuple):
    """The maximum of square windows."""

    kernel: int = 2
    stride: int = 2


class AvgPool(NamedTuple):
    """The mean of square windows, side by side."""

    kernel: int = 2


class Bias(NamedTuple):
    """x + b, b [channels, 1, 1]."""

    channels: int


class BatchNorm(NamedTuple):
    """Normalised by the mean and variance of the batch; weight and bias [channels]. eps = 1e-5."""

    channels: int


class Flatten(NamedTuple):
    """[N, C, H, W] → [N, C·H·W]."""


class MeanOfImage(NamedTuple):
    """[N, C, H, W] → [N, C]."""


class Linear(NamedTuple):
    """x Wᵀ + b; weight [outputs, inputs], bias [outputs]."""

    inputs: int
    outputs: int


class Residual(NamedTuple):
    """x + body(x)."""

    body: tuple[Layer, ...]


Layer = Conv | Relu | MaxPool | AvgPool | Bias | BatchNorm | Flatten | MeanOfImage | Linear | Residual
Net = tuple[Layer, ...]
EPS = 1e-5


def initial_weights(net: Net, rng: np.random.Generator) -> list[np.ndarray]:
    """The weights of all layers, float32, in their order."""
    return [weight.astype("float32") for layer in net for weight in weights_of(layer, rng)]


def weights_of(layer: Layer, rng: np.random.Generator) -> list[np.ndarray]:
    """One layer's weights: normal numbers over √fan_in; those of a batch norm near 1 and 0."""
    match layer:
        case Conv():
            kernel = (layer.outputs, layer.inputs // layer.groups, *layer.kernel)
            return affine(rng, kernel, layer.bias)
        case Linear():
            return affine(rng, (layer.outputs, layer.inputs), True)
        case BatchNorm():
            return [1 + 0.1 * rng.standard_normal(layer.channels), 0.1 * rng.standard_normal(layer.channels)]
        case Bias():
            return [rng.standard_normal((layer.channels, 1, 1))]
        case Residual():
            return [weight for inner in layer.body for weight in weights_of(inner, rng)]
    return []


def affine(rng: np.random.Generator, shape: tuple[int, ...], bias: bool) -> list[np.ndarray]:
    """A weight [outputs, ...] and, if wanted, a bias [outputs]."""
    weight = rng.standard_normal(shape)
    fan_in = weight[0].size
    return [weight / fan_in**0.5] + ([0.1 * rng.standard_normal(shape[0])] if bias else [])
