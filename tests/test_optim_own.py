"""Optimisers of a user's own: options that must be given, and an `update` that does not do what it is to."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_conv import nn
from tinygrad_conv.optim.optimizer import Optimizer, required


def test_an_option_may_be_required():
    class Plain(Optimizer):
        def __init__(self, params, lr=required):
            super().__init__(params, {"lr": lr})

        def update(self, data, grad, state, group):
            data -= group["lr"] * grad

    p = nn.Parameter(np.ones(2))
    with pytest.raises(ValueError, match="^Plain: lr must be given, to Plain or in each group$"):
        Plain([p])
    optimizer = Plain([{"params": [p], "lr": 0.5}])
    before = p.data.copy()
    p.grad = np.ones_like(p.data)
    optimizer.step()
    np.testing.assert_array_equal(p.data, before - 0.5)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_an_update_that_forgets_to_change_its_array_is_told_so(dtype):
    class Renamed(Optimizer):
        def update(self, data, grad, state, group):
            data = data - group["lr"] * grad

    class Returned(Optimizer):
        def update(self, data, grad, state, group):
            return data - group["lr"] * grad

    p = nn.Parameter(np.ones(2, dtype))
    p.grad = np.ones_like(p.data)
    with pytest.warns(UserWarning, match=r"Renamed: update left .* as it is; .*`data -= …`"):
        Renamed([p], {"lr": 0.1}).step()
    with pytest.raises(TypeError, match=r"Returned: update returned .*; .*`data -= …`"):
        Returned([p], {"lr": 0.1}).step()
    np.testing.assert_array_equal(p.data, 1)


def test_an_update_that_has_nothing_to_do_is_not(recwarn):
    class Plain(Optimizer):
        def update(self, data, grad, state, group):
            data -= group["lr"] * grad

    class Gathering(Optimizer):
        def update(self, data, grad, state, group):
            state["sum"] = state.get("sum", 0) + grad

    p = nn.Parameter(np.ones(2))
    for grad, lr in ((np.zeros_like(p.data), 0.1), (np.ones_like(p.data), 0.0), (np.ones_like(p.data), 0.1)):
        p.grad = grad
        Plain([p], {"lr": lr}).step()
        Gathering([p], {"lr": lr}).step()
    assert not recwarn.list
