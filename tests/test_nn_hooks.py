"""Hooks on modules, and the summary that is made with them."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import tinygrad_conv as tg
from tinygrad_conv import nn
from tinygrad_conv.engine.observed import LAYER


def test_hooks_see_inputs_and_outputs_and_can_be_removed():
    layer, seen = nn.Linear(2, 3), []
    before = layer.register_forward_pre_hook(lambda module, inputs: seen.append(("before", module, inputs)))
    after = layer.register_forward_hook(
        lambda module, inputs, y: seen.append(("after", module, inputs, y, LAYER.get()))
    )
    x = tg.ones(1, 2)
    y = layer(x)
    assert [event[0] for event in seen] == ["before", "after"]
    assert seen[0][1] is layer and seen[0][2][0] is x and seen[1][3] is y and seen[1][4] == "linear"
    before.remove()
    after.remove()
    after.remove()
    layer(x)
    assert len(seen) == 2


def test_hooks_can_change_what_goes_in_and_comes_out():
    net = nn.Sequential(nn.Identity(), nn.Identity())
    net[0].register_forward_pre_hook(lambda module, inputs: inputs[0] + 1)
    net[0].register_forward_hook(lambda module, inputs, y: y * 10)
    net[0].register_forward_hook(lambda module, inputs, y: None)
    net[1].register_forward_pre_hook(lambda module, inputs: (inputs[0] + 3,))
    x = tg.zeros(1, requires_grad=True)
    y = net(x)
    assert y.item() == 13.0
    y.sum().backward()
    assert x.grad.item() == 10.0


def test_hooks_in_their_order_and_in_copies():
    layer, order = nn.Identity(), []
    layer.register_forward_hook(lambda module, inputs, y: order.append(1))
    with layer.register_forward_hook(lambda module, inputs, y: order.append(2)):
        layer(0)
    layer(0)
    assert order == [1, 2, 1]
    copy.deepcopy(layer)(0)
    assert order == [1, 2, 1, 1]


def test_an_exception_in_a_hook_leaves_the_layer_path_clean():
    layer = nn.Identity()
    layer.register_forward_hook(lambda module, inputs, y: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        layer(0)
    assert LAYER.get() == ""


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, padding=1)
        self.act = nn.Tanh()
        self.up = nn.ConvTranspose2d(8, 4, 2, stride=2, bias=False)
        self.head = nn.Sequential(nn.Identity(), nn.Linear(16, 10))
        self.scale = nn.Parameter(np.ones(10, np.float32))
        self.act_mode = None

    def forward(self, x):
        self.act_mode = self.training
        return self.act(self.head(self.up(self.act(self.conv(x))))) * self.scale


def test_summary():
    net = Net()
    net.conv.requires_grad_(False)
    net.head.eval()
    summary = net.summary((2, 1, 8, 8))
    assert net.act_mode is False and net.training and not net.head.training and not net.conv._hooks
    assert [
        (row.path, row.kind, row.output, row.parameters, row.multiply_adds, row.memory)
        for row in summary.rows
    ] == [
        ("net.conv", "Conv2d", ((2, 8, 8, 8),), 80, 2 * 8 * 64 * 9, 4096),
        ("net.act", "Tanh", ((2, 8, 8, 8),), 0, 0, 4096),
        ("net.up", "ConvTranspose2d", ((2, 4, 16, 16),), 128, 2 * 8 * 64 * 4 * 4, 8192),
        ("net.head.0", "Identity", ((2, 4, 16, 16),), 0, 0, 0),
        ("net.head.1", "Linear", ((2, 4, 16, 10),), 170, 2 * 4 * 16 * 10 * 16, 5120),
        ("net.act", "Tanh", ((2, 4, 16, 10),), 0, 0, 5120),
        ("net", "Net", ((2, 4, 16, 10),), 10, 0, 5120),
    ]
    assert summary.parameters == 80 + 128 + 170 + 10 and summary.trainable == summary.parameters - 80
    assert summary.parameter_memory == 4 * summary.parameters
    assert summary.multiply_adds == sum(row.multiply_adds for row in summary.rows)
    text = str(summary)
    assert text == repr(summary) and "net.head.1  Linear" in text
    assert "parameters: 388 (308 trainable), 1.5 KiB" in text and "outputs: 31.0 KiB" in text
    assert f"multiply-adds: {summary.multiply_adds:,}" in text
    assert all(p.grad is None for p in net.parameters())


def test_summary_counts_shared_parameters_once_and_several_outputs():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 3, bias=False, dtype=np.float64)
            self.pair = Pair()

        def forward(self, x, y):
            return self.pair(self.layer(self.layer(x)), y)

    class Pair(nn.Module):
        def forward(self, x, y):
            return {"sum": x + y, "both": [x, y]}

    summary = Two().summary((2, 3), (2, 3))
    assert [row.parameters for row in summary.rows] == [9, 0, 0] and summary.parameters == 9
    assert summary.rows[2].output == ((2, 3), (2, 3), (2, 3)) and summary.rows[2].memory == 48
    assert nn.Sequential().summary((1, 2)).rows[0].output == ((1, 2),)


def test_summary_counts_the_new_memory_of_a_layer_that_changes_its_input():
    """Its input has become its output when it returns; a view of that is counted no second time."""

    def memory(*layers):
        return [row.memory for row in nn.Sequential(*layers).summary((2, 3)).rows]

    for layer in (nn.ReLU, nn.ELU, nn.Hardtanh):
        assert memory(nn.Linear(3, 4), layer(inplace=True), nn.Flatten()) == [32, 32, 0]
        assert memory(nn.Linear(3, 4), layer(inplace=False), nn.Flatten()) == [32, 32, 0]
    assert memory(nn.Linear(3, 4), nn.Dropout(inplace=True), nn.ReLU()) == [32, 0, 32]


def test_summary_leaves_the_net_as_it_was_after_an_error():
    net = Net()
    with pytest.raises(ValueError, match="linear"):
        net.summary((1, 1, 8, 9))
    assert net.training and not net.conv._hooks


@pytest.mark.parametrize(
    "count, words",
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (3 << 20, "3.0 MiB"), (5 << 40, "5120.0 GiB")],
)
def test_bytes_in_words(count, words):
    from tinygrad_conv.nn.summary import show_bytes

    assert show_bytes(count) == words


@pytest.mark.parametrize(
    "net, shapes, words",
    [
        (lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), (), r"as net.summary\(\(1, 3, 32, 32\)\)$"),
        (lambda: nn.Sequential(nn.Flatten(), nn.Linear(20, 3)), (), r"as net.summary\(\(1, 20\)\)$"),
        (lambda: nn.Sequential(nn.Conv1d(2, 8, 3)), (), r"as net.summary\(\(1, 2, 32\)\)$"),
        (lambda: nn.ReLU(), (), r"as net.summary\(\(1, 3, 32, 32\)\)$"),
        (lambda: nn.Linear(20, 3), (1, 20), r"as net.summary\(\(1, 20\)\), not 1, 20$"),
        (lambda: nn.Linear(20, 3), ((1, 2.5),), r"not \(1, 2.5\)$"),
    ],
)
def test_summary_says_which_shape_to_give(net, shapes, words):
    with pytest.raises(TypeError, match=f"^summary: give the whole shape of each input, .* {words}"):
        net().summary(*shapes)


def test_a_net_that_takes_nothing_has_a_summary():
    class Constant(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(2, 3)

        def forward(self):
            return self.layer(tg.ones(1, 2))

    assert Constant().summary().rows[0].output == ((1, 3),)


def test_hooks_in_front_and_with_keyword_arguments():
    class Scale(nn.Module):
        def forward(self, x, by=1):
            return x * by

    layer, order = Scale(), []
    layer.register_forward_hook(lambda module, inputs, y: order.append("second"))
    layer.register_forward_hook(lambda module, inputs, y: order.append("first"), prepend=True)
    layer.register_forward_pre_hook(
        lambda module, inputs, given: (inputs, {"by": given["by"] + 1}), with_kwargs=True
    )
    layer.register_forward_hook(lambda module, inputs, given, y: order.append(given), with_kwargs=True)
    assert layer(2, by=2) == 6 and order == ["first", "second", {"by": 3}]
    with pytest.raises(TypeError, match="^register_forward_hook: always_call must be False"):
        layer.register_forward_hook(print, always_call=True)
    with pytest.raises(TypeError, match="^register_forward_hook: "):
        layer.register_forward_hook(None)


def test_backward_hooks_see_gradients_and_can_change_them():
    layer, seen = nn.Linear(2, 2, rng=0), []
    x = tg.tensor(np.ones((1, 2), np.float32), requires_grad=True)
    with layer.register_full_backward_hook(lambda module, dx, dy: seen.append((module, dx, dy))):
        layer(x).sum().backward()
    ((module, (dx,), (dy,)),) = seen
    assert module is layer and dy.tolist() == [[1, 1]]
    np.testing.assert_array_equal(dx, x.grad)
    before, x.grad = x.grad, None
    handle = layer.register_full_backward_hook(lambda module, dx, dy: (dx[0] * 10,))
    layer(x).sum().backward()
    np.testing.assert_allclose(x.grad, 10 * before)
    handle.remove()
    handle.remove()
    x.grad = None
    layer(x).sum().backward()
    np.testing.assert_array_equal(x.grad, before)
    x.grad = layer.weight.grad = None
    layer.register_full_backward_pre_hook(lambda module, dy: (dy[0] * 3,))
    layer(x).sum().backward()
    np.testing.assert_allclose(x.grad, 3 * before)
    np.testing.assert_allclose(layer.weight.grad, np.full((2, 2), 3.0))


def test_backward_hooks_of_several_inputs_and_outputs():
    class Both(nn.Module):
        def forward(self, x, y, mask):
            return x * 2, y * mask * 3

    layer, seen = Both(), []
    layer.register_full_backward_hook(lambda module, dx, dy: seen.append((dx, dy)))
    x, y = (tg.tensor(np.ones(size), requires_grad=True) for size in (2, 3))
    first, second = layer(x, y, 1)
    (first.sum() + 5 * second.sum()).backward()
    ((dx, dy),) = seen
    assert dx[2] is None and [part.tolist() for part in dx[:2]] == [[2, 2], [15, 15, 15]]
    assert [part.tolist() for part in dy] == [[1, 1], [5, 5, 5]]
    layer.register_full_backward_hook(lambda module, dx, dy: (dx[0], dx[1] * 0, None))
    x.grad = y.grad = None
    first, second = layer(x, y, 1)
    (first.sum() + second.sum()).backward()
    assert x.grad.tolist() == [2, 2] and y.grad.tolist() == [0, 0, 0]
    wrong = Both()
    wrong.register_full_backward_hook(lambda module, dx, dy: dx[:1])
    with pytest.raises(ValueError, match="returned 1 gradients for 3 tensors"):
        wrong(x, y, 1)[0].sum().backward()


def test_backward_hooks_where_no_input_needs_a_gradient():
    net, seen = nn.Sequential(nn.Linear(2, 3), nn.ReLU(inplace=True), nn.Identity()), []
    for layer in net:
        layer.register_full_backward_hook(
            lambda module, dx, dy: seen.append((type(module).__name__, dx[0] is None))
        )
    net(tg.ones(1, 2)).sum().backward()
    assert seen == [("Identity", False), ("ReLU", False), ("Linear", True)]
    with tg.no_grad():
        net(tg.ones(1, 2))
    assert len(seen) == 3


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:Full backward hook:UserWarning")  # PyTorch's
def test_backward_hooks_are_pytorchs():
    torch = pytest.importorskip("torch")
    both = []
    for place, tensor in ((nn, tg.tensor), (torch.nn, torch.tensor)):
        net, seen = place.Sequential(place.Linear(3, 4), place.Tanh(), place.Linear(4, 2)).double(), []
        numbers = [
            np.sin(np.arange(12.0).reshape(4, 3)),
            np.ones(4),
            np.cos(np.arange(8.0).reshape(2, 4)),
            np.ones(2),
        ]
        net.load_state_dict(dict(zip(net.state_dict(), map(tensor, numbers))))
        for layer in net:
            layer.register_full_backward_hook(lambda module, dx, dy, seen=seen: seen.append((*dx, *dy)))
        net[1].register_full_backward_hook(lambda module, dx, dy: (dx[0] * 2,))
        (net(tensor(np.ones((2, 3)))) ** 2).sum().backward()
        seen = [[array for array in arrays if array is not None] for arrays in seen]
        both.append((seen, [parameter.grad for parameter in net.parameters()]))
    (seen, grads), (other_seen, other_grads) = both
    for ours, theirs in zip([*seen, grads], [*other_seen, other_grads], strict=True):
        for array, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(array, other.numpy(), rtol=1e-12)


def test_the_old_name_of_backward_hooks():
    layer, seen = nn.Linear(2, 3), []
    with layer.register_backward_hook(lambda module, dx, dy: seen.append((module, dx[0].shape, dy[0].shape))):
        layer(tg.ones(4, 2).requires_grad_()).sum().backward()
    assert seen == [(layer, (4, 2), (4, 3))]
