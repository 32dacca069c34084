"""A step, a loading and a conversion happen wholly or not at all; what cannot be is refused beforehand."""

from __future__ import annotations

import copy
import sys

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn, optim
from tinygrad_conv.data import DataLoader, TensorDataset
from tinygrad_conv.engine.commit import Changes, mark_changed
from tinygrad_conv.errors import DtypeError, MutationError


def two(make=lambda params: optim.Adam(params, 0.1)):
    """An optimiser of two parameters, after a step."""
    params = [nn.Parameter(np.ones(2, np.float32)), nn.Parameter(np.ones(3, np.float32))]
    optimizer = make(params)
    for param in params:
        param.grad = np.ones(param.shape, np.float32)
    optimizer.step()
    return params, optimizer


@pytest.mark.parametrize("harm", ["data", "read-only", "shape"])
def test_one_bad_parameter_and_nothing_moves(harm):
    (good, bad), optimizer = two()
    if harm == "data":
        bad.data = np.ones(5, np.float32)
    elif harm == "read-only":
        bad.data.flags.writeable = False
    else:
        bad.data, bad.grad = np.ones((2, 3), np.float32), np.ones((2, 3), np.float32)
    before, state = good.data.copy(), copy.deepcopy(optimizer.state[good])
    with pytest.raises(ValueError):
        optimizer.step()
    np.testing.assert_array_equal(good.data, before)
    np.testing.assert_array_equal(optimizer.state[good]["exp_avg"], state["exp_avg"])
    assert optimizer.state[good]["step"] == state["step"] == 1


@pytest.mark.parametrize(
    "name, value, words",
    [
        ("lr", "0.1", "Adam: lr must be a number, not '0.1'"),
        ("lr", None, "Adam: lr must be a number, not None"),
        ("betas", (0.9,), "Adam: betas must be two numbers"),
        ("betas", (0.9, 2.0), r"Adam: betas must lie in \[0, 1\)"),
        ("eps", ..., "Adam: group 0 has no eps; add_param_group sets it"),
    ],
)
def test_an_option_that_was_made_wrong_is_named_and_nothing_moves(name, value, words):
    (good, _), optimizer = two()
    if value is ...:
        del optimizer.param_groups[0][name]
    else:
        optimizer.param_groups[0][name] = value
    before = good.data.copy()
    with pytest.raises((TypeError, ValueError), match=words):
        optimizer.step()
    np.testing.assert_array_equal(good.data, before)


def test_a_group_that_was_appended_has_no_options():
    _, optimizer = two()
    optimizer.param_groups.append({"params": [leaf_with_gradient()]})
    with pytest.raises(ValueError, match="Adam: group 1 has no lr; add_param_group sets it"):
        optimizer.step()


def leaf_with_gradient():
    leaf = tg.ones(2, requires_grad=True)
    leaf.grad = np.ones(2, np.float32)
    return leaf


@pytest.mark.parametrize("clip", [tg.nn.utils.clip_grad_norm_, tg.nn.utils.clip_grad_value_])
def test_one_gradient_that_is_read_only_and_none_is_clipped(clip):
    leaves = [leaf_with_gradient() for _ in range(2)]
    leaves[1].grad.flags.writeable = False
    with pytest.raises(ValueError, match=rf"{clip.__name__}: float32\[2\] is to be changed in place, but"):
        clip(leaves, 0.1)
    assert [leaf.grad.tolist() for leaf in leaves] == [[1, 1]] * 2


@pytest.mark.parametrize(
    "break_it",
    [
        lambda saved: saved["state"][0].update(step=-3),
        lambda saved: saved["state"][0].update(step=2.5),
        lambda saved: saved["state"][0].pop("exp_avg"),
        lambda saved: saved["state"][0].update(momentum_buffer=np.ones(2)),
        lambda saved: saved["state"][1].update(exp_avg=np.array([np.nan, 1, 1])),
        lambda saved: saved["state"][1].update(exp_avg_sq=-np.ones(3)),
        lambda saved: saved["state"].update({7: {}}),
        lambda saved: saved["param_groups"][0].update(alpha=0.9),
        lambda saved: saved["param_groups"][0].update(betas=(0.9,)),
    ],
)
def test_a_state_that_cannot_be_is_refused_as_a_whole(break_it):
    _, optimizer = two()
    saved, before = optimizer.state_dict(), optimizer.state_dict()
    saved["param_groups"][0]["lr"] = 0.5
    break_it(saved)
    with pytest.raises(ValueError, match="Adam"):
        optimizer.load_state_dict(saved)
    after = optimizer.state_dict()
    assert after["param_groups"] == before["param_groups"]
    np.testing.assert_array_equal(after["state"][0]["exp_avg"], before["state"][0]["exp_avg"])


COMMITS = {
    "step": lambda net, optimizer: optimizer.step(),
    "to": lambda net, optimizer: net.to(np.float64),
    "load_state_dict": lambda net, optimizer: net.load_state_dict(net.state_dict()),
    "a state is loaded": lambda net, optimizer: optimizer.load_state_dict(optimizer.state_dict()),
    "clipping": lambda net, optimizer: nn.utils.clip_grad_norm_(net.parameters(), 0.1),
    "in place": lambda net, optimizer: net.weight.detach().mul_(2),
}


