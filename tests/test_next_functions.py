"""Walking over the tape as PyTorch's scripts do."""

from __future__ import annotations

import pytest

import tinygrad_conv as tg
from tests.helpers import leaf
from tinygrad_conv.engine.next_functions import AccumulateGrad


def test_from_the_loss_to_the_leaves():
    w, b, x = leaf(3), leaf(3, seed=1), tg.ones(3)
    product = w * x
    loss = (product + b).sum()
    ((added, slot),) = loss.grad_fn.next_functions
    assert loss.grad_fn.name() == "SumBackward0" and added.name() == "AddBackward0" and slot == 0
    (mul, _), (end, _) = added.next_functions
    assert mul is product.grad_fn and end == AccumulateGrad(b) and end.variable is b
    assert mul.next_functions == ((AccumulateGrad(w), 0), (None, 0))
    assert end.name() == "AccumulateGrad" and end.next_functions == () and len({end, AccumulateGrad(b)}) == 1


def test_which_output_of_several_and_an_op_of_several_inputs():
    w = leaf(4)
    first, second = (w * 1).split(2)
    joined = tg.cat([second, first, w])
    assert [slot for _, slot in joined.grad_fn.next_functions] == [1, 0, 0]
    assert first.grad_fn.name() == "SplitBackward0"


NUMBERS = {
    "w + 2": lambda w: w + 2,
    "2 + w": lambda w: 2 + w,
    "w * 2": lambda w: w * 2,
    "2 * w": lambda w: 2 * w,
    "w - 2": lambda w: w - 2,
    "2 - w": lambda w: 2 - w,
    "w / 2": lambda w: w / 2,
    "w ** 2": lambda w: w**2,
    "2 ** w": lambda w: 2**w,
    "clamp": lambda w: w.clamp(min=0.5),
}


@pytest.mark.torch
@pytest.mark.parametrize("compute", NUMBERS.values(), ids=NUMBERS)
def test_numbers_have_the_places_they_have_in_pytorch(compute):
    torch = pytest.importorskip("torch")
    ours, theirs = (
        [node is not None for node, _ in compute(w).grad_fn.next_functions]
        for w in (leaf(3), torch.ones(3, requires_grad=True))
    )
    assert ours == theirs


def test_a_number_stands_behind_the_tensor():
    w = leaf(3)
    assert (2 * w).grad_fn.next_functions == ((AccumulateGrad(w), 0), (None, 0))
    assert (2 - w).grad_fn.next_functions == (w**2).grad_fn.next_functions == ((AccumulateGrad(w), 0),)
    assert (tg.ones(3) * w).grad_fn.next_functions == ((None, 0), (AccumulateGrad(w), 0))


def test_a_freed_node_has_forgotten():
    loss = (leaf(3) * 2).sum()
    node = loss.grad_fn
    loss.backward()
    assert node.next_functions == ()


def test_the_parameters_of_a_net_are_found():
    net = tg.nn.Sequential(tg.nn.Linear(2, 3), tg.nn.ReLU(), tg.nn.Linear(3, 1))
    to_visit, reached = [net(tg.ones(1, 2)).sum().grad_fn], set()
    while to_visit:
        for node, _ in to_visit.pop().next_functions:
            if isinstance(node, AccumulateGrad):
                reached.add(node.variable)
            elif node is not None:
                to_visit.append(node)
    assert reached == set(net.parameters())
