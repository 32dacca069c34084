"""Optimisers against their formulas, written out literally; their refusals, states and dtypes."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.errors import MutationError, ShapeError
from tinygrad_conv.optim.optimizer import Optimizer

GRADIENTS = np.random.default_rng(0).standard_normal((6, 2, 3))
START = np.random.default_rng(1).standard_normal((2, 3))


def run(make, dtype=np.float64, shape=(2, 3), steps=6):
    """The parameter and the optimiser after `steps` steps along fixed gradients."""
    p = nn.Parameter(START.astype(dtype).ravel()[: int(np.prod(shape))].reshape(shape))
    optimizer = make([p])
    for gradient in GRADIENTS[:steps]:
        p.grad = gradient.astype(dtype).ravel()[: p.numel()].reshape(shape)
        optimizer.step()
    return p, optimizer


def test_the_articles_update():
    w = nn.Parameter(np.eye(2))
    w.grad = np.array([[6.0, 2.0], [1.0, 4.0]])
    optim.SGD([w], lr=0.1).step()
    np.testing.assert_allclose(w.data, [[0.4, -0.2], [-0.1, 0.6]], rtol=0, atol=1e-15)


@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize(
    "momentum, dampening, nesterov", [(0, 0, False), (0.9, 0, False), (0.9, 0.3, False), (0.9, 0, True)]
)
def test_sgd_is_its_formula(momentum, dampening, nesterov, maximize):
    p, _ = run(lambda ps: optim.SGD(ps, 0.1, momentum, dampening, 0.01, nesterov, maximize=maximize))
    w, b = START.copy(), None
    for g in GRADIENTS:
        g = (-g if maximize else g) + 0.01 * w
        b = g if b is None else momentum * b + (1 - dampening) * g
        w = w - 0.1 * (g + momentum * b if nesterov else b if momentum else g)
    np.testing.assert_allclose(p.data, w, rtol=1e-13)


@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("amsgrad", [False, True])
@pytest.mark.parametrize("algorithm", [optim.Adam, optim.AdamW])
def test_adam_is_its_formula(algorithm, amsgrad, maximize):
    p, _ = run(lambda ps: algorithm(ps, 0.1, (0.8, 0.9), 1e-3, 0.05, amsgrad, maximize=maximize))
    w, m, v, largest = START.copy(), np.zeros((2, 3)), np.zeros((2, 3)), np.zeros((2, 3))
    for t, g in enumerate(GRADIENTS, start=1):
        g = -g if maximize else g
        if algorithm is optim.AdamW:
            w = w - 0.1 * 0.05 * w
        else:
            g = g + 0.05 * w
        m, v = 0.8 * m + 0.2 * g, 0.9 * v + 0.1 * g**2
        largest = np.maximum(largest, v)
        m_hat, v_hat = m / (1 - 0.8**t), (largest if amsgrad else v) / (1 - 0.9**t)
        w = w - 0.1 * m_hat / (np.sqrt(v_hat) + 1e-3)
    np.testing.assert_allclose(p.data, w, rtol=1e-12)


@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("centered", [False, True])
@pytest.mark.parametrize("momentum", [0, 0.9])
def test_rmsprop_is_its_formula(momentum, centered, maximize):
    p, _ = run(lambda ps: optim.RMSprop(ps, 0.1, 0.8, 1e-3, 0.05, momentum, centered, maximize=maximize))
    w, v, a, b = START.copy(), np.zeros((2, 3)), np.zeros((2, 3)), np.zeros((2, 3))
    for g in GRADIENTS:
        g = (-g if maximize else g) + 0.05 * w
        v, a = 0.8 * v + 0.2 * g**2, 0.8 * a + 0.2 * g
        b = momentum * b + g / (np.sqrt(v - a**2 if centered else v) + 1e-3)
        w = w - 0.1 * b
    np.testing.assert_allclose(p.data, w, rtol=1e-12)


@pytest.mark.parametrize("maximize", [False, True])
def test_adagrad_is_its_formula(maximize):
    p, _ = run(lambda ps: optim.Adagrad(ps, 0.1, 0.2, 0.05, 0.3, 1e-3, maximize=maximize))
    w, s = START.copy(), np.full((2, 3), 0.3)
    for t, g in enumerate(GRADIENTS, start=1):
        g = (-g if maximize else g) + 0.05 * w
        s = s + g**2
        w = w - 0.1 / (1 + (t - 1) * 0.2) * g / (np.sqrt(s) + 1e-3)
    np.testing.assert_allclose(p.data, w, rtol=1e-12)


@pytest.mark.parametrize("maximize", [False, True])
def test_adadelta_is_its_formula(maximize):
    p, _ = run(lambda ps: optim.Adadelta(ps, 0.5, 0.8, 1e-3, 0.05, maximize=maximize))
    w, v, u = START.copy(), np.zeros((2, 3)), np.zeros((2, 3))
    for g in GRADIENTS:
        g = (-g if maximize else g) + 0.05 * w
        v = 0.8 * v + 0.2 * g**2
        d = g * np.sqrt(u + 1e-3) / np.sqrt(v + 1e-3)
        u = 0.8 * u + 0.2 * d**2
        w = w - 0.5 * d
    np.testing.assert_allclose(p.data, w, rtol=1e-12)


@pytest.mark.parametrize("maximize", [False, True])
def test_adamax_is_its_formula(maximize):
    p, _ = run(lambda ps: optim.Adamax(ps, 0.1, (0.8, 0.9), 1e-3, 0.05, maximize=maximize))
    w, m, u = START.copy(), np.zeros((2, 3)), np.zeros((2, 3))
    for t, g in enumerate(GRADIENTS, start=1):
        g = (-g if maximize else g) + 0.05 * w
        m, u = 0.8 * m + 0.2 * g, np.maximum(0.9 * u, np.abs(g) + 1e-3)
        w = w - 0.1 / (1 - 0.8**t) * m / u
    np.testing.assert_allclose(p.data, w, rtol=1e-12)


def test_nadam_is_its_formula():
    p, _ = run(lambda ps: optim.NAdam(ps, 0.1, (0.8, 0.9), 1e-3, 0.05, 0.2))
    w, m, v, product = START.copy(), np.zeros((2, 3)), np.zeros((2, 3)), 1.0
    for t, g in enumerate(GRADIENTS, start=1):
        g = g + 0.05 * w
        m, v = 0.8 * m + 0.2 * g, 0.9 * v + 0.1 * g**2
        mu, following = (0.8 * (1 - 0.96 ** (0.2 * n) / 2) for n in (t, t + 1))
        product *= mu
        ahead = (1 - mu) / (1 - product) * g + following / (1 - product * following) * m
        w = w - 0.1 * ahead / (np.sqrt(v / (1 - 0.9**t)) + 1e-3)
    np.testing.assert_allclose(p.data, w, rtol=1e-12)


def test_radam_begins_without_the_spread():
    p, _ = run(lambda ps: optim.RAdam(ps, 0.1, (0.8, 0.9), 1e-3))
    w, m, v = START.copy(), np.zeros((2, 3)), np.zeros((2, 3))
    for t, g in enumerate(GRADIENTS, start=1):
        m, v, rho = 0.8 * m + 0.2 * g, 0.9 * v + 0.1 * g**2, 19 - 2 * t * 0.9**t / (1 - 0.9**t)
        step = m / (1 - 0.8**t)
        if rho > 5:
            share = (rho - 4) * (rho - 2) * 19 / (15 * 17 * rho)
            step = step * np.sqrt(share * (1 - 0.9**t)) / (np.sqrt(v) + 1e-3)
        w = w - 0.1 * step
    np.testing.assert_allclose(p.data, w, rtol=1e-12)


EVERY = [
    lambda ps: optim.NAdam(ps, 0.1, weight_decay=0.01),
    lambda ps: optim.RAdam(ps, 0.1, weight_decay=0.01),
    lambda ps: optim.Adagrad(ps, 0.1),
    lambda ps: optim.Adagrad(ps, 0.1, 0.1, 0.01, 0.5, maximize=True),
    lambda ps: optim.Adadelta(ps, 0.1),
    lambda ps: optim.Adamax(ps, 0.1, weight_decay=0.01),
    lambda ps: optim.SGD(ps, 0.1),
    lambda ps: optim.SGD(ps, 0.1, 0.9, 0.1, 0.01),
    lambda ps: optim.SGD(ps, 0.1, 0.9, 0, 0.01, True, maximize=True),
    lambda ps: optim.Adam(ps, 0.1, weight_decay=0.01),
    lambda ps: optim.Adam(ps, 0.1, amsgrad=True, maximize=True),
    lambda ps: optim.AdamW(ps, 0.1),
    lambda ps: optim.RMSprop(ps, 0.1),
    lambda ps: optim.RMSprop(ps, 0.1, 0.9, 1e-3, 0.01, 0.8, centered=True, maximize=True),
]


@pytest.mark.parametrize("make", EVERY)
@pytest.mark.parametrize("shape", [(2, 3), (1,), (), (0, 3)])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_dtypes_and_shapes_stay_and_the_array_is_updated_in_place(make, dtype, shape):
    p = nn.Parameter(np.ones(shape, dtype))
    array, optimizer = p.data, make([p])
    for _ in range(3):
        p.grad = np.full(shape, 0.5, dtype)
        before = p.grad.copy()
        optimizer.step()
        np.testing.assert_array_equal(p.grad, before)
    assert p.data is array and array.dtype == dtype and p.shape == shape
    assert np.all(array != 1) and np.all(np.isfinite(array))
    for value in optimizer.state[p].values():
        assert isinstance(value, (int, float)) or value.dtype == (
            np.float64 if dtype == np.float64 else np.float32
        )


def test_a_number_in_a_state_is_checked():
    p, optimizer = run(lambda ps: optim.NAdam(ps, 0.1))
    state = optimizer.state_dict()
    state["state"][0]["mu_product"] = np.nan
    with pytest.raises(
        ValueError, match=r"NAdam: mu_product of .* is nan in the state dict; it must be a finite"
    ):
        optimizer.load_state_dict(state)


@pytest.mark.parametrize("make", [lambda ps: optim.Adam(ps, 0.125), lambda ps: optim.RMSprop(ps, 0.125)])
def test_float16_neither_underflows_nor_overflows_on_the_way(make):
    p = nn.Parameter(np.ones(3, np.float16))
    optimizer = make([p])
    p.grad = np.array([0.0, 1e-5, 6e4], np.float16)
    optimizer.step()
    assert p.data[0] == 1 and np.all(np.isfinite(p.data)) and np.all(p.data[1:] < 1)
    other = make([nn.Parameter(np.ones(3, np.float16))])
    other.load_state_dict(optimizer.state_dict())
    for name, value in optimizer.state[p].items():
        np.testing.assert_array_equal(other.state[other.params()[0]][name], value)


@pytest.mark.parametrize("make", EVERY)
def test_states_save_and_load(make):
    whole, _ = run(make)
    half, optimizer = run(make, steps=3)
    saved = optimizer.state_dict()
    optimizer.step()  # what was saved is a copy
    again = nn.Parameter(run(make, steps=3)[0].data)
    resumed = make([again])
    resumed.load_state_dict(copy.deepcopy(saved))
    for gradient in GRADIENTS[3:]:
        again.grad = gradient
        resumed.step()
    np.testing.assert_array_equal(again.data, whole.data)
    assert saved["param_groups"][0]["params"] == [0] and saved["param_groups"][0]["lr"] == 0.1


def test_a_state_dict_that_does_not_fit_is_refused_and_changes_nothing():
    p, optimizer = run(lambda ps: optim.Adam(ps, 0.1))
    before = optimizer.state_dict()
    two = optim.Adam([nn.Parameter(np.ones(1)), nn.Parameter(np.ones(1))]).state_dict()
    with pytest.raises(ValueError, match=r"groups of \[2\] parameters, this optimiser has \[1\]"):
        optimizer.load_state_dict(two)
    other = run(lambda ps: optim.Adam(ps, 0.5), shape=(3,))[1].state_dict()
    with pytest.raises(ValueError, match=r"exp_avg of float64\[2,3\] is float64\[3\]"):
        optimizer.load_state_dict(other)
    broken = copy.deepcopy(before)
    broken["param_groups"][0]["lr"] = -1.0
    with pytest.raises(ValueError, match="lr must be at least"):
        optimizer.load_state_dict(broken)
    broken["param_groups"][0].update(lr=0.1, max_momentum=[0.9])  # which a schedule would read later on
    with pytest.raises(TypeError, match=r"^Adam: max_momentum must be a number, not \[0.9\]"):
        optimizer.load_state_dict(broken)
    after = optimizer.state_dict()
    assert after["param_groups"] == before["param_groups"]
    np.testing.assert_array_equal(after["state"][0]["exp_avg"], before["state"][0]["exp_avg"])


def test_groups_have_options_of_their_own():
    a, b, c = (nn.Parameter(np.zeros(1)) for _ in range(3))
    optimizer = optim.SGD([{"params": [a]}, {"params": b, "lr": 0.5, "name": "b"}], lr=0.1)
    optimizer.add_param_group({"params": iter([c]), "lr": 2.0})
    for p in (a, b, c):
        p.grad = np.ones(1)
    optimizer.step()
    assert [p.item() for p in (a, b, c)] == [-0.1, -0.5, -2.0]
    assert optimizer.state_dict()["param_groups"][2]["params"] == [2]
    assert "Parameter Group 2" in repr(optimizer) and "lr: 2.0" in repr(optimizer)


def test_zero_grad_and_parameters_without_a_gradient():
    a, b = nn.Parameter(np.ones(1)), nn.Parameter(np.ones(1))
    optimizer = optim.SGD([a, b], lr=0.1, weight_decay=1.0)
    a.grad = np.ones(1)
    optimizer.step()
    assert b.item() == 1.0 and b not in optimizer.state
    optimizer.zero_grad(set_to_none=False)
    assert a.grad.tolist() == [0.0] and b.grad is None
    optimizer.zero_grad()
    assert a.grad is None


def test_a_closure_is_called_with_recording_on_and_its_loss_returned():
    p = nn.Parameter(np.array([2.0]))
    optimizer = optim.SGD([p], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = (p**2).sum()
        loss.backward()
        return loss

    with tg.no_grad():
        assert optimizer.step(closure).item() == 4.0
    assert p.item() == 1.0
    assert optimizer.step() is None


@pytest.mark.parametrize("make", EVERY)
def test_a_step_between_forward_and_backward_is_noticed(make):
    p = nn.Parameter(np.ones(2))
    optimizer = make([p])
    (p * p).sum().backward()
    loss = (p * p).sum()
    optimizer.step()
    with pytest.raises(MutationError):
        loss.backward()


@pytest.mark.parametrize(
    "params, error, words",
    [
        (lambda p: [], ValueError, "no parameters"),
        (lambda p: p, TypeError, "an iterable of tensors, not one tensor"),
        (lambda p: [p, 3], TypeError, "must be Tensors or dicts of them, not int"),
        (lambda p: [p * 2], ValueError, "leaves alone; <mul"),
        (lambda p: [p, p], ValueError, "given twice"),
        (lambda p: [{"params": [p]}, {"params": [p]}], ValueError, "given twice"),
        (lambda p: [{"params": [p], "rate": 1}], ValueError, "no option rate"),
        (lambda p: [{"lr": 1.0}], TypeError, "with 'params' in it"),
        (lambda p: [{"params": [p]}, p], TypeError, "a parameter group is a dict"),
        (lambda p: [(p.detach() * 2).detach()], ValueError, "read-only"),
    ],
)
def test_wrong_parameters_are_refused(params, error, words):
    with pytest.raises(error, match=words):
        optim.SGD(params(nn.Parameter(np.ones(2))), lr=0.1)


@pytest.mark.parametrize(
    "make",
    [
        lambda p: optim.SGD(p, lr=-0.1),
        lambda p: optim.SGD(p, lr=float("nan")),
        lambda p: optim.SGD(p, momentum=-1),
        lambda p: optim.SGD(p, weight_decay=-1),
        lambda p: optim.SGD(p, nesterov=True),
        lambda p: optim.SGD(p, momentum=0.9, dampening=0.1, nesterov=True),
        lambda p: optim.Adam(p, betas=(1.0, 0.9)),
        lambda p: optim.Adam(p, betas=(0.9, -0.1)),
        lambda p: optim.Adam(p, eps=-1e-8),
        lambda p: optim.AdamW(p, lr=-1),
        lambda p: optim.RMSprop(p, alpha=-1),
        lambda p: optim.RMSprop(p, momentum=float("nan")),
    ],
)
def test_options_out_of_range_are_refused(make):
    with pytest.raises(ValueError, match="must|needs"):
        make([nn.Parameter(np.ones(1))])


def test_a_gradient_of_another_shape_is_refused():
    p = nn.Parameter(np.ones((2, 1)))
    p.grad = np.ones((2, 1))
    p.data = np.ones((1, 2))
    with pytest.raises(ShapeError, match=r"is float64\[2,1\], but it is float64\[1,2\]"):
        optim.SGD([p], lr=0.1).step()
    p.data = np.ones((2, 1))
    p.grad = tg.ones(2, 1)
    optim.SGD([p], lr=0.5).step()
    assert p.tolist() == [[0.5], [0.5]]


class OfTensors(Optimizer):
    """Momentum as scripts write it: a step of its own, which remembers Tensors."""

    def __init__(self, params, lr=0.1):
        super().__init__(params, {"lr": lr})

    @tg.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                if len(state) == 0:
                    state["step"], state["velocity"] = 0, tg.zeros_like(p)
                state["step"] += 1
                state["velocity"].mul_(0.9).add_(p.grad)
                p.add_(state["velocity"], alpha=-group["lr"])


@pytest.mark.parametrize("through_a_file", [False, True])
def test_a_step_of_ones_own_remembers_tensors_before_and_after_loading(through_a_file, tmp_path):
    p, optimizer = run(OfTensors, steps=3)
    state = optimizer.state_dict()
    if through_a_file:
        tg.save(state, tmp_path / "state.npz")
        state = tg.load(tmp_path / "state.npz")
    again = OfTensors([p])
    again.load_state_dict(state)
    assert again.state[p]["step"] == 3 and type(again.state[p]["velocity"]) is tg.Tensor
    for gradient in GRADIENTS[3:]:
        p.grad = gradient.copy()
        again.step()
    expected, _ = run(lambda params: optim.SGD(params, lr=0.1, momentum=0.9))
    np.testing.assert_allclose(p.data, expected.data, rtol=1e-12)


def test_the_base_says_what_is_missing():
    p = nn.Parameter(np.ones(1))
    p.grad = np.ones(1)
    with pytest.raises(NotImplementedError, match="Optimizer"):
        optim.Optimizer([p], {}).step()


def test_copies_go_on_by_themselves():
    p, optimizer = run(lambda ps: optim.Adam(ps, 0.1), steps=3)
    twin = copy.deepcopy(optimizer)
    (q,) = twin.params()
    q.grad = p.grad = GRADIENTS[3]
    before = p.data.copy()
    twin.step()
    np.testing.assert_array_equal(p.data, before)
    optimizer.step()
    np.testing.assert_array_equal(p.data, q.data)
