"""Normalisation: x̂ = (x - μ) / √(σ² + ε) over a group of elements, then y = w x̂ + b with learned w and b.

They differ in the group alone: batch_norm takes a channel's elements in the whole batch, layer_norm the last
dimensions of one sample, group_norm some channels of one sample. μ, σ² and so x̂ depend on every x of the
group. With g = w dY,

    dX = (g - mean(g) - x̂ mean(g x̂)) / √(σ² + ε)

the means being those of the group: what of g would shift or scale the whole group is lost (Ioffe & Szegedy
2015). An Inf or NaN makes NaN of its whole group. Where σ² overflows, x̂ is 0 and so is dX, as in PyTorch's
batch_norm (its layer_norm and group_norm have NaN there). Kept from the forward are μ (`center`) and
1 / √(σ² + ε) (`scale`), one number for each group; x̂ is computed again.
"""

from __future__ import annotations

import math

import numpy as np

from .. import kernels
from ..engine.declare import primitive
from . import reduce
from .arguments.norms import check_batch, check_groups, check_last_dims
from .conversion import to, wide
from .deviation import deviation_dot, deviation_removed
from .elementary import sqrt
from .reduce import mean, size_along, summed
from .shape import reshape


@primitive(keeps=("center", "scale"))
def batch_norm(
    x, w=None, b=None, *, running_mean=None, running_var=None, training=False, eps=1e-5, statistics=None
):
    """Each channel of x [N, C, ...] less its mean, divided by √(variance + eps), times w [C], plus b [C].

    training: mean and variance are those of the batch, and are also written to `statistics` [2, C] where one
    is given; otherwise they are running_mean and running_var [C], constants.

    Raises ShapeError where shapes do not fit or a channel has one element alone to train on, DtypeError for
    integers.
    """
    check_batch("batch_norm", x, w, b, running_mean, running_var, training)
    if training and (result := by_channels(x, w, b, eps, statistics)) is not None:
        return result
    shape, values = channel_shape(x), wide(x)
    if training:
        distance, center, variance = deviation(values, batch_dims(x), statistics)
    else:
        center = running_mean.astype(values.dtype).reshape(shape)
        variance = running_var.astype(values.dtype).reshape(shape)
    scale = inverse_root(variance, eps)
    factor = scale if w is None else scale * w.reshape(shape)
    offset = None if b is None else b.reshape(shape)
    y = stretched(distance, factor, offset) if training else rescaled(values, center, factor, offset)
    return y.astype(x.dtype, copy=False), center, scale


@batch_norm.kept("center")
def batch_norm_center(x, running_mean, training):
    """The mean of each channel."""
    if training:
        return mean(wide(x), dim=batch_dims(x), keepdim=True)
    return reshape(to(running_mean, dtype=wide(x).dtype), shape=channel_shape(x))


@batch_norm.kept("scale")
def batch_norm_scale(x, running_var, training, eps):
    """1 / √(variance + eps) of each channel."""
    if training:
        return inverse_deviation(wide(x), batch_dims(x), eps)
    return reshape(1 / sqrt(to(running_var, dtype=wide(x).dtype) + eps), shape=channel_shape(x))


@batch_norm.grad("x")
def batch_norm_dx(dy, x, w, center, scale, training):
    """(g - mean(g) - x̂ mean(g x̂)) · scale with g = w dY; with running statistics, constants, g · scale."""
    shape = channel_shape(x)
    if not training or 0 in x.shape:  # of nothing there is no mean, and w must not meet a NaN
        return times_weight(dy, w, shape) * scale
    factor = scale if w is None else scale * reshape(w, shape=shape)
    return normalization_dx(dy, x, center, scale, factor, batch_dims(x))


@batch_norm.grad("w")
def batch_norm_dw(dy, x, center, scale):
    """Σ dY x̂ over each channel."""
    dots = deviation_dot(wide(dy), wide(x), center)
    dots = dots if 0 in x.shape else dots * scale  # of nothing it is 0, though scale is NaN
    return reshape(dots, shape=x.shape[1:2])


