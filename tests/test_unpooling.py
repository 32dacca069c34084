"""`max_unpool1d`, `max_unpool2d`: each maximum back to where it was found."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.errors import DtypeError, ShapeError
from tinygrad_conv.nn import functional as F

RNG = np.random.default_rng(0)

WINDOWS = [
    ((2, 3, 6, 8), {"kernel_size": 2}),
    ((3, 6, 8), {"kernel_size": (2, 4), "stride": (2, 4)}),
    ((1, 1, 5, 7), {"kernel_size": 2, "stride": 2, "output_size": (5, 7)}),
    ((2, 3, 6, 7), {"kernel_size": 3, "padding": 1, "output_size": (2, 3, 6, 7)}),
    ((2, 1, 1, 1), {"kernel_size": 1}),
    ((0, 2, 4, 4), {"kernel_size": 2}),
]


def pooled(package, x, kernel_size, stride=None, padding=0, output_size=None):
    return package.nn.functional.max_pool2d(x, kernel_size, stride, padding, return_indices=True)


@pytest.mark.parametrize("shape, window", WINDOWS)
def test_every_maximum_is_where_it_was(shape, window):
    image = RNG.permutation(np.arange(1.0, np.prod(shape) + 1)).reshape(shape)
    x = tg.tensor(image, requires_grad=True)
    y, indices = pooled(tg, x, **window)
    back = F.max_unpool2d(y, indices, **window)
    where_largest = np.isin(image, y.data)
    np.testing.assert_array_equal(back.data, np.where(where_largest, image, 0))
    (back * back).sum().backward()
    np.testing.assert_array_equal(x.grad, np.where(where_largest, 2 * image, 0))
    places, leaf = indices.data, tg.tensor(y.data, requires_grad=True)
    if not leaf.numel():
        return  # nothing to differ from
    assert tg.gradcheck(lambda y: F.max_unpool2d(y, places, **window), leaf, order=2)


def test_of_one_row_and_as_layers():
    row = tg.tensor([[[3.0, 1.0, 2.0, 5.0, 4.0]]])
    y, indices = nn.MaxPool1d(2, return_indices=True)(row)
    assert nn.MaxUnpool1d(2)(y, indices).tolist() == [[[3.0, 0.0, 0.0, 5.0]]]
    assert nn.MaxUnpool1d(2)(y, indices, output_size=row.size()).tolist() == [[[3.0, 0.0, 0.0, 5.0, 0.0]]]
    image = tg.tensor(RNG.random((1, 2, 4, 4)))
    y, indices = nn.MaxPool2d(2, return_indices=True)(image)
    unpool = nn.MaxUnpool2d(2)
    assert repr(unpool) == "MaxUnpool2d(kernel_size=2, stride=2, padding=0)"
    np.testing.assert_array_equal(nn.MaxPool2d(2)(unpool(y, indices)).data, y.data)


Y, PLACES = np.ones((1, 1, 2, 2)), np.array([[[[0, 2], [8, 10]]]])


@pytest.mark.parametrize(
    "call, error, words",
    [
        (
            lambda: F.max_unpool2d(Y, PLACES[..., :1], 2),
            ShapeError,
            "indices and input must have the same shape",
        ),
        (lambda: F.max_unpool2d(Y, PLACES * 2, 2), IndexError, r"holds 0 … 20, but an output \[4,4\]"),
        (lambda: F.max_unpool2d(Y, PLACES - 1, 2), IndexError, "holds -1 … 9"),
        (lambda: F.max_unpool2d(Y, PLACES * 1.0, 2), DtypeError, "indices must hold integers"),
        (lambda: F.max_unpool2d(Y, PLACES, 2, output_size=(6, 4)), ShapeError, "within 3 … 5 and 3 … 5, not"),
        (lambda: F.max_unpool2d(Y[0, 0], PLACES[0, 0], 2), ShapeError, "max_unpool2d: input"),
        (lambda: F.max_unpool1d(Y, PLACES, 2), ShapeError, "max_unpool1d: input"),
    ],
)
def test_what_it_refuses(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.torch
@pytest.mark.parametrize("shape, window", WINDOWS[:4])
def test_it_is_pytorchs(shape, window):
    torch = pytest.importorskip("torch")
    image = RNG.standard_normal(shape)
    results = []
    for package in (tg, torch):
        x = package.tensor(image, requires_grad=True)
        y, indices = pooled(package, x, **window)
        back = package.nn.functional.max_unpool2d(y * y, indices, **window)
        (back * back).sum().backward()
        results.append((back.detach().numpy(), np.asarray(x.grad)))
    for ours, theirs in zip(*results):
        np.testing.assert_allclose(ours, theirs)