@pytest.mark.parametrize("action", COMMITS)
def test_no_line_of_python_runs_in_a_commit(action):
    """Ctrl-C comes before a line: a property among what is set would be a place for it. Versions are marked
    before anything is written.
    """
    net = nn.Linear(2, 3)
    optimizer = optim.Adam(net.parameters())
    net(tg.ones(1, 2)).sum().backward()
    optimizer.step()
    commits, called = [], []

    def watch(frame, event, argument):
        if event == "call" and frame.f_code is Changes.commit.__code__:
            commits.append(frame)
        elif event == "call" and frame.f_back in commits and frame.f_code is not mark_changed.__code__:
            called.append(frame.f_code.co_qualname if hasattr(frame.f_code, "co_qualname") else frame.f_code)

    sys.setprofile(watch)
    try:
        COMMITS[action](net, optimizer)
    finally:
        sys.setprofile(None)
    assert commits
    assert not called


def test_an_interrupt_once_versions_are_marked_leaves_all_as_it_was(monkeypatch):
    """But a graph from before is refused: nobody knows by then that nothing has been written."""
    net = nn.Linear(2, 3)
    optimizer = optim.Adam(net.parameters())
    loss = net(tg.ones(1, 2, requires_grad=True)).square().sum()
    loss.backward(retain_graph=True)
    before = {name: value.data.copy() for name, value in net.state_dict().items()}

    def interrupted(memories):
        mark_changed(memories)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("tinygrad_conv.engine.commit.mark_changed", interrupted)
        with pytest.raises(KeyboardInterrupt):
            optimizer.step()
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value.data, before[name])
    assert not optimizer.state
    with pytest.raises(MutationError, match="was changed in place"):
        loss.backward()
    optimizer.zero_grad()
    net(tg.ones(1, 2)).square().sum().backward()
    optimizer.step()
    assert not np.array_equal(net.weight.data, before["weight"])


def test_the_state_follows_the_parameters_dtype():
    for make in (lambda params: optim.Adam(params, 0.1), lambda params: optim.SGD(params, 0.1, 0.9)):
        (param, _), optimizer = two(make)
        param.data, param.grad = param.data.astype(np.float64), np.ones(2)
        optimizer.step()
        arrays = [value for value in optimizer.state[param].values() if isinstance(value, np.ndarray)]
        assert arrays and all(array.dtype == np.float64 for array in arrays)


def test_parameters_that_share_memory_move_by_both_gradients():
    memory = np.zeros(4, np.float32)
    whole, part = nn.Parameter(memory), nn.Parameter(memory[1:3])
    optimizer = optim.SGD([whole, part], 1.0)
    whole.grad, part.grad = np.ones(4, np.float32), np.ones(2, np.float32)
    optimizer.step()
    assert memory.tolist() == [-1, -2, -2, -1]


def test_a_state_dict_with_numbers_that_overflow_is_not_loaded():
    net = nn.Linear(2, 2).half()
    before = net.state_dict()
    with pytest.raises(RuntimeError, match="bias has numbers that float16 cannot hold"):
        net.load_state_dict({"weight": np.zeros((2, 2)), "bias": np.full(2, 1e6)})
    np.testing.assert_array_equal(net.weight.data, before["weight"].data)


@pytest.mark.parametrize(
    "layer, shape",
    [
        (lambda: nn.Linear(3, 2), (4, 3)),
        (lambda: nn.Conv2d(3, 2, 1), (1, 3, 4, 4)),
        (lambda: nn.ConvTranspose2d(3, 2, 1), (1, 3, 4, 4)),
        (lambda: nn.BatchNorm2d(3), (2, 3, 4, 4)),
        (lambda: nn.LayerNorm(3), (2, 3)),
        (lambda: nn.GroupNorm(1, 3), (2, 3, 4)),
        (lambda: nn.PReLU(), (2, 3)),
    ],
)
def test_layers_with_parameters_refuse_another_floating_dtype(layer, shape):
    net = layer()
    assert net(tg.ones(*shape)).dtype == np.float32
    with pytest.raises(DtypeError, match=r"x\.float\(\).* net\.double\(\)"):
        net(tg.ones(*shape, dtype=np.float64))
    assert net.double()(tg.ones(*shape, dtype=np.float64)).dtype == np.float64


def test_options_of_other_types_are_refused():
    net, data = nn.Linear(1, 1), TensorDataset(np.ones(3))
    for call in (
        lambda: optim.Adam(net.parameters(), betas=(0.9,)),
        lambda: optim.SGD(net.parameters(), nesterov="no"),
        lambda: DataLoader(data, drop_last="no"),
        lambda: DataLoader(data, batch_size=1.5),
        lambda: net.train("no"),
        lambda: setattr(net, "training", "no"),
        lambda: setattr(net, "itself", net),
        lambda: tg.set_num_threads(1.5),
        lambda: nn.LayerNorm(3, eps=-5),
        lambda: nn.Dropout("0.5"),
    ):
        with pytest.raises((TypeError, ValueError), match="must|cannot"):
            call()


def test_clipping_a_used_up_generator_warns():
    with pytest.warns(UserWarning, match="used up"):
        assert nn.utils.clip_grad_norm_(iter(()), 1.0).item() == 0


@pytest.mark.parametrize("rate", [[0.1, 0.2], np.array([0.1, 0.2]), tg.tensor([0.1]), None, "0.1"])
def test_a_rate_that_is_set_later_is_one_number(rate):
    """A list of the rates of all groups, as a schedule's get_last_lr() returns, would broadcast."""
    p = nn.Parameter(np.ones(2))
    optimizer = optim.SGD([p], lr=0.1)
    p.grad = np.ones_like(p.data)
    optimizer.param_groups[0]["lr"] = rate
    with pytest.raises(TypeError, match="^SGD: lr must be a number, not "):
        optimizer.step()
    assert p.tolist() == [1, 1]
    for usual in (1, np.float64(0.5), np.array(0.25), tg.tensor(0.125)):
        optimizer.param_groups[0]["lr"] = usual
        before = p.data.copy()
        optimizer.step()
        np.testing.assert_array_equal(p.data, before - float(usual))
