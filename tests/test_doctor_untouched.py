"""After the doctor all is as if it had not run: numbers, gradients, modes, statistics, random state."""

from __future__ import annotations

import random
from types import FunctionType

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.data import DataLoader
from tinygrad_conv.debug.doctor.patches import telling
from tinygrad_conv.nn import functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.bn, self.drop = nn.Linear(8, 16), nn.BatchNorm1d(16), nn.Dropout(0.4)
        self.fc2 = nn.LazyLinear(3)
        self.calls, self.seen = 0, []

    def forward(self, x):
        self.calls += 1
        self.seen.append(x.shape)
        self.hidden = F.relu(self.bn(self.fc1(x)))
        return self.fc2(self.drop(self.hidden))


def state_of(net, optimizer):
    """Everything that may not change, as bytes and plain values."""
    numbers = [
        (
            key,
            None if getattr(tensor, "is_uninitialized", False) else tensor.data.tobytes(),
            type(tensor).__name__,
        )
        for key, tensor in [*net.named_parameters(), *net.named_buffers()]
    ]
    arrays = [None if getattr(p, "is_uninitialized", False) else id(p.data) for p in net.parameters()]
    grads = [None if p.grad is None else (id(p.grad), p.grad.tobytes()) for p in net.parameters()]
    modes = [(type(module).__name__, module.training) for module in net.modules()]
    states = [
        {name: value.tobytes() if isinstance(value, np.ndarray) else value for name, value in state.items()}
        for state in optimizer.state.values()
    ]
    versions = [p._version for p in net.parameters()]
    own = net.calls, list(net.seen), sorted(vars(net))
    draws = str(tg.get_rng_state()), random.getstate(), str(np.random.get_state())
    return numbers, arrays, grads, modes, states, str(optimizer.param_groups), versions, own, draws


def made(lazy=False):
    tg.manual_seed(3)
    net = Net()
    if not lazy:
        net.fc2 = nn.Linear(16, 3)
    return net, optim.Adam(net.parameters(), lr=1e-3), tg.randn(12, 8), tg.randint(0, 3, (12,))


@pytest.mark.parametrize("lazy", [False, True])
def test_one_call_leaves_all_as_it_was(lazy):
    net, optimizer, x, y = made(lazy)
    before, bytes_of_x = state_of(net, optimizer), x.data.tobytes()
    found = tg.debug.doctor(net, x, y, loss_fn=F.cross_entropy, optimizer=optimizer)
    assert state_of(net, optimizer) == before and x.data.tobytes() == bytes_of_x and x.grad is None
    assert len(found.history.sweeps) == found.history.rounds == 1
    assert [layer.layer for layer in found.flow] == ["net.fc1", "net.fc2"]


def test_one_call_in_the_midst_of_a_training():
    net, optimizer, x, y = made()
    for _ in range(3):
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimizer.step()
    loss = F.cross_entropy(net(x), y)
    before = state_of(net, optimizer)
    for _ in range(2):
        tg.debug.doctor(net, x, y, loss_fn=nn.CrossEntropyLoss(), optimizer=optimizer)
    assert state_of(net, optimizer) == before
    loss.backward()  # what was computed before is still good


def test_one_call_that_fails_leaves_all_as_it_was():
    net, optimizer, x, y = made()
    before = state_of(net, optimizer)
    with pytest.raises(ValueError, match="labels must be"):
        tg.debug.doctor(net, x, y + 5, loss_fn=F.cross_entropy, optimizer=optimizer)
    assert state_of(net, optimizer) == before


def trained(watched):
    net, optimizer, x, y = made()
    losses = []

    def loop():
        for _ in range(6):
            optimizer.zero_grad()
            loss = F.cross_entropy(net(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())

    if watched:
        with tg.debug.doctor(net, optimizer) as doctor:
            loop()
        assert doctor.history.rounds == 6
    else:
        loop()
    return losses, state_of(net, optimizer)[0], float(tg.rand(1))


def test_a_watched_loop_runs_as_it_does_alone():
    assert trained(True) == trained(False)


def test_patched_methods_are_what_they_were_once_nobody_watches():
    places = [(optim.Optimizer, "__init__"), (optim.Optimizer, "step"), (nn.Module, "__init__")]
    places += [(nn.Module, "train"), (nn.Module, "load_state_dict"), (DataLoader, "__init__")]
    before = [vars(owner)[name] for owner, name in places]
    net, optimizer, *_ = made()
    with pytest.raises(ZeroDivisionError), tg.debug.doctor(net, optimizer):
        during = [vars(owner)[name] for owner, name in places]
        raise ZeroDivisionError
    assert all(isinstance(method, FunctionType) for method in during)
    assert all(inside is not outside for inside, outside in zip(during, before))
    assert [vars(owner)[name] for owner, name in places] == before
    assert telling.__module__.endswith("patches")


def test_the_report_is_printed_at_the_end_where_something_is_wrong(capsys):
    net, optimizer, x, y = made()
    with tg.debug.doctor(net, optimizer):
        for _ in range(5):
            F.cross_entropy(net(x), y).backward()
            optimizer.step()
    assert "zero_grad is forgotten" in capsys.readouterr().out
    with tg.debug.doctor(net, optimizer) as doctor:
        for _ in range(5):
            optimizer.zero_grad()
            F.cross_entropy(net(x), y).backward()
            optimizer.step()
    assert capsys.readouterr().out == "" and str(doctor) == "doctor: 5 steps, 5 backwards: nothing wrong"


def test_wrong_arguments_are_refused():
    net, optimizer, x, y = made()
    with pytest.raises(TypeError, match="doctor: model must be an nn.Module"):
        tg.debug.doctor(x, optimizer)
    with pytest.raises(TypeError, match="doctor: optimizer must be of tg.optim"):
        tg.debug.doctor(net, x, y, loss_fn=F.cross_entropy, optimizer=0.1)
    with pytest.raises(TypeError, match="doctor: the loss must be a Tensor of one number"):
        tg.debug.doctor(net, x)
    with pytest.raises(TypeError, match="doctor: loss_fn needs a batch"):
        tg.debug.doctor(net, loss_fn=F.cross_entropy)


def test_a_batch_of_no_samples_and_of_one():
    net = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    for count in (0, 1):
        found = tg.debug.doctor(
            net, tg.zeros(count, 4), tg.zeros(count, 2), loss_fn=lambda y, t: ((y - t) ** 2).sum()
        )
        assert str(found) and str(found.flow)