@batch_norm.grad("b")
def batch_norm_db(dy):
    """Σ dY over each channel."""
    return reduce.sum(wide(dy), dim=batch_dims(dy))


@primitive(keeps=("center", "scale"))
def layer_norm(x, w=None, b=None, *, normalized_shape, eps=1e-5):
    """The last dimensions of x less their mean, divided by √(variance + eps), times w, plus b.

    normalized_shape: the sizes of those dimensions, and the shape of w and b. Raises ShapeError where shapes
    do not fit, DtypeError for integers.
    """
    shape = tuple(normalized_shape)
    check_last_dims("layer_norm", x, w, b, shape)
    values = wide(x)
    distance, center, variance = deviation(values, last_dims(x, shape))
    scale = inverse_root(variance, eps)
    return affine(stretched(distance, scale), w, b, shape, x.dtype), center, scale


@layer_norm.kept("center")
def layer_norm_center(x, normalized_shape):
    """The mean of each group."""
    return mean(wide(x), dim=last_dims(x, normalized_shape), keepdim=True)


@layer_norm.kept("scale")
def layer_norm_scale(x, normalized_shape, eps):
    """1 / √(variance + eps) of each group."""
    return inverse_deviation(wide(x), last_dims(x, normalized_shape), eps)


@layer_norm.grad("x")
def layer_norm_dx(dy, x, w, center, scale, normalized_shape):
    """(g - mean(g) - x̂ mean(g x̂)) · scale with g = w dY."""
    g = times_weight(dy, w, normalized_shape)
    return normalization_dx(g, x, center, scale, scale, last_dims(x, normalized_shape))


@layer_norm.grad("w")
def layer_norm_dw(dy, x, center, scale, normalized_shape):
    """Σ dY x̂ over the groups."""
    return over_groups(dy * ((wide(x) - center) * scale), normalized_shape)


@layer_norm.grad("b")
def layer_norm_db(dy, normalized_shape):
    """Σ dY over the groups."""
    return over_groups(wide(dy), normalized_shape)


@primitive(keeps=("center", "scale"))
def group_norm(x, w=None, b=None, *, num_groups, eps=1e-5, statistics=None):
    """Each group of channels of a sample less its mean, divided by √(variance + eps), times w, plus b [C].

    x [N, C, ...] has num_groups groups, of C / num_groups channels; with num_groups = C it is instance_norm.
    Means and variances are also written to `statistics` [2, N, num_groups] where one is given.

    Raises ShapeError where shapes do not fit, num_groups does not divide C, or a group has one element alone,
    DtypeError for integers.
    """
    check_groups("group_norm", x, w, b, num_groups)
    values = wide(grouped(x, num_groups))
    distance, center, variance = deviation(values, (2,), statistics)
    scale = inverse_root(variance, eps)
    x_hat = stretched(distance, scale)
    return affine(x_hat.reshape(x.shape), w, b, channel_shape(x), x.dtype), center, scale


@group_norm.kept("center")
def group_norm_center(x, num_groups):
    """The mean of each group."""
    return mean(wide(grouped(x, num_groups)), dim=2, keepdim=True)


@group_norm.kept("scale")
def group_norm_scale(x, num_groups, eps):
    """1 / √(variance + eps) of each group."""
    return inverse_deviation(wide(grouped(x, num_groups)), 2, eps)


@group_norm.grad("x")
def group_norm_dx(dy, x, w, center, scale, num_groups):
    """(g - mean(g) - x̂ mean(g x̂)) · scale with g = w dY."""
    g = grouped(times_weight(dy, w, channel_shape(x)), num_groups)
    return reshape(normalization_dx(g, grouped(x, num_groups), center, scale, scale, (2,)), shape=x.shape)


@group_norm.grad("w")
def group_norm_dw(dy, x, center, scale, num_groups):
    """Σ dY x̂ over each channel."""
    x_hat = reshape((wide(grouped(x, num_groups)) - center) * scale, shape=x.shape)
    return reduce.sum(dy * x_hat, dim=batch_dims(x))


