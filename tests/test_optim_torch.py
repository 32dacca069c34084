"""Optimisers against PyTorch's: 100 steps in float64, equal to 1e-10."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from tinygrad_conv import nn, optim

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")

CASES = [
    ("SGD", {"lr": 0.05}),
    ("SGD", {"lr": 0.05, "weight_decay": 0.1, "maximize": True}),
    ("SGD", {"lr": 0.05, "momentum": 0.9}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.4, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("Adam", {}),
    ("Adam", {"lr": 0.02, "betas": (0.7, 0.95), "eps": 1e-3}),
    ("Adam", {"lr": 0.02, "weight_decay": 0.1, "amsgrad": True}),
    ("Adam", {"lr": 0.02, "amsgrad": True, "maximize": True}),
    ("AdamW", {"lr": 0.02}),
    ("AdamW", {"lr": 0.02, "weight_decay": 0.3, "amsgrad": True, "maximize": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.05, "weight_decay": 0.1, "initial_accumulator_value": 0.3}),
    ("Adagrad", {"lr": 0.1, "eps": 1e-2, "maximize": True}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.3, "rho": 0.7, "eps": 1e-3, "weight_decay": 0.1, "maximize": True}),
    ("Adamax", {}),
    ("Adamax", {"lr": 0.1, "betas": (0.7, 0.9), "eps": 1e-2, "weight_decay": 0.1, "maximize": True}),
    ("NAdam", {}),
    ("NAdam", {"lr": 0.05, "betas": (0.7, 0.9), "eps": 1e-2, "weight_decay": 0.1, "momentum_decay": 0.1}),
    ("NAdam", {"maximize": True}),
    ("NAdam", {"lr": 0.05, "weight_decay": 0.2, "decoupled_weight_decay": True, "maximize": True}),
    ("RAdam", {"lr": 0.05, "betas": (0.7, 0.95), "weight_decay": 0.2, "decoupled_weight_decay": True}),
    ("RAdam", {}),
    ("RAdam", {"lr": 0.05, "betas": (0.7, 0.95), "eps": 1e-2, "weight_decay": 0.1, "maximize": True}),
    ("RMSprop", {}),
    ("RMSprop", {"alpha": 0.9, "eps": 1e-4, "weight_decay": 0.1, "centered": True}),
    ("RMSprop", {"momentum": 0.9, "centered": True, "maximize": True}),
]


@pytest.fixture(autouse=True)
def numbers_of_states_in_float64():
    """NAdam's product of momenta is a number of PyTorch's default dtype."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def pair(options, name, start):
    """The same parameters and optimiser, ours and PyTorch's."""
    ours = [nn.Parameter(value.copy()) for value in start]
    theirs = [torch.nn.Parameter(torch.from_numpy(value.copy())) for value in start]
    return ours, getattr(optim, name)(ours, **options), theirs, getattr(torch.optim, name)(theirs, **options)


def steps(ours, optimizer, theirs, reference, count, seed=1):
    """Steps of both along the gradients of Σ (w - t)⁴ with noise, so that they depend on where w is."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        for p, q in zip(ours, theirs):
            noise = rng.standard_normal(p.shape)
            p.grad = np.asarray(np.clip((p.data - 1) ** 3, -2, 2) + noise)
            q.grad = torch.as_tensor(np.clip((q.detach().numpy() - 1) ** 3, -2, 2) + noise)
        optimizer.step()
        reference.step()


def assert_equal(ours, theirs, tolerance=1e-10):
    for p, q in zip(ours, theirs):
        np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name, options", CASES)
def test_a_hundred_steps(name, options):
    rng = np.random.default_rng(0)
    start = [rng.standard_normal(shape) for shape in ((4, 3, 2, 2), (4,), ())]
    ours, optimizer, theirs, reference = pair(options, name, start)
    steps(ours, optimizer, theirs, reference, 100)
    assert_equal(ours, theirs)


@pytest.mark.parametrize("name, options", CASES)
def test_going_on_from_pytorchs_state(name, options):
    start = [np.random.default_rng(0).standard_normal((3, 2))]
    ours, optimizer, theirs, reference = pair(options, name, start)
    steps(ours, optimizer, theirs, reference, 5)
    again = getattr(optim, name)(ours, lr=0.9)
    again.load_state_dict({key: reference.state_dict()[key] for key in ("state", "param_groups")})
    steps(ours, again, theirs, reference, 5, seed=2)
    assert_equal(ours, theirs)


def test_defaults_are_pytorchs():
    p, q = nn.Parameter(np.ones(1)), torch.nn.Parameter(torch.ones(1))
    for name in sorted({name for name, _ in CASES}):
        ours, theirs = getattr(optim, name)([p]).defaults, getattr(torch.optim, name)([q]).defaults
        assert ours == {key: theirs[key] for key in ours}


@pytest.mark.parametrize("name, options", CASES)
def test_float32_stays_close(name, options):
    start = [np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)]
    ours, optimizer, theirs, reference = pair(options, name, start)
    rng = np.random.default_rng(1)
    for _ in range(20):
        ours[0].grad = rng.standard_normal((4, 3)).astype(np.float32)
        theirs[0].grad = torch.from_numpy(ours[0].grad.copy())
        optimizer.step()
        reference.step()
    assert ours[0].dtype == np.float32
    assert_equal(ours, theirs, 2e-5)


@pytest.mark.parametrize("name", sorted({name for name, _ in CASES}))
def test_arguments_are_pytorchs(name):
    ours, theirs = (
        list(inspect.signature(getattr(place, name)).parameters) for place in (optim, torch.optim)
    )
    assert ours.pop() == "implementation"
    assert ours == [argument for argument in theirs if argument in ours]
    p = [nn.Parameter(np.ones(1))]
    getattr(optim, name)(p, **{argument: None for argument in theirs if argument not in ours})
