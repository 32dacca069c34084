"""The lowering that turns a convolution into a matrix product, and back.

`unfold` (im2col) writes what each window of an image sees into a column of its own. A convolution is then one
product, of the kernels as rows with the patches as columns:

    patches = unfold(x, kernel_size=(kh, kw))                       [N, C kh kw, P Q]
    y = (w.reshape(O, C kh kw) @ patches).reshape(N, O, P, Q)       which is conv2d(x, w)

and its adjoint `fold` (col2im) adds the columns back to where they were read: fold(wᵀ dY) is conv2d's input
gradient. The kernels of this package do not write all patches to memory; here one can see what they compute.

`pixel_shuffle` and `pixel_unshuffle` exchange blocks of pixels for channels, without adding anything.
"""

from __future__ import annotations

import numpy as np

from ..allocation import check_fits
from ..engine.declare import primitive
from ..kernels.pooling import window_sum_type
from ..kernels.window import overlap
from .arguments.shapes import check_blocks
from .arguments.windows import batched, check_columns, check_images, window_of


@primitive(names=("input",))
def unfold(x, *, kernel_size, dilation=1, padding=0, stride=1):
    """The windows of x [N, C, H, W] (or [C, H, W]) as columns → [N, C kh kw, L].

    There are L = P Q windows, in row-major order. Raises ShapeError where the window does not fit.
    """
    check_images("unfold", "input", x)
    window = window_of("unfold", x.shape[-2:], kernel_size, stride, padding, dilation)
    images = batched(x)
    check_fits("unfold", "kernel_size", kernel_size, (x.size and 1, window.taps, *window.out), x.itemsize)
    columns = np.zeros((*images.shape[:2], *window.kernel, *window.out), x.dtype)
    for i, j in np.ndindex(window.kernel):
        rows, cols = overlap(window, 0, i), overlap(window, 1, j)
        columns[:, :, i, j, rows.windows, cols.windows] = images[:, :, rows.inputs, cols.inputs]
    return columns.reshape(*x.shape[:-3], x.shape[-3] * window.taps, window.out[0] * window.out[1])


@unfold.grad("x")
def unfold_dx(dy, x_shape, **geometry):
    """The adjoint of reading windows is to add to them."""
    return fold(dy, output_size=x_shape[-2:], **geometry)


@primitive(names=("input",))
def fold(x, *, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Columns x [N, C kh kw, L] (or without N) added to the windows of an image → [N, C, H, W].

    output_size: (H, W) of the image. Raises ShapeError where x does not have these windows.
    """
    window = window_of("fold", output_size, kernel_size, stride, padding, dilation)
    check_columns("fold", x, window)
    samples = x.shape[0] if x.ndim == 3 else 1
    columns = x.reshape(samples, x.shape[-2] // window.taps, *window.kernel, *window.out)
    images = np.zeros((*columns.shape[:2], *window.size), window_sum_type(x.dtype, window)[0])
    for i, j in np.ndindex(window.kernel):
        rows, cols = overlap(window, 0, i), overlap(window, 1, j)
        images[:, :, rows.inputs, cols.inputs] += columns[:, :, i, j, rows.windows, cols.windows]
    return images.reshape(*x.shape[:-2], *images.shape[1:]).astype(x.dtype, copy=False)


@fold.grad("x")
def fold_dx(dy, output_size, **geometry):
    """The adjoint of adding to windows is to read them."""
    return unfold(dy, **geometry)


@primitive(names=("input",))
def pixel_shuffle(x, *, upscale_factor):
    """x [..., C r², H, W] → [..., C, H r, W r]: r² channels become the r × r pixels in the place of one.

    Raises ShapeError where r² does not divide the channels.
    """
    factor = upscale_factor
    check_blocks("pixel_shuffle", x, factor)
    *lead, channels, height, width = x.shape
    blocks = x.reshape(*lead, channels // factor**2, factor, factor, height, width)
    order = [*range(len(lead) + 1), *(len(lead) + axis for axis in (3, 1, 4, 2))]
    y = blocks.transpose(order).copy()  # of a single block too: no view of x
    return y.reshape(*lead, channels // factor**2, height * factor, width * factor)


@pixel_shuffle.grad("x")
def pixel_shuffle_dx(dy, upscale_factor):
    """Every pixel back to its channel."""
    return pixel_unshuffle(dy, downscale_factor=upscale_factor)


@primitive(names=("input",))
def pixel_unshuffle(x, *, downscale_factor):
    """x [..., C, H r, W r] → [..., C r², H, W]: the r × r pixels of a block become r² channels.

    Raises ShapeError where r does not divide rows and columns.
    """
    factor = downscale_factor
    check_blocks("pixel_unshuffle", x, factor)
    *lead, channels, height, width = x.shape
    blocks = x.reshape(*lead, channels, height // factor, factor, width // factor, factor)
    order = [*range(len(lead) + 1), *(len(lead) + axis for axis in (2, 4, 1, 3))]
    y = blocks.transpose(order).copy()
    return y.reshape(*lead, channels * factor**2, height // factor, width // factor)


@pixel_unshuffle.grad("x")
def pixel_unshuffle_dx(dy, downscale_factor):
    """Every channel back to its pixel."""
    return pixel_shuffle(dy, upscale_factor=downscale_factor)
