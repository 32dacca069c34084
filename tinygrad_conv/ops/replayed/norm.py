"""Batch norm's rules, which sum dY over each channel once for all three gradients."""

from __future__ import annotations

from math import prod

from ... import kernels
from ..activations import relu
from ..norm import batch_dims, batch_norm, by_channels, channel_shape
from ..reduce import summed


@batch_norm.replayed(then=relu, varying=("running_mean", "running_var", "statistics"))
def batch_norm_relu_replayed(_, shared, x, w, b, **params):
    """max(y, 0), in the same pass where a channel goes all the way at once; and what batch_norm keeps."""
    rectify = kernels.rectify

    def run(x, w, b, **varying):
        given = {**params, **varying}
        if given["training"]:
            result = by_channels(x, w, b, given["eps"], given["statistics"], rectified=True)
            if result is not None:
                return result
        y, *kept = batch_norm.forward(x, w, b, **given)
        return rectify(y), *kept

    return run


@batch_norm.replayed("x")
def batch_norm_dx_replayed(_, shared, dy, x, w, center, scale, *, training):
    """(g - mean(g) - x̂ mean(g x̂)) · scale with g = w dY; Σ dY (x - μ) and Σ dY stay for dw and db."""
    if not training or not x.size or x.dtype.itemsize <= 2 or dy.dtype is not x.dtype:
        return None
    sums, dims, shape = [None, None], batch_dims(x), channel_shape(x)
    count = prod(x.shape[dim] for dim in dims)
    shared["sums", id(dy), id(x)] = sums
    shared["sums", id(dy)] = sums

    def run(dy, x, w, center, scale):
        sent_back = kernels.batch_norm_sent_back(dy, x, w, center, scale)
        if sent_back is not None:
            dx, *sums[:] = sent_back
            return dx
        dots, total = kernels.deviation_dot(dy, x, center), summed(dy, dims, keepdim=True)
        sums[:] = dots, total
        factor = scale if w is None else scale * w.reshape(shape)
        along = dots / count * scale * scale
        return kernels.deviation_removed(dy, total / count, x, center, along, factor)

    return run


@batch_norm.replayed("w")
def batch_norm_dw_replayed(_, shared, dy, x, center, scale):
    """Σ dY x̂ over each channel."""
    sums = shared.get(("sums", id(dy), id(x)))
    return None if sums is None else lambda dy, x, center, scale: (sums[0] * scale).reshape(-1)


@batch_norm.replayed("b")
def batch_norm_db_replayed(_, shared, dy):
    """Σ dY over each channel."""
    sums = shared.get(("sums", id(dy)))
    return None if sums is None else lambda dy: sums[1].reshape(-1)
