"""ceil_mode in all small geometries, where the kernel reaches beyond the padded input too, against sums and
maxima that are written out. (PyTorch's own kernels read beyond their memory in some of these.)
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.errors import ShapeError

GEOMETRIES = [
    (size, kernel, stride, padding, dilation)
    for size, kernel, stride, dilation in itertools.product(range(1, 6), range(1, 8), range(1, 6), (1, 2))
    for padding in range(kernel // 2 + 1)
]


def windows(size, kernel, stride, padding, dilation):
    """Where the windows of one axis begin: as many as fit when rounded up, none in the padding behind."""
    reach = dilation * (kernel - 1) + 1
    count = -(-(size + 2 * padding - reach) // stride) + 1
    if (count - 1) * stride >= size + padding:
        count -= 1
    return [number * stride - padding for number in range(count)]


@pytest.mark.parametrize("size", range(1, 6))
def test_maxima(size):
    for geometry in GEOMETRIES:
        if geometry[0] != size:
            continue
        _, kernel, stride, padding, dilation = geometry
        x = np.random.default_rng(0).standard_normal(size).astype(np.float32)
        image, starts = x[None, None, :, None], windows(*geometry)
        options = ((kernel, 1), (stride, 1), (padding, 0), (dilation, 1), True)
        if not starts:
            with pytest.raises(ShapeError, match="larger than the image"):
                tg.max_pool2d(image, *options)
            continue
        places = [[start + tap * dilation for tap in range(kernel)] for start in starts]
        expected = [max((x[at] for at in seen if 0 <= at < size), default=-np.inf) for seen in places]
        np.testing.assert_array_equal(tg.max_pool2d(image, *options)[0, 0, :, 0], expected, str(geometry))


@pytest.mark.parametrize("count_include_pad", [True, False])
def test_averages_and_their_gradients(count_include_pad):
    for geometry in GEOMETRIES:
        size, kernel, stride, padding, dilation = geometry
        if dilation > 1 or not (starts := windows(*geometry)):
            continue
        x = np.random.default_rng(0).standard_normal(size).astype(np.float32)
        expected, shares = [], np.zeros(size)
        for start in starts:
            inside = [at for at in range(start, start + kernel) if 0 <= at < size]
            count = min(start + kernel, size + padding) - start if count_include_pad else len(inside)
            expected.append(sum(x[inside]) / count)
            shares[inside] += 1 / count
        leaf = tg.tensor(x[None, None, :, None], requires_grad=True)
        y = tg.avg_pool2d(leaf, (kernel, 1), (stride, 1), (padding, 0), True, count_include_pad)
        y.sum().backward()
        np.testing.assert_allclose(y.data[0, 0, :, 0], expected, rtol=1e-5, atol=1e-6, err_msg=str(geometry))
        np.testing.assert_allclose(leaf.grad[0, 0, :, 0], shares, rtol=1e-5, err_msg=str(geometry))
