"""What a node saves of params: copies of what somebody may change, and of nothing else."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv.engine.saved import is_plain_index, own_copy_of_param


def test_a_copy_has_the_memory_order_of_the_original():
    array = np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1)
    copy = own_copy_of_param(array)
    assert copy.strides == array.strides and not np.shares_memory(copy, array)
    np.testing.assert_array_equal(copy, array)


@pytest.mark.parametrize(
    "index", [slice(None), (slice(1, None, 2), 3, None), (..., slice(0, 2)), (1, (2, 3))]
)
def test_what_nobody_can_change_is_a_plain_index(index):
    assert is_plain_index(index)


@pytest.mark.parametrize(
    "index",
    [[0, 1], (slice(None), [0]), np.array([0]), (0, np.array([0])), slice(np.array(1), None), (slice([1]),)],
)
def test_what_somebody_can_change_is_none(index):
    assert not is_plain_index(index)


def test_tensors_in_an_index_may_change_after_the_forward():
    x, places = tg.zeros(3, requires_grad=True), tg.tensor([0, 1])
    y = x[places]
    places.data[:] = 2
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, [1, 1, 0])
