"""Optimisers and schedules of a user's own: what they must be given, and what they do that cannot be."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_conv import nn, optim
from tinygrad_conv.errors import ShapeError
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


RETURNED = {
    "no numbers": (lambda data, state: (None, state), TypeError),
    "complex numbers": (lambda data, state: (data * 1j, state), TypeError),
    "masked numbers": (lambda data, state: (np.ma.array(data, mask=True), state), TypeError),
    "no state": (lambda data, state: data * 2.0, TypeError),
    "another shape": (lambda data, state: (data[:1], state), ShapeError),
    "one dimension more": (lambda data, state: (data[None], state), ShapeError),
    "one number for all": (lambda data, state: (data.dtype.type(3), state), ShapeError),
}


def step_that_moves_nothing(faulty, dtype):
    """A step that goes wrong at the second of two parameters, of 3 numbers: the first, of 2, stays too."""
    params = [nn.Parameter(np.ones(count, dtype)) for count in (2, 3)]
    for p in params:
        p.grad = np.ones_like(p.data)
    try:
        faulty(params, {}).step()
    finally:
        for p in params:
            np.testing.assert_array_equal(p.data, 1)


@pytest.mark.parametrize("dtype", [np.float64, np.float16])
@pytest.mark.parametrize("returned", RETURNED)
def test_a_formula_that_returns_what_cannot_be_moves_no_parameter(returned, dtype):
    value, error = RETURNED[returned]

    class Faulty(Optimizer):
        def updated(self, data, grad, state, group):
            return (data - grad, {}) if len(data) == 2 else value(data, {})

    with pytest.raises(error, match="^Faulty: updated "):
        step_that_moves_nothing(Faulty, dtype)


@pytest.mark.filterwarnings("ignore:Setting the (shape|dtype) on a NumPy array:DeprecationWarning")
@pytest.mark.parametrize("dtype", [np.float64, np.float16])
@pytest.mark.parametrize("change", ["resize", "reshape", "retype"])
def test_an_update_that_makes_another_array_of_its_own_moves_no_parameter(change, dtype):
    class Faulty(Optimizer):
        def update(self, data, grad, state, group):
            data -= grad
            if len(data) == 3 and change == "resize":
                data.resize(4, refcheck=False)
            elif len(data) == 3 and change == "reshape":
                data.shape = (1, 3)
            elif len(data) == 3:
                data.dtype = np.dtype(f"i{data.itemsize}")

    with pytest.raises(ShapeError, match="^Faulty: update made .*`data -= …`"):
        step_that_moves_nothing(Faulty, dtype)


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


@pytest.mark.parametrize("rates", [[], [0.1], [0.1, 0.2, 0.3]])
def test_a_schedule_that_returns_rates_for_other_groups_changes_none(rates):
    class Faulty(optim.lr_scheduler.LRScheduler):
        def get_lr(self):
            return rates if self.last_epoch else self.base_lrs

    a, b = nn.Parameter(np.ones(1)), nn.Parameter(np.ones(1))
    optimizer = optim.SGD([{"params": [a]}, {"params": [b], "lr": 0.3}], lr=0.5)
    schedule = Faulty(optimizer)
    with pytest.raises(ValueError, match=f"^Faulty: {len(rates)} rates of get_lr for 2 parameter groups"):
        schedule.step()
    assert schedule.last_epoch == 0 and schedule.get_last_lr() == [0.5, 0.3]
