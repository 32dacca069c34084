"""`.grad` of what an op made: None, and a warning that says what to do, once a line."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import pytest

import tinygrad_conv as tg
from tests.helpers import leaf


def test_a_result_says_that_it_keeps_no_gradient():
    w = leaf(3)
    y = w * 2
    y.sum().backward()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            assert y.grad is None
    (warning,) = caught
    assert warning.category is UserWarning and warning.filename == __file__
    assert "made by mul" in str(warning.message) and "x.retain_grad()" in str(warning.message)


def test_a_named_result_is_called_by_its_name():
    y = leaf(3) * 2
    y.name = "hidden"
    with pytest.warns(UserWarning, match="^hidden was made by mul"):
        assert y.grad is None


def silent(tensor):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return tensor.grad


def test_no_warning_where_there_is_nothing_to_say():
    w = leaf(3)
    y, z = w * 2, w * 3
    y.retain_grad()
    assert y.retains_grad and not z.retains_grad and not w.retains_grad
    assert silent(w) is None and silent(y) is None
    (y * z).sum().backward()
    np.testing.assert_array_equal(silent(y), z.data)
    for tensor in (w.detach(), w[0].detach(), y.detach(), tg.zeros(2), tg.zeros(2) + 1, w > 0):
        assert silent(tensor) is None
    with tg.no_grad():
        assert silent(w * 2) is None


def test_a_result_that_becomes_a_leaf_has_a_gradient_of_its_own():
    y = (leaf(3) * 2).detach_().requires_grad_()
    assert silent(y) is None
    y.sum().backward()
    np.testing.assert_array_equal(silent(y), [1, 1, 1])
    y.grad = None
    assert silent(y) is None
    y.grad = np.ones(3)
    assert silent(copy.deepcopy(y)).tolist() == [1, 1, 1]


def test_looking_on_does_not_warn():
    w = leaf(3)
    y = w * 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        repr(y), dir(y), y._repr_html_(), tg.debug.why_no_grad(y)
        y.sum().backward()
