"""NumPy as one writes it without thinking of speed: einsum over windows, and the chain rule by hand.

It is an independent witness, too: it shares no line with this project.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .. import inputs, nets
from ..cases import Convolution, LayerRun, Training
from .base import Framework, Part

Array = np.ndarray
Gradients = tuple[Array, list[Array]]  # dx, and those of the layer's weights in their order
Backward = Callable[[Array], Gradients]


def windows(x: Array, kernel: tuple[int, int], stride: int, dilation: int = 1) -> Array:
    """A view [N, C, P, Q, kh, kw] of x [N, C, H, W]."""
    spans = tuple(dilation * (taps - 1) + 1 for taps in kernel)
    return sliding_window_view(x, spans, (2, 3))[:, :, ::stride, ::stride, ::dilation, ::dilation]


def patches(conv: nets.Conv, x: Array) -> Array:
    """The windows of padded x, [N, groups, C/groups, P, Q, kh, kw]."""
    padded = np.pad(x, [(0, 0), (0, 0), *((pad, pad) for pad in conv.padding)])
    seen = windows(padded, conv.kernel, conv.stride, conv.dilation)
    return seen.reshape(len(x), conv.groups, -1, *seen.shape[2:])


def by_group(conv: nets.Conv, dy: Array) -> Array:
    """[N, O, P, Q] as [N, groups, O/groups, P, Q]."""
    return dy.reshape(len(dy), conv.groups, -1, *dy.shape[2:])


def conv_forward(conv: nets.Conv, x: Array, w: Array) -> Array:
    kernels = w.reshape(conv.groups, -1, *w.shape[1:])
    y = np.einsum("ngcpqij,gocij->ngopq", patches(conv, x), kernels, optimize=True)
    return y.reshape(len(x), conv.outputs, *y.shape[3:])


def conv_dw(conv: nets.Conv, x: Array, dy: Array) -> Array:
    dw = np.einsum("ngcpqij,ngopq->gocij", patches(conv, x), by_group(conv, dy), optimize=True)
    return dw.reshape(conv.outputs, -1, *conv.kernel)


def conv_dx(conv: nets.Conv, dy: Array, w: Array, height: int, width: int) -> Array:
    """Tap by tap: what each window got from a place goes back there."""
    top, left = conv.padding
    dx = np.zeros((len(dy), conv.inputs, height + 2 * top, width + 2 * left), dy.dtype)
    kernels, grouped = w.reshape(conv.groups, -1, *w.shape[1:]), by_group(conv, dy)
    rows, columns = dy.shape[2:]
    for i in range(conv.kernel[0]):
        for j in range(conv.kernel[1]):
            part = np.einsum("ngopq,goc->ngcpq", grouped, kernels[..., i, j], optimize=True)
            below, right = (
                every(i * conv.dilation, rows, conv.stride),
                every(j * conv.dilation, columns, conv.stride),
            )
            place = dx[:, :, below, right]
            place += part.reshape(place.shape)
    return dx[:, :, top : top + height, left : left + width]


def every(first: int, count: int, step: int) -> slice:
    """`count` places, `step` apart."""
    return slice(first, first + count * step, step)


def apply_conv(conv: nets.Conv, weights: Iterator[Array], x: Array) -> tuple[Array, Backward]:
    w, b = next(weights), next(weights) if conv.bias else None
    y = conv_forward(conv, x, w)

    def backward(dy: Array) -> Gradients:
        dx, dw = conv_dx(conv, dy, w, *x.shape[2:]), conv_dw(conv, x, dy)
        return dx, [dw] if b is None else [dw, dy.sum((0, 2, 3))]

    return y if b is None else y + b[:, None, None], backward


def apply_max_pool(pool: nets.MaxPool, x: Array) -> tuple[Array, Backward]:
    seen = windows(x, (pool.kernel, pool.kernel), pool.stride)
    flat = seen.reshape(*seen.shape[:4], -1)
    tap = flat.argmax(-1)

    def backward(dy: Array) -> Gradients:
        samples, channels, rows, columns = np.indices(dy.shape)
        i, j = np.divmod(tap, pool.kernel)
        dx = np.zeros_like(x)
        np.add.at(dx, (samples, channels, rows * pool.stride + i, columns * pool.stride + j), dy)
        return dx, []

    return np.take_along_axis(flat, tap[..., None], -1)[..., 0], backward


def apply_avg_pool(pool: nets.AvgPool, x: Array) -> tuple[Array, Backward]:
    side = pool.kernel

    def backward(dy: Array) -> Gradients:
        return np.repeat(np.repeat(dy, side, 2), side, 3) / side**2, []

    return windows(x, (side, side), side).mean((4, 5)), backward


def apply_batch_norm(weights: Iterator[Array], x: Array) -> tuple[Array, Backward]:
    scale, shift = next(weights)[:, None, None], next(weights)[:, None, None]
    over = (0, 2, 3)
    deviation = np.sqrt(x.var(over, keepdims=True) + np.float32(nets.EPS))
    normal = (x - x.mean(over, keepdims=True)) / deviation

    def backward(dy: Array) -> Gradients:
        dnormal = dy * scale
        centred = dnormal - dnormal.mean(over, keepdims=True)
        dx = (centred - normal * (dnormal * normal).mean(over, keepdims=True)) / deviation
        return dx, [(dy * normal).sum(over), dy.sum(over)]

    return normal * scale + shift, backward


def apply_linear(weights: Iterator[Array], x: Array) -> tuple[Array, Backward]:
    w, b = next(weights), next(weights)
    return x @ w.T + b, lambda dy: (dy @ w, [dy.T @ x, dy.sum(0)])


def apply_mean_of_image(x: Array) -> tuple[Array, Backward]:
    pixels = x.shape[2] * x.shape[3]
    return x.mean((2, 3)), lambda dy: (
        np.broadcast_to(dy[:, :, None, None] / np.float32(pixels), x.shape),
        [],
    )


def apply_residual(layer: nets.Residual, weights: Iterator[Array], x: Array) -> tuple[Array, Backward]:
    y, inner = forward(layer.body, weights, x)

    def backward(dy: Array) -> Gradients:
        dx, gradients = inner(dy)
        return dx + dy, gradients

    return x + y, backward


def apply(layer: nets.Layer, weights: Iterator[Array], x: Array) -> tuple[Array, Backward]:
    """y, and the function that takes dy to the gradients."""
    match layer:
        case nets.Conv():
            return apply_conv(layer, weights, x)
        case nets.Relu():
            return np.maximum(x, 0), lambda dy: (dy * (x > 0), [])
        case nets.MaxPool():
            return apply_max_pool(layer, x)
        case nets.AvgPool():
            return apply_avg_pool(layer, x)
        case nets.BatchNorm():
            return apply_batch_norm(weights, x)
        case nets.Flatten():
            return x.reshape(len(x), -1), lambda dy: (dy.reshape(x.shape), [])
        case nets.Linear():
            return apply_linear(weights, x)
        case nets.Bias():
            return x + next(weights), lambda dy: (dy, [dy.sum((0, 2, 3))[:, None, None]])
        case nets.MeanOfImage():
            return apply_mean_of_image(x)
        case nets.Residual():
            return apply_residual(layer, weights, x)


def forward(net: nets.Net, weights: Iterator[Array], x: Array) -> tuple[Array, Backward]:
    """One layer after the other, and all the way back."""
    ways_back = []
    for layer in net:
        x, back = apply(layer, weights, x)
        ways_back.append(back)

    def backward(dy: Array) -> Gradients:
        gradients: list[Array] = []
        for back in reversed(ways_back):
            dy, own = back(dy)
            gradients = own + gradients
        return dy, gradients

    return x, backward


class Einsum(Framework):
    def training(self, task: Training) -> Callable[[], float]:
        weights, x, target = inputs.for_training(task)

        def step() -> float:
            y, backward = forward(task.net, iter(weights), x)
            error = y - target
            _, gradients = backward(error * np.float32(2 / error.size))
            for weight, gradient in zip(weights, gradients, strict=True):
                weight -= np.float32(0.01) * gradient
            return float((error * error).mean())

        return step

    def convolution(self, task: Convolution) -> dict[str, Part]:
        x, w, dy = inputs.for_convolution(task)
        return {
            "forward": Part(lambda: conv_forward(task.conv, x, w)),
            "dw": Part(lambda: conv_dw(task.conv, x, dy)),
            "dx": Part(lambda: conv_dx(task.conv, dy, w, task.height, task.width)),
        }

    def layer(self, task: LayerRun) -> dict[str, Part]:
        weights, x = inputs.for_layer(task)

        def run() -> tuple[Array, Backward]:
            return apply(task.layer, iter(weights), x)

        dy = inputs.gradient_for(run()[0])

        def backward(back: Backward) -> list[Any]:
            dx, gradients = back(dy)
            return [dx, *gradients]

        return {"forward": Part(lambda: run()[0]), "backward": Part(backward, lambda: run()[1:])}


FRAMEWORK = Einsum
