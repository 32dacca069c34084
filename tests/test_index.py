"""Indices of every type that NumPy takes: an element that is read twice gets both gradients."""

from __future__ import annotations

import array
from collections import deque

import numpy as np
import pytest

import tinygrad_conv as tg

TWICE = [
    (0, 0),
    deque([0, 0]),
    array.array("i", [0, 0]),
    tg.tensor([0, 0]),
    np.array([0, -3]),
    [0, 0],
]


@pytest.mark.parametrize("places", TWICE, ids=lambda places: type(places).__name__)
def test_an_element_that_is_read_twice(places):
    for index, expected in [
        ((places,), [[2, 2], [0, 0], [0, 0]]),
        ((places, 1), [[0, 2], [0, 0], [0, 0]]),
        ((places, slice(None)), [[2, 2], [0, 0], [0, 0]]),
    ]:
        x = tg.zeros(3, 2, requires_grad=True)
        x[index].sum().backward()
        np.testing.assert_array_equal(x.grad, expected)


@pytest.mark.parametrize("places", TWICE[1:], ids=lambda places: type(places).__name__)
def test_a_sequence_alone_is_an_index_too(places):
    x = tg.zeros(3, requires_grad=True)
    x[places].sum().backward()
    np.testing.assert_array_equal(x.grad, [2, 0, 0])


def test_a_tuple_after_a_slice():
    x = tg.zeros(2, 2, requires_grad=True)
    x[:, (1, 1)].sum().backward()
    np.testing.assert_array_equal(x.grad, [[0, 2], [0, 2]])


@pytest.mark.parametrize(
    "make_index, change",
    [
        (lambda: (slice(None), np.array([0, 1])), lambda index: index[1].__setitem__(..., 2)),
        (lambda: (slice(None), [0, 1]), lambda index: index[1].__setitem__(slice(None), [2, 2])),
        (lambda: np.array([0, 1]), lambda index: index.__setitem__(..., 1)),
    ],
)
def test_what_an_index_is_made_of_may_change_after_the_forward(make_index, change):
    x, index = tg.tensor(np.zeros((2, 3), np.float32), requires_grad=True), make_index()
    expected = np.zeros((2, 3), np.float32)
    expected[index] = 1
    y = x[index]
    change(index)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, expected)
