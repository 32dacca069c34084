"""Walking over the tape as PyTorch's scripts do."""

from __future__ import annotations

import tinygrad_conv as tg
from tests.helpers import leaf
from tinygrad_conv.engine.next_functions import AccumulateGrad, NextFunctions

following = NextFunctions.next_functions.fget
name = NextFunctions.name


def test_from_the_loss_to_the_leaves():
    w, b, x = leaf(3), leaf(3, seed=1), tg.ones(3)
    product = w * x
    loss = (product + b).sum()
    ((added, slot),) = following(loss.grad_fn)
    assert name(loss.grad_fn) == "SumBackward0" and name(added) == "AddBackward0" and slot == 0
    (mul, _), (end, _) = following(added)
    assert mul is product.grad_fn and end == AccumulateGrad(b) and end.variable is b
    assert following(mul) == ((AccumulateGrad(w), 0), (None, 0))
    assert end.name() == "AccumulateGrad" and end.next_functions == () and len({end, AccumulateGrad(b)}) == 1


def test_which_output_of_several_and_an_op_of_several_inputs():
    w = leaf(4)
    first, second = (w * 1).split(2)
    joined = tg.cat([second, first, w])
    assert [slot for _, slot in following(joined.grad_fn)] == [1, 0, 0]
    assert name(first.grad_fn) == "SplitBackward0"


def test_a_freed_node_has_forgotten():
    loss = (leaf(3) * 2).sum()
    node = loss.grad_fn
    loss.backward()
    assert following(node) == ()


def test_the_parameters_of_a_net_are_found():
    net = tg.nn.Sequential(tg.nn.Linear(2, 3), tg.nn.ReLU(), tg.nn.Linear(3, 1))
    to_visit, reached = [net(tg.ones(1, 2)).sum().grad_fn], set()
    while to_visit:
        for node, _ in following(to_visit.pop()):
            if isinstance(node, AccumulateGrad):
                reached.add(node.variable)
            elif node is not None:
                to_visit.append(node)
    assert reached == set(net.parameters())
