"""JAX, each part compiled as a whole by `jax.jit`. It has no tape to compare calls with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .. import inputs, nets
from ..cases import Convolution, Epoch, LayerRun, Training
from .base import Framework, Part, layer_by_layer


def convolve(conv: nets.Conv, x: Any, w: Any) -> Any:
    """x [N, C, H, W] ⋆ w [O, C/groups, kh, kw]."""
    return jax.lax.conv_general_dilated(
        x,
        w,
        (conv.stride,) * 2,
        [(pad, pad) for pad in conv.padding],
        rhs_dilation=(conv.dilation,) * 2,
        feature_group_count=conv.groups,
    )


def window_reduce(x: Any, start: float, function: Any, kernel: int, stride: int) -> Any:
    """A reduction over square windows of x [N, C, H, W]."""
    return jax.lax.reduce_window(x, start, function, (1, 1, kernel, kernel), (1, 1, stride, stride), "VALID")


def apply(layer: nets.Layer, weights: Iterator[Any], x: Any) -> Any:
    """One layer, which takes its weights from those that are left."""
    match layer:
        case nets.Conv():
            y = convolve(layer, x, next(weights))
            return y + next(weights)[:, None, None] if layer.bias else y
        case nets.Relu():
            return jax.nn.relu(x)
        case nets.MaxPool():
            return window_reduce(x, -jnp.inf, jax.lax.max, layer.kernel, layer.stride)
        case nets.AvgPool():
            return window_reduce(x, 0.0, jax.lax.add, layer.kernel, layer.kernel) / layer.kernel**2
        case nets.BatchNorm():
            mean, variance = x.mean((0, 2, 3), keepdims=True), x.var((0, 2, 3), keepdims=True)
            scale, shift = next(weights)[:, None, None], next(weights)[:, None, None]
            return (x - mean) * jax.lax.rsqrt(variance + nets.EPS) * scale + shift
        case nets.Flatten():
            return x.reshape(len(x), -1)
        case nets.Linear():
            return x @ next(weights).T + next(weights)
        case nets.Bias():
            return x + next(weights)
        case nets.MeanOfImage():
            return x.mean((2, 3))
        case nets.Residual():
            return x + layer_by_layer(apply, layer.body, weights, x)


class Jax(Framework):
    def training(self, task: Training) -> Callable[[], float]:
        arrays, images, targets = inputs.for_training(task)
        weights, x, target = (
            [jnp.asarray(array) for array in arrays],
            jnp.asarray(images),
            jnp.asarray(targets),
        )

        def loss_of(weights: list[Any], x: Any, target: Any) -> Any:
            return ((layer_by_layer(apply, task.net, iter(weights), x) - target) ** 2).mean()

        @jax.jit
        def update(weights: list[Any], x: Any, target: Any) -> Any:
            loss, gradients = jax.value_and_grad(loss_of)(weights, x, target)
            return loss, [weight - 0.01 * gradient for weight, gradient in zip(weights, gradients)]

        def step() -> float:
            nonlocal weights
            loss, weights = update(weights, x, target)
            return float(loss)

        return step

    def epoch(self, task: Epoch) -> Callable[[], float]:
        """Adam is written out, for JAX itself has none; a batch is taken by NumPy, for it has no loader."""
        arrays, images, labels = inputs.for_epoch(task)
        weights = [jnp.asarray(array) for array in arrays]
        zeros = [jnp.zeros_like(weight) for weight in weights]
        state = (weights, zeros, zeros, jnp.zeros((), jnp.float32))
        order, one_hot = inputs.Shuffled(len(images)), np.eye(task.classes, dtype=np.float32)

        def loss_of(weights: list[Any], x: Any, target: Any) -> Any:
            return ((layer_by_layer(apply, task.net, iter(weights), x) - target) ** 2).mean()

        @jax.jit
        def update(state: Any, x: Any, target: Any) -> Any:
            weights, means, squares, steps = state
            loss, gradients = jax.value_and_grad(loss_of)(weights, x, target)
            steps = steps + 1
            means = [0.9 * mean + 0.1 * dw for mean, dw in zip(means, gradients)]
            squares = [0.999 * square + 0.001 * dw * dw for square, dw in zip(squares, gradients)]
            rate, scale = task.lr / (1 - 0.9**steps), 1 / (1 - 0.999**steps)
            pairs = zip(weights, means, squares)
            weights = [w - rate * mean / (jnp.sqrt(scale * square) + 1e-8) for w, mean, square in pairs]
            return loss, (weights, means, squares, steps)

        def epoch() -> float:
            nonlocal state
            losses = []
            for rows in order.batches(task.batch):
                loss, state = update(state, images[rows], one_hot[labels[rows]])
                losses.append(float(loss))
            return float(np.mean(losses))

        return epoch

    def convolution(self, task: Convolution) -> dict[str, Part]:
        x, w, dy = map(jnp.asarray, inputs.for_convolution(task))
        y = jax.jit(lambda x, w: convolve(task.conv, x, w))
        dw = jax.jit(lambda x, w, dy: jax.vjp(lambda w: convolve(task.conv, x, w), w)[1](dy)[0])
        dx = jax.jit(lambda x, w, dy: jax.vjp(lambda x: convolve(task.conv, x, w), x)[1](dy)[0])
        return {
            "forward": Part(lambda: y(x, w).block_until_ready()),
            "dw": Part(lambda: dw(x, w, dy).block_until_ready()),
            "dx": Part(lambda: dx(x, w, dy).block_until_ready()),
        }

    def layer(self, task: LayerRun) -> dict[str, Part]:
        """Its backward computes the forward again, for a compiled function has no tape between two calls."""
        arrays, images = inputs.for_layer(task)
        weights, x = [jnp.asarray(array) for array in arrays], jnp.asarray(images)
        y = jax.jit(lambda x, weights: apply(task.layer, iter(weights), x))
        dy = jnp.asarray(inputs.gradient_for(self.array(y(x, weights))))
        gradients = jax.jit(
            lambda x, weights, dy: jax.vjp(
                lambda x, weights: apply(task.layer, iter(weights), x), x, weights
            )[1](dy)
        )

        def backward() -> list[Any]:
            dx, rest = jax.block_until_ready(gradients(x, weights, dy))
            return [dx, *rest]

        return {"forward": Part(lambda: y(x, weights).block_until_ready()), "backward": Part(backward)}


FRAMEWORK = Jax
