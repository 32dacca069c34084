"""Walking over the tape as PyTorch's scripts do."""

from __future__ import annotations

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
