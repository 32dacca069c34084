"""Batch norm with the statistics of the joined batch: the mean runs over the shares of all ranks.

With the counts m_r, means μ_r and squared deviations S_r of the ranks' own elements, and M = Σ m_r,

    μ = Σ m_r μ_r / M        σ² = Σ (S_r + m_r (μ_r - μ)²) / M

(Chan, Golub and LeVeque 1983). The gradient is batch_norm's with its two sums over all ranks. A rank sends
back the gradient of its own loss L_r, of which the joined one is Σ w_r L_r with w_r = n_r / N, of its n_r of
all N samples; and what it finds for its own x is multiplied by w_r at the end (shares.py). So the sums that
come from all ranks are Σ w_r Σ g, and are divided by its own w_r.
"""

from __future__ import annotations

import math

import numpy as np

from ..engine.declare import primitive
from ..errors import RankError, show_shape
from ..ops import reduce
from ..ops.arguments.norms import check_channel_weights
from ..ops.conversion import wide
from ..ops.deviation import deviation_dot, deviation_removed
from ..ops.norm import batch_dims, channel_shape, deviation, inverse_root, rescaled
from ..ops.shape import reshape


@primitive(keeps=("center", "scale"), once=True)
def sync_batch_norm(x, w=None, b=None, *, ranks, weighted=True, eps=1e-5, statistics=None):
    """Each channel of x [N, C, ...] less its mean over all ranks, over √(variance + eps), times w, plus b.

    weighted: the loss is a mean over the samples of all ranks; else over the ranks. Mean, variance and the
    number of elements of a channel are also written to `statistics` [3, C] where one is given.

    Raises ShapeError where shapes do not fit, RankError on all ranks where a channel has one element alone.
    """
    check_channel_weights("sync_batch_norm", x, w, b)
    values, shape = wide(x), channel_shape(x)
    center, variance, elements = joined_moments(values, ranks)
    if statistics is not None:
        statistics[0], statistics[1], statistics[2] = center, variance, elements
    center, variance = (each.astype(values.dtype).reshape(shape) for each in (center, variance))
    scale = inverse_root(variance, eps)
    factor = scale if w is None else scale * w.reshape(shape)
    offset = None if b is None else b.reshape(shape)
    return rescaled(values, center, factor, offset).astype(x.dtype, copy=False), center, scale


@sync_batch_norm.grad("x")
def sync_batch_norm_dx(dy, x, w, center, scale, ranks, weighted):
    """(dY - mean(dY) - x̂ mean(dY x̂)) · w · scale, the means over the elements of all ranks."""
    shape, g = channel_shape(x), wide(dy)
    factor = scale if w is None else scale * reshape(w, shape=shape)
    mean, along = joined_means(
        reduce.sum(g, dim=batch_dims(x)),
        reshape(deviation_dot(g, wide(x), center), shape=x.shape[1:2]),
        ranks=ranks,
        weight=x.shape[0] if weighted else 1,
        elements=math.prod(x.shape[2:]) * x.shape[0],
    )
    mean, along = reshape(mean, shape=shape), reshape(along, shape=shape)
    return deviation_removed(g, mean, wide(x), center, along * scale * scale, factor)


@sync_batch_norm.grad("w")
def sync_batch_norm_dw(dy, x, center, scale):
    """Σ dY x̂ over each channel of this rank."""
    return reshape(deviation_dot(wide(dy), wide(x), center) * scale, shape=x.shape[1:2])


@sync_batch_norm.grad("b")
def sync_batch_norm_db(dy):
    """Σ dY over each channel of this rank."""
    return reduce.sum(wide(dy), dim=batch_dims(dy))


def joined_moments(x, ranks):
    """μ [C] and σ² [C] over the elements of all ranks, float64, and how many a channel has of them."""
    channels, own = x.shape[1], np.zeros(1 + 2 * x.shape[1])
    own[0] = x.size // channels if channels else 0
    if own[0]:
        _, center, variance = deviation(x, batch_dims(x))
        own[1:] = np.concatenate([center.ravel(), variance.ravel()])
    gathered = ranks.statistics.gather(own, "the statistics of a batch norm")
    counts, centers, variances = gathered[:, :1], gathered[:, 1 : 1 + channels], gathered[:, 1 + channels :]
    elements = int(counts.sum())
    if elements == 1:
        raise RankError(
            f"sync_batch_norm: training needs more than one value for each channel, of all ranks; "
            f"input is {show_shape(x.shape)} here"
        )
    shares = counts / max(elements, 1)
    mean = (shares * centers).sum(0)
    return mean, (shares * (variances + (centers - mean) ** 2)).sum(0), elements


@primitive
def joined_means(g, along, *, ranks, weight, elements):
    """Means over all ranks of what each has the sums of, g [C] and along [C], over its elements of a channel.

    Sums count `weight` times, and the means are divided by this rank's own weight.
    """
    own = np.concatenate([weight * g, weight * along, [elements]]).astype(np.float64)
    sums = ranks.statistics.sum(own, "the gradients of a batch norm")
    means = sums[:-1] / (max(weight, 1) * max(sums[-1], 1))
    return means[: len(g)].astype(g.dtype), means[len(g) :].astype(g.dtype)