@group_norm.grad("b")
def group_norm_db(dy):
    """Σ dY over each channel."""
    return reduce.sum(wide(dy), dim=batch_dims(dy))


def normalization_dx(g, x, center, scale, factor, dims):
    """(g - mean(g) - x̂ mean(g x̂)) · factor with x̂ = (x - center) · scale, the means over each group."""
    g, x = wide(g), wide(x)
    count = max(1, math.prod([x.shape[dim] for dim in dims]))
    along = deviation_dot(g, x, center) / count * scale * scale  # in this order: scale² alone might overflow
    return deviation_removed(g, mean(g, dim=dims, keepdim=True), x, center, along, factor)


def inverse_deviation(x, dims, eps):
    """1 / √(variance + eps) of each group."""
    distance = x - mean(x, dim=dims, keepdim=True)
    return 1 / sqrt(mean(distance * distance, dim=dims, keepdim=True) + eps)


def deviation(x, dims, statistics=None):
    """x - μ, μ and σ² of an array, the last two also written to `statistics`. Those of nothing are NaN.

    An Inf makes NaN of its whole group, which has no mean.
    """
    count = x.dtype.type(size_along(x.shape, dims))
    with np.errstate(over="ignore", invalid="ignore"):
        center = summed(x, dims, keepdim=True) / count
        distance, squares = kernels.deviation(x, center)
        variance = squares / count
    if statistics is not None:
        statistics[:] = center.reshape(statistics.shape[1:]), variance.reshape(statistics.shape[1:])
    return distance, center, variance


def by_channels(x, w, b, eps, statistics, rectified=False):
    """y (of which max(y, 0), if rectified), μ and 1 / √(σ² + eps), each channel in one go; None where that is
    not for x. Mean and variance are written to `statistics`.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        normalized = kernels.batch_normalized(x, w, b, eps, rectified)
    if normalized is None:
        return None
    y, center, variance, scale = normalized
    if statistics is not None:
        statistics[:] = center.reshape(-1), variance.reshape(-1)
    return y, center, scale


def stretched(distance, factor, offset=None):
    """(x - μ) · factor + offset, in the memory of x - μ."""
    with np.errstate(invalid="ignore"):
        return kernels.stretched(distance, factor, offset)


def rescaled(x, center, factor, offset):
    """(x - μ) · factor + offset with a μ that is given."""
    with np.errstate(invalid="ignore"):
        return kernels.rescaled(x, center, factor, offset)


def inverse_root(variance, eps):
    """1 / √(σ² + eps) of an array."""
    return 1 / np.sqrt(variance + variance.dtype.type(eps))


def affine(values, w, b, shape, dtype):
    """values · w + b, in the memory of the values, in the dtype asked for; w and b may be None."""
    if w is not None:
        values *= w.reshape(shape)
    if b is not None:
        values += b.reshape(shape)
    return values.astype(dtype, copy=False)


def times_weight(dy, w, shape):
    """g = w dY, or dY without weights."""
    return wide(dy) if w is None else wide(dy) * reshape(w, shape=shape)


def channel_shape(x):
    """The shape in which an array [C] broadcasts against x [N, C, ...]."""
    return (1, x.shape[1], *(1,) * (x.ndim - 2))


def batch_dims(x):
    """All dimensions but that of the channels."""
    return (0, *range(2, x.ndim))


def last_dims(x, normalized_shape):
    """The dimensions that normalized_shape names."""
    return tuple(range(x.ndim - len(normalized_shape), x.ndim))


def grouped(x, num_groups):
    """x [N, C, ...] as [N, num_groups, elements of a group]."""
    elements = math.prod(x.shape[1:]) // num_groups
    return reshape(x, shape=(x.shape[0], num_groups, elements))


def over_groups(values, normalized_shape):
    """The sum over the leading dimensions, which layer_norm's weights do not have."""
    leading = tuple(range(values.ndim - len(normalized_shape)))
    return reduce.sum(values, dim=leading) if leading else values
