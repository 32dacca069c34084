"""Normalisations, with PyTorch's running statistics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import Array
from ..engine.commit import Changes
from ..engine.observed import observable
from ..engine.tensor import Tensor
from ..errors import ShapeError, show_shape
from ..ops import arithmetic, norm, padding, pool, shape
from ..ops.arguments.norms import check_batch, check_channel_elements
from ..options import INTEGER, NUMBER, check_option, checked, optional
from .arguments import Operand, documented_by, rewrite, rounded_once


@checked()
def batch_norm(
    input: Operand,
    running_mean: Operand | None,
    running_var: Operand | None,
    weight: Operand | None = None,
    bias: Operand | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / √(variance + eps) of each channel of input [N, C, ...], times weight [C], plus bias [C].

    training: mean and (biased) variance of the batch; running_mean and running_var [C], where given, follow
    in place: r ← (1 - momentum) r + momentum · (that of the batch, the variance unbiased). Otherwise these
    two are used.

    Raises ShapeError where shapes do not fit or a channel has one element alone to train on, DtypeError for
    integers.
    """
    return counted_batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps, None)


def counted_batch_norm(
    input: Operand,
    running_mean: Operand | None,
    running_var: Operand | None,
    weight: Operand | None,
    bias: Operand | None,
    training: bool,
    momentum: float | None,
    eps: float,
    count: Tensor | None,
) -> Tensor:
    """As batch_norm; `count`, how many batches there were, goes up together with the running statistics. With
    momentum None these become the averages over all batches.
    """
    statistics = room(2, *input.shape[1:2]) if training else None
    y: Tensor = norm.batch_norm(
        input,
        weight,
        bias,
        running_mean=running_mean,
        running_var=running_var,
        training=training,
        eps=eps,
        statistics=statistics,
    )
    elements = math.prod(input.shape)
    if statistics is not None and (elements or count is not None):
        size = elements // input.shape[1] if elements else 0
        follow(running_mean, running_var, statistics, size, momentum, count)
    return y


@checked()
def instance_norm(
    input: Operand,
    running_mean: Operand | None = None,
    running_var: Operand | None = None,
    weight: Operand | None = None,
    bias: Operand | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Each channel of each sample of input [N, C, ...] normalised by itself, times weight [C], plus bias [C].

    It is group_norm with a group for each channel. running_mean and running_var [C], where given, follow as
    in batch_norm, averaged over the samples; with use_input_stats=False they are used instead.

    Raises ShapeError where shapes do not fit or a channel has one element alone, DtypeError for integers.
    """
    check_batch("instance_norm", input, weight, bias, running_mean, running_var, use_input_stats)
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    samples, channels = input.shape[:2]
    check_channel_elements("instance_norm", input)
    elements = math.prod(input.shape[2:])
    statistics = room(2, samples, channels)
    y: Tensor = norm.group_norm(input, weight, bias, num_groups=channels, eps=eps, statistics=statistics)
    if samples and elements:
        follow(running_mean, running_var, statistics, elements, momentum)
    return y


@observable
def room(*shape: int) -> Array:
    """An array for an op to write to, whose numbers mean nothing yet."""
    return np.empty(shape)


@observable
def follow(
    mean: Operand | None,
    variance: Operand | None,
    statistics: Array,
    elements: int,
    momentum: float | None,
    count: Tensor | None = None,
) -> None:
    """Move running statistics, in place and together, by the share `momentum` towards those of a batch,
    `statistics` [2, C], or their mean over samples [2, N, C]; and count the batch.

    The variance they follow is the unbiased estimate: n / (n - 1) times the batch's own for n = `elements`
    each; without any they stay. Without a momentum they follow by 1 / count.
    """
    changes = Changes()
    if type(momentum) is not float:
        check_option("batch_norm", "momentum", optional(NUMBER), momentum)
    if count is not None:
        batches = count.data + 1
        momentum = 1 / int(batches) if momentum is None else momentum
        rewrite(changes, count, batches)
    if elements:
        latest = statistics if statistics.ndim == 2 else statistics.mean(axis=1)
        unbiased = latest[1] * (elements / (elements - 1))
        move(changes, mean, latest[0], momentum)
        move(changes, variance, unbiased, momentum)
    changes.commit()


def move(changes: Changes, running: Operand | None, latest: Array, momentum: Any) -> None:
    """Move one of the running statistics."""
    if running is not None:
        share = momentum.data if isinstance(momentum, Tensor) else momentum
        before = running.data if isinstance(running, Tensor) else running
        kept = np.multiply(before, 1 - share).astype(before.dtype, casting="same_kind")
        moved = np.add(kept, share * latest).astype(before.dtype, casting="same_kind")
        rewrite(changes, running, moved)


@checked()
@documented_by(norm.layer_norm)
def layer_norm(
    input: Operand,
    normalized_shape: Sequence[int],
    weight: Operand | None = None,
    bias: Operand | None = None,
    eps: float = 1e-5,
) -> Tensor:
    return norm.layer_norm(input, weight, bias, normalized_shape=tuple(normalized_shape), eps=eps)


@checked()
@documented_by(norm.group_norm)
def group_norm(
    input: Operand,
    num_groups: int,
    weight: Operand | None = None,
    bias: Operand | None = None,
    eps: float = 1e-5,
) -> Tensor:
    return norm.group_norm(input, weight, bias, num_groups=num_groups, eps=eps)


@checked(size=INTEGER, k=NUMBER)
@rounded_once
def local_response_norm(
    input: Operand, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """x / (k + α mean(x²))^β, the mean over `size` neighbouring channels (Krizhevsky et al. 2012).

    input: [N, C, …]. Channels before the first and after the last count as 0. Raises ShapeError for less than
    three dimensions, ValueError for a size below 1.
    """
    if input.ndim < 3:
        raise ShapeError(f"local_response_norm: input must be [N, C, …], not {show_shape(input.shape)}")
    if size < 1:
        raise ValueError(f"local_response_norm: size must be at least 1, not {size}")
    if 0 in input.shape:
        return shape.clone(input)
    images = shape.reshape(input * input, shape=(input.shape[0], 1, input.shape[1], -1))
    padded = padding.pad(images, sides=(0, 0, size // 2, (size - 1) // 2))
    means = pool.avg_pool2d(padded, kernel_size=(size, 1), stride=1)
    energy = shape.reshape(means, shape=input.shape)
    return arithmetic.div(input, arithmetic.pow(energy * alpha + k, beta))
