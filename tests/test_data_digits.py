"""The real digits, which need scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_conv import data

pytestmark = pytest.mark.extras
pytest.importorskip("sklearn")


def test_digits_are_all_there():
    x, y = data.digits()
    assert x.shape == (1797, 1, 8, 8) and x.dtype == np.float32 and y.dtype == np.int64
    assert x.data.min() == 0 and x.data.max() == 1
    assert np.bincount(y.data).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    from sklearn.datasets import load_digits

    np.testing.assert_array_equal(x.data[:, 0] * 16, load_digits().images)


def test_the_hold_out_is_one_third_of_every_digit():
    (train_x, train_y), (test_x, test_y) = data.stratified_split(*data.digits())
    assert len(train_x) + len(test_x) == 1797 and len(test_x) == 599
    share = np.bincount(test_y.data) / (np.bincount(test_y.data) + np.bincount(train_y.data))
    assert np.abs(share - 1 / 3).max() < 0.005
