"""The convolution and its two gradients, with window and kernel chosen once.

Small ones keep the patches of x that the forward lays out: dw multiplies these, so it lowers nothing. What
comes before writes into no padded picture itself: to copy from there takes 2 % of a toy CNN's step, and none
of larger ones, whose kernels pad and lower at once.
"""

from __future__ import annotations

from ... import kernels
from ..activations import relu
from ..arguments.windows import window_of
from ..conv import conv2d

SMALL = 10_000  # numbers: beyond, the kernels have sums of their own


@conv2d.replayed()
def conv2d_replayed(out, shared, x, w, b, *, stride, padding, dilation, groups):
    """y = x ⋆ w + b."""
    if x.ndim != 4:
        return None
    window = window_of("conv2d", x.shape[-2:], w.shape[2:], stride, padding, dilation)
    correlate, add_bias = kernels.settled("correlate", x, w, window, groups, shared, out), kernels.add_bias
    if b is None:
        return lambda x, w, b: correlate(x, w)
    return lambda x, w, b: add_bias(correlate(x, w), b)


@conv2d.replayed(then=relu)
def conv2d_relu_replayed(out, shared, x, w, b, **geometry):
    """max(x ⋆ w + b, 0): a bias is added in the same pass."""
    if b is None:
        correlate, rectify = conv2d_replayed(out, shared, x, w, b, **geometry), kernels.rectify
        return lambda x, w, b: rectify(correlate(x, w, b))
    correlate, add_bias = conv2d_replayed(out, shared, x, w, None, **geometry), kernels.add_bias
    return lambda x, w, b: add_bias(correlate(x, w, None), b, rectified=True)


@conv2d.replayed("x")
def conv2d_dx_replayed(out, shared, dy, w, x_shape, *, stride, padding, dilation, groups):
    """The full correlation of dy with the flipped w."""
    if dy.ndim != 4:
        return None
    window = window_of(
        "conv2d_input_grad", x_shape[-2:], w.shape[2:], stride, padding, dilation, dy.shape[-2:]
    )
    correlate = kernels.settled("correlate_input_grad", dy, w, window, groups, shared, out)
    return lambda dy, w, x_shape: correlate(dy, w)


@conv2d.replayed("w")
def conv2d_dw_replayed(out, shared, dy, x, w_shape, *, stride, padding, dilation, groups):
    """The correlation of x with dy."""
    if dy.ndim != 4:
        return None
    window = window_of(
        "conv2d_weight_grad", x.shape[-2:], w_shape[2:], stride, padding, dilation, dy.shape[-2:]
    )
    correlate = kernels.settled("correlate_weight_grad", x, dy, window, groups, shared, out)
    return lambda dy, x, w_shape: correlate(x, dy)


@conv2d.replayed("b")
def conv2d_db_replayed(_, shared, dy):
    """Σ dy over samples, rows and columns."""
    if dy.ndim != 4 or dy.dtype.itemsize <= 2:
        return None
    axes, strides, sum_by_channel = (0, 2, 3), dy.strides, kernels.sum_by_channel
    add_up = kernels.settled_sum(dy, axes)
    if dy.size >= SMALL:
        return sum_by_channel
    return lambda dy: add_up(dy, axes) if dy.strides == strides else sum_by_channel(dy)
