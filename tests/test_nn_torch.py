"""Layers against PyTorch's: keys, shapes, printed form, beginnings, and a training run with the same weights."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")

LAYERS = [
    lambda nn: nn.Conv2d(4, 6, 3),
    lambda nn: nn.Conv2d(4, 6, (3, 1), (2, 1), (1, 0), groups=2, bias=False),
    lambda nn: nn.Conv2d(4, 6, 3, padding="same", dilation=2),
    lambda nn: nn.ConvTranspose2d(4, 6, 3, 2, 1, 1, 2, dilation=2),
    lambda nn: nn.ConvTranspose2d(4, 6, (2, 3), bias=False),
    lambda nn: nn.Linear(9, 5),
    lambda nn: nn.Linear(9, 5, bias=False),
    lambda nn: nn.MaxPool2d(2),
    lambda nn: nn.MaxPool2d((3, 2), 2, (1, 0), ceil_mode=True),
    lambda nn: nn.AvgPool2d(3, 2, 1, count_include_pad=False),
    lambda nn: nn.AvgPool2d(2, ceil_mode=True, divisor_override=3),
    lambda nn: nn.Flatten(),
    lambda nn: nn.Flatten(-2),
    lambda nn: nn.ReLU(),
    lambda nn: nn.Sigmoid(),
    lambda nn: nn.Tanh(),
    lambda nn: nn.Sequential(nn.Conv2d(4, 3, 3), nn.Sequential(nn.ReLU(), nn.MaxPool2d(2))),
]


def copy_weights(ours, theirs):
    """PyTorch's weights into ours."""
    ours.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})


@pytest.mark.parametrize("make", LAYERS)
def test_keys_shapes_repr_values_and_gradients(make):
    ours, theirs = make(nn).double(), make(torch.nn).double()
    assert repr(ours) == repr(theirs)
    assert {key: one.shape for key, one in ours.state_dict().items()} == {
        key: tuple(one.shape) for key, one in theirs.state_dict().items()
    }
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [key for key, _ in ours.named_modules()] == [key for key, _ in theirs.named_modules()]
    copy_weights(ours, theirs)
    array = np.random.default_rng(0).standard_normal((3, 4, 9, 9))
    x, u = tg.tensor(array, requires_grad=True), torch.tensor(array, requires_grad=True)
    y, v = ours(x), theirs(u)
    np.testing.assert_allclose(y.data, v.detach().numpy(), rtol=1e-10, atol=1e-12)
    dy = np.random.default_rng(1).standard_normal(y.shape)
    y.backward(dy)
    v.backward(torch.from_numpy(dy))
    np.testing.assert_allclose(x.grad, u.grad.numpy(), rtol=1e-10, atol=1e-12)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad, q.grad.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "make",
    [
        lambda nn: nn.Linear(30, 500),
        lambda nn: nn.Conv2d(6, 100, (5, 2), groups=2),
        lambda nn: nn.ConvTranspose2d(100, 20, 3, groups=2),
    ],
)
def test_the_beginning_has_pytorchs_distribution(make):
    ours, theirs = make(nn), make(torch.nn)
    levels = np.linspace(0, 1, 11)
    for key, tensor in ours.state_dict().items():
        reference, bound = theirs.state_dict()[key].numpy(), np.abs(theirs.weight.detach().numpy()).max()
        spread = 5 * bound / np.sqrt(tensor.numel())  # both samples' quantiles lie this close to the distribution's
        np.testing.assert_allclose(np.quantile(tensor.data, levels), np.quantile(reference, levels), atol=spread)


@pytest.mark.parametrize("name, options", [("SGD", {"lr": 0.1, "momentum": 0.9}), ("Adam", {"lr": 0.01})])
def test_the_same_net_takes_the_same_course(name, options):
    def build(nn):
        return nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3, stride=2), nn.Tanh(),
            nn.AvgPool2d(2, padding=1), nn.Flatten(), nn.Linear(24, 5), nn.Sigmoid(), nn.Linear(5, 3),
        ).double()  # fmt: skip

    ours, theirs = build(nn), build(torch.nn)
    copy_weights(ours, theirs)
    optimizer = getattr(optim, name)(ours.parameters(), **options)
    reference = getattr(torch.optim, name)(theirs.parameters(), **options)
    rng, losses = np.random.default_rng(0), []
    x, t = rng.standard_normal((8, 1, 12, 12)), rng.standard_normal((8, 3))
    for _ in range(30):
        optimizer.zero_grad()
        reference.zero_grad()
        ours_loss = nn.MSELoss()(ours(tg.tensor(x)), tg.tensor(t))
        theirs_loss = torch.nn.MSELoss()(theirs(torch.from_numpy(x)), torch.from_numpy(t))
        ours_loss.backward()
        theirs_loss.backward()
        optimizer.step()
        reference.step()
        losses.append((ours_loss.item(), theirs_loss.item()))
    course = np.array(losses)
    np.testing.assert_allclose(course[:, 0], course[:, 1], rtol=1e-10)
    assert course[-1, 0] < course[0, 0]


def test_shared_layers_and_buffers_have_pytorchs_keys():
    def build(nn, buffer):
        net = nn.Module()
        net.first = nn.Linear(2, 2)
        net.again = net.first
        net.register_buffer("kept", buffer)
        net.register_buffer("not_kept", buffer, persistent=False)
        net.last = nn.ModuleDict({"a": nn.Linear(2, 1), "b": nn.ModuleList([nn.ReLU(), nn.Linear(1, 1)])})
        return net

    ours, theirs = build(nn, tg.ones(2)), build(torch.nn, torch.ones(2))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for members in ("named_parameters", "named_buffers", "named_modules", "named_children"):
        assert [key for key, _ in getattr(ours, members)()] == [key for key, _ in getattr(theirs, members)()]
    assert repr(ours) == repr(theirs)
