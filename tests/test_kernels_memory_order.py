"""Images to vectors and back, in whatever order the memory has."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import kernels

from .test_kernels_pointwise import in_order

HCWN = (2, 1, 3, 0)


@pytest.mark.parametrize(
    "shape", [(4, 3, 40, 50), (4, 3, 4, 5), (0, 3, 40, 50), (200, 60), (4, 3000, 2), (3, 0, 2, 2)]
)
@pytest.mark.parametrize("innermost", [False, True])
def test_flattening_there_and_back(shape: tuple[int, ...], innermost: bool) -> None:
    x = np.random.default_rng(0).standard_normal(shape)
    ordered = in_order(x, (*range(1, x.ndim), 0)) if innermost else x
    flat = kernels.flattened(ordered)
    np.testing.assert_array_equal(flat, x.reshape(len(x), int(np.prod(shape[1:]))))
    np.testing.assert_array_equal(kernels.unflattened(flat, shape), x)


def test_large_images_come_back_as_the_kernels_want_them() -> None:
    rows = kernels.unflattened(np.zeros((8, 3 * 30 * 20)), (8, 3, 30, 20)).transpose(HCWN)
    assert rows.flags.c_contiguous


def test_gradients_through_a_large_flatten() -> None:
    """The network of a convolution, relu and flatten, compared with the same net flattened by hand."""
    rng = np.random.default_rng(0)
    image, w, v = (
        rng.standard_normal((8, 3, 20, 20)),
        rng.standard_normal((4, 3, 3, 3)),
        rng.standard_normal((5, 4 * 20 * 20)),
    )
    gradients = []
    for flatten in (lambda y: tg.flatten(y, 1), lambda y: tg.reshape(y, (8, -1))):
        x, kernel, weight = (tg.tensor(a, requires_grad=True) for a in (image, w, v))
        loss = (tg.linear(flatten(tg.relu(tg.conv2d(x, kernel, padding=1))), weight) ** 2).sum()
        loss.backward()
        gradients.append([np.asarray(leaf.grad) for leaf in (x, kernel, weight)])
    for by_op, by_hand in zip(*gradients, strict=True):
        np.testing.assert_allclose(by_op, by_hand, rtol=1e-9, atol=1e-6)
